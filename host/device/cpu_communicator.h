/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_communicator.h - the all-reduce members of the cpu backend (device.h has their contracts).
 *
 * Data travel through shared memory between ranks on one host, and through MPI, in a module of its
 * own that is loaded when it is needed, between hosts. PETAUDIT_ALLREDUCE=shm or mpi forces one.
 */
#ifndef PA_DEVICE_CPU_COMMUNICATOR_H
#define PA_DEVICE_CPU_COMMUNICATOR_H

#include "device/device.h"

int pa_cpu_communicator_id(bool is_one_host, uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                           struct pa_error *error);
int pa_cpu_communicator_open(struct pa_device *device, const uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                             int rank, int size, uint64_t most_bytes, uint64_t deadline_ns,
                             struct pa_communicator **out, struct pa_error *error);
int pa_cpu_allreduce_fill(struct pa_communicator *communicator, uint64_t bytes,
                          const struct pa_seed *seed, struct pa_error *error);
int pa_cpu_allreduce_run(struct pa_communicator *communicator, uint64_t bytes, uint32_t times,
                         uint64_t deadline_ns, uint64_t *out_ns, struct pa_error *error);
int pa_cpu_allreduce_digest(struct pa_communicator *communicator, uint64_t bytes,
                            const struct pa_seed *seed, uint64_t *chunks, struct pa_error *error);
void pa_cpu_communicator_close(struct pa_communicator *communicator);

/* A way for data to travel. */
struct pa_cpu_transport {
    const char *name; /* at most 15 characters; the beginning of a communicator's id */
    /* Is it there on this machine? PA_EUNSUPPORTED and why not. */
    int (*probe)(struct pa_error *error);
    /* Collective: returns when all ranks are there. `secret` has 16 random bytes. */
    int (*open)(const uint8_t *secret, int rank, int size, uint64_t deadline_ns, void **out,
                struct pa_error *error);
    int (*barrier)(void *state, uint64_t deadline_ns, struct pa_error *error);
    int (*sum)(void *state, const uint32_t *in, uint32_t *out, size_t words, uint64_t deadline_ns,
               struct pa_error *error);
    /* As pa_exchange_swap. */
    int (*swap)(void *state, int partner, const uint32_t *in, uint32_t *out, size_t words,
                uint64_t deadline_ns, struct pa_error *error);
    void (*close)(void *state);
};

extern const struct pa_cpu_transport pa_cpu_shm;
extern const struct pa_cpu_transport pa_cpu_mpi;

#endif
