/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/tile.h"

#include "kernels/digest.h"
#include "proof/tile_code.h"

#include <stdlib.h>
#include <string.h>

enum { TILE_WORDS = PA_TILE * PA_TILE, LEAST_ROWS = 8 };

struct pa_tile_bench {
    uint32_t k;
    void *a, *b; /* one panel each: 128 lines of PA_PANEL_BYTES */
    union {
        int32_t narrow[TILE_WORDS];
        int64_t wide[TILE_WORDS];
    } sum;
    union {
        float f32[TILE_WORDS];
        double f64[TILE_WORDS];
    } word;
};

/* The plain loops: the reference of the others, and what runs where those cannot. */

static void portable_generate(void *out, enum pa_class class_id, struct pa_seed seed,
                              uint32_t first_vector, uint32_t vectors, uint32_t first_block,
                              uint32_t blocks) {
    const struct pa_class_traits *traits = pa_class_traits(class_id);
    uint32_t width = (uint32_t)traits->slot_bits, bits = (uint32_t)traits->bits;
    uint32_t slots = 128 / width;
    for (uint32_t v = 0; v < vectors; v++) {
        unsigned char *line = (unsigned char *)out + (size_t)v * PA_PANEL_BYTES;
        for (uint32_t block = 0; block < blocks; block++) {
            pa_u32 x[4];
            pa_philox(seed, first_block + block, first_vector + v, x);
            for (uint32_t i = 0; i < slots; i++) {
                int32_t value = pa_slot_value(x, i, width, bits);
                if (class_id == PA_DENSE64)
                    ((int32_t *)(void *)line)[block * slots + i] = value;
                else
                    ((int16_t *)(void *)line)[block * slots + i] = (int16_t)value;
            }
        }
    }
}

static void portable_multiply16(int32_t *c, uint32_t rows, const int16_t *a, const int16_t *b,
                                uint32_t depth) {
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t q = 0; q < PA_TILE; q++) {
            const int16_t *x = a + r * PA_PANEL_SHORTS, *y = b + q * PA_PANEL_SHORTS;
            int32_t sum = 0;
            for (uint32_t k = 0; k < depth; k++)
                sum += x[k] * y[k];
            c[r * PA_TILE + q] += sum;
        }
}

static void portable_multiply64(int64_t *c, uint32_t rows, const int32_t *a, const int32_t *b,
                                uint32_t depth) {
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t q = 0; q < PA_TILE; q++) {
            const int32_t *x = a + r * PA_PANEL_INTS, *y = b + q * PA_PANEL_INTS;
            int64_t sum = 0;
            for (uint32_t k = 0; k < depth; k++)
                sum += (int64_t)x[k] * y[k];
            c[r * PA_TILE + q] += sum;
        }
}

const struct pa_tile_code pa_tile_portable = {"portable", 1, portable_generate, portable_multiply16,
                                              portable_multiply64};

static const struct pa_tile_code *best_code(void) {
    const struct pa_tile_code *code = pa_tile_avx512();
    if (code == NULL)
        code = pa_tile_avx2();
    return code == NULL ? &pa_tile_portable : code;
}

const char *pa_tile_code_path(void) {
    return best_code()->name;
}

int pa_tile_bench_create(uint32_t k, struct pa_tile_bench **out, struct pa_error *error) {
    *out = NULL;
    if (k == 0 || k > PA_MOST_K)
        return pa_fail(error, PA_EINTERNAL, "a tile of depth %u: 1 to %d are possible", k,
                       PA_MOST_K);
    struct pa_tile_bench *bench = calloc(1, sizeof *bench);
    if (bench != NULL) {
        bench->k = k;
        bench->a = aligned_alloc(64, (size_t)PA_TILE * PA_PANEL_BYTES);
        bench->b = aligned_alloc(64, (size_t)PA_TILE * PA_PANEL_BYTES);
    }
    if (bench == NULL || bench->a == NULL || bench->b == NULL) {
        pa_tile_bench_destroy(bench);
        return pa_fail(error, PA_EMEMORY, "preparing to check tiles: out of memory");
    }
    *out = bench;
    return PA_OK;
}

void pa_tile_bench_destroy(struct pa_tile_bench *bench) {
    if (bench == NULL)
        return;
    free(bench->a);
    free(bench->b);
    free(bench);
}

/* What of C is computed: `rows` rows, 128 columns. */
struct part {
    uint32_t first_row, rows, first_column;
};

/* Exact: |sum| is at most 2^29 for the 16-bit classes and 2^57 for dense64. */
static void multiply(struct pa_tile_bench *bench, const struct pa_tile_code *code,
                     enum pa_class class_id, uint32_t k, const struct pa_seed *a_seed,
                     const struct pa_seed *b_seed, struct part part) {
    bool is_wide = class_id == PA_DENSE64;
    uint32_t slots = 128 / (uint32_t)pa_class_traits(class_id)->slot_bits;
    uint32_t blocks = k / slots;
    uint32_t panel_blocks = (is_wide ? PA_PANEL_INTS : PA_PANEL_SHORTS) / slots;
    memset(&bench->sum, 0, sizeof bench->sum);
    for (uint32_t first = 0; first < blocks; first += panel_blocks) {
        uint32_t here = blocks - first < panel_blocks ? blocks - first : panel_blocks;
        uint32_t depth = (here + code->lanes - 1) / code->lanes * code->lanes * slots;
        code->generate(bench->a, class_id, *a_seed, part.first_row, part.rows, first, here);
        code->generate(bench->b, class_id, *b_seed, part.first_column, PA_TILE, first, here);
        if (is_wide)
            code->multiply64(bench->sum.wide, part.rows, bench->a, bench->b, depth);
        else
            code->multiply16(bench->sum.narrow, part.rows, bench->a, bench->b, depth);
    }
}

uint64_t pa_tile_digest_with(const struct pa_tile_code *code, struct pa_tile_bench *bench,
                             enum pa_class class_id, uint32_t k, const struct pa_seed *a_seed,
                             const struct pa_seed *b_seed, uint32_t row, uint32_t column) {
    multiply(bench, code, class_id, k, a_seed, b_seed,
             (struct part){row * PA_TILE, PA_TILE, column * PA_TILE});
    switch (pa_class_traits(class_id)->words) {
    case PA_WORD_I32:
        return pa_digest_tile_i32(bench->sum.narrow, PA_TILE, b_seed->s);
    case PA_WORD_F64:
        for (int e = 0; e < TILE_WORDS; e++)
            bench->word.f64[e] = (double)bench->sum.wide[e];
        return pa_digest_tile_f64(bench->word.f64, PA_TILE, b_seed->s);
    case PA_WORD_F32:
        break;
    }
    for (int e = 0; e < TILE_WORDS; e++)
        bench->word.f32[e] = (float)bench->sum.narrow[e];
    return pa_digest_tile_f32(bench->word.f32, PA_TILE, b_seed->s);
}

uint64_t pa_tile_digest(struct pa_tile_bench *bench, enum pa_class class_id, uint32_t k,
                        const struct pa_seed *a_seed, const struct pa_seed *b_seed, uint32_t row,
                        uint32_t column) {
    return pa_tile_digest_with(best_code(), bench, class_id, k, a_seed, b_seed, row, column);
}

void pa_tile_row_with(const struct pa_tile_code *code, struct pa_tile_bench *bench,
                      enum pa_class class_id, uint32_t k, const struct pa_seed *a_seed,
                      const struct pa_seed *b_seed, uint32_t row, uint32_t first_column,
                      int64_t out[PA_TILE]) {
    multiply(bench, code, class_id, k, a_seed, b_seed,
             (struct part){row, LEAST_ROWS, first_column});
    for (int e = 0; e < PA_TILE; e++)
        out[e] = class_id == PA_DENSE64 ? bench->sum.wide[e] : bench->sum.narrow[e];
}

void pa_tile_row(struct pa_tile_bench *bench, enum pa_class class_id, uint32_t k,
                 const struct pa_seed *a_seed, const struct pa_seed *b_seed, uint32_t row,
                 uint32_t first_column, int64_t out[PA_TILE]) {
    pa_tile_row_with(best_code(), bench, class_id, k, a_seed, b_seed, row, first_column, out);
}
