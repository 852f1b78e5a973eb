/* SPDX-License-Identifier: Apache-2.0 */
/* uncertainty_student.c - Student's t by the incomplete beta function, as a continued fraction
 * (Abramowitz and Stegun 26.5.8, 26.7.1; evaluated after Lentz). */
#include "judge/uncertainty.h"

#include <math.h>

enum { MOST_TERMS = 2000, MOST_HALVINGS = 200 };

static const double nearly_zero = 1e-300, enough = 1e-15;
/* From here on the normal distribution is nearer than rounding errors of the fraction. */
static const double many = 1e8;

static double away_from_zero(double x) {
    return fabs(x) < nearly_zero ? nearly_zero : x;
}

/* The fraction of I_x(a, b), which converges fast for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x) {
    double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), result = d;
    for (int m = 1; m <= MOST_TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        result *= d * c;
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        result *= d * c;
        if (fabs(d * c - 1) < enough)
            break;
    }
    return result;
}

static double incomplete_beta(double a, double b, double x) {
    int sign;
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) +
                       a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double pa_student_cdf(double t, double freedom) {
    if (!(freedom < many))
        return 0.5 * erfc(-t / sqrt(2));
    /* Of the two equal forms the one whose argument is the smaller: nothing is lost near 0 or far
     * out. */
    double square = t * t, sum = freedom + square;
    double tail = square < freedom ? 0.5 - 0.5 * incomplete_beta(0.5, freedom / 2, square / sum)
                                   : 0.5 * incomplete_beta(freedom / 2, 0.5, freedom / sum);
    return t > 0 ? 1 - tail : tail;
}

double pa_student_quantile(double p, double freedom) {
    double low = -1, high = 1;
    while (pa_student_cdf(low, freedom) > p && low > -1e12)
        low *= 2;
    while (pa_student_cdf(high, freedom) < p && high < 1e12)
        high *= 2;
    for (int i = 0; i < MOST_HALVINGS && high - low > enough * fabs(high + low); i++) {
        double middle = low + (high - low) / 2;
        if (pa_student_cdf(middle, freedom) < p)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}
