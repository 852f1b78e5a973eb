/* SPDX-License-Identifier: Apache-2.0 */
/* cpu_kernels.h - operands and tile digests on a processor, one table of functions per instruction
 * set.
 *
 * Every table gives the bits of kernels/philox.h and kernels/digest.h; the portable one calls them,
 * the others are compiled from one text (cpu_kernels_text.h) over vectors of 8 or 16 words.
 */
#ifndef PA_DEVICE_CPU_KERNELS_H
#define PA_DEVICE_CPU_KERNELS_H

#include "device/device.h"

enum pa_cpu_level { PA_CPU_PORTABLE, PA_CPU_AVX2, PA_CPU_AVX512 };

/* How a class fills an operand (PROTOCOL.md 3, "Operands") and how C becomes words. */
struct pa_operand_kind {
    uint32_t class_id;
    uint32_t slot_bits; /* width of a slot of Philox's output */
    uint32_t bits;      /* operand values are this wide */
    enum pa_format format;
};

/* False for a class that does not exist or a format that the class cannot run in on a processor. */
bool pa_operand_kind(uint32_t class_id, enum pa_format format, struct pa_operand_kind *out);
size_t pa_format_bytes(enum pa_format format); /* of one operand element; 0 if no CPU format */

struct pa_cpu_kernels {
    const char *name; /* "avx512" */

    /* Vectors first .. first + count - 1 of k elements each, one after the other ("K-contiguous").
     */
    void (*plain)(const struct pa_operand_kind *kind, const struct pa_seed *seed, uint32_t first,
                  uint32_t count, uint32_t k, void *out);
    /* The same vectors (a multiple of 16) as one block of a library's packed operand: groups of 4
     * bytes along K (1 fp32, 2 bf16 or 4 int8), within a group row the `count` vectors side by
     * side. `sums`, when not NULL, gets the sum of each vector's values (int8 only). */
    void (*packed)(const struct pa_operand_kind *kind, const struct pa_seed *seed, uint32_t first,
                   uint32_t count, uint32_t k, void *out, int32_t *sums);

    /* Digest of the 128 x 128 tile at `c`, rows `ld` elements apart. */
    uint64_t (*tile_f32)(const void *c, uint64_t ld, uint32_t s);
    uint64_t (*tile_i32)(const void *c, uint64_t ld, uint32_t s);
    uint64_t (*tile_f64)(const void *c, uint64_t ld, uint32_t s);
};

/* The best level that this processor has. */
enum pa_cpu_level pa_cpu_level(void);
/* NULL when this build or this processor lacks the level. */
const struct pa_cpu_kernels *pa_cpu_kernels(enum pa_cpu_level level);

extern const struct pa_cpu_kernels pa_cpu_kernels_portable;
#if defined(__x86_64__)
extern const struct pa_cpu_kernels pa_cpu_kernels_avx2;
extern const struct pa_cpu_kernels pa_cpu_kernels_avx512;
#endif

#endif
