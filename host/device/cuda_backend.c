/* SPDX-License-Identifier: Apache-2.0 */
/* NVIDIA's GPUs through the driver API, cuBLASLt, NCCL and NVML, all of them loaded when they are
 * needed. Opening a device asks the driver who it is; its context is made by the first work. */
#include "device/cuda_backend.h"

#include "device/cuda_inside.h"
#include "device/cuda_memory.h"
#include "device/nccl_communicator.h"
#include "device/nccl_library.h"
#include "device/nvml_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int cuda_count(int *out, struct pa_error *error) {
    const struct pa_cuda_driver *cu;
    *out = 0;
    return pa_cuda_driver(&cu, out, error);
}

static void cuda_close(struct pa_device *base) {
    struct pa_cuda_device *device = (struct pa_cuda_device *)base;
    if (device == NULL || pa_cuda_is_given_up(device))
        return;
    /* Nothing goes through a dead context; the driver clears up when the process ends. */
    if (device->context != NULL && pa_cuda_enter(device, NULL) == PA_OK) {
        if (device->handle != NULL)
            PA_CUDA_WATCHED(device, device->lt, cublasLtDestroy, device->handle);
        pa_cuda_check(device, PA_CUDA_CALL(device, cuModuleUnload, device->module),
                      "cuModuleUnload", NULL);
        PA_CUDA_CALL(device, cuCtxSetCurrent, NULL);
        pa_cuda_check(device, PA_CUDA_CALL(device, cuDevicePrimaryCtxRelease_v2, device->ordinal),
                      "cuDevicePrimaryCtxRelease_v2", NULL);
    }
    pa_nvml_close(device->nvml);
    free(device);
}

/* Not needed yet, but what is loaded by now is what the evidence names, and any of them tells that
 * a device is emulated. */
static void load_libraries(void) {
    const struct pa_cublaslt *lt;
    const struct pa_nccl *nccl;
    const struct pa_nvml *nvml;
    pa_cublaslt(&lt, NULL);
    pa_nccl_library(&nccl, NULL);
    pa_nvml_library(&nvml, NULL);
}

/* A device that does not say who it is is opened all the same, and lost: the others go on, and the
 * certificate says why this one did not. */
static int cuda_open(int index, const struct pa_device_options *options, struct pa_device **out,
                     struct pa_error *error) {
    const struct pa_cuda_driver *cu;
    int count;
    (void)options;
    *out = NULL;
    PA_TRY(pa_cuda_driver(&cu, &count, error));
    load_libraries();
    if (index < 0 || index >= count)
        return pa_fail(error, PA_EUSAGE, "opening cuda:%d: there are %d devices", index, count);
    struct pa_cuda_device *device = calloc(1, sizeof *device);
    if (device == NULL)
        return pa_fail(error, PA_EMEMORY, "opening cuda:%d: out of memory", index);
    struct pa_device_identity *identity = &device->base.identity;
    struct pa_error cause = {0};
    device->base.backend = &pa_cuda_backend;
    device->cu = cu;
    snprintf(identity->id, sizeof identity->id, "cuda:%d", index);
    snprintf(identity->name, sizeof identity->name, "unknown");
    int code = pa_cuda_check(device, PA_CUDA_CALL(device, cuDeviceGet, &device->ordinal, index),
                             "cuDeviceGet", &cause);
    if (code == PA_OK)
        code = pa_cuda_identify(device, &cause);
    if (code != PA_OK)
        pa_cuda_lose(device, code, cause.text, NULL);
    if (pa_nvml_open(identity->id, &device->nvml, &device->nvml_absent) == PA_OK)
        pa_nvml_identify(device->nvml, identity);
    device->is_open = true;
    *out = &device->base;
    return PA_OK;
}

static int cuda_telemetry(struct pa_device *base, struct pa_telemetry *out,
                          struct pa_error *error) {
    const struct pa_cuda_device *device = (const struct pa_cuda_device *)base;
    if (device->nvml == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "%s", device->nvml_absent.text);
    return pa_nvml_telemetry(device->nvml, out, error);
}

static uint32_t cuda_occupants(struct pa_device *base, struct pa_occupant *out, uint32_t most) {
    const struct pa_cuda_device *device = (const struct pa_cuda_device *)base;
    return device->nvml == NULL ? 0 : pa_nvml_occupants(device->nvml, out, most);
}

static int cuda_attest(struct pa_device *base, const uint8_t nonce[PA_VENDOR_NONCE_BYTES],
                       struct pa_vendor_report *out, struct pa_error *error) {
    struct pa_cuda_device *device = (struct pa_cuda_device *)base;
    if (device->nvml == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "%s", device->nvml_absent.text);
    /* Who gives this thread up frees the request: nothing of it is read from the first call on. */
    uint8_t own[PA_VENDOR_NONCE_BYTES];
    memcpy(own, nonce, sizeof own);
    pa_cuda_calling(device, "nvmlDeviceGetConfComputeGpuAttestationReport");
    PA_TRY(pa_cuda_returned(device, pa_nvml_report(device->nvml, own, out, error)));
    pa_cuda_calling(device, "nvmlDeviceGetConfComputeGpuCertificate");
    return pa_cuda_returned(device, pa_nvml_chain(device->nvml, out, error));
}

static int cuda_well(struct pa_device *base, struct pa_error *error) {
    const struct pa_cuda_device *device = (const struct pa_cuda_device *)base;
    return device->lost.code == PA_OK ? PA_OK
                                      : pa_fail(error, device->lost.code, "%s", device->lost.text);
}

static int cuda_missing(struct pa_device *base, char (*texts)[160], int most) {
    const struct pa_cuda_device *device = (const struct pa_cuda_device *)base;
    const struct pa_nccl *nccl;
    struct pa_error cause = {0};
    int count = 0;
    if (device->nvml == NULL && count < most)
        snprintf(texts[count++], sizeof *texts, "telemetry: %.148s", device->nvml_absent.text);
    if (pa_nccl_library(&nccl, &cause) != PA_OK && count < most)
        snprintf(texts[count++], sizeof *texts, "all-reduce: %.147s", cause.text);
    return count;
}

/* M and N, the best guess first: a large M makes the generation of B small beside the product, and
 * a result of some gigabytes keeps a product running for milliseconds. */
static const struct pa_step_shape shapes[] = {
    {32768, 8192}, {16384, 8192}, {65536, 8192}, {32768, 4096}, {8192, 8192},
    {16384, 4096}, {8192, 4096},  {4096, 4096},  {4096, 2048},  {0, 0},
};

const struct pa_backend pa_cuda_backend = {
    .name = "cuda",
    .shapes = shapes,
    .count = cuda_count,
    .open = cuda_open,
    .close = cuda_close,
    .format = pa_cuda_format,
    .missing = cuda_missing,
    .variants = pa_cuda_variants,
    .workbench_bytes = pa_cuda_workbench_bytes,
    .memory_free = pa_cuda_memory_free,
    .workbench_open = pa_cuda_workbench_open,
    .workbench_close = pa_cuda_workbench_close,
    .load_a = pa_cuda_load_a,
    .step_enqueue = pa_cuda_step_enqueue,
    .step_collect = pa_cuda_step_collect,
    .steps_drop = pa_cuda_steps_drop,
    .multiply_bare = pa_cuda_multiply_bare,
    .fold_open = pa_cuda_fold_open,
    .fold_read = pa_cuda_fold_read,
    .fold_close = pa_cuda_fold_close,
    .fold_meet = pa_cuda_fold_meet,
    .fold_digests = pa_cuda_fold_digests,
    .fold_pair = pa_cuda_fold_pair,
    .probe_operand = pa_cuda_probe_operand,
    .probe_digest = pa_cuda_probe_digest,
    .costs = pa_cuda_costs,
    .communicator_id = pa_nccl_communicator_id,
    .communicator_open = pa_nccl_communicator_open,
    .allreduce_fill = pa_nccl_allreduce_fill,
    .allreduce_run = pa_nccl_allreduce_run,
    .allreduce_digest = pa_nccl_allreduce_digest,
    .communicator_close = pa_nccl_communicator_close,
    .memory_open = pa_cuda_memory_open,
    .memory_fill = pa_cuda_memory_fill,
    .memory_read = pa_cuda_memory_read,
    .memory_close = pa_cuda_memory_close,
    .telemetry = cuda_telemetry,
    .attest = cuda_attest,
    .give_up = pa_cuda_give_up,
    .well = cuda_well,
    .occupants = cuda_occupants,
};
