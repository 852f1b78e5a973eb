/* SPDX-License-Identifier: Apache-2.0 */
/* facts.c - replaying a transcript from its first record to its last. */
#include "judge/facts_inside.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pa_replay_broken(struct pa_replay *replay, const char *format, ...) {
    struct pa_facts *facts = replay->facts;
    if (facts->broken[0] != '\0')
        return PA_OK;
    char text[sizeof facts->broken - 32];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (replay->k > 0)
        snprintf(facts->broken, sizeof facts->broken, "record %llu: %s",
                 (unsigned long long)replay->k, text);
    else
        snprintf(facts->broken, sizeof facts->broken, "%s", text);
    return PA_OK;
}

void pa_replay_failure(struct pa_replay *replay, uint32_t epoch, uint32_t j, const char *format,
                       ...) {
    if (replay->has_failure &&
        (epoch > replay->first_epoch || (epoch == replay->first_epoch && j >= replay->first_j)))
        return;
    replay->has_failure = true;
    replay->first_epoch = epoch;
    replay->first_j = j;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(replay->failure, sizeof replay->failure, format, arguments);
    va_end(arguments);
}

/* UTC against RAW, from the first record or the end of the last interruption: RAW starts again with
 * the machine, so that nothing can be compared across one. */
static void compare_clocks(struct pa_replay *replay, const struct pa_record *record) {
    struct pa_instant at;
    if (pa_record_check(record, &at, NULL) != PA_OK || (at.raw_ns == 0 && at.utc_ns == 0))
        return;
    struct pa_facts *facts = replay->facts;
    if (facts->begun_utc_ns == 0)
        facts->begun_utc_ns = at.utc_ns;
    facts->ended_utc_ns = at.utc_ns;
    if (!replay->has_base || replay->has_gap) {
        replay->has_base = true;
        replay->base = at;
        return;
    }
    /* All four are below 2^63 (record_read.c), so are the differences. */
    double utc = (double)((int64_t)at.utc_ns - (int64_t)replay->base.utc_ns);
    double raw = (double)((int64_t)at.raw_ns - (int64_t)replay->base.raw_ns);
    double step = fabs(utc - raw) / 1e9;
    if (step > facts->clock_step_seconds)
        facts->clock_step_seconds = step;
}

static int visit(void *context, uint64_t index, const struct pa_record *record,
                 const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    struct pa_replay *replay = context;
    replay->k = index;
    if (record->type == PA_RECORD_SESSION) {
        compare_clocks(replay, record);
        return pa_replay_session(replay, record, error);
    }
    /* What names the devices and the claim is wanted for an invalid session too. */
    if (replay->facts->broken[0] != '\0')
        return record->type == PA_RECORD_NOTE ? pa_replay_note(replay, record, error) : PA_OK;
    if (replay->facts->is_finished)
        return pa_replay_broken(replay, "a %s record comes after the closing signature",
                                pa_record_type_name(record->type));
    compare_clocks(replay, record);
    switch (record->type) {
    case PA_RECORD_NONCE:
        return pa_replay_nonce(replay, record, error);
    case PA_RECORD_ROOT:
        return pa_replay_root(replay, record, error);
    case PA_RECORD_LIST:
        return pa_replay_list(replay, record, error);
    case PA_RECORD_KEY:
        return pa_replay_key(replay, record, error);
    case PA_RECORD_OPENING:
        return pa_replay_opening(replay, record, error);
    case PA_RECORD_RESULT:
        return pa_replay_result(replay, record, error);
    case PA_RECORD_NOTE:
        return pa_replay_note(replay, record, error);
    case PA_RECORD_POWER:
        return pa_replay_power(replay, record, error);
    case PA_RECORD_SIGNATURE:
        return pa_replay_signature(replay, record, before, error);
    case PA_RECORD_FABRIC:
        return pa_replay_fabric(replay, record, error);
    case PA_RECORD_SESSION:
        break;
    }
    return pa_replay_broken(replay, "a %s record, which does not belong here",
                            pa_record_type_name(record->type));
}

/* One sentence: how many openings did not hold, and the first of them. */
static void tell_failures(struct pa_replay *replay) {
    struct pa_facts *facts = replay->facts;
    if (!replay->has_failure)
        return;
    snprintf(facts->first_failure, sizeof facts->first_failure,
             "%llu of %llu openings failed; the first: %s", (unsigned long long)facts->failed,
             (unsigned long long)facts->drawn, replay->failure);
}

static void replay_free(struct pa_replay *replay) {
    for (uint32_t e = 0; e < replay->epoch_count; e++) {
        free(replay->epochs[e].tails);
        free(replay->epochs[e].samples);
        free(replay->epochs[e].has_opening);
    }
    for (uint32_t m = 0; m < replay->meter_count; m++)
        free(replay->meters[m].readings);
    free(replay->meters);
    pa_fabric_run_free(&replay->fabric);
    free(replay->halves);
    free(replay->told);
    free(replay->epochs);
    free(replay->shapes);
    free(replay->jobs);
}

static int replay_all(struct pa_replay *replay, struct pa_store *store, struct pa_error *error) {
    PA_TRY(pa_store_each(store, visit, replay, error));
    replay->k = 0;
    if (replay->recheck == PA_RECHECK_TILES)
        PA_TRY(pa_replay_tiles(replay, error));
    PA_TRY(pa_replay_epochs_finish(replay, error));
    PA_TRY(pa_replay_sample_finish(replay, error));
    PA_TRY(pa_replay_power_finish(replay, error));
    PA_TRY(pa_replay_watermark_finish(replay, error));
    pa_replay_fabric_finish(replay);
    pa_replay_attestation_finish(replay);
    tell_failures(replay);
    return PA_OK;
}

int pa_facts_collect(struct pa_store *store, enum pa_recheck recheck, struct pa_facts *out,
                     struct pa_error *error) {
    memset(out, 0, sizeof *out);
    out->assurance = PA_ASSURANCE_SELF;
    out->records = pa_store_count(store);
    if (out->records == 0)
        return pa_fail(error, PA_EINPUT, "the evidence is empty: no session was ever declared");
    pa_store_head(store, out->transcript.bytes);
    out->notes = json_array();
    if (out->notes == NULL)
        return pa_fail(error, PA_EMEMORY, "reading evidence: out of memory");
    struct pa_replay replay = {.facts = out, .recheck = recheck};
    int code = replay_all(&replay, store, error);
    replay_free(&replay);
    if (code != PA_OK)
        pa_facts_free(out);
    return code;
}

void pa_facts_free(struct pa_facts *facts) {
    pa_declaration_free(&facts->declaration);
    free(facts->epochs);
    free(facts->devices);
    free(facts->allreduce);
    free(facts->power.meters);
    free(facts->power.devices);
    free(facts->watermark.halves);
    free(facts->sample.chosen);
    free(facts->claim_text);
    free(facts->policy_text);
    json_decref(facts->notes);
    memset(facts, 0, sizeof *facts);
}

const json_t *pa_facts_note(const struct pa_facts *facts, const char *kind) {
    size_t index;
    const json_t *note;
    json_array_foreach(facts->notes, index, note) {
        const char *text = json_string_value(json_object_get(note, "kind"));
        if (text != NULL && strcmp(text, kind) == 0)
            return note;
    }
    return NULL;
}
