/* SPDX-License-Identifier: Apache-2.0 */
/* States of a fabric proof that stay on their GPUs: NCCL brings a partner's over NVLink, PCIe or
 * the network, and digests and sums are made beside it. Their hosts get 8 bytes for each 512. */
#include "device/cuda_inside.h"
#include "device/nccl_communicator.h"
#include "kernels/fabric.h"

enum { LEAST_REDUCED_BYTES = 4 };

static uint32_t chunks_of(const struct pa_cuda_fold *fold) {
    return (uint32_t)(fold->count / PA_FABRIC_CHUNK_WORDS);
}

int pa_cuda_fold_meet(struct pa_workbench *bench, const uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                      int rank, int size, uint64_t deadline_ns, struct pa_error *error) {
    struct pa_cuda_device *device = bench->device;
    struct pa_cuda_fold *fold = &bench->fold;
    PA_TRY(pa_cuda_enter(device, error));
    if (fold->words == 0 || fold->peers != NULL || fold->theirs != 0)
        return pa_fail(error, PA_EINTERNAL, "meeting other devices: without a state, or twice");
    PA_CUDA_TRY(device, cuMemAlloc_v2, &fold->theirs, (size_t)fold->count * 4);
    PA_CUDA_TRY(device, cuMemAlloc_v2, &fold->values, chunks_of(fold) * sizeof(uint64_t));
    return pa_nccl_communicator_open(&device->base, id, rank, size, LEAST_REDUCED_BYTES,
                                     deadline_ns, &fold->peers, error);
}

/* What a kernel left in `values`. */
static int read_values(struct pa_workbench *bench, uint64_t *out, uint64_t deadline_ns,
                       const char *what, struct pa_error *error) {
    return pa_cuda_fold_fetch(bench, bench->fold.values, out, chunks_of(&bench->fold) * sizeof *out,
                              deadline_ns, what, error);
}

static int check(struct pa_workbench *bench, struct pa_error *error) {
    const struct pa_cuda_fold *fold = &bench->fold;
    PA_TRY(pa_cuda_enter(bench->device, error));
    return fold->peers != NULL && fold->done == fold->steps
               ? PA_OK
               : pa_fail(error, PA_EINTERNAL, "using a state before its last step");
}

int pa_cuda_fold_digests(struct pa_workbench *bench, uint32_t s, uint64_t *out,
                         uint64_t deadline_ns, struct pa_error *error) {
    struct pa_cuda_fold *fold = &bench->fold;
    uint32_t chunks = chunks_of(fold);
    void *parameters[] = {&fold->words, &chunks, &s, &fold->values};
    PA_TRY(check(bench, error));
    PA_TRY(pa_cuda_launch(bench->device, PA_KERNEL_FABRIC_DIGEST, pa_grid_fabric_chunks(chunks),
                          bench->side, parameters, error));
    return read_values(bench, out, deadline_ns, "digests of a state", error);
}

int pa_cuda_fold_pair(struct pa_workbench *bench, int partner, const struct pa_fold_keys *keys,
                      uint64_t *sums, uint64_t deadline_ns, struct pa_error *error) {
    struct pa_cuda_fold *fold = &bench->fold;
    struct pa_fold_keys by = *keys;
    void *parameters[] = {&fold->words,  &fold->theirs, &by.s,
                          &by.s_partner, &by.shuffle,   &fold->values};
    PA_TRY(check(bench, error));
    PA_TRY(pa_nccl_swap(fold->peers, partner, fold->words, fold->theirs, fold->count, deadline_ns,
                        error));
    if (sums == NULL)
        return PA_OK;
    PA_TRY(pa_cuda_launch(bench->device, PA_KERNEL_FABRIC_SUM,
                          pa_grid_fabric_chunks(chunks_of(fold)), bench->side, parameters, error));
    return read_values(bench, sums, deadline_ns, "sums of two states", error);
}

void pa_cuda_fold_part(struct pa_workbench *bench) {
    struct pa_cuda_device *device = bench->device;
    struct pa_cuda_fold *fold = &bench->fold;
    pa_nccl_communicator_close(fold->peers);
    /* What a lost device holds is left to it. */
    if (device->context == NULL || pa_cuda_enter(device, NULL) != PA_OK)
        return;
    if (fold->theirs != 0)
        PA_CUDA_CALL(device, cuMemFree_v2, fold->theirs);
    if (fold->values != 0)
        PA_CUDA_CALL(device, cuMemFree_v2, fold->values);
}
