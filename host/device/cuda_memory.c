/* SPDX-License-Identifier: Apache-2.0 */
#include "device/cuda_memory.h"

#include "base/clock.h"
#include "device/cuda_inside.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Chunks of one launch: 4 GiB, a few milliseconds, so that a deadline is noticed. */
    BATCH = 4096,
    /* Share of the free memory that is left alone: the driver loads code when it is first used. */
    RESERVE = 64,
};

struct pa_memory {
    struct pa_cuda_device *device;
    CUstream stream;
    CUevent done;
    CUdeviceptr data, order, answers;
    uint64_t *host_answers; /* pinned */
    uint32_t *host_order;   /* pinned */
    uint32_t chunks;
};

/* One block as large as it can be: what is free may be in pieces, so less is tried until it fits.
 */
static int take_data(struct pa_memory *memory, uint32_t wanted, struct pa_error *error) {
    struct pa_cuda_device *device = memory->device;
    size_t free_bytes = 0, total_bytes = 0;
    PA_CUDA_TRY(device, cuMemGetInfo_v2, &free_bytes, &total_bytes);
    uint64_t most = (uint64_t)(free_bytes - free_bytes / RESERVE) / PA_MEMORY_CHUNK_BYTES;
    uint32_t chunks = wanted < most ? wanted : (uint32_t)most;
    while (chunks > 0) {
        CUresult result = PA_CUDA_CALL(device, cuMemAlloc_v2, &memory->data,
                                       (size_t)chunks * PA_MEMORY_CHUNK_BYTES);
        if (result != CUDA_ERROR_OUT_OF_MEMORY) {
            memory->chunks = chunks;
            return pa_cuda_check(device, result, "cuMemAlloc_v2", error);
        }
        chunks -= chunks / 64 + 1;
    }
    return pa_fail(error, PA_EMEMORY, "%s (%s): not one MiB of memory could be had",
                   device->base.identity.id, device->base.identity.name);
}

static int take(struct pa_memory *memory, uint32_t wanted, struct pa_error *error) {
    struct pa_cuda_device *device = memory->device;
    size_t free_bytes = 0, total_bytes = 0;
    PA_CUDA_TRY(device, cuMemGetInfo_v2, &free_bytes, &total_bytes);
    /* A claim may be far beyond what is there; order and answers need not be. */
    if (wanted > total_bytes / PA_MEMORY_CHUNK_BYTES + 1)
        wanted = (uint32_t)(total_bytes / PA_MEMORY_CHUNK_BYTES) + 1;
    PA_CUDA_TRY(device, cuStreamCreate, &memory->stream, PA_CU_STREAM_NON_BLOCKING);
    PA_CUDA_TRY(device, cuEventCreate, &memory->done, PA_CU_EVENT_DISABLE_TIMING);
    PA_CUDA_TRY(device, cuMemAlloc_v2, &memory->order, wanted * sizeof *memory->host_order);
    PA_CUDA_TRY(device, cuMemAlloc_v2, &memory->answers, wanted * sizeof *memory->host_answers);
    PA_CUDA_TRY(device, cuMemHostAlloc, (void **)&memory->host_order,
                wanted * sizeof *memory->host_order, 0);
    PA_CUDA_TRY(device, cuMemHostAlloc, (void **)&memory->host_answers,
                wanted * sizeof *memory->host_answers, 0);
    return take_data(memory, wanted, error);
}

int pa_cuda_memory_open(struct pa_device *device, uint32_t wanted, struct pa_memory **out,
                        uint32_t *chunks, struct pa_error *error) {
    *out = NULL;
    *chunks = 0;
    if (wanted < 1 || wanted > INT32_MAX)
        return pa_fail(error, PA_EUSAGE, "filling %u MiB of device memory: 1 to %d", wanted,
                       INT32_MAX);
    PA_TRY(pa_cuda_enter((struct pa_cuda_device *)device, error));
    struct pa_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL)
        return pa_fail(error, PA_EMEMORY, "filling device memory: out of memory");
    memory->device = (struct pa_cuda_device *)device;
    int code = take(memory, wanted, error);
    if (code != PA_OK) {
        pa_cuda_memory_close(memory);
        return code;
    }
    *out = memory;
    *chunks = memory->chunks;
    return PA_OK;
}

static int wait_for(struct pa_memory *memory, uint64_t deadline_ns, const char *what,
                    struct pa_error *error) {
    struct pa_cuda_device *device = memory->device;
    PA_CUDA_TRY(device, cuEventRecord, memory->done, memory->stream);
    return pa_cuda_wait(device, memory->done, deadline_ns, what, error);
}

int pa_cuda_memory_fill(struct pa_memory *memory, const struct pa_seed *seed, uint64_t deadline_ns,
                        uint64_t *out_ns, struct pa_error *error) {
    struct pa_seed from = *seed;
    PA_TRY(pa_cuda_enter(memory->device, error));
    uint64_t begun_ns = pa_clock_raw_ns();
    for (uint32_t first = 0; first < memory->chunks; first += BATCH) {
        uint32_t left = memory->chunks - first, count = left < BATCH ? left : BATCH;
        CUdeviceptr out = memory->data + (CUdeviceptr)first * PA_MEMORY_CHUNK_BYTES;
        void *parameters[] = {&out, &first, &from.k0, &from.k1, &from.c2, &from.c3};
        PA_TRY(pa_cuda_launch(memory->device, PA_KERNEL_MEMORY_FILL, pa_grid_memory(count),
                              memory->stream, parameters, error));
        PA_TRY(wait_for(memory, deadline_ns, "filling its memory", error));
    }
    *out_ns = pa_clock_raw_ns() - begun_ns;
    return PA_OK;
}

int pa_cuda_memory_read(struct pa_memory *memory, const uint32_t *order, uint32_t s,
                        uint64_t deadline_ns, uint64_t *answers, uint64_t *out_ns,
                        struct pa_error *error) {
    struct pa_cuda_device *device = memory->device;
    const size_t order_bytes = memory->chunks * sizeof *order;
    const size_t answer_bytes = memory->chunks * sizeof *answers;
    PA_TRY(pa_cuda_enter(device, error));
    memcpy(memory->host_order, order, order_bytes);
    uint64_t begun_ns = pa_clock_raw_ns();
    PA_CUDA_TRY(device, cuMemcpyHtoDAsync_v2, memory->order, memory->host_order, order_bytes,
                memory->stream);
    for (uint32_t first = 0; first < memory->chunks; first += BATCH) {
        uint32_t left = memory->chunks - first, count = left < BATCH ? left : BATCH;
        CUdeviceptr which = memory->order + first * sizeof *order;
        CUdeviceptr out = memory->answers + first * sizeof *answers;
        void *parameters[] = {&memory->data, &which, &s, &out};
        PA_TRY(pa_cuda_launch(device, PA_KERNEL_MEMORY_DIGEST, pa_grid_memory(count),
                              memory->stream, parameters, error));
        PA_TRY(wait_for(memory, deadline_ns, "reading its memory back", error));
    }
    PA_CUDA_TRY(device, cuMemcpyDtoHAsync_v2, memory->host_answers, memory->answers, answer_bytes,
                memory->stream);
    PA_TRY(wait_for(memory, deadline_ns, "reading its memory back", error));
    *out_ns = pa_clock_raw_ns() - begun_ns;
    memcpy(answers, memory->host_answers, answer_bytes);
    return PA_OK;
}

void pa_cuda_memory_close(struct pa_memory *memory) {
    if (memory == NULL)
        return;
    struct pa_cuda_device *device = memory->device;
    /* Freeing waits for the device; one that hangs keeps its memory until the process ends. */
    bool is_well = pa_cuda_enter(device, NULL) == PA_OK;
    bool is_quiet =
        is_well && (memory->stream == NULL ||
                    PA_CUDA_CALL(device, cuStreamQuery, memory->stream) == CUDA_SUCCESS);
    if (is_well && !is_quiet)
        pa_cuda_lose_hung(device, "the memory proof");
    if (is_quiet) {
        if (memory->data != 0)
            PA_CUDA_CALL(device, cuMemFree_v2, memory->data);
        if (memory->order != 0)
            PA_CUDA_CALL(device, cuMemFree_v2, memory->order);
        if (memory->answers != 0)
            PA_CUDA_CALL(device, cuMemFree_v2, memory->answers);
        if (memory->host_order != NULL)
            PA_CUDA_CALL(device, cuMemFreeHost, memory->host_order);
        if (memory->host_answers != NULL)
            PA_CUDA_CALL(device, cuMemFreeHost, memory->host_answers);
        if (memory->done != NULL)
            PA_CUDA_CALL(device, cuEventDestroy_v2, memory->done);
        if (memory->stream != NULL)
            PA_CUDA_CALL(device, cuStreamDestroy_v2, memory->stream);
    }
    free(memory);
}
