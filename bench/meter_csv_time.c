/* SPDX-License-Identifier: Apache-2.0 */
/* meter_csv_time.c - how long a power meter's CSV of ten million rows takes to read, and in how
 * much memory.
 *
 *     build/release/bench/meter_csv_time [FOLDER]
 *
 * The file (one row a second from 2026-01-01, about 290 MB) is written into FOLDER, /tmp unless
 * told, and removed. Hashing of the file is part of the time, as it is in an audit. */
#include "bench_machine.h"

#include "base/base.h"
#include "meter/meter.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { RUNS = 5, ROWS = 10000000 };

static void must(int code, const struct pa_error *error) {
    if (code == PA_OK)
        return;
    fprintf(stderr, "meter_csv_time: %s\n", error->text);
    exit(1);
}

static void write_rows(const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        fprintf(stderr, "meter_csv_time: cannot write %s\n", path);
        exit(1);
    }
    fputs("time,power (kW)\n", file);
    for (int i = 0; i < ROWS; i++) {
        char text[PA_UTC_TEXT_BYTES];
        pa_utc_text(text, UINT64_C(1767225600000000000) + (uint64_t)i * UINT64_C(1000000000));
        fprintf(file, "%s,%d.%03d\n", text, 500 + i % 50, i % 1000);
    }
    if (fclose(file) != 0) {
        fprintf(stderr, "meter_csv_time: cannot write %s\n", path);
        exit(1);
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int count, char **arguments) {
    char path[4096], specification[4200];
    double seconds[RUNS];
    struct pa_error error = {0};
    struct rusage usage;
    bench_print_machine();
    snprintf(path, sizeof path, "%s/meter-csv-time.csv", count > 1 ? arguments[1] : "/tmp");
    write_rows(path);
    snprintf(specification, sizeof specification, "facility=csv:%s,class=0.5", path);
    for (int run = 0; run < RUNS; run++) {
        struct pa_meter *meter;
        struct pa_meter_delivery delivery;
        uint64_t begun = pa_clock_raw_ns();
        must(pa_meter_open(specification, &meter, &error), &error);
        must(meter->kind->deliver(meter, UINT64_C(1767268800000000000),
                                  UINT64_C(1767272400000000000), &delivery, &error),
             &error);
        seconds[run] = (double)(pa_clock_raw_ns() - begun) * 1e-9;
        if (delivery.rows != ROWS || delivery.count != 3603)
            must(pa_fail(&error, PA_EINTERNAL, "%llu rows, %zu kept",
                         (unsigned long long)delivery.rows, delivery.count),
                 &error);
        pa_meter_delivery_free(&delivery);
        pa_meter_close(meter);
    }
    unlink(path);
    getrusage(RUSAGE_SELF, &usage);
    printf("rows: %d\n", ROWS);
    qsort(seconds, RUNS, sizeof seconds[0], by_value);
    printf("seconds: %.2f  median; least %.2f, most %.2f of %d runs\n", seconds[RUNS / 2],
           seconds[0], seconds[RUNS - 1], RUNS);
    printf("memory: %.1f MB at most\n", (double)usage.ru_maxrss / 1024);
    return 0;
}
