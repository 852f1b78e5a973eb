/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of class dense64: -2^22 .. 2^22 - 1 in fp64, whose 52 bits of fraction lie 20 in the
 * high word and 32 in the low one. */
#include "kernels/fill.h"

PA_DEVICE void put_double(pa_i32 v, pa_u32 *low, pa_u32 *high) {
    pa_u32 m = v < 0 ? 0u - (pa_u32)v : (pa_u32)v;
    pa_u32 up = pa_leading_zeros(m) & 31u;
    pa_u32 top = m << up;
    /* As pa_magnitude_bits: the leading one adds 1 to the exponent. */
    pa_u32 bits = ((1023u + 30u - up) << 20) + (top >> 11);
    *low = top << 21;
    *high = (m == 0 ? 0u : bits) | ((pa_u32)v & 0x80000000u);
}

PA_KERNEL pa_fill_dense64_fp64(struct pa_words *out, pa_u32 blocks, pa_u32 first, pa_u32 count,
                               pa_u32 k0, pa_u32 k1, pa_u32 c2, pa_u32 c3) {
    struct pa_seed seed = {k0, k1, c2, c3, 0};
    struct pa_fill fill = pa_fill_of(blocks, count);
    pa_u32 x[4];
    PA_FILL_EACH(fill, seed, first, blocks, x) {
        for (int half = 0; half < 2; half++) {
            struct pa_words words;
            for (pa_u32 i = 0; i < 2; i++)
                put_double(pa_slot_dense64(x, 2u * (pa_u32)half + i), &words.x[2 * i],
                           &words.x[2 * i + 1]);
            pa_store(out + 2 * fill.at + (pa_u32)half, &words);
        }
    }
}
