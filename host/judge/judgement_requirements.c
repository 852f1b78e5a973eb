/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_requirements.c - each requirement of a policy against the figures. What was not
 * measured is INCONCLUSIVE with the reason, never met. */
#include "judge/judgement_inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define OPERATIONS_PER_PFLOPS 1e15
#define ROUNDING_HALF_WIDTH 5e-9

/* A meter whose readings cover less of the window says too little of the mean over it. */
static const double least_coverage = 0.9;

static void add_source(struct pa_budget *budget, const char *name,
                       enum pa_distribution distribution, double value, double sensitivity,
                       const char *basis) {
    struct pa_uncertainty_source source = {.name = name,
                                           .evaluation = PA_TYPE_B,
                                           .distribution = distribution,
                                           .value = value,
                                           .sensitivity = sensitivity,
                                           .freedom = INFINITY};
    snprintf(source.basis, sizeof source.basis, "%s", basis);
    (void)pa_budget_add(budget, &source); /* at most two of twelve */
}

/* The value is y with standard uncertainty u from the meters. */
static void metered(struct pa_requirement_result *out, double y, double u) {
    out->is_known = true;
    out->budget.y = y;
    add_source(&out->budget, "meter", PA_NORMAL, u, 1,
               "accuracy classes, steps and scatter of the meters, over the window of the work");
    add_source(&out->budget, "rounding", PA_RECTANGULAR, ROUNDING_HALF_WIDTH, y,
               "nine significant digits");
    pa_budget_combine(&out->budget);
}

static void unknown(struct pa_requirement_result *out, const char *why) {
    snprintf(out->reason, sizeof out->reason, "%s", why);
}

/* Why the meters of a role cannot decide anything; NULL when they can. */
static const char *trouble_of(const struct pa_fact_power *power, enum pa_meter_role role) {
    bool is_any = false, is_component = true;
    for (uint32_t m = 0; m < power->meter_count; m++) {
        const struct pa_fact_meter *meter = &power->meters[m];
        if (meter->role != role)
            continue;
        is_any = true;
        is_component = is_component && meter->is_component;
        if (!meter->is_component && meter->class_percent <= 0)
            return "a meter does not tell its accuracy class, so that nobody knows how sure it is";
        if (!meter->is_component && meter->is_implausible)
            return "a meter contradicts itself: its counter and its power disagree";
        if (!meter->is_component && meter->covered_s < least_coverage * power->window_s)
            return "readings of a meter cover less than 90 % of the work";
    }
    if (!is_any)
        return role == PA_METER_IT ? "no meter of the IT load was read"
                                   : "no meter of the whole site was read";
    return is_component ? "only sensors inside of the machines were read, no meter of the mains"
                        : NULL;
}

static void measure_power(const struct pa_fact_power *power, enum pa_quantity quantity,
                          struct pa_requirement_result *out) {
    bool is_it = quantity == PA_QUANTITY_IT_POWER;
    const char *trouble = trouble_of(power, is_it ? PA_METER_IT : PA_METER_FACILITY);
    if (trouble == NULL && !(is_it ? power->has_it : power->has_facility))
        trouble = "the meters say nothing of the time of the work";
    if (trouble != NULL)
        unknown(out, trouble);
    else if (is_it)
        metered(out, power->it_w, power->it_u);
    else
        metered(out, power->facility_w, power->facility_u);
}

static void measure_pue(const struct pa_fact_power *power, struct pa_requirement_result *out) {
    const char *trouble = trouble_of(power, PA_METER_FACILITY);
    if (trouble == NULL)
        trouble = trouble_of(power, PA_METER_IT);
    if (trouble == NULL && !power->has_pue)
        trouble = "the meters of site and IT load were not read over the same time";
    if (trouble != NULL)
        unknown(out, trouble);
    else
        metered(out, power->pue, power->u_pue);
}

/* On the basis that the policy chose; the budget is the rate's own. */
static void measure_capacity(const struct pa_judging *judging, struct pa_requirement_result *out) {
    const struct pa_judgement *judgement = judging->out;
    if (judgement->judged_pflops <= 0) {
        unknown(out, judgement->basis == PA_BASIS_NOMINAL
                         ? "no device that did work has a peak in the catalogue"
                         : "nothing was proven");
        return;
    }
    double scale = judgement->judged_pflops * OPERATIONS_PER_PFLOPS;
    out->is_known = true;
    if (judgement->basis == PA_BASIS_SUSTAINED && judgement->budget.y > 0) {
        out->budget = judgement->budget;
        double divisor = judgement->capacity_pflops / judgement->judged_pflops;
        double scaled = judgement->capacity_scaled_pflops / divisor * OPERATIONS_PER_PFLOPS;
        for (uint32_t i = 0; i < out->budget.count; i++) {
            out->budget.sources[i].sensitivity *= scaled / judgement->budget.y;
            out->budget.sources[i].contribution *= scaled / judgement->budget.y;
        }
    }
    out->budget.y = scale;
    pa_budget_combine(&out->budget);
}

struct device_count {
    uint32_t present, unknown, surely, perhaps, simply;
};

/* Each device by its own rate, which is what the sum of the work is made of: W_d / dt times the
 * share that sampling vouches for, with the relative uncertainty of the sum. */
static struct device_count count_devices(const struct pa_judging *judging,
                                         const struct pa_requirement *requirement) {
    const struct pa_facts *facts = judging->facts;
    const struct pa_judgement *judgement = judging->out;
    struct device_count found = {0};
    double u = judgement->budget.y > 0
                   ? judging->policy->k * judgement->budget.combined / judgement->budget.y
                   : 0;
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_device *device = &facts->devices[d];
        if (!pa_judge_is_model(device, requirement->model) || facts->credit.seconds <= 0)
            continue;
        double peak = pa_judge_nominal(device, judging->claim->precision);
        double rate = device->operations / facts->credit.seconds * judgement->honest_fraction_lower;
        found.present++;
        found.unknown += peak <= 0;
        if (peak <= 0)
            continue;
        found.surely += rate * (1 - u) >= requirement->share_of_peak * peak;
        found.simply += rate >= requirement->share_of_peak * peak;
        found.perhaps += rate * (1 + u) >= requirement->share_of_peak * peak;
    }
    return found;
}

static enum pa_verdict verdict_of_count(const struct pa_judging *judging,
                                        const struct device_count *found, double limit) {
    if (judging->policy->acceptance == PA_ACCEPT_SIMPLE)
        return found->simply >= limit                    ? PA_PASS
               : found->simply + found->unknown >= limit ? PA_INCONCLUSIVE
                                                         : PA_FAIL;
    if (found->surely >= limit)
        return PA_PASS;
    return found->perhaps + found->unknown >= limit ? PA_INCONCLUSIVE : PA_FAIL;
}

static void judge_devices(struct pa_judging *judging, const struct pa_requirement *requirement,
                          struct pa_requirement_result *out) {
    if (judging->out->is_sampled) {
        unknown(out, "only devices that the witness chose were measured, and not each of them");
        return;
    }
    struct device_count found = count_devices(judging, requirement);
    char share[PA_FIGURE_BYTES];
    out->is_known = found.unknown == 0;
    out->budget.y = found.simply;
    pa_budget_combine(&out->budget);
    out->verdict = verdict_of_count(judging, &found, requirement->limit);
    pa_conformity_judge(&out->conformity, PA_AT_LEAST, requirement->limit, found.simply, 0,
                        INFINITY, judging->policy->k);
    pa_figure_text(share, 100 * requirement->share_of_peak);
    snprintf(
        out->reason, sizeof out->reason,
        "%u of %u devices %.200s, as the site tells them, deliver %.20s %% of their peak or "
        "more, %u of them beyond doubt; %.0f are wanted%s",
        found.simply, found.present, requirement->model, share, found.surely, requirement->limit,
        found.unknown > 0 ? "; the catalogue has no peak of the model to hold them against" : "");
}

/* Values in the unit that the requirement is written in. */
static void tell(const struct pa_requirement *requirement, const struct pa_judging *judging,
                 struct pa_requirement_result *out) {
    char text[PA_REQUIREMENT_TEXT_BYTES], y[PA_FIGURE_BYTES], u[PA_FIGURE_BYTES];
    double scale = requirement->as_written / requirement->limit;
    pa_requirement_text(requirement, text);
    if (!out->is_known) {
        char why[sizeof out->reason];
        memcpy(why, out->reason, sizeof why);
        snprintf(out->reason, sizeof out->reason, "%.200s: not decided, because %.250s", text, why);
        return;
    }
    pa_figure_text(y, out->budget.y * scale);
    pa_figure_text(u, judging->policy->k * out->budget.combined * scale);
    snprintf(out->reason, sizeof out->reason, "%.200s: %.40s ± %.40s%s%s were measured", text, y, u,
             requirement->unit[0] != '\0' ? " " : "", requirement->unit);
}

static void judge_one(struct pa_judging *judging, const struct pa_requirement *requirement,
                      struct pa_requirement_result *out) {
    *out = (struct pa_requirement_result){.verdict = PA_INCONCLUSIVE};
    switch (requirement->quantity) {
    case PA_QUANTITY_CAPACITY:
        measure_capacity(judging, out);
        break;
    case PA_QUANTITY_IT_POWER:
    case PA_QUANTITY_FACILITY_POWER:
        measure_power(&judging->facts->power, requirement->quantity, out);
        break;
    case PA_QUANTITY_PUE:
        measure_pue(&judging->facts->power, out);
        break;
    case PA_QUANTITY_DEVICES:
        judge_devices(judging, requirement, out);
        if (!judging->out->is_sampled)
            return;
        break;
    }
    if (out->is_known) {
        const struct pa_policy *policy = judging->policy;
        pa_conformity_judge(&out->conformity, requirement->is_at_most ? PA_AT_MOST : PA_AT_LEAST,
                            requirement->limit, out->budget.y, out->budget.combined,
                            out->budget.freedom, policy->k);
        if (requirement->quantity == PA_QUANTITY_CAPACITY)
            pa_judge_widen(judging, requirement->is_at_most ? PA_AT_MOST : PA_AT_LEAST,
                           requirement->limit,
                           judging->out->judged_upper_pflops * OPERATIONS_PER_PFLOPS,
                           out->budget.combined, &out->conformity);
        enum pa_decision decision = policy->acceptance == PA_ACCEPT_SIMPLE
                                        ? out->conformity.simple
                                        : out->conformity.guarded;
        out->verdict = pa_verdict_of_decision(decision);
    }
    tell(requirement, judging, out);
    if (!out->is_known)
        pa_finding_add(judging, "NOT_MEASURED", "policy, requirements", "Wanted is %.400s.",
                       out->reason);
}

void pa_judge_requirements(struct pa_judging *judging) {
    const struct pa_policy *policy = judging->policy;
    struct pa_judgement *out = judging->out;
    out->requirement_count = policy->requirement_count;
    for (uint32_t i = 0; i < policy->requirement_count; i++)
        judge_one(judging, &policy->requirements[i], &out->requirements[i]);
}

bool pa_judging_needs_capacity(const struct pa_judging *judging) {
    const struct pa_policy *policy = judging->policy;
    if (policy->judges != PA_JUDGES_REQUIREMENTS)
        return true;
    for (uint32_t i = 0; i < policy->requirement_count; i++)
        if (policy->requirements[i].quantity == PA_QUANTITY_CAPACITY ||
            policy->requirements[i].quantity == PA_QUANTITY_DEVICES)
            return true;
    return false;
}

bool pa_judging_is_nominal(const struct pa_judging *judging) {
    return judging->out->basis == PA_BASIS_NOMINAL && pa_judging_needs_capacity(judging);
}
