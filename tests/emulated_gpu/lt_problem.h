/* SPDX-License-Identifier: Apache-2.0 */
/* lt_problem.h - one matrix product as descriptor and layouts ask for it, checked against what
 * NVIDIA documents for cublasLtMatmul (types, leading dimensions, "TN" for int8 and fp8,
 * multiples).
 */
#ifndef PA_EMULATED_LT_PROBLEM_H
#define PA_EMULATED_LT_PROBLEM_H

#include "emulated_gpu/lt_objects.h"

struct lt_problem {
    int device;
    const char *format; /* "bf16", of A and B; "tf32" where fp32 is cut */
    struct lt_desc desc;
    struct lt_layout a, b, c, d;
    uint64_t m, n, k;
};

/* LT_SUCCESS, LT_INVALID_VALUE for what contradicts itself, LT_NOT_SUPPORTED for what the library
 * does not do on this device. */
enum lt_status lt_problem_make(const char *function, int device, const struct lt_desc *desc,
                               const struct lt_layout *a, const struct lt_layout *b,
                               const struct lt_layout *c, const struct lt_layout *d,
                               struct lt_problem *out);

/* Give `status` back; where CUBLASLT_LOG_LEVEL is set, as for the vendor's library, say why on
 * stderr. It is no report of misuse: asking for what is not supported is legitimate. */
enum lt_status lt_refuse(enum lt_status status, const char *function, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A number that differs where an algorithm made for one problem does not serve another. */
uint64_t lt_problem_number(const struct lt_problem *problem);

/* The library's list of algorithms for a problem, best first; `state` of each by the caller.
 * Returns how many were written. */
int lt_algorithms(const struct lt_problem *problem, const struct lt_preference *preference,
                  struct lt_algo *out, int most);

#endif
