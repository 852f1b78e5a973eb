/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the fabric proof: the words of C folded into it, four of them a thread. */
#include "kernels/cuda_device.h"
#include "kernels/fabric.h"

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
