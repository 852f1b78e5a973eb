/* SPDX-License-Identifier: Apache-2.0 */
/* facts_attestation.c - vendors' reports in the evidence (docs/protocol.md, "Attestation").
 *
 * A report is judged at the t0 of the epoch whose nonce it answers, not today: the same evidence
 * gives the same facts for ever. What does not hold is a fact, not broken evidence, because whoever
 * forges a report has not thereby falsified work. */
#include "judge/facts_inside.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

/* The first trouble stays, a report that holds ends it. */
static void set_trouble(struct pa_fact_attestation *fact, const char *text) {
    if (fact->trouble[0] == '\0' && !fact->holds)
        pa_printable(fact->trouble, sizeof fact->trouble, text);
}

static int judge_report(const struct pa_replay *replay, struct pa_fact_attestation *fact,
                        const struct pa_attestation *attestation, uint64_t epoch,
                        struct pa_error *error) {
    const struct pa_replay_epoch *asked = &replay->epochs[epoch];
    struct pa_attested who;
    struct pa_error cause = {0};
    int code = pa_attestation_verify(attestation, asked->nonce.bytes, pa_attestation_root(),
                                     asked->t0.utc_ns, &who, &cause);
    if (code != PA_OK && code != PA_EINVALID)
        return pa_fail(error, code, "%s", cause.text);
    if (!fact->has_report)
        fact->trouble[0] = '\0'; /* that none had come */
    fact->has_report = true;
    if (code != PA_OK) {
        set_trouble(fact, cause.text);
    } else if (!fact->holds) {
        fact->holds = true;
        fact->who = who;
        fact->trouble[0] = '\0';
    }
    return PA_OK;
}

int pa_replay_attestation_note(struct pa_replay *replay, struct pa_fact_device *device,
                               const json_t *note, uint64_t epoch, char wrong[PA_NOTE_WRONG_BYTES],
                               struct pa_error *error) {
    const json_t *trouble = json_object_get(note, "trouble");
    const char *report = json_string_value(json_object_get(note, "report"));
    const json_t *chain = json_object_get(note, "chain");
    struct pa_fact_attestation *fact = &device->attestation;
    if (epoch >= replay->epoch_count)
        return pa_note_should_be(wrong, "epoch", "that of an earlier nonce");
    if (trouble != NULL) {
        if (!json_is_string(trouble) || report != NULL)
            return pa_note_should_be(wrong, "trouble", "text, without a report");
        fact->is_asked = true;
        if (!fact->has_report)
            set_trouble(fact, json_string_value(trouble));
        return PA_OK;
    }
    size_t bytes = report == NULL ? 0 : strlen(report) / 2;
    uint8_t *decoded = malloc(PA_ATTESTATION_REPORT_MOST_BYTES);
    if (decoded == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a note: out of memory");
    int code = PA_OK;
    if (bytes == 0 || bytes > PA_ATTESTATION_REPORT_MOST_BYTES ||
        !pa_unhex(decoded, bytes, report)) {
        pa_note_should_be(wrong, "report", "1 to 8192 bytes in hexadecimal");
    } else if (!json_is_string(chain) ||
               json_string_length(chain) > PA_ATTESTATION_CHAIN_MOST_BYTES) {
        pa_note_should_be(wrong, "chain", "text of at most 5120 bytes");
    } else {
        const struct pa_attestation attestation = {.report = decoded,
                                                   .report_bytes = bytes,
                                                   .chain = json_string_value(chain),
                                                   .chain_bytes = json_string_length(chain)};
        fact->is_asked = true;
        code = judge_report(replay, fact, &attestation, epoch, error);
    }
    free(decoded);
    return code;
}

/* Quadratic, and quick beside the signatures: ten thousand devices take a second. */
static void find_twin(struct pa_facts *facts, uint32_t device) {
    struct pa_fact_attestation *fact = &facts->devices[device].attestation;
    for (uint32_t d = 0; d < device && fact->holds && !fact->has_twin; d++) {
        const struct pa_fact_attestation *earlier = &facts->devices[d].attestation;
        fact->has_twin = earlier->holds && pa_attested_is_same(&earlier->who, &fact->who);
        fact->twin = d;
    }
}

void pa_replay_attestation_finish(struct pa_replay *replay) {
    struct pa_facts *facts = replay->facts;
    bool is_whole = facts->device_count > 0;
    for (uint32_t d = 0; d < facts->device_count; d++) {
        find_twin(facts, d);
        is_whole = is_whole && facts->devices[d].attestation.holds &&
                   !facts->devices[d].attestation.has_twin;
    }
    if (is_whole && facts->assurance == PA_ASSURANCE_WITNESSED)
        facts->assurance = PA_ASSURANCE_ATTESTED;
}
