/* SPDX-License-Identifier: Apache-2.0 */
/* How the figure comes about, and how far it can be trusted. */
#include "report/phrase.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>

static void put_quantity(struct pa_page *page, enum pa_string id, const char *text) {
    pa_page_say(page, id);
    pa_page_cell(page);
    pa_page_cell_text(page, text);
    pa_page_row_end(page);
}

static void put_figure(struct pa_page *page, enum pa_string id, double value) {
    char text[PA_FIGURE_BYTES];
    pa_figure_of(text, value);
    put_quantity(page, id, text);
}

static void put_rate(struct pa_page *page, enum pa_string id, double value, double u) {
    char text[PA_FIGURE_BYTES];
    pa_page_rate_u_text(page, text, value, u);
    put_quantity(page, id, text);
}

static void put_derivation(struct pa_page *page) {
    static const struct pa_column columns[] = {{PA_STRING_QUANTITY, false},
                                               {PA_STRING_VALUE, true}};
    const json_t *verified = pa_page_part_of(page, "verified"),
                 *judged = pa_page_part_of(page, "judged");
    char text[2 * PA_FIGURE_BYTES], gap[PA_FIGURE_BYTES];
    pa_page_table(page, columns, 2);
    put_figure(page, PA_STRING_Q_OPERATIONS, pa_page_number_of(verified, "operations"));
    put_figure(page, PA_STRING_Q_SECONDS, pa_page_number_of(verified, "seconds"));
    put_rate(page, PA_STRING_Q_RATE, pa_page_number_of(verified, "rate_pflops"), 0);
    put_figure(page, PA_STRING_Q_N_EFFECTIVE, pa_page_number_of(verified, "n_effective"));
    put_figure(page, PA_STRING_Q_ALPHA, pa_page_number_of(verified, "alpha_r"));
    pa_share_text(text, pa_page_number_of(verified, "honest_fraction_lower"));
    put_quantity(page, PA_STRING_Q_HONEST, text);
    pa_page_say(page, PA_STRING_CONFIDENCE);
    pa_page_cell(page);
    pa_page_phrase_word(page, pa_page_text_of(verified, "confidence_text"));
    pa_page_cell(page);
    pa_page_row_end(page);
    put_rate(page, PA_STRING_Q_VERIFIED, pa_page_number_of(verified, "pflops"), 0);
    put_rate(page, PA_STRING_Q_U, pa_page_number_of(verified, "u"), 0);
    put_rate(page, PA_STRING_Q_JUDGED, pa_page_number_of(judged, "pflops"),
             pa_page_number_of(judged, "u"));
    put_figure(page, PA_STRING_SUBSTITUTION, pa_page_number_of(verified, "substitution_bound"));
    pa_fixed_text(gap, pa_page_number_of(verified, "gap_s"), 1);
    snprintf(text, sizeof text, "%llu, %s", (unsigned long long)pa_page_count_of(verified, "gaps"),
             gap);
    put_quantity(page, PA_STRING_Q_GAPS, text);
    put_figure(page, PA_STRING_Q_CLOCK_STEP,
               pa_page_number_of(pa_page_part_of(page, "session"), "clock_step_s"));
    pa_page_table_end(page);
}

static void put_source(struct pa_page *page, const json_t *source, double variance) {
    double contribution = pa_page_number_of(source, "contribution");
    double freedom = pa_page_number_of(source, "freedom");
    pa_page_mark(page, "<b>");
    pa_page_phrase(page, pa_page_text_of(source, "name"));
    pa_page_mark(page, "</b>\n");
    pa_page_phrase(page, pa_page_text_of(source, "basis"));
    pa_page_cell(page);
    pa_page_cell_text(page, pa_page_text_of(source, "evaluation"));
    pa_page_phrase(page, pa_page_text_of(source, "distribution"));
    pa_page_cell(page);
    pa_page_cell_figure(page, pa_page_number_of(source, "standard"));
    pa_page_cell_figure(page, pa_page_number_of(source, "sensitivity"));
    pa_page_cell_figure(page, contribution);
    pa_page_cell_share(page, variance > 0 ? contribution * contribution / variance : 0);
    if (isfinite(freedom))
        pa_page_cell_figure(page, freedom);
    else {
        pa_page_say(page, PA_STRING_INFINITE);
        pa_page_cell(page);
    }
    pa_page_row_end(page);
}

static void put_sum(struct pa_page *page, const json_t *budget) {
    static const struct pa_column columns[] = {{PA_STRING_QUANTITY, false},
                                               {PA_STRING_VALUE, true}};
    char text[3 * PA_FIGURE_BYTES], k[PA_FIGURE_BYTES], rate[PA_FIGURE_BYTES];
    double freedom = pa_page_number_of(budget, "freedom");
    pa_page_table(page, columns, 2);
    put_rate(page, PA_STRING_Q_COMBINED, pa_page_number_of(budget, "combined"), 0);
    pa_figure_of(text, freedom);
    put_quantity(page, PA_STRING_Q_FREEDOM,
                 isfinite(freedom) ? text : page->strings[PA_STRING_INFINITE]);
    put_rate(page, PA_STRING_Q_EXPANDED, pa_page_number_of(budget, "expanded"), 0);
    pa_share_text(text, pa_page_number_of(budget, "coverage"));
    put_quantity(page, PA_STRING_Q_COVERAGE, text);
    pa_fixed_text(k, pa_page_number_of(budget, "k_95"), 2);
    pa_page_rate_text(page, rate, pa_page_number_of(budget, "expanded_95"));
    snprintf(text, sizeof text, "%s, %s", k, rate);
    put_quantity(page, PA_STRING_Q_AT_95, text);
    pa_page_table_end(page);
}

static void put_budget(struct pa_page *page) {
    static const struct pa_column columns[] = {
        {PA_STRING_SOURCE, false},       {PA_STRING_KIND, true},
        {PA_STRING_DISTRIBUTION, false}, {PA_STRING_STANDARD_U, true},
        {PA_STRING_SENSITIVITY, true},   {PA_STRING_CONTRIBUTION, true},
        {PA_STRING_SHARE, true},         {PA_STRING_FREEDOM, true}};
    const json_t *budget = pa_page_part_of(page, "uncertainty");
    const json_t *sources = json_object_get(budget, "sources");
    double combined = pa_page_number_of(budget, "combined");
    if (budget == NULL) /* a certificate of an earlier version */
        return;
    pa_page_block_say(page, PA_BLOCK_SUBHEAD, PA_STRING_BUDGET);
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < json_array_size(sources) && i < PA_LIST_MOST; i++)
        put_source(page, json_array_get(sources, i), combined * combined);
    pa_page_table_end(page);
    pa_page_say(page, PA_STRING_BUDGET_CAPTION, pa_page_text_of(budget, "unit"));
    pa_page_block(page, PA_BLOCK_CAPTION);
    put_sum(page, budget);
}

void pa_section_uncertainty(struct pa_page *page) {
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_UNCERTAINTY);
    pa_page_block_say(page, PA_BLOCK_PLAIN, PA_STRING_UNCERTAINTY_TEXT);
    put_derivation(page);
    put_budget(page);
    pa_page_end(page, PA_PART_SECTION);
}
