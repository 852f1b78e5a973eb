/* SPDX-License-Identifier: Apache-2.0 */
/* OpenBLAS, for fp64 and as the second choice for fp32. Its number of threads belongs to the whole
 * process: it is held at 1 and raised only while the library is measured alone. */
#include "device/cpu_gemm.h"

#include "base/clock.h"

#include <cblas.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What OpenBLAS maps for each thread that calls it (BUFFER_SIZE on x86-64). It asks for it again
 * and again, for ever, where it cannot have it. */
#define CALLER_BUFFER_BYTES ((size_t)128 << 20)

struct pa_gemm_worker {
    struct pa_workload work;
};

int pa_openblas_most_threads(void) {
    const char *config = openblas_get_config();
    const char *found = config != NULL ? strstr(config, "MAX_THREADS=") : NULL;
    int most = found != NULL ? atoi(found + strlen("MAX_THREADS=")) : 0;
    return most > 0 ? most : 1;
}

void pa_openblas_name(char *out, size_t size) {
    const char *config = openblas_get_config(), *core = openblas_get_corename();
    char version[24] = "?";
    if (config != NULL)
        sscanf(config, "OpenBLAS %23s", version);
    snprintf(out, size, "OpenBLAS %s (%s)", version, core != NULL ? core : "?");
}

/* Four panels a thread keep one slow thread from stalling the others. */
uint32_t pa_gemm_long_panel(const struct pa_workload *work, int threads) {
    uint32_t rows = work->m / (4 * (uint32_t)threads) / 128 * 128;
    return rows < 128 ? 128 : rows > 4096 ? 4096 : rows;
}

static int openblas_plan(struct pa_gemm_plan *plan, bool packed, int threads,
                         struct pa_error *error) {
    const struct pa_workload *work = &plan->workload;
    if (packed)
        return pa_fail(error, PA_EUNSUPPORTED, "OpenBLAS has no packed operands");
    if (work->format != PA_FP32 && work->format != PA_FP64)
        return pa_fail(error, PA_EUNSUPPORTED, "OpenBLAS multiplies fp32 and fp64 only");
    /* One more caller than it was built for ends the process. */
    if (threads > pa_openblas_most_threads())
        return pa_fail(error, PA_EUNSUPPORTED,
                       "this OpenBLAS was built for %d threads, the device has %d: use a part of "
                       "the processors",
                       pa_openblas_most_threads(), threads);
    openblas_set_num_threads(1);
    plan->library = &pa_gemm_openblas;
    plan->block = 0;
    plan->sums_at = 0;
    plan->threads = threads;
    plan->b_bytes = (size_t)work->n * work->k * pa_format_bytes(work->format);
    plan->panel_rows = pa_gemm_long_panel(work, threads);
    snprintf(plan->way, sizeof plan->way, "openblas");
    return PA_OK;
}

/* Asked when everything else of the workbench has been allocated, by one thread at a time. */
static bool has_room_for_buffers(int threads) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    size_t bytes = (size_t)threads * CALLER_BUFFER_BYTES;
    pthread_mutex_lock(&lock);
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at != MAP_FAILED)
        munmap(at, bytes);
    pthread_mutex_unlock(&lock);
    return at != MAP_FAILED;
}

static int openblas_worker_open(const struct pa_gemm_plan *plan, struct pa_gemm_worker **out,
                                struct pa_error *error) {
    *out = NULL;
    if (!has_room_for_buffers(plan->threads))
        return pa_fail(error, PA_EMEMORY,
                       "OpenBLAS needs %zu bytes of address space more for %d threads: raise the "
                       "memory limit (ulimit -v)",
                       (size_t)plan->threads * CALLER_BUFFER_BYTES, plan->threads);
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return pa_fail(error, PA_EMEMORY, "preparing OpenBLAS: out of memory");
    (*out)->work = plan->workload;
    return PA_OK;
}

static void openblas_worker_close(struct pa_gemm_worker *worker) {
    free(worker);
}

static void multiply(const struct pa_workload *work, uint32_t rows, const void *a, const void *b,
                     void *c) {
    blasint m = (blasint)rows, n = (blasint)work->n, k = (blasint)work->k;
    if (work->format == PA_FP64)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, a, k, b, k, 0, c, n);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, a, k, b, k, 0, c, n);
}

static int openblas_multiply(struct pa_gemm_worker *worker, uint32_t rows, const void *a,
                             const void *b, void *c, struct pa_error *error) {
    (void)error; /* OpenBLAS reports nothing */
    multiply(&worker->work, rows, a, b, c);
    return PA_OK;
}

static int openblas_bare(const struct pa_gemm_plan *plan, int threads, uint32_t times,
                         const void *a, const void *b, void *c, uint64_t *out_ns,
                         struct pa_error *error) {
    (void)error;
    openblas_set_num_threads(threads);
    uint64_t begin = pa_clock_raw_ns();
    for (uint32_t i = 0; i < times; i++)
        multiply(&plan->workload, plan->workload.m, a, b, c);
    *out_ns = pa_clock_raw_ns() - begin;
    openblas_set_num_threads(1);
    return PA_OK;
}

const struct pa_gemm_library pa_gemm_openblas = {
    openblas_plan, openblas_worker_open, openblas_worker_close, openblas_multiply, openblas_bare,
};
