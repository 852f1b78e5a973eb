/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a fabric proof: each panel of C goes into it on the thread that has just digested
 * it, while it is in that thread's cache. */
#include "base/clock.h"
#include "device/cpu.h"
#include "kernels/fabric.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

int pa_cpu_fold_open(struct pa_workbench *bench, uint64_t words, uint32_t steps,
                     struct pa_error *error) {
    const struct pa_workload *work = &bench->plan.workload;
    uint64_t all = (uint64_t)work->m * work->n * pa_gemm_c_element(work->format) / 4;
    if (bench->enqueued != bench->collected || words == 0 || words > all || words % 128 != 0 ||
        bench->fold.words != NULL)
        return pa_fail(error, PA_EINTERNAL,
                       "opening a state of %llu words: not now, or not so many",
                       (unsigned long long)words);
    struct pa_cpu_fold fold = {.count = words, .first_step = bench->enqueued, .steps = steps};
    fold.done = calloc(bench->panels, sizeof *fold.done);
    fold.words = pa_cpu_pages((size_t)words * sizeof *fold.words); /* zeros */
    if (fold.done == NULL || fold.words == NULL) {
        free(fold.done);
        pa_cpu_pages_free(fold.words, (size_t)words * sizeof *fold.words);
        return pa_fail(error, PA_EMEMORY, "%s: no memory for a state of %llu bytes",
                       bench->device->base.identity.id, (unsigned long long)words * 4);
    }
    bench->fold = fold;
    return PA_OK;
}

void pa_cpu_fold_close(struct pa_workbench *bench) {
    free(bench->fold.done);
    pa_cpu_pages_free(bench->fold.words, (size_t)bench->fold.count * sizeof *bench->fold.words);
    bench->fold = (struct pa_cpu_fold){0};
}

int pa_cpu_fold_read(struct pa_workbench *bench, uint32_t *out, uint64_t deadline_ns,
                     struct pa_error *error) {
    const struct pa_cpu_fold *fold = &bench->fold;
    (void)deadline_ns; /* what was collected was folded before */
    for (uint32_t part = 0; part < bench->panels; part++)
        if (fold->words == NULL || atomic_load(&fold->done[part]) < fold->steps)
            return pa_fail(error, PA_EINTERNAL, "reading a state before its last step");
    memcpy(out, fold->words, (size_t)fold->count * sizeof *out);
    return PA_OK;
}

/* The same loop for each kind, so that none asks inside of it. */
static void fold_words(uint32_t *restrict x, const uint32_t *restrict c, uint64_t count,
                       enum pa_format format) {
    if (format == PA_INT8)
        for (uint64_t i = 0; i < count; i++)
            x[i] = pa_fabric_fold_word(x[i], c[i]);
    else if (format == PA_FP64)
        for (uint64_t i = 0; i < count; i += 2) {
            x[i] = pa_fabric_fold_word(x[i], c[i]);
            x[i + 1] = pa_fabric_fold_word(x[i + 1], pa_digest_f64_high(c[i], c[i + 1]));
        }
    else
        for (uint64_t i = 0; i < count; i++)
            x[i] = pa_fabric_fold_word(x[i], pa_digest_f32_word(c[i]));
}

void pa_cpu_fold_panel(struct pa_workbench *bench, uint64_t i, uint32_t part, uint32_t rows,
                       uint32_t first_row, const void *c) {
    struct pa_cpu_fold *fold = &bench->fold;
    const struct pa_workload *work = &bench->plan.workload;
    if (fold->words == NULL || i < fold->first_step || i - fold->first_step >= fold->steps)
        return;
    uint64_t row_words = work->n * pa_gemm_c_element(work->format) / 4;
    uint64_t first = first_row * row_words, count = rows * row_words;
    unsigned before = (unsigned)(i - fold->first_step);
    /* Another thread may still be in this panel of the step before. */
    while (atomic_load_explicit(&fold->done[part], memory_order_acquire) != before)
        sched_yield();
    if (c != NULL && first < fold->count)
        fold_words(fold->words + first, c,
                   count < fold->count - first ? count : fold->count - first, work->format);
    atomic_store_explicit(&fold->done[part], before + 1, memory_order_release);
}
