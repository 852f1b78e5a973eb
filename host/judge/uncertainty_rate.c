/* SPDX-License-Identifier: Apache-2.0 */
/* uncertainty_rate.c - the budget of a verified rate: y = W / dt * h, with W counted, dt from the
 * witness's oscillator and h the lower end of the sampling bound (docs/uncertainty.md).
 *
 * The rates of the epochs are fitted by a straight line. What scatters about it is repeatability;
 * the slope is drift: a window that is not steady says less of the hour after it. */
#include "judge/judgement_inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* RAW is the machine's own oscillator: 100 ppm either way. */
#define CLOCK_HALF_WIDTH 1e-4
/* Certificates carry nine significant digits: at most half a unit of the ninth. */
#define ROUNDING_HALF_WIDTH 5e-9

struct line {
    uint32_t count;
    double mean;     /* of the rates */
    double standard; /* of the mean: scatter about the line, over sqrt(n) */
    double freedom;
    double change;      /* of the line from the first epoch to the last */
    double slope_error; /* standard error of `change` */
};

/* Probes are short, and of other shapes: their rates say nothing of how steady the long ones are.
 */
static bool has_rate(const struct pa_fact_epoch *epoch) {
    return epoch->kind == 0 && epoch->state == PA_EPOCH_CLOSED &&
           epoch->t1.raw_ns > epoch->t0.raw_ns;
}

static double seconds_of(const struct pa_fact_epoch *epoch) {
    return (double)(epoch->t1.raw_ns - epoch->t0.raw_ns) / 1e9;
}

/* Time is that of the work, without gaps: after an interruption RAW may begin anew. */
struct sums {
    double n, t, r, tt, tr, rr, first, last;
};

static void sum_up(const struct pa_facts *facts, double t_mean, double r_mean, struct sums *out) {
    double elapsed = 0;
    *out = (struct sums){0};
    for (uint32_t e = 0; e < facts->epoch_count; e++) {
        const struct pa_fact_epoch *epoch = &facts->epochs[e];
        if (!has_rate(epoch))
            continue;
        double seconds = seconds_of(epoch);
        double middle = elapsed + seconds / 2, t = middle - t_mean;
        double r = epoch->operations / seconds - r_mean;
        elapsed += seconds;
        if (out->n == 0)
            out->first = middle;
        out->last = middle;
        out->n++;
        out->t += t;
        out->r += r;
        out->tt += t * t;
        out->tr += t * r;
        out->rr += r * r;
    }
}

static void fit(const struct pa_facts *facts, struct line *out) {
    struct sums raw, centred;
    *out = (struct line){.freedom = INFINITY};
    sum_up(facts, 0, 0, &raw);
    if (raw.n < 1)
        return;
    out->count = (uint32_t)raw.n;
    out->mean = raw.r / raw.n;
    sum_up(facts, raw.t / raw.n, out->mean, &centred);
    double residual = centred.rr;
    if (raw.n >= 3 && centred.tt > 0) {
        double slope = centred.tr / centred.tt, span = centred.last - centred.first;
        residual = fmax(0, centred.rr - slope * centred.tr);
        out->freedom = raw.n - 2;
        out->change = slope * span;
        out->slope_error = sqrt(residual / out->freedom / centred.tt) * span;
    } else if (raw.n >= 2) {
        out->freedom = raw.n - 1;
    } else {
        return;
    }
    out->standard = sqrt(residual / out->freedom / raw.n);
}

static void add(struct pa_budget *budget, const char *name, enum pa_evaluation evaluation,
                enum pa_distribution distribution, double value, double sensitivity, double freedom,
                const char *basis) {
    struct pa_uncertainty_source source = {.name = name,
                                           .evaluation = evaluation,
                                           .distribution = distribution,
                                           .value = value,
                                           .sensitivity = sensitivity,
                                           .freedom = freedom};
    snprintf(source.basis, sizeof source.basis, "%s", basis);
    (void)pa_budget_add(budget, &source); /* five sources of twelve */
}

static void add_repeatability(struct pa_budget *budget, const struct line *line) {
    char basis[PA_BUDGET_BASIS_BYTES];
    if (line->count < 2 || line->mean <= 0) {
        add(budget, "repeatability", PA_TYPE_B, PA_NORMAL, 0.5, budget->y, INFINITY,
            "one epoch tells nothing of it: taken so that U at k = 2 is the result itself");
        return;
    }
    snprintf(basis, sizeof basis, "scatter of %u epochs about %s, over their root", line->count,
             line->count < 3 ? "their mean" : "a straight line");
    add(budget, "repeatability", PA_TYPE_A, PA_STUDENT, line->standard / line->mean, budget->y,
        line->freedom, basis);
}

static void add_drift(struct pa_budget *budget, const struct line *line) {
    if (line->count < 3 || line->mean <= 0)
        add(budget, "drift", PA_TYPE_B, PA_RECTANGULAR, 0, budget->y, INFINITY,
            "not to be told from scatter with fewer than three epochs");
    else
        add(budget, "drift", PA_TYPE_B, PA_RECTANGULAR, fabs(line->change) / 2 / line->mean,
            budget->y, INFINITY, "half of the straight line's change over the window");
}

double pa_rate_drift(const struct pa_facts *facts, bool *is_significant) {
    struct line line;
    fit(facts, &line);
    *is_significant = line.count >= 3 && fabs(line.change) > 3 * line.slope_error;
    return line.mean > 0 ? line.change / line.mean : 0;
}

void pa_rate_budget(const struct pa_facts *facts, double y, struct pa_budget *out) {
    struct line line;
    char basis[PA_BUDGET_BASIS_BYTES], alpha[PA_FIGURE_BYTES];
    memset(out, 0, sizeof *out);
    out->y = y;
    fit(facts, &line);
    add(out, "clock", PA_TYPE_B, PA_RECTANGULAR, CLOCK_HALF_WIDTH, -y, INFINITY,
        "CLOCK_MONOTONIC_RAW of the witness, 100 ppm");
    pa_figure_text(alpha, facts->credit.alpha_r);
    snprintf(basis, sizeof basis,
             "one-sided bound at an error probability of %.40s: taken off the result in full",
             alpha);
    add(out, "sampling", PA_TYPE_B, PA_ONE_SIDED, fmax(0, 1 - facts->credit.honest_fraction), 0,
        INFINITY, basis);
    add_repeatability(out, &line);
    add_drift(out, &line);
    add(out, "rounding", PA_TYPE_B, PA_RECTANGULAR, ROUNDING_HALF_WIDTH, y, INFINITY,
        "nine significant digits");
    pa_budget_combine(out);
}
