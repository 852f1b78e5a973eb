/* SPDX-License-Identifier: Apache-2.0 */
/* nvml_api.h - what petaudit uses of the NVIDIA Management Library, from our own declarations.
 *
 * Types, constants and functions are spelled as the vendor spells them, so that one table makes the
 * pointers that are loaded, the emulated library's exports and the comparison with the vendor's
 * header (nvml_header_check.c, which includes <nvml.h> and defines PA_NVML_VENDOR_HEADER). Nothing
 * here is deprecated in 13; names carry their version, because the unversioned symbols that the
 * library still exports are older functions with other structs. What came late, or is missing on
 * some boards, is optional: TemperatureV and MarginTemperature came with driver 565 or so,
 * CurrentClocksEventReasons with 535, as did confidential computing.
 */
#ifndef PA_DEVICE_NVML_API_H
#define PA_DEVICE_NVML_API_H

#include <stddef.h>

/* C(name, value), by type; the check compares them with the vendor's. */
#define PA_NVML_RETURNS(C)                                                                         \
    C(NVML_SUCCESS, 0)                                                                             \
    C(NVML_ERROR_UNINITIALIZED, 1)                                                                 \
    C(NVML_ERROR_INVALID_ARGUMENT, 2)                                                              \
    C(NVML_ERROR_NOT_SUPPORTED, 3)                                                                 \
    C(NVML_ERROR_NO_PERMISSION, 4)                                                                 \
    C(NVML_ERROR_NOT_FOUND, 6)                                                                     \
    C(NVML_ERROR_INSUFFICIENT_SIZE, 7)                                                             \
    C(NVML_ERROR_DRIVER_NOT_LOADED, 9)                                                             \
    C(NVML_ERROR_TIMEOUT, 10)                                                                      \
    C(NVML_ERROR_FUNCTION_NOT_FOUND, 13)                                                           \
    C(NVML_ERROR_GPU_IS_LOST, 15)                                                                  \
    C(NVML_ERROR_RESET_REQUIRED, 16)                                                               \
    C(NVML_ERROR_LIB_RM_VERSION_MISMATCH, 18)                                                      \
    C(NVML_ERROR_ARGUMENT_VERSION_MISMATCH, 25)                                                    \
    C(NVML_ERROR_UNKNOWN, 999)
#define PA_NVML_CLOCKS(C)                                                                          \
    C(NVML_CLOCK_SM, 1)                                                                            \
    C(NVML_CLOCK_MEM, 2)
#define PA_NVML_SENSORS(C) C(NVML_TEMPERATURE_GPU, 0)
#define PA_NVML_THRESHOLDS(C) C(NVML_TEMPERATURE_THRESHOLD_SLOWDOWN, 1)
#define PA_NVML_STATES(C)                                                                          \
    C(NVML_FEATURE_DISABLED, 0)                                                                    \
    C(NVML_FEATURE_ENABLED, 1)
#define PA_NVML_MEMORY_ERRORS(C)                                                                   \
    C(NVML_MEMORY_ERROR_TYPE_CORRECTED, 0)                                                         \
    C(NVML_MEMORY_ERROR_TYPE_UNCORRECTED, 1)
#define PA_NVML_COUNTERS(C) C(NVML_VOLATILE_ECC, 0)
#define PA_NVML_VIRTUALIZATIONS(C)                                                                 \
    C(NVML_GPU_VIRTUALIZATION_MODE_NONE, 0)                                                        \
    C(NVML_GPU_VIRTUALIZATION_MODE_PASSTHROUGH, 1)                                                 \
    C(NVML_GPU_VIRTUALIZATION_MODE_VGPU, 2)                                                        \
    C(NVML_GPU_VIRTUALIZATION_MODE_HOST_VGPU, 3)                                                   \
    C(NVML_GPU_VIRTUALIZATION_MODE_HOST_VSGA, 4)

/* Bits of nvmlDeviceGetCurrentClocksEventReasons: macros of either spelling at the vendor's. */
enum {
    PA_NVML_REASON_IDLE = 0x1,
    PA_NVML_REASON_APPLICATION_CLOCKS = 0x2,
    PA_NVML_REASON_POWER_CAP = 0x4,
    PA_NVML_REASON_HW_SLOWDOWN = 0x8,
    PA_NVML_REASON_SYNC_BOOST = 0x10,
    PA_NVML_REASON_SW_THERMAL = 0x20,
    PA_NVML_REASON_HW_THERMAL = 0x40,
    PA_NVML_REASON_HW_POWER_BRAKE = 0x80,
    PA_NVML_REASON_DISPLAY_CLOCKS = 0x100,
};

enum { PA_NVML_UUID_BYTES = 96, PA_NVML_NAME_BYTES = 96, PA_NVML_SERIAL_BYTES = 30 };
enum { PA_NVML_VBIOS_BYTES = 32, PA_NVML_MIG_ENABLED = 1 };
enum { PA_NVML_NONCE_BYTES = 0x20, PA_NVML_REPORT_BYTES = 0x2000, PA_NVML_CEC_BYTES = 0x1000 };
enum { PA_NVML_CHAIN_BYTES = 0x1000, PA_NVML_ATTESTATION_CHAIN_BYTES = 0x1400 };

#ifndef PA_NVML_VENDOR_HEADER
#define PA_NVML_ENUMERATOR(name, value) name = value,
typedef enum { PA_NVML_RETURNS(PA_NVML_ENUMERATOR) } nvmlReturn_t;
typedef enum { PA_NVML_CLOCKS(PA_NVML_ENUMERATOR) } nvmlClockType_t;
typedef enum { PA_NVML_SENSORS(PA_NVML_ENUMERATOR) } nvmlTemperatureSensors_t;
typedef enum { PA_NVML_THRESHOLDS(PA_NVML_ENUMERATOR) } nvmlTemperatureThresholds_t;
typedef enum { PA_NVML_STATES(PA_NVML_ENUMERATOR) } nvmlEnableState_t;
typedef enum { PA_NVML_MEMORY_ERRORS(PA_NVML_ENUMERATOR) } nvmlMemoryErrorType_t;
typedef enum { PA_NVML_COUNTERS(PA_NVML_ENUMERATOR) } nvmlEccCounterType_t;
typedef enum { PA_NVML_VIRTUALIZATIONS(PA_NVML_ENUMERATOR) } nvmlGpuVirtualizationMode_t;
#undef PA_NVML_ENUMERATOR

typedef struct nvmlDevice_st *nvmlDevice_t;

typedef struct nvmlPciInfo_st {
    char busIdLegacy[16];
    unsigned int domain, bus, device;
    unsigned int pciDeviceId; /* device << 16 | vendor */
    unsigned int pciSubSystemId;
    char busId[32]; /* "00000000:01:00.0" */
} nvmlPciInfo_t;

typedef struct nvmlMemory_st {
    unsigned long long total, free, used;
} nvmlMemory_t;

/* That of _v2 and _v3 of the process lists; _v1 lacks the last two. */
typedef struct nvmlProcessInfo_v2_st {
    unsigned int pid;
    unsigned long long usedGpuMemory;
    unsigned int gpuInstanceId, computeInstanceId;
} nvmlProcessInfo_t;

typedef struct {
    unsigned int version; /* PA_NVML_TEMPERATURE_VERSION, set by the caller */
    nvmlTemperatureSensors_t sensorType;
    int temperature; /* degrees Celsius */
} nvmlTemperature_t;

typedef struct {
    unsigned int version;  /* PA_NVML_MARGIN_VERSION, set by the caller */
    int marginTemperature; /* degrees that are left to the nearest slowdown */
} nvmlMarginTemperature_t;

typedef struct nvmlConfComputeGpuCertificate_st {
    unsigned int certChainSize, attestationCertChainSize;
    unsigned char certChain[PA_NVML_CHAIN_BYTES];
    unsigned char attestationCertChain[PA_NVML_ATTESTATION_CHAIN_BYTES]; /* PEM */
} nvmlConfComputeGpuCertificate_t;

typedef struct nvmlConfComputeGpuAttestationReport_st {
    unsigned int isCecAttestationReportPresent, attestationReportSize, cecAttestationReportSize;
    unsigned char nonce[PA_NVML_NONCE_BYTES]; /* set by the caller */
    unsigned char attestationReport[PA_NVML_REPORT_BYTES];
    unsigned char cecAttestationReport[PA_NVML_CEC_BYTES];
} nvmlConfComputeGpuAttestationReport_t;
#endif

/* Of ours and of the vendor's alike. */
_Static_assert(sizeof(nvmlPciInfo_t) == 68 && offsetof(nvmlPciInfo_t, pciDeviceId) == 28 &&
                   offsetof(nvmlPciInfo_t, busId) == 36,
               "nvmlPciInfo_t");
_Static_assert(sizeof(nvmlMemory_t) == 24 && offsetof(nvmlMemory_t, total) == 0, "nvmlMemory_t");
_Static_assert(sizeof(nvmlProcessInfo_t) == 24 && offsetof(nvmlProcessInfo_t, usedGpuMemory) == 8,
               "nvmlProcessInfo_t");
_Static_assert(sizeof(nvmlConfComputeGpuCertificate_t) == 8 + 0x1000 + 0x1400 &&
                   offsetof(nvmlConfComputeGpuCertificate_t, attestationCertChainSize) == 4 &&
                   offsetof(nvmlConfComputeGpuCertificate_t, attestationCertChain) == 8 + 0x1000,
               "nvmlConfComputeGpuCertificate_t");
_Static_assert(sizeof(nvmlConfComputeGpuAttestationReport_t) == 44 + 0x2000 + 0x1000 &&
                   offsetof(nvmlConfComputeGpuAttestationReport_t, attestationReportSize) == 4 &&
                   offsetof(nvmlConfComputeGpuAttestationReport_t, nonce) == 12 &&
                   offsetof(nvmlConfComputeGpuAttestationReport_t, attestationReport) == 44,
               "nvmlConfComputeGpuAttestationReport_t");

/* The vendor's NVML_STRUCT_VERSION: the size, and the version in the highest byte. */
#define PA_NVML_TEMPERATURE_VERSION ((unsigned int)sizeof(nvmlTemperature_t) | 1U << 24)
#define PA_NVML_MARGIN_VERSION ((unsigned int)sizeof(nvmlMarginTemperature_t) | 1U << 24)

/* F(required, returns, symbol, arguments) */
#define PA_NVML_FUNCTIONS(F)                                                                       \
    F(true, nvmlReturn_t, nvmlInit_v2, (void))                                                     \
    F(true, nvmlReturn_t, nvmlShutdown, (void))                                                    \
    F(true, const char *, nvmlErrorString, (nvmlReturn_t result))                                  \
    F(true, nvmlReturn_t, nvmlSystemGetDriverVersion, (char *version, unsigned int length))        \
    F(true, nvmlReturn_t, nvmlDeviceGetHandleByUUID, (const char *uuid, nvmlDevice_t *device))     \
    F(true, nvmlReturn_t, nvmlDeviceGetUUID,                                                       \
      (nvmlDevice_t device, char *uuid, unsigned int length))                                      \
    F(true, nvmlReturn_t, nvmlDeviceGetName,                                                       \
      (nvmlDevice_t device, char *name, unsigned int length))                                      \
    F(true, nvmlReturn_t, nvmlDeviceGetMemoryInfo, (nvmlDevice_t device, nvmlMemory_t * memory))   \
    F(false, nvmlReturn_t, nvmlDeviceGetSerial,                                                    \
      (nvmlDevice_t device, char *serial, unsigned int length))                                    \
    F(false, nvmlReturn_t, nvmlDeviceGetPciInfo_v3, (nvmlDevice_t device, nvmlPciInfo_t * pci))    \
    F(false, nvmlReturn_t, nvmlDeviceGetVbiosVersion,                                              \
      (nvmlDevice_t device, char *version, unsigned int length))                                   \
    F(false, nvmlReturn_t, nvmlDeviceGetClockInfo,                                                 \
      (nvmlDevice_t device, nvmlClockType_t type, unsigned int *clock_mhz))                        \
    F(false, nvmlReturn_t, nvmlDeviceGetMaxClockInfo,                                              \
      (nvmlDevice_t device, nvmlClockType_t type, unsigned int *clock_mhz))                        \
    F(false, nvmlReturn_t, nvmlDeviceGetPowerUsage, (nvmlDevice_t device, unsigned int *power_mw)) \
    F(false, nvmlReturn_t, nvmlDeviceGetEnforcedPowerLimit,                                        \
      (nvmlDevice_t device, unsigned int *limit_mw))                                               \
    F(false, nvmlReturn_t, nvmlDeviceGetTotalEnergyConsumption,                                    \
      (nvmlDevice_t device, unsigned long long *energy_mj))                                        \
    F(false, nvmlReturn_t, nvmlDeviceGetTemperatureV,                                              \
      (nvmlDevice_t device, nvmlTemperature_t * temperature))                                      \
    F(false, nvmlReturn_t, nvmlDeviceGetTemperatureThreshold,                                      \
      (nvmlDevice_t device, nvmlTemperatureThresholds_t type, unsigned int *temperature))          \
    F(false, nvmlReturn_t, nvmlDeviceGetMarginTemperature,                                         \
      (nvmlDevice_t device, nvmlMarginTemperature_t * margin))                                     \
    F(false, nvmlReturn_t, nvmlDeviceGetCurrentClocksEventReasons,                                 \
      (nvmlDevice_t device, unsigned long long *reasons))                                          \
    F(false, nvmlReturn_t, nvmlDeviceGetEccMode,                                                   \
      (nvmlDevice_t device, nvmlEnableState_t * current, nvmlEnableState_t * pending))             \
    F(false, nvmlReturn_t, nvmlDeviceGetTotalEccErrors,                                            \
      (nvmlDevice_t device, nvmlMemoryErrorType_t error, nvmlEccCounterType_t counter,             \
       unsigned long long *count))                                                                 \
    F(false, nvmlReturn_t, nvmlDeviceGetMigMode,                                                   \
      (nvmlDevice_t device, unsigned int *current, unsigned int *pending))                         \
    F(false, nvmlReturn_t, nvmlDeviceIsMigDeviceHandle,                                            \
      (nvmlDevice_t device, unsigned int *is_mig))                                                 \
    F(false, nvmlReturn_t, nvmlDeviceGetDeviceHandleFromMigDeviceHandle,                           \
      (nvmlDevice_t slice, nvmlDevice_t * device))                                                 \
    F(false, nvmlReturn_t, nvmlDeviceGetVirtualizationMode,                                        \
      (nvmlDevice_t device, nvmlGpuVirtualizationMode_t * mode))                                   \
    F(false, nvmlReturn_t, nvmlDeviceGetComputeRunningProcesses_v3,                                \
      (nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *processes))                    \
    F(false, nvmlReturn_t, nvmlDeviceGetGraphicsRunningProcesses_v3,                               \
      (nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *processes))                    \
    F(false, nvmlReturn_t, nvmlDeviceGetMPSComputeRunningProcesses_v3,                             \
      (nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *processes))                    \
    F(false, nvmlReturn_t, nvmlDeviceGetConfComputeGpuCertificate,                                 \
      (nvmlDevice_t device, nvmlConfComputeGpuCertificate_t * certificate))                        \
    F(false, nvmlReturn_t, nvmlDeviceGetConfComputeGpuAttestationReport,                           \
      (nvmlDevice_t device, nvmlConfComputeGpuAttestationReport_t * report))                       \
    F(false, nvmlReturn_t, nvmlSystemGetProcessName,                                               \
      (unsigned int pid, char *name, unsigned int length))

#endif
