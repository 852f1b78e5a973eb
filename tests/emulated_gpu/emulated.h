/* SPDX-License-Identifier: Apache-2.0 */
/* emulated.h - the platform that the four emulated libraries stand on: devices, memory, streams.
 *
 * One shared object plays libcuda.so.1, libcublasLt.so.13, libnccl.so.2 and libnvidia-ml.so.1
 * (docs/emulated-gpu.md). The loader sees one file under four names and maps it once, so that
 * all four libraries share what is declared here. Results of the vendors' libraries are plain
 * `int` in this header; a device is its index, 0 .. count-1.
 *
 * Nothing here is called with a lock held by the caller, unless it says so. Work that was
 * enqueued runs outside every lock, on the thread of whoever waits for it, one operation of a
 * stream at a time.
 */
#ifndef PA_TESTS_EMULATED_H
#define PA_TESTS_EMULATED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The driver's own handle types, as every CUDA header declares them. */
struct CUctx_st;
struct CUstream_st;
struct CUevent_st;

/* Functions that a program finds by dlsym. */
#define EMULATED_API __attribute__((visibility("default")))

/* Another program recognises the emulated platform by this: it returns 1. */
EMULATED_API int petaudit_emulated_gpu(void);

/* ---- the platform, read once from the environment ---- */

enum { EMULATED_DEVICES_MAX = 16, EMULATED_NAME_BYTES = 96 };

struct emulated_device {
    char name[EMULATED_NAME_BYTES]; /* "Emulated GPU 0" */
    uint8_t uuid[16];
    unsigned pci_domain, pci_bus, pci_device;
    int sm_major, sm_minor;
    int multiprocessors;
    int clock_khz; /* SM clock that the driver tells */
    int memory_clock_khz;
    int memory_bus_bits;
    uint64_t memory_told_bytes; /* what the driver and NVML tell */
    uint64_t memory_bytes;      /* what can be allocated; less than told only by a fault */
};

/* PETAUDIT_EMULATED_GPU, a list of key=value parted by commas, parsed strictly. Keys come once, but
 * for fault= (emulated_fault.h) and gpuN.KEY= (emulated_condition.h), which are what tests order:
 *   devices=2         0 to 16 GPUs                                    (1)
 *   memory=256MiB     memory of each; KiB, MiB or GiB                 (256MiB)
 *   sm=90             compute capability of each: 75 .. 120           (90)
 *   order=lazy        lazy: work runs when it is waited for; eager: before the call returns
 *   seed=7            order of warps and of blocks; 0 is the plain one (0)
 *   threads=2         host threads that run the blocks of a launch    (2)
 *   steps=100000000   instructions that a warp may execute in a launch
 *   driver=13000      what cuDriverGetVersion tells                   (13000)
 *   ptx=90            highest .version that is accepted, major * 10 + minor (by driver)
 *   script=FILE       more of the same, one key=value a line, # begins a comment */
struct emulated_platform {
    int device_count;
    struct emulated_device devices[EMULATED_DEVICES_MAX];
    bool is_eager;
    uint64_t seed;
    unsigned threads;
    uint64_t step_limit;
    int driver_version;
    int ptx_version;
};

/* The platform, or NULL when the variable is wrong (said on stderr once): then every library
 * refuses to initialise. Constant after the first call; thread-safe. */
const struct emulated_platform *emulated_platform(void);

/* ---- what was found wrong ---- */

/* Say on stderr and in the file that PETAUDIT_EMULATED_REPORT names (appended): one line, with
 * "emulated GPU: " before it. For misuse by the program under test, not for injected faults. */
void emulated_report(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* How many lines were reported by this process. */
unsigned emulated_report_count(void);

/* ---- faults on order (emulated_fault.c) ---- */

enum emulated_fault_kind {
    EMULATED_FAULT_NONE,
    EMULATED_FAULT_CODE,   /* the call returns `code` and does nothing */
    EMULATED_FAULT_STICKY, /* the work fails when it runs: `code` at the next wait, then for ever */
    EMULATED_FAULT_HANG,  /* what the call enqueues never ends; a call without work never returns */
    EMULATED_FAULT_WRONG, /* the work runs, then one bit of its result is flipped */
    EMULATED_FAULT_EMPTY, /* the call succeeds and finds nothing (cublasLtMatmulAlgoGetHeuristic) */
};

struct emulated_fault {
    enum emulated_fault_kind kind;
    int code;           /* in the error numbers of the library that was called */
    unsigned parameter; /* WRONG in cuLaunchKernel: which parameter points to the result .. */
    uint64_t offset;    /* .. and the byte in it whose lowest bit is flipped */
};

/* Called first by every exported function: counts calls of `function` (from 1) and says what was
 * ordered for this one. `device` is -1 where no device is known yet. */
struct emulated_fault emulated_fault_check(const char *function, int device);

/* ---- contexts ---- */

/* The device whose primary context is current on this thread and alive, or -1. */
int emulated_current_device(void);
/* The sticky error (CUresult) of the device's context, 0 while it is well. */
int emulated_device_error(int device);
/* Make the context of `device` return `code` from every call until it is released to zero. The
 * first code stays. */
void emulated_device_fail(int device, int code);
/* Fail the device for good: not even a released context brings it back ("fallen off the bus"). */
void emulated_device_lose(int device, int code);

/* ---- streams ---- */

/* What a piece of work says when it is asked to run. Anything else is a CUresult and sticks to
 * the device. */
enum {
    EMULATED_DONE = 0,
    EMULATED_PENDING = -1, /* waits for others (a peer of an all-reduce): ask again later */
};

/* Runs without any lock; `device` is the stream's. Asked again while it says EMULATED_PENDING. */
typedef int (*emulated_work)(void *context, int device);

/* The device that `stream` belongs to; -1 for a handle that is no live stream. NULL is the
 * default stream of the current device. */
int emulated_stream_device(struct CUstream_st *stream);

/* Append work to a stream (NULL: the default stream of the current device). `name` is for
 * reports and stays valid. `drop` (may be NULL) releases `context` once, after the work ran or
 * when it never will. Returns a CUresult: 0; 400 for no stream; the sticky error. On failure
 * `drop` was called. In eager order the work runs before this returns. */
int emulated_stream_enqueue(struct CUstream_st *stream, const char *name, emulated_work work,
                            void *context, void (*drop)(void *context));
/* Append an operation that never ends. */
int emulated_stream_hang(struct CUstream_st *stream);
/* Wake whoever waits for a pending operation: call it when a peer may have got further. */
void emulated_stream_progress(void);

/* ---- device memory ---- */

/* For work that runs in a stream, and for checks when it is enqueued. `what` names the call and
 * the operand in a report, "cublasLtMatmul A". All return 0 with *host set, or report what is
 * wrong and return a CUresult:
 * 700 (outside an allocation, freed, or of another device), 719 (read before it was written).
 * *host is valid until the allocation is freed, which waits for the device's streams. */
int emulated_memory_read(int device, uint64_t address, uint64_t bytes, const char *what,
                         const void **host);
/* The same for `rows` rows of `row_bytes`, `pitch` apart: what lies between them is not touched. */
int emulated_memory_read_rows(int device, uint64_t address, uint64_t rows, uint64_t row_bytes,
                              uint64_t pitch, const char *what, const void **host);
/* The range (or its rows) counts as written from here on. */
int emulated_memory_write(int device, uint64_t address, uint64_t bytes, const char *what,
                          void **host);
int emulated_memory_write_rows(int device, uint64_t address, uint64_t rows, uint64_t row_bytes,
                               uint64_t pitch, const char *what, void **host);
/* Only whether the range lies in one live allocation of the device; nothing is read or reported. */
bool emulated_memory_contains(int device, uint64_t address, uint64_t bytes);
/* What is free and what is there, as cuMemGetInfo tells. */
void emulated_memory_info(int device, uint64_t *free_bytes, uint64_t *total_bytes);

/* ---- time ---- */

/* The host's CLOCK_MONOTONIC_RAW: event times, NVML's samples and energy all come from it. */
uint64_t emulated_clock_ns(void);

#endif
