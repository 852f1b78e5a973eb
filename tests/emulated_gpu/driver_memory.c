/* SPDX-License-Identifier: Apache-2.0 */
/* cuMem*: device memory, pinned memory of the host, copies and fills. */
#include "emulated_gpu/driver_exports.h"
#include "emulated_gpu/driver_state.h"
#include "emulated_gpu/emulated_memory.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, PINNED_FLAGS = 7, PINNED_POISON = 0xAB };

EMULATED_API CUresult cuMemGetInfo_v2(size_t *free_bytes, size_t *total_bytes) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    if (free_bytes == NULL || total_bytes == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    uint64_t left, total;
    emulated_memory_info(call.device, &left, &total);
    *free_bytes = left;
    *total_bytes = total;
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    if (address == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    uint64_t given = 0;
    CUresult result = (CUresult)emulated_memory_allocate(call.device, bytes, &given);
    if (result == CUDA_SUCCESS)
        *address = given;
    return call_end(&call, result);
}

/* Waits for the device, as the driver does. */
EMULATED_API CUresult cuMemFree_v2(CUdeviceptr address) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    if (address == 0)
        return call_end(&call, CUDA_SUCCESS);
    CUresult result = device_wait(call.context);
    if (result == CUDA_SUCCESS)
        result = (CUresult)emulated_memory_free(call.device, address);
    return call_end(&call, result);
}

/* ---- pinned memory ---- */

static struct pinned {
    struct pinned *next;
    uint8_t *at;
    uint64_t bytes;
    int device; /* whose context it was made in */
} * pinned;

uint64_t pinned_bytes(void) {
    uint64_t bytes = 0;
    /* A context that died, or hangs, keeps what it had: nothing can be freed through it. */
    for (const struct pinned *piece = pinned; piece != NULL; piece = piece->next)
        if (driver_error(driver_context(piece->device)) == CUDA_SUCCESS &&
            !context_hangs(driver_context(piece->device)))
            bytes += piece->bytes;
    return bytes;
}

bool pinned_contains(const void *address, uint64_t bytes) {
    uintptr_t at = (uintptr_t)address;
    for (const struct pinned *piece = pinned; piece != NULL; piece = piece->next)
        if (at >= (uintptr_t)piece->at && at - (uintptr_t)piece->at <= piece->bytes &&
            bytes <= piece->bytes - (at - (uintptr_t)piece->at))
            return true;
    return false;
}

EMULATED_API CUresult cuMemHostAlloc(void **address, size_t bytes, unsigned int flags) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    if (address == NULL || bytes == 0 || (flags & ~(unsigned)PINNED_FLAGS) != 0)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    if (bytes > SIZE_MAX - PAGE)
        return call_end(&call, CUDA_ERROR_OUT_OF_MEMORY);
    struct pinned *piece = malloc(sizeof *piece);
    uint8_t *at = aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
    if (piece == NULL || at == NULL) {
        free(piece);
        free(at);
        return call_end(&call, CUDA_ERROR_OUT_OF_MEMORY);
    }
    memset(at, PINNED_POISON, bytes);
    *piece = (struct pinned){pinned, at, bytes, call.device};
    pinned = piece;
    *address = at;
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuMemFreeHost(void *address) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    for (struct pinned **link = &pinned; *link != NULL; link = &(*link)->next)
        if ((*link)->at == address) {
            struct pinned *piece = *link;
            CUresult result = device_wait(call.context);
            if (result != CUDA_SUCCESS)
                return call_end(&call, result);
            for (link = &pinned; *link != piece;)
                link = &(*link)->next;
            *link = piece->next;
            free(piece->at);
            free(piece);
            return call_end(&call, CUDA_SUCCESS);
        }
    return call_end(&call, call_misuse(&call, CUDA_ERROR_INVALID_VALUE,
                                       "%p is no pinned memory, or it was freed", address));
}

/* ---- copies and fills ---- */

/* One side is on the host for copies to and from it. */
struct transfer {
    const char *name;
    uint64_t to, from; /* device addresses */
    void *host_to;
    const void *host_from;
    uint8_t *staged; /* the source of a copy from pageable memory, taken at the call */
    uint64_t bytes;
    uint32_t word; /* of a fill */
    unsigned word_bytes;
    struct emulated_fault fault;
};

static void transfer_drop(void *context) {
    struct transfer *transfer = context;
    free(transfer->staged);
    free(transfer);
}

static void fill(uint8_t *to, const struct transfer *transfer) {
    for (uint64_t i = 0; i < transfer->bytes; i += transfer->word_bytes)
        memcpy(to + i, &transfer->word, transfer->word_bytes);
}

static int transfer_work(void *context, int device) {
    const struct transfer *transfer = context;
    const void *from = transfer->staged != NULL ? transfer->staged : transfer->host_from;
    void *to = transfer->host_to;
    int result = 0;
    if (transfer->from != 0)
        result =
            emulated_memory_read(device, transfer->from, transfer->bytes, transfer->name, &from);
    if (result == 0 && transfer->to != 0)
        result = emulated_memory_write(device, transfer->to, transfer->bytes, transfer->name, &to);
    if (result != 0)
        return result;
    if (transfer->word_bytes != 0)
        fill(to, transfer);
    else
        memmove(to, from, transfer->bytes);
    if (transfer->fault.kind == EMULATED_FAULT_WRONG && transfer->fault.offset < transfer->bytes)
        ((uint8_t *)to)[transfer->fault.offset] ^= 1;
    return 0;
}

/* Addresses are looked at when the call is made, as the driver does, and again when it runs. */
static CUresult transfer_check(const struct call *call, const struct transfer *transfer) {
    const uint64_t addresses[] = {transfer->to, transfer->from};
    for (size_t i = 0; i < 2; i++) {
        if (addresses[i] == 0)
            continue;
        struct ptx_range range;
        char why[200];
        int device = call->device;
        if (!emulated_memory_find(&device, addresses[i], transfer->bytes, i == 0, &range, why,
                                  sizeof why))
            return call_misuse(call, CUDA_ERROR_INVALID_VALUE, "GPU %d, %llu bytes at 0x%llx: %s",
                               device, (unsigned long long)transfer->bytes,
                               (unsigned long long)addresses[i], why);
    }
    return CUDA_SUCCESS;
}

static CUresult transfer_enqueue(struct call *call, CUstream handle, struct transfer transfer) {
    struct CUstream_st *stream = stream_of(call, handle);
    if (stream == NULL)
        return CUDA_ERROR_INVALID_HANDLE;
    if (stream->device != call->device)
        return call_misuse(call, CUDA_ERROR_INVALID_HANDLE,
                           "a stream of GPU %d while GPU %d is current", stream->device,
                           call->device);
    if (transfer.bytes == 0)
        return CUDA_SUCCESS;
    CUresult result = transfer_check(call, &transfer);
    if (result != CUDA_SUCCESS)
        return result;
    struct transfer *copy = malloc(sizeof *copy);
    if (copy == NULL)
        return CUDA_ERROR_OUT_OF_MEMORY;
    transfer.name = call->function;
    transfer.fault = call->fault;
    *copy = transfer;
    if (transfer.host_from != NULL && !pinned_contains(transfer.host_from, transfer.bytes)) {
        copy->staged = malloc(transfer.bytes);
        if (copy->staged == NULL) {
            free(copy);
            return CUDA_ERROR_OUT_OF_MEMORY;
        }
        memcpy(copy->staged, transfer.host_from, transfer.bytes);
    }
    result = stream_append(call, stream, call->function, transfer_work, copy, transfer_drop);
    /* To pageable memory: back only when it is there. */
    if (result == CUDA_SUCCESS && transfer.host_to != NULL &&
        !pinned_contains(transfer.host_to, transfer.bytes))
        result = stream_wait(stream, UINT64_MAX);
    return result;
}

EMULATED_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes,
                                           CUstream stream) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT | CALL_ENQUEUES, -1))
        return call.result;
    if (from == NULL || to == 0)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    struct transfer transfer = {.to = to, .host_from = from, .bytes = bytes};
    return call_end(&call, transfer_enqueue(&call, stream, transfer));
}

EMULATED_API CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes,
                                           CUstream stream) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT | CALL_ENQUEUES, -1))
        return call.result;
    if (to == NULL || from == 0)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    struct transfer transfer = {.from = from, .host_to = to, .bytes = bytes};
    return call_end(&call, transfer_enqueue(&call, stream, transfer));
}

EMULATED_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes,
                                           CUstream stream) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT | CALL_ENQUEUES, -1))
        return call.result;
    if (to == 0 || from == 0)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    struct transfer transfer = {.to = to, .from = from, .bytes = bytes};
    return call_end(&call, transfer_enqueue(&call, stream, transfer));
}

EMULATED_API CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char byte, size_t bytes,
                                      CUstream stream) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT | CALL_ENQUEUES, -1))
        return call.result;
    if (to == 0)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    struct transfer transfer = {.to = to, .bytes = bytes, .word = byte, .word_bytes = 1};
    return call_end(&call, transfer_enqueue(&call, stream, transfer));
}

EMULATED_API CUresult cuMemsetD32Async(CUdeviceptr to, unsigned int word, size_t words,
                                       CUstream stream) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT | CALL_ENQUEUES, -1))
        return call.result;
    if (to == 0 || to % sizeof word != 0 || words > SIZE_MAX / sizeof word)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    struct transfer transfer = {
        .to = to, .bytes = words * sizeof word, .word = word, .word_bytes = sizeof word};
    return call_end(&call, transfer_enqueue(&call, stream, transfer));
}
