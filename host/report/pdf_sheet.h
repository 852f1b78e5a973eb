/* SPDX-License-Identifier: Apache-2.0 */
/* pdf_sheet.h - inside the room: the state of a PDF that is being laid out, shared by pdf_*.c.
 * Lengths are points, y downwards. */
#ifndef PA_REPORT_PDF_SHEET_H
#define PA_REPORT_PDF_SHEET_H

#include "report/page.h"

#include <pango/pangocairo.h>

enum { PA_PDF_MARGIN = 48, PA_PDF_TOP = 44, PA_PDF_BOTTOM = 40, PA_PDF_MOST_COLUMNS = 12 };

enum pa_shade {
    PA_SHADE_INK,
    PA_SHADE_SOFT,
    PA_SHADE_LINE,
    PA_SHADE_BOX,
    PA_SHADE_GREY,
    PA_SHADE_FAIL,
    PA_SHADE_WARN,
    PA_SHADE_PASS,
    PA_SHADE_UNSURE,
    PA_SHADE_PROVEN,
    PA_SHADE_NOMINAL,
    PA_SHADE_RAW,
    PA_SHADE_EPOCH,
    PA_SHADE_GREEN,
    PA_SHADE_PAPER
};

struct pa_pdf_cell {
    char *markup; /* owned */
    enum pa_cell kind;
};

struct pa_pdf {
    cairo_surface_t *surface;
    cairo_t *cairo;
    PangoContext *context;
    double width, height; /* of the sheet */
    double x, room;       /* where text goes now, and how wide it may be */
    double y;
    int number, pages;
    bool is_front;
    double front_scale, front_needs; /* the height that the first sheet's content took */

    double verdict_y, verdict_width; /* width 0: the word stands above its text */
    PangoLayout *verdict_word;
    double columns_y, columns_bottom;
    int column;
    char *box_heading; /* owned; a box is drawn when it is known how high it is */
    GPtrArray *box_items;
    GArray *cells; /* of the table, row by row */
    double drawing_scale, drawing_y;
};

void pa_pdf_colour(struct pa_pdf *pdf, enum pa_shade shade);
/* A new layout of markup; `room` <= 0 does not wrap. The caller unrefs it. */
PangoLayout *pa_pdf_layout(struct pa_pdf *pdf, const char *markup, double size, bool is_bold,
                           double room);
/* The same of plain text. */
PangoLayout *pa_pdf_layout_plain(struct pa_pdf *pdf, const char *text, double size, bool is_bold);
void pa_pdf_size(PangoLayout *layout, double *width, double *height);
void pa_pdf_show(struct pa_pdf *pdf, PangoLayout *layout, double x, double y, enum pa_shade shade);
void pa_pdf_rule(struct pa_pdf *pdf, double x0, double x1, double y, double width,
                 enum pa_shade shade);
void pa_pdf_fill(struct pa_pdf *pdf, double x, double y, double w, double h, enum pa_shade shade);
/* A new sheet when less than `height` is left of this one; true when one was begun. The first sheet
 * is never broken: it is shrunk. */
bool pa_pdf_ensure(struct pa_page *page, double height);

void pa_pdf_table(struct pa_page *page, const struct pa_column *columns, size_t count);
void pa_pdf_cell(struct pa_page *page, enum pa_cell kind, const char *markup);
void pa_pdf_row_end(struct pa_page *page);
void pa_pdf_table_end(struct pa_page *page);

void pa_pdf_drawing(struct pa_page *page, double height, const char *label);
void pa_pdf_rect(struct pa_page *page, enum pa_ink ink, double x, double y, double w, double h);
void pa_pdf_line(struct pa_page *page, enum pa_ink ink, double x0, double y0, double x1, double y1);
void pa_pdf_words(struct pa_page *page, unsigned style, enum pa_anchor anchor, double x, double y,
                  const char *text);
void pa_pdf_curve(struct pa_page *page, enum pa_ink ink, const double *xy, size_t points);
void pa_pdf_drawing_end(struct pa_page *page);

#endif
