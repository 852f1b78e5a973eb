/* SPDX-License-Identifier: Apache-2.0 */
#include "lt_product.h"

#include "lt_numbers.h"

#include <stdlib.h>
#include <string.h>

/* Columns of D at once: their sums stay in the first-level cache while k runs. */
enum { BLOCK_COLUMNS = 256 };

static float rounded_to(int type, float value) {
    uint8_t bytes[4];
    lt_write(type, bytes, 0, value);
    return lt_read(type, bytes, 0);
}

static float element(const struct lt_product *product, const struct lt_operand *operand,
                     uint64_t index) {
    float value = lt_read(operand->type, operand->data, index);
    return product->is_tf32 ? lt_truncate(value, 10) : value;
}

/* sums[j] += a * b[j], as the accumulator of the device keeps it. */
static void add_row(float *restrict sums, const float *restrict b, float a, uint64_t count,
                    int bits) {
    if (bits >= 23) {
        for (uint64_t j = 0; j < count; j++)
            sums[j] += a * b[j];
        return;
    }
    for (uint64_t j = 0; j < count; j++)
        sums[j] = lt_round(sums[j] + a * b[j], bits);
}

static void finish_row(const struct lt_product *product, const float *sums, uint64_t i,
                       uint64_t first, uint64_t count) {
    float alpha = (float)product->alpha * product->a.scale * product->b.scale;
    for (uint64_t j = 0; j < count; j++) {
        float value = alpha * sums[j];
        const struct lt_operand *c = &product->c;
        if (product->beta != 0)
            value += (float)product->beta *
                     lt_read(c->type, c->data, i * c->row_step + (first + j) * c->column_step);
        lt_write(product->d_type, product->d,
                 i * product->d_row_step + (first + j) * product->d_column_step, value);
    }
}

static void float_row(const struct lt_product *product, const float *a, const float *b, uint64_t i,
                      uint64_t first, uint64_t count) {
    float sums[BLOCK_COLUMNS] = {0}, part[BLOCK_COLUMNS];
    uint64_t k = product->k, splits = product->splits;
    for (uint64_t split = 0; split < splits; split++) {
        memset(part, 0, sizeof part);
        for (uint64_t l = k * split / splits; l < k * (split + 1) / splits; l++)
            add_row(part, b + l * count, a[l], count, product->accumulator_bits);
        for (uint64_t j = 0; j < count; j++)
            sums[j] += product->rounds_parts ? rounded_to(product->d_type, part[j]) : part[j];
        if (product->rounds_parts)
            for (uint64_t j = 0; j < count; j++)
                sums[j] = rounded_to(product->d_type, sums[j]);
    }
    finish_row(product, sums, i, first, count);
}

static int multiply_float(const struct lt_product *product) {
    const struct lt_operand *a = &product->a, *b = &product->b;
    float *a_values = malloc(product->m * product->k * sizeof *a_values);
    float *b_values = malloc(product->k * BLOCK_COLUMNS * sizeof *b_values);
    int code = a_values == NULL || b_values == NULL ? -1 : 0;
    for (uint64_t i = 0; code == 0 && i < product->m; i++)
        for (uint64_t l = 0; l < product->k; l++)
            a_values[i * product->k + l] =
                element(product, a, i * a->row_step + l * a->column_step);
    for (uint64_t first = 0; code == 0 && first < product->n; first += BLOCK_COLUMNS) {
        uint64_t left = product->n - first, count = left < BLOCK_COLUMNS ? left : BLOCK_COLUMNS;
        for (uint64_t l = 0; l < product->k; l++)
            for (uint64_t j = 0; j < count; j++)
                b_values[l * count + j] =
                    element(product, b, l * b->row_step + (first + j) * b->column_step);
        for (uint64_t i = 0; i < product->m; i++)
            float_row(product, a_values + i * product->k, b_values, i, first, count);
    }
    free(a_values);
    free(b_values);
    return code;
}

static double read_double(const struct lt_operand *operand, uint64_t row, uint64_t column) {
    double value;
    memcpy(&value,
           (const uint8_t *)operand->data +
               8 * (row * operand->row_step + column * operand->column_step),
           sizeof value);
    return value;
}

static void multiply_double(const struct lt_product *product) {
    for (uint64_t i = 0; i < product->m; i++)
        for (uint64_t j = 0; j < product->n; j++) {
            double sum = 0;
            for (uint64_t l = 0; l < product->k; l++)
                sum += read_double(&product->a, i, l) * read_double(&product->b, l, j);
            sum *= product->alpha;
            if (product->beta != 0)
                sum += product->beta * read_double(&product->c, i, j);
            memcpy((uint8_t *)product->d +
                       8 * (i * product->d_row_step + j * product->d_column_step),
                   &sum, sizeof sum);
        }
}

static uint32_t read_integer(const struct lt_operand *operand, uint64_t row, uint64_t column) {
    uint64_t index = row * operand->row_step + column * operand->column_step;
    uint32_t value;
    if (operand->type == LT_I8)
        return (uint32_t)((const int8_t *)operand->data)[index];
    memcpy(&value, (const uint8_t *)operand->data + 4 * index, sizeof value);
    return value;
}

/* Unsigned arithmetic: an accumulator that wraps is not undefined here. */
static void multiply_integer(const struct lt_product *product) {
    uint32_t alpha = (uint32_t)(int32_t)product->alpha, beta = (uint32_t)(int32_t)product->beta;
    for (uint64_t i = 0; i < product->m; i++)
        for (uint64_t j = 0; j < product->n; j++) {
            uint32_t sum = 0;
            for (uint64_t l = 0; l < product->k; l++)
                sum += read_integer(&product->a, i, l) * read_integer(&product->b, l, j);
            sum *= alpha;
            if (beta != 0)
                sum += beta * read_integer(&product->c, i, j);
            memcpy((uint8_t *)product->d +
                       4 * (i * product->d_row_step + j * product->d_column_step),
                   &sum, sizeof sum);
        }
}

int lt_multiply(const struct lt_product *product) {
    if (product->d_type == LT_F64)
        multiply_double(product);
    else if (product->d_type == LT_I32)
        multiply_integer(product);
    else
        return multiply_float(product);
    return 0;
}
