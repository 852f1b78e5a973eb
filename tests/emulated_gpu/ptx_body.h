/* SPDX-License-Identifier: Apache-2.0 */
/* ptx_body.h - a kernel while its text is read: names in scope, labels, operands.
 *
 * Names are pieces of the module's text, which outlives them. A block in braces is a scope:
 * compilers write inline assembly so, with the same names in every block.
 */
#ifndef PA_TESTS_PTX_BODY_H
#define PA_TESTS_PTX_BODY_H

#include "emulated_gpu/ptx_lex.h"

enum {
    PTX_ROWS_MAX = 16384,
    PTX_CODE_MAX = 131072,
    PTX_LABELS_MAX = 4096,
    PTX_SHARED_MAX = 232448, /* bytes of a block on the largest device */
    PTX_LOCAL_MAX = 65536,
    PTX_DYNAMIC = UINT32_MAX
};

struct ptx_registers {
    struct ptx_name name; /* of one, or the prefix of `count` numbered ones */
    uint32_t first, count;
    bool is_numbered;
};

struct ptx_label {
    struct ptx_name name;
    uint32_t target; /* of a branch: the number of the instruction that waits for it */
    uint32_t line;
};

struct ptx_body {
    struct ptx_source *source;
    struct ptx_module *module;
    struct ptx_kernel *kernel;
    struct ptx_registers *registers;
    struct ptx_symbol *symbols;
    struct ptx_label *labels, *branches;
    size_t register_count, symbol_count, label_count, branch_count;
};

/* `.reg .b32 %r<8>, %x;` after the first word. */
void ptx_registers_declare(struct ptx_body *body);
/* A variable after the word of its space; `body` is NULL at module level. `is_extern` may leave the
 * size open. */
void ptx_variable_declare(struct ptx_source *source, struct ptx_module *module,
                          struct ptx_body *body, enum ptx_space space, bool is_extern);
/* Append a name to a table of symbols. */
void ptx_symbol_add(struct ptx_source *source, struct ptx_symbol **symbols, size_t *count,
                    struct ptx_symbol symbol);

/* An operand that is read: register, immediate, special register, variable. */
uint32_t ptx_operand(struct ptx_body *body);
/* A register; "_" gives PTX_NO_ROW. */
uint32_t ptx_operand_register(struct ptx_body *body);
/* {a, b} or a: up to four; `is_written` takes registers only. Returns how many. */
unsigned ptx_operand_vector(struct ptx_body *body, uint32_t rows[4], bool is_written);
/* [row + offset] */
void ptx_operand_address(struct ptx_body *body, struct ptx_instruction *in);
/* The type of a row; an immediate has PTX_NO_TYPE. */
enum ptx_type ptx_row_type(const struct ptx_body *body, uint32_t row);

/* One instruction after its opcode word, up to the semicolon (ptx_decode.c). */
void ptx_decode(struct ptx_body *body, struct ptx_name opcode, uint32_t guard,
                bool is_guard_negated);

#endif
