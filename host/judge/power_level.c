/* SPDX-License-Identifier: Apache-2.0 */
/* power_level.c - the level of the EE HPC WG power measurement methodology that the data supports.
 *
 *        window      readings                      metered part             meter
 *   1    whole       average                       1/10, 2 kW, 15 nodes     5 %
 *   2    and run     10 or more, equally spaced    1/8, 10 kW, 15 nodes     2 %
 *   3    and run     integrated energy             everything               1 %
 *
 * Of the metered part the largest of the three counts, and everything is always enough. Sensors
 * inside of the machines reach no level. What the methodology wants and no data can show (where in
 * the power train a meter sits, that the network is inside of it) is for the auditor to see. */
#include "judge/facts_inside.h"

#include <stdio.h>
#include <string.h>

/* What all meters of the load have in common: the worst of each. */
struct supported {
    double class_percent; /* the largest; 0 when one of them tells none */
    double interval_s, covered_s, share;
    uint64_t readings;
    bool covers_run, is_even, has_energy, is_random, is_component, is_implausible;
};

static struct supported supported_by(const struct pa_fact_power *power) {
    struct supported s = {.covered_s = power->window_s,
                          .readings = UINT64_MAX,
                          .covers_run = true,
                          .is_even = true,
                          .has_energy = true,
                          .is_random = true};
    bool has_class = true;
    for (uint32_t m = 0; m < power->meter_count; m++) {
        const struct pa_fact_meter *meter = &power->meters[m];
        if (!pa_power_counts(power, m, power->scope))
            continue;
        has_class = has_class && meter->class_percent > 0;
        if (meter->class_percent > s.class_percent)
            s.class_percent = meter->class_percent;
        if (meter->interval_s > s.interval_s)
            s.interval_s = meter->interval_s;
        if (meter->covered_s < s.covered_s)
            s.covered_s = meter->covered_s;
        if (meter->readings < s.readings)
            s.readings = meter->readings;
        s.share += meter->share;
        s.covers_run = s.covers_run && meter->covers_run;
        s.is_even = s.is_even && meter->is_even;
        s.has_energy = s.has_energy && meter->has_energy;
        s.is_random = s.is_random && meter->is_random;
        s.is_component = s.is_component || meter->is_component;
        s.is_implausible = s.is_implausible || meter->is_implausible;
    }
    if (!has_class)
        s.class_percent = 0;
    if (s.share <= 0 || s.share > 1)
        s.share = 1;
    return s;
}

/* Whether the metered part is large enough for a level. */
static bool is_enough(const struct pa_fact_power *power, const struct supported *s, uint32_t hosts,
                      double least_share, double least_w) {
    if (s->share >= 1)
        return true;
    return s->is_random && s->share >= least_share && s->share * power->watts >= least_w &&
           s->share * hosts >= 15;
}

/* Why not even level 1, or an empty text. */
static void why_none(const struct pa_fact_power *power, const struct supported *s, uint32_t hosts,
                     char *out, size_t size) {
    out[0] = '\0';
    if (!power->has_watts)
        snprintf(out, size, "no meter of the load has readings of the window");
    else if (s->is_component)
        snprintf(out, size,
                 "RAPL and NVML are sensors inside of the machines: they see no power supply, fan "
                 "or memory and have no stated accuracy");
    else if (s->is_implausible)
        snprintf(out, size, "the readings contradict themselves");
    else if (power->window_s < 60)
        snprintf(out, size, "the window is %.3g s, 60 s are needed", power->window_s);
    else if (s->covered_s < 0.99 * power->window_s)
        snprintf(out, size, "readings cover %.4g s of the %.4g s", s->covered_s, power->window_s);
    else if (s->interval_s > power->window_s / 2)
        snprintf(out, size,
                 "readings are %.4g s apart, the window is %.4g s: they are about other times",
                 s->interval_s, power->window_s);
    else if (s->class_percent <= 0)
        snprintf(out, size, "the accuracy class of the meter is not told");
    else if (s->class_percent > 5)
        snprintf(out, size, "the meter is of class %.3g %%, at most 5 %% are allowed",
                 s->class_percent);
    else if (!is_enough(power, s, hosts, 0.1, 2e3))
        snprintf(out, size,
                 "the metered part is %.3g of the load%s: the largest of 1/10, 2 kW and 15 nodes, "
                 "chosen at random, is needed",
                 s->share, s->is_random ? "" : ", and the site chose it");
}

static void why_not_two(const struct pa_fact_power *power, const struct supported *s,
                        uint32_t hosts, char *out, size_t size) {
    out[0] = '\0';
    if (s->class_percent > 2)
        snprintf(out, size, "a meter of class 2 %% or better, this is %.3g %%", s->class_percent);
    else if (s->readings < 10)
        snprintf(out, size, "10 readings in the window, there are %llu",
                 (unsigned long long)s->readings);
    else if (!s->is_even)
        snprintf(out, size, "equally spaced readings");
    else if (!s->covers_run)
        snprintf(out, size, "readings of the full run, from the declaration to the all-reduce");
    else if (!is_enough(power, s, hosts, 0.125, 10e3))
        snprintf(out, size, "the largest of 1/8, 10 kW and 15 nodes to be metered");
}

static void why_not_three(const struct supported *s, char *out, size_t size) {
    out[0] = '\0';
    if (s->class_percent > 1)
        snprintf(out, size, "a meter of class 1 %% or better, this is %.3g %%", s->class_percent);
    else if (!s->has_energy)
        snprintf(out, size, "integrated energy, these are readings of power");
    else if (s->share < 1)
        snprintf(out, size, "everything to be metered, this is %.3g of it", s->share);
}

void pa_power_level(struct pa_fact_power *power, uint32_t hosts) {
    struct supported s = supported_by(power);
    char *reason = power->level_reason;
    size_t size = sizeof power->level_reason;
    char next[256];
    why_none(power, &s, hosts, next, sizeof next);
    power->level = 0;
    if (next[0] != '\0') {
        snprintf(reason, size, "No level: %s.", next);
        return;
    }
    power->level = 1;
    why_not_two(power, &s, hosts, next, sizeof next);
    if (next[0] == '\0') {
        power->level = 2;
        why_not_three(&s, next, sizeof next);
    }
    if (next[0] == '\0') {
        power->level = 3;
        snprintf(reason, size,
                 "Level 3: integrated energy of everything over the full run by a meter of class "
                 "%.3g %%.",
                 s.class_percent);
        return;
    }
    snprintf(reason, size,
             "Level %d: %llu readings, class %.3g %%, %.3g of the load. Level %d needs %s.",
             power->level, (unsigned long long)s.readings, s.class_percent, s.share,
             power->level + 1, next);
}
