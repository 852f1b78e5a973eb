/* SPDX-License-Identifier: Apache-2.0 */
/* findings_fabric.c - what the fabric proof shows, and where it is missing. */
#include "base/file.h"
#include "judge/judgement_inside.h"

static const char *reason_of(const struct pa_facts *facts) {
    const char *reason =
        json_string_value(json_object_get(pa_facts_note(facts, "fabric"), "reason"));
    return reason != NULL ? reason : "nobody says why.";
}

static void find_missing(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    char reason[256];
    if (facts->device_count < 2) {
        pa_finding_add(judging, "FABRIC_ALONE", "note fabric",
                       "The policy wants a fabric proof; one device has nobody to exchange with.");
        return;
    }
    pa_printable(reason, sizeof reason, reason_of(facts));
    pa_finding_add(judging, "FABRIC_MISSING", "note fabric",
                   facts->fabric.is_begun ? "The fabric proof was begun and not finished: %s"
                                          : "The policy wants a fabric proof; none was made: %s",
                   reason);
}

void pa_find_fabric(struct pa_judging *judging) {
    const struct pa_fact_fabric *fabric = &judging->facts->fabric;
    const double half = 0.5;
    if (!fabric->is_whole) {
        if (fabric->is_begun || judging->policy->wants_fabric)
            find_missing(judging);
        return;
    }
    if (fabric->failed > 0) {
        pa_finding_add(judging, "FABRIC_WRONG", "FABRIC records",
                       "%u of %u sampled chunks of the fabric proof do not hold; the first, of "
                       "devices %u and %u: %s",
                       fabric->failed, fabric->drawn, fabric->first_pair[0], fabric->first_pair[1],
                       fabric->reason);
        return;
    }
    double most = pa_fabric_cut(&fabric->floor, fabric->devices, half, fabric->held);
    if (most > 0)
        pa_finding_add(judging, "FABRIC_HELD", "FABRIC records",
                       "%u devices exchanged what they had computed, in pairs that were drawn "
                       "afterwards: with half of them elsewhere at least %.3g GB/s would have "
                       "crossed between the places.",
                       fabric->devices, most * 1e-9);
    else
        pa_finding_add(judging, "FABRIC_HELD", "FABRIC records",
                       "%u devices exchanged what they had computed, in pairs that were drawn "
                       "afterwards, but so slowly that both places could have computed it: it says "
                       "nothing of where they are.",
                       fabric->devices);
}
