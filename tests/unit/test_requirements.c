/* SPDX-License-Identifier: Apache-2.0 */
/* Requirements of a policy on each quantity, and the readings of a rule that leaves things open. */
#include "cmocka_setup.h"

#include "judgement_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The bench, judged by one requirement alone. */
static struct pa_requirement *one(struct bench *bench, enum pa_quantity quantity, double limit) {
    bench_set_up(bench);
    bench->policy.judges = PA_JUDGES_REQUIREMENTS;
    bench->policy.requirement_count = 1;
    bench->policy.requirements[0] =
        (struct pa_requirement){.quantity = quantity, .limit = limit, .as_written = limit};
    return &bench->policy.requirements[0];
}

enum { METERS = 2 };
static struct pa_fact_meter meters[METERS];

/* 100 kW of IT load and 120 kW of the whole site, each known to 0.3 %. */
static void meter_it(struct bench *bench) {
    struct pa_fact_power *power = &bench->facts.power;
    memset(meters, 0, sizeof meters);
    for (int m = 0; m < METERS; m++) {
        meters[m].role = m == 0 ? PA_METER_IT : PA_METER_FACILITY;
        strcpy(meters[m].source, "csv");
        strcpy(meters[m].name, m == 0 ? "it.csv" : "site.csv");
        meters[m].class_percent = 0.5;
        meters[m].share = 1;
        meters[m].has_power = true;
        meters[m].readings = 61;
        meters[m].interval_s = 1;
        meters[m].covered_s = 60;
        meters[m].watts = m == 0 ? 100e3 : 120e3;
    }
    power->meters = meters;
    power->meter_count = METERS;
    power->window_s = 60;
    power->has_it = power->has_facility = power->has_pue = power->has_watts = true;
    power->it_w = 100e3;
    power->it_u = 300;
    power->facility_w = 120e3;
    power->facility_u = 360;
    power->pue = 1.2;
    power->u_pue = 0.005;
}

static void capacity_is_held_against_its_limit_and_not_against_the_claim(void **state) {
    (void)state;
    struct bench bench;
    one(&bench, PA_QUANTITY_CAPACITY, 1.3e15);
    bench.claim.capacity_per_second = 500e15; /* does not matter */
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.verdict, PA_PASS);
    assert_int_equal(judgement.claim_conformity.guarded, PA_DECISION_FAIL);
    const struct pa_budget *budget = &judgement.requirements[0].budget;
    assert_true(fabs(budget->y / 1.3986e15 - 1) < 1e-9);
    assert_true(fabs(budget->expanded / (judgement.verified_u * 1e15) - 1) < 1e-9);
    pa_judgement_free(&judgement);
    bench.policy.requirements[0].limit = 1.5e15;
    assert_int_equal(verdict(&bench), PA_FAIL);
    bench.policy.requirements[0].limit = 1.3986e15;
    assert_int_equal(verdict(&bench), PA_INCONCLUSIVE);
    bench.policy.requirements[0].is_at_most = true;
    bench.policy.requirements[0].limit = 1.5e15;
    assert_int_equal(verdict(&bench), PA_PASS);
    bench.policy.basis = PA_BASIS_NOMINAL;
    assert_int_equal(verdict(&bench), PA_FAIL); /* 2 x 989.4e12 */
}

static void both_must_hold_where_the_policy_says_both(void **state) {
    (void)state;
    struct bench bench;
    one(&bench, PA_QUANTITY_CAPACITY, 1.3e15);
    bench.policy.judges = PA_JUDGES_BOTH;
    assert_int_equal(verdict(&bench), PA_PASS);
    bench.claim.capacity_per_second = 2e15;
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.verdict, PA_FAIL);
    assert_non_null(strstr(judgement.reason, "The claim of 2 PFLOPS fp16 is not met"));
    pa_judgement_free(&judgement);
    bench.claim.capacity_per_second = 1e15;
    bench.policy.requirements[0].limit = bench.policy.requirements[0].as_written = 2e15;
    assert_int_equal(verdict(&bench), PA_FAIL);
    /* An undecided requirement beside a claim that is missed: missed. */
    one(&bench, PA_QUANTITY_PUE, 1.25)->is_at_most = true;
    bench.policy.judges = PA_JUDGES_BOTH;
    assert_int_equal(verdict(&bench), PA_INCONCLUSIVE);
    bench.claim.capacity_per_second = 2e15;
    assert_int_equal(verdict(&bench), PA_FAIL);
}

static void power_is_judged_by_meters_and_their_uncertainty(void **state) {
    (void)state;
    static const struct {
        enum pa_quantity quantity;
        bool is_at_most;
        double limit;
        enum pa_verdict verdict;
    } cases[] = {
        {PA_QUANTITY_IT_POWER, false, 99e3, PA_PASS},
        {PA_QUANTITY_IT_POWER, false, 99.5e3, PA_INCONCLUSIVE},
        {PA_QUANTITY_IT_POWER, false, 101e3, PA_FAIL},
        {PA_QUANTITY_IT_POWER, true, 101e3, PA_PASS},
        {PA_QUANTITY_FACILITY_POWER, false, 119e3, PA_PASS},
        {PA_QUANTITY_FACILITY_POWER, true, 119e3, PA_FAIL},
        {PA_QUANTITY_PUE, true, 1.25, PA_PASS},
        {PA_QUANTITY_PUE, true, 1.205, PA_INCONCLUSIVE},
        {PA_QUANTITY_PUE, true, 1.15, PA_FAIL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench;
        one(&bench, cases[i].quantity, cases[i].limit)->is_at_most = cases[i].is_at_most;
        meter_it(&bench);
        if (verdict(&bench) != cases[i].verdict)
            fail_msg("case %zu: %s", i, pa_verdict_name(verdict(&bench)));
    }
}

static void what_was_not_measured_is_never_met(void **state) {
    (void)state;
    struct bench bench;
    for (int i = 0; i < 7; i++) {
        one(&bench, i == 6 ? PA_QUANTITY_PUE : PA_QUANTITY_IT_POWER, 1)->is_at_most = i == 6;
        meter_it(&bench);
        if (i == 6)
            bench.policy.requirements[0].limit = 2;
        assert_int_equal(verdict(&bench), PA_PASS);
        struct pa_fact_power *power = &bench.facts.power;
        if (i == 0)
            power->meter_count = 0;
        else if (i == 1)
            meters[0].class_percent = 0;
        else if (i == 2)
            meters[0].covered_s = 50;
        else if (i == 3)
            meters[0].is_component = true;
        else if (i == 4)
            meters[0].is_implausible = true;
        else if (i == 5)
            power->has_it = false;
        else
            power->has_pue = false;
        struct pa_judgement judgement = judged(&bench);
        if (judgement.verdict != PA_INCONCLUSIVE)
            fail_msg("case %d: %s", i, pa_verdict_name(judgement.verdict));
        assert_false(judgement.requirements[0].is_known);
        assert_non_null(finding(&judgement, "NOT_MEASURED"));
        assert_non_null(strstr(judgement.reason, "not decided"));
        pa_judgement_free(&judgement);
    }
}

static void a_rule_about_power_does_not_mind_an_unprovable_claim(void **state) {
    (void)state;
    struct bench bench;
    one(&bench, PA_QUANTITY_IT_POWER, 1);
    meter_it(&bench);
    bench.claim.precision = PA_PRECISION_FP32;
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.verdict, PA_PASS);
    assert_non_null(finding(&judgement, "UNPROVABLE_PRECISION"));
    pa_judgement_free(&judgement);
    bench.policy.judges = PA_JUDGES_BOTH;
    assert_int_equal(verdict(&bench), PA_INCONCLUSIVE);
}

static void devices_of_a_contract_are_counted_by_what_each_delivers(void **state) {
    (void)state;
    struct bench bench;
    struct pa_requirement *wanted = one(&bench, PA_QUANTITY_DEVICES, 2);
    strcpy(wanted->model, "NVIDIA H100 80GB HBM3");
    wanted->share_of_peak = 0.7; /* each delivers 700 x 0.999 of 989.4 */
    assert_int_equal(verdict(&bench), PA_PASS);
    wanted->share_of_peak = 0.999 * 700 / 989.4; /* exactly what it delivers */
    assert_int_equal(verdict(&bench), PA_INCONCLUSIVE);
    wanted->share_of_peak = 0.72;
    assert_int_equal(verdict(&bench), PA_FAIL);
    wanted->share_of_peak = 0.5;
    wanted->limit = 3;
    assert_int_equal(verdict(&bench), PA_FAIL);
    wanted->limit = 2;
    bench.devices[1].operations *= 0.6;
    assert_int_equal(verdict(&bench), PA_FAIL);
    /* A model that the catalogue does not know has no peak to hold it against. */
    bench_set_up(&bench);
    one(&bench, PA_QUANTITY_DEVICES, 2)->share_of_peak = 0.5;
    strcpy(bench.policy.requirements[0].model, "Unheard of");
    for (int d = 0; d < DEVICES; d++)
        strcpy(bench.devices[d].model, "Unheard of");
    assert_int_equal(verdict(&bench), PA_INCONCLUSIVE);
}

static const struct pa_reading *reading(const struct pa_judgement *judgement, enum pa_basis basis,
                                        enum pa_precision precision, enum pa_rounding rounding) {
    for (uint32_t i = 0; i < judgement->reading_count; i++)
        if (judgement->readings[i].basis == basis &&
            judgement->readings[i].precision == precision &&
            judgement->readings[i].rounding == rounding)
            return &judgement->readings[i];
    return NULL;
}

static void each_reading_of_an_open_rule_is_worked_out(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.policy.entitlement_per_pflops = 0.5;
    bench.policy.open = PA_OPEN_BASIS | PA_OPEN_PRECISION | PA_OPEN_ROUNDING;
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.reading_count, 4); /* fp16 is fp16 */
    uint32_t judged_readings = 0;
    for (uint32_t i = 0; i < judgement.reading_count; i++)
        judged_readings += judgement.readings[i].is_judged;
    assert_int_equal(judged_readings, 1);
    const struct pa_reading *found =
        reading(&judgement, PA_BASIS_SUSTAINED, PA_PRECISION_FP16, PA_ROUND_PROPORTIONAL);
    assert_true(found->is_judged && fabs(found->entitled_mw - judgement.entitled_mw) < 1e-12);
    found = reading(&judgement, PA_BASIS_SUSTAINED, PA_PRECISION_FP16, PA_ROUND_WHOLE_BLOCKS);
    assert_true(found->entitled_mw == 800); /* 1.3986 holds two blocks of 0.5 */
    found = reading(&judgement, PA_BASIS_NOMINAL, PA_PRECISION_FP16, PA_ROUND_WHOLE_BLOCKS);
    assert_true(found->entitled_mw == 1200); /* 1.9788 holds three */
    pa_judgement_free(&judgement);
    /* A claim in fp8 may mean dense fp16; what was proven says nothing of that. */
    bench.claim.precision = PA_PRECISION_FP8;
    bench.facts.declaration.class_id = PA_CLASS_FP8;
    judgement = judged(&bench);
    assert_int_equal(judgement.reading_count, 8);
    found = reading(&judgement, PA_BASIS_SUSTAINED, PA_PRECISION_FP16, PA_ROUND_PROPORTIONAL);
    assert_false(found->is_known);
    found = reading(&judgement, PA_BASIS_NOMINAL, PA_PRECISION_FP16, PA_ROUND_PROPORTIONAL);
    assert_true(fabs(found->pflops - 2 * 0.9894) < 1e-9);
    pa_judgement_free(&judgement);
    bench.policy.open = 0;
    judgement = judged(&bench);
    assert_int_equal(judgement.reading_count, 0);
    pa_judgement_free(&judgement);
}

static void doubts_about_figures_are_told(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    bench.facts.credit.honest_fraction = 0.9;
    bench.facts.credit.verified_rate = 0.9 * bench.facts.credit.rate;
    bench.claim.capacity_per_second = 1.35e15; /* between 0.9 x 1.4 and 1.4 */
    struct pa_judgement judgement = judged(&bench);
    assert_int_equal(judgement.verdict, PA_FAIL);
    assert_non_null(finding(&judgement, "BOUND_DECIDES"));
    pa_judgement_free(&judgement);
    bench_set_up(&bench);
    for (uint32_t e = 0; e < EPOCHS; e++)
        bench.epochs[e].operations *= 1 - 0.01 * e;
    judgement = judged(&bench);
    assert_non_null(finding(&judgement, "DRIFT"));
    pa_judgement_free(&judgement);
    bench_set_up(&bench);
    bench.facts.epoch_count = bench.facts.declaration.epochs = 2;
    judgement = judged(&bench);
    assert_non_null(finding(&judgement, "FEW_DEGREES_OF_FREEDOM"));
    pa_judgement_free(&judgement);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_held_against_its_limit_and_not_against_the_claim),
        cmocka_unit_test(both_must_hold_where_the_policy_says_both),
        cmocka_unit_test(power_is_judged_by_meters_and_their_uncertainty),
        cmocka_unit_test(what_was_not_measured_is_never_met),
        cmocka_unit_test(a_rule_about_power_does_not_mind_an_unprovable_claim),
        cmocka_unit_test(devices_of_a_contract_are_counted_by_what_each_delivers),
        cmocka_unit_test(each_reading_of_an_open_rule_is_worked_out),
        cmocka_unit_test(doubts_about_figures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
