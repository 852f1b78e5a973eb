/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/crew_watch.h"

#include "base/clock.h"
#include "device/vendor_library.h"

#include <stdio.h>
#include <stdlib.h>

/* The last look at the devices, which all of the epoch's time counts for. */
static const uint64_t last_look_ns = 100000000;

int pa_crew_watch_open(struct pa_crew_watch *watch, uint32_t count, struct pa_error *error) {
    watch->count = count;
    watch->devices = calloc(count, sizeof *watch->devices);
    watch->watches = calloc(count, sizeof *watch->watches);
    return watch->devices != NULL && watch->watches != NULL
               ? PA_OK
               : pa_fail(error, PA_EMEMORY, "opening devices: out of memory");
}

static void say_late(struct pa_crew_watch *watch) {
    uint32_t index = pa_sampler_asks(watch->late);
    struct pa_vitals *vitals = &watch->watches[index].vitals;
    const char *call = pa_vendor_call();
    snprintf(vitals->trouble, sizeof vitals->trouble, "%.80s has not come back",
             call != NULL ? call : "a call into a library");
}

int pa_crew_watch_begin(struct pa_crew_watch *watch, bool is_long, struct pa_error *error) {
    for (uint32_t i = 0; i < watch->count; i++)
        pa_vitals_begin(&watch->watches[i]);
    if (!is_long)
        return PA_OK;
    if (watch->late != NULL && !pa_sampler_stop(watch->late, 0)) {
        say_late(watch);
        return PA_OK;
    }
    watch->late = NULL;
    return pa_sampler_start(watch->devices, watch->watches, watch->count, &watch->sampler, error);
}

void pa_crew_watch_end(struct pa_crew_watch *watch) {
    if (!pa_sampler_stop(watch->sampler, last_look_ns))
        watch->late = watch->sampler;
    watch->sampler = NULL;
}

bool pa_crew_watch_is_back(struct pa_crew_watch *watch) {
    if (!pa_sampler_stop(watch->late, last_look_ns))
        return false;
    watch->late = NULL;
    return true;
}

void pa_crew_watch_free(struct pa_crew_watch *watch) {
    free(watch->devices);
    free(watch->watches);
}
