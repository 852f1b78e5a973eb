/* SPDX-License-Identifier: Apache-2.0 */
/* driver_exports.h - declarations of the driver's functions, made from petaudit's own table, and of
 * those that tests and other programs call besides. */
#ifndef PA_TESTS_DRIVER_EXPORTS_H
#define PA_TESTS_DRIVER_EXPORTS_H

#include "device/cuda_api.h"
#include "emulated_gpu/emulated.h"

#define DRIVER_DECLARE(required, returns, symbol, arguments) EMULATED_API returns symbol arguments;
PA_CUDA_FUNCTIONS(DRIVER_DECLARE)
#undef DRIVER_DECLARE

EMULATED_API CUresult cuCtxGetCurrent(CUcontext *context);
EMULATED_API CUresult cuCtxSynchronize(void);
EMULATED_API CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned int *flags, int *active);
EMULATED_API CUresult cuEventElapsedTime_v2(float *ms, CUevent start, CUevent end);
EMULATED_API CUresult cuEventSynchronize(CUevent event);
EMULATED_API CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction function);
EMULATED_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                                           CUstream stream);
EMULATED_API CUresult cuMemsetD32Async(CUdeviceptr to, unsigned int word, size_t words,
                                       CUstream stream);
EMULATED_API CUresult cuModuleLoadData(CUmodule *module, const void *image);
EMULATED_API CUresult cuStreamSynchronize(CUstream stream);

#endif
