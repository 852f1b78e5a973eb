/* SPDX-License-Identifier: Apache-2.0 */
#include "report/html_medium.h"
#include "report/page.h"

static const char *const ink_classes[PA_INK_COUNT] = {
    [PA_INK_CLAIMED] = "claimed",
    [PA_INK_NOMINAL] = "nominal",
    [PA_INK_RAW] = "raw",
    [PA_INK_PROVEN] = "proven",
    [PA_INK_COUPLED] = "epoch",
    [PA_INK_ENTITLED] = "proven",
    [PA_INK_EPOCH] = "epoch",
    [PA_INK_OVER] = "over",
    [PA_INK_GREEN] = "green",
    [PA_INK_WHISKER] = "whisker",
    [PA_INK_GRID] = "grid",
    [PA_INK_AXIS] = "axis",
    [PA_INK_CLAIM_LINE] = "claimline",
    [PA_INK_GAP_LINE] = "gapline",
    [PA_INK_VERIFIED_LINE] = "verifiedline",
    [PA_INK_BUSBW] = "busbw",
    [PA_INK_ALGBW] = "algbw",
    [PA_INK_POWER] = "busbw",
};

static void fixed(struct pa_page *page, double value) {
    char text[PA_FIGURE_BYTES];
    pa_fixed_text(text, value, 2);
    pa_html_raw(page, text);
}

static void attribute(struct pa_page *page, const char *name, double value) {
    pa_html_raw(page, name);
    fixed(page, value);
    pa_html_raw(page, "\"");
}

static void open_element(struct pa_page *page, const char *name, const char *class) {
    pa_html_raw(page, name);
    pa_html_raw(page, class);
    pa_html_raw(page, "\"");
}

void pa_html_drawing(struct pa_page *page, double height, const char *label) {
    char text[PA_FIGURE_BYTES];
    pa_fixed_text(text, height, 0);
    pa_html_raw(page, "<svg viewBox=\"0 0 660 ");
    pa_html_raw(page, text);
    pa_html_raw(page, "\" width=\"100%\" role=\"img\" aria-label=\"");
    pa_page_text(page, label);
    pa_html_raw(page, pa_page_take(page));
    pa_html_raw(page, "\">\n");
}

void pa_html_rect(struct pa_page *page, enum pa_ink ink, double x, double y, double w, double h) {
    open_element(page, "<rect class=\"", ink_classes[ink]);
    attribute(page, " x=\"", x);
    attribute(page, " y=\"", y);
    attribute(page, " width=\"", w);
    attribute(page, " height=\"", h);
    pa_html_raw(page, "/>\n");
}

void pa_html_line(struct pa_page *page, enum pa_ink ink, double x0, double y0, double x1,
                  double y1) {
    open_element(page, "<line class=\"", ink_classes[ink]);
    attribute(page, " x1=\"", x0);
    attribute(page, " y1=\"", y0);
    attribute(page, " x2=\"", x1);
    attribute(page, " y2=\"", y1);
    pa_html_raw(page, "/>\n");
}

void pa_html_words(struct pa_page *page, unsigned style, enum pa_anchor anchor, double x, double y,
                   const char *text) {
    static const char *const names[] = {"small", "dim", "strong", "halo", "claimword", "onproven"};
    static const char *const anchors[] = {"start", "middle", "end"};
    pa_html_raw(page, "<text class=\"");
    for (unsigned i = 0; i < 6; i++)
        if ((style & (1u << i)) != 0) {
            pa_html_raw(page, names[i]);
            pa_html_raw(page, " ");
        }
    pa_html_raw(page, "\" text-anchor=\"");
    pa_html_raw(page, anchors[anchor]);
    pa_html_raw(page, "\"");
    attribute(page, " x=\"", x);
    attribute(page, " y=\"", y);
    pa_html_raw(page, ">");
    pa_page_text(page, text);
    pa_html_raw(page, pa_page_take(page));
    pa_html_raw(page, "</text>\n");
}

void pa_html_curve(struct pa_page *page, enum pa_ink ink, const double *xy, size_t points) {
    open_element(page, "<polyline class=\"", ink_classes[ink]);
    pa_html_raw(page, " points=\"");
    for (size_t i = 0; i < points; i++) {
        fixed(page, xy[2 * i]);
        pa_html_raw(page, ",");
        fixed(page, xy[2 * i + 1]);
        pa_html_raw(page, " ");
    }
    pa_html_raw(page, "\"/>\n");
}

void pa_html_drawing_end(struct pa_page *page) {
    pa_html_raw(page, "</svg>\n");
}
