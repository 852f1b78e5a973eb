/* SPDX-License-Identifier: Apache-2.0 */
/* nccl_header_check.c - our declarations against the vendor's nccl.h, at compile time, where a CUDA
 * toolkit is installed. Compiles to nothing. */
#include <stdbool.h>

#include <nccl.h>

#define PA_NCCL_VENDOR_HEADER
#include "device/nccl_api.h"

#define SAME_VALUE(name, value) _Static_assert((int)name == value, #name);
PA_NCCL_RESULTS(SAME_VALUE)
PA_NCCL_TYPES(SAME_VALUE)
PA_NCCL_OPERATIONS(SAME_VALUE)

#define SAME_FUNCTION(required, returns, symbol, arguments)                                        \
    _Static_assert(_Generic(&symbol, returns(*) arguments : 1, default : 0), #symbol);
PA_NCCL_FUNCTIONS(SAME_FUNCTION)

_Static_assert(offsetof(ncclConfig_t, size) == offsetof(struct pa_nccl_config, size), "size");
_Static_assert(offsetof(ncclConfig_t, magic) == offsetof(struct pa_nccl_config, magic), "magic");
_Static_assert(offsetof(ncclConfig_t, version) == offsetof(struct pa_nccl_config, version),
               "version");
_Static_assert(offsetof(ncclConfig_t, blocking) == offsetof(struct pa_nccl_config, blocking),
               "blocking");
