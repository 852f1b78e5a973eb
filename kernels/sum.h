/* SPDX-License-Identifier: Apache-2.0 */
/* sum.h - the digest of 16-byte pieces that a block of threads reads, for every kernel that
 * digests.
 *
 * A thread takes every 256th piece: in words its number e grows by 1024 from one to the next,
 * whether they lie in the rows of a tile or side by side, so that weights run on by one addition.
 */
#ifndef PA_KERNELS_SUM_H
#define PA_KERNELS_SUM_H

#include "kernels/cuda_device.h"
#include "kernels/digest.h"

enum pa_words_of { PA_SINGLES, PA_INTEGERS, PA_DOUBLES };

#define PA_SUM_BATCH 4u /* pieces that a thread loads before it uses the first */
#define PA_PIECE_WORDS 4u
#define PA_PASS_WORDS (PA_KERNEL_THREADS * PA_PIECE_WORDS)
#define PA_LEAST_INTEGER (-2147483647 - 1)

PA_DEVICE pa_i32 pa_least(pa_i32 a, pa_u32 b) {
    return a < (pa_i32)b ? a : (pa_i32)b;
}

/* Minus zeros become zeros. They hardly ever occur, so a minimum asks first: 0x80000000 is the
 * least of integers. */
PA_DEVICE void pa_clear_minus_zeros(struct pa_words piece[PA_SUM_BATCH], enum pa_words_of kind) {
    pa_i32 least = (pa_i32)piece[0].x[kind == PA_DOUBLES];
    for (pa_u32 p = 0; p < PA_SUM_BATCH; p++)
        for (pa_u32 i = kind == PA_DOUBLES; i < PA_PIECE_WORDS; i += kind == PA_DOUBLES ? 2u : 1u)
            least = pa_least(least, piece[p].x[i]);
    if (least != PA_LEAST_INTEGER)
        return;
    for (pa_u32 p = 0; p < PA_SUM_BATCH; p++)
        for (pa_u32 i = 0; i < PA_PIECE_WORDS; i++)
            if (kind == PA_SINGLES)
                piece[p].x[i] = pa_digest_f32_word(piece[p].x[i]);
            else if (i % 2u == 1u)
                piece[p].x[i] = pa_digest_f64_high(piece[p].x[i - 1u], piece[p].x[i]);
}

/* The sum over this thread's pieces, `passes` of them (a multiple of PA_SUM_BATCH), `step` bytes
 * apart from `at` on; the first has the words from number e on. */
PA_DEVICE pa_u64 pa_sum_pieces(const unsigned char *at, pa_u64 step, pa_u32 passes, pa_u32 s,
                               pa_u32 e, enum pa_words_of kind) {
    pa_u32 weight = pa_digest_weight(s, e);
    pa_u64 sum = 0;
#pragma unroll 1
    for (pa_u32 pass = 0; pass < passes; pass += PA_SUM_BATCH) {
        struct pa_words piece[PA_SUM_BATCH];
        for (pa_u32 p = 0; p < PA_SUM_BATCH; p++, at += step)
            pa_load(&piece[p], at);
        if (kind != PA_INTEGERS)
            pa_clear_minus_zeros(piece, kind);
        for (pa_u32 p = 0; p < PA_SUM_BATCH; p++)
            for (pa_u32 i = 0; i < PA_PIECE_WORDS; i += 2u)
                sum += pa_digest_pair(piece[p].x[i], piece[p].x[i + 1u], weight,
                                      p * PA_PASS_WORDS + i);
        weight += PA_SUM_BATCH * PA_PASS_WORDS * PA_DIGEST_WEIGHT;
    }
    return sum;
}

/* The sum over the lanes of a whole warp, in its first lane. */
PA_DEVICE pa_u64 pa_sum_warp(pa_u64 sum) {
    for (pa_u32 distance = 16; distance > 0; distance /= 2u) {
        pa_u32 low = pa_shuffle_down((pa_u32)sum, distance);
        pa_u32 high = pa_shuffle_down((pa_u32)(sum >> 32), distance);
        sum += (pa_u64)high << 32 | low;
    }
    return sum;
}

/* Writes the sum over all threads of the block: by shared memory to the first warp, which adds
 * 8 each and the rest by shuffles. `part` is shared and the kernel's own: as a variable of this
 * function nvcc would name it after the path of the source, and no two builds would be equal. */
PA_DEVICE void pa_sum_block(pa_u64 part[PA_KERNEL_THREADS], pa_u64 sum, pa_u64 *out) {
    pa_u32 thread = pa_thread();
    part[thread] = sum;
    pa_barrier();
    if (thread >= 32u)
        return;
    for (pa_u32 i = 32; i < PA_KERNEL_THREADS; i += 32u)
        sum += part[thread + i];
    sum = pa_sum_warp(sum);
    if (thread == 0)
        *out = sum;
}

#endif
