/* SPDX-License-Identifier: Apache-2.0 */
/* power_figures.c - all meters together: load, PUE, generation against load, the curve. */
#include "judge/facts_inside.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Figures that need two meters at the same moment are taken at so many moments, evenly over the
 * windows. */
enum { MOMENTS = 100 * PA_POWER_CURVE_POINTS };

bool pa_power_counts(const struct pa_fact_power *power, uint32_t meter, enum pa_meter_role role) {
    if (power->meters[meter].role != role)
        return false;
    if (!power->meters[meter].is_component)
        return true;
    for (uint32_t m = 0; m < power->meter_count; m++)
        if (power->meters[m].role == role && !power->meters[m].is_component)
            return false;
    return true;
}

double pa_power_share(const struct pa_fact_power *power, enum pa_meter_role role) {
    double share = 0;
    for (uint32_t m = 0; m < power->meter_count; m++)
        if (pa_power_counts(power, m, role))
            share += power->meters[m].share;
    return share > 0 && share < 1 ? share : 1;
}

/* The sum over a role's meters; false unless each of them says something of the window. */
static bool sum_role(const struct pa_fact_power *power, enum pa_meter_role role, double *watts,
                     double *u) {
    double sum = 0, squares = 0;
    bool is_any = false, is_certain = true;
    for (uint32_t m = 0; m < power->meter_count; m++) {
        const struct pa_fact_meter *meter = &power->meters[m];
        if (!pa_power_counts(power, m, role))
            continue;
        if (meter->covered_s <= 0)
            return false;
        is_any = true;
        is_certain = is_certain && meter->u_watts > 0;
        sum += meter->watts;
        squares += meter->u_watts * meter->u_watts;
    }
    double share = pa_power_share(power, role);
    *watts = is_any ? sum / share : 0;
    *u = is_any && is_certain ? sqrt(squares) / share : 0;
    return is_any;
}

struct moment {
    double
        role_w[PA_METER_ROLES]; /* NAN where a meter of the role says nothing, or there is none */
};

static struct moment moment_at(const struct pa_fact_power *power,
                               const struct pa_replay_meter *meters, int64_t at_ns) {
    struct moment moment;
    for (int role = 0; role < PA_METER_ROLES; role++) {
        double sum = 0;
        bool is_any = false;
        for (uint32_t m = 0; m < power->meter_count; m++)
            if (pa_power_counts(power, m, (enum pa_meter_role)role)) {
                sum += pa_power_at(&power->meters[m], &meters[m], at_ns);
                is_any = true;
            }
        moment.role_w[role] =
            is_any ? sum / pa_power_share(power, (enum pa_meter_role)role) : (double)NAN;
    }
    return moment;
}

/* PV and wind, as far as both are metered; NAN where neither is. */
static double generated(const struct moment *moment) {
    double pv = moment->role_w[PA_METER_PV], wind = moment->role_w[PA_METER_WIND];
    return isnan(pv) ? wind : isnan(wind) ? pv : pv + wind;
}

/* A mean that NAN does not spoil. */
struct mean {
    double sum;
    int count;
};

static void add(struct mean *mean, double value) {
    if (isnan(value))
        return;
    mean->sum += value;
    mean->count++;
}

static double mean_of(const struct mean *mean) {
    return mean->count > 0 ? mean->sum / mean->count : (double)NAN;
}

struct together {
    double it_j, facility_j, load_j, green_j; /* sums over moments at which both were metered */
    struct mean it[PA_POWER_CURVE_POINTS], facility[PA_POWER_CURVE_POINTS],
        generated[PA_POWER_CURVE_POINTS];
};

static void take_moment(struct together *out, const struct moment *moment, bool it_is_component,
                        int point) {
    double it = moment->role_w[PA_METER_IT], facility = moment->role_w[PA_METER_FACILITY];
    double green = generated(moment), load = isnan(facility) ? it : facility;
    if (!it_is_component && !isnan(it) && !isnan(facility)) {
        out->it_j += it;
        out->facility_j += facility;
    }
    if (!isnan(green) && !isnan(load)) {
        double used = green < load ? green : load;
        out->load_j += load;
        out->green_j += used > 0 ? used : 0;
    }
    add(&out->it[point], it);
    add(&out->facility[point], facility);
    add(&out->generated[point], green);
}

static void walk(struct together *out, const struct pa_fact_power *power,
                 const struct pa_replay_meter *meters, const struct pa_power_windows *windows) {
    uint32_t w = 0;
    double before_s = 0; /* length of the windows that are over */
    for (int i = 0; i < MOMENTS; i++) {
        double at_s = power->window_s * (i + 0.5) / MOMENTS;
        double length = (double)(windows->work[w].to_ns - windows->work[w].from_ns) * 1e-9;
        while (w + 1 < windows->count && at_s - before_s > length) {
            before_s += length;
            w++;
            length = (double)(windows->work[w].to_ns - windows->work[w].from_ns) * 1e-9;
        }
        double into_s = at_s - before_s < length ? at_s - before_s : length;
        struct moment moment =
            moment_at(power, meters, windows->work[w].from_ns + (int64_t)(into_s * 1e9));
        take_moment(out, &moment, power->it_is_component, i / (MOMENTS / PA_POWER_CURVE_POINTS));
    }
}

static void find_curve(struct pa_fact_power *power, const struct together *together) {
    power->curve_count = PA_POWER_CURVE_POINTS;
    for (int i = 0; i < PA_POWER_CURVE_POINTS; i++)
        power->curve[i] = (struct pa_fact_power_point){
            .at_s = power->window_s * (i + 0.5) / PA_POWER_CURVE_POINTS,
            .it_w = mean_of(&together->it[i]),
            .facility_w = mean_of(&together->facility[i]),
            .generated_w = mean_of(&together->generated[i])};
}

static void find_ratios(struct pa_fact_power *power, const struct together *together) {
    if (power->has_it && power->has_facility && together->it_j > 0 && together->facility_j > 0) {
        power->has_pue = true;
        power->pue = together->facility_j / together->it_j;
        if (power->it_u > 0 && power->facility_u > 0)
            power->u_pue = power->pue *
                           hypot(power->it_u / power->it_w, power->facility_u / power->facility_w);
    }
    power->has_green = together->load_j > 0;
    if (power->has_green)
        power->green_share = together->green_j / together->load_j;
}

static void name_sources(struct pa_fact_power *power) {
    size_t used = 0;
    power->source[0] = '\0';
    for (uint32_t m = 0; m < power->meter_count; m++) {
        bool is_named = false;
        for (uint32_t b = 0; b < m; b++)
            is_named = is_named || strcmp(power->meters[b].source, power->meters[m].source) == 0;
        if (!is_named && used < sizeof power->source)
            used += (size_t)snprintf(power->source + used, sizeof power->source - used, "%s%s",
                                     used > 0 ? ", " : "", power->meters[m].source);
    }
}

/* The load that is divided by: IT by the mains, else the facility by the mains, else what the
 * sensors inside of the machines say. */
static void choose_scope(struct pa_fact_power *power) {
    power->has_watts = power->has_it || power->has_facility;
    bool is_facility = power->has_facility && (!power->has_it || power->it_is_component);
    power->scope = is_facility ? PA_METER_FACILITY : PA_METER_IT;
    power->watts = is_facility ? power->facility_w : power->it_w;
    power->u_watts = is_facility ? power->facility_u : power->it_u;
    power->energy_j = power->watts * power->window_s;
}

int pa_power_figure(struct pa_fact_power *power, const struct pa_replay_meter *meters,
                    const struct pa_power_windows *windows, struct pa_error *error) {
    double pv_u = 0, wind_u = 0;
    name_sources(power);
    for (uint32_t w = 0; w < windows->count; w++)
        power->window_s += (double)(windows->work[w].to_ns - windows->work[w].from_ns) * 1e-9;
    for (uint32_t m = 0; m < power->meter_count; m++)
        PA_TRY(pa_power_meter(&power->meters[m], &meters[m], windows, error));
    power->has_it = sum_role(power, PA_METER_IT, &power->it_w, &power->it_u);
    power->has_facility =
        sum_role(power, PA_METER_FACILITY, &power->facility_w, &power->facility_u);
    power->has_pv = sum_role(power, PA_METER_PV, &power->pv_w, &pv_u);
    power->has_wind = sum_role(power, PA_METER_WIND, &power->wind_w, &wind_u);
    power->generated_u = hypot(pv_u, wind_u);
    for (uint32_t m = 0; m < power->meter_count; m++)
        if (power->meters[m].is_component && pa_power_counts(power, m, PA_METER_IT))
            power->it_is_component = true;
    choose_scope(power);
    struct together together = {0};
    if (power->window_s > 0)
        walk(&together, power, meters, windows);
    find_ratios(power, &together);
    find_curve(power, &together);
    return PA_OK;
}
