/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan says of the time that an audit takes. */
#include "cmocka_setup.h"

#include "measure/plan.h"

#include <string.h>

enum { DEVICES = 3 };

static struct pa_site_device devices[DEVICES];
static struct pa_site site = {.devices = devices, .device_count = DEVICES};

/* Three devices of 1, 2 and 4 TFLOPS, each with a step of 2 * 1024^3 * 8 operations. */
static int prepare(void **state) {
    (void)state;
    memset(devices, 0, sizeof devices);
    for (uint32_t d = 0; d < DEVICES; d++)
        devices[d].calibration.chosen = (struct pa_trial){
            .format = PA_FP32, .m = 1024, .n = 1024, .rate = 1e12 * (double)(1u << d)};
    return 0;
}

static void a_fabric_proof_takes_the_steps_of_the_slowest_device(void **state) {
    struct pa_plan plan = {.k = PA_CERTIFIED_K};
    (void)state;
    double steps_s = 64 * 2.0 * 1024 * 1024 * 8192 / 1e12;
    double first_s = (double)pa_plan_fabric_ns(&plan, &site) * 1e-9;
    devices[0].calibration.chosen.rate *= 2;
    double second_s = (double)pa_plan_fabric_ns(&plan, &site) * 1e-9;
    /* What the witness checks is the same in both. */
    assert_true(first_s - second_s > 0.499 * steps_s && first_s - second_s < 0.501 * steps_s);
    assert_true(second_s > 0.5 * steps_s);
    devices[0].is_lost = true;
    assert_true((double)pa_plan_fabric_ns(&plan, &site) * 1e-9 > second_s - 1e-6);
    devices[1].is_lost = true;
    assert_int_equal(pa_plan_fabric_ns(&plan, &site), 0);
}

/* A device that has no rate yet adds no time, and no infinite one. */
static void a_device_without_a_rate_counts_nothing(void **state) {
    struct pa_plan plan = {.k = PA_CERTIFIED_K};
    (void)state;
    uint64_t before_ns = pa_plan_fabric_ns(&plan, &site);
    devices[2].calibration.chosen.rate = 0;
    assert_int_equal(pa_plan_fabric_ns(&plan, &site), before_ns);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_fabric_proof_takes_the_steps_of_the_slowest_device, prepare),
        cmocka_unit_test_setup(a_device_without_a_rate_counts_nothing, prepare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
