/* SPDX-License-Identifier: Apache-2.0 */
#include "report/figure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double powers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};

void pa_fixed_text(char out[PA_FIGURE_BYTES], double value, int decimals) {
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

void pa_count_text(char out[PA_FIGURE_BYTES], uint64_t value) {
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

int pa_decimals_for(double value, int digits) {
    if (!(fabs(value) > 0) || !isfinite(value))
        return 0;
    int decimals = digits - 1 - (int)floor(log10(fabs(value)));
    return decimals < 0 ? 0 : decimals > 6 ? 6 : decimals;
}

/* 1.235e21: mantissa and exponent apart, neither from the locale. */
static void exponent_text(char out[PA_FIGURE_BYTES], double value) {
    int exponent = (int)floor(log10(fabs(value)));
    char mantissa[PA_FIGURE_BYTES];
    pa_fixed_text(mantissa, value / pow(10, exponent), 3);
    snprintf(out, PA_FIGURE_BYTES, "%.20se%d", mantissa, exponent);
}

void pa_figure_of(char out[PA_FIGURE_BYTES], double value) {
    if (!isfinite(value))
        snprintf(out, PA_FIGURE_BYTES, "?");
    else if (value >= 0 && value < 9e15 && (value >= 9999.5 || fabs(value - round(value)) < 1e-12))
        pa_count_text(out, (uint64_t)llround(value));
    else if (fabs(value) >= 9e15 || fabs(value) < 1e-4)
        exponent_text(out, value);
    else
        pa_fixed_text(out, value, pa_decimals_for(value, 4));
}

void pa_share_text(char out[PA_FIGURE_BYTES], double fraction) {
    char number[PA_FIGURE_BYTES];
    double percent = fraction * 100;
    if (!isfinite(percent)) {
        snprintf(out, PA_FIGURE_BYTES, "?");
    } else if (percent > 0 && percent < 0.01) {
        snprintf(out, PA_FIGURE_BYTES, "< 0.01 %%");
    } else {
        pa_fixed_text(number, percent,
                      percent >= 99.5 && percent < 100 ? 2
                      : percent >= 10                  ? 1
                                                       : pa_decimals_for(percent, 2));
        snprintf(out, PA_FIGURE_BYTES, "%.40s %%", number);
    }
}

void pa_megawatt_text(char out[PA_FIGURE_BYTES], double mw) {
    if (mw > 0 && mw < 1e-6)
        snprintf(out, PA_FIGURE_BYTES, "< 0.000001");
    else if (fabs(mw - round(mw)) < 1e-9 && mw < 1e9)
        pa_fixed_text(out, mw, 0);
    else
        pa_fixed_text(out, mw, mw >= 1000 ? 0 : mw >= 1 ? 1 : mw >= 0.01 ? 3 : 6);
}
