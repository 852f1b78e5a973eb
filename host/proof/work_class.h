/* SPDX-License-Identifier: Apache-2.0 */
/* work_class.h - what is proven: exact products of b-bit integer matrices (docs/protocol.md 1).
 *
 * A class says which integers the operands hold, a format which arithmetic a device runs them in.
 * Formats cannot be proven, classes can.
 */
#ifndef PA_PROOF_WORK_CLASS_H
#define PA_PROOF_WORK_CLASS_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers are part of the protocol. */
enum pa_class {
    PA_CLASS_NONE = 0,
    PA_DENSE16 = 1,
    PA_DENSE8 = 2,
    PA_CLASS_FP8 = 3,
    PA_DENSE64 = 4
};

enum {
    PA_PROTOCOL_VERSION = 1,
    PA_TILE = 128,         /* tiles of C are 128 x 128 */
    PA_CERTIFIED_K = 8192, /* what a certificate needs; anything else gives a TEST result */
    PA_CERTIFIED_LEAST_M = 2048,
    PA_CERTIFIED_LEAST_N = 1024,
    PA_MOST_STEPS = 65535, /* of one device in one epoch */
    PA_MOST_K = 8192,      /* beyond it dense16 would no longer be exact */
    PA_MOST_MN = 1 << 20,
};

enum pa_word_kind {
    PA_WORD_F32,
    PA_WORD_I32,
    PA_WORD_F64
}; /* how an element of C becomes words of a digest */

struct pa_class_traits {
    enum pa_class id;
    const char *name;        /* "dense16" */
    int bits;                /* operand values are bits-bit two's complement */
    int slot_bits;           /* width of a slot in Philox's output: 16, 8, 4 or 32 */
    enum pa_word_kind words; /* dense16, fp8: F32; dense8: I32; dense64: F64 */
    const char *proven;      /* words for a certificate: "16-bit dense matrix products" */
};

/* NULL for a number that is no class. */
const struct pa_class_traits *pa_class_traits(enum pa_class id);
/* PA_CLASS_NONE for a name that is no class. */
enum pa_class pa_class_named(const char *name);

struct pa_shape {
    uint32_t m, n,
        k; /* C (m x n) = A (m x k) * B (k x n); m and n multiples of 128, k of 128/slot width */
};

/* Dimensions that the protocol can handle at all (they may still be TEST only). Nothing may be
 * multiplied or allocated for a shape that this refuses. */
bool pa_shape_is_sound(enum pa_class id, struct pa_shape shape);
/* The stricter limits of a certificate (docs/protocol.md 2): K = 8192, M >= 2048, N >= 1024. */
bool pa_shape_is_certified(struct pa_shape shape);

/* 2MNK, counted as classical operations; m*n tiles of 128 x 128. Sound shapes only: no overflow
 * there. */
uint64_t pa_shape_operations(struct pa_shape shape);
uint64_t pa_shape_tiles(struct pa_shape shape);

#endif
