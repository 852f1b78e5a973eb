/* SPDX-License-Identifier: Apache-2.0 */
/* A warp: which lanes run, and one instruction after the other. */
#include "emulated_gpu/ptx_block.h"
#include "emulated_gpu/ptx_ops.h"

static void set_pc(struct ptx_warp *warp, uint32_t lanes, uint32_t pc) {
    for (unsigned l = 0; l < PTX_LANES; l++)
        if ((lanes >> l & 1u) != 0)
            warp->pc[l] = pc;
}

/* The lanes among `lanes` with the smallest program counter; *limit gets the next larger one. */
static uint32_t lowest_group(const struct ptx_warp *warp, uint32_t lanes, uint32_t *pc,
                             uint32_t *limit) {
    uint32_t lowest = UINT32_MAX, next = UINT32_MAX, group = 0;
    for (uint32_t rest = lanes; rest != 0; rest &= rest - 1) {
        unsigned lane = (unsigned)__builtin_ctz(rest);
        uint32_t at = warp->pc[lane];
        if (at < lowest) {
            next = lowest;
            lowest = at;
            group = 0;
        }
        if (at == lowest)
            group |= 1u << lane;
        else if (at < next)
            next = at;
    }
    *pc = lowest;
    *limit = next;
    return group;
}

static uint32_t guarded(const struct ptx_instruction *in, const uint64_t *rows, uint32_t group) {
    const uint64_t *predicate = ROW(in->guard);
    uint32_t set = 0;
    for (unsigned l = 0; l < PTX_LANES; l++)
        set |= (uint32_t)(predicate[l] & 1u) << l;
    return group & (in->is_guard_negated ? ~set : set);
}

/* Lanes that run together from `pc` to below `limit`. */
struct group {
    struct ptx_block *block;
    struct ptx_warp *warp;
    uint32_t lanes, pc, limit;
    bool is_split; /* the lanes went different ways, and their counters are stored */
};

static void split(struct group *group, uint32_t lanes, uint32_t pc) {
    set_pc(group->warp, lanes, pc);
    set_pc(group->warp, group->lanes & ~lanes, group->pc);
    group->is_split = true;
}

static enum ptx_status step_exchange(struct group *group, const struct ptx_instruction *in,
                                     uint32_t mask) {
    uint32_t taking_part, here = group->pc - 1;
    if (mask == 0)
        return PTX_OK;
    enum ptx_status status = ptx_exchange(group->block, group->warp, in, here, mask, &taking_part);
    if (status != PTX_OK || (taking_part == mask && mask == group->lanes))
        return status;
    split(group, mask & ~taking_part, here);
    set_pc(group->warp, taking_part, group->pc);
    return PTX_OK;
}

static enum ptx_status step_block_barrier(struct group *group, const struct ptx_instruction *in,
                                          uint32_t mask) {
    struct ptx_warp *warp = group->warp;
    if (mask == 0)
        return PTX_OK;
    if (mask != warp->live)
        return ptx_block_fail(group->block, warp, in, -1, PTX_EDIVERGENCE,
                              "the barrier is reached by lanes %08x, but %08x are live", mask,
                              warp->live);
    set_pc(warp, mask, group->pc);
    warp->at_barrier = mask;
    group->is_split = true;
    return PTX_OK;
}

static enum ptx_status step(struct group *group, const struct ptx_instruction *in, uint32_t mask) {
    struct ptx_block *block = group->block;
    struct ptx_warp *warp = group->warp;
    const char *why;
    switch ((enum ptx_kind)in->kind) {
    case PTX_ALU:
        why = in->alu(in, warp->rows, mask);
        return why == NULL ? PTX_OK : ptx_block_fail(block, warp, in, -1, PTX_ETRAP, "%s", why);
    case PTX_LOAD:
    case PTX_STORE:
        return ptx_access(block, warp, in, mask);
    case PTX_ATOM:
        return ptx_access_atom(block, warp, in, mask);
    case PTX_SHUFFLE:
    case PTX_VOTE:
    case PTX_WARP_BARRIER:
        return step_exchange(group, in, mask);
    case PTX_BLOCK_BARRIER:
        return step_block_barrier(group, in, mask);
    case PTX_ACTIVE_MASK: {
        uint64_t *rows = warp->rows;
        EACH_LANE(ROW(in->d[0])[l] = mask;);
        return PTX_OK;
    }
    case PTX_BRANCH:
        if (mask == group->lanes)
            group->pc = in->target;
        else if (mask != 0)
            split(group, mask, in->target);
        return PTX_OK;
    case PTX_EXIT:
        warp->live &= ~mask;
        group->lanes &= ~mask;
        return PTX_OK;
    case PTX_TRAP:
        return mask == 0 ? PTX_OK : ptx_block_fail(block, warp, in, -1, PTX_ETRAP, "trap");
    case PTX_FENCE:
        break;
    }
    return PTX_OK;
}

static enum ptx_status run_group(struct group *group) {
    struct ptx_block *block = group->block;
    struct ptx_warp *warp = group->warp;
    const struct ptx_instruction *code = block->kernel->code;
    uint64_t limit = block->launch->step_limit;
    while (group->pc < group->limit && group->lanes != 0) {
        const struct ptx_instruction *in = &code[group->pc++];
        uint32_t mask =
            in->guard == PTX_NO_ROW ? group->lanes : guarded(in, warp->rows, group->lanes);
        warp->steps++;
        block->warp_instructions++;
        block->thread_instructions +=
            mask == UINT32_MAX ? PTX_LANES : (unsigned)__builtin_popcount(mask);
        if (limit != 0 && warp->steps > limit)
            return ptx_block_fail(block, warp, in, -1, PTX_ESTEPS,
                                  "still running after %llu instructions",
                                  (unsigned long long)limit);
        enum ptx_status status = step(group, in, mask);
        if (status != PTX_OK)
            return status;
        if (group->is_split)
            return PTX_OK;
    }
    set_pc(warp, group->lanes, group->pc);
    return PTX_OK;
}

enum ptx_status ptx_warp_run(struct ptx_block *block, struct ptx_warp *warp) {
    for (;;) {
        uint32_t runnable = warp->live & ~warp->at_barrier & ~warp->parked;
        if (runnable == 0) {
            if (warp->parked == 0)
                return PTX_OK;
            unsigned lane = (unsigned)__builtin_ctz(warp->parked);
            return ptx_block_fail(block, warp, &block->kernel->code[warp->pc[lane]], (int)lane,
                                  PTX_EDIVERGENCE,
                                  "lanes %08x wait here for others that never come", warp->parked);
        }
        struct group group = {.block = block, .warp = warp};
        group.lanes = lowest_group(warp, runnable, &group.pc, &group.limit);
        enum ptx_status status = run_group(&group);
        if (status != PTX_OK)
            return status;
    }
}
