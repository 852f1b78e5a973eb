/* SPDX-License-Identifier: Apache-2.0 */
/* nvml_emulated.c - the emulated libnvidia-ml.so.1: what the platform, the meter and the ordered
 * conditions say, under NVML's rules (versions inside structs, sizes asked for first, its own
 * codes).
 */
#include "emulated_gpu/emulated.h"
#include "emulated_gpu/emulated_condition.h"
#include "emulated_gpu/emulated_fault.h"
#include "emulated_gpu/emulated_meter.h"
#include "emulated_gpu/vendor_maker.h"

#include "device/nvml_api.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define DECLARE(required, returns, symbol, arguments) EMULATED_API returns symbol arguments;
PA_NVML_FUNCTIONS(DECLARE)
#undef DECLARE

struct nvmlDevice_st {
    bool is_slice; /* the one MIG slice of its GPU */
};

enum { UUID_TEXT_BYTES = 41 };

static struct nvmlDevice_st gpus[EMULATED_DEVICES_MAX], slices[EMULATED_DEVICES_MAX];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned opened; /* nvmlInit counts */

/* The GPU behind a handle, or -1. */
static int index_of(nvmlDevice_t device) {
    const struct emulated_platform *platform = emulated_platform();
    for (int i = 0; platform != NULL && i < platform->device_count; i++)
        if (device == &gpus[i] || device == &slices[i])
            return i;
    return -1;
}

static nvmlReturn_t enter_system(const char *function) {
    struct emulated_fault ordered = emulated_fault_check(function, -1);
    while (ordered.kind == EMULATED_FAULT_HANG)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (ordered.kind == EMULATED_FAULT_CODE)
        return (nvmlReturn_t)ordered.code;
    pthread_mutex_lock(&mutex);
    bool is_open = opened > 0;
    pthread_mutex_unlock(&mutex);
    return is_open ? NVML_SUCCESS : NVML_ERROR_UNINITIALIZED;
}

/* What every function of a device answers before it looks at anything else. */
static nvmlReturn_t enter(const char *function, nvmlDevice_t device, const void *out, int *gpu) {
    *gpu = index_of(device);
    struct emulated_fault ordered = emulated_fault_check(function, *gpu);
    while (ordered.kind == EMULATED_FAULT_HANG)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (ordered.kind == EMULATED_FAULT_CODE)
        return (nvmlReturn_t)ordered.code;
    pthread_mutex_lock(&mutex);
    bool is_open = opened > 0;
    pthread_mutex_unlock(&mutex);
    if (!is_open) {
        emulated_report("%s: NVML is not initialised", function);
        return NVML_ERROR_UNINITIALIZED;
    }
    if (*gpu < 0) {
        emulated_report("%s: %p is no device", function, (const void *)device);
        return NVML_ERROR_INVALID_ARGUMENT;
    }
    if (out == NULL)
        return NVML_ERROR_INVALID_ARGUMENT;
    return emulated_device_is_lost(*gpu) ? NVML_ERROR_GPU_IS_LOST : NVML_SUCCESS;
}

static nvmlReturn_t give_text(char *out, unsigned length, const char *text) {
    if (strlen(text) >= length)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    memcpy(out, text, strlen(text) + 1);
    return NVML_SUCCESS;
}

static void uuid_text(char out[UUID_TEXT_BYTES], const char *kind, const uint8_t uuid[16]) {
    size_t used = (size_t)snprintf(out, UUID_TEXT_BYTES, "%s-", kind);
    for (int i = 0; i < 16; i++) {
        const char *dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
        used += (size_t)snprintf(out + used, UUID_TEXT_BYTES - used, "%s%02x", dash, uuid[i]);
    }
}

/* ---- the library ---- */

nvmlReturn_t nvmlInit_v2(void) {
    struct emulated_fault ordered = emulated_fault_check(__func__, -1);
    if (emulated_platform() == NULL)
        return NVML_ERROR_UNKNOWN;
    while (ordered.kind == EMULATED_FAULT_HANG)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (ordered.kind == EMULATED_FAULT_CODE)
        return (nvmlReturn_t)ordered.code;
    pthread_mutex_lock(&mutex);
    opened++;
    for (int i = 0; i < EMULATED_DEVICES_MAX; i++)
        slices[i].is_slice = true;
    pthread_mutex_unlock(&mutex);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlShutdown(void) {
    nvmlReturn_t result = enter_system(__func__);
    if (result != NVML_SUCCESS)
        return result;
    pthread_mutex_lock(&mutex);
    opened--;
    pthread_mutex_unlock(&mutex);
    return NVML_SUCCESS;
}

const char *nvmlErrorString(nvmlReturn_t result) {
    static const struct {
        nvmlReturn_t result;
        const char *text;
    } texts[] = {
        {NVML_SUCCESS, "The operation was successful"},
        {NVML_ERROR_UNINITIALIZED, "Uninitialized"},
        {NVML_ERROR_INVALID_ARGUMENT, "Invalid Argument"},
        {NVML_ERROR_NOT_SUPPORTED, "Not Supported"},
        {NVML_ERROR_NO_PERMISSION, "Insufficient Permissions"},
        {NVML_ERROR_NOT_FOUND, "Not Found"},
        {NVML_ERROR_INSUFFICIENT_SIZE, "Insufficient Size"},
        {NVML_ERROR_DRIVER_NOT_LOADED, "Driver Not Loaded"},
        {NVML_ERROR_TIMEOUT, "Timeout"},
        {NVML_ERROR_FUNCTION_NOT_FOUND, "Function Not Found"},
        {NVML_ERROR_GPU_IS_LOST, "GPU is lost"},
        {NVML_ERROR_RESET_REQUIRED, "GPU requires restart"},
        {NVML_ERROR_LIB_RM_VERSION_MISMATCH, "Driver/library version mismatch"},
        {NVML_ERROR_ARGUMENT_VERSION_MISMATCH, "Argument version mismatch"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].result == result)
            return texts[i].text;
    return "Unknown Error";
}

nvmlReturn_t nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    nvmlReturn_t result = enter_system(__func__);
    if (result == NVML_SUCCESS && version == NULL)
        result = NVML_ERROR_INVALID_ARGUMENT;
    return result != NVML_SUCCESS ? result : give_text(version, length, "580.00.00-emulated");
}

nvmlReturn_t nvmlSystemGetProcessName(unsigned int pid, char *name, unsigned int length) {
    nvmlReturn_t result = enter_system(__func__);
    const struct emulated_platform *platform = emulated_platform();
    if (result == NVML_SUCCESS && name == NULL)
        result = NVML_ERROR_INVALID_ARGUMENT;
    if (result != NVML_SUCCESS)
        return result;
    for (int i = 0; i < platform->device_count; i++)
        if (emulated_condition(i)->process_id == pid)
            return give_text(name, length, emulated_condition(i)->process_name);
    return pid == (unsigned)getpid() ? give_text(name, length, "petaudit") : NVML_ERROR_NOT_FOUND;
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device) {
    nvmlReturn_t result = enter_system(__func__);
    const struct emulated_platform *platform = emulated_platform();
    char text[UUID_TEXT_BYTES];
    if (result == NVML_SUCCESS && (uuid == NULL || device == NULL))
        result = NVML_ERROR_INVALID_ARGUMENT;
    if (result != NVML_SUCCESS)
        return result;
    for (int i = 0; i < platform->device_count; i++) {
        uuid_text(text, "GPU", platform->devices[i].uuid);
        bool is_gpu = strcasecmp(text, uuid) == 0;
        uuid_text(text, "MIG", platform->devices[i].uuid);
        bool is_slice = emulated_condition(i)->is_mig && strcasecmp(text, uuid) == 0;
        if (!is_gpu && !is_slice)
            continue;
        *device = is_slice ? &slices[i] : &gpus[i];
        return emulated_device_is_lost(i) ? NVML_ERROR_GPU_IS_LOST : NVML_SUCCESS;
    }
    return NVML_ERROR_NOT_FOUND;
}

/* ---- identity ---- */

nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *uuid, unsigned int length) {
    char text[UUID_TEXT_BYTES];
    int gpu;
    nvmlReturn_t result = enter(__func__, device, uuid, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    uuid_text(text, device->is_slice ? "MIG" : "GPU", emulated_platform()->devices[gpu].uuid);
    return give_text(uuid, length, text);
}

nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *name, unsigned int length) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, name, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    const char *alias = emulated_condition(gpu)->alias;
    return give_text(name, length,
                     alias[0] != '\0' ? alias : emulated_platform()->devices[gpu].name);
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
    uint64_t unused, total;
    int gpu;
    nvmlReturn_t result = enter(__func__, device, memory, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    emulated_memory_info(gpu, &unused, &total);
    *memory = (nvmlMemory_t){.total = total, .free = unused, .used = total - unused};
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetSerial(nvmlDevice_t device, char *serial, unsigned int length) {
    char text[PA_NVML_SERIAL_BYTES];
    int gpu;
    nvmlReturn_t result = enter(__func__, device, serial, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    snprintf(text, sizeof text, "1650000%06d", gpu);
    return give_text(serial, length, text);
}

nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, pci, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    const struct emulated_device *facts = &emulated_platform()->devices[gpu];
    *pci = (nvmlPciInfo_t){.domain = facts->pci_domain,
                           .bus = facts->pci_bus,
                           .device = facts->pci_device,
                           .pciDeviceId = 0xe01210de};
    snprintf(pci->busId, sizeof pci->busId, "%08X:%02X:%02X.0", facts->pci_domain & 0xffff,
             facts->pci_bus & 0xff, facts->pci_device & 0xff);
    snprintf(pci->busIdLegacy, sizeof pci->busIdLegacy, "%04X:%02X:%02X.0",
             facts->pci_domain & 0xffff, facts->pci_bus & 0xff, facts->pci_device & 0xff);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetVbiosVersion(nvmlDevice_t device, char *version, unsigned int length) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, version, &gpu);
    return result != NVML_SUCCESS ? result : give_text(version, length, "96.00.00.00.E0");
}

/* ---- who vouches for it ---- */

static nvmlReturn_t make_report(int gpu, const unsigned char *nonce, struct vendor_made *out) {
    char name[40];
    if (!emulated_condition(gpu)->is_confidential)
        return NVML_ERROR_NOT_SUPPORTED;
    snprintf(name, sizeof name, "NVIDIA:GE100:%016X", (unsigned)gpu);
    vendor_make(name, nonce, out);
    return NVML_SUCCESS;
}

/* A leaf is made for each report, so that its chain is kept for the question that follows. */
static struct vendor_made last_made[EMULATED_DEVICES_MAX];

nvmlReturn_t
nvmlDeviceGetConfComputeGpuAttestationReport(nvmlDevice_t device,
                                             nvmlConfComputeGpuAttestationReport_t *report) {
    struct vendor_made made;
    int gpu;
    nvmlReturn_t result = enter(__func__, device, report, &gpu);
    if (result == NVML_SUCCESS)
        result = make_report(gpu, report->nonce, &made);
    if (result != NVML_SUCCESS)
        return result;
    report->isCecAttestationReportPresent = 0;
    report->attestationReportSize = (unsigned)made.report_bytes;
    memcpy(report->attestationReport, made.report, made.report_bytes);
    pthread_mutex_lock(&mutex);
    last_made[gpu] = made;
    pthread_mutex_unlock(&mutex);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetConfComputeGpuCertificate(nvmlDevice_t device,
                                                    nvmlConfComputeGpuCertificate_t *certificate) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, certificate, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    pthread_mutex_lock(&mutex);
    const struct vendor_made *made = &last_made[gpu];
    if (made->chain_bytes > 0) {
        certificate->attestationCertChainSize = (unsigned)made->chain_bytes;
        memcpy(certificate->attestationCertChain, made->chain, made->chain_bytes);
    } else {
        result = NVML_ERROR_NOT_SUPPORTED;
    }
    pthread_mutex_unlock(&mutex);
    return result;
}

/* ---- what it does ---- */

/* Boards of a virtual GPU, and slices, have no sensors of their own. */
static bool has_sensors(nvmlDevice_t device, int gpu) {
    return !device->is_slice && emulated_condition(gpu)->virtualization != EMULATED_VGPU;
}

nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, nvmlClockType_t type,
                                    unsigned int *clock_mhz) {
    struct emulated_reading reading;
    int gpu;
    nvmlReturn_t result = enter(__func__, device, clock_mhz, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    if (type != NVML_CLOCK_SM && type != NVML_CLOCK_MEM)
        return NVML_ERROR_INVALID_ARGUMENT;
    emulated_meter_read(gpu, &reading);
    *clock_mhz = type == NVML_CLOCK_SM ? reading.sm_mhz : reading.memory_mhz;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMaxClockInfo(nvmlDevice_t device, nvmlClockType_t type,
                                       unsigned int *clock_mhz) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, clock_mhz, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    if (type != NVML_CLOCK_SM && type != NVML_CLOCK_MEM)
        return NVML_ERROR_INVALID_ARGUMENT;
    const struct emulated_device *facts = &emulated_platform()->devices[gpu];
    *clock_mhz =
        (unsigned)(type == NVML_CLOCK_SM ? facts->clock_khz : facts->memory_clock_khz) / 1000;
    return NVML_SUCCESS;
}

static nvmlReturn_t read_power(nvmlDevice_t device, int gpu, struct emulated_reading *out) {
    if (!has_sensors(device, gpu) || emulated_condition(gpu)->has_no_power)
        return NVML_ERROR_NOT_SUPPORTED;
    emulated_meter_read(gpu, out);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned int *power_mw) {
    struct emulated_reading reading;
    int gpu;
    nvmlReturn_t result = enter(__func__, device, power_mw, &gpu);
    if (result == NVML_SUCCESS)
        result = read_power(device, gpu, &reading);
    if (result == NVML_SUCCESS)
        *power_mw = (unsigned)reading.power_mw;
    return result;
}

nvmlReturn_t nvmlDeviceGetTotalEnergyConsumption(nvmlDevice_t device,
                                                 unsigned long long *energy_mj) {
    struct emulated_reading reading;
    int gpu;
    nvmlReturn_t result = enter(__func__, device, energy_mj, &gpu);
    if (result == NVML_SUCCESS)
        result = read_power(device, gpu, &reading);
    if (result == NVML_SUCCESS)
        *energy_mj = reading.energy_mj;
    return result;
}

nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned int *limit_mw) {
    struct emulated_reading reading;
    int gpu;
    nvmlReturn_t result = enter(__func__, device, limit_mw, &gpu);
    if (result == NVML_SUCCESS)
        result = read_power(device, gpu, &reading);
    if (result == NVML_SUCCESS)
        *limit_mw = EMULATED_FULL_MW;
    return result;
}

nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device, nvmlTemperature_t *temperature) {
    struct emulated_reading reading;
    int gpu;
    nvmlReturn_t result = enter(__func__, device, temperature, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    if (temperature->version != PA_NVML_TEMPERATURE_VERSION)
        return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    if (temperature->sensorType != NVML_TEMPERATURE_GPU)
        return NVML_ERROR_INVALID_ARGUMENT;
    if (!has_sensors(device, gpu))
        return NVML_ERROR_NOT_SUPPORTED;
    emulated_meter_read(gpu, &reading);
    temperature->temperature = (int)reading.celsius;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetTemperatureThreshold(nvmlDevice_t device,
                                               nvmlTemperatureThresholds_t type,
                                               unsigned int *temperature) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, temperature, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    if (type != NVML_TEMPERATURE_THRESHOLD_SLOWDOWN)
        return NVML_ERROR_INVALID_ARGUMENT;
    if (!has_sensors(device, gpu))
        return NVML_ERROR_NOT_SUPPORTED;
    *temperature = EMULATED_SLOWDOWN_CELSIUS;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMarginTemperature(nvmlDevice_t device, nvmlMarginTemperature_t *margin) {
    struct emulated_reading reading;
    int gpu;
    nvmlReturn_t result = enter(__func__, device, margin, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    if (margin->version != PA_NVML_MARGIN_VERSION)
        return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    if (!has_sensors(device, gpu))
        return NVML_ERROR_NOT_SUPPORTED;
    emulated_meter_read(gpu, &reading);
    margin->marginTemperature = EMULATED_SLOWDOWN_CELSIUS - (int)reading.celsius;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetCurrentClocksEventReasons(nvmlDevice_t device,
                                                    unsigned long long *reasons) {
    struct emulated_reading reading;
    int gpu;
    nvmlReturn_t result = enter(__func__, device, reasons, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    emulated_meter_read(gpu, &reading);
    *reasons = reading.is_idle ? PA_NVML_REASON_IDLE : 0;
    if (reading.is_slow)
        *reasons = PA_NVML_REASON_HW_SLOWDOWN | PA_NVML_REASON_HW_POWER_BRAKE;
    if (reading.is_hot && reading.celsius >= EMULATED_SLOWDOWN_CELSIUS)
        *reasons = PA_NVML_REASON_HW_SLOWDOWN | PA_NVML_REASON_HW_THERMAL;
    return NVML_SUCCESS;
}

/* ---- health and mode ---- */

nvmlReturn_t nvmlDeviceGetEccMode(nvmlDevice_t device, nvmlEnableState_t *current,
                                  nvmlEnableState_t *pending) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, pending == NULL ? NULL : current, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    *current = *pending = NVML_FEATURE_ENABLED;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, nvmlMemoryErrorType_t error,
                                         nvmlEccCounterType_t counter, unsigned long long *count) {
    enum { CUDA_ERROR_ECC_UNCORRECTABLE = 214 };
    int gpu;
    nvmlReturn_t result = enter(__func__, device, count, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    if (counter != NVML_VOLATILE_ECC)
        return NVML_ERROR_INVALID_ARGUMENT;
    struct emulated_reading reading;
    emulated_meter_read(gpu, &reading);
    *count = 0;
    if (error == NVML_MEMORY_ERROR_TYPE_UNCORRECTED)
        *count = reading.ecc_uncorrected +
                 (emulated_device_error(gpu) == CUDA_ERROR_ECC_UNCORRECTABLE ? 1 : 0);
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetMigMode(nvmlDevice_t device, unsigned int *current,
                                  unsigned int *pending) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, pending == NULL ? NULL : current, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    *current = *pending = emulated_condition(gpu)->is_mig ? PA_NVML_MIG_ENABLED : 0;
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t device, unsigned int *is_mig) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, is_mig, &gpu);
    if (result == NVML_SUCCESS)
        *is_mig = device->is_slice ? 1 : 0;
    return result;
}

nvmlReturn_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t slice,
                                                          nvmlDevice_t *device) {
    int gpu;
    nvmlReturn_t result = enter(__func__, slice, device, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    if (!slice->is_slice)
        return NVML_ERROR_INVALID_ARGUMENT;
    *device = &gpus[gpu];
    return NVML_SUCCESS;
}

nvmlReturn_t nvmlDeviceGetVirtualizationMode(nvmlDevice_t device,
                                             nvmlGpuVirtualizationMode_t *mode) {
    static const nvmlGpuVirtualizationMode_t modes[] = {
        [EMULATED_BARE] = NVML_GPU_VIRTUALIZATION_MODE_NONE,
        [EMULATED_PASSTHROUGH] = NVML_GPU_VIRTUALIZATION_MODE_PASSTHROUGH,
        [EMULATED_VGPU] = NVML_GPU_VIRTUALIZATION_MODE_VGPU};
    int gpu;
    nvmlReturn_t result = enter(__func__, device, mode, &gpu);
    if (result == NVML_SUCCESS)
        *mode = modes[emulated_condition(gpu)->virtualization];
    return result;
}

/* ---- processes ---- */

/* This process counts too, as it does with the vendor's. */
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                     nvmlProcessInfo_t *processes) {
    int gpu;
    nvmlReturn_t result = enter(__func__, device, count, &gpu);
    if (result != NVML_SUCCESS)
        return result;
    const struct emulated_condition *condition = emulated_condition(gpu);
    unsigned wanted = condition->process_id != 0 ? 2 : 1, room = *count;
    *count = wanted;
    if (room < wanted)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    if (processes == NULL)
        return NVML_ERROR_INVALID_ARGUMENT;
    nvmlProcessInfo_t none = {.gpuInstanceId = UINT32_MAX, .computeInstanceId = UINT32_MAX};
    processes[0] = none;
    processes[0].pid = (unsigned)getpid();
    processes[0].usedGpuMemory = 1 << 20;
    if (wanted == 2) {
        processes[1] = none;
        processes[1].pid = condition->process_id;
        processes[1].usedGpuMemory = 1 << 20;
    }
    return NVML_SUCCESS;
}

static nvmlReturn_t no_processes(const char *function, nvmlDevice_t device, unsigned int *count) {
    int gpu;
    nvmlReturn_t result = enter(function, device, count, &gpu);
    if (result == NVML_SUCCESS)
        *count = 0;
    return result;
}

nvmlReturn_t nvmlDeviceGetGraphicsRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                      nvmlProcessInfo_t *processes) {
    (void)processes;
    return no_processes(__func__, device, count);
}

nvmlReturn_t nvmlDeviceGetMPSComputeRunningProcesses_v3(nvmlDevice_t device, unsigned int *count,
                                                        nvmlProcessInfo_t *processes) {
    (void)processes;
    return no_processes(__func__, device, count);
}
