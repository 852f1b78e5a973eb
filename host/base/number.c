/* SPDX-License-Identifier: Apache-2.0 */
#include "base/number.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NUMBER = 40, LONGEST_WORD = 63 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The length of the longest prefix that is a strict decimal; 0 when there is none. */
static size_t decimal_length(const char *text, bool *has_point) {
    size_t i = text[0] == '-' ? 1 : 0;
    size_t first = i;
    *has_point = false;
    while (is_digit(text[i]))
        i++;
    if (i == first || (text[first] == '0' && i > first + 1))
        return 0;
    if (text[i] == '.' && is_digit(text[i + 1])) {
        *has_point = true;
        for (i++; is_digit(text[i]);)
            i++;
    }
    return i <= LONGEST_NUMBER ? i : 0;
}

/* strtod under the C locale, whatever the caller's is: the decimal point is a point. */
static double decimal_value(const char *text, size_t length) {
    char copy[LONGEST_NUMBER + 1];
    memcpy(copy, text, length);
    copy[length] = '\0';
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return (double)NAN;
    double value = strtod_l(copy, NULL, c_locale);
    freelocale(c_locale);
    return value;
}

static int reject(const char *text, const char *expected, struct pa_error *error) {
    return pa_fail(error, PA_EINPUT, "\"%.60s\" is not %s", text, expected);
}

int pa_decimal_parse(const char *text, double least, double most, double *out,
                     struct pa_error *error) {
    bool has_point;
    size_t length = decimal_length(text, &has_point);
    if (length == 0 || text[length] != '\0')
        return reject(text,
                      "a plain decimal number (digits, at most one point between digits; no unit, "
                      "comma, exponent "
                      "or leading zero)",
                      error);
    double value = decimal_value(text, length);
    if (!isfinite(value) || value < least || value > most)
        return pa_fail(error, PA_EINPUT, "%.60s is outside of the allowed range, %.9g to %.9g",
                       text, least, most);
    *out = value;
    return PA_OK;
}

int pa_whole_parse(const char *text, uint64_t least, uint64_t most, uint64_t *out,
                   struct pa_error *error) {
    bool has_point;
    size_t length = decimal_length(text, &has_point);
    if (length == 0 || text[length] != '\0' || has_point)
        return reject(text, "a whole number (digits only, no leading zero)", error);
    uint64_t value = 0;
    bool fits = text[0] != '-';
    for (size_t i = 0; fits && i < length; i++)
        fits = !__builtin_mul_overflow(value, 10u, &value) &&
               !__builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value);
    if (!fits || value < least || value > most)
        return pa_fail(error, PA_EINPUT, "%.60s is outside of the allowed range, %llu to %llu",
                       text, (unsigned long long)least, (unsigned long long)most);
    *out = value;
    return PA_OK;
}

int pa_duration_parse(const char *text, uint64_t *out_ns, struct pa_error *error) {
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    bool has_point;
    size_t length = decimal_length(text, &has_point);
    for (size_t i = 0; length > 0 && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + length, units[i].unit) != 0)
            continue;
        double ns = decimal_value(text, length) * units[i].ns;
        if (!(ns >= 1) || ns > 366.0 * 86400e9)
            return pa_fail(error, PA_EINPUT,
                           "%.60s is no usable duration: above zero, at most 366 days", text);
        *out_ns = (uint64_t)ns;
        return PA_OK;
    }
    return reject(text, "a duration such as 60s, 10m, 2h or 250ms", error);
}

int pa_size_parse(const char *text, uint64_t *out_bytes, struct pa_error *error) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    bool has_point;
    size_t length = decimal_length(text, &has_point);
    double scale = 1;
    for (size_t i = 0; length > 0 && i < sizeof units / sizeof units[0]; i++) {
        scale *= 1024;
        if (strcmp(text + length, units[i]) != 0)
            continue;
        double bytes = decimal_value(text, length) * scale;
        if (!(bytes >= 1) || bytes > 0x1p62)
            return pa_fail(error, PA_EINPUT,
                           "%.60s is no usable size: above zero, at most 4194304TiB", text);
        *out_bytes = (uint64_t)bytes;
        return PA_OK;
    }
    return reject(text, "a size such as 512MiB, 1GiB or 1.5TiB", error);
}

int pa_rate_unit_parse(const char *text, double *out_per_second, struct pa_error *error) {
    static const char prefixes[] = {'\0', 'K', 'M', 'G', 'T', 'P', 'E'};
    static const char *const known[] = {"FLOPS",  "KFLOPS", "MFLOPS", "GFLOPS", "TFLOPS",
                                        "PFLOPS", "EFLOPS", "OPS",    "KOPS",   "MOPS",
                                        "GOPS",   "TOPS",   "POPS",   "EOPS",   NULL};
    double scale = 1;
    for (size_t i = 0; i < sizeof prefixes; i++, scale *= 1e3) {
        const char *rest = text;
        if (prefixes[i] != '\0' && *rest++ != prefixes[i])
            continue;
        if (strcmp(rest, "FLOPS") == 0 || strcmp(rest, "OPS") == 0 ||
            (prefixes[i] != '\0' && *rest == '\0')) {
            *out_per_second = scale;
            return PA_OK;
        }
    }
    const char *near = pa_nearest_word(text, known);
    return pa_fail(
        error, PA_EINPUT,
        "\"%.60s\" is no unit of computing rate%s%s (FLOPS to EFLOPS, OPS to EOPS, or P)", text,
        near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}

void pa_decimal_text(char out[PA_DECIMAL_TEXT_BYTES], double value) {
    if (value == 0) {
        memcpy(out, "0", 2);
        return;
    }
    if (!isfinite(value)) {
        memcpy(out, "invalid", 8);
        return;
    }
    /* "-d.dddddddde+XX": the digits are taken apart by position, so that the locale's point does
     * not matter. */
    char scientific[32];
    snprintf(scientific, sizeof scientific, "%.8e", fabs(value));
    char digits[10];
    digits[0] = scientific[0];
    memcpy(digits + 1, scientific + 2, 8);
    digits[9] = '\0';
    int exponent = atoi(scientific + 11);
    char *p = out;
    if (value < 0)
        *p++ = '-';
    if (exponent < 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = -1; i > exponent; i--)
            *p++ = '0';
        memcpy(p, digits, 10);
        return;
    }
    for (int i = 0; i < 9 || i <= exponent; i++) {
        if (i == exponent + 1)
            *p++ = '.';
        *p++ = i < 9 ? digits[i] : '0';
    }
    *p = '\0';
}

/* Levenshtein's distance, ignoring case; words longer than LONGEST_WORD count as far away. */
static size_t edit_distance(const char *a, const char *b) {
    size_t la = strlen(a), lb = strlen(b);
    if (la > LONGEST_WORD || lb > LONGEST_WORD)
        return LONGEST_WORD;
    size_t row[LONGEST_WORD + 1];
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t replaced =
                diagonal +
                (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]) ? 1 : 0);
            diagonal = row[j];
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = replaced < least ? replaced : least;
        }
    }
    return row[lb];
}

const char *pa_nearest_word(const char *text, const char *const *known) {
    const char *best = NULL;
    size_t best_distance = strlen(text) / 2 + 1;
    for (; *known != NULL; known++) {
        size_t distance = edit_distance(text, *known);
        if (distance < best_distance) {
            best_distance = distance;
            best = *known;
        }
    }
    return best;
}
