/* SPDX-License-Identifier: Apache-2.0 */
/* What loggers deliver, read or refused with its line; nothing is guessed. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "meter/meter_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t second = UINT64_C(1000000000);
/* 2026-11-24T02:15:00Z */
static const uint64_t begun = UINT64_C(1795486500) * UINT64_C(1000000000);

/* Read `size` bytes as "main.csv" with the options behind "csv:main.csv,", from `begun` for 60 s.
 */
static int read_bytes(const char *options, const char *text, size_t size,
                      struct pa_meter_delivery *out, struct pa_error *error) {
    char specification[512];
    struct pa_meter_options *parsed = calloc(1, sizeof *parsed);
    struct pa_meter_csv *csv = calloc(1, sizeof *csv);
    struct pa_meter_lines lines;
    assert_true(parsed != NULL && csv != NULL);
    snprintf(specification, sizeof specification, "csv:main.csv%s%s", options[0] != '\0' ? "," : "",
             options);
    *out = (struct pa_meter_delivery){0};
    int code = pa_meter_options_parse(specification, parsed, error);
    if (code == PA_OK)
        code = pa_meter_csv_configure(csv, parsed, error);
    if (code == PA_OK)
        code = pa_meter_lines_over(&lines, csv->path, text, size, csv->is_gbk, error);
    if (code == PA_OK) {
        code = pa_meter_csv_read(csv, &lines, begun, begun + 60 * second, out, error);
        pa_meter_lines_close(&lines);
    }
    free(parsed);
    free(csv);
    return code;
}

static struct pa_meter_delivery take(const char *options, const char *text) {
    struct pa_meter_delivery delivery;
    struct pa_error error = {0};
    if (read_bytes(options, text, strlen(text), &delivery, &error) != PA_OK)
        fail_msg("%s", error.text);
    return delivery;
}

static void expect(const char *options, const char *text, size_t count, int64_t first_milliwatts) {
    struct pa_meter_delivery delivery = take(options, text);
    assert_int_equal(delivery.count, count);
    if (count > 0)
        assert_int_equal(delivery.readings[0].milliwatts, first_milliwatts);
    for (size_t i = 1; i < delivery.count; i++)
        assert_true(delivery.readings[i].at.utc_ns > delivery.readings[i - 1].at.utc_ns);
    pa_meter_delivery_free(&delivery);
}

/* The message begins with the file, and with the line where there is one, and says `reason`. */
static void refuse(const char *options, const char *text, int line, const char *reason) {
    struct pa_meter_delivery delivery;
    struct pa_error error = {0};
    char place[32];
    int code = read_bytes(options, text, strlen(text), &delivery, &error);
    snprintf(place, sizeof place, "main.csv:%d:", line);
    if (code != PA_EINPUT && code != PA_EUSAGE)
        fail_msg("accepted: %s", text);
    if (strstr(error.text, reason) == NULL ||
        (line > 0 && strncmp(error.text, place, strlen(place)) != 0))
        fail_msg("\"%s\" should begin with %s and say %s", error.text, place, reason);
    pa_meter_delivery_free(&delivery);
}

#define ROWS "2026-11-24 02:15:00,500\n2026-11-24 02:15:30,510\n2026-11-24 02:16:00,520\n"

static void a_plain_file_is_read(void **state) {
    (void)state;
    struct pa_meter_delivery delivery = take("zone=UTC,unit=kW", "time,power\n" ROWS);
    assert_int_equal(delivery.count, 3);
    assert_int_equal(delivery.rows, 3);
    assert_int_equal(delivery.readings[0].at.utc_ns, begun);
    assert_int_equal(delivery.readings[0].at.raw_ns, 0);
    assert_int_equal(delivery.readings[1].milliwatts, 510000000);
    assert_true(delivery.readings[1].millijoules == PA_METER_NO_ENERGY);
    assert_int_equal(delivery.last_utc_ns, begun + 60 * second);
    pa_meter_delivery_free(&delivery);
}

static void marks_of_files_are_nothing_to_its_content(void **state) {
    (void)state;
    expect("zone=UTC,unit=kW", "\xEF\xBB\xBFtime,power\n" ROWS, 3, 500000000);
    expect("zone=UTC,unit=kW",
           "time,power\r\n2026-11-24 02:15:00,500\r\n2026-11-24 02:15:30,510\r\n", 2, 500000000);
    expect("zone=UTC,unit=kW", "time,power\n2026-11-24 02:15:00,500", 1, 500000000);
    expect("zone=UTC,unit=kW", "\"time\",\"power\"\n\"2026-11-24 02:15:00\",\"500\"\n", 1,
           500000000);
    expect("zone=UTC,unit=kW", "time;power\n2026-11-24 02:15:00;500\n\n", 1, 500000000);
    expect("zone=UTC,unit=kW", "time\tpower\n2026-11-24 02:15:00\t500\n", 1, 500000000);
    expect("zone=UTC,unit=kW,skip=2", "Logger 7\nexported, for you\ntime,power\n" ROWS, 3,
           500000000);
    expect("zone=UTC,unit=kW,header=no,separator=comma,time=1,power=2", ROWS, 3, 500000000);
}

static void units_stand_in_the_header_the_cell_or_the_option(void **state) {
    (void)state;
    expect("zone=UTC", "time,Power (kW)\n" ROWS, 3, 500000000);
    expect("zone=UTC", "time,Power [MW]\n2026-11-24 02:15:00,0.5\n", 1, 500000000);
    expect("zone=UTC", "时间,有功功率（千瓦）\n" ROWS, 3, 500000000);
    expect("zone=UTC", "time,power\n2026-11-24 02:15:00,500 kW\n2026-11-24 02:15:30,0.5 MW\n", 2,
           500000000);
    refuse("zone=UTC", "time,power\n" ROWS, 2, "unit=kW");
    refuse("zone=UTC", "time,power\n2026-11-24 02:15:00,500 kW\n2026-11-24 02:15:30,0.5\n", 3,
           "unit=kW");
    refuse("zone=UTC,unit=MW", "time,Power (kW)\n" ROWS, 1, "another unit");
    refuse("zone=UTC", "time,Power (kWh)\n" ROWS, 1, "energy, not of power");
}

static void gbk_is_read_when_told_and_refused_when_not(void **state) {
    (void)state;
    /* 时间,有功功率(kW) in GBK */
    static const char gbk[] = "\xCA\xB1\xBC\xE4,\xD3\xD0\xB9\xA6\xB9\xA6\xC2\xCA(kW)\n" ROWS;
    expect("zone=UTC,encoding=gbk", gbk, 3, 500000000);
    refuse("zone=UTC", gbk, 1, "encoding=gbk");
    refuse("zone=UTC,encoding=gbk", "time,power (kW)\n\xFF\xFF,1\n", 2, "not GBK");
    refuse("zone=UTC,unit=kW", "time,power\n2026-11-24 02:15:00,\xC0\x80\n", 2, "not UTF-8");
}

static void what_is_no_text_is_refused(void **state) {
    (void)state;
    struct pa_meter_delivery delivery;
    struct pa_error error = {0};
    static const char wide[] = "\xFF\xFEt\0i\0", zero[] = "time,power\n2026-11-24 02:15:00,5\0\n";
    assert_int_equal(read_bytes("", wide, sizeof wide, &delivery, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "UTF-16"));
    assert_int_equal(read_bytes("zone=UTC,unit=kW", zero, sizeof zero - 1, &delivery, &error),
                     PA_EINPUT);
    assert_non_null(strstr(error.text, "main.csv:2: a zero byte"));
    refuse("zone=UTC,unit=kW", "time,power\n2026-11-24 02:15:00,5\r6\n", 2, "carriage return");
    refuse("", "", 0, "ends before");
    refuse("skip=9", "time,power\n", 0, "ends before");
}

static void a_decimal_comma_is_read_only_when_told(void **state) {
    (void)state;
    static const char quoted[] = "time,power\n2026-11-24 02:15:00,\"500,5\"\n";
    static const char semicolon[] = "time;power\n2026-11-24 02:15:00;500,5\n";
    refuse("zone=UTC,unit=kW", quoted, 2, "decimal=comma");
    refuse("zone=UTC,unit=kW", semicolon, 2, "decimal=comma");
    expect("zone=UTC,unit=kW,decimal=comma", quoted, 1, 500500000);
    expect("zone=UTC,unit=kW,decimal=comma", semicolon, 1, 500500000);
    /* Without quotes the row falls apart. */
    refuse("zone=UTC,unit=kW,decimal=comma", "time,power\n2026-11-24 02:15:00,500,5\n", 2,
           "3 fields where the table has 2");
}

/* "1.234" behind semicolons is 1234 as often as 1 and a bit. */
static void points_that_could_group_thousands_are_asked_about(void **state) {
    (void)state;
#define SEMICOLONS(first, second)                                                                  \
    "time;power (kW)\n2026-11-24 02:15:00;" first "\n2026-11-24 02:15:30;" second "\n"
    refuse("zone=UTC", SEMICOLONS("1.234", "1.250"), 2, "decimal=comma,thousands=point");
    refuse("zone=UTC", SEMICOLONS("950", "1.024"), 3, "decimal=point");
    refuse("zone=UTC", SEMICOLONS("", "-1.024 kW"), 3, "not negative");
    refuse("zone=UTC,sign=signed", SEMICOLONS("", "-1.024 kW"), 3, "decimal=point");
    refuse("zone=UTC,energy=energy",
           "time;power (kW);energy (kWh)\n2026-11-24 02:15:00;512.5;1.234\n", 2, "decimal=point");
    expect("zone=UTC,decimal=point", SEMICOLONS("1.234", "1.250"), 2, 1234000);
    expect("zone=UTC,decimal=comma,thousands=point", SEMICOLONS("1.234", "1.250"), 2, 1234000000);
    /* One value that cannot be grouped decides for its column. */
    expect("zone=UTC", SEMICOLONS("1.234", "1.25"), 2, 1234000);
    expect("zone=UTC", SEMICOLONS("1.234", "0.250"), 2, 1234000);
    expect("zone=UTC", SEMICOLONS("1.234", "1234.250"), 2, 1234000);
    expect("zone=UTC", SEMICOLONS("1.234", "1.2345"), 2, 1234000);
    expect("zone=UTC", SEMICOLONS("1.234", "1000"), 2, 1234000);
    expect("zone=UTC", SEMICOLONS("1.234", "1.234e2"), 2, 1234000);
    expect("zone=UTC", SEMICOLONS("234", "512"), 2, 234000000);
    expect("zone=UTC", "time,power (kW)\n2026-11-24 02:15:00,1.234\n", 1, 1234000);
#undef SEMICOLONS
}

static void times_that_go_back_are_refused_or_sorted(void **state) {
    (void)state;
    static const char back[] = "time,power\n2026-11-24 02:15:30,510\n2026-11-24 02:15:00,500\n";
    static const char overlap[] =
        "time,power\n" ROWS "2026-11-24 02:15:30,510\n2026-11-24 02:16:00,520\n";
    static const char conflict[] = "time,power\n" ROWS "2026-11-24 02:15:30,511\n";
    refuse("zone=UTC,unit=kW", back, 3, "order=sort");
    refuse("zone=UTC,unit=kW", overlap, 5, "order=sort");
    expect("zone=UTC,unit=kW,order=sort", back, 2, 500000000);
    struct pa_meter_delivery delivery = take("zone=UTC,unit=kW,order=sort", overlap);
    assert_int_equal(delivery.count, 3);
    assert_int_equal(delivery.duplicates, 2);
    pa_meter_delivery_free(&delivery);
    refuse("zone=UTC,unit=kW,order=sort", conflict, 0, "twice with different values");
}

static void a_row_that_repeats_is_one_reading(void **state) {
    (void)state;
    static const char same[] =
        "time,power\n2026-11-24 02:15:00,500\n2026-11-24 02:15:00,500\n2026-11-24 02:15:30,510\n";
    static const char other[] =
        "time,power\n2026-11-24 02:15:00,500\n2026-11-24 02:15:00,501\n2026-11-24 02:15:30,510\n";
    struct pa_meter_delivery delivery = take("zone=UTC,unit=kW", same);
    assert_int_equal(delivery.count, 2);
    assert_int_equal(delivery.duplicates, 1);
    pa_meter_delivery_free(&delivery);
    refuse("zone=UTC,unit=kW", other, 3, "duplicates=first or duplicates=last");
    expect("zone=UTC,unit=kW,duplicates=first", other, 2, 500000000);
    expect("zone=UTC,unit=kW,duplicates=last", other, 2, 501000000);
}

static void gaps_are_counted_and_not_filled(void **state) {
    (void)state;
    static const char empty[] =
        "time,power\n2026-11-24 02:15:00,500\n2026-11-24 02:15:20,\n2026-11-24 02:15:40,510\n";
    static const char word[] =
        "time,power\n2026-11-24 02:15:00,500\n2026-11-24 02:15:20,Bad\n2026-11-24 02:15:40,510\n";
    struct pa_meter_delivery delivery = take("zone=UTC,unit=kW", empty);
    assert_int_equal(delivery.count, 2);
    assert_int_equal(delivery.missing, 1);
    pa_meter_delivery_free(&delivery);
    refuse("zone=UTC,unit=kW", word, 3, "missing=WORD");
    expect("zone=UTC,unit=kW,missing=bad", word, 2, 500000000);
}

static void only_the_window_and_its_neighbours_are_kept(void **state) {
    (void)state;
    static const char text[] =
        "time,power\n2026-11-24 02:13:00,1\n2026-11-24 02:14:00,2\n2026-11-24 02:15:30,3\n"
        "2026-11-24 02:17:00,4\n2026-11-24 02:18:00,5\n";
    struct pa_meter_delivery delivery = take("zone=UTC,unit=W", text);
    assert_int_equal(delivery.rows, 5);
    assert_int_equal(delivery.count, 3);
    assert_int_equal(delivery.readings[0].milliwatts, 2000);
    assert_int_equal(delivery.readings[2].milliwatts, 4000);
    assert_int_equal(delivery.first_utc_ns, begun - 120 * second);
    pa_meter_delivery_free(&delivery);
    expect("zone=UTC,unit=W,order=sort", text, 3, 2000);
    /* Eight hours off: nothing of the window, but for the reading before or behind it. */
    expect("zone=+08:00,unit=W", text, 1, 5000);
}

static void columns_are_told_where_the_header_is_not_clear(void **state) {
    (void)state;
    static const char three[] = "ts,feed a,feed b\n2026-11-24 02:15:00,1,2\n";
    refuse("zone=UTC,unit=W", three, 1, "say time=NAME");
    refuse("zone=UTC,unit=W,time=ts", three, 1,
           "say power=NAME (or its number); there are: ts | "
           "feed a | feed b");
    expect("zone=UTC,unit=W,time=ts,power=feed b", three, 1, 2000);
    expect("zone=UTC,unit=W,time=1,power=3", three, 1, 2000);
    refuse("zone=UTC,unit=W,time=ts,power=feed c", three, 1, "feed a | feed b");
    refuse("zone=UTC,unit=W,time=ts,power=4", three, 1, "say power=NAME");
    refuse("zone=UTC,unit=W", "time,power,power\n2026-11-24 02:15:00,1,2\n", 1, "two columns");
    refuse("zone=UTC,unit=W", "time,power,P_total\n2026-11-24 02:15:00,1,2\n", 1, "which column");
    refuse("zone=UTC,unit=W", "time,power;x\n", 1, "separator=comma");
    refuse("zone=UTC,unit=W", "time\n", 1, "no separator");
    expect("zone=UTC,unit=W,time=day+clock,power=3", "day,clock,w\n2026-11-24,02:15:00,7\n", 1,
           7000);
    refuse("zone=UTC,unit=W,time=day,power=3", "day,clock,w\n2026-11-24,02:15:00,7\n", 2,
           "joins two columns");
}

static void energy_counters_are_read_beside_power(void **state) {
    (void)state;
    static const char text[] = "time,power (kW),E (kWh)\n2026-11-24 02:15:00,500,1000.5\n";
    struct pa_meter_delivery delivery = take("zone=UTC,energy=E", text);
    assert_int_equal(delivery.readings[0].millijoules, UINT64_C(3601800000000));
    assert_int_equal(delivery.readings[0].milliwatts, 500000000);
    pa_meter_delivery_free(&delivery);
    delivery = take("zone=UTC,energy=E", "time,E (kWh)\n2026-11-24 02:15:00,1\n");
    assert_true(delivery.readings[0].milliwatts == PA_METER_NO_POWER);
    pa_meter_delivery_free(&delivery);
    refuse("zone=UTC,energy=E", "time,E (kWh)\n2026-11-24 02:15:00,-1\n", 2, "not negative");
}

static void signs_and_ratios_are_told(void **state) {
    (void)state;
    static const char negative[] = "time,power\n2026-11-24 02:15:00,-500\n";
    refuse("zone=UTC,unit=kW", negative, 2, "sign=reverse");
    expect("zone=UTC,unit=kW,sign=reverse", negative, 1, 500000000);
    expect("zone=UTC,unit=kW,sign=signed", negative, 1, -500000000);
    expect("zone=UTC,unit=W,ratio=80", "time,power\n2026-11-24 02:15:00,6.25\n", 1, 500000);
    refuse("zone=UTC,unit=GW", "time,power\n2026-11-24 02:15:00,1001\n", 2, "1 TW");
}

static void means_are_dated_at_their_middle(void **state) {
    (void)state;
    struct pa_meter_delivery delivery =
        take("zone=UTC,unit=W,stamp=end,interval=30s", "time,power\n2026-11-24 02:15:30,5\n");
    assert_int_equal(delivery.readings[0].at.utc_ns, begun + 15 * second);
    pa_meter_delivery_free(&delivery);
    refuse("zone=UTC,unit=W,stamp=end", "time,power\n", 0, "interval=");
}

static void quotes_that_do_not_close_are_refused(void **state) {
    (void)state;
    refuse("zone=UTC,unit=W", "time,power\n2026-11-24 02:15:00,\"5\n", 2, "does not end");
    refuse("zone=UTC,unit=W", "time,power\n2026-11-24 02:15:00,\"5\"6\n", 2, "behind a quoted");
    expect("zone=UTC,unit=W,power=a \"b\"", "time,\"a \"\"b\"\"\"\n2026-11-24 02:15:00,5\n", 1,
           5000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_file_is_read),
        cmocka_unit_test(marks_of_files_are_nothing_to_its_content),
        cmocka_unit_test(units_stand_in_the_header_the_cell_or_the_option),
        cmocka_unit_test(gbk_is_read_when_told_and_refused_when_not),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(a_decimal_comma_is_read_only_when_told),
        cmocka_unit_test(points_that_could_group_thousands_are_asked_about),
        cmocka_unit_test(times_that_go_back_are_refused_or_sorted),
        cmocka_unit_test(a_row_that_repeats_is_one_reading),
        cmocka_unit_test(gaps_are_counted_and_not_filled),
        cmocka_unit_test(only_the_window_and_its_neighbours_are_kept),
        cmocka_unit_test(columns_are_told_where_the_header_is_not_clear),
        cmocka_unit_test(energy_counters_are_read_beside_power),
        cmocka_unit_test(signs_and_ratios_are_told),
        cmocka_unit_test(means_are_dated_at_their_middle),
        cmocka_unit_test(quotes_that_do_not_close_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
