/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "certificate/members.h"
#include "report/sections.h"
#include "report/style.h"

#include <string.h>

static void put_page(struct pa_page *page, enum pa_paper paper) {
    bool is_test = strcmp(pa_page_text_of(page->predicate, "result"), "TEST") == 0;
    pa_page_raw(page, "<!doctype html>\n<html lang=\"");
    pa_page_raw(page, page->strings[PA_STRING_LANGUAGE]);
    /* Nothing may be loaded and nothing may run, even if a text got past the escaping. */
    pa_page_raw(page, "\">\n<head><meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src 'unsafe-inline'\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                      "<title>");
    pa_page_say(page, is_test ? PA_STRING_TITLE_TEST : PA_STRING_TITLE_CERTIFICATE);
    pa_page_raw(page, ": ");
    pa_page_text(page, pa_page_text_of(page->predicate, "center"));
    pa_page_raw(page, "</title>\n<style>\n@page{size:");
    pa_page_raw(page, paper == PA_PAPER_LETTER ? "letter" : "A4");
    pa_page_raw(page, ";margin:15mm 17mm 12mm}\n");
    pa_page_raw(page, pa_style_sheet);
    pa_page_raw(page, "</style></head>\n<body><main>\n");
    pa_section_front(page);
    pa_page_raw(page, "<div class=\"sheet\">\n");
    pa_section_rate(page);
    pa_section_devices(page);
    pa_section_allreduce(page);
    pa_section_epochs(page);
    pa_section_uncertainty(page);
    pa_section_findings(page);
    pa_section_rule(page);
    pa_page_raw(page, "</div>\n</main></body></html>\n");
}

int pa_report_html(const json_t *statement, enum pa_paper paper, struct pa_buffer *out,
                   struct pa_error *error) {
    if (pa_members_check(statement, pa_statement_members, "statement", error) != PA_OK) {
        pa_fail_in(error, "writing the report: this is no statement of petaudit");
        if (error != NULL)
            error->code = PA_EINTERNAL;
        return PA_EINTERNAL;
    }
    struct pa_page page = {.out = out, .statement = statement, .strings = pa_strings_en};
    page.predicate = json_object_get(statement, "predicate");
    bool is_integer =
        strcmp(pa_page_text_of(pa_page_part_of(&page, "claim"), "precision"), "int8") == 0;
    page.rate_word = is_integer ? "OPS" : "FLOPS";
    put_page(&page, paper);
    if (out->failed)
        return pa_fail(error, PA_EMEMORY, "writing the report: out of memory");
    return PA_OK;
}
