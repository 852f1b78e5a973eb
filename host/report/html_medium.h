/* SPDX-License-Identifier: Apache-2.0 */
/* html_medium.h - inside the room: drawings as inline SVG, coloured by the page's style sheet. */
#ifndef PA_REPORT_HTML_MEDIUM_H
#define PA_REPORT_HTML_MEDIUM_H

#include "report/medium.h"

void pa_html_raw(struct pa_page *page, const char *html); /* trusted HTML of our own */

void pa_html_drawing(struct pa_page *page, double height, const char *label);
void pa_html_rect(struct pa_page *page, enum pa_ink ink, double x, double y, double w, double h);
void pa_html_line(struct pa_page *page, enum pa_ink ink, double x0, double y0, double x1,
                  double y1);
void pa_html_words(struct pa_page *page, unsigned style, enum pa_anchor anchor, double x, double y,
                   const char *text);
void pa_html_curve(struct pa_page *page, enum pa_ink ink, const double *xy, size_t points);
void pa_html_drawing_end(struct pa_page *page);

#endif
