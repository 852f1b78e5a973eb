/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_api.h - what petaudit uses of NVIDIA's CUDA driver API, from our own declarations.
 *
 * Types, constants and functions are spelled as the vendor spells them, so that one table makes the
 * pointers that are loaded, the emulated library's exports and the comparison with the vendor's
 * header (cuda_header_check.c, which includes <cuda.h> and defines PA_CUDA_VENDOR_HEADER). The
 * binary needs neither the header nor the library.
 *
 * Symbols carry their version, because <cuda.h> renames by macro while the driver still exports the
 * unversioned names with the old 32-bit ABI: dlsym("cuMemAlloc") succeeds and corrupts. Every
 * symbol here is in drivers from CUDA 12.0 on; cuEventElapsedTime is the old one on purpose (_v2
 * came with 12.8). Only what has a deadline of ours is used: no call that waits without bound.
 */
#ifndef PA_DEVICE_CUDA_API_H
#define PA_DEVICE_CUDA_API_H

#include <stddef.h>

/* C(name, value), by type; the check compares them with the vendor's. */
#define PA_CUDA_RESULTS(C)                                                                         \
    C(CUDA_SUCCESS, 0)                                                                             \
    C(CUDA_ERROR_INVALID_VALUE, 1)                                                                 \
    C(CUDA_ERROR_OUT_OF_MEMORY, 2)                                                                 \
    C(CUDA_ERROR_NOT_INITIALIZED, 3)                                                               \
    C(CUDA_ERROR_DEINITIALIZED, 4)                                                                 \
    C(CUDA_ERROR_STUB_LIBRARY, 34)                                                                 \
    C(CUDA_ERROR_DEVICE_UNAVAILABLE, 46)                                                           \
    C(CUDA_ERROR_NO_DEVICE, 100)                                                                   \
    C(CUDA_ERROR_INVALID_DEVICE, 101)                                                              \
    C(CUDA_ERROR_INVALID_IMAGE, 200)                                                               \
    C(CUDA_ERROR_INVALID_CONTEXT, 201)                                                             \
    C(CUDA_ERROR_NO_BINARY_FOR_GPU, 209)                                                           \
    C(CUDA_ERROR_ECC_UNCORRECTABLE, 214)                                                           \
    C(CUDA_ERROR_INVALID_PTX, 218)                                                                 \
    C(CUDA_ERROR_NVLINK_UNCORRECTABLE, 220)                                                        \
    C(CUDA_ERROR_JIT_COMPILER_NOT_FOUND, 221)                                                      \
    C(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, 222)                                                     \
    C(CUDA_ERROR_CONTAINED, 226)                                                                   \
    C(CUDA_ERROR_INVALID_HANDLE, 400)                                                              \
    C(CUDA_ERROR_NOT_FOUND, 500)                                                                   \
    C(CUDA_ERROR_NOT_READY, 600)                                                                   \
    C(CUDA_ERROR_ILLEGAL_ADDRESS, 700)                                                             \
    C(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, 701)                                                     \
    C(CUDA_ERROR_LAUNCH_TIMEOUT, 702)                                                              \
    C(CUDA_ERROR_CONTEXT_IS_DESTROYED, 709)                                                        \
    C(CUDA_ERROR_ASSERT, 710)                                                                      \
    C(CUDA_ERROR_HARDWARE_STACK_ERROR, 714)                                                        \
    C(CUDA_ERROR_ILLEGAL_INSTRUCTION, 715)                                                         \
    C(CUDA_ERROR_MISALIGNED_ADDRESS, 716)                                                          \
    C(CUDA_ERROR_INVALID_ADDRESS_SPACE, 717)                                                       \
    C(CUDA_ERROR_INVALID_PC, 718)                                                                  \
    C(CUDA_ERROR_LAUNCH_FAILED, 719)                                                               \
    C(CUDA_ERROR_NOT_PERMITTED, 800)                                                               \
    C(CUDA_ERROR_NOT_SUPPORTED, 801)                                                               \
    C(CUDA_ERROR_SYSTEM_NOT_READY, 802)                                                            \
    C(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, 803)                                                      \
    C(CUDA_ERROR_UNKNOWN, 999)
#define PA_CUDA_ATTRIBUTES(C)                                                                      \
    C(CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 13)                                                          \
    C(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 16)                                                \
    C(CU_DEVICE_ATTRIBUTE_ECC_ENABLED, 32)                                                         \
    C(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 75)                                            \
    C(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 76)
#define PA_CUDA_JIT_OPTIONS(C)                                                                     \
    C(CU_JIT_ERROR_LOG_BUFFER, 5)                                                                  \
    C(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, 6)

/* Flags, which the vendor has as enumerators and as macros. */
enum {
    PA_CU_STREAM_NON_BLOCKING = 1,
    PA_CU_EVENT_DEFAULT = 0, /* with time stamps */
    PA_CU_EVENT_DISABLE_TIMING = 2,
};

#ifndef PA_CUDA_VENDOR_HEADER
#define PA_CUDA_ENUMERATOR(name, value) name = value,
typedef enum { PA_CUDA_RESULTS(PA_CUDA_ENUMERATOR) } CUresult;
typedef enum { PA_CUDA_ATTRIBUTES(PA_CUDA_ENUMERATOR) } CUdevice_attribute;
typedef enum { PA_CUDA_JIT_OPTIONS(PA_CUDA_ENUMERATOR) } CUjit_option;
#undef PA_CUDA_ENUMERATOR
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;
typedef struct CUuuid_st {
    char bytes[16];
} CUuuid;
#endif

_Static_assert(sizeof(CUuuid) == 16 && sizeof(CUdeviceptr) == 8, "the 64-bit driver API");

/* F(required, returns, symbol, arguments) */
#define PA_CUDA_FUNCTIONS(F)                                                                       \
    F(true, CUresult, cuInit, (unsigned int flags))                                                \
    F(true, CUresult, cuDriverGetVersion, (int *version))                                          \
    F(true, CUresult, cuGetErrorName, (CUresult error, const char **name))                         \
    F(true, CUresult, cuGetErrorString, (CUresult error, const char **text))                       \
    F(true, CUresult, cuDeviceGetCount, (int *count))                                              \
    F(true, CUresult, cuDeviceGet, (CUdevice * device, int ordinal))                               \
    F(true, CUresult, cuDeviceGetName, (char *name, int length, CUdevice device))                  \
    F(true, CUresult, cuDeviceGetAttribute,                                                        \
      (int *value, CUdevice_attribute attribute, CUdevice device))                                 \
    F(true, CUresult, cuDeviceTotalMem_v2, (size_t * bytes, CUdevice device))                      \
    F(true, CUresult, cuDeviceGetUuid_v2, (CUuuid * uuid, CUdevice device))                        \
    F(true, CUresult, cuDeviceGetPCIBusId, (char *id, int length, CUdevice device))                \
    F(true, CUresult, cuDevicePrimaryCtxRetain, (CUcontext * context, CUdevice device))            \
    F(true, CUresult, cuDevicePrimaryCtxRelease_v2, (CUdevice device))                             \
    F(true, CUresult, cuCtxSetCurrent, (CUcontext context))                                        \
    F(true, CUresult, cuMemGetInfo_v2, (size_t * free, size_t * total))                            \
    F(true, CUresult, cuMemAlloc_v2, (CUdeviceptr * address, size_t bytes))                        \
    F(true, CUresult, cuMemFree_v2, (CUdeviceptr address))                                         \
    F(true, CUresult, cuMemHostAlloc, (void **address, size_t bytes, unsigned int flags))          \
    F(true, CUresult, cuMemFreeHost, (void *address))                                              \
    F(true, CUresult, cuMemcpyHtoDAsync_v2,                                                        \
      (CUdeviceptr to, const void *from, size_t bytes, CUstream stream))                           \
    F(true, CUresult, cuMemcpyDtoHAsync_v2,                                                        \
      (void *to, CUdeviceptr from, size_t bytes, CUstream stream))                                 \
    F(true, CUresult, cuMemsetD8Async,                                                             \
      (CUdeviceptr to, unsigned char byte, size_t bytes, CUstream stream))                         \
    F(true, CUresult, cuCtxGetStreamPriorityRange, (int *least, int *greatest))                    \
    F(true, CUresult, cuStreamCreate, (CUstream * stream, unsigned int flags))                     \
    F(true, CUresult, cuStreamCreateWithPriority,                                                  \
      (CUstream * stream, unsigned int flags, int priority))                                       \
    F(true, CUresult, cuStreamDestroy_v2, (CUstream stream))                                       \
    F(true, CUresult, cuStreamQuery, (CUstream stream))                                            \
    F(true, CUresult, cuStreamWaitEvent, (CUstream stream, CUevent event, unsigned int flags))     \
    F(true, CUresult, cuEventCreate, (CUevent * event, unsigned int flags))                        \
    F(true, CUresult, cuEventDestroy_v2, (CUevent event))                                          \
    F(true, CUresult, cuEventRecord, (CUevent event, CUstream stream))                             \
    F(true, CUresult, cuEventQuery, (CUevent event))                                               \
    F(true, CUresult, cuEventElapsedTime, (float *ms, CUevent start, CUevent end))                 \
    F(true, CUresult, cuModuleLoadDataEx,                                                          \
      (CUmodule * module, const void *image, unsigned int options, CUjit_option *names,            \
       void **values))                                                                             \
    F(true, CUresult, cuModuleUnload, (CUmodule module))                                           \
    F(true, CUresult, cuModuleGetFunction,                                                         \
      (CUfunction * function, CUmodule module, const char *name))                                  \
    F(true, CUresult, cuLaunchKernel,                                                              \
      (CUfunction function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,         \
       unsigned int block_x, unsigned int block_y, unsigned int block_z,                           \
       unsigned int shared_bytes, CUstream stream, void **parameters, void **extra))

#endif
