/* SPDX-License-Identifier: Apache-2.0 */
/* memory_station.h - one device's end of the memory proof (docs/protocol.md, "Memory proof").
 *
 * The hub asks all devices to fill their memory from its nonce, and only then gives the challenge
 * under which they read it back. A failure says nothing against the device's other work.
 */
#ifndef PA_MEASURE_MEMORY_STATION_H
#define PA_MEASURE_MEMORY_STATION_H

#include "base/bytes.h"
#include "device/device.h"
#include "proof/memory_proof.h"

/* Zero-initialise it and set the device. */
struct pa_memory_station {
    struct pa_device *device; /* borrowed */
    struct pa_memory *memory;
    struct pa_memory_place place;
};

/* The requests, and what answers them:
 *     fill  > u32 chunks | u64 ns
 *     read  > u64 ns | the answers, u64 each; the memory is given back */
void pa_memory_ask_fill(struct pa_buffer *out, const struct pa_memory_place *place,
                        uint64_t patience_ns);
void pa_memory_ask_read(struct pa_buffer *out, const struct pa_hash *challenge,
                        uint64_t patience_ns);

/* Do what the hub asks. */
int pa_memory_execute(struct pa_memory_station *station, const void *request, size_t size,
                      struct pa_buffer *answer, struct pa_error *error);
/* Give the memory back. */
void pa_memory_leave(struct pa_memory_station *station);

#endif
