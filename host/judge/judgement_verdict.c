/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_verdict.c - PASS, FAIL, INCONCLUSIVE or INVALID, and the sentence that says why. */
#include "judge/judgement_inside.h"

#include <stdio.h>
#include <string.h>

enum pa_verdict pa_verdict_of_decision(enum pa_decision decision) {
    return decision == PA_DECISION_PASS   ? PA_PASS
           : decision == PA_DECISION_FAIL ? PA_FAIL
                                          : PA_INCONCLUSIVE;
}

static enum pa_verdict verdict_of_claim(const struct pa_judging *judging) {
    const struct pa_conformity *conformity = &judging->out->claim_conformity;
    return pa_verdict_of_decision(
        judging->policy->acceptance == PA_ACCEPT_SIMPLE ? conformity->simple : conformity->guarded);
}

/* The requirement that decides: the first that is not met, else the first that is undecided, else
 * the first of all; NULL when there are none. */
static const struct pa_requirement_result *deciding(const struct pa_judgement *out) {
    const struct pa_requirement_result *open = NULL;
    for (uint32_t i = 0; i < out->requirement_count; i++) {
        if (out->requirements[i].verdict == PA_FAIL)
            return &out->requirements[i];
        if (out->requirements[i].verdict != PA_PASS && open == NULL)
            open = &out->requirements[i];
    }
    return open != NULL ? open : out->requirement_count > 0 ? &out->requirements[0] : NULL;
}

/* FAIL outweighs INCONCLUSIVE, which outweighs PASS: all must hold. */
static enum pa_verdict worse(enum pa_verdict a, enum pa_verdict b) {
    if (a == PA_FAIL || b == PA_FAIL)
        return PA_FAIL;
    return a == PA_INCONCLUSIVE ? a : b;
}

static const char *proven_word(const struct pa_judgement *out) {
    if (out->is_sampled)
        return out->basis == PA_BASIS_NOMINAL ? "listed by data sheets of what cannot be missing"
                                              : "vouched for by a sample of the devices";
    return out->basis == PA_BASIS_NOMINAL ? "listed by data sheets" : "proven";
}

static void entitlement_words(const struct pa_judgement *out, char *text, size_t size) {
    char entitled[PA_FIGURE_BYTES], granted[PA_FIGURE_BYTES], overclaim[PA_FIGURE_BYTES];
    text[0] = '\0';
    if (!out->has_entitlement || out->granted_mw < 0)
        return;
    pa_figure_text(entitled, out->entitled_mw);
    pa_figure_text(granted, out->granted_mw);
    pa_figure_text(overclaim, out->overclaim_mw);
    if (out->overclaim_mw > 0)
        snprintf(text, size,
                 "; they entitle to %.40s MW where %.40s MW were granted, %.40s MW too much",
                 entitled, granted, overclaim);
    else
        snprintf(text, size, "; they entitle to %.40s MW where %.40s MW were granted", entitled,
                 granted);
}

/* PFLOPS as a figure in the unit that fits: a centre's, or that of a single processor. The unit of
 * `for_value` is taken, so that a result and its uncertainty stand in the same one. */
static const char *rate_words(char out[PA_FIGURE_BYTES], double pflops, double for_value) {
    static const struct {
        double pflops;
        const char *unit;
    } units[] = {{1, "PFLOPS"}, {1e-3, "TFLOPS"}, {1e-6, "GFLOPS"}, {1e-9, "MFLOPS"}};
    size_t i = for_value > 0 ? 0 : 3;
    while (i < 3 && for_value < units[i].pflops)
        i++;
    pa_figure_text(out, pflops / units[i].pflops);
    return units[i].unit;
}

static void explain_figures(const struct pa_judging *judging, enum pa_verdict by_figures) {
    struct pa_judgement *out = judging->out;
    char claim[PA_FIGURE_BYTES], y[PA_FIGURE_BYTES], u[PA_FIGURE_BYTES], chance[PA_FIGURE_BYTES];
    char entitlement[200];
    const char *claim_unit = rate_words(claim, out->claim_pflops, out->claim_pflops);
    const char *unit = rate_words(y, out->judged_pflops, out->judged_pflops);
    rate_words(u, out->judged_u, out->judged_pflops);
    pa_figure_text(chance, 100 * out->conformity);
    entitlement_words(out, entitlement, sizeof entitlement);
    const char *precision = pa_precision_name(judging->claim->precision);
    const char *word = proven_word(out);
    char most[PA_FIGURE_BYTES];
    rate_words(most, out->judged_upper_pflops, out->judged_pflops);
    if (by_figures == PA_PASS && out->verdict == PA_INCONCLUSIVE)
        snprintf(out->reason, sizeof out->reason,
                 "%.40s ± %.40s %s are %s, which would reach the claim of %.40s %s, but this "
                 "cannot pass: %.250s",
                 y, u, unit, word, claim, claim_unit, judging->cause[PA_EFFECT_NO_PASS]);
    else if (by_figures == PA_INCONCLUSIVE && out->is_sampled)
        snprintf(
            out->reason, sizeof out->reason,
            "%.40s ± %.40s %s are %s, and up to %.40s %s are possible by it; whether the claim "
            "of %.40s %s %s is met, a larger sample would show.",
            y, u, unit, word, most, unit, claim, claim_unit, precision);
    else if (by_figures == PA_INCONCLUSIVE)
        snprintf(
            out->reason, sizeof out->reason,
            "%.40s ± %.40s %s are %s, too near to the claim of %.40s %s %s to decide: it is met "
            "with a probability of %.20s %%.",
            y, u, unit, word, claim, claim_unit, precision, chance);
    else
        snprintf(out->reason, sizeof out->reason,
                 "The claim of %.40s %s %s is %s: %.40s ± %.40s %s are %s%s.", claim, claim_unit,
                 precision, by_figures == PA_PASS ? "met" : "not met", y, u, unit, word,
                 entitlement);
}

static void explain_requirements(const struct pa_judging *judging,
                                 const struct pa_requirement_result *requirement,
                                 enum pa_verdict by_figures) {
    struct pa_judgement *out = judging->out;
    unsigned more = out->requirement_count - 1;
    char others[64] = "";
    if (by_figures == PA_PASS && more > 0)
        snprintf(others, sizeof others, " (and %u more)", more);
    if (by_figures == PA_PASS && out->verdict == PA_INCONCLUSIVE)
        snprintf(out->reason, sizeof out->reason,
                 "What is required was measured, but this cannot pass: %.200s Measured: %.200s%s.",
                 judging->cause[PA_EFFECT_NO_PASS], requirement->reason, others);
    else
        snprintf(out->reason, sizeof out->reason, "%s: %.400s%s.",
                 by_figures == PA_PASS   ? "What is required is met"
                 : by_figures == PA_FAIL ? "What is required is not met"
                                         : "What is required is not decided",
                 requirement->reason, others);
}

void pa_judge_decide(struct pa_judging *judging) {
    struct pa_judgement *out = judging->out;
    const char *invalid = judging->cause[PA_EFFECT_INVALID];
    const char *inconclusive = judging->cause[PA_EFFECT_INCONCLUSIVE];
    if (invalid[0] != '\0') {
        out->verdict = PA_INVALID;
        snprintf(out->reason, sizeof out->reason, "The evidence is not valid: %.460s", invalid);
        return;
    }
    if (inconclusive[0] != '\0') {
        out->verdict = PA_INCONCLUSIVE;
        snprintf(out->reason, sizeof out->reason, "Nothing can be concluded: %.460s", inconclusive);
        return;
    }
    const struct pa_requirement_result *requirement = deciding(out);
    enum pa_verdict by_claim =
        judging->policy->judges == PA_JUDGES_REQUIREMENTS ? PA_PASS : verdict_of_claim(judging);
    enum pa_verdict by_requirements = requirement == NULL ? PA_PASS : requirement->verdict;
    enum pa_verdict by_figures = worse(by_claim, by_requirements);
    out->verdict = by_figures;
    if (by_figures == PA_PASS && judging->cause[PA_EFFECT_NO_PASS][0] != '\0')
        out->verdict = PA_INCONCLUSIVE;
    if (requirement == NULL || (by_requirements == PA_PASS && by_claim != PA_PASS))
        explain_figures(judging, by_claim);
    else
        explain_requirements(judging, requirement, by_figures);
}
