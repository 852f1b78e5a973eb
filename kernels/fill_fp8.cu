/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of class fp8: -8..7 in e4m3. Sixteen values fit four registers, out of which the
 * machine chooses bytes: slots 0..7 are the negative values, 8..15 the others. */
#include "kernels/fill.h"

/* e4m3 of -8 .. -5, -4 .. -1, 0 .. 3, 4 .. 7, the first in the low byte. */
#define MINUS_8 0xCACCCED0u
#define MINUS_4 0xB8C0C4C8u
#define PLUS_0 0x44403800u
#define PLUS_4 0x4E4C4A48u

/* The elements of four slots in the low half of `slots`. */
PA_DEVICE pa_u32 four_elements(pa_u32 slots) {
    pa_u32 which = slots & 0x7777u;
    pa_u32 minus = pa_choose_bytes(MINUS_8, MINUS_4, which);
    pa_u32 plus = pa_choose_bytes(PLUS_0, PLUS_4, which);
    pa_u32 is_plus = pa_choose_bytes(0x0000FF00u, 0u, slots >> 3 & 0x1111u);
    return (plus & is_plus) | (minus & ~is_plus);
}

PA_KERNEL pa_fill_fp8_e4m3(struct pa_words *out, pa_u32 blocks, pa_u32 first, pa_u32 count,
                           pa_u32 k0, pa_u32 k1, pa_u32 c2, pa_u32 c3) {
    struct pa_seed seed = {k0, k1, c2, c3, 0};
    struct pa_fill fill = pa_fill_of(blocks, count);
    pa_u32 x[4];
    PA_FILL_EACH(fill, seed, first, blocks, x) {
        for (int half = 0; half < 2; half++) {
            struct pa_words words;
            for (int i = 0; i < 2; i++) {
                words.x[2 * i] = four_elements(x[2 * half + i]);
                words.x[2 * i + 1] = four_elements(x[2 * half + i] >> 16);
            }
            pa_store(out + 2 * fill.at + (pa_u32)half, &words);
        }
    }
}
