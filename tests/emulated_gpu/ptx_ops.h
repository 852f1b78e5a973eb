/* SPDX-License-Identifier: Apache-2.0 */
/* ptx_ops.h - the shape of an operation: one expression, a function for each type.
 *
 *     BINARY(add, u32, a + b)
 *
 * defines add_u32, which computes D = a + b in every lane of the mask, with a and b cast to their
 * type first and the result zero-extended to the 64 bits of a row. Arithmetic that may overflow is
 * written over `uint64_t` (wide a and b), where it is defined, and cut to size.
 */
#ifndef PA_TESTS_PTX_OPS_H
#define PA_TESTS_PTX_OPS_H

#include "emulated_gpu/ptx_inside.h"

typedef uint8_t u8;
typedef int8_t s8;
typedef uint16_t u16;
typedef int16_t s16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;

/* The type of a register that holds it. */
#define REGISTER_u8 u8
#define REGISTER_s8 u8
#define REGISTER_u16 u16
#define REGISTER_s16 u16
#define REGISTER_u32 u32
#define REGISTER_s32 u32
#define REGISTER_u64 u64
#define REGISTER_s64 u64

#define BITS(type) ((unsigned)sizeof(type) * 8u)

#define ROW(number) (rows + (size_t)(number)*PTX_LANES)

/* The loop over all lanes, which the compiler turns into vector code, or over some. */
#define EACH_LANE(...)                                                                             \
    do {                                                                                           \
        if (mask == UINT32_MAX) {                                                                  \
            for (unsigned l = 0; l < PTX_LANES; l++) {                                             \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        } else {                                                                                   \
            for (unsigned l = 0; l < PTX_LANES; l++) {                                             \
                if ((mask >> l & 1u) != 0) {                                                       \
                    __VA_ARGS__                                                                    \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    } while (0)

#define FUNCTION(name, type)                                                                       \
    static const char *name##_##type(const struct ptx_instruction *in, u64 *rows, uint32_t mask)

/* wa, wb, wc are the rows as they are; a, b, c are cast to the type. */
#define UNARY(name, type, expression)                                                              \
    FUNCTION(name, type) {                                                                         \
        const u64 *A = ROW(in->s[0]);                                                              \
        u64 *D = ROW(in->d[0]);                                                                    \
        EACH_LANE(const u64 wa = A[l]; const type a = (type)wa; (void)a; (void)wa;                 \
                  D[l] = (REGISTER_##type)(expression););                                          \
        return NULL;                                                                               \
    }
#define BINARY_TO(name, type, result, expression)                                                  \
    FUNCTION(name, type) {                                                                         \
        const u64 *A = ROW(in->s[0]), *B = ROW(in->s[1]);                                          \
        u64 *D = ROW(in->d[0]);                                                                    \
        EACH_LANE(const u64 wa = A[l], wb = B[l]; const type a = (type)wa, b = (type)wb; (void)a;  \
                  (void)b; (void)wa; (void)wb; D[l] = (result)(expression););                      \
        return NULL;                                                                               \
    }
#define BINARY(name, type, expression) BINARY_TO(name, type, REGISTER_##type, expression)
#define TERNARY_TO(name, type, result, expression)                                                 \
    FUNCTION(name, type) {                                                                         \
        const u64 *A = ROW(in->s[0]), *B = ROW(in->s[1]), *C = ROW(in->s[2]);                      \
        u64 *D = ROW(in->d[0]);                                                                    \
        EACH_LANE(const u64 wa = A[l], wb = B[l], wc = C[l]; const type a = (type)wa;              \
                  const type b = (type)wb; (void)a; (void)b; (void)wa; (void)wb; (void)wc;         \
                  D[l] = (result)(expression););                                                   \
        return NULL;                                                                               \
    }
#define TERNARY(name, type, expression) TERNARY_TO(name, type, REGISTER_##type, expression)

/* M(name, type) for each type. */
#define EACH_TYPE(M, name)                                                                         \
    M(name, u16) M(name, s16) M(name, u32) M(name, s32) M(name, u64) M(name, s64)
#define EACH_UNSIGNED(M, name) M(name, u16) M(name, u32) M(name, u64)

/* Entries of a table [op][type]. */
#define TABLE_UNSIGNED(op, name)                                                                   \
    [op] = {[PTX_U16] = name##_u16, [PTX_U32] = name##_u32, [PTX_U64] = name##_u64}
#define TABLE_TYPES(op, name)                                                                      \
    [op] = {[PTX_U16] = name##_u16, [PTX_S16] = name##_s16, [PTX_U32] = name##_u32,                \
            [PTX_S32] = name##_s32, [PTX_U64] = name##_u64, [PTX_S64] = name##_s64}
/* The sign does not matter. */
#define TABLE_BOTH(op, name)                                                                       \
    [op] = {[PTX_U16] = name##_u16, [PTX_S16] = name##_u16, [PTX_U32] = name##_u32,                \
            [PTX_S32] = name##_u32, [PTX_U64] = name##_u64, [PTX_S64] = name##_u64}

#endif
