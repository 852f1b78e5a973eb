/* SPDX-License-Identifier: Apache-2.0 */
/* How every call of the driver begins and ends, and what is current. */
#include "emulated_gpu/driver_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

pthread_mutex_t driver_mutex = PTHREAD_MUTEX_INITIALIZER;

static bool is_initialised;
static struct CUctx_st contexts[EMULATED_DEVICES_MAX];
static _Thread_local struct CUctx_st *current;

bool driver_is_initialised(void) {
    return is_initialised;
}

void driver_initialise(void) {
    for (int i = 0; i < EMULATED_DEVICES_MAX && !is_initialised; i++) {
        contexts[i].device = i;
        stream_init(&contexts[i].default_stream, i, 0);
    }
    is_initialised = true;
}

struct CUctx_st *driver_context(int device) {
    return &contexts[device];
}

struct CUctx_st *driver_current(void) {
    return current;
}

void driver_set_current(struct CUctx_st *context) {
    current = context;
}

CUresult driver_error(const struct CUctx_st *context) {
    return (CUresult)(context->lost != 0 ? context->lost : context->error);
}

void call_hang(void) {
    for (;;)
        pause();
}

/* Faults that are not for work to come. False when the call ends here. */
static bool fault_of_call(struct call *call, unsigned needs) {
    bool enqueues = (needs & CALL_ENQUEUES) != 0;
    call->fault = emulated_fault_check(call->function, call->device);
    switch (call->fault.kind) {
    case EMULATED_FAULT_CODE:
        call->result = (CUresult)call->fault.code;
        return false;
    case EMULATED_FAULT_HANG:
        if (!enqueues)
            call_hang();
        return true;
    case EMULATED_FAULT_STICKY:
        if (!enqueues && call->device >= 0)
            emulated_device_fail(call->device, call->fault.code);
        call->result = (CUresult)call->fault.code;
        return enqueues;
    default:
        return true;
    }
}

bool call_begin(struct call *call, const char *function, unsigned needs, int device) {
    const struct emulated_platform *platform = emulated_platform();
    *call = (struct call){.function = function, .device = device};
    if (platform == NULL) {
        call->result = CUDA_ERROR_UNKNOWN;
        return false;
    }
    if (device < 0 && current != NULL)
        call->device = current->device;
    if (device >= platform->device_count)
        call->device = -1;
    if (!fault_of_call(call, needs))
        return false;
    pthread_mutex_lock(&driver_mutex);
    call->context = current;
    call->result = CUDA_SUCCESS;
    if (!is_initialised)
        call->result = CUDA_ERROR_NOT_INITIALIZED;
    else if ((needs & CALL_NEEDS_CONTEXT) != 0 && current == NULL) {
        emulated_report("%s: no context is current on this thread", function);
        call->result = CUDA_ERROR_INVALID_CONTEXT;
    } else if ((needs & CALL_NEEDS_CONTEXT) != 0 && current->references == 0) {
        emulated_report("%s: the context of GPU %d was released", function, current->device);
        call->result = CUDA_ERROR_CONTEXT_IS_DESTROYED;
    } else if ((needs & CALL_NEEDS_CONTEXT) != 0)
        call->result = driver_error(current);
    if (call->result != CUDA_SUCCESS)
        pthread_mutex_unlock(&driver_mutex);
    return call->result == CUDA_SUCCESS;
}

CUresult call_end(const struct call *call, CUresult result) {
    (void)call;
    pthread_mutex_unlock(&driver_mutex);
    return result;
}

CUresult call_misuse(const struct call *call, CUresult result, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    emulated_report("%s: %s", call->function, text);
    return result;
}

int emulated_current_device(void) {
    pthread_mutex_lock(&driver_mutex);
    int device = current != NULL && current->references > 0 ? current->device : -1;
    pthread_mutex_unlock(&driver_mutex);
    return device;
}

int emulated_device_error(int device) {
    pthread_mutex_lock(&driver_mutex);
    int error = (int)driver_error(&contexts[device]);
    pthread_mutex_unlock(&driver_mutex);
    return error;
}

void emulated_device_fail(int device, int code) {
    pthread_mutex_lock(&driver_mutex);
    if (contexts[device].error == 0)
        contexts[device].error = code;
    streams_wake();
    pthread_mutex_unlock(&driver_mutex);
}

void emulated_device_lose(int device, int code) {
    pthread_mutex_lock(&driver_mutex);
    if (contexts[device].lost == 0)
        contexts[device].lost = code;
    streams_wake();
    pthread_mutex_unlock(&driver_mutex);
}
