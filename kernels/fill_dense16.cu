/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of class dense16: -256..255 in bf16, fp16 and fp32 (which tf32 reads too).
 *
 * A slot's 9 bits number an entry of a table in shared memory that each block of threads makes for
 * itself: two instructions and a load an element, against a dozen to normalise one. A bf16 is the
 * upper half of the fp32, so both take the same table.
 */
#include "kernels/fill.h"

#define VALUES 512u

/* Both entries of a thread; all threads meet. */
PA_DEVICE void make_table(unsigned short *table, pa_u32 fraction, pa_u32 bias) {
    for (pa_u32 u = pa_thread(); u < VALUES; u += PA_KERNEL_THREADS) {
        pa_i32 v = (pa_i32)u - (pa_i32)(VALUES / 2);
        pa_u32 sign = v < 0 ? 0x8000u : 0u;
        table[u] = (unsigned short)(sign | pa_magnitude_bits(v, fraction, bias));
    }
    pa_barrier();
}

PA_DEVICE pa_u32 low_entry(const unsigned short *table, pa_u32 word) {
    return table[word & (VALUES - 1u)];
}
PA_DEVICE pa_u32 high_entry(const unsigned short *table, pa_u32 word) {
    return table[(word >> 16) & (VALUES - 1u)];
}

/* Two elements to a word. */
PA_DEVICE void fill_halves(struct pa_words *out, const unsigned short *table, pa_u32 blocks,
                           pa_u32 first, pa_u32 count, struct pa_seed seed) {
    struct pa_fill fill = pa_fill_of(blocks, count);
    pa_u32 x[4];
    PA_FILL_EACH(fill, seed, first, blocks, x) {
        struct pa_words words;
        for (int i = 0; i < 4; i++)
            words.x[i] = low_entry(table, x[i]) | high_entry(table, x[i]) << 16;
        pa_store(out + fill.at, &words);
    }
}

PA_KERNEL pa_fill_dense16_bf16(struct pa_words *out, pa_u32 blocks, pa_u32 first, pa_u32 count,
                               pa_u32 k0, pa_u32 k1, pa_u32 c2, pa_u32 c3) {
    PA_SHARED unsigned short table[VALUES];
    struct pa_seed seed = {k0, k1, c2, c3, 0};
    make_table(table, 7, 127);
    fill_halves(out, table, blocks, first, count, seed);
}

PA_KERNEL pa_fill_dense16_fp16(struct pa_words *out, pa_u32 blocks, pa_u32 first, pa_u32 count,
                               pa_u32 k0, pa_u32 k1, pa_u32 c2, pa_u32 c3) {
    PA_SHARED unsigned short table[VALUES];
    struct pa_seed seed = {k0, k1, c2, c3, 0};
    make_table(table, 10, 15);
    fill_halves(out, table, blocks, first, count, seed);
}

PA_KERNEL pa_fill_dense16_fp32(struct pa_words *out, pa_u32 blocks, pa_u32 first, pa_u32 count,
                               pa_u32 k0, pa_u32 k1, pa_u32 c2, pa_u32 c3) {
    PA_SHARED unsigned short table[VALUES];
    struct pa_seed seed = {k0, k1, c2, c3, 0};
    make_table(table, 7, 127);
    struct pa_fill fill = pa_fill_of(blocks, count);
    pa_u32 x[4];
    PA_FILL_EACH(fill, seed, first, blocks, x) {
        for (int half = 0; half < 2; half++) {
            struct pa_words words;
            for (int i = 0; i < 2; i++) {
                words.x[2 * i] = low_entry(table, x[2 * half + i]) << 16;
                words.x[2 * i + 1] = high_entry(table, x[2 * half + i]) << 16;
            }
            pa_store(out + 2 * fill.at + (pa_u32)half, &words);
        }
    }
}
