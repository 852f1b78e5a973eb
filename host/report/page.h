/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - sentences, texts and tables onto a medium.
 *
 * Text is put together in the page's run (pa_page_say, pa_page_text) and then placed: as a block, a
 * cell, a pair. Nothing from a statement reaches a page but escaped and bounded: names are as
 * hostile as any input.
 */
#ifndef PA_REPORT_PAGE_H
#define PA_REPORT_PAGE_H

#include "base/bytes.h"
#include "report/figure.h"
#include "report/medium.h"
#include "report/report.h"

#include <jansson.h>

struct pa_page {
    const struct pa_medium *medium;
    void *sheet;          /* the medium's own */
    struct pa_buffer run; /* owned: the markup that is being put together */
    const json_t *statement, *predicate;
    const char *const *strings;
    enum pa_language language;
    const char *rate_word;           /* "FLOPS", or "OPS" for integer classes */
    char statement_hex[65];          /* the statement's SHA-256 */
    bool is_signed;                  /* the file that this page is in will be signed */
    bool failed;                     /* memory ran out */
    const struct pa_column *columns; /* of the table that is being written */
    size_t column_count, column;
};

/* A text of the statement goes into a sentence or a cell with at most so many characters. */
enum { PA_TEXT_MOST = 400, PA_NAME_MOST = 120 };

/* A sentence of the catalogue, onto the run; one `const char *` for each place in it. */
void pa_page_say(struct pa_page *page, enum pa_string id, ...);
/* Escaped, with at most PA_TEXT_MOST characters; text from right to left is isolated. */
void pa_page_text(struct pa_page *page, const char *text);
void pa_page_text_cut(struct pa_page *page, const char *text, size_t most);
/* "2026-11-24 00:12" of a time in a statement. */
void pa_page_date(struct pa_page *page, const char *utc);
/* RATE_ABOVE_PEAK as "rate above peak", or as the language's title of it. */
void pa_page_code(struct pa_page *page, const char *code);
/* Markup of our own. */
void pa_page_mark(struct pa_page *page, const char *markup);
/* The run so far as a string, and an empty run after: valid until the next text. */
const char *pa_page_take(struct pa_page *page);

/* A sentence of one place with plain text in it: for the words of a drawing. */
void pa_page_plain(const struct pa_page *page, char *out, size_t size, enum pa_string id,
                   const char *place);

/* Place the run. */
void pa_page_block(struct pa_page *page, enum pa_block block);
void pa_page_cell(struct pa_page *page);
void pa_page_cell_bad(struct pa_page *page);
void pa_page_pair(struct pa_page *page, enum pa_string label);

/* Place what is given. */
void pa_page_block_say(struct pa_page *page, enum pa_block block, enum pa_string id);
void pa_page_cell_text(struct pa_page *page, const char *text);
void pa_page_cell_count(struct pa_page *page, uint64_t value);
void pa_page_cell_figure(struct pa_page *page, double value);
void pa_page_cell_rate(struct pa_page *page, double pflops);
void pa_page_cell_share(struct pa_page *page, double fraction);
void pa_page_pair_text(struct pa_page *page, enum pa_string label, const char *text);

void pa_page_begin(struct pa_page *page, enum pa_part part, enum pa_string heading);
void pa_page_begin_bare(struct pa_page *page, enum pa_part part);
void pa_page_end(struct pa_page *page, enum pa_part part);
void pa_page_table(struct pa_page *page, const struct pa_column *columns, size_t count);
void pa_page_row_end(struct pa_page *page);
/* A row of two cells, what it is and how much, as in "0.4 s"; none for a figure that is not there.
 */
void pa_page_figure_row(struct pa_page *page, enum pa_string label, double value, const char *unit);
void pa_page_table_end(struct pa_page *page);
/* "N more are in certificate.json", where a table showed only `most` of `total` rows. */
void pa_page_more_rows(struct pa_page *page, uint64_t total, uint64_t most);

/* "312.4 PFLOPS", in the unit that suits it; "not known" for NaN. */
void pa_page_rate_text(const struct pa_page *page, char out[PA_FIGURE_BYTES], double pflops);
/* "312.4 ± 3.1 PFLOPS" */
void pa_page_rate_u_text(const struct pa_page *page, char out[PA_FIGURE_BYTES], double pflops,
                         double u);
/* The unit that suits `pflops`: "TFLOPS", and how many of it a PFLOPS is. */
double pa_page_rate_unit(const struct pa_page *page, double pflops, char unit[16]);

/* Members of the statement; NaN for null, "" where there is none. */
double pa_page_number_of(const json_t *object, const char *name);
const char *pa_page_text_of(const json_t *object, const char *name);
uint64_t pa_page_count_of(const json_t *object, const char *name);
bool pa_page_truth_of(const json_t *object, const char *name);
bool pa_page_is(const json_t *object, const char *name, const char *text);
const json_t *pa_page_part_of(const struct pa_page *page, const char *name);

#endif
