/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_parse.h - a table of accelerators from CSV text, refused as a whole when a row is
 * doubtful: a heading out of place, a figure that is none, a name twice, no source. */
#ifndef PA_CLAIM_CATALOGUE_PARSE_H
#define PA_CLAIM_CATALOGUE_PARSE_H

#include "claim/claim.h"
#include "claim/csv.h"

enum { PA_CATALOGUE_MOST_ROWS = 1024 };

struct pa_catalogue_entry {
    struct pa_catalogue_row row;
    const char *matches; /* whole names as drivers write them, separated by '|' */
};

struct pa_catalogue_table {
    char *text; /* owned; the rows point into it */
    uint32_t count;
    struct pa_catalogue_entry entries[PA_CATALOGUE_MOST_ROWS];
};

/* PA_EINPUT with the line, PA_EMEMORY. Release a table that was parsed. */
int pa_catalogue_parse(const void *data, size_t size, struct pa_catalogue_table *out,
                       struct pa_error *error);
void pa_catalogue_release(struct pa_catalogue_table *table);

#endif
