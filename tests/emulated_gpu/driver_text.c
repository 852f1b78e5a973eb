/* SPDX-License-Identifier: Apache-2.0 */
/* Names of errors, and traps on the names that programs must not use. */
#include "emulated_gpu/driver_exports.h"

#define RESULT_NAME(name, value) {value, #name},
static const struct {
    int value;
    const char *name;
} results[] = {PA_CUDA_RESULTS(RESULT_NAME)};
#undef RESULT_NAME

static const char *result_name(CUresult error) {
    for (unsigned i = 0; i < sizeof results / sizeof results[0]; i++)
        if (results[i].value == (int)error)
            return results[i].name;
    return NULL;
}

EMULATED_API CUresult cuGetErrorName(CUresult error, const char **name) {
    if (name == NULL)
        return CUDA_ERROR_INVALID_VALUE;
    *name = result_name(error);
    return *name == NULL ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

/* The vendor's sentences are not repeated: the text says that it comes from here. */
EMULATED_API CUresult cuGetErrorString(CUresult error, const char **text) {
    if (text == NULL)
        return CUDA_ERROR_INVALID_VALUE;
    *text = result_name(error) == NULL ? NULL : "an error of the emulated driver";
    return *text == NULL ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

/* The driver still exports these names with the 32-bit ABI of CUDA 2: whoever finds one by dlsym
 * passes arguments of the wrong size. */
#define TRAP(symbol)                                                                               \
    EMULATED_API CUresult symbol(void);                                                            \
    EMULATED_API CUresult symbol(void) {                                                           \
        emulated_report("%s: called by its old name, which has the 32-bit ABI; the symbol is "     \
                        "%s_v2",                                                                   \
                        __func__, __func__);                                                       \
        return CUDA_ERROR_INVALID_VALUE;                                                           \
    }
TRAP(cuDeviceTotalMem)
TRAP(cuCtxCreate)
TRAP(cuMemGetInfo)
TRAP(cuMemAlloc)
TRAP(cuMemAllocHost)
TRAP(cuMemFree)
TRAP(cuMemcpyHtoD)
TRAP(cuMemcpyDtoH)
TRAP(cuMemcpyDtoD)
TRAP(cuMemcpyHtoDAsync)
TRAP(cuMemcpyDtoHAsync)
TRAP(cuMemcpyDtoDAsync)
TRAP(cuMemsetD8)
TRAP(cuMemsetD32)
TRAP(cuModuleGetGlobal)
TRAP(cuStreamDestroy)
TRAP(cuEventDestroy)
TRAP(cuDevicePrimaryCtxRelease)
TRAP(cuDevicePrimaryCtxReset)
