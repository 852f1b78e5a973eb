/* SPDX-License-Identifier: Apache-2.0 */
/* statement_power.c - what the meters said, beside what was proven. */
#include "base/base.h"
#include "certificate/statement_parts.h"

#include <math.h>
#include <stdio.h>

static const double joules_per_kwh = 3.6e6;
/* Uncertainties are expanded, k = 2, as all of the certificate's. */
static const double k = 2;

static void put_kwh(struct pa_builder *b, json_t *out, const char *name, double joules,
                    bool is_known) {
    pa_statement_put_known(b, out, name, joules / joules_per_kwh, is_known);
}

static json_t *build_meter(struct pa_builder *b, uint32_t index) {
    const struct pa_fact_meter *meter = &b->facts->power.meters[index];
    bool is_measured = meter->covered_s > 0;
    bool has_both = is_measured && meter->has_power && meter->has_energy && meter->counter_j > 0;
    json_t *out = json_object();
    pa_statement_put_known(b, out, "class_percent", meter->class_percent, meter->class_percent > 0);
    put_kwh(b, out, "counter_kwh", meter->counter_j, has_both);
    pa_statement_put_decimal(b, out, "covered_s", meter->covered_s);
    pa_statement_put_text(b, out, "details", meter->details);
    put_kwh(b, out, "energy_kwh", meter->energy_j, is_measured);
    pa_statement_put_count(b, out, "failures", meter->failures);
    put_kwh(b, out, "integrated_kwh", meter->integrated_j, has_both);
    pa_statement_put_decimal(b, out, "interval_s", meter->interval_s);
    pa_statement_put_truth(b, out, "is_component", meter->is_component);
    pa_statement_put_truth(b, out, "is_counted",
                           pa_power_counts(&b->facts->power, index, meter->role));
    pa_statement_put_known(b, out, "least_w", meter->least_w, is_measured);
    pa_statement_put_decimal(b, out, "longest_gap_s", meter->longest_gap_s);
    pa_statement_put_known(b, out, "most_w", meter->most_w, is_measured);
    pa_statement_put_text(b, out, "name", meter->name);
    pa_statement_put_count(b, out, "readings", meter->readings);
    pa_statement_put_text(b, out, "role", pa_meter_role_name(meter->role));
    pa_statement_put_known(b, out, "share", meter->share, meter->share > 0);
    pa_statement_put_text(b, out, "source", meter->source);
    pa_statement_put_text(b, out, "trouble", meter->trouble);
    pa_statement_put_known(b, out, "watts", meter->watts, is_measured);
    pa_statement_put_known(b, out, "watts_u", k * meter->u_watts, meter->u_watts > 0);
    return out;
}

static void put_point(struct pa_builder *b, json_t *out, const char *name, double watts) {
    pa_statement_put_known(b, out, name, isnan(watts) ? 0 : watts, !isnan(watts));
}

static json_t *build_curve(struct pa_builder *b) {
    const struct pa_fact_power *power = &b->facts->power;
    json_t *out = json_array();
    for (uint32_t i = 0; i < power->curve_count; i++) {
        const struct pa_fact_power_point *point = &power->curve[i];
        json_t *item = json_object();
        pa_statement_put_decimal(b, item, "at_s", point->at_s);
        put_point(b, item, "facility_w", point->facility_w);
        put_point(b, item, "generated_w", point->generated_w);
        put_point(b, item, "it_w", point->it_w);
        pa_statement_append(b, out, item);
    }
    return out;
}

/* What each device told of itself: by its power readings, by its energy counter, and how far the
 * first is from the second. */
static json_t *build_devices(struct pa_builder *b) {
    const struct pa_fact_power *power = &b->facts->power;
    json_t *out = json_array();
    for (uint32_t i = 0; i < power->device_count && i < PA_STATEMENT_MOST_DEVICES; i++) {
        const struct pa_fact_device_power *device = &power->devices[i];
        bool has_gap = device->has_read && device->has_counted && device->counted_w > 0;
        json_t *item = json_object();
        pa_statement_put_known(b, item, "counter_gap",
                               has_gap ? device->read_w / device->counted_w - 1 : 0, has_gap);
        pa_statement_put_known(b, item, "counter_w", device->counted_w, device->has_counted);
        pa_statement_put_count(b, item, "device", device->device);
        pa_statement_put_known(b, item, "watts", device->read_w, device->has_read);
        pa_statement_append(b, out, item);
    }
    return out;
}

static void put_load(struct pa_builder *b, json_t *out) {
    const struct pa_fact_power *power = &b->facts->power;
    double load = power->has_facility ? power->facility_w : power->it_w;
    bool has_generation = power->has_pv || power->has_wind;
    pa_statement_put_known(b, out, "facility_w", power->facility_w, power->has_facility);
    pa_statement_put_known(b, out, "generated_w", power->pv_w + power->wind_w, has_generation);
    pa_statement_put_known(b, out, "generated_w_u", k * power->generated_u,
                           has_generation && power->generated_u > 0);
    pa_statement_put_known(b, out, "green_share", power->green_share, power->has_green);
    pa_statement_put_known(b, out, "it_w", power->it_w, power->has_it);
    pa_statement_put_known(b, out, "load_w", load, power->has_it || power->has_facility);
    pa_statement_put_known(b, out, "pue", power->pue, power->has_pue);
    pa_statement_put_known(b, out, "pue_u", k * power->u_pue, power->has_pue && power->u_pue > 0);
    pa_statement_put_known(b, out, "pv_w", power->pv_w, power->has_pv);
    pa_statement_put_known(b, out, "wind_w", power->wind_w, power->has_wind);
}

json_t *pa_statement_build_power(struct pa_builder *b) {
    const struct pa_fact_power *power = &b->facts->power;
    bool has_efficiency = power->has_watts && power->watts > 0 && b->judgement->verified_pflops > 0;
    char level[16] = "none";
    if (power->level > 0)
        snprintf(level, sizeof level, "%d", power->level);
    json_t *meters = json_array();
    for (uint32_t m = 0; m < power->meter_count; m++)
        pa_statement_append(b, meters, build_meter(b, m));
    json_t *out = json_object();
    pa_statement_put(b, out, "curve", build_curve(b));
    pa_statement_put(b, out, "devices", build_devices(b));
    put_kwh(b, out, "energy_kwh", power->energy_j, power->has_watts);
    pa_statement_put_truth(b, out, "is_component",
                           power->scope == PA_METER_IT && power->it_is_component);
    pa_statement_put_text(b, out, "level", level);
    pa_statement_put_text(b, out, "level_reason", power->level_reason);
    pa_statement_put(b, out, "meters", meters);
    pa_statement_put_known(
        b, out, "pflops_per_mw",
        has_efficiency ? b->judgement->verified_pflops / (power->watts * 1e-6) : 0, has_efficiency);
    pa_statement_put_text(b, out, "scope",
                          power->has_watts ? pa_meter_role_name(power->scope) : "none");
    pa_statement_put_text(b, out, "source", power->meter_count > 0 ? power->source : "none");
    pa_statement_put_known(b, out, "watts", power->watts, power->has_watts);
    pa_statement_put_known(b, out, "watts_u", k * power->u_watts,
                           power->has_watts && power->u_watts > 0);
    pa_statement_put_decimal(b, out, "window_s", power->window_s);
    put_load(b, out);
    return out;
}
