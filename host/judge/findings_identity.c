/* SPDX-License-Identifier: Apache-2.0 */
/* findings_identity.c - what the devices are, against what they say, what was claimed and what
 * their model can do. What concerns many devices is one finding with a count, and names the first.
 */
#include "judge/judgement_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double gib = 1024.0 * 1024 * 1024;

/* Below this share of its peak a device is throttled, shared, misconfigured or not what it says. */
static const double far_below = 0.5;
/* Drivers keep some memory for themselves, and GB are sold as GiB. */
static const double memory_share = 0.93;
/* A backend's own figure of a peak is a product of clocks that may be understated. */
static const double estimate_tolerance = 1.05;
/* Clocks differ between boards of one model, by a tenth or two. A device whose own units x clock
 * give so much less than its model's peak has fewer units than the model. */
static const double smaller_than_model = 0.7;

/* A UUID is one device wherever it appears; "cpu:0" is another processor on every host. */
static bool is_same_device(const struct pa_fact_device *a, const struct pa_fact_device *b) {
    return strcmp(a->id, b->id) == 0 &&
           (strcmp(a->backend, "cpu") != 0 || strcmp(a->host, b->host) == 0);
}

static int compare_ids(const void *left, const void *right) {
    const struct pa_fact_device *a = *(const struct pa_fact_device *const *)left;
    const struct pa_fact_device *b = *(const struct pa_fact_device *const *)right;
    int order = strcmp(a->id, b->id);
    if (order == 0)
        order = strcmp(a->host, b->host);
    return order != 0 ? order : (a < b ? -1 : a > b);
}

void pa_judge_find_duplicates(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_fact_device **sorted = calloc(facts->device_count + 1, sizeof *sorted);
    uint32_t count = 0;
    if (sorted == NULL) {
        judging->out_of_memory = true;
        return;
    }
    for (uint32_t d = 0; d < facts->device_count; d++)
        if (facts->devices[d].id[0] != '\0')
            sorted[count++] = &facts->devices[d];
    qsort(sorted, count, sizeof *sorted, compare_ids);
    for (uint32_t i = 1; i < count; i++) {
        if (!is_same_device(sorted[i - 1], sorted[i]))
            continue;
        unsigned a = (unsigned)(sorted[i - 1] - facts->devices);
        unsigned b = (unsigned)(sorted[i] - facts->devices);
        char evidence[64];
        snprintf(evidence, sizeof evidence, "devices %u, %u", a, b);
        pa_finding_add(judging, "DUPLICATE_DEVICE", evidence,
                       "Devices %u and %u are one and the same: both are %.95s.", a, b,
                       sorted[i]->id);
        break;
    }
    free(sorted);
}

/* What the rates say of each device against the peak of its model and format. */
struct rate_crowds {
    struct pa_crowd above, above_estimate, below;
};

static void sort_by_rate(const struct pa_facts *facts, uint32_t d, struct rate_crowds *crowds) {
    const struct pa_fact_device *device = &facts->devices[d];
    double nominal = pa_judge_nominal(device, pa_precision_named(device->format));
    double peak = nominal > 0 ? nominal : device->peak_per_second;
    if (peak <= 0 || device->operations <= 0 || facts->credit.seconds <= 0)
        return;
    double rate = device->operations / facts->credit.seconds;
    if (nominal > 0 && rate > peak)
        pa_crowd_add(&crowds->above, d);
    else if (nominal <= 0 && rate > estimate_tolerance * peak)
        pa_crowd_add(&crowds->above_estimate, d);
    else if (rate < far_below * peak)
        pa_crowd_add(&crowds->below, d);
}

static void find_rates(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct rate_crowds crowds = {0};
    char who[200], where[PA_CROWD_EVIDENCE_BYTES];
    for (uint32_t d = 0; d < facts->device_count; d++)
        sort_by_rate(facts, d, &crowds);
    if (crowds.above.count > 0) {
        pa_crowd_text(facts, &crowds.above, who, sizeof who);
        pa_finding_add(judging, "RATE_ABOVE_PEAK",
                       pa_crowd_evidence(&crowds.above, "device", where),
                       "Faster than the hardware can be: %s. Other devices do the work, or the "
                       "device is not what it says.",
                       who);
    }
    if (crowds.above_estimate.count > 0) {
        pa_crowd_text(facts, &crowds.above_estimate, who, sizeof who);
        pa_finding_add(
            judging, "RATE_ABOVE_ESTIMATE",
            pa_crowd_evidence(&crowds.above_estimate, "device", where),
            "Faster than units x clock would give, and no catalogue knows the model: %s.", who);
    }
    if (crowds.below.count > 0) {
        pa_crowd_text(facts, &crowds.below, who, sizeof who);
        /* A data sheet says nothing of a device that does not deliver half of it. */
        pa_finding_add_as(judging, "RATE_FAR_BELOW_PEAK", PA_SEVERITY_WARNING,
                          pa_judging_is_nominal(judging) ? PA_EFFECT_NO_PASS : PA_EFFECT_NONE,
                          pa_crowd_evidence(&crowds.below, "device", where),
                          "Less than half of the peak: %s. Throttled, shared, or not what it says.",
                          who);
    }
}

bool pa_judge_is_model(const struct pa_fact_device *device, const char *model) {
    if (strcmp(device->model, model) == 0)
        return true;
    const struct pa_catalogue_row *claimed = pa_catalogue_find(model);
    return claimed != NULL && claimed == pa_catalogue_find(device->model);
}

static void find_claimed_devices(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_claim *claim = judging->claim;
    for (uint32_t i = 0; i < claim->accelerator_count; i++) {
        const struct pa_claimed_accelerator *claimed = &claim->accelerators[i];
        uint32_t present = 0;
        for (uint32_t d = 0; d < facts->device_count; d++)
            present += (facts->devices[d].operations > 0 || facts->devices[d].is_idle) &&
                       pa_judge_is_model(&facts->devices[d], claimed->model);
        if (present < claimed->count)
            pa_finding_add(judging, "ABSENT_DEVICES", "claim, accelerators; the list of devices",
                           "%u of %u claimed %.120s did no work in this session.",
                           claimed->count - present, claimed->count, claimed->model);
    }
}

/* What a device should have, by the claim or else by the catalogue; 0 unknown. */
double pa_judge_memory(const struct pa_claim *claim, const struct pa_fact_device *device) {
    for (uint32_t i = 0; i < claim->accelerator_count; i++)
        if (claim->accelerators[i].memory_gib > 0 &&
            pa_judge_is_model(device, claim->accelerators[i].model))
            return claim->accelerators[i].memory_gib;
    const struct pa_catalogue_row *row = pa_catalogue_find(device->model);
    return row == NULL ? 0 : row->memory_gib;
}

/* Fewer units, or slower ones, than the name promises; by the device's own word of both. */
static bool is_smaller_than_its_name(const struct pa_fact_device *device) {
    double nominal = pa_judge_nominal(device, pa_precision_named(device->format));
    return device->partition[0] == '\0' && nominal > 0 && device->peak_per_second > 0 &&
           device->peak_per_second < smaller_than_model * nominal;
}

struct identity_crowds {
    struct pa_crowd memory, lost, changed, moved, smaller, unknown, no_peak, low;
};

static void sort_by_identity(const struct pa_judging *judging, uint32_t d,
                             struct identity_crowds *crowds) {
    const struct pa_fact_device *device = &judging->facts->devices[d];
    const struct pa_catalogue_row *row = pa_catalogue_find(device->model);
    enum pa_precision precision = judging->claim->precision;
    double memory = (double)device->memory_bytes;
    if (memory > 0 && device->partition[0] == '\0' &&
        memory < memory_share * pa_judge_memory(judging->claim, device) * gib)
        pa_crowd_add(&crowds->memory, d);
    if (device->lost)
        pa_crowd_add(&crowds->lost, d);
    if (device->changed)
        pa_crowd_add(&crowds->changed, d);
    if (device->moved)
        pa_crowd_add(&crowds->moved, d);
    if (is_smaller_than_its_name(device))
        pa_crowd_add(&crowds->smaller, d);
    if (row != NULL && row->peak_per_second[precision] > 0) {
        if (row->confidence == PA_CONFIDENCE_LOW)
            pa_crowd_add(&crowds->low, d);
        return;
    }
    pa_crowd_add(&crowds->unknown, d);
    if (device->peak_per_second <= 0)
        pa_crowd_add(&crowds->no_peak, d);
}

static void tell_unknown(struct pa_judging *judging, const struct identity_crowds *crowds) {
    const char *precision = pa_precision_name(judging->claim->precision);
    bool is_nominal = pa_judging_is_nominal(judging);
    enum pa_effect effect = is_nominal ? PA_EFFECT_INCONCLUSIVE : PA_EFFECT_NONE;
    char who[200], where[PA_CROWD_EVIDENCE_BYTES];
    if (crowds->unknown.count > 0) {
        bool is_estimated = crowds->no_peak.count == 0;
        pa_crowd_text(judging->facts, &crowds->unknown, who, sizeof who);
        pa_finding_add_as(judging, "UNKNOWN_DEVICE",
                          is_nominal || !is_estimated ? PA_SEVERITY_WARNING : PA_SEVERITY_INFO,
                          effect, pa_crowd_evidence(&crowds->unknown, "device", where),
                          "The catalogue has no peak in %s for %s; %s.", precision, who,
                          is_estimated ? "units x clock are shown beside, an estimate"
                                       : "no ratio is given");
    }
    if (crowds->low.count > 0) {
        pa_crowd_text(judging->facts, &crowds->low, who, sizeof who);
        pa_finding_add_as(judging, "LOW_CONFIDENCE_PEAK",
                          is_nominal ? PA_SEVERITY_WARNING : PA_SEVERITY_INFO, effect,
                          pa_crowd_evidence(&crowds->low, "device", where),
                          "The catalogue's peak in %s is of low confidence for %s; no ratio is "
                          "given.",
                          precision, who);
    }
}

static void tell_identities(struct pa_judging *judging, const struct identity_crowds *crowds) {
    const struct pa_facts *facts = judging->facts;
    bool is_nominal = pa_judging_is_nominal(judging);
    char who[200], where[PA_CROWD_EVIDENCE_BYTES];
    if (crowds->memory.count > 0) {
        pa_crowd_text(facts, &crowds->memory, who, sizeof who);
        pa_finding_add(judging, "MEMORY_SHORT", pa_crowd_evidence(&crowds->memory, "device", where),
                       "Less memory than claimed or listed for the model: %s.", who);
    }
    if (crowds->lost.count > 0) {
        pa_crowd_text(facts, &crowds->lost, who, sizeof who);
        pa_finding_add(judging, "LOST_DEVICE", pa_crowd_evidence(&crowds->lost, "device", where),
                       "Stopped during the audit: %s; %.200s.", who,
                       facts->devices[crowds->lost.first].lost_text);
    }
    if (crowds->changed.count > 0) {
        pa_crowd_text(facts, &crowds->changed, who, sizeof who);
        pa_finding_add(judging, "DEVICE_CHANGED",
                       pa_crowd_evidence(&crowds->changed, "device", where),
                       "Another device answered after an interruption in the place of %s.", who);
    }
    if (crowds->moved.count > 0) {
        pa_crowd_text(facts, &crowds->moved, who, sizeof who);
        pa_finding_add(judging, "DEVICE_MOVED", pa_crowd_evidence(&crowds->moved, "device", where),
                       "Answered on another host after an interruption: %s.", who);
    }
    if (crowds->smaller.count > 0) {
        pa_crowd_text(facts, &crowds->smaller, who, sizeof who);
        pa_finding_add_as(judging, "IDENTITY_MISMATCH", PA_SEVERITY_WARNING,
                          is_nominal ? PA_EFFECT_NO_PASS : PA_EFFECT_NONE,
                          pa_crowd_evidence(&crowds->smaller, "device", where),
                          "Units x clock of the device give less than 70 %% of the peak that its "
                          "name promises: %s.",
                          who);
    }
}

void pa_judge_find_identities(struct pa_judging *judging) {
    struct identity_crowds crowds = {0};
    find_rates(judging);
    find_claimed_devices(judging);
    for (uint32_t d = 0; d < judging->facts->device_count; d++)
        sort_by_identity(judging, d, &crowds);
    tell_identities(judging, &crowds);
    tell_unknown(judging, &crowds);
}
