/* SPDX-License-Identifier: Apache-2.0 */
/* ptx_inside.h - what the files ptx_*.c share: a kernel as it is after loading.
 *
 * Every operand is a *row*: 32 values of 64 bits, one for each lane of a warp. Registers,
 * immediates, special registers and addresses of variables all have one, so that an instruction is
 * one loop over lanes without asking what its operands are. Values are kept zero-extended to 64
 * bits; an immediate is sign-extended as it was written, so that every operation casts to its type.
 */
#ifndef PA_TESTS_PTX_INSIDE_H
#define PA_TESTS_PTX_INSIDE_H

#include "emulated_gpu/ptx.h"

#include <stdarg.h>

enum { PTX_LANES = 32 };
#define PTX_NO_ROW UINT32_MAX

/* Bits without sign are the unsigned type of their size; f32 and f64 are only moved. */
enum ptx_type {
    PTX_NO_TYPE,
    PTX_U8,
    PTX_S8,
    PTX_U16,
    PTX_S16,
    PTX_U32,
    PTX_S32,
    PTX_U64,
    PTX_S64,
    PTX_PRED,
    PTX_TYPES
};

enum ptx_space { PTX_GLOBAL, PTX_SHARED, PTX_PARAM, PTX_CONST, PTX_LOCAL };

enum ptx_kind {
    PTX_ALU,
    PTX_LOAD,
    PTX_STORE,
    PTX_ATOM,
    PTX_SHUFFLE,
    PTX_VOTE,
    PTX_WARP_BARRIER,
    PTX_BLOCK_BARRIER,
    PTX_ACTIVE_MASK,
    PTX_FENCE,
    PTX_BRANCH,
    PTX_EXIT,
    PTX_TRAP
};

/* What a lane computes from its own rows. */
enum ptx_op {
    PTX_ADD,
    PTX_SUB,
    PTX_MUL_LO,
    PTX_MUL_HI,
    PTX_MUL_WIDE,
    PTX_MAD_LO,
    PTX_MAD_HI,
    PTX_MAD_WIDE,
    PTX_DIV,
    PTX_REM,
    PTX_AND,
    PTX_OR,
    PTX_XOR,
    PTX_NOT,
    PTX_NEG,
    PTX_ABS,
    PTX_MIN,
    PTX_MAX,
    PTX_SHL,
    PTX_SHR,
    PTX_SELP,
    PTX_SETP_EQ,
    PTX_SETP_NE,
    PTX_SETP_LT,
    PTX_SETP_LE,
    PTX_SETP_GT,
    PTX_SETP_GE,
    PTX_CLZ,
    PTX_POPC,
    PTX_BREV,
    PTX_BFE,
    PTX_BFI,
    PTX_PRMT,
    PTX_SHF_L_WRAP,
    PTX_SHF_L_CLAMP,
    PTX_SHF_R_WRAP,
    PTX_SHF_R_CLAMP,
    PTX_LOP3,
    PTX_MOV,
    PTX_CVT,
    PTX_PACK2,
    PTX_PACK4,
    PTX_UNPACK2,
    PTX_UNPACK4,
    PTX_OPS
};

enum ptx_shuffle { PTX_SHUFFLE_UP, PTX_SHUFFLE_DOWN, PTX_SHUFFLE_BFLY, PTX_SHUFFLE_IDX };
enum ptx_vote { PTX_VOTE_BALLOT, PTX_VOTE_ANY, PTX_VOTE_ALL, PTX_VOTE_UNI };
enum ptx_atom {
    PTX_ATOM_ADD,
    PTX_ATOM_MIN,
    PTX_ATOM_MAX,
    PTX_ATOM_AND,
    PTX_ATOM_OR,
    PTX_ATOM_XOR,
    PTX_ATOM_EXCH,
    PTX_ATOM_CAS
};

struct ptx_instruction;

/* Compute all lanes of `mask`. NULL, or why the result is open. */
typedef const char *(*ptx_alu)(const struct ptx_instruction *in, uint64_t *rows, uint32_t mask);

struct ptx_instruction {
    ptx_alu alu; /* PTX_ALU */
    uint8_t kind, type, space, vector, mode;
    bool is_guard_negated;
    uint64_t destination_mask; /* the bits of the register that is written */
    uint32_t guard;            /* row of the predicate, or PTX_NO_ROW */
    uint32_t d[4], s[4];       /* rows; a store has its values in d */
    int64_t offset;            /* of an address */
    uint32_t target;           /* of a branch */
    uint32_t line;
};

/* The function for an operation, NULL where the type does not go with it (ptx_alu.c). */
ptx_alu ptx_alu_of(enum ptx_op op, enum ptx_type type);
ptx_alu ptx_alu_of_cvt(enum ptx_type to, enum ptx_type from);

enum ptx_row_kind {
    PTX_ROW_REGISTER,
    PTX_ROW_IMMEDIATE,
    PTX_ROW_GLOBALS, /* value + where the module's variables are */
    PTX_ROW_DYNAMIC_SHARED,
    PTX_ROW_TID_X,
    PTX_ROW_TID_Y,
    PTX_ROW_TID_Z,
    PTX_ROW_NTID_X,
    PTX_ROW_NTID_Y,
    PTX_ROW_NTID_Z,
    PTX_ROW_CTAID_X,
    PTX_ROW_CTAID_Y,
    PTX_ROW_CTAID_Z,
    PTX_ROW_NCTAID_X,
    PTX_ROW_NCTAID_Y,
    PTX_ROW_NCTAID_Z,
    PTX_ROW_LANE,
    PTX_ROW_WARP,
    PTX_ROW_LANEMASK_LT
};

struct ptx_row {
    uint8_t kind, type;
    uint64_t value;
};

/* A piece of the module's text. */
struct ptx_name {
    const char *at;
    size_t length;
};

struct ptx_symbol {
    struct ptx_name name;
    uint8_t space;
    uint64_t offset, bytes; /* 0 bytes: dynamic shared memory */
};

struct ptx_parameter {
    size_t offset, bytes;
};

struct ptx_kernel {
    struct ptx_module *module;
    char *name;
    struct ptx_instruction *code;
    struct ptx_row *rows;
    struct ptx_parameter *parameters;
    size_t code_count, row_count, parameter_count;
    size_t parameters_bytes;
    uint32_t shared_bytes, local_bytes, threads_max;
};

struct ptx_module {
    char *text;
    struct ptx_kernel **kernels;
    struct ptx_symbol *symbols;
    size_t kernel_count, symbol_count;
    uint8_t *globals, *constants;
    size_t globals_bytes, constants_bytes;
    uint32_t shared_bytes;
};

static inline unsigned ptx_type_bytes(enum ptx_type type) {
    static const uint8_t bytes[PTX_TYPES] = {0, 1, 1, 2, 2, 4, 4, 8, 8, 1};
    return bytes[type];
}

static inline bool ptx_type_is_signed(enum ptx_type type) {
    return type == PTX_S8 || type == PTX_S16 || type == PTX_S32 || type == PTX_S64;
}

#endif
