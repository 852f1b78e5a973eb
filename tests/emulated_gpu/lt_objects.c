/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of the descriptors: ids, sizes and defaults as cublasLt.h 13 documents them. The
 * genuine library gives the same answers to the same calls (test_lt_contract.c). */
#include "emulated_gpu/lt_objects.h"

#include <stdbool.h>
#include <string.h>

struct attribute {
    int id;
    size_t offset, size;
};

#define AT(id, type, member)                                                                       \
    { id, offsetof(struct type, member), sizeof(((struct type *)0)->member) }

/* Known to the library by this size, but not modelled: whoever sets it cannot multiply here. */
#define UNUSED(id, size)                                                                           \
    { id, SIZE_MAX, size }

static const struct attribute desc_attributes[] = {
    AT(0, lt_desc, compute),
    AT(1, lt_desc, scale_type),
    AT(2, lt_desc, pointer_mode),
    AT(3, lt_desc, op_a),
    AT(4, lt_desc, op_b),
    AT(5, lt_desc, op_c),
    AT(6, lt_desc, fill_mode),
    AT(7, lt_desc, epilogue),
    UNUSED(8, 8),  /* bias pointer */
    UNUSED(10, 8), /* bias batch stride */
    UNUSED(11, 8), /* epilogue auxiliary pointer, leading dimension and batch stride */
    UNUSED(12, 8),
    UNUSED(13, 8),
    UNUSED(14, 8), /* alpha vector batch stride */
    UNUSED(15, 4), /* multiprocessors to aim at */
    AT(17, lt_desc, a_scale),
    AT(18, lt_desc, b_scale),
    AT(19, lt_desc, c_scale),
    AT(20, lt_desc, d_scale),
    AT(21, lt_desc, d_amax),
    UNUSED(22, 4), /* epilogue auxiliary type, scale and maximum */
    UNUSED(23, 8),
    UNUSED(24, 8),
    AT(25, lt_desc, fast_accumulation),
    UNUSED(26, 4), /* bias type */
    AT(31, lt_desc, a_scale_mode),
    AT(32, lt_desc, b_scale_mode),
    UNUSED(33, 4), /* scale modes of C, D and the epilogue */
    UNUSED(34, 4),
    UNUSED(35, 4),
    UNUSED(36, 8), /* output scales of D */
    UNUSED(37, 4),
    UNUSED(38, 8), /* emulation of formats */
};

static const struct attribute layout_attributes[] = {
    AT(0, lt_layout, type),
    AT(1, lt_layout, order),
    AT(2, lt_layout, rows),
    AT(3, lt_layout, columns),
    AT(4, lt_layout, ld),
    AT(5, lt_layout, batch_count),
    UNUSED(6, 8), /* batch stride */
    AT(7, lt_layout, plane_offset),
    UNUSED(8, 4), /* batch mode */
};

static const struct attribute preference_attributes[] = {
    AT(0, lt_preference, search_mode),      AT(1, lt_preference, workspace_bytes),
    AT(3, lt_preference, reduction_mask),   AT(5, lt_preference, a_alignment),
    AT(6, lt_preference, b_alignment),      AT(7, lt_preference, c_alignment),
    AT(8, lt_preference, d_alignment),      AT(9, lt_preference, waves),
    AT(12, lt_preference, implementations),
};

static const struct attribute algo_attributes[] = {
    AT(0, lt_algo, id),        AT(1, lt_algo, tile),    AT(2, lt_algo, splits),
    AT(3, lt_algo, reduction), AT(4, lt_algo, swizzle), AT(6, lt_algo, stages),
};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const struct attribute *find(const struct attribute *list, size_t count, int id) {
    for (size_t i = 0; i < count; i++)
        if (list[i].id == id)
            return &list[i];
    return NULL;
}

static enum lt_status set(void *object, bool *is_beyond, const struct attribute *attribute,
                          const void *value, size_t size) {
    if (attribute == NULL || value == NULL || size != attribute->size)
        return LT_INVALID_VALUE;
    if (attribute->offset == SIZE_MAX)
        *is_beyond = true;
    else
        memcpy((uint8_t *)object + attribute->offset, value, size);
    return LT_SUCCESS;
}

enum lt_status lt_desc_set(struct lt_desc *desc, int attribute, const void *value, size_t size) {
    return set(desc, &desc->is_beyond, find(desc_attributes, COUNT(desc_attributes), attribute),
               value, size);
}

enum lt_status lt_layout_set(struct lt_layout *layout, int attribute, const void *value,
                             size_t size) {
    return set(layout, &layout->is_beyond,
               find(layout_attributes, COUNT(layout_attributes), attribute), value, size);
}

enum lt_status lt_preference_set(struct lt_preference *preference, int attribute, const void *value,
                                 size_t size) {
    bool is_beyond; /* every preference is modelled */
    return set(preference, &is_beyond,
               find(preference_attributes, COUNT(preference_attributes), attribute), value, size);
}

enum lt_status lt_algo_get(const struct lt_algo *algo, int id, void *value, size_t size,
                           size_t *written) {
    const struct attribute *attribute = find(algo_attributes, COUNT(algo_attributes), id);
    if (algo == NULL || algo->kind != LT_ALGO || attribute == NULL)
        return LT_INVALID_VALUE;
    if (written != NULL)
        *written = attribute->size;
    if (size == 0 && written != NULL)
        return LT_SUCCESS; /* only the size was asked for */
    if (value == NULL || size != attribute->size)
        return LT_INVALID_VALUE;
    memcpy(value, (const uint8_t *)algo + attribute->offset, attribute->size);
    return LT_SUCCESS;
}

void lt_desc_begin(struct lt_desc *desc, int compute, int scale_type) {
    *desc = (struct lt_desc){.kind = LT_DESC,
                             .compute = compute,
                             .scale_type = scale_type,
                             .fill_mode = 2, /* full */
                             .epilogue = 1}; /* none */
}

void lt_layout_begin(struct lt_layout *layout, int type, uint64_t rows, uint64_t columns,
                     int64_t ld) {
    *layout = (struct lt_layout){.kind = LT_LAYOUT,
                                 .type = (uint32_t)type,
                                 .order = LT_ORDER_COL,
                                 .batch_count = 1,
                                 .rows = rows,
                                 .columns = columns,
                                 .ld = ld};
}

void lt_preference_begin(struct lt_preference *preference) {
    *preference = (struct lt_preference){.kind = LT_PREFERENCE,
                                         .reduction_mask = LT_REDUCTION_ALL,
                                         .a_alignment = 256,
                                         .b_alignment = 256,
                                         .c_alignment = 256,
                                         .d_alignment = 256,
                                         .implementations = UINT64_MAX};
}
