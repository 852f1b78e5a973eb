/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_findings.c - everything that a reader of the verdict should know; docs/findings.md has
 * the table of codes, severities and effects. What concerns many devices is one finding with a
 * count, and names the first. */
#include "base/file.h"
#include "judge/judgement_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INFO PA_SEVERITY_INFO
#define WARNING PA_SEVERITY_WARNING
#define CRITICAL PA_SEVERITY_CRITICAL

static const double gib = 1024.0 * 1024 * 1024;

enum {
    /* A session's length is counted in whole steps: a thousandth short is rounding. */
    WINDOW_TOLERANCE = 1000,
};

/* Below this share of its peak a device is throttled, shared, misconfigured or not what it says. */
static const double far_below = 0.5;
/* Drivers keep some memory for themselves, and GB are sold as GiB. */
static const double memory_share = 0.93;
/* A backend's own figure of a peak is a product of clocks that may be understated. */
static const double estimate_tolerance = 1.05;

/* Devices that one finding is about: how many, and the first. */
struct crowd {
    uint32_t count, first;
};

static void crowd_add(struct crowd *crowd, uint32_t device) {
    if (crowd->count++ == 0)
        crowd->first = device;
}

/* "device 3 (NVIDIA H100)" or "4 devices, the first of them device 3 (...)". */
static void crowd_text(const struct pa_facts *facts, const struct crowd *crowd, char *out,
                       size_t size) {
    const struct pa_fact_device *device = &facts->devices[crowd->first];
    const char *name = device->model[0] != '\0' ? device->model : device->name;
    if (crowd->count == 1)
        snprintf(out, size, "device %u (%.100s)", crowd->first, name);
    else
        snprintf(out, size, "%u devices, the first of them device %u (%.100s)", crowd->count,
                 crowd->first, name);
}

static void find_broken(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    unsigned long long missing = facts->missing, drawn = facts->drawn;
    if (facts->broken[0] != '\0')
        pa_finding_add(judging, "BROKEN_EVIDENCE", CRITICAL, PA_EFFECT_INVALID,
                       "The evidence contradicts itself: %.440s.", facts->broken);
    if (facts->failed > 0)
        pa_finding_add(judging, "OPENING_FAILED", CRITICAL, PA_EFFECT_INVALID,
                       "The site committed to results that are wrong: %.440s.",
                       facts->first_failure);
    if (missing > 0 && facts->is_finished)
        pa_finding_add(judging, "OPENING_MISSING", CRITICAL, PA_EFFECT_INVALID,
                       "%llu of %llu sampled tiles were never shown.", missing, drawn);
    if (!facts->is_finished)
        pa_finding_add(judging, "UNFINISHED", WARNING, PA_EFFECT_INCONCLUSIVE,
                       "The audit was stopped before its end, %llu of %llu sampled tiles were not "
                       "shown yet; go on with `petaudit audit --resume DIR`.",
                       missing, drawn);
}

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

static void find_duplicates(struct pa_judging *judging) {
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
        pa_finding_add(judging, "DUPLICATE_DEVICE", CRITICAL, PA_EFFECT_INVALID,
                       "Devices %u and %u are one and the same: both are %.95s.",
                       (unsigned)(sorted[i - 1] - facts->devices),
                       (unsigned)(sorted[i] - facts->devices), sorted[i]->id);
        break;
    }
    free(sorted);
}

static void find_unprovable(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    bool is_provable = true;
    const char *precision = pa_precision_name(judging->claim->precision);
    uint32_t class_id = pa_precision_class(judging->claim->precision, &is_provable);
    const struct pa_class_traits *proven = pa_class_traits(facts->declaration.class_id);
    if (!is_provable)
        pa_finding_add(
            judging, "UNPROVABLE_PRECISION", WARNING, PA_EFFECT_INCONCLUSIVE,
            "A claim in %s cannot be proven, because 16-bit units compute the same exact "
            "products faster; claim fp16 or bf16.",
            precision);
    else if (class_id != (uint32_t)facts->declaration.class_id)
        pa_finding_add(judging, "CLASS_MISMATCH", CRITICAL, PA_EFFECT_INCONCLUSIVE,
                       "The session proved %s, which says nothing of a claim in %s.",
                       proven == NULL ? "another class" : proven->proven, precision);
    if (facts->is_test_build)
        pa_finding_add(judging, "TEST_BUILD", CRITICAL, PA_EFFECT_INCONCLUSIVE,
                       "This build of petaudit falsifies results for tests: %.255s.",
                       facts->test_build);
    struct crowd emulated = {0};
    for (uint32_t d = 0; d < facts->device_count; d++)
        if (facts->devices[d].emulated)
            crowd_add(&emulated, d);
    if (emulated.count > 0) {
        char who[200];
        crowd_text(facts, &emulated, who, sizeof who);
        pa_finding_add(judging, "EMULATED", CRITICAL, PA_EFFECT_INCONCLUSIVE,
                       "There is no such hardware here, it is emulated: %s.", who);
    }
}

static void find_too_little(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_policy *policy = judging->policy;
    uint32_t closed = 0, aborted = 0;
    for (uint32_t e = 0; e < facts->epoch_count; e++) {
        closed += facts->epochs[e].state == PA_EPOCH_CLOSED;
        aborted += facts->epochs[e].state == PA_EPOCH_ABORTED;
    }
    if (closed == 0 || facts->credit.operations <= 0) {
        pa_finding_add(judging, "NOTHING_MEASURED", CRITICAL, PA_EFFECT_INCONCLUSIVE,
                       "No work was done in any closed epoch.");
        return;
    }
    if (facts->credit.honest_fraction <= 0)
        pa_finding_add(judging, "TOO_FEW_OPENINGS", CRITICAL, PA_EFFECT_INCONCLUSIVE,
                       "%u openings an epoch are too few to prove anything at the declared error "
                       "probability.",
                       facts->declaration.openings);
    if (closed < 2)
        pa_finding_add(judging, "SINGLE_EPOCH", WARNING, PA_EFFECT_NO_PASS,
                       "One epoch says nothing of how repeatable the rate is; its uncertainty is "
                       "taken to be as large as the rate.");
    if (aborted > 0)
        pa_finding_add(
            judging, "ABORTED_EPOCHS", WARNING, PA_EFFECT_NONE,
            "%u of %u epochs were aborted; they count with their planned time and no work.",
            aborted, facts->epoch_count);
    if (facts->is_finished && closed + aborted < facts->declaration.epochs)
        pa_finding_add(judging, "FEWER_EPOCHS", WARNING, PA_EFFECT_NO_PASS,
                       "The session ended after %u of %u declared epochs.", closed + aborted,
                       facts->declaration.epochs);
    double window = (double)policy->window_ns / 1e9;
    if (facts->credit.seconds < window - window / WINDOW_TOLERANCE) {
        char seconds[PA_FIGURE_BYTES], wanted[PA_FIGURE_BYTES];
        pa_figure_text(seconds, facts->credit.seconds);
        pa_figure_text(wanted, window);
        pa_finding_add(judging, "SHORT_WINDOW", WARNING, PA_EFFECT_NO_PASS,
                       "The work took %.40s s; the policy wants at least %.40s s.", seconds,
                       wanted);
    }
}

static void find_weaker_than_policy(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_declaration *declaration = &facts->declaration;
    const struct pa_policy *policy = judging->policy;
    if (!facts->is_certified)
        pa_finding_add(judging, "TEST", WARNING, PA_EFFECT_NO_PASS,
                       "The result type is TEST: the shapes are smaller than a certificate needs.");
    uint64_t openings = (uint64_t)declaration->openings * declaration->epochs;
    if (openings < policy->openings)
        pa_finding_add(judging, "BELOW_POLICY", WARNING, PA_EFFECT_NO_PASS,
                       "The session declared %llu openings; the policy wants %u.",
                       (unsigned long long)openings, policy->openings);
    if ((double)declaration->alpha_ppm > policy->alpha * 1e6 + 0.5)
        pa_finding_add(judging, "BELOW_POLICY", WARNING, PA_EFFECT_NO_PASS,
                       "The session declared an error probability of %llu millionths; the policy "
                       "allows %.0f.",
                       (unsigned long long)declaration->alpha_ppm, policy->alpha * 1e6);
    if (facts->credit.gaps > policy->interruptions)
        pa_finding_add(judging, "BELOW_POLICY", WARNING, PA_EFFECT_NO_PASS,
                       "There were %u interruptions; the policy allows %u.", facts->credit.gaps,
                       policy->interruptions);
    for (uint32_t e = 0; e < facts->epoch_count; e++) {
        if (facts->epochs[e].after_gap && facts->epochs[e].gap_ns > policy->longest_gap_ns) {
            pa_finding_add(judging, "BELOW_POLICY", WARNING, PA_EFFECT_NO_PASS,
                           "An interruption of %llu s is longer than the policy allows.",
                           (unsigned long long)(facts->epochs[e].gap_ns / 1000000000));
            break;
        }
    }
    if (facts->assurance < policy->assurance)
        pa_finding_add(judging, "LOW_ASSURANCE", WARNING, PA_EFFECT_NO_PASS,
                       "The assurance is %s; the policy wants %s.",
                       pa_assurance_name(facts->assurance), pa_assurance_name(policy->assurance));
}

static void find_circumstances(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_claim *claim = judging->claim;
    const struct pa_policy *policy = judging->policy;
    if (facts->assurance == PA_ASSURANCE_SELF)
        pa_finding_add(
            judging, "SELF_DECLARED", INFO, PA_EFFECT_NONE,
            "Witness and site are one process: this protects against errors, not against "
            "fraud.");
    bool is_other_claim = memcmp(claim->sha256, facts->declaration.claim.bytes, 32) != 0;
    bool is_other_policy = memcmp(policy->sha256, facts->declaration.policy.bytes, 32) != 0;
    if (is_other_claim || is_other_policy)
        pa_finding_add(judging, "REJUDGED", WARNING, PA_EFFECT_NONE,
                       "The evidence is judged under another %s than the one that it was declared "
                       "with.",
                       !is_other_policy  ? "claim"
                       : !is_other_claim ? "policy"
                                         : "claim and another policy");
    if (claim->basis != PA_BASIS_NONE && policy->basis != PA_BASIS_NONE &&
        claim->basis != policy->basis)
        pa_finding_add(judging, "BASIS_OVERRIDDEN", WARNING, PA_EFFECT_NONE,
                       "The claim means %s capacity; the policy judges %s capacity.",
                       pa_basis_name(claim->basis), pa_basis_name(policy->basis));
    if (facts->clock_step_seconds > 1) {
        char seconds[PA_FIGURE_BYTES];
        pa_figure_text(seconds, facts->clock_step_seconds);
        pa_finding_add(
            judging, "CLOCK_STEP", WARNING, PA_EFFECT_NONE,
            "The calendar clock moved by %.40s s against the oscillator during the session; "
            "dates are uncertain, durations are not.",
            seconds);
    }
    if (facts->credit.gaps > 0)
        pa_finding_add(
            judging, "INTERRUPTED", INFO, PA_EFFECT_NONE,
            "The session was interrupted %u times, for %llu s in all, which do not count "
            "as time.",
            facts->credit.gaps, (unsigned long long)(facts->credit.gap_ns / 1000000000));
    for (uint32_t i = 0; i < facts->allreduce_count; i++) {
        if (facts->allreduce[i].verified)
            continue;
        pa_finding_add(judging, "ALLREDUCE_WRONG", CRITICAL, PA_EFFECT_NO_PASS,
                       "An all-reduce of %llu bytes over %u ranks gave a wrong result.",
                       (unsigned long long)facts->allreduce[i].bytes, facts->allreduce[i].ranks);
        break;
    }
}

/* One rate against one peak. */
static void sort_by_rate(const struct pa_facts *facts, uint32_t d, struct crowd *above,
                         struct crowd *above_estimate, struct crowd *below) {
    const struct pa_fact_device *device = &facts->devices[d];
    bool is_catalogued;
    double peak = pa_judge_peak(device, pa_precision_named(device->format), &is_catalogued);
    if (peak <= 0 || device->operations <= 0 || facts->credit.seconds <= 0)
        return;
    double rate = device->operations / facts->credit.seconds;
    if (is_catalogued && rate > peak)
        crowd_add(above, d);
    else if (!is_catalogued && rate > estimate_tolerance * peak)
        crowd_add(above_estimate, d);
    else if (rate < far_below * peak)
        crowd_add(below, d);
}

static void find_rates(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct crowd above = {0}, above_estimate = {0}, below = {0};
    char who[200];
    for (uint32_t d = 0; d < facts->device_count; d++)
        sort_by_rate(facts, d, &above, &above_estimate, &below);
    if (above.count > 0) {
        crowd_text(facts, &above, who, sizeof who);
        pa_finding_add(
            judging, "RATE_ABOVE_PEAK", CRITICAL, PA_EFFECT_NO_PASS,
            "Faster than the hardware can be: %s. Other devices do the work, or the device "
            "is not what it says.",
            who);
    }
    if (above_estimate.count > 0) {
        crowd_text(facts, &above_estimate, who, sizeof who);
        pa_finding_add(
            judging, "RATE_ABOVE_ESTIMATE", WARNING, PA_EFFECT_NONE,
            "Faster than units x clock would give, and no catalogue knows the model: %s.", who);
    }
    if (below.count > 0) {
        crowd_text(facts, &below, who, sizeof who);
        pa_finding_add(judging, "RATE_FAR_BELOW_PEAK", WARNING, PA_EFFECT_NONE,
                       "Less than half of the peak: %s. Throttled, shared, or not what it says.",
                       who);
    }
}

static bool is_model(const struct pa_fact_device *device, const char *model) {
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
            present +=
                facts->devices[d].operations > 0 && is_model(&facts->devices[d], claimed->model);
        if (present < claimed->count)
            pa_finding_add(judging, "ABSENT_DEVICES", CRITICAL, PA_EFFECT_NONE,
                           "%u of %u claimed %.120s did no work in this session.",
                           claimed->count - present, claimed->count, claimed->model);
    }
}

/* What a device should have, by the claim or else by the catalogue; 0 unknown. */
static double expected_memory(const struct pa_claim *claim, const struct pa_fact_device *device) {
    for (uint32_t i = 0; i < claim->accelerator_count; i++)
        if (claim->accelerators[i].memory_gib > 0 && is_model(device, claim->accelerators[i].model))
            return claim->accelerators[i].memory_gib;
    const struct pa_catalogue_row *row = pa_catalogue_find(device->model);
    return row == NULL ? 0 : row->memory_gib;
}

static void find_identities(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct crowd short_of_memory = {0}, lost = {0}, changed = {0}, unknown = {0}, no_peak = {0};
    char who[200];
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_device *device = &facts->devices[d];
        double expected = expected_memory(judging->claim, device);
        bool is_catalogued;
        double peak = pa_judge_peak(device, judging->claim->precision, &is_catalogued);
        if (device->memory_bytes > 0 &&
            (double)device->memory_bytes < memory_share * expected * gib)
            crowd_add(&short_of_memory, d);
        if (device->lost)
            crowd_add(&lost, d);
        if (device->changed)
            crowd_add(&changed, d);
        if (!is_catalogued)
            crowd_add(&unknown, d);
        if (!is_catalogued && peak <= 0)
            crowd_add(&no_peak, d);
    }
    bool is_nominal = judging->out->basis == PA_BASIS_NOMINAL;
    if (short_of_memory.count > 0) {
        crowd_text(facts, &short_of_memory, who, sizeof who);
        pa_finding_add(judging, "MEMORY_SHORT", WARNING, PA_EFFECT_NONE,
                       "Less memory than claimed or listed for the model: %s.", who);
    }
    if (lost.count > 0) {
        crowd_text(facts, &lost, who, sizeof who);
        pa_finding_add(judging, "LOST_DEVICE", WARNING, PA_EFFECT_NONE,
                       "Stopped during the audit: %s; %.200s.", who,
                       facts->devices[lost.first].lost_text);
    }
    if (changed.count > 0) {
        crowd_text(facts, &changed, who, sizeof who);
        pa_finding_add(judging, "DEVICE_CHANGED", WARNING, PA_EFFECT_NONE,
                       "Another device answered after an interruption in the place of %s.", who);
    }
    if (unknown.count > 0) {
        crowd_text(facts, &unknown, who, sizeof who);
        pa_finding_add(judging, "UNKNOWN_DEVICE", no_peak.count > 0 ? WARNING : INFO,
                       is_nominal && no_peak.count > 0 ? PA_EFFECT_INCONCLUSIVE : PA_EFFECT_NONE,
                       "The catalogue has no peak in %s for %s; %s.",
                       pa_precision_name(judging->claim->precision), who,
                       no_peak.count > 0 ? "no ratio is given"
                                         : "units x clock stand in for it, an estimate");
    }
}

/* Findings of the measuring side: told, never decisive. */
static void repeat_findings(struct pa_judging *judging) {
    size_t index;
    const json_t *note;
    json_array_foreach(judging->facts->notes, index, note) {
        const char *kind = json_string_value(json_object_get(note, "kind"));
        const char *code = json_string_value(json_object_get(note, "code"));
        const char *severity = json_string_value(json_object_get(note, "severity"));
        const char *text = json_string_value(json_object_get(note, "text"));
        char printable[512];
        if (kind == NULL || strcmp(kind, "finding") != 0 || code == NULL || severity == NULL ||
            text == NULL)
            continue;
        pa_printable(printable, sizeof printable, text);
        pa_finding_add(judging, code,
                       strcmp(severity, "critical") == 0  ? CRITICAL
                       : strcmp(severity, "warning") == 0 ? WARNING
                                                          : INFO,
                       PA_EFFECT_NONE, "%s", printable);
    }
}

void pa_judge_find(struct pa_judging *judging) {
    find_broken(judging);
    find_duplicates(judging);
    find_unprovable(judging);
    find_too_little(judging);
    find_weaker_than_policy(judging);
    find_circumstances(judging);
    find_rates(judging);
    find_claimed_devices(judging);
    find_identities(judging);
    pa_find_devices(judging);
    repeat_findings(judging);
}
