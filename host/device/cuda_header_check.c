/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_header_check.c - our declarations against the vendor's cuda.h, at compile time, where a CUDA
 * toolkit is installed. Compiles to nothing. */
#include <stdbool.h>

#include <cuda.h>
#include <cudaTypedefs.h>

/* <cuda.h> renames it to _v2, and from 13 on declares only that: we want the old symbol, which
 * every driver has, and compare it with the type that the vendor keeps for it. */
#undef cuEventElapsedTime
extern __typeof__(*(PFN_cuEventElapsedTime_v2000)0) cuEventElapsedTime;

#define PA_CUDA_VENDOR_HEADER
#include "device/cuda_api.h"

#define SAME_VALUE(name, value) _Static_assert((int)name == value, #name);
PA_CUDA_RESULTS(SAME_VALUE)
PA_CUDA_ATTRIBUTES(SAME_VALUE)
PA_CUDA_JIT_OPTIONS(SAME_VALUE)

#define SAME_FUNCTION(required, returns, symbol, arguments)                                        \
    _Static_assert(_Generic(&symbol, returns(*) arguments : 1, default : 0), #symbol);
PA_CUDA_FUNCTIONS(SAME_FUNCTION)

_Static_assert((int)PA_CU_STREAM_NON_BLOCKING == CU_STREAM_NON_BLOCKING, "stream flag");
_Static_assert((int)PA_CU_EVENT_DEFAULT == CU_EVENT_DEFAULT, "event flag");
_Static_assert((int)PA_CU_EVENT_DISABLE_TIMING == CU_EVENT_DISABLE_TIMING, "event flag");
