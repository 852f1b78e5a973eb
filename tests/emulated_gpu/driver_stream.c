/* SPDX-License-Identifier: Apache-2.0 */
/* cuStream* and cuEvent*. Event times are the host's clock when the record was reached in its
 * stream: they measure the emulation. */
#include "emulated_gpu/driver_exports.h"
#include "emulated_gpu/driver_state.h"

#include <stdlib.h>

enum {
    PRIORITY_GREATEST = -5,
    STREAM_NON_BLOCKING = 1,
    EVENT_DISABLE_TIMING = 2,
    EVENT_FLAGS = 7, /* blocking synchronisation, no timing, between processes */
};

EMULATED_API CUresult cuCtxGetStreamPriorityRange(int *least, int *greatest) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    if (least != NULL)
        *least = 0;
    if (greatest != NULL)
        *greatest = PRIORITY_GREATEST;
    return call_end(&call, CUDA_SUCCESS);
}

static CUresult create(const struct call *call, CUstream *stream, unsigned flags, int priority) {
    if (stream == NULL || (flags & ~(unsigned)STREAM_NON_BLOCKING) != 0)
        return CUDA_ERROR_INVALID_VALUE;
    if ((flags & STREAM_NON_BLOCKING) == 0)
        return call_misuse(call, CUDA_ERROR_INVALID_VALUE,
                           "only streams that do not wait for the default stream are modelled");
    struct CUstream_st *created = malloc(sizeof *created);
    if (created == NULL)
        return CUDA_ERROR_OUT_OF_MEMORY;
    stream_init(created, call->context->device, priority);
    created->next = call->context->streams;
    call->context->streams = created;
    *stream = created;
    return CUDA_SUCCESS;
}

EMULATED_API CUresult cuStreamCreate(CUstream *stream, unsigned int flags) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    return call_end(&call, create(&call, stream, flags, 0));
}

/* A priority outside of the range is brought into it. */
EMULATED_API CUresult cuStreamCreateWithPriority(CUstream *stream, unsigned int flags,
                                                 int priority) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    int within = priority > 0 ? 0 : priority < PRIORITY_GREATEST ? PRIORITY_GREATEST : priority;
    return call_end(&call, create(&call, stream, flags, within));
}

EMULATED_API CUresult cuStreamDestroy_v2(CUstream handle) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    struct CUstream_st *stream = handle == NULL ? NULL : stream_of(&call, handle);
    if (stream == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_HANDLE);
    stream_destroy(stream);
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuStreamSynchronize(CUstream handle) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    struct CUstream_st *stream = stream_of(&call, handle);
    return call_end(&call,
                    stream == NULL ? CUDA_ERROR_INVALID_HANDLE : stream_wait(stream, UINT64_MAX));
}

/* Asking lets the stream get one operation further, as time does on a device. */
static CUresult query(struct CUstream_st *stream) {
    const struct CUctx_st *context = driver_context(stream->device);
    stream_advance(stream);
    CUresult error = driver_error(context);
    return error != CUDA_SUCCESS ? error : CUDA_ERROR_NOT_READY;
}

EMULATED_API CUresult cuStreamQuery(CUstream handle) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    struct CUstream_st *stream = stream_of(&call, handle);
    if (stream == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_HANDLE);
    return call_end(&call, stream_is_idle(stream) ? CUDA_SUCCESS : query(stream));
}

EMULATED_API CUresult cuCtxSynchronize(void) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    return call_end(&call, device_wait(call.context));
}

/* ---- events ---- */

static struct CUevent_st *event_of(const struct call *call, CUevent handle) {
    for (int device = 0; device < EMULATED_DEVICES_MAX; device++)
        for (struct CUevent_st *event = driver_context(device)->events; event != NULL;
             event = event->next)
            if (event == handle && !event->is_destroyed)
                return event;
    call_misuse(call, CUDA_ERROR_INVALID_HANDLE, "%p is no event, or one that was destroyed",
                (void *)handle);
    return NULL;
}

static void event_free(struct CUevent_st *event) {
    struct CUevent_st **link = &driver_context(event->device)->events;
    while (*link != event)
        link = &(*link)->next;
    *link = event->next;
    free(event);
}

unsigned events_release(struct CUctx_st *context) {
    unsigned count = 0;
    while (context->events != NULL) {
        count += !context->events->is_destroyed;
        event_free(context->events);
    }
    return count;
}

EMULATED_API CUresult cuEventCreate(CUevent *event, unsigned int flags) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    if (event == NULL || (flags & ~(unsigned)EVENT_FLAGS) != 0)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    struct CUevent_st *created = calloc(1, sizeof *created);
    if (created == NULL)
        return call_end(&call, CUDA_ERROR_OUT_OF_MEMORY);
    created->device = call.context->device;
    created->has_time = (flags & EVENT_DISABLE_TIMING) == 0;
    created->next = call.context->events;
    call.context->events = created;
    *event = created;
    return call_end(&call, CUDA_SUCCESS);
}

EMULATED_API CUresult cuEventDestroy_v2(CUevent handle) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    struct CUevent_st *event = event_of(&call, handle);
    if (event == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_HANDLE);
    event->is_destroyed = true;
    if (event->waiting == 0)
        event_free(event);
    return call_end(&call, CUDA_SUCCESS);
}

/* An operation that reaches an event, or waits for it. */
struct mark {
    struct CUevent_st *event;
    uint64_t number;
};

static struct mark *mark_new(struct CUevent_st *event, uint64_t number) {
    struct mark *mark = malloc(sizeof *mark);
    if (mark != NULL) {
        *mark = (struct mark){event, number};
        event->waiting++;
    }
    return mark;
}

static void mark_drop(void *context) {
    struct mark *mark = context;
    pthread_mutex_lock(&driver_mutex);
    if (--mark->event->waiting == 0 && mark->event->is_destroyed)
        event_free(mark->event);
    pthread_mutex_unlock(&driver_mutex);
    free(mark);
}

static int record_work(void *context, int device) {
    const struct mark *mark = context;
    (void)device;
    pthread_mutex_lock(&driver_mutex);
    if (mark->number > mark->event->finished) {
        mark->event->finished = mark->number;
        mark->event->time_ns = emulated_clock_ns();
    }
    pthread_mutex_unlock(&driver_mutex);
    return EMULATED_DONE;
}

static int wait_work(void *context, int device) {
    const struct mark *mark = context;
    (void)device;
    pthread_mutex_lock(&driver_mutex);
    bool is_reached = mark->event->finished >= mark->number;
    pthread_mutex_unlock(&driver_mutex);
    return is_reached ? EMULATED_DONE : EMULATED_PENDING;
}

EMULATED_API CUresult cuEventRecord(CUevent handle, CUstream stream_handle) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT | CALL_ENQUEUES, -1))
        return call.result;
    struct CUevent_st *event = event_of(&call, handle);
    struct CUstream_st *stream = event == NULL ? NULL : stream_of(&call, stream_handle);
    if (stream == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_HANDLE);
    if (event->device != stream->device)
        return call_end(&call, call_misuse(&call, CUDA_ERROR_INVALID_HANDLE,
                                           "an event of GPU %d in a stream of GPU %d",
                                           event->device, stream->device));
    struct mark *mark = mark_new(event, stream_next_number());
    if (mark == NULL)
        return call_end(&call, CUDA_ERROR_OUT_OF_MEMORY);
    event->stream = stream;
    event->recorded = mark->number;
    return call_end(&call,
                    stream_append(&call, stream, call.function, record_work, mark, mark_drop));
}

EMULATED_API CUresult cuStreamWaitEvent(CUstream stream_handle, CUevent handle,
                                        unsigned int flags) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT | CALL_ENQUEUES, -1))
        return call.result;
    struct CUevent_st *event = event_of(&call, handle);
    struct CUstream_st *stream = event == NULL ? NULL : stream_of(&call, stream_handle);
    if (stream == NULL || flags != 0)
        return call_end(&call,
                        stream == NULL ? CUDA_ERROR_INVALID_HANDLE : CUDA_ERROR_INVALID_VALUE);
    if (event->recorded == 0)
        return call_end(
            &call, call_misuse(&call, CUDA_SUCCESS, "waits for an event that was never recorded"));
    struct mark *mark = mark_new(event, event->recorded);
    if (mark == NULL)
        return call_end(&call, CUDA_ERROR_OUT_OF_MEMORY);
    return call_end(&call, stream_append(&call, stream, call.function, wait_work, mark, mark_drop));
}

EMULATED_API CUresult cuEventQuery(CUevent handle) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    struct CUevent_st *event = event_of(&call, handle);
    if (event == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_HANDLE);
    if (event->finished >= event->recorded)
        return call_end(&call, CUDA_SUCCESS);
    if (!stream_is_listed(event->stream, event->device))
        return call_end(&call, CUDA_ERROR_NOT_READY);
    return call_end(&call, query(event->stream));
}

EMULATED_API CUresult cuEventSynchronize(CUevent handle) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    struct CUevent_st *event = event_of(&call, handle);
    if (event == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_HANDLE);
    CUresult result = CUDA_SUCCESS;
    if (event->finished < event->recorded && stream_is_listed(event->stream, event->device))
        result = stream_wait(event->stream, event->recorded);
    return call_end(&call, result);
}

static CUresult elapsed(const struct CUevent_st *start, const struct CUevent_st *end, float *ms) {
    if (start->recorded == 0 || end->recorded == 0 || !start->has_time || !end->has_time)
        return CUDA_ERROR_INVALID_HANDLE;
    if (start->finished < start->recorded || end->finished < end->recorded)
        return CUDA_ERROR_NOT_READY;
    *ms = (float)((double)(int64_t)(end->time_ns - start->time_ns) / 1e6);
    return CUDA_SUCCESS;
}

static CUresult elapsed_call(const char *function, float *ms, CUevent start, CUevent end) {
    struct call call;
    if (!call_begin(&call, function, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    const struct CUevent_st *first = event_of(&call, start), *last = event_of(&call, end);
    if (first == NULL || last == NULL || ms == NULL || first->device != last->device)
        return call_end(&call, ms == NULL ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE);
    CUresult result = elapsed(first, last, ms);
    if (result == CUDA_SUCCESS && call.fault.kind == EMULATED_FAULT_WRONG)
        *ms -= 3600e3f; /* the device's clock was put back by an hour */
    return call_end(&call, result);
}

EMULATED_API CUresult cuEventElapsedTime(float *ms, CUevent start, CUevent end) {
    return elapsed_call(__func__, ms, start, end);
}

EMULATED_API CUresult cuEventElapsedTime_v2(float *ms, CUevent start, CUevent end) {
    return elapsed_call(__func__, ms, start, end);
}
