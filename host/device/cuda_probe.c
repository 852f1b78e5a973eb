/* SPDX-License-Identifier: Apache-2.0 */
/* One vector, one tile: what the selftest asks of a GPU's kernels by themselves. */
#include "device/cuda_inside.h"

#include "base/clock.h"

#include <string.h>

static const uint64_t patience_ns = UINT64_C(60000000000);

/* Room for one question: `bytes` on the device, as many pinned on the host, and a digest. */
struct probe {
    struct pa_cuda_device *device;
    CUstream stream;
    CUevent done;
    CUdeviceptr data, digest;
    void *host;
};

static int open_probe(struct probe *probe, size_t bytes, struct pa_error *error) {
    struct pa_cuda_device *device = probe->device;
    PA_TRY(pa_cuda_enter(device, error));
    PA_CUDA_TRY(device, cuStreamCreate, &probe->stream, PA_CU_STREAM_NON_BLOCKING);
    PA_CUDA_TRY(device, cuEventCreate, &probe->done, PA_CU_EVENT_DISABLE_TIMING);
    PA_CUDA_TRY(device, cuMemAlloc_v2, &probe->data, bytes);
    PA_CUDA_TRY(device, cuMemAlloc_v2, &probe->digest, sizeof(uint64_t));
    PA_CUDA_TRY(device, cuMemHostAlloc, &probe->host, bytes, 0);
    return PA_OK;
}

static void close_probe(struct probe *probe) {
    struct pa_cuda_device *device = probe->device;
    if (device->context == NULL || pa_cuda_enter(device, NULL) != PA_OK)
        return;
    if (probe->data != 0)
        PA_CUDA_CALL(device, cuMemFree_v2, probe->data);
    if (probe->digest != 0)
        PA_CUDA_CALL(device, cuMemFree_v2, probe->digest);
    if (probe->host != NULL)
        PA_CUDA_CALL(device, cuMemFreeHost, probe->host);
    if (probe->done != NULL)
        PA_CUDA_CALL(device, cuEventDestroy_v2, probe->done);
    if (probe->stream != NULL)
        PA_CUDA_CALL(device, cuStreamDestroy_v2, probe->stream);
}

/* Bring `bytes` from `from` to the pinned memory and wait for them. */
static int fetch(struct probe *probe, CUdeviceptr from, size_t bytes, struct pa_error *error) {
    struct pa_cuda_device *device = probe->device;
    PA_CUDA_TRY(device, cuMemcpyDtoHAsync_v2, probe->host, from, bytes, probe->stream);
    PA_CUDA_TRY(device, cuEventRecord, probe->done, probe->stream);
    struct pa_error cause = {0};
    int code =
        pa_cuda_wait(device, probe->done, pa_clock_raw_ns() + pa_clock_patience_ns(patience_ns),
                     "cuEventQuery of a probe", &cause);
    if (code == PA_ETIMEOUT)
        /* Work that never ends holds its buffers for ever. */
        return pa_cuda_lose(device, code, cause.text, error);
    return code == PA_OK ? PA_OK : pa_fail(error, code, "%s", cause.text);
}

static int fill(struct probe *probe, const struct pa_cuda_kind *kind, const struct pa_seed *seed,
                uint32_t v, uint32_t k, void *out, struct pa_error *error) {
    struct pa_seed s = *seed;
    size_t bytes = (size_t)k * kind->operand_bytes;
    uint32_t blocks = k * kind->slot_bits / 128, count = 1;
    PA_TRY(open_probe(probe, bytes, error));
    void *parameters[] = {&probe->data, &blocks, &v, &count, &s.k0, &s.k1, &s.c2, &s.c3};
    PA_TRY(pa_cuda_launch(probe->device, kind->fill, pa_grid_fill(count, blocks), probe->stream,
                          parameters, error));
    PA_TRY(fetch(probe, probe->data, bytes, error));
    memcpy(out, probe->host, bytes);
    return PA_OK;
}

int pa_cuda_probe_operand(struct pa_device *device, const struct pa_workload *workload,
                          const struct pa_seed *seed, uint32_t v, void *out,
                          struct pa_error *error) {
    struct probe probe = {.device = (struct pa_cuda_device *)device};
    struct pa_cuda_kind kind;
    PA_TRY(pa_cuda_kind(workload->class_id, workload->format, &kind, error));
    int code = fill(&probe, &kind, seed, v, workload->k, out, error);
    close_probe(&probe);
    return code;
}

static int digest(struct probe *probe, const struct pa_cuda_kind *kind, const void *tile,
                  uint32_t s, uint64_t *out, struct pa_error *error) {
    struct pa_cuda_device *device = probe->device;
    size_t bytes = PA_DIGEST_TILE * PA_DIGEST_TILE * kind->result_bytes;
    uint32_t ld = PA_DIGEST_TILE;
    PA_TRY(open_probe(probe, bytes, error));
    memcpy(probe->host, tile, bytes);
    PA_CUDA_TRY(device, cuMemcpyHtoDAsync_v2, probe->data, probe->host, bytes, probe->stream);
    void *parameters[] = {&probe->data, &ld, &s, &probe->digest};
    PA_TRY(pa_cuda_launch(device, kind->digest, pa_grid_digest(PA_DIGEST_TILE, PA_DIGEST_TILE),
                          probe->stream, parameters, error));
    PA_TRY(fetch(probe, probe->digest, sizeof *out, error));
    memcpy(out, probe->host, sizeof *out);
    return PA_OK;
}

int pa_cuda_probe_digest(struct pa_device *device, const struct pa_workload *workload,
                         const void *tile, uint32_t s, uint64_t *out, struct pa_error *error) {
    struct probe probe = {.device = (struct pa_cuda_device *)device};
    struct pa_cuda_kind kind;
    PA_TRY(pa_cuda_kind(workload->class_id, workload->format, &kind, error));
    int code = digest(&probe, &kind, tile, s, out, error);
    close_probe(&probe);
    return code;
}
