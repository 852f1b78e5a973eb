/* SPDX-License-Identifier: Apache-2.0 */
/* nccl_communicator.h - the all-reduce members of the cuda backend (device.h has their contracts),
 * and how two ranks of a communicator give each other as much memory.
 *
 * A rank is a device: one process may hold several, each driven by a thread of its own, and NCCL
 * finds its way between them over NVLink, PCIe or the network. Communicators do not block: NCCL
 * goes on in the background, we ask how far it is, and after our own deadline, or when it reports
 * that a peer is gone, the communicator is aborted. A lost rank never hangs the others.
 */
#ifndef PA_DEVICE_NCCL_COMMUNICATOR_H
#define PA_DEVICE_NCCL_COMMUNICATOR_H

#include "device/cuda_api.h"
#include "device/device.h"

int pa_nccl_communicator_id(bool is_one_host, uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                            struct pa_error *error);
int pa_nccl_communicator_open(struct pa_device *device, const uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                              int rank, int size, uint64_t most_bytes, uint64_t deadline_ns,
                              struct pa_communicator **out, struct pa_error *error);
int pa_nccl_allreduce_fill(struct pa_communicator *communicator, uint64_t bytes,
                           const struct pa_seed *seed, struct pa_error *error);
int pa_nccl_allreduce_run(struct pa_communicator *communicator, uint64_t bytes, uint32_t times,
                          uint64_t deadline_ns, uint64_t *out_ns, struct pa_error *error);
int pa_nccl_allreduce_digest(struct pa_communicator *communicator, uint64_t bytes,
                             const struct pa_seed *seed, uint64_t *chunks, struct pa_error *error);
/* `own` becomes the `theirs` of `partner`, and the other way round: device memory of both, `words`
 * of 4 bytes. No other rank takes part. What was queued to write `own` is done. */
int pa_nccl_swap(struct pa_communicator *communicator, int partner, CUdeviceptr own,
                 CUdeviceptr theirs, uint64_t words, uint64_t deadline_ns, struct pa_error *error);
void pa_nccl_communicator_close(struct pa_communicator *communicator);

#endif
