/* SPDX-License-Identifier: Apache-2.0 */
/* chart.h - inside the room: the drawings, inline SVG coloured by the page's style. */
#ifndef PA_REPORT_CHART_H
#define PA_REPORT_CHART_H

#include "report/page.h"

/* Bars of claimed, nominal, library alone and proven, on one scale from zero. */
void pa_chart_capacity(struct pa_page *page);
/* What was granted, split into what is earned and what is not. */
void pa_chart_entitlement(struct pa_page *page);
/* Each epoch's rate over measured time, with the verified figure as a line. */
void pa_chart_rate(struct pa_page *page);
/* algbw and busbw over the message size, which is logarithmic. */
void pa_chart_allreduce(struct pa_page *page);

/* <rect class=CLASS x= y= width= height=/> */
void pa_svg_rect(struct pa_page *page, const char *class, double x, double y, double w, double h);
void pa_svg_line(struct pa_page *page, const char *class, double x0, double y0, double x1,
                 double y1);
/* `anchor`: "start", "middle" or "end". The text is escaped. */
void pa_svg_text(struct pa_page *page, const char *class, const char *anchor, double x, double y,
                 const char *text);
/* The least 1, 2 or 5 times a power of ten that divides [0, most] into at most `ticks` steps. */
double pa_tick_step(double most, int ticks);

#endif
