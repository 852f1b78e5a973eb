/* SPDX-License-Identifier: Apache-2.0 */
#include "report/page.h"

#include "base/base.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* More marks on one letter than any script needs would paint over the lines above it. */
enum { MOST_MARKS = 3 };

void pa_page_mark(struct pa_page *page, const char *markup) {
    pa_buffer_text(&page->run, markup);
}

static void put_character(struct pa_page *page, const char *bytes, size_t size) {
    switch (*bytes) {
    case '&':
        pa_page_mark(page, "&amp;");
        break;
    case '<':
        pa_page_mark(page, "&lt;");
        break;
    case '>':
        pa_page_mark(page, "&gt;");
        break;
    case '"':
        pa_page_mark(page, "&quot;");
        break;
    case '\'':
        pa_page_mark(page, "&#39;");
        break;
    default:
        pa_buffer_bytes(&page->run, bytes, size);
    }
}

static bool reads_from_the_right(gunichar character) {
    return (character >= 0x590 && character <= 0x8ff) ||
           (character >= 0xfb1d && character <= 0xfeff) ||
           (character >= 0x10800 && character <= 0x10fff) ||
           (character >= 0x1e800 && character <= 0x1efff);
}

/* The next character and how many bytes it has; a byte that is no UTF-8, as where a text was cut,
 * is a replacement character. */
static gunichar next_of(const char *text, size_t *bytes) {
    gunichar character = g_utf8_get_char_validated(text, -1);
    bool is_valid = character != (gunichar)-1 && character != (gunichar)-2;
    /* What is no character in any text, although it can be encoded: cairo refuses it. */
    bool is_none = (character & 0xfffe) == 0xfffe || (character >= 0xfdd0 && character <= 0xfdef);
    *bytes = is_valid ? (size_t)(g_utf8_next_char(text) - text) : 1;
    return is_valid && !is_none ? character : 0xfffd;
}

static bool has_right_to_left(const char *text) {
    for (size_t bytes; *text != '\0'; text += bytes)
        if (reads_from_the_right(next_of(text, &bytes)))
            return true;
    return false;
}

void pa_page_text_cut(struct pa_page *page, const char *text, size_t most) {
    bool is_isolated = has_right_to_left(text);
    size_t count = 0, marks = 0;
    if (is_isolated)
        pa_page_mark(page, "\xe2\x81\xa8"); /* first strong isolate */
    for (size_t bytes; *text != '\0' && count < most; text += bytes) {
        gunichar character = next_of(text, &bytes);
        marks = g_unichar_ismark(character) ? marks + 1 : 0;
        if (marks > MOST_MARKS || g_unichar_iscntrl(character))
            continue;
        if (character == 0xfffd)
            pa_page_mark(page, "\xef\xbf\xbd");
        else
            put_character(page, text, bytes);
        count++;
    }
    if (*text != '\0')
        pa_page_mark(page, "\xe2\x80\xa6");
    if (is_isolated)
        pa_page_mark(page, "\xe2\x81\xa9"); /* its end */
}

void pa_page_text(struct pa_page *page, const char *text) {
    pa_page_text_cut(page, text, PA_TEXT_MOST);
}

static bool is_place(const char *p) {
    return p[0] == '{' && p[1] >= '0' && p[1] <= '7' && p[2] == '}';
}

void pa_page_say(struct pa_page *page, enum pa_string id, ...) {
    const char *sentence = page->strings[id];
    const char *places[8] = {0};
    int most = -1;
    for (const char *p = sentence; *p != '\0'; p++)
        if (is_place(p) && p[1] - '0' > most)
            most = p[1] - '0';
    va_list args;
    va_start(args, id);
    for (int i = 0; i <= most; i++)
        places[i] = va_arg(args, const char *);
    va_end(args);
    for (const char *p = sentence; *p != '\0'; p++) {
        if (is_place(p)) {
            pa_page_text(page, places[p[1] - '0']);
            p += 2;
        } else
            pa_buffer_bytes(&page->run, p, 1);
    }
}

void pa_page_plain(const struct pa_page *page, char *out, size_t size, enum pa_string id,
                   const char *place) {
    const char *form = page->strings[id], *hole = strstr(form, "{0}");
    if (hole == NULL)
        snprintf(out, size, "%s", form);
    else
        snprintf(out, size, "%.*s%s%s", (int)(hole - form), form, place, hole + 3);
}

const char *pa_page_take(struct pa_page *page) {
    pa_buffer_bytes(&page->run, "", 1);
    page->run.size = 0;
    if (page->run.failed)
        page->failed = true;
    return page->failed ? "" : (const char *)page->run.data;
}

void pa_page_block(struct pa_page *page, enum pa_block block) {
    page->medium->block(page, block, pa_page_take(page));
}

void pa_page_block_say(struct pa_page *page, enum pa_block block, enum pa_string id) {
    page->medium->block(page, block, page->strings[id]);
}

void pa_page_cell(struct pa_page *page) {
    page->medium->cell(page, PA_CELL_PLAIN, pa_page_take(page));
}

void pa_page_cell_bad(struct pa_page *page) {
    page->medium->cell(page, PA_CELL_BAD, pa_page_take(page));
}

void pa_page_pair(struct pa_page *page, enum pa_string label) {
    page->medium->pair(page, page->strings[label], pa_page_take(page));
}

void pa_page_cell_text(struct pa_page *page, const char *text) {
    pa_page_text(page, text);
    pa_page_cell(page);
}

void pa_page_cell_count(struct pa_page *page, uint64_t value) {
    char text[PA_FIGURE_BYTES];
    pa_count_text(text, value);
    pa_page_cell_text(page, text);
}

void pa_page_cell_figure(struct pa_page *page, double value) {
    char text[PA_FIGURE_BYTES];
    pa_figure_of(text, value);
    pa_page_cell_text(page, text);
}

void pa_page_cell_rate(struct pa_page *page, double pflops) {
    char text[PA_FIGURE_BYTES];
    pa_page_rate_text(page, text, pflops);
    pa_page_cell_text(page, text);
}

void pa_page_cell_share(struct pa_page *page, double fraction) {
    char text[PA_FIGURE_BYTES];
    pa_share_text(text, fraction);
    pa_page_cell_text(page, isfinite(fraction) ? text : "");
}

void pa_page_pair_text(struct pa_page *page, enum pa_string label, const char *text) {
    pa_page_text_cut(page, text, PA_NAME_MOST);
    pa_page_pair(page, label);
}

void pa_page_begin(struct pa_page *page, enum pa_part part, enum pa_string heading) {
    page->medium->begin(page, part, page->strings[heading]);
}

void pa_page_begin_bare(struct pa_page *page, enum pa_part part) {
    page->medium->begin(page, part, NULL);
}

void pa_page_end(struct pa_page *page, enum pa_part part) {
    page->medium->end(page, part);
}

void pa_page_table(struct pa_page *page, const struct pa_column *columns, size_t count) {
    page->medium->table(page, columns, count);
}

void pa_page_row_end(struct pa_page *page) {
    page->medium->row_end(page);
}

void pa_page_figure_row(struct pa_page *page, enum pa_string label, double value,
                        const char *unit) {
    char figure[PA_FIGURE_BYTES], text[2 * PA_FIGURE_BYTES];
    if (!isfinite(value))
        return;
    pa_figure_of(figure, value);
    snprintf(text, sizeof text, "%s%s", figure, unit);
    pa_page_say(page, label);
    pa_page_cell(page);
    pa_page_cell_text(page, text);
    pa_page_row_end(page);
}

void pa_page_table_end(struct pa_page *page) {
    page->medium->table_end(page);
}

void pa_page_more_rows(struct pa_page *page, uint64_t total, uint64_t most) {
    char more[PA_FIGURE_BYTES];
    if (total <= most)
        return;
    pa_count_text(more, total - most);
    pa_page_say(page, PA_STRING_MORE_ROWS, more);
    pa_page_block(page, PA_BLOCK_CAPTION);
}

double pa_page_rate_unit(const struct pa_page *page, double pflops, char unit[16]) {
    static const struct {
        char prefix;
        double least, scale;
    } units[] = {{'E', 1e4, 1e-3},
                 {'P', 0.9995, 1},
                 {'T', 0.9995e-3, 1e3},
                 {'G', 0.9995e-6, 1e6},
                 {'M', 0, 1e9}};
    size_t i = 0;
    double size = isfinite(pflops) && pflops > 0 ? pflops : 1;
    while (size < units[i].least)
        i++;
    snprintf(unit, 16, "%c%s", units[i].prefix, page->rate_word);
    return units[i].scale;
}

void pa_page_rate_text(const struct pa_page *page, char out[PA_FIGURE_BYTES], double pflops) {
    if (!isfinite(pflops)) {
        snprintf(out, PA_FIGURE_BYTES, "%s", page->strings[PA_STRING_NOT_KNOWN]);
        return;
    }
    char unit[16], number[PA_FIGURE_BYTES];
    pa_figure_of(number, pflops * pa_page_rate_unit(page, pflops, unit));
    if (strchr(number, '.') != NULL && fabs(pflops - round(pflops)) < 1e-9 && pflops >= 1 &&
        pflops < 1e4)
        pa_count_text(number, (uint64_t)llround(pflops)); /* "500", not "500.0" */
    snprintf(out, PA_FIGURE_BYTES, "%.40s %s", number, unit);
}

void pa_page_rate_u_text(const struct pa_page *page, char out[PA_FIGURE_BYTES], double pflops,
                         double u) {
    if (!(u > 0) || !isfinite(pflops) || !isfinite(u)) {
        pa_page_rate_text(page, out, pflops);
        return;
    }
    char unit[16], value[PA_FIGURE_BYTES], spread[PA_FIGURE_BYTES];
    double scale = pa_page_rate_unit(page, pflops, unit);
    int decimals = pa_decimals_for(u * scale, 2);
    pa_fixed_text(value, pflops * scale, decimals);
    pa_fixed_text(spread, u * scale, decimals);
    snprintf(out, PA_FIGURE_BYTES, "%.20s \xc2\xb1 %.20s %s", value, spread, unit);
}

double pa_page_number_of(const json_t *object, const char *name) {
    double value = 0;
    const char *text = json_string_value(json_object_get(object, name));
    if (text == NULL || pa_decimal_parse(text, -1e300, 1e300, &value, NULL) != PA_OK)
        return (double)NAN;
    return value;
}

const char *pa_page_text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

uint64_t pa_page_count_of(const json_t *object, const char *name) {
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value < 0 ? 0 : (uint64_t)value;
}

bool pa_page_truth_of(const json_t *object, const char *name) {
    return json_is_true(json_object_get(object, name));
}

bool pa_page_is(const json_t *object, const char *name, const char *text) {
    return strcmp(pa_page_text_of(object, name), text) == 0;
}

const json_t *pa_page_part_of(const struct pa_page *page, const char *name) {
    return json_object_get(page->predicate, name);
}

void pa_page_date(struct pa_page *page, const char *utc) {
    char date[PA_UTC_TEXT_BYTES];
    snprintf(date, sizeof date, "%.20s", utc);
    if (strlen(date) == 20) { /* 2026-11-24T00:12:11Z as people write it */
        date[10] = ' ';
        date[16] = '\0';
    }
    pa_page_text(page, date);
}
