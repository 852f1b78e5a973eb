/* SPDX-License-Identifier: Apache-2.0 */
/* facts_coupled.c - what the site noted of its devices as one system. It is the site's measurement:
 * nothing was opened. What can be held against the declaration is. */
#include "judge/facts_inside.h"

#include "base/file.h"
#include "base/number.h"

#include <string.h>

enum { MOST_STEPS = 100000 };

static bool take_figure(const json_t *json, const char *key, double *out) {
    const json_t *value = json_object_get(json, key);
    if (json_is_integer(value))
        *out = (double)json_integer_value(value);
    else if (!json_is_string(value) ||
             pa_decimal_parse(json_string_value(value), 0, 1e30, out, NULL) != PA_OK)
        return false;
    return *out > 0 && *out <= 1e30;
}

/* The most that `steps` steps of `ranks` of the declared devices can be: of all of them, or of so
 * many of the largest one, whichever is less. */
static double most_operations(const struct pa_replay *replay, uint64_t ranks, uint64_t steps) {
    const struct pa_declaration *declaration = &replay->facts->declaration;
    double all = 0, largest = 0;
    for (uint32_t d = 0; d < declaration->device_count; d++) {
        double operations = (double)pa_shape_operations(pa_declared_shape(declaration, 0, d));
        all += operations;
        largest = operations > largest ? operations : largest;
    }
    double some = largest * (double)ranks;
    return (double)steps * (some < all ? some : all);
}

static int take_run(const struct pa_replay *replay, const json_t *json, struct pa_fact_coupled *out,
                    char wrong[PA_NOTE_WRONG_BYTES]) {
    uint64_t ranks, hosts, steps;
    const json_t *verified = json_object_get(json, "verified");
    if (!pa_note_whole(json, "ranks", 2, replay->facts->device_count, &ranks))
        return pa_note_should_be(wrong, "ranks", "a number of declared devices, two at least");
    if (!pa_note_whole(json, "hosts", 1, ranks, &hosts))
        return pa_note_should_be(wrong, "hosts", "a whole number, no more than ranks");
    if (!pa_note_whole(json, "bytes", 1, PA_ALLREDUCE_MOST_BYTES, &out->bytes))
        return pa_note_should_be(wrong, "bytes", "a size that can be reduced");
    if (!pa_note_whole(json, "steps", 1, MOST_STEPS, &steps))
        return pa_note_should_be(wrong, "steps", "a whole number, at most 100000");
    if (!pa_note_whole(json, "time_ns", 1, INT64_MAX, &out->time_ns))
        return pa_note_should_be(wrong, "time_ns", "a whole number, one at least");
    if (!take_figure(json, "operations", &out->operations))
        return pa_note_should_be(wrong, "operations", "a decimal as text, above zero");
    /* Figures have nine digits. */
    if (out->operations > most_operations(replay, ranks, steps) * (1 + 1e-8))
        return pa_note_should_be(wrong, "operations",
                                 "what so many steps of the declared shapes hold");
    if (!take_figure(json, "alone_per_second", &out->alone_per_second))
        return pa_note_should_be(wrong, "alone_per_second", "a decimal as text, above zero");
    if (!json_is_boolean(verified))
        return pa_note_should_be(wrong, "verified", "true or false");
    out->ranks = (uint32_t)ranks;
    out->hosts = (uint32_t)hosts;
    out->steps = (uint32_t)steps;
    out->state = json_is_true(verified) ? PA_COUPLED_MEASURED : PA_COUPLED_WRONG;
    return PA_OK;
}

int pa_replay_coupled_note(struct pa_replay *replay, const json_t *json,
                           char wrong[PA_NOTE_WRONG_BYTES]) {
    struct pa_fact_coupled found = {0}, *kept = &replay->facts->coupled;
    const char *state = json_string_value(json_object_get(json, "state"));
    const char *reason = json_string_value(json_object_get(json, "reason"));
    /* Whoever may measure twice may choose. */
    if (kept->state != PA_COUPLED_UNKNOWN)
        return pa_note_should_be(wrong, "state", "told once in a session");
    if (state != NULL && strcmp(state, "measured") == 0)
        take_run(replay, json, &found, wrong);
    else if (state == NULL || (strcmp(state, "lost") != 0 && strcmp(state, "not measured") != 0))
        return pa_note_should_be(wrong, "state", "measured, lost or not measured");
    else if (reason == NULL)
        return pa_note_should_be(wrong, "reason", "text");
    else {
        found.state = state[0] == 'l' ? PA_COUPLED_LOST : PA_COUPLED_NOT_MEASURED;
        pa_printable(found.reason, sizeof found.reason, reason);
    }
    if (wrong[0] == '\0')
        *kept = found;
    return PA_OK;
}
