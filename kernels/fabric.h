/* SPDX-License-Identifier: Apache-2.0 */
/* fabric.h - the words of the fabric proof (docs/protocol.md, "Fabric proof"), for every processor
 * that computes them.
 *
 * A device folds the words of each C into a state that nobody has who did not compute them all; two
 * devices then sum products of their states, under weights and a shuffle of one that came after the
 * states were fixed.
 * Compiles as C11, CUDA and OpenCL, like philox.h.
 */
#ifndef PA_KERNELS_FABRIC_H
#define PA_KERNELS_FABRIC_H

#include "kernels/digest.h"

#define PA_FABRIC_CHUNK_WORDS 128u
#define PA_FABRIC_SHUFFLES 8u     /* with fewer, splits by a bit of a number fit now and then */
#define PA_FABRIC_MIX 0x85EBCA6Bu /* of MurmurHash3's last steps */

/* X after a step whose C has `word` there, minus zeros cleared as for a tile digest. */
PA_INLINE pa_u32 pa_fabric_fold_word(pa_u32 x, pa_u32 word) {
    return (x ^ word) * PA_DIGEST_WEIGHT;
}

/* Which chunk of the second state a chunk of the first meets, and how far that is turned. Were it
 * the same one, who has the same half of both would need nothing of the other halves; shuffled, no
 * halves that were chosen before fit together. */
struct pa_fabric_shuffle {
    pa_u32 chunks;
    pa_u32 mask, shift; /* m bits hold a chunk's number: 2^m - 1, and half of them */
    pa_u32 key[PA_FABRIC_SHUFFLES];
};

/* A permutation of 0 .. chunks-1: one of m bits, walked until it is below. */
PA_INLINE pa_u32 pa_fabric_met_chunk(struct pa_fabric_shuffle shuffle, pa_u32 c) {
    do {
        for (pa_u32 i = 0; i < PA_FABRIC_SHUFFLES; i++) {
            c = (c * (shuffle.key[i] | 1u) + shuffle.key[(i + 1u) % PA_FABRIC_SHUFFLES]) &
                shuffle.mask;
            c ^= c >> shuffle.shift;
        }
    } while (c >= shuffle.chunks);
    return c;
}

/* Word e of chunk c of the first meets word e + this, mod 128, of the chunk that it meets. */
PA_INLINE pa_u32 pa_fabric_met_turn(struct pa_fabric_shuffle shuffle, pa_u32 c) {
    pa_u32 x = (c ^ shuffle.key[PA_FABRIC_SHUFFLES - 1u]) * PA_DIGEST_WEIGHT;
    return (x ^ x >> 15) * PA_FABRIC_MIX >> 25;
}

/* The term of word `i` (of all words) of the first of a pair: the weights of both run on with i. */
PA_INLINE pa_u64 pa_fabric_term(pa_u32 x, pa_u32 y, pa_u32 s_x, pa_u32 s_y, pa_u32 i) {
    return (pa_u64)(x + pa_digest_weight(s_x, i)) * (pa_u64)(y + pa_digest_weight(s_y, i));
}

#endif
