/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated NVML: identity, sensors that follow the work, modes and the orders about them; and
 * how orders themselves are read.
 *
 * usage: test_nvml_emulated FOLDER */
#include "emulated_gpu/emulated_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const char *folder;

/* The handle of a GPU, found as petaudit finds it: by the driver's UUID. */
static nvmlDevice_t device_of(int ordinal, const char *kind) {
    CUuuid uuid;
    char text[64];
    nvmlDevice_t device = NULL;
    size_t used = (size_t)snprintf(text, sizeof text, "%s-", kind);
    EXPECT_IS(emulated.cuInit(0), 0);
    EXPECT_IS(emulated.cuDeviceGetUuid_v2(&uuid, ordinal), 0);
    for (int i = 0; i < 16; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%02x",
                                 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                                 (unsigned char)uuid.bytes[i]);
    EXPECT_IS(emulated.nvmlInit_v2(), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetHandleByUUID(text, &device), NVML_SUCCESS);
    return device;
}

static void identity(void) {
    nvmlDevice_t device = device_of(1, "GPU");
    char name[PA_NVML_NAME_BYTES], other[PA_NVML_NAME_BYTES], text[64];
    nvmlMemory_t memory;
    nvmlPciInfo_t pci;
    size_t total;
    EXPECT_IS(emulated.nvmlDeviceGetName(device, name, sizeof name), NVML_SUCCESS);
    EXPECT_IS(emulated.cuDeviceGetName(other, sizeof other, 1), 0);
    EXPECT(strcmp(name, other) == 0);
    EXPECT_IS(emulated.nvmlDeviceGetUUID(device, text, sizeof text), NVML_SUCCESS);
    EXPECT_IS(strlen(text), 40);
    EXPECT_IS(emulated.nvmlDeviceGetUUID(device, text, 40), NVML_ERROR_INSUFFICIENT_SIZE);
    EXPECT_IS(emulated.nvmlDeviceGetSerial(device, text, sizeof text), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetVbiosVersion(device, text, sizeof text), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetMemoryInfo(device, &memory), NVML_SUCCESS);
    EXPECT_IS(emulated.cuDeviceTotalMem_v2(&total, 1), 0);
    EXPECT(memory.total == total && memory.free + memory.used == memory.total);
    EXPECT_IS(emulated.nvmlDeviceGetPciInfo_v3(device, &pci), NVML_SUCCESS);
    EXPECT_IS(emulated.cuDeviceGetPCIBusId(text, sizeof text, 1), 0);
    EXPECT(strcmp(text, pci.busIdLegacy) == 0);
    EXPECT_IS(emulated.nvmlDeviceGetHandleByUUID("GPU-none", &device), NVML_ERROR_NOT_FOUND);
}

static void the_driver_and_nvml_tell_one_identity(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2", 0, identity));
}

static void work_for_ms(CUstream stream, CUdeviceptr data, long ms) {
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do {
        EXPECT_IS(emulated.cuMemsetD8Async(data, 1, 1 << 20, stream), 0);
        EXPECT_IS(emulated_wait(stream), 0);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000 < ms);
}

static void sensors(void) {
    nvmlDevice_t device = device_of(0, "GPU");
    nvmlTemperature_t temperature = {.version = PA_NVML_TEMPERATURE_VERSION,
                                     .sensorType = NVML_TEMPERATURE_GPU};
    nvmlMarginTemperature_t margin = {.version = PA_NVML_MARGIN_VERSION};
    unsigned power, later, clock, most, threshold;
    unsigned long long energy, more, reasons;
    CUstream stream = emulated_open(0);
    CUdeviceptr data = emulated_upload(NULL, 1 << 20, stream);
    EXPECT_IS(emulated.nvmlDeviceGetPowerUsage(device, &power), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetTotalEnergyConsumption(device, &energy), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetCurrentClocksEventReasons(device, &reasons), NVML_SUCCESS);
    EXPECT_IS(reasons, PA_NVML_REASON_IDLE);
    work_for_ms(stream, data, 100);
    EXPECT_IS(emulated.nvmlDeviceGetPowerUsage(device, &later), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetTotalEnergyConsumption(device, &more), NVML_SUCCESS);
    EXPECT(later > power && more > energy);
    EXPECT_IS(emulated.nvmlDeviceGetClockInfo(device, NVML_CLOCK_SM, &clock), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetMaxClockInfo(device, NVML_CLOCK_SM, &most), NVML_SUCCESS);
    EXPECT_IS(clock, most);
    EXPECT_IS(emulated.nvmlDeviceGetTemperatureV(device, &temperature), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetMarginTemperature(device, &margin), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetTemperatureThreshold(
                  device, NVML_TEMPERATURE_THRESHOLD_SLOWDOWN, &threshold),
              NVML_SUCCESS);
    EXPECT(temperature.temperature > 20 && margin.marginTemperature > 0);
    EXPECT(temperature.temperature + margin.marginTemperature <= (int)threshold + 1);
    temperature.version = 0;
    EXPECT_IS(emulated.nvmlDeviceGetTemperatureV(device, &temperature),
              NVML_ERROR_ARGUMENT_VERSION_MISMATCH);
}

static void sensors_follow_the_work(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, sensors));
}

static void trouble(void) {
    nvmlDevice_t device = device_of(0, "GPU");
    nvmlTemperature_t temperature = {.version = PA_NVML_TEMPERATURE_VERSION,
                                     .sensorType = NVML_TEMPERATURE_GPU};
    unsigned power, count = 0, current, pending;
    unsigned long long errors, reasons, energy;
    nvmlProcessInfo_t processes[4];
    nvmlGpuVirtualizationMode_t mode;
    char name[64];
    EXPECT_IS(emulated.nvmlDeviceGetPowerUsage(device, &power), NVML_ERROR_NOT_SUPPORTED);
    EXPECT_IS(emulated.nvmlDeviceGetTotalEnergyConsumption(device, &energy),
              NVML_ERROR_NOT_SUPPORTED);
    EXPECT_IS(emulated.nvmlDeviceGetTemperatureV(device, &temperature), NVML_SUCCESS);
    EXPECT_IS(temperature.temperature, 95);
    EXPECT_IS(emulated.nvmlDeviceGetCurrentClocksEventReasons(device, &reasons), NVML_SUCCESS);
    EXPECT((reasons & PA_NVML_REASON_HW_THERMAL) != 0);
    EXPECT_IS(emulated.nvmlDeviceGetTotalEccErrors(device, NVML_MEMORY_ERROR_TYPE_UNCORRECTED,
                                                   NVML_VOLATILE_ECC, &errors),
              NVML_SUCCESS);
    EXPECT_IS(errors, 3);
    EXPECT_IS(emulated.nvmlDeviceGetMigMode(device, &current, &pending), NVML_SUCCESS);
    EXPECT_IS(current, 0);
    EXPECT_IS(emulated.nvmlDeviceGetVirtualizationMode(device, &mode), NVML_SUCCESS);
    EXPECT_IS(mode, NVML_GPU_VIRTUALIZATION_MODE_PASSTHROUGH);
    EXPECT_IS(emulated.nvmlDeviceGetComputeRunningProcesses_v3(device, &count, NULL),
              NVML_ERROR_INSUFFICIENT_SIZE);
    EXPECT_IS(count, 2);
    EXPECT_IS(emulated.nvmlDeviceGetComputeRunningProcesses_v3(device, &count, processes),
              NVML_SUCCESS);
    EXPECT_IS(processes[1].pid, 4711);
    EXPECT_IS(emulated.nvmlSystemGetProcessName(4711, name, sizeof name), NVML_SUCCESS);
    EXPECT(strcmp(name, "python3") == 0);
}

static void what_is_ordered_is_told(void **state) {
    (void)state;
    assert_true(emulated_run(folder,
                             "gpu0.power=missing,gpu0.celsius=95@0,gpu0.ecc=3@0,"
                             "gpu0.virtual=passthrough,gpu0.process=4711/python3",
                             0, trouble));
}

static void slice(void) {
    nvmlDevice_t device = device_of(0, "MIG"), whole = NULL;
    unsigned is_mig, current, pending;
    EXPECT_IS(emulated.nvmlDeviceIsMigDeviceHandle(device, &is_mig), NVML_SUCCESS);
    EXPECT_IS(is_mig, 1);
    EXPECT_IS(emulated.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(device, &whole), NVML_SUCCESS);
    EXPECT_IS(emulated.nvmlDeviceGetMigMode(whole, &current, &pending), NVML_SUCCESS);
    EXPECT_IS(current, PA_NVML_MIG_ENABLED);
}

static void lies(void) {
    char name[PA_NVML_NAME_BYTES];
    CUuuid first, second;
    size_t total;
    CUdeviceptr data;
    CUstream stream = emulated_open(1);
    (void)stream;
    EXPECT_IS(emulated.cuDeviceGetName(name, sizeof name, 1), 0);
    EXPECT(strcmp(name, "NVIDIA H100 80GB HBM3") == 0);
    EXPECT_IS(emulated.cuDeviceGetUuid_v2(&first, 0), 0);
    EXPECT_IS(emulated.cuDeviceGetUuid_v2(&second, 1), 0);
    EXPECT(memcmp(&first, &second, sizeof first) == 0);
    EXPECT_IS(emulated.cuDeviceTotalMem_v2(&total, 1), 0);
    EXPECT(total == (size_t)1 << 30);
    EXPECT_IS(emulated.cuMemAlloc_v2(&data, 512 << 20), CUDA_ERROR_OUT_OF_MEMORY);
}

static void slices_and_lies(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "gpu0.mig=on", 0, slice));
    assert_true(emulated_run(folder,
                             "devices=2,gpu1.name=NVIDIA H100 80GB HBM3,gpu1.uuid-of=0,"
                             "gpu1.told=1GiB",
                             0, lies));
}

static void lost(void) {
    nvmlDevice_t first = device_of(0, "GPU"), second = device_of(1, "GPU");
    CUstream stream = emulated_open(0);
    CUdeviceptr data;
    unsigned power;
    EXPECT_IS(emulated.cuMemAlloc_v2(&data, 4096), 0);
    EXPECT_IS(emulated.cuMemAlloc_v2(&data, 4096), 46);
    EXPECT_IS(emulated.cuStreamQuery(stream), 46);
    EXPECT_IS(emulated.nvmlDeviceGetPowerUsage(first, &power), NVML_ERROR_GPU_IS_LOST);
    EXPECT_IS(emulated.nvmlDeviceGetPowerUsage(second, &power), NVML_SUCCESS);
}

static void a_lost_gpu_is_lost_everywhere(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,fault=cuMemAlloc_v2@0:2:lose=46", 0, lost));
}

static void refuses_to_start(void) {
    EXPECT(emulated.cuInit(0) != CUDA_SUCCESS);
    EXPECT(emulated.nvmlInit_v2() != NVML_SUCCESS);
}

static void starts(void) {
    EXPECT_IS(emulated.cuInit(0), 0);
}

static void orders_are_read_strictly(void **state) {
    static const char *const wrong[] = {
        "fault",
        "fault=",
        "fault=cuMemAlloc_v3:1:code=2", /* nobody exports it */
        "fault=cuMemAlloc_v2:0:code=2",
        "fault=cuMemAlloc_v2:1:code",
        "fault=cuMemAlloc_v2:1:code=x",
        "fault=cuMemAlloc_v2:1:hang=1",
        "fault=cuMemAlloc_v2:1",
        "fault=cuMemAlloc_v2@16:1:hang",
        "fault=cuMemAlloc_v2:1:lose=46", /* of which GPU? */
        "fault=cuMemAlloc_v2:+:hang",
        "fault=cuMemAlloc_v2:1:hang:after=cuInit",
        "fault=cuMemAlloc_v2:1:hang:after=cuNothing/1",
        "fault=cuMemAlloc_v2:1:hang:cuInit/1",
        "gpu1.name=beyond the only one",
        "gpu0.name=",
        "gpu0.colour=green",
        "gpu0.slow=60",
        "gpu0.slow=100@1",
        "gpu0.celsius=151@0",
        "gpu0.process=1",
        "gpu0.without=fp7",
        "gpu0.mig=yes",
        "gpu0.mig=on,gpu0.mig=on",
        "gpu.mig=on",
        "gpux.mig=on",
        "script=/nowhere",
        "devices=1,,seed=1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_true(emulated_run(folder, wrong[i], 1, refuses_to_start));
    char path[] = "/tmp/emulated-script-XXXXXX", orders[64];
    int file = mkstemp(path);
    const char text[] =
        "# a comment\n\ndevices=2\nfault=cuInit:2:code=3\ngpu1.name=A, with comma\n";
    assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
    close(file);
    snprintf(orders, sizeof orders, "script=%s", path);
    assert_true(emulated_run(folder, orders, 0, starts));
    unlink(path);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_driver_and_nvml_tell_one_identity),
        cmocka_unit_test(sensors_follow_the_work),
        cmocka_unit_test(what_is_ordered_is_told),
        cmocka_unit_test(slices_and_lies),
        cmocka_unit_test(a_lost_gpu_is_lost_everywhere),
        cmocka_unit_test(orders_are_read_strictly),
    };
    if (argc != 2)
        return 64;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
