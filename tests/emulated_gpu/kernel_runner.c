/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/cmocka_setup.h"

#include "base/clock.h"
#include "device/cuda_api.h"
#include "device/cuda_images.h"
#include "device/vendor_library.h"
#include "emulated_gpu/kernel_runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct driver {
    PA_CUDA_FUNCTIONS(PA_VENDOR_MEMBER)
};
#define ROW(required, returns, symbol, arguments) PA_VENDOR_ROW(struct driver, required, symbol)
static const struct pa_vendor_row rows[] = {PA_CUDA_FUNCTIONS(ROW)};
#define NAME(number, name) #name,
static const char *const kernel_names[] = {PA_KERNELS(NAME)};

static struct driver driver;
static CUdevice device;
static CUmodule module;
static CUstream stream;
static CUfunction functions[PA_KERNEL_COUNT];
static char name[160];

/* The wait for a device has an end, so that a hang is a failed test. */
#define LONGEST_WAIT_NS (UINT64_C(300) * 1000000000)

static void require(CUresult result, const char *call) {
    if (result == CUDA_SUCCESS)
        return;
    const char *text = NULL;
    driver.cuGetErrorName(result, &text);
    fail_msg("%s: %s (%d)", call, text != NULL ? text : "unknown", (int)result);
}
#define CALL(function, ...) require(driver.function(__VA_ARGS__), #function)

static void wait_for_stream(void) {
    uint64_t end = pa_clock_raw_ns() + LONGEST_WAIT_NS;
    CUresult result;
    while ((result = driver.cuStreamQuery(stream)) == CUDA_ERROR_NOT_READY)
        if (pa_clock_raw_ns() > end)
            fail_msg("the device was not ready in time");
    require(result, "cuStreamQuery");
}

static char *text_of(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    char *text = NULL;
    size_t size = 0, got;
    do {
        text = realloc(text, size + 65537);
        assert_non_null(text);
        got = fread(text + size, 1, 65536, file);
        size += got;
    } while (got != 0);
    fclose(file);
    text[size] = 0;
    return text;
}

/* As the backend does it: machine code first, PTX when the driver has no use for it. */
static void load_embedded(void) {
    int major = 0, minor = 0;
    CALL(cuDeviceGetAttribute, &major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
    CALL(cuDeviceGetAttribute, &minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device);
    const struct pa_cuda_image *cubin = pa_cuda_image_for((unsigned)major, (unsigned)minor);
    CUresult result = CUDA_ERROR_NO_BINARY_FOR_GPU;
    if (cubin != NULL)
        result = driver.cuModuleLoadDataEx(&module, cubin->bytes, 0, NULL, NULL);
    if (result == CUDA_ERROR_NO_BINARY_FOR_GPU)
        CALL(cuModuleLoadDataEx, &module, pa_cuda_images()->ptx, 0, NULL, NULL);
    else
        require(result, "cuModuleLoadDataEx");
}

void runner_open(const char *path) {
    const char *const libraries[] = {"libcuda.so.1", NULL};
    struct pa_error error = {0};
    if (pa_vendor_library_open(libraries, rows, sizeof rows / sizeof rows[0], &driver, &error) != 0)
        fail_msg("%s", error.text);
    CUcontext context;
    CALL(cuInit, 0);
    CALL(cuDeviceGet, &device, 0);
    CALL(cuDevicePrimaryCtxRetain, &context, device);
    CALL(cuCtxSetCurrent, context);
    CALL(cuStreamCreate, &stream, PA_CU_STREAM_NON_BLOCKING);
    CALL(cuDeviceGetName, name, 100, device);
    if (path == NULL) {
        load_embedded();
        strcat(name, ", embedded");
    } else {
        char *text = text_of(path);
        CALL(cuModuleLoadDataEx, &module, text, 0, NULL, NULL);
        free(text);
        const char *last = strrchr(path, '/');
        snprintf(name + strlen(name), sizeof name - strlen(name), ", %.40s",
                 last != NULL ? last + 1 : path);
    }
    for (int i = 0; i < PA_KERNEL_COUNT; i++)
        CALL(cuModuleGetFunction, &functions[i], module, kernel_names[i]);
}

void runner_close(void) {
    CALL(cuModuleUnload, module);
    CALL(cuStreamDestroy_v2, stream);
    CALL(cuDevicePrimaryCtxRelease_v2, device);
}

const char *runner_name(void) {
    return name;
}

pa_u64 runner_upload(const void *content, size_t bytes) {
    CUdeviceptr address = 0;
    CALL(cuMemAlloc_v2, &address, bytes);
    CALL(cuMemcpyHtoDAsync_v2, address, content, bytes, stream);
    wait_for_stream();
    return address;
}

void runner_download(void *out, pa_u64 address, size_t bytes) {
    CALL(cuMemcpyDtoHAsync_v2, out, address, bytes, stream);
    wait_for_stream();
}

void runner_free(pa_u64 address) {
    CALL(cuMemFree_v2, address);
}

void runner_launch(enum pa_kernel kernel, struct pa_grid grid, void **parameters) {
    require(driver.cuLaunchKernel(functions[kernel], grid.x, grid.y, 1, PA_KERNEL_THREADS, 1, 1, 0,
                                  stream, parameters, NULL),
            kernel_names[kernel]);
}
