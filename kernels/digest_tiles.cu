/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of the 128 x 128 tiles of C, one block of threads to a tile: a warp reads a row of
 * binary32 or int32, two warps one of binary64. */
#include "kernels/sum.h"

PA_DEVICE void digest_tile(pa_u64 part[PA_KERNEL_THREADS], const unsigned char *c, pa_u32 ld,
                           pa_u32 s, pa_u64 *digests, enum pa_words_of kind) {
    const pa_u32 element_words = kind == PA_DOUBLES ? 2u : 1u;
    const pa_u32 row_words = PA_DIGEST_TILE * element_words;
    const pa_u32 rows_at_once = PA_PASS_WORDS / row_words;
    pa_u32 word = pa_thread() * PA_PIECE_WORDS;
    pa_u64 row_bytes = (pa_u64)ld * (element_words * 4u);
    const unsigned char *at = c + (pa_block_y() * PA_DIGEST_TILE + word / row_words) * row_bytes +
                              ((pa_u64)pa_block_x() * row_words + word % row_words) * 4u;
    pa_u64 sum =
        pa_sum_pieces(at, rows_at_once * row_bytes, PA_DIGEST_TILE / rows_at_once, s, word, kind);
    pa_sum_block(part, sum, digests + ((pa_u64)pa_block_y() * pa_grid_x() + pa_block_x()));
}

PA_KERNEL pa_digest_f32(const unsigned char *c, pa_u32 ld, pa_u32 s, pa_u64 *digests) {
    PA_SHARED pa_u64 part[PA_KERNEL_THREADS];
    digest_tile(part, c, ld, s, digests, PA_SINGLES);
}

PA_KERNEL pa_digest_i32(const unsigned char *c, pa_u32 ld, pa_u32 s, pa_u64 *digests) {
    PA_SHARED pa_u64 part[PA_KERNEL_THREADS];
    digest_tile(part, c, ld, s, digests, PA_INTEGERS);
}

PA_KERNEL pa_digest_f64(const unsigned char *c, pa_u32 ld, pa_u32 s, pa_u64 *digests) {
    PA_SHARED pa_u64 part[PA_KERNEL_THREADS];
    digest_tile(part, c, ld, s, digests, PA_DOUBLES);
}
