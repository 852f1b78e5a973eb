/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and units: what a careless parser would let through. */
#include "cmocka_setup.h"

#include "base/base.h"

#include <locale.h>
#include <math.h>
#include <string.h>

static void a_plain_decimal_is_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0}, {"500", 500}, {"0.5", 0.5}, {"-3.25", -3.25}, {"1000000.125", 1000000.125}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = NAN;
        assert_int_equal(pa_decimal_parse(cases[i].text, -1e9, 1e9, &value, NULL), PA_OK);
        assert_true(value == cases[i].value);
    }
}

static void anything_else_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        " ",
        "5 PFLOPS",
        "1,5",
        "010",
        "nan",
        "inf",
        "1e3",
        "1e999",
        "0x10",
        "+5",
        "5.",
        ".5",
        "--5",
        "5 ",
        " 5",
        "1_0",
        "٥",
        "-",
        "00",
        "5.5.5",
        "5\n",
        "11111111111111111111111111111111111111111111111111111111",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double value = -1;
        struct pa_error error = {0};
        assert_int_equal(pa_decimal_parse(cases[i], -1e300, 1e300, &value, &error), PA_EINPUT);
        assert_true(value == -1);
        assert_non_null(strstr(error.text, "decimal"));
    }
}

static void ranges_are_kept(void **state) {
    (void)state;
    double value;
    assert_int_equal(pa_decimal_parse("0", 1, 2, &value, NULL), PA_EINPUT);
    assert_int_equal(pa_decimal_parse("-1", 0, 2, &value, NULL), PA_EINPUT);
    uint64_t whole;
    assert_int_equal(pa_whole_parse("18446744073709551615", 0, UINT64_MAX, &whole, NULL), PA_OK);
    assert_true(whole == UINT64_MAX);
    assert_int_equal(pa_whole_parse("18446744073709551616", 0, UINT64_MAX, &whole, NULL),
                     PA_EINPUT);
    assert_int_equal(pa_whole_parse("-1", 0, UINT64_MAX, &whole, NULL), PA_EINPUT);
    assert_int_equal(pa_whole_parse("1.0", 0, UINT64_MAX, &whole, NULL), PA_EINPUT);
}

static void the_locale_changes_nothing(void **state) {
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL)
        setlocale(LC_ALL, "C");
    double value = 0;
    char text[PA_DECIMAL_TEXT_BYTES];
    assert_int_equal(pa_decimal_parse("1.5", 0, 2, &value, NULL), PA_OK);
    assert_true(value == 1.5);
    pa_decimal_text(text, 312.4);
    assert_string_equal(text, "312.400000");
    setlocale(LC_ALL, "C");
}

static void durations_have_a_unit(void **state) {
    (void)state;
    uint64_t ns = 0;
    assert_int_equal(pa_duration_parse("60s", &ns, NULL), PA_OK);
    assert_true(ns == 60000000000u);
    assert_int_equal(pa_duration_parse("250ms", &ns, NULL), PA_OK);
    assert_true(ns == 250000000u);
    assert_int_equal(pa_duration_parse("1.5h", &ns, NULL), PA_OK);
    assert_true(ns == 5400000000000u);
    static const char *const bad[] = {"60",   "0s",   "-1s",    "1d", "s",
                                      "60 s", "1e3s", "10000h", "60S"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(pa_duration_parse(bad[i], &ns, NULL), PA_EINPUT);
}

static void sizes_have_a_binary_unit(void **state) {
    (void)state;
    uint64_t bytes = 0;
    assert_int_equal(pa_size_parse("4KiB", &bytes, NULL), PA_OK);
    assert_true(bytes == 4096);
    assert_int_equal(pa_size_parse("512MiB", &bytes, NULL), PA_OK);
    assert_true(bytes == UINT64_C(512) << 20);
    assert_int_equal(pa_size_parse("1.5GiB", &bytes, NULL), PA_OK);
    assert_true(bytes == UINT64_C(3) << 29);
    assert_int_equal(pa_size_parse("4194304TiB", &bytes, NULL), PA_OK);
    assert_true(bytes == UINT64_C(1) << 62);
    static const char *const bad[] = {"",      "512",  "1G",     "1GB", "1gib",  "1 GiB",
                                      "-1GiB", "0GiB", "1,5GiB", "GiB", "01GiB", "4194305TiB"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(pa_size_parse(bad[i], &bytes, NULL), PA_EINPUT);
}

static void rate_units_are_exact(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"FLOPS", 1},   {"OPS", 1},     {"PFLOPS", 1e15}, {"P", 1e15},
                 {"POPS", 1e15}, {"EOPS", 1e18}, {"T", 1e12}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double scale = 0;
        assert_int_equal(pa_rate_unit_parse(cases[i].text, &scale, NULL), PA_OK);
        assert_true(fabs(scale / cases[i].value - 1) < 1e-15);
    }
    static const char *const bad[] = {"", "PFLOP", "pflops", "mFLOPS", "PFLOPS ", "ZFLOPS", "PF"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double scale = 0;
        assert_int_equal(pa_rate_unit_parse(bad[i], &scale, NULL), PA_EINPUT);
    }
    struct pa_error error = {0};
    double scale;
    pa_rate_unit_parse("PFLOP", &scale, &error);
    assert_non_null(strstr(error.text, "did you mean PFLOPS"));
}

static void decimals_have_nine_significant_digits(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "1.00000000"},
        {-1, "-1.00000000"},
        {500, "500.000000"},
        {0.000624123456789, "0.000624123457"},
        {123456789, "123456789"},
        {1234567891, "1234567890"},
        {0.1, "0.100000000"},
        {999999999.9, "1000000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[PA_DECIMAL_TEXT_BYTES];
        pa_decimal_text(text, cases[i].value);
        assert_string_equal(text, cases[i].text);
    }
    char text[PA_DECIMAL_TEXT_BYTES];
    pa_decimal_text(text, (double)NAN);
    assert_string_equal(text, "invalid");
    pa_decimal_text(text, 1.7e308);
    assert_int_equal(strlen(text), 309);
    pa_decimal_text(text, 4.9e-324);
    assert_true(strlen(text) < sizeof text);
}

static void the_nearest_word_is_near(void **state) {
    (void)state;
    static const char *const known[] = {"capacity", "center", "operator", NULL};
    assert_string_equal(pa_nearest_word("capcity", known), "capacity");
    assert_string_equal(pa_nearest_word("centre", known), "center");
    assert_null(pa_nearest_word("zzz", known));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_decimal_is_read),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(ranges_are_kept),
        cmocka_unit_test(the_locale_changes_nothing),
        cmocka_unit_test(durations_have_a_unit),
        cmocka_unit_test(sizes_have_a_binary_unit),
        cmocka_unit_test(rate_units_are_exact),
        cmocka_unit_test(decimals_have_nine_significant_digits),
        cmocka_unit_test(the_nearest_word_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
