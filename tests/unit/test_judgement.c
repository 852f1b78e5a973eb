/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement as a pure function: facts are made by hand, and each finding is shown to come when
 * it should and to stay away when it should not. */
#include "cmocka_setup.h"

#include "judge/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES = 2, EPOCHS = 6 };

/* Everything that a judgement reads, owned here, so that a test changes what it is about. */
struct bench {
    struct pa_fact_device devices[DEVICES];
    struct pa_fact_epoch epochs[EPOCHS];
    struct pa_fact_allreduce allreduce[1];
    struct pa_claimed_accelerator accelerators[1];
    struct pa_facts facts;
    struct pa_claim claim;
    struct pa_policy policy;
};

/* Two H100 at 700 TFLOPS each for 60 s, a claim of 1 PFLOPS, the rule of 400 MW for 500 PFLOPS:
 * nothing to find but that it is self-declared. */
static void bench_set_up(struct bench *bench) {
    memset(bench, 0, sizeof *bench);
    double rate = 1.4e15, seconds = 60;
    for (int d = 0; d < DEVICES; d++) {
        struct pa_fact_device *device = &bench->devices[d];
        strcpy(device->name, "gpu");
        strcpy(device->model, "NVIDIA H100 80GB HBM3");
        strcpy(device->id, d == 0 ? "GPU-0" : "GPU-1");
        strcpy(device->backend, "cuda");
        strcpy(device->format, "fp16");
        strcpy(device->host, "node1");
        device->memory_bytes = (uint64_t)80 << 30;
        device->operations = rate * seconds / DEVICES;
        device->steps = 100;
        device->raw_per_second = 7.2e14;
        device->vitals.epochs = EPOCHS;
    }
    for (uint32_t e = 0; e < EPOCHS; e++) {
        struct pa_fact_epoch *epoch = &bench->epochs[e];
        epoch->number = e;
        epoch->state = PA_EPOCH_CLOSED;
        epoch->t0.raw_ns = 1000000000 + e * UINT64_C(10000000000);
        epoch->t1.raw_ns = epoch->t0.raw_ns + UINT64_C(10000000000);
        epoch->operations = rate * seconds / EPOCHS * (e % 2 == 0 ? 1.001 : 0.999);
        epoch->drawn = 1000;
    }
    struct pa_facts *facts = &bench->facts;
    facts->declaration.class_id = PA_DENSE16;
    facts->declaration.epochs = EPOCHS;
    facts->declaration.openings = 1000;
    facts->declaration.alpha_ppm = 10000;
    facts->epochs = bench->epochs;
    facts->epoch_count = EPOCHS;
    facts->devices = bench->devices;
    facts->device_count = DEVICES;
    facts->is_finished = facts->is_certified = true;
    facts->drawn = 6000;
    facts->credit = (struct pa_credit){.operations = rate * seconds,
                                       .seconds = seconds,
                                       .rate = rate,
                                       .n_effective = 6000,
                                       .alpha_r = 0.005,
                                       .honest_fraction = 0.999,
                                       .verified_rate = 0.999 * rate};
    bench->claim = (struct pa_claim){
        .capacity_per_second = 1e15, .precision = PA_PRECISION_FP16, .grid_connection_mw = 0.8};
    bench->policy = (struct pa_policy){.has_entitlement = true,
                                       .entitlement_mw = 400,
                                       .entitlement_per_pflops = 500,
                                       .basis = PA_BASIS_SUSTAINED,
                                       .k = 2,
                                       .alpha = 0.01,
                                       .window_ns = UINT64_C(60000000000),
                                       .openings = 1000,
                                       .interruptions = 1,
                                       .longest_gap_ns = UINT64_C(900000000000)};
}

static struct pa_judgement judged(const struct bench *bench) {
    struct pa_judgement out;
    assert_int_equal(pa_judge(&bench->facts, &bench->claim, &bench->policy, &out, NULL), PA_OK);
    assert_true(strlen(out.reason) > 20);
    return out;
}

static const struct pa_finding *finding(const struct pa_judgement *judgement, const char *code) {
    for (uint32_t i = 0; i < judgement->finding_count; i++)
        if (strcmp(judgement->findings[i].code, code) == 0)
            return &judgement->findings[i];
    return NULL;
}

static enum pa_verdict verdict(const struct bench *bench) {
    struct pa_judgement judgement = judged(bench);
    enum pa_verdict found = judgement.verdict;
    pa_judgement_free(&judgement);
    return found;
}

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
    pa_judgement_free(&judgement);
}

static void uncertainty_is_the_root_sum_of_squares(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    struct pa_judgement judgement = judged(&bench);
    /* six epochs at +-0.1 %: s = 0.001 sqrt(6/5), over sqrt(6); clock 1e-4 / sqrt(3) */
    double repeated = 0.001 * sqrt(6.0 / 5) / sqrt(6), clock = 1e-4 / sqrt(3);
    double expected = 2 * sqrt(repeated * repeated + clock * clock) * judgement.verified_pflops;
    assert_true(fabs(judgement.verified_u / expected - 1) < 1e-9);
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
    assert_true(pa_substitution_bound(PA_DENSE16, "cuda", "NVIDIA B300", "fp16", NULL) == 1.24);
    assert_true(pa_substitution_bound(PA_DENSE16, "cuda", "GeForce RTX 4090", "fp16", NULL) == 1.6);
    assert_true(pa_substitution_bound(PA_DENSE16, "cpu", "any", "fp32", NULL) == 2);
    assert_true(pa_substitution_bound(PA_DENSE16, "cpu", "any", "bf16", NULL) == 1);
    assert_true(pa_substitution_bound(PA_DENSE64, "cuda", "NVIDIA B200", "fp64", NULL) == 16);
    assert_true(pa_substitution_bound(PA_DENSE16, "cuda", "Unheard of", "fp16", &basis) == 2);
    assert_non_null(strstr(basis, "unknown device"));
}

/* Each case makes one change to the honest bench; `code` must come with it, and the honest bench
 * has shown (a_claim_that_is_met_passes) that it does not come without. */
static void broken(struct bench *bench) {
    strcpy(bench->facts.broken, "record 7: x");
}
static void failed(struct bench *bench) {
    bench->facts.failed = 1;
    strcpy(bench->facts.first_failure, "1 of 6000 openings failed");
}
static void missing(struct bench *bench) {
    bench->facts.missing = 1;
}
static void unfinished(struct bench *bench) {
    bench->facts.is_finished = false;
}
static void unfinished_and_missing(struct bench *bench) {
    bench->facts.is_finished = false;
    bench->facts.missing = 6000;
}
static void duplicate(struct bench *bench) {
    strcpy(bench->devices[1].id, "GPU-0");
    strcpy(bench->devices[1].host, "node2");
}
static void unprovable(struct bench *bench) {
    bench->claim.precision = PA_PRECISION_FP32;
}
static void unprovable_and_far_off(struct bench *bench) {
    bench->claim.precision = PA_PRECISION_TF32;
    bench->claim.capacity_per_second = 500e15;
}
static void other_class(struct bench *bench) {
    bench->claim.precision = PA_PRECISION_INT8;
}
static void test_build(struct bench *bench) {
    bench->facts.is_test_build = true;
}
static void emulated(struct bench *bench) {
    bench->devices[0].emulated = true;
}
static void nothing(struct bench *bench) {
    memset(&bench->facts.credit, 0, sizeof bench->facts.credit);
    bench->claim.capacity_per_second = 1;
}
static void few_openings(struct bench *bench) {
    bench->facts.credit.honest_fraction = bench->facts.credit.verified_rate = 0;
}
static void aborted(struct bench *bench) {
    bench->epochs[2].state = PA_EPOCH_ABORTED;
    bench->epochs[2].operations = 0;
}
static void fewer_epochs(struct bench *bench) {
    bench->facts.declaration.epochs = EPOCHS + 1;
}
static void short_window(struct bench *bench) {
    bench->policy.window_ns = UINT64_C(61000000000);
}
static void test_shapes(struct bench *bench) {
    bench->facts.is_certified = false;
}
static void test_shapes_far_off(struct bench *bench) {
    bench->facts.is_certified = false;
    bench->claim.capacity_per_second = 500e15;
}
static void fewer_openings_than_the_policy(struct bench *bench) {
    bench->policy.openings = 1000 * EPOCHS + 1; /* of the whole session */
}
static void weaker_alpha(struct bench *bench) {
    bench->policy.alpha = 0.001;
}
static void longer_gap(struct bench *bench) {
    bench->epochs[3].after_gap = true;
    bench->epochs[3].gap_ns = UINT64_C(901000000000);
}
static void low_assurance(struct bench *bench) {
    bench->policy.assurance = PA_ASSURANCE_WITNESSED;
}
static void other_claim(struct bench *bench) {
    bench->claim.sha256[0] = 1;
}
static void other_policy(struct bench *bench) {
    bench->policy.sha256[31] = 1;
}
static void clock_step(struct bench *bench) {
    bench->facts.clock_step_seconds = 1.5;
}
static void interrupted(struct bench *bench) {
    bench->facts.credit.gaps = 1;
    bench->facts.credit.gap_ns = UINT64_C(5000000000);
}
static void wrong_allreduce(struct bench *bench) {
    bench->facts.allreduce = bench->allreduce;
    bench->facts.allreduce_count = 1;
}
static void above_peak(struct bench *bench) {
    bench->devices[1].operations *= 1.5;
}
static void above_estimate(struct bench *bench) {
    strcpy(bench->devices[1].model, "Unheard of");
    bench->devices[1].peak_per_second = 6e14;
}
static void far_below(struct bench *bench) {
    bench->devices[1].operations *= 0.6;
}
static void absent(struct bench *bench) {
    strcpy(bench->accelerators[0].model, "NVIDIA H100 80GB HBM3");
    bench->accelerators[0].count = 3;
    bench->claim.accelerators = bench->accelerators;
    bench->claim.accelerator_count = 1;
}
static void short_of_memory(struct bench *bench) {
    bench->devices[0].memory_bytes = (uint64_t)64 << 30;
}
static void lost(struct bench *bench) {
    bench->devices[0].lost = true;
}
static void changed(struct bench *bench) {
    bench->devices[0].changed = true;
}
static void unknown(struct bench *bench) {
    strcpy(bench->devices[0].model, "Unheard of");
}

static void every_finding_comes_when_it_should(void **state) {
    (void)state;
    static const struct {
        void (*change)(struct bench *bench);
        const char *code;
        enum pa_verdict verdict;
    } cases[] = {
        {broken, "BROKEN_EVIDENCE", PA_INVALID},
        {failed, "OPENING_FAILED", PA_INVALID},
        {missing, "OPENING_MISSING", PA_INVALID},
        {duplicate, "DUPLICATE_DEVICE", PA_INVALID},
        {unfinished, "UNFINISHED", PA_INCONCLUSIVE},
        {unfinished_and_missing, "UNFINISHED", PA_INCONCLUSIVE},
        {unprovable, "UNPROVABLE_PRECISION", PA_INCONCLUSIVE},
        {unprovable_and_far_off, "UNPROVABLE_PRECISION", PA_INCONCLUSIVE},
        {other_class, "CLASS_MISMATCH", PA_INCONCLUSIVE},
        {test_build, "TEST_BUILD", PA_INCONCLUSIVE},
        {emulated, "EMULATED", PA_INCONCLUSIVE},
        {nothing, "NOTHING_MEASURED", PA_INCONCLUSIVE},
        {few_openings, "TOO_FEW_OPENINGS", PA_INCONCLUSIVE},
        {fewer_epochs, "FEWER_EPOCHS", PA_INCONCLUSIVE},
        {short_window, "SHORT_WINDOW", PA_INCONCLUSIVE},
        {test_shapes, "TEST", PA_INCONCLUSIVE},
        {test_shapes_far_off, "TEST", PA_FAIL},
        {fewer_openings_than_the_policy, "BELOW_POLICY", PA_INCONCLUSIVE},
        {weaker_alpha, "BELOW_POLICY", PA_INCONCLUSIVE},
        {longer_gap, "BELOW_POLICY", PA_INCONCLUSIVE},
        {low_assurance, "LOW_ASSURANCE", PA_INCONCLUSIVE},
        {wrong_allreduce, "ALLREDUCE_WRONG", PA_INCONCLUSIVE},
        {above_peak, "RATE_ABOVE_PEAK", PA_INCONCLUSIVE},
        {above_estimate, "RATE_ABOVE_ESTIMATE", PA_PASS},
        {aborted, "ABORTED_EPOCHS", PA_PASS},
        {other_claim, "REJUDGED", PA_PASS},
        {other_policy, "REJUDGED", PA_PASS},
        {clock_step, "CLOCK_STEP", PA_PASS},
        {interrupted, "INTERRUPTED", PA_PASS},
        {far_below, "RATE_FAR_BELOW_PEAK", PA_PASS},
        {absent, "ABSENT_DEVICES", PA_PASS},
        {short_of_memory, "MEMORY_SHORT", PA_PASS},
        {lost, "LOST_DEVICE", PA_PASS},
        {changed, "DEVICE_CHANGED", PA_PASS},
        {unknown, "UNKNOWN_DEVICE", PA_PASS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench;
        bench_set_up(&bench);
        cases[i].change(&bench);
        struct pa_judgement judgement = judged(&bench);
        if (finding(&judgement, cases[i].code) == NULL || judgement.verdict != cases[i].verdict)
            fail_msg("case %zu, %s: verdict %s, finding %s: %s", i, cases[i].code,
                     pa_verdict_name(judgement.verdict),
                     finding(&judgement, cases[i].code) == NULL ? "missing" : "there",
                     judgement.reason);
        /* And nothing else came with it, but that an estimate is needed for unknown models only. */
        for (uint32_t f = 0; f < judgement.finding_count; f++)
            if (strcmp(judgement.findings[f].code, cases[i].code) != 0 &&
                strcmp(judgement.findings[f].code, "SELF_DECLARED") != 0 &&
                (cases[i].change != above_estimate ||
                 strcmp(judgement.findings[f].code, "UNKNOWN_DEVICE") != 0))
                fail_msg("case %zu, %s: also %s: %s", i, cases[i].code, judgement.findings[f].code,
                         judgement.findings[f].text);
        pa_judgement_free(&judgement);
    }
}

static void a_witnessed_session_is_not_self_declared(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.facts.assurance = bench.policy.assurance = PA_ASSURANCE_WITNESSED;
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.verdict, PA_PASS);
    assert_int_equal(judgement.finding_count, 0);
    pa_judgement_free(&judgement);
}

static void processors_of_two_hosts_may_have_one_id(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    for (int d = 0; d < DEVICES; d++) {
        strcpy(bench.devices[d].backend, "cpu");
        strcpy(bench.devices[d].id, "cpu:0");
    }
    assert_int_equal(verdict(&bench), PA_INVALID);
    strcpy(bench.devices[1].host, "node2");
    assert_int_equal(verdict(&bench), PA_PASS);
}

static void claimed_devices_that_are_there_are_not_missed(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    absent(&bench);
    bench.accelerators[0].count = 2;
    bench.accelerators[0].memory_gib = 80;
    struct pa_judgement judgement = judged(&bench);
    assert_null(finding(&judgement, "ABSENT_DEVICES"));
    assert_null(finding(&judgement, "MEMORY_SHORT"));
    pa_judgement_free(&judgement);
}

static void invalid_evidence_entitles_to_nothing(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    failed(&bench);
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

static void findings_of_the_measuring_side_are_repeated_in_order(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.facts.notes =
        json_pack("[{s:s, s:s, s:s, s:s}, {s:s, s:s, s:s, s:s}]", "kind", "finding", "code",
                  "ALLREDUCE_FAILED", "severity", "warning", "text", "a\033[31mb", "kind",
                  "finding", "code", "ZZ", "severity", "critical", "text", "z");
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.finding_count, 3);
    assert_string_equal(judgement.findings[0].code, "ZZ");
    assert_string_equal(judgement.findings[1].text, "a?[31mb");
    assert_string_equal(judgement.findings[2].code, "SELF_DECLARED");
    assert_int_equal(judgement.verdict, PA_PASS);
    pa_judgement_free(&judgement);
    json_decref(bench.facts.notes);
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
        cmocka_unit_test(inflation_divides_only_where_the_policy_says_so),
        cmocka_unit_test(the_bound_depends_on_class_and_device),
        cmocka_unit_test(every_finding_comes_when_it_should),
        cmocka_unit_test(a_witnessed_session_is_not_self_declared),
        cmocka_unit_test(processors_of_two_hosts_may_have_one_id),
        cmocka_unit_test(claimed_devices_that_are_there_are_not_missed),
        cmocka_unit_test(invalid_evidence_entitles_to_nothing),
        cmocka_unit_test(findings_of_the_measuring_side_are_repeated_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
