/* SPDX-License-Identifier: Apache-2.0 */
/* digest.h - the keyed digest of a 128 x 128 tile of C, for every processor that computes it.
 *
 * The words x_0, x_1, .. of the tile, row by row, are XORed with weights w_e = s + e * 0x9E3779B1
 * and multiplied in pairs: digest = sum over even e of (x_e ^ w_e) * (x_(e+1) ^ w_(e+1)) mod 2^64.
 * The sum may be taken in any order, so a kernel splits a tile as it likes:
 *
 *     sum += pa_digest_pair(pa_digest_f32_word(x0), pa_digest_f32_word(x1), s, e);   // e even
 *
 * XOR and not +: over integers a sum of products would be a quadratic form in C, which A^T A gives
 * without the product. Compiles as C11, CUDA and OpenCL, like philox.h.
 */
#ifndef PA_KERNELS_DIGEST_H
#define PA_KERNELS_DIGEST_H

#include "kernels/philox.h"

#define PA_DIGEST_WEIGHT 0x9E3779B1u
#define PA_DIGEST_TILE 128u /* rows and columns of a tile */

PA_INLINE pa_u32 pa_digest_weight(pa_u32 s, pa_u32 e) {
    return s + e * PA_DIGEST_WEIGHT;
}

/* Minus zero becomes zero, by comparing words and not by arithmetic: honest devices differ in the
 * sign of a zero, and a NaN must stay what it is. An int32 word is taken as it is. */
PA_INLINE pa_u32 pa_digest_f32_word(pa_u32 x) {
    return x == 0x80000000u ? 0u : x;
}
/* The high word of a binary64. */
PA_INLINE pa_u32 pa_digest_f64_high(pa_u32 low, pa_u32 high) {
    return low == 0u && high == 0x80000000u ? 0u : high;
}

/* The term of words e and e + 1; e is even. */
PA_INLINE pa_u64 pa_digest_pair(pa_u32 x0, pa_u32 x1, pa_u32 s, pa_u32 e) {
    return (pa_u64)(x0 ^ pa_digest_weight(s, e)) * (pa_u64)(x1 ^ pa_digest_weight(s, e + 1u));
}

#if !defined(__OPENCL_VERSION__)
/* The plain reference for a whole tile at `c`, whose rows are `ld` elements apart: binary32, int32
 * and binary64. Bytes are copied, so that C may be an array of any type. */
PA_INLINE pa_u64 pa_digest_tile_f32(const void *c, pa_u64 ld, pa_u32 s) {
    const unsigned char *bytes = (const unsigned char *)c;
    pa_u64 sum = 0;
    for (pa_u32 r = 0; r < PA_DIGEST_TILE; r++)
        for (pa_u32 q = 0; q < PA_DIGEST_TILE; q += 2) {
            pa_u32 x[2];
            __builtin_memcpy(x, bytes + (r * ld + q) * sizeof x[0], sizeof x);
            sum += pa_digest_pair(pa_digest_f32_word(x[0]), pa_digest_f32_word(x[1]), s,
                                  r * PA_DIGEST_TILE + q);
        }
    return sum;
}

PA_INLINE pa_u64 pa_digest_tile_i32(const void *c, pa_u64 ld, pa_u32 s) {
    const unsigned char *bytes = (const unsigned char *)c;
    pa_u64 sum = 0;
    for (pa_u32 r = 0; r < PA_DIGEST_TILE; r++)
        for (pa_u32 q = 0; q < PA_DIGEST_TILE; q += 2) {
            pa_u32 x[2];
            __builtin_memcpy(x, bytes + (r * ld + q) * sizeof x[0], sizeof x);
            sum += pa_digest_pair(x[0], x[1], s, r * PA_DIGEST_TILE + q);
        }
    return sum;
}

/* One element is one pair: its low word has number 2 * (r * 128 + q). */
PA_INLINE pa_u64 pa_digest_tile_f64(const void *c, pa_u64 ld, pa_u32 s) {
    const unsigned char *bytes = (const unsigned char *)c;
    pa_u64 sum = 0;
    for (pa_u32 r = 0; r < PA_DIGEST_TILE; r++)
        for (pa_u32 q = 0; q < PA_DIGEST_TILE; q++) {
            pa_u64 x;
            __builtin_memcpy(&x, bytes + (r * ld + q) * sizeof x, sizeof x);
            pa_u32 low = (pa_u32)x, high = (pa_u32)(x >> 32);
            sum +=
                pa_digest_pair(low, pa_digest_f64_high(low, high), s, 2 * (r * PA_DIGEST_TILE + q));
        }
    return sum;
}
#endif

#endif
