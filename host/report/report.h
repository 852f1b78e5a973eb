/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - the door of host/report/: a certificate as a page for people.
 *
 *   report.h       the whole page, as HTML or PDF
 *   page.h         escaped text, figures and sentences
 *   medium.h       what a page is written on: html_medium.c, pdf_medium.c
 *   sections.h     its parts, in order
 *   chart.h        what is drawn, for both media alike
 *   strings.h      every sentence, one catalogue a language; phrase.h: sentences of the statement
 *   pdf_update.h   the certificate into the PDF, and the PDF's signature
 *
 * The HTML page is one file: no script, no network, no font to load; it reads in light and in dark
 * and prints on paper. Everything on a page comes from the statement, escaped and bounded.
 */
#ifndef PA_REPORT_REPORT_H
#define PA_REPORT_REPORT_H

#include "base/bytes.h"
#include "base/error.h"
#include "certificate/cms.h"

#include <jansson.h>

enum pa_paper { PA_PAPER_A4, PA_PAPER_LETTER };
enum pa_language { PA_LANGUAGE_EN, PA_LANGUAGE_ZH };

struct pa_report_form {
    enum pa_paper paper;
    enum pa_language language;
};

/* "en" or "zh"; false for anything else. */
bool pa_language_named(const char *name, enum pa_language *out);

/* Append the HTML report of a statement: one that pa_statement_build made or pa_certificate_verify
 * accepted. PA_EMEMORY, PA_EINTERNAL when the statement is neither. */
int pa_report_html(const json_t *statement, struct pa_report_form form, struct pa_buffer *out,
                   struct pa_error *error);

/* The same as PDF, with the `certificate`'s bytes attached. `signer` may be NULL: the PDF is then
 * not signed, says so on its first page, and is the same to the byte for the same certificate and
 * fonts. The date in it is the evidence's end. */
int pa_report_pdf(const json_t *statement, struct pa_report_form form,
                  const struct pa_buffer *certificate, const struct pa_document_signer *signer,
                  struct pa_buffer *out, struct pa_error *error);

#endif
