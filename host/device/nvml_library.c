/* SPDX-License-Identifier: Apache-2.0 */
#include "device/nvml_library.h"

#include "device/vendor_library.h"

#include <pthread.h>

/* The outcome of the one attempt. */
static struct {
    pthread_once_t once;
    struct pa_nvml functions;
    struct pa_error error;
} library = {.once = PTHREAD_ONCE_INIT};

static void load(void) {
#define ROW(required, returns, symbol, arguments) PA_VENDOR_ROW(struct pa_nvml, required, symbol)
    static const struct pa_vendor_row rows[] = {PA_NVML_FUNCTIONS(ROW)};
#undef ROW
    static const char *const names[] = {"libnvidia-ml.so.1", NULL};
    if (pa_vendor_library_open(names, rows, sizeof rows / sizeof rows[0], &library.functions,
                               &library.error) != PA_OK)
        return;
    nvmlReturn_t result = (nvmlReturn_t)PA_VENDOR_CALL(&library.functions, nvmlInit_v2);
    if (result != NVML_SUCCESS)
        pa_fail(&library.error, PA_EUNSUPPORTED, "starting NVML: %.200s",
                library.functions.nvmlErrorString(result));
}

int pa_nvml_library(const struct pa_nvml **out, struct pa_error *error) {
    pthread_once(&library.once, load);
    *out = &library.functions;
    if (library.error.code != PA_OK)
        return pa_fail(error, PA_EUNSUPPORTED, "%s", library.error.text);
    return PA_OK;
}
