/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of 8 words (AVX2). Compiled with -mavx2; called only where the processor has it. */
#if defined(__x86_64__)

#include <immintrin.h>

typedef __m256i lanes;
enum { LANES = 8 };

#define lanes_set(x) _mm256_set1_epi32((int)(x))
#define lanes_set64(x) _mm256_set1_epi64x((long long)(x))
#define lanes_count() _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)
#define lanes_load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define lanes_store(p, x) _mm256_storeu_si256((__m256i *)(void *)(p), x)
#define lanes_add _mm256_add_epi32
#define lanes_add64 _mm256_add_epi64
#define lanes_sub _mm256_sub_epi32
#define lanes_and _mm256_and_si256
#define lanes_or _mm256_or_si256
#define lanes_xor _mm256_xor_si256
#define lanes_multiply _mm256_mullo_epi32
#define lanes_multiply_even _mm256_mul_epu32 /* words 0, 2, 4, .. to 64 bits */
#define lanes_right(x, n) _mm256_srli_epi32(x, (int)(n))
#define lanes_right64(x, n) _mm256_srli_epi64(x, n)
#define lanes_left64(x, n) _mm256_slli_epi64(x, n)
#define lanes_float(x) _mm256_castps_si256(_mm256_cvtepi32_ps(x))
/* Even words from `even`, odd ones from `odd`. */
#define lanes_weave(even, odd) _mm256_blend_epi32(even, odd, 0xAA)
/* Zero where x equals y. */
#define lanes_clear32(x, y) _mm256_andnot_si256(_mm256_cmpeq_epi32(x, y), x)
#define lanes_clear64(x, y) _mm256_andnot_si256(_mm256_cmpeq_epi64(x, y), x)

#define KERNELS pa_cpu_kernels_avx2
#define KERNELS_NAME "avx2"
#include "device/cpu_kernels_text.h"

#endif
