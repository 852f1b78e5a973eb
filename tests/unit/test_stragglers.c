/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices fall out of the rates of their like, and that none does where all are well. */
#include "cmocka_setup.h"

#include "judge/judge.h"
#include "judge/stragglers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES = 64, A_HOST = 8 };

static struct pa_fact_device devices[DEVICES];
static struct pa_facts facts;

/* Eight hosts of eight, whose rates differ by up to one percent from one another. */
static int make_hall(void **state) {
    (void)state;
    memset(devices, 0, sizeof devices);
    for (uint32_t d = 0; d < DEVICES; d++) {
        snprintf(devices[d].model, sizeof devices[d].model, "NVIDIA H100 80GB HBM3");
        snprintf(devices[d].format, sizeof devices[d].format, "fp16");
        snprintf(devices[d].backend, sizeof devices[d].backend, "cuda");
        snprintf(devices[d].id, sizeof devices[d].id, "GPU-%02u", d);
        snprintf(devices[d].host, sizeof devices[d].host, "node%u", d / A_HOST);
        devices[d].operations = 6e15 * (1 + 0.01 * ((d * 37 % 11) / 10.0 - 0.5));
    }
    facts = (struct pa_facts){.devices = devices, .device_count = DEVICES};
    facts.credit.seconds = 10;
    return 0;
}

static struct pa_straggling find(void) {
    struct pa_straggling found;
    assert_int_equal(pa_straggling_find(&facts, &found, NULL), PA_OK);
    return found;
}

static uint32_t stragglers(void) {
    struct pa_straggling found = find();
    uint32_t count = found.straggler_count;
    pa_straggling_free(&found);
    return count;
}

static void devices_that_are_alike_have_no_straggler(void **state) {
    (void)state;
    struct pa_straggling found = find();
    assert_int_equal(found.straggler_count, 0);
    assert_int_equal(found.group_count, 1);
    assert_int_equal(found.groups[0].count, DEVICES);
    assert_true(fabs(found.groups[0].quantiles[3] - 6e14) < 1e11);
    assert_true(found.groups[0].quantiles[0] < found.groups[0].quantiles[1]);
    assert_true(found.groups[0].mad > 1e12 && found.groups[0].mad < 2e12);
    pa_straggling_free(&found);
}

static void slow_devices_are_ranked_with_the_worst_host_first(void **state) {
    (void)state;
    devices[9].operations *= 0.9;   /* node1 */
    devices[40].operations *= 0.5;  /* node5, the worst */
    devices[43].operations *= 0.92; /* node5, too */
    devices[63].operations *= 0.7;  /* node7 */
    static const uint32_t order[] = {40, 43, 63, 9};
    struct pa_straggling found = find();
    assert_int_equal(found.straggler_count, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(found.stragglers[i].device, order[i]);
    assert_true(fabs(found.stragglers[0].share - 0.5) < 0.01 && found.stragglers[0].score > 50);
    pa_straggling_free(&found);
}

/* A third of a hall that is slow moves a mean and a standard deviation so far that nobody stands
 * out. */
static void many_slow_devices_do_not_hide_each_other(void **state) {
    (void)state;
    for (uint32_t d = 0; d < DEVICES / 3; d++)
        devices[d * 3].operations *= 0.8;
    assert_int_equal(stragglers(), DEVICES / 3);
}

static void little_differences_are_none_even_where_all_others_are_equal(void **state) {
    (void)state;
    for (uint32_t d = 0; d < DEVICES; d++)
        devices[d].operations = 6e15;
    devices[5].operations *= 0.96;
    assert_int_equal(stragglers(), 0);
    devices[5].operations = 0.94 * 6e15;
    struct pa_straggling found = find();
    assert_int_equal(found.straggler_count, 1);
    assert_true(isinf(found.stragglers[0].score));
    pa_straggling_free(&found);
}

static void where_rates_differ_much_a_slow_one_is_usual(void **state) {
    (void)state;
    for (uint32_t d = 0; d < DEVICES; d++)
        devices[d].operations = 6e15 * (0.8 + 0.4 * d / DEVICES);
    assert_int_equal(stragglers(), 0);
}

static void other_models_lost_devices_and_small_groups_are_not_compared(void **state) {
    (void)state;
    /* Another model is slower, and that is right. */
    for (uint32_t d = 0; d < A_HOST; d++) {
        snprintf(devices[d].model, sizeof devices[d].model, "NVIDIA A100-SXM4-80GB");
        devices[d].operations = 2.5e15;
    }
    devices[20].lost = true;
    devices[20].operations *= 0.3;
    /* Three of a kind. */
    for (uint32_t d = 30; d < 33; d++)
        snprintf(devices[d].format, sizeof devices[d].format, "bf16");
    devices[31].operations *= 0.3;
    struct pa_straggling found = find();
    assert_int_equal(found.straggler_count, 0);
    assert_int_equal(found.group_count, 3);
    assert_int_equal(found.groups[0].first, 0);
    assert_int_equal(found.groups[1].first, A_HOST);
    assert_int_equal(found.groups[1].count, DEVICES - A_HOST - 4);
    assert_int_equal(found.groups[2].first, 30);
    pa_straggling_free(&found);
}

static void nothing_measured_is_nothing_to_compare(void **state) {
    (void)state;
    facts.credit.seconds = 0;
    assert_int_equal(stragglers(), 0);
    facts.credit.seconds = 10;
    facts.device_count = 0;
    assert_int_equal(stragglers(), 0);
}

static void told_power_is_found_by_device(void **state) {
    struct pa_fact_device_power told[] = {
        {.device = 3, .has_read = true, .read_w = 600},
        {.device = 7, .has_read = true, .read_w = 610, .has_counted = true, .counted_w = 620},
        {.device = 9}};
    (void)state;
    facts.power.devices = told;
    facts.power.device_count = 3;
    assert_true(pa_device_told_watts(&facts, 3) == 600 && pa_device_told_watts(&facts, 7) == 620);
    assert_true(pa_device_told_watts(&facts, 9) == 0 && pa_device_told_watts(&facts, 8) == 0);
    assert_true(pa_device_told_watts(&facts, 63) == 0);
    facts.power.device_count = 0;
}

static void the_finding_names_the_worst_and_how_many(void **state) {
    struct pa_claim claim = {.capacity_per_second = 1e15, .precision = PA_PRECISION_FP16};
    struct pa_policy policy = {.k = 2};
    struct pa_judgement judgement;
    const struct pa_finding *finding = NULL;
    (void)state;
    devices[12].operations *= 0.6;
    devices[13].operations *= 0.8;
    assert_int_equal(pa_judge(&facts, &claim, &policy, &judgement, NULL), PA_OK);
    for (uint32_t i = 0; i < judgement.finding_count; i++)
        if (strcmp(judgement.findings[i].code, "STRAGGLER") == 0)
            finding = &judgement.findings[i];
    assert_non_null(finding);
    assert_non_null(strstr(finding->text, "2 devices are slow among their like; look first at "
                                          "GPU-12 on node1, at 5"));
    assert_string_equal(finding->evidence, "device 12");
    pa_judgement_free(&judgement);
}

#define HALL_TEST(name) cmocka_unit_test_setup(name, make_hall)

int main(void) {
    const struct CMUnitTest tests[] = {
        HALL_TEST(devices_that_are_alike_have_no_straggler),
        HALL_TEST(slow_devices_are_ranked_with_the_worst_host_first),
        HALL_TEST(many_slow_devices_do_not_hide_each_other),
        HALL_TEST(little_differences_are_none_even_where_all_others_are_equal),
        HALL_TEST(where_rates_differ_much_a_slow_one_is_usual),
        HALL_TEST(other_models_lost_devices_and_small_groups_are_not_compared),
        HALL_TEST(nothing_measured_is_nothing_to_compare),
        HALL_TEST(told_power_is_found_by_device),
        HALL_TEST(the_finding_names_the_worst_and_how_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
