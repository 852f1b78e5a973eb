/* SPDX-License-Identifier: Apache-2.0 */
/* lt_product.h - D = alpha * op(A) * op(B) + beta * C on the host, in a fixed order.
 *
 * Every element of D is a sum over k in ascending order, in float for floating types of at most 32
 * bits, in double for fp64 and in int32 (wrapping) for int8: bit for bit the same on every machine
 * and in every build. A split over K makes partial sums which are then added, also in order; under
 * the reduction in the output type they are rounded to it first, which is the trap that it is on
 * the real library.
 */
#ifndef PA_EMULATED_LT_PRODUCT_H
#define PA_EMULATED_LT_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

/* An operand as op() leaves it: element (row, column) lies at row * row_step + column *
 * column_step.
 */
struct lt_operand {
    int type; /* enum lt_type */
    const void *data;
    uint64_t row_step, column_step;
    float scale; /* fp8: the factor behind the scale pointer, else 1 */
};

struct lt_product {
    uint64_t m, n, k;
    struct lt_operand a, b, c; /* c.data may be NULL when beta is 0 */
    int d_type;
    void *d;
    uint64_t d_row_step, d_column_step;
    double alpha, beta;
    bool is_tf32;         /* operands are cut to 10 mantissa bits */
    int accumulator_bits; /* mantissa bits that a sum keeps after each addition; 23 for fp32 */
    uint32_t splits;      /* parts of K, at least 1 */
    bool rounds_parts;    /* parts are rounded to d_type before they are added */
};

/* 0, or -1 when memory for converted operands ran out. */
int lt_multiply(const struct lt_product *product);

#endif
