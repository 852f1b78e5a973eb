/* SPDX-License-Identifier: Apache-2.0 */
/* The library alone, in the way that is fastest for it: what the proven rate is compared with.
 *
 * It runs on a thread of its own that may use exactly the device's processors. An OpenMP pool
 * belongs to the thread that started it and ends with it, so the library's threads do not spin on
 * beside ours afterwards.
 */
#include "device/cpu.h"

#include "base/clock.h"

#include <stdlib.h>

struct bare_run {
    struct pa_workbench *bench;
    const struct pa_gemm_plan *plan;
    const void *b;
    uint32_t times;
    uint64_t ns;
    int result;
    struct pa_error error;
};

static void *bare_body(void *argument) {
    struct bare_run *run = argument;
    struct pa_workbench *bench = run->bench;
    pa_processors_bind(bench->device->processors, bench->device->threads);
    run->result = run->plan->library->bare(run->plan, bench->device->threads, run->times, bench->a,
                                           run->b, bench->bare_c, &run->ns, &run->error);
    return NULL;
}

static int run_bare(struct pa_workbench *bench, const struct pa_gemm_plan *plan, const void *b,
                    uint32_t times, uint64_t *out_ns, struct pa_error *error) {
    struct bare_run run = {.bench = bench, .plan = plan, .b = b, .times = times};
    pthread_t thread;
    PA_TRY(pa_thread_start(&thread, bare_body, &run, error));
    pthread_join(thread, NULL);
    *out_ns = run.ns;
    if (run.result != PA_OK && error != NULL)
        *error = run.error;
    return run.result;
}

/* A plain copy of some B for the plain way of calling; its values are as good as the other's. */
static int plain_b(struct pa_workbench *bench, struct pa_error *error) {
    const struct pa_workload *work = &bench->plan.workload;
    bench->bare_b = pa_cpu_pages(bench->bare.b_bytes);
    if (bench->bare_b == NULL)
        return pa_fail(error, PA_EMEMORY,
                       "measuring the library alone: %zu bytes for a plain operand are not there",
                       bench->bare.b_bytes);
    bench->kernels->plain(&bench->plan.kind, &bench->a_seed, 0, work->n, work->k, bench->bare_b);
    return PA_OK;
}

/* Time the workbench's own layout and, where that is packed, the plain one, each warm; keep the
 * faster. */
static int choose(struct pa_workbench *bench, struct pa_error *error) {
    const struct pa_workload *work = &bench->plan.workload;
    size_t c_bytes = (size_t)work->m * work->n * pa_gemm_c_element(work->format);
    if (bench->bare_c == NULL)
        bench->bare_c = pa_cpu_pages(c_bytes);
    if (bench->bare_c == NULL)
        return pa_fail(error, PA_EMEMORY,
                       "measuring the library alone: %zu bytes for C are not there", c_bytes);
    bench->bare = bench->plan;
    if (bench->plan.block != 0) {
        uint64_t packed_ns = 0, plain_ns = 0;
        PA_TRY(bench->plan.library->plan(&bench->bare, false, bench->device->threads, error));
        PA_TRY(plain_b(bench, error));
        for (int warm = 0; warm < 2; warm++) {
            PA_TRY(run_bare(bench, &bench->plan, bench->b[0], 1, &packed_ns, error));
            PA_TRY(run_bare(bench, &bench->bare, bench->bare_b, 1, &plain_ns, error));
        }
        if (packed_ns <= plain_ns) {
            bench->bare = bench->plan;
            pa_cpu_pages_free(bench->bare_b,
                              (size_t)work->n * work->k * pa_format_bytes(work->format));
            bench->bare_b = NULL;
        }
    } else {
        uint64_t ns;
        PA_TRY(run_bare(bench, &bench->bare, bench->b[0], 1, &ns, error));
    }
    bench->has_bare = true;
    return PA_OK;
}

/* Zeros would flatter the library: operands that nobody loaded yet get values of a fixed seed. */
static int fill_operands(struct pa_workbench *bench, struct pa_error *error) {
    const struct pa_seed seed = {1, 2, 3, 4, 5};
    if (!bench->has_a)
        PA_TRY(pa_cpu_load_a(bench, &seed, error));
    if (bench->enqueued > 0)
        return PA_OK;
    uint64_t *tiles = malloc(bench->tile_count * sizeof *tiles);
    if (tiles == NULL)
        return pa_fail(error, PA_EMEMORY, "measuring the library alone: out of memory");
    int result = pa_cpu_step_enqueue(bench, &seed, error);
    if (result == PA_OK)
        result = pa_cpu_step_collect(bench, tiles, UINT64_MAX, error);
    free(tiles);
    return result;
}

int pa_cpu_multiply_bare(struct pa_workbench *bench, uint32_t times, uint64_t *out_ns,
                         struct pa_error *error) {
    *out_ns = 0;
    pthread_mutex_lock(&bench->lock);
    bool queued = bench->enqueued != bench->collected || bench->running > 0;
    pthread_mutex_unlock(&bench->lock);
    if (queued)
        return pa_fail(error, PA_EINTERNAL, "measuring the library alone while steps are queued");
    PA_TRY(fill_operands(bench, error));
    if (!bench->has_bare)
        PA_TRY(choose(bench, error));
    return run_bare(bench, &bench->bare, bench->bare_b != NULL ? bench->bare_b : bench->b[0], times,
                    out_ns, error);
}
