/* SPDX-License-Identifier: Apache-2.0 */
/* crew_watch.h - who asks a process's devices how they fare while an epoch runs, and what becomes
 * of a question that a vendor's library does not answer: the epoch does not wait for it, nobody
 * asks again before it is back, and the device's vitals say which call it is. */
#ifndef PA_MEASURE_CREW_WATCH_H
#define PA_MEASURE_CREW_WATCH_H

#include "measure/vitals.h"

struct pa_crew_watch {
    struct pa_device **devices;      /* owned, by seat: what is looked at */
    struct pa_vitals_watch *watches; /* owned: what was seen */
    uint32_t count;
    struct pa_sampler *sampler; /* of the epoch under work */
    struct pa_sampler *late;    /* of an earlier one, whose call has not come back */
};

/* `devices` has room for `count`; the caller fills it. */
int pa_crew_watch_open(struct pa_crew_watch *watch, uint32_t count, struct pa_error *error);
/* A short epoch (not `is_long`) is over before a driver has answered: nobody watches it. */
int pa_crew_watch_begin(struct pa_crew_watch *watch, bool is_long, struct pa_error *error);
/* The watches are up to date, a tenth of a second later at most. */
void pa_crew_watch_end(struct pa_crew_watch *watch);
/* False when a thread is left in a call: it and the devices must stay as they are. */
bool pa_crew_watch_is_back(struct pa_crew_watch *watch);
void pa_crew_watch_free(struct pa_crew_watch *watch);

#endif
