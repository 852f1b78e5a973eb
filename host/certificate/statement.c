/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/statement.h"

#include "base/base.h"
#include "certificate/canonical.h"
#include "certificate/statement_parts.h"

#include <string.h>

static json_t *build_claim(struct pa_builder *b) {
    const struct pa_claim *claim = b->claim;
    json_t *accelerators = json_array();
    for (uint32_t i = 0; i < claim->accelerator_count; i++) {
        const struct pa_claimed_accelerator *kind = &claim->accelerators[i];
        json_t *item = json_object();
        pa_statement_put_count(b, item, "count", kind->count);
        pa_statement_put_known(b, item, "memory_gib", kind->memory_gib, kind->memory_gib > 0);
        pa_statement_put_text(b, item, "model", kind->model);
        pa_statement_append(b, accelerators, item);
    }
    json_t *out = json_object();
    pa_statement_put(b, out, "accelerators", accelerators);
    pa_statement_put_text(b, out, "basis",
                          claim->basis == PA_BASIS_NONE ? "not told" : pa_basis_name(claim->basis));
    pa_statement_put_truth(
        b, out, "is_declared",
        memcmp(claim->sha256, b->facts->declaration.claim.bytes, PA_HASH_BYTES) == 0);
    pa_statement_put_decimal(b, out, "pflops", b->judgement->claim_pflops);
    pa_statement_put_text(b, out, "precision", pa_precision_name(claim->precision));
    pa_statement_put_base64(b, out, "text_base64", claim->text, claim->text_bytes);
    pa_statement_put_hex(b, out, "text_sha256", claim->sha256);
    pa_statement_put_text(b, out, "unit", claim->capacity_unit);
    pa_statement_put_decimal(b, out, "value", claim->capacity_value);
    return out;
}

static json_t *build_policy(struct pa_builder *b) {
    const struct pa_policy *policy = b->policy;
    char open[64];
    pa_policy_open_text(policy, open, sizeof open);
    json_t *out = json_object();
    pa_statement_put_text(b, out, "acceptance",
                          policy->acceptance == PA_ACCEPT_GUARDED ? "guarded" : "simple");
    pa_statement_put_decimal(b, out, "alpha", policy->alpha);
    pa_statement_put_text(b, out, "assurance", pa_assurance_name(policy->assurance));
    pa_statement_put_text(b, out, "basis", pa_basis_name(policy->basis));
    pa_statement_put_known(b, out, "entitlement_mw", policy->entitlement_mw,
                           policy->has_entitlement);
    pa_statement_put_known(b, out, "entitlement_per_pflops", policy->entitlement_per_pflops,
                           policy->has_entitlement);
    pa_statement_put_decimal(b, out, "epoch_s", pa_statement_seconds(policy->epoch_ns));
    pa_statement_put_text(b, out, "inflation",
                          policy->inflation == PA_INFLATION_DIVIDE ? "divide" : "report");
    pa_statement_put_count(b, out, "interruptions", policy->interruptions);
    pa_statement_put_truth(
        b, out, "is_declared",
        memcmp(policy->sha256, b->facts->declaration.policy.bytes, PA_HASH_BYTES) == 0);
    pa_statement_put_text(b, out, "judges", pa_judges_name(policy->judges));
    pa_statement_put_decimal(b, out, "k", policy->k);
    pa_statement_put_decimal(b, out, "longest_gap_s", pa_statement_seconds(policy->longest_gap_ns));
    pa_statement_put_text(b, out, "name", policy->name);
    pa_statement_put_text(b, out, "open", open);
    pa_statement_put_count(b, out, "openings", policy->openings);
    pa_statement_put_text(b, out, "rounding",
                          policy->rounding == PA_ROUND_WHOLE_BLOCKS ? "whole_blocks"
                                                                    : "proportional");
    pa_statement_put_hex(b, out, "sha256", policy->sha256);
    pa_statement_put_text(b, out, "source", policy->source);
    pa_statement_put_base64(b, out, "text_base64", policy->text, policy->text_bytes);
    pa_statement_put_text(b, out, "title", policy->title);
    pa_statement_put_decimal(b, out, "window_s", pa_statement_seconds(policy->window_ns));
    return out;
}

static json_t *build_verified(struct pa_builder *b) {
    const struct pa_judgement *judgement = b->judgement;
    const struct pa_credit *credit = &b->facts->credit;
    json_t *out = json_object();
    pa_statement_put_decimal(b, out, "alpha_r", credit->alpha_r);
    pa_statement_put_decimal(b, out, "confidence", judgement->confidence);
    /* The witness in the prover's own process protects against errors, not against fraud: no
     * percentage may stand there. */
    char confidence[PA_DECIMAL_TEXT_BYTES + 2];
    pa_statement_percent_text(confidence, judgement->confidence);
    pa_statement_put_text(b, out, "confidence_text",
                          judgement->assurance == PA_ASSURANCE_SELF ? "self-declared" : confidence);
    pa_statement_put_decimal(b, out, "gap_s", pa_statement_seconds(credit->gap_ns));
    pa_statement_put_count(b, out, "gaps", credit->gaps);
    pa_statement_put_decimal(b, out, "honest_fraction_lower", judgement->honest_fraction_lower);
    pa_statement_put_decimal(b, out, "n_effective", credit->n_effective);
    pa_statement_put_decimal(b, out, "operations", credit->operations);
    pa_statement_put_decimal(b, out, "pflops", judgement->verified_pflops);
    pa_statement_put_decimal(b, out, "rate_pflops", judgement->verified_rate_pflops);
    pa_statement_put_decimal(b, out, "seconds", credit->seconds);
    pa_statement_put_decimal(b, out, "substitution_bound", judgement->substitution_bound);
    pa_statement_put_decimal(b, out, "u", judgement->verified_u);
    return out;
}

static json_t *build_findings(struct pa_builder *b) {
    json_t *out = json_array();
    for (uint32_t i = 0; i < b->judgement->finding_count; i++) {
        const struct pa_finding *finding = &b->judgement->findings[i];
        json_t *item = json_object();
        pa_statement_put_text(b, item, "advice", finding->advice);
        pa_statement_put_text(b, item, "code", finding->code);
        pa_statement_put_text(b, item, "evidence", finding->evidence);
        pa_statement_put_text(b, item, "severity", pa_severity_name(finding->severity));
        pa_statement_put_text(b, item, "text", finding->text);
        pa_statement_append(b, out, item);
    }
    return out;
}

static json_t *build_site(struct pa_builder *b) {
    json_t *out = json_object();
    pa_statement_put_text(b, out, "declared", b->facts->declaration.site);
    pa_statement_put_text(b, out, "name", b->claim->site_name);
    pa_statement_put_text(b, out, "region", b->claim->site_region);
    return out;
}

static json_t *build_signer(struct pa_builder *b) {
    struct pa_hash id;
    pa_public_key_id(b->issue->signer, &id);
    json_t *out = json_object();
    pa_statement_put_hex(b, out, "key_id", id.bytes);
    pa_statement_put_base64(b, out, "public_key", b->issue->signer, PA_PUBLIC_KEY_BYTES);
    return out;
}

static json_t *build_raw(struct pa_builder *b) {
    json_t *out = json_object();
    pa_statement_put_known(b, out, "pflops", b->judgement->raw_pflops,
                           b->judgement->raw_pflops > 0);
    return out;
}

/* What was measured is of a date: hardware is moved and sold. */
static json_t *build_validity(struct pa_builder *b) {
    static const uint64_t day_ns = UINT64_C(86400) * 1000000000;
    uint64_t from = b->facts->ended_utc_ns, length = PA_VALIDITY_DAYS * day_ns;
    json_t *out = json_object();
    pa_statement_put_utc(b, out, "from_utc", from);
    pa_statement_put_utc(b, out, "until_utc", from > UINT64_MAX - length ? from : from + length);
    return out;
}

static json_t *build_supersedes(struct pa_builder *b) {
    json_t *out = json_object();
    if (b->issue->has_superseded)
        pa_statement_put_hex(b, out, "statement_sha256", b->issue->superseded.bytes);
    else
        pa_statement_put(b, out, "statement_sha256", json_null());
    return out;
}

static json_t *build_predicate(struct pa_builder *b) {
    const struct pa_facts *facts = b->facts;
    json_t *out = json_object();
    pa_statement_put(b, out, "allreduce", pa_statement_build_allreduce(b));
    pa_statement_put_text(b, out, "assurance", pa_assurance_name(b->judgement->assurance));
    pa_statement_put_text(b, out, "center", b->claim->center);
    pa_statement_put(b, out, "claim", build_claim(b));
    pa_statement_put(b, out, "coupled", pa_statement_build_coupled(b));
    pa_statement_put_count(b, out, "device_count", facts->device_count);
    json_t *devices = pa_statement_build_devices(b);
    pa_statement_put(b, out, "device_list",
                     pa_statement_build_device_list(b, json_array_size(devices)));
    pa_statement_put(b, out, "devices", devices);
    pa_statement_put(b, out, "entitlement", pa_statement_build_entitlement(b));
    pa_statement_put_count(b, out, "epoch_count", facts->epoch_count);
    pa_statement_put(b, out, "epochs", pa_statement_build_epochs(b));
    pa_statement_put(b, out, "fabric", pa_statement_build_fabric(b));
    pa_statement_put(b, out, "findings", build_findings(b));
    pa_statement_put_utc(b, out, "issued_utc", facts->ended_utc_ns);
    pa_statement_put(b, out, "judged", pa_statement_build_judged(b));
    pa_statement_put(b, out, "judges_again", pa_statement_build_judges_again(b));
    pa_statement_put(b, out, "nominal", pa_statement_build_nominal(b));
    pa_statement_put(b, out, "not_proven", pa_build_not_proven(b));
    pa_statement_put(b, out, "openings", pa_statement_build_openings(b));
    pa_statement_put_text(b, out, "operator", b->claim->operator_name);
    pa_statement_put(b, out, "policy", build_policy(b));
    pa_statement_put(b, out, "power", pa_statement_build_power(b));
    pa_statement_put(b, out, "radius", pa_statement_build_radius(b));
    pa_statement_put(b, out, "raw", build_raw(b));
    pa_statement_put_text(b, out, "reason", b->judgement->reason);
    pa_statement_put_rates(b, out);
    pa_statement_put(b, out, "requirements", pa_statement_build_requirements(b));
    pa_statement_put_text(b, out, "result", facts->is_certified ? "CERTIFICATE" : "TEST");
    pa_statement_put(b, out, "sample", pa_statement_build_sample(b));
    pa_statement_put_text(b, out, "schema", PA_CERTIFICATE_SCHEMA);
    pa_statement_put(b, out, "session", pa_statement_build_session(b));
    pa_statement_put(b, out, "signer", build_signer(b));
    pa_statement_put(b, out, "site", build_site(b));
    pa_statement_put(b, out, "supersedes", build_supersedes(b));
    pa_statement_put(b, out, "tool", pa_statement_build_tool(b));
    pa_statement_put_trusted_comment(b, out);
    pa_statement_put(b, out, "uncertainty", pa_statement_build_uncertainty(b));
    pa_statement_put(b, out, "validity", build_validity(b));
    pa_statement_put_text(b, out, "verdict", pa_verdict_name(b->judgement->verdict));
    pa_statement_put(b, out, "verified", build_verified(b));
    pa_statement_put(b, out, "watermark", pa_statement_build_watermark(b));
    return out;
}

int pa_statement_build(const struct pa_facts *facts, const struct pa_claim *claim,
                       const struct pa_policy *policy, const struct pa_judgement *judgement,
                       const struct pa_issue *issue, json_t **out, struct pa_error *error) {
    struct pa_builder b = {.facts = facts, .claim = claim, .policy = policy, .issue = issue};
    b.judgement = judgement;
    *out = NULL;
    PA_TRY(pa_straggling_find(facts, &b.straggling, error));
    if (facts->device_count > PA_STATEMENT_MOST_DEVICES &&
        pa_device_list_hash(facts, claim, &b.device_list, error) != PA_OK) {
        pa_straggling_free(&b.straggling);
        return error != NULL ? error->code : PA_EMEMORY;
    }
    json_t *digest = json_object();
    pa_statement_put_hex(&b, digest, "sha256", facts->transcript.bytes);
    json_t *subject = json_object();
    pa_statement_put(&b, subject, "digest", digest);
    pa_statement_put_text(&b, subject, "name", "evidence.db");
    json_t *subjects = json_array();
    pa_statement_append(&b, subjects, subject);
    json_t *statement = json_object();
    pa_statement_put_text(&b, statement, "_type", PA_STATEMENT_TYPE);
    pa_statement_put(&b, statement, "predicate", build_predicate(&b));
    pa_statement_put_text(&b, statement, "predicateType",
                          facts->is_certified ? PA_PREDICATE_CERTIFICATE : PA_PREDICATE_TEST);
    pa_statement_put(&b, statement, "subject", subjects);
    pa_straggling_free(&b.straggling);
    if (b.failed || statement == NULL || b.not_finite != NULL) {
        json_decref(statement);
        return b.not_finite != NULL
                   ? pa_fail(error, PA_EINTERNAL,
                             "building the statement: figure \"%s\" is not a finite number",
                             b.not_finite)
                   : pa_fail(error, PA_EMEMORY, "building the statement: out of memory");
    }
    *out = statement;
    return PA_OK;
}
