/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement as a pure function: facts are made by hand, figures and verdict are known. */
#include "cmocka_setup.h"

#include "judgement_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void a_claim_that_is_met_passes(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.verdict, PA_PASS);
    assert_true(fabs(judgement.verified_pflops - 1.3986) < 1e-9);
    assert_true(judgement.verified_u > 0 && judgement.verified_u < 0.01);
    assert_true(judgement.conformity > 0.999);
    assert_true(fabs(judgement.confidence - 0.995) < 1e-12);
    assert_true(fabs(judgement.entitled_mw - 1.11888) < 1e-9);
    assert_true(judgement.overclaim_mw == 0);
    assert_true(fabs(judgement.raw_pflops - 1.44) < 1e-9);
    assert_true(judgement.substitution_bound == 1);
    assert_int_equal(judgement.finding_count, 1);
    assert_non_null(finding(&judgement, "SELF_DECLARED"));
    assert_non_null(strstr(judgement.reason, "The claim of 1 PFLOPS fp16 is met: 1.399"));
    pa_judgement_free(&judgement);
}

static void a_claim_that_is_not_met_fails_and_says_by_how_many_megawatts(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.claim.capacity_per_second = 500e15;
    bench.claim.grid_connection_mw = 400;
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.verdict, PA_FAIL);
    assert_true(fabs(judgement.overclaim_mw - (400 - 1.11888)) < 1e-9);
    assert_true(judgement.conformity < 1e-9);
    assert_non_null(strstr(judgement.reason, "The claim of 500 PFLOPS fp16 is not met"));
    assert_non_null(strstr(judgement.reason, "398.9 MW too much"));
    pa_judgement_free(&judgement);
}

static void the_guard_band_lies_on_both_sides_of_the_claim(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    struct pa_judgement judgement = judged(&bench);
    double y = judgement.judged_pflops * 1e15, u = judgement.judged_u * 1e15;
    pa_judgement_free(&judgement);
    static const struct {
        double offset; /* of the claim from y, in U */
        enum pa_verdict guarded, simple;
    } cases[] = {
        {-1.1, PA_PASS, PA_PASS},
        {-0.9, PA_INCONCLUSIVE, PA_PASS},
        {0.9, PA_INCONCLUSIVE, PA_FAIL},
        {1.1, PA_FAIL, PA_FAIL},
    };
    for (int i = 0; i < 4; i++) {
        bench.claim.capacity_per_second = y + cases[i].offset * u;
        bench.policy.acceptance = PA_ACCEPT_GUARDED;
        assert_int_equal(verdict(&bench), cases[i].guarded);
        bench.policy.acceptance = PA_ACCEPT_SIMPLE;
        assert_int_equal(verdict(&bench), cases[i].simple);
    }
    bench.policy.acceptance = PA_ACCEPT_GUARDED;
    bench.policy.k = 3;
    bench.claim.capacity_per_second = y - 1.1 * u;
    assert_int_equal(verdict(&bench), PA_INCONCLUSIVE);
    bench.policy.k = 2;
    bench.claim.capacity_per_second = y;
    judgement = judged(&bench);
    assert_true(fabs(judgement.conformity - 0.5) < 1e-9);
    assert_true(fabs(judgement.claim_conformity.consumer_risk - 0.5) < 1e-9);
    assert_int_equal(judgement.claim_conformity.guarded, PA_DECISION_OPEN);
    assert_int_equal(judgement.claim_conformity.simple, PA_DECISION_PASS);
    pa_judgement_free(&judgement);
}

static void uncertainty_is_the_root_sum_of_squares(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    struct pa_judgement judgement = judged(&bench);
    /* Rates 1 +- 0.001 by turns over six epochs. The straight line through them: the slope is
     * sum(t r) / sum(t^2) = -0.003 / 17.5 an epoch, so that 6e-6 less 0.003^2 / 17.5 are left of
     * the squares, over 4 degrees of freedom; it changes by 5 slopes from the first epoch to the
     * last. */
    double residual = 6e-6 - 9e-6 / 17.5, slope = 0.003 / 17.5;
    double repeated = sqrt(residual / 4 / 6), drift = 5 * slope / 2 / sqrt(3);
    double clock = 1e-4 / sqrt(3), rounding = 5e-9 / sqrt(3);
    double expected =
        2 * sqrt(repeated * repeated + drift * drift + clock * clock + rounding * rounding) *
        judgement.verified_pflops;
    assert_true(fabs(judgement.verified_u / expected - 1) < 1e-9);
    assert_int_equal(judgement.budget.count, 5);
    assert_true(fabs(judgement.budget.sources[2].freedom - 4) < 1e-12);
    assert_true(judgement.budget.freedom > 4 && judgement.budget.freedom < 40);
    pa_judgement_free(&judgement);
}

static void one_epoch_is_never_enough_to_pass(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.facts.epoch_count = bench.facts.declaration.epochs = 1;
    bench.claim.capacity_per_second = 1;
    assert_int_equal(verdict(&bench), PA_INCONCLUSIVE);
    bench.policy.acceptance = PA_ACCEPT_SIMPLE;
    assert_int_equal(verdict(&bench), PA_INCONCLUSIVE);
}

static void entitlement_goes_by_blocks_where_the_policy_says_so(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.policy.rounding = PA_ROUND_WHOLE_BLOCKS;
    bench.policy.entitlement_per_pflops = 0.5;
    struct pa_judgement judgement = judged(&bench);
    assert_true(judgement.entitled_mw == 800);
    pa_judgement_free(&judgement);
    bench.policy.has_entitlement = false;
    judgement = judged(&bench);
    assert_false(judgement.has_entitlement);
    assert_true(judgement.overclaim_mw == 0);
    pa_judgement_free(&judgement);
}

static void the_policy_chooses_the_basis(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.policy.basis = PA_BASIS_NOMINAL;
    bench.claim.basis = PA_BASIS_SUSTAINED;
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.basis, PA_BASIS_NOMINAL);
    assert_true(judgement.judged_pflops == judgement.nominal_pflops);
    assert_true(judgement.nominal_pflops > 1.9 && judgement.nominal_pflops < 2.1);
    assert_true(judgement.judged_u == 0);
    assert_non_null(finding(&judgement, "BASIS_OVERRIDDEN"));
    pa_judgement_free(&judgement);
    strcpy(bench.devices[0].model, "Unheard of");
    assert_int_equal(verdict(&bench), PA_INCONCLUSIVE);
}

/* The bound of a mean would be 4/3: too small where one card does the work of both. */
static void the_largest_bound_of_all_devices_counts(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    strcpy(bench.devices[1].model, "Unheard of");
    struct pa_judgement judgement = judged(&bench);
    assert_true(fabs(judgement.substitution_bound - 2) < 1e-12);
    pa_judgement_free(&judgement);
    bench.devices[1].operations = 0;
    judgement = judged(&bench);
    assert_true(judgement.substitution_bound == 1);
    pa_judgement_free(&judgement);
}

static void inflation_divides_only_where_the_policy_says_so(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    for (int d = 0; d < DEVICES; d++) {
        strcpy(bench.devices[d].backend, "cpu");
        strcpy(bench.devices[d].format, "fp32");
    }
    struct pa_judgement judgement = judged(&bench);
    assert_true(fabs(judgement.substitution_bound - 2) < 1e-12);
    assert_true(judgement.judged_pflops == judgement.verified_pflops);
    pa_judgement_free(&judgement);
    bench.policy.inflation = PA_INFLATION_DIVIDE;
    judgement = judged(&bench);
    assert_true(fabs(judgement.judged_pflops - judgement.verified_pflops / 2) < 1e-12);
    assert_true(fabs(judgement.judged_u - judgement.verified_u / 2) < 1e-12);
    assert_true(judgement.entitled_mw < 0.6);
    pa_judgement_free(&judgement);
}

static void the_bound_depends_on_class_and_device(void **state) {
    (void)state;
    const char *basis = NULL;
    assert_true(
        pa_substitution_bound(PA_DENSE16, "cuda", "NVIDIA H100 80GB HBM3", "fp16", &basis) == 1);
    assert_non_null(basis);
    static const struct {
        enum pa_class class_id;
        const char *model, *format;
        double bound;
    } cases[] = {
        {PA_DENSE16, "NVIDIA A100-SXM4-80GB", "fp16", 1},
        {PA_DENSE16, "NVIDIA H200", "bf16", 1},
        {PA_DENSE16, "NVIDIA H20", "fp16", 1},
        {PA_DENSE16, "NVIDIA B200", "fp16", 1},
        {PA_DENSE16, "NVIDIA B300", "fp16", 14.0 / 2.25 / 5},
        {PA_DENSE16, "AMD Instinct MI355X", "fp16", 10066 / 2516.6 / 3},
        {PA_DENSE16, "NVIDIA GeForce RTX 3090", "fp16", 1.6},
        {PA_DENSE16, "NVIDIA GeForce RTX 4090", "fp16", 1.6},
        {PA_DENSE16, "NVIDIA GeForce RTX 5090", "fp16", 1.6},
        {PA_DENSE16, "Tesla V100-SXM2-32GB", "fp16", 2}, /* no 8-bit rate is listed */
        {PA_DENSE8, "NVIDIA B300", "bf16", 1},
        {PA_CLASS_FP8, "NVIDIA H100 80GB HBM3", "fp8", 1},
        {PA_CLASS_FP8, "AMD Instinct MI355X", "fp8", 2},
        {PA_CLASS_FP8, "NVIDIA L40", "fp8", 2}, /* int4 is taken as twice int8 */
        {PA_CLASS_FP8, "NVIDIA GeForce RTX 4090", "fp8", 4},
        {PA_DENSE64, "NVIDIA H100 80GB HBM3", "fp64", 1978.9 / 67 / 7},
        {PA_DENSE64, "NVIDIA B200", "fp64", 4500.0 / 37 / 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double bound = pa_substitution_bound(cases[i].class_id, "cuda", cases[i].model,
                                             cases[i].format, &basis);
        if (fabs(bound / cases[i].bound - 1) > 1e-3)
            fail_msg("%s, class %d: %.4f, not %.4f (%s)", cases[i].model, (int)cases[i].class_id,
                     bound, cases[i].bound, basis);
    }
    assert_true(pa_substitution_bound(PA_DENSE16, "cpu", "any", "fp32", NULL) == 2);
    assert_true(pa_substitution_bound(PA_DENSE16, "cpu", "any", "bf16", NULL) == 1);
    assert_true(pa_substitution_bound(PA_DENSE16, "cuda", "Unheard of", "fp16", &basis) == 2);
    assert_non_null(strstr(basis, "unknown device"));
}

static void invalid_evidence_entitles_to_nothing(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.facts.failed = 1;
    struct pa_judgement judgement = judged(&bench);
    assert_true(judgement.verified_pflops == 0);
    assert_true(judgement.entitled_mw == 0);
    assert_true(judgement.overclaim_mw == 0.8);
    assert_true(judgement.conformity == 0);
    assert_non_null(strstr(judgement.reason, "not valid"));
    pa_judgement_free(&judgement);
    /* Data sheets prove nothing in its place. */
    bench.policy.basis = PA_BASIS_NOMINAL;
    judgement = judged(&bench);
    assert_true(judgement.judged_pflops == 0);
    assert_true(judgement.entitled_mw == 0);
    pa_judgement_free(&judgement);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_claim_that_is_met_passes),
        cmocka_unit_test(a_claim_that_is_not_met_fails_and_says_by_how_many_megawatts),
        cmocka_unit_test(the_guard_band_lies_on_both_sides_of_the_claim),
        cmocka_unit_test(uncertainty_is_the_root_sum_of_squares),
        cmocka_unit_test(one_epoch_is_never_enough_to_pass),
        cmocka_unit_test(entitlement_goes_by_blocks_where_the_policy_says_so),
        cmocka_unit_test(the_policy_chooses_the_basis),
        cmocka_unit_test(the_largest_bound_of_all_devices_counts),
        cmocka_unit_test(inflation_divides_only_where_the_policy_says_so),
        cmocka_unit_test(the_bound_depends_on_class_and_device),
        cmocka_unit_test(invalid_evidence_entitles_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
