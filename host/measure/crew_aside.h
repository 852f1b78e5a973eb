/* SPDX-License-Identifier: Apache-2.0 */
/* crew_aside.h - what a device does beside its chains: sums, memory, states, a vendor's report.
 * Each is a station that keeps what it is in the middle of. A failure here says nothing against the
 * device's work. */
#ifndef PA_MEASURE_CREW_ASIDE_H
#define PA_MEASURE_CREW_ASIDE_H

#include "measure/allreduce.h"
#include "measure/fabric_station.h"
#include "measure/memory_station.h"
#include "measure/messages.h"

/* Zero-initialise it. */
struct pa_crew_aside {
    struct pa_allreduce_station reduce;
    struct pa_memory_station memory;
    struct pa_fabric_station fabric;
};

/* Do what the hub asks of this device, whose prepared stand for whole epochs is `stand`. */
int pa_crew_aside(struct pa_crew_aside *aside, struct pa_device *device, struct pa_stand *stand,
                  enum pa_operation operation, const void *request, size_t size,
                  struct pa_buffer *answer, struct pa_error *error);
void pa_crew_aside_leave(struct pa_crew_aside *aside);

#endif
