/* SPDX-License-Identifier: Apache-2.0 */
/* The devices: one row each while they fit on a page, else one row a group and those that stand
 * out. */
#include "report/phrase.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 64, MOST_GROUPS = 64, MOST_OUTLIERS = 200 };

/* Below this share of its group's median a device is named. */
static const double slow_share = 0.85;

struct group {
    const json_t *words; /* a device of it, or what the statement says of such devices together */
    uint64_t count;
    double least, median, most;
    double *rates; /* owned, while the devices are sorted */
};

static bool same_group(const json_t *a, const json_t *b) {
    static const char *const names[] = {"name", "format", "backend"};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(pa_page_text_of(a, names[i]), pa_page_text_of(b, names[i])) != 0)
            return false;
    return true;
}

static int by_rate(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Devices of the 64th kind and more share the last group. */
static size_t group_of(const struct group *groups, size_t count, const json_t *device) {
    for (size_t g = 0; g < count; g++)
        if (same_group(groups[g].words, device))
            return g;
    return count < MOST_GROUPS ? count : MOST_GROUPS - 1;
}

/* Of all devices, where the statement does not list them: those without a description and the lost
 * ones are in none. */
static size_t take_groups(const json_t *told, struct group groups[MOST_GROUPS]) {
    size_t count = json_array_size(told) < MOST_GROUPS ? json_array_size(told) : MOST_GROUPS;
    for (size_t g = 0; g < count; g++) {
        const json_t *group = json_array_get(told, g);
        groups[g] = (struct group){.words = group,
                                   .count = pa_page_count_of(group, "count"),
                                   .least = pa_page_number_of(group, "least_pflops"),
                                   .median = pa_page_number_of(group, "median_pflops"),
                                   .most = pa_page_number_of(group, "most_pflops")};
    }
    return count;
}

static size_t collect_groups(struct pa_page *page, const json_t *devices,
                             struct group groups[MOST_GROUPS]) {
    size_t count = 0, total = json_array_size(devices);
    for (size_t d = 0; d < total; d++) {
        const json_t *device = json_array_get(devices, d);
        size_t g = group_of(groups, count, device);
        if (g == count) {
            groups[g] = (struct group){.words = device, .rates = calloc(total, sizeof(double))};
            count++;
        }
        if (groups[g].rates == NULL)
            page->failed = true;
        else
            groups[g].rates[groups[g].count++] = pa_page_number_of(device, "pflops");
    }
    for (size_t g = 0; g < count; g++) {
        if (groups[g].rates != NULL && groups[g].count > 0) {
            qsort(groups[g].rates, groups[g].count, sizeof(double), by_rate);
            groups[g].least = groups[g].rates[0];
            groups[g].median = groups[g].rates[groups[g].count / 2];
            groups[g].most = groups[g].rates[groups[g].count - 1];
        }
        free(groups[g].rates);
        groups[g].rates = NULL;
    }
    return count;
}

static void put_remark(struct pa_page *page, const json_t *device, double median) {
    char share[PA_FIGURE_BYTES];
    double rate = pa_page_number_of(device, "pflops");
    if (pa_page_truth_of(device, "is_emulated"))
        pa_page_say(page, PA_STRING_EMULATED);
    else if (pa_page_truth_of(device, "is_lost")) {
        pa_page_say(page, PA_STRING_LOST);
        pa_page_phrase(page, pa_page_text_of(device, "lost_text"));
    } else if (pa_page_truth_of(device, "is_changed"))
        pa_page_say(page, PA_STRING_CHANGED);
    else if (rate < slow_share * median) {
        pa_share_text(share, rate / median);
        pa_page_say(page, PA_STRING_SLOW, share);
    }
    pa_page_cell(page);
}

static void put_device(struct pa_page *page, const json_t *device, double median) {
    char text[2 * PA_FIGURE_BYTES];
    pa_page_cell_text(page, pa_page_text_of(device, "declared_name"));
    pa_page_text_cut(page, pa_page_text_of(device, "name"), PA_NAME_MOST);
    pa_page_cell(page);
    pa_page_cell_text(page, pa_page_text_of(device, "format"));
    snprintf(text, sizeof text, "%llu \xc3\x97 %llu",
             (unsigned long long)pa_page_count_of(device, "m"),
             (unsigned long long)pa_page_count_of(device, "n"));
    pa_page_cell_text(page, text);
    pa_page_cell_count(page, pa_page_count_of(device, "steps"));
    pa_page_cell_rate(page, pa_page_number_of(device, "pflops"));
    pa_page_cell_rate(page, pa_page_number_of(device, "peak_pflops"));
    pa_page_cell_share(page, pa_page_number_of(device, "efficiency"));
    put_remark(page, device, median);
    pa_page_row_end(page);
}

static void open_device_table(struct pa_page *page) {
    static const struct pa_column columns[] = {
        {PA_STRING_DEVICE, false}, {PA_STRING_MODEL, false},     {PA_STRING_FORMAT, false},
        {PA_STRING_SHAPE, true},   {PA_STRING_STEPS, true},      {PA_STRING_RATE, true},
        {PA_STRING_PEAK, true},    {PA_STRING_EFFICIENCY, true}, {PA_STRING_REMARK, false},
    };
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
}

static void put_groups(struct pa_page *page, const struct group *groups, size_t count) {
    static const struct pa_column columns[] = {
        {PA_STRING_COUNT, true}, {PA_STRING_MODEL, false}, {PA_STRING_FORMAT, false},
        {PA_STRING_LEAST, true}, {PA_STRING_MEDIAN, true}, {PA_STRING_MOST, true},
        {PA_STRING_PEAK, true},
    };
    char text[PA_FIGURE_BYTES];
    pa_count_text(text, pa_page_count_of(page->predicate, "device_count"));
    pa_page_say(page, PA_STRING_GROUPED, text);
    pa_page_block(page, PA_BLOCK_PLAIN);
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t g = 0; g < count; g++) {
        const struct group *group = &groups[g];
        pa_page_cell_count(page, group->count);
        pa_page_text_cut(page, pa_page_text_of(group->words, "name"), PA_NAME_MOST);
        pa_page_cell(page);
        pa_page_cell_text(page, pa_page_text_of(group->words, "format"));
        pa_page_cell_rate(page, group->least);
        pa_page_cell_rate(page, group->median);
        pa_page_cell_rate(page, group->most);
        pa_page_cell_rate(page, pa_page_number_of(group->words, "peak_pflops"));
        pa_page_row_end(page);
    }
    pa_page_table_end(page);
}

static bool stands_out(const json_t *device, double median) {
    return pa_page_truth_of(device, "is_lost") || pa_page_truth_of(device, "is_changed") ||
           pa_page_truth_of(device, "is_emulated") ||
           pa_page_number_of(device, "pflops") < slow_share * median;
}

static void put_outliers(struct pa_page *page, const json_t *devices, const struct group *groups,
                         size_t count) {
    size_t found = 0;
    for (size_t d = 0; d < json_array_size(devices); d++) {
        const json_t *device = json_array_get(devices, d);
        double median = groups[group_of(groups, count, device)].median;
        if (!stands_out(device, median) || found++ >= MOST_OUTLIERS)
            continue;
        if (found == 1) {
            pa_page_block_say(page, PA_BLOCK_SUBHEAD, PA_STRING_OUTLIERS);
            open_device_table(page);
        }
        put_device(page, device, median);
    }
    if (found > 0)
        pa_page_table_end(page);
    if (found == 0)
        pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_NO_OUTLIERS);
    pa_page_more_rows(page, found, MOST_OUTLIERS);
}

void pa_section_devices(struct pa_page *page) {
    const json_t *devices = pa_page_part_of(page, "devices");
    struct group groups[MOST_GROUPS] = {{0}};
    bool is_whole = pa_page_count_of(page->predicate, "device_count") == json_array_size(devices);
    size_t count = is_whole ? collect_groups(page, devices, groups)
                            : take_groups(pa_page_part_of(page, "rates"), groups);
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_DEVICES);
    if (pa_page_count_of(page->predicate, "device_count") > MOST_ROWS) {
        put_groups(page, groups, count);
        put_outliers(page, devices, groups, count);
    } else {
        open_device_table(page);
        for (size_t d = 0; d < json_array_size(devices); d++) {
            const json_t *device = json_array_get(devices, d);
            put_device(page, device, groups[group_of(groups, count, device)].median);
        }
        pa_page_table_end(page);
    }
    pa_page_end(page, PA_PART_SECTION);
}
