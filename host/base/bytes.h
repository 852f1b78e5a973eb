/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h - little-endian bytes, in and out, without overruns.
 *
 * Everything that crosses a file or a socket is read through `struct pa_reader`, which never reads
 * past its end: the first short read marks it failed, later reads give zeros, and the caller asks
 * once at the end (`pa_reader_done`). `struct pa_buffer` is the growing counterpart for writing; an
 * allocation that fails marks it failed in the same way.
 */
#ifndef PA_BASE_BYTES_H
#define PA_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint32_t pa_le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t pa_le64(const uint8_t *p) {
    return (uint64_t)pa_le32(p) | (uint64_t)pa_le32(p + 4) << 32;
}

static inline void pa_put_le32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static inline void pa_put_le64(uint8_t *p, uint64_t value) {
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

/* A view of bytes that somebody else owns. */
struct pa_reader {
    const uint8_t *next;
    size_t left;
    bool failed; /* a read went past the end */
};

struct pa_reader pa_reader_over(const void *data, size_t size);
uint16_t pa_read_u16(struct pa_reader *reader);
uint32_t pa_read_u32(struct pa_reader *reader);
uint64_t pa_read_u64(struct pa_reader *reader);
/* Copy `size` bytes to `out`; zeros where the data ended. */
void pa_read_bytes(struct pa_reader *reader, void *out, size_t size);
/* A pointer into the data and past it, or NULL (and failed) when fewer than `size` bytes are left.
 */
const uint8_t *pa_read_view(struct pa_reader *reader, size_t size);
/* True when no read failed and nothing is left over. */
bool pa_reader_done(const struct pa_reader *reader);

/* Bytes that this struct owns; zero-initialise it, release it with pa_buffer_free. */
struct pa_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed; /* memory ran out; size then tells what was kept */
};

void pa_buffer_bytes(struct pa_buffer *buffer, const void *data, size_t size);
void pa_buffer_u16(struct pa_buffer *buffer, uint16_t value);
void pa_buffer_u32(struct pa_buffer *buffer, uint32_t value);
void pa_buffer_u64(struct pa_buffer *buffer, uint64_t value);
void pa_buffer_text(struct pa_buffer *buffer, const char *text);
/* printf into the buffer, without a terminating zero. */
void pa_buffer_format(struct pa_buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Forget the content and keep the memory. */
void pa_buffer_clear(struct pa_buffer *buffer);
void pa_buffer_free(struct pa_buffer *buffer);
/* `count` empty ones, released together with all that they hold; NULL when memory is out, which may
 * be released, too. */
struct pa_buffer *pa_buffers_make(size_t count);
void pa_buffers_free(struct pa_buffer *buffers, size_t count);

/* Lower-case hexadecimal of `size` bytes; `out` takes 2 * size + 1 characters. */
void pa_hex(char *out, const void *data, size_t size);
/* The strict inverse: exactly 2 * size digits, upper or lower case, then the end of the text. */
bool pa_unhex(void *out, size_t size, const char *text);

/* a * b and a + b for sizes that come from outside; false on overflow. */
static inline bool pa_mul_size(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool pa_add_size(size_t a, size_t b, size_t *out) {
    return !__builtin_add_overflow(a, b, out);
}

#endif
