/* SPDX-License-Identifier: Apache-2.0 */
/* A chain on a device of the test's own: two steps in flight, in order, and failures that keep what
 * was done. */
#include "cmocka_setup.h"

#include "measure/exactness.h"
#include "measure/sustain.h"

#include <stdlib.h>
#include <string.h>

/* A device that multiplies tile by tile as the witness does, slowly and exactly, or as badly as a
 * test asks for. */
struct pa_workbench {
    struct pa_workload workload;
    struct pa_tile_bench *tile;
    struct pa_seed a, queue[PA_LAG];
    int queued;
    uint32_t collected;
};

static struct {
    uint32_t fails_at_step; /* step_collect fails there; 0 never */
    uint32_t hot_at_step;   /* `too_hot` is set when that one comes in; 0 never */
    bool is_wrong;          /* digests are off by one bit */
    int most_queued;
    int open_benches;
} device_of_test;

static atomic_bool too_hot;

static int bench_open(struct pa_device *device, const struct pa_workload *workload,
                      struct pa_workbench **out, struct pa_error *error) {
    struct pa_workbench *bench = calloc(1, sizeof *bench);
    (void)device;
    assert_non_null(bench);
    bench->workload = *workload;
    assert_int_equal(pa_tile_bench_create(workload->k, &bench->tile, error), PA_OK);
    device_of_test.open_benches++;
    *out = bench;
    return PA_OK;
}

static void bench_close(struct pa_workbench *bench) {
    pa_tile_bench_destroy(bench->tile);
    free(bench);
    device_of_test.open_benches--;
}

static int load_a(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error) {
    (void)error;
    bench->a = *seed;
    bench->collected = 0;
    return PA_OK;
}

static int enqueue(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error) {
    (void)error;
    assert_true(bench->queued < PA_LAG);
    bench->queue[bench->queued++] = *seed;
    if (bench->queued > device_of_test.most_queued)
        device_of_test.most_queued = bench->queued;
    return PA_OK;
}

static int collect(struct pa_workbench *bench, uint64_t *tiles, uint64_t deadline_ns,
                   struct pa_error *error) {
    uint32_t columns = bench->workload.n / PA_TILE;
    (void)deadline_ns;
    assert_true(bench->queued > 0);
    if (++bench->collected == device_of_test.fails_at_step)
        return pa_fail(error, PA_EDEVICE, "the test's device stopped");
    if (bench->collected == device_of_test.hot_at_step)
        atomic_store(&too_hot, true);
    for (uint32_t i = 0; i < bench->workload.m / PA_TILE * columns; i++)
        tiles[i] =
            pa_tile_digest(bench->tile, (enum pa_class)bench->workload.class_id, bench->workload.k,
                           &bench->a, &bench->queue[0], i / columns, i % columns) ^
            (device_of_test.is_wrong ? 1 : 0);
    bench->queued--;
    bench->queue[0] = bench->queue[1];
    return PA_OK;
}

static void drop(struct pa_workbench *bench) {
    bench->queued = 0;
}

static const struct pa_backend backend = {.name = "test",
                                          .workbench_open = bench_open,
                                          .workbench_close = bench_close,
                                          .load_a = load_a,
                                          .step_enqueue = enqueue,
                                          .step_collect = collect,
                                          .steps_drop = drop};

static struct pa_device device = {.backend = &backend};
static const struct pa_workload small = {
    .class_id = PA_DENSE16, .format = PA_FP32, .m = 256, .n = 128, .k = 128};
static const struct pa_hash start = {{42}};

static int set_up(void **state) {
    (void)state;
    memset(&device_of_test, 0, sizeof device_of_test);
    atomic_store(&too_hot, false);
    return 0;
}

static void a_chain_is_the_one_that_the_seeds_give(void **state) {
    struct pa_stand stand;
    struct pa_chain chain, expected;
    struct pa_tile_bench *tile;
    struct pa_error error = {0};
    (void)state;
    assert_int_equal(pa_stand_open(&stand, &device, &small, NULL, &error), PA_OK);
    assert_int_equal(
        pa_sustain_chain(&stand, &start, &(struct pa_sustain_limits){.steps = 7}, &chain, &error),
        PA_OK);
    assert_int_equal(chain.steps, 7);
    assert_int_equal(device_of_test.most_queued, PA_LAG);
    /* The same, one step after the other. */
    assert_int_equal(pa_tile_bench_create(128, &tile, &error), PA_OK);
    assert_int_equal(pa_chain_begin(&expected, &start, (struct pa_shape){256, 128, 128}, 1, &error),
                     PA_OK);
    struct pa_seed a = pa_chain_a_seed(&expected);
    for (uint32_t t = 1; t <= 7; t++) {
        struct pa_seed b = pa_chain_b_seed(&expected, t);
        uint64_t tiles[2] = {pa_tile_digest(tile, PA_DENSE16, 128, &a, &b, 0, 0),
                             pa_tile_digest(tile, PA_DENSE16, 128, &a, &b, 1, 0)};
        assert_int_equal(pa_chain_append(&expected, tiles, &error), PA_OK);
    }
    for (uint32_t t = 0; t < 7; t++)
        assert_true(pa_hash_equal(&chain.h[t], &expected.h[t]));
    pa_tile_bench_destroy(tile);
    pa_chain_free(&chain);
    pa_chain_free(&expected);
    pa_stand_close(&stand);
    assert_int_equal(device_of_test.open_benches, 0);
}

static void a_device_that_stops_leaves_the_steps_it_did(void **state) {
    struct pa_stand stand;
    struct pa_chain chain;
    struct pa_error error = {0};
    (void)state;
    device_of_test.fails_at_step = 4;
    assert_int_equal(pa_stand_open(&stand, &device, &small, NULL, &error), PA_OK);
    assert_int_equal(
        pa_sustain_chain(&stand, &start, &(struct pa_sustain_limits){.steps = 9}, &chain, &error),
        PA_EDEVICE);
    assert_int_equal(chain.steps, 3);
    pa_chain_free(&chain);
    pa_stand_close(&stand);
}

/* What is queued when a device is too hot is collected; the chain is one of fewer steps, and sound.
 */
static void a_device_that_is_too_hot_ends_its_chain_in_order(void **state) {
    struct pa_stand stand;
    struct pa_chain chain, shorter;
    struct pa_tail tail, expected;
    struct pa_error error = {0};
    (void)state;
    struct pa_sustain_limits limits = {.length_ns = UINT64_C(1) << 50, .end = &too_hot};
    device_of_test.hot_at_step = 3;
    assert_int_equal(pa_stand_open(&stand, &device, &small, NULL, &error), PA_OK);
    assert_int_equal(pa_sustain_chain(&stand, &start, &limits, &chain, &error), PA_OK);
    assert_int_equal(chain.steps, 4);
    assert_int_equal(pa_chain_tail(&chain, &tail, &error), PA_OK);
    limits = (struct pa_sustain_limits){.steps = 4};
    assert_int_equal(pa_sustain_chain(&stand, &start, &limits, &shorter, &error), PA_OK);
    assert_int_equal(pa_chain_tail(&shorter, &expected, &error), PA_OK);
    assert_true(pa_hash_equal(&tail.last, &expected.last));
    assert_true(pa_hash_equal(&tail.tree, &expected.tree));
    assert_int_equal(tail.steps, 4);
    pa_chain_free(&chain);
    pa_chain_free(&shorter);
    /* Too hot from the beginning: a chain without a step is one. */
    limits = (struct pa_sustain_limits){.length_ns = UINT64_C(1) << 50, .end = &too_hot};
    assert_int_equal(pa_sustain_chain(&stand, &start, &limits, &chain, &error), PA_OK);
    assert_int_equal(chain.steps, 0);
    pa_chain_free(&chain);
    pa_stand_close(&stand);
}

static void a_stop_request_ends_a_warm_up_and_no_chain(void **state) {
    struct pa_stand stand;
    struct pa_chain chain;
    struct pa_warmup warmup;
    struct pa_error error = {0};
    atomic_bool stop = true;
    (void)state;
    assert_int_equal(pa_stand_open(&stand, &device, &small, &stop, &error), PA_OK);
    assert_int_equal(pa_sustain_warm_up(&stand, UINT64_C(1) << 50, &warmup, &error), PA_OK);
    assert_int_equal(warmup.steps, 1);
    assert_int_equal(
        pa_sustain_chain(&stand, &start, &(struct pa_sustain_limits){.steps = 5}, &chain, &error),
        PA_OK);
    assert_int_equal(chain.steps, 5);
    pa_chain_free(&chain);
    pa_stand_close(&stand);
}

static void an_exact_device_has_no_mismatch_and_a_wrong_one_has_only_such(void **state) {
    struct pa_exactness_report report;
    struct pa_error error = {0};
    (void)state;
    assert_int_equal(pa_exactness_check(&device, PA_DENSE16, PA_FP32, &report, &error), PA_OK);
    assert_int_equal(report.mismatches, 0);
    assert_true(report.tiles >= 8);
    device_of_test.is_wrong = true;
    assert_int_equal(pa_exactness_check(&device, PA_DENSE16, PA_FP32, &report, &error), PA_OK);
    assert_int_equal(report.mismatches, report.tiles);
}

static void a_shape_that_the_protocol_does_not_have_is_refused(void **state) {
    struct pa_stand stand;
    struct pa_workload odd = small;
    struct pa_error error = {0};
    (void)state;
    odd.m = 100;
    assert_int_equal(pa_stand_open(&stand, &device, &odd, NULL, &error), PA_EINPUT);
    pa_stand_close(&stand);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_chain_is_the_one_that_the_seeds_give, set_up),
        cmocka_unit_test_setup(a_device_that_stops_leaves_the_steps_it_did, set_up),
        cmocka_unit_test_setup(a_device_that_is_too_hot_ends_its_chain_in_order, set_up),
        cmocka_unit_test_setup(a_stop_request_ends_a_warm_up_and_no_chain, set_up),
        cmocka_unit_test_setup(an_exact_device_has_no_mismatch_and_a_wrong_one_has_only_such,
                               set_up),
        cmocka_unit_test_setup(a_shape_that_the_protocol_does_not_have_is_refused, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
