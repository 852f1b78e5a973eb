/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/device_list.h"

#include <stdlib.h>
#include <string.h>

static bool same_group(const struct pa_fact_device *a, const struct pa_fact_device *b) {
    return strcmp(a->model, b->model) == 0 && strcmp(a->format, b->format) == 0 &&
           strcmp(a->backend, b->backend) == 0;
}

/* Devices of the 64th kind and more share the last group. */
static uint32_t find_group(struct pa_device_groups *groups, const struct pa_fact_device *device,
                           uint32_t guess) {
    if (guess < groups->count && same_group(groups->groups[guess].first, device))
        return guess;
    for (uint32_t g = 0; g < groups->count; g++)
        if (same_group(groups->groups[g].first, device))
            return g;
    if (groups->count == PA_DEVICE_MOST_GROUPS)
        return PA_DEVICE_MOST_GROUPS - 1;
    groups->groups[groups->count].first = device;
    return groups->count++;
}

static double rate_of(const struct pa_facts *facts, const struct pa_fact_device *device) {
    return facts->credit.seconds > 0 ? device->operations / facts->credit.seconds : 0;
}

static int by_rate(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* `rates` has the group's rates. */
static void sum_up(struct pa_device_group *group, double *rates) {
    qsort(rates, group->count, sizeof *rates, by_rate);
    for (uint32_t i = 0; i < group->count; i++)
        group->sum_per_second += rates[i];
    group->least_per_second = rates[0];
    group->median_per_second = rates[group->count / 2];
    group->most_per_second = rates[group->count - 1];
}

int pa_device_groups_make(const struct pa_facts *facts, struct pa_device_groups *out,
                          struct pa_error *error) {
    double *rates = calloc((size_t)facts->device_count + 1, sizeof *rates);
    *out = (struct pa_device_groups){0};
    out->group_of = calloc((size_t)facts->device_count + 1, sizeof *out->group_of);
    if (rates == NULL || out->group_of == NULL) {
        free(rates);
        pa_device_groups_free(out);
        return pa_fail(error, PA_EMEMORY, "grouping the devices: out of memory");
    }
    uint32_t starts[PA_DEVICE_MOST_GROUPS + 1] = {0}, filled[PA_DEVICE_MOST_GROUPS] = {0};
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_device *device = &facts->devices[d];
        uint32_t g = find_group(out, device, d > 0 ? out->group_of[d - 1] : 0);
        out->group_of[d] = g;
        out->groups[g].count++;
        out->groups[g].lost += device->lost ? 1 : 0;
        out->groups[g].idle += device->operations > 0 ? 0 : 1;
    }
    for (uint32_t g = 0; g < out->count; g++)
        starts[g + 1] = starts[g] + out->groups[g].count;
    for (uint32_t d = 0; d < facts->device_count; d++) {
        uint32_t g = out->group_of[d];
        rates[starts[g] + filled[g]++] = rate_of(facts, &facts->devices[d]);
    }
    for (uint32_t g = 0; g < out->count; g++)
        sum_up(&out->groups[g], rates + starts[g]);
    free(rates);
    return PA_OK;
}

void pa_device_groups_free(struct pa_device_groups *groups) {
    free(groups->group_of);
    *groups = (struct pa_device_groups){0};
}

bool pa_device_stands_out(const struct pa_facts *facts, const struct pa_device_groups *groups,
                          uint32_t device) {
    const struct pa_fact_device *entry = &facts->devices[device];
    double median = groups->groups[groups->group_of[device]].median_per_second;
    return entry->lost || entry->changed || entry->operations <= 0 ||
           rate_of(facts, entry) < PA_DEVICE_SLOW_SHARE * median;
}
