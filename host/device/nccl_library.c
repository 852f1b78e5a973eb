/* SPDX-License-Identifier: Apache-2.0 */
#include "device/nccl_library.h"

#include <pthread.h>

/* The outcome of the one attempt. */
static struct {
    pthread_once_t once;
    struct pa_nccl functions;
    struct pa_error error;
} library = {.once = PTHREAD_ONCE_INIT};

static void load(void) {
#define ROW(required, returns, symbol, arguments) PA_VENDOR_ROW(struct pa_nccl, required, symbol)
    static const struct pa_vendor_row rows[] = {PA_NCCL_FUNCTIONS(ROW)};
#undef ROW
    static const char *const names[] = {"libnccl.so.2", NULL};
    int version = 0;
    if (pa_vendor_library_open(names, rows, sizeof rows / sizeof rows[0], &library.functions,
                               &library.error) != PA_OK)
        return;
    ncclResult_t result =
        (ncclResult_t)PA_VENDOR_CALL(&library.functions, ncclGetVersion, &version);
    if (result != ncclSuccess || version < (int)PA_NCCL_CONFIG_VERSION)
        pa_fail(&library.error, PA_EUNSUPPORTED,
                "libnccl.so.2 has version number %d; %u (2.14) is the oldest that can work without "
                "blocking",
                version, PA_NCCL_CONFIG_VERSION);
}

int pa_nccl_library(const struct pa_nccl **out, struct pa_error *error) {
    pthread_once(&library.once, load);
    *out = &library.functions;
    if (library.error.code != PA_OK)
        return pa_fail(error, PA_EUNSUPPORTED, "%s", library.error.text);
    return PA_OK;
}
