/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - the door of host/report/: a certificate as a page for people.
 *
 *   report.h       the whole page
 *   page.h         escaped text and figures into HTML
 *   sections.h     its parts, in order
 *   chart.h        drawings, inline SVG
 *   strings.h      every sentence, one catalogue a language
 *
 * The page is one file: no script, no network, no font to load; it reads in light and in dark and
 * prints on paper. Everything on it comes from the statement, escaped.
 */
#ifndef PA_REPORT_REPORT_H
#define PA_REPORT_REPORT_H

#include "base/bytes.h"
#include "base/error.h"

#include <jansson.h>

enum pa_paper { PA_PAPER_A4, PA_PAPER_LETTER };

/* Append the HTML report of a statement: one that pa_statement_build made or pa_certificate_verify
 * accepted. PA_EMEMORY, PA_EINTERNAL when the statement is neither. */
int pa_report_html(const json_t *statement, enum pa_paper paper, struct pa_buffer *out,
                   struct pa_error *error);

#endif
