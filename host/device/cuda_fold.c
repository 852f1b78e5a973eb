/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a fabric proof on a GPU. Each C goes into it right behind its digests, in the same
 * stream, so that it is there when the step is collected. */
#include "device/cuda_inside.h"

#include "base/clock.h"

#include <string.h>

static int make(struct pa_workbench *bench, uint64_t words, struct pa_error *error) {
    struct pa_cuda_device *device = bench->device;
    struct pa_cuda_fold *fold = &bench->fold;
    void *pinned = NULL;
    PA_CUDA_TRY(device, cuMemAlloc_v2, &fold->words, (size_t)words * 4);
    PA_CUDA_TRY(device, cuMemHostAlloc, &pinned, PA_CUDA_STAGE_BYTES, 0);
    fold->stage = pinned;
    PA_CUDA_TRY(device, cuEventCreate, &fold->copied, PA_CU_EVENT_DISABLE_TIMING);
    return PA_OK;
}

int pa_cuda_fold_open(struct pa_workbench *bench, uint64_t words, uint32_t steps,
                      struct pa_error *error) {
    const struct pa_workload *work = &bench->workload;
    uint64_t all = (uint64_t)work->m * work->n * bench->kind.result_bytes / 4;
    PA_TRY(pa_cuda_enter(bench->device, error));
    if (bench->enqueued != bench->collected || words == 0 || words > all || words % 128 != 0 ||
        words / 4 > UINT32_MAX || bench->fold.words != 0)
        return pa_fail(error, PA_EINTERNAL,
                       "opening a state of %llu words: not now, or not so many",
                       (unsigned long long)words);
    bench->fold = (struct pa_cuda_fold){.count = words, .steps = steps};
    int code = make(bench, words, error);
    if (code != PA_OK)
        pa_cuda_fold_close(bench);
    return code;
}

int pa_cuda_fold_queue(struct pa_workbench *bench, CUdeviceptr c, struct pa_error *error) {
    struct pa_cuda_fold *fold = &bench->fold;
    if (fold->words == 0 || fold->done == fold->steps)
        return PA_OK;
    pa_u32 pieces = (pa_u32)(fold->count / 4), is_first = fold->done == 0;
    pa_u32 kind = bench->kind.digest == PA_KERNEL_DIGEST_F64   ? PA_FABRIC_DOUBLES
                  : bench->kind.digest == PA_KERNEL_DIGEST_I32 ? PA_FABRIC_INTEGERS
                                                               : PA_FABRIC_SINGLES;
    void *parameters[] = {&fold->words, &c, &pieces, &kind, &is_first};
    PA_TRY(pa_cuda_launch(bench->device, PA_KERNEL_FABRIC_FOLD, pa_grid_fabric(pieces), bench->side,
                          parameters, error));
    fold->done++;
    return PA_OK;
}

int pa_cuda_fold_fetch(struct pa_workbench *bench, CUdeviceptr from, void *out, uint64_t bytes,
                       uint64_t deadline_ns, const char *what, struct pa_error *error) {
    struct pa_cuda_device *device = bench->device;
    struct pa_cuda_fold *fold = &bench->fold;
    for (uint64_t at = 0; at < bytes; at += PA_CUDA_STAGE_BYTES) {
        uint64_t left = bytes - at;
        size_t part = left < PA_CUDA_STAGE_BYTES ? (size_t)left : PA_CUDA_STAGE_BYTES;
        PA_CUDA_TRY(device, cuMemcpyDtoHAsync_v2, fold->stage, from + at, part, bench->side);
        PA_CUDA_TRY(device, cuEventRecord, fold->copied, bench->side);
        PA_TRY(pa_cuda_wait(device, fold->copied, deadline_ns, what, error));
        memcpy((uint8_t *)out + at, fold->stage, part);
    }
    return PA_OK;
}

int pa_cuda_fold_read(struct pa_workbench *bench, uint32_t *out, uint64_t deadline_ns,
                      struct pa_error *error) {
    struct pa_cuda_device *device = bench->device;
    struct pa_cuda_fold *fold = &bench->fold;
    PA_TRY(pa_cuda_enter(device, error));
    if (fold->words == 0 || fold->done < fold->steps)
        return pa_fail(error, PA_EINTERNAL, "reading a state before its last step");
    return pa_cuda_fold_fetch(bench, fold->words, out, fold->count * 4, deadline_ns,
                              "reading a state", error);
}

void pa_cuda_fold_close(struct pa_workbench *bench) {
    struct pa_cuda_device *device = bench->device;
    struct pa_cuda_fold *fold = &bench->fold;
    pa_cuda_fold_part(bench);
    /* What a lost device holds is left to it. */
    if (device->context != NULL && pa_cuda_enter(device, NULL) == PA_OK) {
        if (fold->words != 0)
            PA_CUDA_CALL(device, cuMemFree_v2, fold->words);
        if (fold->stage != NULL)
            PA_CUDA_CALL(device, cuMemFreeHost, fold->stage);
        if (fold->copied != NULL)
            PA_CUDA_CALL(device, cuEventDestroy_v2, fold->copied);
    }
    *fold = (struct pa_cuda_fold){0};
}
