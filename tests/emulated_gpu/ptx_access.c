/* SPDX-License-Identifier: Apache-2.0 */
/* Values between registers and memory, once the addresses are known to be good. */
#include "emulated_gpu/ptx_block.h"
#include "emulated_gpu/ptx_ops.h"

#include <string.h>

/* A narrow value with sign is extended to the register, which may be wider. */
#define LOAD_AS(type)                                                                              \
    EACH_LANE(type value; memcpy(&value, at[l] + offset, sizeof value);                            \
              D[l] = (u64)(s64)value & kept;)
#define STORE_AS(type)                                                                             \
    EACH_LANE(const type value = (type)D[l]; memcpy(at[l] + offset, &value, sizeof value);)

static void load_element(enum ptx_type as, u64 *D, uint8_t *const at[PTX_LANES], size_t offset,
                         u64 kept, uint32_t mask) {
    switch (as) {
    case PTX_U8:
        LOAD_AS(u8);
        break;
    case PTX_S8:
        LOAD_AS(s8);
        break;
    case PTX_U16:
        LOAD_AS(u16);
        break;
    case PTX_S16:
        LOAD_AS(s16);
        break;
    case PTX_U32:
        LOAD_AS(u32);
        break;
    case PTX_S32:
        LOAD_AS(s32);
        break;
    default:
        LOAD_AS(u64);
        break;
    }
}

static void store_element(unsigned bytes, const u64 *D, uint8_t *const at[PTX_LANES], size_t offset,
                          uint32_t mask) {
    switch (bytes) {
    case 1:
        STORE_AS(u8);
        break;
    case 2:
        STORE_AS(u16);
        break;
    case 4:
        STORE_AS(u32);
        break;
    default:
        STORE_AS(u64);
        break;
    }
}

enum ptx_status ptx_access(struct ptx_block *block, struct ptx_warp *warp,
                           const struct ptx_instruction *in, uint32_t mask) {
    enum ptx_type type = (enum ptx_type)in->type;
    uint32_t element = ptx_type_bytes(type);
    bool is_load = in->kind == PTX_LOAD;
    uint8_t *at[PTX_LANES];
    enum ptx_status status = ptx_addresses(block, warp, in, mask, element * in->vector,
                                           is_load ? PTX_READS : PTX_WRITES, at);
    if (status != PTX_OK)
        return status;
    u64 *rows = warp->rows;
    for (unsigned i = 0; i < in->vector; i++) {
        if (!is_load)
            store_element(element, ROW(in->d[i]), at, (size_t)i * element, mask);
        else if (in->d[i] != PTX_NO_ROW)
            load_element(type, ROW(in->d[i]), at, (size_t)i * element, in->destination_mask, mask);
    }
    return PTX_OK;
}

/* What an atomic operation leaves in memory. */
static u64 combined(enum ptx_atom op, enum ptx_type type, u64 old, u64 operand) {
    bool is_wide = ptx_type_bytes(type) == 8, is_less;
    switch (op) {
    case PTX_ATOM_ADD:
        return old + operand;
    case PTX_ATOM_AND:
        return old & operand;
    case PTX_ATOM_OR:
        return old | operand;
    case PTX_ATOM_XOR:
        return old ^ operand;
    case PTX_ATOM_MIN:
    case PTX_ATOM_MAX:
        if (ptx_type_is_signed(type))
            is_less = is_wide ? (s64)operand < (s64)old : (s32)operand < (s32)old;
        else
            is_less = is_wide ? operand < old : (u32)operand < (u32)old;
        return is_less == (op == PTX_ATOM_MIN) ? operand : old;
    default:
        return operand;
    }
}

/* Other blocks run on other threads of the host: the update is one of the host's own. */
#define UPDATE(type_, at_, in_, old_, operand_, swap_)                                             \
    do {                                                                                           \
        type_ seen = __atomic_load_n((type_ *)(void *)(at_), __ATOMIC_RELAXED), wanted;            \
        do {                                                                                       \
            if ((in_)->mode == PTX_ATOM_CAS)                                                       \
                wanted = seen == (type_)(operand_) ? (type_)(swap_) : seen;                        \
            else                                                                                   \
                wanted = (type_)combined((enum ptx_atom)(in_)->mode, (enum ptx_type)(in_)->type,   \
                                         seen, (operand_));                                        \
        } while (!__atomic_compare_exchange_n((type_ *)(void *)(at_), &seen, wanted, false,        \
                                              __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));                \
        (old_) = seen;                                                                             \
    } while (0)

enum ptx_status ptx_access_atom(struct ptx_block *block, struct ptx_warp *warp,
                                const struct ptx_instruction *in, uint32_t mask) {
    uint32_t bytes = ptx_type_bytes((enum ptx_type)in->type);
    uint8_t *at[PTX_LANES];
    enum ptx_status status = ptx_addresses(block, warp, in, mask, bytes, PTX_UPDATES, at);
    if (status != PTX_OK)
        return status;
    u64 *rows = warp->rows;
    const u64 *B = ROW(in->s[1]), *C = in->s[2] != PTX_NO_ROW ? ROW(in->s[2]) : B;
    for (uint32_t rest = mask; rest != 0; rest &= rest - 1) {
        unsigned lane = (unsigned)__builtin_ctz(rest);
        u64 old;
        if (bytes == 4)
            UPDATE(u32, at[lane], in, old, B[lane], C[lane]);
        else
            UPDATE(u64, at[lane], in, old, B[lane], C[lane]);
        if (in->d[0] != PTX_NO_ROW)
            ROW(in->d[0])[lane] = old;
    }
    return PTX_OK;
}
