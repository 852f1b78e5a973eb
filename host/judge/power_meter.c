/* SPDX-License-Identifier: Apache-2.0 */
/* power_meter.c - what one meter says of the windows: mean power, energy, gaps, uncertainty.
 *
 * Two readings that follow each other cover the time between them, unless they are further apart
 * than three usual distances: that is a gap, and nothing is put in its place. */
#include "judge/facts_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double gap_distances = 3;
/* An energy counter decides the mean only where its own steps are small against the energy. */
static const double coarse_share = 0.005;
static const double even_low = 0.5, even_high = 1.5;
static const double whole = 0.99; /* of a window, counts as covered */

struct tally {
    double covered_s, longest_gap_s;
    double power_j, power_s;   /* by pairs that both have power */
    double energy_j, energy_s; /* by pairs that both have energy */
    double both_power_j, both_energy_j;
    double least_w, most_w;
    bool is_backwards; /* the counter went back inside of a window */
};

static double seconds(int64_t ns) {
    return (double)ns * 1e-9;
}

static bool has_power(const struct pa_replay_reading *reading) {
    return reading->sample.milliwatts != PA_POWER_UNKNOWN;
}

static bool has_energy(const struct pa_replay_reading *reading) {
    return reading->sample.millijoules != PA_ENERGY_UNKNOWN;
}

static double watts_of(const struct pa_replay_reading *reading) {
    return (double)reading->sample.milliwatts * 1e-3;
}

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median distance of two readings that follow each other. */
static int find_interval(struct pa_fact_meter *meter, const struct pa_replay_meter *readings,
                         struct pa_error *error) {
    if (readings->count < 2)
        return PA_OK;
    double *distances = calloc(readings->count - 1, sizeof *distances);
    if (distances == NULL)
        return pa_fail(error, PA_EMEMORY, "reading %zu readings: out of memory", readings->count);
    for (size_t i = 1; i < readings->count; i++)
        distances[i - 1] = seconds(readings->readings[i].at_ns - readings->readings[i - 1].at_ns);
    qsort(distances, readings->count - 1, sizeof *distances, compare_doubles);
    meter->interval_s = distances[(readings->count - 1) / 2];
    free(distances);
    return PA_OK;
}

static bool is_near(const struct pa_fact_meter *meter, const struct pa_replay_reading *a,
                    const struct pa_replay_reading *b) {
    return seconds(b->at_ns - a->at_ns) <= gap_distances * meter->interval_s;
}

static double between(const struct pa_replay_reading *a, const struct pa_replay_reading *b,
                      int64_t at_ns) {
    double part = (double)(at_ns - a->at_ns) / (double)(b->at_ns - a->at_ns);
    return watts_of(a) + part * (watts_of(b) - watts_of(a));
}

static void widen(struct tally *tally, double watts) {
    if (watts < tally->least_w)
        tally->least_w = watts;
    if (watts > tally->most_w)
        tally->most_w = watts;
}

/* What the pair (a, b) says of the time from lo to hi, which lies between them. */
static void add_pair(struct tally *tally, const struct pa_replay_reading *a,
                     const struct pa_replay_reading *b, int64_t lo, int64_t hi) {
    double time = seconds(hi - lo), power_j = 0, energy_j = 0;
    bool by_power = has_power(a) && has_power(b), by_energy = has_energy(a) && has_energy(b);
    if (by_energy && b->sample.millijoules < a->sample.millijoules) {
        tally->is_backwards = true;
        by_energy = false;
    }
    if (by_power) {
        double from = between(a, b, lo), to = between(a, b, hi);
        power_j = (from + to) / 2 * time;
        tally->power_j += power_j;
        tally->power_s += time;
        widen(tally, from);
        widen(tally, to);
    }
    if (by_energy) {
        double slope = (double)(b->sample.millijoules - a->sample.millijoules) * 1e-3 /
                       seconds(b->at_ns - a->at_ns);
        energy_j = slope * time;
        tally->energy_j += energy_j;
        tally->energy_s += time;
        if (!by_power)
            widen(tally, slope);
    }
    if (by_power && by_energy) {
        tally->both_power_j += power_j;
        tally->both_energy_j += energy_j;
    }
    if (by_power || by_energy)
        tally->covered_s += time;
}

/* The first reading that is later than `at_ns`, or the number of readings. */
static size_t first_after(const struct pa_replay_meter *readings, int64_t at_ns) {
    size_t low = 0, high = readings->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (readings->readings[middle].at_ns > at_ns)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void note_gap(struct tally *tally, int64_t from, int64_t to) {
    if (to > from && seconds(to - from) > tally->longest_gap_s)
        tally->longest_gap_s = seconds(to - from);
}

static void add_window(struct tally *tally, const struct pa_fact_meter *meter,
                       const struct pa_replay_meter *readings, struct pa_power_window window) {
    int64_t covered_to = window.from_ns;
    size_t i = first_after(readings, window.from_ns);
    for (i = i > 0 ? i : 1; i < readings->count; i++) {
        const struct pa_replay_reading *a = &readings->readings[i - 1], *b = &a[1];
        if (a->at_ns >= window.to_ns)
            break;
        if (!is_near(meter, a, b))
            continue;
        int64_t lo = a->at_ns > window.from_ns ? a->at_ns : window.from_ns;
        int64_t hi = b->at_ns < window.to_ns ? b->at_ns : window.to_ns;
        if (hi <= lo)
            continue;
        double before = tally->covered_s;
        add_pair(tally, a, b, lo, hi);
        if (tally->covered_s == before)
            continue;
        note_gap(tally, covered_to, lo);
        covered_to = hi;
    }
    note_gap(tally, covered_to, window.to_ns);
}

static double length_of(const struct pa_power_window *windows, uint32_t count) {
    double sum = 0;
    for (uint32_t w = 0; w < count; w++)
        sum += seconds(windows[w].to_ns - windows[w].from_ns);
    return sum;
}

static struct tally tally_of(const struct pa_fact_meter *meter,
                             const struct pa_replay_meter *readings,
                             const struct pa_power_window *windows, uint32_t count) {
    struct tally tally = {.least_w = INFINITY, .most_w = -INFINITY};
    for (uint32_t w = 0; w < count; w++)
        add_window(&tally, meter, readings, windows[w]);
    return tally;
}

/* The step of an energy counter: the greatest common divisor of all that it grew by. */
static double counter_step(const struct pa_replay_meter *readings) {
    uint64_t step = 0;
    for (size_t i = 1; i < readings->count; i++) {
        const struct pa_replay_reading *a = &readings->readings[i - 1], *b = &a[1];
        if (!has_energy(a) || !has_energy(b) || b->sample.millijoules <= a->sample.millijoules)
            continue;
        uint64_t grown = b->sample.millijoules - a->sample.millijoules;
        while (grown != 0) {
            uint64_t rest = step % grown;
            step = grown;
            grown = rest;
        }
    }
    return (double)step * 1e-3;
}

/* Readings inside of the windows: how many, how evenly spaced, and how their power scatters. */
static double count_readings(struct pa_fact_meter *meter, const struct pa_replay_meter *readings,
                             const struct pa_power_windows *windows) {
    double sum = 0, squares = 0;
    uint64_t powers = 0;
    meter->is_even = true;
    for (uint32_t w = 0; w < windows->count; w++) {
        size_t first = first_after(readings, windows->work[w].from_ns - 1);
        for (size_t i = first; i < readings->count; i++) {
            const struct pa_replay_reading *reading = &readings->readings[i];
            if (reading->at_ns > windows->work[w].to_ns)
                break;
            meter->readings++;
            if (has_power(reading)) {
                double watts = watts_of(reading);
                powers++;
                double off = watts - sum;
                sum += off / (double)powers;
                squares += off * (watts - sum);
            }
            if (i == first)
                continue;
            double distance = seconds(reading->at_ns - reading[-1].at_ns) / meter->interval_s;
            if (distance < even_low || distance > even_high)
                meter->is_even = false;
        }
    }
    return powers > 1 ? sqrt(squares / (double)(powers - 1) / (double)powers) : 0;
}

/* GUM, type B but for the scatter: class as a rectangle, steps of counter and display. */
static double uncertainty(const struct pa_fact_meter *meter, double step_j, double scatter_w,
                          bool by_counter) {
    if (meter->class_percent <= 0 || meter->covered_s <= 0)
        return 0;
    double class_w = meter->class_percent / 100 * fabs(meter->watts) / sqrt(3);
    double reading_w = by_counter ? step_j / meter->covered_s / sqrt(6)
                                  : hypot(scatter_w, meter->resolution_w / sqrt(12));
    return hypot(class_w, reading_w);
}

int pa_power_meter(struct pa_fact_meter *meter, const struct pa_replay_meter *readings,
                   const struct pa_power_windows *windows, struct pa_error *error) {
    PA_TRY(find_interval(meter, readings, error));
    for (size_t i = 0; !meter->is_told && i < readings->count; i++) {
        meter->has_power = meter->has_power || has_power(&readings->readings[i]);
        meter->has_energy = meter->has_energy || has_energy(&readings->readings[i]);
    }
    double window_s = length_of(windows->work, windows->count);
    struct tally tally = tally_of(meter, readings, windows->work, windows->count);
    meter->longest_gap_s = tally.longest_gap_s;
    meter->covered_s = tally.covered_s;
    double scatter_w = count_readings(meter, readings, windows);
    if (tally.covered_s <= 0)
        return PA_OK;
    struct tally run = tally_of(meter, readings, windows->run, windows->count);
    meter->covers_run = run.covered_s >= whole * length_of(windows->run, windows->count);
    meter->is_even = meter->is_even && tally.covered_s >= whole * window_s;
    double step_j = counter_step(readings);
    bool by_counter =
        tally.energy_s > 0 && (tally.power_s <= 0 || (tally.energy_s >= whole * tally.power_s &&
                                                      step_j <= coarse_share * tally.energy_j));
    double joules = by_counter ? tally.energy_j : tally.power_j;
    double time = by_counter ? tally.energy_s : tally.power_s;
    meter->watts = joules / time;
    meter->energy_j = meter->watts * tally.covered_s;
    meter->least_w = tally.least_w;
    meter->most_w = tally.most_w;
    if (!meter->is_told) {
        meter->integrated_j = tally.both_power_j;
        meter->counter_j = tally.both_energy_j;
    }
    meter->is_implausible = tally.is_backwards;
    meter->u_watts = uncertainty(meter, step_j, scatter_w, by_counter);
    return PA_OK;
}

double pa_power_mean(const struct pa_replay_meter *readings, int64_t from_ns, int64_t to_ns) {
    const struct pa_replay_reading *first = NULL, *last = NULL;
    double sum = 0;
    uint64_t powers = 0;
    for (size_t i = first_after(readings, from_ns - 1); i < readings->count; i++) {
        const struct pa_replay_reading *reading = &readings->readings[i];
        if (reading->at_ns >= to_ns)
            break;
        if (has_power(reading)) {
            sum += watts_of(reading);
            powers++;
        }
        if (has_energy(reading)) {
            first = first == NULL ? reading : first;
            last = reading;
        }
    }
    if (powers > 0)
        return sum / (double)powers;
    if (first == last || last->sample.millijoules < first->sample.millijoules)
        return (double)NAN;
    return (double)(last->sample.millijoules - first->sample.millijoules) * 1e-3 /
           seconds(last->at_ns - first->at_ns);
}

double pa_power_at(const struct pa_fact_meter *meter, const struct pa_replay_meter *readings,
                   int64_t at_ns) {
    size_t i = first_after(readings, at_ns);
    if (i == 0 || i >= readings->count)
        return (double)NAN;
    const struct pa_replay_reading *a = &readings->readings[i - 1], *b = &a[1];
    if (!is_near(meter, a, b))
        return (double)NAN;
    if (has_power(a) && has_power(b))
        return between(a, b, at_ns);
    if (has_energy(a) && has_energy(b) && b->sample.millijoules >= a->sample.millijoules)
        return (double)(b->sample.millijoules - a->sample.millijoules) * 1e-3 /
               seconds(b->at_ns - a->at_ns);
    return (double)NAN;
}
