/* SPDX-License-Identifier: Apache-2.0 */
/* facts_session.c - the declaration that opens a transcript, and the signature that closes it. */
#include "judge/facts_inside.h"

#include <stdlib.h>
#include <string.h>

static int make_devices(struct pa_replay *replay, struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    const struct pa_declaration *declaration = &facts->declaration;
    uint32_t count = declaration->device_count;
    facts->devices = calloc(count == 0 ? 1 : count, sizeof *facts->devices);
    uint32_t kinds = 1 + declaration->probe_count;
    replay->shapes = calloc(count == 0 ? 1 : (size_t)kinds * count, sizeof *replay->shapes);
    if (facts->devices == NULL || replay->shapes == NULL)
        return pa_fail(error, PA_EMEMORY, "reading evidence of %u devices: out of memory", count);
    facts->device_count = count;
    facts->sample.count = declaration->sample_count;
    for (uint32_t d = 0; d < count; d++) {
        const struct pa_declared_device *declared = &declaration->devices[d];
        memcpy(facts->devices[d].name, declared->name, sizeof facts->devices[d].name);
        facts->devices[d].m = declared->m;
        facts->devices[d].n = declared->n;
        facts->devices[d].is_idle = declaration->sample_count > 0;
        for (uint32_t kind = 0; kind < kinds; kind++)
            replay->shapes[(size_t)kind * count + d] = pa_declared_shape(declaration, kind, d);
    }
    return PA_OK;
}

int pa_replay_session(struct pa_replay *replay, const struct pa_record *record,
                      struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    struct pa_session_record session;
    PA_TRY(pa_record_session(record, &session, error));
    if (pa_declaration_read(&facts->declaration, session.declaration, session.declaration_bytes,
                            error) != PA_OK)
        return pa_fail_in(error, "the session's declaration");
    pa_declaration_session(&facts->session, session.declaration, session.declaration_bytes);
    facts->is_certified = pa_declaration_is_certified(&facts->declaration);
    pa_schedule_begin(&replay->schedule, &facts->declaration);
    PA_TRY(make_devices(replay, error));
    replay->declared_at = session.at;
    if (!pa_signature_is_valid(facts->declaration.witness_key, &facts->session,
                               session.witness.bytes, session.witness.length))
        return pa_replay_broken(replay, "the witness's signature of the session is wrong");
    if (!pa_signature_is_valid(facts->declaration.prover_key, &facts->session, session.prover.bytes,
                               session.prover.length))
        return pa_replay_broken(replay, "the prover's signature of the session is wrong");
    return PA_OK;
}

int pa_replay_signature(struct pa_replay *replay, const struct pa_record *record,
                        const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    struct pa_signature_record signature;
    PA_TRY(pa_record_signature(record, &signature, error));
    struct pa_hash transcript;
    pa_hash_bytes(&transcript, "transcript", before, PA_RECORD_HASH_BYTES);
    if (!pa_signature_is_valid(replay->facts->declaration.witness_key, &transcript,
                               signature.witness.bytes, signature.witness.length))
        return pa_replay_broken(replay, "the witness's closing signature is wrong");
    replay->facts->is_finished = true;
    return PA_OK;
}
