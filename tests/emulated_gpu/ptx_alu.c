/* SPDX-License-Identifier: Apache-2.0 */
/* What a lane computes: integer arithmetic, comparison, bits. The definitions are those of "PTX
 * ISA", chapter "Instructions"; edge values have tests of their own (test_ptx_ops.c). */
#include "emulated_gpu/ptx_ops.h"

#include <stddef.h>

/* ---- arithmetic: over 64 bits and cut, because the low bits do not know signs ---- */

#define ADD(name, type) BINARY(name, type, wa + wb)
#define SUB(name, type) BINARY(name, type, wa - wb)
#define MUL_LO(name, type) BINARY(name, type, wa *wb)
#define MAD_LO(name, type) TERNARY(name, type, wa *wb + wc)
#define NEG(name, type) UNARY(name, type, 0 - wa)
EACH_UNSIGNED(ADD, add)
EACH_UNSIGNED(SUB, sub)
EACH_UNSIGNED(MUL_LO, mul_lo)
EACH_UNSIGNED(MAD_LO, mad_lo)
EACH_UNSIGNED(NEG, neg)

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

#define HIGH_u16(a, b) (((u32)(a) * (u32)(b)) >> 16)
#define HIGH_s16(a, b) (((s32)(a) * (s32)(b)) >> 16)
#define HIGH_u32(a, b) (((u64)(a) * (u64)(b)) >> 32)
#define HIGH_s32(a, b) (((s64)(a) * (s64)(b)) >> 32)
#define HIGH_u64(a, b) (((u128)(a) * (u128)(b)) >> 64)
#define HIGH_s64(a, b) (((s128)(a) * (s128)(b)) >> 64)
#define MUL_HI(name, type) BINARY(name, type, HIGH_##type(a, b))
#define MAD_HI(name, type) TERNARY(name, type, (u64)HIGH_##type(a, b) + wc)
EACH_TYPE(MUL_HI, mul_hi)
EACH_TYPE(MAD_HI, mad_hi)

BINARY_TO(mul_wide, u16, u32, (u32)a *(u32)b)
BINARY_TO(mul_wide, s16, u32, (s32)a *(s32)b)
BINARY_TO(mul_wide, u32, u64, (u64)a *(u64)b)
BINARY_TO(mul_wide, s32, u64, (s64)a *(s64)b)
TERNARY_TO(mad_wide, u16, u32, (u32)a *(u32)b + (u32)wc)
TERNARY_TO(mad_wide, s16, u32, (u32)((s32)a *(s32)b) + (u32)wc)
TERNARY_TO(mad_wide, u32, u64, (u64)a *(u64)b + wc)
TERNARY_TO(mad_wide, s32, u64, (u64)((s64)a *(s64)b) + wc)

/* PTX leaves a division by zero open, so that correct code never does it. The least number by -1
 * wraps. */
#define DIVISION(name, type, wrapped, expression)                                                  \
    FUNCTION(name, type) {                                                                         \
        const u64 *A = ROW(in->s[0]), *B = ROW(in->s[1]);                                          \
        u64 *D = ROW(in->d[0]);                                                                    \
        bool is_open = false;                                                                      \
        EACH_LANE(const type a = (type)A[l]; const type b = (type)B[l]; if (b == 0) {              \
            is_open = true;                                                                        \
            continue;                                                                              \
        } D[l] = (type)-1 < (type)1 && b == (type)-1 ? (REGISTER_##type)(wrapped)                  \
                                                     : (REGISTER_##type)(expression););            \
        return is_open ? "a division by zero, whose result PTX leaves open" : NULL;                \
    }
#define DIV(name, type) DIVISION(name, type, 0 - A[l], a / b)
#define REM(name, type) DIVISION(name, type, 0, a % b)
EACH_TYPE(DIV, div)
EACH_TYPE(REM, rem)

#define MIN(name, type) BINARY(name, type, a < b ? a : b)
#define MAX(name, type) BINARY(name, type, a > b ? a : b)
EACH_TYPE(MIN, min)
EACH_TYPE(MAX, max)
UNARY(abs, s16, a < 0 ? 0 - wa : wa)
UNARY(abs, s32, a < 0 ? 0 - wa : wa)
UNARY(abs, s64, a < 0 ? 0 - wa : wa)

/* ---- comparison and choice ---- */

#define SETP_EQ(name, type) BINARY_TO(name, type, bool, a == b)
#define SETP_NE(name, type) BINARY_TO(name, type, bool, a != b)
#define SETP_LT(name, type) BINARY_TO(name, type, bool, a < b)
#define SETP_LE(name, type) BINARY_TO(name, type, bool, a <= b)
#define SETP_GT(name, type) BINARY_TO(name, type, bool, a > b)
#define SETP_GE(name, type) BINARY_TO(name, type, bool, a >= b)
#define SELP(name, type) TERNARY(name, type, (wc & 1) != 0 ? a : b)
EACH_UNSIGNED(SETP_EQ, setp_eq)
EACH_UNSIGNED(SETP_NE, setp_ne)
EACH_TYPE(SETP_LT, setp_lt)
EACH_TYPE(SETP_LE, setp_le)
EACH_TYPE(SETP_GT, setp_gt)
EACH_TYPE(SETP_GE, setp_ge)
EACH_UNSIGNED(SELP, selp)

/* ---- bits ---- */

typedef bool pred;
#define REGISTER_pred bool
#define AND(name, type) BINARY(name, type, a &b)
#define OR(name, type) BINARY(name, type, a | b)
#define XOR(name, type) BINARY(name, type, a ^ b)
#define NOT(name, type) UNARY(name, type, ~wa)
#define MOV(name, type) UNARY(name, type, a)
EACH_UNSIGNED(AND, and)
EACH_UNSIGNED(OR, or)
EACH_UNSIGNED(XOR, xor)
EACH_UNSIGNED(NOT, invert)
EACH_UNSIGNED(MOV, mov)
AND(and, pred)
OR(or, pred)
XOR(xor, pred)
MOV(mov, pred)
UNARY(invert, pred, !a)

/* Amounts are 32 bits without sign and clamp at the width: they do not wrap. */
#define SHL(name, type) BINARY(name, type, (u32)wb >= BITS(type) ? 0 : (u64)a << ((u32)wb & 63u))
#define SHR_UNSIGNED(type) (type)((u32)wb >= BITS(type) ? 0 : (u64)a >> ((u32)wb & 63u))
#define SHR_SIGNED(type) (type)((s64)a >> ((u32)wb >= BITS(type) ? BITS(type) - 1u : (u32)wb))
EACH_UNSIGNED(SHL, shl)
BINARY(shr, u16, SHR_UNSIGNED(u16))
BINARY(shr, u32, SHR_UNSIGNED(u32))
BINARY(shr, u64, SHR_UNSIGNED(u64))
BINARY(shr, s16, SHR_SIGNED(s16))
BINARY(shr, s32, SHR_SIGNED(s32))
BINARY(shr, s64, SHR_SIGNED(s64))

/* The high (left) or low (right) word of b:a shifted. */
#define FUNNEL_LEFT(amount) ((((u64)b << 32 | a) << (amount)) >> 32)
#define FUNNEL_RIGHT(amount) (((u64)b << 32 | a) >> (amount))
#define CLAMPED ((u32)wc > 32u ? 32u : (u32)wc)
TERNARY(shf_l_wrap, u32, FUNNEL_LEFT((u32)wc & 31u))
TERNARY(shf_l_clamp, u32, CLAMPED == 32u ? a : FUNNEL_LEFT(CLAMPED))
TERNARY(shf_r_wrap, u32, FUNNEL_RIGHT((u32)wc & 31u))
TERNARY(shf_r_clamp, u32, FUNNEL_RIGHT(CLAMPED))

static u64 bits_reversed(u64 value, unsigned bits) {
    u64 out = 0;
    for (unsigned i = 0; i < bits; i++)
        out |= (value >> i & 1u) << (bits - 1u - i);
    return out;
}
UNARY(clz, u32, a == 0 ? 32u : (u32)__builtin_clz(a))
UNARY(clz, u64, a == 0 ? 64u : (u64)__builtin_clzll(a))
UNARY(popc, u32, (u32)__builtin_popcount(a))
UNARY(popc, u64, (u64)__builtin_popcountll(a))
UNARY(brev, u32, bits_reversed(a, 32))
UNARY(brev, u64, bits_reversed(a, 64))

/* `length` bits of `value` from `position` on; past its end comes the sign (0 without one). */
static u64 bits_extracted(u64 value, u32 position, u32 length, unsigned bits, bool is_signed) {
    position &= 255u;
    length &= 255u;
    u32 there = position < bits ? bits - position : 0, kept = length < there ? length : there;
    u64 ones = kept >= 64u ? UINT64_MAX : (UINT64_C(1) << kept) - 1u;
    u64 field = kept == 0 ? 0 : value >> position & ones;
    u32 last = position + length < bits ? position + length - 1u : bits - 1u;
    bool is_negative = is_signed && length != 0 && (value >> last & 1u) != 0;
    return is_negative ? field | ~ones : field;
}
#define BFE(name, type)                                                                            \
    TERNARY(name, type, bits_extracted(wa, (u32)wb, (u32)wc, BITS(type), (type)-1 < (type)1))
BFE(bfe, u32)
BFE(bfe, s32)
BFE(bfe, u64)
BFE(bfe, s64)

/* The low `length` bits of `field` put into `value` at `position`. */
static u64 bits_inserted(u64 field, u64 value, u32 position, u32 length, unsigned bits) {
    position &= 255u;
    length &= 255u;
    if (position >= bits)
        return value;
    u64 ones = length >= 64u ? UINT64_MAX : (UINT64_C(1) << length) - 1u;
    return (value & ~(ones << position)) | (field & ones) << position;
}
#define BFI(name, type)                                                                            \
    TERNARY(name, type, bits_inserted(wa, wb, (u32)wc, (u32)ROW(in->s[3])[l], BITS(type)))
BFI(bfi, u32)
BFI(bfi, u64)

/* Four bytes chosen out of the eight of b:a; bit 3 of a choice spreads the byte's sign. */
static u32 bytes_permuted(u64 bytes, u32 choices) {
    u32 out = 0;
    for (unsigned i = 0; i < 4; i++) {
        u32 choice = choices >> (4u * i) & 15u;
        u32 byte = (u32)(bytes >> (8u * (choice & 7u))) & 255u;
        if ((choice & 8u) != 0)
            byte = (byte & 128u) != 0 ? 255u : 0u;
        out |= byte << (8u * i);
    }
    return out;
}
TERNARY(prmt, u32, bytes_permuted((u64)b << 32 | a, (u32)wc))

/* Bit i of the table is the result for bits (a, b, c) = i; the table is the fourth operand. */
static u32 table_looked_up(u32 a, u32 b, u32 c, u32 table) {
    u32 out = 0;
    for (unsigned i = 0; i < 8; i++)
        if ((table >> i & 1u) != 0)
            out |= ((i & 4u) != 0 ? a : ~a) & ((i & 2u) != 0 ? b : ~b) & ((i & 1u) != 0 ? c : ~c);
    return out;
}
TERNARY(lop3, u32, table_looked_up(a, b, (u32)wc, (u32)ROW(in->s[3])[l]))

/* ---- several registers in one ---- */

BINARY(pack2, u32, (u32)(u16)wa | (u32)(u16)wb << 16)
BINARY(pack2, u64, (u64)(u32)wa | wb << 32)
FUNCTION(pack4, u64) {
    u64 *D = ROW(in->d[0]);
    const u64 *S[4] = {ROW(in->s[0]), ROW(in->s[1]), ROW(in->s[2]), ROW(in->s[3])};
    EACH_LANE(D[l] = (u64)(u16)S[0][l] | (u64)(u16)S[1][l] << 16 | (u64)(u16)S[2][l] << 32 |
                     (u64)(u16)S[3][l] << 48;);
    return NULL;
}

/* A part whose register is "_" is dropped. The source may be one of the destinations. */
#define UNPACK(name, type, parts, part_type)                                                       \
    FUNCTION(name, type) {                                                                         \
        u64 whole[PTX_LANES];                                                                      \
        const u64 *A = ROW(in->s[0]);                                                              \
        EACH_LANE(whole[l] = A[l];);                                                               \
        for (unsigned part = 0; part < (parts); part++) {                                          \
            if (in->d[part] == PTX_NO_ROW)                                                         \
                continue;                                                                          \
            u64 *D = ROW(in->d[part]);                                                             \
            EACH_LANE(D[l] = (part_type)(whole[l] >> (part * BITS(part_type))););                  \
        }                                                                                          \
        return NULL;                                                                               \
    }
UNPACK(unpack2, u32, 2u, u16)
UNPACK(unpack2, u64, 2u, u32)
UNPACK(unpack4, u64, 4u, u16)

static const ptx_alu functions[PTX_OPS][PTX_TYPES] = {
    TABLE_BOTH(PTX_ADD, add),
    TABLE_BOTH(PTX_SUB, sub),
    TABLE_BOTH(PTX_MUL_LO, mul_lo),
    TABLE_TYPES(PTX_MUL_HI, mul_hi),
    [PTX_MUL_WIDE] = {[PTX_U16] = mul_wide_u16,
                      [PTX_S16] = mul_wide_s16,
                      [PTX_U32] = mul_wide_u32,
                      [PTX_S32] = mul_wide_s32},
    TABLE_BOTH(PTX_MAD_LO, mad_lo),
    TABLE_TYPES(PTX_MAD_HI, mad_hi),
    [PTX_MAD_WIDE] = {[PTX_U16] = mad_wide_u16,
                      [PTX_S16] = mad_wide_s16,
                      [PTX_U32] = mad_wide_u32,
                      [PTX_S32] = mad_wide_s32},
    TABLE_TYPES(PTX_DIV, div),
    TABLE_TYPES(PTX_REM, rem),
    [PTX_AND] =
        {[PTX_U16] = and_u16, [PTX_U32] = and_u32, [PTX_U64] = and_u64, [PTX_PRED] = and_pred},
    [PTX_OR] = {[PTX_U16] = or_u16, [PTX_U32] = or_u32, [PTX_U64] = or_u64, [PTX_PRED] = or_pred},
    [PTX_XOR] =
        {[PTX_U16] = xor_u16, [PTX_U32] = xor_u32, [PTX_U64] = xor_u64, [PTX_PRED] = xor_pred},
    [PTX_NOT] = {[PTX_U16] = invert_u16,
                 [PTX_U32] = invert_u32,
                 [PTX_U64] = invert_u64,
                 [PTX_PRED] = invert_pred},
    [PTX_NEG] = {[PTX_S16] = neg_u16, [PTX_S32] = neg_u32, [PTX_S64] = neg_u64},
    [PTX_ABS] = {[PTX_S16] = abs_s16, [PTX_S32] = abs_s32, [PTX_S64] = abs_s64},
    TABLE_TYPES(PTX_MIN, min),
    TABLE_TYPES(PTX_MAX, max),
    TABLE_UNSIGNED(PTX_SHL, shl),
    TABLE_TYPES(PTX_SHR, shr),
    TABLE_BOTH(PTX_SELP, selp),
    TABLE_BOTH(PTX_SETP_EQ, setp_eq),
    TABLE_BOTH(PTX_SETP_NE, setp_ne),
    TABLE_TYPES(PTX_SETP_LT, setp_lt),
    TABLE_TYPES(PTX_SETP_LE, setp_le),
    TABLE_TYPES(PTX_SETP_GT, setp_gt),
    TABLE_TYPES(PTX_SETP_GE, setp_ge),
    [PTX_CLZ] = {[PTX_U32] = clz_u32, [PTX_U64] = clz_u64},
    [PTX_POPC] = {[PTX_U32] = popc_u32, [PTX_U64] = popc_u64},
    [PTX_BREV] = {[PTX_U32] = brev_u32, [PTX_U64] = brev_u64},
    [PTX_BFE] =
        {[PTX_U32] = bfe_u32, [PTX_S32] = bfe_s32, [PTX_U64] = bfe_u64, [PTX_S64] = bfe_s64},
    [PTX_BFI] = {[PTX_U32] = bfi_u32, [PTX_U64] = bfi_u64},
    [PTX_PRMT] = {[PTX_U32] = prmt_u32},
    [PTX_SHF_L_WRAP] = {[PTX_U32] = shf_l_wrap_u32},
    [PTX_SHF_L_CLAMP] = {[PTX_U32] = shf_l_clamp_u32},
    [PTX_SHF_R_WRAP] = {[PTX_U32] = shf_r_wrap_u32},
    [PTX_SHF_R_CLAMP] = {[PTX_U32] = shf_r_clamp_u32},
    [PTX_LOP3] = {[PTX_U32] = lop3_u32},
    [PTX_MOV] = {[PTX_U16] = mov_u16,
                 [PTX_S16] = mov_u16,
                 [PTX_U32] = mov_u32,
                 [PTX_S32] = mov_u32,
                 [PTX_U64] = mov_u64,
                 [PTX_S64] = mov_u64,
                 [PTX_PRED] = mov_pred},
    [PTX_PACK2] = {[PTX_U32] = pack2_u32, [PTX_U64] = pack2_u64},
    [PTX_PACK4] = {[PTX_U64] = pack4_u64},
    [PTX_UNPACK2] = {[PTX_U32] = unpack2_u32, [PTX_U64] = unpack2_u64},
    [PTX_UNPACK4] = {[PTX_U64] = unpack4_u64},
};

ptx_alu ptx_alu_of(enum ptx_op op, enum ptx_type type) {
    return functions[op][type];
}
