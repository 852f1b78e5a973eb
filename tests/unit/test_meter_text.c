/* SPDX-License-Identifier: Apache-2.0 */
/* Times and quantities as loggers write them: read exactly, or refused with the option that
 * decides. */
#include "cmocka_setup.h"

#include "meter/meter_quantity.h"
#include "meter/meter_time.h"

#include <string.h>

static const int64_t second = INT64_C(1000000000);

static int64_t time_of(const char *text, const struct pa_meter_time_form *form) {
    int64_t utc_ns = 0;
    const char *problem = pa_meter_time_parse(text, strlen(text), form, &utc_ns);
    if (problem != NULL)
        fail_msg("%s: %s", text, problem);
    return utc_ns;
}

static void refuse_time(const char *text, const struct pa_meter_time_form *form,
                        const char *reason) {
    int64_t utc_ns;
    const char *problem = pa_meter_time_parse(text, strlen(text), form, &utc_ns);
    if (problem == NULL || strstr(problem, reason) == NULL)
        fail_msg("%s: %s, expected %s", text, problem == NULL ? "accepted" : problem, reason);
}

static const struct pa_meter_time_form utc = {.has_zone = true};
static const struct pa_meter_time_form bare = {.date = PA_DATE_YMD};
static const struct pa_meter_time_form china = {.has_zone = true, .zone_seconds = 8 * 3600};

/* date -u -d '2026-11-24 02:15:00' +%s */
static const int64_t moment = INT64_C(1795486500);

static void a_year_in_front_says_its_own_order(void **state) {
    (void)state;
    static const char *const texts[] = {"2026-11-24 02:15:00",     "2026-11-24T02:15:00",
                                        "2026/11/24 2:15",         "2026.11.24 02:15:00",
                                        "  2026-11-24  02:15:00 ", "2026-11-24 02:15:00 AM",
                                        "2026年11月24日 02:15:00"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(time_of(texts[i], &utc), moment * second);
    assert_int_equal(time_of("2026-11-24 10:15:00", &china), moment * second);
    assert_int_equal(time_of("2026-11-24 10:15:00.250", &china), moment * second + second / 4);
    assert_int_equal(time_of("2026-11-24 02:15:00,5 PM", &utc),
                     (moment + 12 * 3600) * second + second / 2);
    assert_int_equal(time_of("2026-11-23 24:00", &utc), time_of("2026-11-24 00:00:00", &utc));
    assert_int_equal(time_of("1970-01-01 00:00", &utc), 0);
    assert_int_equal(time_of("2024-02-29 00:00", &utc), INT64_C(1709164800) * second);
}

static void a_time_with_a_zone_needs_no_other(void **state) {
    (void)state;
    assert_int_equal(time_of("2026-11-24T02:15:00Z", &bare), moment * second);
    assert_int_equal(time_of("2026-11-24T10:15:00+08:00", &bare), moment * second);
    assert_int_equal(time_of("2026-11-23 21:45:00 -0430", &bare), moment * second);
    assert_int_equal(time_of("2026-11-24T10:15:00+08:00", &china), moment * second);
    refuse_time("2026-11-24T10:15:00+09:00", &china, "not the one that zone= tells");
    refuse_time("2026-11-24 10:15:00", &bare, "zone=+08:00");
    refuse_time("2026-11-24 10:15:00 CST", &bare, "no zone");
}

static void what_could_be_read_two_ways_is_refused(void **state) {
    (void)state;
    const struct pa_meter_time_form dmy = {.date = PA_DATE_DMY, .has_zone = true};
    const struct pa_meter_time_form mdy = {.date = PA_DATE_MDY, .has_zone = true};
    refuse_time("24/11/2026 02:15:00", &utc, "date=dmy");
    refuse_time("03/04/2026 02:15:00", &utc, "date=dmy");
    refuse_time("24/11/26 02:15:00", &utc, "four digits");
    refuse_time("1795486500", &utc, "date=unix");
    assert_int_equal(time_of("24/11/2026 02:15:00", &dmy), moment * second);
    assert_int_equal(time_of("24.11.2026 02:15:00", &dmy), moment * second);
    assert_int_equal(time_of("11/24/2026 02:15:00", &mdy), moment * second);
    refuse_time("11/24/2026 02:15:00", &dmy, "is date= right");
    refuse_time("2026-11-24 02:15:00", &dmy, "contradicts");
}

static void unix_times_are_in_the_unit_that_is_told(void **state) {
    (void)state;
    const struct pa_meter_time_form s = {.date = PA_DATE_UNIX}, ms = {.date = PA_DATE_UNIX_MS};
    assert_int_equal(time_of("1795486500", &s), moment * second);
    assert_int_equal(time_of("1795486500.125", &s), moment * second + second / 8);
    assert_int_equal(time_of("1795486500250", &ms), moment * second + second / 4);
    refuse_time("1795486500250", &s, "mixed up");
    refuse_time("-5", &s, "no number");
}

static void no_such_time_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "2026-11-24",
                                        "2026-02-29 00:00",
                                        "2026-13-01 00:00",
                                        "2026-11-31 00:00",
                                        "2026-11-24 25:00",
                                        "2026-11-24 10:60",
                                        "2026-11-24 24:01",
                                        "2026-11-24 10:15:60",
                                        "2026-11-24 13:15 PM",
                                        "2026-11-24 10:15:0",
                                        "2026-11/24 10:15",
                                        "26-11-24 10:15",
                                        "now",
                                        "2026-11-24x10:15",
                                        "2026-11-24 10.15"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuse_time(texts[i], &utc, "");
}

static int64_t quantity_of(const char *text, const struct pa_meter_quantity_form *form) {
    int64_t value = 0;
    bool is_missing = true;
    const char *problem = pa_meter_quantity_parse(text, strlen(text), form, &is_missing, &value);
    if (problem != NULL || is_missing)
        fail_msg("%s: %s", text, problem != NULL ? problem : "missing");
    return value;
}

static void refuse_quantity(const char *text, const struct pa_meter_quantity_form *form,
                            const char *reason) {
    int64_t value;
    bool is_missing;
    const char *problem = pa_meter_quantity_parse(text, strlen(text), form, &is_missing, &value);
    if (problem == NULL || strstr(problem, reason) == NULL)
        fail_msg("%s: %s, expected %s", text, problem == NULL ? "accepted" : problem, reason);
}

static const struct pa_meter_quantity_form kw = {PA_METER_POWER, {1, 6}, '.', '\0'};
static const struct pa_meter_quantity_form no_unit = {PA_METER_POWER, {0, 0}, '.', '\0'};
static const struct pa_meter_quantity_form kwh = {PA_METER_ENERGY, {36, 8}, '.', '\0'};

static void numbers_are_exact(void **state) {
    (void)state;
    assert_int_equal(quantity_of("512.345", &kw), 512345000);
    assert_int_equal(quantity_of(" 0.1 ", &kw), 100000);
    assert_int_equal(quantity_of("-3", &kw), -3000000);
    assert_int_equal(quantity_of("+3", &kw), 3000000);
    assert_int_equal(quantity_of("1.5E3", &kw), 1500000000);
    assert_int_equal(quantity_of("15e-1", &kw), 1500000);
    assert_int_equal(quantity_of("0.0000015", &kw), 2); /* half up at the last milliwatt */
    assert_int_equal(quantity_of("0.00000149", &kw), 1);
    assert_int_equal(quantity_of("007", &kw), 7000000);
    assert_int_equal(quantity_of("0e999", &kw), 0);
    assert_int_equal(quantity_of("1e-400", &kw), 0);
    assert_int_equal(quantity_of("1234567.8", &kwh), INT64_C(4444444080000000));
    refuse_quantity("1e99", &kw, "larger");
    refuse_quantity("99999999999999999999", &kw, "digits");
    refuse_quantity("9999999999999999", &kw, "larger");
}

static void a_unit_in_the_cell_wins_over_the_column(void **state) {
    (void)state;
    assert_int_equal(quantity_of("0.5 MW", &kw), 500000000);
    assert_int_equal(quantity_of("500kW", &no_unit), 500000000);
    assert_int_equal(quantity_of("500 KW", &no_unit), 500000000);
    assert_int_equal(quantity_of("500千瓦", &no_unit), 500000000);
    assert_int_equal(quantity_of("500000 W", &kw), 500000000);
    assert_int_equal(quantity_of("2 MWh", &kwh), INT64_C(7200000000000));
    refuse_quantity("500", &no_unit, "unit=kW");
    refuse_quantity("5 mW", &kw, "milli or mega");
    refuse_quantity("5 kVA", &kw, "no unit of power");
    refuse_quantity("5 kWh", &kw, "energy, not of power");
    refuse_quantity("5 kW", &kwh, "power, not of energy");
}

static void marks_mean_what_was_told(void **state) {
    (void)state;
    const struct pa_meter_quantity_form comma = {PA_METER_POWER, {1, 6}, ',', '\0'};
    const struct pa_meter_quantity_form german = {PA_METER_POWER, {1, 6}, ',', '.'};
    const struct pa_meter_quantity_form english = {PA_METER_POWER, {1, 6}, '.', ','};
    refuse_quantity("512,3", &kw, "decimal=comma");
    refuse_quantity("1,234", &kw, "decimal=comma");
    refuse_quantity("512.3", &comma, "thousands=point");
    assert_int_equal(quantity_of("512,3", &comma), 512300000);
    assert_int_equal(quantity_of("1.234,5", &german), 1234500000);
    assert_int_equal(quantity_of("1,234.5", &english), 1234500000);
    assert_int_equal(quantity_of("1,234,567", &english), INT64_C(1234567000000));
    refuse_quantity("12,34", &english, "groups");
    refuse_quantity("1234,567", &english, "groups");
    refuse_quantity("1,23,456", &english, "groups");
    refuse_quantity("1,234.", &english, "behind the decimal mark");
}

static void no_number_is_refused_and_nothing_is_missing(void **state) {
    (void)state;
    static const char *const texts[] = {"-", "n/a", ".5", "5.", "0x10", "nan", "inf", "1 2", "--5"};
    int64_t value;
    bool is_missing;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuse_quantity(texts[i], &kw, "");
    assert_null(pa_meter_quantity_parse("", 0, &kw, &is_missing, &value));
    assert_true(is_missing);
    assert_null(pa_meter_quantity_parse("   ", 3, &kw, &is_missing, &value));
    assert_true(is_missing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_year_in_front_says_its_own_order),
        cmocka_unit_test(a_time_with_a_zone_needs_no_other),
        cmocka_unit_test(what_could_be_read_two_ways_is_refused),
        cmocka_unit_test(unix_times_are_in_the_unit_that_is_told),
        cmocka_unit_test(no_such_time_is_refused),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(a_unit_in_the_cell_wins_over_the_column),
        cmocka_unit_test(marks_mean_what_was_told),
        cmocka_unit_test(no_number_is_refused_and_nothing_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
