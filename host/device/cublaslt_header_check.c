/* SPDX-License-Identifier: Apache-2.0 */
/* cublaslt_header_check.c - our declarations against the vendor's cublasLt.h, at compile time,
 * where a CUDA toolkit is installed. Compiles to nothing. */
#include <stdbool.h>

#include <cublasLt.h>

#define PA_CUBLASLT_VENDOR_HEADER
#include "device/cublaslt_api.h"

#define SAME_VALUE(name, value) _Static_assert((int)name == value, #name);
PA_CUBLASLT_STATUSES(SAME_VALUE)
PA_CUBLASLT_TYPES(SAME_VALUE)
PA_CUBLASLT_COMPUTE_TYPES(SAME_VALUE)
PA_CUBLASLT_OPERATIONS(SAME_VALUE)
PA_CUBLASLT_DESC_ATTRIBUTES(SAME_VALUE)
PA_CUBLASLT_LAYOUT_ATTRIBUTES(SAME_VALUE)
PA_CUBLASLT_ORDERS(SAME_VALUE)
PA_CUBLASLT_PREFERENCES(SAME_VALUE)
PA_CUBLASLT_REDUCTIONS(SAME_VALUE)
PA_CUBLASLT_CONFIGURATIONS(SAME_VALUE)

#define SAME_FUNCTION(required, returns, symbol, arguments)                                        \
    _Static_assert(_Generic(&symbol, returns(*) arguments : 1, default : 0), #symbol);
PA_CUBLASLT_FUNCTIONS(SAME_FUNCTION)
