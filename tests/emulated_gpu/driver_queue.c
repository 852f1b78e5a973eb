/* SPDX-License-Identifier: Apache-2.0 */
/* The queues behind streams: who runs what, when. */
#include "emulated_gpu/driver_state.h"
#include "emulated_gpu/emulated_meter.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum progress { STREAM_EMPTY, STREAM_STUCK, STREAM_MOVED };

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t numbers;

void streams_wake(void) {
    pthread_cond_broadcast(&changed);
}

void stream_init(struct CUstream_st *stream, int device, int priority) {
    *stream = (struct CUstream_st){.device = device, .priority = priority};
    stream->tail = &stream->head;
}

bool stream_is_idle(const struct CUstream_st *stream) {
    return stream->head == NULL;
}

bool context_hangs(const struct CUctx_st *context) {
    const struct CUstream_st *stream = &context->default_stream;
    while (stream != NULL && (stream->head == NULL || !stream->head->never_ends))
        stream = stream == &context->default_stream ? context->streams : stream->next;
    return stream != NULL;
}

uint64_t stream_next_number(void) {
    return numbers + 1;
}

static void operation_free(struct operation *operation) {
    if (operation->drop != NULL)
        operation->drop(operation->context);
    free(operation);
}

/* Out of its context's list; the caller has pinned it. */
static void stream_unlink(struct CUstream_st *stream) {
    struct CUstream_st **link = &driver_context(stream->device)->streams;
    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    stream->is_unlinked = true;
}

/* Between these two the stream stays where it is, whatever other threads do with it; one that was
 * unlinked is freed by the last. */
static void stream_pin(struct CUstream_st *stream) {
    stream->users++;
}

static void stream_unpin(struct CUstream_st *stream) {
    if (--stream->users == 0 && stream->is_unlinked)
        free(stream);
}

/* Run what is at the head, outside of the mutex. */
static enum progress run_head(struct CUstream_st *stream) {
    struct CUctx_st *context = driver_context(stream->device);
    struct operation *operation = stream->head;
    if (operation == NULL)
        return STREAM_EMPTY;
    if (stream->is_busy || operation->never_ends || driver_error(context) != CUDA_SUCCESS)
        return STREAM_STUCK;
    stream->is_busy = true;
    pthread_mutex_unlock(&driver_mutex);
    uint64_t begun_ns = emulated_clock_ns();
    int result = operation->run(operation->context, stream->device);
    if (result == EMULATED_DONE)
        emulated_meter_worked(stream->device, begun_ns);
    if (result != EMULATED_PENDING && operation->drop != NULL)
        operation->drop(operation->context);
    pthread_mutex_lock(&driver_mutex);
    stream->is_busy = false;
    if (result == EMULATED_PENDING)
        return STREAM_STUCK;
    stream->head = operation->next;
    if (stream->head == NULL)
        stream->tail = &stream->head;
    stream->finished = operation->number;
    free(operation);
    if (result != EMULATED_DONE && context->error == 0)
        context->error = result;
    streams_wake();
    return STREAM_MOVED;
}

static enum progress advance(struct CUstream_st *stream) {
    stream_pin(stream);
    enum progress progress = run_head(stream);
    if (stream->is_destroyed && !stream->is_unlinked && !stream->is_busy && stream->head == NULL)
        stream_unlink(stream);
    stream_unpin(stream);
    return progress;
}

/* Every other stream of every device gets one operation further. Streams come and go while one
 * runs, so that each step looks for the first whose number is still above. */
static bool advance_others(const struct CUstream_st *stream) {
    bool moved = false;
    for (int device = 0; device < EMULATED_DEVICES_MAX; device++) {
        struct CUctx_st *context = driver_context(device);
        struct CUstream_st *other = &context->default_stream;
        unsigned position = 0;
        while (other != NULL) {
            if (other != stream)
                moved |= advance(other) == STREAM_MOVED;
            other = context->streams;
            for (unsigned i = 0; other != NULL && i < position; i++)
                other = other->next;
            position++;
        }
    }
    return moved;
}

bool stream_advance(struct CUstream_st *stream) {
    stream_pin(stream);
    enum progress progress = advance(stream);
    bool moved = progress == STREAM_STUCK ? advance_others(stream) : progress == STREAM_MOVED;
    stream_unpin(stream);
    return moved;
}

static void wait_for_change(void) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&changed, &driver_mutex, &until);
}

CUresult stream_wait(struct CUstream_st *stream, uint64_t number) {
    const struct CUctx_st *context = driver_context(stream->device);
    CUresult error;
    stream_pin(stream);
    while ((error = driver_error(context)) == CUDA_SUCCESS && !stream_is_idle(stream) &&
           stream->finished < number)
        if (!stream_advance(stream))
            wait_for_change();
    stream_unpin(stream);
    return error;
}

CUresult device_wait(struct CUctx_st *context) {
    struct CUstream_st *stream = &context->default_stream;
    for (;;) {
        CUresult result = stream_wait(stream, UINT64_MAX);
        if (result != CUDA_SUCCESS)
            return result;
        stream = context->streams;
        while (stream != NULL && stream_is_idle(stream))
            stream = stream->next;
        if (stream == NULL)
            return CUDA_SUCCESS;
    }
}

static int fail_work(void *context, int device) {
    (void)device;
    return (int)(intptr_t)context;
}

CUresult stream_append(struct call *call, struct CUstream_st *stream, const char *name,
                       emulated_work run, void *context, void (*drop)(void *)) {
    struct operation *operation = malloc(sizeof *operation);
    if (operation == NULL) {
        pthread_mutex_unlock(&driver_mutex);
        if (drop != NULL)
            drop(context);
        pthread_mutex_lock(&driver_mutex);
        return CUDA_ERROR_OUT_OF_MEMORY;
    }
    *operation = (struct operation){
        .name = name, .run = run, .drop = drop, .context = context, .number = ++numbers};
    operation->never_ends = call->fault.kind == EMULATED_FAULT_HANG;
    bool is_replaced = call->fault.kind == EMULATED_FAULT_STICKY;
    if (is_replaced) {
        operation->run = fail_work;
        operation->context = (void *)(intptr_t)call->fault.code;
        operation->drop = NULL;
    }
    *stream->tail = operation;
    stream->tail = &operation->next;
    if (is_replaced && drop != NULL) {
        pthread_mutex_unlock(&driver_mutex);
        drop(context);
        pthread_mutex_lock(&driver_mutex);
    }
    stream_pin(stream);
    while (emulated_platform()->is_eager && advance(stream) == STREAM_MOVED)
        continue;
    stream_unpin(stream);
    streams_wake();
    return CUDA_SUCCESS;
}

void stream_destroy(struct CUstream_st *stream) {
    stream_pin(stream);
    while (advance(stream) == STREAM_MOVED)
        continue;
    stream->is_destroyed = true;
    if (stream->head == NULL && !stream->is_unlinked)
        stream_unlink(stream);
    stream_unpin(stream);
}

/* True when something was left that could have run. */
static bool drop_all(struct CUstream_st *stream) {
    bool could_run = false;
    while (stream->is_busy)
        wait_for_change();
    struct operation *operation = stream->head;
    stream->head = NULL;
    stream->tail = &stream->head;
    could_run = operation != NULL && !operation->never_ends;
    pthread_mutex_unlock(&driver_mutex);
    while (operation != NULL) {
        struct operation *next = operation->next;
        operation_free(operation);
        operation = next;
    }
    pthread_mutex_lock(&driver_mutex);
    return could_run;
}

bool streams_release(struct CUctx_st *context) {
    bool was_left = drop_all(&context->default_stream);
    while (context->streams != NULL) {
        struct CUstream_st *stream = context->streams;
        stream_pin(stream);
        was_left |= drop_all(stream);
        if (!stream->is_unlinked)
            stream_unlink(stream);
        stream_unpin(stream);
    }
    return was_left;
}

bool stream_is_listed(const struct CUstream_st *stream, int device) {
    const struct CUctx_st *context = driver_context(device);
    const struct CUstream_st *listed = context->streams;
    while (listed != NULL && listed != stream)
        listed = listed->next;
    return listed != NULL || stream == &context->default_stream;
}

struct CUstream_st *stream_of(struct call *call, CUstream handle) {
    if (handle == NULL)
        return call->context != NULL ? &call->context->default_stream : NULL;
    for (int device = 0; device < EMULATED_DEVICES_MAX; device++)
        for (struct CUstream_st *stream = driver_context(device)->streams; stream != NULL;
             stream = stream->next)
            if (stream == handle && !stream->is_destroyed)
                return stream;
    call_misuse(call, CUDA_ERROR_INVALID_HANDLE, "%p is no stream, or one that was destroyed",
                (void *)handle);
    return NULL;
}

/* ---- what the other libraries see ---- */

int emulated_stream_device(struct CUstream_st *handle) {
    struct call call = {.function = "stream"};
    pthread_mutex_lock(&driver_mutex);
    call.context = driver_current();
    const struct CUstream_st *stream = driver_is_initialised() ? stream_of(&call, handle) : NULL;
    int device = stream == NULL ? -1 : stream->device;
    pthread_mutex_unlock(&driver_mutex);
    return device;
}

static int enqueue(struct CUstream_st *handle, const char *name, emulated_work work, void *context,
                   void (*drop)(void *context), enum emulated_fault_kind kind) {
    struct call call = {.function = name, .fault = {.kind = kind}};
    CUresult result = CUDA_ERROR_INVALID_HANDLE;
    pthread_mutex_lock(&driver_mutex);
    call.context = driver_current();
    struct CUstream_st *stream = driver_is_initialised() ? stream_of(&call, handle) : NULL;
    const struct CUctx_st *owner = stream != NULL ? driver_context(stream->device) : NULL;
    if (stream != NULL)
        result = driver_error(owner);
    if (stream != NULL && result == CUDA_SUCCESS) {
        result = stream_append(&call, stream, name, work, context, drop);
        if (result == CUDA_SUCCESS)
            result = driver_error(owner);
        drop = NULL;
    }
    pthread_mutex_unlock(&driver_mutex);
    if (drop != NULL)
        drop(context);
    return (int)result;
}

int emulated_stream_enqueue(struct CUstream_st *stream, const char *name, emulated_work work,
                            void *context, void (*drop)(void *context)) {
    return enqueue(stream, name, work, context, drop, EMULATED_FAULT_NONE);
}

int emulated_stream_hang(struct CUstream_st *stream) {
    return enqueue(stream, "an operation that never ends", fail_work, NULL, NULL,
                   EMULATED_FAULT_HANG);
}

void emulated_stream_progress(void) {
    pthread_mutex_lock(&driver_mutex);
    streams_wake();
    pthread_mutex_unlock(&driver_mutex);
}
