/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_backend.h - the processor as an accelerator, for the table of backends in device.c. */
#ifndef PA_DEVICE_CPU_BACKEND_H
#define PA_DEVICE_CPU_BACKEND_H

#include "device/device.h"

extern const struct pa_backend pa_cpu_backend;

#endif
