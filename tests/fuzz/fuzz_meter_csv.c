/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a logger's CSV: the first line says how to read it, the rest is the file. What comes
 * out is in order and within bounds, or the message is printable. */
#include "base/base.h"
#include "meter/meter_csv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t from = UINT64_C(1795486500000000000), minute = UINT64_C(60000000000);

static void check(const struct pa_meter_delivery *delivery) {
    for (size_t i = 0; i < delivery->count; i++) {
        const struct pa_meter_reading *reading = &delivery->readings[i];
        if (reading->at.utc_ns > INT64_MAX || reading->at.raw_ns != 0)
            abort();
        if (reading->milliwatts == PA_METER_NO_POWER && reading->millijoules == PA_METER_NO_ENERGY)
            abort();
        if (i > 0 && reading->at.utc_ns <= reading[-1].at.utc_ns)
            abort();
    }
}

static void read_rest(const struct pa_meter_csv *csv, const uint8_t *data, size_t size,
                      struct pa_error *error) {
    struct pa_meter_lines lines;
    struct pa_meter_delivery delivery = {0};
    if (pa_meter_lines_over(&lines, csv->path, data, size, csv->is_gbk, error) != PA_OK)
        return;
    if (pa_meter_csv_read(csv, &lines, from, from + minute, &delivery, error) == PA_OK)
        check(&delivery);
    pa_meter_lines_close(&lines);
    pa_meter_delivery_free(&delivery);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct pa_meter_options options;
    static char head[1024];
    struct pa_meter_csv *csv = calloc(1, sizeof *csv);
    struct pa_error error = {0};
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t length = end != NULL ? (size_t)(end - data) : 0;
    if (csv != NULL && end != NULL && length < sizeof head) {
        memcpy(head, data, length);
        head[length] = '\0';
        if (pa_meter_options_parse(head, &options, &error) == PA_OK &&
            pa_meter_csv_configure(csv, &options, &error) == PA_OK)
            read_rest(csv, end + 1, size - length - 1, &error);
    }
    free(csv);
    return 0;
}
