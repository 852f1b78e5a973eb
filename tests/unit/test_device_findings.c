/* SPDX-License-Identifier: Apache-2.0 */
/* Findings about the health and company of devices: each comes when it should, and none comes of
 * devices that are well. */
#include "cmocka_setup.h"

#include "judge/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES = 2 };

struct bench {
    struct pa_fact_device devices[DEVICES];
    struct pa_fact_epoch epoch;
    struct pa_facts facts;
    struct pa_claim claim;
    struct pa_policy policy;
};

/* Two devices that did some work and told that they are well, at their power limit. */
static void bench_set_up(struct bench *bench) {
    memset(bench, 0, sizeof *bench);
    for (int d = 0; d < DEVICES; d++) {
        struct pa_fact_device *device = &bench->devices[d];
        snprintf(device->model, sizeof device->model, "NVIDIA H100 80GB HBM3");
        snprintf(device->id, sizeof device->id, "GPU-%d", d);
        snprintf(device->backend, sizeof device->backend, "cuda");
        snprintf(device->format, sizeof device->format, "fp16");
        device->memory_bytes = (uint64_t)80 << 30;
        device->operations = 1e15;
        device->vitals = (struct pa_fact_vitals){.epochs = 6, .slowdowns = 1 << 2};
        device->memory = (struct pa_fact_memory){.is_there = true,
                                                 .wanted_bytes = (uint64_t)78 << 30,
                                                 .filled_bytes = (uint64_t)77 << 30,
                                                 .workbench_bytes = (uint64_t)1 << 30,
                                                 .samples = 256};
    }
    bench->epoch.state = PA_EPOCH_CLOSED;
    bench->facts.devices = bench->devices;
    bench->facts.device_count = DEVICES;
    bench->facts.epochs = &bench->epoch;
    bench->facts.epoch_count = 1;
    bench->facts.is_finished = true;
    bench->facts.credit = (struct pa_credit){.operations = 2e15, .seconds = 10};
    bench->claim = (struct pa_claim){.capacity_per_second = 1e15, .precision = PA_PRECISION_FP16};
    bench->policy.k = 2;
}

/* The text of a finding, or NULL; a static copy. */
static const char *found(const struct bench *bench, const char *code) {
    static char text[512];
    struct pa_judgement judgement;
    bool is_there = false;
    assert_int_equal(pa_judge(&bench->facts, &bench->claim, &bench->policy, &judgement, NULL),
                     PA_OK);
    for (uint32_t i = 0; i < judgement.finding_count; i++) {
        if (strcmp(judgement.findings[i].code, code) != 0)
            continue;
        snprintf(text, sizeof text, "%s", judgement.findings[i].text);
        is_there = true;
    }
    pa_judgement_free(&judgement);
    return is_there ? text : NULL;
}

static void devices_that_are_well_have_no_finding(void **state) {
    static const char *const codes[] = {"THROTTLED",     "THERMAL_STOP",   "ECC_UNCORRECTED",
                                        "ECC_CORRECTED", "PARTIAL_DEVICE", "DEVICE_NOT_ALONE",
                                        "NO_TELEMETRY"};
    struct bench bench;
    (void)state;
    bench_set_up(&bench);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        assert_null(found(&bench, codes[i]));
}

static void heat_is_told(void **state) {
    struct bench bench;
    (void)state;
    bench_set_up(&bench);
    bench.devices[1].vitals.throttled_epochs = 3;
    bench.devices[1].vitals.slowdowns |= PA_FACT_SLOW_SW_THERMAL;
    assert_non_null(strstr(found(&bench, "THROTTLED"), "by heat in 3 epochs: device 1"));
    assert_null(found(&bench, "THERMAL_STOP"));
    bench.devices[0].vitals.thermal_stops = 2;
    assert_non_null(strstr(found(&bench, "THERMAL_STOP"), "2 times: device 0"));
    bench.devices[1].vitals.slowdowns = PA_FACT_SLOW_POWER_BRAKE;
    assert_non_null(strstr(found(&bench, "THROTTLED"), "by its power supply"));
}

static void memory_errors_are_told_apart(void **state) {
    struct bench bench;
    (void)state;
    bench_set_up(&bench);
    bench.devices[0].vitals.ecc_corrected = 12;
    assert_non_null(strstr(found(&bench, "ECC_CORRECTED"), "12 memory errors"));
    assert_null(found(&bench, "ECC_UNCORRECTED"));
    bench.devices[1].vitals.ecc_uncorrected = 1;
    assert_non_null(strstr(found(&bench, "ECC_UNCORRECTED"), "device 1"));
}

static void parts_of_devices_and_their_other_users_are_told(void **state) {
    struct bench bench;
    (void)state;
    bench_set_up(&bench);
    snprintf(bench.devices[1].partition, sizeof bench.devices[1].partition,
             "MIG slice NVIDIA H100 MIG 1g.10gb of GPU-x");
    assert_non_null(strstr(found(&bench, "PARTIAL_DEVICE"), "MIG 1g.10gb"));
    bench.devices[0].vitals.others = 1;
    assert_non_null(strstr(found(&bench, "DEVICE_NOT_ALONE"), "device 0"));
}

static void memory_that_was_filled_is_held_against_what_is_told(void **state) {
    struct bench bench;
    const uint64_t gib = (uint64_t)1 << 30;
    (void)state;
    bench_set_up(&bench);
    bench.facts.is_certified = true;
    for (int d = 0; d < DEVICES; d++)
        bench.devices[d].memory = (struct pa_fact_memory){.is_there = true,
                                                          .wanted_bytes = 76 * gib,
                                                          .filled_bytes = 75 * gib,
                                                          .workbench_bytes = 2 * gib,
                                                          .samples = 256};
    assert_null(found(&bench, "MEMORY_WRONG"));
    assert_null(found(&bench, "MEMORY_ABSENT"));
    bench.devices[1].memory.filled_bytes = 39 * gib;
    assert_non_null(strstr(found(&bench, "MEMORY_ABSENT"), "device 1 (NVIDIA H100 80GB HBM3); "
                                                           "there were 39 GiB"));
    bench.devices[0].memory.wrong = 130;
    assert_non_null(strstr(found(&bench, "MEMORY_WRONG"), "in 130 of 256 samples: device 0"));
    /* A TEST fills a part, and is held against that part. */
    bench.facts.is_certified = false;
    bench.devices[1].memory.wanted_bytes = 40 * gib;
    assert_null(found(&bench, "MEMORY_ABSENT"));
    bench.devices[1].memory.filled_bytes = 20 * gib;
    assert_non_null(found(&bench, "MEMORY_ABSENT"));
}

static void memory_that_nobody_proved_is_told(void **state) {
    struct bench bench;
    (void)state;
    bench_set_up(&bench);
    assert_null(found(&bench, "MEMORY_PROOF_FAILED"));
    struct pa_fact_device *device = &bench.devices[1];
    device->memory = (struct pa_fact_memory){0};
    assert_non_null(strstr(found(&bench, "MEMORY_PROOF_FAILED"), "device 1 (NVIDIA H100"));
    /* Whose reason is told already is not told again; a lost one is LOST_DEVICE. */
    device->memory.has_failed = true;
    assert_null(found(&bench, "MEMORY_PROOF_FAILED"));
    device->memory.has_failed = false;
    device->lost = true;
    assert_null(found(&bench, "MEMORY_PROOF_FAILED"));
    device->lost = false;
    device->is_idle = true;
    assert_null(found(&bench, "MEMORY_PROOF_FAILED"));
    device->is_idle = false;
    snprintf(device->backend, sizeof device->backend, "cpu");
    assert_null(found(&bench, "MEMORY_PROOF_FAILED"));
}

static void silence_is_told_of_accelerators_that_worked(void **state) {
    struct bench bench;
    (void)state;
    bench_set_up(&bench);
    bench.devices[0].vitals.epochs = 0;
    assert_non_null(found(&bench, "NO_TELEMETRY"));
    snprintf(bench.devices[0].backend, sizeof bench.devices[0].backend, "cpu");
    assert_null(found(&bench, "NO_TELEMETRY"));
    snprintf(bench.devices[0].backend, sizeof bench.devices[0].backend, "cuda");
    bench.devices[0].operations = 0;
    assert_null(found(&bench, "NO_TELEMETRY"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_that_are_well_have_no_finding),
        cmocka_unit_test(heat_is_told),
        cmocka_unit_test(memory_errors_are_told_apart),
        cmocka_unit_test(parts_of_devices_and_their_other_users_are_told),
        cmocka_unit_test(memory_that_was_filled_is_held_against_what_is_told),
        cmocka_unit_test(memory_that_nobody_proved_is_told),
        cmocka_unit_test(silence_is_told_of_accelerators_that_worked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
