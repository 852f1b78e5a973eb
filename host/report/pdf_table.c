/* SPDX-License-Identifier: Apache-2.0 */
/* Tables in a PDF: widths from what the cells hold, rows over as many sheets as they need. */
#include "report/pdf_sheet.h"

#include <math.h>

static const double size = 8.3, between = 9, row_gap = 2.6, least_text = 48;

void pa_pdf_table(struct pa_page *page, const struct pa_column *columns, size_t count) {
    struct pa_pdf *pdf = page->sheet;
    page->columns = columns;
    page->column_count = count < PA_PDF_MOST_COLUMNS ? count : PA_PDF_MOST_COLUMNS;
    page->column = 0;
    pdf->cells = g_array_new(FALSE, FALSE, sizeof(struct pa_pdf_cell));
}

void pa_pdf_cell(struct pa_page *page, enum pa_cell kind, const char *markup) {
    struct pa_pdf *pdf = page->sheet;
    if (page->column++ >= page->column_count)
        return;
    struct pa_pdf_cell cell = {g_strdup(markup), kind};
    g_array_append_val(pdf->cells, cell);
}

void pa_pdf_row_end(struct pa_page *page) {
    while (page->column < page->column_count)
        pa_pdf_cell(page, PA_CELL_PLAIN, "");
    page->column = 0;
}

static void widen(struct pa_pdf *pdf, double *width, const char *markup, bool is_bold) {
    double natural;
    PangoLayout *layout = pa_pdf_layout(pdf, markup, size, is_bold, 0);
    pa_pdf_size(layout, &natural, NULL);
    g_object_unref(layout);
    *width = fmax(*width, natural);
}

/* Texts share what the figures leave: each as wide as it is, or an equal part of what is left. */
static void share_out(const struct pa_page *page, double *widths, double room) {
    bool is_settled[PA_PDF_MOST_COLUMNS] = {false};
    double left = room, figures = 0;
    size_t open = 0;
    for (size_t i = 0; i < page->column_count; i++)
        figures += page->columns[i].is_figure ? widths[i] : 0;
    for (size_t i = 0; i < page->column_count; i++) {
        /* Figures that leave no room for words are broken like words. */
        is_settled[i] = page->columns[i].is_figure && figures < 0.8 * room;
        left -= is_settled[i] ? widths[i] : 0;
        open += !is_settled[i];
    }
    for (bool changed = true; changed && open > 0;) {
        changed = false;
        for (size_t i = 0; i < page->column_count; i++) {
            if (is_settled[i] || widths[i] > left / (double)open)
                continue;
            is_settled[i] = changed = true;
            left -= widths[i];
            open--;
        }
    }
    for (size_t i = 0; i < page->column_count; i++)
        if (!is_settled[i])
            widths[i] = fmax(least_text, left / (double)open);
}

static void measure(struct pa_page *page, double *widths) {
    struct pa_pdf *pdf = page->sheet;
    double total = 0, room = pdf->room - between * (double)(page->column_count - 1);
    for (size_t i = 0; i < page->column_count; i++) {
        widths[i] = 0;
        widen(pdf, &widths[i], page->strings[page->columns[i].head], true);
    }
    for (guint c = 0; c < pdf->cells->len; c++) {
        const struct pa_pdf_cell *cell = &g_array_index(pdf->cells, struct pa_pdf_cell, c);
        widen(pdf, &widths[c % page->column_count], cell->markup, cell->kind == PA_CELL_BAD);
    }
    for (size_t i = 0; i < page->column_count; i++) {
        widths[i] += 1; /* rounding must not break a figure */
        total += widths[i];
    }
    if (total > room) {
        share_out(page, widths, room);
    } else
        for (size_t i = 0; i < page->column_count; i++)
            widths[i] += (room - total) / (double)page->column_count;
}

static void put_head(struct pa_page *page, const double *widths) {
    struct pa_pdf *pdf = page->sheet;
    double x = pdf->x, height = 0;
    for (size_t i = 0; i < page->column_count; i++) {
        double own;
        PangoLayout *layout =
            pa_pdf_layout(pdf, page->strings[page->columns[i].head], size, true, widths[i]);
        pa_pdf_size(layout, NULL, &own);
        pa_pdf_show(pdf, layout, x, pdf->y, PA_SHADE_SOFT);
        g_object_unref(layout);
        height = fmax(height, own);
        x += widths[i] + between;
    }
    pdf->y += height + 2;
    pa_pdf_rule(pdf, pdf->x, pdf->x + pdf->room, pdf->y, 0.8, PA_SHADE_GREY);
    pdf->y += row_gap;
}

static void put_row(struct pa_page *page, const double *widths, guint first) {
    struct pa_pdf *pdf = page->sheet;
    PangoLayout *layouts[PA_PDF_MOST_COLUMNS] = {NULL};
    double height = 0, x = pdf->x;
    for (size_t i = 0; i < page->column_count; i++) {
        const struct pa_pdf_cell *cell =
            &g_array_index(pdf->cells, struct pa_pdf_cell, first + (guint)i);
        double own;
        layouts[i] = pa_pdf_layout(pdf, cell->markup, size, cell->kind == PA_CELL_BAD, widths[i]);
        /* No cell is higher than a sheet. */
        pango_layout_set_height(layouts[i], -40);
        pango_layout_set_ellipsize(layouts[i], PANGO_ELLIPSIZE_END);
        pa_pdf_size(layouts[i], NULL, &own);
        height = fmax(height, own);
    }
    if (pa_pdf_ensure(page, height + row_gap))
        put_head(page, widths);
    for (size_t i = 0; i < page->column_count; i++) {
        const struct pa_pdf_cell *cell =
            &g_array_index(pdf->cells, struct pa_pdf_cell, first + (guint)i);
        pa_pdf_show(pdf, layouts[i], x, pdf->y,
                    cell->kind == PA_CELL_BAD ? PA_SHADE_FAIL : PA_SHADE_INK);
        g_object_unref(layouts[i]);
        x += widths[i] + between;
    }
    pdf->y += height + row_gap / 2;
    pa_pdf_rule(pdf, pdf->x, pdf->x + pdf->room, pdf->y, 0.5, PA_SHADE_LINE);
    pdf->y += row_gap / 2;
}

void pa_pdf_table_end(struct pa_page *page) {
    struct pa_pdf *pdf = page->sheet;
    double widths[PA_PDF_MOST_COLUMNS] = {0};
    measure(page, widths);
    pa_pdf_ensure(page, 40);
    put_head(page, widths);
    for (guint first = 0; first + page->column_count <= pdf->cells->len;
         first += (guint)page->column_count)
        put_row(page, widths, first);
    for (guint c = 0; c < pdf->cells->len; c++)
        g_free(g_array_index(pdf->cells, struct pa_pdf_cell, c).markup);
    g_array_free(pdf->cells, TRUE);
    pdf->cells = NULL;
    pdf->y += 5;
}
