/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: alignment, bounds, memory that was never written, races in shared memory. */
#include "emulated_gpu/ptx_block.h"
#include "emulated_gpu/ptx_written.h"

#include <stdio.h>
#include <string.h>

#define HEX(value) ((unsigned long long)(value))

static const char *verb(enum ptx_access_kind kind) {
    return kind == PTX_READS ? "reads" : kind == PTX_WRITES ? "writes" : "updates";
}

struct access {
    struct ptx_block *block;
    struct ptx_warp *warp;
    const struct ptx_instruction *in;
    uint32_t bytes;
    enum ptx_access_kind kind;
};

static enum ptx_status outside(const struct access *access, int lane, uint64_t address,
                               const char *what) {
    return ptx_block_fail(access->block, access->warp, access->in, lane, PTX_EADDRESS,
                          "%s %u bytes at 0x%llx, %s", verb(access->kind), access->bytes,
                          HEX(address), what);
}

static enum ptx_status unwritten(const struct access *access, int lane, uint64_t address,
                                 const char *space) {
    return ptx_block_fail(access->block, access->warp, access->in, lane, PTX_EUNINITIALISED,
                          "%s %s memory at 0x%llx that was never written", verb(access->kind),
                          space, HEX(address));
}

/* The range that holds the address, asked for again only when none of the last few does. */
static const struct ptx_range *range_of(const struct access *access, uint64_t address, char *why,
                                        size_t why_bytes) {
    struct ptx_block *block = access->block;
    struct ptx_range *ranges = block->ranges;
    uint64_t bytes = access->bytes;
    for (unsigned i = 0; i < PTX_CACHED_RANGES; i++)
        if (address >= ranges[i].low && address < ranges[i].high &&
            bytes <= ranges[i].high - address) {
            if (i > 0) {
                struct ptx_range found = ranges[i];
                memmove(ranges + 1, ranges, i * sizeof *ranges);
                ranges[0] = found;
            }
            return &ranges[0];
        }
    struct ptx_range found;
    if (!block->launch->find(block->launch->user, address, bytes, access->kind != PTX_READS, &found,
                             why, why_bytes))
        return NULL;
    memmove(ranges + 1, ranges, (PTX_CACHED_RANGES - 1) * sizeof *ranges);
    ranges[0] = found;
    return &ranges[0];
}

static enum ptx_status global_at(const struct access *access, int lane, uint64_t address,
                                 uint8_t **at) {
    char why[PTX_FAILURE_BYTES / 2] = "outside of every allocation";
    const struct ptx_range *range = range_of(access, address, why, sizeof why);
    if (range == NULL)
        return outside(access, lane, address, why);
    uint64_t offset = address - range->low, first;
    *at = range->host + offset;
    if (range->written == NULL)
        return PTX_OK;
    if (access->kind != PTX_WRITES &&
        !ptx_written_all(range->written, offset, access->bytes, &first))
        return unwritten(access, lane, range->low + first, "global");
    if (access->kind != PTX_READS)
        ptx_written_set(range->written, offset, access->bytes);
    return PTX_OK;
}

/* The usual access: the whole warp side by side in the range that was used last. False when it is
 * anything else, which the lanes then find out one by one. */
static bool global_in_a_row(const struct access *access, const uint64_t *base, uint8_t **at) {
    const struct ptx_range *range = &access->block->ranges[0];
    uint64_t bytes = access->bytes, total = bytes * PTX_LANES;
    uint64_t start = base[0] + (uint64_t)access->in->offset, apart = 0, first;
    for (unsigned l = 0; l < PTX_LANES; l++)
        apart |= (base[l] - base[0]) ^ (l * bytes);
    if (apart != 0 || start % bytes != 0 || start < range->low || start >= range->high ||
        total > range->high - start)
        return false;
    uint64_t offset = start - range->low;
    if (range->written != NULL && access->kind != PTX_WRITES &&
        !ptx_written_all(range->written, offset, total, &first))
        return false;
    if (range->written != NULL && access->kind != PTX_READS)
        ptx_written_set(range->written, offset, total);
    for (unsigned l = 0; l < PTX_LANES; l++)
        at[l] = range->host + offset + l * bytes;
    return true;
}

static enum ptx_status race(const struct access *access, int lane, uint64_t address, uint32_t stamp,
                            const char *did) {
    char who[32] = "several warps";
    if ((stamp & PTX_SEVERAL) != PTX_SEVERAL)
        snprintf(who, sizeof who, "warp %u", stamp & PTX_SEVERAL);
    return ptx_block_fail(access->block, access->warp, access->in, lane, PTX_ERACE,
                          "%s shared memory at 0x%llx, which %s %s since the last barrier",
                          verb(access->kind), HEX(address), who, did);
}

/* Whether other warps than that of `mine` made the access that is stamped, in the same epoch. */
static bool is_of_others(uint32_t stamp, uint32_t mine) {
    return stamp >> PTX_EPOCH_SHIFT == mine >> PTX_EPOCH_SHIFT && stamp != mine;
}

static void note_unwritten(const struct access *access, int lane, uint64_t address) {
    struct ptx_block *block = access->block;
    if (block->has_unwritten)
        return;
    unwritten(access, lane, address, "shared");
    block->has_unwritten = true;
    block->unwritten = block->failure;
}

static enum ptx_status shared_byte(const struct access *access, int lane, uint64_t address,
                                   struct ptx_shared_mark *mark, uint32_t mine) {
    uint32_t before = access->block->first_epoch << PTX_EPOCH_SHIFT;
    if (is_of_others(mark->written, mine))
        return race(access, lane, address, mark->written, "wrote");
    if (access->kind != PTX_UPDATES && is_of_others(mark->updated, mine))
        return race(access, lane, address, mark->updated, "updated");
    if (access->kind != PTX_READS && is_of_others(mark->read, mine))
        return race(access, lane, address, mark->read, "read");
    if (access->kind != PTX_WRITES && mark->written < before && mark->updated < before)
        note_unwritten(access, lane, address);
    if (access->kind == PTX_READS)
        mark->read = is_of_others(mark->read, mine) ? mine | PTX_SEVERAL : mine;
    else if (access->kind == PTX_WRITES)
        mark->written = mine;
    else
        mark->updated = is_of_others(mark->updated, mine) ? mine | PTX_SEVERAL : mine;
    return PTX_OK;
}

static enum ptx_status shared_at(const struct access *access, int lane, uint64_t address,
                                 uint8_t **at) {
    struct ptx_block *block = access->block;
    uint32_t mine = block->epoch << PTX_EPOCH_SHIFT | access->warp->number;
    if (address > block->shared_bytes || access->bytes > block->shared_bytes - address)
        return outside(access, lane, address, "outside of the block's shared memory");
    *at = block->shared + address;
    for (uint64_t i = address; i < address + access->bytes; i++) {
        struct ptx_shared_mark *mark = &block->marks[i];
        /* Read before in this epoch, and nobody objected since. */
        if (access->kind == PTX_READS && (mark->read == mine || mark->read == (mine | PTX_SEVERAL)))
            continue;
        enum ptx_status status = shared_byte(access, lane, i, mark, mine);
        if (status != PTX_OK)
            return status;
    }
    return PTX_OK;
}

/* The usual access to a table: a whole warp reads what it read before in this epoch. False when any
 * lane does anything else. */
static bool shared_read_again(const struct access *access, const uint64_t *base, uint8_t **at) {
    struct ptx_block *block = access->block;
    const uint32_t mine = block->epoch << PTX_EPOCH_SHIFT | access->warp->number;
    const uint32_t bytes = access->bytes, size = block->shared_bytes;
    const uint32_t offset = (uint32_t)access->in->offset;
    if (bytes > size)
        return false;
    for (unsigned l = 0; l < PTX_LANES; l++) {
        uint32_t address = (uint32_t)base[l] + offset;
        if ((address & (bytes - 1)) != 0 || address > size - bytes)
            return false;
        for (uint32_t i = address; i < address + bytes; i++)
            if (block->marks[i].read != mine && block->marks[i].read != (mine | PTX_SEVERAL))
                return false;
        at[l] = block->shared + address;
    }
    return true;
}

static enum ptx_status local_at(const struct access *access, int lane, uint64_t address,
                                uint8_t **at) {
    uint32_t size = access->block->kernel->local_bytes;
    if (address > size || access->bytes > size - address)
        return outside(access, lane, address, "outside of the thread's local memory");
    size_t offset = (size_t)lane * size + address;
    uint8_t *written = access->warp->local_written + offset;
    *at = access->warp->local + offset;
    if (access->kind == PTX_READS && memchr(written, 0, access->bytes) != NULL)
        return unwritten(access, lane, address, "local");
    if (access->kind == PTX_WRITES)
        memset(written, 1, access->bytes);
    return PTX_OK;
}

/* Parameters and constants: read only; decoding lets nothing else through. */
static enum ptx_status image_at(const struct access *access, int lane, uint64_t address,
                                uint8_t **at) {
    const struct ptx_kernel *kernel = access->block->kernel;
    bool is_param = access->in->space == PTX_PARAM;
    size_t size = is_param ? kernel->parameters_bytes : kernel->module->constants_bytes;
    const void *image =
        is_param ? access->block->launch->parameters : (const void *)kernel->module->constants;
    if (address > size || access->bytes > size - address)
        return outside(access, lane, address,
                       is_param ? "outside of the parameters" : "outside of constant memory");
    *at = (uint8_t *)(uintptr_t)image + address;
    return PTX_OK;
}

enum ptx_status ptx_addresses(struct ptx_block *block, struct ptx_warp *warp,
                              const struct ptx_instruction *in, uint32_t mask, uint32_t bytes,
                              enum ptx_access_kind kind, uint8_t *at[PTX_LANES]) {
    static enum ptx_status (*const spaces[])(const struct access *, int, uint64_t, uint8_t **) = {
        [PTX_GLOBAL] = global_at, [PTX_SHARED] = shared_at, [PTX_LOCAL] = local_at,
        [PTX_PARAM] = image_at,   [PTX_CONST] = image_at,
    };
    const struct access access = {block, warp, in, bytes, kind};
    const uint64_t *base = warp->rows + (size_t)in->s[0] * PTX_LANES;
    if (mask == UINT32_MAX &&
        ((in->space == PTX_GLOBAL && global_in_a_row(&access, base, at)) ||
         (in->space == PTX_SHARED && kind == PTX_READS && shared_read_again(&access, base, at))))
        return PTX_OK;
    for (uint32_t rest = mask; rest != 0; rest &= rest - 1) {
        int lane = __builtin_ctz(rest);
        uint64_t address = base[lane] + (uint64_t)in->offset;
        if (in->space != PTX_GLOBAL)
            address = (uint32_t)address;
        if (address % bytes != 0)
            return ptx_block_fail(block, warp, in, lane, PTX_EALIGNMENT,
                                  "%s %u bytes at 0x%llx, which is no multiple of %u", verb(kind),
                                  bytes, HEX(address), bytes);
        enum ptx_status status = spaces[in->space](&access, lane, address, &at[lane]);
        if (status != PTX_OK)
            return status;
    }
    return PTX_OK;
}
