/* SPDX-License-Identifier: Apache-2.0 */
/* nccl_library.h - libnccl.so.2, loaded once in a process. */
#ifndef PA_DEVICE_NCCL_LIBRARY_H
#define PA_DEVICE_NCCL_LIBRARY_H

#include "base/error.h"
#include "device/nccl_api.h"
#include "device/vendor_library.h"

#include <stdbool.h>

struct pa_nccl {
    PA_NCCL_FUNCTIONS(PA_VENDOR_MEMBER)
};

/* PA_EUNSUPPORTED and why, the same each time, where it is absent or older than 2.14. */
int pa_nccl_library(const struct pa_nccl **out, struct pa_error *error);

#endif
