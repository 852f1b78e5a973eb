/* SPDX-License-Identifier: Apache-2.0 */
/* tile.h - the witness computes one 128 x 128 tile, or a row of it, from the seeds alone, in
 * integers, on one core.
 *
 * Independent of every vendor library, and of the prover's code but for philox.h and digest.h.
 * 16-bit multiply-add on AVX2 or AVX-512 (chosen at run time), plain C elsewhere; 64-bit integers
 * for dense64. Exact for every sound shape.
 */
#ifndef PA_PROOF_TILE_H
#define PA_PROOF_TILE_H

#include "base/error.h"
#include "proof/hash.h"
#include "proof/work_class.h"

/* Working memory for tiles of depth up to k; one per thread. */
struct pa_tile_bench;
int pa_tile_bench_create(uint32_t k, struct pa_tile_bench **out, struct pa_error *error);
void pa_tile_bench_destroy(struct pa_tile_bench *bench);

/* The digest of tile (row, column) of C = A * B. */
uint64_t pa_tile_digest(struct pa_tile_bench *bench, enum pa_class class_id, uint32_t k,
                        const struct pa_seed *a_seed, const struct pa_seed *b_seed, uint32_t row,
                        uint32_t column);

/* Elements (row, first_column) to (row, first_column + 127) of C = A * B, as integers. Columns past
 * the end of B are computed like all others. */
void pa_tile_row(struct pa_tile_bench *bench, enum pa_class class_id, uint32_t k,
                 const struct pa_seed *a_seed, const struct pa_seed *b_seed, uint32_t row,
                 uint32_t first_column, int64_t out[PA_TILE]);

/* "avx512", "avx2" or "portable": what these run on here. */
const char *pa_tile_code_path(void);

#endif
