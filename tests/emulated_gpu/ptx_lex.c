/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated_gpu/ptx_lex.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ptx_blank_comments(char *text) {
    for (char *c = text; *c != '\0'; c++) {
        if (c[0] != '/' || (c[1] != '/' && c[1] != '*'))
            continue;
        if (c[1] == '/') {
            size_t length = strcspn(c, "\n");
            memset(c, ' ', length);
            c += length - 1;
            continue;
        }
        char *end = strstr(c + 2, "*/");
        if (end == NULL)
            return false;
        for (; c < end + 2; c++)
            if (*c != '\n')
                *c = ' ';
        c--;
    }
    return true;
}

void ptx_fail(struct ptx_source *source, enum ptx_status status, const char *format, ...) {
    if (ptx_failed(source))
        return;
    source->status = status;
    char *text = source->failure->text;
    int used = snprintf(text, PTX_FAILURE_BYTES, "PTX line %u: ", source->line);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, PTX_FAILURE_BYTES - (size_t)used, format, args);
    va_end(args);
    source->next = "";
}

bool ptx_failed(const struct ptx_source *source) {
    return source->status != PTX_OK;
}

char ptx_peek(struct ptx_source *source) {
    for (; isspace((unsigned char)*source->next); source->next++)
        if (*source->next == '\n')
            source->line++;
    return *source->next;
}

bool ptx_accept(struct ptx_source *source, char c) {
    if (ptx_peek(source) != c)
        return false;
    source->next++;
    return true;
}

void ptx_expect(struct ptx_source *source, char c) {
    if (!ptx_accept(source, c))
        ptx_fail(source, PTX_ESYNTAX, "'%c' expected before \"%.24s\"", c, source->next);
}

static size_t word_character(const char *c) {
    if (c[0] == ':' && c[1] == ':')
        return 2;
    return isalnum((unsigned char)*c) || (*c != '\0' && strchr("._$%", *c) != NULL) ? 1 : 0;
}

struct ptx_name ptx_word(struct ptx_source *source) {
    ptx_peek(source);
    struct ptx_name name = {source->next, 0};
    for (size_t step; (step = word_character(name.at + name.length)) != 0;)
        name.length += step;
    if (name.length == 0)
        ptx_fail(source, PTX_ESYNTAX, "a word expected before \"%.24s\"", source->next);
    else
        source->next += name.length;
    return name;
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Where the digits begin, and their base; `width` is how many there must be, 0 for any. */
static const char *number_base(const char *at, int *base, size_t *width) {
    *base = 10;
    *width = 0;
    if (at[0] != '0')
        return at;
    char kind = (char)tolower((unsigned char)at[1]);
    if (kind == 'b') {
        *base = 2;
        return at + 2;
    }
    if (kind == 'x' || kind == 'f' || kind == 'd') {
        *base = 16;
        *width = kind == 'f' ? 8 : kind == 'd' ? 16 : 0;
        return at + 2;
    }
    *base = 8;
    return at;
}

uint64_t ptx_integer(struct ptx_source *source) {
    bool is_negative = ptx_accept(source, '-');
    ptx_peek(source);
    int base;
    size_t width, digits = 0;
    const char *at = number_base(source->next, &base, &width);
    uint64_t value = 0;
    bool is_too_large = false;
    for (; digit_of(at[digits]) < base; digits++) {
        is_too_large |= __builtin_mul_overflow(value, (uint64_t)base, &value);
        is_too_large |= __builtin_add_overflow(value, (uint64_t)digit_of(at[digits]), &value);
    }
    const char *end = at + digits;
    if (*end == 'U')
        end++;
    if (digits == 0 || is_too_large || word_character(end) != 0 ||
        (width != 0 && digits != width)) {
        ptx_fail(source, PTX_ESYNTAX, "an integer expected before \"%.24s\"", source->next);
        return 0;
    }
    source->next = end;
    return is_negative ? 0 - value : value;
}

uint32_t ptx_count(struct ptx_source *source, uint32_t most) {
    uint64_t value = ptx_integer(source);
    if (value > most) {
        ptx_fail(source, PTX_ESYNTAX, "%llu is more than the limit of %u",
                 (unsigned long long)value, most);
        return 0;
    }
    return (uint32_t)value;
}

void ptx_skip_past(struct ptx_source *source, char c) {
    while (*source->next != '\0') {
        char here = *source->next++;
        if (here == '\n')
            source->line++;
        if (here == c)
            return;
    }
    ptx_fail(source, PTX_ESYNTAX, "the text ends before '%c'", c == '\n' ? 'n' : c);
}

bool ptx_name_is(struct ptx_name name, const char *text) {
    return strlen(text) == name.length && memcmp(name.at, text, name.length) == 0;
}

bool ptx_names_equal(struct ptx_name a, struct ptx_name b) {
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

enum ptx_type ptx_type_named(struct ptx_name name) {
    static const struct {
        const char *name;
        enum ptx_type type;
    } types[] = {{"u8", PTX_U8},   {"b8", PTX_U8},   {"s8", PTX_S8},    {"u16", PTX_U16},
                 {"b16", PTX_U16}, {"s16", PTX_S16}, {"u32", PTX_U32},  {"b32", PTX_U32},
                 {"f32", PTX_U32}, {"s32", PTX_S32}, {"u64", PTX_U64},  {"b64", PTX_U64},
                 {"f64", PTX_U64}, {"s64", PTX_S64}, {"pred", PTX_PRED}};
    if (name.length > 0 && name.at[0] == '.')
        name = (struct ptx_name){name.at + 1, name.length - 1};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (ptx_name_is(name, types[i].name))
            return types[i].type;
    return PTX_NO_TYPE;
}

void *ptx_grow(struct ptx_source *source, void *array, size_t count, size_t element_bytes) {
    if ((count & (count - 1)) != 0)
        return array;
    void *grown = realloc(array, (count == 0 ? 1 : count * 2) * element_bytes);
    if (grown == NULL)
        ptx_fail(source, PTX_EMEMORY, "out of memory");
    return grown;
}
