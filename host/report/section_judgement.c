/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from the figure: under either acceptance rule, each requirement of the policy, and
 * each reading of what its clause leaves open. A certificate of an earlier version lacks these
 * members, and the page then lacks the part. */
#include "report/phrase.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_verdict_cell(struct pa_page *page, const char *verdict) {
    bool is_bad = strcmp(verdict, "FAIL") == 0 || strcmp(verdict, "INVALID") == 0;
    pa_page_phrase(page, verdict);
    if (is_bad)
        pa_page_cell_bad(page);
    else
        pa_page_cell(page);
}

static void put_rules(struct pa_page *page, const json_t *judged) {
    static const struct pa_column columns[] = {
        {PA_STRING_RULE_NAME, false},    {PA_STRING_SAYS, false},
        {PA_STRING_ACCEPT_FROM, true},   {PA_STRING_REJECT_BELOW, true},
        {PA_STRING_CONSUMER_RISK, true}, {PA_STRING_PRODUCER_RISK, true}};
    double claim = pa_page_number_of(pa_page_part_of(page, "claim"), "pflops");
    if (json_object_get(judged, "guarded") == NULL)
        return;
    pa_page_block_say(page, PA_BLOCK_SUBHEAD, PA_STRING_BY_RULES);
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (int i = 0; i < 2; i++) {
        bool is_guarded = i == 0;
        pa_page_say(page, is_guarded ? PA_STRING_GUARDED : PA_STRING_SIMPLE);
        pa_page_cell(page);
        put_verdict_cell(page, pa_page_text_of(judged, is_guarded ? "guarded" : "simple"));
        pa_page_cell_rate(page, is_guarded ? pa_page_number_of(judged, "acceptance_limit") : claim);
        pa_page_cell_rate(page, is_guarded ? pa_page_number_of(judged, "rejection_limit") : claim);
        pa_page_cell_share(page, pa_page_number_of(judged, "consumer_risk"));
        pa_page_cell_share(page, pa_page_number_of(judged, "producer_risk"));
        pa_page_row_end(page);
    }
    pa_page_table_end(page);
}

static void put_limit(struct pa_page *page, double value, const char *unit, bool is_most) {
    char figure[PA_FIGURE_BYTES];
    pa_figure_of(figure, value);
    pa_page_mark(page, is_most ? "\xe2\x89\xa4 " : "\xe2\x89\xa5 ");
    pa_page_text(page, figure);
    pa_page_mark(page, " ");
    pa_page_text_cut(page, unit, PA_NAME_MOST);
    pa_page_cell(page);
}

static void put_measured(struct pa_page *page, const json_t *requirement) {
    double value = pa_page_number_of(requirement, "value");
    double expanded = pa_page_number_of(requirement, "expanded");
    char figure[PA_FIGURE_BYTES];
    if (!isfinite(value)) {
        pa_page_say(page, PA_STRING_NOT_KNOWN);
        pa_page_cell(page);
        return;
    }
    pa_figure_of(figure, value);
    pa_page_text(page, figure);
    if (isfinite(expanded) && expanded > 0) {
        pa_figure_of(figure, expanded);
        pa_page_mark(page, " \xc2\xb1 ");
        pa_page_text(page, figure);
    }
    pa_page_mark(page, " ");
    pa_page_text_cut(page, pa_page_text_of(requirement, "unit"), PA_NAME_MOST);
    pa_page_cell(page);
}

static void put_requirements(struct pa_page *page, const json_t *requirements) {
    static const struct pa_column columns[] = {{PA_STRING_REQUIREMENT, false},
                                               {PA_STRING_LIMIT, true},
                                               {PA_STRING_MEASURED, true},
                                               {PA_STRING_CONFORMITY, true},
                                               {PA_STRING_VERDICT, false}};
    size_t total = json_array_size(requirements);
    if (total == 0)
        return;
    pa_page_block_say(page, PA_BLOCK_SUBHEAD, PA_STRING_REQUIREMENTS);
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < total && i < PA_LIST_MOST; i++) {
        const json_t *requirement = json_array_get(requirements, i);
        pa_page_phrase(page, pa_page_text_of(requirement, "text"));
        pa_page_mark(page, "\n");
        pa_page_phrase(page, pa_page_text_of(requirement, "reason"));
        pa_page_cell(page);
        put_limit(page, pa_page_number_of(requirement, "limit"),
                  pa_page_text_of(requirement, "unit"),
                  pa_page_is(requirement, "bound", "at_most"));
        put_measured(page, requirement);
        pa_page_cell_share(page, pa_page_number_of(requirement, "conformity"));
        put_verdict_cell(page, pa_page_text_of(requirement, "verdict"));
        pa_page_row_end(page);
    }
    pa_page_table_end(page);
    pa_page_more_rows(page, total, PA_LIST_MOST);
}

static void put_megawatts(struct pa_page *page, double mw) {
    char text[PA_FIGURE_BYTES];
    pa_megawatt_text(text, mw);
    pa_page_cell_text(page, isfinite(mw) ? text : page->strings[PA_STRING_NOT_KNOWN]);
}

static void put_readings(struct pa_page *page, const json_t *readings) {
    static const struct pa_column columns[] = {
        {PA_STRING_BASIS, false}, {PA_STRING_PRECISION, false},  {PA_STRING_ROUNDING, false},
        {PA_STRING_FIGURE, true}, {PA_STRING_ENTITLED_MW, true}, {PA_STRING_OVERCLAIM_MW, true},
        {PA_STRING_REMARK, false}};
    size_t total = json_array_size(readings);
    if (total == 0)
        return;
    pa_page_block_say(page, PA_BLOCK_SUBHEAD, PA_STRING_READINGS_OF_RULE);
    pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_READINGS_CAPTION);
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < total && i < PA_LIST_MOST; i++) {
        static const char *const words[] = {"basis", "precision", "rounding"};
        const json_t *reading = json_array_get(readings, i);
        for (size_t w = 0; w < 3; w++) {
            pa_page_phrase_word(page, pa_page_text_of(reading, words[w]));
            pa_page_cell(page);
        }
        pa_page_cell_rate(page, pa_page_number_of(reading, "pflops"));
        put_megawatts(page, pa_page_number_of(reading, "mw"));
        put_megawatts(page, pa_page_number_of(reading, "overclaim_mw"));
        if (pa_page_truth_of(reading, "is_judged"))
            pa_page_say(page, PA_STRING_JUDGED_HERE);
        pa_page_cell(page);
        pa_page_row_end(page);
    }
    pa_page_table_end(page);
}

void pa_section_judgement(struct pa_page *page) {
    const json_t *judged = pa_page_part_of(page, "judged");
    const json_t *requirements = pa_page_part_of(page, "requirements");
    const json_t *readings = json_object_get(pa_page_part_of(page, "entitlement"), "readings");
    if (json_object_get(judged, "guarded") == NULL && json_array_size(requirements) == 0 &&
        json_array_size(readings) == 0)
        return;
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_WHAT_FOLLOWS);
    put_rules(page, judged);
    put_requirements(page, requirements);
    put_readings(page, readings);
    pa_page_end(page, PA_PART_SECTION);
}
