/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_inside.h - the cuda backend's own structures, shared by its files alone.
 *
 * One thread drives one device. Every entry begins with pa_cuda_enter, which makes the device's
 * primary context current on the calling thread (cuBLASLt and NCCL live in that one too) and makes
 * it at the first call. A device that failed in a way that its context does not survive is marked
 * lost: from then on every entry returns the first failure, and nothing is freed through the dead
 * context, where a driver may wait for ever.
 */
#ifndef PA_DEVICE_CUDA_INSIDE_H
#define PA_DEVICE_CUDA_INSIDE_H

#include "device/cublaslt_api.h"
#include "device/cuda_api.h"
#include "device/device.h"
#include "device/nvml_device.h"
#include "device/vendor_library.h"
#include "kernels/digest.h"
#include "kernels/launch.h"

#include <stdatomic.h>

struct pa_cuda_driver {
    PA_CUDA_FUNCTIONS(PA_VENDOR_MEMBER)
};

struct pa_cublaslt {
    PA_CUBLASLT_FUNCTIONS(PA_VENDOR_MEMBER)
};

struct pa_cuda_device {
    struct pa_device base;
    const struct pa_cuda_driver *cu;
    CUdevice ordinal;
    int major, minor;  /* compute capability */
    CUcontext context; /* the primary one; NULL until it is needed */
    CUmodule module;
    CUfunction kernels[PA_KERNEL_COUNT];
    const struct pa_cublaslt *lt;
    cublasLtHandle_t handle;     /* NULL until it is needed */
    struct pa_nvml_device *nvml; /* NULL: absent, for the reason in `nvml_absent` */
    struct pa_error nvml_absent;
    struct pa_error lost; /* code PA_OK while the device is well */
    bool is_open; /* false while it is looked for: its calls are noted in vendor_library.h, too */
    /* The library call that its thread is in, NULL in none, and since when. */
    _Atomic(const char *) call;
    atomic_uint_least64_t called_ns;
};

/* cuda_driver.c */

/* The driver, loaded and initialised once in a process, and how many devices it shows.
 * PA_EUNSUPPORTED with one line why, the same each time. */
int pa_cuda_driver(const struct pa_cuda_driver **out, int *count, struct pa_error *error);
/* What the driver says it is made for: 13000 is CUDA 13.0. 0 before pa_cuda_driver succeeded. */
int pa_cuda_driver_version(void);

/* After these every call on the context returns the same error until the process ends: faults of a
 * kernel, of memory, of the link, and a device that is gone. */
bool pa_cuda_is_fatal(CUresult result);
/* PA_OK for CUDA_SUCCESS; else a message with device, call and the driver's words. Errors that a
 * context does not survive mark the device lost. */
int pa_cuda_check(struct pa_cuda_device *device, CUresult result, const char *call,
                  struct pa_error *error);
/* Around every call into a library that may never come back: note it, call, note its end. The
 * thread of a device that was given up meanwhile ends there. `table` has the functions. */
#define PA_CUDA_WATCHED(device, table, call, ...)                                                  \
    (pa_cuda_calling((device), #call), pa_cuda_returned((device), (int)(table)->call(__VA_ARGS__)))
#define PA_CUDA_CALL(device, call, ...)                                                            \
    (CUresult) PA_CUDA_WATCHED(device, (device)->cu, call, __VA_ARGS__)
void pa_cuda_calling(struct pa_cuda_device *device, const char *call);
int pa_cuda_returned(struct pa_cuda_device *device, int result);
/* As pa_backend.give_up. */
bool pa_cuda_give_up(struct pa_device *device, uint64_t longest_ns, struct pa_error *error);
bool pa_cuda_is_given_up(struct pa_cuda_device *device);
/* Return from the enclosing function, which has an `error`, unless this driver call succeeded. */
#define PA_CUDA_TRY(device, call, ...)                                                             \
    PA_TRY(pa_cuda_check(device, PA_CUDA_CALL(device, call, __VA_ARGS__), #call, error))

/* Mark the device lost, with a reason; the first one stays. Returns `code`. */
int pa_cuda_lose(struct pa_cuda_device *device, int code, const char *reason,
                 struct pa_error *error);
/* The same for work that never ended: what it uses can neither be freed nor used again. */
void pa_cuda_lose_hung(struct pa_cuda_device *device, const char *what);
/* Make the device current on this thread. */
int pa_cuda_enter(struct pa_cuda_device *device, struct pa_error *error);
/* Poll until `event` has happened. PA_ETIMEOUT once pa_clock_raw_ns() has reached `deadline_ns`;
 * `what` is what is waited for, in words. */
int pa_cuda_wait(struct pa_cuda_device *device, CUevent event, uint64_t deadline_ns,
                 const char *what, struct pa_error *error);

/* cuda_image.c: load the kernels into the current context. */
int pa_cuda_load_image(struct pa_cuda_device *device, struct pa_error *error);
/* Start one of them. `parameters` as kernels/launch.h. */
int pa_cuda_launch(struct pa_cuda_device *device, enum pa_kernel kernel, struct pa_grid grid,
                   CUstream stream, void **parameters, struct pa_error *error);

/* cuda_identity.c: fill base.identity and the compute capability. */
int pa_cuda_identify(struct pa_cuda_device *device, struct pa_error *error);
/* cuda_format.c */
void pa_cuda_format(struct pa_device *device, enum pa_format format, struct pa_format_facts *out);

/* How a class is stored and digested on a GPU. */
struct pa_cuda_kind {
    uint32_t slot_bits;
    size_t operand_bytes, result_bytes; /* of one element of A or B, and of C */
    enum pa_kernel fill, digest;
};

/* cuda_lt.c */

/* The library, loaded once. PA_EUNSUPPORTED with one line why. */
int pa_cublaslt(const struct pa_cublaslt **out, struct pa_error *error);
/* "cuBLASLt 13.1.0" */
void pa_cublaslt_name(const struct pa_cublaslt *lt, char *out, size_t size);

/* One way of multiplying: descriptors, and an algorithm of the library's heuristic. */
struct pa_lt_way {
    cublasLtMatmulAlgo_t algorithm;
    size_t workspace_bytes;
};
enum { PA_LT_WAYS = 8 };

struct pa_lt_product {
    struct pa_cuda_device *device;
    const struct pa_lt_types *types;
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, b, c;
};

/* Descriptors for the workload's shape and format. PA_EUNSUPPORTED where the library has no such
 * product; close it in any case. */
int pa_lt_open(struct pa_lt_product *product, struct pa_cuda_device *device,
               const struct pa_workload *workload, struct pa_error *error);
void pa_lt_close(struct pa_lt_product *product);
/* The ways that the library's heuristic finds, best guess first; `count` is at least 1. */
int pa_lt_ways(const struct pa_lt_product *product, struct pa_lt_way ways[PA_LT_WAYS], int *count,
               struct pa_error *error);
/* "lt algo 66 tile 20 stages 36 splitk 1 ws 32M" */
void pa_lt_way_name(const struct pa_lt_product *product, const struct pa_lt_way *way, char out[48]);
/* C (m x n, rows side by side) = A * B. A and B are their vectors one after the other. */
int pa_lt_multiply(const struct pa_lt_product *product, const struct pa_lt_way *way, CUdeviceptr a,
                   CUdeviceptr b, CUdeviceptr c, CUdeviceptr workspace, CUstream stream,
                   struct pa_error *error);

/* cuda_workbench.c */

/* What class and format are on a GPU. PA_EUNSUPPORTED for what cannot be had. */
int pa_cuda_kind(uint32_t class_id, enum pa_format format, struct pa_cuda_kind *out,
                 struct pa_error *error);
int pa_cuda_variants(struct pa_device *device, const struct pa_workload *workload,
                     char (*names)[48], int most);
uint64_t pa_cuda_workbench_bytes(struct pa_device *device, const struct pa_workload *workload);
uint64_t pa_cuda_memory_free(struct pa_device *device);
int pa_cuda_workbench_open(struct pa_device *device, const struct pa_workload *workload,
                           struct pa_workbench **out, struct pa_error *error);
void pa_cuda_workbench_close(struct pa_workbench *bench);

enum { PA_CUDA_QUEUE = 2 };

/* What belongs to every second step. When step t is queued, step t - 2 was collected, so that its
 * buffers are free without another event. */
struct pa_cuda_slot {
    CUdeviceptr b, c, tiles;
    uint64_t *host_tiles; /* pinned */
    CUevent generate_begin, generate_end, digest_begin, digest_end, copied;
};

/* When a product ran. Three of them: a step is collected while those before and behind it are still
 * to be read. */
struct pa_cuda_span {
    CUevent begin, end;
};
enum { PA_CUDA_SPANS = PA_CUDA_QUEUE + 1 };

enum { PA_CUDA_STAGE_BYTES = 16 << 20 }; /* pinned, for the way of a state to the host */

/* The state of a fabric proof; words 0: none. */
struct pa_cuda_fold {
    CUdeviceptr words;
    uint64_t count;
    uint32_t steps, done; /* queued so far */
    void *stage;          /* pinned */
    CUevent copied;
    /* Where states go from device to device: */
    struct pa_communicator *peers; /* NULL: they do not */
    CUdeviceptr theirs, values;    /* a partner's state; a value of each chunk */
};

struct pa_workbench {
    struct pa_cuda_device *device;
    struct pa_workload workload;
    struct pa_cuda_kind kind;
    struct pa_lt_product product;
    struct pa_lt_way way;
    CUdeviceptr a, workspace;
    struct pa_cuda_slot slots[PA_CUDA_QUEUE]; /* step i lies in slots[i % PA_CUDA_QUEUE] */
    struct pa_cuda_span spans[PA_CUDA_SPANS]; /* of step i in spans[i % PA_CUDA_SPANS] */
    CUstream gemm;                            /* products alone */
    CUstream side; /* generation, digests, copies: before the products' blocks in line */
    CUevent drained[2];
    size_t tile_count;
    uint64_t enqueued, digested, collected; /* steps so far */
    uint32_t s[PA_CUDA_QUEUE];              /* the key of each slot's digests */
    bool has_operands;
    struct pa_step_costs costs;
    struct pa_cuda_fold fold;
};

/* cuda_fold.c */
int pa_cuda_fold_open(struct pa_workbench *bench, uint64_t words, uint32_t steps,
                      struct pa_error *error);
/* Behind the digests of `c`, in the order of the steps. */
int pa_cuda_fold_queue(struct pa_workbench *bench, CUdeviceptr c, struct pa_error *error);
int pa_cuda_fold_read(struct pa_workbench *bench, uint32_t *out, uint64_t deadline_ns,
                      struct pa_error *error);
/* Device memory behind all that is queued on the side stream, by way of the stage, to the host. */
int pa_cuda_fold_fetch(struct pa_workbench *bench, CUdeviceptr from, void *out, uint64_t bytes,
                       uint64_t deadline_ns, const char *what, struct pa_error *error);
void pa_cuda_fold_close(struct pa_workbench *bench);

/* cuda_fabric.c: the state among those of other devices. */
int pa_cuda_fold_meet(struct pa_workbench *bench, const uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                      int rank, int size, uint64_t deadline_ns, struct pa_error *error);
int pa_cuda_fold_digests(struct pa_workbench *bench, uint32_t s, uint64_t *out,
                         uint64_t deadline_ns, struct pa_error *error);
int pa_cuda_fold_pair(struct pa_workbench *bench, int partner, const struct pa_fold_keys *keys,
                      uint64_t *sums, uint64_t deadline_ns, struct pa_error *error);
/* Leave the others again: a part of pa_cuda_fold_close. */
void pa_cuda_fold_part(struct pa_workbench *bench);

/* cuda_probe.c */
int pa_cuda_probe_operand(struct pa_device *device, const struct pa_workload *workload,
                          const struct pa_seed *seed, uint32_t v, void *out,
                          struct pa_error *error);
int pa_cuda_probe_digest(struct pa_device *device, const struct pa_workload *workload,
                         const void *tile, uint32_t s, uint64_t *out, struct pa_error *error);

/* cuda_steps.c */
int pa_cuda_load_a(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error);
int pa_cuda_step_enqueue(struct pa_workbench *bench, const struct pa_seed *seed,
                         struct pa_error *error);
int pa_cuda_step_collect(struct pa_workbench *bench, uint64_t *tiles, uint64_t deadline_ns,
                         struct pa_error *error);
void pa_cuda_steps_drop(struct pa_workbench *bench);
int pa_cuda_multiply_bare(struct pa_workbench *bench, uint32_t times, uint64_t *out_ns,
                          struct pa_error *error);
void pa_cuda_costs(struct pa_workbench *bench, struct pa_step_costs *out);

#endif
