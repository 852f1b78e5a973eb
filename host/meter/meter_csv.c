/* SPDX-License-Identifier: Apache-2.0 */
/* meter_csv.c - what the user says of a logger's CSV, and the meter made of it. */
#include "meter/meter_csv.h"

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void copy_option(struct pa_meter_options *options, const char *key, char *out) {
    const char *value = pa_meter_option(options, key);
    if (value != NULL)
        snprintf(out, PA_METER_VALUE_BYTES, "%s", value);
}

static int read_unit(struct pa_meter_options *options, const char *key,
                     struct pa_meter_quantity_form *form, struct pa_error *error) {
    const char *value = pa_meter_option(options, key);
    const char *problem =
        value == NULL ? NULL
                      : pa_meter_unit_parse(value, strlen(value), form->dimension, &form->unit);
    if (problem != NULL)
        return pa_fail(error, PA_EUSAGE, "the meter's option %s=%.40s: %s", key, value, problem);
    return PA_OK;
}

static int read_numbers(struct pa_meter_csv *csv, struct pa_meter_options *options,
                        struct pa_error *error) {
    static const char *const decimals[] = {"point", "comma", NULL};
    static const char *const groups[] = {"none", "comma", "point", "space", "apostrophe", NULL};
    static const char group_marks[] = {'\0', ',', '.', ' ', '\''};
    int decimal = 0, group = 0;
    PA_TRY(pa_meter_option_word(options, "decimal", decimals, &decimal, error));
    PA_TRY(pa_meter_option_word(options, "thousands", groups, &group, error));
    if (group == 1 + (decimal == 0 ? 1 : 0))
        return pa_fail(error, PA_EUSAGE,
                       "the meter's options decimal and thousands name the same mark");
    csv->has_marks = group != 0 || pa_meter_option(options, "decimal") != NULL;
    csv->power_form = (struct pa_meter_quantity_form){.dimension = PA_METER_POWER,
                                                      .decimal = decimal == 0 ? '.' : ',',
                                                      .thousands = group_marks[group]};
    csv->energy_form = csv->power_form;
    csv->energy_form.dimension = PA_METER_ENERGY;
    PA_TRY(read_unit(options, "unit", &csv->power_form, error));
    PA_TRY(read_unit(options, "energy_unit", &csv->energy_form, error));
    csv->ratio = 1;
    return pa_meter_option_decimal(options, "ratio", 1e-6, 1e9, &csv->ratio, error);
}

static int read_times(struct pa_meter_csv *csv, struct pa_meter_options *options,
                      struct pa_error *error) {
    static const char *const dates[] = {"ymd", "dmy", "mdy", "unix", "unix_ms", NULL};
    static const char *const stamps[] = {"instant", "start", "end", NULL};
    int date = 0, stamp = 0;
    PA_TRY(pa_meter_option_word(options, "date", dates, &date, error));
    PA_TRY(pa_meter_option_word(options, "stamp", stamps, &stamp, error));
    csv->time_form.date = (enum pa_meter_date)date;
    csv->stamp = (enum pa_meter_stamp)stamp;
    if (csv->stamp != PA_STAMP_INSTANT && csv->base.facts.interval_ns == 0)
        return pa_fail(error, PA_EUSAGE,
                       "the meter's option stamp needs interval=, such as interval=15m");
    const char *zone = pa_meter_option(options, "zone");
    if (zone == NULL)
        return PA_OK;
    csv->time_form.has_zone = true;
    if (!pa_meter_zone_parse(zone, strlen(zone), &csv->time_form.zone_seconds))
        return pa_fail(error, PA_EUSAGE,
                       "the meter's option zone is UTC or an offset such as +08:00, not \"%.40s\" "
                       "(a place with daylight saving has two: let the logger write UTC)",
                       zone);
    return PA_OK;
}

static int read_table(struct pa_meter_csv *csv, struct pa_meter_options *options,
                      struct pa_error *error) {
    static const char *const separators[] = {"auto", "comma", "semicolon", "tab", "pipe", NULL};
    static const char separator_marks[] = {'\0', ',', ';', '\t', '|'};
    static const char *const encodings[] = {"utf-8", "gbk", NULL};
    static const char *const yes_no[] = {"yes", "no", NULL};
    int separator = 0, encoding = 0, header = 0;
    PA_TRY(pa_meter_option_word(options, "separator", separators, &separator, error));
    PA_TRY(pa_meter_option_word(options, "encoding", encodings, &encoding, error));
    PA_TRY(pa_meter_option_word(options, "header", yes_no, &header, error));
    PA_TRY(pa_meter_option_whole(options, "skip", 0, 1000, &csv->skip, error));
    csv->separator = separator_marks[separator];
    csv->is_gbk = encoding == 1;
    csv->has_header = header == 0;
    if (!csv->has_header && csv->separator == '\0')
        return pa_fail(error, PA_EUSAGE,
                       "a CSV without a header needs separator=comma, semicolon, tab or pipe");
    copy_option(options, "time", csv->time);
    copy_option(options, "power", csv->power);
    copy_option(options, "energy", csv->energy);
    copy_option(options, "missing", csv->missing);
    return PA_OK;
}

static int read_rules(struct pa_meter_csv *csv, struct pa_meter_options *options,
                      struct pa_error *error) {
    static const char *const signs[] = {"positive", "reverse", "signed", NULL};
    static const char *const orders[] = {"strict", "sort", NULL};
    static const char *const duplicates[] = {"refuse", "first", "last", NULL};
    int sign = 0, order = 0, duplicate = 0;
    PA_TRY(pa_meter_option_word(options, "sign", signs, &sign, error));
    PA_TRY(pa_meter_option_word(options, "order", orders, &order, error));
    PA_TRY(pa_meter_option_word(options, "duplicates", duplicates, &duplicate, error));
    csv->sign = (enum pa_meter_sign)sign;
    csv->order = (enum pa_meter_order)order;
    csv->duplicates = (enum pa_meter_duplicates)duplicate;
    /* A generator takes a little at night. */
    if (csv->sign == PA_SIGN_POSITIVE &&
        (strcmp(csv->base.facts.role, "pv") == 0 || strcmp(csv->base.facts.role, "wind") == 0))
        csv->sign = PA_SIGN_SIGNED;
    return PA_OK;
}

int pa_meter_csv_configure(struct pa_meter_csv *csv, struct pa_meter_options *options,
                           struct pa_error *error) {
    if (options->where[0] == '\0')
        return pa_fail(error, PA_EUSAGE, "a csv meter needs its file: csv:FILE");
    snprintf(csv->path, sizeof csv->path, "%s", options->where);
    PA_TRY(pa_meter_options_facts(options, &csv->base.facts, error));
    const char *slash = strrchr(csv->path, '/');
    pa_printable(csv->base.facts.name, sizeof csv->base.facts.name,
                 slash != NULL ? slash + 1 : csv->path);
    PA_TRY(pa_meter_option_duration(options, "wait", &csv->base.facts.wait_ns, error));
    PA_TRY(read_table(csv, options, error));
    PA_TRY(read_times(csv, options, error));
    PA_TRY(read_numbers(csv, options, error));
    PA_TRY(read_rules(csv, options, error));
    return pa_meter_options_done(options, error);
}

static int deliver(struct pa_meter *meter, uint64_t from_utc_ns, uint64_t to_utc_ns,
                   struct pa_meter_delivery *out, struct pa_error *error) {
    struct pa_meter_csv *csv = (struct pa_meter_csv *)meter;
    struct pa_meter_lines lines;
    *out = (struct pa_meter_delivery){0};
    PA_TRY(pa_meter_lines_open(&lines, csv->path, csv->is_gbk, error));
    int code = pa_meter_csv_read(csv, &lines, from_utc_ns, to_utc_ns, out, error);
    pa_meter_lines_close(&lines);
    if (code != PA_OK)
        pa_meter_delivery_free(out);
    return code;
}

static void close_csv(struct pa_meter *meter) {
    free(meter);
}

static const struct pa_meter_kind csv_kind = {
    .source = "csv", .deliver = deliver, .close = close_csv};

/* The file may be delivered later; what is there already should be readable. */
static int check_file(const struct pa_meter_csv *csv, struct pa_error *error) {
    struct pa_meter_lines lines;
    if (access(csv->path, F_OK) != 0)
        return PA_OK;
    PA_TRY(pa_meter_lines_open(&lines, csv->path, csv->is_gbk, error));
    int code = pa_meter_csv_check(csv, &lines, error);
    pa_meter_lines_close(&lines);
    return code;
}

int pa_meter_csv_open(struct pa_meter_options *options, struct pa_meter **out,
                      struct pa_error *error) {
    char sidecar[PA_METER_WHERE_BYTES + 8];
    snprintf(sidecar, sizeof sidecar, "%s.yaml", options->where);
    if (options->where[0] != '\0' && access(sidecar, F_OK) == 0)
        PA_TRY(pa_meter_options_sidecar(options, sidecar, error));
    struct pa_meter_csv *csv = calloc(1, sizeof *csv);
    if (csv == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a meter: out of memory");
    csv->base.kind = &csv_kind;
    int code = pa_meter_csv_configure(csv, options, error);
    if (code == PA_OK)
        code = check_file(csv, error);
    if (code != PA_OK) {
        free(csv);
        return code;
    }
    *out = &csv->base;
    return PA_OK;
}
