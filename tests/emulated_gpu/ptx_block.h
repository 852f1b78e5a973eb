/* SPDX-License-Identifier: Apache-2.0 */
/* ptx_block.h - a block of threads while it runs.
 *
 * One host thread runs one block at a time. A warp runs until it ends or waits at a barrier; inside
 * it the lanes with the smallest program counter run, together, until they reach the next ones.
 * Compilers lay code out so that this joins lanes again where their paths meet, without any
 * analysis of the program.
 */
#ifndef PA_TESTS_PTX_BLOCK_H
#define PA_TESTS_PTX_BLOCK_H

#include "emulated_gpu/ptx_inside.h"

struct ptx_warp {
    uint32_t number;
    uint32_t live;       /* lanes that have not ended */
    uint32_t at_barrier; /* lanes that wait for the block */
    uint32_t parked;     /* lanes that wait for others of the warp at a shuffle, vote or barrier */
    uint32_t pc[PTX_LANES];
    uint64_t steps;
    uint64_t *rows;
    uint8_t *local;         /* local_bytes for each lane */
    uint8_t *local_written; /* one byte for each byte */
};

/* What is known of a byte of shared memory: the last access of each kind as epoch << 8 | warp. An
 * epoch lasts from one barrier to the next; those of earlier blocks are smaller. */
struct ptx_shared_mark {
    uint32_t written, read, updated;
};
enum { PTX_SEVERAL = 255, PTX_EPOCH_SHIFT = 8, PTX_EPOCHS = 1 << 23, PTX_CACHED_RANGES = 4 };

struct ptx_block {
    const struct ptx_kernel *kernel;
    const struct ptx_launch *launch;
    struct ptx_warp *warps;
    uint32_t warp_count, thread_count;
    uint32_t position[3]; /* %ctaid */
    uint8_t *shared;
    struct ptx_shared_mark *marks;
    uint32_t shared_bytes;
    uint32_t epoch, first_epoch;
    struct ptx_range ranges[PTX_CACHED_RANGES]; /* of global memory; the last found come first */
    uint64_t random;
    uint64_t warp_instructions, thread_instructions;
    struct ptx_failure failure;
    /* Shared memory was read before anybody wrote it. If another warp writes it before the next
     * barrier it is a race, and said so; else this is said at the barrier. */
    bool has_unwritten;
    struct ptx_failure unwritten;
};

/* End the launch: kernel, line, block and thread are put before the reason. `lane` may be -1. */
enum ptx_status ptx_block_fail(struct ptx_block *block, const struct ptx_warp *warp,
                               const struct ptx_instruction *in, int lane, enum ptx_status status,
                               const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Loads, stores and atomic operations of the lanes in `mask` (ptx_access.c). */
enum ptx_status ptx_access(struct ptx_block *block, struct ptx_warp *warp,
                           const struct ptx_instruction *in, uint32_t mask);
enum ptx_status ptx_access_atom(struct ptx_block *block, struct ptx_warp *warp,
                                const struct ptx_instruction *in, uint32_t mask);

/* Where each lane's operand lies on the host, with every check made. `bytes` each; NULL rows
 * outside the mask. */
enum ptx_access_kind { PTX_READS, PTX_WRITES, PTX_UPDATES };
enum ptx_status ptx_addresses(struct ptx_block *block, struct ptx_warp *warp,
                              const struct ptx_instruction *in, uint32_t mask, uint32_t bytes,
                              enum ptx_access_kind kind, uint8_t *at[PTX_LANES]);

/* Shuffles, votes and barriers of a warp (ptx_exchange.c). `mask` are the lanes that are there now,
 * at instruction `pc`. *taking_part gets the lanes that have done it; none when the others are not
 * there yet. */
enum ptx_status ptx_exchange(struct ptx_block *block, struct ptx_warp *warp,
                             const struct ptx_instruction *in, uint32_t pc, uint32_t mask,
                             uint32_t *taking_part);

/* Run one warp until it ends or waits for the block (ptx_warp.c). */
enum ptx_status ptx_warp_run(struct ptx_block *block, struct ptx_warp *warp);

#endif
