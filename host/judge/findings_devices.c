/* SPDX-License-Identifier: Apache-2.0 */
/* findings_devices.c - what devices tell of their own health and company (docs/findings.md). */
#include "judge/judgement_inside.h"

#include <stdio.h>
#include <string.h>

/* Devices that one finding is about, and what adds up over them. */
struct group {
    struct pa_crowd crowd;
    uint64_t sum;
};

static void group_add(struct group *group, uint32_t device, uint64_t amount) {
    pa_crowd_add(&group->crowd, device);
    group->sum += amount;
}

static void find_heat(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct group throttled = {0}, stopped = {0};
    char who[200], where[PA_CROWD_EVIDENCE_BYTES];
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_vitals *vitals = &facts->devices[d].vitals;
        if (vitals->throttled_epochs > 0)
            group_add(&throttled, d, vitals->throttled_epochs);
        if (vitals->thermal_stops > 0)
            group_add(&stopped, d, vitals->thermal_stops);
    }
    if (throttled.crowd.count > 0) {
        const struct pa_fact_device *first = &facts->devices[throttled.crowd.first];
        bool is_heat =
            (first->vitals.slowdowns & (PA_FACT_SLOW_SW_THERMAL | PA_FACT_SLOW_HW_THERMAL)) != 0;
        pa_crowd_text(facts, &throttled.crowd, who, sizeof who);
        pa_finding_add(judging, "THROTTLED", pa_crowd_evidence(&throttled.crowd, "device", where),
                       "Slowed down by %s in %llu epochs: %s. The rate is what was left.",
                       is_heat ? "heat" : "its power supply or hardware",
                       (unsigned long long)throttled.sum, who);
    }
    if (stopped.crowd.count > 0) {
        pa_crowd_text(facts, &stopped.crowd, who, sizeof who);
        pa_finding_add(judging, "THERMAL_STOP", pa_crowd_evidence(&stopped.crowd, "device", where),
                       "Reached its temperature limit and ended its epoch early, %llu times: %s.",
                       (unsigned long long)stopped.sum, who);
    }
}

static void find_errors(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct group corrected = {0}, uncorrected = {0};
    char who[200], where[PA_CROWD_EVIDENCE_BYTES];
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_vitals *vitals = &facts->devices[d].vitals;
        if (vitals->ecc_uncorrected > 0)
            group_add(&uncorrected, d, vitals->ecc_uncorrected);
        else if (vitals->ecc_corrected > 0)
            group_add(&corrected, d, vitals->ecc_corrected);
    }
    if (uncorrected.crowd.count > 0) {
        pa_crowd_text(facts, &uncorrected.crowd, who, sizeof who);
        pa_finding_add(judging, "ECC_UNCORRECTED",
                       pa_crowd_evidence(&uncorrected.crowd, "device", where),
                       "%llu memory errors that could not be corrected came during the session: "
                       "%s. The device should be replaced.",
                       (unsigned long long)uncorrected.sum, who);
    }
    if (corrected.crowd.count > 0) {
        pa_crowd_text(facts, &corrected.crowd, who, sizeof who);
        pa_finding_add(judging, "ECC_CORRECTED",
                       pa_crowd_evidence(&corrected.crowd, "device", where),
                       "%llu memory errors came and were corrected during the session: %s.",
                       (unsigned long long)corrected.sum, who);
    }
}

/* Parts of devices, and devices that somebody else uses. */
static void find_company(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct group parts = {0}, used = {0}, silent = {0};
    char who[200], where[PA_CROWD_EVIDENCE_BYTES];
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_device *device = &facts->devices[d];
        if (device->partition[0] != '\0')
            group_add(&parts, d, 0);
        if (device->vitals.others > 0)
            group_add(&used, d, 0);
        if (device->vitals.epochs == 0 && strcmp(device->backend, "cuda") == 0 &&
            device->operations > 0)
            group_add(&silent, d, 0);
    }
    if (parts.crowd.count > 0) {
        pa_crowd_text(facts, &parts.crowd, who, sizeof who);
        /* The catalogue's peak is a whole device's, and part of it is nobody's figure. */
        pa_finding_add_as(judging, "PARTIAL_DEVICE", PA_SEVERITY_WARNING,
                          judging->out->basis == PA_BASIS_NOMINAL ? PA_EFFECT_INCONCLUSIVE
                                                                  : PA_EFFECT_NONE,
                          pa_crowd_evidence(&parts.crowd, "device", where),
                          "No whole device, but a part of one: %s, %.120s. Its peak and memory are "
                          "not those of the model.",
                          who, facts->devices[parts.crowd.first].partition);
    }
    if (used.crowd.count > 0) {
        pa_crowd_text(facts, &used.crowd, who, sizeof who);
        pa_finding_add(judging, "DEVICE_NOT_ALONE", pa_crowd_evidence(&used.crowd, "device", where),
                       "Another process used it while it was measured: %s.", who);
    }
    if (silent.crowd.count > 0) {
        pa_crowd_text(facts, &silent.crowd, who, sizeof who);
        pa_finding_add(judging, "NO_TELEMETRY", pa_crowd_evidence(&silent.crowd, "device", where),
                       "Nothing told power, temperature, clocks or memory errors: %s.", who);
    }
}

void pa_find_devices(struct pa_judging *judging) {
    find_heat(judging);
    find_errors(judging);
    find_company(judging);
}
