/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of class dense8: -128..127 as int8. A slot less 128 is the slot with its top bit turned.
 */
#include "kernels/fill.h"

PA_KERNEL pa_fill_dense8_int8(struct pa_words *out, pa_u32 blocks, pa_u32 first, pa_u32 count,
                              pa_u32 k0, pa_u32 k1, pa_u32 c2, pa_u32 c3) {
    struct pa_seed seed = {k0, k1, c2, c3, 0};
    struct pa_fill fill = pa_fill_of(blocks, count);
    pa_u32 x[4];
    PA_FILL_EACH(fill, seed, first, blocks, x) {
        struct pa_words words;
        for (int i = 0; i < 4; i++)
            words.x[i] = x[i] ^ 0x80808080u;
        pa_store(out + fill.at, &words);
    }
}
