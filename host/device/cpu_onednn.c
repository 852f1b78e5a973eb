/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN through its C API (2.6). It runs on OpenMP: each thread that calls it sets *its own*
 * number of OpenMP threads, so that petaudit's threads keep the work to themselves. */
#include "device/cpu_gemm.h"

#include "base/clock.h"

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A product of fixed shape: the primitive and the memory objects that its pointers go into. */
struct product {
    uint32_t rows;
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, c;
};

struct pa_gemm_worker {
    struct product whole, rest; /* panel_rows, and m % panel_rows where that is not 0 */
    dnnl_stream_t stream;
};

static dnnl_engine_t engine; /* one for the process, never destroyed */
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

/* oneDNN shares the descriptions of equal products between threads through its cache. It locks that
 * cache, but ThreadSanitizer cannot see into the library: one thread at a time prepares. */
static pthread_mutex_t preparing = PTHREAD_MUTEX_INITIALIZER;

static void make_engine(void) {
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success)
        engine = NULL;
}

static const char *status_text(dnnl_status_t status) {
    switch (status) {
    case dnnl_out_of_memory:
        return "out of memory";
    case dnnl_invalid_arguments:
        return "invalid arguments";
    case dnnl_unimplemented:
        return "not implemented on this processor";
    default:
        return "a run-time error";
    }
}

static int failed(struct pa_error *error, const char *doing, dnnl_status_t status) {
    int code = status == dnnl_out_of_memory   ? PA_EMEMORY
               : status == dnnl_unimplemented ? PA_EUNSUPPORTED
                                              : PA_EDEVICE;
    return pa_fail(error, code, "oneDNN, %s: %s (status %d)", doing, status_text(status),
                   (int)status);
}

/* Found by name, so that petaudit is built without -fopenmp and runs with whichever OpenMP (or
 * none) libdnnl was built on. It holds for the calling thread only. */
static void set_own_threads(int threads) {
    void (*set)(int);
    void *symbol = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    memcpy(&set, &symbol, sizeof set);
    if (symbol != NULL)
        set(threads);
}

static dnnl_data_type_t operand_type(enum pa_format format) {
    return format == PA_BF16 ? dnnl_bf16 : format == PA_INT8 ? dnnl_s8 : dnnl_f32;
}

size_t pa_gemm_c_element(enum pa_format format) {
    return format == PA_FP64 ? 8 : 4;
}

static dnnl_status_t describe(enum pa_format format, uint32_t rows, uint32_t n, uint32_t k,
                              bool packed, dnnl_primitive_desc_t *out) {
    dnnl_data_type_t type = operand_type(format);
    dnnl_dims_t a_dims = {rows, k}, b_dims = {k, n}, c_dims = {rows, n};
    dnnl_memory_desc_t a, b, c;
    dnnl_matmul_desc_t matmul;
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&a, 2, a_dims, type, dnnl_ab);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&b, 2, b_dims, type,
                                              packed ? dnnl_format_tag_any : dnnl_ba);
    if (status == dnnl_success)
        status = dnnl_memory_desc_init_by_tag(&c, 2, c_dims,
                                              format == PA_INT8 ? dnnl_s32 : dnnl_f32, dnnl_ab);
    if (status == dnnl_success)
        status = dnnl_matmul_desc_init(&matmul, &a, &b, NULL, &c);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(out, &matmul, NULL, engine, NULL);
    return status;
}

/* Whether the layout that the library asks for is one that pa_cpu_kernels.packed can write: blocks
 * of whole columns, inside a block groups of 4 bytes along K, nothing padded. */
static bool read_layout(const dnnl_memory_desc_t *b, struct pa_gemm_plan *plan) {
    const dnnl_blocking_desc_t *blocking = &b->format_desc.blocking;
    const struct pa_workload *work = &plan->workload;
    size_t width = pa_format_bytes(work->format);
    int group = (int)(4 / width);
    if (b->format_kind != dnnl_blocked || b->offset0 != 0 ||
        blocking->inner_nblks != (group == 1 ? 2 : 3) || b->padded_dims[0] != (int64_t)work->k ||
        b->padded_dims[1] != (int64_t)work->n)
        return false;
    if (blocking->inner_idxs[0] != 0 || blocking->inner_idxs[1] != 1 ||
        (group > 1 && (blocking->inner_idxs[2] != 0 || blocking->inner_blks[2] != group)))
        return false;
    int64_t k_block = blocking->inner_blks[0] * group, n_block = blocking->inner_blks[1];
    if (n_block % 16 != 0 || blocking->strides[0] != k_block * n_block ||
        blocking->strides[1] != n_block * (int64_t)work->k)
        return false;
    uint64_t flags = b->extra.flags;
    if (flags != dnnl_memory_extra_flag_none &&
        (flags != dnnl_memory_extra_flag_compensation_conv_s8s8 || b->extra.compensation_mask != 2))
        return false;
    plan->block = (uint32_t)n_block;
    plan->sums_at = flags == dnnl_memory_extra_flag_none ? 0 : (size_t)work->n * work->k * width;
    return true;
}

/* Without AVX-512 the library computes by its older gemm, which packs B anew in each call. */
static bool packs_anew(const struct pa_workload *work, bool packed) {
    dnnl_primitive_desc_t described = NULL;
    const char *implementation = "";
    pthread_mutex_lock(&preparing);
    if (describe(work->format, 256, work->n, work->k, packed, &described) == dnnl_success)
        dnnl_primitive_desc_query(described, dnnl_query_impl_info_str, 0, &implementation);
    bool is_gemm = strncmp(implementation, "gemm:", 5) == 0;
    dnnl_primitive_desc_destroy(described);
    pthread_mutex_unlock(&preparing);
    return is_gemm;
}

/* 256 rows: A's panel and C's stay in the second and third cache, and B is still read rarely enough
 * (measured at n = 2048, k = 8192: 256 rows 1.00, 128 rows 0.99, 64 rows 0.97, 1024 rows 0.98). */
static uint32_t panel_rows(const struct pa_workload *work, bool packed, int threads) {
    if (packs_anew(work, packed))
        return pa_gemm_long_panel(work, threads);
    bool enough = work->m / 256 >= 4 * (uint32_t)threads && work->n <= 16384;
    return enough ? 256 : 128;
}

static int plan_packed(struct pa_gemm_plan *plan, struct pa_error *error) {
    const struct pa_workload *work = &plan->workload;
    dnnl_primitive_desc_t described = NULL;
    dnnl_status_t status =
        describe(work->format, plan->panel_rows, work->n, work->k, true, &described);
    if (status != dnnl_success)
        return failed(error, "planning the product", status);
    const dnnl_memory_desc_t *b = dnnl_primitive_desc_query_md(described, dnnl_query_weights_md, 0);
    int result = PA_OK;
    if (!read_layout(b, plan))
        result = pa_fail(error, PA_EUNSUPPORTED,
                         "oneDNN has no packed layout for this operand that petaudit can write");
    plan->b_bytes = dnnl_memory_desc_get_size(b);
    dnnl_primitive_desc_destroy(described);
    return result;
}

static int onednn_plan(struct pa_gemm_plan *plan, bool packed, int threads,
                       struct pa_error *error) {
    const struct pa_workload *work = &plan->workload;
    pthread_once(&engine_once, make_engine);
    if (engine == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "oneDNN offers no processor engine here");
    plan->library = &pa_gemm_onednn;
    plan->panel_rows = panel_rows(work, packed, threads);
    plan->block = 0;
    plan->sums_at = 0;
    plan->b_bytes = (size_t)work->n * work->k * pa_format_bytes(work->format);
    snprintf(plan->way, sizeof plan->way, "onednn %s", packed ? "packed" : "plain");
    if (!packed)
        return PA_OK;
    pthread_mutex_lock(&preparing);
    int result = plan_packed(plan, error);
    pthread_mutex_unlock(&preparing);
    return result;
}

static void product_close(struct product *product) {
    dnnl_memory_destroy(product->a);
    dnnl_memory_destroy(product->b);
    dnnl_memory_destroy(product->c);
    dnnl_primitive_destroy(product->primitive);
    memset(product, 0, sizeof *product);
}

static int product_prepare(const struct pa_gemm_plan *plan, bool packed, uint32_t rows,
                           struct product *out, struct pa_error *error) {
    const struct pa_workload *work = &plan->workload;
    dnnl_primitive_desc_t described = NULL;
    dnnl_status_t status = describe(work->format, rows, work->n, work->k, packed, &described);
    if (status != dnnl_success)
        return failed(error, "describing the product", status);
    out->rows = rows;
    const dnnl_memory_desc_t *b = dnnl_primitive_desc_query_md(described, dnnl_query_weights_md, 0);
    /* Another number of rows or threads could have made the library choose another layout. */
    struct pa_gemm_plan again = *plan;
    if (packed &&
        (!read_layout(b, &again) || again.block != plan->block || again.sums_at != plan->sums_at))
        status = dnnl_unimplemented;
    if (status == dnnl_success)
        status = dnnl_primitive_create(&out->primitive, described);
    if (status == dnnl_success)
        status = dnnl_memory_create(&out->a,
                                    dnnl_primitive_desc_query_md(described, dnnl_query_src_md, 0),
                                    engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&out->b, b, engine, DNNL_MEMORY_NONE);
    if (status == dnnl_success)
        status = dnnl_memory_create(&out->c,
                                    dnnl_primitive_desc_query_md(described, dnnl_query_dst_md, 0),
                                    engine, DNNL_MEMORY_NONE);
    dnnl_primitive_desc_destroy(described);
    if (status == dnnl_success)
        return PA_OK;
    product_close(out);
    return failed(error, "preparing the product", status);
}

static int product_open(const struct pa_gemm_plan *plan, bool packed, uint32_t rows,
                        struct product *out, struct pa_error *error) {
    pthread_mutex_lock(&preparing);
    int result = product_prepare(plan, packed, rows, out, error);
    pthread_mutex_unlock(&preparing);
    return result;
}

static void *writable(const void *operand) {
    void *out; /* dnnl_memory_set_data_handle takes inputs without const */
    memcpy(&out, &operand, sizeof out);
    return out;
}

static dnnl_status_t execute(const struct product *product, dnnl_stream_t stream, const void *a,
                             const void *b, void *c) {
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, product->a}, {DNNL_ARG_WEIGHTS, product->b}, {DNNL_ARG_DST, product->c}};
    dnnl_status_t status = dnnl_memory_set_data_handle(product->a, writable(a));
    if (status == dnnl_success)
        status = dnnl_memory_set_data_handle(product->b, writable(b));
    if (status == dnnl_success)
        status = dnnl_memory_set_data_handle(product->c, c);
    if (status == dnnl_success)
        status = dnnl_primitive_execute(product->primitive, stream, 3, arguments);
    return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}

static void onednn_worker_close(struct pa_gemm_worker *worker) {
    if (worker == NULL)
        return;
    pthread_mutex_lock(&preparing);
    product_close(&worker->whole);
    product_close(&worker->rest);
    pthread_mutex_unlock(&preparing);
    dnnl_stream_destroy(worker->stream);
    free(worker);
}

static int onednn_worker_open(const struct pa_gemm_plan *plan, struct pa_gemm_worker **out,
                              struct pa_error *error) {
    *out = NULL;
    set_own_threads(1);
    struct pa_gemm_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return pa_fail(error, PA_EMEMORY, "preparing oneDNN: out of memory");
    int result = PA_OK;
    dnnl_status_t status = dnnl_stream_create(&worker->stream, engine, dnnl_stream_default_flags);
    if (status != dnnl_success)
        result = failed(error, "opening a stream", status);
    uint32_t rest = plan->workload.m % plan->panel_rows;
    if (result == PA_OK && plan->workload.m >= plan->panel_rows)
        result = product_open(plan, plan->block != 0, plan->panel_rows, &worker->whole, error);
    if (result == PA_OK && rest != 0)
        result = product_open(plan, plan->block != 0, rest, &worker->rest, error);
    if (result != PA_OK) {
        onednn_worker_close(worker);
        return result;
    }
    *out = worker;
    return PA_OK;
}

static int onednn_multiply(struct pa_gemm_worker *worker, uint32_t rows, const void *a,
                           const void *b, void *c, struct pa_error *error) {
    const struct product *product = rows == worker->whole.rows ? &worker->whole : &worker->rest;
    dnnl_status_t status = execute(product, worker->stream, a, b, c);
    return status == dnnl_success ? PA_OK : failed(error, "multiplying", status);
}

static int onednn_bare(const struct pa_gemm_plan *plan, int threads, uint32_t times, const void *a,
                       const void *b, void *c, uint64_t *out_ns, struct pa_error *error) {
    struct product product = {0};
    dnnl_stream_t stream = NULL;
    set_own_threads(threads);
    int result = product_open(plan, plan->block != 0, plan->workload.m, &product, error);
    if (result != PA_OK)
        return result;
    dnnl_status_t status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    uint64_t begin = pa_clock_raw_ns();
    for (uint32_t i = 0; i < times && status == dnnl_success; i++)
        status = execute(&product, stream, a, b, c);
    *out_ns = pa_clock_raw_ns() - begin;
    dnnl_stream_destroy(stream);
    product_close(&product);
    return status == dnnl_success ? PA_OK : failed(error, "multiplying with its own pool", status);
}

const struct pa_gemm_library pa_gemm_onednn = {
    onednn_plan, onednn_worker_open, onednn_worker_close, onednn_multiply, onednn_bare,
};

/* The library is asked, not CPUID: ONEDNN_MAX_CPU_ISA may hold it back, and an emulated format is
 * not the format. */
static const char *lacking(enum pa_format format) {
    unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
    unsigned bf16 = dnnl_cpu_isa_avx512_core_bf16, vnni = dnnl_cpu_isa_avx512_core_vnni;
    unsigned vnni256 = dnnl_cpu_isa_avx2_vnni;
    if (format == PA_BF16 && (isa & bf16) != bf16)
        return "this processor has no AVX-512 BF16 or AMX (as oneDNN sees it): bf16 would be "
               "emulated";
    if (format == PA_INT8 && (isa & vnni) != vnni && (isa & vnni256) != vnni256)
        return "this processor has no VNNI or AMX (as oneDNN sees it): 8-bit products would "
               "saturate or be emulated";
    return NULL;
}

bool pa_onednn_runs(enum pa_format format, char *library, size_t library_size, char *why_not,
                    size_t why_not_size) {
    pthread_once(&engine_once, make_engine);
    const dnnl_version_t *version = dnnl_version();
    const char *lack = engine == NULL ? "oneDNN offers no processor engine here" : lacking(format);
    dnnl_primitive_desc_t described = NULL;
    pthread_mutex_lock(&preparing);
    if (lack == NULL && describe(format, 256, 256, 256, true, &described) != dnnl_success)
        lack = "oneDNN has no implementation for it on this processor";
    const char *implementation = "?";
    if (lack == NULL) {
        dnnl_primitive_desc_query(described, dnnl_query_impl_info_str, 0, &implementation);
        snprintf(library, library_size, "oneDNN %d.%d.%d (%s)", version->major, version->minor,
                 version->patch, implementation);
    } else {
        snprintf(why_not, why_not_size, "%s", lack);
    }
    if (described != NULL)
        dnnl_primitive_desc_destroy(described);
    pthread_mutex_unlock(&preparing);
    return lack == NULL;
}
