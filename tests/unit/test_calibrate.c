/* SPDX-License-Identifier: Apache-2.0 */
/* The sweep keeps what is fastest among what is exact and fits, and a warm-up ends when the rate is
 * steady. The device is the test's own, and so is its clock (--wrap): a step takes as long as the
 * script says, on any machine. */
#include "cmocka_setup.h"

#include "measure/calibrate.h"

#include <stdlib.h>
#include <string.h>

enum { MS = 1000000, TEST_K = 128 };

uint64_t __wrap_pa_clock_raw_ns(void);

static uint64_t now_ns;

uint64_t __wrap_pa_clock_raw_ns(void) {
    return now_ns;
}

struct pa_workbench {
    struct pa_workload workload;
    struct pa_tile_bench *tile;
    struct pa_seed a, queue[PA_LAG];
    int queued;
};

static struct {
    enum pa_format wrong_format; /* its digests are off by a bit */
    uint32_t wrong_variant;      /* those of this variant are; 0: none */
    uint64_t memory_free;
    const uint64_t *step_ns; /* a script of steps, the last one for ever; NULL: by rate_of */
    size_t script_length, steps;
    int tried_large;
} scripted;

/* Operations a nanosecond: bf16 twice as fast as fp32, variant 1 half as fast again as variant 0
 * and variant 2 twice, and larger shapes faster. */
static double rate_of(const struct pa_workload *workload) {
    static const double by_variant[] = {1, 1.5, 2};
    return (workload->format == PA_BF16 ? 2 : 1) * by_variant[workload->variant] *
           (workload->m >= 512 ? 1.25 : 1);
}

static void tell_format(struct pa_device *device, enum pa_format format,
                        struct pa_format_facts *out) {
    (void)device;
    *out = (struct pa_format_facts){.runs = format == PA_BF16 || format == PA_FP32,
                                    .why_not = "the test has no such unit"};
}

static int tell_variants(struct pa_device *device, const struct pa_workload *workload,
                         char (*names)[48], int most) {
    static const char *const all[] = {"plain", "packed", "odd"};
    (void)device;
    (void)workload;
    assert_true(most >= 3);
    for (int i = 0; i < 3; i++)
        strcpy(names[i], all[i]);
    return 3;
}

static uint64_t bench_bytes(struct pa_device *device, const struct pa_workload *workload) {
    (void)device;
    return (uint64_t)workload->m * workload->n;
}

static uint64_t memory_free(struct pa_device *device) {
    (void)device;
    return scripted.memory_free;
}

static int bench_open(struct pa_device *device, const struct pa_workload *workload,
                      struct pa_workbench **out, struct pa_error *error) {
    struct pa_workbench *bench = calloc(1, sizeof *bench);
    (void)device;
    assert_non_null(bench);
    bench->workload = *workload;
    assert_int_equal(pa_tile_bench_create(workload->k, &bench->tile, error), PA_OK);
    scripted.tried_large += workload->m >= 1024 ? 1 : 0;
    *out = bench;
    return PA_OK;
}

static void bench_close(struct pa_workbench *bench) {
    pa_tile_bench_destroy(bench->tile);
    free(bench);
}

static int load_a(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error) {
    (void)error;
    bench->a = *seed;
    return PA_OK;
}

static int enqueue(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error) {
    (void)error;
    assert_true(bench->queued < PA_LAG);
    bench->queue[bench->queued++] = *seed;
    return PA_OK;
}

static uint64_t next_step_ns(const struct pa_workload *workload) {
    struct pa_shape shape = {workload->m, workload->n, workload->k};
    size_t step = scripted.steps++;
    if (scripted.step_ns == NULL)
        return (uint64_t)((double)pa_shape_operations(shape) / rate_of(workload));
    return scripted.step_ns[step < scripted.script_length ? step : scripted.script_length - 1];
}

static int collect(struct pa_workbench *bench, uint64_t *tiles, uint64_t deadline_ns,
                   struct pa_error *error) {
    const struct pa_workload *workload = &bench->workload;
    uint32_t columns = workload->n / PA_TILE;
    bool is_wrong = workload->format == scripted.wrong_format ||
                    (workload->variant > 0 && workload->variant == scripted.wrong_variant);
    (void)error;
    (void)deadline_ns;
    assert_true(bench->queued > 0);
    for (uint32_t i = 0; i < workload->m / PA_TILE * columns; i++)
        tiles[i] = pa_tile_digest(bench->tile, (enum pa_class)workload->class_id, workload->k,
                                  &bench->a, &bench->queue[0], i / columns, i % columns) ^
                   (is_wrong ? 1 : 0);
    bench->queue[0] = bench->queue[1];
    bench->queued--;
    now_ns += next_step_ns(workload);
    return PA_OK;
}

static void drop(struct pa_workbench *bench) {
    bench->queued = 0;
}

static const struct pa_step_shape shapes[] = {{256, 256}, {512, 256}, {1024, 256}, {0, 0}};
static const struct pa_backend backend = {.name = "test",
                                          .shapes = shapes,
                                          .format = tell_format,
                                          .variants = tell_variants,
                                          .workbench_bytes = bench_bytes,
                                          .memory_free = memory_free,
                                          .workbench_open = bench_open,
                                          .workbench_close = bench_close,
                                          .load_a = load_a,
                                          .step_enqueue = enqueue,
                                          .step_collect = collect,
                                          .steps_drop = drop};
static struct pa_device device = {.backend = &backend, .identity = {.name = "Test device"}};
/* 512 x 256 fits, 1024 x 256 does not. */
static const uint64_t small_memory = 512 * 256;

static int set_up(void **state) {
    (void)state;
    memset(&scripted, 0, sizeof scripted);
    scripted.memory_free = small_memory;
    now_ns = 1000;
    return 0;
}

static struct pa_calibration calibrate(uint32_t fixed_m, uint64_t longest_step_ns) {
    struct pa_calibrate_request request = {.class_id = PA_DENSE16,
                                           .k = TEST_K,
                                           .fixed_m = fixed_m,
                                           .fixed_n = fixed_m,
                                           .longest_step_ns = longest_step_ns,
                                           .budget_ns = UINT64_C(1) << 50};
    struct pa_calibration found;
    struct pa_error error = {0};
    if (pa_calibrate(&device, &request, NULL, &found, &error) != PA_OK)
        fail_msg("%s", error.text);
    return found;
}

static void the_fastest_format_variant_and_shape_are_chosen(void **state) {
    (void)state;
    struct pa_calibration found = calibrate(0, UINT64_C(1) << 50);
    assert_int_equal(found.chosen.format, PA_BF16);
    assert_string_equal(found.chosen.variant_name, "odd");
    assert_int_equal(found.chosen.m, 512);
    assert_int_equal(found.chosen.n, 256);
    assert_true(found.chosen.rate > 4.99e9 && found.chosen.rate < 5.01e9);
    assert_int_equal(found.memory_bytes, 512 * 256);
    /* Two formats by three variants at the first shape, then the winner at the other that fits. */
    assert_int_equal(found.trial_count, 7);
    assert_int_equal(scripted.tried_large, 0);
    for (uint32_t i = 0; i < found.trial_count; i++)
        assert_true(found.trials[i].rate <= found.chosen.rate);
}

static void a_format_that_is_fast_and_wrong_is_refused(void **state) {
    (void)state;
    scripted.wrong_format = PA_BF16;
    struct pa_calibration found = calibrate(0, UINT64_C(1) << 50);
    assert_int_equal(found.chosen.format, PA_FP32);
    assert_int_equal(found.trial_count, 4);
    assert_non_null(strstr(found.refused, "bf16: its products are not exact"));
}

/* The check of exactness sees variant 0 only; the trial itself sees the others. */
static void a_variant_that_is_fast_and_wrong_is_not_chosen(void **state) {
    (void)state;
    scripted.wrong_variant = 2;
    struct pa_calibration found = calibrate(0, UINT64_C(1) << 50);
    assert_string_equal(found.chosen.variant_name, "packed");
    assert_true(found.trials[2].rate == 0);
    assert_non_null(strstr(found.refused, "not exact"));
}

static void a_shape_whose_steps_take_too_long_is_not_tried(void **state) {
    (void)state;
    /* At 4 operations a nanosecond a step of 512 x 256 x 128 takes 8.4 ms. */
    struct pa_calibration found = calibrate(0, 8 * MS);
    assert_int_equal(found.chosen.m, 256);
    assert_int_equal(found.trial_count, 6);
    assert_int_equal(calibrate(0, 9 * MS).chosen.m, 512);
}

static void a_shape_that_is_given_is_the_only_one_tried(void **state) {
    (void)state;
    struct pa_calibration found = calibrate(256, UINT64_C(1) << 50);
    assert_int_equal(found.trial_count, 6);
    for (uint32_t i = 0; i < found.trial_count; i++)
        assert_int_equal(found.trials[i].m, 256);
}

static struct pa_warmup warm_up(const uint64_t *script, size_t length, uint64_t longest_ns) {
    static const struct pa_workload small = {
        .class_id = PA_DENSE16, .format = PA_FP32, .m = 128, .n = 128, .k = TEST_K};
    struct pa_stand stand;
    struct pa_warmup warmup;
    struct pa_error error = {0};
    scripted.step_ns = script;
    scripted.script_length = length;
    assert_int_equal(pa_stand_open(&stand, &device, &small, NULL, &error), PA_OK);
    assert_int_equal(pa_sustain_warm_up(&stand, longest_ns, &warmup, &error), PA_OK);
    pa_stand_close(&stand);
    return warmup;
}

static void a_warm_up_ends_with_the_first_five_steps_that_agree(void **state) {
    static const uint64_t script[] = {40 * MS, 30 * MS, 20 * MS, 15 * MS,
                                      12 * MS, 11 * MS, 10 * MS};
    (void)state;
    struct pa_warmup warmup = warm_up(script, 7, UINT64_C(1) << 50);
    assert_true(warmup.is_steady);
    assert_int_equal(warmup.steps, 11); /* steps 7 to 11 take 10 ms */
    assert_int_equal(warmup.ns, 128 * MS + 5 * 10 * MS);
    assert_true(warmup.spread == 0);
    double expected = 2.0 * 128 * 128 * TEST_K / 10e-3;
    assert_true(warmup.rate > 0.999 * expected && warmup.rate < 1.001 * expected);
}

static void a_warm_up_takes_eight_steps_at_least(void **state) {
    static const uint64_t script[] = {10 * MS};
    (void)state;
    assert_int_equal(warm_up(script, 1, UINT64_C(1) << 50).steps, 8);
}

static void a_warm_up_that_never_agrees_ends_in_time_and_says_so(void **state) {
    static uint64_t script[1000];
    (void)state;
    for (int i = 0; i < 1000; i++)
        script[i] = (uint64_t)(i % 2 == 0 ? 10 * MS : 11 * MS);
    struct pa_warmup warmup = warm_up(script, 1000, UINT64_C(1000) * MS);
    assert_false(warmup.is_steady);
    assert_int_equal(warmup.steps, 96); /* 95 take 997 ms */
    assert_true(warmup.spread > 0.09 && warmup.spread < 0.11);
}

static uint32_t steps_of(uint64_t length_ns, bool is_whole) {
    static const uint64_t script[] = {29 * MS};
    static const struct pa_workload small = {
        .class_id = PA_DENSE16, .format = PA_FP32, .m = 128, .n = 128, .k = TEST_K};
    const struct pa_sustain_limits limits = {.length_ns = length_ns, .is_whole = is_whole};
    const struct pa_hash start = {{1}};
    struct pa_stand stand;
    struct pa_chain chain;
    struct pa_error error = {0};
    scripted.step_ns = script;
    scripted.script_length = 1;
    assert_int_equal(pa_stand_open(&stand, &device, &small, NULL, &error), PA_OK);
    assert_int_equal(pa_sustain_chain(&stand, &start, &limits, &chain, &error), PA_OK);
    uint32_t steps = chain.steps;
    pa_chain_free(&chain);
    pa_stand_close(&stand);
    return steps;
}

static void an_epoch_is_no_shorter_than_planned_and_a_probe_as_near_as_can_be(void **state) {
    (void)state;
    assert_int_equal(steps_of(100 * MS, true), 4);  /* 116 ms; three are 87 */
    assert_int_equal(steps_of(100 * MS, false), 3); /* 13 ms off in place of 16 */
    assert_int_equal(steps_of(90 * MS, true), 4);
    assert_int_equal(steps_of(87 * MS, true), 3);
    assert_int_equal(steps_of(110 * MS, false), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_fastest_format_variant_and_shape_are_chosen, set_up),
        cmocka_unit_test_setup(a_format_that_is_fast_and_wrong_is_refused, set_up),
        cmocka_unit_test_setup(a_variant_that_is_fast_and_wrong_is_not_chosen, set_up),
        cmocka_unit_test_setup(a_shape_whose_steps_take_too_long_is_not_tried, set_up),
        cmocka_unit_test_setup(a_shape_that_is_given_is_the_only_one_tried, set_up),
        cmocka_unit_test_setup(a_warm_up_ends_with_the_first_five_steps_that_agree, set_up),
        cmocka_unit_test_setup(a_warm_up_takes_eight_steps_at_least, set_up),
        cmocka_unit_test_setup(an_epoch_is_no_shorter_than_planned_and_a_probe_as_near_as_can_be,
                               set_up),
        cmocka_unit_test_setup(a_warm_up_that_never_agrees_ends_in_time_and_says_so, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
