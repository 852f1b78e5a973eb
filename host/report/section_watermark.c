/* SPDX-License-Identifier: Apache-2.0 */
/* The power watermark: what was told, what the meter saw, and what that shows. */
#include "report/chart.h"
#include "report/phrase.h"
#include "report/sections.h"

#include <math.h>

void pa_section_watermark(struct pa_page *page) {
    static const struct pa_column columns[] = {{PA_STRING_QUANTITY, false},
                                               {PA_STRING_VALUE, false}};
    const json_t *mark = pa_page_part_of(page, "watermark");
    double p = pa_page_number_of(mark, "p");
    if (pa_page_count_of(mark, "bits") == 0)
        return;
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_WATERMARK);
    pa_chart_watermark(page);
    pa_page_block_say(page, pa_page_truth_of(mark, "is_found") ? PA_BLOCK_PLAIN : PA_BLOCK_ALARM,
                      pa_page_truth_of(mark, "is_found") ? PA_STRING_WATERMARK_FOUND
                      : isfinite(p)                      ? PA_STRING_WATERMARK_NOT_FOUND
                                                         : PA_STRING_WATERMARK_NOT_WHOLE);
    pa_page_table(page, columns, 2);
    pa_page_figure_row(page, PA_STRING_WATERMARK_BITS, (double)pa_page_count_of(mark, "bits"), "");
    pa_page_figure_row(page, PA_STRING_WATERMARK_USABLE,
                       (double)pa_page_count_of(mark, "usable_bits"), "");
    pa_page_figure_row(page, PA_STRING_WATERMARK_HALF, pa_page_number_of(mark, "half_bit_s"), " s");
    pa_page_figure_row(page, PA_STRING_WATERMARK_SETTLE, pa_page_number_of(mark, "settle_s"), " s");
    pa_page_figure_row(page, PA_STRING_WATERMARK_SWITCHED, pa_page_number_of(mark, "switched_w"),
                       " W");
    pa_page_figure_row(page, PA_STRING_WATERMARK_T, pa_page_number_of(mark, "t"), "");
    pa_page_figure_row(page, PA_STRING_WATERMARK_P, p, "");
    pa_page_table_end(page);
    pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_WATERMARK_CAVEAT);
    pa_page_end(page, PA_PART_SECTION);
}
