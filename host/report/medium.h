/* SPDX-License-Identifier: Apache-2.0 */
/* medium.h - inside the room: what a page is written on, HTML or PDF.
 *
 * The sections say what is there; a medium says how it looks. Texts that it gets are markup:
 * escaped but for <b>, <code> and the entities of XML, which HTML and Pango read alike. Drawings
 * are in units of 660 to the page's width, y downwards; their words are plain text, not markup.
 */
#ifndef PA_REPORT_MEDIUM_H
#define PA_REPORT_MEDIUM_H

#include "report/strings.h"

#include <stdbool.h>
#include <stddef.h>

struct pa_page;

enum pa_part {
    PA_PART_FRONT,   /* the whole first sheet */
    PA_PART_REST,    /* all the others */
    PA_PART_SECTION, /* with a heading */
    PA_PART_BOX,     /* a section that is set off */
    PA_PART_VERDICT, /* the heading is the verdict's word */
    PA_PART_COLUMNS, /* three columns side by side */
    PA_PART_COLUMN,
    PA_PART_LIST
};

enum pa_block {
    PA_BLOCK_PLAIN,
    PA_BLOCK_CAPTION,
    PA_BLOCK_ALARM,
    PA_BLOCK_MARK,    /* across the page: this is no certificate */
    PA_BLOCK_SUBHEAD, /* a heading inside a section */
    PA_BLOCK_LEAD,    /* the sentence beside the verdict */
    PA_BLOCK_SMALL,   /* what stands below it */
    PA_BLOCK_ITEM     /* of a list */
};

struct pa_column {
    enum pa_string head;
    bool is_figure; /* kept on one line */
};

enum pa_cell { PA_CELL_PLAIN, PA_CELL_BAD };

/* What a shape is; each medium has its colour. */
enum pa_ink {
    PA_INK_CLAIMED,
    PA_INK_NOMINAL,
    PA_INK_RAW,
    PA_INK_PROVEN,
    PA_INK_COUPLED,
    PA_INK_ENTITLED,
    PA_INK_EPOCH,
    PA_INK_OVER,
    PA_INK_GREEN,
    PA_INK_WHISKER,
    PA_INK_GRID,
    PA_INK_AXIS,
    PA_INK_CLAIM_LINE,
    PA_INK_GAP_LINE,
    PA_INK_VERIFIED_LINE,
    PA_INK_BUSBW,
    PA_INK_ALGBW,
    PA_INK_POWER,
    PA_INK_COUNT
};

/* How words in a drawing look, or-ed. */
enum {
    PA_WORDS_PLAIN = 0,
    PA_WORDS_SMALL = 1,
    PA_WORDS_DIM = 2,
    PA_WORDS_STRONG = 4,
    PA_WORDS_HALO = 8, /* readable over a shape */
    PA_WORDS_CLAIM = 16,
    PA_WORDS_ON_PROVEN = 32
};

enum pa_anchor { PA_ANCHOR_START, PA_ANCHOR_MIDDLE, PA_ANCHOR_END };

struct pa_medium {
    void (*begin)(struct pa_page *page, enum pa_part part, const char *heading);
    void (*end)(struct pa_page *page, enum pa_part part);
    void (*header)(struct pa_page *page, const char *title, const char *right);
    void (*block)(struct pa_page *page, enum pa_block block, const char *markup);
    void (*pair)(struct pa_page *page, const char *label, const char *markup);
    /* A line with a dot in the colour of its severity: "critical", "warning" or "info". */
    void (*signal)(struct pa_page *page, const char *severity, const char *markup);
    void (*footer)(struct pa_page *page, const char *markup, const char *qr_text);

    void (*table)(struct pa_page *page, const struct pa_column *columns, size_t count);
    void (*cell)(struct pa_page *page, enum pa_cell kind, const char *markup);
    void (*row_end)(struct pa_page *page);
    void (*table_end)(struct pa_page *page);

    void (*drawing)(struct pa_page *page, double height, const char *label);
    void (*rect)(struct pa_page *page, enum pa_ink ink, double x, double y, double w, double h);
    void (*line)(struct pa_page *page, enum pa_ink ink, double x0, double y0, double x1, double y1);
    void (*words)(struct pa_page *page, unsigned style, enum pa_anchor anchor, double x, double y,
                  const char *text);
    /* `points` pairs of x and y. */
    void (*curve)(struct pa_page *page, enum pa_ink ink, const double *xy, size_t points);
    void (*drawing_end)(struct pa_page *page);
};

extern const struct pa_medium pa_medium_html; /* the page's `sheet` is a struct pa_buffer */
extern const struct pa_medium pa_medium_pdf;  /* the page's `sheet` is a struct pa_pdf */

#endif
