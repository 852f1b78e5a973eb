/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated library's number formats and products, against plain C. */
#include "emulated_gpu/lt_numbers.h"
#include "emulated_gpu/lt_product.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { M = 5, N = 7, K = 64 };

static float fp16(uint16_t bits) {
    return lt_read(LT_F16, &bits, 0);
}

static void small_floats_are_read_as_their_standards_say(void **state) {
    (void)state;
    assert_true(fp16(0x3c00) == 1.0f);
    assert_true(fp16(0xc000) == -2.0f);
    assert_true(fp16(0x0001) == 0x1p-24f);
    assert_true(fp16(0x7bff) == 65504.0f);
    assert_true(isinf(fp16(0x7c00)) && isnan(fp16(0x7e00)));
    const uint8_t e4m3[] = {0x38, 0x7e, 0x7f, 0x01, 0xb8};
    assert_true(lt_read(LT_E4M3, e4m3, 0) == 1.0f);
    assert_true(lt_read(LT_E4M3, e4m3, 1) == 448.0f);
    assert_true(isnan(lt_read(LT_E4M3, e4m3, 2)));
    assert_true(lt_read(LT_E4M3, e4m3, 3) == 0x1p-9f);
    assert_true(lt_read(LT_E4M3, e4m3, 4) == -1.0f);
    const uint8_t e5m2[] = {0x3c, 0x7b, 0x7c, 0x01};
    assert_true(lt_read(LT_E5M2, e5m2, 0) == 1.0f);
    assert_true(lt_read(LT_E5M2, e5m2, 1) == 57344.0f);
    assert_true(isinf(lt_read(LT_E5M2, e5m2, 2)));
    assert_true(lt_read(LT_E5M2, e5m2, 3) == 0x1p-16f);
}

static void every_half_and_bfloat_survives_being_read_and_written(void **state) {
    (void)state;
    for (uint32_t bits = 0; bits <= 0xffff; bits++) {
        uint16_t in = (uint16_t)bits, out;
        float value = fp16(in);
        if (!isnan(value)) {
            lt_write(LT_F16, &out, 0, value);
            assert_int_equal(out, in);
        }
        value = lt_read(LT_BF16, &in, 0);
        if (!isnan(value)) {
            lt_write(LT_BF16, &out, 0, value);
            assert_int_equal(out, in);
        }
    }
}

static void writing_rounds_to_nearest_and_ties_to_even(void **state) {
    uint16_t out;
    (void)state;
    lt_write(LT_F16, &out, 0, 2049.0f); /* between 2048 and 2050 */
    assert_true(fp16(out) == 2048.0f);
    lt_write(LT_F16, &out, 0, 2051.0f);
    assert_true(fp16(out) == 2052.0f);
    lt_write(LT_F16, &out, 0, 65519.9f);
    assert_true(fp16(out) == 65504.0f);
    lt_write(LT_F16, &out, 0, 65520.0f);
    assert_true(isinf(fp16(out)));
    lt_write(LT_BF16, &out, 0, 257.0f);
    assert_true(lt_read(LT_BF16, &out, 0) == 256.0f);
}

/* Small whole numbers, from a fixed sequence. */
static int value_at(uint64_t index) {
    uint64_t x = (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return (int)(x >> 60) - 8;
}

static void fill(int type, void *out, uint64_t count, uint64_t salt) {
    for (uint64_t i = 0; i < count; i++) {
        float value = (float)value_at(i + salt);
        double wide = value;
        if (type == LT_I8)
            ((int8_t *)out)[i] = (int8_t)value;
        else if (type == LT_F64)
            memcpy((uint8_t *)out + 8 * i, &wide, 8);
        else if (type == LT_E4M3) /* 0 .. 8 are 0, 0x38 + .. : by search */
            for (int bits = 0; bits < 256; bits++) {
                uint8_t byte = (uint8_t)bits;
                if (lt_read(LT_E4M3, &byte, 0) == value)
                    ((uint8_t *)out)[i] = byte;
            }
        else
            lt_write(type, out, i, value);
    }
}

static double result_at(int type, const void *data, uint64_t index) {
    double wide;
    int32_t whole;
    if (type == LT_F64) {
        memcpy(&wide, (const uint8_t *)data + 8 * index, 8);
        return wide;
    }
    if (type == LT_I32) {
        memcpy(&whole, (const uint8_t *)data + 4 * index, 4);
        return whole;
    }
    return lt_read(type, data, index);
}

/* "TN": both operands hold their k values side by side; D is column by column. */
static struct lt_product product_of(int type, int d_type, const void *a, const void *b, void *d) {
    return (struct lt_product){
        .m = M,
        .n = N,
        .k = K,
        .a = {.type = type, .data = a, .row_step = K, .column_step = 1, .scale = 1},
        .b = {.type = type, .data = b, .row_step = 1, .column_step = K, .scale = 1},
        .c = {.type = d_type, .data = d, .row_step = 1, .column_step = M, .scale = 1},
        .d_type = d_type,
        .d = d,
        .d_row_step = 1,
        .d_column_step = M,
        .alpha = 1,
        .accumulator_bits = 23,
        .splits = 1};
}

static double expected_at(uint64_t i, uint64_t j) {
    double sum = 0;
    for (uint64_t l = 0; l < K; l++)
        sum += (double)value_at(i * K + l) * value_at(j * K + l + 1000);
    return sum;
}

static void products_of_whole_numbers_are_exact_in_every_format(void **state) {
    static const int types[][2] = {{LT_F64, LT_F64}, {LT_F32, LT_F32},  {LT_BF16, LT_F32},
                                   {LT_F16, LT_F32}, {LT_E4M3, LT_F32}, {LT_I8, LT_I32}};
    (void)state;
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        uint8_t a[M * K * 8], b[N * K * 8], d[M * N * 8];
        fill(types[t][0], a, M * K, 0);
        fill(types[t][0], b, N * K, 1000);
        struct lt_product product = product_of(types[t][0], types[t][1], a, b, d);
        for (uint32_t splits = 1; splits <= 4; splits++) {
            product.splits = splits;
            assert_int_equal(lt_multiply(&product), 0);
            for (uint64_t i = 0; i < M; i++)
                for (uint64_t j = 0; j < N; j++)
                    assert_true(result_at(types[t][1], d, i + j * M) == expected_at(i, j));
        }
    }
}

static void alpha_beta_and_scales_take_part(void **state) {
    float a[M * K], b[N * K], d[M * N];
    (void)state;
    fill(LT_F32, a, M * K, 0);
    fill(LT_F32, b, N * K, 1000);
    for (int i = 0; i < M * N; i++)
        d[i] = 3;
    struct lt_product product = product_of(LT_F32, LT_F32, a, b, d);
    product.alpha = 2;
    product.beta = 5;
    product.a.scale = 0.5f;
    product.b.scale = 4;
    assert_int_equal(lt_multiply(&product), 0);
    assert_true(d[0] == 2 * 0.5f * 4 * (float)expected_at(0, 0) + 15);
}

/* The traps that petaudit's exactness check is there for. */
static void rounding_the_parts_or_the_sums_is_not_exact(void **state) {
    float a[M * K], b[N * K];
    uint16_t d[M * N];
    (void)state;
    for (int i = 0; i < M * K; i++)
        a[i] = 1;
    for (int i = 0; i < N * K; i++)
        b[i] = 1;
    b[0] = 1024; /* column 0: 1024, 15 ones and 48 quarters */
    for (int i = 16; i < K; i++)
        b[i] = 0.25f;
    struct lt_product product = product_of(LT_F32, LT_BF16, a, b, d);
    assert_int_equal(lt_multiply(&product), 0);
    assert_true(lt_read(LT_BF16, d, 0) == 1048.0f); /* 1051, to the nearest 8 */
    product.splits = 4;
    product.rounds_parts = true; /* 1039 becomes 1040, and each 4 after it is lost */
    assert_int_equal(lt_multiply(&product), 0);
    assert_true(lt_read(LT_BF16, d, 0) == 1040.0f);
    float wide[M * N];
    product = product_of(LT_F32, LT_F32, a, b, wide);
    product.accumulator_bits = 7;
    assert_int_equal(lt_multiply(&product), 0);
    assert_true(wide[0] == 1024.0f && wide[M] == 64.0f); /* all is lost beside 1024 */
}

static void tf32_cuts_what_does_not_fit_ten_bits(void **state) {
    float a[M * K] = {0}, b[N * K] = {0}, d[M * N];
    (void)state;
    a[0] = 2049;
    b[0] = 1;
    struct lt_product product = product_of(LT_F32, LT_F32, a, b, d);
    product.is_tf32 = 1;
    assert_int_equal(lt_multiply(&product), 0);
    assert_true(d[0] == 2048.0f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_floats_are_read_as_their_standards_say),
        cmocka_unit_test(every_half_and_bfloat_survives_being_read_and_written),
        cmocka_unit_test(writing_rounds_to_nearest_and_ties_to_even),
        cmocka_unit_test(products_of_whole_numbers_are_exact_in_every_format),
        cmocka_unit_test(alpha_beta_and_scales_take_part),
        cmocka_unit_test(rounding_the_parts_or_the_sums_is_not_exact),
        cmocka_unit_test(tf32_cuts_what_does_not_fit_ten_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
