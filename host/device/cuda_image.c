/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels: which image a device gets, and how they are started. */
#include "device/cuda_inside.h"

#include "base/file.h"
#include "device/cuda_images.h"

#include <stdio.h>
#include <string.h>

enum { LOG_BYTES = 2048 };

/* Load one image; `log` has the words of the driver's compiler, empty where it said nothing. */
static CUresult load(struct pa_cuda_device *device, const void *image, char log[LOG_BYTES]) {
    /* An option's value is passed in the pointer itself. */
    CUjit_option names[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void *values[] = {log, (void *)(uintptr_t)(LOG_BYTES - 1)};
    memset(log, 0, LOG_BYTES);
    return PA_CUDA_CALL(device, cuModuleLoadDataEx, &device->module, image, 2, names, values);
}

static int load_any(struct pa_cuda_device *device, struct pa_error *error) {
    const struct pa_cuda_images *images = pa_cuda_images();
    const struct pa_cuda_image *cubin =
        pa_cuda_image_for((unsigned)device->major, (unsigned)device->minor);
    char log[LOG_BYTES], safe[500];
    struct pa_error cause = {0};
    if (images->ptx == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "%s: %s", device->base.identity.id,
                       images->why_absent);
    if (cubin != NULL) {
        CUresult result = load(device, cubin->bytes, log);
        /* A driver that is older than the compiler has several ways to say that it does not read
         * this machine code; the PTX is for it, too. */
        if (result == CUDA_SUCCESS || result == CUDA_ERROR_OUT_OF_MEMORY ||
            pa_cuda_is_fatal(result))
            return pa_cuda_check(device, result, "cuModuleLoadDataEx of a cubin", error);
    }
    int code =
        pa_cuda_check(device, load(device, images->ptx, log), "cuModuleLoadDataEx of PTX", &cause);
    if (code == PA_OK)
        return PA_OK;
    log[LOG_BYTES - 1] = '\0';
    pa_printable(safe, sizeof safe, log);
    return pa_fail(error, code, "%.450s; the driver's compiler says: %s", cause.text,
                   safe[0] != '\0' ? safe : "nothing");
}

static const char *const kernel_names[PA_KERNEL_COUNT] = {
#define NAME(number, name) [number] = #name,
    PA_KERNELS(NAME)
#undef NAME
};

int pa_cuda_load_image(struct pa_cuda_device *device, struct pa_error *error) {
    PA_TRY(load_any(device, error));
    for (int i = 0; i < PA_KERNEL_COUNT; i++)
        PA_TRY(pa_cuda_check(device,
                             PA_CUDA_CALL(device, cuModuleGetFunction, &device->kernels[i],
                                          device->module, kernel_names[i]),
                             kernel_names[i], error));
    return PA_OK;
}

int pa_cuda_launch(struct pa_cuda_device *device, enum pa_kernel kernel, struct pa_grid grid,
                   CUstream stream, void **parameters, struct pa_error *error) {
    CUresult result = PA_CUDA_CALL(device, cuLaunchKernel, device->kernels[kernel], grid.x, grid.y,
                                   1, PA_KERNEL_THREADS, 1, 1, 0, stream, parameters, NULL);
    if (result == CUDA_SUCCESS)
        return PA_OK;
    char call[96];
    snprintf(call, sizeof call, "cuLaunchKernel of %s", kernel_names[kernel]);
    return pa_cuda_check(device, result, call, error);
}
