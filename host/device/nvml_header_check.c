/* SPDX-License-Identifier: Apache-2.0 */
/* nvml_header_check.c - our declarations against the vendor's nvml.h, at compile time, where it is
 * installed. Compiles to nothing. */
#include <stdbool.h>

#include <nvml.h>

#define PA_NVML_VENDOR_HEADER
#include "device/nvml_api.h"

#define SAME_VALUE(name, value) _Static_assert((int)name == value, #name);
PA_NVML_RETURNS(SAME_VALUE)
PA_NVML_CLOCKS(SAME_VALUE)
PA_NVML_SENSORS(SAME_VALUE)
PA_NVML_THRESHOLDS(SAME_VALUE)
PA_NVML_STATES(SAME_VALUE)
PA_NVML_MEMORY_ERRORS(SAME_VALUE)
PA_NVML_COUNTERS(SAME_VALUE)
PA_NVML_VIRTUALIZATIONS(SAME_VALUE)

#define SAME_FUNCTION(required, returns, symbol, arguments)                                        \
    _Static_assert(_Generic(&symbol, returns(*) arguments : 1, default : 0), #symbol);
PA_NVML_FUNCTIONS(SAME_FUNCTION)

_Static_assert(PA_NVML_TEMPERATURE_VERSION == nvmlTemperature_v1, "nvmlTemperature_t");
_Static_assert(PA_NVML_MARGIN_VERSION == nvmlMarginTemperature_v1, "nvmlMarginTemperature_t");
