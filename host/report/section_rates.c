/* SPDX-License-Identifier: Apache-2.0 */
/* How the rates of like devices are distributed, and the slow ones by host. Certificates from
 * before these members, and sites of few devices, have no such section. */
#include "report/sections.h"

enum { MOST_GROUPS = 64, MOST_STRAGGLERS = 200, LEAST_GROUP = 4 };

static void put_group(struct pa_page *page, const json_t *group) {
    static const char *const rates[] = {"least_pflops", "p10_pflops",  "median_pflops",
                                        "p90_pflops",   "most_pflops", "mad_pflops"};
    pa_page_cell_count(page, pa_page_count_of(group, "count"));
    pa_page_text_cut(page, pa_page_text_of(group, "name"), PA_NAME_MOST);
    pa_page_cell(page);
    pa_page_cell_text(page, pa_page_text_of(group, "format"));
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        pa_page_cell_rate(page, pa_page_number_of(group, rates[i]));
    pa_page_row_end(page);
}

static void put_distribution(struct pa_page *page, const json_t *groups) {
    static const struct pa_column columns[] = {
        {PA_STRING_COUNT, true},       {PA_STRING_MODEL, false}, {PA_STRING_FORMAT, false},
        {PA_STRING_LEAST, true},       {PA_STRING_TENTH, true},  {PA_STRING_MEDIAN, true},
        {PA_STRING_NINE_TENTHS, true}, {PA_STRING_MOST, true},   {PA_STRING_MAD, true},
    };
    size_t shown = 0;
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t g = 0; g < json_array_size(groups); g++) {
        const json_t *group = json_array_get(groups, g);
        if (pa_page_count_of(group, "count") >= LEAST_GROUP && shown++ < MOST_GROUPS)
            put_group(page, group);
    }
    pa_page_table_end(page);
    pa_page_more_rows(page, shown, MOST_GROUPS);
}

static void put_straggler(struct pa_page *page, const json_t *straggler) {
    pa_page_text_cut(page, pa_page_text_of(straggler, "host"), PA_NAME_MOST);
    pa_page_cell(page);
    pa_page_text_cut(page, pa_page_text_of(straggler, "id"), PA_NAME_MOST);
    pa_page_cell(page);
    pa_page_cell_rate(page, pa_page_number_of(straggler, "pflops"));
    pa_page_cell_share(page, pa_page_number_of(straggler, "share_of_median"));
    pa_page_cell_figure(page, pa_page_number_of(straggler, "clock_mhz"));
    pa_page_cell_figure(page, pa_page_number_of(straggler, "power_w"));
    pa_page_cell_figure(page, pa_page_number_of(straggler, "temperature_c"));
    pa_page_row_end(page);
}

static void put_stragglers(struct pa_page *page, const json_t *stragglers) {
    static const struct pa_column columns[] = {
        {PA_STRING_STRAGGLER_HOST, false},
        {PA_STRING_DEVICE, false},
        {PA_STRING_RATE, true},
        {PA_STRING_OF_MEDIAN, true},
        {PA_STRING_CLOCK_MHZ, true},
        {PA_STRING_DEVICE_WATTS, true},
        {PA_STRING_CELSIUS, true},
    };
    size_t count = json_array_size(stragglers);
    if (count == 0)
        return;
    pa_page_block_say(page, PA_BLOCK_SUBHEAD, PA_STRING_STRAGGLERS);
    pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_STRAGGLERS_CAPTION);
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < count && i < MOST_STRAGGLERS; i++)
        put_straggler(page, json_array_get(stragglers, i));
    pa_page_table_end(page);
    pa_page_more_rows(page, count, MOST_STRAGGLERS);
}

void pa_section_rates(struct pa_page *page) {
    const json_t *groups = pa_page_part_of(page, "rates");
    bool has_group = false;
    for (size_t g = 0; g < json_array_size(groups); g++)
        has_group |= pa_page_count_of(json_array_get(groups, g), "count") >= LEAST_GROUP;
    if (!has_group)
        return;
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_LIKE_RATES);
    put_distribution(page, groups);
    put_stragglers(page, pa_page_part_of(page, "stragglers"));
    pa_page_end(page, PA_PART_SECTION);
}
