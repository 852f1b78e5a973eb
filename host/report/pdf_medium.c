/* SPDX-License-Identifier: Apache-2.0 */
/* PDF: blocks from the top of a sheet to its bottom. */
#include "report/pdf_medium.h"

#include "report/pdf_sheet.h"
#include "report/qr_code.h"

#include <math.h>
#include <string.h>

static const double gap = 14, column_gap = 20, qr_side = 64;

/* Show a layout at the running y and go below it. */
static void put(struct pa_pdf *pdf, PangoLayout *layout, double x, enum pa_shade shade,
                double below) {
    double height;
    pa_pdf_size(layout, NULL, &height);
    pa_pdf_show(pdf, layout, x, pdf->y, shade);
    pdf->y += height + below;
    g_object_unref(layout);
}

static void put_heading(struct pa_page *page, const char *heading) {
    struct pa_pdf *pdf = page->sheet;
    /* Capitals where the language has them, a little apart. */
    char *parsed = NULL;
    if (!pango_parse_markup(heading, -1, 0, NULL, &parsed, NULL, NULL))
        parsed = g_strdup(heading);
    char *capitals = g_utf8_strup(parsed, -1);
    char *markup = g_markup_printf_escaped("<span letter_spacing=\"600\">%s</span>", capitals);
    put(pdf, pa_pdf_layout(pdf, markup, 8.5, true, pdf->room), pdf->x, PA_SHADE_SOFT, 5);
    g_free(markup);
    g_free(capitals);
    g_free(parsed);
}

static void begin_front(struct pa_pdf *pdf) {
    pdf->is_front = true;
    cairo_save(pdf->cairo);
    cairo_scale(pdf->cairo, pdf->front_scale, pdf->front_scale);
    pdf->x = PA_PDF_MARGIN / pdf->front_scale;
    pdf->room = (pdf->width - 2 * PA_PDF_MARGIN) / pdf->front_scale;
    pdf->y = PA_PDF_TOP / pdf->front_scale;
}

static void end_front(struct pa_page *page) {
    struct pa_pdf *pdf = page->sheet;
    cairo_restore(pdf->cairo);
    pdf->is_front = false;
    pdf->x = PA_PDF_MARGIN;
    pdf->room = pdf->width - 2 * PA_PDF_MARGIN;
    pdf->y = pdf->height; /* full: what follows begins on a new sheet */
    pa_pdf_ensure(page, 1);
}

static enum pa_shade verdict_shade(const struct pa_page *page) {
    const char *verdict = pa_page_text_of(page->predicate, "verdict");
    return strcmp(verdict, "PASS") == 0           ? PA_SHADE_PASS
           : strcmp(verdict, "INCONCLUSIVE") == 0 ? PA_SHADE_UNSURE
                                                  : PA_SHADE_FAIL;
}

/* A short word stands at the left of its text, a long one above it. */
static void begin_verdict(struct pa_page *page, const char *word) {
    struct pa_pdf *pdf = page->sheet;
    double width, height;
    pdf->y += 6;
    pdf->verdict_word = pa_pdf_layout(pdf, word, 38, true, 0);
    pa_pdf_size(pdf->verdict_word, &width, &height);
    pdf->verdict_y = pdf->y;
    if (width > pdf->room * 0.36) {
        g_object_unref(pdf->verdict_word);
        pdf->verdict_word = pa_pdf_layout(pdf, word, 30, true, 0);
        pa_pdf_size(pdf->verdict_word, NULL, &height);
        pa_pdf_show(pdf, pdf->verdict_word, pdf->x, pdf->y, verdict_shade(page));
        pdf->y += height + 4;
        pdf->verdict_width = 0;
    } else {
        pdf->verdict_width = width + column_gap;
        pdf->x += pdf->verdict_width;
        pdf->room -= pdf->verdict_width;
    }
}

static void end_verdict(struct pa_page *page) {
    struct pa_pdf *pdf = page->sheet;
    if (pdf->verdict_width > 0) {
        double word, text = pdf->y - pdf->verdict_y;
        pdf->x -= pdf->verdict_width;
        pdf->room += pdf->verdict_width;
        pa_pdf_size(pdf->verdict_word, NULL, &word);
        pa_pdf_show(pdf, pdf->verdict_word, pdf->x, pdf->verdict_y + fmax(0, (text - word) / 2 - 3),
                    verdict_shade(page));
        pdf->y = fmax(pdf->y, pdf->verdict_y + word);
    }
    g_object_unref(pdf->verdict_word);
    pdf->verdict_word = NULL;
}

static void begin_column(struct pa_page *page, const char *heading) {
    struct pa_pdf *pdf = page->sheet;
    double width =
        (pdf->width / pdf->front_scale - 2 * PA_PDF_MARGIN / pdf->front_scale - 2 * column_gap) / 3;
    pdf->x = PA_PDF_MARGIN / pdf->front_scale + pdf->column * (width + column_gap);
    pdf->room = width;
    pdf->y = pdf->columns_y;
    put_heading(page, heading);
}

static void end_columns(struct pa_pdf *pdf) {
    pdf->x = PA_PDF_MARGIN / pdf->front_scale;
    pdf->room = (pdf->width - 2 * PA_PDF_MARGIN) / pdf->front_scale;
    pdf->y = pdf->columns_bottom;
}

static void end_box(struct pa_page *page) {
    struct pa_pdf *pdf = page->sheet;
    const double inside = 12, size = 9, below = 2.5;
    double height = 2 * 8 + 16, room = pdf->room - 2 * inside - 10;
    for (guint i = 0; i < pdf->box_items->len; i++) {
        double item;
        PangoLayout *layout = pa_pdf_layout(pdf, pdf->box_items->pdata[i], size, false, room);
        pa_pdf_size(layout, NULL, &item);
        g_object_unref(layout);
        height += item + below;
    }
    /* A box that fits on no sheet is broken, without its ground. */
    bool fits = pdf->is_front || height < pdf->height - PA_PDF_TOP - PA_PDF_BOTTOM - 40;
    if (fits) {
        pa_pdf_ensure(page, height);
        pa_pdf_fill(pdf, pdf->x, pdf->y, pdf->room, height, PA_SHADE_BOX);
        pa_pdf_fill(pdf, pdf->x, pdf->y, 2.4, height, PA_SHADE_GREY);
    }
    double end = pdf->y + height;
    pdf->y += 8;
    pdf->x += inside;
    put_heading(page, pdf->box_heading);
    for (guint i = 0; i < pdf->box_items->len; i++) {
        double item;
        PangoLayout *layout = pa_pdf_layout(pdf, pdf->box_items->pdata[i], size, false, room);
        pa_pdf_size(layout, NULL, &item);
        pa_pdf_ensure(page, item);
        PangoLayout *dot = pa_pdf_layout_plain(pdf, "\xe2\x80\xa2", size, true);
        pa_pdf_show(pdf, dot, pdf->x, pdf->y, PA_SHADE_SOFT);
        g_object_unref(dot);
        put(pdf, layout, pdf->x + 10, PA_SHADE_INK, below);
    }
    pdf->x -= inside;
    if (fits)
        pdf->y = end;
    g_ptr_array_free(pdf->box_items, TRUE);
    g_free(pdf->box_heading);
    pdf->box_items = NULL;
    pdf->box_heading = NULL;
}

static void begin(struct pa_page *page, enum pa_part part, const char *words) {
    struct pa_pdf *pdf = page->sheet;
    switch (part) {
    case PA_PART_FRONT:
        begin_front(pdf);
        break;
    case PA_PART_SECTION:
        pdf->y += gap;
        pa_pdf_ensure(page, 80); /* a heading does not stand alone at the end of a sheet */
        put_heading(page, words);
        break;
    case PA_PART_BOX:
        pdf->y += gap;
        pdf->box_heading = g_strdup(words);
        pdf->box_items = g_ptr_array_new_with_free_func(g_free);
        break;
    case PA_PART_VERDICT:
        begin_verdict(page, words);
        break;
    case PA_PART_COLUMNS:
        pdf->y += gap;
        pdf->columns_y = pdf->columns_bottom = pdf->y;
        pdf->column = 0;
        break;
    case PA_PART_COLUMN:
        begin_column(page, words);
        break;
    case PA_PART_REST:
    case PA_PART_LIST:
        break;
    }
}

static void end(struct pa_page *page, enum pa_part part) {
    struct pa_pdf *pdf = page->sheet;
    if (part == PA_PART_FRONT)
        end_front(page);
    else if (part == PA_PART_BOX)
        end_box(page);
    else if (part == PA_PART_VERDICT)
        end_verdict(page);
    else if (part == PA_PART_COLUMNS)
        end_columns(pdf);
    else if (part == PA_PART_COLUMN) {
        pdf->columns_bottom = fmax(pdf->columns_bottom, pdf->y);
        pdf->column++;
    }
}

static void header(struct pa_page *page, const char *title, const char *right) {
    struct pa_pdf *pdf = page->sheet;
    double width, high, low;
    char *capitals = g_utf8_strup(title, -1);
    char *markup = g_markup_printf_escaped("<span letter_spacing=\"900\">%s</span>", capitals);
    char number[16], *both, *facts = g_strdup(right);
    g_snprintf(number, sizeof number, "%d", pdf->pages);
    pa_page_say(page, PA_STRING_PAGE_OF, "1", number);
    both = g_strconcat(facts, " &#160;\xc2\xb7&#160; ", pa_page_take(page), NULL);
    PangoLayout *left = pa_pdf_layout(pdf, markup, 11.5, true, 0);
    PangoLayout *layout = pa_pdf_layout(pdf, both, 8.8, false, 0);
    pa_pdf_size(layout, &width, &low);
    pa_pdf_size(left, NULL, &high);
    pa_pdf_show(pdf, layout, pdf->x + pdf->room - width, pdf->y + (high - low) * 0.75,
                PA_SHADE_SOFT);
    g_object_unref(layout);
    put(pdf, left, pdf->x, PA_SHADE_INK, 5);
    pa_pdf_rule(pdf, pdf->x, pdf->x + pdf->room, pdf->y, 1.2, PA_SHADE_INK);
    pdf->y += 12;
    g_free(both);
    g_free(facts);
    g_free(markup);
    g_free(capitals);
}

static void put_mark(struct pa_pdf *pdf, const char *markup) {
    double height;
    PangoLayout *layout = pa_pdf_layout(pdf, markup, 10.5, false, pdf->room - 24);
    pa_pdf_size(layout, NULL, &height);
    pa_pdf_colour(pdf, PA_SHADE_UNSURE);
    cairo_set_line_width(pdf->cairo, 1.6);
    cairo_rectangle(pdf->cairo, pdf->x, pdf->y, pdf->room, height + 16);
    cairo_stroke(pdf->cairo);
    pdf->y += 8;
    put(pdf, layout, pdf->x + 12, PA_SHADE_UNSURE, 14);
}

static void put_alarm(struct pa_page *page, const char *markup) {
    struct pa_pdf *pdf = page->sheet;
    double height;
    PangoLayout *layout = pa_pdf_layout(pdf, markup, 9.2, false, pdf->room - 24);
    pa_pdf_size(layout, NULL, &height);
    pa_pdf_ensure(page, height + 12);
    pa_pdf_fill(pdf, pdf->x, pdf->y, pdf->room, height + 12, PA_SHADE_WARN);
    pa_pdf_fill(pdf, pdf->x, pdf->y, 2.4, height + 12, PA_SHADE_FAIL);
    pdf->y += 6;
    put(pdf, layout, pdf->x + 12, PA_SHADE_INK, 12);
}

static void put_text(struct pa_page *page, const char *markup, double size, bool is_bold,
                     enum pa_shade shade, double below) {
    struct pa_pdf *pdf = page->sheet;
    double height;
    PangoLayout *layout = pa_pdf_layout(pdf, markup, size, is_bold, pdf->room);
    pa_pdf_size(layout, NULL, &height);
    pa_pdf_ensure(page, height);
    put(pdf, layout, pdf->x, shade, below);
}

static void block(struct pa_page *page, enum pa_block kind, const char *markup) {
    struct pa_pdf *pdf = page->sheet;
    switch (kind) {
    case PA_BLOCK_PLAIN:
        put_text(page, markup, 9.8, false, PA_SHADE_INK, 5);
        break;
    case PA_BLOCK_CAPTION:
        put_text(page, markup, 8.6, false, PA_SHADE_SOFT, 4);
        break;
    case PA_BLOCK_ALARM:
        put_alarm(page, markup);
        break;
    case PA_BLOCK_MARK:
        put_mark(pdf, markup);
        break;
    case PA_BLOCK_SUBHEAD:
        pdf->y += 6;
        pa_pdf_ensure(page, 60);
        put_text(page, markup, 9.2, true, PA_SHADE_INK, 3);
        break;
    case PA_BLOCK_LEAD:
        put_text(page, markup, 13.2, false, PA_SHADE_INK, 3);
        break;
    case PA_BLOCK_SMALL:
        put_text(page, markup, 9.2, false, PA_SHADE_SOFT, 2);
        break;
    case PA_BLOCK_ITEM:
        if (pdf->box_items != NULL)
            g_ptr_array_add(pdf->box_items, g_strdup(markup));
        break;
    }
}

static void pair(struct pa_page *page, const char *label, const char *markup) {
    struct pa_pdf *pdf = page->sheet;
    double width, left_height, height;
    PangoLayout *left = pa_pdf_layout(pdf, label, 8.8, false, pdf->room * 0.5);
    pa_pdf_size(left, &width, &left_height);
    PangoLayout *right = pa_pdf_layout(pdf, markup, 8.8, false, pdf->room - width - 8);
    pango_layout_set_alignment(right, PANGO_ALIGN_RIGHT);
    pango_layout_set_height(right, -4); /* four lines at most */
    pango_layout_set_ellipsize(right, PANGO_ELLIPSIZE_END);
    pa_pdf_size(right, NULL, &height);
    pa_pdf_show(pdf, left, pdf->x, pdf->y, PA_SHADE_SOFT);
    pa_pdf_show(pdf, right, pdf->x + width + 8, pdf->y, PA_SHADE_INK);
    pdf->y += fmax(left_height, height) + 2;
    g_object_unref(left);
    g_object_unref(right);
}

static void signal_line(struct pa_page *page, const char *severity, const char *markup) {
    struct pa_pdf *pdf = page->sheet;
    pa_pdf_colour(pdf, strcmp(severity, "critical") == 0  ? PA_SHADE_FAIL
                       : strcmp(severity, "warning") == 0 ? PA_SHADE_UNSURE
                                                          : PA_SHADE_GREY);
    cairo_new_path(pdf->cairo);
    cairo_arc(pdf->cairo, pdf->x + 3.2, pdf->y + 6.6, 3, 0, 6.283185307);
    cairo_fill(pdf->cairo);
    put(pdf, pa_pdf_layout(pdf, markup, 8.8, false, pdf->room - 12), pdf->x + 12, PA_SHADE_INK, 2);
}

static void draw_qr(struct pa_pdf *pdf, const char *text, double x, double y) {
    struct pa_qr_code code;
    if (!pa_qr_make(text, &code))
        return;
    double module = qr_side / code.side;
    pa_pdf_colour(pdf, PA_SHADE_INK);
    for (int row = 0; row < code.side; row++)
        for (int column = 0; column < code.side; column++)
            if (pa_qr_is_dark(&code, column, row))
                cairo_rectangle(pdf->cairo, x + column * module, y + row * module, module, module);
    cairo_fill(pdf->cairo);
}

static void footer(struct pa_page *page, const char *markup, const char *qr_text) {
    struct pa_pdf *pdf = page->sheet;
    double height, bottom = (pdf->height - PA_PDF_BOTTOM / 2.0) / pdf->front_scale;
    PangoLayout *layout = pa_pdf_layout(pdf, markup, 8.2, false, pdf->room - qr_side - 20);
    pa_pdf_size(layout, NULL, &height);
    double needs = 10 + fmax(height, qr_side) + 8;
    pdf->front_needs = (pdf->y + gap + needs) * pdf->front_scale - PA_PDF_TOP;
    double top = fmax(pdf->y + 6, bottom - needs);
    pa_pdf_rule(pdf, pdf->x, pdf->x + pdf->room, top, 0.6, PA_SHADE_LINE);
    pa_pdf_show(pdf, layout, pdf->x, top + 10, PA_SHADE_SOFT);
    draw_qr(pdf, qr_text, pdf->x + pdf->room - qr_side, top + 10);
    g_object_unref(layout);
}

const struct pa_medium pa_medium_pdf = {
    .begin = begin,
    .end = end,
    .header = header,
    .block = block,
    .pair = pair,
    .signal = signal_line,
    .footer = footer,
    .table = pa_pdf_table,
    .cell = pa_pdf_cell,
    .row_end = pa_pdf_row_end,
    .table_end = pa_pdf_table_end,
    .drawing = pa_pdf_drawing,
    .rect = pa_pdf_rect,
    .line = pa_pdf_line,
    .words = pa_pdf_words,
    .curve = pa_pdf_curve,
    .drawing_end = pa_pdf_drawing_end,
};

#ifdef PA_LEAK_SANITIZER
/* Fonts that fontconfig and cairo have read they keep to the end of the process, in places where
 * LeakSanitizer does not look. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libfontconfig\nleak:libcairo\nleak:libpango\nleak:libglib\n";
}
#endif

#ifdef PA_THREAD_SANITIZER
/* Pango reads fonts in a thread of its own, by libraries that are not built for ThreadSanitizer. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
    return "race:libfontconfig\nrace:libcairo\nrace:libpango\nrace:libglib\n";
}
#endif
