/* SPDX-License-Identifier: Apache-2.0 */
/* The witness's tile with AVX-512: sixteen Philox blocks at once, 32 multiply-adds an instruction,
 * which VNNI adds up in the same one. */
#include "proof/tile_code.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stddef.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define AVX512_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

AVX512 static inline __m512i multiply_words(__m512i x, __m512i factor, __m512i *low) {
    const __mmask16 odd_lanes = 0xAAAA;
    __m512i even = _mm512_mul_epu32(x, factor);
    __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), factor);
    *low = _mm512_mask_blend_epi32(odd_lanes, even, _mm512_slli_epi64(odd, 32));
    return _mm512_mask_blend_epi32(odd_lanes, _mm512_srli_epi64(even, 32), odd);
}

/* Blocks block .. block+15 of vector v: out[w] holds word w of each. */
AVX512 static inline void philox16(__m512i out[4], struct pa_seed seed, uint32_t block,
                                   uint32_t v) {
    const __m512i m0 = _mm512_set1_epi32((int)PA_PHILOX_M0);
    const __m512i m1 = _mm512_set1_epi32((int)PA_PHILOX_M1);
    __m512i x0 =
        _mm512_add_epi32(_mm512_set1_epi32((int)block),
                         _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    __m512i x1 = _mm512_set1_epi32((int)v);
    __m512i x2 = _mm512_set1_epi32((int)seed.c2), x3 = _mm512_set1_epi32((int)seed.c3);
    uint32_t k0 = seed.k0, k1 = seed.k1;
    for (int round = 0; round < PA_PHILOX_ROUNDS; round++) {
        enum { xor3 = 0x96 }; /* a ^ b ^ c as a truth table; clang wants a constant */
        __m512i low0, low1;
        __m512i high0 = multiply_words(x0, m0, &low0), high1 = multiply_words(x2, m1, &low1);
        x0 = _mm512_ternarylogic_epi32(high1, x1, _mm512_set1_epi32((int)k0), xor3);
        x1 = low1;
        x2 = _mm512_ternarylogic_epi32(high0, x3, _mm512_set1_epi32((int)k1), xor3);
        x3 = low0;
        k0 += PA_PHILOX_W0;
        k1 += PA_PHILOX_W1;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

/* The values in one word of sixteen blocks, zero in lanes whose block does not exist. */
AVX512 static inline int store_values(__m512i *out, enum pa_class class_id, __m512i x,
                                      __mmask16 valid) {
    int count = 0;
    if (class_id == PA_DENSE16) {
        __m512i value = _mm512_sub_epi16(_mm512_and_si512(x, _mm512_set1_epi16(0x1FF)),
                                         _mm512_set1_epi16(0x100));
        _mm512_storeu_si512(&out[count++], _mm512_maskz_mov_epi32(valid, value));
    } else if (class_id == PA_DENSE64) {
        __m512i value = _mm512_sub_epi32(_mm512_and_si512(x, _mm512_set1_epi32(0x7FFFFF)),
                                         _mm512_set1_epi32(0x400000));
        _mm512_storeu_si512(&out[count++], _mm512_maskz_mov_epi32(valid, value));
    } else {
        int width = class_id == PA_DENSE8 ? 8 : 4;
        const __m512i mask = _mm512_set1_epi16((short)((1 << width) - 1));
        const __m512i half = _mm512_set1_epi16((short)(1 << (width - 1)));
        for (int shift = 0; shift < 16; shift += width) {
            __m512i slot = _mm512_and_si512(_mm512_srl_epi16(x, _mm_cvtsi32_si128(shift)), mask);
            _mm512_storeu_si512(&out[count++],
                                _mm512_maskz_mov_epi32(valid, _mm512_sub_epi16(slot, half)));
        }
    }
    return count;
}

AVX512 static void generate(void *out, enum pa_class class_id, struct pa_seed seed,
                            uint32_t first_vector, uint32_t vectors, uint32_t first_block,
                            uint32_t blocks) {
    for (uint32_t v = 0; v < vectors; v++) {
        __m512i *line = (__m512i *)(void *)((unsigned char *)out + (size_t)v * PA_PANEL_BYTES);
        for (uint32_t block = 0; block < blocks; block += 16) {
            uint32_t left = blocks - block;
            __mmask16 valid = left >= 16 ? (__mmask16)0xFFFF : (__mmask16)((1u << left) - 1);
            __m512i x[4];
            philox16(x, seed, first_block + block, first_vector + v);
            for (int w = 0; w < 4; w++)
                line += store_values(line, class_id, x[w], valid);
        }
    }
}

/* The lane sums of four vectors, in order. */
AVX512 static inline __m128i sums32(const __m512i s[4]) {
    __m256i half[4];
    for (int i = 0; i < 4; i++)
        half[i] =
            _mm256_add_epi32(_mm512_castsi512_si256(s[i]), _mm512_extracti64x4_epi64(s[i], 1));
    __m256i pairs =
        _mm256_hadd_epi32(_mm256_hadd_epi32(half[0], half[1]), _mm256_hadd_epi32(half[2], half[3]));
    return _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
}

/* One text for both kinds of multiply-add: 4 x 4 sums in registers, columns of B sixteen at a time
 * so that they stay in the first-level cache. */
#define MULTIPLY16(MULTIPLY_ADD)                                                                   \
    for (uint32_t group = 0; group < PA_TILE; group += 16)                                         \
        for (uint32_t r = 0; r < rows; r += 4)                                                     \
            for (uint32_t q = group; q < group + 16; q += 4) {                                     \
                const int16_t *x = a + r * PA_PANEL_SHORTS, *y = b + q * PA_PANEL_SHORTS;          \
                __m512i s[4][4];                                                                   \
                for (int i = 0; i < 4; i++)                                                        \
                    for (int j = 0; j < 4; j++)                                                    \
                        s[i][j] = _mm512_setzero_si512();                                          \
                for (uint32_t k = 0; k < depth; k += 32) {                                         \
                    __m512i yj[4];                                                                 \
                    for (int j = 0; j < 4; j++)                                                    \
                        yj[j] = _mm512_load_si512(y + j * PA_PANEL_SHORTS + k);                    \
                    for (int i = 0; i < 4; i++) {                                                  \
                        __m512i xi = _mm512_load_si512(x + i * PA_PANEL_SHORTS + k);               \
                        for (int j = 0; j < 4; j++)                                                \
                            s[i][j] = MULTIPLY_ADD(s[i][j], xi, yj[j]);                            \
                    }                                                                              \
                }                                                                                  \
                for (uint32_t i = 0; i < 4; i++) {                                                 \
                    __m128i *at = (__m128i *)(void *)(c + (r + i) * PA_TILE + q);                  \
                    _mm_storeu_si128(at, _mm_add_epi32(_mm_loadu_si128(at), sums32(s[i])));        \
                }                                                                                  \
            }

AVX512_VNNI static void multiply16_vnni(int32_t *c, uint32_t rows, const int16_t *a,
                                        const int16_t *b,
                                        uint32_t depth){MULTIPLY16(_mm512_dpwssd_epi32)}

#define MULTIPLY_THEN_ADD(s, x, y) _mm512_add_epi32(s, _mm512_madd_epi16(x, y))
AVX512 static void multiply16_bw(int32_t *c, uint32_t rows, const int16_t *a, const int16_t *b,
                                 uint32_t depth){MULTIPLY16(MULTIPLY_THEN_ADD)}

AVX512 static void multiply64(int64_t *c, uint32_t rows, const int32_t *a, const int32_t *b,
                              uint32_t depth) {
    for (uint32_t group = 0; group < PA_TILE; group += 16)
        for (uint32_t r = 0; r < rows; r += 4)
            for (uint32_t q = group; q < group + 16; q += 2) {
                const int32_t *x = a + r * PA_PANEL_INTS, *y = b + q * PA_PANEL_INTS;
                __m512i s[4][2];
                for (int i = 0; i < 4; i++)
                    s[i][0] = s[i][1] = _mm512_setzero_si512();
                for (uint32_t k = 0; k < depth; k += 16) {
                    __m512i y0 = _mm512_load_si512(y + k);
                    __m512i y1 = _mm512_load_si512(y + PA_PANEL_INTS + k);
                    __m512i y0_odd = _mm512_srli_epi64(y0, 32), y1_odd = _mm512_srli_epi64(y1, 32);
                    for (int i = 0; i < 4; i++) {
                        __m512i xi = _mm512_load_si512(x + i * PA_PANEL_INTS + k);
                        __m512i xi_odd = _mm512_srli_epi64(xi, 32);
                        s[i][0] = _mm512_add_epi64(s[i][0], _mm512_mul_epi32(xi, y0));
                        s[i][1] = _mm512_add_epi64(s[i][1], _mm512_mul_epi32(xi, y1));
                        s[i][0] = _mm512_add_epi64(s[i][0], _mm512_mul_epi32(xi_odd, y0_odd));
                        s[i][1] = _mm512_add_epi64(s[i][1], _mm512_mul_epi32(xi_odd, y1_odd));
                    }
                }
                for (uint32_t i = 0; i < 4; i++)
                    for (uint32_t j = 0; j < 2; j++)
                        c[(r + i) * PA_TILE + q + j] += _mm512_reduce_add_epi64(s[i][j]);
            }
}

static const struct pa_tile_code vnni_code = {"avx512", 16, generate, multiply16_vnni, multiply64};
static const struct pa_tile_code bw_code = {"avx512", 16, generate, multiply16_bw, multiply64};

const struct pa_tile_code *pa_tile_avx512(void) {
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return NULL;
    return __builtin_cpu_supports("avx512vnni") ? &vnni_code : &bw_code;
}

#else

const struct pa_tile_code *pa_tile_avx512(void) {
    return 0;
}

#endif
