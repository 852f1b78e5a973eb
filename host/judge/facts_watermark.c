/* SPDX-License-Identifier: Apache-2.0 */
/* facts_watermark.c - the half-bits that the witness told, against what the meters read meanwhile.
 */
#include "judge/facts_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t longest_half_ns = UINT64_C(600000000000);

static int add_half(struct pa_replay *replay, struct pa_instant at, bool is_on,
                    struct pa_error *error) {
    struct pa_replay_half *grown =
        realloc(replay->halves, ((size_t)replay->half_count + 1) * sizeof *grown);
    if (grown == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a note: out of memory");
    replay->halves = grown;
    grown[replay->half_count++] =
        (struct pa_replay_half){.at = at, .segment = replay->interruptions, .is_on = is_on};
    return PA_OK;
}

int pa_replay_watermark_note(struct pa_replay *replay, const json_t *json, struct pa_instant at,
                             char wrong[PA_NOTE_WRONG_BYTES], struct pa_error *error) {
    struct pa_fact_watermark *mark = &replay->facts->watermark;
    const char *level = json_string_value(json_object_get(json, "level"));
    uint64_t half, bits, half_ns, settle_ns;
    bool is_on = level != NULL && strcmp(level, "on") == 0;
    if (!is_on && (level == NULL || strcmp(level, "off") != 0))
        return pa_note_should_be(wrong, "level", "on or off");
    if (!pa_note_whole(json, "bits", 1, PA_WATERMARK_MOST_BITS, &bits))
        return pa_note_should_be(wrong, "bits", "a whole number, at most 1024");
    if (!pa_note_whole(json, "half_ns", 1, longest_half_ns, &half_ns))
        return pa_note_should_be(wrong, "half_ns", "a whole number");
    if (!pa_note_whole(json, "settle_ns", 0, half_ns - 1, &settle_ns))
        return pa_note_should_be(wrong, "settle_ns", "a whole number below half_ns");
    if (!pa_note_whole(json, "half", 0, 2 * bits - 1, &half) || half != replay->half_count)
        return pa_note_should_be(wrong, "half", "the next half-bit");
    if (half > 0 &&
        (bits != mark->bits || half_ns != mark->half_ns || settle_ns != mark->settle_ns))
        return pa_note_should_be(wrong, "bits",
                                 "those of the first half-bit, as half_ns and settle_ns");
    if (half % 2 == 1 && replay->halves[half - 1].is_on == is_on)
        return pa_note_should_be(wrong, "level", "the opposite of the first half's");
    mark->bits = (uint32_t)bits;
    mark->half_ns = half_ns;
    mark->settle_ns = settle_ns;
    return add_half(replay, at, is_on, error);
}

/* Mean load of the metered role while a half-bit lasted, the settling left out; NAN where a meter
 * says nothing of it. */
static double load_of(const struct pa_replay *replay, const struct pa_replay_half *half) {
    const struct pa_fact_power *power = &replay->facts->power;
    const struct pa_fact_watermark *mark = &replay->facts->watermark;
    int64_t from = 0, to = 0;
    double sum = 0;
    bool is_any = false;
    if (!half->is_placed || __builtin_add_overflow(half->at_ns, (int64_t)mark->settle_ns, &from) ||
        __builtin_add_overflow(half->at_ns, (int64_t)mark->half_ns, &to))
        return (double)NAN;
    for (uint32_t m = 0; m < power->meter_count; m++)
        if (pa_power_counts(power, m, power->scope)) {
            sum += pa_power_mean(&replay->meters[m], from, to);
            is_any = true;
        }
    return is_any ? sum / pa_power_share(power, power->scope) : (double)NAN;
}

/* A second half that was told late is of another time than the first: the site might have waited
 * for a better one. */
static bool is_in_time(const struct pa_replay_half *first, uint64_t half_ns) {
    return first[1].at_ns > first->at_ns &&
           (uint64_t)(first[1].at_ns - first->at_ns) <= 2 * half_ns;
}

static void fill_bit(const struct pa_replay *replay, uint32_t bit, struct pa_watermark_bit *out) {
    const struct pa_replay_half *first = &replay->halves[2 * (size_t)bit];
    const struct pa_fact_half *facts = &replay->facts->watermark.halves[2 * (size_t)bit];
    double difference = (facts[0].watts - facts[1].watts) * 1e3;
    *out = (struct pa_watermark_bit){.is_on_first = first->is_on};
    out->is_usable = isfinite(difference) && fabs(difference) < (double)PA_WATERMARK_MOST_MW &&
                     is_in_time(first, replay->facts->watermark.half_ns);
    if (out->is_usable)
        out->difference_mw = llround(difference);
}

int pa_replay_watermark_finish(struct pa_replay *replay, struct pa_error *error) {
    struct pa_fact_watermark *mark = &replay->facts->watermark;
    if (replay->half_count == 0)
        return PA_OK;
    uint32_t bits = replay->half_count / 2;
    struct pa_watermark_bit *each = calloc((size_t)bits + 1, sizeof *each);
    mark->halves = calloc(replay->half_count, sizeof *mark->halves);
    if (each == NULL || mark->halves == NULL) {
        free(each);
        return pa_fail(error, PA_EMEMORY, "looking for the watermark: out of memory");
    }
    mark->told = replay->half_count;
    mark->role = replay->facts->power.scope;
    for (uint32_t h = 0; h < mark->told; h++) {
        const struct pa_replay_half *half = &replay->halves[h];
        mark->halves[h] =
            (struct pa_fact_half){.is_on = half->is_on,
                                  .at_s = (double)(half->at_ns - replay->halves[0].at_ns) * 1e-9,
                                  .watts = load_of(replay, half)};
    }
    for (uint32_t bit = 0; bit < bits; bit++)
        fill_bit(replay, bit, &each[bit]);
    int code = pa_watermark_judge(each, bits, &replay->facts->session, &mark->test, error);
    free(each);
    return code;
}
