/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/work_class.h"

#include <stddef.h>
#include <string.h>

static const struct pa_class_traits classes[] = {
    {PA_DENSE16, "dense16", 9, 16, PA_WORD_F32, "16-bit dense matrix products"},
    {PA_DENSE8, "dense8", 8, 8, PA_WORD_I32, "8-bit dense matrix products"},
    {PA_CLASS_FP8, "fp8", 4, 4, PA_WORD_F32, "fp8 dense matrix products (4-bit operands)"},
    {PA_DENSE64, "dense64", 23, 32, PA_WORD_F64,
     "53-bit exact dense matrix products (emulation allowed)"},
};

const struct pa_class_traits *pa_class_traits(enum pa_class id) {
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (classes[i].id == id)
            return &classes[i];
    return NULL;
}

enum pa_class pa_class_named(const char *name) {
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (strcmp(classes[i].name, name) == 0)
            return classes[i].id;
    return PA_CLASS_NONE;
}

bool pa_shape_is_sound(enum pa_class id, struct pa_shape shape) {
    const struct pa_class_traits *traits = pa_class_traits(id);
    if (traits == NULL)
        return false;
    uint32_t slots = 128 / (uint32_t)traits->slot_bits;
    return shape.m > 0 && shape.m <= PA_MOST_MN && shape.m % PA_TILE == 0 && shape.n > 0 &&
           shape.n <= PA_MOST_MN && shape.n % PA_TILE == 0 && shape.k > 0 && shape.k <= PA_MOST_K &&
           shape.k % slots == 0;
}

bool pa_shape_is_certified(struct pa_shape shape) {
    return shape.k == PA_CERTIFIED_K && shape.m >= PA_CERTIFIED_LEAST_M &&
           shape.n >= PA_CERTIFIED_LEAST_N && shape.m % PA_TILE == 0 && shape.n % PA_TILE == 0;
}

uint64_t pa_shape_operations(struct pa_shape shape) {
    return 2 * (uint64_t)shape.m * shape.n * shape.k;
}

uint64_t pa_shape_tiles(struct pa_shape shape) {
    return (uint64_t)(shape.m / PA_TILE) * (shape.n / PA_TILE);
}
