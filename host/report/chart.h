/* SPDX-License-Identifier: Apache-2.0 */
/* chart.h - inside the room: what is drawn, for every medium alike. */
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

/* Rate over the radius that short epochs bound, which is logarithmic. */
void pa_chart_radius(struct pa_page *page);
/* Power of the load and of what is generated for it, over the window. */
void pa_chart_power(struct pa_page *page);

/* The commands of the power watermark as shade, and the load that the meter read beside them. */
void pa_chart_watermark(struct pa_page *page);

/* The plot area of a chart with axes, in a drawing of 660 units. */
enum { PA_PLOT_LEFT = 62, PA_PLOT_TOP = 22, PA_PLOT_WIDTH = 580, PA_PLOT_HEIGHT = 150 };

struct pa_plot {
    double most_x, most_y; /* of the axes, from zero */
};

double pa_plot_x(const struct pa_plot *plot, double x);
double pa_plot_y(const struct pa_plot *plot, double y);
/* Lines and figures of the y axis; `factor` is how many of `unit` one y is. */
void pa_plot_y_axis(struct pa_page *page, const struct pa_plot *plot, double factor,
                    const char *unit);
void pa_plot_x_axis(struct pa_page *page, const struct pa_plot *plot, enum pa_string label);

/* The least 1, 2 or 5 times a power of ten that divides [0, most] into at most `ticks` steps. */
double pa_tick_step(double most, int ticks);
/* About how wide the words are: good enough to see whether they fit into a shape. */
double pa_words_width(const char *text);

#endif
