/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a workbench: what its threads take next, and how the caller waits for it. */
#include "device/cpu.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { TILE = 128, A_SLICE_ROWS = 128, B_SLICE_COLUMNS = 64 };

static const uint64_t drop_patience_ns = UINT64_C(60000000000);

enum task_kind { TASK_NONE, TASK_A, TASK_B, TASK_PANEL };

struct task {
    enum task_kind kind;
    uint64_t step;
    uint32_t part;
};

/* The next thing to do, in the order of the steps. Called under the lock. */
static struct task take(struct pa_workbench *bench) {
    if (bench->failure.code != PA_OK)
        return (struct task){0};
    if (bench->a_taken < bench->a_slices)
        return (struct task){TASK_A, 0, bench->a_taken++};
    for (uint64_t i = bench->collected; i < bench->enqueued; i++) {
        struct pa_cpu_step *step = &bench->steps[i % PA_CPU_QUEUE];
        if (step->slices_taken < bench->slices)
            return (struct task){TASK_B, i, step->slices_taken++};
        if (step->slices_done == bench->slices && step->panels_taken < bench->panels)
            return (struct task){TASK_PANEL, i, step->panels_taken++};
    }
    return (struct task){0};
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static void generate_a(struct pa_workbench *bench, uint32_t part) {
    const struct pa_workload *work = &bench->plan.workload;
    uint32_t first = part * A_SLICE_ROWS;
    size_t row_bytes = work->k * pa_format_bytes(work->format);
    bench->kernels->plain(&bench->plan.kind, &bench->a_seed, first,
                          least(A_SLICE_ROWS, work->m - first), work->k,
                          (uint8_t *)bench->a + first * row_bytes);
}

static void generate_b(struct pa_workbench *bench, uint64_t i, uint32_t part) {
    const struct pa_gemm_plan *plan = &bench->plan;
    const struct pa_workload *work = &plan->workload;
    const struct pa_seed *seed = &bench->steps[i % PA_CPU_QUEUE].seed;
    uint8_t *b = bench->b[i % PA_CPU_QUEUE];
    uint32_t width = plan->block != 0 ? plan->block : B_SLICE_COLUMNS;
    uint32_t first = part * width, count = least(width, work->n - first);
    uint8_t *at = b + first * (work->k * pa_format_bytes(work->format));
    if (plan->block == 0) {
        bench->kernels->plain(&plan->kind, seed, first, count, work->k, at);
        return;
    }
    int32_t *sums = plan->sums_at != 0 ? (int32_t *)(void *)(b + plan->sums_at) + first : NULL;
    bench->kernels->packed(&plan->kind, seed, first, count, work->k, at, sums);
    for (uint32_t c = 0; sums != NULL && c < count; c++)
        sums[c] *= -128;
}

static void digest_panel(struct pa_workbench *bench, const struct pa_cpu_step *step, uint32_t rows,
                         uint32_t first_row, const void *c) {
    const struct pa_workload *work = &bench->plan.workload;
    size_t element = pa_gemm_c_element(work->format);
    uint64_t (*tile)(const void *, uint64_t, uint32_t) =
        work->format == PA_FP64   ? bench->kernels->tile_f64
        : work->format == PA_INT8 ? bench->kernels->tile_i32
                                  : bench->kernels->tile_f32;
    uint32_t columns = work->n / TILE;
    for (uint32_t r = 0; r < rows / TILE; r++)
        for (uint32_t q = 0; q < columns; q++)
            step->tiles[(size_t)(first_row / TILE + r) * columns + q] =
                tile((const uint8_t *)c + ((size_t)r * work->n + q) * TILE * element, work->n,
                     step->seed.s);
}

static int panel(struct pa_workbench *bench, struct pa_cpu_thread *thread, uint64_t i,
                 uint32_t part, struct pa_step_costs *cost, struct pa_error *error) {
    const struct pa_workload *work = &bench->plan.workload;
    const struct pa_cpu_step *step = &bench->steps[i % PA_CPU_QUEUE];
    uint32_t first = part * bench->plan.panel_rows;
    uint32_t rows = least(bench->plan.panel_rows, work->m - first);
    size_t row_bytes = work->k * pa_format_bytes(work->format);
    uint64_t begin = pa_clock_raw_ns();
    int result = bench->plan.library->multiply(thread->worker, rows,
                                               (const uint8_t *)bench->a + first * row_bytes,
                                               bench->b[i % PA_CPU_QUEUE], thread->c, error);
    uint64_t middle = pa_clock_raw_ns();
    cost->gemm_ns += middle - begin;
    if (result != PA_OK) {
        pa_cpu_fold_panel(bench, i, part, rows, first, NULL);
        return result;
    }
#ifdef PA_TEST_FAULTS
    pa_cpu_fault(thread->c, work->n, pa_gemm_c_element(work->format), rows / TILE, work->n / TILE,
                 first / TILE * (work->n / TILE), step->seed.s);
#endif
    digest_panel(bench, step, rows, first, thread->c);
    pa_cpu_fold_panel(bench, i, part, rows, first, thread->c);
    cost->digest_ns += pa_clock_raw_ns() - middle;
    return PA_OK;
}

/* Without the lock: nobody else writes what a task writes, and steps_drop and load_a wait for
 * `running` to be 0. */
static int perform(struct pa_workbench *bench, struct pa_cpu_thread *thread, struct task task,
                   struct pa_step_costs *cost, struct pa_error *error) {
    if (task.kind == TASK_PANEL)
        return panel(bench, thread, task.step, task.part, cost, error);
    uint64_t begin = pa_clock_raw_ns();
    if (task.kind == TASK_A)
        generate_a(bench, task.part);
    else
        generate_b(bench, task.step, task.part);
    cost->generate_ns += pa_clock_raw_ns() - begin;
    return PA_OK;
}

/* Under the lock. Whoever waits is woken only where a wait can end: the last slice, the last panel,
 * the last running task. */
static void finish(struct pa_workbench *bench, struct task task, int result,
                   const struct pa_error *error) {
    struct pa_cpu_step *step = &bench->steps[task.step % PA_CPU_QUEUE];
    bool slices = false, done = false;
    if (result != PA_OK && bench->failure.code == PA_OK) {
        bench->failure = *error;
        done = true;
    }
    if (task.kind == TASK_A)
        done |= ++bench->a_done == bench->a_slices;
    else if (task.kind == TASK_B)
        slices = ++step->slices_done == bench->slices;
    else
        done |= ++step->panels_done == bench->panels;
    bench->running--;
    if (slices)
        pthread_cond_broadcast(&bench->work);
    if (done || bench->running == 0)
        pthread_cond_broadcast(&bench->progress);
}

static void add_costs(struct pa_step_costs *sum, const struct pa_step_costs *more) {
    sum->generate_ns += more->generate_ns;
    sum->gemm_ns += more->gemm_ns;
    sum->digest_ns += more->digest_ns;
    sum->idle_ns += more->idle_ns;
}

void pa_cpu_thread_body(void *context, int member, int size) {
    (void)size;
    struct pa_workbench *bench = context;
    struct pa_cpu_thread *thread = &bench->threads[member];
    struct pa_error error = {0};
    int opened = bench->plan.library->worker_open(&bench->plan, &thread->worker, &error);
    pthread_mutex_lock(&bench->lock);
    if (opened != PA_OK && bench->failure.code == PA_OK)
        bench->failure = error;
    while (!bench->closing) {
        struct pa_step_costs cost = {0};
        struct task task = take(bench);
        if (task.kind == TASK_NONE) {
            thread->idle_since_ns = pa_clock_raw_ns();
            pthread_cond_wait(&bench->work, &bench->lock);
            thread->costs.idle_ns += pa_clock_raw_ns() - thread->idle_since_ns;
            thread->idle_since_ns = 0;
            continue;
        }
        bench->running++;
        pthread_mutex_unlock(&bench->lock);
        int result = perform(bench, thread, task, &cost, &error);
        pthread_mutex_lock(&bench->lock);
        add_costs(&thread->costs, &cost);
        finish(bench, task, result, &error);
    }
    pthread_mutex_unlock(&bench->lock);
    bench->plan.library->worker_close(thread->worker);
}

static int failure(const struct pa_workbench *bench, struct pa_error *error) {
    return pa_fail(error, bench->failure.code, "%s: %s", bench->device->base.identity.id,
                   bench->failure.text);
}

int pa_cpu_load_a(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error) {
    int result = PA_OK;
    pthread_mutex_lock(&bench->lock);
    if (bench->enqueued != bench->collected) {
        result = pa_fail(error, PA_EINTERNAL, "loading A while steps are queued");
    } else {
        bench->a_seed = *seed;
        bench->a_taken = bench->a_done = 0;
        bench->has_a = true;
        pthread_cond_broadcast(&bench->work);
        while (bench->failure.code == PA_OK && bench->a_done < bench->a_slices)
            pthread_cond_wait(&bench->progress, &bench->lock);
        if (bench->failure.code != PA_OK)
            result = failure(bench, error);
    }
    pthread_mutex_unlock(&bench->lock);
    return result;
}

int pa_cpu_step_enqueue(struct pa_workbench *bench, const struct pa_seed *seed,
                        struct pa_error *error) {
    int result = PA_OK;
    pthread_mutex_lock(&bench->lock);
    if (bench->failure.code != PA_OK) {
        result = failure(bench, error);
    } else if (bench->enqueued - bench->collected == PA_CPU_QUEUE) {
        result = pa_fail(error, PA_EINTERNAL, "two steps are queued already");
    } else {
        struct pa_cpu_step *step = &bench->steps[bench->enqueued % PA_CPU_QUEUE];
        *step = (struct pa_cpu_step){.seed = *seed, .tiles = step->tiles};
        bench->enqueued++;
        pthread_cond_broadcast(&bench->work);
    }
    pthread_mutex_unlock(&bench->lock);
    return result;
}

/* Wait for progress until the RAW instant `deadline_ns`. The condition runs on CLOCK_MONOTONIC,
 * which NTP may slew: the caller looks at RAW again, and each wait is short. */
static void wait_until(struct pa_workbench *bench, uint64_t deadline_ns, uint64_t now_ns) {
    uint64_t left = deadline_ns - now_ns, most = UINT64_C(1000000000);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + (left < most ? left : most);
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_cond_timedwait(&bench->progress, &bench->lock, &until);
}

int pa_cpu_step_collect(struct pa_workbench *bench, uint64_t *tiles, uint64_t deadline_ns,
                        struct pa_error *error) {
    int result = PA_OK;
    pthread_mutex_lock(&bench->lock);
    struct pa_cpu_step *step = &bench->steps[bench->collected % PA_CPU_QUEUE];
    if (bench->enqueued == bench->collected)
        result = pa_fail(error, PA_EINTERNAL, "collecting a step where none is queued");
    while (result == PA_OK && step->panels_done < bench->panels) {
        uint64_t now = pa_clock_raw_ns();
        if (bench->failure.code != PA_OK)
            result = failure(bench, error);
        else if (now >= deadline_ns)
            result = pa_fail(error, PA_ETIMEOUT,
                             "%s: a step of %u x %u x %u was not done by its deadline (%u of %u "
                             "panels)",
                             bench->device->base.identity.id, bench->plan.workload.m,
                             bench->plan.workload.n, bench->plan.workload.k, step->panels_done,
                             bench->panels);
        else
            wait_until(bench, deadline_ns, now);
    }
    if (result == PA_OK) {
        memcpy(tiles, step->tiles, bench->tile_count * sizeof *tiles);
        bench->collected++;
    }
    pthread_mutex_unlock(&bench->lock);
    return result;
}

void pa_cpu_steps_drop(struct pa_workbench *bench) {
    uint64_t now = pa_clock_raw_ns(), deadline_ns = now + pa_clock_patience_ns(drop_patience_ns);
    pthread_mutex_lock(&bench->lock);
    bench->collected = bench->enqueued;
    while (bench->running > 0 && now < deadline_ns) {
        wait_until(bench, deadline_ns, now);
        now = pa_clock_raw_ns();
    }
    /* Threads that do not come back keep the bench: nobody may wait for them, or free it. */
    if (bench->running > 0) {
        bench->is_stuck = true;
        pa_fail(&bench->failure, PA_ETIMEOUT, "%u threads do not come back from their work",
                (unsigned)bench->running);
    }
    pthread_mutex_unlock(&bench->lock);
}

void pa_cpu_costs(struct pa_workbench *bench, struct pa_step_costs *out) {
    memset(out, 0, sizeof *out);
    pthread_mutex_lock(&bench->lock);
    uint64_t now = pa_clock_raw_ns();
    for (int i = 0; i < bench->device->threads; i++) {
        struct pa_cpu_thread *thread = &bench->threads[i];
        if (thread->idle_since_ns != 0) {
            thread->costs.idle_ns += now - thread->idle_since_ns;
            thread->idle_since_ns = now;
        }
        add_costs(out, &thread->costs);
        memset(&thread->costs, 0, sizeof thread->costs);
    }
    pthread_mutex_unlock(&bench->lock);
}
