/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/meter_lines.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* GBK takes two bytes where UTF-8 takes three. */
enum { DECODED_BYTES = 2 * PA_METER_LINE_BYTES };

int pa_meter_lines_fail(const struct pa_meter_lines *lines, struct pa_error *error,
                        const char *format, ...) {
    char text[512], shown[512], name[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pa_printable(shown, sizeof shown, text);
    pa_printable(name, sizeof name, lines->name);
    return pa_fail(error, PA_EINPUT, "%s:%llu: %s", name, (unsigned long long)lines->line, shown);
}

static int begin(struct pa_meter_lines *lines, const char *name, size_t bytes, bool is_gbk,
                 struct pa_error *error) {
    *lines = (struct pa_meter_lines){.name = name, .file = -1, .is_gbk = is_gbk};
    lines->decoder = (iconv_t)-1;
    pa_hasher_begin(&lines->hasher, NULL);
    lines->buffer = malloc(bytes);
    if (is_gbk) {
        lines->decoded = malloc(DECODED_BYTES);
        lines->decoder = iconv_open("UTF-8", "GB18030");
        if (lines->decoder == (iconv_t)-1)
            return pa_fail(error, PA_EUNSUPPORTED, "reading %s: this system's iconv has no GB18030",
                           name);
    }
    if (lines->buffer == NULL || (is_gbk && lines->decoded == NULL))
        return pa_fail(error, PA_EMEMORY, "reading %s: out of memory", name);
    return PA_OK;
}

static int open_file(struct pa_meter_lines *lines, const char *path, struct pa_error *error) {
    struct stat facts;
    lines->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (lines->file < 0 || fstat(lines->file, &facts) != 0)
        return pa_fail(error, PA_ENOINPUT, "opening %s: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return pa_fail(error, PA_EINPUT, "reading %s: it is not a regular file", path);
    posix_fadvise(lines->file, 0, 0, POSIX_FADV_SEQUENTIAL);
    return PA_OK;
}

int pa_meter_lines_open(struct pa_meter_lines *lines, const char *path, bool is_gbk,
                        struct pa_error *error) {
    int code = begin(lines, path, PA_METER_CHUNK_BYTES + PA_METER_LINE_BYTES, is_gbk, error);
    if (code == PA_OK)
        code = open_file(lines, path, error);
    if (code != PA_OK)
        pa_meter_lines_close(lines);
    return code;
}

int pa_meter_lines_over(struct pa_meter_lines *lines, const char *name, const void *data,
                        size_t size, bool is_gbk, struct pa_error *error) {
    int code = begin(lines, name, size + 1, is_gbk, error);
    if (code != PA_OK) {
        pa_meter_lines_close(lines);
        return code;
    }
    if (size > 0)
        memcpy(lines->buffer, data, size);
    pa_hasher_add(&lines->hasher, lines->buffer, size);
    lines->filled = size;
    lines->is_over = true;
    return PA_OK;
}

void pa_meter_lines_close(struct pa_meter_lines *lines) {
    if (lines->file >= 0)
        close(lines->file);
    if (lines->decoder != (iconv_t)-1)
        iconv_close(lines->decoder);
    free(lines->buffer);
    free(lines->decoded);
    *lines = (struct pa_meter_lines){.file = -1, .decoder = (iconv_t)-1};
}

/* Move what is left to the front and read on. */
static int fill(struct pa_meter_lines *lines, struct pa_error *error) {
    size_t kept = lines->filled - lines->at;
    memmove(lines->buffer, lines->buffer + lines->at, kept);
    lines->at = 0;
    lines->filled = kept;
    for (;;) {
        ssize_t got = read(lines->file, lines->buffer + kept, PA_METER_CHUNK_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return pa_fail(error, PA_ENOINPUT, "reading %s: %s", lines->name, strerror(errno));
        pa_hasher_add(&lines->hasher, lines->buffer + kept, (size_t)got);
        lines->filled += (size_t)got;
        lines->is_over = got == 0;
        return PA_OK;
    }
}

static int skip_mark(struct pa_meter_lines *lines, struct pa_error *error) {
    const unsigned char *bytes = (const unsigned char *)lines->buffer + lines->at;
    size_t left = lines->filled - lines->at;
    lines->is_begun = true;
    if (left >= 2 &&
        ((bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF)))
        return pa_fail(error, PA_EINPUT,
                       "%s:1: the file is UTF-16; save it as CSV in UTF-8 (or GBK, with "
                       "encoding=gbk)",
                       lines->name);
    if (left >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        lines->at += 3;
    return PA_OK;
}

static bool is_ascii(const char *text, size_t length) {
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, text + i, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            return false;
    }
    for (; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

/* RFC 3629: shortest form, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(const char *text, size_t length) {
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    while (p < end) {
        size_t more = *p < 0x80 ? 0 : *p >= 0xC2 && *p < 0xE0 ? 1 : *p >= 0xE0 && *p < 0xF0 ? 2 : 3;
        if ((*p >= 0x80 && *p < 0xC2) || *p > 0xF4 || (size_t)(end - p) <= more)
            return false;
        if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) ||
            (*p == 0xF0 && p[1] < 0x90) || (*p == 0xF4 && p[1] > 0x8F))
            return false;
        for (size_t i = 1; i <= more; i++)
            if ((p[i] & 0xC0) != 0x80)
                return false;
        p += more + 1;
    }
    return true;
}

/* Well-formed in the encoding that was told: UTF-8, or GBK, which becomes UTF-8. */
static int decode(struct pa_meter_lines *lines, char **text, size_t *length,
                  struct pa_error *error) {
    if (is_ascii(*text, *length))
        return PA_OK;
    if (lines->is_gbk) {
        char *in = *text, *out = lines->decoded;
        size_t in_left = *length, out_left = DECODED_BYTES;
        iconv(lines->decoder, NULL, NULL, NULL, NULL);
        if (iconv(lines->decoder, &in, &in_left, &out, &out_left) == (size_t)-1)
            return pa_meter_lines_fail(lines, error, "this line is not GBK");
        *text = lines->decoded;
        *length = DECODED_BYTES - out_left;
        return PA_OK;
    }
    if (!is_utf8(*text, *length))
        return pa_meter_lines_fail(lines, error,
                                   "this line is not UTF-8; if the file is GBK, say encoding=gbk");
    return PA_OK;
}

int pa_meter_lines_next(struct pa_meter_lines *lines, char **text, size_t *length,
                        struct pa_error *error) {
    char *end;
    *text = NULL;
    *length = 0;
    if (!lines->is_begun && !lines->is_over)
        PA_TRY(fill(lines, error));
    if (!lines->is_begun)
        PA_TRY(skip_mark(lines, error));
    for (;;) {
        char *from = lines->buffer + lines->at;
        size_t left = lines->filled - lines->at;
        end = left > 0 ? memchr(from, '\n', left) : NULL;
        if (end != NULL || lines->is_over)
            break;
        if (left > PA_METER_LINE_BYTES)
            break;
        PA_TRY(fill(lines, error));
    }
    if (end == NULL && lines->at == lines->filled)
        return PA_OK;
    lines->line++;
    *text = lines->buffer + lines->at;
    *length = end != NULL ? (size_t)(end - *text) : lines->filled - lines->at;
    lines->at += *length + (end != NULL ? 1 : 0);
    if (*length > PA_METER_LINE_BYTES)
        return pa_meter_lines_fail(lines, error, "a line of more than %d bytes",
                                   PA_METER_LINE_BYTES);
    if (*length > 0 && (*text)[*length - 1] == '\r')
        --*length;
    if (*length > 0 && memchr(*text, '\0', *length) != NULL)
        return pa_meter_lines_fail(lines, error, "a zero byte: this is no text file");
    if (*length > 0 && memchr(*text, '\r', *length) != NULL)
        return pa_meter_lines_fail(lines, error,
                                   "a carriage return inside of a line: end lines with LF or CRLF");
    return decode(lines, text, length, error);
}

/* One quoted field: the doubled quotes inside become one. */
static char *unquote(char *in, char *end, struct pa_meter_field *field) {
    char *out = ++in;
    field->text = out;
    for (; in < end; in++) {
        if (*in == '"') {
            if (in + 1 == end || in[1] != '"') {
                field->length = (size_t)(out - field->text);
                return in + 1;
            }
            in++;
        }
        *out++ = *in;
    }
    return NULL;
}

int pa_meter_lines_split(const struct pa_meter_lines *lines, char *text, size_t length,
                         char separator, struct pa_meter_field fields[PA_METER_MOST_FIELDS],
                         size_t *count, struct pa_error *error) {
    char *at = text, *end = text + length;
    bool has_quotes = length > 0 && memchr(text, '"', length) != NULL;
    *count = 0;
    for (;;) {
        if (*count == PA_METER_MOST_FIELDS)
            return pa_meter_lines_fail(lines, error, "more than %d fields", PA_METER_MOST_FIELDS);
        struct pa_meter_field *field = &fields[(*count)++];
        *field = (struct pa_meter_field){.text = at};
        if (has_quotes && at < end && *at == '"') {
            at = unquote(at, end, field);
            if (at == NULL)
                return pa_meter_lines_fail(lines, error, "a quoted field does not end");
            if (at < end && *at != separator)
                return pa_meter_lines_fail(lines, error, "text behind a quoted field");
        } else {
            char *next = at < end ? memchr(at, separator, (size_t)(end - at)) : NULL;
            field->length = (size_t)((next != NULL ? next : end) - at);
            at = next != NULL ? next : end;
        }
        if (at == end)
            return PA_OK;
        at++;
    }
}
