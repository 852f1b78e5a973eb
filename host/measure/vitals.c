/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/vitals.h"

#include "base/file.h"

#include <string.h>

void pa_vitals_begin(struct pa_vitals_watch *watch) {
    *watch = (struct pa_vitals_watch){.has_ecc_before = watch->has_ecc_before,
                                      .corrected_before = watch->corrected_before,
                                      .uncorrected_before = watch->uncorrected_before};
}

bool pa_telemetry_is_too_hot(const struct pa_telemetry *telemetry) {
    return (telemetry->has_slowdowns && (telemetry->slowdowns & PA_SLOW_HW_THERMAL) != 0) ||
           (telemetry->has_headroom && telemetry->headroom_c <= 0);
}

static void add_power(struct pa_vitals_watch *watch, const struct pa_telemetry *now,
                      uint64_t now_ns) {
    struct pa_vitals *vitals = &watch->vitals;
    if (now->has_power) {
        uint32_t mw = now->power_mw;
        watch->power_sum_mw += mw;
        if (vitals->power_samples == 0 || mw < vitals->power_min_mw)
            vitals->power_min_mw = mw;
        if (mw > vitals->power_max_mw)
            vitals->power_max_mw = mw;
        vitals->power_samples++;
        vitals->power_mean_mw = (uint32_t)(watch->power_sum_mw / vitals->power_samples);
    }
    if (!now->has_energy)
        return;
    if (!watch->has_energy_first) {
        watch->has_energy_first = true;
        watch->energy_first_mj = now->energy_mj;
        watch->energy_first_ns = now_ns;
    } else if (now->energy_mj >= watch->energy_first_mj) {
        /* A counter that goes backwards was reset with its driver and tells nothing. */
        vitals->has_energy = true;
        vitals->energy_mj = now->energy_mj - watch->energy_first_mj;
        vitals->energy_ns = now_ns - watch->energy_first_ns;
    }
}

static void add_clocks(struct pa_vitals *vitals, const struct pa_telemetry *now) {
    if (now->has_clock) {
        if (!vitals->has_clock || now->clock_mhz < vitals->clock_min_mhz)
            vitals->clock_min_mhz = now->clock_mhz;
        if (now->clock_mhz > vitals->clock_max_mhz)
            vitals->clock_max_mhz = now->clock_mhz;
        vitals->has_clock = true;
    }
    if (now->has_memory_clock) {
        if (!vitals->has_memory_clock || now->memory_clock_mhz < vitals->memory_clock_min_mhz)
            vitals->memory_clock_min_mhz = now->memory_clock_mhz;
        vitals->has_memory_clock = true;
    }
    vitals->has_slowdowns |= now->has_slowdowns;
    vitals->slowdowns |= now->has_slowdowns ? now->slowdowns : 0;
}

/* Counters only grow; one that is smaller than before began again at 0. */
static uint64_t grown(uint64_t now, uint64_t before) {
    return now >= before ? now - before : now;
}

static void add_errors(struct pa_vitals_watch *watch, const struct pa_telemetry *now) {
    struct pa_vitals *vitals = &watch->vitals;
    if (!now->has_ecc)
        return;
    vitals->has_ecc = true;
    if (watch->has_ecc_before) {
        vitals->ecc_corrected += grown(now->ecc_corrected, watch->corrected_before);
        vitals->ecc_uncorrected += grown(now->ecc_uncorrected, watch->uncorrected_before);
    }
    watch->has_ecc_before = true;
    watch->corrected_before = now->ecc_corrected;
    watch->uncorrected_before = now->ecc_uncorrected;
}

void pa_vitals_add(struct pa_vitals_watch *watch, const struct pa_telemetry *now, uint64_t now_ns) {
    struct pa_vitals *vitals = &watch->vitals;
    add_power(watch, now, now_ns);
    add_clocks(vitals, now);
    add_errors(watch, now);
    if (now->has_temperature) {
        if (!vitals->has_temperature || now->temperature_c > vitals->temperature_max_c)
            vitals->temperature_max_c = now->temperature_c;
        vitals->has_temperature = true;
    }
    if (now->has_processes) {
        /* We are on the list ourselves, in a container by a number that we do not know. */
        uint32_t others = now->processes > 0 ? now->processes - 1 : 0;
        if (others > vitals->others)
            vitals->others = others;
        vitals->has_processes = true;
    }
    vitals->is_thermal_stop |= pa_telemetry_is_too_hot(now);
    vitals->samples++;
}

enum flag {
    HAS_ENERGY = 1 << 0,
    HAS_TEMPERATURE = 1 << 1,
    HAS_CLOCK = 1 << 2,
    HAS_MEMORY_CLOCK = 1 << 3,
    HAS_SLOWDOWNS = 1 << 4,
    HAS_ECC = 1 << 5,
    HAS_PROCESSES = 1 << 6,
    IS_THERMAL_STOP = 1 << 7,
    ALL_FLAGS = (1 << 8) - 1,
};

static uint32_t flags_of(const struct pa_vitals *vitals) {
    return (vitals->has_energy ? (uint32_t)HAS_ENERGY : 0) |
           (vitals->has_temperature ? (uint32_t)HAS_TEMPERATURE : 0) |
           (vitals->has_clock ? (uint32_t)HAS_CLOCK : 0) |
           (vitals->has_memory_clock ? (uint32_t)HAS_MEMORY_CLOCK : 0) |
           (vitals->has_slowdowns ? (uint32_t)HAS_SLOWDOWNS : 0) |
           (vitals->has_ecc ? (uint32_t)HAS_ECC : 0) |
           (vitals->has_processes ? (uint32_t)HAS_PROCESSES : 0) |
           (vitals->is_thermal_stop ? (uint32_t)IS_THERMAL_STOP : 0);
}

void pa_put_vitals(struct pa_buffer *out, const struct pa_vitals *vitals) {
    pa_buffer_u32(out, vitals->samples);
    pa_buffer_u32(out, flags_of(vitals));
    pa_buffer_u32(out, vitals->power_samples);
    pa_buffer_u32(out, vitals->power_mean_mw);
    pa_buffer_u32(out, vitals->power_min_mw);
    pa_buffer_u32(out, vitals->power_max_mw);
    pa_buffer_u64(out, vitals->energy_mj);
    pa_buffer_u64(out, vitals->energy_ns);
    pa_buffer_u32(out, (uint32_t)vitals->temperature_max_c);
    pa_buffer_u32(out, vitals->clock_min_mhz);
    pa_buffer_u32(out, vitals->clock_max_mhz);
    pa_buffer_u32(out, vitals->memory_clock_min_mhz);
    pa_buffer_u32(out, vitals->slowdowns);
    pa_buffer_u64(out, vitals->ecc_corrected);
    pa_buffer_u64(out, vitals->ecc_uncorrected);
    pa_buffer_u32(out, vitals->others);
    pa_buffer_bytes(out, vitals->trouble, sizeof vitals->trouble);
}

void pa_get_vitals(struct pa_reader *in, struct pa_vitals *out) {
    *out = (struct pa_vitals){.samples = pa_read_u32(in)};
    uint32_t flags = pa_read_u32(in);
    out->has_energy = (flags & HAS_ENERGY) != 0;
    out->has_temperature = (flags & HAS_TEMPERATURE) != 0;
    out->has_clock = (flags & HAS_CLOCK) != 0;
    out->has_memory_clock = (flags & HAS_MEMORY_CLOCK) != 0;
    out->has_slowdowns = (flags & HAS_SLOWDOWNS) != 0;
    out->has_ecc = (flags & HAS_ECC) != 0;
    out->has_processes = (flags & HAS_PROCESSES) != 0;
    out->is_thermal_stop = (flags & IS_THERMAL_STOP) != 0;
    out->power_samples = pa_read_u32(in);
    out->power_mean_mw = pa_read_u32(in);
    out->power_min_mw = pa_read_u32(in);
    out->power_max_mw = pa_read_u32(in);
    out->energy_mj = pa_read_u64(in);
    out->energy_ns = pa_read_u64(in);
    out->temperature_max_c = (int32_t)pa_read_u32(in);
    out->clock_min_mhz = pa_read_u32(in);
    out->clock_max_mhz = pa_read_u32(in);
    out->memory_clock_min_mhz = pa_read_u32(in);
    out->slowdowns = pa_read_u32(in);
    out->ecc_corrected = pa_read_u64(in);
    out->ecc_uncorrected = pa_read_u64(in);
    out->others = pa_read_u32(in);
    char text[sizeof out->trouble] = "";
    pa_read_bytes(in, text, sizeof text);
    text[sizeof text - 1] = '\0';
    pa_printable(out->trouble, sizeof out->trouble, text);
    /* Numbers become JSON integers: they stay below 2^63. */
    if (flags > ALL_FLAGS || out->power_samples > out->samples ||
        out->slowdowns >> PA_SLOWDOWNS != 0 || out->energy_mj > INT64_MAX ||
        out->energy_ns > INT64_MAX || out->ecc_corrected > INT64_MAX ||
        out->ecc_uncorrected > INT64_MAX || out->temperature_max_c < -300 ||
        out->temperature_max_c > 1000)
        in->failed = true;
}
