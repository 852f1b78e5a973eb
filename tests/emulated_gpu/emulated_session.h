/* SPDX-License-Identifier: Apache-2.0 */
/* emulated_session.h - for tests of the emulated libraries: each body runs in a process of its own,
 * because the platform reads its orders once, with all four libraries loaded as petaudit loads
 * them.
 */
#ifndef PA_TESTS_EMULATED_SESSION_H
#define PA_TESTS_EMULATED_SESSION_H

#include "device/cublaslt_api.h"
#include "device/cuda_api.h"
#include "device/nccl_api.h"
#include "device/nvml_api.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* Pointers to every function, by its own name. */
struct emulated_api {
#define MEMBER(required, returns, symbol, arguments) returns(*symbol) arguments;
    PA_CUDA_FUNCTIONS(MEMBER)
    PA_CUBLASLT_FUNCTIONS(MEMBER)
    PA_NCCL_FUNCTIONS(MEMBER)
    PA_NVML_FUNCTIONS(MEMBER)
#undef MEMBER
};

extern struct emulated_api emulated;

/* In a body: say what is wrong and end the process. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)
#define EXPECT_IS(expression, expected)                                                            \
    do {                                                                                           \
        long long is_ = (long long)(expression), expected_ = (long long)(expected);                \
        if (is_ != expected_) {                                                                    \
            fprintf(stderr, "%s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #expression, \
                    is_, expected_);                                                               \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* Run `body` under these orders in a child that loads the libraries from `folder`; false when it
 * failed, was killed, or took longer than a minute. `reports` is how many times the platform must
 * have reported misuse. */
bool emulated_run(const char *folder, const char *orders, int reports, void (*body)(void));

/* In a body: make the context of a device current, and a stream there. */
CUstream emulated_open(int device);
/* Device memory with `bytes` from `data` (NULL: not written). */
CUdeviceptr emulated_upload(const void *data, size_t bytes, CUstream stream);
/* Ask until the stream is done; the last answer. */
CUresult emulated_wait(CUstream stream);
CUresult emulated_download(void *out, CUdeviceptr from, size_t bytes, CUstream stream);

#endif
