/* SPDX-License-Identifier: Apache-2.0 */
/* statement_rates.c - how the devices' rates are distributed, and the slow ones with what they told
 * of clock, power and heat. */
#include "certificate/statement_parts.h"
#include "judge/stragglers.h"

#include <math.h>

/* Above this a score says no more: all others are alike. */
static const double most_score = 1e6;

static json_t *build_group(struct pa_builder *b, const struct pa_rate_group *group) {
    static const char *const names[PA_RATE_QUANTILES] = {
        "least_pflops", "p10_pflops", "p25_pflops", "median_pflops",
        "p75_pflops",   "p90_pflops", "most_pflops"};
    const struct pa_fact_device *device = &b->facts->devices[group->first];
    json_t *out = json_object();
    pa_statement_put_text(b, out, "backend", device->backend);
    pa_statement_put_count(b, out, "count", group->count);
    pa_statement_put_text(b, out, "format", device->format);
    pa_statement_put_decimal(b, out, "mad_pflops", group->mad * 1e-15);
    pa_statement_put_text(b, out, "name", device->model);
    pa_statement_put_known(b, out, "peak_pflops", device->peak_per_second * 1e-15,
                           device->peak_per_second > 0);
    for (int q = 0; q < PA_RATE_QUANTILES; q++)
        pa_statement_put_decimal(b, out, names[q], group->quantiles[q] * 1e-15);
    return out;
}

static json_t *build_straggler(struct pa_builder *b, const struct pa_straggler *straggler) {
    const struct pa_fact_device *device = &b->facts->devices[straggler->device];
    const struct pa_fact_vitals *vitals = &device->vitals;
    double watts = pa_device_told_watts(b->facts, straggler->device);
    json_t *out = json_object();
    pa_statement_put_known(b, out, "clock_mhz", vitals->clock_min_mhz, vitals->clock_min_mhz > 0);
    pa_statement_put_count(b, out, "device", straggler->device);
    pa_statement_put_text(b, out, "host", device->host);
    pa_statement_put_text(b, out, "id", device->id);
    pa_statement_put_decimal(b, out, "pflops", straggler->rate * 1e-15);
    pa_statement_put_known(b, out, "power_w", watts, watts > 0);
    pa_statement_put_decimal(b, out, "score", fmin(straggler->score, most_score));
    pa_statement_put_decimal(b, out, "share_of_median", straggler->share);
    pa_statement_put_known(b, out, "temperature_c", vitals->temperature_max_c,
                           vitals->temperature_max_c > 0);
    return out;
}

void pa_statement_put_rates(struct pa_builder *b, json_t *object) {
    const struct pa_straggling *found = &b->straggling;
    json_t *groups = json_array(), *stragglers = json_array();
    for (uint32_t i = 0; i < found->group_count && i < PA_STATEMENT_MOST_DEVICES; i++)
        pa_statement_append(b, groups, build_group(b, &found->groups[i]));
    for (uint32_t i = 0; i < found->straggler_count && i < PA_STATEMENT_MOST_DEVICES; i++)
        pa_statement_append(b, stragglers, build_straggler(b, &found->stragglers[i]));
    pa_statement_put(b, object, "rates", groups);
    pa_statement_put(b, object, "stragglers", stragglers);
}
