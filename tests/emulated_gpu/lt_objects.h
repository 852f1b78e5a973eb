/* SPDX-License-Identifier: Apache-2.0 */
/* lt_objects.h - the objects of the emulated libcublasLt.so.13: handle, descriptor, layouts,
 * preference and algorithm, and the status codes of the vendor's.
 */
#ifndef PA_EMULATED_LT_OBJECTS_H
#define PA_EMULATED_LT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lt_status {
    LT_SUCCESS = 0,
    LT_NOT_INITIALIZED = 1,
    LT_ALLOC_FAILED = 3,
    LT_INVALID_VALUE = 7,
    LT_ARCH_MISMATCH = 8,
    LT_EXECUTION_FAILED = 13,
    LT_INTERNAL_ERROR = 14,
    LT_NOT_SUPPORTED = 15,
};

/* cublasComputeType_t */
enum lt_compute {
    LT_COMPUTE_32F = 68,
    LT_COMPUTE_32F_PEDANTIC = 69,
    LT_COMPUTE_64F = 70,
    LT_COMPUTE_32I = 72,
    LT_COMPUTE_32F_FAST_TF32 = 77,
};

enum { LT_OP_N = 0, LT_OP_T = 1, LT_ORDER_COL = 0 };
enum { LT_REDUCTION_NONE = 0, LT_REDUCTION_INPLACE = 1, LT_REDUCTION_COMPUTE = 2 };
enum { LT_REDUCTION_OUTPUT = 4, LT_REDUCTION_ALL = 7 };

/* What an object is, so that a wrong or released one is recognised. */
enum lt_kind {
    LT_HANDLE = 0x4c740001,
    LT_DESC = 0x4c740002,
    LT_LAYOUT = 0x4c740003,
    LT_PREFERENCE = 0x4c740004,
};

struct lt_handle {
    enum lt_kind kind;
    int device;
    struct lt_handle *next; /* of all: one of a dead context is never destroyed, and no leak */
};

/* The vendor's defaults are in lt_objects.c. Scale pointers are device addresses. */
struct lt_desc {
    enum lt_kind kind;
    int32_t compute, scale_type, pointer_mode, op_a, op_b, op_c, fill_mode;
    uint32_t epilogue;
    uint64_t a_scale, b_scale, c_scale, d_scale, d_amax;
    int32_t a_scale_mode, b_scale_mode;
    int8_t fast_accumulation;
    bool is_beyond; /* an attribute was set that is not modelled */
};

struct lt_layout {
    enum lt_kind kind;
    uint32_t type;
    int32_t order, batch_count;
    uint64_t rows, columns;
    int64_t ld, plane_offset;
    bool is_beyond;
};

struct lt_preference {
    enum lt_kind kind;
    uint32_t search_mode, reduction_mask;
    uint32_t a_alignment, b_alignment, c_alignment, d_alignment;
    uint64_t workspace_bytes, implementations;
    float waves;
};

/* In the vendor's 64 bytes. */
struct lt_algo {
    uint32_t kind; /* LT_ALGO, or it was never filled in */
    int32_t id, splits;
    uint32_t tile, stages, reduction, swizzle, alignment;
    uint64_t workspace_bytes, problem; /* of lt_problem_number */
    uint64_t reserved[2];
};
enum { LT_ALGO = 0x4c740005 };
_Static_assert(sizeof(struct lt_algo) == 64, "the vendor's size");

/* Set or get an attribute; LT_INVALID_VALUE for an unknown one, a wrong size or no buffer. */
enum lt_status lt_desc_set(struct lt_desc *desc, int attribute, const void *value, size_t size);
enum lt_status lt_layout_set(struct lt_layout *layout, int attribute, const void *value,
                             size_t size);
enum lt_status lt_preference_set(struct lt_preference *preference, int attribute, const void *value,
                                 size_t size);
enum lt_status lt_algo_get(const struct lt_algo *algo, int attribute, void *value, size_t size,
                           size_t *written);

void lt_desc_begin(struct lt_desc *desc, int compute, int scale_type);
void lt_layout_begin(struct lt_layout *layout, int type, uint64_t rows, uint64_t columns,
                     int64_t ld);
void lt_preference_begin(struct lt_preference *preference);

#endif
