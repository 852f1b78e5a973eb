/* SPDX-License-Identifier: Apache-2.0 */
/* meter_lines.h - the lines and fields of a table of any length, in little memory.
 *
 * Lines end with LF or CRLF; a byte-order mark is taken off; GBK becomes UTF-8 line by line. A line
 * is at most 64 KiB and has at most 256 fields, quotes are doubled inside of quoted fields, and a
 * quoted field ends on its own line. */
#ifndef PA_METER_METER_LINES_H
#define PA_METER_METER_LINES_H

#include "base/error.h"
#include "proof/hash.h"

#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PA_METER_MOST_FIELDS = 256, PA_METER_LINE_BYTES = 1 << 16, PA_METER_CHUNK_BYTES = 1 << 20 };

struct pa_meter_field {
    char *text; /* in the line's own bytes, not ended by a zero */
    size_t length;
};

struct pa_meter_lines {
    const char *name; /* of the file, for messages; borrowed */
    int file;         /* -1 when the bytes were given */
    char *buffer;     /* owned */
    size_t at, filled;
    bool is_over, is_begun, is_gbk;
    iconv_t decoder;
    char *decoded; /* owned; of a line that is not ASCII */
    uint64_t line; /* number of the line last read, from 1 */
    struct pa_hasher hasher;
};

/* PA_ENOINPUT, PA_EMEMORY. */
int pa_meter_lines_open(struct pa_meter_lines *lines, const char *path, bool is_gbk,
                        struct pa_error *error);
/* The same over bytes in memory, for tests. */
int pa_meter_lines_over(struct pa_meter_lines *lines, const char *name, const void *data,
                        size_t size, bool is_gbk, struct pa_error *error);
/* The next line without its end; *text is NULL at the end of the file. PA_EINPUT. */
int pa_meter_lines_next(struct pa_meter_lines *lines, char **text, size_t *length,
                        struct pa_error *error);
/* Take a line apart in place. PA_EINPUT. */
int pa_meter_lines_split(const struct pa_meter_lines *lines, char *text, size_t length,
                         char separator, struct pa_meter_field fields[PA_METER_MOST_FIELDS],
                         size_t *count, struct pa_error *error);
/* "file:line: message". */
int pa_meter_lines_fail(const struct pa_meter_lines *lines, struct pa_error *error,
                        const char *format, ...) __attribute__((format(printf, 3, 4)));
void pa_meter_lines_close(struct pa_meter_lines *lines);

#endif
