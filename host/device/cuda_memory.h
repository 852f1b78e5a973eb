/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_memory.h - the memory proof's members of the cuda backend (device.h has their contracts). */
#ifndef PA_DEVICE_CUDA_MEMORY_H
#define PA_DEVICE_CUDA_MEMORY_H

#include "device/device.h"

int pa_cuda_memory_open(struct pa_device *device, uint32_t wanted, struct pa_memory **out,
                        uint32_t *chunks, struct pa_error *error);
int pa_cuda_memory_fill(struct pa_memory *memory, const struct pa_seed *seed, uint64_t deadline_ns,
                        uint64_t *out_ns, struct pa_error *error);
int pa_cuda_memory_read(struct pa_memory *memory, const uint32_t *order, uint32_t s,
                        uint64_t deadline_ns, uint64_t *answers, uint64_t *out_ns,
                        struct pa_error *error);
void pa_cuda_memory_close(struct pa_memory *memory);

#endif
