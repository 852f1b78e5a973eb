/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's library, its errors in words, and the waits. */
#include "device/cuda_inside.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>

enum { LEAST_DRIVER = 12000 };

static struct {
    pthread_once_t once;
    struct pa_cuda_driver functions;
    struct pa_error failure;
    int version, count;
} driver = {.once = PTHREAD_ONCE_INIT};

/* "CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)" */
static void words_of(const struct pa_cuda_driver *cu, CUresult result, char *out, size_t size) {
    const char *name = NULL, *text = NULL;
    if (cu->cuGetErrorName(result, &name) != CUDA_SUCCESS || name == NULL)
        name = "an unknown error";
    if (cu->cuGetErrorString(result, &text) != CUDA_SUCCESS || text == NULL)
        text = "no text";
    snprintf(out, size, "%d, %s (%s)", (int)result, name, text);
}

static int refuse(CUresult result, const char *call) {
    char words[200];
    words_of(&driver.functions, result, words, sizeof words);
    return pa_fail(&driver.failure, PA_EUNSUPPORTED, "%s: %s", call, words);
}

static int start(void) {
#define ROW(required, returns, symbol, arguments)                                                  \
    PA_VENDOR_ROW(struct pa_cuda_driver, required, symbol)
    static const struct pa_vendor_row rows[] = {PA_CUDA_FUNCTIONS(ROW)};
#undef ROW
    static const char *const names[] = {"libcuda.so.1", NULL};
    struct pa_cuda_driver *cu = &driver.functions;
    CUresult result;
    PA_TRY(pa_vendor_library_open(names, rows, sizeof rows / sizeof rows[0], cu, &driver.failure));
    result = (CUresult)PA_VENDOR_CALL(cu, cuInit, 0);
    if (result == CUDA_ERROR_STUB_LIBRARY) /* it has no words for it */
        return pa_fail(&driver.failure, PA_EUNSUPPORTED,
                       "libcuda.so.1 is the toolkit's stub, not the driver's library: take its "
                       "folder out of LD_LIBRARY_PATH");
    if (result != CUDA_SUCCESS)
        return refuse(result, "cuInit");
    result = (CUresult)PA_VENDOR_CALL(cu, cuDriverGetVersion, &driver.version);
    if (result != CUDA_SUCCESS)
        return refuse(result, "cuDriverGetVersion");
    if (driver.version < LEAST_DRIVER)
        return pa_fail(&driver.failure, PA_EUNSUPPORTED,
                       "the driver is made for CUDA %d.%d; petaudit needs 12.0 or later",
                       driver.version / 1000, driver.version % 1000 / 10);
    result = (CUresult)PA_VENDOR_CALL(cu, cuDeviceGetCount, &driver.count);
    if (result != CUDA_SUCCESS)
        return refuse(result, "cuDeviceGetCount");
    if (driver.count < 1)
        return pa_fail(&driver.failure, PA_EUNSUPPORTED, "the driver shows no device%s",
                       "; CUDA_VISIBLE_DEVICES may hide them");
    return PA_OK;
}

static void start_once(void) {
    start();
}

int pa_cuda_driver(const struct pa_cuda_driver **out, int *count, struct pa_error *error) {
    pthread_once(&driver.once, start_once);
    if (driver.failure.code != PA_OK)
        return pa_fail(error, driver.failure.code, "%s", driver.failure.text);
    *out = &driver.functions;
    *count = driver.count;
    return PA_OK;
}

int pa_cuda_driver_version(void) {
    return driver.failure.code == PA_OK ? driver.version : 0;
}

int pa_cuda_lose(struct pa_cuda_device *device, int code, const char *reason,
                 struct pa_error *error) {
    if (device->lost.code == PA_OK)
        pa_fail(&device->lost, code, "%s; the device is not used any more", reason);
    return pa_fail(error, code, "%s", device->lost.text);
}

void pa_cuda_lose_hung(struct pa_cuda_device *device, const char *what) {
    char text[400];
    snprintf(text, sizeof text, "%s (%s): %s did not end", device->base.identity.id,
             device->base.identity.name, what);
    pa_cuda_lose(device, PA_ETIMEOUT, text, NULL);
}

bool pa_cuda_is_fatal(CUresult result) {
    switch ((int)result) {
    case CUDA_ERROR_DEINITIALIZED:
    case CUDA_ERROR_DEVICE_UNAVAILABLE:
    case CUDA_ERROR_INVALID_DEVICE:
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_NVLINK_UNCORRECTABLE:
    case CUDA_ERROR_CONTAINED:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_CONTEXT_IS_DESTROYED:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_LAUNCH_FAILED:
    case CUDA_ERROR_UNKNOWN:
        return true;
    default:
        return false;
    }
}

int pa_cuda_check(struct pa_cuda_device *device, CUresult result, const char *call,
                  struct pa_error *error) {
    char words[200], text[512];
    const struct pa_device_identity *identity = &device->base.identity;
    if (result == CUDA_SUCCESS)
        return PA_OK;
    words_of(device->cu, result, words, sizeof words);
    snprintf(text, sizeof text, "%s (%s): %s: %s", identity->id, identity->name, call, words);
    if (pa_cuda_is_fatal(result))
        return pa_cuda_lose(device, PA_EDEVICE, text, error);
    return pa_fail(error, result == CUDA_ERROR_OUT_OF_MEMORY ? PA_EMEMORY : PA_EDEVICE, "%s", text);
}

/* What `call` points to once nobody waits for its return any more. */
static const char given_up[] = "given up";

void pa_cuda_calling(struct pa_cuda_device *device, const char *call) {
    if (!device->is_open)
        pa_vendor_calling(call);
    atomic_store(&device->called_ns, pa_clock_raw_ns());
    atomic_store(&device->call, call);
}

int pa_cuda_returned(struct pa_cuda_device *device, int result) {
    /* What this thread would write to may be gone; the process ends without it. */
    if (!device->is_open)
        pa_vendor_returned(0);
    while (atomic_exchange(&device->call, NULL) == given_up) {
        atomic_store(&device->call, given_up);
        for (;;)
            pa_clock_sleep(UINT64_C(3600000000000));
    }
    return result;
}

bool pa_cuda_is_given_up(struct pa_cuda_device *device) {
    return atomic_load(&device->call) == given_up;
}

bool pa_cuda_give_up(struct pa_device *base, uint64_t longest_ns, struct pa_error *error) {
    struct pa_cuda_device *device = (struct pa_cuda_device *)base;
    const struct pa_device_identity *identity = &base->identity;
    const char *call = atomic_load(&device->call);
    uint64_t since_ns = atomic_load(&device->called_ns), now_ns = pa_clock_raw_ns();
    char text[400];
    if (call == NULL || call == given_up || now_ns < since_ns || now_ns - since_ns <= longest_ns ||
        !atomic_compare_exchange_strong(&device->call, &call, given_up))
        return false;
    snprintf(text, sizeof text, "%s (%.100s): %s has not come back for %.3g s", identity->id,
             identity->name, call, (double)(now_ns - since_ns) * 1e-9);
    pa_cuda_lose(device, PA_ETIMEOUT, text, error);
    return true;
}

static int begin(struct pa_cuda_device *device, struct pa_error *error) {
    CUcontext context = NULL;
    PA_CUDA_TRY(device, cuDevicePrimaryCtxRetain, &context, device->ordinal);
    device->context = context;
    PA_CUDA_TRY(device, cuCtxSetCurrent, device->context);
    return pa_cuda_load_image(device, error);
}

int pa_cuda_enter(struct pa_cuda_device *device, struct pa_error *error) {
    if (device->lost.code != PA_OK)
        return pa_fail(error, device->lost.code, "%s", device->lost.text);
    if (device->context == NULL) {
        struct pa_error cause = {0};
        int code = begin(device, &cause);
        /* Half begun is of no use: what is missing now will be missing later. */
        return code == PA_OK ? PA_OK : pa_cuda_lose(device, code, cause.text, error);
    }
    PA_CUDA_TRY(device, cuCtxSetCurrent, device->context);
    return PA_OK;
}

int pa_cuda_wait(struct pa_cuda_device *device, CUevent event, uint64_t deadline_ns,
                 const char *what, struct pa_error *error) {
    /* A step takes milliseconds. Ask without pause at first, so that a short wait is not stretched
     * by a sleep, then leave the processor to others. */
    enum { EAGER_NS = 50000, PAUSE_NS = 20000 };
    const struct pa_device_identity *identity = &device->base.identity;
    uint64_t begun = pa_clock_raw_ns();
    for (;;) {
        CUresult result = PA_CUDA_CALL(device, cuEventQuery, event);
        if (result != CUDA_ERROR_NOT_READY)
            return pa_cuda_check(device, result, what, error);
        uint64_t now = pa_clock_raw_ns();
        if (now >= deadline_ns)
            return pa_fail(error, PA_ETIMEOUT, "%s (%s): %s did not end within %.3g s",
                           identity->id, identity->name, what, (double)(now - begun) * 1e-9);
        if (now - begun > EAGER_NS)
            pa_clock_sleep(PAUSE_NS);
    }
}
