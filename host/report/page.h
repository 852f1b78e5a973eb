/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - escaped text, figures and sentences into HTML.
 *
 * Nothing from a statement reaches the page but through pa_page_text, pa_page_say or a figure. No
 * figure depends on the locale.
 */
#ifndef PA_REPORT_PAGE_H
#define PA_REPORT_PAGE_H

#include "base/bytes.h"
#include "report/strings.h"

#include <jansson.h>

struct pa_page {
    struct pa_buffer *out;
    const json_t *statement, *predicate;
    const char *const *strings;
    const char *rate_word; /* "FLOPS", or "OPS" for integer classes */
};

enum { PA_FIGURE_BYTES = 64 };

void pa_page_raw(struct pa_page *page, const char *html);  /* trusted HTML of our own */
void pa_page_text(struct pa_page *page, const char *text); /* escaped */
/* A sentence of the catalogue; one `const char *` for each place in it. */
void pa_page_say(struct pa_page *page, enum pa_string id, ...);
/* <h2>..</h2> */
void pa_page_heading(struct pa_page *page, enum pa_string id);
void pa_page_row_head(struct pa_page *page, const enum pa_string *ids, size_t count);
/* <td>, right-aligned when `is_figure`. */
void pa_page_cell(struct pa_page *page, const char *text, bool is_figure);
/* <dt>..</dt><dd>..</dd> */
void pa_page_pair(struct pa_page *page, enum pa_string id, const char *text);

/* Coordinates and attributes: a plain decimal with `decimals` (0 to 6) places. */
void pa_page_fixed(struct pa_page *page, double value, int decimals);
void pa_page_fixed_text(char out[PA_FIGURE_BYTES], double value, int decimals);
/* Four significant digits, thousands separated. */
void pa_page_figure_text(char out[PA_FIGURE_BYTES], double value);
/* "62.5 %"; below 0.01 % it says so. */
void pa_page_share_text(char out[PA_FIGURE_BYTES], double fraction);
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
const json_t *pa_page_part_of(const struct pa_page *page, const char *name);
void pa_page_count_text(char out[PA_FIGURE_BYTES], uint64_t value);

#endif
