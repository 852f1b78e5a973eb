/* SPDX-License-Identifier: Apache-2.0 */
/* statement_judgement.c - the parts of a statement that follow from judging: what was held against
 * what, how sure it is, and what it would be under other readings of the rule. */
#include "certificate/statement_parts.h"

#include <math.h>

/* Infinite degrees of freedom are null: nothing limits them. */
static void put_freedom(struct pa_builder *b, json_t *object, double freedom) {
    bool is_finite = isfinite(freedom);
    pa_statement_put_known(b, object, "freedom", is_finite ? freedom : 0, is_finite);
}

static json_t *build_sources(struct pa_builder *b, const struct pa_budget *budget) {
    json_t *out = json_array();
    for (uint32_t i = 0; i < budget->count; i++) {
        const struct pa_uncertainty_source *source = &budget->sources[i];
        json_t *item = json_object();
        pa_statement_put_text(b, item, "basis", source->basis);
        pa_statement_put_decimal(b, item, "contribution", source->contribution);
        pa_statement_put_text(b, item, "distribution", pa_distribution_name(source->distribution));
        pa_statement_put_text(b, item, "evaluation", pa_evaluation_name(source->evaluation));
        put_freedom(b, item, source->freedom);
        pa_statement_put_text(b, item, "name", source->name);
        pa_statement_put_decimal(b, item, "sensitivity", source->sensitivity);
        pa_statement_put_decimal(b, item, "standard", source->standard);
        pa_statement_put_decimal(b, item, "value", source->value);
        pa_statement_append(b, out, item);
    }
    return out;
}

json_t *pa_statement_build_uncertainty(struct pa_builder *b) {
    const struct pa_budget *budget = &b->judgement->budget;
    json_t *out = json_object();
    pa_statement_put_decimal(b, out, "combined", budget->combined);
    pa_statement_put_decimal(b, out, "coverage", budget->coverage);
    pa_statement_put_decimal(b, out, "expanded", budget->expanded);
    pa_statement_put_decimal(b, out, "expanded_95", budget->expanded_95);
    put_freedom(b, out, budget->freedom);
    pa_statement_put_decimal(b, out, "k", 2);
    pa_statement_put_decimal(b, out, "k_95", budget->k_95);
    pa_statement_put_text(b, out, "quantity", "verified.pflops");
    pa_statement_put(b, out, "sources", build_sources(b, budget));
    pa_statement_put_text(b, out, "unit", "PFLOPS");
    pa_statement_put_decimal(b, out, "value", budget->y);
    return out;
}

static const char *decision_name(enum pa_decision decision) {
    return decision == PA_DECISION_PASS   ? "PASS"
           : decision == PA_DECISION_FAIL ? "FAIL"
                                          : "INCONCLUSIVE";
}

json_t *pa_statement_build_judged(struct pa_builder *b) {
    const struct pa_judgement *judgement = b->judgement;
    const struct pa_conformity *conformity = &judgement->claim_conformity;
    json_t *out = json_object();
    pa_statement_put_decimal(b, out, "acceptance_limit", conformity->acceptance_limit);
    pa_statement_put_text(b, out, "basis", pa_basis_name(judgement->basis));
    pa_statement_put_decimal(b, out, "conformity", judgement->conformity);
    pa_statement_put_decimal(b, out, "consumer_risk", conformity->consumer_risk);
    pa_statement_put_text(b, out, "guarded", decision_name(conformity->guarded));
    pa_statement_put_decimal(b, out, "pflops", judgement->judged_pflops);
    pa_statement_put_decimal(b, out, "producer_risk", conformity->producer_risk);
    pa_statement_put_decimal(b, out, "rejection_limit", conformity->rejection_limit);
    pa_statement_put_text(b, out, "simple", decision_name(conformity->simple));
    pa_statement_put_decimal(b, out, "u", judgement->judged_u);
    return out;
}

static json_t *build_readings(struct pa_builder *b) {
    const struct pa_judgement *judgement = b->judgement;
    json_t *out = json_array();
    for (uint32_t i = 0; i < judgement->reading_count; i++) {
        const struct pa_reading *reading = &judgement->readings[i];
        bool has_mw = reading->is_known && judgement->has_entitlement;
        json_t *item = json_object();
        pa_statement_put_text(b, item, "basis", pa_basis_name(reading->basis));
        pa_statement_put_truth(b, item, "is_judged", reading->is_judged);
        pa_statement_put_known(b, item, "mw", reading->entitled_mw, has_mw);
        pa_statement_put_known(b, item, "overclaim_mw", reading->overclaim_mw,
                               has_mw && judgement->granted_mw >= 0);
        pa_statement_put_known(b, item, "pflops", reading->pflops, reading->is_known);
        pa_statement_put_text(b, item, "precision", pa_precision_name(reading->precision));
        pa_statement_put_text(b, item, "rounding",
                              reading->rounding == PA_ROUND_WHOLE_BLOCKS ? "whole_blocks"
                                                                         : "proportional");
        pa_statement_append(b, out, item);
    }
    return out;
}

json_t *pa_statement_build_entitlement(struct pa_builder *b) {
    const struct pa_judgement *judgement = b->judgement;
    bool has = judgement->has_entitlement, is_granted = judgement->granted_mw >= 0;
    json_t *out = json_object();
    pa_statement_put_known(b, out, "counted_pflops", judgement->counted_pflops, has);
    pa_statement_put_known(b, out, "granted_mw", judgement->granted_mw, is_granted);
    pa_statement_put_known(b, out, "granted_pflops", judgement->granted_pflops, is_granted && has);
    pa_statement_put_known(b, out, "mw", judgement->entitled_mw, has);
    pa_statement_put_known(b, out, "overclaim_mw", judgement->overclaim_mw, is_granted && has);
    pa_statement_put(b, out, "readings", build_readings(b));
    return out;
}

static json_t *build_requirement(struct pa_builder *b, const struct pa_requirement *requirement,
                                 const struct pa_requirement_result *result) {
    char text[PA_REQUIREMENT_TEXT_BYTES];
    double scale = requirement->as_written / requirement->limit;
    bool is_counted = requirement->quantity == PA_QUANTITY_DEVICES;
    bool is_sure = result->is_known && !is_counted;
    pa_requirement_text(requirement, text);
    json_t *out = json_object();
    pa_statement_put_text(b, out, "bound", requirement->is_at_most ? "at_most" : "at_least");
    pa_statement_put_known(b, out, "conformity", result->conformity.probability, is_sure);
    pa_statement_put_known(b, out, "expanded", b->policy->k * result->budget.combined * scale,
                           is_sure);
    pa_statement_put_decimal(b, out, "limit", requirement->as_written);
    pa_statement_put_text(b, out, "model", requirement->model);
    pa_statement_put_text(b, out, "quantity", pa_quantity_name(requirement->quantity));
    pa_statement_put_text(b, out, "reason", result->reason);
    pa_statement_put_known(b, out, "share_of_peak", requirement->share_of_peak, is_counted);
    pa_statement_put(b, out, "sources", build_sources(b, &result->budget));
    pa_statement_put_text(b, out, "text", text);
    pa_statement_put_text(b, out, "unit", requirement->unit);
    pa_statement_put_known(b, out, "value", result->budget.y * scale, result->is_known);
    pa_statement_put_text(b, out, "verdict", pa_verdict_name(result->verdict));
    return out;
}

json_t *pa_statement_build_requirements(struct pa_builder *b) {
    json_t *out = json_array();
    for (uint32_t i = 0; i < b->judgement->requirement_count; i++)
        pa_statement_append(
            b, out,
            build_requirement(b, &b->policy->requirements[i], &b->judgement->requirements[i]));
    return out;
}

json_t *pa_statement_build_nominal(struct pa_builder *b) {
    const struct pa_judgement *judgement = b->judgement;
    uint8_t hash[PA_HASH_BYTES];
    pa_catalogue_sha256(hash);
    json_t *out = json_object();
    pa_statement_put_hex(b, out, "catalogue_sha256", hash);
    pa_statement_put_count(b, out, "devices_known", judgement->nominal_devices);
    pa_statement_put_count(b, out, "devices_unknown", judgement->nominal_unknown);
    pa_statement_put_known(b, out, "pflops", judgement->nominal_pflops,
                           judgement->nominal_pflops > 0);
    pa_statement_put_known(b, out, "reference_pflops", judgement->reference_pflops,
                           judgement->reference_pflops > 0);
    return out;
}

/* Why there is no rate, in words; empty where there is one. */
static const char *why_not_coupled(const struct pa_facts *facts) {
    const struct pa_fact_coupled *coupled = &facts->coupled;
    switch (coupled->state) {
    case PA_COUPLED_MEASURED:
        return "";
    case PA_COUPLED_WRONG:
        return "The sums were wrong.";
    case PA_COUPLED_LOST:
    case PA_COUPLED_NOT_MEASURED:
        return coupled->reason;
    case PA_COUPLED_UNKNOWN:
        break;
    }
    return facts->device_count == 1 ? "One device has nothing to couple."
                                    : "The session did not come to it.";
}

static const char *coupled_state(const struct pa_facts *facts) {
    static const char *const states[] = {[PA_COUPLED_MEASURED] = "measured",
                                         [PA_COUPLED_WRONG] = "wrong",
                                         [PA_COUPLED_LOST] = "lost",
                                         [PA_COUPLED_NOT_MEASURED] = "not measured"};
    if (facts->coupled.state != PA_COUPLED_UNKNOWN)
        return states[facts->coupled.state];
    return facts->device_count == 1 ? "one device" : "not measured";
}

/* Multiplication and all-reduce at once. What a system does better than its devices is noise of the
 * two measurements: its loss is 0. */
json_t *pa_statement_build_coupled(struct pa_builder *b) {
    const struct pa_fact_coupled *coupled = &b->facts->coupled;
    bool is_measured = coupled->state == PA_COUPLED_MEASURED;
    double rate = is_measured ? coupled->operations / ((double)coupled->time_ns * 1e-9) : 0;
    double alone = is_measured ? coupled->alone_per_second : 0;
    json_t *out = json_object();
    pa_statement_put_count(b, out, "bytes", coupled->bytes);
    pa_statement_put_count(b, out, "hosts", coupled->hosts);
    pa_statement_put_known(b, out, "loss", rate < alone ? 1 - rate / alone : 0, is_measured);
    pa_statement_put_known(b, out, "pflops", rate * 1e-15, is_measured);
    pa_statement_put_count(b, out, "ranks", coupled->ranks);
    pa_statement_put_text(b, out, "reason", why_not_coupled(b->facts));
    pa_statement_put_text(b, out, "state", coupled_state(b->facts));
    pa_statement_put_count(b, out, "steps", coupled->steps);
    pa_statement_put_known(b, out, "sum_pflops", alone * 1e-15, is_measured);
    return out;
}

json_t *pa_statement_build_judges_again(struct pa_builder *b) {
    json_t *out = json_object();
    if (b->issue->has_judged_again)
        pa_statement_put_hex(b, out, "statement_sha256", b->issue->judged_again.bytes);
    else
        pa_statement_put(b, out, "statement_sha256", json_null());
    pa_statement_put_text(b, out, "verdict",
                          b->issue->has_judged_again ? b->issue->judged_verdict : "");
    return out;
}
