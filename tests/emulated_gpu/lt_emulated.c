/* SPDX-License-Identifier: Apache-2.0 */
/* lt_emulated.c - the emulated libcublasLt.so.13: the exported functions. A product is an operation
 * in the lazy streams; what can be refused before it runs is refused with the vendor's status. */
#include "emulated_gpu/emulated.h"
#include "emulated_gpu/emulated_condition.h"
#include "emulated_gpu/emulated_meter.h"
#include "emulated_gpu/lt_numbers.h"
#include "emulated_gpu/lt_problem.h"
#include "emulated_gpu/lt_product.h"

#include "device/cublaslt_api.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DECLARE(required, returns, symbol, arguments) EMULATED_API returns symbol arguments;
PA_CUBLASLT_FUNCTIONS(DECLARE)
#undef DECLARE

enum { VERSION = 130100, CUDA_ERROR_OUT_OF_MEMORY = 2 };

_Static_assert(sizeof(cublasLtMatmulAlgo_t) == sizeof(struct lt_algo), "the vendor's size");

static struct lt_handle *handles;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Every function comes by here first: 0, or the status that was ordered for this call. */
static cublasStatus_t enter(const char *function, int device, struct emulated_fault *out) {
    *out = emulated_fault_check(function, device);
    if (emulated_platform() == NULL)
        return (cublasStatus_t)LT_NOT_INITIALIZED;
    return (cublasStatus_t)(out->kind == EMULATED_FAULT_CODE ? out->code : LT_SUCCESS);
}

static void hang_if(const struct emulated_fault *ordered) {
    while (ordered->kind == EMULATED_FAULT_HANG)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* ---- objects ---- */

size_t cublasLtGetVersion(void) {
    return VERSION;
}

/* The genuine library's words. */
const char *cublasLtGetStatusString(cublasStatus_t status) {
    switch ((int)status) {
    case LT_SUCCESS:
        return "success";
    case LT_NOT_INITIALIZED:
        return "the library was not initialized";
    case LT_ALLOC_FAILED:
        return "the resource allocation failed";
    case LT_INVALID_VALUE:
        return "an unsupported value or parameter was passed to the function";
    case LT_ARCH_MISMATCH:
        return "the function requires an architectural feature absent from the device";
    case LT_EXECUTION_FAILED:
        return "the function failed to launch on the GPU";
    case LT_INTERNAL_ERROR:
        return "an internal operation failed";
    case LT_NOT_SUPPORTED:
        return "the requested functionality is not supported";
    default:
        return "unrecognized status";
    }
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle) {
    struct emulated_fault ordered;
    int device = emulated_current_device();
    cublasStatus_t status = enter(__func__, device, &ordered);
    hang_if(&ordered);
    if (status != (cublasStatus_t)LT_SUCCESS)
        return status;
    if (handle == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    if (device < 0 || emulated_device_error(device) != 0)
        return (cublasStatus_t)LT_NOT_INITIALIZED;
    struct lt_handle *made = malloc(sizeof *made);
    if (made == NULL)
        return (cublasStatus_t)LT_ALLOC_FAILED;
    pthread_mutex_lock(&mutex);
    *made = (struct lt_handle){.kind = LT_HANDLE, .device = device, .next = handles};
    handles = made;
    pthread_mutex_unlock(&mutex);
    *handle = (cublasLtHandle_t)made;
    return (cublasStatus_t)LT_SUCCESS;
}

static struct lt_handle *handle_of(cublasLtHandle_t handle, const char *function) {
    struct lt_handle *lt = (struct lt_handle *)handle;
    if (lt == NULL)
        return NULL;
    if (lt->kind == LT_HANDLE)
        return lt;
    emulated_report("%s: the handle is none, or was destroyed", function);
    return NULL;
}

/* Objects begin with what they are. */
static cublasStatus_t destroy(const char *function, void *object, enum lt_kind kind) {
    struct emulated_fault ordered;
    cublasStatus_t status = enter(function, -1, &ordered);
    if (status != (cublasStatus_t)LT_SUCCESS || object == NULL)
        return status;
    if (*(enum lt_kind *)object != kind) {
        emulated_report("%s: what is destroyed is no such object", function);
        return (cublasStatus_t)LT_INVALID_VALUE;
    }
    *(enum lt_kind *)object = (enum lt_kind)0;
    free(object);
    return (cublasStatus_t)LT_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
    if (handle == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    pthread_mutex_lock(&mutex);
    for (struct lt_handle **link = &handles; *link != NULL; link = &(*link)->next)
        if (*link == (struct lt_handle *)handle) {
            *link = (*link)->next;
            break;
        }
    pthread_mutex_unlock(&mutex);
    return destroy(__func__, handle, LT_HANDLE);
}

/* Zeroed memory of `size` bytes for a new object, or the status. */
static cublasStatus_t create(const char *function, size_t size, void **out) {
    struct emulated_fault ordered;
    cublasStatus_t status = enter(function, -1, &ordered);
    if (status != (cublasStatus_t)LT_SUCCESS)
        return status;
    *out = calloc(1, size);
    return (cublasStatus_t)(*out != NULL ? LT_SUCCESS : LT_ALLOC_FAILED);
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *desc, cublasComputeType_t compute,
                                        cudaDataType scale) {
    void *object;
    if (desc == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    cublasStatus_t status = create(__func__, sizeof(struct lt_desc), &object);
    if (status != (cublasStatus_t)LT_SUCCESS)
        return status;
    lt_desc_begin(object, (int)compute, (int)scale);
    *desc = object;
    return status;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) {
    return destroy(__func__, desc, LT_DESC);
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void *value, size_t size) {
    struct emulated_fault ordered;
    cublasStatus_t status = enter(__func__, -1, &ordered);
    if (status != (cublasStatus_t)LT_SUCCESS)
        return status;
    if (desc == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    return (cublasStatus_t)lt_desc_set((struct lt_desc *)desc, (int)attribute, value, size);
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *layout, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t ld) {
    void *object;
    if (layout == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    cublasStatus_t status = create(__func__, sizeof(struct lt_layout), &object);
    if (status != (cublasStatus_t)LT_SUCCESS)
        return status;
    lt_layout_begin(object, (int)type, rows, columns, ld);
    *layout = object;
    return status;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
    return destroy(__func__, layout, LT_LAYOUT);
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute,
                                                const void *value, size_t size) {
    struct emulated_fault ordered;
    cublasStatus_t status = enter(__func__, -1, &ordered);
    if (status != (cublasStatus_t)LT_SUCCESS)
        return status;
    if (layout == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    return (cublasStatus_t)lt_layout_set((struct lt_layout *)layout, (int)attribute, value, size);
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *preference) {
    void *object;
    if (preference == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    cublasStatus_t status = create(__func__, sizeof(struct lt_preference), &object);
    if (status != (cublasStatus_t)LT_SUCCESS)
        return status;
    lt_preference_begin(object);
    *preference = object;
    return status;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
    return destroy(__func__, preference, LT_PREFERENCE);
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void *value, size_t size) {
    struct emulated_fault ordered;
    cublasStatus_t status = enter(__func__, -1, &ordered);
    if (status != (cublasStatus_t)LT_SUCCESS)
        return status;
    if (preference == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    return (cublasStatus_t)lt_preference_set((struct lt_preference *)preference, (int)attribute,
                                             value, size);
}

/* ---- algorithms ---- */

/* One result is not usable, as the header allows: whoever does not look at `state` runs into it. */
static int fill_results(const struct lt_algo *algorithms, int count, int requested,
                        cublasLtMatmulHeuristicResult_t *results) {
    int written = 0;
    for (int i = 0; i < count && written < requested; i++) {
        cublasLtMatmulHeuristicResult_t result = {.workspaceSize =
                                                      (size_t)algorithms[i].workspace_bytes,
                                                  .state = (cublasStatus_t)LT_SUCCESS,
                                                  .wavesCount = 1.0f};
        memcpy(&result.algo, &algorithms[i], sizeof result.algo);
        results[written++] = result;
        if (i == 0 && count > 1 && written < requested)
            results[written++] =
                (cublasLtMatmulHeuristicResult_t){.state = (cublasStatus_t)LT_NOT_SUPPORTED};
    }
    return written;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int requested,
                                              cublasLtMatmulHeuristicResult_t *results,
                                              int *count) {
    enum { ALGORITHMS_MAX = 64 };
    struct emulated_fault ordered;
    struct lt_algo algorithms[ALGORITHMS_MAX];
    struct lt_problem problem;
    const struct lt_preference *wishes = (const struct lt_preference *)preference;
    const struct lt_handle *lt = handle_of(handle, __func__);
    cublasStatus_t status = enter(__func__, lt != NULL ? lt->device : -1, &ordered);
    hang_if(&ordered);
    if (count != NULL)
        *count = 0;
    if (status != (cublasStatus_t)LT_SUCCESS)
        return status;
    if (lt == NULL)
        return (cublasStatus_t)LT_NOT_INITIALIZED;
    if (requested <= 0 || results == NULL || count == NULL || wishes == NULL ||
        wishes->kind != LT_PREFERENCE)
        return (cublasStatus_t)LT_INVALID_VALUE;
    if (ordered.kind == EMULATED_FAULT_EMPTY)
        return status;
    enum lt_status made =
        lt_problem_make(__func__, lt->device, (const struct lt_desc *)desc,
                        (const struct lt_layout *)a, (const struct lt_layout *)b,
                        (const struct lt_layout *)c, (const struct lt_layout *)d, &problem);
    if (made != LT_SUCCESS)
        return (cublasStatus_t)made;
    int found = lt_algorithms(&problem, wishes, algorithms, ALGORITHMS_MAX);
    *count = fill_results(algorithms, found, requested, results);
    return (cublasStatus_t)(found > 0 ? LT_SUCCESS : LT_NOT_SUPPORTED);
}

cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t *algo,
                                                    cublasLtMatmulAlgoConfigAttributes_t attribute,
                                                    void *value, size_t size, size_t *written) {
    struct lt_algo copy;
    if (algo == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    memcpy(&copy, algo, sizeof copy);
    return (cublasStatus_t)lt_algo_get(&copy, (int)attribute, value, size, written);
}

/* ---- the product ---- */

struct operation {
    struct lt_problem problem;
    struct lt_algo algo;
    struct emulated_fault fault;
    double alpha, beta;
    uint64_t a, b, c, d, workspace;
};

/* The range of a matrix: columns of ld elements each, of which `rows` count. */
static int matrix_read(int device, uint64_t address, const struct lt_layout *layout,
                       const char *what, const void **host) {
    uint64_t bytes = lt_type_bytes((int)layout->type);
    return emulated_memory_read_rows(device, address, layout->columns, layout->rows * bytes,
                                     (uint64_t)layout->ld * bytes, what, host);
}

static struct lt_operand operand(const struct lt_layout *layout, int op, const void *data) {
    uint64_t ld = (uint64_t)layout->ld;
    return (struct lt_operand){.type = (int)layout->type,
                               .data = data,
                               .row_step = op == LT_OP_T ? ld : 1,
                               .column_step = op == LT_OP_T ? 1 : ld,
                               .scale = 1};
}

/* One float on the device; 1 where no pointer was set. */
static int read_scale(int device, uint64_t address, const char *what, float *out) {
    const void *host;
    if (address == 0)
        return 0;
    int code = emulated_memory_read(device, address, sizeof *out, what, &host);
    if (code == 0)
        memcpy(out, host, sizeof *out);
    return code;
}

/* What the vendor's kernels leave in the workspace is nobody's to rely on. */
static int spoil_workspace(const struct operation *operation, int device) {
    void *workspace;
    if (operation->algo.workspace_bytes == 0)
        return 0;
    int code = emulated_memory_write(device, operation->workspace, operation->algo.workspace_bytes,
                                     "cublasLtMatmul workspace", &workspace);
    if (code == 0)
        memset(workspace, 0x7f, operation->algo.workspace_bytes);
    return code;
}

/* On success `product` is all there is to compute. */
static int operands_resolve(const struct operation *operation, int device,
                            struct lt_product *product) {
    const struct lt_problem *problem = &operation->problem;
    const struct lt_desc *desc = &problem->desc;
    const void *a = NULL, *b = NULL, *c = NULL;
    uint64_t d_bytes = lt_type_bytes((int)problem->d.type);
    int code = matrix_read(device, operation->a, &problem->a, "cublasLtMatmul A", &a);
    if (code == 0)
        code = matrix_read(device, operation->b, &problem->b, "cublasLtMatmul B", &b);
    if (code == 0 && operation->beta != 0)
        code = matrix_read(device, operation->c, &problem->c, "cublasLtMatmul C", &c);
    product->a = operand(&problem->a, desc->op_a, a);
    product->b = operand(&problem->b, desc->op_b, b);
    product->c = operand(&problem->c, LT_OP_N, c);
    if (code == 0)
        code = read_scale(device, desc->a_scale, "cublasLtMatmul A scale", &product->a.scale);
    if (code == 0)
        code = read_scale(device, desc->b_scale, "cublasLtMatmul B scale", &product->b.scale);
    if (code == 0)
        code = spoil_workspace(operation, device);
    if (code == 0)
        code = emulated_memory_write_rows(device, operation->d, problem->n, problem->m * d_bytes,
                                          (uint64_t)problem->d.ld * d_bytes, "cublasLtMatmul D",
                                          &product->d);
    return code;
}

static int operation_run(void *context, int device) {
    struct operation *operation = context;
    const struct lt_problem *problem = &operation->problem;
    struct lt_product product = {.m = problem->m,
                                 .n = problem->n,
                                 .k = problem->k,
                                 .d_type = (int)problem->d.type,
                                 .d_row_step = 1,
                                 .d_column_step = (uint64_t)problem->d.ld,
                                 .alpha = operation->alpha,
                                 .beta = operation->beta,
                                 .is_tf32 = strcmp(problem->format, "tf32") == 0,
                                 .accumulator_bits = 23,
                                 .splits = (uint32_t)operation->algo.splits,
                                 .rounds_parts = operation->algo.reduction == LT_REDUCTION_OUTPUT};
    emulated_meter_product(device);
    if (operation->fault.kind == EMULATED_FAULT_STICKY)
        return operation->fault.code;
    if (emulated_condition_lists(emulated_condition(device)->inexact, problem->format))
        product.accumulator_bits = 7;
    int code = operands_resolve(operation, device, &product);
    if (code != 0)
        return code;
    if (lt_multiply(&product) != 0)
        return CUDA_ERROR_OUT_OF_MEMORY;
    uint64_t d_bytes = lt_type_bytes((int)problem->d.type);
    uint64_t size = ((problem->n - 1) * (uint64_t)problem->d.ld + problem->m) * d_bytes;
    if (operation->fault.kind == EMULATED_FAULT_WRONG && operation->fault.offset < size)
        ((uint8_t *)product.d)[operation->fault.offset] ^= 1;
    return EMULATED_DONE;
}

/* alpha and beta are host pointers to one number of the scale type. */
static double read_factor(int type, const void *pointer) {
    double value;
    int32_t whole;
    if (type == LT_F64) {
        memcpy(&value, pointer, sizeof value);
        return value;
    }
    if (type == LT_I32) {
        memcpy(&whole, pointer, sizeof whole);
        return whole;
    }
    return lt_read(LT_F32, pointer, 0);
}

/* The rightmost set bit, as far as 256. */
static uint64_t alignment_of(uint64_t address, int64_t ld, uint64_t element_bytes) {
    uint64_t both = address | (uint64_t)ld * element_bytes | 256;
    return both & (~both + 1);
}

static enum lt_status check_alignment(const struct operation *operation) {
    const struct lt_problem *problem = &operation->problem;
    const struct {
        uint64_t address;
        const struct lt_layout *layout;
    } operands[] = {{operation->a, &problem->a},
                    {operation->b, &problem->b},
                    {operation->c, &problem->c},
                    {operation->d, &problem->d}};
    bool is_fp8 = strcmp(problem->format, "fp8") == 0;
    uint64_t wanted = operation->algo.alignment;
    wanted = is_fp8 && wanted < 16 ? 16 : wanted;
    wanted = problem->a.type == LT_I8 && wanted < 4 ? 4 : wanted;
    for (int i = 0; i < 4; i++) {
        uint64_t element = lt_type_bytes((int)operands[i].layout->type);
        uint64_t least = wanted > element ? wanted : element;
        uint64_t given = alignment_of(operands[i].address, operands[i].layout->ld, element);
        if (given < least)
            return lt_refuse(LT_NOT_SUPPORTED, "cublasLtMatmul",
                             "operand %c is aligned to %llu bytes, the algorithm wants %llu",
                             "ABCD"[i], (unsigned long long)given, (unsigned long long)least);
    }
    return LT_SUCCESS;
}

static enum lt_status check_workspace(const struct operation *operation, size_t bytes) {
    if (bytes < operation->algo.workspace_bytes)
        return lt_refuse(LT_INVALID_VALUE, "cublasLtMatmul",
                         "the workspace has %zu bytes, the algorithm wants %llu", bytes,
                         (unsigned long long)operation->algo.workspace_bytes);
    if (bytes > 0 && (operation->workspace == 0 || operation->workspace % 256 != 0))
        return lt_refuse(LT_INVALID_VALUE, "cublasLtMatmul",
                         "the workspace is not aligned to 256 bytes");
    return LT_SUCCESS;
}

/* The algorithm that the caller named, or the best one that fits its workspace. */
static enum lt_status choose(struct operation *operation, const cublasLtMatmulAlgo_t *algo,
                             size_t workspace_bytes) {
    struct lt_preference preference;
    if (algo == NULL) {
        lt_preference_begin(&preference);
        preference.workspace_bytes = workspace_bytes;
        preference.a_alignment = 1;
        int count = lt_algorithms(&operation->problem, &preference, &operation->algo, 1);
        return count == 1 ? LT_SUCCESS : LT_NOT_SUPPORTED;
    }
    memcpy(&operation->algo, algo, sizeof operation->algo);
    if (operation->algo.kind != LT_ALGO) {
        emulated_report("cublasLtMatmul: the algorithm was not made by a successful heuristic");
        return LT_INVALID_VALUE;
    }
    if (operation->algo.problem != lt_problem_number(&operation->problem))
        return lt_refuse(LT_NOT_SUPPORTED, "cublasLtMatmul",
                         "the algorithm was made for another product or GPU");
    return LT_SUCCESS;
}

/* The handle's GPU must be the one that everything else is on. */
static enum lt_status check_place(int device, struct CUstream_st *stream) {
    int current = emulated_current_device();
    if (current == device && emulated_stream_device(stream) == device)
        return LT_SUCCESS;
    emulated_report("cublasLtMatmul: the handle is of GPU %d, the context of %d, the stream of %d",
                    device, current, emulated_stream_device(stream));
    return LT_EXECUTION_FAILED;
}

static enum lt_status operation_make(const struct operation *given,
                                     const cublasLtMatmulAlgo_t *algo, size_t workspace_bytes,
                                     struct operation **out) {
    struct operation *operation = malloc(sizeof *operation);
    if (operation == NULL)
        return LT_ALLOC_FAILED;
    *operation = *given;
    enum lt_status status = choose(operation, algo, workspace_bytes);
    if (status == LT_SUCCESS)
        status = check_alignment(operation);
    if (status == LT_SUCCESS)
        status = check_workspace(operation, workspace_bytes);
    if (status != LT_SUCCESS)
        free(operation);
    else
        *out = operation;
    return status;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t a_layout, const void *b,
                              cublasLtMatrixLayout_t b_layout, const void *beta, const void *c,
                              cublasLtMatrixLayout_t c_layout, void *d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algo,
                              void *workspace, size_t workspace_bytes, struct CUstream_st *stream) {
    struct lt_handle *lt = handle_of(handle, __func__);
    struct operation given = {.a = (uintptr_t)a,
                              .b = (uintptr_t)b,
                              .c = (uintptr_t)c,
                              .d = (uintptr_t)d,
                              .workspace = (uintptr_t)workspace};
    struct operation *operation = NULL;
    cublasStatus_t ordered = enter(__func__, lt != NULL ? lt->device : -1, &given.fault);
    if (ordered != (cublasStatus_t)LT_SUCCESS)
        return ordered;
    if (lt == NULL)
        return (cublasStatus_t)LT_NOT_INITIALIZED;
    if (alpha == NULL || beta == NULL || a == NULL || b == NULL || c == NULL || d == NULL)
        return (cublasStatus_t)LT_INVALID_VALUE;
    enum lt_status status = lt_problem_make(
        __func__, lt->device, (const struct lt_desc *)desc, (const struct lt_layout *)a_layout,
        (const struct lt_layout *)b_layout, (const struct lt_layout *)c_layout,
        (const struct lt_layout *)d_layout, &given.problem);
    if (status == LT_SUCCESS)
        status = check_place(lt->device, stream);
    if (status == LT_SUCCESS) {
        given.alpha = read_factor(given.problem.desc.scale_type, alpha);
        given.beta = read_factor(given.problem.desc.scale_type, beta);
        status = operation_make(&given, algo, workspace_bytes, &operation);
    }
    if (status != LT_SUCCESS)
        return (cublasStatus_t)status;
    if (given.fault.kind == EMULATED_FAULT_HANG && emulated_stream_hang(stream) != 0)
        status = LT_EXECUTION_FAILED;
    if (emulated_stream_enqueue(stream, __func__, operation_run, operation, free) != 0)
        status = LT_EXECUTION_FAILED;
    return (cublasStatus_t)status;
}
