/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "base/base.h"
#include "certificate/canonical.h"
#include "certificate/members.h"
#include "proof/hash.h"
#include "report/html_medium.h"
#include "report/pdf_medium.h"
#include "report/pdf_update.h"
#include "report/sections.h"
#include "report/style.h"

#include <string.h>

bool pa_language_named(const char *name, enum pa_language *out) {
    *out = strcmp(name, "zh") == 0 ? PA_LANGUAGE_ZH : PA_LANGUAGE_EN;
    return *out == PA_LANGUAGE_ZH || strcmp(name, "en") == 0;
}

static void put_sections(struct pa_page *page) {
    pa_section_front(page);
    pa_page_begin_bare(page, PA_PART_REST);
    pa_section_method(page);
    pa_section_sample(page);
    pa_section_rate(page);
    pa_section_uncertainty(page);
    pa_section_judgement(page);
    pa_section_devices(page);
    pa_section_rates(page);
    pa_section_epochs(page);
    pa_section_radius(page);
    pa_section_fabric(page);
    pa_section_power(page);
    pa_section_watermark(page);
    pa_section_allreduce(page);
    pa_section_findings(page);
    pa_section_rule(page);
    pa_section_evidence(page);
    pa_section_not_proven(page);
    pa_page_end(page, PA_PART_REST);
}

static enum pa_string title_of(const struct pa_page *page) {
    return pa_page_is(page->predicate, "result", "TEST") ? PA_STRING_TITLE_TEST
                                                         : PA_STRING_TITLE_CERTIFICATE;
}

static void put_html(struct pa_page *page, enum pa_paper paper) {
    pa_html_raw(page, "<!doctype html>\n<html lang=\"");
    pa_html_raw(page, page->strings[PA_STRING_LANGUAGE]);
    /* Nothing may be loaded and nothing may run, even if a text got past the escaping. */
    pa_html_raw(page, "\">\n<head><meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src 'unsafe-inline'\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                      "<title>");
    pa_page_say(page, title_of(page));
    pa_page_mark(page, ": ");
    pa_page_text_cut(page, pa_page_text_of(page->predicate, "center"), PA_NAME_MOST);
    pa_html_raw(page, pa_page_take(page));
    pa_html_raw(page, "</title>\n<style>\n@page{size:");
    pa_html_raw(page, paper == PA_PAPER_LETTER ? "letter" : "A4");
    pa_html_raw(page, ";margin:15mm 17mm 12mm}\n");
    pa_html_raw(page, pa_style_sheet);
    pa_html_raw(page, "</style></head>\n<body><main>\n");
    put_sections(page);
    pa_html_raw(page, "</main></body></html>\n");
}

/* What every medium needs; PA_EINTERNAL for what is no statement. */
static int page_of(const json_t *statement, struct pa_report_form form, struct pa_page *out,
                   struct pa_error *error) {
    if (pa_members_check(statement, pa_statement_members, "statement", error) != PA_OK) {
        pa_fail_in(error, "writing the report: this is no statement of petaudit");
        if (error != NULL)
            error->code = PA_EINTERNAL;
        return PA_EINTERNAL;
    }
    bool is_zh = form.language == PA_LANGUAGE_ZH;
    *out = (struct pa_page){.statement = statement, .language = form.language};
    out->strings = is_zh ? pa_strings_zh : pa_strings_en;
    out->predicate = json_object_get(statement, "predicate");
    out->rate_word =
        pa_page_is(pa_page_part_of(out, "claim"), "precision", "int8") ? "OPS" : "FLOPS";
    struct pa_buffer bytes = {0};
    struct pa_hash hash;
    int code = pa_canonical_write(statement, &bytes, error);
    pa_sha256(&hash, bytes.data, bytes.size);
    pa_hex(out->statement_hex, hash.bytes, PA_HASH_BYTES);
    pa_buffer_free(&bytes);
    return code;
}

int pa_report_html(const json_t *statement, struct pa_report_form form, struct pa_buffer *out,
                   struct pa_error *error) {
    struct pa_page page;
    PA_TRY(page_of(statement, form, &page, error));
    page.medium = &pa_medium_html;
    page.sheet = out;
    put_html(&page, form.paper);
    pa_buffer_free(&page.run);
    if (out->failed || page.failed)
        return pa_fail(error, PA_EMEMORY, "writing the report: out of memory");
    return PA_OK;
}

/* Twice: how many pages there are, and whether the first sheet holds its texts,
 * is known when all is laid out. */
static int put_pdf(struct pa_page *page, enum pa_paper paper, struct pa_buffer *out,
                   struct pa_error *error) {
    enum { PASSES = 2 };
    struct pa_pdf_fit fit = {0, 1};
    int code = PA_OK;
    page->medium = &pa_medium_pdf;
    for (int pass = 1; pass <= PASSES && code == PA_OK; pass++) {
        struct pa_pdf *pdf = NULL;
        code = pa_pdf_begin(page, paper, &fit, pass == PASSES ? out : NULL, &pdf, error);
        if (code == PA_OK) {
            put_sections(page);
            code = pa_pdf_end(page, pdf, &fit, error);
        }
    }
    return code;
}

int pa_report_pdf(const json_t *statement, struct pa_report_form form,
                  const struct pa_buffer *certificate, const struct pa_document_signer *signer,
                  struct pa_buffer *out, struct pa_error *error) {
    struct pa_page page;
    PA_TRY(page_of(statement, form, &page, error));
    page.is_signed = signer != NULL;
    struct pa_buffer drawn = {0};
    int code = put_pdf(&page, form.paper, &drawn, error);
    if (code == PA_OK && (page.failed || drawn.failed))
        code = pa_fail(error, PA_EMEMORY, "writing the report: out of memory");
    if (code == PA_OK) {
        struct pa_pdf_attachment attachment = {
            .name =
                title_of(&page) == PA_STRING_TITLE_TEST ? "test-result.json" : "certificate.json",
            .media_type = "application/json",
            .bytes = certificate,
            .date_utc = pa_page_text_of(page.predicate, "issued_utc")};
        code = pa_pdf_update(&drawn, &attachment, signer, out, error);
    }
    pa_buffer_free(&drawn);
    pa_buffer_free(&page.run);
    return code;
}
