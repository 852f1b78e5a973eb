/* SPDX-License-Identifier: Apache-2.0 */
/* nccl_operations.c - what the emulated NCCL does in the lazy streams: the all-reduce, and a group
 * of one ncclSend and one ncclRecv between two ranks. Nothing else of groups is modelled. */
#include "emulated_gpu/nccl_inside.h"

#include "emulated_gpu/lt_numbers.h"

#include <stdlib.h>
#include <string.h>

/* Types beyond the one that petaudit declares. */
enum { TYPE_INT32 = 2, TYPE_UINT64 = 5, TYPE_FLOAT32 = 7, TYPE_BFLOAT16 = 9 };
enum { CUDA_ERROR_UNKNOWN = 999 };

static void add_int32(void *sum, const void *term, size_t count) {
    uint32_t *out = sum;
    const uint32_t *in = term;
    for (size_t i = 0; i < count; i++)
        out[i] += in[i];
}

static void add_uint64(void *sum, const void *term, size_t count) {
    uint64_t *out = sum;
    const uint64_t *in = term;
    for (size_t i = 0; i < count; i++)
        out[i] += in[i];
}

static void add_float(void *sum, const void *term, size_t count) {
    float *out = sum;
    const float *in = term;
    for (size_t i = 0; i < count; i++)
        out[i] += in[i];
}

/* Rounded after each addition: only sums that fit 8 bits are exact, as on the hardware. */
static void add_bfloat16(void *sum, const void *term, size_t count) {
    for (size_t i = 0; i < count; i++)
        lt_write(LT_BF16, sum, i, lt_read(LT_BF16, sum, i) + lt_read(LT_BF16, term, i));
}

static room_add adder_of(int type, uint32_t *element_bytes) {
    switch (type) {
    case TYPE_INT32:
        *element_bytes = 4;
        return add_int32;
    case TYPE_UINT64:
        *element_bytes = 8;
        return add_uint64;
    case TYPE_FLOAT32:
        *element_bytes = 4;
        return add_float;
    case TYPE_BFLOAT16:
        *element_bytes = 2;
        return add_bfloat16;
    default:
        return NULL;
    }
}

/* One operation in a stream. What it reads is copied when it starts: it may write there too. */
struct operation {
    struct ncclComm *comm;
    const char *call;
    uint64_t input, output, bytes; /* addresses on the device */
    /* One look: whether it is done. */
    enum room_answer (*look)(struct operation *operation, int *peer);
    struct room_sum sum;
    struct room_swap swap;
    struct emulated_fault fault;
    bool is_started;
    void *copy, *result;
};

static enum room_answer look_at_sum(struct operation *operation, int *peer) {
    return room_sum(operation->comm->room, &operation->sum, peer);
}

static enum room_answer look_at_swap(struct operation *operation, int *peer) {
    return room_swap(operation->comm->room, &operation->swap, peer);
}

static int start(struct operation *operation, int device) {
    const void *input = NULL;
    int code =
        emulated_memory_read(device, operation->input, operation->bytes, operation->call, &input);
    if (code == 0)
        code = emulated_memory_write(device, operation->output, operation->bytes, operation->call,
                                     &operation->result);
    if (code != 0)
        return code;
    operation->copy = malloc(operation->bytes);
    if (operation->copy == NULL)
        return CUDA_ERROR_UNKNOWN;
    memcpy(operation->copy, input, operation->bytes);
    operation->sum.input = operation->swap.input = operation->copy;
    operation->sum.output = operation->swap.output = operation->result;
    operation->is_started = true;
    return EMULATED_DONE;
}

static int run(void *context, int device) {
    struct operation *operation = context;
    struct ncclComm *comm = operation->comm;
    int peer = 0;
    pthread_mutex_lock(&emulated_nccl_mutex);
    bool is_aborted = comm->is_aborted;
    enum room_answer answer = comm->error == ncclSuccess ? room_join(comm->room, &peer) : ROOM_GONE;
    pthread_mutex_unlock(&emulated_nccl_mutex);
    if (is_aborted)
        return EMULATED_DONE; /* the kernel leaves; what it wrote is of no use */
    if (answer != ROOM_READY || operation->fault.kind == EMULATED_FAULT_HANG)
        return EMULATED_PENDING;
    if (!operation->is_started) {
        int code = start(operation, device);
        if (code != EMULATED_DONE)
            return code;
    }
    answer = operation->look(operation, &peer);
    emulated_stream_progress();
    if (answer == ROOM_READY) {
        uint64_t at = operation->fault.offset;
        if (operation->fault.kind == EMULATED_FAULT_WRONG && at < operation->bytes)
            ((uint8_t *)operation->result)[at] ^= 1;
        return EMULATED_DONE;
    }
    pthread_mutex_lock(&emulated_nccl_mutex);
    emulated_nccl_take(comm, answer, peer, operation->call);
    pthread_mutex_unlock(&emulated_nccl_mutex);
    return EMULATED_PENDING;
}

/* The last operation of a communicator that was given up takes it along. */
static void drop(void *context) {
    struct operation *operation = context;
    pthread_mutex_lock(&emulated_nccl_mutex);
    bool is_last = --operation->comm->running == 0 && !emulated_nccl_knows(operation->comm);
    pthread_mutex_unlock(&emulated_nccl_mutex);
    if (is_last)
        emulated_nccl_release(operation->comm);
    free(operation->copy);
    free(operation);
}

static ncclResult_t enqueue(const struct operation *wanted, struct CUstream_st *stream) {
    struct ncclComm *comm = wanted->comm;
    struct operation *operation = malloc(sizeof *operation);
    if (operation == NULL)
        return ncclSystemError;
    *operation = *wanted;
    pthread_mutex_lock(&emulated_nccl_mutex);
    comm->running++;
    comm->polls_left += comm->is_blocking ? 0 : 1;
    pthread_mutex_unlock(&emulated_nccl_mutex);
    int code = emulated_stream_enqueue(stream, wanted->call, run, operation, drop);
    if (code == 0 && wanted->fault.kind == EMULATED_FAULT_STICKY)
        emulated_device_fail(comm->device, wanted->fault.code);
    if (code != 0)
        return ncclUnhandledCudaError;
    return comm->is_blocking ? ncclSuccess : ncclInProgress;
}

/* The stream must be of the communicator's GPU, and the call before it done. */
static ncclResult_t check(struct ncclComm *comm, struct CUstream_st *stream, const char *function) {
    if (emulated_stream_device(stream) != comm->device) {
        emulated_report("%s: the stream is not of GPU %d, whose communicator it is", function,
                        comm->device);
        return ncclInvalidArgument;
    }
    return emulated_nccl_ready(comm, function);
}

ncclResult_t ncclAllReduce(const void *input, void *output, size_t count, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t comm, struct CUstream_st *stream) {
    struct emulated_fault ordered;
    uint32_t element_bytes = 0;
    if (!emulated_nccl_is_live(comm, __func__))
        return ncclInvalidArgument;
    ncclResult_t result = emulated_nccl_fault(__func__, comm->device, &ordered);
    if (result != ncclSuccess)
        return result;
    room_add add = adder_of((int)type, &element_bytes);
    if (add == NULL || operation != ncclSum || count > (UINT64_C(1) << 40) / 8) {
        emulated_report("%s: type %d with operation %d is not modelled", __func__, (int)type,
                        (int)operation);
        return ncclInvalidArgument;
    }
    result = check(comm, stream, __func__);
    if (result != ncclSuccess || count == 0)
        return result;
    uint64_t bytes = count * element_bytes;
    return enqueue(&(struct operation){.comm = comm,
                                       .call = "ncclAllReduce",
                                       .input = (uint64_t)(uintptr_t)input,
                                       .output = (uint64_t)(uintptr_t)output,
                                       .bytes = bytes,
                                       .look = look_at_sum,
                                       .fault = ordered,
                                       .sum = {.bytes = bytes,
                                               .kind = (uint32_t)type << 8 | (uint32_t)operation,
                                               .element_bytes = element_bytes,
                                               .add = add}},
                   stream);
}

/* ---- pairs ---- */

/* What this thread's group holds: one of each, of one communicator, stream and peer. */
static _Thread_local struct {
    struct operation operation;
    struct CUstream_st *stream;
    bool sends, receives, is_wrong;
} group;

/* The half of a pair that is to send or to receive. */
static ncclResult_t add_half(bool sends, uint64_t address, size_t count, ncclDataType_t type,
                             int peer, struct ncclComm *comm, struct CUstream_st *stream,
                             const char *function) {
    struct emulated_fault ordered;
    uint32_t element_bytes = 0;
    if (!emulated_nccl_is_live(comm, function))
        return ncclInvalidArgument;
    ncclResult_t result = emulated_nccl_fault(function, comm->device, &ordered);
    if (result == ncclSuccess)
        result = check(comm, stream, function);
    if (result != ncclSuccess)
        return result;
    struct operation *operation = &group.operation;
    bool is_second = group.sends || group.receives;
    uint64_t bytes = adder_of((int)type, &element_bytes) != NULL ? count * element_bytes : 0;
    if (!emulated_nccl_in_group() || bytes == 0 || peer < 0 || peer >= comm->ranks ||
        peer == comm->rank || (sends ? group.sends : group.receives) ||
        (is_second && (operation->comm != comm || operation->bytes != bytes ||
                       operation->swap.peer != peer || group.stream != stream))) {
        emulated_report("%s: only a group of one send and one receive, as many of a known type to "
                        "and from one other rank, is modelled",
                        function);
        group.is_wrong = true;
        return ncclInvalidUsage;
    }
    operation->comm = comm;
    operation->bytes = operation->swap.bytes = bytes;
    operation->swap.peer = peer;
    group.stream = stream;
    if (ordered.kind != EMULATED_FAULT_NONE)
        operation->fault = ordered;
    if (sends)
        operation->input = address;
    else
        operation->output = address;
    group.sends |= sends;
    group.receives |= !sends;
    return ncclSuccess;
}

ncclResult_t ncclSend(const void *input, size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, struct CUstream_st *stream) {
    return add_half(true, (uint64_t)(uintptr_t)input, count, type, peer, comm, stream, __func__);
}

ncclResult_t ncclRecv(void *output, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      struct CUstream_st *stream) {
    return add_half(false, (uint64_t)(uintptr_t)output, count, type, peer, comm, stream, __func__);
}

ncclResult_t emulated_nccl_start_group(void) {
    ncclResult_t result = ncclSuccess;
    if (group.sends != group.receives || group.is_wrong) {
        emulated_report("ncclGroupEnd: a send without a receive is not modelled");
        result = ncclInvalidUsage;
    } else if (group.sends) {
        group.operation.call = "ncclSend and ncclRecv";
        group.operation.look = look_at_swap;
        result = enqueue(&group.operation, group.stream);
    }
    memset(&group, 0, sizeof group);
    return result;
}
