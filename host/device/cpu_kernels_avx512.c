/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of 16 words (AVX-512 F and BW). Compiled with -mavx512f -mavx512bw; called only where the
 * processor has them. */
#if defined(__x86_64__)

#include <immintrin.h>

typedef __m512i lanes;
enum { LANES = 16 };

#define lanes_set(x) _mm512_set1_epi32((int)(x))
#define lanes_set64(x) _mm512_set1_epi64((long long)(x))
#define lanes_count() _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define lanes_load(p) _mm512_loadu_si512(p)
#define lanes_store(p, x) _mm512_storeu_si512(p, x)
#define lanes_add _mm512_add_epi32
#define lanes_add64 _mm512_add_epi64
#define lanes_sub _mm512_sub_epi32
#define lanes_and _mm512_and_si512
#define lanes_or _mm512_or_si512
#define lanes_xor _mm512_xor_si512
#define lanes_multiply _mm512_mullo_epi32
#define lanes_multiply_even _mm512_mul_epu32 /* words 0, 2, 4, .. to 64 bits */
#define lanes_right(x, n) _mm512_srli_epi32(x, (unsigned)(n))
#define lanes_right64(x, n) _mm512_srli_epi64(x, n)
#define lanes_left64(x, n) _mm512_slli_epi64(x, n)
#define lanes_float(x) _mm512_castps_si512(_mm512_cvtepi32_ps(x))
/* Even words from `even`, odd ones from `odd`. */
#define lanes_weave(even, odd) _mm512_mask_blend_epi32(0xAAAA, even, odd)
/* Zero where x equals y. */
#define lanes_clear32(x, y) _mm512_maskz_mov_epi32(_mm512_cmpneq_epi32_mask(x, y), x)
#define lanes_clear64(x, y) _mm512_maskz_mov_epi64(_mm512_cmpneq_epi64_mask(x, y), x)

#define KERNELS pa_cpu_kernels_avx512
#define KERNELS_NAME "avx512"
#include "device/cpu_kernels_text.h"

#endif
