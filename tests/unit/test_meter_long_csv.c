/* SPDX-License-Identifier: Apache-2.0 */
/* A file of ten million rows passes through little memory (a sanitized build reads fewer: there
 * memory says nothing). */
#include "cmocka_setup.h"

#include "base/base.h"
#include "meter/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifdef IS_SANITIZED
enum { ROWS = 200000, IS_MEMORY_MEANT = 0 };
#else
enum { ROWS = 10000000, IS_MEMORY_MEANT = 1 };
#endif
enum { MOST_KIB = 200 * 1024 };

/* One row a second from 2026-01-01, without printf: it would take longer than reading. */
static void write_rows(FILE *file) {
    char row[] = "2026-01-01T00:00:00Z,500.000\n";
    fputs("time,power (kW)\n", file);
    for (int i = 0; i < ROWS; i++) {
        int day = i / 86400, second = i % 86400;
        int month = day / 28 % 12 + 1, of_month = day % 28 + 1, year = 2026 + day / 336;
        int parts[] = {month, of_month, second / 3600, second / 60 % 60, second % 60};
        static const int places[] = {5, 8, 11, 14, 17};
        for (int p = 0; p < 5; p++) {
            row[places[p]] = (char)('0' + parts[p] / 10);
            row[places[p] + 1] = (char)('0' + parts[p] % 10);
        }
        row[3] = (char)('0' + year % 10);
        row[25] = (char)('0' + i % 10);
        fwrite(row, 1, sizeof row - 1, file);
    }
}

static void ten_million_rows_pass_through_little_memory(void **state) {
    (void)state;
    char path[] = "/tmp/petaudit-long-XXXXXX", specification[128];
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    FILE *file = fdopen(handle, "w");
    assert_non_null(file);
    write_rows(file);
    assert_int_equal(fclose(file), 0);
    struct pa_meter *meter;
    struct pa_error error = {0};
    struct pa_meter_delivery delivery;
    snprintf(specification, sizeof specification, "facility=csv:%s,class=0.5", path);
    if (pa_meter_open(specification, &meter, &error) != PA_OK)
        fail_msg("%s", error.text);
    /* 2026-01-01T12:00:00Z, for a minute. */
    uint64_t from = UINT64_C(1767268800000000000);
    int code = meter->kind->deliver(meter, from, from + UINT64_C(60000000000), &delivery, &error);
    unlink(path);
    if (code != PA_OK)
        fail_msg("%s", error.text);
    assert_int_equal(delivery.rows, ROWS);
    assert_int_equal(delivery.count, 63); /* 61 in the window, one before, one behind */
    assert_int_equal(delivery.readings[1].at.utc_ns, from);
    assert_int_equal(delivery.readings[1].milliwatts, 500000000);
    assert_int_equal(delivery.readings[2].milliwatts, 500100000);
    pa_meter_delivery_free(&delivery);
    pa_meter_close(meter);
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    if (IS_MEMORY_MEANT)
        assert_true(usage.ru_maxrss < MOST_KIB);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_million_rows_pass_through_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
