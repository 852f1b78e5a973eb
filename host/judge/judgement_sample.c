/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_sample.c - capacity where only some devices were measured: what they vouch for of all
 * is held against the claim, and what they allow for must fall short of it before it fails. */
#include "judge/judgement_inside.h"

#include <math.h>
#include <stdio.h>

#define OPERATIONS_PER_PFLOPS 1e15

void pa_judge_sample(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_sample_bound *bound = &facts->sample.bound;
    struct pa_judgement *out = judging->out;
    out->capacity_pflops = out->capacity_upper_pflops = out->verified_pflops;
    out->capacity_scaled_pflops = out->verified_pflops;
    if (facts->sample.count == 0)
        return;
    out->is_sampled = true;
    out->capacity_pflops = bound->lower / OPERATIONS_PER_PFLOPS;
    /* Who declared less than the devices do must not fail for that. */
    out->capacity_upper_pflops = fmax(bound->upper, bound->estimate) / OPERATIONS_PER_PFLOPS;
    /* Where all rates are wrong by a part in a million, the bound of the mean is too: of all as if
     * each had the largest rate. */
    out->capacity_scaled_pflops =
        out->capacity_pflops +
        (bound->devices * facts->sample.most_per_second - facts->sample.declared_per_second) /
            OPERATIONS_PER_PFLOPS;
}

double pa_judge_nominal_sum(const struct pa_facts *facts, enum pa_precision precision,
                            struct pa_nominal_count *count) {
    double sum = 0, most = 0;
    uint32_t silent = 0;
    *count = (struct pa_nominal_count){0};
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_device *device = &facts->devices[d];
        if (device->operations <= 0 && !device->is_idle) {
            silent++;
            continue;
        }
        double peak = pa_judge_nominal(device, precision) / OPERATIONS_PER_PFLOPS;
        count->known += peak > 0;
        count->unknown += peak <= 0;
        sum += peak;
        most = fmax(most, peak);
    }
    count->upper_pflops = sum;
    /* Those that can be missing beyond the ones that are seen to be: the largest, for all we know.
     */
    uint32_t missing = facts->sample.bound.missing_most;
    if (facts->sample.count == 0 || missing <= silent)
        return sum;
    return fmax(0, sum - (missing - silent) * most);
}

/* A decision is one where both ends of what can be agree on it. */
static enum pa_decision both(enum pa_decision a, enum pa_decision b) {
    return a == b ? a : PA_DECISION_OPEN;
}

void pa_judge_widen(const struct pa_judging *judging, enum pa_limit_side side, double limit,
                    double upper, double u, struct pa_conformity *conformity) {
    struct pa_conformity other;
    if (!judging->out->is_sampled)
        return;
    pa_conformity_judge(&other, side, limit, upper, u, INFINITY,
                        judging->policy->k > 0 ? judging->policy->k : 2);
    conformity->guarded = both(conformity->guarded, other.guarded);
    conformity->simple = both(conformity->simple, other.simple);
}

void pa_sample_confidence_text(const struct pa_facts *facts, char out[PA_SAMPLE_CONFIDENCE_BYTES]) {
    char percent[PA_FIGURE_BYTES];
    pa_figure_text(percent, 100 * (1 - 2 * facts->credit.alpha_r));
    if (facts->assurance == PA_ASSURANCE_SELF)
        snprintf(out, PA_SAMPLE_CONFIDENCE_BYTES, "self-declared");
    else
        snprintf(out, PA_SAMPLE_CONFIDENCE_BYTES, "confidence %.40s %%", percent);
}

void pa_sample_words(const struct pa_facts *facts, char *out, size_t size) {
    const struct pa_sample_bound *bound = &facts->sample.bound;
    char share[PA_FIGURE_BYTES], lower[PA_FIGURE_BYTES], upper[PA_FIGURE_BYTES];
    char confidence[PA_SAMPLE_CONFIDENCE_BYTES];
    out[0] = '\0';
    if (bound->sampled == 0)
        return;
    pa_figure_text(share, 100.0 * bound->missing_most / bound->devices);
    pa_figure_text(lower, bound->lower / OPERATIONS_PER_PFLOPS);
    pa_figure_text(upper, bound->upper / OPERATIONS_PER_PFLOPS);
    pa_sample_confidence_text(facts, confidence);
    snprintf(out, size,
             "%u of %u devices were chosen by the witness: at most %.20s %% of all devices can be "
             "missing, and all together deliver at least %.40s and at most %.40s of their declared "
             "PFLOPS (each: %.60s)",
             bound->sampled, bound->devices, share, lower, upper, confidence);
}

void pa_find_sample(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_sample_bound *bound = &facts->sample.bound;
    char share[PA_FIGURE_BYTES], confidence[PA_SAMPLE_CONFIDENCE_BYTES];
    if (facts->sample.count == 0 || bound->sampled == 0)
        return;
    pa_figure_text(share, 100.0 * bound->missing_most / bound->devices);
    pa_sample_confidence_text(facts, confidence);
    pa_finding_add(judging, "SAMPLED", "the declaration, sample; note sample",
                   "Of %u declared devices %u were chosen by the witness and measured, of which %u "
                   "count as missing. At most %u devices, %.20s %% of all, can be missing "
                   "(%.40s). Somebody must have seen that the chosen devices, and no others, did "
                   "the work.",
                   bound->devices, bound->sampled, bound->failing, bound->missing_most, share,
                   confidence);
}
