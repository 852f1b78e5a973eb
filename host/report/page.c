/* SPDX-License-Identifier: Apache-2.0 */
#include "report/page.h"

#include "base/base.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void pa_page_raw(struct pa_page *page, const char *html) {
    pa_buffer_text(page->out, html);
}

void pa_page_text(struct pa_page *page, const char *text) {
    for (const char *p = text; *p != '\0'; p++) {
        switch (*p) {
        case '&':
            pa_buffer_text(page->out, "&amp;");
            break;
        case '<':
            pa_buffer_text(page->out, "&lt;");
            break;
        case '>':
            pa_buffer_text(page->out, "&gt;");
            break;
        case '"':
            pa_buffer_text(page->out, "&quot;");
            break;
        case '\'':
            pa_buffer_text(page->out, "&#39;");
            break;
        default:
            pa_buffer_bytes(page->out, p, 1);
        }
    }
}

void pa_page_say(struct pa_page *page, enum pa_string id, ...) {
    const char *sentence = page->strings[id];
    const char *places[8] = {0};
    int most = -1;
    for (const char *p = sentence; *p != '\0'; p++)
        if (p[0] == '{' && p[1] >= '0' && p[1] <= '7' && p[2] == '}' && p[1] - '0' > most)
            most = p[1] - '0';
    va_list args;
    va_start(args, id);
    for (int i = 0; i <= most; i++)
        places[i] = va_arg(args, const char *);
    va_end(args);
    for (const char *p = sentence; *p != '\0'; p++) {
        if (p[0] == '{' && p[1] >= '0' && p[1] <= '7' && p[2] == '}') {
            pa_page_text(page, places[p[1] - '0']);
            p += 2;
        } else
            pa_buffer_bytes(page->out, p, 1);
    }
}

void pa_page_heading(struct pa_page *page, enum pa_string id) {
    pa_page_raw(page, "<h2>");
    pa_page_raw(page, page->strings[id]);
    pa_page_raw(page, "</h2>\n");
}

void pa_page_row_head(struct pa_page *page, const enum pa_string *ids, size_t count) {
    pa_page_raw(page, "<thead><tr>");
    for (size_t i = 0; i < count; i++) {
        pa_page_raw(page, "<th>");
        pa_page_raw(page, page->strings[ids[i]]);
        pa_page_raw(page, "</th>");
    }
    pa_page_raw(page, "</tr></thead><tbody>\n");
}

void pa_page_cell(struct pa_page *page, const char *text, bool is_figure) {
    pa_page_raw(page, is_figure ? "<td class=\"n\">" : "<td>");
    pa_page_text(page, text);
    pa_page_raw(page, "</td>");
}

void pa_page_pair(struct pa_page *page, enum pa_string id, const char *text) {
    pa_page_raw(page, "<dt>");
    pa_page_raw(page, page->strings[id]);
    pa_page_raw(page, "</dt><dd>");
    pa_page_text(page, text);
    pa_page_raw(page, "</dd>");
}

static const double powers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};

void pa_page_fixed_text(char out[PA_FIGURE_BYTES], double value, int decimals) {
    double scaled = fabs(value) * powers[decimals];
    if (!(scaled < 9e15)) { /* outside of exact integers, or not a number */
        snprintf(out, PA_FIGURE_BYTES, "%s", isfinite(value) ? "9e15" : "?");
        return;
    }
    uint64_t whole = (uint64_t)llround(scaled), scale = (uint64_t)powers[decimals];
    const char *sign = value < 0 && whole > 0 ? "-" : "";
    if (decimals == 0)
        snprintf(out, PA_FIGURE_BYTES, "%s%llu", sign, (unsigned long long)whole);
    else
        snprintf(out, PA_FIGURE_BYTES, "%s%llu.%0*llu", sign, (unsigned long long)(whole / scale),
                 decimals, (unsigned long long)(whole % scale));
}

void pa_page_fixed(struct pa_page *page, double value, int decimals) {
    char text[PA_FIGURE_BYTES];
    pa_page_fixed_text(text, value, decimals);
    pa_page_raw(page, text);
}

void pa_page_count_text(char out[PA_FIGURE_BYTES], uint64_t value) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    size_t to = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[to++] = ',';
        out[to++] = digits[i];
    }
    out[to] = '\0';
}

/* Places behind the point so that `digits` significant ones are shown. */
static int decimals_for(double value, int digits) {
    if (!(fabs(value) > 0) || !isfinite(value))
        return 0;
    int decimals = digits - 1 - (int)floor(log10(fabs(value)));
    return decimals < 0 ? 0 : decimals > 6 ? 6 : decimals;
}

void pa_page_figure_text(char out[PA_FIGURE_BYTES], double value) {
    if (value >= 0 && value < 9e15 && (value >= 9999.5 || fabs(value - round(value)) < 1e-9))
        pa_page_count_text(out, (uint64_t)llround(value));
    else if (value >= 9e15) { /* 1.23e21: mantissa and exponent apart, neither from the locale */
        int exponent = (int)floor(log10(value));
        char mantissa[PA_FIGURE_BYTES];
        pa_page_fixed_text(mantissa, value / pow(10, exponent), 3);
        snprintf(out, PA_FIGURE_BYTES, "%.20se%d", mantissa, exponent);
    } else
        pa_page_fixed_text(out, value, decimals_for(value, 4));
}

void pa_page_share_text(char out[PA_FIGURE_BYTES], double fraction) {
    char number[PA_FIGURE_BYTES];
    double percent = fraction * 100;
    if (!isfinite(percent)) {
        snprintf(out, PA_FIGURE_BYTES, "?");
    } else if (percent > 0 && percent < 0.01) {
        snprintf(out, PA_FIGURE_BYTES, "less than 0.01 %%");
    } else {
        pa_page_fixed_text(number, percent,
                           percent >= 99.5 && percent < 100 ? 2
                           : percent >= 10                  ? 1
                                                            : decimals_for(percent, 2));
        snprintf(out, PA_FIGURE_BYTES, "%.40s %%", number);
    }
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
    pa_page_figure_text(number, pflops * pa_page_rate_unit(page, pflops, unit));
    if (strchr(number, '.') != NULL && fabs(pflops - round(pflops)) < 1e-9 && pflops >= 1 &&
        pflops < 1e4)
        pa_page_count_text(number, (uint64_t)llround(pflops)); /* "500", not "500.0" */
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
    int decimals = decimals_for(u * scale, 2);
    pa_page_fixed_text(value, pflops * scale, decimals);
    pa_page_fixed_text(spread, u * scale, decimals);
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

const json_t *pa_page_part_of(const struct pa_page *page, const char *name) {
    return json_object_get(page->predicate, name);
}
