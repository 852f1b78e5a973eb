/* SPDX-License-Identifier: Apache-2.0 */
/* A launch: blocks in some order on several host threads, and the warps of a block in turn. */
#include "emulated_gpu/ptx_block.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS_MAX = 64, POISON_REGISTER = 0xA5, POISON_MEMORY = 0xCD, SHARED_ALIGN = 16 };

enum ptx_status ptx_block_fail(struct ptx_block *block, const struct ptx_warp *warp,
                               const struct ptx_instruction *in, int lane, enum ptx_status status,
                               const char *format, ...) {
    char thread[64] = "", reason[PTX_FAILURE_BYTES / 2];
    const uint32_t *size = block->launch->block;
    if (lane >= 0) {
        uint32_t number = warp->number * PTX_LANES + (uint32_t)lane;
        snprintf(thread, sizeof thread, ", thread (%u,%u,%u)", number % size[0],
                 number / size[0] % size[1], number / size[0] / size[1]);
    } else
        snprintf(thread, sizeof thread, ", warp %u", warp->number);
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    snprintf(block->failure.text, sizeof block->failure.text,
             "%.80s, PTX line %u, block (%u,%u,%u)%s: %s", block->kernel->name, in->line,
             block->position[0], block->position[1], block->position[2], thread, reason);
    return status;
}

/* ---- rows that are no registers ---- */

static bool is_of_position(enum ptx_row_kind kind) {
    return kind >= PTX_ROW_CTAID_X && kind <= PTX_ROW_CTAID_Z;
}

static uint64_t row_value(const struct ptx_block *block, const struct ptx_row *row,
                          const struct ptx_warp *warp, uint32_t lane) {
    const struct ptx_launch *launch = block->launch;
    uint32_t thread = warp->number * PTX_LANES + lane;
    switch ((enum ptx_row_kind)row->kind) {
    case PTX_ROW_GLOBALS:
        return launch->globals_address + row->value;
    case PTX_ROW_DYNAMIC_SHARED:
        return (block->kernel->shared_bytes + SHARED_ALIGN - 1u) / SHARED_ALIGN * SHARED_ALIGN;
    case PTX_ROW_TID_X:
        return thread % launch->block[0];
    case PTX_ROW_TID_Y:
        return thread / launch->block[0] % launch->block[1];
    case PTX_ROW_TID_Z:
        return thread / launch->block[0] / launch->block[1];
    case PTX_ROW_NTID_X:
    case PTX_ROW_NTID_Y:
    case PTX_ROW_NTID_Z:
        return launch->block[row->kind - PTX_ROW_NTID_X];
    case PTX_ROW_CTAID_X:
    case PTX_ROW_CTAID_Y:
    case PTX_ROW_CTAID_Z:
        return block->position[row->kind - PTX_ROW_CTAID_X];
    case PTX_ROW_NCTAID_X:
    case PTX_ROW_NCTAID_Y:
    case PTX_ROW_NCTAID_Z:
        return launch->grid[row->kind - PTX_ROW_NCTAID_X];
    case PTX_ROW_LANE:
        return lane;
    case PTX_ROW_WARP:
        return warp->number;
    case PTX_ROW_LANEMASK_LT:
        return (UINT64_C(1) << lane) - 1;
    case PTX_ROW_REGISTER:
    case PTX_ROW_IMMEDIATE:
        break;
    }
    return row->value;
}

/* Only %ctaid changes from one block to the next. */
static void fill_rows(const struct ptx_block *block, bool is_first) {
    const struct ptx_kernel *kernel = block->kernel;
    for (size_t i = 0; i < kernel->row_count; i++) {
        const struct ptx_row *row = &kernel->rows[i];
        if (row->kind == PTX_ROW_REGISTER ||
            !(is_first || is_of_position((enum ptx_row_kind)row->kind)))
            continue;
        for (uint32_t w = 0; w < block->warp_count; w++)
            for (uint32_t lane = 0; lane < PTX_LANES; lane++)
                block->warps[w].rows[i * PTX_LANES + lane] =
                    row_value(block, row, &block->warps[w], lane);
    }
}

/* ---- one block ---- */

static uint64_t next_random(struct ptx_block *block) {
    block->random = block->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return block->random >> 33;
}

static void start_block(struct ptx_block *block) {
    const struct ptx_kernel *kernel = block->kernel;
    if (block->epoch >= PTX_EPOCHS) {
        memset(block->marks, 0, block->shared_bytes * sizeof *block->marks);
        block->epoch = 0;
    }
    block->first_epoch = ++block->epoch;
    memset(block->shared, POISON_MEMORY, block->shared_bytes);
    fill_rows(block, false);
    for (uint32_t i = 0; i < block->warp_count; i++) {
        struct ptx_warp *warp = &block->warps[i];
        uint32_t left = block->thread_count - i * PTX_LANES;
        warp->live = left >= PTX_LANES ? UINT32_MAX : (1u << left) - 1u;
        warp->at_barrier = warp->parked = 0;
        warp->steps = 0;
        memset(warp->pc, 0, sizeof warp->pc);
        if (kernel->local_bytes != 0)
            memset(warp->local_written, 0, (size_t)kernel->local_bytes * PTX_LANES);
    }
}

/* Every warp to its end or to the barrier, beginning anywhere and in either direction. */
static enum ptx_status run_round(struct ptx_block *block) {
    uint32_t count = block->warp_count, first = 0;
    bool is_reversed = false;
    if (block->launch->seed != 0) {
        first = (uint32_t)(next_random(block) % count);
        is_reversed = (next_random(block) & 1) != 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (i + first) % count;
        enum ptx_status status =
            ptx_warp_run(block, &block->warps[is_reversed ? count - 1 - at : at]);
        if (status != PTX_OK)
            return status;
    }
    return PTX_OK;
}

static enum ptx_status run_block(struct ptx_block *block, uint64_t number) {
    const uint32_t *grid = block->launch->grid;
    block->position[0] = (uint32_t)(number % grid[0]);
    block->position[1] = (uint32_t)(number / grid[0] % grid[1]);
    block->position[2] = (uint32_t)(number / grid[0] / grid[1]);
    start_block(block);
    for (;;) {
        enum ptx_status status = run_round(block);
        if (status != PTX_OK)
            return status;
        if (block->has_unwritten) {
            block->failure = block->unwritten;
            return PTX_EUNINITIALISED;
        }
        uint32_t waiting = 0;
        for (uint32_t i = 0; i < block->warp_count; i++) {
            waiting |= block->warps[i].at_barrier;
            block->warps[i].at_barrier = 0;
        }
        if (waiting == 0)
            return PTX_OK;
        block->epoch++;
    }
}

/* ---- host threads ---- */

struct job {
    const struct ptx_kernel *kernel;
    struct ptx_launch *launch;
    uint64_t blocks, first;
    atomic_uint_least64_t next;
    atomic_int status;
    pthread_mutex_t mutex; /* the totals and the failure in `launch` */
};

/* Rows and local memory of all warps lie one after the other. */
static void share_out(struct ptx_block *block, uint64_t *rows, uint8_t *local, uint8_t *written) {
    size_t row_values = block->kernel->row_count * PTX_LANES;
    size_t local_bytes = (size_t)block->kernel->local_bytes * PTX_LANES;
    for (uint32_t i = 0; i < block->warp_count; i++) {
        block->warps[i].number = i;
        block->warps[i].rows = rows + row_values * i;
        block->warps[i].local = local + local_bytes * i;
        block->warps[i].local_written = written + local_bytes * i;
    }
}

static enum ptx_status run_blocks(struct job *job, struct ptx_block *block) {
    for (;;) {
        uint64_t number = atomic_fetch_add(&job->next, 1);
        if (number >= job->blocks || atomic_load(&job->status) != PTX_OK)
            return PTX_OK;
        enum ptx_status status = run_block(block, (number + job->first) % job->blocks);
        if (status != PTX_OK)
            return status;
    }
}

static void finish_worker(struct job *job, const struct ptx_block *block, enum ptx_status status) {
    pthread_mutex_lock(&job->mutex);
    job->launch->warp_instructions += block->warp_instructions;
    job->launch->thread_instructions += block->thread_instructions;
    if (status != PTX_OK && atomic_load(&job->status) == PTX_OK) {
        atomic_store(&job->status, (int)status);
        job->launch->failure = block->failure;
    }
    pthread_mutex_unlock(&job->mutex);
}

static void *worker(void *context) {
    struct job *job = context;
    const struct ptx_kernel *kernel = job->kernel;
    const struct ptx_launch *launch = job->launch;
    struct ptx_block block = {.kernel = kernel, .launch = launch, .random = launch->seed};
    block.thread_count = launch->block[0] * launch->block[1] * launch->block[2];
    block.warp_count = (block.thread_count + PTX_LANES - 1) / PTX_LANES;
    block.shared_bytes = (kernel->shared_bytes + SHARED_ALIGN - 1u) / SHARED_ALIGN * SHARED_ALIGN +
                         launch->dynamic_shared_bytes;
    size_t row_bytes = kernel->row_count * PTX_LANES * sizeof(uint64_t) * block.warp_count;
    size_t local_bytes = (size_t)kernel->local_bytes * PTX_LANES * block.warp_count;
    uint64_t *rows = malloc(row_bytes + 1);
    uint8_t *local = malloc(local_bytes + 1), *written = malloc(local_bytes + 1);
    block.warps = calloc(block.warp_count, sizeof *block.warps);
    block.shared =
        aligned_alloc(SHARED_ALIGN, (block.shared_bytes / SHARED_ALIGN + 1) * SHARED_ALIGN);
    block.marks = calloc((size_t)block.shared_bytes + 1, sizeof *block.marks);
    enum ptx_status status = PTX_EMEMORY;
    if (rows != NULL && local != NULL && written != NULL && block.warps != NULL &&
        block.shared != NULL && block.marks != NULL) {
        memset(rows, POISON_REGISTER, row_bytes);
        memset(local, POISON_MEMORY, local_bytes);
        share_out(&block, rows, local, written);
        fill_rows(&block, true);
        status = run_blocks(job, &block);
    } else
        snprintf(block.failure.text, sizeof block.failure.text, "%.80s: the host has no memory",
                 kernel->name);
    finish_worker(job, &block, status);
    free(rows);
    free(local);
    free(written);
    free(block.warps);
    free(block.shared);
    free(block.marks);
    return NULL;
}

enum ptx_status ptx_run(const struct ptx_kernel *kernel, struct ptx_launch *launch) {
    struct job job = {.kernel = kernel,
                      .launch = launch,
                      .blocks = (uint64_t)launch->grid[0] * launch->grid[1] * launch->grid[2],
                      .mutex = PTHREAD_MUTEX_INITIALIZER};
    if (launch->seed != 0)
        job.first = launch->seed % job.blocks;
    launch->warp_instructions = launch->thread_instructions = 0;
    launch->failure.text[0] = '\0';
    pthread_t threads[WORKERS_MAX];
    unsigned started = 0;
    uint64_t wanted = launch->threads < WORKERS_MAX ? launch->threads : WORKERS_MAX;
    while (started + 1 < wanted && started + 1 < job.blocks &&
           pthread_create(&threads[started], NULL, worker, &job) == 0)
        started++;
    worker(&job);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&job.mutex);
    return (enum ptx_status)atomic_load(&job.status);
}
