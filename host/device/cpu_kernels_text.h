/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_kernels_text.h - the vector kernels, written once over `lanes` (LANES words of 32 bits) and
 * compiled by cpu_kernels_avx2.c and cpu_kernels_avx512.c. Included nowhere else.
 *
 * Packed operands put one vector of the operand into each lane: Philox's word j then *is* a row of
 * the packed block (2 bf16 or 4 int8 of each vector side by side), so that nothing is transposed.
 * Plain operands put consecutive blocks of one vector into the lanes.
 */
#include "device/cpu_kernels.h"

#include "kernels/digest.h"

#include <string.h>

/* pa_philox for one (block, v) in each lane. */
static inline void philox(const struct pa_seed *seed, lanes block, lanes v, lanes out[4]) {
    const lanes m0 = lanes_set(PA_PHILOX_M0), m1 = lanes_set(PA_PHILOX_M1);
    lanes x0 = block, x1 = v, x2 = lanes_set(seed->c2), x3 = lanes_set(seed->c3);
    uint32_t k0 = seed->k0, k1 = seed->k1;
#pragma GCC unroll 10
    for (int round = 0; round < PA_PHILOX_ROUNDS; round++) {
        lanes even0 = lanes_multiply_even(x0, m0), even1 = lanes_multiply_even(x2, m1);
        lanes odd0 = lanes_multiply_even(lanes_right64(x0, 32), m0);
        lanes odd1 = lanes_multiply_even(lanes_right64(x2, 32), m1);
        lanes high0 = lanes_weave(lanes_right64(even0, 32), odd0);
        lanes high1 = lanes_weave(lanes_right64(even1, 32), odd1);
        x0 = lanes_xor(lanes_xor(high1, x1), lanes_set(k0));
        x2 = lanes_xor(lanes_xor(high0, x3), lanes_set(k1));
        x1 = lanes_weave(even1, lanes_left64(odd1, 32));
        x3 = lanes_weave(even0, lanes_left64(odd0, 32));
        k0 += PA_PHILOX_W0;
        k1 += PA_PHILOX_W1;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

/* The `bits`-bit value at bit `at` of each word, as binary32. */
static inline lanes slot_float(lanes word, unsigned at, uint32_t bits) {
    lanes slot = lanes_and(lanes_right(word, at), lanes_set((1u << bits) - 1));
    return lanes_float(lanes_sub(slot, lanes_set(1u << (bits - 1))));
}

static inline __attribute__((always_inline)) void
packed_fp32(uint32_t slot_bits, uint32_t bits, const lanes x[4], float *out, size_t row) {
#pragma GCC unroll 4
    for (int word = 0; word < 4; word++)
        for (uint32_t at = 0; at < 32; at += slot_bits, out += row)
            lanes_store(out, slot_float(x[word], at, bits));
}

/* The integers of both classes have at most 8 significant bits, so a bf16 is the upper half of the
 * binary32, without rounding. */
static inline __attribute__((always_inline)) void
packed_bf16(uint32_t slot_bits, uint32_t bits, const lanes x[4], uint32_t *out, size_t row) {
#pragma GCC unroll 4
    for (int word = 0; word < 4; word++)
        for (uint32_t at = 0; at < 32; at += 2 * slot_bits, out += row) {
            lanes low = slot_float(x[word], at, bits);
            lanes high = slot_float(x[word], at + slot_bits, bits);
            lanes_store(out,
                        lanes_or(lanes_right(low, 16), lanes_and(high, lanes_set(0xFFFF0000u))));
        }
}

/* slot - 128 in a byte is slot XOR 0x80. The four bytes of each word are summed as unsigned
 * halves: twice at most 510 in 16 bits. */
static inline lanes packed_int8(const lanes x[4], uint32_t *out, size_t row, lanes sum) {
    const lanes pairs = lanes_set(0x00FF00FFu), low = lanes_set(0xFFFFu);
    for (int word = 0; word < 4; word++, out += row) {
        lanes_store(out, lanes_xor(x[word], lanes_set(0x80808080u)));
        lanes two = lanes_add(lanes_and(x[word], pairs), lanes_and(lanes_right(x[word], 8), pairs));
        sum = lanes_add(sum, lanes_add(lanes_and(two, low), lanes_right(two, 16)));
    }
    return sum;
}

static void vector_packed(const struct pa_operand_kind *kind, const struct pa_seed *seed,
                          uint32_t first, uint32_t count, uint32_t k, void *out, int32_t *sums) {
    uint32_t slots = 128 / kind->slot_bits;
    /* Words that one Philox block of all `count` vectors takes. */
    size_t stride = (size_t)count * slots * pa_format_bytes(kind->format) / 4;
    for (uint32_t v = 0; v < count; v += LANES) {
        lanes sum = lanes_set(0), x[4];
        uint32_t *at = (uint32_t *)out + v;
        for (uint32_t block = 0; block < k / slots; block++, at += stride) {
            philox(seed, lanes_set(block), lanes_add(lanes_set(first + v), lanes_count()), x);
            if (kind->format == PA_BF16 && kind->slot_bits == 16)
                packed_bf16(16, 9, x, at, count);
            else if (kind->format == PA_BF16)
                packed_bf16(4, 4, x, at, count);
            else if (kind->format == PA_FP32 && kind->slot_bits == 16)
                packed_fp32(16, 9, x, (float *)(void *)at, count);
            else if (kind->format == PA_FP32)
                packed_fp32(4, 4, x, (float *)(void *)at, count);
            else
                sum = packed_int8(x, at, count, sum);
        }
        if (sums != NULL)
            lanes_store(sums + v, lanes_sub(sum, lanes_set(128 * k)));
    }
}

/* LANES consecutive blocks of one vector, as the byte stream whose slots are the elements in order.
 */
static inline void stream(const struct pa_seed *seed, uint32_t block, uint32_t v,
                          uint32_t out[4 * LANES]) {
    lanes x[4];
    uint32_t words[4][LANES];
    philox(seed, lanes_add(lanes_set(block), lanes_count()), lanes_set(v), x);
    for (int j = 0; j < 4; j++)
        lanes_store(words[j], x[j]);
    for (int i = 0; i < LANES; i++)
        for (int j = 0; j < 4; j++)
            out[4 * i + j] = words[j][i];
}

static inline uint16_t brain(int value) {
    float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static inline int nibble(const uint8_t *bytes, int i) {
    return (bytes[i / 2] >> (4 * (i & 1)) & 15) - 8;
}

/* The elements of one stream in whichever format. */
union elements {
    double wide[4 * LANES];
    float single[32 * LANES];
    uint16_t brain[32 * LANES];
    uint8_t narrow[16 * LANES];
};

static inline void convert(const struct pa_operand_kind *kind, const uint32_t in[4 * LANES],
                           union elements *out) {
    uint16_t halves[8 * LANES];
    uint8_t bytes[16 * LANES];
    memcpy(halves, in, sizeof halves);
    memcpy(bytes, in, sizeof bytes);
    switch (kind->class_id) {
    case 1:
        if (kind->format == PA_BF16)
            for (int i = 0; i < 8 * LANES; i++)
                out->brain[i] = brain((halves[i] & 511) - 256);
        else
            for (int i = 0; i < 8 * LANES; i++)
                out->single[i] = (float)((halves[i] & 511) - 256);
        break;
    case 2:
        for (int i = 0; i < 16 * LANES; i++)
            out->narrow[i] = bytes[i] ^ 0x80;
        break;
    case 3:
        if (kind->format == PA_BF16)
            for (int i = 0; i < 32 * LANES; i++)
                out->brain[i] = brain(nibble(bytes, i));
        else
            for (int i = 0; i < 32 * LANES; i++)
                out->single[i] = (float)nibble(bytes, i);
        break;
    default:
        for (int i = 0; i < 4 * LANES; i++)
            out->wide[i] = (double)((int)(in[i] & 0x7FFFFF) - 0x400000);
    }
}

static void vector_plain(const struct pa_operand_kind *kind, const struct pa_seed *seed,
                         uint32_t first, uint32_t count, uint32_t k, void *out) {
    uint32_t slots = 128 / kind->slot_bits, blocks = k / slots;
    size_t width = pa_format_bytes(kind->format), block_bytes = slots * width;
    uint32_t words[4 * LANES];
    union elements room;
    for (uint32_t v = 0; v < count; v++) {
        uint8_t *at = (uint8_t *)out + (size_t)v * k * width;
        for (uint32_t block = 0; block < blocks; block += LANES) {
            stream(seed, block, first + v, words);
            convert(kind, words, &room);
            uint32_t wanted = blocks - block < LANES ? blocks - block : LANES;
            memcpy(at + block * block_bytes, &room, wanted * block_bytes);
        }
    }
}

static inline uint64_t sum_of(lanes sums) {
    uint64_t each[LANES / 2], total = 0;
    lanes_store(each, sums);
    for (int i = 0; i < LANES / 2; i++)
        total += each[i];
    return total;
}

enum words { SINGLES, INTEGERS, DOUBLES };

/* The words of a tile row are consecutive, and so are their numbers e from row to row: the weights
 * run on by one addition. Two sums hide the latency of the multiplication. */
static inline __attribute__((always_inline)) uint64_t digest(const void *c, uint64_t ld, uint32_t s,
                                                             enum words kind) {
    const uint32_t row_words = kind == DOUBLES ? 2 * PA_DIGEST_TILE : PA_DIGEST_TILE;
    const uint64_t pitch = kind == DOUBLES ? 2 * ld : ld;
    const lanes step = lanes_set(LANES * PA_DIGEST_WEIGHT);
    lanes weight =
        lanes_add(lanes_set(s), lanes_multiply(lanes_count(), lanes_set(PA_DIGEST_WEIGHT)));
    lanes sums[2] = {lanes_set(0), lanes_set(0)};
    for (uint32_t r = 0; r < PA_DIGEST_TILE; r++) {
        const uint32_t *row = (const uint32_t *)c + r * pitch;
        for (uint32_t q = 0; q < row_words; q += 2 * LANES)
#pragma GCC unroll 2
            for (int half = 0; half < 2; half++) {
                lanes x = lanes_load(row + q + half * LANES);
                if (kind == SINGLES)
                    x = lanes_clear32(x, lanes_set(0x80000000u));
                if (kind == DOUBLES)
                    x = lanes_clear64(x, lanes_set64(UINT64_C(1) << 63));
                x = lanes_xor(x, weight);
                sums[half] = lanes_add64(sums[half], lanes_multiply_even(x, lanes_right64(x, 32)));
                weight = lanes_add(weight, step);
            }
    }
    return sum_of(lanes_add64(sums[0], sums[1]));
}

static uint64_t vector_f32(const void *c, uint64_t ld, uint32_t s) {
    return digest(c, ld, s, SINGLES);
}

static uint64_t vector_i32(const void *c, uint64_t ld, uint32_t s) {
    return digest(c, ld, s, INTEGERS);
}

static uint64_t vector_f64(const void *c, uint64_t ld, uint32_t s) {
    return digest(c, ld, s, DOUBLES);
}

const struct pa_cpu_kernels KERNELS = {
    KERNELS_NAME, vector_plain, vector_packed, vector_f32, vector_i32, vector_f64,
};
