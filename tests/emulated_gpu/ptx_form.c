/* SPDX-License-Identifier: Apache-2.0 */
/* A spelling that is not in this table is refused when the text is loaded: an interpreter that
 * skips a modifier which it does not know computes something else than the device. */
#include "emulated_gpu/ptx_form.h"

#include <string.h>

#define BITS "b16|b32|b64"
#define INTEGERS "u16|s16|u32|s32|u64|s64"
#define NARROW "u16|s16|u32|s32"
#define BYTES_TOO "u8|s8|u16|s16|u32|s32|u64|s64"
#define MOVED BITS "|" INTEGERS "|f32|f64"
#define IN_MEMORY "b8|" BYTES_TOO "|" BITS "|f32|f64"
#define SCOPE "?cta|gpu|sys"
#define CACHE                                                                                      \
    "?L1::evict_normal|L1::evict_unchanged|L1::evict_first|L1::evict_last|L1::no_allocate "        \
    "?L2::64B|L2::128B|L2::256B "
#define ATOMIC "?relaxed|acquire|release|acq_rel " SCOPE " global|shared|shared::cta "

static const struct ptx_form forms[] = {
    {"add", INTEGERS, PTX_ALU, PTX_ADD, 2},
    {"sub", INTEGERS, PTX_ALU, PTX_SUB, 2},
    {"mul", "lo " INTEGERS, PTX_ALU, PTX_MUL_LO, 2},
    {"mul", "hi " INTEGERS, PTX_ALU, PTX_MUL_HI, 2},
    {"mul", "wide " NARROW, PTX_ALU, PTX_MUL_WIDE, 2},
    {"mad", "lo " INTEGERS, PTX_ALU, PTX_MAD_LO, 3},
    {"mad", "hi " INTEGERS, PTX_ALU, PTX_MAD_HI, 3},
    {"mad", "wide " NARROW, PTX_ALU, PTX_MAD_WIDE, 3},
    {"div", INTEGERS, PTX_ALU, PTX_DIV, 2},
    {"rem", INTEGERS, PTX_ALU, PTX_REM, 2},
    {"and", "pred|" BITS, PTX_ALU, PTX_AND, 2},
    {"or", "pred|" BITS, PTX_ALU, PTX_OR, 2},
    {"xor", "pred|" BITS, PTX_ALU, PTX_XOR, 2},
    {"not", "pred|" BITS, PTX_ALU, PTX_NOT, 1},
    {"neg", "s16|s32|s64", PTX_ALU, PTX_NEG, 1},
    {"abs", "s16|s32|s64", PTX_ALU, PTX_ABS, 1},
    {"min", INTEGERS, PTX_ALU, PTX_MIN, 2},
    {"max", INTEGERS, PTX_ALU, PTX_MAX, 2},
    {"shl", BITS, PTX_ALU, PTX_SHL, 2},
    {"shr", BITS "|" INTEGERS, PTX_ALU, PTX_SHR, 2},
    {"selp", MOVED, PTX_ALU, PTX_SELP, 3},
    {"setp", "eq " BITS "|" INTEGERS, PTX_ALU, PTX_SETP_EQ, 2},
    {"setp", "ne " BITS "|" INTEGERS, PTX_ALU, PTX_SETP_NE, 2},
    {"setp", "lt " INTEGERS, PTX_ALU, PTX_SETP_LT, 2},
    {"setp", "le " INTEGERS, PTX_ALU, PTX_SETP_LE, 2},
    {"setp", "gt " INTEGERS, PTX_ALU, PTX_SETP_GT, 2},
    {"setp", "ge " INTEGERS, PTX_ALU, PTX_SETP_GE, 2},
    {"setp", "lo u16|u32|u64", PTX_ALU, PTX_SETP_LT, 2},
    {"setp", "ls u16|u32|u64", PTX_ALU, PTX_SETP_LE, 2},
    {"setp", "hi u16|u32|u64", PTX_ALU, PTX_SETP_GT, 2},
    {"setp", "hs u16|u32|u64", PTX_ALU, PTX_SETP_GE, 2},
    {"clz", "b32|b64", PTX_ALU, PTX_CLZ, 1},
    {"popc", "b32|b64", PTX_ALU, PTX_POPC, 1},
    {"brev", "b32|b64", PTX_ALU, PTX_BREV, 1},
    {"bfe", "u32|s32|u64|s64", PTX_ALU, PTX_BFE, 3},
    {"bfi", "b32|b64", PTX_ALU, PTX_BFI, 4},
    {"prmt", "b32", PTX_ALU, PTX_PRMT, 3},
    {"shf", "l wrap b32", PTX_ALU, PTX_SHF_L_WRAP, 3},
    {"shf", "l clamp b32", PTX_ALU, PTX_SHF_L_CLAMP, 3},
    {"shf", "r wrap b32", PTX_ALU, PTX_SHF_R_WRAP, 3},
    {"shf", "r clamp b32", PTX_ALU, PTX_SHF_R_CLAMP, 3},
    {"lop3", "b32", PTX_ALU, PTX_LOP3, 4},
    {"mov", "pred|" MOVED, PTX_ALU, PTX_MOV, 1},
    {"cvt", BYTES_TOO " " BYTES_TOO, PTX_ALU, PTX_CVT, 1},
    /* A generic address of global or local memory is the address itself here; nothing can be read
     * through a generic one. */
    {"cvta", "?to global|local u64", PTX_ALU, PTX_MOV, 1},
    {"ld",
     "?weak|volatile|relaxed|acquire " SCOPE " global|shared|shared::cta|param|const|local "
     "?ca|cg|cs|lu|cv ?nc " CACHE "?v2|v4 " IN_MEMORY,
     PTX_LOAD, 0, 0},
    {"st",
     "?weak|volatile|relaxed|release " SCOPE " global|shared|shared::cta|local ?wb|cg|cs|wt " CACHE
     "?v2|v4 " IN_MEMORY,
     PTX_STORE, 0, 0},
    {"atom", ATOMIC "add u32|s32|u64", PTX_ATOM, PTX_ATOM_ADD, 1},
    {"atom", ATOMIC "min u32|s32|u64|s64", PTX_ATOM, PTX_ATOM_MIN, 1},
    {"atom", ATOMIC "max u32|s32|u64|s64", PTX_ATOM, PTX_ATOM_MAX, 1},
    {"atom", ATOMIC "and b32|b64", PTX_ATOM, PTX_ATOM_AND, 1},
    {"atom", ATOMIC "or b32|b64", PTX_ATOM, PTX_ATOM_OR, 1},
    {"atom", ATOMIC "xor b32|b64", PTX_ATOM, PTX_ATOM_XOR, 1},
    {"atom", ATOMIC "exch b32|b64", PTX_ATOM, PTX_ATOM_EXCH, 1},
    {"atom", ATOMIC "cas b32|b64", PTX_ATOM, PTX_ATOM_CAS, 2},
    {"red", ATOMIC "add u32|s32|u64", PTX_ATOM, PTX_ATOM_ADD, 1},
    {"red", ATOMIC "min u32|s32|u64|s64", PTX_ATOM, PTX_ATOM_MIN, 1},
    {"red", ATOMIC "max u32|s32|u64|s64", PTX_ATOM, PTX_ATOM_MAX, 1},
    {"red", ATOMIC "and b32|b64", PTX_ATOM, PTX_ATOM_AND, 1},
    {"red", ATOMIC "or b32|b64", PTX_ATOM, PTX_ATOM_OR, 1},
    {"red", ATOMIC "xor b32|b64", PTX_ATOM, PTX_ATOM_XOR, 1},
    {"shfl", "sync up b32", PTX_SHUFFLE, PTX_SHUFFLE_UP, 0},
    {"shfl", "sync down b32", PTX_SHUFFLE, PTX_SHUFFLE_DOWN, 0},
    {"shfl", "sync bfly b32", PTX_SHUFFLE, PTX_SHUFFLE_BFLY, 0},
    {"shfl", "sync idx b32", PTX_SHUFFLE, PTX_SHUFFLE_IDX, 0},
    {"vote", "sync ballot b32", PTX_VOTE, PTX_VOTE_BALLOT, 0},
    {"vote", "sync any pred", PTX_VOTE, PTX_VOTE_ANY, 0},
    {"vote", "sync all pred", PTX_VOTE, PTX_VOTE_ALL, 0},
    {"vote", "sync uni pred", PTX_VOTE, PTX_VOTE_UNI, 0},
    {"bar", "warp sync", PTX_WARP_BARRIER, 0, 0},
    {"bar", "?cta sync", PTX_BLOCK_BARRIER, 0, 0},
    {"barrier", "?cta sync aligned", PTX_BLOCK_BARRIER, 0, 0},
    {"activemask", "b32", PTX_ACTIVE_MASK, 0, 0},
    {"membar", "cta|gl|sys", PTX_FENCE, 0, 0},
    {"fence", "sc|acq_rel cta|gpu|sys", PTX_FENCE, 0, 0},
    {"bra", "?uni", PTX_BRANCH, 0, 0},
    {"ret", "?uni", PTX_EXIT, 0, 0},
    {"exit", "", PTX_EXIT, 0, 0},
    {"trap", "", PTX_TRAP, 0, 0},
};

static bool is_among(struct ptx_name name, const char *alternatives, size_t length) {
    for (const char *at = alternatives, *end = alternatives + length; at < end;) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        size_t size = (size_t)((bar != NULL ? bar : end) - at);
        if (size == name.length && memcmp(at, name.at, size) == 0)
            return true;
        at += size + 1;
    }
    return false;
}

static bool is_spelt(const struct ptx_form *form, const struct ptx_modifiers *modifiers) {
    size_t used = 0;
    for (const char *slot = form->modifiers; *slot != '\0';) {
        size_t length = strcspn(slot, " ");
        bool is_optional = slot[0] == '?';
        if (used < modifiers->count &&
            is_among(modifiers->names[used], slot + is_optional, length - is_optional))
            used++;
        else if (!is_optional)
            return false;
        slot += length + (slot[length] == ' ');
    }
    return used == modifiers->count;
}

const struct ptx_form *ptx_form_find(struct ptx_source *source, struct ptx_name word,
                                     struct ptx_modifiers *modifiers) {
    struct ptx_name opcode = {word.at, 0};
    while (opcode.length < word.length && word.at[opcode.length] != '.')
        opcode.length++;
    modifiers->count = 0;
    for (size_t at = opcode.length; at < word.length;) {
        const char *start = word.at + at + 1;
        const char *dot = memchr(start, '.', word.length - at - 1);
        size_t length = dot != NULL ? (size_t)(dot - start) : word.length - at - 1;
        if (modifiers->count == PTX_MODIFIERS_MAX) {
            ptx_fail(source, PTX_ESYNTAX, "too many modifiers in %.*s", (int)word.length, word.at);
            return NULL;
        }
        modifiers->names[modifiers->count++] = (struct ptx_name){start, length};
        at += length + 1;
    }
    bool is_known = false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (!ptx_name_is(opcode, forms[i].opcode))
            continue;
        is_known = true;
        if (is_spelt(&forms[i], modifiers))
            return &forms[i];
    }
    ptx_fail(source, PTX_ESYNTAX, "unsupported %s: %.*s", is_known ? "modifiers" : "opcode",
             (int)word.length, word.at);
    return NULL;
}

bool ptx_modifiers_have(const struct ptx_modifiers *modifiers, const char *name) {
    for (size_t i = 0; i < modifiers->count; i++)
        if (ptx_name_is(modifiers->names[i], name))
            return true;
    return false;
}

enum ptx_type ptx_modifiers_type(const struct ptx_modifiers *modifiers, unsigned number) {
    for (size_t i = 0; i < modifiers->count; i++) {
        enum ptx_type type = ptx_type_named(modifiers->names[i]);
        if (type != PTX_NO_TYPE && number-- == 0)
            return type;
    }
    return PTX_NO_TYPE;
}
