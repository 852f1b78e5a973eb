/* SPDX-License-Identifier: Apache-2.0 */
/* power_devices.c - what the devices themselves told of their power, in notes of the kind
 * `telemetry`, as one more meter inside of the machines.
 *
 * A device tells for each epoch the mean of its power readings, what its energy counter grew by, or
 * both. The counter is taken where there is one; how far the two are apart is kept. */
#include "judge/facts_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sums over the devices that told something in one epoch. */
struct told {
    double watts;             /* by the counter, else by power */
    double counted_w, read_w; /* of devices that told both */
    uint32_t devices;
    bool has_power, has_energy;
};

static double figure(const json_t *note, const char *key) {
    const json_t *value = json_object_get(note, key);
    return json_is_integer(value) && json_integer_value(value) >= 0
               ? (double)json_integer_value(value)
               : -1;
}

/* One device's sums over its epochs. */
struct own {
    double read_j, read_s, counted_j, counted_s;
};

/* A note that tells nothing of power is not kept: there may be one for each device and epoch. */
int pa_replay_told_note(struct pa_replay *replay, uint64_t epoch, const json_t *note,
                        struct pa_error *error) {
    double device = figure(note, "device");
    struct pa_replay_told found = {.mean_mw = figure(note, "power_mean_mw"),
                                   .energy_mj = figure(note, "energy_mj"),
                                   .energy_ns = figure(note, "energy_ns")};
    if (epoch >= PA_EPOCH_NUMBER_END || device < 0 || device >= replay->facts->device_count ||
        (found.mean_mw < 0 && found.energy_mj < 0))
        return PA_OK;
    found.epoch = (uint32_t)epoch;
    found.device = (uint32_t)device;
    if (replay->told_count == replay->told_capacity) {
        size_t capacity = replay->told_capacity == 0 ? 256 : 2 * replay->told_capacity;
        struct pa_replay_told *grown = realloc(replay->told, capacity * sizeof *grown);
        if (grown == NULL)
            return pa_fail(error, PA_EMEMORY, "reading the devices' power: out of memory");
        replay->told = grown;
        replay->told_capacity = capacity;
    }
    replay->told[replay->told_count++] = found;
    return PA_OK;
}

static void add_note(struct told *told, struct own *own, double seconds,
                     const struct pa_replay_told *note) {
    double mean_mw = note->mean_mw, energy_mj = note->energy_mj, energy_ns = note->energy_ns;
    bool has_energy = energy_mj >= 0 && energy_ns > 0, has_power = mean_mw >= 0;
    double counted_w = has_energy ? energy_mj * 1e-3 / (energy_ns * 1e-9) : 0;
    if (!has_energy && !has_power)
        return;
    if (has_power) {
        own->read_j += mean_mw * 1e-3 * seconds;
        own->read_s += seconds;
    }
    if (has_energy) {
        own->counted_j += counted_w * seconds;
        own->counted_s += seconds;
    }
    told->devices++;
    told->has_power = told->has_power || has_power;
    told->has_energy = told->has_energy || has_energy;
    told->watts += has_energy ? counted_w : mean_mw * 1e-3;
    if (has_energy && has_power) {
        told->counted_w += counted_w;
        told->read_w += mean_mw * 1e-3;
    }
}

static double seconds_of(const struct pa_replay_epoch *epoch) {
    return epoch->t1.raw_ns > epoch->t0.raw_ns
               ? (double)(epoch->t1.raw_ns - epoch->t0.raw_ns) * 1e-9
               : 0;
}

static void sum_notes(const struct pa_replay *replay, struct told *told, struct own *own) {
    for (size_t i = 0; i < replay->told_count; i++) {
        const struct pa_replay_told *note = &replay->told[i];
        if (note->epoch < replay->epoch_count && replay->epochs[note->epoch].has_root)
            add_note(&told[note->epoch], &own[note->device],
                     seconds_of(&replay->epochs[note->epoch]), note);
    }
}

/* Each device's own figures, where it told any. */
static void keep_devices(struct pa_facts *facts, const struct own *own,
                         struct pa_fact_device_power *devices) {
    struct pa_fact_power *power = &facts->power;
    power->devices = devices;
    for (uint32_t d = 0; d < facts->device_count; d++) {
        if (own[d].read_s <= 0 && own[d].counted_s <= 0)
            continue;
        struct pa_fact_device_power *found = &power->devices[power->device_count++];
        *found = (struct pa_fact_device_power){
            .device = d, .has_read = own[d].read_s > 0, .has_counted = own[d].counted_s > 0};
        if (found->has_read)
            found->read_w = own[d].read_j / own[d].read_s;
        if (found->has_counted)
            found->counted_w = own[d].counted_j / own[d].counted_s;
    }
}

/* A reading of a counter that we keep ourselves: epoch by epoch it grows by what was told. */
static void put_reading(struct pa_replay_meter *meter, const struct pa_replay_epoch *epoch,
                        struct pa_instant at, double joules) {
    double millijoules = joules * 1e3;
    meter->readings[meter->count++] = (struct pa_replay_reading){
        .sample = {.at = at,
                   .milliwatts = PA_POWER_UNKNOWN,
                   .millijoules = millijoules < 9e18 ? (uint64_t)millijoules : 0},
        .segment = epoch->segment};
}

/* A moment at which nothing is known: what lies on its two sides is not joined. */
static void put_break(struct pa_replay_meter *meter, const struct pa_replay_epoch *epoch) {
    put_reading(meter, epoch, epoch->t1, 0);
    struct pa_power_sample *sample = &meter->readings[meter->count - 1].sample;
    sample->at.raw_ns++;
    sample->at.utc_ns++;
    sample->millijoules = PA_ENERGY_UNKNOWN;
}

/* The next epoch, where it begins right behind this one and was told of too. */
static const struct pa_replay_epoch *next_told(const struct pa_replay *replay,
                                               const struct told *told, uint32_t e) {
    const struct pa_replay_epoch *epoch = &replay->epochs[e], *next = &epoch[1];
    bool is_next = e + 1 < replay->epoch_count && told[e + 1].devices > 0 &&
                   next->segment == epoch->segment && seconds_of(next) > 0 &&
                   next->t0.raw_ns >= epoch->t1.raw_ns;
    return is_next ? next : NULL;
}

static void fill(const struct pa_replay *replay, const struct told *told,
                 struct pa_replay_meter *meter) {
    struct pa_fact_meter *facts = &meter->facts;
    double joules = 0;
    uint32_t most = 0;
    for (uint32_t e = 0; e < replay->epoch_count; e++) {
        const struct pa_replay_epoch *epoch = &replay->epochs[e];
        double seconds = seconds_of(epoch);
        if (told[e].devices == 0 || seconds <= 0)
            continue;
        const struct pa_replay_epoch *next = next_told(replay, told, e);
        put_reading(meter, epoch, epoch->t0, joules);
        if (next != NULL)
            joules += told[e].watts * (double)(next->t0.raw_ns - epoch->t0.raw_ns) * 1e-9;
        else
            joules += told[e].watts * seconds;
        if (next == NULL) {
            put_reading(meter, epoch, epoch->t1, joules);
            put_break(meter, epoch);
        }
        facts->counter_j += told[e].counted_w * seconds;
        facts->integrated_j += told[e].read_w * seconds;
        facts->has_power = facts->has_power || told[e].has_power;
        facts->has_energy = facts->has_energy || told[e].has_energy;
        if (told[e].devices > most)
            most = told[e].devices;
    }
    facts->is_component = true;
    facts->is_told = true;
    snprintf(facts->source, sizeof facts->source, "nvml");
    snprintf(facts->name, sizeof facts->name, "%u of %u devices", most,
             replay->facts->device_count);
    snprintf(facts->details, sizeof facts->details, "%s",
             facts->has_energy ? "the devices' own energy counters"
                               : "the devices' own power readings");
}

int pa_replay_power_devices(struct pa_replay *replay, struct pa_error *error) {
    size_t epochs = replay->epoch_count;
    size_t devices = replay->facts->device_count;
    struct told *told = calloc(epochs + 1, sizeof *told);
    struct own *own = calloc(devices + 1, sizeof *own);
    struct pa_fact_device_power *kept = calloc(devices + 1, sizeof *kept);
    struct pa_replay_meter *grown =
        realloc(replay->meters, (replay->meter_count + 1) * sizeof *grown);
    if (grown != NULL)
        replay->meters = grown;
    struct pa_replay_reading *readings = calloc(3 * epochs + 1, sizeof *readings);
    if (told == NULL || own == NULL || kept == NULL || grown == NULL || readings == NULL) {
        free(told);
        free(own);
        free(kept);
        free(readings);
        return pa_fail(error, PA_EMEMORY, "reading the devices' power: out of memory");
    }
    struct pa_replay_meter *meter = &replay->meters[replay->meter_count];
    *meter = (struct pa_replay_meter){.readings = readings, .capacity = 3 * epochs + 1};
    sum_notes(replay, told, own);
    keep_devices(replay->facts, own, kept);
    fill(replay, told, meter);
    free(told);
    free(own);
    if (meter->count == 0)
        free(readings);
    else
        replay->meter_count++;
    return PA_OK;
}
