/* SPDX-License-Identifier: Apache-2.0 */
/* The devices: one row each while they fit on a page, else one row a group and those that stand
 * out. */
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 64, MOST_GROUPS = 64, MOST_OUTLIERS = 200 };

/* Below this share of its group's median a device is named. */
static const double slow_share = 0.85;

struct group {
    const json_t *first; /* a device of it, for its words */
    double *rates;       /* sorted; owned */
    size_t count;
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
        if (same_group(groups[g].first, device))
            return g;
    return count < MOST_GROUPS ? count : MOST_GROUPS - 1;
}

static size_t collect_groups(struct pa_page *page, const json_t *devices,
                             struct group groups[MOST_GROUPS]) {
    size_t count = 0, total = json_array_size(devices);
    for (size_t d = 0; d < total; d++) {
        const json_t *device = json_array_get(devices, d);
        size_t g = group_of(groups, count, device);
        if (g == count) {
            groups[g] = (struct group){.first = device, .rates = calloc(total, sizeof(double))};
            count++;
        }
        if (groups[g].rates == NULL)
            page->out->failed = true;
        else
            groups[g].rates[groups[g].count++] = pa_page_number_of(device, "pflops");
    }
    for (size_t g = 0; g < count; g++)
        if (groups[g].rates != NULL)
            qsort(groups[g].rates, groups[g].count, sizeof(double), by_rate);
    return count;
}

static double median_of(const struct group *group) {
    return group->count == 0 ? 0 : group->rates[group->count / 2];
}

static void put_rate_cell(struct pa_page *page, double pflops) {
    char text[PA_FIGURE_BYTES];
    pa_page_rate_text(page, text, pflops);
    pa_page_cell(page, text, true);
}

static void put_remark(struct pa_page *page, const json_t *device, double median) {
    char share[PA_FIGURE_BYTES];
    double rate = pa_page_number_of(device, "pflops");
    pa_page_raw(page, "<td>");
    if (pa_page_truth_of(device, "is_emulated"))
        pa_page_say(page, PA_STRING_EMULATED);
    else if (pa_page_truth_of(device, "is_lost"))
        pa_page_say(page, PA_STRING_LOST, pa_page_text_of(device, "lost_text"));
    else if (pa_page_truth_of(device, "is_changed"))
        pa_page_say(page, PA_STRING_CHANGED);
    else if (rate < slow_share * median) {
        pa_page_share_text(share, rate / median);
        pa_page_say(page, PA_STRING_SLOW, share);
    }
    pa_page_raw(page, "</td>");
}

static void put_device(struct pa_page *page, const json_t *device, double median) {
    char text[2 * PA_FIGURE_BYTES], share[PA_FIGURE_BYTES];
    double efficiency = pa_page_number_of(device, "efficiency");
    pa_page_raw(page, "<tr>");
    pa_page_cell(page, pa_page_text_of(device, "declared_name"), false);
    pa_page_cell(page, pa_page_text_of(device, "name"), false);
    pa_page_cell(page, pa_page_text_of(device, "format"), false);
    snprintf(text, sizeof text, "%llu \xc3\x97 %llu",
             (unsigned long long)pa_page_count_of(device, "m"),
             (unsigned long long)pa_page_count_of(device, "n"));
    pa_page_cell(page, text, true);
    pa_page_count_text(text, pa_page_count_of(device, "steps"));
    pa_page_cell(page, text, true);
    put_rate_cell(page, pa_page_number_of(device, "pflops"));
    put_rate_cell(page, pa_page_number_of(device, "peak_pflops"));
    pa_page_share_text(share, efficiency);
    pa_page_cell(page, isfinite(efficiency) ? share : "", true);
    put_remark(page, device, median);
    pa_page_raw(page, "</tr>\n");
}

static void open_device_table(struct pa_page *page) {
    static const enum pa_string heads[] = {
        PA_STRING_DEVICE, PA_STRING_MODEL, PA_STRING_FORMAT,     PA_STRING_SHAPE, PA_STRING_STEPS,
        PA_STRING_RATE,   PA_STRING_PEAK,  PA_STRING_EFFICIENCY, PA_STRING_REMARK};
    pa_page_raw(page, "<div class=\"scroll\"><table>");
    pa_page_row_head(page, heads, sizeof heads / sizeof heads[0]);
}

static void close_table(struct pa_page *page) {
    pa_page_raw(page, "</tbody></table></div>\n");
}

static void put_groups(struct pa_page *page, const struct group *groups, size_t count) {
    static const enum pa_string heads[] = {PA_STRING_COUNT, PA_STRING_MODEL,  PA_STRING_FORMAT,
                                           PA_STRING_LEAST, PA_STRING_MEDIAN, PA_STRING_MOST,
                                           PA_STRING_PEAK};
    char text[PA_FIGURE_BYTES];
    pa_page_count_text(text, json_array_size(pa_page_part_of(page, "devices")));
    pa_page_raw(page, "<p>");
    pa_page_say(page, PA_STRING_GROUPED, text);
    pa_page_raw(page, "</p><div class=\"scroll\"><table>");
    pa_page_row_head(page, heads, sizeof heads / sizeof heads[0]);
    for (size_t g = 0; g < count; g++) {
        const struct group *group = &groups[g];
        pa_page_raw(page, "<tr>");
        pa_page_count_text(text, group->count);
        pa_page_cell(page, text, true);
        pa_page_cell(page, pa_page_text_of(group->first, "name"), false);
        pa_page_cell(page, pa_page_text_of(group->first, "format"), false);
        put_rate_cell(page, group->count > 0 ? group->rates[0] : 0);
        put_rate_cell(page, median_of(group));
        put_rate_cell(page, group->count > 0 ? group->rates[group->count - 1] : 0);
        put_rate_cell(page, pa_page_number_of(group->first, "peak_pflops"));
        pa_page_raw(page, "</tr>\n");
    }
    close_table(page);
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
        double median = median_of(&groups[group_of(groups, count, device)]);
        if (!stands_out(device, median) || found++ >= MOST_OUTLIERS)
            continue;
        if (found == 1) {
            pa_page_raw(page, "<h3>");
            pa_page_say(page, PA_STRING_OUTLIERS);
            pa_page_raw(page, "</h3>");
            open_device_table(page);
        }
        put_device(page, device, median);
    }
    if (found > 0)
        close_table(page);
    char more[PA_FIGURE_BYTES];
    pa_page_count_text(more, found > MOST_OUTLIERS ? found - MOST_OUTLIERS : 0);
    if (found == 0 || found > MOST_OUTLIERS) {
        pa_page_raw(page, "<p class=\"caption\">");
        pa_page_say(page, found == 0 ? PA_STRING_NO_OUTLIERS : PA_STRING_MORE_ROWS, more);
        pa_page_raw(page, "</p>");
    }
}

void pa_section_devices(struct pa_page *page) {
    const json_t *devices = pa_page_part_of(page, "devices");
    struct group groups[MOST_GROUPS] = {{0}};
    size_t count = collect_groups(page, devices, groups);
    pa_page_raw(page, "<section>");
    pa_page_heading(page, PA_STRING_DEVICES);
    if (json_array_size(devices) > MOST_ROWS) {
        put_groups(page, groups, count);
        put_outliers(page, devices, groups, count);
    } else {
        open_device_table(page);
        for (size_t d = 0; d < json_array_size(devices); d++) {
            const json_t *device = json_array_get(devices, d);
            put_device(page, device, median_of(&groups[group_of(groups, count, device)]));
        }
        close_table(page);
    }
    pa_page_raw(page, "</section>\n");
    for (size_t g = 0; g < count; g++)
        free(groups[g].rates);
}
