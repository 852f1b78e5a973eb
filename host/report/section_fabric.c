/* SPDX-License-Identifier: Apache-2.0 */
/* The fabric proof: what devices exchanged, and what that says of a part of them elsewhere. */
#include "report/sections.h"

#include <math.h>

static void put_run(struct pa_page *page, const json_t *fabric) {
    static const struct pa_column columns[] = {{PA_STRING_QUANTITY, false},
                                               {PA_STRING_VALUE, false}};
    char text[PA_FIGURE_BYTES];
    pa_page_table(page, columns, 2);
    pa_page_figure_row(page, PA_STRING_FABRIC_DEVICES, (double)pa_page_count_of(fabric, "devices"),
                       "");
    pa_page_figure_row(page, PA_STRING_FABRIC_BYTES,
                       (double)pa_page_count_of(fabric, "bytes") * 1e-6, " MB");
    pa_page_figure_row(page, PA_STRING_FABRIC_WINDOW, pa_page_number_of(fabric, "window_s"), " s");
    pa_page_figure_row(page, PA_STRING_FABRIC_EXCHANGE, pa_page_number_of(fabric, "exchange_s"),
                       " s");
    pa_page_figure_row(page, PA_STRING_FABRIC_DRAWN, (double)pa_page_count_of(fabric, "drawn"), "");
    pa_page_figure_row(page, PA_STRING_FABRIC_FAILED, (double)pa_page_count_of(fabric, "failed"),
                       "");
    double twice = pa_page_number_of(fabric, "twice_share");
    if (isfinite(twice)) {
        pa_share_text(text, twice);
        pa_page_say(page, PA_STRING_FABRIC_TWICE);
        pa_page_cell(page);
        pa_page_cell_text(page, text);
        pa_page_row_end(page);
    }
    pa_page_table_end(page);
}

static void put_cuts(struct pa_page *page, const json_t *cuts) {
    static const struct pa_column columns[] = {{PA_STRING_FABRIC_SHARE, true},
                                               {PA_STRING_FABRIC_CROSSED, true}};
    pa_page_table(page, columns, 2);
    for (size_t i = 0; i < json_array_size(cuts); i++) {
        const json_t *cut = json_array_get(cuts, i);
        pa_page_cell_share(page, pa_page_number_of(cut, "share"));
        pa_page_cell_figure(page, pa_page_number_of(cut, "gbs_least"));
        pa_page_row_end(page);
    }
    pa_page_table_end(page);
}

void pa_section_fabric(struct pa_page *page) {
    const json_t *fabric = pa_page_part_of(page, "fabric");
    bool is_held = pa_page_is(fabric, "state", "held");
    if (!is_held && !pa_page_is(fabric, "state", "wrong") &&
        !pa_page_is(fabric, "state", "unfinished"))
        return;
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_FABRIC);
    pa_page_block_say(page, is_held ? PA_BLOCK_PLAIN : PA_BLOCK_ALARM,
                      is_held                                ? PA_STRING_FABRIC_HELD
                      : pa_page_is(fabric, "state", "wrong") ? PA_STRING_FABRIC_WRONG
                                                             : PA_STRING_FABRIC_UNFINISHED);
    put_run(page, fabric);
    if (is_held) {
        put_cuts(page, json_object_get(fabric, "cuts"));
        pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_FABRIC_CAVEAT);
    }
    pa_page_end(page, PA_PART_SECTION);
}
