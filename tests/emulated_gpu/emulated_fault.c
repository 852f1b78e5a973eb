/* SPDX-License-Identifier: Apache-2.0 */
/* Faults on order: which call of which function fails, and how. The vocabulary is in
 * docs/emulated-gpu.md. */
#include "emulated_gpu/emulated_fault.h"

#include "base/base.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ORDERS_MAX = 32, NAME_BYTES = 64, ORDER_BYTES = 256 };

struct order {
    char function[NAME_BYTES];
    int device;             /* -1: of any */
    char after[NAME_BYTES]; /* calls count from when this was called `after_calls` times; "" */
    uint64_t after_calls;
    char when[ORDER_BYTES]; /* nothing counts before this file is there; "" */
    uint64_t first, last;   /* calls, from 1 */
    uint64_t calls;         /* so far */
    struct emulated_fault fault;
    bool loses, ends_process;
};

static struct order orders[ORDERS_MAX];
static size_t order_count;
static bool lost[EMULATED_DEVICES_MAX];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* This shared object's own symbols: it was loaded by dlopen, out of sight of RTLD_DEFAULT. */
bool emulated_function_exists(const char *function) {
    static char anchor;
    Dl_info self;
    if (dladdr(&anchor, &self) == 0)
        return false;
    void *library = dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    bool found = library != NULL && dlsym(library, function) != NULL;
    if (library != NULL)
        dlclose(library);
    return found;
}

bool emulated_device_is_lost(int device) {
    pthread_mutex_lock(&mutex);
    bool is_lost = device >= 0 && lost[device];
    pthread_mutex_unlock(&mutex);
    return is_lost;
}

/* "3" is the third call, "3+" the third and all later ones, "*" all. */
static int calls_parse(struct order *out, char *text, struct pa_error *error) {
    size_t length = strlen(text);
    out->first = 1;
    out->last = UINT64_MAX;
    if (strcmp(text, "*") == 0)
        return PA_OK;
    bool is_open = length > 1 && text[length - 1] == '+';
    if (is_open)
        text[length - 1] = '\0';
    PA_TRY(pa_whole_parse(text, 1, UINT32_MAX, &out->first, error));
    if (!is_open)
        out->last = out->first;
    return PA_OK;
}

/* The code is a number of the library's own, minus for none. */
static int code_parse(struct order *out, const char *text, struct pa_error *error) {
    uint64_t code;
    PA_TRY(pa_whole_parse(text, 1, 9999, &code, error));
    out->fault.code = (int)code;
    return PA_OK;
}

/* "17": byte 17 of the result; "2/17": byte 17 of what kernel parameter 2 points to. */
static int place_parse(struct order *out, char *text, struct pa_error *error) {
    char *slash = strchr(text, '/');
    uint64_t parameter = 0;
    if (slash != NULL) {
        *slash = '\0';
        PA_TRY(pa_whole_parse(text, 0, 63, &parameter, error));
        text = slash + 1;
    }
    out->fault.parameter = (unsigned)parameter;
    return pa_whole_parse(text, 0, UINT64_C(1) << 40, &out->fault.offset, error);
}

static int action_parse(struct order *out, char *text, struct pa_error *error) {
    char *value = strchr(text, '=');
    if (value != NULL)
        *value++ = '\0';
    bool has_value = value != NULL;
    if (strcmp(text, "hang") == 0 && !has_value)
        out->fault.kind = EMULATED_FAULT_HANG;
    else if (strcmp(text, "empty") == 0 && !has_value)
        out->fault.kind = EMULATED_FAULT_EMPTY;
    else if (strcmp(text, "die") == 0 && !has_value)
        out->ends_process = true;
    else if (strcmp(text, "wrong") == 0) {
        out->fault.kind = EMULATED_FAULT_WRONG;
        return has_value ? place_parse(out, value, error) : PA_OK;
    } else if (strcmp(text, "code") == 0 && has_value) {
        out->fault.kind = EMULATED_FAULT_CODE;
        return code_parse(out, value, error);
    } else if (strcmp(text, "sticky") == 0 && has_value) {
        out->fault.kind = EMULATED_FAULT_STICKY;
        return code_parse(out, value, error);
    } else if (strcmp(text, "lose") == 0 && has_value) {
        out->fault.kind = EMULATED_FAULT_CODE;
        out->loses = true;
        return code_parse(out, value, error);
    } else
        return pa_fail(error, PA_EINPUT,
                       "\"%s\" is none of code=N, sticky=N, lose=N, hang, wrong, wrong=BYTE, "
                       "wrong=PARAMETER/BYTE, empty, die",
                       text);
    return PA_OK;
}

/* "nvmlDeviceGetPowerUsage/2" */
static int after_parse(struct order *out, char *text, struct pa_error *error) {
    char *slash = strchr(text, '/');
    if (strncmp(text, "when=/", 6) == 0) {
        snprintf(out->when, sizeof out->when, "%s", text + 5);
        return PA_OK;
    }
    if (strncmp(text, "after=", 6) != 0 || slash == NULL)
        return pa_fail(error, PA_EINPUT, "\"%s\" is neither after=FUNCTION/CALLS nor when=/FILE",
                       text);
    *slash = '\0';
    if (!emulated_function_exists(text + 6))
        return pa_fail(error, PA_EINPUT, "no emulated library exports \"%s\"", text + 6);
    snprintf(out->after, sizeof out->after, "%s", text + 6);
    return pa_whole_parse(slash + 1, 1, UINT32_MAX, &out->after_calls, error);
}

static int function_parse(struct order *out, char *text, struct pa_error *error) {
    char *at = strchr(text, '@');
    out->device = -1;
    if (at != NULL) {
        uint64_t device;
        *at = '\0';
        PA_TRY(pa_whole_parse(at + 1, 0, EMULATED_DEVICES_MAX - 1, &device, error));
        out->device = (int)device;
    }
    if (!emulated_function_exists(text))
        return pa_fail(error, PA_EINPUT, "no emulated library exports \"%s\"", text);
    snprintf(out->function, sizeof out->function, "%s", text);
    return PA_OK;
}

int emulated_fault_order(const char *text, struct pa_error *error) {
    char copy[ORDER_BYTES], *rest = copy;
    struct order order = {0};
    if (strlen(text) >= sizeof copy)
        return pa_fail(error, PA_EINPUT, "longer than %d bytes", ORDER_BYTES - 1);
    memcpy(copy, text, strlen(text) + 1);
    char *function = strsep(&rest, ":"), *calls = strsep(&rest, ":"), *action = strsep(&rest, ":");
    if (calls == NULL || action == NULL)
        return pa_fail(error, PA_EINPUT,
                       "\"%s\" is not FUNCTION[@GPU]:CALLS:ACTION[:after=..|:when=..]", text);
    if (rest != NULL)
        PA_TRY(after_parse(&order, rest, error));
    PA_TRY(function_parse(&order, function, error));
    PA_TRY(calls_parse(&order, calls, error));
    PA_TRY(action_parse(&order, action, error));
    if (order.loses && order.device < 0)
        return pa_fail(error, PA_EINPUT, "lose=N needs the GPU that is lost: %s@GPU", function);
    if (order_count == ORDERS_MAX)
        return pa_fail(error, PA_EINPUT, "more than %d faults are ordered", ORDERS_MAX);
    orders[order_count++] = order;
    return PA_OK;
}

/* Count the call for every order that names it; the first that is due is carried out. */
static struct order *due(const char *function, int device) {
    struct order *found = NULL;
    for (size_t i = 0; i < order_count; i++) {
        struct order *order = &orders[i];
        if (order->after_calls > 0 && strcmp(order->after, function) == 0)
            order->after_calls--;
        if (strcmp(order->function, function) != 0 || order->after_calls > 0 ||
            (order->device >= 0 && order->device != device) ||
            (order->when[0] != '\0' && access(order->when, F_OK) != 0))
            continue;
        order->calls++;
        if (found == NULL && order->calls >= order->first && order->calls <= order->last)
            found = order;
    }
    return found;
}

static int lost_code(const char *function, int driver_code) {
    enum { CUBLAS_EXECUTION_FAILED = 13, NCCL_UNHANDLED_CUDA_ERROR = 1, NVML_GPU_IS_LOST = 15 };
    if (strncmp(function, "cublas", 6) == 0)
        return CUBLAS_EXECUTION_FAILED;
    if (strncmp(function, "nccl", 4) == 0)
        return NCCL_UNHANDLED_CUDA_ERROR;
    return strncmp(function, "nvml", 4) == 0 ? NVML_GPU_IS_LOST : driver_code;
}

struct emulated_fault emulated_fault_check(const char *function, int device) {
    struct emulated_fault fault = {.kind = EMULATED_FAULT_NONE};
    bool loses = false, ends_process = false;
    if (emulated_platform() == NULL)
        return fault;
    if (order_count == 0)
        return fault;
    pthread_mutex_lock(&mutex);
    const struct order *order = due(function, device);
    if (order != NULL) {
        fault = order->fault;
        loses = order->loses;
        lost[loses ? device : 0] |= loses;
        ends_process = order->ends_process;
    }
    pthread_mutex_unlock(&mutex);
    /* The driver's code is N; the other libraries have their own for a GPU that is gone. */
    if (loses) {
        emulated_device_lose(device, fault.code);
        fault.code = lost_code(function, fault.code);
    }
    /* A process that is killed leaves nothing behind: no message, no handler, no destructor. */
    if (ends_process)
        kill(getpid(), SIGKILL);
    return fault;
}
