/* SPDX-License-Identifier: Apache-2.0 */
/* A block of columns of D at a time, and of k a block at a time, ascending: what the inner loops
 * need stays in the second-level cache, and the order of the additions is that of k all the same.
 */
#include "lt_product.h"

#include "lt_numbers.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_COLUMNS = 256, BLOCK_K = 128 };

/* Wider vectors where there are any; the additions are the same ones in the same order. */
#if defined(__x86_64__)
#define WIDE __attribute__((target("avx2")))
#define IS_WIDE __builtin_cpu_supports("avx2")
#else
#define WIDE
#define IS_WIDE false
#endif

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static float read_float(const struct lt_product *product, const struct lt_operand *operand,
                        uint64_t index) {
    float value = lt_read(operand->type, operand->data, index);
    return product->is_tf32 ? lt_truncate(value, 10) : value;
}

static double read_double(const struct lt_product *product, const struct lt_operand *operand,
                          uint64_t index) {
    double value;
    (void)product;
    memcpy(&value, (const uint8_t *)operand->data + 8 * index, sizeof value);
    return value;
}

static uint32_t read_integer(const struct lt_operand *operand, uint64_t index) {
    uint32_t value;
    memcpy(&value, (const uint8_t *)operand->data + 4 * index, sizeof value);
    return value;
}

/* For each kind of accumulator: convert the blocks, and add their product to the sums of
 * `columns` columns, all rows. Two rows at once use every value of B that was loaded twice. */
#define DEFINE_BLOCK(type, name)                                                                   \
    static void load_##name(const struct lt_product *product, const struct lt_operand *operand,    \
                            uint64_t first_row, uint64_t rows, uint64_t first_column,              \
                            uint64_t columns, type *out) {                                         \
        for (uint64_t i = 0; i < rows; i++)                                                        \
            for (uint64_t j = 0; j < columns; j++)                                                 \
                out[i * columns + j] = read_##name(product, operand,                               \
                                                   (first_row + i) * operand->row_step +           \
                                                       (first_column + j) * operand->column_step); \
    }                                                                                              \
                                                                                                   \
    static inline __attribute__((always_inline)) void add_body_##name(                             \
        type *restrict sums, const type *restrict a, const type *restrict b, uint64_t rows,        \
        uint64_t depth, uint64_t columns) {                                                        \
        uint64_t i = 0;                                                                            \
        for (; i + 2 <= rows; i += 2) {                                                            \
            type *restrict s0 = sums + i * columns, *restrict s1 = s0 + columns;                   \
            for (uint64_t l = 0; l < depth; l++) {                                                 \
                const type a0 = a[i * depth + l], a1 = a[(i + 1) * depth + l];                     \
                const type *restrict line = b + l * columns;                                       \
                for (uint64_t j = 0; j < columns; j++) {                                           \
                    s0[j] += a0 * line[j];                                                         \
                    s1[j] += a1 * line[j];                                                         \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        for (; i < rows; i++)                                                                      \
            for (uint64_t l = 0; l < depth; l++)                                                   \
                for (uint64_t j = 0; j < columns; j++)                                             \
                    sums[i * columns + j] += a[i * depth + l] * b[l * columns + j];                \
    }                                                                                              \
                                                                                                   \
    WIDE static void add_wide_##name(type *sums, const type *a, const type *b, uint64_t rows,      \
                                     uint64_t depth, uint64_t columns) {                           \
        add_body_##name(sums, a, b, rows, depth, columns);                                         \
    }                                                                                              \
                                                                                                   \
    static void add_##name(type *sums, const type *a, const type *b, uint64_t rows,                \
                           uint64_t depth, uint64_t columns) {                                     \
        if (IS_WIDE)                                                                               \
            add_wide_##name(sums, a, b, rows, depth, columns);                                     \
        else                                                                                       \
            add_body_##name(sums, a, b, rows, depth, columns);                                     \
    }

DEFINE_BLOCK(float, float)
DEFINE_BLOCK(double, double)

/* lt_round without its exceptions, so that the loop over it becomes vector code. */
static float round_finite(float value, uint32_t dropped) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits += ((1u << dropped) >> 1) - 1 + ((bits >> dropped) & 1);
    bits &= ~((1u << dropped) - 1);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* As add_float, by an accumulator that keeps fewer bits. */
static void add_rounded(float *restrict sums, const float *restrict a, const float *restrict b,
                        uint64_t rows, uint64_t depth, uint64_t columns, int bits) {
    for (uint64_t i = 0; i < rows; i++)
        for (uint64_t l = 0; l < depth; l++)
            for (uint64_t j = 0; j < columns; j++)
                sums[i * columns + j] =
                    round_finite(sums[i * columns + j] + a[i * depth + l] * b[l * columns + j],
                                 (uint32_t)(23 - bits));
}

/* Room for the blocks, of the widest accumulator. */
struct blocks {
    void *a, *b, *part, *sums;
    float *exact; /* int8: the sums over one block of k */
};

/* Products of int8 over a block of k are whole numbers of less than 2^24, which a float holds. The
 * sum over blocks is unsigned, so that an accumulator that wraps is not undefined here. */
static void add_integers(const struct blocks *blocks, uint64_t rows, uint64_t depth,
                         uint64_t columns) {
    _Static_assert(BLOCK_K * 128 * 128 <= 1 << 24, "exact in a float");
    uint32_t *part = blocks->part;
    memset(blocks->exact, 0, rows * columns * sizeof *blocks->exact);
    add_float(blocks->exact, blocks->a, blocks->b, rows, depth, columns);
    for (uint64_t i = 0; i < rows * columns; i++)
        part[i] += (uint32_t)(int32_t)blocks->exact[i];
}

/* part = the product over k from `first` to `end`, of the columns from `column` on. */
static void multiply_part(const struct lt_product *product, const struct blocks *blocks,
                          uint64_t column, uint64_t columns, uint64_t first, uint64_t end) {
    uint64_t rows = product->m;
    memset(blocks->part, 0, rows * columns * sizeof(double)); /* zero in every type */
    for (uint64_t l = first; l < end; l += BLOCK_K) {
        uint64_t depth = least(end - l, BLOCK_K);
        if (product->d_type == LT_F64) {
            load_double(product, &product->a, 0, rows, l, depth, blocks->a);
            load_double(product, &product->b, l, depth, column, columns, blocks->b);
            add_double(blocks->part, blocks->a, blocks->b, rows, depth, columns);
        } else {
            load_float(product, &product->a, 0, rows, l, depth, blocks->a);
            load_float(product, &product->b, l, depth, column, columns, blocks->b);
            if (product->d_type == LT_I32)
                add_integers(blocks, rows, depth, columns);
            else if (product->accumulator_bits >= 23)
                add_float(blocks->part, blocks->a, blocks->b, rows, depth, columns);
            else
                add_rounded(blocks->part, blocks->a, blocks->b, rows, depth, columns,
                            product->accumulator_bits);
        }
    }
}

static float rounded_to(int type, float value) {
    uint8_t bytes[4];
    lt_write(type, bytes, 0, value);
    return lt_read(type, bytes, 0);
}

/* sums += part, which is where a reduction in the output type rounds. */
static void add_part(const struct lt_product *product, const struct blocks *blocks,
                     uint64_t count) {
    for (uint64_t i = 0; i < count; i++) {
        if (product->d_type == LT_F64)
            ((double *)blocks->sums)[i] += ((const double *)blocks->part)[i];
        else if (product->d_type == LT_I32)
            ((uint32_t *)blocks->sums)[i] += ((const uint32_t *)blocks->part)[i];
        else {
            float part = ((const float *)blocks->part)[i], *sum = &((float *)blocks->sums)[i];
            if (product->rounds_parts)
                *sum = rounded_to(product->d_type, *sum + rounded_to(product->d_type, part));
            else
                *sum += part;
        }
    }
}

/* D's element from its sum: alpha, the scales, and beta C. */
static void finish(const struct lt_product *product, const void *sums, uint64_t index, uint64_t row,
                   uint64_t column) {
    const struct lt_operand *c = &product->c;
    uint64_t c_at = row * c->row_step + column * c->column_step;
    uint64_t d_at = row * product->d_row_step + column * product->d_column_step;
    if (product->d_type == LT_F64) {
        double value = product->alpha * ((const double *)sums)[index];
        if (product->beta != 0)
            value += product->beta * read_double(product, c, c_at);
        memcpy((uint8_t *)product->d + 8 * d_at, &value, sizeof value);
    } else if (product->d_type == LT_I32) {
        uint32_t value = (uint32_t)(int32_t)product->alpha * ((const uint32_t *)sums)[index];
        if (product->beta != 0)
            value += (uint32_t)(int32_t)product->beta * read_integer(c, c_at);
        memcpy((uint8_t *)product->d + 4 * d_at, &value, sizeof value);
    } else {
        float alpha = (float)product->alpha * product->a.scale * product->b.scale;
        float value = alpha * ((const float *)sums)[index];
        if (product->beta != 0)
            value += (float)product->beta * lt_read(c->type, c->data, c_at);
        lt_write(product->d_type, product->d, d_at, value);
    }
}

static void multiply_columns(const struct lt_product *product, const struct blocks *blocks,
                             uint64_t column, uint64_t columns) {
    uint64_t k = product->k, splits = product->splits;
    memset(blocks->sums, 0, product->m * columns * sizeof(double));
    for (uint64_t split = 0; split < splits; split++) {
        multiply_part(product, blocks, column, columns, k * split / splits,
                      k * (split + 1) / splits);
        add_part(product, blocks, product->m * columns);
    }
    for (uint64_t j = 0; j < columns; j++)
        for (uint64_t i = 0; i < product->m; i++)
            finish(product, blocks->sums, i * columns + j, i, column + j);
}

int lt_multiply(const struct lt_product *product) {
    uint64_t columns = least(product->n, BLOCK_COLUMNS);
    struct blocks blocks = {.a = malloc(product->m * BLOCK_K * sizeof(double)),
                            .b = malloc(columns * BLOCK_K * sizeof(double)),
                            .part = malloc(product->m * columns * sizeof(double)),
                            .sums = malloc(product->m * columns * sizeof(double)),
                            .exact = malloc(product->m * columns * sizeof(float))};
    bool is_there = blocks.a != NULL && blocks.b != NULL && blocks.part != NULL &&
                    blocks.sums != NULL && blocks.exact != NULL;
    for (uint64_t column = 0; is_there && column < product->n; column += columns)
        multiply_columns(product, &blocks, column, least(product->n - column, columns));
    free(blocks.a);
    free(blocks.b);
    free(blocks.part);
    free(blocks.sums);
    free(blocks.exact);
    return is_there ? 0 : -1;
}
