/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_gemm.h - the two libraries that multiply on a processor, behind one table.
 *
 * A *plan* fixes how one workload is called: which library, how B lies in memory, how many rows of
 * A make a panel. Each of petaudit's threads then opens a worker of its own and multiplies panels
 * with the library held to that one thread; `bare` lets the library use its own pool instead.
 */
#ifndef PA_DEVICE_CPU_GEMM_H
#define PA_DEVICE_CPU_GEMM_H

#include "device/cpu_kernels.h"

struct pa_gemm_plan {
    const struct pa_gemm_library *library;
    struct pa_workload workload;
    struct pa_operand_kind kind;
    /* Vectors of B side by side in one packed block (pa_cpu_kernels.packed), 0 when B is plain. */
    uint32_t block;
    /* Where the library wants -128 times each column's sum as int32 behind a packed int8 B; 0: not.
     * (A processor without signed-by-signed int8 adds 128 to A and takes this away again.) */
    size_t sums_at;
    size_t b_bytes;
    int threads; /* that will open a worker each, where the library needs to know it beforehand */
    uint32_t panel_rows; /* a multiple of 128; the last panel may be shorter */
    char way[48];        /* "onednn packed" */
};

/* One thread's handles; opened, used and closed by that thread. */
struct pa_gemm_worker;

struct pa_gemm_library {
    /* Fill `plan` from its workload, for `threads` threads; `packed` asks for the library's own
     * layout of B. PA_EUNSUPPORTED with the reason where that does not exist. */
    int (*plan)(struct pa_gemm_plan *plan, bool packed, int threads, struct pa_error *error);
    int (*worker_open)(const struct pa_gemm_plan *plan, struct pa_gemm_worker **out,
                       struct pa_error *error);
    void (*worker_close)(struct pa_gemm_worker *worker);
    /* C (rows x n) = A (rows x k) * B; `rows` is panel_rows or the remainder of m. */
    int (*multiply)(struct pa_gemm_worker *worker, uint32_t rows, const void *a, const void *b,
                    void *c, struct pa_error *error);
    /* The whole product `times` times with the library's own pool of `threads` threads, timed
     * without the preparation. `packed` and `b` as in the plan. Called on a thread that may run on
     * exactly the device's processors. */
    int (*bare)(const struct pa_gemm_plan *plan, int threads, uint32_t times, const void *a,
                const void *b, void *c, uint64_t *out_ns, struct pa_error *error);
};

extern const struct pa_gemm_library pa_gemm_onednn;
extern const struct pa_gemm_library pa_gemm_openblas;

/* What oneDNN says of a format on this processor: its version and implementation ("oneDNN 2.6.3
 * (brg:avx512_core)"), or false and why not. */
bool pa_onednn_runs(enum pa_format format, char *library, size_t library_size, char *why_not,
                    size_t why_not_size);
/* "OpenBLAS 0.3.21 (Cooperlake)". */
void pa_openblas_name(char *out, size_t size);
/* The most threads that may call OpenBLAS at once. */
int pa_openblas_most_threads(void);

/* Rows of a panel for a library that packs B anew in each call, which long panels make cheap. */
uint32_t pa_gemm_long_panel(const struct pa_workload *work, int threads);

/* Bytes of the panel of C that a thread works on, and of one element of C. */
size_t pa_gemm_c_element(enum pa_format format);

#endif
