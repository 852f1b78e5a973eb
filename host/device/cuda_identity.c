/* SPDX-License-Identifier: Apache-2.0 */
/* Who the device is, by the driver alone; no context is needed for that. */
#include "device/cuda_inside.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int attribute(struct pa_cuda_device *device, CUdevice_attribute which, int *out,
                     struct pa_error *error) {
    PA_CUDA_TRY(device, cuDeviceGetAttribute, out, which, device->ordinal);
    return PA_OK;
}

/* "GPU-8c1f..-.." as every NVIDIA tool prints it; a MIG slice has a UUID of its own. */
static void uuid_text(const CUuuid *uuid, char *out, size_t size) {
    unsigned char b[16];
    memcpy(b, uuid->bytes, sizeof b);
    snprintf(out, size, "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

static void describe(struct pa_cuda_device *device) {
    struct pa_device_identity *identity = &device->base.identity;
    int version = pa_cuda_driver_version();
    snprintf(identity->driver, sizeof identity->driver, "CUDA %d.%d", version / 1000,
             version % 1000 / 10);
    snprintf(identity->details, sizeof identity->details,
             "compute capability %d.%d, %u SMs at %.2f GHz, %.1f GiB, driver for %s", device->major,
             device->minor, identity->units, identity->clock_hz / 1e9,
             (double)identity->memory_bytes / (1u << 30), identity->driver);
}

int pa_cuda_identify(struct pa_cuda_device *device, struct pa_error *error) {
    struct pa_device_identity *identity = &device->base.identity;
    char name[sizeof identity->name] = "";
    size_t bytes = 0;
    CUuuid uuid;
    int units = 0, clock_khz = 0;
    snprintf(identity->vendor, sizeof identity->vendor, "NVIDIA");
    if (gethostname(identity->host, sizeof identity->host) != 0)
        snprintf(identity->host, sizeof identity->host, "unknown");
    identity->host[sizeof identity->host - 1] = '\0';
    identity->is_emulated = pa_vendor_symbol("petaudit_emulated_gpu") != NULL;
    PA_CUDA_TRY(device, cuDeviceGetUuid_v2, &uuid, device->ordinal);
    uuid_text(&uuid, identity->id, sizeof identity->id);
    PA_CUDA_TRY(device, cuDeviceGetName, name, (int)sizeof name - 1, device->ordinal);
    pa_printable(identity->name, sizeof identity->name, name);
    PA_CUDA_TRY(device, cuDeviceGetPCIBusId, identity->bus, (int)sizeof identity->bus - 1,
                device->ordinal);
    PA_CUDA_TRY(device, cuDeviceTotalMem_v2, &bytes, device->ordinal);
    identity->memory_bytes = bytes;
    PA_TRY(attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &device->major, error));
    PA_TRY(attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &device->minor, error));
    PA_TRY(attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, &units, error));
    PA_TRY(attribute(device, CU_DEVICE_ATTRIBUTE_CLOCK_RATE, &clock_khz, error));
    identity->units = units > 0 ? (uint32_t)units : 0;
    identity->clock_hz = clock_khz > 0 ? (double)clock_khz * 1e3 : 0;
    describe(device);
    return PA_OK;
}
