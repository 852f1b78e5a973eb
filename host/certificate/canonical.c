/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/canonical.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

static const size_t dump_flags = JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY;

static int append(const char *data, size_t size, void *context) {
    struct pa_buffer *out = context;
    pa_buffer_bytes(out, data, size);
    return out->failed ? -1 : 0;
}

int pa_canonical_write(const json_t *value, struct pa_buffer *out, struct pa_error *error) {
    if (json_dump_callback(value, append, out, dump_flags) != 0)
        return pa_fail(error, PA_EMEMORY, "writing canonical JSON: out of memory");
    return PA_OK;
}

/* Compares what is dumped with the bytes that were read, without a second copy of them. */
struct comparison {
    const uint8_t *next;
    size_t left;
};

static int compare(const char *data, size_t size, void *context) {
    struct comparison *rest = context;
    if (size > rest->left || memcmp(rest->next, data, size) != 0)
        return -1;
    rest->next += size;
    rest->left -= size;
    return 0;
}

int pa_canonical_read(const char *what, const void *data, size_t size, json_t **out,
                      struct pa_error *error) {
    json_error_t where;
    *out = NULL;
    json_t *value = json_loadb(data, size, JSON_REJECT_DUPLICATES, &where);
    if (value == NULL) {
        char safe[JSON_ERROR_TEXT_LENGTH];
        pa_printable(safe, sizeof safe, where.text);
        return pa_fail(error, PA_EINVALID, "%s is not strict JSON: %s (byte %d)", what, safe,
                       where.position);
    }
    struct comparison rest = {data, size};
    if (json_dump_callback(value, compare, &rest, dump_flags) != 0 || rest.left != 0) {
        size_t at = size - rest.left;
        json_decref(value);
        return pa_fail(error, PA_EINVALID,
                       "%s is not in canonical form: written again it differs after byte %zu", what,
                       at);
    }
    *out = value;
    return PA_OK;
}

/* How many bytes of an unwanted character start here; 0 when the character is fine. */
static size_t unwanted(const unsigned char *p) {
    if (p[0] < 0x20 || p[0] == 0x7F)
        return 1;
    if (p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F)
        return 2;
    /* U+200E, U+200F, U+2028 .. U+202E and U+2066 .. U+2069 */
    if (p[0] == 0xE2 && p[1] == 0x80 &&
        (p[2] == 0x8E || p[2] == 0x8F || (p[2] >= 0xA8 && p[2] <= 0xAE)))
        return 3;
    if (p[0] == 0xE2 && p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9)
        return 3;
    return 0;
}

bool pa_canonical_string_is_plain(const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
        if (unwanted(p) != 0)
            return false;
    return true;
}

json_t *pa_canonical_string(const char *text) {
    size_t size = strlen(text) + 1;
    char *clean = malloc(size);
    if (clean == NULL)
        return NULL;
    char *blanks = strdup(text);
    if (blanks == NULL) {
        free(clean);
        return NULL;
    }
    for (char *p = blanks; *p != '\0'; p++)
        if (*p == '\n' || *p == '\t' || *p == '\r')
            *p = ' ';
    pa_printable(clean, size, blanks);
    char *to = clean;
    for (const char *from = clean; *from != '\0';) {
        size_t skip = unwanted((const unsigned char *)from);
        *to++ = skip == 0 ? *from : '?';
        from += skip == 0 ? 1 : skip;
    }
    *to = '\0';
    json_t *value = json_string(clean);
    free(blanks);
    free(clean);
    return value;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void pa_base64_write(struct pa_buffer *out, const void *data, size_t size) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i += 3) {
        size_t here = size - i < 3 ? size - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= here > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= here > 2 ? (uint32_t)bytes[i + 2] : 0;
        char text[4];
        for (size_t j = 0; j < 4; j++)
            text[j] = j <= here ? alphabet[group >> (18 - 6 * j) & 63] : '=';
        pa_buffer_bytes(out, text, sizeof text);
    }
}

static int digit(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool pa_base64_read(struct pa_buffer *out, const char *text, size_t length) {
    if (length % 4 != 0)
        return false;
    for (size_t i = 0; i < length; i += 4) {
        size_t pad = 0;
        if (i + 4 == length)
            pad = text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        uint32_t group = 0;
        for (size_t j = 0; j < 4 - pad; j++) {
            int value = digit(text[i + j]);
            if (value < 0)
                return false;
            group |= (uint32_t)value << (18 - 6 * j);
        }
        if ((group & ((1u << (8 * pad)) - 1)) != 0)
            return false; /* bits that encode nothing: a second spelling of the same bytes */
        const uint8_t bytes[3] = {(uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group};
        pa_buffer_bytes(out, bytes, 3 - pad);
    }
    return !out->failed;
}
