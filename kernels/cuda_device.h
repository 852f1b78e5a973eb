/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_device.h - the little of CUDA that the kernels use, for nvcc and for clang without any of
 * NVIDIA's headers (-nocudainc -nocudalib).
 *
 * Kept small on purpose, because the emulated driver of the tests interprets the PTX of it: whole
 * numbers only, one barrier, shuffles by whole warps, pointers to global memory as parameters, no
 * dynamic shared memory, no function that is not inlined.
 */
#ifndef PA_KERNELS_CUDA_DEVICE_H
#define PA_KERNELS_CUDA_DEVICE_H

#define PA_DEVICE_CODE
#include "kernels/launch.h"

#define PA_DEVICE static __inline__ __attribute__((device, always_inline))
#define PA_SHARED __attribute__((shared))
#define PA_KERNEL                                                                                  \
    extern "C" __attribute__((global)) void __attribute__((launch_bounds(PA_KERNEL_THREADS)))

/* What one load or store moves, 16 bytes at an address that is a multiple of 16: the vector types
 * make sure that neither compiler takes it apart. */
struct __attribute__((aligned(16))) pa_words {
    pa_u32 x[4];
};
#if defined(__CUDACC__)
typedef uint4 pa_vector;
#else
typedef pa_u32 pa_vector __attribute__((ext_vector_type(4)));
#endif
PA_DEVICE void pa_store(struct pa_words *at, const struct pa_words *words) {
    pa_vector vector;
    vector.x = words->x[0];
    vector.y = words->x[1];
    vector.z = words->x[2];
    vector.w = words->x[3];
    *(pa_vector *)at = vector;
}
PA_DEVICE void pa_load(struct pa_words *words, const void *at) {
    const pa_vector vector = *(const pa_vector *)at;
    words->x[0] = vector.x;
    words->x[1] = vector.y;
    words->x[2] = vector.z;
    words->x[3] = vector.w;
}

#if defined(__CUDACC__)
PA_DEVICE pa_u32 pa_thread(void) {
    return threadIdx.x;
}
PA_DEVICE pa_u32 pa_block_x(void) {
    return blockIdx.x;
}
PA_DEVICE pa_u32 pa_block_y(void) {
    return blockIdx.y;
}
PA_DEVICE pa_u32 pa_grid_x(void) {
    return gridDim.x;
}
PA_DEVICE void pa_barrier(void) {
    __syncthreads();
}
PA_DEVICE pa_u32 pa_leading_zeros(pa_u32 x) {
    return (pa_u32)__clz((int)x);
}
/* Byte i of the result is byte (choices >> 4i & 7) of high:low. */
PA_DEVICE pa_u32 pa_choose_bytes(pa_u32 low, pa_u32 high, pa_u32 choices) {
    return __byte_perm(low, high, choices);
}
/* The word of the lane `distance` further on in a whole warp. */
PA_DEVICE pa_u32 pa_shuffle_down(pa_u32 word, pa_u32 distance) {
    return __shfl_down_sync(0xFFFFFFFFu, word, distance);
}
#else
PA_DEVICE pa_u32 pa_thread(void) {
    return (pa_u32)__nvvm_read_ptx_sreg_tid_x();
}
PA_DEVICE pa_u32 pa_block_x(void) {
    return (pa_u32)__nvvm_read_ptx_sreg_ctaid_x();
}
PA_DEVICE pa_u32 pa_block_y(void) {
    return (pa_u32)__nvvm_read_ptx_sreg_ctaid_y();
}
PA_DEVICE pa_u32 pa_grid_x(void) {
    return (pa_u32)__nvvm_read_ptx_sreg_nctaid_x();
}
PA_DEVICE void pa_barrier(void) {
    __nvvm_bar_sync(0);
}
PA_DEVICE pa_u32 pa_leading_zeros(pa_u32 x) {
    return x == 0 ? 32u : (pa_u32)__builtin_clz(x);
}
PA_DEVICE pa_u32 pa_choose_bytes(pa_u32 low, pa_u32 high, pa_u32 choices) {
    return __nvvm_prmt(low, high, choices);
}
PA_DEVICE pa_u32 pa_shuffle_down(pa_u32 word, pa_u32 distance) {
    return (pa_u32)__nvvm_shfl_sync_down_i32(0xFFFFFFFFu, (int)word, (int)distance, 31);
}
#endif

#endif
