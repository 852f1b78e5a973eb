/* SPDX-License-Identifier: Apache-2.0 */
/* HTML: one file, nothing loaded, nothing run. */
#include "report/html_medium.h"

#include "report/page.h"
#include "report/qr_code.h"
#include "report/style.h"

#include <string.h>

static struct pa_buffer *out_of(struct pa_page *page) {
    return page->sheet;
}

void pa_html_raw(struct pa_page *page, const char *html) {
    pa_buffer_text(out_of(page), html);
}

static void heading(struct pa_page *page, const char *tag, const char *text) {
    if (text == NULL)
        return;
    pa_html_raw(page, "<");
    pa_html_raw(page, tag);
    pa_html_raw(page, ">");
    pa_html_raw(page, text);
    pa_html_raw(page, "</");
    pa_html_raw(page, tag);
    pa_html_raw(page, ">\n");
}

/* The class of a verdict is its word in small letters, whatever stands there. */
static void begin_verdict(struct pa_page *page, const char *word) {
    char class[16];
    size_t length = 0;
    for (const char *p = pa_page_text_of(page->predicate, "verdict");
         length + 1 < sizeof class && *p >= 'A' && *p <= 'Z'; p++)
        class[length++] = (char)(*p - 'A' + 'a');
    class[length] = '\0';
    pa_html_raw(page, strlen(word) > 7 ? "<section class=\"verdict long\"><strong class=\""
                                       : "<section class=\"verdict\"><strong class=\"");
    pa_html_raw(page, class);
    pa_html_raw(page, "\">");
    pa_html_raw(page, word);
    pa_html_raw(page, "</strong><div>");
}

static void begin(struct pa_page *page, enum pa_part part, const char *words) {
    switch (part) {
    case PA_PART_FRONT:
        pa_html_raw(page, "<div class=\"sheet first\">\n");
        break;
    case PA_PART_REST:
        pa_html_raw(page, "<div class=\"sheet\">\n");
        break;
    case PA_PART_SECTION:
        pa_html_raw(page, "<section>");
        heading(page, "h2", words);
        break;
    case PA_PART_BOX:
        pa_html_raw(page, "<section class=\"not\">");
        heading(page, "h2", words);
        break;
    case PA_PART_VERDICT:
        begin_verdict(page, words);
        break;
    case PA_PART_COLUMNS:
        pa_html_raw(page, "<section class=\"cols\">");
        break;
    case PA_PART_COLUMN:
        pa_html_raw(page, "<div>");
        heading(page, "h2", words);
        pa_html_raw(page, "<dl>");
        break;
    case PA_PART_LIST:
        pa_html_raw(page, "<ul>");
        break;
    }
}

static void end(struct pa_page *page, enum pa_part part) {
    static const char *const ends[] = {
        [PA_PART_FRONT] = "</div>\n",
        [PA_PART_REST] = "</div>\n",
        [PA_PART_SECTION] = "</section>\n",
        [PA_PART_BOX] = "</section>\n",
        [PA_PART_VERDICT] = "</div></section>\n",
        [PA_PART_COLUMNS] = "</section>\n",
        [PA_PART_COLUMN] = "</dl></div>\n",
        [PA_PART_LIST] = "</ul>",
    };
    pa_html_raw(page, ends[part]);
}

static void header(struct pa_page *page, const char *title, const char *right) {
    pa_html_raw(page, "<header><b>");
    pa_html_raw(page, title);
    pa_html_raw(page, "</b><span>");
    pa_html_raw(page, right);
    pa_html_raw(page, "</span></header>\n");
}

static void block(struct pa_page *page, enum pa_block kind, const char *markup) {
    static const char *const tags[][2] = {
        [PA_BLOCK_PLAIN] = {"<p>", "</p>\n"},
        [PA_BLOCK_CAPTION] = {"<p class=\"caption\">", "</p>\n"},
        [PA_BLOCK_ALARM] = {"<p class=\"alarm\">", "</p>\n"},
        [PA_BLOCK_MARK] = {"<div class=\"mark\"><span>", "</span></div>\n"},
        [PA_BLOCK_SUBHEAD] = {"<h3>", "</h3>\n"},
        [PA_BLOCK_LEAD] = {"<p>", "</p>"},
        [PA_BLOCK_SMALL] = {"<small>", "</small>"},
        [PA_BLOCK_ITEM] = {"<li>", "</li>\n"},
    };
    pa_html_raw(page, tags[kind][0]);
    pa_html_raw(page, markup);
    pa_html_raw(page, tags[kind][1]);
}

static void pair(struct pa_page *page, const char *label, const char *markup) {
    pa_html_raw(page, "<dt>");
    pa_html_raw(page, label);
    pa_html_raw(page, "</dt><dd>");
    pa_html_raw(page, markup);
    pa_html_raw(page, "</dd>");
}

static const char *severity_class(const char *severity) {
    return strcmp(severity, "critical") == 0  ? "critical"
           : strcmp(severity, "warning") == 0 ? "warning"
                                              : "info";
}

static void dot(struct pa_page *page, const char *severity) {
    pa_html_raw(page, "<span class=\"sev ");
    pa_html_raw(page, severity_class(severity));
    pa_html_raw(page, "\"></span>");
}

static void signal_line(struct pa_page *page, const char *severity, const char *markup) {
    pa_html_raw(page, "<dt class=\"finding\">");
    dot(page, severity);
    pa_html_raw(page, markup);
    pa_html_raw(page, "</dt>");
}

static void footer(struct pa_page *page, const char *markup, const char *qr_text) {
    struct pa_qr_code code;
    pa_html_raw(page, "<footer><div>");
    pa_html_raw(page, markup);
    pa_html_raw(page, "</div>");
    if (pa_qr_make(qr_text, &code)) {
        char number[PA_FIGURE_BYTES];
        pa_html_raw(page, "<svg class=\"qr\" role=\"img\" aria-label=\"QR\" viewBox=\"-3 -3 ");
        for (int i = 0; i < 2; i++) {
            pa_fixed_text(number, code.side + 6, 0);
            pa_html_raw(page, number);
            pa_html_raw(page, i == 0 ? " " : "\"><path d=\"");
        }
        for (int y = 0; y < code.side; y++)
            for (int x = 0; x < code.side; x++) {
                if (!pa_qr_is_dark(&code, x, y))
                    continue;
                pa_html_raw(page, "M");
                pa_fixed_text(number, x, 0);
                pa_html_raw(page, number);
                pa_html_raw(page, " ");
                pa_fixed_text(number, y, 0);
                pa_html_raw(page, number);
                pa_html_raw(page, "h1v1h-1z");
            }
        pa_html_raw(page, "\"/></svg>");
    }
    pa_html_raw(page, "</footer>\n");
}

static void table(struct pa_page *page, const struct pa_column *columns, size_t count) {
    pa_html_raw(page, "<div class=\"scroll\"><table><thead><tr>");
    for (size_t i = 0; i < count; i++) {
        pa_html_raw(page, columns[i].is_figure ? "<th class=\"n\">" : "<th>");
        pa_html_raw(page, page->strings[columns[i].head]);
        pa_html_raw(page, "</th>");
    }
    pa_html_raw(page, "</tr></thead><tbody>\n");
    page->columns = columns;
    page->column_count = count;
    page->column = 0;
}

static void cell(struct pa_page *page, enum pa_cell kind, const char *markup) {
    bool is_figure = page->column < page->column_count && page->columns[page->column].is_figure;
    if (page->column == 0)
        pa_html_raw(page, "<tr>");
    pa_html_raw(page, kind == PA_CELL_BAD ? "<td class=\"bad\">"
                      : is_figure         ? "<td class=\"n\">"
                                          : "<td>");
    pa_html_raw(page, markup);
    pa_html_raw(page, "</td>");
    page->column++;
}

static void row_end(struct pa_page *page) {
    pa_html_raw(page, "</tr>\n");
    page->column = 0;
}

static void table_end(struct pa_page *page) {
    pa_html_raw(page, "</tbody></table></div>\n");
}

const struct pa_medium pa_medium_html = {
    .begin = begin,
    .end = end,
    .header = header,
    .block = block,
    .pair = pair,
    .signal = signal_line,
    .footer = footer,
    .table = table,
    .cell = cell,
    .row_end = row_end,
    .table_end = table_end,
    .drawing = pa_html_drawing,
    .rect = pa_html_rect,
    .line = pa_html_line,
    .words = pa_html_words,
    .curve = pa_html_curve,
    .drawing_end = pa_html_drawing_end,
};
