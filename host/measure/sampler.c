/* SPDX-License-Identifier: Apache-2.0 */
/* sampler.c - the thread that asks devices how they fare while they work (vitals.h). */
#include "base/clock.h"
#include "base/file.h"
#include "base/team.h"
#include "measure/vitals.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

static const uint64_t second_ns = 1000000000;

struct subject {
    struct pa_device *device;
    struct pa_vitals_watch watch;
    atomic_bool is_too_hot;
};

struct pa_sampler {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_stopping, is_over, is_left; /* left: nobody waits for what it still sees */
    uint32_t asked;                     /* the subject of the last question */
    pthread_t thread;
    struct pa_vitals_watch *watches; /* the caller's */
    uint32_t count;
    struct subject subjects[];
};

/* The rest is not asked once the caller has left. */
static void sample(struct pa_sampler *sampler) {
    bool is_left = false;
    for (uint32_t i = 0; i < sampler->count && !is_left; i++) {
        struct subject *subject = &sampler->subjects[i];
        const struct pa_backend *backend = subject->device->backend;
        struct pa_telemetry now = {0};
        if (backend->telemetry == NULL)
            continue;
        struct pa_error cause = {0};
        pthread_mutex_lock(&sampler->lock);
        sampler->asked = i;
        pthread_mutex_unlock(&sampler->lock);
        int code = backend->telemetry(subject->device, &now, &cause);
        pthread_mutex_lock(&sampler->lock);
        is_left = sampler->is_left;
        struct pa_vitals *vitals = &subject->watch.vitals;
        if (code == PA_OK)
            pa_vitals_add(&subject->watch, &now, pa_clock_raw_ns());
        else if (vitals->trouble[0] == '\0')
            pa_printable(vitals->trouble, sizeof vitals->trouble, cause.text);
        pthread_mutex_unlock(&sampler->lock);
        if (code == PA_OK && pa_telemetry_is_too_hot(&now))
            atomic_store(&subject->is_too_hot, true);
    }
}

static struct timespec after(uint64_t ns) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ns / second_ns);
    at.tv_nsec += (long)(ns % second_ns);
    if (at.tv_nsec >= (long)second_ns) {
        at.tv_sec++;
        at.tv_nsec -= (long)second_ns;
    }
    return at;
}

static void sampler_free(struct pa_sampler *sampler) {
    pthread_cond_destroy(&sampler->changed);
    pthread_mutex_destroy(&sampler->lock);
    free(sampler);
}

static void *sampler_body(void *context) {
    struct pa_sampler *sampler = context;
    bool is_stopping = false;
    while (!is_stopping) {
        sample(sampler);
        pthread_mutex_lock(&sampler->lock);
        struct timespec next = after(second_ns);
        while (!sampler->is_stopping &&
               pthread_cond_timedwait(&sampler->changed, &sampler->lock, &next) != ETIMEDOUT)
            ;
        is_stopping = sampler->is_stopping;
        pthread_mutex_unlock(&sampler->lock);
    }
    pthread_mutex_lock(&sampler->lock);
    bool is_left = sampler->is_left;
    pthread_mutex_unlock(&sampler->lock);
    if (!is_left)
        sample(sampler);
    pthread_mutex_lock(&sampler->lock);
    sampler->is_over = true;
    pthread_cond_broadcast(&sampler->changed);
    pthread_mutex_unlock(&sampler->lock);
    return NULL;
}

static bool anybody_tells(struct pa_device *const *devices, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (devices[i]->backend->telemetry != NULL)
            return true;
    return false;
}

int pa_sampler_start(struct pa_device *const *devices, struct pa_vitals_watch *watches,
                     uint32_t count, struct pa_sampler **out, struct pa_error *error) {
    *out = NULL;
    for (uint32_t i = 0; i < count; i++)
        pa_vitals_begin(&watches[i]);
    if (!anybody_tells(devices, count))
        return PA_OK;
    struct pa_sampler *sampler = calloc(1, sizeof *sampler + count * sizeof sampler->subjects[0]);
    if (sampler == NULL)
        return pa_fail(error, PA_EMEMORY, "watching %u devices: out of memory", count);
    sampler->watches = watches;
    sampler->count = count;
    for (uint32_t i = 0; i < count; i++) {
        sampler->subjects[i].device = devices[i];
        sampler->subjects[i].watch = watches[i];
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sampler->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&sampler->lock, NULL);
    int code = pa_thread_start(&sampler->thread, sampler_body, sampler, error);
    if (code != PA_OK) {
        sampler_free(sampler);
        return code;
    }
    *out = sampler;
    return PA_OK;
}

const atomic_bool *pa_sampler_too_hot(const struct pa_sampler *sampler, uint32_t index) {
    return sampler == NULL ? NULL : &sampler->subjects[index].is_too_hot;
}

uint32_t pa_sampler_asks(struct pa_sampler *sampler) {
    pthread_mutex_lock(&sampler->lock);
    uint32_t asked = sampler->asked;
    pthread_mutex_unlock(&sampler->lock);
    return asked;
}

bool pa_sampler_stop(struct pa_sampler *sampler, uint64_t longest_ns) {
    if (sampler == NULL)
        return true;
    pthread_mutex_lock(&sampler->lock);
    sampler->is_stopping = true;
    pthread_cond_broadcast(&sampler->changed);
    struct timespec last = after(longest_ns);
    while (!sampler->is_over &&
           pthread_cond_timedwait(&sampler->changed, &sampler->lock, &last) != ETIMEDOUT)
        ;
    /* The watches are another epoch's when it is asked again. */
    for (uint32_t i = 0; i < sampler->count && !sampler->is_left; i++)
        sampler->watches[i] = sampler->subjects[i].watch;
    bool is_over = sampler->is_over;
    sampler->is_left = true;
    pthread_mutex_unlock(&sampler->lock);
    if (!is_over)
        return false;
    pthread_join(sampler->thread, NULL);
    sampler_free(sampler);
    return true;
}
