/* SPDX-License-Identifier: Apache-2.0 */
/* driver_state.h - what the files driver_*.c share: contexts, streams, events, and how a call
 * begins.
 *
 * One mutex guards all of it. Work runs outside of it, taken from the head of a stream that is then
 * marked busy. Nothing runs by itself: a stream gets further when somebody waits for it or asks for
 * its state, so that a result that was never waited for is not there. order=eager runs work when it
 * is enqueued, for the opposite mistake.
 */
#ifndef PA_TESTS_DRIVER_STATE_H
#define PA_TESTS_DRIVER_STATE_H

#include "device/cuda_api.h"
#include "emulated_gpu/emulated.h"
#include "emulated_gpu/ptx.h"

#include <pthread.h>

struct operation {
    struct operation *next;
    const char *name;
    emulated_work run;
    void (*drop)(void *context);
    void *context;
    uint64_t number; /* of all operations, in the order of enqueueing */
    bool never_ends;
};

struct CUstream_st {
    struct CUstream_st *next;
    int device;
    int priority;
    struct operation *head, **tail;
    uint64_t finished; /* number of the last operation that ended */
    bool is_busy;      /* the operation at its head runs, on some thread */
    bool is_destroyed; /* the handle is gone; what was enqueued still runs */
    bool is_unlinked;  /* in no list any more */
    unsigned users;    /* calls that look at it, perhaps without the mutex in between */
};

struct CUevent_st {
    struct CUevent_st *next;
    int device;
    bool has_time, is_destroyed;
    unsigned waiting;            /* operations that look at it */
    struct CUstream_st *stream;  /* of the last record; NULL before */
    uint64_t recorded, finished; /* numbers of the last record, and of the last that ended */
    uint64_t time_ns;
};

struct CUfunc_st {
    struct CUfunc_st *next;
    struct CUmod_st *module;
    const struct ptx_kernel *kernel;
};

struct CUmod_st {
    struct CUmod_st *next;
    int device;
    struct ptx_module *ptx;
    uint64_t globals_address;
    struct CUfunc_st *functions;
};

/* The primary context of a device. */
struct CUctx_st {
    int device;
    unsigned references;
    int error; /* sticky, until it is released to zero */
    int lost;  /* sticky for good */
    struct CUstream_st default_stream, *streams;
    struct CUevent_st *events;
    struct CUmod_st *modules;
};

/* ---- calls ---- */

enum {
    CALL_NEEDS_CONTEXT = 1, /* a live context is current, and well */
    CALL_ENQUEUES = 2,      /* faults of its work are carried out when the work runs */
};

struct call {
    const char *function;
    int device; /* whose context is current; -1 */
    struct CUctx_st *context;
    struct emulated_fault fault; /* HANG, STICKY or WRONG, for the work that is enqueued */
    CUresult result;             /* when it may not begin */
};

/* Begin an exported function: initialised, faults on order, context. True: go on, with the mutex
 * held, and end with call_end. False: return call->result. `device` is the one that the call names,
 * -1 for that of the current context. */
bool call_begin(struct call *call, const char *function, unsigned needs, int device);
/* Let go of the mutex and hand the result through. */
CUresult call_end(const struct call *call, CUresult result);
/* A mistake of the caller's: reported, and `result` is handed back. */
CUresult call_misuse(const struct call *call, CUresult result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A call that waits for ever. */
void call_hang(void) __attribute__((noreturn));

/* ---- what CUDA_VISIBLE_DEVICES leaves (driver_visible.c); the platform is usable ---- */

int driver_visible_count(void);
/* The platform's number of a device that the program counts from 0, which is also its CUdevice; -1:
 * there is no such device. */
int driver_visible(int ordinal);

/* ---- state, with the mutex held ---- */

extern pthread_mutex_t driver_mutex;
bool driver_is_initialised(void);
void driver_initialise(void);
struct CUctx_st *driver_context(int device);
struct CUctx_st *driver_current(void);
void driver_set_current(struct CUctx_st *context);
/* The error that every call with this context returns. */
CUresult driver_error(const struct CUctx_st *context);

/* ---- streams, with the mutex held (driver_queue.c) ---- */

/* The stream that a handle names for this call; NULL when it names none, which is reported. */
struct CUstream_st *stream_of(struct call *call, CUstream handle);
/* Append; takes `context` over even when it fails, and carries out HANG and STICKY of the call.
 * Lets go of the mutex while work runs in eager order. */
CUresult stream_append(struct call *call, struct CUstream_st *stream, const char *name,
                       emulated_work run, void *context, void (*drop)(void *));
/* The number that the next operation will get. */
uint64_t stream_next_number(void);
/* Whether something of the context never ends: nothing of it can be freed then. */
bool context_hangs(const struct CUctx_st *context);
bool stream_is_idle(const struct CUstream_st *stream);
/* Whether the pointer is still a stream of the device, destroyed ones with work included. */
bool stream_is_listed(const struct CUstream_st *stream, int device);
void stream_init(struct CUstream_st *stream, int device, int priority);
/* The handle is given up: what is enqueued runs on as far as it can. */
void stream_destroy(struct CUstream_st *stream);
/* Let a stream, and whoever it waits for, get one operation further. False when nothing moved. */
bool stream_advance(struct CUstream_st *stream);
/* Until operation `number` ended; UINT64_MAX: until the stream is empty. Lets go of the mutex while
 * it waits. */
CUresult stream_wait(struct CUstream_st *stream, uint64_t number);
CUresult device_wait(struct CUctx_st *context);
/* Drop all work of a context that ends and free its streams. True if work was there that could have
 * run: nobody waited for it. Lets go of the mutex. */
bool streams_release(struct CUctx_st *context);
/* Say that something changed. */
void streams_wake(void);

/* Free what is left of a context and say how many there were. */
unsigned events_release(struct CUctx_st *context);
unsigned modules_release(struct CUctx_st *context);
/* Pinned memory that was never freed, in bytes. */
uint64_t pinned_bytes(void);
/* Whether all of it lies in one piece of pinned memory. */
bool pinned_contains(const void *address, uint64_t bytes);

#endif
