/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate against its evidence: built again, or contradicted with the first member named. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "certificate_samples.h"
#include "evidence_factory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/petaudit-test-XXXXXX";

static const char claim_text[] = "center: Small centre\n"
                                 "operator: Small Systems\n"
                                 "site: {name: Desk, region: Nowhere}\n"
                                 "capacity: {value: 1, unit: KFLOPS, precision: fp16}\n"
                                 "policy: xinjiang-2024\n";
static const char policy_text[] =
    "policy: sample\n"
    "title: A rule for samples\n"
    "source: invented for tests\n"
    "entitlement: {mw: 400, per_pflops: 500, rounding: proportional}\n"
    "basis: sustained\n"
    "acceptance: {rule: guarded, k: 2}\n"
    "session: {window_s: 60, epoch_s: 20, alpha: 0.01, openings: 60, interruptions: 1, "
    "longest_gap_s: 900}\n"
    "inflation: report\n"
    "assurance: self\n";

static int set_up(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct pa_store *evidence(const char *name, enum evidence_flaw flaw, uint32_t serial) {
    char path[128];
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_store *store = NULL;
    struct pa_error error = {0};
    recipe.claim_text = claim_text;
    recipe.policy_text = policy_text;
    recipe.flaw = flaw;
    recipe.serial = serial;
    snprintf(path, sizeof path, "%s/%s.db", folder, name);
    evidence_make(path, &recipe);
    if (pa_store_open_readonly(path, &store, &error) != PA_OK)
        fail_msg("%s", error.text);
    return store;
}

/* Judge and sign; by a claim that need not be the declared one. */
static void issue(struct pa_store *store, const char *claim_used, struct pa_buffer *file) {
    struct certificate_sample audit = {0};
    struct pa_error error = {0};
    struct pa_issue issue = {0};
    json_t *statement = NULL;
    struct pa_key *key = certificate_sample_key();
    pa_key_public(key, issue.signer);
    if (pa_facts_collect(store, PA_RECHECK_PATHS, &audit.facts, &error) != PA_OK ||
        pa_claim_parse("claim", claim_used, strlen(claim_used), &audit.claim, &error) != PA_OK ||
        pa_policy_parse("policy", policy_text, strlen(policy_text), &audit.policy, &error) !=
            PA_OK ||
        pa_judge(&audit.facts, &audit.claim, &audit.policy, &audit.judgement, &error) != PA_OK ||
        pa_statement_build(&audit.facts, &audit.claim, &audit.policy, &audit.judgement, &issue,
                           &statement, &error) != PA_OK ||
        pa_envelope_sign(statement, key, file, &error) != PA_OK)
        fail_msg("%s", error.text);
    json_decref(statement);
    pa_key_free(key);
    certificate_sample_free(&audit);
}

static void the_evidence_gives_every_figure_again(void **state) {
    (void)state;
    struct pa_store *store = evidence("honest", FLAW_NONE, 1);
    struct pa_verification verification;
    struct pa_error error = {0};
    struct pa_buffer file = {0};
    const char *underived[PA_UNDERIVED_MOST];
    issue(store, claim_text, &file);
    assert_int_equal(pa_certificate_verify(file.data, file.size, &verification, &error), PA_OK);
    pa_verification_underived(&verification, underived);
    assert_non_null(strstr(underived[0], "every figure"));
    for (int recheck = PA_RECHECK_PATHS; recheck <= PA_RECHECK_TILES; recheck++) {
        if (pa_verification_evidence(&verification, store, (enum pa_recheck)recheck, &error) !=
            PA_OK)
            fail_msg("%s", error.text);
        assert_int_equal(verification.evidence, PA_EVIDENCE_AGREES);
    }
    pa_verification_underived(&verification, underived);
    assert_null(strstr(underived[0], "every figure"));
    pa_verification_free(&verification);
    pa_buffer_free(&file);
    pa_store_close(store);
}

static void judging_again_by_another_claim_still_agrees(void **state) {
    (void)state;
    static const char other[] = "center: Small centre\n"
                                "operator: Small Systems\n"
                                "site: {name: Desk, region: Nowhere}\n"
                                "capacity: {value: 500, unit: PFLOPS, precision: fp16}\n"
                                "grid_connection_mw: 400\n"
                                "policy: xinjiang-2024\n";
    struct pa_store *store = evidence("rejudged", FLAW_NONE, 1);
    struct pa_verification verification;
    struct pa_error error = {0};
    struct pa_buffer file = {0};
    issue(store, other, &file);
    assert_int_equal(pa_certificate_verify(file.data, file.size, &verification, &error), PA_OK);
    if (pa_verification_evidence(&verification, store, PA_RECHECK_PATHS, &error) != PA_OK)
        fail_msg("%s", error.text);
    const json_t *claim =
        json_object_get(json_object_get(verification.statement, "predicate"), "claim");
    assert_true(json_is_false(json_object_get(claim, "is_declared")));
    pa_verification_free(&verification);
    pa_buffer_free(&file);
    pa_store_close(store);
}

static void evidence_of_another_session_is_told(void **state) {
    (void)state;
    struct pa_store *store = evidence("first", FLAW_NONE, 1);
    struct pa_store *other = evidence("second", FLAW_NONE, 2);
    struct pa_verification verification;
    struct pa_error error = {0};
    struct pa_buffer file = {0};
    issue(store, claim_text, &file);
    assert_int_equal(pa_certificate_verify(file.data, file.size, &verification, &error), PA_OK);
    assert_int_equal(pa_verification_evidence(&verification, other, PA_RECHECK_PATHS, &error),
                     PA_EINVALID);
    assert_non_null(strstr(verification.failure, "another session"));
    assert_int_equal(verification.evidence, PA_EVIDENCE_CONTRADICTS);
    pa_verification_free(&verification);
    pa_buffer_free(&file);
    pa_store_close(store);
    pa_store_close(other);
}

static void an_authentic_lie_is_named(void **state) {
    (void)state;
    struct pa_store *store = evidence("lie", FLAW_NONE, 1);
    struct pa_verification verification;
    struct pa_error error = {0};
    struct pa_buffer file = {0}, forged = {0};
    issue(store, claim_text, &file);
    assert_int_equal(pa_certificate_verify(file.data, file.size, &verification, &error), PA_OK);
    json_t *statement = json_deep_copy(verification.statement);
    pa_verification_free(&verification);
    json_t *verified = json_object_get(json_object_get(statement, "predicate"), "verified");
    json_object_set_new(verified, "pflops", json_string("999.000000"));
    struct pa_key *key = certificate_sample_key();
    assert_int_equal(pa_envelope_sign(statement, key, &forged, &error), PA_OK);
    assert_int_equal(pa_certificate_verify(forged.data, forged.size, &verification, &error), PA_OK);
    assert_int_equal(pa_verification_evidence(&verification, store, PA_RECHECK_PATHS, &error),
                     PA_EINVALID);
    assert_non_null(strstr(verification.failure, "predicate.verified.pflops"));
    assert_non_null(strstr(verification.failure, "999"));
    pa_verification_free(&verification);
    json_decref(statement);
    pa_key_free(key);
    pa_buffer_free(&file);
    pa_buffer_free(&forged);
    pa_store_close(store);
}

static void broken_evidence_gives_an_authentic_invalid(void **state) {
    (void)state;
    struct pa_store *store = evidence("broken", FLAW_FLIPPED_OPENING, 1);
    struct pa_verification verification;
    struct pa_error error = {0};
    struct pa_buffer file = {0};
    issue(store, claim_text, &file);
    assert_int_equal(pa_certificate_verify(file.data, file.size, &verification, &error), PA_OK);
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(verification.statement, "predicate"), "verdict")),
                        "INVALID");
    if (pa_verification_evidence(&verification, store, PA_RECHECK_PATHS, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_verification_free(&verification);
    pa_buffer_free(&file);
    pa_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_evidence_gives_every_figure_again),
        cmocka_unit_test(judging_again_by_another_claim_still_agrees),
        cmocka_unit_test(evidence_of_another_session_is_told),
        cmocka_unit_test(an_authentic_lie_is_named),
        cmocka_unit_test(broken_evidence_gives_an_authentic_invalid),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
