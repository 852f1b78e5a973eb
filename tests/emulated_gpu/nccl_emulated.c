/* SPDX-License-Identifier: Apache-2.0 */
/* nccl_emulated.c - the emulated libnccl.so.2: communicators over shared memory (nccl_room.h),
 * whose all-reduce is an operation in the lazy streams.
 *
 * What NCCL does and what is imitated: a communicator made with blocking = 0 answers ncclInProgress
 * and must be asked (ncclCommGetAsyncError) until it says ncclSuccess, else the next call is
 * refused; the operation of a rank whose peer died does not end by itself, the asynchronous error
 * tells, and ncclCommAbort ends it. */
#include "emulated_gpu/emulated.h"
#include "emulated_gpu/lt_numbers.h"
#include "emulated_gpu/nccl_room.h"

#include "device/nccl_api.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DECLARE(required, returns, symbol, arguments) EMULATED_API returns symbol arguments;
PA_NCCL_FUNCTIONS(DECLARE)
/* Exported too, so that programs with several communicators in one thread can be tried. */
EMULATED_API ncclResult_t ncclGroupStart(void);
EMULATED_API ncclResult_t ncclGroupEnd(void);
#undef DECLARE

enum { VERSION = 22809, TEXT_BYTES = 256, COMMS_MAX = 256, GROUP_MAX = ROOM_RANKS_MAX };
/* Types beyond the one that petaudit declares. */
enum { TYPE_INT32 = 2, TYPE_UINT64 = 5, TYPE_FLOAT32 = 7, TYPE_BFLOAT16 = 9 };
enum { CUDA_ERROR_UNKNOWN = 999 };

struct ncclComm {
    struct nccl_room *room;
    int device, rank, ranks;
    bool is_blocking, is_aborted, is_finalized;
    int polls_left; /* answers of ncclInProgress before success is told */
    int running;    /* operations in streams */
    ncclResult_t error;
    char text[TEXT_BYTES];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct ncclComm *live[COMMS_MAX]; /* a handle is trusted only when it is one of these */
static char last_text[TEXT_BYTES];
static _Thread_local int group_depth, group_count;
static _Thread_local struct ncclComm *group[GROUP_MAX];

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* Called first in each function. */
static ncclResult_t fault(const char *function, int device, struct emulated_fault *out) {
    *out = emulated_fault_check(function, device);
    if (emulated_platform() == NULL)
        return ncclSystemError;
    return out->kind == EMULATED_FAULT_CODE ? (ncclResult_t)out->code : ncclSuccess;
}

static void hang_if(const struct emulated_fault *ordered) {
    while (ordered->kind == EMULATED_FAULT_HANG)
        nap();
}

/* The same in functions without work of their own: a hang never returns. */
static ncclResult_t ordered_call(const char *function, int device) {
    struct emulated_fault ordered;
    ncclResult_t result = fault(function, device, &ordered);
    hang_if(&ordered);
    return result;
}

static int find(const struct ncclComm *comm) {
    for (int i = 0; i < COMMS_MAX; i++)
        if (live[i] == comm)
            return i;
    return -1;
}

static bool is_live(const struct ncclComm *comm, const char *function) {
    pthread_mutex_lock(&mutex);
    bool found = comm != NULL && find(comm) >= 0;
    pthread_mutex_unlock(&mutex);
    if (!found)
        emulated_report("%s: %p is no communicator", function, (const void *)comm);
    return found;
}

/* The first error stays. Called under the mutex. */
static ncclResult_t fail(struct ncclComm *comm, ncclResult_t error, const char *text) {
    if (comm->error == ncclSuccess) {
        comm->error = error;
        snprintf(comm->text, sizeof comm->text, "%s", text);
        snprintf(last_text, sizeof last_text, "%s", text);
    }
    return comm->error;
}

static void take_answer(struct ncclComm *comm, enum room_answer answer, int peer) {
    char text[TEXT_BYTES];
    if (answer == ROOM_GONE) {
        snprintf(text, sizeof text, "rank %d is gone", peer);
        fail(comm, ncclRemoteError, text);
    } else if (answer == ROOM_DIFFERS) {
        snprintf(text, sizeof text,
                 "rank %d called with another count, type or operation, or twice", peer);
        emulated_report("ncclAllReduce: %s", text);
        fail(comm, ncclInvalidUsage, text);
    } else if (answer == ROOM_FAILED) {
        snprintf(text, sizeof text, "shared memory: %s", strerror(errno));
        fail(comm, ncclSystemError, text);
    }
}

/* How the communicator stands. Called under the mutex. */
static ncclResult_t state_of(struct ncclComm *comm) {
    int peer = 0;
    if (comm->error != ncclSuccess)
        return comm->error;
    enum room_answer answer = room_join(comm->room, &peer);
    take_answer(comm, answer, peer);
    if (comm->error != ncclSuccess)
        return comm->error;
    if (answer == ROOM_WAITS || (comm->is_finalized && comm->running > 0))
        return ncclInProgress;
    return ncclSuccess;
}

ncclResult_t ncclGetVersion(int *version) {
    ncclResult_t result = ordered_call(__func__, -1);
    if (result != ncclSuccess)
        return result;
    if (version == NULL)
        return ncclInvalidArgument;
    *version = VERSION;
    return ncclSuccess;
}

const char *ncclGetErrorString(ncclResult_t result) {
    ordered_call(__func__, -1);
    static const char *const texts[] = {
        "no error",
        "unhandled cuda error (run with NCCL_DEBUG=INFO for details)",
        "unhandled system error (run with NCCL_DEBUG=INFO for details)",
        "internal error - please report this issue to the NCCL developers",
        "invalid argument (run with NCCL_DEBUG=WARN for details)",
        "invalid usage (run with NCCL_DEBUG=WARN for details)",
        "remote process exited or there was a network error",
        "NCCL operation in progress"};
    size_t index = (size_t)result;
    return index < sizeof texts / sizeof texts[0] ? texts[index] : "unknown result code";
}

const char *ncclGetLastError(ncclComm_t comm) {
    (void)comm; /* the vendor's ignores it too: the last error of any */
    ordered_call(__func__, -1);
    static _Thread_local char text[TEXT_BYTES];
    pthread_mutex_lock(&mutex);
    memcpy(text, last_text, sizeof text);
    pthread_mutex_unlock(&mutex);
    return text;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId *id) {
    ncclResult_t result = ordered_call(__func__, -1);
    if (result != ncclSuccess)
        return result;
    if (id == NULL)
        return ncclInvalidArgument;
    return room_id_make((uint8_t *)id->internal) ? ncclSuccess : ncclSystemError;
}

/* The config is read as far as its size says; what a caller does not know keeps its default. */
static ncclResult_t config_read(const ncclConfig_t *config, bool *is_blocking) {
    *is_blocking = true;
    if (config == NULL)
        return ncclSuccess;
    if (config->magic != PA_NCCL_CONFIG_MAGIC || config->size < sizeof *config) {
        emulated_report("ncclCommInitRankConfig: the config was not initialised");
        return ncclInvalidArgument;
    }
    if (config->blocking == INT_MIN) /* NCCL_CONFIG_UNDEF_INT */
        return ncclSuccess;
    if (config->blocking != 0 && config->blocking != 1)
        return ncclInvalidArgument;
    *is_blocking = config->blocking == 1;
    return ncclSuccess;
}

static ncclResult_t comm_make(const ncclUniqueId *id, int rank, int ranks, int device,
                              bool is_blocking, struct ncclComm **out) {
    struct ncclComm *comm = calloc(1, sizeof *comm);
    if (comm == NULL)
        return ncclSystemError;
    *comm = (struct ncclComm){
        .device = device, .rank = rank, .ranks = ranks, .is_blocking = is_blocking};
    comm->room = room_new((const uint8_t *)id->internal, rank, ranks);
    pthread_mutex_lock(&mutex);
    int slot = find(NULL);
    if (comm->room != NULL && slot >= 0)
        live[slot] = comm;
    pthread_mutex_unlock(&mutex);
    if (comm->room == NULL || slot < 0) {
        room_leave(comm->room);
        free(comm);
        return ncclSystemError;
    }
    *out = comm;
    return ncclSuccess;
}

/* What a blocking communicator does: wait, for ever if need be. */
static ncclResult_t wait_for(struct ncclComm *comm) {
    for (;;) {
        pthread_mutex_lock(&mutex);
        ncclResult_t state = state_of(comm);
        pthread_mutex_unlock(&mutex);
        if (state != ncclInProgress)
            return state;
        nap();
    }
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t *config) {
    struct emulated_fault ordered;
    int device = emulated_current_device();
    bool is_blocking;
    ncclResult_t result = fault(__func__, device, &ordered);
    if (result != ncclSuccess)
        return result;
    if (comm == NULL || ranks < 1 || ranks > ROOM_RANKS_MAX || rank < 0 || rank >= ranks ||
        !room_id_is_sound((const uint8_t *)id.internal))
        return ncclInvalidArgument;
    if (device < 0) {
        emulated_report("%s: no context is current on this thread", __func__);
        return ncclUnhandledCudaError;
    }
    result = config_read(config, &is_blocking);
    if (result == ncclSuccess)
        result = comm_make(&id, rank, ranks, device, is_blocking, comm);
    if (result != ncclSuccess)
        return result;
    if (ordered.kind == EMULATED_FAULT_HANG)
        (*comm)->polls_left = INT_MAX; /* never comes up */
    if (!is_blocking) {
        pthread_mutex_lock(&mutex);
        (*comm)->polls_left += (*comm)->polls_left < INT_MAX ? 1 : 0;
        state_of(*comm); /* take the seat, so that the others need not wait for our next call */
        pthread_mutex_unlock(&mutex);
        return ncclInProgress;
    }
    hang_if(&ordered);
    if (group_depth > 0 && group_count < GROUP_MAX) {
        group[group_count++] = *comm;
        return ncclSuccess;
    }
    return wait_for(*comm);
}

ncclResult_t ncclGroupStart(void) {
    group_depth++;
    return ncclSuccess;
}

ncclResult_t ncclGroupEnd(void) {
    ncclResult_t result = ncclSuccess;
    if (group_depth == 0)
        return ncclInvalidUsage;
    if (--group_depth > 0)
        return ncclSuccess;
    for (int i = 0; i < group_count; i++) {
        ncclResult_t state = wait_for(group[i]);
        result = result == ncclSuccess ? state : result;
    }
    group_count = 0;
    return result;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *result) {
    if (!is_live(comm, __func__) || result == NULL)
        return ncclInvalidArgument;
    ncclResult_t code = ordered_call(__func__, comm->device);
    if (code != ncclSuccess)
        return code;
    pthread_mutex_lock(&mutex);
    *result = state_of(comm);
    if (*result == ncclSuccess && comm->polls_left > 0) {
        comm->polls_left -= comm->polls_left < INT_MAX ? 1 : 0;
        *result = ncclInProgress;
    }
    pthread_mutex_unlock(&mutex);
    return ncclSuccess;
}

/* ---- the all-reduce ---- */

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

struct reduction {
    struct ncclComm *comm;
    uint64_t input, output;
    struct room_sum sum;
    struct emulated_fault fault;
    bool is_started;
    void *copy; /* of the input: it may be the output too */
};

static int reduction_start(struct reduction *reduction, int device) {
    const void *input = NULL;
    void *output = NULL;
    uint64_t bytes = reduction->sum.bytes;
    int code = emulated_memory_read(device, reduction->input, bytes, "ncclAllReduce input", &input);
    if (code == 0)
        code = emulated_memory_write(device, reduction->output, bytes, "ncclAllReduce output",
                                     &output);
    if (code != 0)
        return code;
    reduction->copy = malloc(bytes);
    if (reduction->copy == NULL)
        return CUDA_ERROR_UNKNOWN;
    memcpy(reduction->copy, input, bytes);
    reduction->sum.input = reduction->copy;
    reduction->sum.output = output;
    reduction->is_started = true;
    return EMULATED_DONE;
}

static int reduction_run(void *context, int device) {
    struct reduction *reduction = context;
    struct ncclComm *comm = reduction->comm;
    int peer = 0;
    pthread_mutex_lock(&mutex);
    bool is_aborted = comm->is_aborted;
    enum room_answer answer = comm->error == ncclSuccess ? room_join(comm->room, &peer) : ROOM_GONE;
    pthread_mutex_unlock(&mutex);
    if (is_aborted)
        return EMULATED_DONE; /* the kernel leaves; what it wrote is of no use */
    if (answer != ROOM_READY || reduction->fault.kind == EMULATED_FAULT_HANG)
        return EMULATED_PENDING;
    if (!reduction->is_started) {
        int code = reduction_start(reduction, device);
        if (code != EMULATED_DONE)
            return code;
    }
    answer = room_sum(comm->room, &reduction->sum, &peer);
    emulated_stream_progress();
    if (answer == ROOM_READY) {
        uint64_t at = reduction->fault.offset;
        if (reduction->fault.kind == EMULATED_FAULT_WRONG && at < reduction->sum.bytes)
            ((uint8_t *)reduction->sum.output)[at] ^= 1;
        return EMULATED_DONE;
    }
    pthread_mutex_lock(&mutex);
    take_answer(comm, answer, peer);
    pthread_mutex_unlock(&mutex);
    return EMULATED_PENDING;
}

static void comm_release(struct ncclComm *comm) {
    room_leave(comm->room);
    free(comm);
}

/* The last operation of a communicator that was given up takes it along. */
static void reduction_drop(void *context) {
    struct reduction *reduction = context;
    pthread_mutex_lock(&mutex);
    bool is_last = --reduction->comm->running == 0 && find(reduction->comm) < 0;
    pthread_mutex_unlock(&mutex);
    if (is_last)
        comm_release(reduction->comm);
    free(reduction->copy);
    free(reduction);
}

/* As NCCL's ncclCommEnsureReady. */
static ncclResult_t ensure_ready(struct ncclComm *comm, const char *function) {
    pthread_mutex_lock(&mutex);
    ncclResult_t state = state_of(comm);
    if (state == ncclSuccess && comm->polls_left > 0)
        state = ncclInProgress;
    pthread_mutex_unlock(&mutex);
    if (state != ncclInProgress)
        return state;
    emulated_report("%s: the communicator was used before its last call said ncclSuccess",
                    function);
    return ncclInvalidArgument;
}

ncclResult_t ncclAllReduce(const void *input, void *output, size_t count, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t comm, struct CUstream_st *stream) {
    struct emulated_fault ordered;
    uint32_t element_bytes = 0;
    if (!is_live(comm, __func__))
        return ncclInvalidArgument;
    ncclResult_t result = fault(__func__, comm->device, &ordered);
    if (result != ncclSuccess)
        return result;
    room_add add = adder_of((int)type, &element_bytes);
    if (add == NULL || operation != ncclSum || count > (UINT64_C(1) << 40) / 8) {
        emulated_report("%s: type %d with operation %d is not modelled", __func__, (int)type,
                        (int)operation);
        return ncclInvalidArgument;
    }
    if (emulated_stream_device(stream) != comm->device) {
        emulated_report("%s: the stream is not of GPU %d, whose communicator it is", __func__,
                        comm->device);
        return ncclInvalidArgument;
    }
    result = ensure_ready(comm, __func__);
    if (result != ncclSuccess || count == 0)
        return result;
    struct reduction *reduction = calloc(1, sizeof *reduction);
    if (reduction == NULL)
        return ncclSystemError;
    *reduction = (struct reduction){.comm = comm,
                                    .input = (uint64_t)(uintptr_t)input,
                                    .output = (uint64_t)(uintptr_t)output,
                                    .fault = ordered,
                                    .sum = {.bytes = count * element_bytes,
                                            .kind = (uint32_t)type << 8 | (uint32_t)operation,
                                            .element_bytes = element_bytes,
                                            .add = add}};
    pthread_mutex_lock(&mutex);
    comm->running++;
    comm->polls_left += comm->is_blocking ? 0 : 1;
    pthread_mutex_unlock(&mutex);
    int code =
        emulated_stream_enqueue(stream, "ncclAllReduce", reduction_run, reduction, reduction_drop);
    if (code == 0 && ordered.kind == EMULATED_FAULT_STICKY)
        emulated_device_fail(comm->device, ordered.code);
    if (code != 0)
        return ncclUnhandledCudaError;
    return comm->is_blocking ? ncclSuccess : ncclInProgress;
}

/* ---- the end ---- */

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
    if (!is_live(comm, __func__))
        return ncclInvalidArgument;
    ncclResult_t result = ordered_call(__func__, comm->device);
    if (result == ncclSuccess)
        result = ensure_ready(comm, __func__);
    if (result != ncclSuccess)
        return result;
    pthread_mutex_lock(&mutex);
    bool is_second = comm->is_finalized;
    comm->is_finalized = true;
    comm->polls_left += comm->is_blocking ? 0 : 1;
    pthread_mutex_unlock(&mutex);
    if (is_second)
        return ncclInvalidArgument;
    return comm->is_blocking ? wait_for(comm) : ncclInProgress;
}

/* From here on the handle is of no use. */
static void comm_end(struct ncclComm *comm, bool aborts) {
    pthread_mutex_lock(&mutex);
    live[find(comm)] = NULL;
    comm->is_aborted = aborts;
    bool is_idle = comm->running == 0;
    pthread_mutex_unlock(&mutex);
    if (is_idle)
        comm_release(comm);
    else
        emulated_stream_progress();
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
    if (!is_live(comm, __func__))
        return ncclInvalidArgument;
    ncclResult_t result = ordered_call(__func__, comm->device);
    if (result != ncclSuccess)
        return result;
    pthread_mutex_lock(&mutex);
    bool is_busy = comm->running > 0;
    pthread_mutex_unlock(&mutex);
    if (is_busy)
        emulated_report("%s: %d operations are still in a stream", __func__, comm->running);
    comm_end(comm, false);
    return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
    if (!is_live(comm, __func__))
        return ncclInvalidArgument;
    ncclResult_t result = ordered_call(__func__, comm->device);
    if (result != ncclSuccess)
        return result;
    comm_end(comm, true);
    return ncclSuccess;
}
