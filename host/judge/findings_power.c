/* SPDX-License-Identifier: Apache-2.0 */
/* findings_power.c - meters that left gaps, and power that cannot be. None of it touches what was
 * proven: the figures of power are told beside the verdict. */
#include "judge/judgement_inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double whole = 0.99; /* of the window */
/* Power and energy of one meter are two ways to the same figure. */
static const double disagreement = 0.1;
/* Two meters of one load may differ by their classes; beyond this it is another load. */
static const double margin = 0.02;
/* No chip known does more operations for a joule in any format: ten times an H100 in fp8. */
static const double most_operations_per_joule = 3e13;

static const char *meter_evidence(uint32_t meter, char out[32]) {
    snprintf(out, 32, "meter %u", meter);
    return out;
}

static void find_gaps(struct pa_judging *judging, uint32_t index) {
    const struct pa_fact_power *power = &judging->facts->power;
    const struct pa_fact_meter *meter = &power->meters[index];
    char where[32], why[300] = "";
    if (meter->trouble[0] != '\0')
        snprintf(why, sizeof why, " %.250s.", meter->trouble);
    if (meter->covered_s <= 0)
        pa_finding_add(judging, "METER_SILENT", meter_evidence(index, where),
                       "The %s meter %.80s has no readings of the work.%s",
                       pa_meter_role_name(meter->role), meter->name, why);
    else if (meter->covered_s < whole * power->window_s)
        pa_finding_add(judging, "METER_GAPS", meter_evidence(index, where),
                       "The %s meter %.80s covers %.4g s of the %.4g s of work; its longest gap is "
                       "%.4g s.%s",
                       pa_meter_role_name(meter->role), meter->name, meter->covered_s,
                       power->window_s, meter->longest_gap_s, why);
    else if (meter->failures > 0)
        pa_finding_add_as(
            judging, "METER_GAPS", PA_SEVERITY_INFO, PA_EFFECT_NONE, meter_evidence(index, where),
            "The %s meter %.80s failed %llu times; its other readings cover the "
            "work.%s",
            pa_meter_role_name(meter->role), meter->name, (unsigned long long)meter->failures, why);
}

static void find_meter(struct pa_judging *judging, uint32_t index) {
    const struct pa_fact_meter *meter = &judging->facts->power.meters[index];
    char where[32];
    meter_evidence(index, where);
    find_gaps(judging, index);
    if (meter->covered_s <= 0)
        return;
    if (meter->is_implausible)
        pa_finding_add(judging, "POWER_IMPLAUSIBLE", where,
                       "The energy counter of meter %.80s went back during the work.", meter->name);
    if (meter->counter_j > 0 &&
        fabs(meter->integrated_j - meter->counter_j) > disagreement * meter->counter_j)
        pa_finding_add(judging, "METER_DISAGREES", where,
                       "Meter %.80s: its power over time gives %.4g kWh, its energy counter %.4g "
                       "kWh.",
                       meter->name, meter->integrated_j / 3.6e6, meter->counter_j / 3.6e6);
    if (!meter->is_component && meter->class_percent <= 0)
        pa_finding_add(judging, "METER_CLASS_UNKNOWN", where,
                       "The accuracy class of meter %.80s was not told: its figure has no "
                       "uncertainty and reaches no level.",
                       meter->name);
}

/* RAPL is read on one machine. */
static void find_partial(struct pa_judging *judging) {
    const struct pa_facts *facts = judging->facts;
    char where[32];
    bool has_hosts = false;
    for (uint32_t d = 1; d < facts->device_count; d++)
        has_hosts = has_hosts || strcmp(facts->devices[d].host, facts->devices[0].host) != 0;
    for (uint32_t m = 0; has_hosts && m < facts->power.meter_count; m++)
        if (strcmp(facts->power.meters[m].source, "rapl") == 0)
            pa_finding_add(judging, "METER_PARTIAL", meter_evidence(m, where),
                           "RAPL was read on %.80s alone, and the devices stand in several "
                           "machines: its figure is a part of the load.",
                           facts->power.meters[m].name);
}

/* What the sensors inside of the machines sum up to, where the mains are metered too. */
static double sensors_beside_mains(const struct pa_fact_power *power) {
    double sum = 0;
    for (uint32_t m = 0; m < power->meter_count; m++)
        if (power->meters[m].is_component && !pa_power_counts(power, m, PA_METER_IT))
            sum += power->meters[m].watts;
    return sum;
}

static void find_implausible(struct pa_judging *judging) {
    const struct pa_fact_power *power = &judging->facts->power;
    double sensors = sensors_beside_mains(power);
    double per_joule = power->watts > 0 ? judging->facts->credit.rate / power->watts : 0;
    if (power->has_watts && power->watts <= 0 && judging->facts->credit.operations > 0)
        pa_finding_add(judging, "POWER_IMPLAUSIBLE", "power",
                       "The load was %.4g W while the devices worked.", power->watts);
    if (power->has_it && sensors > power->it_w * (1 + margin))
        pa_finding_add(judging, "POWER_IMPLAUSIBLE", "power",
                       "The sensors inside of the machines saw %.4g W, the meter of all of them "
                       "%.4g W: it does not see the whole load.",
                       sensors, power->it_w);
    if (power->has_pue && power->pue < 1 - margin)
        pa_finding_add(judging, "POWER_IMPLAUSIBLE", "power",
                       "The facility took %.4g W and the machines in it %.4g W: a PUE of %.3g "
                       "cannot be.",
                       power->facility_w, power->it_w, power->pue);
    if (per_joule > most_operations_per_joule)
        pa_finding_add(judging, "POWER_IMPLAUSIBLE", "power",
                       "%.4g operations for a joule are more than any chip does: the meter does "
                       "not see the whole load, or the work was done elsewhere.",
                       per_joule);
}

void pa_find_power(struct pa_judging *judging) {
    for (uint32_t m = 0; m < judging->facts->power.meter_count; m++)
        find_meter(judging, m);
    find_partial(judging);
    find_implausible(judging);
}
