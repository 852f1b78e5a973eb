/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of the cuda backend on emulated GPUs: overlapped as on a real one, exact in every format,
 * and ended by our own deadlines and in our own words when a device fails.
 *
 * usage: test_cuda_steps [FOLDER] */
#include "emulated_gpu/emulated_session.h"

#include "base/clock.h"
#include "device/cuda_images.h"
#include "device/device.h"
#include "proof/tile.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 5, M = 256, N = 384, TILES = (M / 128) * (N / 128) };

static const char *folder;
static const struct pa_seed a_seed = {1, 2, 3, 4, 5};

static struct pa_seed b_seed(uint32_t step) {
    return (struct pa_seed){100 + step, 7, 8, 9, 77 * step};
}

static uint64_t in_a_while(void) {
    return pa_clock_raw_ns() + UINT64_C(50000000000);
}

static struct pa_device *open_device(int index) {
    struct pa_device_options options = {0};
    struct pa_device *device = NULL;
    EXPECT_IS(pa_backend_named("cuda")->open(index, &options, &device, NULL), PA_OK);
    return device;
}

static struct pa_workbench *open_bench(struct pa_device *device, uint32_t class_id,
                                       enum pa_format format, uint32_t k) {
    const struct pa_workload workload = {class_id, format, M, N, k, 0};
    struct pa_workbench *bench = NULL;
    struct pa_error error = {0};
    if (device->backend->workbench_open(device, &workload, &bench, &error) != PA_OK)
        fprintf(stderr, "%s\n", error.text);
    EXPECT(bench != NULL);
    return bench;
}

/* All tiles of the step against what the witness computes. */
static void expect_exact(struct pa_tile_bench *witness, uint32_t class_id, uint32_t k,
                         uint32_t step, const uint64_t *tiles) {
    struct pa_seed b = b_seed(step);
    for (uint32_t row = 0; row < M / 128; row++)
        for (uint32_t column = 0; column < N / 128; column++)
            EXPECT_IS(
                tiles[row * (N / 128) + column],
                pa_tile_digest(witness, (enum pa_class)class_id, k, &a_seed, &b, row, column));
}

/* A chain with two steps queued, as pa_sustain_chain runs it. */
static void run_chain(struct pa_device *device, uint32_t class_id, enum pa_format format) {
    const struct pa_backend *cuda = device->backend;
    const uint32_t k = 256;
    struct pa_workbench *bench = open_bench(device, class_id, format, k);
    struct pa_tile_bench *witness = NULL;
    struct pa_step_costs costs;
    struct pa_error error = {0};
    uint64_t tiles[TILES], ns = 0;
    EXPECT_IS(pa_tile_bench_create(k, &witness, &error), PA_OK);
    EXPECT_IS(cuda->load_a(bench, &a_seed, &error), PA_OK);
    for (uint32_t step = 0, queued = 0; step < STEPS; step++) {
        for (; queued < STEPS && queued < step + 2; queued++) {
            struct pa_seed b = b_seed(queued);
            EXPECT_IS(cuda->step_enqueue(bench, &b, &error), PA_OK);
        }
        EXPECT_IS(cuda->step_collect(bench, tiles, in_a_while(), &error), PA_OK);
        expect_exact(witness, class_id, k, step, tiles);
    }
    cuda->costs(bench, &costs);
    EXPECT(costs.generate_ns > 0 && costs.gemm_ns > 0 && costs.digest_ns > 0);
    cuda->costs(bench, &costs);
    EXPECT_IS(costs.gemm_ns, 0);
    EXPECT_IS(cuda->multiply_bare(bench, 2, &ns, &error), PA_OK);
    EXPECT(ns > 0);
    pa_tile_bench_destroy(witness);
    cuda->workbench_close(bench);
}

static void every_format_runs(void) {
    static const struct {
        uint32_t class_id;
        enum pa_format format;
    } all[] = {{1, PA_BF16}, {1, PA_FP16}, {1, PA_FP32}, {1, PA_TF32},
               {2, PA_INT8}, {3, PA_FP8},  {4, PA_FP64}};
    struct pa_device *device = open_device(0);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        run_chain(device, all[i].class_id, all[i].format);
    device->backend->close(device);
}

/* Lazy order runs what is not waited for too late, eager order whatever is overwritten too early.
 */
static void overlapped_steps_are_exact_in_every_order(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,memory=96MiB", 0, every_format_runs));
    assert_true(emulated_run(folder, "devices=1,memory=96MiB,order=eager", 0, every_format_runs));
}

static void queue_by_the_rules(void) {
    struct pa_device *device = open_device(0);
    const struct pa_backend *cuda = device->backend;
    struct pa_workbench *bench = open_bench(device, 1, PA_BF16, 128);
    struct pa_tile_bench *witness = NULL;
    struct pa_seed b = b_seed(0);
    uint64_t tiles[TILES], ns;
    EXPECT_IS(pa_tile_bench_create(128, &witness, NULL), PA_OK);
    EXPECT_IS(cuda->step_collect(bench, tiles, in_a_while(), NULL), PA_EINTERNAL);
    EXPECT_IS(cuda->load_a(bench, &a_seed, NULL), PA_OK);
    EXPECT_IS(cuda->step_enqueue(bench, &b, NULL), PA_OK);
    EXPECT_IS(cuda->step_enqueue(bench, &b, NULL), PA_OK);
    EXPECT_IS(cuda->step_enqueue(bench, &b, NULL), PA_EINTERNAL);
    EXPECT_IS(cuda->load_a(bench, &a_seed, NULL), PA_EINTERNAL);
    EXPECT_IS(cuda->multiply_bare(bench, 1, &ns, NULL), PA_EINTERNAL);
    cuda->steps_drop(bench);
    EXPECT_IS(cuda->step_collect(bench, tiles, in_a_while(), NULL), PA_EINTERNAL);
    /* As after open: the next step has nothing of the forgotten ones. */
    b = b_seed(3);
    EXPECT_IS(cuda->load_a(bench, &a_seed, NULL), PA_OK);
    EXPECT_IS(cuda->step_enqueue(bench, &b, NULL), PA_OK);
    EXPECT_IS(cuda->step_collect(bench, tiles, in_a_while(), NULL), PA_OK);
    expect_exact(witness, 1, 128, 3, tiles);
    pa_tile_bench_destroy(witness);
    cuda->workbench_close(bench);
    device->backend->close(device);
}

static void two_steps_may_be_queued_and_dropped(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,memory=64MiB", 0, queue_by_the_rules));
}

static void fault_in_a_step(void) {
    struct pa_device *device = open_device(0), *other = open_device(1);
    const struct pa_backend *cuda = device->backend;
    struct pa_workbench *bench = open_bench(device, 1, PA_BF16, 128);
    struct pa_format_facts facts;
    struct pa_seed b = b_seed(0);
    struct pa_error error = {0}, again = {0};
    uint64_t tiles[TILES];
    EXPECT_IS(cuda->load_a(bench, &a_seed, &error), PA_OK);
    EXPECT_IS(cuda->step_enqueue(bench, &b, &error), PA_OK);
    EXPECT_IS(cuda->step_collect(bench, tiles, in_a_while(), &error), PA_EDEVICE);
    EXPECT(strstr(error.text, device->identity.id) != NULL);
    EXPECT(strstr(error.text, "cuEventQuery") != NULL);
    EXPECT(strstr(error.text, "CUDA_ERROR_ILLEGAL_ADDRESS") != NULL);
    EXPECT_IS(cuda->step_enqueue(bench, &b, &again), PA_EDEVICE);
    EXPECT(strcmp(error.text, again.text) == 0);
    cuda->format(device, PA_BF16, &facts);
    EXPECT(!facts.runs && strstr(facts.why_not, "GPU-") != NULL);
    cuda->workbench_close(bench);
    cuda->close(device);
    run_chain(other, 1, PA_BF16);
    cuda->close(other);
}

static void a_fault_loses_its_device_alone_and_says_where(void **state) {
    (void)state;
    /* The second launch of the device: B of the first step. */
    assert_true(emulated_run(folder, "devices=2,memory=64MiB,fault=cuLaunchKernel@0:2:sticky=700",
                             0, fault_in_a_step));
}

static void hang_in_a_step(void) {
    struct pa_device *device = open_device(0);
    const struct pa_backend *cuda = device->backend;
    struct pa_workbench *bench = open_bench(device, 1, PA_BF16, 128);
    struct pa_seed b = b_seed(0);
    struct pa_error error = {0};
    uint64_t tiles[TILES];
    EXPECT_IS(cuda->load_a(bench, &a_seed, &error), PA_OK);
    EXPECT_IS(cuda->step_enqueue(bench, &b, &error), PA_OK);
    EXPECT_IS(cuda->step_collect(bench, tiles, pa_clock_raw_ns() + 50000000, &error), PA_ETIMEOUT);
    EXPECT(strstr(error.text, device->identity.id) != NULL);
    EXPECT(strstr(error.text, "did not end within") != NULL);
    /* The step stays queued: asking again waits again. */
    EXPECT_IS(cuda->step_collect(bench, tiles, pa_clock_raw_ns() + 50000000, &error), PA_ETIMEOUT);
    _exit(0);
}

static void a_hang_ends_at_the_deadline(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,memory=64MiB,fault=cublasLtMatmul:1:hang", 0,
                             hang_in_a_step));
}

static void *open_for_ever(void *device) {
    open_bench(device, 1, PA_BF16, 128);
    EXPECT(false); /* it came back */
    return NULL;
}

static void a_call_stays_away(void) {
    struct pa_device *device = open_device(0), *other = open_device(1);
    const struct pa_backend *cuda = device->backend;
    struct pa_format_facts facts;
    struct pa_error error = {0}, again = {0};
    pthread_t thread;
    EXPECT(!cuda->give_up(device, 0, &error)); /* it is in no call */
    EXPECT_IS(pthread_create(&thread, NULL, open_for_ever, device), 0);
    EXPECT(!cuda->give_up(device, UINT64_C(3600000000000), &error));
    uint64_t last_ns = in_a_while();
    while (!cuda->give_up(device, 100000000, &error) && pa_clock_raw_ns() < last_ns)
        pa_clock_sleep(1000000);
    EXPECT_IS(error.code, PA_ETIMEOUT);
    EXPECT(strstr(error.text, device->identity.id) != NULL);
    EXPECT(strstr(error.text, "cuMemHostAlloc has not come back") != NULL);
    EXPECT(!cuda->give_up(device, 0, &again)); /* once is enough */
    cuda->format(device, PA_BF16, &facts);
    EXPECT(!facts.runs && strstr(facts.why_not, "GPU-") != NULL);
    EXPECT_IS(cuda->memory_free(device), 0);
    cuda->close(device);
    run_chain(other, 1, PA_BF16);
    cuda->close(other);
    _exit(0); /* the thread is still there */
}

static void a_call_that_never_comes_back_is_named_and_given_up(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,memory=64MiB,fault=cuMemHostAlloc@0:1:hang", 0,
                             a_call_stays_away));
}

static void too_large(void) {
    const struct pa_workload workload = {1, PA_BF16, 8192, 8192, 8192, 0};
    struct pa_device *device = open_device(0);
    const struct pa_backend *cuda = device->backend;
    struct pa_workbench *bench = NULL;
    struct pa_error error = {0};
    uint64_t bytes = cuda->workbench_bytes(device, &workload);
    EXPECT(bytes >= UINT64_C(3) * 8192 * 8192 * 2 + UINT64_C(2) * 8192 * 8192 * 4);
    EXPECT(bytes > cuda->memory_free(device));
    EXPECT_IS(cuda->workbench_open(device, &workload, &bench, &error), PA_EMEMORY);
    EXPECT(strstr(error.text, "use a smaller shape") != NULL);
    EXPECT(bench == NULL);
    run_chain(device, 1, PA_BF16);
    cuda->close(device);
}

static void what_does_not_fit_is_refused_before_it_is_allocated(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,memory=64MiB", 0, too_large));
}

/* The first image is refused in a way that says nothing of the device; a build without machine code
 * has no other. */
static void older_driver(void) {
    struct pa_device *device = open_device(0);
    struct pa_format_facts facts;
    if (pa_cuda_image_for(9, 0) != NULL)
        run_chain(device, 1, PA_BF16);
    device->backend->format(device, PA_BF16, &facts);
    EXPECT(facts.runs);
    device->backend->close(device);
}

static void a_driver_that_does_not_take_the_machine_code_is_given_the_ptx(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,memory=64MiB,fault=cuModuleLoadDataEx:1:code=300",
                             0, older_driver));
    assert_true(emulated_run(folder, "devices=1,memory=64MiB,fault=cuModuleLoadDataEx:1:code=222",
                             0, older_driver));
}

static void ways_have_names(void) {
    const struct pa_workload workload = {1, PA_FP16, M, N, 128, 0};
    struct pa_workload none = workload;
    struct pa_device *device = open_device(0);
    char names[8][48];
    int count = device->backend->variants(device, &workload, names, 8);
    bool has_workspace = false, has_none = false;
    EXPECT(count >= 2);
    for (int i = 0; i < count; i++) {
        has_none = has_none || strstr(names[i], " ws 0K") != NULL;
        has_workspace = has_workspace || strstr(names[i], " ws 0K") == NULL;
    }
    EXPECT(has_none && has_workspace);
    for (int i = 0; i < count; i++) {
        EXPECT(strncmp(names[i], "lt algo ", 8) == 0 && strstr(names[i], " ws ") != NULL);
        EXPECT(i == 0 || strcmp(names[i], names[0]) != 0);
    }
    EXPECT_IS(device->backend->variants(device, &workload, names, 1), 1);
    none.class_id = 2;
    EXPECT_IS(device->backend->variants(device, &none, names, 8), 0);
    EXPECT_IS(device->backend->workbench_bytes(device, &none), 0);
    device->backend->close(device);
}

static void the_heuristics_algorithms_are_told_apart_by_name(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,memory=64MiB", 0, ways_have_names));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlapped_steps_are_exact_in_every_order),
        cmocka_unit_test(two_steps_may_be_queued_and_dropped),
        cmocka_unit_test(a_fault_loses_its_device_alone_and_says_where),
        cmocka_unit_test(a_hang_ends_at_the_deadline),
        cmocka_unit_test(a_call_that_never_comes_back_is_named_and_given_up),
        cmocka_unit_test(what_does_not_fit_is_refused_before_it_is_allocated),
        cmocka_unit_test(a_driver_that_does_not_take_the_machine_code_is_given_the_ptx),
        cmocka_unit_test(the_heuristics_algorithms_are_told_apart_by_name),
    };
    folder = argc > 1 ? argv[1] : EMULATED_GPU_FOLDER;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
