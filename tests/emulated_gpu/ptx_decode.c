/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions: a form and its operands become one struct ptx_instruction. Widths are checked as
 * ptxas checks them: arithmetic takes registers of its own size, memory also wider ones. */
#include "emulated_gpu/ptx_form.h"

/* Bits of a register as the rules of widths count them: a predicate is like nothing else. */
static unsigned type_bits(enum ptx_type type) {
    return type == PTX_PRED ? 1 : 8 * ptx_type_bytes(type);
}

static void check_width(struct ptx_body *body, uint32_t row, unsigned bits, bool may_be_wider) {
    enum ptx_type type = ptx_row_type(body, row);
    if (type == PTX_NO_TYPE)
        return;
    unsigned have = type_bits(type);
    if (have != bits && !(may_be_wider && have > bits && bits > 1))
        ptx_fail(body->source, PTX_ESYNTAX, "a register of %u bits where %u are expected", have,
                 bits);
}

static uint64_t register_mask(const struct ptx_body *body, uint32_t row) {
    enum ptx_type type = ptx_row_type(body, row);
    unsigned bits = type == PTX_NO_TYPE ? 64 : type_bits(type);
    return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

static unsigned result_bits(enum ptx_op op, enum ptx_type type) {
    if (op >= PTX_SETP_EQ && op <= PTX_SETP_GE)
        return 1;
    if (op == PTX_MUL_WIDE || op == PTX_MAD_WIDE)
        return 2 * type_bits(type);
    return op == PTX_CLZ || op == PTX_POPC ? 32 : type_bits(type);
}

static unsigned source_bits(enum ptx_op op, enum ptx_type type, unsigned number) {
    if (((op == PTX_SHL || op == PTX_SHR) && number == 1) || (op == PTX_BFE && number >= 1) ||
        (op == PTX_BFI && number >= 2))
        return 32;
    if (op == PTX_SELP && number == 2)
        return 1;
    return op == PTX_MAD_WIDE && number == 2 ? 2 * type_bits(type) : type_bits(type);
}

static void next_operand(struct ptx_body *body) {
    ptx_expect(body->source, ',');
}

static void need_result(struct ptx_body *body, uint32_t row) {
    if (row == PTX_NO_ROW)
        ptx_fail(body->source, PTX_ESYNTAX, "a result that is thrown away");
}

/* mov of one register, or of a vector into one, or of one into a vector. */
static void decode_mov(struct ptx_body *body, struct ptx_instruction *in, enum ptx_type type) {
    unsigned to = ptx_operand_vector(body, in->d, true);
    next_operand(body);
    unsigned from = ptx_operand_vector(body, in->s, false);
    unsigned parts = to > from ? to : from;
    if ((to != 1 && from != 1) || parts == 3 || (parts > 1 && type == PTX_PRED)) {
        ptx_fail(body->source, PTX_ESYNTAX, "unsupported vectors in mov");
        return;
    }
    enum ptx_op op = parts == 1 ? PTX_MOV
                     : to > 1   ? (parts == 2 ? PTX_UNPACK2 : PTX_UNPACK4)
                                : (parts == 2 ? PTX_PACK2 : PTX_PACK4);
    unsigned bits = type_bits(type);
    for (unsigned i = 0; i < to; i++)
        check_width(body, in->d[i], bits / to, false);
    for (unsigned i = 0; i < from; i++)
        check_width(body, in->s[i], bits / from, false);
    if (to == 1)
        need_result(body, in->d[0]);
    in->alu = ptx_alu_of(op, type);
}

static void decode_cvt(struct ptx_body *body, struct ptx_instruction *in, enum ptx_type to,
                       enum ptx_type from) {
    in->d[0] = ptx_operand_register(body);
    next_operand(body);
    in->s[0] = ptx_operand(body);
    need_result(body, in->d[0]);
    check_width(body, in->d[0], type_bits(to), true);
    check_width(body, in->s[0], type_bits(from), true);
    in->destination_mask = register_mask(body, in->d[0]);
    in->alu = ptx_alu_of_cvt(to, from);
}

static void decode_alu(struct ptx_body *body, struct ptx_instruction *in,
                       const struct ptx_form *form, const struct ptx_modifiers *modifiers) {
    enum ptx_op op = (enum ptx_op)form->mode;
    enum ptx_type type = ptx_modifiers_type(modifiers, 0);
    if (op == PTX_MOV)
        decode_mov(body, in, type);
    else if (op == PTX_CVT)
        decode_cvt(body, in, type, ptx_modifiers_type(modifiers, 1));
    else {
        in->d[0] = ptx_operand_register(body);
        need_result(body, in->d[0]);
        check_width(body, in->d[0], result_bits(op, type), false);
        for (unsigned i = 0; i < form->sources; i++) {
            next_operand(body);
            in->s[i] = ptx_operand(body);
            if (!(op == PTX_LOP3 && i == 3))
                check_width(body, in->s[i], source_bits(op, type, i), false);
        }
        in->alu = ptx_alu_of(op, type);
    }
    if (in->alu == NULL)
        ptx_fail(body->source, PTX_ESYNTAX, "unsupported type");
}

static enum ptx_space space_of(const struct ptx_modifiers *modifiers) {
    static const struct {
        const char *name;
        enum ptx_space space;
    } spaces[] = {{"shared", PTX_SHARED},
                  {"shared::cta", PTX_SHARED},
                  {"param", PTX_PARAM},
                  {"const", PTX_CONST},
                  {"local", PTX_LOCAL}};
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        if (ptx_modifiers_have(modifiers, spaces[i].name))
            return spaces[i].space;
    return PTX_GLOBAL;
}

static void decode_memory(struct ptx_body *body, struct ptx_instruction *in,
                          const struct ptx_modifiers *modifiers) {
    bool is_load = in->kind == PTX_LOAD;
    in->space = (uint8_t)space_of(modifiers);
    in->vector = ptx_modifiers_have(modifiers, "v4")   ? 4
                 : ptx_modifiers_have(modifiers, "v2") ? 2
                                                       : 1;
    if (in->vector * ptx_type_bytes(in->type) > 16)
        ptx_fail(body->source, PTX_ESYNTAX, "a vector of more than 16 bytes");
    unsigned count = 0;
    if (is_load) {
        count = ptx_operand_vector(body, in->d, true);
        next_operand(body);
    }
    ptx_operand_address(body, in);
    if (!is_load) {
        next_operand(body);
        count = ptx_operand_vector(body, in->d, false);
    }
    if (count != in->vector)
        ptx_fail(body->source, PTX_ESYNTAX, "%u registers for a vector of %u", count, in->vector);
    for (unsigned i = 0; i < count && !ptx_failed(body->source); i++)
        check_width(body, in->d[i], type_bits(in->type), true);
    in->destination_mask = register_mask(body, in->d[0]);
}

static void decode_atom(struct ptx_body *body, struct ptx_instruction *in,
                        const struct ptx_form *form, const struct ptx_modifiers *modifiers) {
    in->space = (uint8_t)space_of(modifiers);
    in->vector = 1;
    if (form->opcode[0] == 'a') {
        in->d[0] = ptx_operand_register(body);
        check_width(body, in->d[0], type_bits(in->type), false);
        next_operand(body);
    }
    ptx_operand_address(body, in);
    for (unsigned i = 1; i <= form->sources; i++) {
        next_operand(body);
        in->s[i] = ptx_operand(body);
        check_width(body, in->s[i], type_bits(in->type), false);
    }
}

/* The member mask of every operation of a warp is its operand 3. */
static void decode_warp(struct ptx_body *body, struct ptx_instruction *in) {
    if (in->kind == PTX_WARP_BARRIER) {
        in->s[3] = ptx_operand(body);
        return;
    }
    in->d[0] = ptx_operand_register(body);
    need_result(body, in->d[0]);
    if (in->kind == PTX_VOTE) {
        check_width(body, in->d[0], in->mode == PTX_VOTE_BALLOT ? 32 : 1, false);
        next_operand(body);
        in->s[0] = ptx_operand(body);
        check_width(body, in->s[0], 1, false);
        next_operand(body);
        in->s[3] = ptx_operand(body);
        return;
    }
    check_width(body, in->d[0], 32, false);
    if (ptx_accept(body->source, '|')) {
        in->d[1] = ptx_operand_register(body);
        check_width(body, in->d[1], 1, false);
    }
    for (unsigned i = 0; i < 4; i++) {
        next_operand(body);
        in->s[i] = ptx_operand(body);
        check_width(body, in->s[i], 32, false);
    }
}

static void decode_branch(struct ptx_body *body, struct ptx_instruction *in) {
    struct ptx_label branch = {.name = ptx_word(body->source),
                               .target = (uint32_t)body->kernel->code_count,
                               .line = in->line};
    void *grown = ptx_grow(body->source, body->branches, body->branch_count, sizeof branch);
    if (grown == NULL)
        return;
    body->branches = grown;
    body->branches[body->branch_count++] = branch;
}

static void decode_operands(struct ptx_body *body, struct ptx_instruction *in,
                            const struct ptx_form *form, const struct ptx_modifiers *modifiers) {
    switch ((enum ptx_kind)form->kind) {
    case PTX_ALU:
        decode_alu(body, in, form, modifiers);
        break;
    case PTX_LOAD:
    case PTX_STORE:
        decode_memory(body, in, modifiers);
        break;
    case PTX_ATOM:
        decode_atom(body, in, form, modifiers);
        break;
    case PTX_SHUFFLE:
    case PTX_VOTE:
    case PTX_WARP_BARRIER:
        decode_warp(body, in);
        break;
    case PTX_BLOCK_BARRIER:
        if (ptx_integer(body->source) != 0 || ptx_peek(body->source) != ';')
            ptx_fail(body->source, PTX_ESYNTAX, "only barrier 0 of the whole block is supported");
        break;
    case PTX_ACTIVE_MASK:
        in->d[0] = ptx_operand_register(body);
        need_result(body, in->d[0]);
        check_width(body, in->d[0], 32, false);
        break;
    case PTX_BRANCH:
        decode_branch(body, in);
        break;
    case PTX_FENCE:
    case PTX_EXIT:
    case PTX_TRAP:
        break;
    }
}

void ptx_decode(struct ptx_body *body, struct ptx_name opcode, uint32_t guard,
                bool is_guard_negated) {
    struct ptx_modifiers modifiers;
    struct ptx_instruction in = {.guard = guard,
                                 .is_guard_negated = is_guard_negated,
                                 .line = body->source->line,
                                 .d = {PTX_NO_ROW, PTX_NO_ROW, PTX_NO_ROW, PTX_NO_ROW},
                                 .s = {PTX_NO_ROW, PTX_NO_ROW, PTX_NO_ROW, PTX_NO_ROW}};
    const struct ptx_form *form = ptx_form_find(body->source, opcode, &modifiers);
    if (form == NULL)
        return;
    in.kind = form->kind;
    in.mode = form->mode;
    in.type = (uint8_t)ptx_modifiers_type(&modifiers, 0);
    decode_operands(body, &in, form, &modifiers);
    ptx_expect(body->source, ';');
    struct ptx_kernel *kernel = body->kernel;
    if (kernel->code_count == PTX_CODE_MAX)
        ptx_fail(body->source, PTX_ESYNTAX, "more than %d instructions", PTX_CODE_MAX);
    if (ptx_failed(body->source))
        return;
    void *grown = ptx_grow(body->source, kernel->code, kernel->code_count, sizeof in);
    if (grown == NULL)
        return;
    kernel->code = grown;
    kernel->code[kernel->code_count++] = in;
}
