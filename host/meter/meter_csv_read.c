/* SPDX-License-Identifier: Apache-2.0 */
/* meter_csv_read.c - a logger's CSV from its first line to its last, keeping only the window. */
#include "meter/meter_csv.h"

#include "base/base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_COLUMN = -1 };

struct columns {
    int time, time_of_day, power, energy; /* NO_COLUMN where there is none */
    size_t count;                         /* of a row */
};

struct reader {
    const struct pa_meter_csv *csv;
    struct pa_meter_lines *lines;
    struct columns columns;
    struct pa_meter_quantity_form power_form, energy_form;
    struct pa_meter_points power_points, energy_points;
    char separator;
    uint64_t from, to;
    struct pa_meter_delivery *out;
    struct pa_meter_reading last, before, after; /* before and after the window */
    bool has_last, has_before, has_after;
    uint64_t last_line;
    struct pa_error *error;
};

static bool is_same_word(const char *a, size_t a_length, const char *b, size_t b_length) {
    if (a_length != b_length)
        return false;
    for (size_t i = 0; i < a_length; i++) {
        char x = a[i] >= 'A' && a[i] <= 'Z' ? (char)(a[i] + 32) : a[i];
        char y = b[i] >= 'A' && b[i] <= 'Z' ? (char)(b[i] + 32) : b[i];
        if (x != y)
            return false;
    }
    return true;
}

static struct pa_meter_field trimmed(struct pa_meter_field field) {
    while (field.length > 0 && (*field.text == ' ' || *field.text == '\t')) {
        field.text++;
        field.length--;
    }
    while (field.length > 0 && strchr(" \t", field.text[field.length - 1]) != NULL)
        field.length--;
    return field;
}

/* "Power (kW)" is the name "Power" and the unit "kW"; round, square and full-width brackets. */
static void split_unit(struct pa_meter_field header, struct pa_meter_field *name,
                       struct pa_meter_field *unit) {
    static const char *const brackets[][2] = {{"(", ")"}, {"[", "]"}, {"（", "）"}};
    *name = header = trimmed(header);
    *unit = (struct pa_meter_field){0};
    for (size_t b = 0; b < sizeof brackets / sizeof brackets[0]; b++) {
        size_t open = strlen(brackets[b][0]), shut = strlen(brackets[b][1]);
        if (header.length < open + shut ||
            memcmp(header.text + header.length - shut, brackets[b][1], shut) != 0)
            continue;
        for (size_t at = header.length - shut; at-- > 0;)
            if (at + open <= header.length - shut &&
                memcmp(header.text + at, brackets[b][0], open) == 0) {
                *name = trimmed((struct pa_meter_field){header.text, at});
                unit->text = header.text + at + open;
                unit->length = header.length - shut - at - open;
                return;
            }
    }
}

/* A column by its number from 1 or by its name, with or without its unit. */
static int find_column(struct reader *r, const struct pa_meter_field *fields, const char *wanted,
                       const char *option, int *out) {
    uint64_t number;
    int found = NO_COLUMN;
    if (pa_whole_parse(wanted, 1, r->columns.count, &number, NULL) == PA_OK) {
        *out = (int)number - 1;
        return PA_OK;
    }
    for (size_t i = 0; r->csv->has_header && i < r->columns.count; i++) {
        struct pa_meter_field whole = trimmed(fields[i]), name, unit;
        split_unit(fields[i], &name, &unit);
        if (!is_same_word(whole.text, whole.length, wanted, strlen(wanted)) &&
            !is_same_word(name.text, name.length, wanted, strlen(wanted)))
            continue;
        if (found != NO_COLUMN)
            return pa_meter_lines_fail(r->lines, r->error,
                                       "two columns are called \"%.60s\"; say %s=NUMBER, counted "
                                       "from 1",
                                       wanted, option);
        found = (int)i;
    }
    *out = found;
    return PA_OK;
}

static int no_column(struct reader *r, const struct pa_meter_field *fields, const char *option) {
    char list[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < r->columns.count && used + 64 < sizeof list; i++) {
        int length = fields[i].length < 40 ? (int)fields[i].length : 40;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%.*s", i > 0 ? " | " : "",
                                 length, fields[i].text);
    }
    return pa_meter_lines_fail(r->lines, r->error,
                               "which column is it? say %s=NAME (or its number); there are: %s",
                               option, list);
}

/* The one column that the option names or, without it, the one that bears a usual name. */
static int choose_column(struct reader *r, const struct pa_meter_field *fields, const char *wanted,
                         const char *const *usual, const char *option, bool is_required, int *out) {
    *out = NO_COLUMN;
    if (wanted[0] != '\0') {
        PA_TRY(find_column(r, fields, wanted, option, out));
        return *out != NO_COLUMN ? PA_OK : no_column(r, fields, option);
    }
    for (; r->csv->has_header && *usual != NULL; usual++) {
        int found = NO_COLUMN;
        PA_TRY(find_column(r, fields, *usual, option, &found));
        if (found != NO_COLUMN && *out != NO_COLUMN && found != *out)
            return no_column(r, fields, option);
        if (found != NO_COLUMN)
            *out = found;
    }
    return *out != NO_COLUMN || !is_required ? PA_OK : no_column(r, fields, option);
}

static int take_unit(struct reader *r, const struct pa_meter_field *fields, int column,
                     struct pa_meter_quantity_form *form) {
    struct pa_meter_field name, text;
    struct pa_meter_unit unit;
    if (column == NO_COLUMN || !r->csv->has_header)
        return PA_OK;
    split_unit(fields[column], &name, &text);
    if (text.length == 0)
        return PA_OK;
    const char *problem = pa_meter_unit_parse(text.text, text.length, form->dimension, &unit);
    if (problem != NULL)
        return pa_meter_lines_fail(r->lines, r->error, "the column \"%.*s\": %s",
                                   (int)(fields[column].length < 60 ? fields[column].length : 60),
                                   fields[column].text, problem);
    if (form->unit.multiplier != 0 &&
        (form->unit.multiplier != unit.multiplier || form->unit.exponent != unit.exponent))
        return pa_meter_lines_fail(r->lines, r->error,
                                   "the header says \"%.*s\", the option another unit; leave the "
                                   "wrong one out",
                                   (int)text.length, text.text);
    form->unit = unit;
    return PA_OK;
}

static int find_columns(struct reader *r, const struct pa_meter_field *fields) {
    static const char *const times[] = {"time", "timestamp", "datetime", "date time", "utc",
                                        "时间", "日期时间",  "采集时间", NULL};
    static const char *const powers[] = {"power", "active power", "active_power", "p", "p_total",
                                         "功率",  "有功功率",     "总有功功率",   NULL};
    static const char *const none[] = {NULL};
    char first[PA_METER_VALUE_BYTES];
    struct columns *columns = &r->columns;
    snprintf(first, sizeof first, "%s", r->csv->time);
    char *plus = strchr(first, '+');
    columns->time_of_day = NO_COLUMN;
    if (plus != NULL) {
        *plus = '\0';
        PA_TRY(choose_column(r, fields, plus + 1, none, "time", true, &columns->time_of_day));
    }
    PA_TRY(choose_column(r, fields, first, times, "time", true, &columns->time));
    PA_TRY(choose_column(r, fields, r->csv->energy, none, "energy", false, &columns->energy));
    PA_TRY(choose_column(r, fields, r->csv->power, powers, "power", columns->energy == NO_COLUMN,
                         &columns->power));
    PA_TRY(take_unit(r, fields, columns->power, &r->power_form));
    return take_unit(r, fields, columns->energy, &r->energy_form);
}

/* The separator that the header has; a header with two kinds is for the user to decide. */
static int find_separator(struct reader *r, const char *text, size_t length) {
    static const char marks[] = {',', ';', '\t', '|'};
    int kinds = 0;
    r->separator = r->csv->separator;
    if (r->separator != '\0')
        return PA_OK;
    for (size_t i = 0; i < sizeof marks; i++)
        if (length > 0 && memchr(text, marks[i], length) != NULL) {
            r->separator = marks[i];
            kinds++;
        }
    if (kinds == 1)
        return PA_OK;
    return pa_meter_lines_fail(r->lines, r->error,
                               "the header has %s; say separator=comma, semicolon, tab or pipe "
                               "(and skip=N for lines in front of the header)",
                               kinds == 0 ? "no separator" : "several marks that could separate");
}

static int read_header(struct reader *r, char **first_row, size_t *length) {
    struct pa_meter_field fields[PA_METER_MOST_FIELDS];
    char *text;
    for (uint64_t i = 0; i <= r->csv->skip; i++) {
        PA_TRY(pa_meter_lines_next(r->lines, &text, length, r->error));
        if (text == NULL)
            return pa_fail(r->error, PA_EINPUT, "%s: the file ends before its table begins",
                           r->lines->name);
    }
    PA_TRY(find_separator(r, text, *length));
    if (!r->csv->has_header) {
        /* The first row's fields are only counted: taking a line apart changes it. */
        char *copy = malloc(*length + 1);
        if (copy == NULL)
            return pa_fail(r->error, PA_EMEMORY, "reading %s: out of memory", r->lines->name);
        if (*length > 0)
            memcpy(copy, text, *length);
        int code = pa_meter_lines_split(r->lines, copy, *length, r->separator, fields,
                                        &r->columns.count, r->error);
        if (code == PA_OK)
            code = find_columns(r, fields);
        free(copy);
        *first_row = text;
        return code;
    }
    *first_row = NULL;
    PA_TRY(pa_meter_lines_split(r->lines, text, *length, r->separator, fields, &r->columns.count,
                                r->error));
    return find_columns(r, fields);
}

static int fail_field(const struct reader *r, struct pa_meter_field field, const char *problem) {
    return pa_meter_lines_fail(r->lines, r->error, "\"%.*s\": %s",
                               (int)(field.length < 60 ? field.length : 60), field.text, problem);
}

static int read_time(struct reader *r, const struct pa_meter_field *fields, int64_t *utc_ns) {
    struct pa_meter_field field = trimmed(fields[r->columns.time]);
    char joined[128];
    if (r->columns.time_of_day != NO_COLUMN) {
        struct pa_meter_field clock = trimmed(fields[r->columns.time_of_day]);
        int length = snprintf(joined, sizeof joined, "%.*s %.*s",
                              (int)(field.length < 60 ? field.length : 60), field.text,
                              (int)(clock.length < 60 ? clock.length : 60), clock.text);
        field = (struct pa_meter_field){joined, (size_t)length};
    }
    const char *problem = pa_meter_time_parse(field.text, field.length, &r->csv->time_form, utc_ns);
    if (problem != NULL)
        return fail_field(r, field, problem);
    int64_t half_ns = (int64_t)(r->csv->base.facts.interval_ns / 2);
    if (r->csv->stamp == PA_STAMP_START)
        *utc_ns += half_ns;
    else if (r->csv->stamp == PA_STAMP_END)
        *utc_ns = *utc_ns > half_ns ? *utc_ns - half_ns : 0;
    return PA_OK;
}

static int read_value(struct reader *r, const struct pa_meter_field *fields, int column,
                      const struct pa_meter_quantity_form *form, bool *is_missing, int64_t *out) {
    bool is_power = form->dimension == PA_METER_POWER;
    struct pa_meter_points *points = is_power ? &r->power_points : &r->energy_points;
    *is_missing = true;
    if (column == NO_COLUMN)
        return PA_OK;
    struct pa_meter_field field = trimmed(fields[column]);
    if (r->csv->missing[0] != '\0' &&
        is_same_word(field.text, field.length, r->csv->missing, strlen(r->csv->missing)))
        return PA_OK;
    const char *problem = pa_meter_quantity_parse(field.text, field.length, form, is_missing, out);
    if (problem == NULL && !points->are_decimal)
        pa_meter_points_see(points, field.text, field.length, r->lines->line);
    if (problem == NULL)
        return PA_OK;
    if (strcmp(problem, "this is no number") == 0)
        problem = "this is no number; if it stands for \"no value\", say missing=WORD";
    return fail_field(r, field, problem);
}

static int scale(const struct reader *r, struct pa_meter_field field, int64_t *value) {
    if (r->csv->ratio == 1)
        return PA_OK;
    double scaled = (double)*value * r->csv->ratio;
    if (fabs(scaled) > 9e18)
        return fail_field(r, field, "with ratio= this is larger than any meter's reading");
    *value = (int64_t)llround(scaled);
    return PA_OK;
}

static const int64_t most_milliwatts = INT64_C(1000000000000000); /* 1 TW */

static int read_power(struct reader *r, const struct pa_meter_field *fields,
                      struct pa_meter_reading *out) {
    bool is_missing;
    int64_t value;
    PA_TRY(read_value(r, fields, r->columns.power, &r->power_form, &is_missing, &value));
    if (is_missing)
        return PA_OK;
    struct pa_meter_field field = fields[r->columns.power];
    PA_TRY(scale(r, field, &value));
    if (r->csv->sign == PA_SIGN_REVERSE)
        value = -value;
    if (value < 0 && r->csv->sign != PA_SIGN_SIGNED)
        return fail_field(r, field,
                          "a load is not negative; say sign=reverse if this meter counts it so, "
                          "sign=signed if the site also feeds in");
    if (value > most_milliwatts || value < -most_milliwatts)
        return fail_field(r, field, "more than 1 TW is no site");
    out->milliwatts = value;
    return PA_OK;
}

static int read_energy(struct reader *r, const struct pa_meter_field *fields,
                       struct pa_meter_reading *out) {
    bool is_missing;
    int64_t value;
    PA_TRY(read_value(r, fields, r->columns.energy, &r->energy_form, &is_missing, &value));
    if (is_missing)
        return PA_OK;
    PA_TRY(scale(r, fields[r->columns.energy], &value));
    if (value < 0)
        return fail_field(
            r, fields[r->columns.energy],
            "an energy counter is not negative; name the counter, not its difference");
    out->millijoules = (uint64_t)value;
    return PA_OK;
}

static int keep(struct reader *r, const struct pa_meter_reading *reading) {
    struct pa_meter_delivery *out = r->out;
    if (out->count == PA_METER_MOST_KEPT)
        return pa_fail(r->error, PA_EINPUT, "%s: more than %d readings in the window",
                       r->lines->name, PA_METER_MOST_KEPT);
    if (out->count == out->capacity) {
        size_t capacity = out->capacity == 0 ? 1024 : 2 * out->capacity;
        struct pa_meter_reading *grown = realloc(out->readings, capacity * sizeof *grown);
        if (grown == NULL)
            return pa_fail(r->error, PA_EMEMORY, "reading %s: out of memory", r->lines->name);
        out->readings = grown;
        out->capacity = capacity;
    }
    out->readings[out->count++] = *reading;
    return PA_OK;
}

static bool is_same_reading(const struct pa_meter_reading *a, const struct pa_meter_reading *b) {
    return a->at.utc_ns == b->at.utc_ns && a->milliwatts == b->milliwatts &&
           a->millijoules == b->millijoules;
}

/* A row that comes before the one above it, or at the same moment. */
static int check_order(struct reader *r, const struct pa_meter_reading *reading, bool *is_dropped) {
    *is_dropped = false;
    if (r->csv->order == PA_ORDER_SORT || !r->has_last || reading->at.utc_ns > r->last.at.utc_ns)
        return PA_OK;
    char now[PA_UTC_TEXT_BYTES], then[PA_UTC_TEXT_BYTES];
    pa_utc_text(now, reading->at.utc_ns);
    pa_utc_text(then, r->last.at.utc_ns);
    if (reading->at.utc_ns < r->last.at.utc_ns)
        return pa_meter_lines_fail(
            r->lines, r->error,
            "the time goes back, from %s (line %llu) to %s; say order=sort if exports overlap, or "
            "let the logger write UTC if this is the end of daylight saving",
            then, (unsigned long long)r->last_line, now);
    if (is_same_reading(reading, &r->last)) {
        *is_dropped = true;
        r->out->duplicates++;
        return PA_OK;
    }
    if (r->csv->duplicates == PA_DUPLICATES_REFUSE)
        return pa_meter_lines_fail(
            r->lines, r->error,
            "%s has another value than on line %llu; say duplicates=first or duplicates=last", now,
            (unsigned long long)r->last_line);
    *is_dropped = r->csv->duplicates == PA_DUPLICATES_FIRST;
    r->out->duplicates++;
    if (!*is_dropped && r->out->count > 0 &&
        r->out->readings[r->out->count - 1].at.utc_ns == reading->at.utc_ns)
        r->out->count--; /* the last one counts */
    return PA_OK;
}

static int place(struct reader *r, const struct pa_meter_reading *reading) {
    if (reading->at.utc_ns < r->from) {
        if (!r->has_before || reading->at.utc_ns >= r->before.at.utc_ns)
            r->before = *reading;
        r->has_before = true;
        return PA_OK;
    }
    if (reading->at.utc_ns > r->to) {
        if (!r->has_after || reading->at.utc_ns < r->after.at.utc_ns)
            r->after = *reading;
        r->has_after = true;
        return PA_OK;
    }
    return keep(r, reading);
}

static int read_row(struct reader *r, char *text, size_t length) {
    struct pa_meter_field fields[PA_METER_MOST_FIELDS];
    struct pa_meter_reading reading = {.milliwatts = PA_METER_NO_POWER,
                                       .millijoules = PA_METER_NO_ENERGY};
    size_t count;
    int64_t utc_ns;
    bool is_dropped;
    if (length == 0)
        return PA_OK;
    PA_TRY(pa_meter_lines_split(r->lines, text, length, r->separator, fields, &count, r->error));
    if (count != r->columns.count)
        return pa_meter_lines_fail(r->lines, r->error,
                                   "%zu fields where the table has %zu (a decimal comma that is "
                                   "not in quotes, or a line that was cut off?)",
                                   count, r->columns.count);
    r->out->rows++;
    PA_TRY(read_time(r, fields, &utc_ns));
    PA_TRY(read_power(r, fields, &reading));
    PA_TRY(read_energy(r, fields, &reading));
    reading.at.utc_ns = (uint64_t)utc_ns;
    if (r->out->first_utc_ns == 0 || reading.at.utc_ns < r->out->first_utc_ns)
        r->out->first_utc_ns = reading.at.utc_ns;
    if (reading.at.utc_ns > r->out->last_utc_ns)
        r->out->last_utc_ns = reading.at.utc_ns;
    PA_TRY(check_order(r, &reading, &is_dropped));
    if (is_dropped)
        return PA_OK;
    r->last = reading;
    r->has_last = true;
    r->last_line = r->lines->line;
    if (reading.milliwatts != PA_METER_NO_POWER || reading.millijoules != PA_METER_NO_ENERGY)
        return place(r, &reading);
    if (reading.at.utc_ns >= r->from && reading.at.utc_ns <= r->to)
        r->out->missing++;
    return PA_OK;
}

static int compare_readings(const void *left, const void *right) {
    const struct pa_meter_reading *a = left, *b = right;
    if (a->at.utc_ns != b->at.utc_ns)
        return a->at.utc_ns > b->at.utc_ns ? 1 : -1;
    if (a->milliwatts != b->milliwatts)
        return a->milliwatts > b->milliwatts ? 1 : -1;
    return (a->millijoules > b->millijoules) - (a->millijoules < b->millijoules);
}

/* The window in order. Which of two values at one moment came first is lost by sorting, so that
 * only equal ones can be one. */
static int sort(struct reader *r) {
    struct pa_meter_delivery *out = r->out;
    if (r->csv->order != PA_ORDER_SORT || out->count < 2)
        return PA_OK;
    qsort(out->readings, out->count, sizeof *out->readings, compare_readings);
    size_t kept = 1;
    for (size_t i = 1; i < out->count; i++) {
        const struct pa_meter_reading *before = &out->readings[kept - 1], *now = &out->readings[i];
        if (now->at.utc_ns != before->at.utc_ns) {
            out->readings[kept++] = *now;
            continue;
        }
        if (!is_same_reading(before, now)) {
            char text[PA_UTC_TEXT_BYTES];
            pa_utc_text(text, now->at.utc_ns);
            return pa_fail(r->error, PA_EINPUT,
                           "%s: %s stands there twice with different values; take one of the "
                           "exports out of the file",
                           r->lines->name, text);
        }
        out->duplicates++;
    }
    out->count = kept;
    return PA_OK;
}

/* The reading before the window and the one behind it, so that its ends are covered. */
static int add_neighbours(struct reader *r) {
    struct pa_meter_delivery *out = r->out;
    if (r->has_after)
        PA_TRY(keep(r, &r->after));
    if (!r->has_before)
        return PA_OK;
    PA_TRY(keep(r, &r->before));
    memmove(out->readings + 1, out->readings, (out->count - 1) * sizeof *out->readings);
    out->readings[0] = r->before;
    return PA_OK;
}

/* Semicolons separate where the comma is the decimal mark, and there a point groups thousands. */
static int check_points(const struct reader *r) {
    const struct pa_meter_points *points = &r->power_points;
    if (!pa_meter_points_are_open(points))
        points = &r->energy_points;
    if (r->separator != ';' || r->csv->has_marks || !pa_meter_points_are_open(points))
        return PA_OK;
    return pa_fail(r->error, PA_EINPUT,
                   "%s:%llu: every point of this column could group thousands, as it does in many "
                   "files with semicolons; say decimal=point if it is a decimal mark, or "
                   "decimal=comma,thousands=point",
                   r->lines->name, (unsigned long long)points->first_line);
}

static struct reader reader_over(const struct pa_meter_csv *csv, struct pa_meter_lines *lines,
                                 struct pa_error *error) {
    return (struct reader){.csv = csv,
                           .lines = lines,
                           .power_form = csv->power_form,
                           .energy_form = csv->energy_form,
                           .error = error};
}

int pa_meter_csv_check(const struct pa_meter_csv *csv, struct pa_meter_lines *lines,
                       struct pa_error *error) {
    struct reader r = reader_over(csv, lines, error);
    char *text;
    size_t length;
    return read_header(&r, &text, &length);
}

int pa_meter_csv_read(const struct pa_meter_csv *csv, struct pa_meter_lines *lines,
                      uint64_t from_utc_ns, uint64_t to_utc_ns, struct pa_meter_delivery *out,
                      struct pa_error *error) {
    struct reader r = reader_over(csv, lines, error);
    struct pa_hash hash;
    char *text;
    size_t length;
    r.from = from_utc_ns;
    r.to = to_utc_ns;
    r.out = out;
    PA_TRY(read_header(&r, &text, &length));
    if (text != NULL)
        PA_TRY(read_row(&r, text, length));
    for (;;) {
        PA_TRY(pa_meter_lines_next(lines, &text, &length, error));
        if (text == NULL)
            break;
        PA_TRY(read_row(&r, text, length));
    }
    PA_TRY(check_points(&r));
    PA_TRY(sort(&r));
    PA_TRY(add_neighbours(&r));
    pa_hasher_end(&lines->hasher, &hash);
    memcpy(out->sha256, hash.bytes, sizeof out->sha256);
    return PA_OK;
}
