/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_sides.h - a fleet as this process sees it: from the hub or from a worker. */
#ifndef PA_FLEET_FLEET_SIDES_H
#define PA_FLEET_FLEET_SIDES_H

#include "fleet/fleet.h"

#include <pthread.h>

struct pa_hub;
struct pa_worker;

struct pa_fleet {
    struct pa_place place;
    struct pa_hub *hub;       /* NULL for a worker and for a fleet of one */
    struct pa_worker *worker; /* NULL for the hub */
};

void pa_hub_close(struct pa_hub *hub);
void pa_worker_close(struct pa_worker *worker);

/* A condition variable that pa_fleet_wait_until can use. */
void pa_fleet_condition_init(pthread_cond_t *condition);
/* Wait for `condition`, until `deadline_ns` (RAW) at most, or wake up for no reason. */
void pa_fleet_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t deadline_ns);

#endif
