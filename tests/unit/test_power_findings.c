/* SPDX-License-Identifier: Apache-2.0 */
/* Findings of meters and power, each with a case in which it comes and one in which it does not. */
#include "cmocka_setup.h"

#include "judgement_bench.h"

#include <stdio.h>
#include <string.h>

/* The bench with one meter of class 0.5 that saw all of the work: 2 kW. */
struct metered {
    struct bench bench;
    struct pa_fact_meter meters[2];
};

static void set_up_meters(struct metered *m) {
    bench_set_up(&m->bench);
    for (int i = 0; i < 2; i++) {
        m->meters[i] = (struct pa_fact_meter){.role = PA_METER_IT,
                                              .class_percent = 0.5,
                                              .covered_s = 60,
                                              .readings = 60,
                                              .watts = 2000,
                                              .u_watts = 5};
        snprintf(m->meters[i].source, sizeof m->meters[i].source, "csv");
        snprintf(m->meters[i].name, sizeof m->meters[i].name, "meter %d", i);
    }
    m->bench.facts.power = (struct pa_fact_power){.meters = m->meters,
                                                  .meter_count = 1,
                                                  .window_s = 60,
                                                  .has_it = true,
                                                  .it_w = 2000,
                                                  .it_u = 5,
                                                  .has_watts = true,
                                                  .watts = 2000};
}

/* How often a code is found, and whether any finding touched the verdict. */
static int count(const struct metered *m, const char *code) {
    struct pa_judgement judgement = judged(&m->bench);
    int found = 0;
    for (uint32_t i = 0; i < judgement.finding_count; i++)
        found += strcmp(judgement.findings[i].code, code) == 0;
    assert_int_equal(judgement.verdict, PA_PASS);
    pa_judgement_free(&judgement);
    return found;
}

static void a_sound_meter_gives_no_finding(void **state) {
    (void)state;
    static const char *const codes[] = {"METER_SILENT",    "METER_GAPS",
                                        "METER_DISAGREES", "POWER_IMPLAUSIBLE",
                                        "METER_PARTIAL",   "METER_CLASS_UNKNOWN"};
    struct metered m;
    set_up_meters(&m);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        assert_int_equal(count(&m, codes[i]), 0);
}

static void gaps_and_silence_are_found(void **state) {
    (void)state;
    struct metered m;
    set_up_meters(&m);
    m.meters[0].covered_s = 50;
    assert_int_equal(count(&m, "METER_GAPS"), 1);
    m.meters[0].covered_s = 60;
    m.meters[0].failures = 1;
    assert_int_equal(count(&m, "METER_GAPS"), 1);
    m.meters[0].covered_s = 0;
    assert_int_equal(count(&m, "METER_GAPS"), 0);
    assert_int_equal(count(&m, "METER_SILENT"), 1);
}

static void a_meter_without_a_class_is_found(void **state) {
    (void)state;
    struct metered m;
    set_up_meters(&m);
    m.meters[0].class_percent = 0;
    assert_int_equal(count(&m, "METER_CLASS_UNKNOWN"), 1);
    m.meters[0].is_component = true; /* it has none */
    assert_int_equal(count(&m, "METER_CLASS_UNKNOWN"), 0);
}

static void power_and_energy_that_disagree_are_found(void **state) {
    (void)state;
    struct metered m;
    set_up_meters(&m);
    m.meters[0].counter_j = 100;
    m.meters[0].integrated_j = 111;
    assert_int_equal(count(&m, "METER_DISAGREES"), 1);
    m.meters[0].integrated_j = 95;
    assert_int_equal(count(&m, "METER_DISAGREES"), 0);
}

static void rapl_of_one_machine_among_several_is_found(void **state) {
    (void)state;
    struct metered m;
    set_up_meters(&m);
    snprintf(m.meters[0].source, sizeof m.meters[0].source, "rapl");
    m.meters[0].is_component = true;
    snprintf(m.bench.devices[0].host, sizeof m.bench.devices[0].host, "a");
    snprintf(m.bench.devices[1].host, sizeof m.bench.devices[1].host, "a");
    assert_int_equal(count(&m, "METER_PARTIAL"), 0);
    snprintf(m.bench.devices[1].host, sizeof m.bench.devices[1].host, "b");
    assert_int_equal(count(&m, "METER_PARTIAL"), 1);
}

static void power_that_cannot_be_is_found(void **state) {
    (void)state;
    struct metered m;
    set_up_meters(&m);
    m.meters[0].is_implausible = true;
    assert_int_equal(count(&m, "POWER_IMPLAUSIBLE"), 1);
    set_up_meters(&m);
    m.bench.facts.power.watts = 0;
    assert_int_equal(count(&m, "POWER_IMPLAUSIBLE"), 1);
    set_up_meters(&m);
    m.bench.facts.power.has_pue = true;
    m.bench.facts.power.pue = 0.9;
    assert_int_equal(count(&m, "POWER_IMPLAUSIBLE"), 1);
    m.bench.facts.power.pue = 0.99; /* within the meters' classes */
    assert_int_equal(count(&m, "POWER_IMPLAUSIBLE"), 0);
    /* 1.4 PFLOPS with 40 W: 3.5e13 operations a joule. */
    m.bench.facts.power.watts = 40;
    assert_int_equal(count(&m, "POWER_IMPLAUSIBLE"), 1);
    set_up_meters(&m);
    m.bench.facts.power.meter_count = 2;
    m.meters[1].is_component = true;
    assert_int_equal(count(&m, "POWER_IMPLAUSIBLE"), 0);
    m.meters[1].watts = 2100;
    assert_int_equal(count(&m, "POWER_IMPLAUSIBLE"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_meter_gives_no_finding),
        cmocka_unit_test(gaps_and_silence_are_found),
        cmocka_unit_test(a_meter_without_a_class_is_found),
        cmocka_unit_test(power_and_energy_that_disagree_are_found),
        cmocka_unit_test(rapl_of_one_machine_among_several_is_found),
        cmocka_unit_test(power_that_cannot_be_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
