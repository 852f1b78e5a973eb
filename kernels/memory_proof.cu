/* SPDX-License-Identifier: Apache-2.0 */
/* Memory filled from a seed and read back (docs/protocol.md, "Memory proof"), one block of threads
 * to a chunk of 1 MiB. */
#include "kernels/sum.h"

#define CHUNK_PIECES (PA_MEMORY_CHUNK_WORDS / PA_PIECE_WORDS)

PA_KERNEL pa_memory_fill(struct pa_words *out, pa_u32 first, pa_u32 k0, pa_u32 k1, pa_u32 c2,
                         pa_u32 c3) {
    struct pa_seed seed = {k0, k1, c2, c3, 0};
    struct pa_words *chunk = out + (pa_u64)pa_block_x() * CHUNK_PIECES;
#pragma unroll 1
    for (pa_u32 block = pa_thread(); block < CHUNK_PIECES; block += PA_KERNEL_THREADS) {
        struct pa_words words;
        pa_philox(seed, block, first + pa_block_x(), words.x);
        pa_store(chunk + block, &words);
    }
}

PA_KERNEL pa_memory_digest(const unsigned char *in, const pa_u32 *order, pa_u32 s,
                           pa_u64 *digests) {
    PA_SHARED pa_u64 part[PA_KERNEL_THREADS];
    pa_u32 e = pa_thread() * PA_PIECE_WORDS;
    const unsigned char *at = in + (pa_u64)order[pa_block_x()] * PA_MEMORY_CHUNK_BYTES + e * 4u;
    pa_u64 sum = pa_sum_pieces(at, PA_PASS_WORDS * 4u, PA_MEMORY_CHUNK_WORDS / PA_PASS_WORDS, s, e,
                               PA_INTEGERS);
    pa_sum_block(part, sum, digests + pa_block_x());
}
