/* SPDX-License-Identifier: Apache-2.0 */
/* Products by cuBLASLt.
 *
 * cuBLASLt counts in columns. Our A is m vectors of k elements and our B is n of them, both "K
 * contiguous", and C is to have its rows side by side. Read by columns, C is the n x m matrix
 * transposed(B) * A, whose first operand is B, transposed, and whose second is A, as it lies: "TN",
 * the one layout that every format has, int8 and fp8 included. So B goes first here.
 *
 * Results are exact integers, so that any order of summation agrees, provided that nothing is
 * rounded on the way: the output has the type of the accumulator, parts of a split K may only be
 * added in the type of the computation, fp8 does without its fast accumulator, and fp64 and fp32
 * are not emulated on tensor cores.
 */
#include "device/cuda_inside.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pa_lt_types {
    cublasComputeType_t compute;
    cudaDataType scale, operand, result;
};

/* Compute, scale, A and B, C and D: rows of the table in NVIDIA's text on cublasLtMatmul(). */
static const struct pa_lt_types types_of[PA_FORMATS_END] = {
    [PA_FP64] = {CUBLAS_COMPUTE_64F, CUDA_R_64F, CUDA_R_64F, CUDA_R_64F},
    [PA_FP32] = {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_32F, CUDA_R_32F},
    [PA_TF32] = {CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F, CUDA_R_32F, CUDA_R_32F},
    [PA_BF16] = {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_16BF, CUDA_R_32F},
    [PA_FP16] = {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_16F, CUDA_R_32F},
    [PA_FP8] = {CUBLAS_COMPUTE_32F, CUDA_R_32F, CUDA_R_8F_E4M3, CUDA_R_32F},
    [PA_INT8] = {CUBLAS_COMPUTE_32I, CUDA_R_32I, CUDA_R_8I, CUDA_R_32I},
};

/* Workspace that an algorithm may take. NVIDIA advises 32 MiB from compute capability 9.0 on; what
 * more room brings is found out by trying. */
static const uint64_t workspace_limits[] = {UINT64_C(32) << 20, UINT64_C(128) << 20, 0};

static struct {
    pthread_once_t once;
    struct pa_cublaslt functions;
    struct pa_error failure;
} library = {.once = PTHREAD_ONCE_INIT};

static void load_once(void) {
#define ROW(required, returns, symbol, arguments)                                                  \
    PA_VENDOR_ROW(struct pa_cublaslt, required, symbol)
    static const struct pa_vendor_row rows[] = {PA_CUBLASLT_FUNCTIONS(ROW)};
#undef ROW
    static const char *const names[] = {"libcublasLt.so.13", "libcublasLt.so.12", NULL};
    /* The library reads these (seen in libcublasLt 13.1): fp64 out of int8 and fp32 out of bf16
     * products would be another kind of operation than the one that is counted. */
    setenv("CUBLAS_EMULATE_DOUBLE_PRECISION", "0", 1);
    setenv("CUBLAS_EMULATE_SINGLE_PRECISION", "0", 1);
    pa_vendor_library_open(names, rows, sizeof rows / sizeof rows[0], &library.functions,
                           &library.failure);
}

int pa_cublaslt(const struct pa_cublaslt **out, struct pa_error *error) {
    pthread_once(&library.once, load_once);
    if (library.failure.code != PA_OK)
        return pa_fail(error, library.failure.code, "%s", library.failure.text);
    *out = &library.functions;
    return PA_OK;
}

void pa_cublaslt_name(const struct pa_cublaslt *lt, char *out, size_t size) {
    size_t version = lt->cublasLtGetVersion(); /* 130100 is 13.1.0 */
    snprintf(out, size, "cuBLASLt %zu.%zu.%zu", version / 10000, version / 100 % 100,
             version % 100);
}

static int check(struct pa_cuda_device *device, cublasStatus_t status, const char *call,
                 struct pa_error *error) {
    char text[512];
    const struct pa_device_identity *identity = &device->base.identity;
    if (status == CUBLAS_STATUS_SUCCESS)
        return PA_OK;
    const char *words = device->lt->cublasLtGetStatusString(status);
    snprintf(text, sizeof text, "%s (%s): %s: %d, %s", identity->id, identity->name, call,
             (int)status, words != NULL ? words : "no text");
    switch ((int)status) {
    case CUBLAS_STATUS_EXECUTION_FAILED: /* a kernel could not be started: the context is dead */
    case CUBLAS_STATUS_MAPPING_ERROR:
        return pa_cuda_lose(device, PA_EDEVICE, text, error);
    case CUBLAS_STATUS_ALLOC_FAILED:
        return pa_fail(error, PA_EMEMORY, "%s", text);
    case CUBLAS_STATUS_NOT_SUPPORTED:
    case CUBLAS_STATUS_ARCH_MISMATCH:
        return pa_fail(error, PA_EUNSUPPORTED, "%s", text);
    default:
        return pa_fail(error, PA_EDEVICE, "%s", text);
    }
}

#define LT_CALL(device, call, ...)                                                                 \
    (cublasStatus_t) PA_CUDA_WATCHED(device, (device)->lt, call, __VA_ARGS__)
#define LT_TRY(device, call, ...)                                                                  \
    PA_TRY(check(device, LT_CALL(device, call, __VA_ARGS__), #call, error))

static int make_layout(struct pa_lt_product *product, cudaDataType type, uint64_t rows,
                       uint64_t columns, cublasLtMatrixLayout_t *out, struct pa_error *error) {
    const int32_t order = CUBLASLT_ORDER_COL;
    LT_TRY(product->device, cublasLtMatrixLayoutCreate, out, type, rows, columns, (int64_t)rows);
    LT_TRY(product->device, cublasLtMatrixLayoutSetAttribute, *out, CUBLASLT_MATRIX_LAYOUT_ORDER,
           &order, sizeof order);
    return PA_OK;
}

static int set_desc(struct pa_lt_product *product, cublasLtMatmulDescAttributes_t attribute,
                    const void *value, size_t bytes, struct pa_error *error) {
    LT_TRY(product->device, cublasLtMatmulDescSetAttribute, product->desc, attribute, value, bytes);
    return PA_OK;
}

int pa_lt_open(struct pa_lt_product *product, struct pa_cuda_device *device,
               const struct pa_workload *workload, struct pa_error *error) {
    const int32_t transposed = CUBLAS_OP_T, plain = CUBLAS_OP_N;
    const int8_t no = 0;
    const struct pa_lt_types *types = &types_of[workload->format];
    *product = (struct pa_lt_product){.device = device, .types = types};
    PA_TRY(pa_cublaslt(&device->lt, error));
    if (device->handle == NULL)
        LT_TRY(device, cublasLtCreate, &device->handle);
    LT_TRY(device, cublasLtMatmulDescCreate, &product->desc, types->compute, types->scale);
    PA_TRY(set_desc(product, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed, error));
    PA_TRY(set_desc(product, CUBLASLT_MATMUL_DESC_TRANSB, &plain, sizeof plain, error));
    if (workload->format == PA_FP8)
        PA_TRY(set_desc(product, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &no, sizeof no, error));
    PA_TRY(make_layout(product, types->operand, workload->k, workload->n, &product->b, error));
    PA_TRY(make_layout(product, types->operand, workload->k, workload->m, &product->a, error));
    return make_layout(product, types->result, workload->n, workload->m, &product->c, error);
}

void pa_lt_close(struct pa_lt_product *product) {
    cublasLtMatrixLayout_t layouts[] = {product->a, product->b, product->c};
    /* Host memory alone: it may be freed for a lost device too. */
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
        if (layouts[i] != NULL)
            product->device->lt->cublasLtMatrixLayoutDestroy(layouts[i]);
    if (product->desc != NULL)
        product->device->lt->cublasLtMatmulDescDestroy(product->desc);
    *product = (struct pa_lt_product){0};
}

static int ask(const struct pa_lt_product *product, cublasLtMatmulPreference_t preference,
               uint64_t workspace, cublasLtMatmulHeuristicResult_t *results, int most, int *found,
               struct pa_error *error) {
    struct pa_cuda_device *device = product->device;
    const uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    LT_TRY(device, cublasLtMatmulPreferenceSetAttribute, preference,
           CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace);
    LT_TRY(device, cublasLtMatmulPreferenceSetAttribute, preference,
           CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reductions, sizeof reductions);
    LT_TRY(device, cublasLtMatmulAlgoGetHeuristic, device->handle, product->desc, product->b,
           product->a, product->c, product->c, preference, most, results, found);
    return PA_OK;
}

static bool is_known(const struct pa_lt_way *ways, int count,
                     const cublasLtMatmulHeuristicResult_t *result) {
    for (int i = 0; i < count; i++)
        if (memcmp(&ways[i].algorithm, &result->algo, sizeof result->algo) == 0 &&
            ways[i].workspace_bytes == result->workspaceSize)
            return true;
    return false;
}

int pa_lt_ways(const struct pa_lt_product *product, struct pa_lt_way ways[PA_LT_WAYS], int *count,
               struct pa_error *error) {
    /* The usual limit gets most of the places, so that the others are tried at all. */
    enum { MOST_EACH = 6 };
    struct pa_cuda_device *device = product->device;
    cublasLtMatmulPreference_t preference = NULL;
    struct pa_error first = {0};
    *count = 0;
    LT_TRY(device, cublasLtMatmulPreferenceCreate, &preference);
    for (size_t w = 0; w < sizeof workspace_limits / sizeof workspace_limits[0]; w++) {
        cublasLtMatmulHeuristicResult_t results[MOST_EACH] = {0};
        struct pa_error cause = {0};
        int found = 0;
        if (ask(product, preference, workspace_limits[w], results, MOST_EACH, &found, &cause) !=
                PA_OK &&
            first.code == PA_OK)
            first = cause;
        for (int i = 0; i < found && i < MOST_EACH && *count < PA_LT_WAYS; i++)
            if (results[i].state == CUBLAS_STATUS_SUCCESS && !is_known(ways, *count, &results[i]))
                ways[(*count)++] = (struct pa_lt_way){results[i].algo, results[i].workspaceSize};
    }
    device->lt->cublasLtMatmulPreferenceDestroy(preference);
    if (*count > 0)
        return PA_OK;
    if (first.code != PA_OK)
        return pa_fail(error, first.code, "%s", first.text);
    return pa_fail(error, PA_EUNSUPPORTED, "%s (%s): cuBLASLt knows no algorithm for this product",
                   device->base.identity.id, device->base.identity.name);
}

/* One whole number of an algorithm's configuration; all of ours have 4 bytes. -1: not told. */
static int configured(const struct pa_lt_product *product, const struct pa_lt_way *way,
                      cublasLtMatmulAlgoConfigAttributes_t attribute) {
    int32_t value = -1;
    size_t written = 0;
    cublasStatus_t status = product->device->lt->cublasLtMatmulAlgoConfigGetAttribute(
        &way->algorithm, attribute, &value, sizeof value, &written);
    return status == CUBLAS_STATUS_SUCCESS ? value : -1;
}

void pa_lt_way_name(const struct pa_lt_product *product, const struct pa_lt_way *way,
                    char out[48]) {
    char text[128];
    snprintf(text, sizeof text, "lt algo %d tile %d stages %d splitk %d ws %zuK",
             configured(product, way, CUBLASLT_ALGO_CONFIG_ID),
             configured(product, way, CUBLASLT_ALGO_CONFIG_TILE_ID),
             configured(product, way, CUBLASLT_ALGO_CONFIG_STAGES_ID),
             configured(product, way, CUBLASLT_ALGO_CONFIG_SPLITK_NUM), way->workspace_bytes >> 10);
    snprintf(out, 48, "%.47s", text);
}

int pa_lt_multiply(const struct pa_lt_product *product, const struct pa_lt_way *way, CUdeviceptr a,
                   CUdeviceptr b, CUdeviceptr c, CUdeviceptr workspace, CUstream stream,
                   struct pa_error *error) {
    static const union {
        float single;
        double wide;
        int32_t whole;
    } ones[3] = {{.single = 1}, {.wide = 1}, {.whole = 1}}, zero = {.wide = 0};
    struct pa_cuda_device *device = product->device;
    cudaDataType scale = product->types->scale;
    const void *one = scale == CUDA_R_32F   ? (const void *)&ones[0]
                      : scale == CUDA_R_64F ? (const void *)&ones[1]
                                            : (const void *)&ones[2];
    LT_TRY(device, cublasLtMatmul, device->handle, product->desc, one, (const void *)(uintptr_t)b,
           product->b, (const void *)(uintptr_t)a, product->a, &zero, (const void *)(uintptr_t)c,
           product->c, (void *)(uintptr_t)c, product->c, &way->algorithm,
           (void *)(uintptr_t)workspace, way->workspace_bytes, stream);
    return PA_OK;
}
