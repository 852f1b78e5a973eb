/* SPDX-License-Identifier: Apache-2.0 */
/* The test of the power watermark: known answers of a Python script, how often it is fooled, and
 * how often it finds what is there. */
#include "cmocka_setup.h"

#include "judge/watermark.h"

#include "base/bytes.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1024 };

/* Numbers in [0, 1), the same on every machine. */
static double next_uniform(uint64_t *state) {
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t x = *state;
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((x ^ (x >> 31)) >> 11) * 0x1p-53;
}

static double next_normal(uint64_t *state) {
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += next_uniform(state);
    return sum - 6;
}

static uint32_t read_bits(const json_t *list, struct pa_watermark_bit *out) {
    size_t index;
    const json_t *item;
    json_array_foreach(list, index, item) {
        assert_true(index < MOST);
        out[index] =
            (struct pa_watermark_bit){.is_on_first = json_is_true(json_array_get(item, 0)),
                                      .is_usable = json_is_true(json_array_get(item, 1)),
                                      .difference_mw = json_integer_value(json_array_get(item, 2))};
    }
    return (uint32_t)json_array_size(list);
}

static void check(const json_t *entry) {
    struct pa_watermark_bit bits[MOST];
    struct pa_watermark_test test;
    struct pa_hash session;
    int64_t z[MOST];
    uint32_t count = read_bits(json_object_get(entry, "bits"), bits);
    assert_true(pa_unhex(session.bytes, PA_HASH_BYTES,
                         json_string_value(json_object_get(entry, "session"))));
    pa_watermark_signed(bits, count, z);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(z[i], json_integer_value(json_array_get(json_object_get(entry, "z"), i)));
    double t = strtod(json_string_value(json_object_get(entry, "t")), NULL);
    assert_true(fabs(pa_watermark_t(z, count) - t) <= 1e-9 * fabs(t) + 1e-12);
    assert_int_equal(pa_watermark_judge(bits, count, &session, &test, NULL), PA_OK);
    double p = (1.0 + (double)json_integer_value(json_object_get(entry, "reached"))) /
               (1.0 + PA_WATERMARK_DRAWS);
    assert_true(test.p == p);
    assert_int_equal(test.is_found, json_is_true(json_object_get(entry, "is_found")));
}

static void answers_are_those_of_the_script(void **state) {
    (void)state;
    size_t index;
    const json_t *entry;
    json_t *vectors = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/watermark.json", 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(vectors, "draws")), PA_WATERMARK_DRAWS);
    assert_int_equal(json_array_size(json_object_get(vectors, "cases")), 11);
    json_array_foreach(json_object_get(vectors, "cases"), index, entry) check(entry);
    json_decref(vectors);
}

/* A load that does not follow: steps of jobs and noise, under commands that nobody saw. */
static uint32_t count_fooled(uint32_t seeds, uint32_t bits_each, uint32_t *above) {
    struct pa_watermark_bit bits[MOST];
    struct pa_hash session = {{0}};
    int64_t z[MOST];
    uint32_t fooled = 0;
    *above = 0;
    for (uint32_t seed = 0; seed < seeds; seed++) {
        uint64_t state = seed * UINT64_C(7919) + 1;
        for (uint32_t i = 0; i < bits_each; i++) {
            double watts = 100 * next_normal(&state);
            if (next_uniform(&state) < 0.1)
                watts += 2000 * (next_uniform(&state) - 0.5);
            bits[i] = (struct pa_watermark_bit){next_uniform(&state) < 0.5, true,
                                                (int64_t)llround(watts * 1000)};
        }
        pa_watermark_signed(bits, bits_each, z);
        double t = pa_watermark_t(z, bits_each);
        *above += t > 2;
        if (t > PA_WATERMARK_LEAST_T) {
            memcpy(session.bytes, &seed, sizeof seed);
            fooled += pa_watermark_p(z, bits_each, &session) <= PA_WATERMARK_MOST_P;
        }
    }
    return fooled;
}

/* Below 1e-4 at 32 bits: of 100,000 seeds at most 10 are expected; 30 has a chance below 1e-6. */
static void a_load_that_does_not_follow_is_not_found(void **state) {
    (void)state;
    uint32_t above;
    uint32_t fooled = count_fooled(100000, 32, &above);
    assert_true(fooled <= 10);
    /* A t above 2 comes by chance in about 2.7 % with 31 degrees of freedom: the null is alive. */
    assert_true(above > 1500 && above < 4000);
    fooled = count_fooled(100000, 16, &above);
    assert_true(fooled <= 10);
}

static void p_is_as_often_small_as_it_says(void **state) {
    (void)state;
    struct pa_watermark_bit bits[32];
    struct pa_hash session = {{0}};
    int64_t z[32];
    uint32_t below = 0, runs = 60;
    for (uint32_t run = 0; run < runs; run++) {
        uint64_t seed = 1000 + run;
        for (uint32_t i = 0; i < 32; i++)
            bits[i] = (struct pa_watermark_bit){next_uniform(&seed) < 0.5, true,
                                                (int64_t)llround(1e5 * next_normal(&seed))};
        pa_watermark_signed(bits, 32, z);
        memcpy(session.bytes, &run, sizeof run);
        below += pa_watermark_p(z, 32, &session) <= 0.2;
    }
    /* 12 are expected, with a standard deviation of 3.1: beyond is a chance of 1e-6. */
    assert_true(below >= 1 && below <= 29);
}

static void a_load_that_follows_is_found(void **state) {
    (void)state;
    struct pa_watermark_bit bits[32];
    struct pa_watermark_test test;
    struct pa_hash session = {{0}};
    uint32_t found = 0;
    for (uint32_t run = 0; run < 40; run++) {
        uint64_t seed = 5000 + run;
        for (uint32_t i = 0; i < 32; i++) {
            bool is_on_first = next_uniform(&seed) < 0.5;
            double watts = (is_on_first ? 200 : -200) + 100 * next_normal(&seed);
            bits[i] = (struct pa_watermark_bit){is_on_first, true, (int64_t)llround(watts * 1000)};
        }
        assert_int_equal(pa_watermark_judge(bits, 32, &session, &test, NULL), PA_OK);
        found += test.is_found;
        assert_true(test.mean_mw > 60000 && test.mean_mw < 140000);
    }
    assert_int_equal(found, 40);
}

/* The site that leaves out the bits that went against it gains nothing. */
static void bits_left_out_count_against(void **state) {
    (void)state;
    struct pa_watermark_bit bits[32];
    struct pa_watermark_test test;
    struct pa_hash session = {{0}};
    uint64_t seed = 77;
    for (uint32_t i = 0; i < 32; i++) {
        double watts = 100 * next_normal(&seed);
        bits[i] = (struct pa_watermark_bit){i % 2 == 0, true, (int64_t)llround(watts * 1000)};
        bits[i].is_usable = (watts > 0) == bits[i].is_on_first;
    }
    assert_int_equal(pa_watermark_judge(bits, 32, &session, &test, NULL), PA_OK);
    assert_true(test.usable < 32 && !test.is_found && test.t < 3);
}

static void extremes_do_not_overflow(void **state) {
    (void)state;
    struct pa_watermark_bit bits[MOST];
    struct pa_watermark_test test;
    struct pa_hash session = {{0}};
    for (uint32_t i = 0; i < MOST; i++)
        bits[i] = (struct pa_watermark_bit){i % 2 == 0, true, i % 2 == 0 ? INT64_MAX : -INT64_MAX};
    assert_int_equal(pa_watermark_judge(bits, MOST, &session, &test, NULL), PA_OK);
    assert_true(test.is_found && test.mean_mw == PA_WATERMARK_MOST_MW / 2);
    assert_int_equal(pa_watermark_judge(bits, 0, &session, &test, NULL), PA_OK);
    assert_false(test.is_found);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_the_script),
        cmocka_unit_test(a_load_that_does_not_follow_is_not_found),
        cmocka_unit_test(p_is_as_often_small_as_it_says),
        cmocka_unit_test(a_load_that_follows_is_found),
        cmocka_unit_test(bits_left_out_count_against),
        cmocka_unit_test(extremes_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
