/* SPDX-License-Identifier: Apache-2.0 */
/* nvml_library.h - libnvidia-ml.so.1, loaded and initialised once in a process. */
#ifndef PA_DEVICE_NVML_LIBRARY_H
#define PA_DEVICE_NVML_LIBRARY_H

#include "base/error.h"
#include "device/nvml_api.h"
#include "device/vendor_library.h"

#include <stdbool.h>

/* The functions of nvml_api.h; optional ones may be NULL. */
struct pa_nvml {
    PA_NVML_FUNCTIONS(PA_VENDOR_MEMBER)
};

/* The library, which stays loaded. PA_EUNSUPPORTED and why, the same each time, where it is absent
 * or cannot start. */
int pa_nvml_library(const struct pa_nvml **out, struct pa_error *error);

#endif
