/* SPDX-License-Identifier: Apache-2.0 */
/* An audit of some devices: how many the witness chose, and what they say of all. */
#include "report/phrase.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>

static void put_count(struct pa_page *page, enum pa_string label, uint64_t count, double share) {
    char text[2 * PA_FIGURE_BYTES], part[PA_FIGURE_BYTES];
    pa_share_text(part, share);
    snprintf(text, sizeof text, isfinite(share) ? "%llu (%s)" : "%llu", (unsigned long long)count,
             part);
    pa_page_say(page, label);
    pa_page_cell(page);
    pa_page_cell_text(page, text);
    pa_page_row_end(page);
}

static void put_rate(struct pa_page *page, enum pa_string label, double pflops) {
    pa_page_say(page, label);
    pa_page_cell(page);
    pa_page_cell_rate(page, pflops);
    pa_page_row_end(page);
}

void pa_section_sample(struct pa_page *page) {
    static const struct pa_column columns[] = {{PA_STRING_QUANTITY, false},
                                               {PA_STRING_VALUE, false}};
    const json_t *sample = pa_page_part_of(page, "sample");
    double devices = (double)pa_page_count_of(sample, "devices");
    uint64_t drawn = pa_page_count_of(sample, "drawn");
    if (drawn == 0)
        return;
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_SAMPLE);
    pa_page_table(page, columns, 2);
    put_count(page, PA_STRING_SAMPLE_DEVICES, (uint64_t)devices, NAN);
    put_count(page, PA_STRING_SAMPLE_DRAWN, drawn, (double)drawn / devices);
    put_count(page, PA_STRING_SAMPLE_FAILING, pa_page_count_of(sample, "failing"), NAN);
    put_count(page, PA_STRING_SAMPLE_MISSING, pa_page_count_of(sample, "missing_most"),
              pa_page_number_of(sample, "missing_share_most"));
    put_rate(page, PA_STRING_SAMPLE_DECLARED, pa_page_number_of(sample, "declared_pflops"));
    put_rate(page, PA_STRING_SAMPLE_ESTIMATE, pa_page_number_of(sample, "estimate_pflops"));
    put_rate(page, PA_STRING_SAMPLE_LOWER, pa_page_number_of(sample, "lower_pflops"));
    put_rate(page, PA_STRING_SAMPLE_UPPER, pa_page_number_of(sample, "upper_pflops"));
    pa_page_say(page, PA_STRING_SAMPLE_CONFIDENCE);
    pa_page_cell(page);
    if (pa_page_is(page->predicate, "assurance", "self"))
        pa_page_cell_text(page, page->strings[PA_STRING_SELF_DECLARED]);
    else
        pa_page_cell_share(page, pa_page_number_of(sample, "confidence"));
    pa_page_row_end(page);
    pa_page_table_end(page);
    pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_SAMPLE_CAVEAT);
    pa_page_end(page, PA_PART_SECTION);
}
