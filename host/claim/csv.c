/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/csv.h"

struct pa_csv pa_csv_over(char *text, size_t size) {
    return (struct pa_csv){.next = text, .end = text + size};
}

/* Unquote one field in place: *ended is the character that ended it (',' or '\n', 0 at the end of
 * the text). */
static char *field(struct pa_csv *csv, char *ended) {
    char *start = csv->next, *in = start, *out = start;
    bool quoted = in < csv->end && *in == '"';
    if (quoted)
        in++;
    for (;; in++) {
        if (in == csv->end) {
            if (quoted)
                csv->problem = "a quoted field has no end";
            break;
        }
        if (quoted && *in == '"') {
            if (in + 1 < csv->end && in[1] == '"')
                in++;
            else {
                quoted = false;
                in++;
                break;
            }
        } else if (!quoted && (*in == ',' || *in == '\n' || *in == '\r')) {
            break;
        } else if (!quoted && *in == '"') {
            csv->problem = "a quote inside a field that is not quoted";
            break;
        }
        if (*in == '\0')
            csv->problem = "a zero byte";
        *out++ = *in;
    }
    if (in < csv->end && *in == '\r' && in + 1 < csv->end && in[1] == '\n')
        in++;
    *ended = in < csv->end ? *in : '\0';
    if (csv->problem == NULL && *ended != ',' && *ended != '\n' && *ended != '\0')
        csv->problem = "text after a quoted field";
    csv->next = in < csv->end ? in + 1 : in;
    *out = '\0';
    return start;
}

bool pa_csv_row(struct pa_csv *csv, char **fields, size_t count) {
    csv->problem = NULL;
    if (csv->next == csv->end)
        return false;
    csv->row++;
    char ended = ',';
    for (size_t i = 0; i < count; i++) {
        if (ended != ',') {
            csv->problem = "too few fields";
            return false;
        }
        fields[i] = field(csv, &ended);
        if (csv->problem != NULL)
            return false;
    }
    if (ended == ',') {
        csv->problem = "too many fields";
        return false;
    }
    return true;
}
