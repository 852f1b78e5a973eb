/* SPDX-License-Identifier: Apache-2.0 */
/* nccl_api.h - what petaudit uses of NVIDIA's NCCL, from our own declarations.
 *
 * Types, constants and functions are spelled as the vendor spells them, so that one table makes the
 * pointers that are loaded, the emulated library's exports and the comparison with the vendor's
 * header (nccl_header_check.c, which includes <nccl.h> and defines PA_NCCL_VENDOR_HEADER). The
 * binary needs neither the header nor the library. NCCL 2.14 (August 2022) is the first that can
 * make a communicator without blocking; all that is declared here is unchanged since.
 */
#ifndef PA_DEVICE_NCCL_API_H
#define PA_DEVICE_NCCL_API_H

#include <stddef.h>

struct CUstream_st;

/* C(name, value), by type; the check compares them with the vendor's. */
#define PA_NCCL_RESULTS(C)                                                                         \
    C(ncclSuccess, 0)                                                                              \
    C(ncclUnhandledCudaError, 1)                                                                   \
    C(ncclSystemError, 2)                                                                          \
    C(ncclInternalError, 3)                                                                        \
    C(ncclInvalidArgument, 4)                                                                      \
    C(ncclInvalidUsage, 5)                                                                         \
    C(ncclRemoteError, 6)                                                                          \
    C(ncclInProgress, 7)
#define PA_NCCL_TYPES(C) C(ncclInt32, 2)
#define PA_NCCL_OPERATIONS(C) C(ncclSum, 0)

enum { PA_NCCL_UNIQUE_ID_BYTES = 128 };

/* The beginning of ncclConfig_t that NCCL 2.14 had. A library takes `size` bytes and fills in its
 * own defaults for whatever is younger than `version`, so that this serves every later one too. */
struct pa_nccl_config {
    size_t size; /* of this struct */
    unsigned int magic;
    unsigned int version; /* 21400 */
    int blocking;
};
#define PA_NCCL_CONFIG_MAGIC 0xcafebeefU
#define PA_NCCL_CONFIG_VERSION 21400U

#ifndef PA_NCCL_VENDOR_HEADER
#define PA_NCCL_ENUMERATOR(name, value) name = value,
typedef enum { PA_NCCL_RESULTS(PA_NCCL_ENUMERATOR) } ncclResult_t;
typedef enum { PA_NCCL_TYPES(PA_NCCL_ENUMERATOR) } ncclDataType_t;
typedef enum { PA_NCCL_OPERATIONS(PA_NCCL_ENUMERATOR) } ncclRedOp_t;
#undef PA_NCCL_ENUMERATOR
typedef struct ncclComm *ncclComm_t;
typedef struct {
    char internal[PA_NCCL_UNIQUE_ID_BYTES];
} ncclUniqueId;
typedef struct pa_nccl_config ncclConfig_t;
#endif

_Static_assert(sizeof(ncclUniqueId) == PA_NCCL_UNIQUE_ID_BYTES, "it goes by value");

/* F(required, returns, symbol, arguments) */
#define PA_NCCL_FUNCTIONS(F)                                                                       \
    F(true, ncclResult_t, ncclGetVersion, (int *version))                                          \
    F(true, const char *, ncclGetErrorString, (ncclResult_t result))                               \
    F(true, const char *, ncclGetLastError, (ncclComm_t comm))                                     \
    F(true, ncclResult_t, ncclGetUniqueId, (ncclUniqueId * id))                                    \
    F(true, ncclResult_t, ncclCommInitRankConfig,                                                  \
      (ncclComm_t * comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t *config))             \
    F(true, ncclResult_t, ncclCommGetAsyncError, (ncclComm_t comm, ncclResult_t * result))         \
    F(true, ncclResult_t, ncclAllReduce,                                                           \
      (const void *input, void *output, size_t count, ncclDataType_t type, ncclRedOp_t operation,  \
       ncclComm_t comm, struct CUstream_st *stream))                                               \
    F(true, ncclResult_t, ncclGroupStart, (void))                                                  \
    F(true, ncclResult_t, ncclGroupEnd, (void))                                                    \
    F(true, ncclResult_t, ncclSend,                                                                \
      (const void *input, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,            \
       struct CUstream_st *stream))                                                                \
    F(true, ncclResult_t, ncclRecv,                                                                \
      (void *output, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,                 \
       struct CUstream_st *stream))                                                                \
    F(true, ncclResult_t, ncclCommFinalize, (ncclComm_t comm))                                     \
    F(true, ncclResult_t, ncclCommDestroy, (ncclComm_t comm))                                      \
    F(true, ncclResult_t, ncclCommAbort, (ncclComm_t comm))

#endif
