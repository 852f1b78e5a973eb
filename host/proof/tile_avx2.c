/* SPDX-License-Identifier: Apache-2.0 */
/* The witness's tile with AVX2: eight vectors at once, 16 multiply-adds an instruction. */
#include "proof/tile_code.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

/* A panel lies in groups of eight vectors, one in each lane: step by step in k, a word of each of
 * the eight (dense64: one value; otherwise two, which one instruction multiplies and adds). */
enum { LANES = 8, GROUP_WORDS = LANES * PA_PANEL_INTS };

struct round_keys {
    __m256i k0[PA_PHILOX_ROUNDS], k1[PA_PHILOX_ROUNDS];
};

AVX2 static struct round_keys expand_key(struct pa_seed seed) {
    struct round_keys keys;
    for (uint32_t round = 0; round < PA_PHILOX_ROUNDS; round++) {
        keys.k0[round] = _mm256_set1_epi32((int)(seed.k0 + round * PA_PHILOX_W0));
        keys.k1[round] = _mm256_set1_epi32((int)(seed.k1 + round * PA_PHILOX_W1));
    }
    return keys;
}

/* Four blocks in the low halves of 64-bit lanes. The high halves hold what is left of products:
 * no multiplication sees it. */
AVX2 static inline void turn(__m256i x[4], __m256i k0, __m256i k1) {
    const __m256i m0 = _mm256_set1_epi32((int)PA_PHILOX_M0);
    const __m256i m1 = _mm256_set1_epi32((int)PA_PHILOX_M1);
    __m256i p0 = _mm256_mul_epu32(x[0], m0), p1 = _mm256_mul_epu32(x[2], m1);
    x[0] = _mm256_xor_si256(_mm256_srli_epi64(p1, 32), _mm256_xor_si256(x[1], k0));
    x[1] = p1;
    x[2] = _mm256_xor_si256(_mm256_srli_epi64(p0, 32), _mm256_xor_si256(x[3], k1));
    x[3] = p0;
}

/* One block of the vectors v .. v+7: out[w] holds word w of each. */
AVX2 static inline void philox8(__m256i out[4], const struct round_keys *keys, struct pa_seed seed,
                                uint32_t block, uint32_t v) {
    __m256i even[4], odd[4];
    even[0] = odd[0] = _mm256_set1_epi32((int)block);
    even[1] =
        _mm256_add_epi32(_mm256_set1_epi32((int)v), _mm256_setr_epi32(0, 0, 2, 0, 4, 0, 6, 0));
    odd[1] = _mm256_add_epi32(even[1], _mm256_set1_epi32(1));
    even[2] = odd[2] = _mm256_set1_epi32((int)seed.c2);
    even[3] = odd[3] = _mm256_set1_epi32((int)seed.c3);
    for (int round = 0; round < PA_PHILOX_ROUNDS; round++) {
        turn(even, keys->k0[round], keys->k1[round]);
        turn(odd, keys->k0[round], keys->k1[round]);
    }
    for (int w = 0; w < 4; w++)
        out[w] = _mm256_blend_epi32(even[w], _mm256_slli_epi64(odd[w], 32), 0xAA);
}

/* The values in one word of eight vectors, to `out`; returns how many steps in k that was. */
AVX2 static inline int store_values(__m256i *out, enum pa_class class_id, __m256i x) {
    if (class_id == PA_DENSE16) {
        const __m256i mask = _mm256_set1_epi16(0x1FF), half = _mm256_set1_epi16(0x100);
        _mm256_store_si256(out, _mm256_sub_epi16(_mm256_and_si256(x, mask), half));
        return 1;
    }
    if (class_id == PA_DENSE64) {
        const __m256i mask = _mm256_set1_epi32(0x7FFFFF), half = _mm256_set1_epi32(0x400000);
        _mm256_store_si256(out, _mm256_sub_epi32(_mm256_and_si256(x, mask), half));
        return 1;
    }
    int width = class_id == PA_DENSE8 ? 8 : 4, count = 0;
    const __m256i mask = _mm256_set1_epi16((short)((1 << width) - 1));
    const __m256i half = _mm256_set1_epi16((short)(1 << (width - 1)));
    for (int shift = 0; shift < 16; shift += width) {
        __m256i slot = _mm256_and_si256(_mm256_srl_epi16(x, _mm_cvtsi32_si128(shift)), mask);
        _mm256_store_si256(&out[count++], _mm256_sub_epi16(slot, half));
    }
    return count;
}

AVX2 static void generate(void *out, enum pa_class class_id, struct pa_seed seed,
                          uint32_t first_vector, uint32_t vectors, uint32_t first_block,
                          uint32_t blocks) {
    const struct round_keys keys = expand_key(seed);
    for (uint32_t group = 0; group < vectors / LANES; group++) {
        __m256i *at = (__m256i *)(void *)((uint32_t *)out + (size_t)group * GROUP_WORDS);
        for (uint32_t block = 0; block < blocks; block++) {
            __m256i x[4];
            philox8(x, &keys, seed, first_block + block, first_vector + group * LANES);
            for (int w = 0; w < 4; w++)
                at += store_values(at, class_id, x[w]);
        }
    }
}

AVX2 static inline __m256i repeat_word(const void *at) {
    int32_t word;
    memcpy(&word, at, sizeof word);
    return _mm256_set1_epi32(word);
}

static const void *words_of(const void *panel, uint32_t vector) {
    return (const uint32_t *)panel + (size_t)(vector / LANES) * GROUP_WORDS + vector % LANES;
}

AVX2 static inline void add_to(void *at, __m256i sums, bool is_wide) {
    __m256i before = _mm256_loadu_si256(at);
    _mm256_storeu_si256(at,
                        is_wide ? _mm256_add_epi64(before, sums) : _mm256_add_epi32(before, sums));
}

/* 4 rows x 16 columns at a time fill the registers without spilling. The columns (16 KiB) stay in
 * the first-level cache while the rows of A pass by. Unrolled, gcc copies less between registers;
 * depth is a multiple of the eight values of a block. */
AVX2 static void multiply16(int32_t *c, uint32_t rows, const int16_t *a, const int16_t *b,
                            uint32_t depth) {
    for (uint32_t q = 0; q < PA_TILE; q += 2 * LANES)
        for (uint32_t r = 0; r < rows; r += 4) {
            const uint32_t *x = words_of(a, r);
            const __m256i *y = words_of(b, q), *end = y + depth / 2;
            __m256i s[4][2];
            for (int i = 0; i < 4; i++)
                s[i][0] = s[i][1] = _mm256_setzero_si256();
#pragma GCC unroll 4
            for (; y < end; y++, x += LANES)
                for (int i = 0; i < 4; i++) {
                    __m256i xi = repeat_word(x + i);
                    s[i][0] = _mm256_add_epi32(s[i][0], _mm256_madd_epi16(xi, y[0]));
                    s[i][1] = _mm256_add_epi32(s[i][1], _mm256_madd_epi16(xi, y[PA_PANEL_INTS]));
                }
            for (uint32_t i = 0; i < 4; i++) {
                add_to(c + (r + i) * PA_TILE + q, s[i][0], false);
                add_to(c + (r + i) * PA_TILE + q + LANES, s[i][1], false);
            }
        }
}

/* 4 rows x 8 columns: 64-bit products of the even columns and of the odd ones. */
AVX2 static void multiply64(int64_t *c, uint32_t rows, const int32_t *a, const int32_t *b,
                            uint32_t depth) {
    for (uint32_t q = 0; q < PA_TILE; q += LANES)
        for (uint32_t r = 0; r < rows; r += 4) {
            const uint32_t *x = words_of(a, r);
            const __m256i *y = words_of(b, q);
            __m256i even[4], odd[4];
            for (int i = 0; i < 4; i++)
                even[i] = odd[i] = _mm256_setzero_si256();
            for (uint32_t k = 0; k < depth; k++) {
                __m256i y_even = y[k], y_odd = _mm256_srli_epi64(y_even, 32);
                for (int i = 0; i < 4; i++) {
                    __m256i xi = repeat_word(x + k * LANES + i);
                    even[i] = _mm256_add_epi64(even[i], _mm256_mul_epi32(xi, y_even));
                    odd[i] = _mm256_add_epi64(odd[i], _mm256_mul_epi32(xi, y_odd));
                }
            }
            for (uint32_t i = 0; i < 4; i++) {
                __m256i low = _mm256_unpacklo_epi64(even[i], odd[i]);  /* columns 0 1, 4 5 */
                __m256i high = _mm256_unpackhi_epi64(even[i], odd[i]); /* columns 2 3, 6 7 */
                int64_t *at = c + (r + i) * PA_TILE + q;
                add_to(at, _mm256_permute2x128_si256(low, high, 0x20), true);
                add_to(at + 4, _mm256_permute2x128_si256(low, high, 0x31), true);
            }
        }
}

static const struct pa_tile_code avx2_code = {"avx2", 1, generate, multiply16, multiply64};

const struct pa_tile_code *pa_tile_avx2(void) {
    return __builtin_cpu_supports("avx2") ? &avx2_code : NULL;
}

#else

const struct pa_tile_code *pa_tile_avx2(void) {
    return 0;
}

#endif
