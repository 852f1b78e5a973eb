/* SPDX-License-Identifier: Apache-2.0 */
/* A workbench's memory and life. */
#include "device/cpu.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { TILE = 128, MOST_MN = 1 << 20, MOST_K = 8192, A_SLICE_ROWS = 128, B_SLICE_COLUMNS = 64 };

/* What the shape takes, each factor checked; the products are bounded by 2^20 x 2^20 x 8 = 2^43. */
struct footprint {
    uint64_t a, b, c_panels, c_bare, tiles;
};

static int check_workload(const struct pa_workload *work, struct pa_operand_kind *kind,
                          struct pa_error *error) {
    if (!pa_operand_kind(work->class_id, work->format, kind)) {
        const char *name = pa_format_name(work->format);
        return pa_fail(error, PA_EUNSUPPORTED, "class %u does not run in %s on a processor",
                       work->class_id, name != NULL ? name : "an unknown format");
    }
    if (work->m == 0 || work->n == 0 || work->k == 0 || work->m > MOST_MN || work->n > MOST_MN ||
        work->k > MOST_K || work->m % TILE != 0 || work->n % TILE != 0 ||
        work->k % (128 / kind->slot_bits) != 0)
        return pa_fail(error, PA_EUNSUPPORTED,
                       "a shape of %u x %u x %u: M and N must be multiples of 128 up to %d, K a "
                       "multiple of %u up to %d",
                       work->m, work->n, work->k, MOST_MN, 128 / kind->slot_bits, MOST_K);
    return PA_OK;
}

/* The ways of a workload, best guess first; returns how many. */
static int list_ways(const struct pa_cpu_device *device, const struct pa_workload *work,
                     struct pa_gemm_plan ways[PA_CPU_WAYS], struct pa_error *error) {
    struct pa_operand_kind kind;
    struct pa_format_facts facts;
    int found = 0;
    PA_TRY(check_workload(work, &kind, error));
    pa_cpu_format((struct pa_device *)(uintptr_t)&device->base, work->format, &facts);
    if (!facts.runs)
        return pa_fail(error, PA_EUNSUPPORTED, "%s on %s: %s", pa_format_name(work->format),
                       device->base.identity.id, facts.why_not);
    static const struct {
        const struct pa_gemm_library *library;
        bool packed;
    } order[] = {{&pa_gemm_onednn, true}, {&pa_gemm_onednn, false}, {&pa_gemm_openblas, false}};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct pa_gemm_plan plan = {.workload = *work, .kind = kind};
        if (order[i].library == &pa_gemm_onednn && work->format == PA_FP64)
            continue;
        if (order[i].library->plan(&plan, order[i].packed, device->threads, error) == PA_OK)
            ways[found++] = plan;
    }
    return found > 0 ? found : error != NULL ? error->code : PA_EUNSUPPORTED;
}

int pa_cpu_variants(struct pa_device *device, const struct pa_workload *workload, char (*names)[48],
                    int most) {
    struct pa_gemm_plan ways[PA_CPU_WAYS];
    struct pa_error error = {0};
    int found = list_ways((struct pa_cpu_device *)device, workload, ways, &error);
    for (int i = 0; i < found && i < most; i++)
        memcpy(names[i], ways[i].way, sizeof ways[i].way);
    return found > 0 ? found : 0;
}

static struct footprint measure(const struct pa_gemm_plan *plan, int threads) {
    const struct pa_workload *work = &plan->workload;
    uint64_t element = pa_gemm_c_element(work->format);
    return (struct footprint){
        .a = (uint64_t)work->m * work->k * pa_format_bytes(work->format),
        .b = plan->b_bytes,
        .c_panels = (uint64_t)threads * plan->panel_rows * work->n * element,
        .c_bare = (uint64_t)work->m * work->n * element,
        .tiles = (uint64_t)(work->m / TILE) * (work->n / TILE) * sizeof(uint64_t),
    };
}

static uint64_t total(const struct footprint *print) {
    return print->a + PA_CPU_QUEUE * (print->b + print->tiles) + print->c_panels + print->c_bare;
}

uint64_t pa_cpu_workbench_bytes(struct pa_device *device, const struct pa_workload *workload) {
    struct pa_gemm_plan ways[PA_CPU_WAYS];
    struct pa_error error = {0};
    struct pa_cpu_device *cpu = (struct pa_cpu_device *)device;
    int found = list_ways(cpu, workload, ways, &error);
    if (found <= 0 || workload->variant >= (uint32_t)found)
        return 0;
    struct footprint print = measure(&ways[workload->variant], cpu->threads);
    return total(&print);
}

enum { LARGE_PAGE = 2 << 20 };

/* Large pages: operands of hundreds of megabytes would miss the TLB on every row otherwise. */
void *pa_cpu_pages(size_t bytes) {
    size_t padded;
    if (!pa_add_size(bytes, 2 * LARGE_PAGE, &padded))
        return NULL;
    uint8_t *raw = mmap(NULL, padded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED)
        return NULL;
    size_t skip = (LARGE_PAGE - (uintptr_t)raw % LARGE_PAGE) % LARGE_PAGE;
    size_t keep = (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    if (skip > 0)
        munmap(raw, skip);
    if (padded > skip + keep)
        munmap(raw + skip + keep, padded - skip - keep);
    madvise(raw + skip, keep, MADV_HUGEPAGE);
    return raw + skip;
}

void pa_cpu_pages_free(void *pages, size_t bytes) {
    if (pages != NULL)
        munmap(pages, (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE);
}

static int no_memory(const struct pa_workbench *bench, uint64_t bytes, struct pa_error *error) {
    const struct pa_workload *work = &bench->plan.workload;
    return pa_fail(error, PA_EMEMORY,
                   "a workbench of %u x %u x %u in %s takes %llu bytes and %llu are free for this "
                   "process (memory, its control group, ulimit -v): use a smaller shape",
                   work->m, work->n, work->k, pa_format_name(work->format),
                   (unsigned long long)bytes, (unsigned long long)pa_cpu_memory_available());
}

static int allocate(struct pa_workbench *bench, struct pa_error *error) {
    int threads = bench->device->threads;
    struct footprint print = measure(&bench->plan, threads);
    uint64_t bytes = total(&print), available = pa_cpu_memory_available();
    /* The kernel promises more than it has; a refusal now is better than a kill later. */
    if (available != 0 && bytes > available)
        return no_memory(bench, bytes, error);
    bench->tile_count = print.tiles / sizeof(uint64_t);
    bench->c_panel_bytes = print.c_panels / (uint64_t)threads;
    bench->a = pa_cpu_pages(print.a);
    bool complete = bench->a != NULL;
    for (int i = 0; i < PA_CPU_QUEUE; i++) {
        bench->b[i] = pa_cpu_pages(print.b);
        bench->steps[i].tiles = malloc(print.tiles);
        complete = complete && bench->b[i] != NULL && bench->steps[i].tiles != NULL;
    }
    for (int i = 0; i < threads && complete; i++) {
        bench->threads[i].c = pa_cpu_pages(bench->c_panel_bytes);
        complete = bench->threads[i].c != NULL;
    }
    return complete ? PA_OK : no_memory(bench, bytes, error);
}

static void init_waiting(struct pa_workbench *bench) {
    pthread_condattr_t attributes;
    pthread_mutex_init(&bench->lock, NULL);
    pthread_cond_init(&bench->work, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&bench->progress, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void count_parts(struct pa_workbench *bench) {
    const struct pa_gemm_plan *plan = &bench->plan;
    uint32_t width = plan->block != 0 ? plan->block : B_SLICE_COLUMNS;
    bench->a_slices = (plan->workload.m + A_SLICE_ROWS - 1) / A_SLICE_ROWS;
    bench->a_taken = bench->a_done = bench->a_slices;
    bench->slices = (plan->workload.n + width - 1) / width;
    bench->panels = (plan->workload.m + plan->panel_rows - 1) / plan->panel_rows;
}

int pa_cpu_workbench_open(struct pa_device *device, const struct pa_workload *workload,
                          struct pa_workbench **out, struct pa_error *error) {
    struct pa_cpu_device *cpu = (struct pa_cpu_device *)device;
    struct pa_gemm_plan ways[PA_CPU_WAYS];
    struct pa_error local = {0};
    *out = NULL;
    if (error == NULL)
        error = &local;
    int found = list_ways(cpu, workload, ways, error);
    if (found < 0)
        return found;
    if (workload->variant >= (uint32_t)found)
        return pa_fail(error, PA_EUNSUPPORTED, "variant %u: this workload has %d ways to run",
                       workload->variant, found);
    struct pa_workbench *bench = calloc(1, sizeof *bench);
    if (bench == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a workbench: out of memory");
    bench->device = cpu;
    bench->plan = ways[workload->variant];
    bench->kernels = pa_cpu_kernels(pa_cpu_level());
    init_waiting(bench);
    count_parts(bench);
    bench->threads = calloc((size_t)cpu->threads, sizeof *bench->threads);
    int result = bench->threads == NULL
                     ? pa_fail(error, PA_EMEMORY, "opening a workbench: out of memory")
                     : allocate(bench, error);
    if (result == PA_OK)
        result = pa_team_create(cpu->threads, cpu->processors, &bench->team, error);
    if (result != PA_OK) {
        pa_cpu_workbench_close(bench);
        return result;
    }
    pa_team_start(bench->team, pa_cpu_thread_body, bench);
    *out = bench;
    return PA_OK;
}

void pa_cpu_workbench_close(struct pa_workbench *bench) {
    if (bench == NULL)
        return;
    const struct pa_workload *work = &bench->plan.workload;
    pthread_mutex_lock(&bench->lock);
    bench->closing = true;
    pthread_cond_broadcast(&bench->work);
    bool is_stuck = bench->is_stuck;
    pthread_mutex_unlock(&bench->lock);
    if (is_stuck)
        return; /* a thread is inside: the memory stays its own until the process ends */
    pa_team_destroy(bench->team);
    pa_cpu_fold_close(bench);
    struct footprint print = measure(&bench->plan, bench->device->threads);
    pa_cpu_pages_free(bench->a, print.a);
    pa_cpu_pages_free(bench->bare_c, print.c_bare);
    pa_cpu_pages_free(bench->bare_b, (size_t)work->n * work->k * pa_format_bytes(work->format));
    for (int i = 0; i < PA_CPU_QUEUE; i++) {
        pa_cpu_pages_free(bench->b[i], print.b);
        free(bench->steps[i].tiles);
    }
    for (int i = 0; bench->threads != NULL && i < bench->device->threads; i++)
        pa_cpu_pages_free(bench->threads[i].c, bench->c_panel_bytes);
    free(bench->threads);
    pthread_cond_destroy(&bench->work);
    pthread_cond_destroy(&bench->progress);
    pthread_mutex_destroy(&bench->lock);
    free(bench);
}
