/* SPDX-License-Identifier: Apache-2.0 */
#include "device/cpu_kernels.h"

#include "kernels/digest.h"

#include <string.h>

/* Numbers of enum pa_class (proof/work_class.h), which this room does not include. */
static const struct {
    uint32_t class_id, slot_bits, bits;
    enum pa_format formats[2];
} classes[] = {
    {1, 16, 9, {PA_BF16, PA_FP32}},
    {2, 8, 8, {PA_INT8}},
    {3, 4, 4, {PA_BF16, PA_FP32}},
    {4, 32, 23, {PA_FP64}},
};

bool pa_operand_kind(uint32_t class_id, enum pa_format format, struct pa_operand_kind *out) {
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (classes[i].class_id != class_id)
            continue;
        if (format == 0 || (classes[i].formats[0] != format && classes[i].formats[1] != format))
            return false;
        *out = (struct pa_operand_kind){class_id, classes[i].slot_bits, classes[i].bits, format};
        return true;
    }
    return false;
}

size_t pa_format_bytes(enum pa_format format) {
    switch (format) {
    case PA_FP64:
        return 8;
    case PA_FP32:
        return 4;
    case PA_BF16:
        return 2;
    case PA_INT8:
        return 1;
    default:
        return 0;
    }
}

/* Element `at` of an operand in `format`; every value of every class is exact in its formats. */
static void put_value(enum pa_format format, void *out, size_t at, int32_t value) {
    float single = (float)value;
    double wide = value;
    int8_t narrow = (int8_t)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    uint16_t brain = (uint16_t)(bits >> 16);
    switch (format) {
    case PA_FP64:
        memcpy((uint8_t *)out + at * sizeof wide, &wide, sizeof wide);
        break;
    case PA_FP32:
        memcpy((uint8_t *)out + at * sizeof single, &single, sizeof single);
        break;
    case PA_BF16:
        memcpy((uint8_t *)out + at * sizeof brain, &brain, sizeof brain);
        break;
    default:
        memcpy((uint8_t *)out + at, &narrow, sizeof narrow);
        break;
    }
}

static void portable_plain(const struct pa_operand_kind *kind, const struct pa_seed *seed,
                           uint32_t first, uint32_t count, uint32_t k, void *out) {
    uint32_t slots = 128 / kind->slot_bits, x[4];
    for (uint32_t v = 0; v < count; v++)
        for (uint32_t block = 0; block < k / slots; block++) {
            pa_philox(*seed, block, first + v, x);
            for (uint32_t i = 0; i < slots; i++)
                put_value(kind->format, out, (size_t)v * k + (size_t)block * slots + i,
                          pa_slot_value(x, i, kind->slot_bits, kind->bits));
        }
}

static void portable_packed(const struct pa_operand_kind *kind, const struct pa_seed *seed,
                            uint32_t first, uint32_t count, uint32_t k, void *out, int32_t *sums) {
    uint32_t slots = 128 / kind->slot_bits, x[4];
    size_t group = 4 / pa_format_bytes(kind->format);
    for (uint32_t v = 0; v < count; v++) {
        int32_t sum = 0;
        for (uint32_t block = 0; block < k / slots; block++) {
            pa_philox(*seed, block, first + v, x);
            for (uint32_t i = 0; i < slots; i++) {
                int32_t value = pa_slot_value(x, i, kind->slot_bits, kind->bits);
                size_t at = (size_t)block * slots + i;
                put_value(kind->format, out, (at / group * count + v) * group + at % group, value);
                sum += value;
            }
        }
        if (sums != NULL)
            sums[v] = sum;
    }
}

static uint64_t portable_f32(const void *c, uint64_t ld, uint32_t s) {
    return pa_digest_tile_f32(c, ld, s);
}

static uint64_t portable_i32(const void *c, uint64_t ld, uint32_t s) {
    return pa_digest_tile_i32(c, ld, s);
}

static uint64_t portable_f64(const void *c, uint64_t ld, uint32_t s) {
    return pa_digest_tile_f64(c, ld, s);
}

const struct pa_cpu_kernels pa_cpu_kernels_portable = {
    "portable", portable_plain, portable_packed, portable_f32, portable_i32, portable_f64,
};

enum pa_cpu_level pa_cpu_level(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        return PA_CPU_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return PA_CPU_AVX2;
#endif
    return PA_CPU_PORTABLE;
}

const struct pa_cpu_kernels *pa_cpu_kernels(enum pa_cpu_level level) {
    if (level > pa_cpu_level())
        return NULL;
    switch (level) {
#if defined(__x86_64__)
    case PA_CPU_AVX512:
        return &pa_cpu_kernels_avx512;
    case PA_CPU_AVX2:
        return &pa_cpu_kernels_avx2;
#endif
    default:
        return &pa_cpu_kernels_portable;
    }
}
