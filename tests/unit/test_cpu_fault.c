/* SPDX-License-Identifier: Apache-2.0 */
/* The faulty device of test builds is wrong in the share of tiles that it was asked for. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "device/cpu.h"
#include "proof/tile.h"

#include <stdlib.h>

static void the_share_of_wrong_tiles_is_the_one_asked_for(void **state) {
    (void)state;
    enum { SIDE = 8, STEPS = 400 };
    static uint32_t c[SIDE * 128 * SIDE * 128];
    uint32_t wrong = 0;
    setenv("PETAUDIT_FAULT", "tiles:0.01:7", 1);
    for (uint32_t step = 0; step < STEPS; step++)
        pa_cpu_fault(c, SIDE * 128, 4, SIDE, SIDE, 0, step * 2654435761u);
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++)
        wrong += c[i] != 0;
    /* 25,600 tiles at 1 %: 256 expected, standard deviation 16; two flips may fall on one entry. */
    assert_in_range(wrong, 256 - 80, 256 + 80);
}

/* The fault happens between the GEMM and the digest, so the witness finds the same share. */
static void the_witness_finds_the_share_of_wrong_tiles(void **state) {
    (void)state;
    enum { STEPS = 100, SIDE = 8 };
    const struct pa_backend *cpu = pa_backend_named("cpu");
    const struct pa_workload work = {PA_DENSE16, PA_FP32, SIDE * 128, SIDE * 128, 64, 0};
    const struct pa_seed a = {1, 2, 3, 4, 5};
    uint64_t tiles[SIDE * SIDE];
    struct pa_error error = {0};
    struct pa_device *device;
    struct pa_workbench *bench;
    struct pa_tile_bench *tile;
    assert_int_equal(cpu->open(0, NULL, &device, &error), PA_OK);
    assert_int_equal(cpu->workbench_open(device, &work, &bench, &error), PA_OK);
    assert_int_equal(pa_tile_bench_create(work.k, &tile, &error), PA_OK);
    assert_int_equal(cpu->load_a(bench, &a, &error), PA_OK);
    uint32_t wrong = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        struct pa_seed b = {step, 9, 9, 9, step * 2654435761u};
        assert_int_equal(cpu->step_enqueue(bench, &b, &error), PA_OK);
        assert_int_equal(cpu->step_collect(bench, tiles, UINT64_MAX, &error), PA_OK);
        for (uint32_t i = 0; i < SIDE * SIDE; i++)
            wrong +=
                tiles[i] != pa_tile_digest(tile, PA_DENSE16, work.k, &a, &b, i / SIDE, i % SIDE);
    }
    /* 6,400 tiles at 1 %: 64 expected, standard deviation 8. */
    assert_in_range(wrong, 64 - 40, 64 + 40);
    pa_tile_bench_destroy(tile);
    cpu->workbench_close(bench);
    cpu->close(device);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_of_wrong_tiles_is_the_one_asked_for),
        cmocka_unit_test(the_witness_finds_the_share_of_wrong_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
