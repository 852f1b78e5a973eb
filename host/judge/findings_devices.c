/* SPDX-License-Identifier: Apache-2.0 */
/* findings_devices.c - what devices tell of their own health and company (docs/findings.md). */
#include "judge/judgement_inside.h"
#include "judge/stragglers.h"

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
                          pa_judging_is_nominal(judging) ? PA_EFFECT_INCONCLUSIVE : PA_EFFECT_NONE,
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

/* A driver, its contexts and its libraries keep a part of a device's memory for themselves. */
static const double least_share = 0.9;

/* Memory that a device claims, or was claimed to have, and that could not be filled. */
static bool lacks_memory(const struct pa_judging *judging, const struct pa_fact_device *device) {
    const struct pa_fact_memory *memory = &device->memory;
    double had = (double)memory->filled_bytes + (double)memory->workbench_bytes;
    bool is_part = device->partition[0] != '\0'; /* its model's memory is the whole one's */
    double told = (double)device->memory_bytes,
           expected = is_part ? 0 : 0x1p30 * pa_judge_memory(judging->claim, device);
    if (!memory->is_there)
        return false;
    /* A TEST fills no more than some of it, and says how much that was to be. */
    if (!judging->facts->is_certified)
        return (double)memory->filled_bytes < least_share * (double)memory->wanted_bytes;
    return had < least_share * (told > expected ? told : expected);
}

/* An accelerator that tells of memory, worked, was not lost, and has neither a proof of its memory
 * nor the word that it failed: nobody tried, or somebody left it out. (Of a session without an end
 * UNFINISHED says it.) */
static bool is_unproven(const struct pa_fact_device *device) {
    return strcmp(device->backend, "cpu") != 0 && device->memory_bytes > 0 &&
           device->operations > 0 && !device->lost && !device->is_idle &&
           !device->memory.is_there && !device->memory.has_failed;
}

static void find_memory(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct group wrong = {0}, absent = {0}, unproven = {0};
    char who[200], where[PA_CROWD_EVIDENCE_BYTES];
    for (uint32_t d = 0; d < facts->device_count; d++) {
        if (facts->devices[d].memory.wrong > 0)
            group_add(&wrong, d, facts->devices[d].memory.wrong);
        if (lacks_memory(judging, &facts->devices[d]))
            group_add(&absent, d, 0);
        if (facts->is_finished && is_unproven(&facts->devices[d]))
            group_add(&unproven, d, 0);
    }
    if (unproven.crowd.count > 0) {
        pa_crowd_text(facts, &unproven.crowd, who, sizeof who);
        pa_finding_add(judging, "MEMORY_PROOF_FAILED",
                       pa_crowd_evidence(&unproven.crowd, "device", where),
                       "The evidence has no proof of the memory that it tells: %s.", who);
    }
    if (wrong.crowd.count > 0) {
        const struct pa_fact_memory *first = &facts->devices[wrong.crowd.first].memory;
        pa_crowd_text(facts, &wrong.crowd, who, sizeof who);
        pa_finding_add(judging, "MEMORY_WRONG", pa_crowd_evidence(&wrong.crowd, "device", where),
                       "Memory did not hold what was written to it, in %u of %u samples: %s. There "
                       "is less of it than the device says, or it is faulty.",
                       first->wrong, first->samples, who);
    }
    if (absent.crowd.count > 0) {
        const struct pa_fact_memory *first = &facts->devices[absent.crowd.first].memory;
        char filled[PA_FIGURE_BYTES];
        pa_figure_text(filled, (double)first->filled_bytes / 0x1p30);
        pa_crowd_text(facts, &absent.crowd, who, sizeof who);
        pa_finding_add(judging, "MEMORY_ABSENT", pa_crowd_evidence(&absent.crowd, "device", where),
                       "Memory that is claimed could not be filled: %s; there were %.40s GiB "
                       "beside the work.",
                       who, filled);
    }
}

static void find_stragglers(struct pa_judging *judging) {
    struct pa_straggling found;
    if (pa_straggling_find(judging->facts, &found, NULL) != PA_OK) {
        judging->out_of_memory = true;
        return;
    }
    if (found.straggler_count > 0) {
        const struct pa_straggler *worst = &found.stragglers[0];
        const struct pa_fact_device *device = &judging->facts->devices[worst->device];
        struct pa_crowd crowd = {0};
        char where[PA_CROWD_EVIDENCE_BYTES], share[PA_FIGURE_BYTES];
        pa_crowd_add(&crowd, worst->device);
        pa_figure_text(share, 100 * worst->share);
        pa_finding_add(judging, "STRAGGLER", pa_crowd_evidence(&crowd, "device", where),
                       "%u devices are slow among their like; look first at %.90s on %.60s, at "
                       "%.20s %% of the median.",
                       found.straggler_count, device->id, device->host, share);
    }
    pa_straggling_free(&found);
}

void pa_find_devices(struct pa_judging *judging) {
    find_stragglers(judging);
    find_memory(judging);
    find_heat(judging);
    find_errors(judging);
    find_company(judging);
}
