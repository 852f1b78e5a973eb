/* SPDX-License-Identifier: Apache-2.0 */
/* What a rank puts into an all-reduce, and digests of what came out (docs/protocol.md,
 * "All-reduce"). Neither is in the time that is measured. */
#include "kernels/sum.h"

#define BLOCK_WORDS 16u /* int32 words that one Philox block gives */

PA_KERNEL pa_allreduce_fill(pa_u32 *out, pa_u64 words, pa_u32 rank, pa_u32 k0, pa_u32 k1, pa_u32 c2,
                            pa_u32 c3) {
    struct pa_seed seed = {k0, k1, c2, c3, 0};
    pa_u32 block = pa_block_x() * PA_KERNEL_THREADS + pa_thread(), x[4];
    pa_u64 first = (pa_u64)block * BLOCK_WORDS;
    if (first >= words)
        return;
    pa_philox(seed, block, rank, x);
    pa_u64 left = words - first;
    for (pa_u32 j = 0; j < 4u; j++) {
        struct pa_words four;
        for (pa_u32 i = 0; i < 4u; i++)
            four.x[i] = (pa_u32)pa_slot_dense8(x, 4u * j + i);
        if (left >= BLOCK_WORDS)
            pa_store((struct pa_words *)(out + first + 4u * j), &four);
        else
            for (pa_u32 i = 0; i < 4u; i++)
                if (4u * j + i < left)
                    out[first + 4u * j + i] = four.x[i];
    }
}

/* The chunk at the end, which may be shorter: pair by pair, a missing word being zero. */
PA_DEVICE pa_u64 sum_of_rest(const pa_u32 *in, pa_u32 words, pa_u32 s) {
    pa_u64 sum = 0;
    for (pa_u32 e = 2u * pa_thread(); e < words; e += 2u * PA_KERNEL_THREADS)
        sum += pa_digest_pair(in[e], e + 1u < words ? in[e + 1u] : 0u, s, e);
    return sum;
}

PA_KERNEL pa_allreduce_digest(const pa_u32 *in, pa_u64 words, pa_u32 s, pa_u64 *digests) {
    PA_SHARED pa_u64 part[PA_KERNEL_THREADS];
    pa_u64 first = (pa_u64)pa_block_x() * PA_ALLREDUCE_CHUNK, left = words - first, sum;
    pa_u32 e = pa_thread() * PA_PIECE_WORDS;
    if (left >= PA_ALLREDUCE_CHUNK)
        sum = pa_sum_pieces((const unsigned char *)(in + first + e), PA_PASS_WORDS * 4u,
                            PA_ALLREDUCE_CHUNK / PA_PASS_WORDS, s, e, PA_INTEGERS);
    else
        sum = sum_of_rest(in + first, (pa_u32)left, s);
    pa_sum_block(part, sum, digests + pa_block_x());
}
