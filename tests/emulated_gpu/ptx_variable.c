/* SPDX-License-Identifier: Apache-2.0 */
/* Variables in global, constant, shared and local memory. */
#include "emulated_gpu/ptx_body.h"

#include <stdlib.h>
#include <string.h>

enum { GLOBALS_MAX = 1 << 20, CONSTANTS_MAX = 1 << 16, ALIGN_MAX = 1024 };

/* Put `bytes` behind what is there; false when it passes `most`. */
static bool place(uint64_t *end, uint64_t align, uint64_t bytes, uint64_t most, uint64_t *offset) {
    uint64_t at = (*end + align - 1) / align * align;
    if (bytes > most || at > most - bytes)
        return false;
    *offset = at;
    *end = at + bytes;
    return true;
}

struct variable {
    struct ptx_symbol symbol;
    uint32_t align, element_bytes;
};

/* .align 8 .b8 name[64] */
static struct variable declarator(struct ptx_source *source, enum ptx_space space, bool is_extern) {
    struct variable out = {.symbol = {.space = (uint8_t)space}};
    struct ptx_name word = ptx_word(source);
    while (word.length > 0 && word.at[0] == '.') {
        enum ptx_type type = ptx_type_named(word);
        if (ptx_name_is(word, ".align"))
            out.align = ptx_count(source, ALIGN_MAX);
        else if (type != PTX_NO_TYPE && type != PTX_PRED)
            out.element_bytes = ptx_type_bytes(type);
        else
            ptx_fail(source, PTX_ESYNTAX, "unsupported attribute %.*s", (int)word.length, word.at);
        word = ptx_word(source);
    }
    out.symbol.name = word;
    uint32_t elements = 1;
    if (ptx_accept(source, '[')) {
        elements = ptx_peek(source) == ']' ? 0 : ptx_count(source, GLOBALS_MAX);
        ptx_expect(source, ']');
    }
    if (out.align == 0)
        out.align = out.element_bytes;
    if (out.element_bytes == 0 || (out.align & (out.align - 1)) != 0 ||
        (elements == 0 && !(is_extern && space == PTX_SHARED)) || (is_extern && elements != 0))
        ptx_fail(source, PTX_ESYNTAX, "a variable of no known type, size or alignment");
    out.symbol.bytes = (uint64_t)elements * out.element_bytes;
    return out;
}

static void initialise(struct ptx_source *source, const struct variable *variable, uint8_t *to) {
    bool is_list = ptx_accept(source, '{');
    uint64_t at = 0;
    do {
        uint64_t value = ptx_integer(source);
        if (at + variable->element_bytes > variable->symbol.bytes) {
            ptx_fail(source, PTX_ESYNTAX, "more initial values than elements");
            return;
        }
        memcpy(to + at, &value, variable->element_bytes);
        at += variable->element_bytes;
    } while (is_list && ptx_accept(source, ','));
    if (is_list)
        ptx_expect(source, '}');
}

/* Room in the image of the module's variables of one space, zeroed. */
static uint8_t *image_extend(struct ptx_source *source, uint8_t **image, size_t *bytes,
                             struct variable *variable, uint64_t most) {
    uint64_t end = *bytes;
    if (!place(&end, variable->align, variable->symbol.bytes, most, &variable->symbol.offset)) {
        ptx_fail(source, PTX_ESYNTAX, "variables of more than %llu bytes",
                 (unsigned long long)most);
        return NULL;
    }
    uint8_t *grown = realloc(*image, end);
    if (grown == NULL) {
        ptx_fail(source, PTX_EMEMORY, "out of memory");
        return NULL;
    }
    memset(grown + *bytes, 0, end - *bytes);
    *image = grown;
    *bytes = end;
    return grown + variable->symbol.offset;
}

void ptx_variable_declare(struct ptx_source *source, struct ptx_module *module,
                          struct ptx_body *body, enum ptx_space space, bool is_extern) {
    struct variable variable = declarator(source, space, is_extern);
    if (ptx_failed(source))
        return;
    if (space == PTX_SHARED || space == PTX_LOCAL) {
        uint32_t *counter = space == PTX_LOCAL ? &body->kernel->local_bytes
                            : body != NULL     ? &body->kernel->shared_bytes
                                               : &module->shared_bytes;
        uint64_t most = space == PTX_LOCAL ? PTX_LOCAL_MAX : PTX_SHARED_MAX, end = *counter;
        if (!place(&end, variable.align, variable.symbol.bytes, most, &variable.symbol.offset))
            ptx_fail(source, PTX_ESYNTAX, "variables of more than %llu bytes",
                     (unsigned long long)most);
        *counter = (uint32_t)end;
    } else {
        bool is_constant = space == PTX_CONST;
        uint8_t *at = is_constant ? image_extend(source, &module->constants,
                                                 &module->constants_bytes, &variable, CONSTANTS_MAX)
                                  : image_extend(source, &module->globals, &module->globals_bytes,
                                                 &variable, GLOBALS_MAX);
        if (at != NULL && ptx_accept(source, '='))
            initialise(source, &variable, at);
    }
    ptx_expect(source, ';');
    if (body != NULL)
        ptx_symbol_add(source, &body->symbols, &body->symbol_count, variable.symbol);
    else
        ptx_symbol_add(source, &module->symbols, &module->symbol_count, variable.symbol);
}
