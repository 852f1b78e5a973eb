/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated_gpu/emulated_meter.h"

#include "emulated_gpu/emulated.h"
#include "emulated_gpu/emulated_condition.h"

#include "base/base.h"

#include <pthread.h>

enum { SLOTS = 20, IDLE_CELSIUS = 34, FULL_CELSIUS = 68, IDLE_MHZ = 345 };

static const uint64_t slot_ns = 50000000, second_ns = 1000000000;

struct meter {
    uint64_t begun_ns, busy_ns, products;
    /* Work of the last second, in slots of slot_ns. */
    uint64_t slot_number[SLOTS], slot_busy_ns[SLOTS];
};

static struct meter meters[EMULATED_DEVICES_MAX];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool is_slow(int device) {
    const struct emulated_condition *condition = emulated_condition(device);
    return condition->slow_percent > 0 && meters[device].products >= condition->slow_from;
}

static bool is_hot(int device) {
    const struct emulated_condition *condition = emulated_condition(device);
    return condition->celsius > 0 && meters[device].products >= condition->celsius_from;
}

/* A GPU is metered from the first look or the first work on. Called under the mutex. */
static struct meter *meter_of(int device) {
    struct meter *meter = &meters[device];
    if (meter->begun_ns == 0)
        meter->begun_ns = emulated_clock_ns();
    return meter;
}

void emulated_meter_worked(int device, uint64_t begun_ns) {
    const struct emulated_condition *condition = emulated_condition(device);
    pthread_mutex_lock(&mutex);
    bool slow = is_slow(device);
    pthread_mutex_unlock(&mutex);
    uint64_t took_ns = emulated_clock_ns() - begun_ns;
    if (slow)
        pa_clock_sleep(took_ns * (100 - condition->slow_percent) / condition->slow_percent);
    uint64_t now_ns = emulated_clock_ns(), number = now_ns / slot_ns;
    pthread_mutex_lock(&mutex);
    struct meter *meter = meter_of(device);
    uint64_t *slot = &meter->slot_busy_ns[number % SLOTS];
    if (meter->slot_number[number % SLOTS] != number)
        *slot = 0;
    meter->slot_number[number % SLOTS] = number;
    *slot += now_ns - begun_ns;
    meter->busy_ns += now_ns - begun_ns;
    pthread_mutex_unlock(&mutex);
}

uint64_t emulated_meter_product(int device) {
    pthread_mutex_lock(&mutex);
    uint64_t products = ++meter_of(device)->products;
    pthread_mutex_unlock(&mutex);
    return products;
}

/* Work in the last second, in nanoseconds; overlapping streams count as one. */
static uint64_t recent_ns(const struct meter *meter, uint64_t now_ns) {
    uint64_t sum = 0, number = now_ns / slot_ns;
    for (int i = 0; i < SLOTS; i++)
        if (meter->slot_number[i] + SLOTS > number)
            sum += meter->slot_busy_ns[i];
    return sum < second_ns ? sum : second_ns;
}

void emulated_meter_read(int device, struct emulated_reading *out) {
    const struct emulated_device *facts = &emulated_platform()->devices[device];
    const struct emulated_condition *condition = emulated_condition(device);
    uint64_t now_ns = emulated_clock_ns();
    pthread_mutex_lock(&mutex);
    const struct meter *meter = meter_of(device);
    uint64_t recent = recent_ns(meter, now_ns), busy_ns = meter->busy_ns;
    double ran_s = (double)(now_ns - meter->begun_ns) * 1e-9, share = (double)recent * 1e-9;
    *out = (struct emulated_reading){.is_slow = is_slow(device), .is_hot = is_hot(device)};
    if (condition->ecc_uncorrected > 0 && meter->products >= condition->ecc_from)
        out->ecc_uncorrected = condition->ecc_uncorrected;
    pthread_mutex_unlock(&mutex);
    out->is_idle = recent == 0;
    out->power_mw = EMULATED_IDLE_MW + (uint64_t)((EMULATED_FULL_MW - EMULATED_IDLE_MW) * share);
    out->energy_mj = (uint64_t)(EMULATED_IDLE_MW * ran_s +
                                (EMULATED_FULL_MW - EMULATED_IDLE_MW) * (double)busy_ns * 1e-9);
    out->celsius = out->is_hot ? condition->celsius
                               : IDLE_CELSIUS + (unsigned)((FULL_CELSIUS - IDLE_CELSIUS) * share);
    out->memory_mhz = (unsigned)facts->memory_clock_khz / 1000;
    out->sm_mhz = (unsigned)facts->clock_khz / 1000;
    if (out->is_idle)
        out->sm_mhz = IDLE_MHZ;
    else if (out->is_slow)
        out->sm_mhz = out->sm_mhz * condition->slow_percent / 100;
}
