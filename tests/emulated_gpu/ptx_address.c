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

static enum ptx_status race(const struct access *access, int lane, uint64_t address, uint16_t other,
                            const char *did) {
    char who[32] = "several warps";
    if (other != PTX_SEVERAL)
        snprintf(who, sizeof who, "warp %u", other);
    return ptx_block_fail(access->block, access->warp, access->in, lane, PTX_ERACE,
                          "%s shared memory at 0x%llx, which %s %s since the last barrier",
                          verb(access->kind), HEX(address), who, did);
}

static uint16_t joined(uint16_t old, bool is_same_epoch, uint16_t warp) {
    return is_same_epoch && old != warp ? PTX_SEVERAL : warp;
}

static enum ptx_status shared_at(const struct access *access, int lane, uint64_t address,
                                 uint8_t **at) {
    struct ptx_block *block = access->block;
    uint16_t warp = (uint16_t)access->warp->number;
    uint32_t epoch = block->epoch;
    if (address > block->shared_bytes || access->bytes > block->shared_bytes - address)
        return outside(access, lane, address, "outside of the block's shared memory");
    *at = block->shared + address;
    for (uint64_t i = address; i < address + access->bytes; i++) {
        struct ptx_shared_mark *mark = &block->marks[i];
        if (mark->written == epoch && mark->writer != warp)
            return race(access, lane, i, mark->writer, "wrote");
        if (access->kind != PTX_UPDATES && mark->atomic == epoch && mark->atomer != warp)
            return race(access, lane, i, mark->atomer, "updated");
        if (access->kind != PTX_READS && mark->read == epoch && mark->reader != warp)
            return race(access, lane, i, mark->reader, "read");
        if (access->kind != PTX_WRITES && mark->written < block->first_epoch &&
            mark->atomic < block->first_epoch)
            return unwritten(access, lane, i, "shared");
        if (access->kind == PTX_READS) {
            mark->reader = joined(mark->reader, mark->read == epoch, warp);
            mark->read = epoch;
        } else if (access->kind == PTX_WRITES) {
            mark->writer = warp;
            mark->written = epoch;
        } else {
            mark->atomer = joined(mark->atomer, mark->atomic == epoch, warp);
            mark->atomic = epoch;
        }
    }
    return PTX_OK;
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
