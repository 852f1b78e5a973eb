/* SPDX-License-Identifier: Apache-2.0 */
#include "report/phrase.h"
#include "report/sections.h"

static void put_finding(struct pa_page *page, const json_t *finding, bool has_more) {
    bool is_critical = pa_page_is(finding, "severity", "critical");
    pa_page_phrase(page, pa_page_text_of(finding, "severity"));
    if (is_critical)
        pa_page_cell_bad(page);
    else
        pa_page_cell(page);
    pa_page_mark(page, "<b>");
    pa_page_code(page, pa_page_text_of(finding, "code"));
    pa_page_mark(page, "</b> <code>");
    pa_page_text_cut(page, pa_page_text_of(finding, "code"), PA_NAME_MOST);
    pa_page_mark(page, "</code>\n");
    pa_page_phrase(page, pa_page_text_of(finding, "text"));
    pa_page_cell(page);
    if (has_more) {
        pa_page_phrase(page, pa_page_text_of(finding, "evidence"));
        pa_page_cell(page);
        pa_page_phrase(page, pa_page_text_of(finding, "advice"));
        pa_page_cell(page);
    }
    pa_page_row_end(page);
}

void pa_section_findings(struct pa_page *page) {
    static const struct pa_column columns[] = {{PA_STRING_SEVERITY, true},
                                               {PA_STRING_TEXT, false},
                                               {PA_STRING_WHERE, false},
                                               {PA_STRING_ADVICE, false}};
    const json_t *findings = pa_page_part_of(page, "findings");
    size_t total = json_array_size(findings);
    /* Certificates of earlier versions say neither where nor what to do. */
    bool has_more = json_object_get(json_array_get(findings, 0), "advice") != NULL;
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_FINDINGS);
    if (total == 0)
        pa_page_block_say(page, PA_BLOCK_PLAIN, PA_STRING_NO_FINDINGS);
    else {
        pa_page_table(page, columns, has_more ? 4 : 2);
        for (size_t i = 0; i < total && i < PA_LIST_MOST; i++)
            put_finding(page, json_array_get(findings, i), has_more);
        pa_page_table_end(page);
        pa_page_more_rows(page, total, PA_LIST_MOST);
    }
    pa_page_end(page, PA_PART_SECTION);
}
