/* SPDX-License-Identifier: Apache-2.0 */
/* uncertainty_budget.c - sources of uncertainty and their sum (JCGM 100:2008, clauses 4, 5, G.4).
 */
#include "judge/uncertainty.h"

#include <math.h>

/* Two standard deviations of a normal distribution. */
static const double coverage_of_two = 0.954499736103642;

const char *pa_evaluation_name(enum pa_evaluation evaluation) {
    return evaluation == PA_TYPE_A ? "A" : "B";
}

const char *pa_distribution_name(enum pa_distribution distribution) {
    switch (distribution) {
    case PA_NORMAL:
        return "normal";
    case PA_STUDENT:
        return "student";
    case PA_RECTANGULAR:
        return "rectangular";
    case PA_TRIANGULAR:
        return "triangular";
    case PA_ONE_SIDED:
        break;
    }
    return "one-sided";
}

static double standard_of(enum pa_distribution distribution, double value) {
    switch (distribution) {
    case PA_RECTANGULAR:
        return value / sqrt(3);
    case PA_TRIANGULAR:
        return value / sqrt(6);
    case PA_NORMAL:
    case PA_STUDENT:
        return value;
    case PA_ONE_SIDED:
        break;
    }
    return 0;
}

int pa_budget_add(struct pa_budget *budget, const struct pa_uncertainty_source *source) {
    if (budget->count == PA_BUDGET_MOST_SOURCES)
        return PA_EINTERNAL;
    struct pa_uncertainty_source *added = &budget->sources[budget->count++];
    *added = *source;
    added->standard = standard_of(source->distribution, source->value);
    added->contribution = fabs(source->sensitivity) * added->standard;
    return PA_OK;
}

/* From here on Student's t is the normal distribution to eight digits: nothing limits it. */
static const double many = 1e8;

/* Welch-Satterthwaite (G.2b): u_c^4 / sum(u_i^4 / nu_i). */
static double effective_freedom(const struct pa_budget *budget) {
    double sum = 0;
    for (uint32_t i = 0; i < budget->count; i++) {
        const struct pa_uncertainty_source *source = &budget->sources[i];
        if (source->contribution > 0 && isfinite(source->freedom))
            sum += pow(source->contribution / budget->combined, 4) / source->freedom;
    }
    return sum > 1 / many ? 1 / sum : INFINITY;
}

void pa_budget_combine(struct pa_budget *budget) {
    double squares = 0;
    for (uint32_t i = 0; i < budget->count; i++)
        squares += budget->sources[i].contribution * budget->sources[i].contribution;
    budget->combined = sqrt(squares);
    budget->freedom = effective_freedom(budget);
    budget->expanded = 2 * budget->combined;
    budget->coverage = 2 * pa_student_cdf(2, budget->freedom) - 1;
    double whole = floor(budget->freedom); /* GUM G.4.1, note 1 */
    budget->k_95 = pa_student_quantile((1 + coverage_of_two) / 2, whole < 1 ? 1 : whole);
    budget->expanded_95 = budget->k_95 * budget->combined;
}
