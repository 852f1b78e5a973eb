/* SPDX-License-Identifier: Apache-2.0 */
/* nccl_emulated.c - the emulated libnccl.so.2: communicators over shared memory (nccl_room.h).
 *
 * What NCCL does and what is imitated: a communicator made with blocking = 0 answers ncclInProgress
 * and must be asked (ncclCommGetAsyncError) until it says ncclSuccess, else the next call is
 * refused; the operation of a rank whose peer died does not end by itself, the asynchronous error
 * tells, and ncclCommAbort ends it. */
#include "emulated_gpu/nccl_inside.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VERSION = 22809, COMMS_MAX = 256, GROUP_MAX = ROOM_RANKS_MAX };

pthread_mutex_t emulated_nccl_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct ncclComm *live[COMMS_MAX]; /* a handle is trusted only when it is one of these */
static char last_text[EMULATED_NCCL_TEXT_BYTES];
static atomic_int hanging; /* calls that never return */
static _Thread_local int group_depth, group_count;
static _Thread_local struct ncclComm *group[GROUP_MAX];

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* Called first in each function. */
ncclResult_t emulated_nccl_fault(const char *function, int device, struct emulated_fault *out) {
    *out = emulated_fault_check(function, device);
    if (emulated_platform() == NULL)
        return ncclSystemError;
    return out->kind == EMULATED_FAULT_CODE ? (ncclResult_t)out->code : ncclSuccess;
}

static void hang_if(const struct emulated_fault *ordered) {
    if (ordered->kind != EMULATED_FAULT_HANG)
        return;
    atomic_fetch_add(&hanging, 1);
    for (;;)
        nap();
}

/* A library's exit handler may wait for what is under way in it: who gave a call up must not come
 * here. */
__attribute__((destructor)) static void wait_for_calls(void) {
    while (atomic_load(&hanging) > 0)
        nap();
}

/* The same in functions without work of their own: a hang never returns. */
static ncclResult_t ordered_call(const char *function, int device) {
    struct emulated_fault ordered;
    ncclResult_t result = emulated_nccl_fault(function, device, &ordered);
    hang_if(&ordered);
    return result;
}

static int find(const struct ncclComm *comm) {
    for (int i = 0; i < COMMS_MAX; i++)
        if (live[i] == comm)
            return i;
    return -1;
}

bool emulated_nccl_knows(const struct ncclComm *comm) {
    return find(comm) >= 0;
}

bool emulated_nccl_is_live(const struct ncclComm *comm, const char *function) {
    pthread_mutex_lock(&emulated_nccl_mutex);
    bool found = comm != NULL && find(comm) >= 0;
    pthread_mutex_unlock(&emulated_nccl_mutex);
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

void emulated_nccl_take(struct ncclComm *comm, enum room_answer answer, int peer,
                        const char *call) {
    char text[EMULATED_NCCL_TEXT_BYTES];
    if (answer == ROOM_GONE) {
        snprintf(text, sizeof text, "rank %d is gone", peer);
        fail(comm, ncclRemoteError, text);
    } else if (answer == ROOM_DIFFERS) {
        snprintf(text, sizeof text,
                 "rank %d called with another count, type or operation, or twice", peer);
        emulated_report("%s: %s", call, text);
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
    emulated_nccl_take(comm, answer, peer, "ncclCommInitRankConfig");
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
    static _Thread_local char text[EMULATED_NCCL_TEXT_BYTES];
    pthread_mutex_lock(&emulated_nccl_mutex);
    memcpy(text, last_text, sizeof text);
    pthread_mutex_unlock(&emulated_nccl_mutex);
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
    pthread_mutex_lock(&emulated_nccl_mutex);
    int slot = find(NULL);
    if (comm->room != NULL && slot >= 0)
        live[slot] = comm;
    pthread_mutex_unlock(&emulated_nccl_mutex);
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
        pthread_mutex_lock(&emulated_nccl_mutex);
        ncclResult_t state = state_of(comm);
        pthread_mutex_unlock(&emulated_nccl_mutex);
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
    ncclResult_t result = emulated_nccl_fault(__func__, device, &ordered);
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
        pthread_mutex_lock(&emulated_nccl_mutex);
        (*comm)->polls_left += (*comm)->polls_left < INT_MAX ? 1 : 0;
        state_of(*comm); /* take the seat, so that the others need not wait for our next call */
        pthread_mutex_unlock(&emulated_nccl_mutex);
        return ncclInProgress;
    }
    hang_if(&ordered);
    if (group_depth > 0 && group_count < GROUP_MAX) {
        group[group_count++] = *comm;
        return ncclSuccess;
    }
    return wait_for(*comm);
}

bool emulated_nccl_in_group(void) {
    return group_depth > 0;
}

ncclResult_t ncclGroupStart(void) {
    ncclResult_t result = ordered_call(__func__, emulated_current_device());
    group_depth += result == ncclSuccess;
    return result;
}

ncclResult_t ncclGroupEnd(void) {
    ncclResult_t result = ordered_call(__func__, emulated_current_device());
    if (group_depth == 0)
        return ncclInvalidUsage;
    if (--group_depth > 0)
        return ncclSuccess;
    for (int i = 0; i < group_count; i++) {
        ncclResult_t state = wait_for(group[i]);
        result = result == ncclSuccess ? state : result;
    }
    group_count = 0;
    ncclResult_t started = emulated_nccl_start_group();
    return result == ncclSuccess ? started : result;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *result) {
    if (!emulated_nccl_is_live(comm, __func__) || result == NULL)
        return ncclInvalidArgument;
    ncclResult_t code = ordered_call(__func__, comm->device);
    if (code != ncclSuccess)
        return code;
    pthread_mutex_lock(&emulated_nccl_mutex);
    *result = state_of(comm);
    if (*result == ncclSuccess && comm->polls_left > 0) {
        comm->polls_left -= comm->polls_left < INT_MAX ? 1 : 0;
        *result = ncclInProgress;
    }
    pthread_mutex_unlock(&emulated_nccl_mutex);
    return ncclSuccess;
}

ncclResult_t emulated_nccl_ready(struct ncclComm *comm, const char *function) {
    pthread_mutex_lock(&emulated_nccl_mutex);
    ncclResult_t state = state_of(comm);
    if (state == ncclSuccess && comm->polls_left > 0)
        state = ncclInProgress;
    pthread_mutex_unlock(&emulated_nccl_mutex);
    if (state != ncclInProgress)
        return state;
    emulated_report("%s: the communicator was used before its last call said ncclSuccess",
                    function);
    return ncclInvalidArgument;
}

void emulated_nccl_release(struct ncclComm *comm) {
    room_leave(comm->room);
    free(comm);
}

/* ---- the end ---- */

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
    if (!emulated_nccl_is_live(comm, __func__))
        return ncclInvalidArgument;
    ncclResult_t result = ordered_call(__func__, comm->device);
    if (result == ncclSuccess)
        result = emulated_nccl_ready(comm, __func__);
    if (result != ncclSuccess)
        return result;
    pthread_mutex_lock(&emulated_nccl_mutex);
    bool is_second = comm->is_finalized;
    comm->is_finalized = true;
    comm->polls_left += comm->is_blocking ? 0 : 1;
    pthread_mutex_unlock(&emulated_nccl_mutex);
    if (is_second)
        return ncclInvalidArgument;
    return comm->is_blocking ? wait_for(comm) : ncclInProgress;
}

/* From here on the handle is of no use. */
static void comm_end(struct ncclComm *comm, bool aborts) {
    pthread_mutex_lock(&emulated_nccl_mutex);
    live[find(comm)] = NULL;
    comm->is_aborted = aborts;
    bool is_idle = comm->running == 0;
    pthread_mutex_unlock(&emulated_nccl_mutex);
    if (is_idle)
        emulated_nccl_release(comm);
    else
        emulated_stream_progress();
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
    if (!emulated_nccl_is_live(comm, __func__))
        return ncclInvalidArgument;
    ncclResult_t result = ordered_call(__func__, comm->device);
    if (result != ncclSuccess)
        return result;
    pthread_mutex_lock(&emulated_nccl_mutex);
    bool is_busy = comm->running > 0;
    pthread_mutex_unlock(&emulated_nccl_mutex);
    if (is_busy)
        emulated_report("%s: %d operations are still in a stream", __func__, comm->running);
    comm_end(comm, false);
    return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
    if (!emulated_nccl_is_live(comm, __func__))
        return ncclInvalidArgument;
    ncclResult_t result = ordered_call(__func__, comm->device);
    if (result != ncclSuccess)
        return result;
    comm_end(comm, true);
    return ncclSuccess;
}
