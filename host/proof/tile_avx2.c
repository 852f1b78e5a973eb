/* SPDX-License-Identifier: Apache-2.0 */
/* The witness's tile with AVX2: eight Philox blocks at once, 16 multiply-adds an instruction. */
#include "proof/tile_code.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stddef.h>

#define AVX2 __attribute__((target("avx2")))

/* High and low halves of the eight products x * factor. */
AVX2 static inline __m256i multiply_words(__m256i x, __m256i factor, __m256i *low) {
    __m256i even = _mm256_mul_epu32(x, factor);
    __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), factor);
    *low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}

/* Blocks block .. block+7 of vector v: out[w] holds word w of each. */
AVX2 static inline void philox8(__m256i out[4], struct pa_seed seed, uint32_t block, uint32_t v) {
    const __m256i m0 = _mm256_set1_epi32((int)PA_PHILOX_M0);
    const __m256i m1 = _mm256_set1_epi32((int)PA_PHILOX_M1);
    __m256i x0 =
        _mm256_add_epi32(_mm256_set1_epi32((int)block), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    __m256i x1 = _mm256_set1_epi32((int)v);
    __m256i x2 = _mm256_set1_epi32((int)seed.c2), x3 = _mm256_set1_epi32((int)seed.c3);
    uint32_t k0 = seed.k0, k1 = seed.k1;
    for (int round = 0; round < PA_PHILOX_ROUNDS; round++) {
        __m256i low0, low1;
        __m256i high0 = multiply_words(x0, m0, &low0), high1 = multiply_words(x2, m1, &low1);
        x0 = _mm256_xor_si256(_mm256_xor_si256(high1, x1), _mm256_set1_epi32((int)k0));
        x1 = low1;
        x2 = _mm256_xor_si256(_mm256_xor_si256(high0, x3), _mm256_set1_epi32((int)k1));
        x3 = low0;
        k0 += PA_PHILOX_W0;
        k1 += PA_PHILOX_W1;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

/* The values in one word of eight blocks, to `out`; returns how many vectors that was. `valid` is
 * all ones in the lanes of blocks that exist. */
AVX2 static inline int store_values(__m256i *out, enum pa_class class_id, __m256i x,
                                    __m256i valid) {
    int count = 0;
    if (class_id == PA_DENSE16) {
        __m256i value = _mm256_sub_epi16(_mm256_and_si256(x, _mm256_set1_epi16(0x1FF)),
                                         _mm256_set1_epi16(0x100));
        _mm256_storeu_si256(&out[count++], _mm256_and_si256(value, valid));
    } else if (class_id == PA_DENSE64) {
        __m256i value = _mm256_sub_epi32(_mm256_and_si256(x, _mm256_set1_epi32(0x7FFFFF)),
                                         _mm256_set1_epi32(0x400000));
        _mm256_storeu_si256(&out[count++], _mm256_and_si256(value, valid));
    } else {
        int width = class_id == PA_DENSE8 ? 8 : 4;
        const __m256i mask = _mm256_set1_epi16((short)((1 << width) - 1));
        const __m256i half = _mm256_set1_epi16((short)(1 << (width - 1)));
        for (int shift = 0; shift < 16; shift += width) {
            __m256i slot = _mm256_and_si256(_mm256_srl_epi16(x, _mm_cvtsi32_si128(shift)), mask);
            _mm256_storeu_si256(&out[count++],
                                _mm256_and_si256(_mm256_sub_epi16(slot, half), valid));
        }
    }
    return count;
}

AVX2 static void generate(void *out, enum pa_class class_id, struct pa_seed seed,
                          uint32_t first_vector, uint32_t first_block, uint32_t blocks) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    for (uint32_t v = 0; v < PA_TILE; v++) {
        __m256i *line = (__m256i *)(void *)((unsigned char *)out + (size_t)v * PA_PANEL_BYTES);
        for (uint32_t block = 0; block < blocks; block += 8) {
            __m256i valid = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(blocks - block)), lanes);
            __m256i x[4];
            philox8(x, seed, first_block + block, first_vector + v);
            for (int w = 0; w < 4; w++)
                line += store_values(line, class_id, x[w], valid);
        }
    }
}

/* Eight sums of eight lanes each: rows 0..3 and columns 0..1 of a block of C, in order. */
AVX2 static inline void add_sums32(int32_t *c, const __m256i s[4][2]) {
    for (int r = 0; r < 4; r++) {
        __m256i pair = _mm256_hadd_epi32(s[r][0], s[r][1]);
        __m128i half =
            _mm_add_epi32(_mm256_castsi256_si128(pair), _mm256_extracti128_si256(pair, 1));
        half = _mm_hadd_epi32(half, half);
        __m128i *at = (__m128i *)(void *)(c + r * PA_TILE);
        _mm_storel_epi64(at, _mm_add_epi32(_mm_loadl_epi64(at), half));
    }
}

/* 4 x 2 sums at a time fill the registers without spilling. Sixteen columns of B (16 KiB) stay in
 * the first-level cache while the rows of A pass by. */
AVX2 static void multiply16(int32_t *c, const int16_t *a, const int16_t *b, uint32_t depth) {
    for (uint32_t group = 0; group < PA_TILE; group += 16)
        for (uint32_t r = 0; r < PA_TILE; r += 4)
            for (uint32_t q = group; q < group + 16; q += 2) {
                const int16_t *x = a + r * PA_PANEL_SHORTS, *y = b + q * PA_PANEL_SHORTS;
                __m256i s[4][2];
                for (int i = 0; i < 4; i++)
                    s[i][0] = s[i][1] = _mm256_setzero_si256();
                for (uint32_t k = 0; k < depth; k += 16) {
                    __m256i y0 = _mm256_load_si256((const void *)(y + k));
                    __m256i y1 = _mm256_load_si256((const void *)(y + PA_PANEL_SHORTS + k));
                    for (int i = 0; i < 4; i++) {
                        __m256i xi = _mm256_load_si256((const void *)(x + i * PA_PANEL_SHORTS + k));
                        s[i][0] = _mm256_add_epi32(s[i][0], _mm256_madd_epi16(xi, y0));
                        s[i][1] = _mm256_add_epi32(s[i][1], _mm256_madd_epi16(xi, y1));
                    }
                }
                add_sums32(c + r * PA_TILE + q, (const __m256i(*)[2])s);
            }
}

AVX2 static inline int64_t sum64(__m256i x) {
    __m128i half = _mm_add_epi64(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}

AVX2 static void multiply64(int64_t *c, const int32_t *a, const int32_t *b, uint32_t depth) {
    for (uint32_t group = 0; group < PA_TILE; group += 16)
        for (uint32_t r = 0; r < PA_TILE; r += 2)
            for (uint32_t q = group; q < group + 16; q += 2) {
                const int32_t *x = a + r * PA_PANEL_INTS, *y = b + q * PA_PANEL_INTS;
                __m256i s[2][2];
                for (int i = 0; i < 2; i++)
                    s[i][0] = s[i][1] = _mm256_setzero_si256();
                for (uint32_t k = 0; k < depth; k += 8) {
                    __m256i y0 = _mm256_load_si256((const void *)(y + k));
                    __m256i y1 = _mm256_load_si256((const void *)(y + PA_PANEL_INTS + k));
                    __m256i y0_odd = _mm256_srli_epi64(y0, 32), y1_odd = _mm256_srli_epi64(y1, 32);
                    for (int i = 0; i < 2; i++) {
                        __m256i xi = _mm256_load_si256((const void *)(x + i * PA_PANEL_INTS + k));
                        __m256i xi_odd = _mm256_srli_epi64(xi, 32);
                        s[i][0] = _mm256_add_epi64(s[i][0], _mm256_mul_epi32(xi, y0));
                        s[i][1] = _mm256_add_epi64(s[i][1], _mm256_mul_epi32(xi, y1));
                        s[i][0] = _mm256_add_epi64(s[i][0], _mm256_mul_epi32(xi_odd, y0_odd));
                        s[i][1] = _mm256_add_epi64(s[i][1], _mm256_mul_epi32(xi_odd, y1_odd));
                    }
                }
                for (uint32_t i = 0; i < 2; i++)
                    for (uint32_t j = 0; j < 2; j++)
                        c[(r + i) * PA_TILE + q + j] += sum64(s[i][j]);
            }
}

static const struct pa_tile_code avx2_code = {"avx2", 8, generate, multiply16, multiply64};

const struct pa_tile_code *pa_tile_avx2(void) {
    return __builtin_cpu_supports("avx2") ? &avx2_code : NULL;
}

#else

const struct pa_tile_code *pa_tile_avx2(void) {
    return 0;
}

#endif
