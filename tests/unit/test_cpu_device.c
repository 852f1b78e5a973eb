/* SPDX-License-Identifier: Apache-2.0 */
/* The processor as an accelerator: every step is what the witness computes, tile by tile. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "device/device.h"
#include "proof/tile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct pa_backend *cpu;
static struct pa_device *device;

static int open_device(void **state) {
    (void)state;
    struct pa_error error = {0};
    cpu = pa_backend_named("cpu");
    assert_non_null(cpu);
    assert_int_equal(cpu->open(0, NULL, &device, &error), PA_OK);
    return 0;
}

static int close_device(void **state) {
    (void)state;
    cpu->close(device);
    return 0;
}

static struct pa_seed seed_of(uint32_t i) {
    return (struct pa_seed){i * 0x9E3779B9u, i + 7, ~i, i << 16, i * 2654435761u};
}

static uint64_t in_a_minute(void) {
    return pa_clock_raw_ns() + UINT64_C(60000000000);
}

/* A few steps through the two-deep queue; all tiles of each against the witness. */
static void check_steps(const struct pa_workload *work, int steps) {
    struct pa_error error = {0};
    struct pa_workbench *bench = NULL;
    struct pa_tile_bench *tile = NULL;
    uint32_t rows = work->m / 128, columns = work->n / 128;
    uint64_t *tiles = calloc((size_t)rows * columns, sizeof *tiles);
    struct pa_seed a = seed_of(1000 + work->m);
    assert_int_equal(cpu->workbench_open(device, work, &bench, &error), PA_OK);
    assert_int_equal(pa_tile_bench_create(work->k, &tile, &error), PA_OK);
    assert_int_equal(cpu->load_a(bench, &a, &error), PA_OK);
    for (int t = 0; t < steps + 2; t++) {
        struct pa_seed b = seed_of((uint32_t)t);
        if (t < steps)
            assert_int_equal(cpu->step_enqueue(bench, &b, &error), PA_OK);
        if (t < 1 || t > steps)
            continue;
        b = seed_of((uint32_t)t - 1);
        assert_int_equal(cpu->step_collect(bench, tiles, in_a_minute(), &error), PA_OK);
        for (uint32_t r = 0; r < rows; r++)
            for (uint32_t c = 0; c < columns; c++)
                assert_true(tiles[r * columns + c] == pa_tile_digest(tile,
                                                                     (enum pa_class)work->class_id,
                                                                     work->k, &a, &b, r, c));
    }
    pa_tile_bench_destroy(tile);
    cpu->workbench_close(bench);
    free(tiles);
}

static void every_way_gives_what_the_witness_computes(void **state) {
    (void)state;
    static const struct pa_workload works[] = {
        {PA_DENSE16, PA_FP32, 256, 256, 8192, 0},   {PA_DENSE16, PA_BF16, 256, 256, 8192, 0},
        {PA_DENSE16, PA_FP32, 384, 128, 520, 0},    {PA_DENSE16, PA_BF16, 384, 128, 520, 0},
        {PA_DENSE8, PA_INT8, 256, 256, 8192, 0},    {PA_DENSE8, PA_INT8, 128, 384, 528, 0},
        {PA_CLASS_FP8, PA_FP32, 256, 256, 8192, 0}, {PA_CLASS_FP8, PA_BF16, 128, 128, 1056, 0},
        {PA_DENSE64, PA_FP64, 256, 256, 8192, 0},   {PA_DENSE64, PA_FP64, 128, 384, 260, 0},
        {PA_DENSE16, PA_FP32, 2176, 128, 256, 0},   {PA_DENSE8, PA_INT8, 2176, 128, 256, 0},
    };
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        struct pa_workload work = works[i];
        struct pa_format_facts facts;
        char names[8][48];
        cpu->format(device, work.format, &facts);
        int ways = cpu->variants(device, &work, names, 8);
        if (!facts.runs) {
            printf("NOT TESTED: %s: %s\n", pa_format_name(work.format), facts.why_not);
            assert_true(facts.why_not[0] != '\0');
            assert_int_equal(ways, 0);
            continue;
        }
        assert_true(ways > 0);
        for (int way = 0; way < ways; way++) {
            work.variant = (uint32_t)way;
            check_steps(&work, i == 0 ? 5 : 2);
        }
    }
}

static const struct pa_workload small = {PA_DENSE16, PA_FP32, 256, 256, 256, 0};

static void dropped_steps_leave_a_usable_workbench(void **state) {
    (void)state;
    struct pa_error error = {0};
    struct pa_workbench *bench = NULL;
    uint64_t first[4], again[4];
    struct pa_seed a = seed_of(1), b = seed_of(2), other = seed_of(3);
    assert_int_equal(cpu->workbench_open(device, &small, &bench, &error), PA_OK);
    assert_int_equal(cpu->load_a(bench, &a, &error), PA_OK);
    assert_int_equal(cpu->step_enqueue(bench, &b, &error), PA_OK);
    assert_int_equal(cpu->step_collect(bench, first, in_a_minute(), &error), PA_OK);
    for (int round = 0; round < 50; round++) {
        assert_int_equal(cpu->step_enqueue(bench, &other, &error), PA_OK);
        if (round % 2 == 0)
            assert_int_equal(cpu->step_enqueue(bench, &b, &error), PA_OK);
        cpu->steps_drop(bench);
        if (round % 3 == 0)
            assert_int_equal(cpu->load_a(bench, &a, &error), PA_OK);
        assert_int_equal(cpu->step_enqueue(bench, &b, &error), PA_OK);
        assert_int_equal(cpu->step_collect(bench, again, in_a_minute(), &error), PA_OK);
        assert_memory_equal(first, again, sizeof first);
    }
    cpu->workbench_close(bench);
}

static void misuse_of_the_queue_is_refused(void **state) {
    (void)state;
    struct pa_error error = {0};
    struct pa_workbench *bench = NULL;
    uint64_t tiles[4], ns;
    struct pa_seed seed = seed_of(1);
    assert_int_equal(cpu->workbench_open(device, &small, &bench, &error), PA_OK);
    assert_int_equal(cpu->load_a(bench, &seed, &error), PA_OK);
    assert_int_equal(cpu->step_collect(bench, tiles, in_a_minute(), &error), PA_EINTERNAL);
    assert_int_equal(cpu->step_enqueue(bench, &seed, &error), PA_OK);
    assert_int_equal(cpu->step_enqueue(bench, &seed, &error), PA_OK);
    assert_int_equal(cpu->step_enqueue(bench, &seed, &error), PA_EINTERNAL);
    assert_int_equal(cpu->load_a(bench, &seed, &error), PA_EINTERNAL);
    assert_int_equal(cpu->multiply_bare(bench, 1, &ns, &error), PA_EINTERNAL);
    cpu->workbench_close(bench); /* with two steps still queued */
}

static void a_deadline_that_passed_is_reported_and_the_step_still_comes(void **state) {
    (void)state;
    struct pa_error error = {0};
    struct pa_workbench *bench = NULL;
    const struct pa_workload work = {PA_DENSE16, PA_FP32, 1024, 1024, 8192, 0};
    uint64_t tiles[64];
    struct pa_seed seed = seed_of(1);
    assert_int_equal(cpu->workbench_open(device, &work, &bench, &error), PA_OK);
    assert_int_equal(cpu->load_a(bench, &seed, &error), PA_OK);
    assert_int_equal(cpu->step_enqueue(bench, &seed, &error), PA_OK);
    assert_int_equal(cpu->step_collect(bench, tiles, pa_clock_raw_ns(), &error), PA_ETIMEOUT);
    assert_non_null(strstr(error.text, "deadline"));
    assert_int_equal(cpu->step_collect(bench, tiles, in_a_minute(), &error), PA_OK);
    cpu->workbench_close(bench);
}

static void the_library_alone_leaves_the_steps_as_they_were(void **state) {
    (void)state;
    struct pa_error error = {0};
    for (int format = PA_FP64; format < PA_FORMATS_END; format++) {
        struct pa_workload work = small;
        work.format = (enum pa_format)format;
        work.class_id = format == PA_FP64 ? PA_DENSE64 : format == PA_INT8 ? PA_DENSE8 : PA_DENSE16;
        char names[8][48];
        int ways = cpu->variants(device, &work, names, 8);
        for (int way = 0; way < ways; way++) {
            struct pa_workbench *bench = NULL;
            uint64_t before[4], after[4], ns = 0;
            struct pa_seed a = seed_of(1), b = seed_of(2);
            work.variant = (uint32_t)way;
            assert_int_equal(cpu->workbench_open(device, &work, &bench, &error), PA_OK);
            assert_int_equal(cpu->multiply_bare(bench, 2, &ns, &error), PA_OK);
            assert_true(ns > 0);
            assert_int_equal(cpu->load_a(bench, &a, &error), PA_OK);
            for (int i = 0; i < 2; i++) {
                assert_int_equal(cpu->step_enqueue(bench, &b, &error), PA_OK);
                assert_int_equal(
                    cpu->step_collect(bench, i == 0 ? before : after, in_a_minute(), &error),
                    PA_OK);
                assert_int_equal(cpu->multiply_bare(bench, 1, &ns, &error), PA_OK);
            }
            assert_memory_equal(before, after, sizeof before);
            struct pa_step_costs costs;
            cpu->costs(bench, &costs);
            assert_true(costs.generate_ns > 0 && costs.gemm_ns > 0 && costs.digest_ns > 0);
            cpu->workbench_close(bench);
        }
    }
}

static void shapes_that_cannot_be_are_refused(void **state) {
    (void)state;
    static const struct pa_workload bad[] = {
        {PA_DENSE16, PA_FP32, 0, 128, 8192, 0},
        {PA_DENSE16, PA_FP32, 128, 100, 8192, 0},
        {PA_DENSE16, PA_FP32, 128, 128, 8193, 0},
        {PA_DENSE16, PA_FP32, 128, 128, 16384, 0},
        {PA_DENSE16, PA_FP32, 1u << 31, 128, 8, 0},
        {PA_DENSE16, PA_FP32, 128, 128, 0, 0},
        {PA_DENSE16, PA_FP16, 128, 128, 8192, 0},
        {PA_DENSE16, PA_INT8, 128, 128, 8192, 0},
        {77, PA_FP32, 128, 128, 8192, 0},
        {PA_DENSE16, (enum pa_format)99, 128, 128, 8, 0},
        {PA_DENSE16, PA_FP32, 128, 128, 8192, 1000},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pa_error error = {0};
        struct pa_workbench *bench = NULL;
        assert_int_equal(cpu->workbench_open(device, &bad[i], &bench, &error), PA_EUNSUPPORTED);
        assert_null(bench);
        assert_true(error.text[0] != '\0');
        assert_true(cpu->workbench_bytes(device, &bad[i]) == 0);
    }
}

static void more_memory_than_there_is_is_refused_with_its_size(void **state) {
    (void)state;
    struct pa_error error = {0};
    struct pa_workbench *bench = NULL;
    const struct pa_workload work = {PA_DENSE16, PA_FP32, 1 << 20, 1 << 20, 8192, 0};
    char bytes[32];
    uint64_t wanted = cpu->workbench_bytes(device, &work);
    assert_true(wanted > (uint64_t)1 << 42);
    assert_int_equal(cpu->workbench_open(device, &work, &bench, &error), PA_EMEMORY);
    assert_null(bench);
    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)wanted);
    assert_non_null(strstr(error.text, bytes));
}

static void a_processor_says_what_it_is(void **state) {
    (void)state;
    const struct pa_device_identity *identity = &device->identity;
    assert_string_equal(identity->id, "cpu:0");
    assert_true(identity->name[0] != '\0' && identity->host[0] != '\0');
    assert_true(identity->units > 0 && identity->memory_bytes > (uint64_t)1 << 28);
    printf("%s | %s | %s\n", identity->id, identity->name, identity->details);
    for (int format = PA_FP64; format < PA_FORMATS_END; format++) {
        struct pa_format_facts facts;
        cpu->format(device, (enum pa_format)format, &facts);
        assert_true(facts.runs ? facts.library[0] != '\0' : facts.why_not[0] != '\0');
        printf("%s: %s, peak %.3g, %s\n", pa_format_name((enum pa_format)format),
               facts.runs ? facts.library : facts.why_not, facts.peak_per_second, facts.peak_basis);
    }
}

static void a_part_of_the_processors_is_a_device_of_its_own(void **state) {
    (void)state;
    int all[4096];
    struct pa_error error = {0};
    int count = pa_processors_allowed(all, 4096);
    struct pa_device *part = NULL;
    struct pa_device_options options = {all + count - 1, 1};
    char id[96];
    assert_int_equal(cpu->open(0, &options, &part, &error), PA_OK);
    snprintf(id, sizeof id, "cpu:0/%d", all[count - 1]);
    assert_string_equal(part->identity.id, id);
    cpu->close(part);
    int twice[2] = {all[0], all[0]}, absent[1] = {100000};
    options = (struct pa_device_options){twice, 2};
    assert_int_equal(cpu->open(0, &options, &part, &error), PA_EUSAGE);
    options = (struct pa_device_options){absent, 1};
    assert_int_equal(cpu->open(0, &options, &part, &error), PA_EUSAGE);
    options = (struct pa_device_options){all, 0};
    assert_int_equal(cpu->open(0, &options, &part, &error), PA_EUSAGE);
    assert_int_equal(cpu->open(1, NULL, &part, &error), PA_EUSAGE);
    assert_null(part);
}

static void formats_have_names(void **state) {
    (void)state;
    for (int format = PA_FP64; format < PA_FORMATS_END; format++)
        assert_int_equal(pa_format_named(pa_format_name((enum pa_format)format)), format);
    assert_int_equal(pa_format_named("fp99"), 0);
    assert_int_equal(pa_format_named(NULL), 0);
    assert_null(pa_format_name((enum pa_format)0));
    assert_null(pa_format_name(PA_FORMATS_END));
    assert_null(pa_backend_named("abacus"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processor_says_what_it_is),
        cmocka_unit_test(every_way_gives_what_the_witness_computes),
        cmocka_unit_test(dropped_steps_leave_a_usable_workbench),
        cmocka_unit_test(misuse_of_the_queue_is_refused),
        cmocka_unit_test(a_deadline_that_passed_is_reported_and_the_step_still_comes),
        cmocka_unit_test(the_library_alone_leaves_the_steps_as_they_were),
        cmocka_unit_test(shapes_that_cannot_be_are_refused),
        cmocka_unit_test(more_memory_than_there_is_is_refused_with_its_size),
        cmocka_unit_test(a_part_of_the_processors_is_a_device_of_its_own),
        cmocka_unit_test(formats_have_names),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
