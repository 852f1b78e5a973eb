/* SPDX-License-Identifier: Apache-2.0 */
/* Drawings in a PDF: the units of the drawing become points, 660 of them the width of the text. */
#include "report/pdf_sheet.h"

#include <math.h>

struct pen {
    int fill, stroke; /* an enum pa_shade, or -1 for none */
    double width, dash;
};

static const struct pen pens[PA_INK_COUNT] = {
    [PA_INK_CLAIMED] = {-1, PA_SHADE_INK, 1.2, 0},
    [PA_INK_NOMINAL] = {PA_SHADE_NOMINAL, -1, 0, 0},
    [PA_INK_RAW] = {PA_SHADE_RAW, -1, 0, 0},
    [PA_INK_PROVEN] = {PA_SHADE_PROVEN, -1, 0, 0},
    [PA_INK_COUPLED] = {PA_SHADE_EPOCH, -1, 0, 0},
    [PA_INK_ENTITLED] = {PA_SHADE_PROVEN, -1, 0, 0},
    [PA_INK_EPOCH] = {PA_SHADE_EPOCH, -1, 0, 0},
    [PA_INK_OVER] = {PA_SHADE_WARN, PA_SHADE_FAIL, 1, 0},
    [PA_INK_GREEN] = {PA_SHADE_GREEN, PA_SHADE_GREEN, 1.8, 0},
    [PA_INK_WHISKER] = {-1, PA_SHADE_INK, 1.3, 0},
    [PA_INK_GRID] = {-1, PA_SHADE_LINE, 1, 0},
    [PA_INK_AXIS] = {-1, PA_SHADE_SOFT, 1, 0},
    [PA_INK_CLAIM_LINE] = {-1, PA_SHADE_FAIL, 1, 4},
    [PA_INK_GAP_LINE] = {-1, PA_SHADE_UNSURE, 2, 2},
    [PA_INK_VERIFIED_LINE] = {-1, PA_SHADE_INK, 1.4, 6},
    [PA_INK_BUSBW] = {-1, PA_SHADE_PROVEN, 2.2, 0},
    [PA_INK_ALGBW] = {-1, PA_SHADE_GREY, 1.6, 5},
    [PA_INK_POWER] = {-1, PA_SHADE_PROVEN, 2.2, 0},
};

static double at_x(const struct pa_pdf *pdf, double x) {
    return pdf->x + x * pdf->drawing_scale;
}

static double at_y(const struct pa_pdf *pdf, double y) {
    return pdf->drawing_y + y * pdf->drawing_scale;
}

/* A coordinate that is no number would put cairo into its error state for good. */
static bool is_sound(double a, double b, double c, double d) {
    return isfinite(a) && isfinite(b) && isfinite(c) && isfinite(d) && fabs(a) < 1e5 &&
           fabs(b) < 1e5 && fabs(c) < 1e5 && fabs(d) < 1e5;
}

static void stroke(struct pa_pdf *pdf, const struct pen *pen) {
    double dash = pen->dash * pdf->drawing_scale;
    pa_pdf_colour(pdf, (enum pa_shade)pen->stroke);
    cairo_set_line_width(pdf->cairo, pen->width * pdf->drawing_scale);
    cairo_set_dash(pdf->cairo, &dash, dash > 0 ? 1 : 0, 0);
    cairo_stroke(pdf->cairo);
    cairo_set_dash(pdf->cairo, NULL, 0, 0);
}

void pa_pdf_drawing(struct pa_page *page, double height, const char *label) {
    struct pa_pdf *pdf = page->sheet;
    (void)label; /* for those who listen to the page: HTML has a place for it */
    pdf->drawing_scale = pdf->room / 660;
    pa_pdf_ensure(page, height * pdf->drawing_scale + 14);
    pdf->drawing_y = pdf->y;
    pdf->y += height * pdf->drawing_scale + 4;
}

void pa_pdf_rect(struct pa_page *page, enum pa_ink ink, double x, double y, double w, double h) {
    struct pa_pdf *pdf = page->sheet;
    const struct pen *pen = &pens[ink];
    if (!is_sound(x, y, w, h))
        return;
    cairo_rectangle(pdf->cairo, at_x(pdf, x), at_y(pdf, y), w * pdf->drawing_scale,
                    h * pdf->drawing_scale);
    if (pen->fill >= 0) {
        pa_pdf_colour(pdf, (enum pa_shade)pen->fill);
        if (pen->stroke >= 0)
            cairo_fill_preserve(pdf->cairo);
        else
            cairo_fill(pdf->cairo);
    }
    if (pen->stroke >= 0)
        stroke(pdf, pen);
}

void pa_pdf_line(struct pa_page *page, enum pa_ink ink, double x0, double y0, double x1,
                 double y1) {
    struct pa_pdf *pdf = page->sheet;
    if (!is_sound(x0, y0, x1, y1))
        return;
    cairo_move_to(pdf->cairo, at_x(pdf, x0), at_y(pdf, y0));
    cairo_line_to(pdf->cairo, at_x(pdf, x1), at_y(pdf, y1));
    stroke(pdf, &pens[ink]);
}

void pa_pdf_words(struct pa_page *page, unsigned style, enum pa_anchor anchor, double x, double y,
                  const char *text) {
    struct pa_pdf *pdf = page->sheet;
    double size = ((style & PA_WORDS_SMALL) != 0 ? 10.5 : 12.5) * pdf->drawing_scale, width;
    if (!is_sound(x, y, 0, 0))
        return;
    PangoLayout *layout = pa_pdf_layout_plain(pdf, text, size, (style & PA_WORDS_STRONG) != 0);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pa_pdf_size(layout, &width, NULL);
    double left = at_x(pdf, x) - (anchor == PA_ANCHOR_MIDDLE ? width / 2
                                  : anchor == PA_ANCHOR_END  ? width
                                                             : 0);
    double top = at_y(pdf, y) - (double)pango_layout_get_baseline(layout) / PANGO_SCALE;
    if ((style & PA_WORDS_HALO) != 0) {
        cairo_save(pdf->cairo);
        cairo_move_to(pdf->cairo, left, top);
        pango_cairo_layout_path(pdf->cairo, layout);
        pa_pdf_colour(pdf, PA_SHADE_PAPER);
        cairo_set_line_width(pdf->cairo, 4 * pdf->drawing_scale);
        cairo_set_line_join(pdf->cairo, CAIRO_LINE_JOIN_ROUND);
        cairo_stroke(pdf->cairo);
        cairo_restore(pdf->cairo);
    }
    pa_pdf_show(pdf, layout, left, top,
                (style & PA_WORDS_CLAIM) != 0       ? PA_SHADE_FAIL
                : (style & PA_WORDS_ON_PROVEN) != 0 ? PA_SHADE_PAPER
                : (style & PA_WORDS_DIM) != 0       ? PA_SHADE_SOFT
                                                    : PA_SHADE_INK);
    g_object_unref(layout);
}

void pa_pdf_curve(struct pa_page *page, enum pa_ink ink, const double *xy, size_t points) {
    struct pa_pdf *pdf = page->sheet;
    bool is_open = false;
    cairo_set_line_join(pdf->cairo, CAIRO_LINE_JOIN_ROUND);
    for (size_t i = 0; i < points; i++) {
        double x = xy[2 * i], y = xy[2 * i + 1];
        if (!is_sound(x, y, 0, 0)) {
            is_open = false;
            continue;
        }
        if (is_open)
            cairo_line_to(pdf->cairo, at_x(pdf, x), at_y(pdf, y));
        else
            cairo_move_to(pdf->cairo, at_x(pdf, x), at_y(pdf, y));
        is_open = true;
    }
    stroke(pdf, &pens[ink]);
}

void pa_pdf_drawing_end(struct pa_page *page) {
    struct pa_pdf *pdf = page->sheet;
    cairo_new_path(pdf->cairo);
}
