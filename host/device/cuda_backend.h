/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_backend.h - NVIDIA's GPUs as accelerators, for the table of backends in device.c. */
#ifndef PA_DEVICE_CUDA_BACKEND_H
#define PA_DEVICE_CUDA_BACKEND_H

#include "device/device.h"

extern const struct pa_backend pa_cuda_backend;

#endif
