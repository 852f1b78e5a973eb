/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated_gpu/ptx_memory.h"

#include "emulated_gpu/ptx_written.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST UINT64_C(0x100000000000)
#define PIECE (UINT64_C(1) << 36)

uint64_t ptx_memory_add(struct ptx_memory *memory, const void *data, uint64_t bytes) {
    if (memory->count == PTX_PIECES_MAX)
        abort();
    uint64_t address = FIRST + memory->count * PIECE;
    struct ptx_range *piece = &memory->pieces[memory->count++];
    *piece = (struct ptx_range){.low = address, .high = address + bytes};
    piece->host = aligned_alloc(16, (bytes + 15) / 16 * 16);
    piece->written = calloc(1, ptx_written_size(bytes));
    if (piece->host == NULL || piece->written == NULL)
        abort();
    if (data != NULL) {
        memcpy(piece->host, data, bytes);
        ptx_written_set(piece->written, 0, bytes);
    } else
        memset(piece->host, 0xAB, bytes);
    return address;
}

void *ptx_memory_host(const struct ptx_memory *memory, uint64_t address) {
    const struct ptx_range *piece = &memory->pieces[(address - FIRST) / PIECE];
    return piece->host + (address - piece->low);
}

void ptx_memory_free(struct ptx_memory *memory) {
    for (unsigned i = 0; i < memory->count; i++) {
        free(memory->pieces[i].host);
        free(memory->pieces[i].written);
    }
    memory->count = 0;
}

bool ptx_memory_find(void *user, uint64_t address, uint64_t bytes, bool is_write,
                     struct ptx_range *out, char *why, size_t why_bytes) {
    const struct ptx_memory *memory = user;
    (void)is_write;
    for (unsigned i = 0; i < memory->count; i++)
        if (address >= memory->pieces[i].low && address < memory->pieces[i].high &&
            bytes <= memory->pieces[i].high - address) {
            *out = memory->pieces[i];
            return true;
        }
    snprintf(why, why_bytes, "in no piece");
    return false;
}

struct ptx_launch ptx_memory_launch(struct ptx_memory *memory, uint32_t blocks, uint32_t threads,
                                    const void *parameters) {
    return (struct ptx_launch){.grid = {blocks, 1, 1},
                               .block = {threads, 1, 1},
                               .parameters = parameters,
                               .find = ptx_memory_find,
                               .user = memory,
                               .step_limit = 100000000,
                               .threads = 1};
}
