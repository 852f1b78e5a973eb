/* SPDX-License-Identifier: Apache-2.0 */
/* Each finding is shown to come when it should and to stay away when it should not. */
#include "cmocka_setup.h"

#include "judgement_bench.h"

#include <stdlib.h>
#include <string.h>

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
static void single_epoch(struct bench *bench) {
    bench->facts.declaration.epochs = bench->facts.epoch_count = 1;
    bench->policy.openings = 1000;
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
static void suspended(struct bench *bench) {
    bench->facts.suspended_ns = UINT64_C(2000000000);
}
static void interrupted(struct bench *bench) {
    bench->facts.credit.gaps = 1;
    bench->facts.credit.gap_ns = UINT64_C(5000000000);
}
static void wrong_allreduce(struct bench *bench) {
    bench->facts.allreduce = bench->allreduce;
    bench->facts.allreduce_count = 1;
}
static void coupled_wrong(struct bench *bench) {
    bench->facts.coupled = (struct pa_fact_coupled){.state = PA_COUPLED_WRONG, .ranks = 2};
}
static void coupled_lost(struct bench *bench) {
    bench->facts.coupled =
        (struct pa_fact_coupled){.state = PA_COUPLED_LOST, .reason = "rank 2 on b is lost"};
}
/* Two devices with states of 64 MiB, in 1 s of which they had nothing else to do. */
static void fabric_held(struct bench *bench) {
    bench->facts.fabric = (struct pa_fact_fabric){.is_begun = true,
                                                  .is_whole = true,
                                                  .devices = 2,
                                                  .drawn = PA_FABRIC_SAMPLES,
                                                  .window_ns = 1000000000,
                                                  .held = 0.8,
                                                  .floor = {.device_bytes_per_second = 1e9}};
}
static void fabric_too_slow(struct bench *bench) {
    fabric_held(bench);
    bench->facts.fabric.floor.twice_share = 0.5;
}
static void fabric_wrong(struct bench *bench) {
    fabric_held(bench);
    bench->facts.fabric.failed = 1;
    bench->facts.fabric.held = 0;
}
static void fabric_unfinished(struct bench *bench) {
    bench->facts.fabric = (struct pa_fact_fabric){.is_begun = true, .devices = 2};
}
static void fabric_missing(struct bench *bench) {
    bench->policy.wants_fabric = true;
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
static void memory_not_proven(struct bench *bench) {
    bench->devices[0].memory = (struct pa_fact_memory){0};
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
static void moved(struct bench *bench) {
    bench->devices[1].moved = true;
}
static void partitioned(struct bench *bench) {
    strcpy(bench->devices[0].partition, "MIG slice of GPU-7");
}
static void fewer_units(struct bench *bench) {
    bench->devices[0].peak_per_second = 6.9e14; /* 989.4e12 x 0.7 = 6.93e14 */
}
static void low_confidence(struct bench *bench) {
    strcpy(bench->devices[0].model, "NVIDIA RTX PRO 6000 Blackwell Server Edition");
    bench->devices[0].memory_bytes = (uint64_t)96 << 30;
    bench->devices[0].memory.filled_bytes = (uint64_t)93 << 30;
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
        {single_epoch, "SINGLE_EPOCH", PA_INCONCLUSIVE},
        {short_window, "SHORT_WINDOW", PA_INCONCLUSIVE},
        {test_shapes, "TEST", PA_INCONCLUSIVE},
        {test_shapes_far_off, "TEST", PA_FAIL},
        {fewer_openings_than_the_policy, "BELOW_POLICY", PA_INCONCLUSIVE},
        {weaker_alpha, "BELOW_POLICY", PA_INCONCLUSIVE},
        {longer_gap, "BELOW_POLICY", PA_INCONCLUSIVE},
        {low_assurance, "LOW_ASSURANCE", PA_INCONCLUSIVE},
        {wrong_allreduce, "ALLREDUCE_WRONG", PA_INCONCLUSIVE},
        {coupled_wrong, "COUPLED_WRONG", PA_INCONCLUSIVE},
        {coupled_lost, "COUPLED_LOST", PA_PASS},
        {fabric_held, "FABRIC_HELD", PA_PASS},
        {fabric_too_slow, "FABRIC_HELD", PA_PASS},
        {fabric_wrong, "FABRIC_WRONG", PA_INCONCLUSIVE},
        {fabric_unfinished, "FABRIC_MISSING", PA_INCONCLUSIVE},
        {fabric_missing, "FABRIC_MISSING", PA_INCONCLUSIVE},
        {above_peak, "RATE_ABOVE_PEAK", PA_INCONCLUSIVE},
        {above_estimate, "RATE_ABOVE_ESTIMATE", PA_PASS},
        {aborted, "ABORTED_EPOCHS", PA_PASS},
        {other_claim, "REJUDGED", PA_PASS},
        {other_policy, "REJUDGED", PA_PASS},
        {clock_step, "CLOCK_STEP", PA_PASS},
        {suspended, "SUSPENDED", PA_INCONCLUSIVE},
        {interrupted, "INTERRUPTED", PA_PASS},
        {far_below, "RATE_FAR_BELOW_PEAK", PA_PASS},
        {absent, "ABSENT_DEVICES", PA_PASS},
        {short_of_memory, "MEMORY_SHORT", PA_PASS},
        {memory_not_proven, "MEMORY_PROOF_FAILED", PA_PASS},
        {lost, "LOST_DEVICE", PA_PASS},
        {changed, "DEVICE_CHANGED", PA_PASS},
        {unknown, "UNKNOWN_DEVICE", PA_PASS},
        {moved, "DEVICE_MOVED", PA_PASS},
        {partitioned, "PARTIAL_DEVICE", PA_PASS},
        {fewer_units, "IDENTITY_MISMATCH", PA_PASS},
        {low_confidence, "LOW_CONFIDENCE_PEAK", PA_PASS},
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

/* On the nominal basis a device counts with its data sheet alone, so that every doubt about what it
 * is stands in the way. */
static void doubts_about_devices_stand_in_the_way_of_nominal_capacity(void **state) {
    (void)state;
    static const struct {
        void (*change)(struct bench *bench);
        const char *code;
    } cases[] = {
        {unknown, "UNKNOWN_DEVICE"},
        {above_estimate, "UNKNOWN_DEVICE"},
        {partitioned, "PARTIAL_DEVICE"},
        {fewer_units, "IDENTITY_MISMATCH"},
        {low_confidence, "LOW_CONFIDENCE_PEAK"},
        {far_below, "RATE_FAR_BELOW_PEAK"},
    };
    struct bench bench;
    bench_set_up(&bench);
    bench.policy.basis = PA_BASIS_NOMINAL;
    bench.claim.capacity_per_second = 1e14;
    assert_int_equal(verdict(&bench), PA_PASS);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bench_set_up(&bench);
        bench.policy.basis = PA_BASIS_NOMINAL;
        bench.claim.capacity_per_second = 1e14; /* one device alone would do */
        cases[i].change(&bench);
        struct pa_judgement judgement = judged(&bench);
        assert_non_null(finding(&judgement, cases[i].code));
        if (judgement.verdict != PA_INCONCLUSIVE)
            fail_msg("%s on the nominal basis: %s", cases[i].code,
                     pa_verdict_name(judgement.verdict));
        pa_judgement_free(&judgement);
    }
}

static void a_part_of_a_device_and_a_doubtful_row_have_no_nominal_peak(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    partitioned(&bench);
    strcpy(bench.devices[1].model, "NVIDIA RTX PRO 6000 Blackwell Server Edition");
    bench.devices[1].peak_per_second = 9e14;
    struct pa_judgement judgement = judged(&bench);
    assert_true(judgement.nominal_pflops == 0);
    pa_judgement_free(&judgement);
}

static void findings_say_where_to_look_and_what_to_do(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    broken(&bench);
    failed(&bench);
    bench.epochs[1].failed = bench.epochs[2].failed = bench.epochs[4].failed = 1;
    emulated(&bench);
    duplicate(&bench);
    struct pa_judgement judgement = judged(&bench);
    assert_string_equal(finding(&judgement, "BROKEN_EVIDENCE")->evidence, "record 7");
    assert_string_equal(finding(&judgement, "OPENING_FAILED")->evidence, "epochs 1-2, 4");
    assert_string_equal(finding(&judgement, "EMULATED")->evidence, "device 0");
    assert_string_equal(finding(&judgement, "DUPLICATE_DEVICE")->evidence, "devices 0, 1");
    for (uint32_t f = 0; f < judgement.finding_count; f++) {
        assert_true(strlen(judgement.findings[f].evidence) > 3);
        assert_true(strlen(judgement.findings[f].advice) > 10);
    }
    pa_judgement_free(&judgement);
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

static void a_device_seen_elsewhere_is_told(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.facts.notes =
        json_pack("[{s:s, s:i, s:i, s:i, s:s}, {s:s, s:i, s:i, s:i, s:s}]", "kind", "elsewhere",
                  "device", 1, "gap_s", 5400, "limit_s", 86400, "identity", "uuid", "kind",
                  "elsewhere", "device", DEVICES, "gap_s", 0, "limit_s", 86400, "identity", "uuid");
    struct pa_judgement judgement = judged(&bench);
    const struct pa_finding *found = finding(&judgement, "DEVICE_ELSEWHERE");
    assert_non_null(found);
    assert_non_null(strstr(found->text, "By its UUID, device 1"));
    assert_non_null(strstr(found->text, "1.5 h before or after"));
    assert_int_equal(found->severity, PA_SEVERITY_CRITICAL);
    assert_int_equal(judgement.finding_count, 2);
    assert_int_equal(judgement.verdict, PA_PASS);
    pa_judgement_free(&judgement);
    json_decref(bench.facts.notes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_seen_elsewhere_is_told),
        cmocka_unit_test(every_finding_comes_when_it_should),
        cmocka_unit_test(doubts_about_devices_stand_in_the_way_of_nominal_capacity),
        cmocka_unit_test(a_part_of_a_device_and_a_doubtful_row_have_no_nominal_peak),
        cmocka_unit_test(findings_say_where_to_look_and_what_to_do),
        cmocka_unit_test(a_witnessed_session_is_not_self_declared),
        cmocka_unit_test(processors_of_two_hosts_may_have_one_id),
        cmocka_unit_test(claimed_devices_that_are_there_are_not_missed),
        cmocka_unit_test(findings_of_the_measuring_side_are_repeated_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
