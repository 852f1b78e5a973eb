/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h - the cpu backend's own structures, shared by its files alone.
 *
 * A workbench is a short list of steps and a team of threads that take work from it in order: first
 * the slices of B, then, once all slices are there, the panels of C. A panel is multiplied into the
 * thread's own buffer and digested there, so C is never stored. With two steps queued, a thread
 * that finds no panel of step t left goes on with step t + 1: nobody waits for the slowest.
 */
#ifndef PA_DEVICE_CPU_H
#define PA_DEVICE_CPU_H

#include "base/team.h"
#include "device/cpu_gemm.h"

#include <stdatomic.h>

struct pa_cpu_facts {
    double clock_hz;
    char clock_source[64];
    uint32_t cores; /* physical ones among the processors in use */
    uint32_t vector_bits;
    bool has_fma, has_avx512, has_avx512_bf16, has_vnni, has_amx_bf16, has_amx_int8;
    bool is_amd;
    uint32_t family, model;
};

struct pa_cpu_device {
    struct pa_device base;
    struct pa_cpu_facts facts;
    int *processors; /* one thread is bound to each */
    int threads;
};

/* The public workbench of this backend. */
enum { PA_CPU_QUEUE = 2, PA_CPU_WAYS = 3 };

struct pa_cpu_step {
    struct pa_seed seed;
    uint64_t *tiles;
    uint32_t slices_taken, slices_done, panels_taken, panels_done;
};

struct pa_cpu_thread {
    struct pa_gemm_worker *worker;
    void *c; /* panel_rows x n */
    struct pa_step_costs costs;
    uint64_t idle_since_ns; /* 0 while it works */
};

/* The state of a fabric proof. Threads work on two steps at a time, and a state must see its steps
 * in order: each panel counts the steps that it has. */
struct pa_cpu_fold {
    uint32_t *words;
    uint64_t count, first_step;
    uint32_t steps;
    atomic_uint *done; /* by panel */
};

struct pa_workbench {
    struct pa_cpu_device *device;
    struct pa_gemm_plan plan;
    const struct pa_cpu_kernels *kernels;
    struct pa_team *team;
    struct pa_cpu_thread *threads;
    void *a, *b[PA_CPU_QUEUE];
    uint32_t a_slices, slices, panels;
    size_t c_panel_bytes, tile_count;

    pthread_mutex_t lock; /* of everything below, and of the threads' costs */
    pthread_cond_t work, progress;
    struct pa_cpu_step steps[PA_CPU_QUEUE]; /* step i lies in steps[i % PA_CPU_QUEUE] */
    uint64_t collected, enqueued;
    struct pa_seed a_seed;
    uint32_t a_taken, a_done; /* slices of A, of a_slices; equal to it when nothing is to do */
    bool has_a;
    int running; /* threads that hold a task */
    bool closing;
    bool is_stuck; /* a thread did not come back: nothing of this may be waited for or freed */
    struct pa_error failure; /* the first; nothing runs after it */

    /* The library alone, see cpu_bare.c. */
    struct pa_gemm_plan bare;
    bool has_bare;
    void *bare_b, *bare_c;
    struct pa_cpu_fold fold; /* words NULL: none */
};

/* cpu_identity.c: fills base.identity and facts for device->processors. */
int pa_cpu_identify(struct pa_cpu_device *device, bool is_part, struct pa_error *error);
/* Memory that this process may still take, cgroup limits included; 0 when unknown. */
uint64_t pa_cpu_memory_available(void);

/* cpu_peak.c */
void pa_cpu_format(struct pa_device *device, enum pa_format format, struct pa_format_facts *out);

/* cpu_workbench.c */
int pa_cpu_variants(struct pa_device *device, const struct pa_workload *workload, char (*names)[48],
                    int most);
uint64_t pa_cpu_workbench_bytes(struct pa_device *device, const struct pa_workload *workload);
int pa_cpu_workbench_open(struct pa_device *device, const struct pa_workload *workload,
                          struct pa_workbench **out, struct pa_error *error);
void pa_cpu_workbench_close(struct pa_workbench *bench);
/* Whole pages, large ones where the system has them; NULL when there is not so much. */
void *pa_cpu_pages(size_t bytes);
void pa_cpu_pages_free(void *pages, size_t bytes);

/* cpu_steps.c */
void pa_cpu_thread_body(void *bench, int member, int size);
int pa_cpu_load_a(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error);
int pa_cpu_step_enqueue(struct pa_workbench *bench, const struct pa_seed *seed,
                        struct pa_error *error);
int pa_cpu_step_collect(struct pa_workbench *bench, uint64_t *tiles, uint64_t deadline_ns,
                        struct pa_error *error);
void pa_cpu_steps_drop(struct pa_workbench *bench);
void pa_cpu_costs(struct pa_workbench *bench, struct pa_step_costs *out);

/* cpu_fold.c */
int pa_cpu_fold_open(struct pa_workbench *bench, uint64_t words, uint32_t steps,
                     struct pa_error *error);
int pa_cpu_fold_read(struct pa_workbench *bench, uint32_t *out, uint64_t deadline_ns,
                     struct pa_error *error);
void pa_cpu_fold_close(struct pa_workbench *bench);
/* Fold a panel of C of step `i`, whose first row is `first_row`; on the thread that multiplied it.
 * Also of a panel that failed (`c` NULL): the steps behind it must not wait. */
void pa_cpu_fold_panel(struct pa_workbench *bench, uint64_t i, uint32_t part, uint32_t rows,
                       uint32_t first_row, const void *c);

/* cpu_bare.c */
int pa_cpu_multiply_bare(struct pa_workbench *bench, uint32_t times, uint64_t *out_ns,
                         struct pa_error *error);

#ifdef PA_TEST_FAULTS
/* cpu_fault.c, in test builds alone: alter one entry of C in a share of the tiles. */
void pa_cpu_fault(void *c, size_t ld, size_t element, uint32_t tile_rows, uint32_t tile_columns,
                  uint32_t first_tile, uint32_t step_key);
#endif

#endif
