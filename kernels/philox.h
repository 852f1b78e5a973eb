/* SPDX-License-Identifier: Apache-2.0 */
/* philox.h - operands out of seeds, for every processor that computes them.
 *
 * The one text that C11, CUDA and OpenCL all compile: nothing here calls a library, and every
 * function is inline. Element k of vector v (a row of A, a column of B) of a class with slot width
 * w bits lies in Philox block k / (128/w), in slot k % (128/w):
 *
 *     pa_u32 x[4];
 *     pa_philox(seed, k / (128 / w), v, x);
 *     value = pa_slot_value(x, k % (128 / w), w, b);      // b-bit two's complement, no branch
 *
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11.
 */
#ifndef PA_KERNELS_PHILOX_H
#define PA_KERNELS_PHILOX_H

#if defined(__OPENCL_VERSION__)
typedef uint pa_u32;
typedef int pa_i32;
typedef ulong pa_u64;
#define PA_INLINE static inline
#elif defined(__CUDACC__) || defined(__CUDA__) /* nvcc, clang */
typedef unsigned int pa_u32;
typedef int pa_i32;
typedef unsigned long long pa_u64;
#define PA_INLINE static __inline__ __attribute__((host, device, always_inline))
#else
#include <stdint.h>
typedef uint32_t pa_u32;
typedef int32_t pa_i32;
typedef uint64_t pa_u64;
#define PA_INLINE static inline
#endif

/* The first 20 bytes of a seed's hash, little endian. */
struct pa_seed {
    pa_u32 k0, k1; /* Philox key */
    pa_u32 c2, c3; /* upper half of its counter */
    pa_u32 s;      /* keys the tile digests (digest.h) */
};

#define PA_PHILOX_M0 0xD2511F53u
#define PA_PHILOX_M1 0xCD9E8D57u
#define PA_PHILOX_W0 0x9E3779B9u
#define PA_PHILOX_W1 0xBB67AE85u
#define PA_PHILOX_ROUNDS 10

/* The 128 bits of counter (block, v, c2, c3) under key (k0, k1). */
PA_INLINE void pa_philox(struct pa_seed seed, pa_u32 block, pa_u32 v, pa_u32 out[4]) {
    pa_u32 x0 = block, x1 = v, x2 = seed.c2, x3 = seed.c3, k0 = seed.k0, k1 = seed.k1;
    for (int round = 0; round < PA_PHILOX_ROUNDS; round++) {
        pa_u64 p0 = (pa_u64)PA_PHILOX_M0 * x0, p1 = (pa_u64)PA_PHILOX_M1 * x2;
        x0 = (pa_u32)(p1 >> 32) ^ x1 ^ k0;
        x1 = (pa_u32)p1;
        x2 = (pa_u32)(p0 >> 32) ^ x3 ^ k1;
        x3 = (pa_u32)p0;
        k0 += PA_PHILOX_W0;
        k1 += PA_PHILOX_W1;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

/* Slot i, `width` bits wide (4, 8, 16 or 32), of a block, as the integer that its low `bits` bits
 * stand for: a mask and a subtraction, without bias. */
PA_INLINE pa_i32 pa_slot_value(const pa_u32 block[4], pa_u32 i, pa_u32 width, pa_u32 bits) {
    pa_u32 at = i * width;
    pa_u32 slot = block[at >> 5] >> (at & 31u);
    return (pa_i32)(slot & ((1u << bits) - 1u)) - (pa_i32)(1u << (bits - 1u));
}

/* The same with the widths of the four classes as constants. */
PA_INLINE pa_i32 pa_slot_dense16(const pa_u32 block[4], pa_u32 i) { /* i = 0..7: -256..255 */
    return pa_slot_value(block, i, 16u, 9u);
}
PA_INLINE pa_i32 pa_slot_dense8(const pa_u32 block[4], pa_u32 i) { /* i = 0..15: -128..127 */
    return pa_slot_value(block, i, 8u, 8u);
}
PA_INLINE pa_i32 pa_slot_fp8(const pa_u32 block[4], pa_u32 i) { /* i = 0..31: -8..7 */
    return pa_slot_value(block, i, 4u, 4u);
}
PA_INLINE pa_i32 pa_slot_dense64(const pa_u32 block[4], pa_u32 i) { /* i = 0..3: -2^22..2^22-1 */
    return pa_slot_value(block, i, 32u, 23u);
}

#endif
