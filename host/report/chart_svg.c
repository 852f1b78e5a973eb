/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>

static void attribute(struct pa_page *page, const char *name, double value) {
    pa_page_raw(page, name);
    pa_page_fixed(page, value, 2);
    pa_page_raw(page, "\"");
}

static void open_element(struct pa_page *page, const char *name, const char *class) {
    pa_page_raw(page, name);
    pa_page_raw(page, class);
    pa_page_raw(page, "\"");
}

void pa_svg_rect(struct pa_page *page, const char *class, double x, double y, double w, double h) {
    open_element(page, "<rect class=\"", class);
    attribute(page, " x=\"", x);
    attribute(page, " y=\"", y);
    attribute(page, " width=\"", w);
    attribute(page, " height=\"", h);
    pa_page_raw(page, "/>\n");
}

void pa_svg_line(struct pa_page *page, const char *class, double x0, double y0, double x1,
                 double y1) {
    open_element(page, "<line class=\"", class);
    attribute(page, " x1=\"", x0);
    attribute(page, " y1=\"", y0);
    attribute(page, " x2=\"", x1);
    attribute(page, " y2=\"", y1);
    pa_page_raw(page, "/>\n");
}

void pa_svg_text(struct pa_page *page, const char *class, const char *anchor, double x, double y,
                 const char *text) {
    open_element(page, "<text class=\"", class);
    pa_page_raw(page, " text-anchor=\"");
    pa_page_raw(page, anchor);
    pa_page_raw(page, "\"");
    attribute(page, " x=\"", x);
    attribute(page, " y=\"", y);
    pa_page_raw(page, ">");
    pa_page_text(page, text);
    pa_page_raw(page, "</text>\n");
}

double pa_tick_step(double most, int ticks) {
    static const double steps[] = {1, 2, 5, 10};
    if (!(most > 0) || !isfinite(most))
        return 1;
    double least = most / ticks, power = pow(10, floor(log10(least)));
    for (int i = 0; i < 4; i++)
        if (steps[i] * power >= least * 0.999999)
            return steps[i] * power;
    return 10 * power;
}
