/* SPDX-License-Identifier: Apache-2.0 */
#include "device/nccl_communicator.h"

#include "base/clock.h"
#include "base/team.h"
#include "device/cuda_inside.h"
#include "device/nccl_library.h"
#include "device/vendor_library.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 16, WORD_BYTES = 4, MEETING_BYTES = 256 };

static const char name[NAME_BYTES] = "nccl";
static const uint64_t ms = 1000000;
/* How long a healthy communicator may take to say goodbye to its peers. */
static const uint64_t farewell_ns = UINT64_C(10000000000);

struct pa_communicator {
    struct pa_cuda_device *device;
    const struct pa_nccl *nccl;
    ncclComm_t comm; /* NULL before it is made and after it was aborted */
    CUstream stream;
    CUdeviceptr input, output, digests;
    CUdeviceptr meeting;    /* MEETING_BYTES that are reduced only so that all ranks wait */
    uint64_t *host_digests; /* pinned */
    int rank, size;
    uint64_t most_bytes;
};

#define PA_NCCL_CALL(communicator, call, ...)                                                      \
    (ncclResult_t) PA_CUDA_WATCHED((communicator)->device, (communicator)->nccl, call, __VA_ARGS__)

/* The library looks at network interfaces and opens a socket for an id. */
static const uint64_t id_patience_ns = UINT64_C(60000000000);

/* On the heap, because a thread that does not come back keeps it. */
struct id_request {
    const struct pa_nccl *nccl;
    ncclUniqueId unique;
    int code;
    struct pa_error error;
};

static void make_id(void *context, int member, int size) {
    struct id_request *request = context;
    const struct pa_nccl *nccl = request->nccl;
    (void)member;
    (void)size;
    ncclResult_t result = (ncclResult_t)PA_VENDOR_CALL(nccl, ncclGetUniqueId, &request->unique);
    if (result == ncclSuccess)
        return;
    const char *more = nccl->ncclGetLastError(NULL);
    request->code =
        pa_fail(&request->error, PA_EDEVICE, "all-reduce: ncclGetUniqueId: %.100s%s%.300s",
                nccl->ncclGetErrorString(result), more != NULL && more[0] != '\0' ? "; " : "",
                more != NULL ? more : "");
}

/* No device's thread makes it, and the hub's must come back. */
int pa_nccl_communicator_id(bool is_one_host, uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                            struct pa_error *error) {
    const uint64_t longest_ns = pa_clock_patience_ns(id_patience_ns);
    const struct pa_nccl *nccl = NULL;
    (void)is_one_host; /* NCCL finds out for itself */
    PA_TRY(pa_nccl_library(&nccl, error));
    struct id_request *request = calloc(1, sizeof *request);
    if (request == NULL)
        return pa_fail(error, PA_EMEMORY, "all-reduce: out of memory");
    request->nccl = nccl;
    if (!pa_team_try(make_id, request, longest_ns))
        return pa_fail(error, PA_ETIMEOUT,
                       "all-reduce: ncclGetUniqueId has not come back for %.3g s",
                       (double)longest_ns * 1e-9);
    int code = request->code;
    if (code != PA_OK)
        pa_fail(error, code, "%s", request->error.text);
    memcpy(id, name, NAME_BYTES);
    memcpy(id + NAME_BYTES, request->unique.internal, sizeof request->unique.internal);
    free(request);
    return code;
}

/* ---- waiting ---- */

/* End the communicator without its peers; kernels that wait for them are told to stop. */
static void give_up(struct pa_communicator *communicator) {
    if (communicator->comm != NULL)
        PA_NCCL_CALL(communicator, ncclCommAbort, communicator->comm);
    communicator->comm = NULL;
}

static int fail_nccl(struct pa_communicator *communicator, const char *call, ncclResult_t result,
                     struct pa_error *error) {
    const struct pa_nccl *nccl = communicator->nccl;
    const char *more = nccl->ncclGetLastError(communicator->comm);
    int code =
        pa_fail(error, PA_EDEVICE, "all-reduce of %d ranks: %s on rank %d (%s): %.100s%s%.300s",
                communicator->size, call, communicator->rank,
                communicator->device->base.identity.id, nccl->ncclGetErrorString(result),
                more != NULL && more[0] != '\0' ? "; " : "", more != NULL ? more : "");
    give_up(communicator);
    return code;
}

static int fail_late(struct pa_communicator *communicator, const char *call,
                     struct pa_error *error) {
    give_up(communicator);
    return pa_fail(error, PA_ETIMEOUT,
                   "all-reduce of %d ranks: %s on rank %d (%s) was not done in time: a rank does "
                   "not take part, or its link is down",
                   communicator->size, call, communicator->rank,
                   communicator->device->base.identity.id);
}

/* Ask often at first, when a small operation may be done any moment, then let others work. */
static void pause_since(uint64_t begun_ns) {
    if (pa_clock_raw_ns() - begun_ns > 2 * ms)
        pa_clock_sleep(ms / 20);
}

/* Wait for the outcome of a call that goes on in the background. */
static int settle(struct pa_communicator *communicator, const char *call, ncclResult_t result,
                  uint64_t deadline_ns, struct pa_error *error) {
    uint64_t begun_ns = pa_clock_raw_ns();
    while (result == ncclInProgress && communicator->comm != NULL) {
        if (pa_clock_raw_ns() >= deadline_ns)
            return fail_late(communicator, call, error);
        pause_since(begun_ns);
        ncclResult_t state = ncclInProgress;
        ncclResult_t asked =
            PA_NCCL_CALL(communicator, ncclCommGetAsyncError, communicator->comm, &state);
        result = asked != ncclSuccess ? asked : state;
    }
    return result == ncclSuccess ? PA_OK : fail_nccl(communicator, call, result, error);
}

/* Has everything that was queued been done? */
static int ask_stream(struct pa_communicator *communicator, const char *call, bool *is_done,
                      struct pa_error *error) {
    struct pa_cuda_device *device = communicator->device;
    CUresult result = PA_CUDA_CALL(device, cuStreamQuery, communicator->stream);
    *is_done = result == CUDA_SUCCESS;
    if (result == CUDA_SUCCESS || result == CUDA_ERROR_NOT_READY)
        return PA_OK;
    int code = pa_cuda_check(device, result, call, error);
    give_up(communicator);
    return code;
}

/* Wait for the stream while the communicator stays healthy: the kernel of a rank whose peer is gone
 * does not end by itself. */
static int wait_for_stream(struct pa_communicator *communicator, const char *call,
                           uint64_t deadline_ns, struct pa_error *error) {
    uint64_t begun_ns = pa_clock_raw_ns();
    bool is_done = false;
    for (;;) {
        PA_TRY(ask_stream(communicator, call, &is_done, error));
        if (is_done)
            return PA_OK;
        PA_TRY(settle(communicator, call, ncclInProgress, deadline_ns, error));
        if (pa_clock_raw_ns() >= deadline_ns)
            return fail_late(communicator, call, error);
        pause_since(begun_ns);
    }
}

/* ---- opening and closing ---- */

static int take_memory(struct pa_communicator *communicator, struct pa_error *error) {
    struct pa_cuda_device *device = communicator->device;
    size_t bytes = (size_t)communicator->most_bytes;
    size_t digest_bytes =
        pa_grid_allreduce_digest(communicator->most_bytes / WORD_BYTES).x * sizeof(uint64_t);
    PA_CUDA_TRY(device, cuStreamCreate, &communicator->stream, PA_CU_STREAM_NON_BLOCKING);
    PA_CUDA_TRY(device, cuMemAlloc_v2, &communicator->input, bytes);
    PA_CUDA_TRY(device, cuMemAlloc_v2, &communicator->output, bytes);
    PA_CUDA_TRY(device, cuMemAlloc_v2, &communicator->digests, digest_bytes);
    PA_CUDA_TRY(device, cuMemAlloc_v2, &communicator->meeting, MEETING_BYTES);
    PA_CUDA_TRY(device, cuMemHostAlloc, (void **)&communicator->host_digests, digest_bytes, 0);
    PA_CUDA_TRY(device, cuMemsetD8Async, communicator->meeting, 0, MEETING_BYTES,
                communicator->stream);
    return PA_OK;
}

static int join(struct pa_communicator *communicator, const uint8_t *id, uint64_t deadline_ns,
                struct pa_error *error) {
    ncclUniqueId unique;
    struct pa_nccl_config config = {.size = sizeof config,
                                    .magic = PA_NCCL_CONFIG_MAGIC,
                                    .version = PA_NCCL_CONFIG_VERSION,
                                    .blocking = 0};
    memcpy(unique.internal, id, sizeof unique.internal);
    ncclResult_t result = PA_NCCL_CALL(communicator, ncclCommInitRankConfig, &communicator->comm,
                                       communicator->size, unique, communicator->rank, &config);
    return settle(communicator, "ncclCommInitRankConfig", result, deadline_ns, error);
}

int pa_nccl_communicator_open(struct pa_device *device, const uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                              int rank, int size, uint64_t most_bytes, uint64_t deadline_ns,
                              struct pa_communicator **out, struct pa_error *error) {
    const struct pa_nccl *nccl = NULL;
    *out = NULL;
    if (memcmp(id, name, NAME_BYTES) != 0 || size < 1 || rank < 0 || rank >= size ||
        most_bytes == 0 || most_bytes % WORD_BYTES != 0 || most_bytes > SIZE_MAX / 2)
        return pa_fail(error, PA_EINPUT, "opening a communicator: no such id, rank or size");
    PA_TRY(pa_nccl_library(&nccl, error));
    PA_TRY(pa_cuda_enter((struct pa_cuda_device *)device, error));
    struct pa_communicator *communicator = calloc(1, sizeof *communicator);
    if (communicator == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a communicator: out of memory");
    communicator->device = (struct pa_cuda_device *)device;
    communicator->nccl = nccl;
    communicator->rank = rank;
    communicator->size = size;
    communicator->most_bytes = most_bytes;
    int code = take_memory(communicator, error);
    if (code == PA_OK)
        code = join(communicator, id + NAME_BYTES, deadline_ns, error);
    if (code != PA_OK) {
        pa_nccl_communicator_close(communicator);
        return code;
    }
    *out = communicator;
    return PA_OK;
}

/* Say goodbye, so that no peer mistakes our end for a failure; a peer that is gone already does not
 * keep us. */
static void leave(struct pa_communicator *communicator) {
    if (communicator->comm == NULL)
        return;
    uint64_t deadline_ns = pa_clock_raw_ns() + pa_clock_patience_ns(farewell_ns);
    ncclResult_t result = PA_NCCL_CALL(communicator, ncclCommFinalize, communicator->comm);
    if (settle(communicator, "ncclCommFinalize", result, deadline_ns, NULL) == PA_OK)
        PA_NCCL_CALL(communicator, ncclCommDestroy, communicator->comm);
    communicator->comm = NULL;
}

/* True once nothing runs on the stream any more. An aborted operation needs a moment to end. */
static bool is_quiet(struct pa_communicator *communicator) {
    uint64_t deadline_ns = pa_clock_raw_ns() + pa_clock_patience_ns(farewell_ns);
    bool is_done = communicator->stream == NULL;
    while (!is_done && ask_stream(communicator, "closing", &is_done, NULL) == PA_OK &&
           pa_clock_raw_ns() < deadline_ns)
        if (!is_done)
            pa_clock_sleep(ms);
    return is_done;
}

void pa_nccl_communicator_close(struct pa_communicator *communicator) {
    if (communicator == NULL)
        return;
    struct pa_cuda_device *device = communicator->device;
    bool is_well = pa_cuda_enter(device, NULL) == PA_OK;
    if (is_well)
        leave(communicator);
    else
        give_up(communicator);
    /* Freeing waits for the device: on one that hangs, for ever. Its memory is left to the end of
     * the process. */
    bool ends = is_well && is_quiet(communicator);
    if (is_well && !ends)
        pa_cuda_lose_hung(device, "an all-reduce");
    if (ends) {
        if (communicator->input != 0)
            PA_CUDA_CALL(device, cuMemFree_v2, communicator->input);
        if (communicator->output != 0)
            PA_CUDA_CALL(device, cuMemFree_v2, communicator->output);
        if (communicator->digests != 0)
            PA_CUDA_CALL(device, cuMemFree_v2, communicator->digests);
        if (communicator->meeting != 0)
            PA_CUDA_CALL(device, cuMemFree_v2, communicator->meeting);
        if (communicator->host_digests != NULL)
            PA_CUDA_CALL(device, cuMemFreeHost, communicator->host_digests);
        if (communicator->stream != NULL)
            PA_CUDA_CALL(device, cuStreamDestroy_v2, communicator->stream);
    }
    free(communicator);
}

/* ---- reducing ---- */

/* The device is ours, the communicator whole. */
static int enter(struct pa_communicator *communicator, struct pa_error *error) {
    if (communicator->comm == NULL)
        return pa_fail(error, PA_EDEVICE, "all-reduce of %d ranks: it was given up before",
                       communicator->size);
    return pa_cuda_enter(communicator->device, error);
}

/* And the size possible. */
static int begin(struct pa_communicator *communicator, uint64_t bytes, struct pa_error *error) {
    if (bytes == 0 || bytes % WORD_BYTES != 0 || bytes > communicator->most_bytes)
        return pa_fail(error, PA_EINTERNAL, "an all-reduce of %llu bytes: up to %llu are possible",
                       (unsigned long long)bytes, (unsigned long long)communicator->most_bytes);
    return enter(communicator, error);
}

int pa_nccl_allreduce_fill(struct pa_communicator *communicator, uint64_t bytes,
                           const struct pa_seed *seed, struct pa_error *error) {
    struct pa_cuda_device *device = communicator->device;
    struct pa_seed from = *seed;
    uint64_t words = bytes / WORD_BYTES;
    uint32_t rank = (uint32_t)communicator->rank;
    PA_TRY(begin(communicator, bytes, error));
    void *parameters[] = {
        &communicator->input, &words, &rank, &from.k0, &from.k1, &from.c2, &from.c3};
    PA_TRY(pa_cuda_launch(device, PA_KERNEL_ALLREDUCE_FILL, pa_grid_allreduce_fill(words),
                          communicator->stream, parameters, error));
    /* What an earlier size left there must not pass for a result. */
    PA_CUDA_TRY(device, cuMemsetD8Async, communicator->output, 0, (size_t)bytes,
                communicator->stream);
    return wait_for_stream(communicator, "ncclAllReduce",
                           pa_clock_raw_ns() + pa_clock_patience_ns(farewell_ns), error);
}

static int reduce(struct pa_communicator *communicator, CUdeviceptr input, CUdeviceptr output,
                  size_t words, uint64_t deadline_ns, struct pa_error *error) {
    /* Device addresses are pointers to NCCL, which is used for devices and hosts alike. */
    ncclResult_t result = PA_NCCL_CALL(communicator, ncclAllReduce, (const void *)(uintptr_t)input,
                                       (void *)(uintptr_t)output, words, ncclInt32, ncclSum,
                                       communicator->comm, communicator->stream);
    /* Until it has settled the operation may not be in the stream yet. */
    return settle(communicator, "ncclAllReduce", result, deadline_ns, error);
}

int pa_nccl_allreduce_run(struct pa_communicator *communicator, uint64_t bytes, uint32_t times,
                          uint64_t deadline_ns, uint64_t *out_ns, struct pa_error *error) {
    PA_TRY(begin(communicator, bytes, error));
    /* Nobody's clock runs while it waits for a rank that is still filling its input. */
    PA_TRY(reduce(communicator, communicator->meeting, communicator->meeting,
                  MEETING_BYTES / WORD_BYTES, deadline_ns, error));
    PA_TRY(wait_for_stream(communicator, "ncclAllReduce", deadline_ns, error));
    uint64_t begin_ns = pa_clock_raw_ns();
    for (uint32_t i = 0; i < times; i++)
        PA_TRY(reduce(communicator, communicator->input, communicator->output,
                      (size_t)(bytes / WORD_BYTES), deadline_ns, error));
    PA_TRY(wait_for_stream(communicator, "ncclAllReduce", deadline_ns, error));
    *out_ns = pa_clock_raw_ns() - begin_ns;
    return PA_OK;
}

int pa_nccl_allreduce_digest(struct pa_communicator *communicator, uint64_t bytes,
                             const struct pa_seed *seed, uint64_t *chunks, struct pa_error *error) {
    struct pa_cuda_device *device = communicator->device;
    uint64_t words = bytes / WORD_BYTES;
    uint32_t s = seed->s;
    PA_TRY(begin(communicator, bytes, error));
    struct pa_grid grid = pa_grid_allreduce_digest(words);
    size_t digest_bytes = grid.x * sizeof(uint64_t);
    void *parameters[] = {&communicator->output, &words, &s, &communicator->digests};
    PA_TRY(pa_cuda_launch(device, PA_KERNEL_ALLREDUCE_DIGEST, grid, communicator->stream,
                          parameters, error));
    PA_CUDA_TRY(device, cuMemcpyDtoHAsync_v2, communicator->host_digests, communicator->digests,
                digest_bytes, communicator->stream);
    PA_TRY(wait_for_stream(communicator, "ncclAllReduce",
                           pa_clock_raw_ns() + pa_clock_patience_ns(farewell_ns), error));
    memcpy(chunks, communicator->host_digests, digest_bytes);
    return PA_OK;
}

/* ---- two ranks ---- */

int pa_nccl_swap(struct pa_communicator *communicator, int partner, CUdeviceptr own,
                 CUdeviceptr theirs, uint64_t words, uint64_t deadline_ns, struct pa_error *error) {
    static const char call[] = "ncclSend and ncclRecv";
    PA_TRY(enter(communicator, error));
    ncclResult_t result = PA_NCCL_CALL(communicator, ncclGroupStart, );
    if (result == ncclSuccess) {
        /* Inside a group each says how the communicator stands, and starts nothing. */
        result = PA_NCCL_CALL(communicator, ncclSend, (const void *)(uintptr_t)own, words,
                              ncclInt32, partner, communicator->comm, communicator->stream);
        if (result == ncclSuccess || result == ncclInProgress)
            result = PA_NCCL_CALL(communicator, ncclRecv, (void *)(uintptr_t)theirs, words,
                                  ncclInt32, partner, communicator->comm, communicator->stream);
        ncclResult_t ended = PA_NCCL_CALL(communicator, ncclGroupEnd, );
        if (result == ncclSuccess || result == ncclInProgress)
            result = ended;
    }
    PA_TRY(settle(communicator, call, result, deadline_ns, error));
    return wait_for_stream(communicator, call, deadline_ns, error);
}
