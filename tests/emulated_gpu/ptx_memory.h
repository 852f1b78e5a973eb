/* SPDX-License-Identifier: Apache-2.0 */
/* ptx_memory.h - memory for tests of the interpreter alone: a few pieces at addresses of their own.
 */
#ifndef PA_TESTS_PTX_MEMORY_H
#define PA_TESTS_PTX_MEMORY_H

#include "emulated_gpu/ptx.h"

enum { PTX_PIECES_MAX = 8 };

struct ptx_memory {
    struct ptx_range pieces[PTX_PIECES_MAX];
    unsigned count;
};

/* A new piece, written if `data` is not NULL; its address is a multiple of 4096. */
uint64_t ptx_memory_add(struct ptx_memory *memory, const void *data, uint64_t bytes);
void *ptx_memory_host(const struct ptx_memory *memory, uint64_t address);
void ptx_memory_free(struct ptx_memory *memory);
/* A ptx_find_range; `user` is the memory. */
bool ptx_memory_find(void *user, uint64_t address, uint64_t bytes, bool is_write,
                     struct ptx_range *out, char *why, size_t why_bytes);

/* A launch of `blocks` x `threads` over that memory, with everything else plain. */
struct ptx_launch ptx_memory_launch(struct ptx_memory *memory, uint32_t blocks, uint32_t threads,
                                    const void *parameters);

#endif
