/* SPDX-License-Identifier: Apache-2.0 */
/* cuInit, cuDevice*, primary contexts. */
#include "emulated_gpu/driver_exports.h"
#include "emulated_gpu/driver_state.h"
#include "emulated_gpu/emulated_memory.h"

#include <stdio.h>
#include <string.h>

EMULATED_API CUresult cuInit(unsigned int flags) {
    struct emulated_fault fault = emulated_fault_check(__func__, -1);
    const struct emulated_platform *platform = emulated_platform();
    if (fault.kind == EMULATED_FAULT_HANG)
        call_hang();
    if (fault.kind == EMULATED_FAULT_CODE || fault.kind == EMULATED_FAULT_STICKY)
        return (CUresult)fault.code;
    if (flags != 0)
        return CUDA_ERROR_INVALID_VALUE;
    if (platform == NULL)
        return CUDA_ERROR_UNKNOWN;
    if (driver_visible_count() == 0)
        return CUDA_ERROR_NO_DEVICE;
    pthread_mutex_lock(&driver_mutex);
    driver_initialise();
    pthread_mutex_unlock(&driver_mutex);
    return CUDA_SUCCESS;
}

/* The one call that needs no cuInit. */
EMULATED_API CUresult cuDriverGetVersion(int *version) {
    struct emulated_fault fault = emulated_fault_check(__func__, -1);
    if (fault.kind == EMULATED_FAULT_CODE)
        return (CUresult)fault.code;
    if (version == NULL || emulated_platform() == NULL)
        return CUDA_ERROR_INVALID_VALUE;
    *version = emulated_platform()->driver_version;
    return CUDA_SUCCESS;
}

EMULATED_API CUresult cuDeviceGetCount(int *count) {
    struct call call;
    if (!call_begin(&call, __func__, 0, -1))
        return call.result;
    if (count == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    *count = driver_visible_count();
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    struct call call;
    int found = emulated_platform() != NULL ? driver_visible(ordinal) : -1;
    if (!call_begin(&call, __func__, 0, found >= 0 ? found : EMULATED_DEVICES_MAX))
        return call.result;
    if (device == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    if (found < 0)
        return call_end(&call, CUDA_ERROR_INVALID_DEVICE);
    *device = found;
    return call_end(&call, CUDA_SUCCESS);
}

/* The device of a call that takes one; NULL after it ended the call. */
static const struct emulated_device *device_begin(struct call *call, const char *function,
                                                  CUdevice device, const void *out) {
    if (!call_begin(call, function, 0, device < 0 ? EMULATED_DEVICES_MAX : device))
        return NULL;
    const struct emulated_platform *platform = emulated_platform();
    if (device >= 0 && device < platform->device_count && out != NULL)
        return &platform->devices[device];
    call->result =
        call_end(call, out == NULL ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_DEVICE);
    return NULL;
}

EMULATED_API CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
    struct call call;
    const struct emulated_device *found = device_begin(&call, __func__, device, name);
    if (found == NULL)
        return call.result;
    if (length < 1)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    snprintf(name, (size_t)length, "%s", found->name);
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
    struct call call;
    const struct emulated_device *found = device_begin(&call, __func__, device, bytes);
    if (found == NULL)
        return call.result;
    *bytes = found->memory_told_bytes;
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuDeviceGetUuid_v2(CUuuid *uuid, CUdevice device) {
    struct call call;
    const struct emulated_device *found = device_begin(&call, __func__, device, uuid);
    if (found == NULL)
        return call.result;
    memcpy(uuid->bytes, found->uuid, sizeof uuid->bytes);
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuDeviceGetPCIBusId(char *id, int length, CUdevice device) {
    struct call call;
    const struct emulated_device *found = device_begin(&call, __func__, device, id);
    if (found == NULL)
        return call.result;
    if (length < 13)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    snprintf(id, (size_t)length, "%04X:%02X:%02X.0", found->pci_domain, found->pci_bus,
             found->pci_device);
    return call_end(&call, CUDA_SUCCESS);
}

/* Attributes that programs ask for; numbers as in the driver API. Others are refused, not zero. */
static bool attribute_of(const struct emulated_device *device, int attribute, int *value) {
    const struct {
        int attribute, value;
    } known[] = {
        {1, 1024}, /* threads of a block */
        {2, 1024}, /* block x, y, z */
        {3, 1024},
        {4, 64},
        {5, INT32_MAX}, /* grid x, y, z */
        {6, 65535},
        {7, 65535},
        {8, 49152},  /* shared memory of a block */
        {9, 65536},  /* constant memory */
        {10, 32},    /* threads of a warp */
        {12, 65536}, /* registers of a block */
        {13, device->clock_khz},
        {16, device->multiprocessors},
        {31, 1}, /* kernels at the same time */
        {32, 1}, /* ECC */
        {33, (int)device->pci_bus},
        {34, (int)device->pci_device},
        {36, device->memory_clock_khz},
        {37, device->memory_bus_bits},
        {39, 2048}, /* threads of a multiprocessor */
        {40, 1},    /* copy engines */
        {41, 1},    /* unified addressing */
        {50, (int)device->pci_domain},
        {75, device->sm_major},
        {76, device->sm_minor},
        {97, 49152}, /* shared memory of a block, on request */
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].attribute == attribute) {
            *value = known[i].value;
            return true;
        }
    return false;
}

EMULATED_API CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute,
                                           CUdevice device) {
    struct call call;
    const struct emulated_device *found = device_begin(&call, __func__, device, value);
    if (found == NULL)
        return call.result;
    if (!attribute_of(found, (int)attribute, value))
        return call_end(&call, call_misuse(&call, CUDA_ERROR_INVALID_VALUE,
                                           "attribute %d is not modelled", (int)attribute));
    return call_end(&call, CUDA_SUCCESS);
}

/* ---- primary contexts ---- */

EMULATED_API CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
    struct call call;
    if (device_begin(&call, __func__, device, context) == NULL)
        return call.result;
    struct CUctx_st *primary = driver_context(device);
    if (primary->lost != 0)
        return call_end(&call, (CUresult)primary->lost);
    primary->references++;
    *context = primary;
    return call_end(&call, CUDA_SUCCESS);
}

/* A context that ended well owes nothing; one that died is cleaned up in silence. */
static void context_end(struct CUctx_st *context) {
    bool is_well = driver_error(context) == CUDA_SUCCESS;
    int device = context->device;
    unsigned streams = 0;
    for (const struct CUstream_st *stream = context->streams; stream != NULL; stream = stream->next)
        streams += !stream->is_destroyed;
    bool was_left = streams_release(context);
    unsigned modules = modules_release(context), events = events_release(context);
    if (is_well && was_left)
        emulated_report("GPU %d: the context ends with work that nobody waited for", device);
    if (is_well && streams + modules + events > 0)
        emulated_report("GPU %d: leak of %u streams, %u events, %u modules", device, streams,
                        events, modules);
    emulated_memory_release(device, is_well);
    context->error = 0;
}

EMULATED_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
    struct call call;
    if (device_begin(&call, __func__, device, "") == NULL)
        return call.result;
    struct CUctx_st *context = driver_context(device);
    if (context->references == 0)
        return call_end(&call, call_misuse(&call, CUDA_ERROR_INVALID_CONTEXT,
                                           "released more often than retained"));
    if (--context->references == 0)
        context_end(context);
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned int *flags,
                                                 int *active) {
    struct call call;
    if (device_begin(&call, __func__, device, flags) == NULL)
        return call.result;
    if (active == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    *flags = 0;
    *active = driver_context(device)->references > 0;
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuCtxSetCurrent(CUcontext context) {
    struct call call;
    if (!call_begin(&call, __func__, 0, -1))
        return call.result;
    bool is_known = context == NULL;
    for (int i = 0; i < emulated_platform()->device_count; i++)
        is_known |= context == driver_context(i) && context->references > 0;
    if (!is_known)
        return call_end(&call, call_misuse(&call, CUDA_ERROR_INVALID_CONTEXT,
                                           "%p is no live primary context", (void *)context));
    driver_set_current(context);
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuCtxGetCurrent(CUcontext *context) {
    struct call call;
    if (!call_begin(&call, __func__, 0, -1))
        return call.result;
    if (context == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    *context = driver_current();
    return call_end(&call, CUDA_SUCCESS);
}

/* What the program left behind when it ended. */
__attribute__((destructor)) static void report_at_exit(void) {
    if (!driver_is_initialised())
        return;
    for (int i = 0; i < EMULATED_DEVICES_MAX; i++) {
        const struct CUctx_st *context = driver_context(i);
        if (context->references > 0 && driver_error(context) == CUDA_SUCCESS &&
            !context_hangs(context))
            emulated_report("GPU %d: the program ends without releasing its context", i);
    }
    if (pinned_bytes() > 0)
        emulated_report("leak of %llu bytes of pinned memory", (unsigned long long)pinned_bytes());
}
