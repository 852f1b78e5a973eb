/* SPDX-License-Identifier: Apache-2.0 */
/* judgement.c - the figures of a judgement: rate, uncertainty, nominal capacity, entitlement. */
#include "base/number.h"
#include "judge/judgement_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPERATIONS_PER_PFLOPS 1e15

const char *pa_verdict_name(enum pa_verdict verdict) {
    switch (verdict) {
    case PA_PASS:
        return "PASS";
    case PA_FAIL:
        return "FAIL";
    case PA_INCONCLUSIVE:
        return "INCONCLUSIVE";
    case PA_INVALID:
        break;
    }
    return "INVALID";
}

void pa_figure_text(char out[PA_FIGURE_BYTES], double value) {
    if (isfinite(value) && value != 0) {
        double scale = pow(10, 3 - floor(log10(fabs(value))));
        if (isfinite(scale) && scale > 0 && isfinite(value * scale))
            value = round(value * scale) / scale;
    }
    pa_decimal_text(out, value);
    if (strchr(out, '.') == NULL)
        return;
    size_t length = strlen(out);
    while (out[length - 1] == '0')
        length--;
    if (out[length - 1] == '.')
        length--;
    out[length] = '\0';
}

double pa_judge_nominal(const struct pa_fact_device *device, enum pa_precision precision) {
    const struct pa_catalogue_row *row = pa_catalogue_find(device->model);
    if (row == NULL || row->confidence == PA_CONFIDENCE_LOW || device->partition[0] != '\0')
        return 0;
    return row->peak_per_second[precision];
}

static void sum_devices(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct pa_judgement *out = judging->out;
    bool is_referenced = true;
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_device *device = &facts->devices[d];
        out->raw_pflops += device->raw_per_second / OPERATIONS_PER_PFLOPS;
        if (device->operations <= 0)
            continue;
        out->reference_pflops += device->peak_per_second / OPERATIONS_PER_PFLOPS;
        is_referenced = is_referenced && device->peak_per_second > 0;
    }
    if (!is_referenced)
        out->reference_pflops = 0;
    struct pa_nominal_count count;
    out->nominal_pflops = pa_judge_nominal_sum(facts, judging->claim->precision, &count);
    out->nominal_devices = count.known;
    out->nominal_unknown = count.unknown;
    out->judged_upper_pflops = count.upper_pflops;
}

/* The sampling bound is one-sided and already inside of the verified rate, so that it is not added
 * again. */
static void measure(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    struct pa_judgement *out = judging->out;
    bool is_proven = facts->broken[0] == '\0' && facts->failed == 0 && facts->missing == 0;
    out->verified_rate_pflops = facts->credit.rate / OPERATIONS_PER_PFLOPS;
    if (is_proven) {
        out->honest_fraction_lower = facts->credit.honest_fraction;
        out->confidence = facts->credit.operations > 0 ? 1 - facts->credit.alpha_r : 0;
        out->verified_pflops = facts->credit.verified_rate / OPERATIONS_PER_PFLOPS;
        pa_rate_budget(facts, out->verified_pflops, &out->budget);
        out->verified_u = out->budget.expanded;
    }
    sum_devices(judging);
    pa_judge_sample(judging);
}

/* The largest of all devices that did work. Names are the site's word: whoever has one device that
 * gains by a substitute can let it answer for the others, so no mean of bounds would hold. */
static double substitution_of(const struct pa_facts *facts) {
    double largest = 1;
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_device *device = &facts->devices[d];
        if (device->operations > 0)
            largest =
                fmax(largest, pa_substitution_bound(facts->declaration.class_id, device->backend,
                                                    device->model, device->format, NULL));
    }
    return largest;
}

static void choose_basis(struct pa_judging *judging) {
    struct pa_judgement *out = judging->out;
    const struct pa_policy *policy = judging->policy;
    out->basis = policy->basis != PA_BASIS_NONE ? policy->basis : judging->claim->basis;
    if (out->basis == PA_BASIS_NONE)
        out->basis = PA_BASIS_SUSTAINED;
    if (out->basis == PA_BASIS_NOMINAL) {
        out->judged_pflops = out->nominal_pflops; /* and the upper end, from their sum */
        out->judged_u = 0;
        return;
    }
    double divisor = policy->inflation == PA_INFLATION_DIVIDE ? out->substitution_bound : 1;
    double relative = out->verified_pflops > 0 ? out->verified_u / out->verified_pflops : 0;
    out->judged_pflops = out->capacity_pflops / divisor;
    out->judged_upper_pflops = out->capacity_upper_pflops / divisor;
    out->judged_u = relative * out->capacity_scaled_pflops * (policy->k / 2) / divisor;
}

static void hold_against_claim(struct pa_judging *judging) {
    struct pa_judgement *out = judging->out;
    double u = judging->policy->k > 0 ? out->judged_u / judging->policy->k : out->judged_u / 2;
    pa_conformity_judge(&out->claim_conformity, PA_AT_LEAST, out->claim_pflops, out->judged_pflops,
                        u, out->basis == PA_BASIS_NOMINAL ? INFINITY : out->budget.freedom,
                        judging->policy->k > 0 ? judging->policy->k : 2);
    pa_judge_widen(judging, PA_AT_LEAST, out->claim_pflops, out->judged_upper_pflops, u,
                   &out->claim_conformity);
    out->conformity = out->claim_conformity.probability;
}

static int compare_findings(const void *left, const void *right) {
    const struct pa_finding *a = left, *b = right;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int order = strcmp(a->code, b->code);
    return order != 0 ? order : strcmp(a->text, b->text);
}

int pa_judge(const struct pa_facts *facts, const struct pa_claim *claim,
             const struct pa_policy *policy, struct pa_judgement *out, struct pa_error *error) {
    struct pa_judging judging = {.facts = facts, .claim = claim, .policy = policy, .out = out};
    memset(out, 0, sizeof *out);
    out->claim_pflops = claim->capacity_per_second / OPERATIONS_PER_PFLOPS;
    out->assurance = facts->assurance;
    out->budget.freedom = INFINITY;
    measure(&judging);
    out->substitution_bound = substitution_of(facts);
    choose_basis(&judging);
    pa_judge_find(&judging);
    /* Nobody is entitled to anything by evidence that does not hold. */
    if (judging.cause[PA_EFFECT_INVALID][0] != '\0') {
        out->verified_pflops = out->verified_u = out->judged_pflops = out->judged_u = 0;
        out->capacity_pflops = out->capacity_upper_pflops = out->judged_upper_pflops = 0;
        out->honest_fraction_lower = out->confidence = 0;
        out->budget = (struct pa_budget){.freedom = INFINITY};
    }
    hold_against_claim(&judging);
    pa_judge_requirements(&judging);
    pa_judge_entitle(&judging);
    pa_judge_decide(&judging);
    if (judging.out_of_memory) {
        pa_judgement_free(out);
        return pa_fail(error, PA_EMEMORY, "judging: out of memory");
    }
    if (out->finding_count > 1)
        qsort(out->findings, out->finding_count, sizeof *out->findings, compare_findings);
    return PA_OK;
}

void pa_judgement_free(struct pa_judgement *judgement) {
    free(judgement->findings);
    memset(judgement, 0, sizeof *judgement);
}
