/* SPDX-License-Identifier: Apache-2.0 */
#include "device/nvml_device.h"

#include "base/file.h"
#include "device/nvml_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PROCESSES = 64, MOST_OCCUPANTS = 16 };

struct pa_nvml_device {
    const struct pa_nvml *nvml;
    nvmlDevice_t handle; /* the slice's where it is one */
    nvmlDevice_t card;   /* the same, or the card that the slice is part of */
    bool is_slice;
    struct pa_occupant occupants[MOST_OCCUPANTS];
    uint32_t occupant_count;
};

/* Call what may be missing from this library, and may not come back while devices are looked for.
 */
#define ASK(device, symbol, ...)                                                                   \
    ((device)->nvml->symbol == NULL                                                                \
         ? NVML_ERROR_FUNCTION_NOT_FOUND                                                           \
         : (nvmlReturn_t)PA_VENDOR_CALL((device)->nvml, symbol, __VA_ARGS__))

/* ---- processes ---- */

typedef nvmlReturn_t (*list_processes)(nvmlDevice_t device, unsigned int *count,
                                       nvmlProcessInfo_t *processes);

struct census {
    uint32_t count;
    nvmlProcessInfo_t processes[MOST_PROCESSES];
    bool is_known; /* at least one list could be had */
};

static void census_add(struct census *census, const nvmlProcessInfo_t *process) {
    for (uint32_t i = 0; i < census->count; i++)
        if (census->processes[i].pid == process->pid)
            return;
    if (census->count < MOST_PROCESSES)
        census->processes[census->count++] = *process;
}

/* Compute, graphics and MPS are lists of their own; a process may be in several. */
static void take_census(const struct pa_nvml_device *device, struct census *out) {
    const struct pa_nvml *nvml = device->nvml;
    const list_processes lists[] = {
        nvml->nvmlDeviceGetComputeRunningProcesses_v3,
        nvml->nvmlDeviceGetGraphicsRunningProcesses_v3,
        nvml->nvmlDeviceGetMPSComputeRunningProcesses_v3,
    };
    *out = (struct census){0};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        nvmlProcessInfo_t found[MOST_PROCESSES];
        unsigned int count = MOST_PROCESSES;
        memset(found, 0, sizeof found);
        pa_vendor_calling("nvmlDeviceGet...RunningProcesses_v3");
        if (lists[i] == NULL ||
            pa_vendor_returned((int)lists[i](device->handle, &count, found)) != NVML_SUCCESS)
            continue;
        out->is_known = true;
        for (unsigned int k = 0; k < count && k < MOST_PROCESSES; k++)
            census_add(out, &found[k]);
    }
}

/* The last part of a path, which is what NVML gives for a name; the kernel's where it gives none.
 */
static void process_name(const struct pa_nvml_device *device, unsigned int pid, char *out,
                         size_t size) {
    char path[256] = "";
    if (ASK(device, nvmlSystemGetProcessName, pid, path, sizeof path - 1) != NVML_SUCCESS ||
        path[0] == '\0') {
        char comm[64];
        snprintf(comm, sizeof comm, "/proc/%u/comm", pid);
        FILE *file = fopen(comm, "re");
        if (file != NULL && fgets(path, sizeof path, file) == NULL)
            path[0] = '\0';
        if (file != NULL)
            fclose(file);
        path[strcspn(path, "\n")] = '\0';
    }
    const char *slash = strrchr(path, '/');
    snprintf(out, size, "%.60s", slash != NULL ? slash + 1 : path);
}

static void take_down_occupants(struct pa_nvml_device *device) {
    struct census census;
    take_census(device, &census);
    for (uint32_t i = 0; i < census.count; i++) {
        const nvmlProcessInfo_t *process = &census.processes[i];
        if (process->pid == (unsigned int)getpid())
            continue;
        if (device->occupant_count < MOST_OCCUPANTS) {
            struct pa_occupant *occupant = &device->occupants[device->occupant_count];
            occupant->pid = process->pid;
            occupant->memory_bytes = process->usedGpuMemory;
            process_name(device, process->pid, occupant->name, sizeof occupant->name);
        }
        device->occupant_count++;
    }
}

uint32_t pa_nvml_occupants(const struct pa_nvml_device *device, struct pa_occupant *out,
                           uint32_t most) {
    for (uint32_t i = 0; i < most && i < device->occupant_count && i < MOST_OCCUPANTS; i++)
        out[i] = device->occupants[i];
    return device->occupant_count;
}

/* ---- finding and naming ---- */

static nvmlReturn_t find_by_uuid(struct pa_nvml_device *device, const char *id) {
    char slice[PA_NVML_UUID_BYTES];
    /* CUDA gives a slice's UUID without saying that it is one. */
    snprintf(slice, sizeof slice, "MIG-%.80s", strncmp(id, "GPU-", 4) == 0 ? id + 4 : id);
    if (ASK(device, nvmlDeviceGetHandleByUUID, slice, &device->handle) == NVML_SUCCESS)
        return NVML_SUCCESS;
    return ASK(device, nvmlDeviceGetHandleByUUID, id, &device->handle);
}

static void find_card(struct pa_nvml_device *device) {
    unsigned int is_slice = 0;
    device->card = device->handle;
    if (ASK(device, nvmlDeviceIsMigDeviceHandle, device->handle, &is_slice) != NVML_SUCCESS ||
        is_slice == 0)
        return;
    device->is_slice = true;
    nvmlDevice_t card = NULL;
    if (ASK(device, nvmlDeviceGetDeviceHandleFromMigDeviceHandle, device->handle, &card) ==
            NVML_SUCCESS &&
        card != NULL)
        device->card = card;
}

int pa_nvml_open(const char *id, struct pa_nvml_device **out, struct pa_error *error) {
    const struct pa_nvml *nvml = NULL;
    *out = NULL;
    PA_TRY(pa_nvml_library(&nvml, error));
    struct pa_nvml_device *device = calloc(1, sizeof *device);
    if (device == NULL)
        return pa_fail(error, PA_EMEMORY, "looking for %.80s in NVML: out of memory", id);
    device->nvml = nvml;
    nvmlReturn_t result = find_by_uuid(device, id);
    if (result != NVML_SUCCESS) {
        free(device);
        return pa_fail(error, PA_EUNSUPPORTED, "NVML does not know %.80s: %.100s", id,
                       nvml->nvmlErrorString(result));
    }
    find_card(device);
    take_down_occupants(device);
    *out = device;
    return PA_OK;
}

void pa_nvml_close(struct pa_nvml_device *device) {
    free(device);
}

static const char *virtualization_name(nvmlGpuVirtualizationMode_t mode) {
    switch (mode) {
    case NVML_GPU_VIRTUALIZATION_MODE_VGPU:
        return "vGPU";
    case NVML_GPU_VIRTUALIZATION_MODE_HOST_VGPU:
        return "host of vGPUs";
    case NVML_GPU_VIRTUALIZATION_MODE_HOST_VSGA:
        return "host of vSGA";
    case NVML_GPU_VIRTUALIZATION_MODE_NONE:
    case NVML_GPU_VIRTUALIZATION_MODE_PASSTHROUGH: /* a whole device, given to this machine */
        break;
    }
    return NULL;
}

static void name_partition(const struct pa_nvml_device *device, char *out, size_t size) {
    nvmlGpuVirtualizationMode_t mode = NVML_GPU_VIRTUALIZATION_MODE_NONE;
    char uuid[PA_NVML_UUID_BYTES] = "", name[PA_NVML_NAME_BYTES] = "";
    if (device->is_slice) {
        if (ASK(device, nvmlDeviceGetUUID, device->card, uuid, sizeof uuid - 1) != NVML_SUCCESS)
            uuid[0] = '\0';
        if (ASK(device, nvmlDeviceGetName, device->handle, name, sizeof name - 1) != NVML_SUCCESS)
            name[0] = '\0';
        snprintf(out, size, "MIG slice %.60s of %.44s", name,
                 uuid[0] != '\0' && device->card != device->handle ? uuid : "an unknown card");
        return;
    }
    if (ASK(device, nvmlDeviceGetVirtualizationMode, device->card, &mode) == NVML_SUCCESS &&
        virtualization_name(mode) != NULL)
        snprintf(out, size, "%s", virtualization_name(mode));
}

static void append(char *out, size_t size, const char *text) {
    size_t used = strlen(out);
    if (used + 1 < size)
        snprintf(out + used, size - used, "%s%s", used > 0 ? "; " : "", text);
}

/* What NVML has a word of its own for beside CUDA: the driver's version, the memory, the highest
 * clock, and a name only where it is another one. */
static void compare_identity(const struct pa_nvml_device *device,
                             struct pa_device_identity *identity) {
    const size_t size = sizeof identity->details;
    char text[160], safe[120], release[32], version[80] = "", name[PA_NVML_NAME_BYTES] = "";
    nvmlMemory_t memory = {0};
    unsigned int clock_mhz = 0;
    if (ASK(device, nvmlSystemGetDriverVersion, version, sizeof version - 1) == NVML_SUCCESS) {
        pa_printable(release, sizeof release, version);
        append(identity->driver, sizeof identity->driver, release);
    }
    if (ASK(device, nvmlDeviceGetMemoryInfo, device->handle, &memory) == NVML_SUCCESS) {
        snprintf(text, sizeof text, "%llu MiB by NVML", memory.total >> 20);
        append(identity->details, size, text);
    }
    if (ASK(device, nvmlDeviceGetMaxClockInfo, device->card, NVML_CLOCK_SM, &clock_mhz) ==
        NVML_SUCCESS) {
        snprintf(text, sizeof text, "SM clock up to %u MHz", clock_mhz);
        append(identity->details, size, text);
    }
    if (ASK(device, nvmlDeviceGetName, device->handle, name, sizeof name - 1) != NVML_SUCCESS)
        return;
    pa_printable(safe, sizeof safe, name);
    if (strcmp(safe, identity->name) != 0) {
        snprintf(text, sizeof text, "NVML calls it %.100s", safe);
        append(identity->details, size, text);
    }
}

void pa_nvml_identify(const struct pa_nvml_device *device, struct pa_device_identity *identity) {
    nvmlPciInfo_t pci = {0};
    nvmlEnableState_t ecc = NVML_FEATURE_DISABLED, pending = NVML_FEATURE_DISABLED;
    unsigned int limit_mw = 0, mig = 0, mig_pending = 0;
    char text[128], vbios[PA_NVML_VBIOS_BYTES + 1] = "", serial[PA_NVML_SERIAL_BYTES + 1] = "";
    char *details = identity->details;
    const size_t size = sizeof identity->details;
    name_partition(device, identity->partition, sizeof identity->partition);
    if (device->is_slice && strncmp(identity->id, "GPU-", 4) == 0)
        memcpy(identity->id, "MIG-", 4); /* as NVIDIA's own tools name it */
    if (ASK(device, nvmlDeviceGetSerial, device->card, serial, PA_NVML_SERIAL_BYTES) ==
        NVML_SUCCESS)
        pa_printable(identity->serial, sizeof identity->serial, serial);
    if (ASK(device, nvmlDeviceGetPciInfo_v3, device->card, &pci) == NVML_SUCCESS) {
        pci.busId[sizeof pci.busId - 1] = '\0';
        snprintf(text, sizeof text, "PCI %s (%04x:%04x, subsystem %04x:%04x)", pci.busId,
                 pci.pciDeviceId & 0xffff, pci.pciDeviceId >> 16, pci.pciSubSystemId & 0xffff,
                 pci.pciSubSystemId >> 16);
        append(details, size, text);
    }
    if (ASK(device, nvmlDeviceGetVbiosVersion, device->card, vbios, PA_NVML_VBIOS_BYTES) ==
        NVML_SUCCESS) {
        snprintf(text, sizeof text, "VBIOS %s", vbios);
        append(details, size, text);
    }
    if (ASK(device, nvmlDeviceGetEccMode, device->card, &ecc, &pending) == NVML_SUCCESS)
        append(details, size, ecc == NVML_FEATURE_ENABLED ? "ECC on" : "ECC off");
    if (ASK(device, nvmlDeviceGetMigMode, device->card, &mig, &mig_pending) == NVML_SUCCESS &&
        mig == PA_NVML_MIG_ENABLED)
        append(details, size, "MIG on");
    if (ASK(device, nvmlDeviceGetEnforcedPowerLimit, device->card, &limit_mw) == NVML_SUCCESS) {
        snprintf(text, sizeof text, "power limit %u W", (limit_mw + 500) / 1000);
        append(details, size, text);
    }
    compare_identity(device, identity);
    if (identity->partition[0] != '\0')
        append(details, size, identity->partition);
}

/* ---- health ---- */

/* A question whose answer is only a number that may be missing. */
#define TAKE(has, device, symbol, ...) ((has) = ASK(device, symbol, __VA_ARGS__) == NVML_SUCCESS)

static void read_heat(const struct pa_nvml_device *device, struct pa_telemetry *out) {
    nvmlTemperature_t now = {.version = PA_NVML_TEMPERATURE_VERSION,
                             .sensorType = NVML_TEMPERATURE_GPU};
    nvmlMarginTemperature_t margin = {.version = PA_NVML_MARGIN_VERSION};
    unsigned int slowdown_c = 0;
    TAKE(out->has_temperature, device, nvmlDeviceGetTemperatureV, device->card, &now);
    out->temperature_c = now.temperature;
    /* The threshold itself is no longer told by Ada and later: those tell the distance to it. */
    TAKE(out->has_headroom, device, nvmlDeviceGetMarginTemperature, device->card, &margin);
    out->headroom_c = margin.marginTemperature;
    if (out->has_headroom || !out->has_temperature)
        return;
    TAKE(out->has_headroom, device, nvmlDeviceGetTemperatureThreshold, device->card,
         NVML_TEMPERATURE_THRESHOLD_SLOWDOWN, &slowdown_c);
    out->has_headroom = out->has_headroom && slowdown_c > 0 && slowdown_c < 1000;
    out->headroom_c = out->has_headroom ? (int32_t)slowdown_c - out->temperature_c : 0;
}

static uint32_t slowdowns_of(unsigned long long reasons) {
    static const struct {
        unsigned long long reason;
        uint32_t slowdown;
    } table[] = {
        {PA_NVML_REASON_IDLE, PA_SLOW_IDLE},
        {PA_NVML_REASON_APPLICATION_CLOCKS, PA_SLOW_SETTING},
        {PA_NVML_REASON_POWER_CAP, PA_SLOW_POWER_CAP},
        {PA_NVML_REASON_HW_SLOWDOWN, PA_SLOW_HARDWARE},
        {PA_NVML_REASON_SYNC_BOOST, PA_SLOW_SYNC},
        {PA_NVML_REASON_SW_THERMAL, PA_SLOW_SW_THERMAL},
        {PA_NVML_REASON_HW_THERMAL, PA_SLOW_HW_THERMAL},
        {PA_NVML_REASON_HW_POWER_BRAKE, PA_SLOW_POWER_BRAKE},
        {PA_NVML_REASON_DISPLAY_CLOCKS, PA_SLOW_DISPLAY},
    };
    uint32_t slowdowns = 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if ((reasons & table[i].reason) == 0)
            continue;
        slowdowns |= table[i].slowdown;
        reasons &= ~table[i].reason;
    }
    return slowdowns | (reasons != 0 ? (uint32_t)PA_SLOW_OTHER : 0);
}

static void read_errors(const struct pa_nvml_device *device, struct pa_telemetry *out) {
    unsigned long long corrected = 0, uncorrected = 0;
    bool has_corrected, has_uncorrected;
    TAKE(has_corrected, device, nvmlDeviceGetTotalEccErrors, device->card,
         NVML_MEMORY_ERROR_TYPE_CORRECTED, NVML_VOLATILE_ECC, &corrected);
    TAKE(has_uncorrected, device, nvmlDeviceGetTotalEccErrors, device->card,
         NVML_MEMORY_ERROR_TYPE_UNCORRECTED, NVML_VOLATILE_ECC, &uncorrected);
    out->has_ecc = has_corrected && has_uncorrected;
    out->ecc_corrected = corrected;
    out->ecc_uncorrected = uncorrected;
}

int pa_nvml_telemetry(const struct pa_nvml_device *device, struct pa_telemetry *out,
                      struct pa_error *error) {
    unsigned long long energy_mj = 0, reasons = 0;
    *out = (struct pa_telemetry){0};
    /* A whole card's power says nothing of a slice: the slice's own handle is asked, which does not
     * have it. */
    nvmlReturn_t result = ASK(device, nvmlDeviceGetPowerUsage, device->handle, &out->power_mw);
    if (result == NVML_ERROR_GPU_IS_LOST || result == NVML_ERROR_RESET_REQUIRED)
        return pa_fail(error, PA_EDEVICE, "nvmlDeviceGetPowerUsage: %.100s",
                       device->nvml->nvmlErrorString(result));
    out->has_power = result == NVML_SUCCESS;
    TAKE(out->has_energy, device, nvmlDeviceGetTotalEnergyConsumption, device->handle, &energy_mj);
    out->energy_mj = energy_mj;
    TAKE(out->has_clock, device, nvmlDeviceGetClockInfo, device->card, NVML_CLOCK_SM,
         &out->clock_mhz);
    TAKE(out->has_memory_clock, device, nvmlDeviceGetClockInfo, device->card, NVML_CLOCK_MEM,
         &out->memory_clock_mhz);
    TAKE(out->has_slowdowns, device, nvmlDeviceGetCurrentClocksEventReasons, device->card,
         &reasons);
    out->slowdowns = slowdowns_of(reasons);
    read_heat(device, out);
    read_errors(device, out);
    struct census census;
    take_census(device, &census);
    out->has_processes = census.is_known;
    out->processes = census.count;
    return PA_OK;
}

/* ---- who vouches for it ---- */

static int refuse(const struct pa_nvml_device *device, const char *call, nvmlReturn_t result,
                  struct pa_error *error) {
    bool is_gone = result == NVML_ERROR_GPU_IS_LOST || result == NVML_ERROR_RESET_REQUIRED;
    return pa_fail(error, is_gone ? PA_EDEVICE : PA_EUNSUPPORTED, "%s: %.100s", call,
                   device->nvml->nvmlErrorString(result));
}

static int too_long(const char *what, struct pa_error *error) {
    return pa_fail(error, PA_EDEVICE, "NVML tells of a %s that is longer than its place", what);
}

int pa_nvml_report(const struct pa_nvml_device *device, const uint8_t nonce[PA_VENDOR_NONCE_BYTES],
                   struct pa_vendor_report *out, struct pa_error *error) {
    nvmlConfComputeGpuAttestationReport_t report = {0};
    memcpy(report.nonce, nonce, sizeof report.nonce);
    nvmlReturn_t result =
        ASK(device, nvmlDeviceGetConfComputeGpuAttestationReport, device->card, &report);
    if (result != NVML_SUCCESS)
        return refuse(device, "nvmlDeviceGetConfComputeGpuAttestationReport", result, error);
    if (report.attestationReportSize > sizeof out->report)
        return too_long("report", error);
    out->report_bytes = report.attestationReportSize;
    memcpy(out->report, report.attestationReport, out->report_bytes);
    return PA_OK;
}

int pa_nvml_chain(const struct pa_nvml_device *device, struct pa_vendor_report *out,
                  struct pa_error *error) {
    nvmlConfComputeGpuCertificate_t chain = {0};
    nvmlReturn_t result = ASK(device, nvmlDeviceGetConfComputeGpuCertificate, device->card, &chain);
    if (result != NVML_SUCCESS)
        return refuse(device, "nvmlDeviceGetConfComputeGpuCertificate", result, error);
    if (chain.attestationCertChainSize > sizeof out->chain)
        return too_long("chain of certificates", error);
    out->chain_bytes = chain.attestationCertChainSize;
    memcpy(out->chain, chain.attestationCertChain, out->chain_bytes);
    return PA_OK;
}
