/* SPDX-License-Identifier: Apache-2.0 */
/* host_exchange.h - pairs of ranks give each other as many words, between the memories of their
 * hosts, by the ways of the processors' all-reduce: shared memory on one host, MPI between hosts
 * (PETAUDIT_ALLREDUCE forces one). Whatever the devices are, their data go this way.
 *
 * Deadlines are instants of pa_clock_raw_ns. A rank that does not take part until then gives
 * PA_ETIMEOUT, one that is gone PA_EDEVICE; the exchange is of no use from then on.
 */
#ifndef PA_DEVICE_HOST_EXCHANGE_H
#define PA_DEVICE_HOST_EXCHANGE_H

#include "device/device.h"

/* Made once by one rank; reaches the others over link/. */
int pa_exchange_id(bool is_one_host, uint8_t id[PA_COMMUNICATOR_ID_BYTES], struct pa_error *error);
/* Whether an id is of this kind, and not one of a backend's own communicators. */
bool pa_exchange_knows(const uint8_t id[PA_COMMUNICATOR_ID_BYTES]);
/* Whether PETAUDIT_ALLREDUCE forces a way. */
bool pa_exchange_is_forced(void);
/* Collective: returns when all ranks are there. */
int pa_exchange_open(const uint8_t id[PA_COMMUNICATOR_ID_BYTES], int rank, int size,
                     uint64_t deadline_ns, struct pa_communicator **out, struct pa_error *error);
/* Collective: `in` becomes the `out` of `partner`, and the other way round. A rank that is its own
 * partner sits out: it waits for the others, and `out` is left alone. */
int pa_exchange_swap(struct pa_communicator *exchange, int partner, const uint32_t *in,
                     uint32_t *out, size_t words, uint64_t deadline_ns, struct pa_error *error);
void pa_exchange_close(struct pa_communicator *exchange);

#endif
