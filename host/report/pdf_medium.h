/* SPDX-License-Identifier: Apache-2.0 */
/* pdf_medium.h - inside the room: pages laid out by Pango and drawn by cairo.
 *
 *     pa_pdf_begin(page, paper, &fit, out, &pdf, error)
 *     ... sections ...
 *     pa_pdf_end(page, pdf, &fit, error)
 *
 * What a layout needs to know of the whole (how many pages, how far the first sheet must shrink to
 * hold its texts) is known when all was laid out once: `fit` takes it from one pass to the next.
 */
#ifndef PA_REPORT_PDF_MEDIUM_H
#define PA_REPORT_PDF_MEDIUM_H

#include "report/page.h"

struct pa_pdf;

struct pa_pdf_fit {
    int pages;          /* 0 before the first pass */
    double front_scale; /* 1, or less where the first sheet is full */
};

/* `out` may be NULL: nothing is kept but the fit. */
int pa_pdf_begin(struct pa_page *page, enum pa_paper paper, const struct pa_pdf_fit *fit,
                 struct pa_buffer *out, struct pa_pdf **pdf, struct pa_error *error);
/* Frees `pdf` in any case. */
int pa_pdf_end(struct pa_page *page, struct pa_pdf *pdf, struct pa_pdf_fit *fit,
               struct pa_error *error);

#endif
