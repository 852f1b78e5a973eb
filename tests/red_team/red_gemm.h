/* SPDX-License-Identifier: Apache-2.0 */
/* red_gemm.h - products of a cheat's own making, through the library that the honest way uses. */
#ifndef PA_TESTS_RED_GEMM_H
#define PA_TESTS_RED_GEMM_H

#include "red_machine.h"

#include "device/cpu_gemm.h"

/* C (m x n) = A (m x k) * B (k x n) in one format, on one thread; vectors are K-contiguous. */
struct red_gemm {
    struct pa_gemm_plan plan;
    struct pa_gemm_worker *worker;
};

/* False where the library cannot do it at all. */
bool red_gemm_open(struct red_gemm *gemm, enum pa_format format, uint32_t m, uint32_t n,
                   uint32_t k);
void red_gemm_run(struct red_gemm *gemm, const void *a, const void *b, void *c);
void red_gemm_close(struct red_gemm *gemm);

/* Vectors first .. first + count - 1 of a dense16 operand, as floats. */
void red_operand_f32(const struct pa_seed *seed, uint32_t first, uint32_t count, uint32_t k,
                     float *out);
/* Digests of all tiles of C (m x n floats). */
void red_digest_all(const float *c, uint32_t m, uint32_t n, uint32_t s, uint64_t *tiles);

#endif
