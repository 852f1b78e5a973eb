/* SPDX-License-Identifier: Apache-2.0 */
/* findings_devices.c - what devices tell of their own health and company (docs/findings.md). */
#include "judge/judgement_inside.h"

#include <stdio.h>
#include <string.h>

/* Devices that one finding is about: how many, the first, and what adds up over them. */
struct group {
    uint32_t count, first;
    uint64_t sum;
};

static void group_add(struct group *group, uint32_t device, uint64_t amount) {
    if (group->count++ == 0)
        group->first = device;
    group->sum += amount;
}

static void group_text(const struct pa_facts *facts, const struct group *group, char *out,
                       size_t size) {
    const struct pa_fact_device *device = &facts->devices[group->first];
    const char *name = device->model[0] != '\0' ? device->model : device->name;
    if (group->count == 1)
        snprintf(out, size, "device %u (%.100s)", group->first, name);
    else
        snprintf(out, size, "%u devices, the first of them device %u (%.100s)", group->count,
                 group->first, name);
}

static void find_heat(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct group throttled = {0}, stopped = {0};
    char who[200];
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_vitals *vitals = &facts->devices[d].vitals;
        if (vitals->throttled_epochs > 0)
            group_add(&throttled, d, vitals->throttled_epochs);
        if (vitals->thermal_stops > 0)
            group_add(&stopped, d, vitals->thermal_stops);
    }
    if (throttled.count > 0) {
        const struct pa_fact_device *first = &facts->devices[throttled.first];
        bool is_heat =
            (first->vitals.slowdowns & (PA_FACT_SLOW_SW_THERMAL | PA_FACT_SLOW_HW_THERMAL)) != 0;
        group_text(facts, &throttled, who, sizeof who);
        pa_finding_add(judging, "THROTTLED", PA_SEVERITY_WARNING, PA_EFFECT_NONE,
                       "Slowed down by %s in %llu epochs: %s. The rate is what was left.",
                       is_heat ? "heat" : "its power supply or hardware",
                       (unsigned long long)throttled.sum, who);
    }
    if (stopped.count > 0) {
        group_text(facts, &stopped, who, sizeof who);
        pa_finding_add(judging, "THERMAL_STOP", PA_SEVERITY_WARNING, PA_EFFECT_NONE,
                       "Reached its temperature limit and ended its epoch early, %llu times: %s.",
                       (unsigned long long)stopped.sum, who);
    }
}

static void find_errors(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct group corrected = {0}, uncorrected = {0};
    char who[200];
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_vitals *vitals = &facts->devices[d].vitals;
        if (vitals->ecc_uncorrected > 0)
            group_add(&uncorrected, d, vitals->ecc_uncorrected);
        else if (vitals->ecc_corrected > 0)
            group_add(&corrected, d, vitals->ecc_corrected);
    }
    if (uncorrected.count > 0) {
        group_text(facts, &uncorrected, who, sizeof who);
        pa_finding_add(judging, "ECC_UNCORRECTED", PA_SEVERITY_WARNING, PA_EFFECT_NONE,
                       "%llu memory errors that could not be corrected came during the session: "
                       "%s. The device should be replaced.",
                       (unsigned long long)uncorrected.sum, who);
    }
    if (corrected.count > 0) {
        group_text(facts, &corrected, who, sizeof who);
        pa_finding_add(judging, "ECC_CORRECTED", PA_SEVERITY_INFO, PA_EFFECT_NONE,
                       "%llu memory errors came and were corrected during the session: %s.",
                       (unsigned long long)corrected.sum, who);
    }
}

/* Parts of devices, and devices that somebody else uses. */
static void find_company(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct group parts = {0}, used = {0}, silent = {0};
    char who[200];
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
    if (parts.count > 0) {
        group_text(facts, &parts, who, sizeof who);
        pa_finding_add(judging, "PARTIAL_DEVICE", PA_SEVERITY_WARNING, PA_EFFECT_NONE,
                       "No whole device, but a part of one: %s, %.120s. Its peak and memory are "
                       "not those of the model.",
                       who, facts->devices[parts.first].partition);
    }
    if (used.count > 0) {
        group_text(facts, &used, who, sizeof who);
        pa_finding_add(judging, "DEVICE_NOT_ALONE", PA_SEVERITY_WARNING, PA_EFFECT_NONE,
                       "Another process used it while it was measured: %s.", who);
    }
    if (silent.count > 0) {
        group_text(facts, &silent, who, sizeof who);
        pa_finding_add(judging, "NO_TELEMETRY", PA_SEVERITY_INFO, PA_EFFECT_NONE,
                       "Nothing told power, temperature, clocks or memory errors: %s.", who);
    }
}

void pa_find_devices(struct pa_judging *judging) {
    find_heat(judging);
    find_errors(judging);
    find_company(judging);
}
