/* SPDX-License-Identifier: Apache-2.0 */
/* vitals.h - how a device fared during one epoch, out of a sample about once a second.
 *
 * A thread of its own asks the devices of a process for their telemetry while they work; what it
 * saw is summed up for each device, travels to the hub beside the epoch's answer and becomes one
 * note an epoch and device. A device that is too hot is told to end its chain in order:
 *
 *     pa_sampler_start(devices, count, &sampler, error);
 *     ... each device's chain watches pa_sampler_too_hot(sampler, i) ...
 *     pa_sampler_stop(sampler, longest_ns);
 */
#ifndef PA_MEASURE_VITALS_H
#define PA_MEASURE_VITALS_H

#include "base/bytes.h"
#include "device/device.h"

#include <stdatomic.h>

/* One epoch of one device. */
struct pa_vitals {
    uint32_t samples;     /* 0: nothing is known, all else is 0 */
    bool is_thermal_stop; /* the chain was ended early because of heat */
    bool has_energy, has_temperature, has_clock, has_memory_clock, has_slowdowns, has_ecc,
        has_processes;
    uint32_t power_samples; /* those that had power */
    uint32_t power_mean_mw, power_min_mw, power_max_mw;
    uint64_t energy_mj, energy_ns; /* by the device's own counter, and over how long */
    int32_t temperature_max_c;
    uint32_t clock_min_mhz, clock_max_mhz, memory_clock_min_mhz;
    uint32_t slowdowns;                      /* all that were seen */
    uint64_t ecc_corrected, ecc_uncorrected; /* new since the epoch before */
    uint32_t others;                         /* the most processes beside ours */
    char trouble[120]; /* why a question got no answer, the first time; empty: all got one */
};

/* What summing up needs to remember; zero-initialise it once for a device. */
struct pa_vitals_watch {
    struct pa_vitals vitals;
    uint64_t power_sum_mw;
    uint64_t energy_first_mj, energy_first_ns;
    bool has_energy_first, has_ecc_before;
    uint64_t corrected_before, uncorrected_before;
};

/* A new epoch: forget all but the error counts, so that errors between epochs are seen too. */
void pa_vitals_begin(struct pa_vitals_watch *watch);
void pa_vitals_add(struct pa_vitals_watch *watch, const struct pa_telemetry *now, uint64_t now_ns);
/* The hardware slows itself down for its own safety, or is about to. */
bool pa_telemetry_is_too_hot(const struct pa_telemetry *telemetry);

void pa_put_vitals(struct pa_buffer *out, const struct pa_vitals *vitals);
/* Marks `in` as failed where it holds what no device can tell. */
void pa_get_vitals(struct pa_reader *in, struct pa_vitals *out);

struct pa_sampler;

/* Begin to watch; NULL in `*out` where no device tells anything. `watches` has one for each device
 * and is borrowed until the sampler stops. */
int pa_sampler_start(struct pa_device *const *devices, struct pa_vitals_watch *watches,
                     uint32_t count, struct pa_sampler **out, struct pa_error *error);
/* Becomes true, and stays so, when device `index` should stop. NULL without a sampler. */
const atomic_bool *pa_sampler_too_hot(const struct pa_sampler *sampler, uint32_t index);
/* One last sample, then the watches are up to date and the sampler is gone: true. False when a call
 * into a library did not come back within `longest_ns`: the watches have what was seen, and the
 * sampler stays, with its thread, the devices and the caller's duty to ask again. NULL is fine. */
bool pa_sampler_stop(struct pa_sampler *sampler, uint64_t longest_ns);
/* Which device it asks or asked last. */
uint32_t pa_sampler_asks(struct pa_sampler *sampler);

#endif
