/* SPDX-License-Identifier: Apache-2.0 */
/* substitution.c - what the cheapest other route to the same exact products could gain
 * (docs/protocol.md, "Substitution").
 *
 * It is computed from the catalogue's rates. R is a rate over that of the format that ran.
 *   dense16  max(1, R8/3, R6/3, R4/5, 1/(2/R8 + 1/R4)): three products of 8 or 6 bits (Karatsuba),
 *            two of 8 bits and one of 4, or five of 4 bits, for which no exact scheme is known
 *   fp8      max(1, R8, R6, R4): a 4-bit integer fits into int8, fp6 and int4 as it is; not into
 * fp4 dense64  max(1, R8/7, Rfp8/11, R16/5): residues of 8 bits, of which seven hold 2^54, or
 * slices
 */
#include "judge/judge.h"

#include <math.h>
#include <string.h>

static const char does_not_pay[] = "no cheaper exact route pays at the catalogue's rates";
static const char eight_bits[] = "three products in 8 bits, at the catalogue's rates";
static const char six_bits[] = "three products in fp6, at the catalogue's rates";
static const char four_bits[] = "five products in 4 bits would pay; no exact scheme is known";
static const char mixed[] = "two products in 8 bits and one in 4, at the catalogue's rates";
static const char narrower[] = "a narrower format that holds 4-bit integers is faster";
static const char residues[] = "53-bit exact, emulation in 8 or 16 bits allowed";
static const char assumed[] =
    "the catalogue has no 4-bit rate of the model: taken as twice that in 8 bits";

static void raise_to(double *bound, const char **basis, double rate, const char *why) {
    if (rate <= *bound)
        return;
    *bound = rate;
    *basis = why;
}

static double at_least_zero(double rate) {
    return rate > 0 ? rate : 0;
}

static double faster(double a, double b) {
    return fmax(at_least_zero(a), at_least_zero(b));
}

/* Of int4 and, where `has_fp4`, fp4. A rate that nobody listed is taken as twice that in 8 bits, as
 * each halving of the width has given at most so far. */
static double four_bit_rate(const struct pa_catalogue_row *row, bool has_fp4, double eight,
                            bool *is_assumed) {
    double known = faster(row->int4_per_second, has_fp4 ? row->fp4_per_second : 0);
    *is_assumed = known <= 0 && row->int4_per_second == 0;
    return *is_assumed ? 2 * eight : known;
}

static double bound_of_dense16(const struct pa_catalogue_row *row, double base,
                               const char **basis) {
    const double *peak = row->peak_per_second;
    double eight = faster(peak[PA_PRECISION_INT8], peak[PA_PRECISION_FP8]), bound = 1;
    bool is_assumed;
    double four = four_bit_rate(row, true, eight, &is_assumed);
    if (eight <= 0)
        return 0;
    *basis = does_not_pay;
    raise_to(&bound, basis, eight / 3 / base, eight_bits);
    raise_to(&bound, basis, at_least_zero(row->fp6_per_second) / 3 / base, six_bits);
    raise_to(&bound, basis, four / 5 / base, is_assumed ? assumed : four_bits);
    if (four > 0)
        raise_to(&bound, basis, 1 / (2 * base / eight + base / four), is_assumed ? assumed : mixed);
    return bound;
}

static double bound_of_fp8(const struct pa_catalogue_row *row, double base, const char **basis) {
    double eight =
        faster(row->peak_per_second[PA_PRECISION_INT8], row->peak_per_second[PA_PRECISION_FP8]);
    double bound = 1;
    bool is_assumed;
    double four = four_bit_rate(row, false, eight, &is_assumed);
    *basis = does_not_pay;
    raise_to(&bound, basis, eight / base, narrower);
    raise_to(&bound, basis, at_least_zero(row->fp6_per_second) / base, narrower);
    raise_to(&bound, basis, four / base, is_assumed ? assumed : narrower);
    return bound;
}

static double bound_of_dense64(const struct pa_catalogue_row *row, double base,
                               const char **basis) {
    const double *peak = row->peak_per_second;
    double bound = 1;
    *basis = does_not_pay;
    raise_to(&bound, basis, peak[PA_PRECISION_INT8] / 7 / base, residues);
    raise_to(&bound, basis, peak[PA_PRECISION_FP8] / 11 / base, residues);
    raise_to(&bound, basis, faster(peak[PA_PRECISION_FP16], peak[PA_PRECISION_BF16]) / 5 / base,
             residues);
    return bound;
}

/* From the model's row; 0 where it does not know enough. */
static double bound_of_row(enum pa_class class_id, const struct pa_catalogue_row *row,
                           const char *format, const char **basis) {
    double base = row->peak_per_second[pa_precision_named(format)];
    if (row->confidence == PA_CONFIDENCE_LOW || base <= 0)
        return 0;
    switch (class_id) {
    case PA_DENSE16:
        return bound_of_dense16(row, base, basis);
    case PA_CLASS_FP8:
        return bound_of_fp8(row, base, basis);
    case PA_DENSE64:
        return bound_of_dense64(row, base, basis);
    case PA_DENSE8:
    case PA_CLASS_NONE:
        break;
    }
    return 0;
}

/* A processor has integer units beside its floating-point ones, whatever its model. */
static const struct {
    enum pa_class class_id;
    const char *format;
    double bound;
    const char *basis;
} processors[] = {
    {PA_DENSE16, "bf16", 1, "16-bit integer multiply-add is no faster than bf16"},
    {PA_DENSE16, "fp32", 2, "16-bit integer multiply-add against fp32"},
    {PA_DENSE8, "int8", 1, "nothing faster holds 8-bit integers"},
    {PA_DENSE8, "bf16", 2, "8-bit integer multiply-add against bf16"},
    {PA_DENSE8, "fp32", 4, "8-bit integer multiply-add against fp32"},
    {PA_CLASS_FP8, "int8", 1, "nothing faster holds 4-bit integers"},
    {PA_CLASS_FP8, "bf16", 2, "8-bit integer multiply-add against bf16"},
    {PA_CLASS_FP8, "fp32", 4, "8-bit integer multiply-add against fp32"},
    {PA_DENSE64, "fp64", 4, "16-bit integer multiply-add against fp64"},
};

/* The largest of each class, for a device that nobody has looked at. */
static double largest(enum pa_class class_id) {
    switch (class_id) {
    case PA_DENSE16:
        return 2;
    case PA_DENSE8:
    case PA_CLASS_FP8:
        return 4;
    case PA_DENSE64:
    case PA_CLASS_NONE:
        break;
    }
    return 16;
}

double pa_substitution_bound(enum pa_class class_id, const char *backend, const char *model,
                             const char *format, const char **basis) {
    const char *ignored;
    if (basis == NULL)
        basis = &ignored;
    if (strcmp(backend, "cpu") == 0) {
        for (size_t i = 0; i < sizeof processors / sizeof processors[0]; i++) {
            if (processors[i].class_id == class_id && strcmp(processors[i].format, format) == 0) {
                *basis = processors[i].basis;
                return processors[i].bound;
            }
        }
    } else if (class_id == PA_DENSE8) {
        *basis = "the class is 8-bit products, in whatever format they run";
        return 1;
    } else {
        const struct pa_catalogue_row *row = pa_catalogue_find(model);
        double bound = row == NULL ? 0 : bound_of_row(class_id, row, format, basis);
        if (bound > 0)
            return bound;
    }
    *basis = "unknown device or rates: the largest bound of the class";
    return largest(class_id);
}
