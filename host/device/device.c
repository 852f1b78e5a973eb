/* SPDX-License-Identifier: Apache-2.0 */
#include "device/device.h"

#include "device/cpu_backend.h"
#include "device/cuda_backend.h"

#include <string.h>

static const char *const names[PA_FORMATS_END] = {
    [PA_FP64] = "fp64", [PA_FP32] = "fp32", [PA_TF32] = "tf32", [PA_BF16] = "bf16",
    [PA_FP16] = "fp16", [PA_FP8] = "fp8",   [PA_INT8] = "int8",
};

const char *pa_format_name(enum pa_format format) {
    return (unsigned)format < PA_FORMATS_END ? names[format] : NULL;
}

enum pa_format pa_format_named(const char *name) {
    for (unsigned i = 1; name != NULL && i < PA_FORMATS_END; i++)
        if (strcmp(names[i], name) == 0)
            return (enum pa_format)i;
    return (enum pa_format)0;
}

const char *pa_slowdown_name(unsigned bit) {
    static const char *const slowdowns[PA_SLOWDOWNS] = {
        "idle",       "setting",    "power_cap",   "hardware", "sync",
        "sw_thermal", "hw_thermal", "power_brake", "display",  "other",
    };
    return bit < PA_SLOWDOWNS ? slowdowns[bit] : NULL;
}

const struct pa_backend *const *pa_backends(void) {
    static const struct pa_backend *const all[] = {&pa_cuda_backend, &pa_cpu_backend, NULL};
    return all;
}

const struct pa_backend *pa_backend_named(const char *name) {
    const struct pa_backend *const *backend = pa_backends();
    while (*backend != NULL && (name == NULL || strcmp((*backend)->name, name) != 0))
        backend++;
    return *backend;
}

const char *pa_device_test_build(void) {
#ifdef PA_TEST_FAULTS
    return "the processor falsifies the share of tiles that PETAUDIT_FAULT names";
#else
    return NULL;
#endif
}
