/* SPDX-License-Identifier: Apache-2.0 */
/* fabric.h - the words of the fabric proof (docs/protocol.md, "Fabric proof"), for every processor
 * that computes them.
 *
 * A device folds the words of each C into a state that nobody has who did not compute them all; two
 * devices then sum products of their states, under weights and a turn of one against the other that
 * came after the states were fixed.
 * Compiles as C11, CUDA and OpenCL, like philox.h.
 */
#ifndef PA_KERNELS_FABRIC_H
#define PA_KERNELS_FABRIC_H

#include "kernels/digest.h"

#define PA_FABRIC_CHUNK_WORDS 128u

/* X after a step whose C has `word` there, minus zeros cleared as for a tile digest. */
PA_INLINE pa_u32 pa_fabric_fold_word(pa_u32 x, pa_u32 word) {
    return (x ^ word) * PA_DIGEST_WEIGHT;
}

/* What chunk c, and word e of a chunk, of the first state meet in the second. Without a turn, who
 * has the same half of both would need nothing of the other halves. */
PA_INLINE pa_u32 pa_fabric_turn_chunk(pa_u32 c, pa_u32 turn, pa_u32 chunks) {
    return c < chunks - turn ? c + turn : c - (chunks - turn);
}
PA_INLINE pa_u32 pa_fabric_turn_word(pa_u32 e, pa_u32 turn) {
    return (e + turn) % PA_FABRIC_CHUNK_WORDS;
}

/* The term of word `i` (of all words) of the first of a pair: the weights of both run on with i. */
PA_INLINE pa_u64 pa_fabric_term(pa_u32 x, pa_u32 y, pa_u32 s_x, pa_u32 s_y, pa_u32 i) {
    return (pa_u64)(x + pa_digest_weight(s_x, i)) * (pa_u64)(y + pa_digest_weight(s_y, i));
}

#endif
