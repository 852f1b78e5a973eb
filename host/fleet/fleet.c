/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/fleet_sides.h"

#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

void pa_fleet_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void pa_fleet_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t deadline_ns) {
    static const uint64_t second_ns = UINT64_C(1000000000);
    uint64_t now = pa_clock_raw_ns();
    if (now >= deadline_ns)
        return;
    /* The two clocks drift apart slowly: a wait of an hour is taken in parts. */
    uint64_t left = deadline_ns - now < 60 * second_ns ? deadline_ns - now : 60 * second_ns;
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    uint64_t ns = (uint64_t)at.tv_nsec + left;
    at.tv_sec += (time_t)(ns / second_ns);
    at.tv_nsec = (long)(ns % second_ns);
    pthread_cond_timedwait(condition, lock, &at);
}

void pa_fleet_close(struct pa_fleet *fleet) {
    if (fleet == NULL)
        return;
    pa_hub_close(fleet->hub);
    pa_worker_close(fleet->worker);
    free(fleet);
}
