/* SPDX-License-Identifier: Apache-2.0 */
/* The witness's tile: every code path gives what the definition gives, element by element. */
#include "cmocka_setup.h"

#include "kernels/digest.h"
#include "proof/proof.h"
#include "proof/tile_code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const enum pa_class classes[] = {PA_DENSE16, PA_DENSE8, PA_CLASS_FP8, PA_DENSE64};

static struct pa_seed seed_number(uint32_t number) {
    struct pa_hash hash;
    pa_hash_bytes(&hash, "test", &number, sizeof number);
    return pa_seed_from(&hash);
}

static int64_t operand(enum pa_class class_id, struct pa_seed seed, uint32_t v, uint32_t k) {
    const struct pa_class_traits *traits = pa_class_traits(class_id);
    uint32_t slots = 128 / (uint32_t)traits->slot_bits;
    pa_u32 x[4];
    pa_philox(seed, k / slots, v, x);
    return pa_slot_value(x, k % slots, (uint32_t)traits->slot_bits, (uint32_t)traits->bits);
}

/* Straight from the definition: operands one by one, sums in int64, words, pairs. */
static uint64_t plain_digest(enum pa_class class_id, uint32_t k, struct pa_seed a, struct pa_seed b,
                             uint32_t row, uint32_t column) {
    enum { WORDS = PA_TILE * PA_TILE };
    static double f64[WORDS];
    static float f32[WORDS];
    static int32_t i32[WORDS];
    int64_t *x = calloc((size_t)PA_TILE * k, sizeof *x),
            *y = calloc((size_t)PA_TILE * k, sizeof *y);
    assert_true(x != NULL && y != NULL);
    for (uint32_t v = 0; v < PA_TILE; v++)
        for (uint32_t i = 0; i < k; i++) {
            x[v * k + i] = operand(class_id, a, row * PA_TILE + v, i);
            y[v * k + i] = operand(class_id, b, column * PA_TILE + v, i);
        }
    for (uint32_t e = 0; e < WORDS; e++) {
        int64_t sum = 0;
        for (uint32_t i = 0; i < k; i++)
            sum += x[e / PA_TILE * k + i] * y[e % PA_TILE * k + i];
        f64[e] = (double)sum;
        f32[e] = (float)sum;
        i32[e] = (int32_t)sum;
    }
    free(x);
    free(y);
    if (class_id == PA_DENSE64)
        return pa_digest_tile_f64(f64, PA_TILE, b.s);
    if (class_id == PA_DENSE8)
        return pa_digest_tile_i32(i32, PA_TILE, b.s);
    return pa_digest_tile_f32(f32, PA_TILE, b.s);
}

static int code_paths(const struct pa_tile_code *out[3]) {
    int count = 0;
    out[count++] = &pa_tile_portable;
    if (pa_tile_avx2() != NULL)
        out[count++] = pa_tile_avx2();
    else
        printf("NOT TESTED: tiles by AVX2, which this processor lacks\n");
    if (pa_tile_avx512() != NULL)
        out[count++] = pa_tile_avx512();
    else
        printf("NOT TESTED: tiles by AVX-512, which this processor lacks\n");
    return count;
}

/* Depths that fill no panel, one panel, and several and a part: 32 divides every one of them, 512
 * only the last but one. */
static void every_code_path_computes_the_definition(void **state) {
    (void)state;
    static const uint32_t depths[] = {32, 96, 256, 544, 1024, 1056};
    const struct pa_tile_code *paths[3];
    int count = code_paths(paths);
    struct pa_tile_bench *bench = NULL;
    assert_int_equal(pa_tile_bench_create(PA_MOST_K, &bench, NULL), PA_OK);
    for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++)
        for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++) {
            uint32_t k = depths[d], number = (uint32_t)(c * 100 + d);
            struct pa_seed a = seed_number(2 * number), b = seed_number(2 * number + 1);
            uint64_t wanted = plain_digest(classes[c], k, a, b, number, 3 * number + 1);
            for (int p = 0; p < count; p++)
                assert_true(pa_tile_digest_with(paths[p], bench, classes[c], k, &a, &b, number,
                                                3 * number + 1) == wanted);
            assert_true(pa_tile_digest(bench, classes[c], k, &a, &b, number, 3 * number + 1) ==
                        wanted);
        }
    pa_tile_bench_destroy(bench);
}

/* A row that begins inside a tile, in columns that belong to two of them. */
static void a_row_is_the_definition_s_on_every_path(void **state) {
    (void)state;
    static const uint32_t depths[] = {32, 544, 1056};
    const struct pa_tile_code *paths[3];
    int count = code_paths(paths);
    struct pa_tile_bench *bench = NULL;
    assert_int_equal(pa_tile_bench_create(PA_MOST_K, &bench, NULL), PA_OK);
    for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++)
        for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++) {
            uint32_t number = (uint32_t)(c * 100 + d), row = 131 + number,
                     first = 64 + 128 * number;
            struct pa_seed a = seed_number(number), b = seed_number(number + 1);
            for (int p = 0; p <= count; p++) {
                int64_t out[PA_TILE] = {0};
                if (p < count)
                    pa_tile_row_with(paths[p], bench, classes[c], depths[d], &a, &b, row, first,
                                     out);
                else
                    pa_tile_row(bench, classes[c], depths[d], &a, &b, row, first, out);
                for (uint32_t q = 0; q < PA_TILE; q++) {
                    int64_t wanted = 0;
                    for (uint32_t k = 0; k < depths[d]; k++)
                        wanted +=
                            operand(classes[c], a, row, k) * operand(classes[c], b, first + q, k);
                    assert_int_equal(out[q], wanted);
                }
            }
        }
    pa_tile_bench_destroy(bench);
}

static void the_full_depth_agrees_on_every_path(void **state) {
    (void)state;
    const struct pa_tile_code *paths[3];
    int count = code_paths(paths);
    struct pa_tile_bench *bench = NULL;
    assert_int_equal(pa_tile_bench_create(PA_MOST_K, &bench, NULL), PA_OK);
    for (size_t c = 0; c < sizeof classes / sizeof classes[0]; c++) {
        struct pa_seed a = seed_number(1000 + (uint32_t)c), b = seed_number(2000 + (uint32_t)c);
        uint64_t wanted =
            pa_tile_digest_with(&pa_tile_portable, bench, classes[c], PA_MOST_K, &a, &b, 255, 63);
        for (int p = 1; p < count; p++)
            assert_true(pa_tile_digest_with(paths[p], bench, classes[c], PA_MOST_K, &a, &b, 255,
                                            63) == wanted);
    }
    pa_tile_bench_destroy(bench);
}

static void depths_past_the_limit_are_refused(void **state) {
    (void)state;
    struct pa_tile_bench *bench = NULL;
    assert_int_equal(pa_tile_bench_create(PA_MOST_K + 1, &bench, NULL), PA_EINTERNAL);
    assert_int_equal(pa_tile_bench_create(0, &bench, NULL), PA_EINTERNAL);
    assert_null(bench);
    pa_tile_bench_destroy(bench);
}

/* A digest that a flipped bit does not change would let a wrong C pass. */
static void a_flipped_bit_of_c_changes_the_digest(void **state) {
    (void)state;
    static uint32_t words[2 * PA_TILE * PA_TILE];
    for (uint32_t e = 0; e < 2 * PA_TILE * PA_TILE; e++)
        words[e] = e * 2654435761u;
    uint64_t f32 = pa_digest_tile_f32(words, PA_TILE, 7),
             i32 = pa_digest_tile_i32(words, PA_TILE, 7);
    uint64_t f64 = pa_digest_tile_f64(words, PA_TILE, 7);
    for (uint32_t n = 0; n < 4096; n++) {
        uint32_t e = n * 40503u % (PA_TILE * PA_TILE), bit = 1u << n % 32;
        words[e] ^= bit;
        assert_true(pa_digest_tile_f32(words, PA_TILE, 7) != f32);
        assert_true(pa_digest_tile_i32(words, PA_TILE, 7) != i32);
        assert_true(pa_digest_tile_f64(words, PA_TILE, 7) != f64);
        words[e] ^= bit;
    }
}

static void minus_zero_is_zero_except_in_integers(void **state) {
    (void)state;
    static float f32[PA_TILE * PA_TILE];
    static double f64[PA_TILE * PA_TILE];
    static uint32_t i32[PA_TILE * PA_TILE];
    uint64_t f = pa_digest_tile_f32(f32, PA_TILE, 9), d = pa_digest_tile_f64(f64, PA_TILE, 9),
             i = pa_digest_tile_i32(i32, PA_TILE, 9);
    f32[5] = -0.0f;
    f64[5] = -0.0;
    i32[5] = 0x80000000u;
    assert_true(pa_digest_tile_f32(f32, PA_TILE, 9) == f);
    assert_true(pa_digest_tile_f64(f64, PA_TILE, 9) == d);
    assert_true(pa_digest_tile_i32(i32, PA_TILE, 9) != i);
    uint64_t low_bit = 0x8000000000000001u; /* the least negative number is not zero */
    memcpy(&f64[5], &low_bit, sizeof low_bit);
    assert_true(pa_digest_tile_f64(f64, PA_TILE, 9) != d);
}

static void the_leading_dimension_is_respected(void **state) {
    (void)state;
    enum { LD = 200 };
    static uint32_t tight[PA_TILE * PA_TILE], loose[PA_TILE * LD];
    for (uint32_t r = 0; r < PA_TILE; r++)
        for (uint32_t q = 0; q < PA_TILE; q++)
            tight[r * PA_TILE + q] = loose[r * LD + q] = r * 1000003u + q * 77u;
    assert_true(pa_digest_tile_f32(tight, PA_TILE, 1) == pa_digest_tile_f32(loose, LD, 1));
    assert_true(pa_digest_tile_i32(tight, PA_TILE, 1) == pa_digest_tile_i32(loose, LD, 1));
}

int main(void) {
    printf("# code path here: %s\n", pa_tile_code_path());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_path_computes_the_definition),
        cmocka_unit_test(a_row_is_the_definition_s_on_every_path),
        cmocka_unit_test(the_full_depth_agrees_on_every_path),
        cmocka_unit_test(depths_past_the_limit_are_refused),
        cmocka_unit_test(a_flipped_bit_of_c_changes_the_digest),
        cmocka_unit_test(minus_zero_is_zero_except_in_integers),
        cmocka_unit_test(the_leading_dimension_is_respected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
