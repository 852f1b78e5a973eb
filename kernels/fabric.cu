/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the fabric proof: the words of C folded into it, four of them a thread; digests of
 * its chunks, and sums over two states. */
#include "kernels/fabric.h"
#include "kernels/sum.h"

PA_KERNEL pa_fabric_fold(struct pa_words *x, const struct pa_words *c, pa_u32 pieces, pa_u32 kind,
                         pa_u32 is_first) {
    pa_u32 i = pa_block_x() * PA_KERNEL_THREADS + pa_thread();
    if (i >= pieces)
        return;
    struct pa_words state = {{0, 0, 0, 0}}, words;
    if (!is_first)
        pa_load(&state, x + i);
    pa_load(&words, c + i);
    for (pa_u32 w = 0; w < 4u; w++) {
        pa_u32 word = words.x[w];
        if (kind == PA_FABRIC_SINGLES)
            word = pa_digest_f32_word(word);
        else if (kind == PA_FABRIC_DOUBLES && w % 2u == 1u)
            word = pa_digest_f64_high(words.x[w - 1u], word);
        state.x[w] = pa_fabric_fold_word(state.x[w], word);
    }
    pa_store(x + i, &state);
}

/* A warp takes a chunk, a lane four words of it. */
PA_DEVICE pa_u32 chunk_of_warp(void) {
    return pa_block_x() * PA_FABRIC_BLOCK_CHUNKS + pa_thread() / 32u;
}

PA_KERNEL pa_fabric_digest(const struct pa_words *x, pa_u32 chunks, pa_u32 s, pa_u64 *digests) {
    pa_u32 chunk = chunk_of_warp(), lane = pa_thread() % 32u;
    if (chunk >= chunks)
        return;
    struct pa_words words;
    pa_load(&words, x + (pa_u64)chunk * 32u + lane);
    pa_u64 sum = pa_digest_pair(words.x[0], words.x[1], s, 4u * lane) +
                 pa_digest_pair(words.x[2], words.x[3], s, 4u * lane + 2u);
    sum = pa_sum_warp(sum);
    if (lane == 0)
        digests[chunk] = sum;
}

PA_KERNEL pa_fabric_sum(const struct pa_words *x, const pa_u32 *y, pa_u32 s_x, pa_u32 s_y,
                        struct pa_fabric_shuffle shuffle, pa_u64 *sums) {
    pa_u32 chunk = chunk_of_warp(), lane = pa_thread() % 32u;
    if (chunk >= shuffle.chunks)
        return;
    pa_u32 turn = pa_fabric_met_turn(shuffle, chunk);
    pa_u64 at = (pa_u64)chunk * 32u + lane, sum = 0;
    struct pa_words ours;
    pa_load(&ours, x + at);
    y += (pa_u64)pa_fabric_met_chunk(shuffle, chunk) * PA_FABRIC_CHUNK_WORDS;
    /* Turned by any number of words, theirs are loaded one by one; a warp's are side by side. */
    for (pa_u32 w = 0; w < 4u; w++)
        sum += pa_fabric_term(ours.x[w], y[(4u * lane + w + turn) % PA_FABRIC_CHUNK_WORDS], s_x,
                              s_y, 4u * (pa_u32)at + w);
    sum = pa_sum_warp(sum);
    if (lane == 0)
        sums[chunk] = sum;
}
