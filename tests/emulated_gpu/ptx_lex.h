/* SPDX-License-Identifier: Apache-2.0 */
/* ptx_lex.h - words, numbers and punctuation of PTX text.
 *
 * The first failure is kept with its line and moves the reader to the end of the text: every later
 * read gives nothing, so that the parser asks once (`failed`) and its loops end by themselves.
 */
#ifndef PA_TESTS_PTX_LEX_H
#define PA_TESTS_PTX_LEX_H

#include "emulated_gpu/ptx_inside.h"

struct ptx_source {
    const char *next; /* ends with a zero byte */
    uint32_t line;
    enum ptx_status status;
    struct ptx_failure *failure;
};

/* Blank comments out of `text`, keeping its lines. False for one that does not end. */
bool ptx_blank_comments(char *text);

void ptx_fail(struct ptx_source *source, enum ptx_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool ptx_failed(const struct ptx_source *source);

/* The next character after blanks, '\0' at the end. */
char ptx_peek(struct ptx_source *source);
bool ptx_accept(struct ptx_source *source, char c);
void ptx_expect(struct ptx_source *source, char c);
/* Letters, digits and . _ $ % :: in one piece: ".reg", "add.s32", "%tid.x". */
struct ptx_name ptx_word(struct ptx_source *source);
/* A decimal, hexadecimal, octal or binary integer with an optional minus and U, or the bits of a
 * float written 0f... or 0d...; as 64 bits of two's complement. */
uint64_t ptx_integer(struct ptx_source *source);
/* An integer of 0 .. most. */
uint32_t ptx_count(struct ptx_source *source, uint32_t most);
/* Past the next `c`. */
void ptx_skip_past(struct ptx_source *source, char c);

bool ptx_name_is(struct ptx_name name, const char *text);
bool ptx_names_equal(struct ptx_name a, struct ptx_name b);
/* The type that "u32" or ".u32" names, PTX_NO_TYPE for another word. */
enum ptx_type ptx_type_named(struct ptx_name name);

/* `array` with room for one more element after `count` of them; NULL (and failed) without memory.
 * Capacity doubles at powers of two. */
void *ptx_grow(struct ptx_source *source, void *array, size_t count, size_t element_bytes);

#endif
