/* SPDX-License-Identifier: Apache-2.0 */
/* cvt between integers: the low bits of the source as its type, cut to the other type, and extended
 * by that type's sign to the register, which may be wider. */
#include "emulated_gpu/ptx_ops.h"

#define CVT(to, from)                                                                              \
    static const char *cvt_##to##_##from(const struct ptx_instruction *in, u64 *rows,              \
                                         uint32_t mask) {                                          \
        const u64 *A = ROW(in->s[0]);                                                              \
        u64 *D = ROW(in->d[0]);                                                                    \
        const u64 kept = in->destination_mask;                                                     \
        EACH_LANE(D[l] = (u64)(s64)(to)(from)A[l] & kept;);                                        \
        return NULL;                                                                               \
    }
#define CVT_TO(to)                                                                                 \
    CVT(to, u8)                                                                                    \
    CVT(to, s8)                                                                                    \
    CVT(to, u16) CVT(to, s16) CVT(to, u32) CVT(to, s32) CVT(to, u64) CVT(to, s64)
CVT_TO(u8)
CVT_TO(s8)
CVT_TO(u16)
CVT_TO(s16)
CVT_TO(u32)
CVT_TO(s32)
CVT_TO(u64)
CVT_TO(s64)

#define TABLE_TO(to)                                                                               \
    {                                                                                              \
        [PTX_U8] = cvt_##to##_u8, [PTX_S8] = cvt_##to##_s8, [PTX_U16] = cvt_##to##_u16,            \
        [PTX_S16] = cvt_##to##_s16, [PTX_U32] = cvt_##to##_u32, [PTX_S32] = cvt_##to##_s32,        \
        [PTX_U64] = cvt_##to##_u64, [PTX_S64] = cvt_##to##_s64                                     \
    }

static const ptx_alu functions[PTX_TYPES][PTX_TYPES] = {
    [PTX_U8] = TABLE_TO(u8),   [PTX_S8] = TABLE_TO(s8),   [PTX_U16] = TABLE_TO(u16),
    [PTX_S16] = TABLE_TO(s16), [PTX_U32] = TABLE_TO(u32), [PTX_S32] = TABLE_TO(s32),
    [PTX_U64] = TABLE_TO(u64), [PTX_S64] = TABLE_TO(s64),
};

ptx_alu ptx_alu_of_cvt(enum ptx_type to, enum ptx_type from) {
    return functions[to][from];
}
