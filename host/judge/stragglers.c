/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/stragglers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_GROUP = 4 };

/* A MAD is this many times smaller than the standard deviation of a normal distribution. */
static const double mad_to_sigma = 1.4826;
static const double most_sigmas = 5;
static const double least_difference = 0.05;
static const double quantiles[PA_RATE_QUANTILES] = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 1};

struct entry {
    const struct pa_fact_device *device;
    uint32_t number;
    double rate;
};

static int compare_kind(const struct pa_fact_device *a, const struct pa_fact_device *b) {
    int order = strcmp(a->model, b->model);
    if (order == 0)
        order = strcmp(a->format, b->format);
    return order != 0 ? order : strcmp(a->backend, b->backend);
}

static int by_kind_and_rate(const void *left, const void *right) {
    const struct entry *a = left, *b = right;
    int order = compare_kind(a->device, b->device);
    if (order != 0)
        return order;
    if (a->rate != b->rate)
        return a->rate < b->rate ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Between the two sorted values that it falls between. */
static double quantile(const double *sorted, uint32_t count, double share) {
    double at = share * (count - 1);
    uint32_t below = (uint32_t)at;
    uint32_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/* Fill a group from its entries, which are sorted by rate; `room` has as many places. */
static void describe(const struct entry *entries, uint32_t count, double *room,
                     struct pa_rate_group *out) {
    *out = (struct pa_rate_group){.first = entries[0].number, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        room[i] = entries[i].rate;
        if (entries[i].number < out->first)
            out->first = entries[i].number;
    }
    for (int q = 0; q < PA_RATE_QUANTILES; q++)
        out->quantiles[q] = quantile(room, count, quantiles[q]);
    double median = out->quantiles[PA_RATE_QUANTILES / 2];
    for (uint32_t i = 0; i < count; i++)
        room[i] = fabs(entries[i].rate - median);
    qsort(room, count, sizeof *room, by_size);
    out->mad = quantile(room, count, 0.5);
}

/* Entries come slowest first: the first that is near enough to the median ends the search. */
static void name_slow(const struct entry *entries, const struct pa_rate_group *group,
                      struct pa_straggling *out) {
    double median = group->quantiles[PA_RATE_QUANTILES / 2], sigma = mad_to_sigma * group->mad;
    if (group->count < LEAST_GROUP || median <= 0)
        return;
    for (uint32_t i = 0; i < group->count; i++) {
        double below = median - entries[i].rate;
        if (below <= most_sigmas * sigma || below <= least_difference * median)
            return;
        out->stragglers[out->straggler_count++] =
            (struct pa_straggler){.device = entries[i].number,
                                  .rate = entries[i].rate,
                                  .share = entries[i].rate / median,
                                  .score = sigma > 0 ? below / sigma : INFINITY};
    }
}

static int by_first(const void *left, const void *right) {
    const struct pa_rate_group *a = left, *b = right;
    return (a->first > b->first) - (a->first < b->first);
}

/* A straggler with where it is, and how slow the slowest of its host is. */
struct ranked {
    struct pa_straggler straggler;
    const char *host;
    double worst;
};

static int by_host(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    int order = strcmp(a->host, b->host);
    if (order == 0)
        order = by_size(&a->straggler.share, &b->straggler.share);
    return order != 0 ? order
                      : (a->straggler.device > b->straggler.device) -
                            (a->straggler.device < b->straggler.device);
}

static int by_worst(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    int order = by_size(&a->worst, &b->worst);
    return order != 0 ? order : by_host(left, right);
}

static int rank(const struct pa_facts *facts, struct pa_straggling *out, struct pa_error *error) {
    uint32_t count = out->straggler_count;
    struct ranked *list = calloc((size_t)count + 1, sizeof *list);
    if (list == NULL)
        return pa_fail(error, PA_EMEMORY, "ranking devices: out of memory");
    for (uint32_t i = 0; i < count; i++)
        list[i] = (struct ranked){.straggler = out->stragglers[i],
                                  .host = facts->devices[out->stragglers[i].device].host};
    qsort(list, count, sizeof *list, by_host);
    for (uint32_t i = 0; i < count; i++)
        list[i].worst = i > 0 && strcmp(list[i].host, list[i - 1].host) == 0
                            ? list[i - 1].worst
                            : list[i].straggler.share;
    qsort(list, count, sizeof *list, by_worst);
    for (uint32_t i = 0; i < count; i++)
        out->stragglers[i] = list[i].straggler;
    free(list);
    return PA_OK;
}

static uint32_t list_entries(const struct pa_facts *facts, struct entry *out) {
    uint32_t count = 0;
    for (uint32_t d = 0; d < facts->device_count; d++) {
        const struct pa_fact_device *device = &facts->devices[d];
        if (device->lost || device->model[0] == '\0')
            continue;
        double rate = device->operations / facts->credit.seconds;
        out[count++] = (struct entry){.device = device, .number = d, .rate = rate};
    }
    return count;
}

int pa_straggling_find(const struct pa_facts *facts, struct pa_straggling *out,
                       struct pa_error *error) {
    size_t most = (size_t)facts->device_count + 1;
    *out = (struct pa_straggling){0};
    if (facts->credit.seconds <= 0)
        return PA_OK;
    struct entry *entries = calloc(most, sizeof *entries);
    double *room = calloc(most, sizeof *room);
    out->groups = calloc(most, sizeof *out->groups);
    out->stragglers = calloc(most, sizeof *out->stragglers);
    int code = PA_OK;
    if (entries == NULL || room == NULL || out->groups == NULL || out->stragglers == NULL)
        code = pa_fail(error, PA_EMEMORY, "comparing devices: out of memory");
    if (code == PA_OK) {
        uint32_t count = list_entries(facts, entries);
        qsort(entries, count, sizeof *entries, by_kind_and_rate);
        for (uint32_t begin = 0, end; begin < count; begin = end) {
            end = begin + 1;
            while (end < count && compare_kind(entries[begin].device, entries[end].device) == 0)
                end++;
            struct pa_rate_group *group = &out->groups[out->group_count++];
            describe(&entries[begin], end - begin, room, group);
            name_slow(&entries[begin], group, out);
        }
        qsort(out->groups, out->group_count, sizeof *out->groups, by_first);
        code = rank(facts, out, error);
    }
    free(entries);
    free(room);
    if (code != PA_OK)
        pa_straggling_free(out);
    return code;
}

void pa_straggling_free(struct pa_straggling *straggling) {
    free(straggling->groups);
    free(straggling->stragglers);
    *straggling = (struct pa_straggling){0};
}

double pa_device_told_watts(const struct pa_facts *facts, uint32_t device) {
    const struct pa_fact_power *power = &facts->power;
    uint32_t low = 0, high = power->device_count;
    while (low < high) { /* they are in order */
        uint32_t middle = low + (high - low) / 2;
        if (power->devices[middle].device < device)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == power->device_count || power->devices[low].device != device)
        return 0;
    return power->devices[low].has_counted ? power->devices[low].counted_w
           : power->devices[low].has_read  ? power->devices[low].read_w
                                           : 0;
}
