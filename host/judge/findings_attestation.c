/* SPDX-License-Identifier: Apache-2.0 */
/* findings_attestation.c - which devices their vendor vouches for. */
#include "judge/judgement_inside.h"

#include <stdio.h>

static void find_twins(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_attestation *fact = &facts->devices[d].attestation;
        if (!fact->has_twin)
            continue;
        char where[40];
        snprintf(where, sizeof where, "devices %u, %u", (unsigned)fact->twin, (unsigned)d);
        pa_finding_add(judging, "ATTESTATION_FAILED", where,
                       "Devices %u and %u are attested as one and the same, %.63s.",
                       (unsigned)fact->twin, (unsigned)d, fact->who.device);
        return;
    }
}

static void find_failed(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct pa_crowd failed = {0};
    for (uint32_t d = 0; d < facts->device_count; d++)
        if (facts->devices[d].attestation.has_report && !facts->devices[d].attestation.holds)
            pa_crowd_add(&failed, d);
    if (failed.count == 0)
        return;
    char who[200], where[PA_CROWD_EVIDENCE_BYTES];
    pa_crowd_text(facts, &failed, who, sizeof who);
    pa_finding_add(judging, "ATTESTATION_FAILED", pa_crowd_evidence(&failed, "device", where),
                   "The vendor's report does not hold: %s; %.200s.", who,
                   facts->devices[failed.first].attestation.trouble);
}

static void find_silent(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct pa_crowd silent = {0};
    for (uint32_t d = 0; d < facts->device_count; d++)
        if (!facts->devices[d].attestation.has_report)
            pa_crowd_add(&silent, d);
    if (silent.count == 0 || judging->policy->assurance != PA_ASSURANCE_ATTESTED)
        return;
    const struct pa_fact_attestation *first = &facts->devices[silent.first].attestation;
    char who[200], where[PA_CROWD_EVIDENCE_BYTES];
    pa_crowd_text(facts, &silent, who, sizeof who);
    pa_finding_add(judging, "NOT_ATTESTED", pa_crowd_evidence(&silent, "device", where),
                   "No report of a vendor's came: %s; %.200s.", who,
                   first->is_asked ? first->trouble : "it was not asked, or cannot give one");
}

static void find_attested(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct pa_crowd attested = {0};
    for (uint32_t d = 0; d < facts->device_count; d++)
        if (facts->devices[d].attestation.holds)
            pa_crowd_add(&attested, d);
    if (attested.count == 0)
        return;
    const struct pa_attested *first = &facts->devices[attested.first].attestation.who;
    char where[PA_CROWD_EVIDENCE_BYTES];
    pa_finding_add(
        judging, "ATTESTED", pa_crowd_evidence(&attested, "device", where),
        "NVIDIA vouches for %u of %u devices, the first of them %.63s with VBIOS %.31s: "
        "they answered a nonce of this session. Not that they did the work; measurements "
        "were not compared and revocation was not asked.",
        attested.count, facts->device_count, first->device,
        first->vbios[0] != '\0' ? first->vbios : "not told");
}

void pa_find_attestation(struct pa_judging *judging) {
    find_failed(judging);
    find_twins(judging);
    find_silent(judging);
    find_attested(judging);
}
