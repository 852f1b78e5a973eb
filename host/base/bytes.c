/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pa_reader pa_reader_over(const void *data, size_t size) {
    return (struct pa_reader){.next = data, .left = size};
}

const uint8_t *pa_read_view(struct pa_reader *reader, size_t size) {
    if (reader->failed || size > reader->left) {
        reader->failed = true;
        reader->left = 0;
        return NULL;
    }
    const uint8_t *view = reader->next;
    reader->next += size;
    reader->left -= size;
    return view;
}

void pa_read_bytes(struct pa_reader *reader, void *out, size_t size) {
    const uint8_t *view = pa_read_view(reader, size);
    if (size == 0)
        return;
    if (view == NULL)
        memset(out, 0, size);
    else
        memcpy(out, view, size);
}

uint16_t pa_read_u16(struct pa_reader *reader) {
    uint8_t raw[2];
    pa_read_bytes(reader, raw, sizeof raw);
    return (uint16_t)(raw[0] | raw[1] << 8);
}

uint32_t pa_read_u32(struct pa_reader *reader) {
    uint8_t raw[4];
    pa_read_bytes(reader, raw, sizeof raw);
    return pa_le32(raw);
}

uint64_t pa_read_u64(struct pa_reader *reader) {
    uint8_t raw[8];
    pa_read_bytes(reader, raw, sizeof raw);
    return pa_le64(raw);
}

bool pa_reader_done(const struct pa_reader *reader) {
    return !reader->failed && reader->left == 0;
}

/* Make room for `size` more bytes; doubling keeps appends linear in all. */
static bool reserve(struct pa_buffer *buffer, size_t size) {
    size_t wanted;
    if (buffer->failed || !pa_add_size(buffer->size, size, &wanted)) {
        buffer->failed = true;
        return false;
    }
    if (wanted <= buffer->capacity)
        return true;
    size_t capacity = buffer->capacity < 256 ? 256 : buffer->capacity;
    while (capacity < wanted)
        if (!pa_mul_size(capacity, 2, &capacity))
            capacity = wanted;
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void pa_buffer_bytes(struct pa_buffer *buffer, const void *data, size_t size) {
    if (size == 0 || !reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void pa_buffer_u16(struct pa_buffer *buffer, uint16_t value) {
    uint8_t raw[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    pa_buffer_bytes(buffer, raw, sizeof raw);
}

void pa_buffer_u32(struct pa_buffer *buffer, uint32_t value) {
    uint8_t raw[4];
    pa_put_le32(raw, value);
    pa_buffer_bytes(buffer, raw, sizeof raw);
}

void pa_buffer_u64(struct pa_buffer *buffer, uint64_t value) {
    uint8_t raw[8];
    pa_put_le64(raw, value);
    pa_buffer_bytes(buffer, raw, sizeof raw);
}

void pa_buffer_text(struct pa_buffer *buffer, const char *text) {
    pa_buffer_bytes(buffer, text, strlen(text));
}

void pa_buffer_format(struct pa_buffer *buffer, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    /* vsnprintf writes a zero as well: reserve it, then leave it out of the size. */
    if (length < 0)
        buffer->failed = true;
    else if (reserve(buffer, (size_t)length + 1)) {
        vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, again);
        buffer->size += (size_t)length;
    }
    va_end(again);
}

void pa_buffer_clear(struct pa_buffer *buffer) {
    buffer->size = 0;
    buffer->failed = false;
}

void pa_buffer_free(struct pa_buffer *buffer) {
    free(buffer->data);
    *buffer = (struct pa_buffer){0};
}

struct pa_buffer *pa_buffers_make(size_t count) {
    return calloc(count, sizeof(struct pa_buffer));
}

void pa_buffers_free(struct pa_buffer *buffers, size_t count) {
    for (size_t i = 0; buffers != NULL && i < count; i++)
        pa_buffer_free(&buffers[i]);
    free(buffers);
}

void pa_hex(char *out, const void *data, size_t size) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool pa_unhex(void *out, size_t size, const char *text) {
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]);
        int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * size] == '\0';
}
