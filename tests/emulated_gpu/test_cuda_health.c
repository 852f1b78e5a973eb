/* SPDX-License-Identifier: Apache-2.0 */
/* What the cuda backend tells of its devices' health and company, by the emulated NVML: found by
 * UUID, never by index; and nothing of it where NVML does not answer.
 *
 * usage: test_cuda_health FOLDER */
#include "emulated_gpu/emulated_session.h"

#include "device/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *folder;

static struct pa_device *open_device(int index) {
    const struct pa_backend *cuda = pa_backend_named("cuda");
    struct pa_device_options options = {0};
    struct pa_device *device = NULL;
    struct pa_error error = {0};
    EXPECT(cuda != NULL);
    if (cuda->open(index, &options, &device, &error) != PA_OK)
        fprintf(stderr, "%s\n", error.text);
    EXPECT(device != NULL);
    return device;
}

static void close_device(struct pa_device *device) {
    device->backend->close(device);
}

static struct pa_telemetry telemetry_of(struct pa_device *device) {
    struct pa_telemetry telemetry;
    struct pa_error error = {0};
    if (device->backend->telemetry(device, &telemetry, &error) != PA_OK)
        fprintf(stderr, "%s\n", error.text);
    EXPECT_IS(error.code, PA_OK);
    return telemetry;
}

static void a_whole_device(void) {
    struct pa_device *device = open_device(0);
    const struct pa_device_identity *identity = &device->identity;
    struct pa_telemetry now = telemetry_of(device);
    EXPECT(strncmp(identity->id, "GPU-", 4) == 0 && strlen(identity->id) == 40);
    EXPECT(identity->serial[0] != '\0' && identity->partition[0] == '\0');
    EXPECT(strstr(identity->details, "PCI ") != NULL);
    EXPECT(strstr(identity->details, "VBIOS ") != NULL);
    EXPECT(strstr(identity->details, "power limit ") != NULL);
    EXPECT(strstr(identity->details, "256 MiB by NVML") != NULL);
    EXPECT(strstr(identity->details, "SM clock up to 1500 MHz") != NULL);
    EXPECT(strstr(identity->details, "NVML calls it") == NULL);
    EXPECT(strcmp(identity->driver, "CUDA 13.0; 580.00.00-emulated") == 0);
    EXPECT_IS(device->backend->missing(device, NULL, 0), 0);
    EXPECT(now.has_power && now.has_energy && now.has_temperature && now.has_headroom);
    EXPECT(now.has_clock && now.has_memory_clock && now.has_slowdowns && now.has_processes);
    EXPECT(now.power_mw > 0 && now.clock_mhz > 0);
    EXPECT(now.headroom_c > 0 && now.temperature_c > 0);
    EXPECT_IS(now.slowdowns, PA_SLOW_IDLE);
    EXPECT_IS(device->backend->occupants(device, NULL, 0), 0);
    close_device(device);
}

static void nvml_completes_the_identity_and_tells_the_health(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2", 0, a_whole_device));
}

static void two_names(void) {
    struct pa_device *device = open_device(0);
    EXPECT(strcmp(device->identity.name, "NVIDIA H100 80GB HBM3") == 0);
    EXPECT(strstr(device->identity.details, "NVML calls it NVIDIA T4") != NULL);
    close_device(device);
}

static void a_name_that_differs_between_driver_and_nvml_is_said(void **state) {
    (void)state;
    assert_true(emulated_run(
        folder, "devices=1,gpu0.name=NVIDIA H100 80GB HBM3,gpu0.alias=NVIDIA T4", 0, two_names));
}

static void two_devices_of_which_one_is_hot(void) {
    struct pa_device *cool = open_device(0), *hot = open_device(1);
    struct pa_telemetry of_cool = telemetry_of(cool), of_hot = telemetry_of(hot);
    EXPECT(of_cool.headroom_c > 0);
    EXPECT(of_hot.temperature_c == 95 && of_hot.headroom_c <= 0);
    EXPECT((of_hot.slowdowns & PA_SLOW_HW_THERMAL) != 0);
    EXPECT((of_cool.slowdowns & PA_SLOW_HW_THERMAL) == 0);
    close_device(cool);
    close_device(hot);
}

static void the_right_device_is_asked_and_heat_is_told(void **state) {
    (void)state;
    assert_true(
        emulated_run(folder, "devices=2,gpu1.celsius=95@0", 0, two_devices_of_which_one_is_hot));
}

static void one_slice(void) {
    struct pa_device *device = open_device(0);
    EXPECT(strncmp(device->identity.partition, "MIG slice ", 10) == 0);
    EXPECT(strncmp(device->identity.id, "MIG-", 4) == 0);
    EXPECT(strstr(device->identity.details, "MIG on") != NULL);
    close_device(device);
}

static void one_vgpu(void) {
    struct pa_device *device = open_device(0);
    EXPECT(strcmp(device->identity.partition, "vGPU") == 0);
    close_device(device);
}

static void passed_through(void) {
    struct pa_device *device = open_device(0);
    EXPECT(device->identity.partition[0] == '\0');
    close_device(device);
}

static void parts_of_devices_are_recognised(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,gpu0.mig=on", 0, one_slice));
    assert_true(emulated_run(folder, "devices=1,gpu0.virtual=vgpu", 0, one_vgpu));
    assert_true(emulated_run(folder, "devices=1,gpu0.virtual=passthrough", 0, passed_through));
}

static void in_use(void) {
    struct pa_device *idle = open_device(0), *busy = open_device(1);
    struct pa_occupant occupants[2] = {0};
    EXPECT_IS(idle->backend->occupants(idle, occupants, 2), 0);
    EXPECT_IS(busy->backend->occupants(busy, occupants, 2), 1);
    EXPECT_IS(occupants[0].pid, 4711);
    EXPECT(strcmp(occupants[0].name, "python3") == 0);
    close_device(idle);
    close_device(busy);
}

static void who_else_uses_a_device_is_named(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,gpu1.process=4711/python3", 0, in_use));
}

static void without_power(void) {
    struct pa_device *device = open_device(0);
    struct pa_telemetry now = telemetry_of(device);
    EXPECT(!now.has_power && !now.has_energy && now.has_clock && now.has_temperature);
    close_device(device);
}

static void what_is_not_told_is_marked_as_such(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,gpu0.power=missing", 0, without_power));
    assert_true(emulated_run(
        folder,
        "devices=1,fault=nvmlDeviceGetMarginTemperature:*:code=3,"
        "fault=nvmlDeviceGetPowerUsage:*:code=3,fault=nvmlDeviceGetTotalEnergyConsumption:*:code=3",
        0, without_power));
}

static void without_nvml(void) {
    struct pa_device *device = open_device(0);
    struct pa_telemetry now;
    struct pa_error error = {0};
    EXPECT_IS(device->backend->telemetry(device, &now, &error), PA_EUNSUPPORTED);
    EXPECT(strstr(error.text, "NVML") != NULL);
    EXPECT_IS(device->backend->occupants(device, NULL, 0), 0);
    char missing[2][160];
    EXPECT_IS(device->backend->missing(device, missing, 2), 1);
    EXPECT(strncmp(missing[0], "telemetry: ", 11) == 0 && strstr(missing[0], "NVML") != NULL);
    EXPECT(device->identity.memory_bytes > 0);
    close_device(device);
}

static void a_device_is_opened_without_nvml_too(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,fault=nvmlInit_v2:*:code=9", 0, without_nvml));
    assert_true(emulated_run(folder, "devices=1,fault=nvmlDeviceGetHandleByUUID:*:code=6", 0,
                             without_nvml));
}

static void fallen_off_the_bus(void) {
    struct pa_device *device = open_device(0);
    struct pa_telemetry now;
    struct pa_error error = {0};
    EXPECT_IS(device->backend->telemetry(device, &now, &error), PA_EDEVICE);
    close_device(device);
}

static void a_device_that_is_gone_is_no_silent_one(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1,fault=nvmlDeviceGetPowerUsage:*:code=15", 0,
                             fallen_off_the_bus));
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nvml_completes_the_identity_and_tells_the_health),
        cmocka_unit_test(a_name_that_differs_between_driver_and_nvml_is_said),
        cmocka_unit_test(the_right_device_is_asked_and_heat_is_told),
        cmocka_unit_test(parts_of_devices_are_recognised),
        cmocka_unit_test(who_else_uses_a_device_is_named),
        cmocka_unit_test(what_is_not_told_is_marked_as_such),
        cmocka_unit_test(a_device_is_opened_without_nvml_too),
        cmocka_unit_test(a_device_that_is_gone_is_no_silent_one),
    };
    if (argc != 2)
        return 64;
    folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
