/* SPDX-License-Identifier: Apache-2.0 */
/* facts_fabric.c - the fabric proof's records, checked as the witness checked them. */
#include "judge/facts_inside.h"

#include <math.h>
#include <stdio.h>

int pa_replay_fabric(struct pa_replay *replay, const struct pa_record *record,
                     struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    struct pa_fabric_record fabric;
    struct pa_error cause = {0};
    PA_TRY(pa_record_fabric(record, &fabric, error));
    if (fabric.stage >= PA_FABRIC_STAGES_END)
        return pa_replay_broken(replay, "stage %u of a fabric proof, which has none", fabric.stage);
    if (!facts->fabric.is_begun)
        PA_TRY(pa_fabric_run_begin(&replay->fabric, &facts->declaration, &facts->session, error));
    facts->fabric.is_begun = true;
    int code = pa_fabric_run_take(&replay->fabric, (enum pa_fabric_stage)fabric.stage, fabric.body,
                                  fabric.body_bytes, replay->recheck == PA_RECHECK_TILES, &cause);
    if (code == PA_EMEMORY)
        return pa_fail(error, code, "%s", cause.text);
    if (code != PA_OK)
        return pa_replay_broken(replay, "%s", cause.text);
    /* The times of the stages are one stretch of the witness's clock. */
    if (fabric.stage > PA_FABRIC_NONCE &&
        fabric.at.raw_ns < replay->fabric_at[PA_FABRIC_NONCE].raw_ns)
        return pa_replay_broken(replay, "a fabric proof whose time runs backwards");
    replay->fabric_at[fabric.stage] = fabric.at;
    return PA_OK;
}

void pa_replay_fabric_finish(struct pa_replay *replay) {
    const struct pa_fabric_run *run = &replay->fabric;
    const struct pa_facts *facts = replay->facts;
    struct pa_fact_fabric *out = &replay->facts->fabric;
    if (!out->is_begun || run->stage == PA_FABRIC_NOTHING)
        return;
    out->devices = run->working_count;
    out->bytes = 4 * run->words;
    out->is_whole = run->stage == PA_FABRIC_RESULT;
    if (!out->is_whole)
        return;
    uint64_t t0 = replay->fabric_at[PA_FABRIC_NONCE].raw_ns;
    uint64_t t2 = replay->fabric_at[PA_FABRIC_CHALLENGE].raw_ns;
    uint64_t t3 = replay->fabric_at[PA_FABRIC_ANSWERS].raw_ns;
    if (t0 >= t2 || t2 >= t3) {
        pa_replay_broken(replay, "a fabric proof that took no time");
        return;
    }
    out->drawn = PA_FABRIC_SAMPLES;
    out->failed = run->failed;
    snprintf(out->reason, sizeof out->reason, "%s", run->reason != NULL ? run->reason : "");
    out->first_pair[0] = run->first_pair[0];
    out->first_pair[1] = run->first_pair[1];
    out->window_ns = t3 - t0;
    out->exchange_ns = t3 - t2;
    double alpha = facts->credit.alpha_r;
    out->held = alpha > 0 ? 1 - log(1 / alpha) / PA_FABRIC_SAMPLES : 0;
    out->held = out->failed > 0 || out->held < 0 ? 0 : out->held;
    pa_fabric_floor(&out->floor, facts->declaration.class_id, facts->declaration.k, out->devices,
                    run->words, out->window_ns, facts->credit.rate);
}
