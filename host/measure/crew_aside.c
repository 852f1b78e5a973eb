/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/crew_aside.h"

#include "measure/coupled.h"
#include "measure/vendor_station.h"

int pa_crew_aside(struct pa_crew_aside *aside, struct pa_device *device, struct pa_stand *stand,
                  enum pa_operation operation, const void *request, size_t size,
                  struct pa_buffer *answer, struct pa_error *error) {
    aside->reduce.device = aside->memory.device = device;
    switch (operation) {
    case PA_ASK_ALLREDUCE:
        return pa_allreduce_execute(&aside->reduce, request, size, answer, error);
    case PA_ASK_COUPLED:
        return pa_coupled_execute(&aside->reduce, stand, request, size, answer, error);
    case PA_ASK_FABRIC:
        return pa_fabric_execute(&aside->fabric, stand, request, size, answer, error);
    case PA_ASK_ATTEST:
        return pa_vendor_execute(device, request, size, answer, error);
    default:
        return pa_memory_execute(&aside->memory, request, size, answer, error);
    }
}

void pa_crew_aside_leave(struct pa_crew_aside *aside) {
    pa_allreduce_leave(&aside->reduce);
    pa_memory_leave(&aside->memory);
    pa_fabric_leave(&aside->fabric);
}
