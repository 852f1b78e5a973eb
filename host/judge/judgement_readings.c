/* SPDX-License-Identifier: Apache-2.0 */
/* judgement_readings.c - entitlement in MW, and what it would be under each reading of a clause
 * that leaves basis, precision or rounding open. */
#include "judge/judgement_inside.h"

#include <math.h>

static double counted(const struct pa_policy *policy, enum pa_rounding rounding, double pflops) {
    if (rounding == PA_ROUND_PROPORTIONAL)
        return pflops;
    return floor(pflops / policy->entitlement_per_pflops) * policy->entitlement_per_pflops;
}

static double megawatts(const struct pa_policy *policy, double pflops) {
    return pflops / policy->entitlement_per_pflops * policy->entitlement_mw;
}

/* The catalogue's sum in a precision; 0 unless each device that did work has a peak there. */
static double nominal_in(const struct pa_facts *facts, enum pa_precision precision) {
    struct pa_nominal_count count;
    double sum = pa_judge_nominal_sum(facts, precision, &count);
    return count.unknown == 0 ? sum : 0;
}

/* What was sustained in a precision: known where the session proved the class that it needs. */
static double sustained_in(const struct pa_judging *judging, enum pa_precision precision) {
    bool is_provable;
    uint32_t class_id = pa_precision_class(precision, &is_provable);
    if (!is_provable || class_id != (uint32_t)judging->facts->declaration.class_id)
        return 0;
    const struct pa_judgement *out = judging->out;
    return judging->policy->inflation == PA_INFLATION_DIVIDE
               ? out->capacity_pflops / out->substitution_bound
               : out->capacity_pflops;
}

static void add_reading(struct pa_judging *judging, enum pa_basis basis,
                        enum pa_precision precision, enum pa_rounding rounding) {
    struct pa_judgement *out = judging->out;
    const struct pa_policy *policy = judging->policy;
    struct pa_reading *reading = &out->readings[out->reading_count++];
    *reading = (struct pa_reading){.basis = basis, .precision = precision, .rounding = rounding};
    reading->is_judged = basis == out->basis && precision == judging->claim->precision &&
                         rounding == policy->rounding;
    if (judging->cause[PA_EFFECT_INVALID][0] == '\0')
        reading->pflops = basis == PA_BASIS_NOMINAL ? nominal_in(judging->facts, precision)
                                                    : sustained_in(judging, precision);
    reading->is_known = reading->pflops > 0;
    if (!reading->is_known || !out->has_entitlement)
        return;
    reading->entitled_mw = megawatts(policy, counted(policy, rounding, reading->pflops));
    reading->overclaim_mw = fmax(0, out->granted_mw - reading->entitled_mw);
}

static void add_roundings(struct pa_judging *judging, enum pa_basis basis,
                          enum pa_precision precision) {
    const struct pa_policy *policy = judging->policy;
    bool is_open = (policy->open & PA_OPEN_ROUNDING) != 0;
    if (is_open || policy->rounding == PA_ROUND_PROPORTIONAL)
        add_reading(judging, basis, precision, PA_ROUND_PROPORTIONAL);
    if (is_open || policy->rounding == PA_ROUND_WHOLE_BLOCKS)
        add_reading(judging, basis, precision, PA_ROUND_WHOLE_BLOCKS);
}

static void add_bases(struct pa_judging *judging, enum pa_precision precision) {
    bool is_open = (judging->policy->open & PA_OPEN_BASIS) != 0;
    enum pa_basis judged = judging->out->basis;
    if (is_open || judged == PA_BASIS_SUSTAINED)
        add_roundings(judging, PA_BASIS_SUSTAINED, precision);
    if (is_open || judged == PA_BASIS_NOMINAL)
        add_roundings(judging, PA_BASIS_NOMINAL, precision);
}

void pa_judge_entitle(struct pa_judging *judging) {
    struct pa_judgement *out = judging->out;
    const struct pa_policy *policy = judging->policy;
    enum pa_precision precision = judging->claim->precision;
    out->granted_mw = judging->claim->grid_connection_mw;
    out->has_entitlement = policy->has_entitlement && policy->entitlement_per_pflops > 0;
    if (out->has_entitlement) {
        out->counted_pflops = counted(policy, policy->rounding, out->judged_pflops);
        out->entitled_mw = megawatts(policy, out->counted_pflops);
        if (out->granted_mw > out->entitled_mw)
            out->overclaim_mw = out->granted_mw - out->entitled_mw;
        if (out->granted_mw > 0)
            out->granted_pflops =
                out->granted_mw / policy->entitlement_mw * policy->entitlement_per_pflops;
    }
    if (policy->open == 0)
        return;
    add_bases(judging, precision);
    /* A "P" is most often dense fp16, whatever precision a claim is in; bf16 is the same rate. */
    if ((policy->open & PA_OPEN_PRECISION) != 0 && precision != PA_PRECISION_FP16 &&
        precision != PA_PRECISION_BF16)
        add_bases(judging, PA_PRECISION_FP16);
}
