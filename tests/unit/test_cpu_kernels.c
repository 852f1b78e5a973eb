/* SPDX-License-Identifier: Apache-2.0 */
/* Every vector kernel gives the bits of the portable one, whatever the processor. */
#include "cmocka_setup.h"

#include "device/cpu_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint32_t class_id;
    enum pa_format format;
} pairs[] = {{1, PA_BF16}, {1, PA_FP32}, {2, PA_INT8}, {3, PA_BF16}, {3, PA_FP32}, {4, PA_FP64}};
enum { PAIRS = sizeof pairs / sizeof pairs[0] };

static const struct pa_seed seeds[] = {
    {0, 0, 0, 0, 0},
    {0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFFu},
    {0xA4093822u, 0x299F31D0u, 0x13198A2Eu, 0x03707344u, 0x243F6A88u},
    {1, 2, 3, 4, 0x80000000u},
};
enum { SEEDS = sizeof seeds / sizeof seeds[0] };

/* Levels above the portable one that this machine can run; a machine without any says so. */
static int vector_levels(const struct pa_cpu_kernels *out[2]) {
    int found = 0;
    for (int level = PA_CPU_AVX2; level <= PA_CPU_AVX512; level++) {
        const struct pa_cpu_kernels *kernels = pa_cpu_kernels((enum pa_cpu_level)level);
        if (kernels != NULL)
            out[found++] = kernels;
        else
            printf("NOT TESTED: this processor lacks kernel level %d\n", level);
    }
    return found;
}

static void compare_operands(const struct pa_cpu_kernels *kernels, struct pa_operand_kind kind,
                             const struct pa_seed *seed, uint32_t first, uint32_t count,
                             uint32_t k) {
    size_t bytes = (size_t)count * k * pa_format_bytes(kind.format);
    uint8_t *expected = malloc(bytes), *found = malloc(bytes);
    int32_t *sums = calloc(2 * count, sizeof *sums);
    memset(found, 0x5A, bytes);
    pa_cpu_kernels_portable.plain(&kind, seed, first, count, k, expected);
    kernels->plain(&kind, seed, first, count, k, found);
    assert_memory_equal(expected, found, bytes);
    if (kind.format != PA_FP64 && count % 16 == 0) {
        int32_t *a = kind.format == PA_INT8 ? sums : NULL;
        int32_t *b = kind.format == PA_INT8 ? sums + count : NULL;
        memset(found, 0x5A, bytes);
        pa_cpu_kernels_portable.packed(&kind, seed, first, count, k, expected, a);
        kernels->packed(&kind, seed, first, count, k, found, b);
        assert_memory_equal(expected, found, bytes);
        assert_memory_equal(sums, sums + count, count * sizeof *sums);
    }
    free(expected);
    free(found);
    free(sums);
}

static void vector_operands_equal_the_portable_ones(void **state) {
    (void)state;
    static const uint32_t depths[] = {32, 96, 512, 1056, 8192}, counts[] = {1, 3, 16, 48, 64};
    const struct pa_cpu_kernels *levels[2];
    int found = vector_levels(levels);
    for (int level = 0; level < found; level++)
        for (int p = 0; p < PAIRS; p++)
            for (int s = 0; s < SEEDS; s++)
                for (int i = 0; i < 5; i++) {
                    struct pa_operand_kind kind;
                    assert_true(pa_operand_kind(pairs[p].class_id, pairs[p].format, &kind));
                    compare_operands(levels[level], kind, &seeds[s],
                                     s == 1 ? 0xFFFFFFF0u : (uint32_t)i * 7, counts[i], depths[i]);
                }
}

static void a_packed_block_holds_the_plain_values(void **state) {
    (void)state;
    enum { K = 64, COUNT = 32 };
    for (int p = 0; p < PAIRS; p++) {
        struct pa_operand_kind kind;
        assert_true(pa_operand_kind(pairs[p].class_id, pairs[p].format, &kind));
        if (kind.format == PA_FP64)
            continue;
        uint8_t plain[K * COUNT * 4], packed[K * COUNT * 4];
        size_t width = pa_format_bytes(kind.format), group = 4 / width;
        pa_cpu_kernels_portable.plain(&kind, &seeds[2], 5, COUNT, K, plain);
        pa_cpu_kernels_portable.packed(&kind, &seeds[2], 5, COUNT, K, packed, NULL);
        for (size_t v = 0; v < COUNT; v++)
            for (size_t k = 0; k < K; k++)
                assert_memory_equal(plain + (v * K + k) * width,
                                    packed + ((k / group * COUNT + v) * group + k % group) * width,
                                    width);
    }
}

/* Words that a careless digest would treat as numbers: both zeros, NaN, the largest and least. */
static void fill(uint32_t *words, size_t count, uint32_t salt) {
    static const uint32_t special[] = {0,           0x80000000u, 0x7FC00000u, 0xFFFFFFFFu,
                                       0x7F800000u, 1,           0x80000001u, 0x7FFFFFFFu};
    uint32_t state = salt * 2654435761u + 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        words[i] = state >> 28 < 4 ? special[state >> 8 & 7] : state ^ state >> 15;
    }
}

static void vector_digests_equal_the_portable_ones(void **state) {
    (void)state;
    enum { LD = 136 };
    static uint32_t words[128 * LD * 2];
    const struct pa_cpu_kernels *levels[2];
    int found = vector_levels(levels);
    const struct pa_cpu_kernels *plain = &pa_cpu_kernels_portable;
    for (uint32_t salt = 0; salt < 32; salt++) {
        fill(words, sizeof words / sizeof words[0], salt);
        uint32_t s = salt * 0x9E3779B9u;
        for (int level = 0; level < found; level++)
            for (uint64_t ld = 128; ld <= LD; ld += 8) {
                assert_true(plain->tile_f32(words, ld, s) == levels[level]->tile_f32(words, ld, s));
                assert_true(plain->tile_i32(words, ld, s) == levels[level]->tile_i32(words, ld, s));
                assert_true(plain->tile_f64(words, ld, s) == levels[level]->tile_f64(words, ld, s));
            }
    }
}

static void one_flipped_bit_changes_the_digest(void **state) {
    (void)state;
    static uint32_t words[128 * 128];
    const struct pa_cpu_kernels *kernels = pa_cpu_kernels(pa_cpu_level());
    fill(words, 128 * 128, 77);
    uint64_t before = kernels->tile_i32(words, 128, 9);
    for (uint32_t at = 0; at < 128 * 128; at += 61) {
        words[at] ^= 1u << at % 32;
        assert_true(kernels->tile_i32(words, 128, 9) != before);
        words[at] ^= 1u << at % 32;
    }
    assert_true(kernels->tile_i32(words, 128, 9) == before);
}

static void classes_run_only_in_exact_formats(void **state) {
    (void)state;
    struct pa_operand_kind kind;
    assert_false(pa_operand_kind(0, PA_FP32, &kind));
    assert_false(pa_operand_kind(5, PA_FP32, &kind));
    assert_false(pa_operand_kind(1, PA_INT8, &kind));
    assert_false(pa_operand_kind(2, PA_BF16, &kind));
    assert_false(pa_operand_kind(4, PA_FP32, &kind));
    assert_false(pa_operand_kind(1, (enum pa_format)0, &kind));
}

static void a_processor_runs_what_it_has_and_no_more(void **state) {
    (void)state;
    assert_non_null(pa_cpu_kernels(PA_CPU_PORTABLE));
    for (int level = PA_CPU_AVX2; level <= PA_CPU_AVX512; level++)
        assert_true((pa_cpu_kernels((enum pa_cpu_level)level) != NULL) ==
                    ((int)pa_cpu_level() >= level));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector_operands_equal_the_portable_ones),
        cmocka_unit_test(a_packed_block_holds_the_plain_values),
        cmocka_unit_test(vector_digests_equal_the_portable_ones),
        cmocka_unit_test(one_flipped_bit_changes_the_digest),
        cmocka_unit_test(classes_run_only_in_exact_formats),
        cmocka_unit_test(a_processor_runs_what_it_has_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
