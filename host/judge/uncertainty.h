/* SPDX-License-Identifier: Apache-2.0 */
/* uncertainty.h - how sure a figure is (GUM, JCGM 100) and what follows for a limit (JCGM 106).
 *
 * Pure functions on a budget: sources are added, each with its type, distribution, sensitivity and
 * degrees of freedom; combining gives the combined standard uncertainty, the effective degrees of
 * freedom (Welch-Satterthwaite) and U at k = 2. docs/uncertainty.md has the formulas, and what each
 * source of a rate is.
 */
#ifndef PA_JUDGE_UNCERTAINTY_H
#define PA_JUDGE_UNCERTAINTY_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum pa_evaluation { PA_TYPE_A, PA_TYPE_B };
enum pa_distribution {
    PA_NORMAL,      /* `value` is a standard uncertainty */
    PA_STUDENT,     /* the same, of a mean of few values */
    PA_RECTANGULAR, /* `value` is the half-width a: u = a / sqrt(3) */
    PA_TRIANGULAR,  /* u = a / sqrt(6) */
    PA_ONE_SIDED    /* `value` was taken off the result in full: u = 0 */
};

const char *pa_evaluation_name(enum pa_evaluation evaluation);       /* "A", "B" */
const char *pa_distribution_name(enum pa_distribution distribution); /* "rectangular" */

enum { PA_BUDGET_MOST_SOURCES = 12, PA_BUDGET_BASIS_BYTES = 160 };

struct pa_uncertainty_source {
    const char *name; /* a constant: "clock" */
    char basis[PA_BUDGET_BASIS_BYTES];
    enum pa_evaluation evaluation;
    enum pa_distribution distribution;
    double value;        /* as the distribution says, in the input's unit */
    double sensitivity;  /* c = dy/dx */
    double freedom;      /* degrees of freedom; INFINITY where u is certain */
    double standard;     /* u(x); filled by pa_budget_add */
    double contribution; /* |c| u(x), in the unit of y; filled by pa_budget_add */
};

struct pa_budget {
    struct pa_uncertainty_source sources[PA_BUDGET_MOST_SOURCES];
    uint32_t count;
    double y;
    double combined;    /* u_c(y) */
    double freedom;     /* nu_eff; INFINITY when no source of few degrees contributes */
    double expanded;    /* U = 2 u_c */
    double coverage;    /* probability within y +- U, by Student's t at nu_eff */
    double k_95;        /* t at 95.45 % and nu_eff rounded down (GUM G.4) */
    double expanded_95; /* k_95 u_c */
};

/* Sources beyond PA_BUDGET_MOST_SOURCES are a mistake of the program: PA_EINTERNAL. */
int pa_budget_add(struct pa_budget *budget, const struct pa_uncertainty_source *source);
void pa_budget_combine(struct pa_budget *budget);

/* Student's t with `freedom` > 0 degrees; the normal distribution at INFINITY. */
double pa_student_cdf(double t, double freedom);
double pa_student_quantile(double p, double freedom); /* 0 < p < 1 */

enum pa_limit_side { PA_AT_LEAST, PA_AT_MOST };
enum pa_decision { PA_DECISION_PASS, PA_DECISION_FAIL, PA_DECISION_OPEN };

/* A result against one limit. */
struct pa_conformity {
    enum pa_decision guarded; /* guard band w = k u on both sides of the limit */
    enum pa_decision simple;  /* y alone; never open */
    double probability;       /* that the true value conforms, 0..1 */
    double consumer_risk;     /* specific: of accepting what does not conform, 1 - probability */
    double producer_risk;     /* specific: of rejecting what conforms */
    double acceptance_limit;  /* guarded: at or beyond it passes */
    double rejection_limit;   /* guarded: beyond it fails */
};

/* u is the standard uncertainty of y, at least 0. */
void pa_conformity_judge(struct pa_conformity *out, enum pa_limit_side side, double limit, double y,
                         double u, double freedom, double k);

#endif
