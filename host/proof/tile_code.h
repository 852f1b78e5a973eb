/* SPDX-License-Identifier: Apache-2.0 */
/* tile_code.h - one set of inner loops of tile.c for each kind of processor.
 *
 * Products are computed in panels of at most PA_PANEL_BYTES a vector: `generate` writes the
 * operands of up to 128 vectors (rows of A or columns of B) for a range of Philox blocks,
 * `multiply` adds the panel's products to C. How values lie in a panel is each code's own affair: A
 * and B lie alike, and a sum does not care for its order. Both see the blocks in groups of `lanes`;
 * blocks past the end are zeros.
 */
#ifndef PA_PROOF_TILE_CODE_H
#define PA_PROOF_TILE_CODE_H

#include "proof/hash.h"
#include "proof/work_class.h"

enum { PA_PANEL_BYTES = 1024, PA_PANEL_SHORTS = 512, PA_PANEL_INTS = 256 };

struct pa_tile_code {
    const char *name;
    uint32_t lanes; /* Philox blocks of a group: 1 or 16 */
    /* Values of `blocks` blocks from `first_block` on, of `vectors` vectors (a multiple of 8).
     * `out` has 128 times PA_PANEL_BYTES: int16 for 16-bit code, int32 for dense64. */
    void (*generate)(void *out, enum pa_class class_id, struct pa_seed seed, uint32_t first_vector,
                     uint32_t vectors, uint32_t first_block, uint32_t blocks);
    /* c += a * b over the first `depth` values of each vector; c has `rows` rows (a multiple of 4)
     * of 128. */
    void (*multiply16)(int32_t *c, uint32_t rows, const int16_t *a, const int16_t *b,
                       uint32_t depth);
    void (*multiply64)(int64_t *c, uint32_t rows, const int32_t *a, const int32_t *b,
                       uint32_t depth);
};

extern const struct pa_tile_code pa_tile_portable;
/* The best that this processor runs, or NULL: no such instructions, or not an x86. */
const struct pa_tile_code *pa_tile_avx2(void);
const struct pa_tile_code *pa_tile_avx512(void);

/* pa_tile_digest and pa_tile_row on a code path of one's choice: for tests, which compare the
 * paths, and for measuring them. */
struct pa_tile_bench;
uint64_t pa_tile_digest_with(const struct pa_tile_code *code, struct pa_tile_bench *bench,
                             enum pa_class class_id, uint32_t k, const struct pa_seed *a_seed,
                             const struct pa_seed *b_seed, uint32_t row, uint32_t column);
void pa_tile_row_with(const struct pa_tile_code *code, struct pa_tile_bench *bench,
                      enum pa_class class_id, uint32_t k, const struct pa_seed *a_seed,
                      const struct pa_seed *b_seed, uint32_t row, uint32_t first_column,
                      int64_t out[PA_TILE]);

#endif
