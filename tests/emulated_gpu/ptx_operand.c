/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations and operands: names to rows. */
#include "emulated_gpu/ptx_body.h"

#include <ctype.h>
#include <string.h>

static uint32_t row_add(struct ptx_body *body, enum ptx_row_kind kind, enum ptx_type type,
                        uint64_t value) {
    struct ptx_kernel *kernel = body->kernel;
    if (kernel->row_count == PTX_ROWS_MAX) {
        ptx_fail(body->source, PTX_ESYNTAX, "more than %d registers and constants", PTX_ROWS_MAX);
        return PTX_NO_ROW;
    }
    void *grown = ptx_grow(body->source, kernel->rows, kernel->row_count, sizeof *kernel->rows);
    if (grown == NULL)
        return PTX_NO_ROW;
    kernel->rows = grown;
    kernel->rows[kernel->row_count] =
        (struct ptx_row){.kind = (uint8_t)kind, .type = (uint8_t)type, .value = value};
    return (uint32_t)kernel->row_count++;
}

static uint32_t constant_row(struct ptx_body *body, enum ptx_row_kind kind, uint64_t value) {
    const struct ptx_kernel *kernel = body->kernel;
    for (size_t i = 0; i < kernel->row_count; i++)
        if (kernel->rows[i].kind == kind && kernel->rows[i].value == value)
            return (uint32_t)i;
    return row_add(body, kind, PTX_NO_TYPE, value);
}

void ptx_registers_declare(struct ptx_body *body) {
    struct ptx_source *source = body->source;
    struct ptx_name word = ptx_word(source);
    enum ptx_type type = ptx_type_named(word);
    if (type == PTX_NO_TYPE || word.at[0] != '.')
        ptx_fail(source, PTX_ESYNTAX, "no type of registers: \"%.*s\"", (int)word.length, word.at);
    do {
        struct ptx_registers range = {
            .name = ptx_word(source), .first = (uint32_t)body->kernel->row_count, .count = 1};
        if (ptx_accept(source, '<')) {
            range.is_numbered = true;
            range.count = ptx_count(source, PTX_ROWS_MAX);
            ptx_expect(source, '>');
        }
        void *grown = ptx_grow(source, body->registers, body->register_count, sizeof range);
        if (grown == NULL || ptx_failed(source)) {
            body->registers = grown != NULL ? grown : body->registers;
            return;
        }
        body->registers = grown;
        body->registers[body->register_count++] = range;
        for (uint32_t i = 0; i < range.count && !ptx_failed(source); i++)
            row_add(body, PTX_ROW_REGISTER, type, 0);
    } while (ptx_accept(source, ','));
    ptx_expect(source, ';');
}

/* The number that follows `prefix` in `name`, or `count` when it is none below it. */
static uint32_t register_number(struct ptx_name name, struct ptx_name prefix, uint32_t count) {
    size_t digits = name.length - prefix.length;
    const char *at = name.at + prefix.length;
    if (digits == 0 || digits > 6 || (at[0] == '0' && digits > 1))
        return count;
    uint32_t number = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!isdigit((unsigned char)at[i]))
            return count;
        number = number * 10 + (uint32_t)(at[i] - '0');
    }
    return number < count ? number : count;
}

/* Inner scopes come later in the table and win. */
static uint32_t register_row(const struct ptx_body *body, struct ptx_name name) {
    for (size_t i = body->register_count; i-- > 0;) {
        const struct ptx_registers *range = &body->registers[i];
        if (!range->is_numbered) {
            if (ptx_names_equal(range->name, name))
                return range->first;
            continue;
        }
        if (name.length <= range->name.length ||
            memcmp(name.at, range->name.at, range->name.length) != 0)
            continue;
        uint32_t number = register_number(name, range->name, range->count);
        if (number < range->count)
            return range->first + number;
    }
    return PTX_NO_ROW;
}

void ptx_symbol_add(struct ptx_source *source, struct ptx_symbol **symbols, size_t *count,
                    struct ptx_symbol symbol) {
    void *grown = ptx_grow(source, *symbols, *count, sizeof symbol);
    if (grown == NULL)
        return;
    *symbols = grown;
    (*symbols)[(*count)++] = symbol;
}

static const struct ptx_symbol *symbol_find(const struct ptx_body *body, struct ptx_name name) {
    for (size_t i = body->symbol_count; i-- > 0;)
        if (ptx_names_equal(body->symbols[i].name, name))
            return &body->symbols[i];
    for (size_t i = body->module->symbol_count; i-- > 0;)
        if (ptx_names_equal(body->module->symbols[i].name, name))
            return &body->module->symbols[i];
    return NULL;
}

static uint32_t symbol_row(struct ptx_body *body, const struct ptx_symbol *symbol) {
    if (symbol->space == PTX_GLOBAL)
        return constant_row(body, PTX_ROW_GLOBALS, symbol->offset);
    if (symbol->space == PTX_SHARED && symbol->bytes == 0)
        return constant_row(body, PTX_ROW_DYNAMIC_SHARED, 0);
    return constant_row(body, PTX_ROW_IMMEDIATE, symbol->offset);
}

static uint32_t special_row(struct ptx_body *body, struct ptx_name name) {
    static const struct {
        const char *name;
        enum ptx_row_kind kind;
    } specials[] = {{"%tid.x", PTX_ROW_TID_X},
                    {"%tid.y", PTX_ROW_TID_Y},
                    {"%tid.z", PTX_ROW_TID_Z},
                    {"%ntid.x", PTX_ROW_NTID_X},
                    {"%ntid.y", PTX_ROW_NTID_Y},
                    {"%ntid.z", PTX_ROW_NTID_Z},
                    {"%ctaid.x", PTX_ROW_CTAID_X},
                    {"%ctaid.y", PTX_ROW_CTAID_Y},
                    {"%ctaid.z", PTX_ROW_CTAID_Z},
                    {"%nctaid.x", PTX_ROW_NCTAID_X},
                    {"%nctaid.y", PTX_ROW_NCTAID_Y},
                    {"%nctaid.z", PTX_ROW_NCTAID_Z},
                    {"%laneid", PTX_ROW_LANE},
                    {"%warpid", PTX_ROW_WARP},
                    {"%lanemask_lt", PTX_ROW_LANEMASK_LT}};
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
        if (ptx_name_is(name, specials[i].name))
            return constant_row(body, specials[i].kind, 0);
    return PTX_NO_ROW;
}

uint32_t ptx_operand(struct ptx_body *body) {
    char first = ptx_peek(body->source);
    if (isdigit((unsigned char)first) || first == '-')
        return constant_row(body, PTX_ROW_IMMEDIATE, ptx_integer(body->source));
    struct ptx_name name = ptx_word(body->source);
    uint32_t row = register_row(body, name);
    if (row == PTX_NO_ROW)
        row = special_row(body, name);
    if (row == PTX_NO_ROW && ptx_name_is(name, "WARP_SZ"))
        row = constant_row(body, PTX_ROW_IMMEDIATE, PTX_LANES);
    const struct ptx_symbol *symbol = row == PTX_NO_ROW ? symbol_find(body, name) : NULL;
    if (symbol != NULL)
        row = symbol_row(body, symbol);
    if (row == PTX_NO_ROW)
        ptx_fail(body->source, PTX_ESYNTAX, "unknown operand \"%.*s\"", (int)name.length, name.at);
    return row;
}

uint32_t ptx_operand_register(struct ptx_body *body) {
    struct ptx_name name = ptx_word(body->source);
    if (ptx_name_is(name, "_"))
        return PTX_NO_ROW;
    uint32_t row = register_row(body, name);
    if (row == PTX_NO_ROW)
        ptx_fail(body->source, PTX_ESYNTAX, "\"%.*s\" is no register", (int)name.length, name.at);
    return row;
}

unsigned ptx_operand_vector(struct ptx_body *body, uint32_t rows[4], bool is_written) {
    bool is_vector = ptx_accept(body->source, '{');
    unsigned count = 0;
    do {
        if (count == 4) {
            ptx_fail(body->source, PTX_ESYNTAX, "a vector of more than four");
            return 0;
        }
        rows[count++] = is_written ? ptx_operand_register(body) : ptx_operand(body);
    } while (is_vector && ptx_accept(body->source, ','));
    if (is_vector)
        ptx_expect(body->source, '}');
    return count;
}

void ptx_operand_address(struct ptx_body *body, struct ptx_instruction *in) {
    ptx_expect(body->source, '[');
    in->s[0] = ptx_operand(body);
    if (ptx_accept(body->source, '+'))
        in->offset = (int64_t)ptx_integer(body->source);
    else if (ptx_peek(body->source) == '-')
        in->offset = (int64_t)ptx_integer(body->source);
    ptx_expect(body->source, ']');
}

enum ptx_type ptx_row_type(const struct ptx_body *body, uint32_t row) {
    return row == PTX_NO_ROW ? PTX_NO_TYPE : (enum ptx_type)body->kernel->rows[row].type;
}
