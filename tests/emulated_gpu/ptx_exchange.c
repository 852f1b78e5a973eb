/* SPDX-License-Identifier: Apache-2.0 */
/* What the lanes of a warp do together: shuffles, votes, barriers of the warp. */
#include "emulated_gpu/ptx_block.h"
#include "emulated_gpu/ptx_ops.h"

#include <string.h>

/* The lane that `lane` reads, and whether it lies in its segment ("PTX ISA", shfl.sync). */
static bool shuffle_source(enum ptx_shuffle mode, u32 lane, u32 amount, u32 clamp, u32 *source) {
    u32 segment = clamp >> 8 & 31u, limit = clamp & 31u, b = amount & 31u;
    u32 highest = (lane & segment) | (limit & ~segment);
    bool is_inside;
    switch (mode) {
    case PTX_SHUFFLE_UP:
        *source = lane - b;
        is_inside = (s32)*source >= (s32)highest;
        break;
    case PTX_SHUFFLE_DOWN:
        *source = lane + b;
        is_inside = *source <= highest;
        break;
    case PTX_SHUFFLE_BFLY:
        *source = lane ^ b;
        is_inside = *source <= highest;
        break;
    default:
        *source = (lane & segment) | (b & ~segment);
        is_inside = *source <= highest;
        break;
    }
    if (!is_inside)
        *source = lane;
    return is_inside;
}

static enum ptx_status shuffle(struct ptx_block *block, struct ptx_warp *warp,
                               const struct ptx_instruction *in, uint32_t mask) {
    u64 *rows = warp->rows, values[PTX_LANES];
    memcpy(values, ROW(in->s[0]), sizeof values);
    for (uint32_t rest = mask; rest != 0; rest &= rest - 1) {
        u32 lane = (u32)__builtin_ctz(rest), source;
        bool is_inside = shuffle_source((enum ptx_shuffle)in->mode, lane, (u32)ROW(in->s[1])[lane],
                                        (u32)ROW(in->s[2])[lane], &source);
        if ((mask >> source & 1u) == 0)
            return ptx_block_fail(block, warp, in, (int)lane, PTX_EDIVERGENCE,
                                  "the shuffle reads lane %u, which does not take part", source);
        ROW(in->d[0])[lane] = (u32)values[source];
        if (in->d[1] != PTX_NO_ROW)
            ROW(in->d[1])[lane] = is_inside;
    }
    return PTX_OK;
}

static void vote(struct ptx_warp *warp, const struct ptx_instruction *in, uint32_t mask) {
    u64 *rows = warp->rows;
    const u64 *A = ROW(in->s[0]);
    u64 *D = ROW(in->d[0]);
    u32 votes = 0;
    EACH_LANE(votes |= (u32)(A[l] & 1u) << l;);
    u32 result = votes;
    if (in->mode == PTX_VOTE_ANY)
        result = votes != 0;
    else if (in->mode == PTX_VOTE_ALL)
        result = votes == mask;
    else if (in->mode == PTX_VOTE_UNI)
        result = votes == mask || votes == 0;
    EACH_LANE(D[l] = result;);
}

/* Lanes that are parked at the same instruction. */
static uint32_t parked_at(const struct ptx_warp *warp, uint32_t pc) {
    uint32_t lanes = 0;
    for (uint32_t rest = warp->parked; rest != 0; rest &= rest - 1) {
        unsigned lane = (unsigned)__builtin_ctz(rest);
        if (warp->pc[lane] == pc)
            lanes |= 1u << lane;
    }
    return lanes;
}

enum ptx_status ptx_exchange(struct ptx_block *block, struct ptx_warp *warp,
                             const struct ptx_instruction *in, uint32_t pc, uint32_t mask,
                             uint32_t *taking_part) {
    u64 *rows = warp->rows;
    const u64 *member_masks = ROW(in->s[3]);
    uint32_t members = (u32)member_masks[__builtin_ctz(mask)];
    for (uint32_t rest = mask; rest != 0; rest &= rest - 1) {
        int lane = __builtin_ctz(rest);
        if ((u32)member_masks[lane] != members || (members >> lane & 1u) == 0)
            return ptx_block_fail(block, warp, in, lane, PTX_EDIVERGENCE,
                                  "executed by lanes %08x, but its member mask is %08x", mask,
                                  (u32)member_masks[lane]);
    }
    if ((members & ~warp->live) != 0)
        return ptx_block_fail(block, warp, in, -1, PTX_EDIVERGENCE,
                              "the member mask %08x names lanes that have ended: %08x are live",
                              members, warp->live);
    *taking_part = 0;
    uint32_t here = (mask | parked_at(warp, pc)) & members;
    if (here != members) {
        warp->parked |= mask;
        return PTX_OK;
    }
    *taking_part = members;
    warp->parked &= ~members;
    if (in->kind == PTX_SHUFFLE)
        return shuffle(block, warp, in, members);
    if (in->kind == PTX_VOTE)
        vote(warp, in, members);
    return PTX_OK;
}
