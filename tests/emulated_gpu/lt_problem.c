/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated_gpu/lt_problem.h"

#include "emulated_gpu/emulated.h"
#include "emulated_gpu/emulated_condition.h"
#include "emulated_gpu/lt_numbers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A and B may be any of these; C and D are of one type. `least_sm` 0: every GPU. */
struct combination {
    const char *format;
    int compute, scale, a, b, d;
    int least_sm;
};

/* The rows of NVIDIA's table of supported types that are modelled; what is missing is refused as
 * not supported and said to be so. */
static const struct combination combinations[] = {
    {"fp64", LT_COMPUTE_64F, LT_F64, LT_F64, LT_F64, LT_F64, 0},
    {"fp32", LT_COMPUTE_32F, LT_F32, LT_F32, LT_F32, LT_F32, 0},
    {"fp32", LT_COMPUTE_32F_PEDANTIC, LT_F32, LT_F32, LT_F32, LT_F32, 0},
    {"tf32", LT_COMPUTE_32F_FAST_TF32, LT_F32, LT_F32, LT_F32, LT_F32, 80},
    {"bf16", LT_COMPUTE_32F, LT_F32, LT_BF16, LT_BF16, LT_BF16, 80},
    {"bf16", LT_COMPUTE_32F, LT_F32, LT_BF16, LT_BF16, LT_F32, 80},
    {"fp16", LT_COMPUTE_32F, LT_F32, LT_F16, LT_F16, LT_F16, 0},
    {"fp16", LT_COMPUTE_32F, LT_F32, LT_F16, LT_F16, LT_F32, 0},
    {"int8", LT_COMPUTE_32I, LT_I32, LT_I8, LT_I8, LT_I32, 0},
    {"fp8", LT_COMPUTE_32F, LT_F32, LT_E4M3, LT_E4M3, LT_F32, 89},
    {"fp8", LT_COMPUTE_32F, LT_F32, LT_E4M3, LT_E5M2, LT_F32, 89},
    {"fp8", LT_COMPUTE_32F, LT_F32, LT_E5M2, LT_E4M3, LT_F32, 89},
    {"fp8", LT_COMPUTE_32F, LT_F32, LT_E4M3, LT_E4M3, LT_BF16, 89},
    {"fp8", LT_COMPUTE_32F, LT_F32, LT_E4M3, LT_E4M3, LT_F16, 89},
};

enum lt_status lt_refuse(enum lt_status status, const char *function, const char *format, ...) {
    char text[256];
    va_list args;
    if (getenv("CUBLASLT_LOG_LEVEL") == NULL)
        return status;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "[cublasLt] %s: status %d: %s\n", function, (int)status, text);
    return status;
}

static const struct combination *find_combination(const struct lt_problem *problem) {
    const struct lt_desc *desc = &problem->desc;
    for (size_t i = 0; i < sizeof combinations / sizeof combinations[0]; i++) {
        const struct combination *row = &combinations[i];
        if (row->compute == desc->compute && row->scale == desc->scale_type &&
            row->a == (int)problem->a.type && row->b == (int)problem->b.type &&
            row->d == (int)problem->d.type && row->d == (int)problem->c.type)
            return row;
    }
    return NULL;
}

static bool is_op(int op) {
    return op == LT_OP_N || op == LT_OP_T;
}

static enum lt_status check_layout(const char *function, const char *name,
                                   const struct lt_layout *layout) {
    if (layout->rows == 0 || layout->columns == 0 || layout->rows > INT32_MAX ||
        layout->columns > INT32_MAX)
        return lt_refuse(LT_INVALID_VALUE, function, "%s has %llu x %llu elements", name,
                         (unsigned long long)layout->rows, (unsigned long long)layout->columns);
    if (layout->order != LT_ORDER_COL || layout->batch_count != 1 || layout->plane_offset != 0 ||
        layout->is_beyond)
        return lt_refuse(LT_NOT_SUPPORTED, function,
                         "%s: only column order and no batches are modelled", name);
    if (layout->ld < (int64_t)layout->rows || layout->ld > INT32_MAX)
        return lt_refuse(LT_INVALID_VALUE, function,
                         "%s: leading dimension %lld for columns of %llu elements", name,
                         (long long)layout->ld, (unsigned long long)layout->rows);
    return LT_SUCCESS;
}

/* m, n and k of D = op(A) op(B), which must fit each other. */
static enum lt_status check_shape(const char *function, struct lt_problem *problem) {
    const struct lt_layout *a = &problem->a, *b = &problem->b, *c = &problem->c, *d = &problem->d;
    bool a_turned = problem->desc.op_a == LT_OP_T, b_turned = problem->desc.op_b == LT_OP_T;
    uint64_t b_k = b_turned ? b->columns : b->rows;
    problem->m = a_turned ? a->columns : a->rows;
    problem->k = a_turned ? a->rows : a->columns;
    problem->n = b_turned ? b->rows : b->columns;
    if (b_k != problem->k || d->rows != problem->m || d->columns != problem->n ||
        c->rows != d->rows || c->columns != d->columns)
        return lt_refuse(LT_INVALID_VALUE, function, "the sizes of A, B, C and D do not fit");
    return LT_SUCCESS;
}

static bool is_multiple(const struct lt_problem *problem, uint64_t of, bool with_n) {
    return problem->m % of == 0 && problem->k % of == 0 && (!with_n || problem->n % of == 0);
}

/* "To use IMMA kernels": TN, m and k and leading dimensions multiples of 4. */
static enum lt_status check_int8(const char *function, const struct lt_problem *problem) {
    if (problem->desc.op_a != LT_OP_T || problem->desc.op_b != LT_OP_N)
        return lt_refuse(LT_NOT_SUPPORTED, function, "int8 wants A transposed and B not");
    if (!is_multiple(problem, 4, false) || problem->a.ld % 4 != 0 || problem->b.ld % 4 != 0 ||
        problem->c.ld % 4 != 0)
        return lt_refuse(LT_NOT_SUPPORTED, function,
                         "int8 wants m, k and leading dimensions in multiples of 4");
    return LT_SUCCESS;
}

/* "To use FP8 kernels": TN, all matrix dimensions multiples of 16 bytes. */
static enum lt_status check_fp8(const char *function, const struct lt_problem *problem) {
    uint64_t d_bytes = lt_type_bytes((int)problem->d.type);
    if (problem->desc.op_a != LT_OP_T || problem->desc.op_b != LT_OP_N)
        return lt_refuse(LT_NOT_SUPPORTED, function, "fp8 wants A transposed and B not");
    if (!is_multiple(problem, 16, true) || problem->a.ld % 16 != 0 || problem->b.ld % 16 != 0 ||
        (uint64_t)problem->d.ld * d_bytes % 16 != 0)
        return lt_refuse(LT_NOT_SUPPORTED, function, "fp8 wants dimensions of 16 bytes each");
    if (problem->desc.a_scale_mode != 0 || problem->desc.b_scale_mode != 0)
        return lt_refuse(LT_NOT_SUPPORTED, function, "only scalar scales are modelled");
    return LT_SUCCESS;
}

static bool has_scales(const struct lt_desc *desc) {
    return desc->a_scale != 0 || desc->b_scale != 0 || desc->c_scale != 0 || desc->d_scale != 0 ||
           desc->d_amax != 0;
}

static enum lt_status check_desc(const char *function, const struct lt_desc *desc) {
    if (!is_op(desc->op_a) || !is_op(desc->op_b))
        return lt_refuse(LT_INVALID_VALUE, function, "an operand's operation is neither N nor T");
    if (desc->op_c != LT_OP_N || desc->pointer_mode != 0 || desc->epilogue != 1 ||
        desc->fill_mode != 2 || desc->is_beyond)
        return lt_refuse(LT_NOT_SUPPORTED, function,
                         "epilogues, fill modes and pointer modes are not modelled");
    return LT_SUCCESS;
}

static enum lt_status check_format(const char *function, struct lt_problem *problem) {
    const struct emulated_device *device = &emulated_platform()->devices[problem->device];
    const struct combination *found = find_combination(problem);
    if (found == NULL)
        return lt_refuse(LT_NOT_SUPPORTED, function,
                         "compute %d, scale %d, A %u, B %u, C %u, D %u is no row of the table",
                         problem->desc.compute, problem->desc.scale_type, problem->a.type,
                         problem->b.type, problem->c.type, problem->d.type);
    problem->format = found->format;
    if (device->sm_major * 10 + device->sm_minor < found->least_sm)
        return lt_refuse(LT_NOT_SUPPORTED, function, "sm_%d%d has no %s", device->sm_major,
                         device->sm_minor, found->format);
    if (emulated_condition_lists(emulated_condition(problem->device)->without, found->format))
        return lt_refuse(LT_NOT_SUPPORTED, function, "GPU %d was ordered without %s",
                         problem->device, found->format);
    if (strcmp(found->format, "fp8") == 0)
        return check_fp8(function, problem);
    if (has_scales(&problem->desc))
        return lt_refuse(LT_INVALID_VALUE, function, "scale pointers are for fp8");
    return found->compute == LT_COMPUTE_32I ? check_int8(function, problem) : LT_SUCCESS;
}

enum lt_status lt_problem_make(const char *function, int device, const struct lt_desc *desc,
                               const struct lt_layout *a, const struct lt_layout *b,
                               const struct lt_layout *c, const struct lt_layout *d,
                               struct lt_problem *out) {
    if (desc == NULL || a == NULL || b == NULL || c == NULL || d == NULL)
        return lt_refuse(LT_INVALID_VALUE, function, "a descriptor or layout is NULL");
    if (desc->kind != LT_DESC || a->kind != LT_LAYOUT || b->kind != LT_LAYOUT ||
        c->kind != LT_LAYOUT || d->kind != LT_LAYOUT) {
        emulated_report("%s: a descriptor or layout is none, or was released", function);
        return LT_INVALID_VALUE;
    }
    *out = (struct lt_problem){.device = device, .desc = *desc, .a = *a, .b = *b, .c = *c, .d = *d};
    enum lt_status status = check_desc(function, desc);
    const struct lt_layout *const layouts[] = {a, b, c, d};
    for (int i = 0; status == LT_SUCCESS && i < 4; i++)
        status = check_layout(function, &"A\0B\0C\0D"[2 * i], layouts[i]);
    if (status == LT_SUCCESS)
        status = check_shape(function, out);
    return status == LT_SUCCESS ? check_format(function, out) : status;
}

static uint64_t mixed(uint64_t number, uint64_t value) {
    return (number ^ value) * UINT64_C(0x100000001b3); /* FNV */
}

uint64_t lt_problem_number(const struct lt_problem *problem) {
    const struct lt_layout *const layouts[] = {&problem->a, &problem->b, &problem->c, &problem->d};
    uint64_t number = UINT64_C(0xcbf29ce484222325);
    number = mixed(number, (uint64_t)problem->desc.compute);
    number = mixed(number, (uint64_t)(problem->desc.op_a * 2 + problem->desc.op_b));
    for (int i = 0; i < 4; i++) {
        number = mixed(number, layouts[i]->type);
        number = mixed(number, layouts[i]->rows);
        number = mixed(number, layouts[i]->columns);
        number = mixed(number, (uint64_t)layouts[i]->ld);
    }
    return mixed(number, (uint64_t)problem->device);
}

/* ---- the list ---- */

struct candidate {
    uint32_t tile, stages; /* cublasLtMatmulTile_t and cublasLtMatmulStages_t */
    int32_t splits;
    uint32_t reduction, alignment;
};

/* Wide tiles first, then what small shapes want; splits with every way of adding the parts. */
static const struct candidate candidates[] = {
    {23, 16, 1, LT_REDUCTION_NONE, 16},    /* 128x256, 64x4 stages */
    {20, 16, 1, LT_REDUCTION_NONE, 16},    /* 128x128 */
    {24, 15, 1, LT_REDUCTION_NONE, 16},    /* 256x128, 64x3 */
    {20, 16, 2, LT_REDUCTION_COMPUTE, 16}, /* parts in the workspace */
    {18, 16, 1, LT_REDUCTION_NONE, 4},     /* 128x64 */
    {20, 16, 4, LT_REDUCTION_OUTPUT, 16},  /* parts in the workspace, in D's type */
    {17, 9, 3, LT_REDUCTION_INPLACE, 16},  /* 64x128, 32x3 */
    {15, 7, 1, LT_REDUCTION_NONE, 1},      /* 64x64, 32x1: for any alignment */
};

static uint64_t workspace_of(const struct lt_problem *problem, const struct candidate *candidate) {
    uint64_t sums = problem->m * problem->n;
    uint64_t accumulator = problem->d.type == LT_F64 ? 8 : 4;
    if (candidate->reduction == LT_REDUCTION_COMPUTE)
        return (uint64_t)candidate->splits * sums * accumulator;
    if (candidate->reduction == LT_REDUCTION_OUTPUT)
        return (uint64_t)candidate->splits * sums * lt_type_bytes((int)problem->d.type);
    if (candidate->reduction == LT_REDUCTION_INPLACE)
        return (problem->m + 127) / 128 * ((problem->n + 127) / 128) * 4; /* counters */
    return 0;
}

static bool is_fit(const struct lt_problem *problem, const struct lt_preference *preference,
                   const struct candidate *candidate) {
    uint32_t least = preference->a_alignment;
    least = preference->b_alignment < least ? preference->b_alignment : least;
    least = preference->c_alignment < least ? preference->c_alignment : least;
    least = preference->d_alignment < least ? preference->d_alignment : least;
    return (candidate->reduction & ~preference->reduction_mask) == 0 &&
           workspace_of(problem, candidate) <= preference->workspace_bytes &&
           candidate->alignment <= least && problem->k >= 64u * (uint64_t)candidate->splits;
}

int lt_algorithms(const struct lt_problem *problem, const struct lt_preference *preference,
                  struct lt_algo *out, int most) {
    int count = 0;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0] && count < most; i++) {
        const struct candidate *candidate = &candidates[i];
        if (!is_fit(problem, preference, candidate))
            continue;
        out[count++] = (struct lt_algo){.kind = LT_ALGO,
                                        .id = (int32_t)(60 + i),
                                        .tile = candidate->tile,
                                        .stages = candidate->stages,
                                        .splits = candidate->splits,
                                        .reduction = candidate->reduction,
                                        .alignment = candidate->alignment,
                                        .workspace_bytes = workspace_of(problem, candidate),
                                        .problem = lt_problem_number(problem)};
    }
    return count;
}
