/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/meter_sampler.h"

#include "base/base.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct watch {
    struct pa_meter *meter;
    struct pa_meter_sampler *sampler;
    pthread_t thread;
    bool is_running;
    struct pa_meter_reading *readings; /* owned */
    size_t count, capacity;
    uint64_t failures;
    char trouble[256];
};

struct pa_meter_sampler {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping;
    size_t count;
    struct watch *watches;
};

static void keep(struct watch *watch, const struct pa_meter_reading *reading) {
    if (watch->count == PA_SAMPLER_MOST_WAITING) {
        memmove(watch->readings, watch->readings + 1, (watch->count - 1) * sizeof *reading);
        watch->count--;
        watch->failures++;
    }
    if (watch->count == watch->capacity) {
        size_t capacity = watch->capacity == 0 ? 256 : 2 * watch->capacity;
        struct pa_meter_reading *grown = realloc(watch->readings, capacity * sizeof *grown);
        if (grown == NULL) {
            watch->failures++;
            return;
        }
        watch->readings = grown;
        watch->capacity = capacity;
    }
    watch->readings[watch->count++] = *reading;
}

static void ask(struct watch *watch) {
    struct pa_meter_reading reading;
    struct pa_error error = {0};
    int code = pa_meter_read(watch->meter, &reading, &error);
    pthread_mutex_lock(&watch->sampler->lock);
    if (code == PA_OK) {
        keep(watch, &reading);
    } else {
        watch->failures++;
        pa_printable(watch->trouble, sizeof watch->trouble, error.text);
    }
    pthread_mutex_unlock(&watch->sampler->lock);
}

/* Wait for the next moment; true when the sampler stops. */
static bool rest(struct pa_meter_sampler *sampler, uint64_t ns) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t at = (uint64_t)until.tv_nsec + ns;
    until.tv_sec += (time_t)(at / 1000000000u);
    until.tv_nsec = (long)(at % 1000000000u);
    pthread_mutex_lock(&sampler->lock);
    while (!sampler->is_stopping &&
           pthread_cond_timedwait(&sampler->wake, &sampler->lock, &until) != ETIMEDOUT) {
    }
    bool is_stopping = sampler->is_stopping;
    pthread_mutex_unlock(&sampler->lock);
    return is_stopping;
}

/* Moments are multiples of the interval from the start, so that readings do not drift; those that a
 * slow meter missed are left out. */
static void *watch_meter(void *context) {
    struct watch *watch = context;
    uint64_t interval = watch->meter->facts.interval_ns, begun = pa_clock_raw_ns();
    for (;;) {
        ask(watch);
        uint64_t into = (pa_clock_raw_ns() - begun) % interval;
        if (rest(watch->sampler, interval - into))
            break;
    }
    ask(watch);
    return NULL;
}

static int start_watches(struct pa_meter_sampler *sampler, struct pa_meter *const *meters,
                         struct pa_error *error) {
    for (size_t i = 0; i < sampler->count; i++) {
        struct watch *watch = &sampler->watches[i];
        watch->meter = meters[i];
        watch->sampler = sampler;
        if (meters[i]->kind->read == NULL)
            continue;
        PA_TRY(pa_thread_start(&watch->thread, watch_meter, watch, error));
        watch->is_running = true;
    }
    return PA_OK;
}

int pa_meter_sampler_start(struct pa_meter *const *meters, size_t count,
                           struct pa_meter_sampler **out, struct pa_error *error) {
    struct pa_meter_sampler *sampler = calloc(1, sizeof *sampler);
    pthread_condattr_t monotonic;
    *out = NULL;
    if (sampler != NULL)
        sampler->watches = calloc(count > 0 ? count : 1, sizeof *sampler->watches);
    if (sampler == NULL || sampler->watches == NULL) {
        free(sampler);
        return pa_fail(error, PA_EMEMORY, "watching meters: out of memory");
    }
    sampler->count = count;
    pthread_mutex_init(&sampler->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&sampler->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int code = start_watches(sampler, meters, error);
    if (code != PA_OK) {
        pa_meter_sampler_free(sampler);
        return code;
    }
    *out = sampler;
    return PA_OK;
}

int pa_meter_sampler_take(struct pa_meter_sampler *sampler, size_t index,
                          struct pa_meter_batch *out, struct pa_error *error) {
    struct watch *watch = &sampler->watches[index];
    int code = PA_OK;
    *out = (struct pa_meter_batch){0};
    pthread_mutex_lock(&sampler->lock);
    if (watch->count > 0) {
        out->readings = malloc(watch->count * sizeof *out->readings);
        if (out->readings == NULL)
            code = pa_fail(error, PA_EMEMORY, "taking readings: out of memory");
    }
    if (code == PA_OK) {
        if (watch->count > 0)
            memcpy(out->readings, watch->readings, watch->count * sizeof *out->readings);
        out->count = watch->count;
        out->failures = watch->failures;
        memcpy(out->trouble, watch->trouble, sizeof out->trouble);
        watch->count = 0;
        watch->failures = 0;
        watch->trouble[0] = '\0';
    }
    pthread_mutex_unlock(&sampler->lock);
    return code;
}

void pa_meter_sampler_stop(struct pa_meter_sampler *sampler) {
    if (sampler == NULL)
        return;
    pthread_mutex_lock(&sampler->lock);
    sampler->is_stopping = true;
    pthread_cond_broadcast(&sampler->wake);
    pthread_mutex_unlock(&sampler->lock);
    for (size_t i = 0; i < sampler->count; i++)
        if (sampler->watches[i].is_running) {
            pthread_join(sampler->watches[i].thread, NULL);
            sampler->watches[i].is_running = false;
        }
}

void pa_meter_sampler_free(struct pa_meter_sampler *sampler) {
    if (sampler == NULL)
        return;
    pa_meter_sampler_stop(sampler);
    for (size_t i = 0; i < sampler->count; i++)
        free(sampler->watches[i].readings);
    free(sampler->watches);
    pthread_cond_destroy(&sampler->wake);
    pthread_mutex_destroy(&sampler->lock);
    free(sampler);
}
