/* SPDX-License-Identifier: Apache-2.0 */
/* How far away the work can have been done: the rate over the radius, by short epochs. */
#include "report/chart.h"
#include "report/sections.h"

#include <math.h>

static void put_point(struct pa_page *page, const json_t *point) {
    char text[PA_FIGURE_BYTES];
    double share = pa_page_number_of(point, "remote_share_most");
    pa_page_cell_figure(page, pa_page_number_of(point, "length_s"));
    pa_page_cell_count(page, pa_page_count_of(point, "declared"));
    pa_page_cell_count(page, pa_page_count_of(point, "aborted"));
    pa_page_cell_figure(page, pa_page_number_of(point, "longest_s"));
    pa_page_cell_figure(page, pa_page_number_of(point, "radius_km"));
    pa_page_cell_rate(page, pa_page_number_of(point, "rate_pflops"));
    pa_page_cell_rate(page, pa_page_number_of(point, "verified_pflops"));
    pa_share_text(text, share);
    pa_page_cell_text(page, isfinite(share) ? text : "");
    pa_page_row_end(page);
}

void pa_section_radius(struct pa_page *page) {
    static const struct pa_column columns[] = {
        {PA_STRING_EPOCH_LENGTH, true},  {PA_STRING_COUNT, true},        {PA_STRING_ABORTED, true},
        {PA_STRING_LONGEST, true},       {PA_STRING_RADIUS_KM, true},    {PA_STRING_RATE, true},
        {PA_STRING_RATE_AT_LEAST, true}, {PA_STRING_REMOTE_SHARE, true},
    };
    const json_t *points = pa_page_part_of(page, "radius");
    if (json_array_size(points) == 0)
        return;
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_RADIUS);
    pa_chart_radius(page);
    pa_page_block_say(page, PA_BLOCK_CAPTION,
                      pa_page_is(page->predicate, "assurance", "self")
                          ? PA_STRING_RADIUS_SELF_CAPTION
                          : PA_STRING_RADIUS_CAPTION);
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < json_array_size(points); i++)
        put_point(page, json_array_get(points, i));
    pa_page_table_end(page);
    pa_page_end(page, PA_PART_SECTION);
}
