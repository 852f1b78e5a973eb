/* SPDX-License-Identifier: Apache-2.0 */
/* csv.h - RFC 4180, strictly: quotes only around whole fields, doubled inside, every row as long as
 * the first says, lines ended by LF or CRLF. */
#ifndef PA_CLAIM_CSV_H
#define PA_CLAIM_CSV_H

#include <stdbool.h>
#include <stddef.h>

struct pa_csv {
    char *next, *end;    /* writable text, which rows point into; text[end] must be writable too */
    size_t row;          /* the row last asked for, from 1; 0 before the first */
    const char *problem; /* why the last row was refused; NULL at the end of the text */
};

struct pa_csv pa_csv_over(char *text, size_t size);
/* The next row: exactly `count` fields, unquoted in place and ended by zeros. False at the end, or
 * with `problem` set. */
bool pa_csv_row(struct pa_csv *csv, char **fields, size_t count);

#endif
