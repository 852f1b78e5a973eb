/* SPDX-License-Identifier: Apache-2.0 */
/* fill.h - what the fills of operands share: which Philox blocks a thread makes.
 *
 * A thread stays on one block number and goes through PA_FILL_VECTORS vectors, so that neighbours
 * write side by side and what Philox's first round computes from the block number is computed once.
 */
#ifndef PA_KERNELS_FILL_H
#define PA_KERNELS_FILL_H

#include "kernels/cuda_device.h"

struct pa_fill {
    pa_u32 block;       /* of this thread; nothing to do when it is not below `blocks` */
    pa_u32 vector, end; /* the first vector and the one after the last, counted from 0 */
    pa_u64 at;          /* number of (vector, block) in the operand */
};

PA_DEVICE struct pa_fill pa_fill_of(pa_u32 blocks, pa_u32 count) {
    struct pa_fill fill;
    fill.block = pa_block_y() * PA_KERNEL_THREADS + pa_thread();
    fill.vector = pa_block_x() * PA_FILL_VECTORS;
    fill.end = count - fill.vector < PA_FILL_VECTORS ? count : fill.vector + PA_FILL_VECTORS;
    fill.at = (pa_u64)fill.vector * blocks + fill.block;
    return fill;
}

/* EACH_BLOCK: `x` holds Philox's words for each of this thread's blocks in turn, fill.at its
 * number. */
#define PA_FILL_EACH(fill, seed, first, blocks, x)                                                 \
    _Pragma("unroll 1") for (; fill.block < blocks && fill.vector < fill.end;                      \
                             fill.vector++,                                                        \
                             fill.at +=                                                            \
                             blocks) if (pa_philox(seed, fill.block, first + fill.vector, x),      \
                                         true)

/* The bits of the whole number v in a binary format with `fraction` bits of fraction, the exponent
 * of 1 being `bias`, without its sign. Exact below 2^(fraction + 1), and for powers of two. */
PA_DEVICE pa_u32 pa_magnitude_bits(pa_i32 v, pa_u32 fraction, pa_u32 bias) {
    pa_u32 m = v < 0 ? 0u - (pa_u32)v : (pa_u32)v;
    if (m == 0)
        return 0;
    pa_u32 up = pa_leading_zeros(m);
    /* The leading one lies at bit `fraction` now and adds 1 to the exponent. */
    return ((bias + 30u - up) << fraction) + ((m << up) >> (31u - fraction));
}

#endif
