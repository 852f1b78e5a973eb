/* SPDX-License-Identifier: Apache-2.0 */
/* Sheets, colours and texts of a PDF. */
#include "report/pdf_sheet.h"

#include "report/pdf_medium.h"

#include <cairo-pdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double a4[] = {595.2756, 841.8898}, letter[] = {612, 792};

/* One family for both languages: its Latin letters and its Chinese ones fit each other. */
#define FAMILY "Noto Sans CJK SC, Noto Sans, DejaVu Sans, sans-serif"
#define CODE_SPAN                                                                                  \
    "<span font_family=\"DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace\" size=\"91%\">"

static const uint32_t shades[] = {
    [PA_SHADE_INK] = 0x16202a,    [PA_SHADE_SOFT] = 0x5b6875,    [PA_SHADE_LINE] = 0xd9dfe5,
    [PA_SHADE_BOX] = 0xf5f7f9,    [PA_SHADE_GREY] = 0x9aa6b2,    [PA_SHADE_FAIL] = 0xb3261e,
    [PA_SHADE_WARN] = 0xfbeae8,   [PA_SHADE_PASS] = 0x1b6e3c,    [PA_SHADE_UNSURE] = 0x8a5a00,
    [PA_SHADE_PROVEN] = 0x14539a, [PA_SHADE_NOMINAL] = 0xd5dbe1, [PA_SHADE_RAW] = 0xb7c3cf,
    [PA_SHADE_EPOCH] = 0x6d98c6,  [PA_SHADE_GREEN] = 0x6aa84f,   [PA_SHADE_PAPER] = 0xffffff,
};

void pa_pdf_colour(struct pa_pdf *pdf, enum pa_shade shade) {
    uint32_t rgb = shades[shade];
    cairo_set_source_rgb(pdf->cairo, (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0,
                         (rgb & 255) / 255.0);
}

/* Pango knows no <code>. */
static char *pango_markup(const char *markup) {
    GString *out = g_string_new(NULL);
    for (const char *p = markup; *p != '\0'; p++) {
        if (strncmp(p, "<code>", 6) == 0) {
            g_string_append(out, CODE_SPAN);
            p += 5;
        } else if (strncmp(p, "</code>", 7) == 0) {
            g_string_append(out, "</span>");
            p += 6;
        } else
            g_string_append_c(out, *p);
    }
    return g_string_free(out, FALSE);
}

static PangoLayout *bare_layout(struct pa_pdf *pdf, double size, bool is_bold) {
    PangoLayout *layout = pango_layout_new(pdf->context);
    PangoFontDescription *font = pango_font_description_from_string(FAMILY);
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_font_description_set_weight(font, is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_auto_dir(layout, FALSE);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    return layout;
}

PangoLayout *pa_pdf_layout(struct pa_pdf *pdf, const char *markup, double size, bool is_bold,
                           double room) {
    PangoLayout *layout = bare_layout(pdf, size, is_bold);
    char *own = pango_markup(markup), *text = NULL;
    PangoAttrList *attributes = NULL;
    if (pango_parse_markup(own, -1, 0, &attributes, &text, NULL, NULL)) {
        pango_layout_set_text(layout, text, -1);
        pango_layout_set_attributes(layout, attributes);
        pango_attr_list_unref(attributes);
        g_free(text);
    } else
        pango_layout_set_text(layout, own, -1);
    g_free(own);
    if (room > 0)
        pango_layout_set_width(layout, (int)(room * PANGO_SCALE));
    return layout;
}

PangoLayout *pa_pdf_layout_plain(struct pa_pdf *pdf, const char *text, double size, bool is_bold) {
    PangoLayout *layout = bare_layout(pdf, size, is_bold);
    pango_layout_set_text(layout, text, -1);
    return layout;
}

void pa_pdf_size(PangoLayout *layout, double *width, double *height) {
    int w, h;
    pango_layout_get_size(layout, &w, &h);
    if (width != NULL)
        *width = (double)w / PANGO_SCALE;
    if (height != NULL)
        *height = (double)h / PANGO_SCALE;
}

void pa_pdf_show(struct pa_pdf *pdf, PangoLayout *layout, double x, double y, enum pa_shade shade) {
    pa_pdf_colour(pdf, shade);
    cairo_move_to(pdf->cairo, x, y);
    pango_cairo_show_layout(pdf->cairo, layout);
}

void pa_pdf_rule(struct pa_pdf *pdf, double x0, double x1, double y, double width,
                 enum pa_shade shade) {
    pa_pdf_colour(pdf, shade);
    cairo_set_line_width(pdf->cairo, width);
    cairo_set_dash(pdf->cairo, NULL, 0, 0);
    cairo_move_to(pdf->cairo, x0, y);
    cairo_line_to(pdf->cairo, x1, y);
    cairo_stroke(pdf->cairo);
}

void pa_pdf_fill(struct pa_pdf *pdf, double x, double y, double w, double h, enum pa_shade shade) {
    pa_pdf_colour(pdf, shade);
    cairo_rectangle(pdf->cairo, x, y, w, h);
    cairo_fill(pdf->cairo);
}

/* What stands above every sheet but the first. */
static void running_head(struct pa_page *page) {
    struct pa_pdf *pdf = page->sheet;
    char number[2][16], *words;
    double width;
    snprintf(number[0], sizeof number[0], "%d", pdf->number);
    snprintf(number[1], sizeof number[1], "%d", pdf->pages);
    pa_page_say(page, PA_STRING_PAGE_OF, number[0], number[1]);
    PangoLayout *right = pa_pdf_layout(pdf, pa_page_take(page), 8, false, 0);
    pa_pdf_size(right, &width, NULL);
    pa_pdf_show(pdf, right, pdf->width - PA_PDF_MARGIN - width, PA_PDF_TOP - 12, PA_SHADE_SOFT);
    g_object_unref(right);
    bool is_test = pa_page_is(page->predicate, "result", "TEST");
    pa_page_say(page, is_test ? PA_STRING_TITLE_TEST : PA_STRING_TITLE_CERTIFICATE);
    pa_page_mark(page, " \xc2\xb7 ");
    pa_page_text_cut(page, pa_page_text_of(page->predicate, "center"), PA_NAME_MOST);
    words = g_strdup(pa_page_take(page));
    PangoLayout *left =
        pa_pdf_layout(pdf, words, 8, false, pdf->width - 2 * PA_PDF_MARGIN - width - 20);
    pango_layout_set_height(left, -1);
    pango_layout_set_ellipsize(left, PANGO_ELLIPSIZE_END);
    pa_pdf_show(pdf, left, PA_PDF_MARGIN, PA_PDF_TOP - 12, PA_SHADE_SOFT);
    g_object_unref(left);
    g_free(words);
    pa_pdf_rule(pdf, PA_PDF_MARGIN, pdf->width - PA_PDF_MARGIN, PA_PDF_TOP + 2, 0.6, PA_SHADE_LINE);
    PangoLayout *foot = pa_pdf_layout_plain(pdf, page->statement_hex, 6.5, false);
    pa_pdf_size(foot, &width, NULL);
    pa_pdf_show(pdf, foot, pdf->width - PA_PDF_MARGIN - width, pdf->height - PA_PDF_BOTTOM + 14,
                PA_SHADE_GREY);
    g_object_unref(foot);
}

static void next_sheet(struct pa_page *page) {
    struct pa_pdf *pdf = page->sheet;
    cairo_show_page(pdf->cairo);
    pdf->number++;
    running_head(page);
    pdf->y = PA_PDF_TOP + 16;
}

bool pa_pdf_ensure(struct pa_page *page, double height) {
    struct pa_pdf *pdf = page->sheet;
    if (pdf->is_front || pdf->y + height <= pdf->height - PA_PDF_BOTTOM ||
        pdf->y <= PA_PDF_TOP + 16.5)
        return false;
    next_sheet(page);
    return true;
}

static cairo_status_t append(void *closure, const unsigned char *data, unsigned length) {
    struct pa_buffer *out = closure;
    if (out != NULL)
        pa_buffer_bytes(out, data, length);
    return out != NULL && out->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static void set_metadata(struct pa_page *page, struct pa_pdf *pdf) {
    char *title = NULL;
    bool is_test = pa_page_is(page->predicate, "result", "TEST");
    pa_page_say(page, is_test ? PA_STRING_TITLE_TEST : PA_STRING_TITLE_CERTIFICATE);
    pa_page_mark(page, ": ");
    pa_page_text_cut(page, pa_page_text_of(page->predicate, "center"), PA_NAME_MOST);
    if (pango_parse_markup(pa_page_take(page), -1, 0, NULL, &title, NULL, NULL))
        cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_TITLE, title);
    g_free(title);
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_CREATOR, "petaudit");
    /* The evidence's end, not now: the same certificate gives the same bytes. */
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_CREATE_DATE,
                                   pa_page_text_of(page->predicate, "issued_utc"));
}

int pa_pdf_begin(struct pa_page *page, enum pa_paper paper, const struct pa_pdf_fit *fit,
                 struct pa_buffer *out, struct pa_pdf **made, struct pa_error *error) {
    const double *size = paper == PA_PAPER_LETTER ? letter : a4;
    struct pa_pdf *pdf = calloc(1, sizeof *pdf);
    *made = NULL;
    if (pdf == NULL)
        return pa_fail(error, PA_EMEMORY, "writing the PDF: out of memory");
    pdf->width = size[0];
    pdf->height = size[1];
    pdf->pages = fit->pages;
    pdf->front_scale = fit->pages > 0 ? fit->front_scale : 1;
    pdf->number = 1;
    pdf->x = PA_PDF_MARGIN;
    pdf->room = pdf->width - 2 * PA_PDF_MARGIN;
    pdf->surface = cairo_pdf_surface_create_for_stream(append, out, size[0], size[1]);
    cairo_pdf_surface_restrict_to_version(pdf->surface, CAIRO_PDF_VERSION_1_4);
    pdf->cairo = cairo_create(pdf->surface);
    pdf->context = pango_cairo_create_context(pdf->cairo);
    pango_context_set_language(pdf->context,
                               pango_language_from_string(page->strings[PA_STRING_LANGUAGE]));
    /* Without hints, so that a line is as long on every machine. */
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(pdf->context, options);
    pango_context_set_round_glyph_positions(pdf->context, FALSE);
    cairo_font_options_destroy(options);
    set_metadata(page, pdf);
    page->sheet = pdf;
    *made = pdf;
    return PA_OK;
}

int pa_pdf_end(struct pa_page *page, struct pa_pdf *pdf, struct pa_pdf_fit *fit,
               struct pa_error *error) {
    double available = pdf->height - PA_PDF_BOTTOM / 2.0 - PA_PDF_TOP;
    fit->pages = pdf->number;
    if (pdf->front_scale >= 1 && pdf->front_needs > available)
        fit->front_scale = fmax(0.6, 0.985 * available / pdf->front_needs);
    else
        fit->front_scale = pdf->front_scale;
    cairo_show_page(pdf->cairo);
    cairo_status_t status = cairo_status(pdf->cairo);
    g_object_unref(pdf->context);
    cairo_destroy(pdf->cairo);
    cairo_surface_finish(pdf->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(pdf->surface);
    cairo_surface_destroy(pdf->surface);
    free(pdf);
    page->sheet = NULL;
    if (status != CAIRO_STATUS_SUCCESS)
        return pa_fail(error, status == CAIRO_STATUS_NO_MEMORY ? PA_EMEMORY : PA_EINTERNAL,
                       "writing the PDF: cairo says \"%s\"", cairo_status_to_string(status));
    return PA_OK;
}
