/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_doubts.c - what a reader should know of the figures themselves: that only the bound of
 * sampling keeps a result below its claim, that k = 2 covers less than it says, that the rate was
 * not steady. */
#include "judge/judgement_inside.h"

#include <math.h>

/* Below this, k = 2 covers less than 86 % (Student's t; GUM, table G.2). */
static const double few_freedom = 3;
/* A change over the window by more than this share of the rate is no steady state. */
static const double much_drift = 0.02;

static void find_bound(struct pa_judging *judging) {
    const struct pa_judgement *out = judging->out;
    if (out->is_sampled || out->basis != PA_BASIS_SUSTAINED || out->judged_pflops <= 0 ||
        out->verified_pflops <= 0 || out->judged_pflops - out->judged_u >= out->claim_pflops)
        return;
    double before = out->judged_pflops * out->verified_rate_pflops / out->verified_pflops;
    if (before - out->judged_u < out->claim_pflops)
        return;
    char rate[PA_FIGURE_BYTES], share[PA_FIGURE_BYTES];
    pa_figure_text(rate, before);
    pa_figure_text(share, 100 * out->honest_fraction_lower);
    pa_finding_add(
        judging, "BOUND_DECIDES", "the declaration, openings",
        "The site committed to %.40s PFLOPS, which would reach the claim; openings vouch "
        "for %.20s %% of that and no more.",
        rate, share);
}

void pa_judge_find_doubts(struct pa_judging *judging) {
    const struct pa_judgement *out = judging->out;
    bool is_significant = false;
    double drift = pa_rate_drift(judging->facts, &is_significant);
    find_bound(judging);
    if (out->budget.combined > 0 && out->budget.freedom < few_freedom) {
        char freedom[PA_FIGURE_BYTES], coverage[PA_FIGURE_BYTES];
        pa_figure_text(freedom, out->budget.freedom);
        pa_figure_text(coverage, 100 * out->budget.coverage);
        pa_finding_add(judging, "FEW_DEGREES_OF_FREEDOM", "all epochs",
                       "With %.20s effective degrees of freedom, U at k = 2 covers %.20s %%, not "
                       "95.",
                       freedom, coverage);
    }
    if (is_significant && fabs(drift) > much_drift) {
        char change[PA_FIGURE_BYTES];
        pa_figure_text(change, 100 * fabs(drift));
        pa_finding_add(judging, "DRIFT", "all epochs",
                       "The rate %s by %.20s %% over the session: it is not steady.",
                       drift < 0 ? "fell" : "grew", change);
    }
}
