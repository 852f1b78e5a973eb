/* SPDX-License-Identifier: Apache-2.0 */
/* launch.h - how the kernels of kernels/ are started: names, parameters, grids, alignment.
 *
 * Plain C11; the host and the .cu files include it, so that a launch and the code that it reaches
 * cannot disagree. Every kernel is `extern "C"`, takes blocks of PA_KERNEL_THREADS x 1 x 1 threads
 * and no dynamic shared memory, uses block x and y instead of a division, and writes every byte of
 * its output exactly once. A grid is that of the function beside the kernel's parameters below:
 *
 *     struct pa_grid grid = pa_grid_fill(count, blocks);
 *     void *parameters[] = {&out, &blocks, &first, &count, &seed.k0, &seed.k1, &seed.c2, &seed.c3};
 *     cuLaunchKernel(function, grid.x, grid.y, 1, PA_KERNEL_THREADS, 1, 1, 0, stream, parameters,
 * 0);
 *
 * Parameters have the types that stand there, pointers are device addresses (8 bytes).
 */
#ifndef PA_KERNELS_LAUNCH_H
#define PA_KERNELS_LAUNCH_H

#include "kernels/philox.h"

/* Threads of every block of every kernel. */
#define PA_KERNEL_THREADS 256u
/* Vectors of an operand that one thread of a fill makes, one after the other. */
#define PA_FILL_VECTORS 16u
/* Words of a digested piece: a chunk of an all-reduce's result, a chunk of the memory proof. */
#define PA_ALLREDUCE_CHUNK 16384u
#define PA_MEMORY_CHUNK_WORDS 262144u
#define PA_MEMORY_CHUNK_BYTES 1048576u
/* Chunks of a fabric proof's state that a block takes, each with a warp. */
#define PA_FABRIC_BLOCK_CHUNKS (PA_KERNEL_THREADS / 32u)
/* Pointers to data are multiples of this, and so are the rows of C (ld * size of an element).
 * Pointers to digests are multiples of 8, those to an order multiples of 4. */
#define PA_KERNEL_ALIGNMENT 16u

/* K(number, name): all there are.
 *
 * pa_fill_*: vectors first .. first + count - 1 of an operand, each `blocks` Philox blocks long
 * (blocks = k * slot width / 128), one after the other in `out`; values as docs/protocol.md,
 * "Operands". Class and storage are in the name.
 *     (void *out, u32 blocks, u32 first, u32 count, u32 k0, u32 k1, u32 c2, u32 c3)
 *     grid pa_grid_fill(count, blocks); bytes of out: count * blocks * pa_fill_bytes(kernel)
 *
 * pa_digest_*: tile digests of C, rows of A being rows, elements of a row side by side, `ld`
 * elements from one row to the next (cuBLASLt writes this when it is asked for the column-major
 * n x m product of B transposed and A). digests[tile row * n / 128 + tile column].
 *     (const void *c, u32 ld, u32 s, u64 *digests)
 *     grid pa_grid_digest(m, n); m and n are multiples of 128 and m * ld elements are readable
 *
 * pa_allreduce_fill: the `words` int32 words that rank `rank` contributes.
 *     (void *out, u64 words, u32 rank, u32 k0, u32 k1, u32 c2, u32 c3)
 *     grid pa_grid_allreduce_fill(words)
 * pa_allreduce_digest: digests of the chunks of `words` words (docs/protocol.md, "All-reduce").
 *     (const void *in, u64 words, u32 s, u64 *digests)
 *     grid pa_grid_allreduce_digest(words)
 *
 * pa_memory_fill: chunks first .. first + count - 1 of the memory proof, one after the other.
 *     (void *out, u32 first, u32 k0, u32 k1, u32 c2, u32 c3)
 *     grid pa_grid_memory(count)
 * pa_memory_digest: digests[j] = that of the chunk at in + order[j] * PA_MEMORY_CHUNK_BYTES.
 *     (const void *in, const u32 *order, u32 s, u64 *digests)
 *     grid pa_grid_memory(number of entries in order)
 *
 * pa_fabric_fold: the words of C folded into a state (docs/protocol.md, "Fabric proof"): `pieces`
 * of four words, `kind` being that of an element of C. With `is_first` 1 and not 0 the state begins
 * as zeros, and what lies in x is not read.
 *     (void *x, const void *c, u32 pieces, u32 kind, u32 is_first)
 *     grid pa_grid_fabric(pieces)
 * pa_fabric_digest: digests of the state's chunks under the key s.
 *     (const void *x, u32 chunks, u32 s, u64 *digests)
 *     grid pa_grid_fabric_chunks(chunks)
 * pa_fabric_sum: the sums of the chunks of a state and of those of another that they meet by the
 * shuffle, under the keys of their weights.
 *     (const void *x, const void *y, u32 s_x, u32 s_y, struct pa_fabric_shuffle shuffle, u64 *sums)
 *     grid pa_grid_fabric_chunks(shuffle.chunks)
 */
#define PA_KERNELS(K)                                                                              \
    K(PA_KERNEL_FILL_DENSE16_BF16, pa_fill_dense16_bf16)                                           \
    K(PA_KERNEL_FILL_DENSE16_FP16, pa_fill_dense16_fp16)                                           \
    K(PA_KERNEL_FILL_DENSE16_FP32, pa_fill_dense16_fp32)                                           \
    K(PA_KERNEL_FILL_DENSE8_INT8, pa_fill_dense8_int8)                                             \
    K(PA_KERNEL_FILL_FP8_E4M3, pa_fill_fp8_e4m3)                                                   \
    K(PA_KERNEL_FILL_DENSE64_FP64, pa_fill_dense64_fp64)                                           \
    K(PA_KERNEL_DIGEST_F32, pa_digest_f32)                                                         \
    K(PA_KERNEL_DIGEST_I32, pa_digest_i32)                                                         \
    K(PA_KERNEL_DIGEST_F64, pa_digest_f64)                                                         \
    K(PA_KERNEL_ALLREDUCE_FILL, pa_allreduce_fill)                                                 \
    K(PA_KERNEL_ALLREDUCE_DIGEST, pa_allreduce_digest)                                             \
    K(PA_KERNEL_MEMORY_FILL, pa_memory_fill)                                                       \
    K(PA_KERNEL_MEMORY_DIGEST, pa_memory_digest)                                                   \
    K(PA_KERNEL_FABRIC_FOLD, pa_fabric_fold)                                                       \
    K(PA_KERNEL_FABRIC_DIGEST, pa_fabric_digest)                                                   \
    K(PA_KERNEL_FABRIC_SUM, pa_fabric_sum)

/* What an element of C is, for pa_fabric_fold. */
enum pa_fabric_kind { PA_FABRIC_SINGLES, PA_FABRIC_INTEGERS, PA_FABRIC_DOUBLES };

#define PA_KERNEL_NUMBER(number, name) number,
enum pa_kernel { PA_KERNELS(PA_KERNEL_NUMBER) PA_KERNEL_COUNT };
#undef PA_KERNEL_NUMBER

#if !defined(PA_DEVICE_CODE)
struct pa_grid {
    pa_u32 x, y;
};

/* count up to 2^20 and blocks up to 2048: within the driver's limits of 2^31 - 1 and 65535. */
static inline struct pa_grid pa_grid_fill(pa_u32 count, pa_u32 blocks) {
    return (struct pa_grid){(count - 1u) / PA_FILL_VECTORS + 1u,
                            (blocks - 1u) / PA_KERNEL_THREADS + 1u};
}

/* Bytes that a fill writes for one Philox block; 0 for a kernel that is no fill of an operand. */
static inline pa_u32 pa_fill_bytes(enum pa_kernel kernel) {
    switch (kernel) {
    case PA_KERNEL_FILL_DENSE16_BF16: /* 8 elements of 2 */
    case PA_KERNEL_FILL_DENSE16_FP16:
    case PA_KERNEL_FILL_DENSE8_INT8: /* 16 of 1 */
        return 16u;
    case PA_KERNEL_FILL_DENSE16_FP32: /* 8 of 4 */
    case PA_KERNEL_FILL_FP8_E4M3:     /* 32 of 1 */
    case PA_KERNEL_FILL_DENSE64_FP64: /* 4 of 8 */
        return 32u;
    default:
        return 0;
    }
}

static inline struct pa_grid pa_grid_digest(pa_u32 m, pa_u32 n) {
    return (struct pa_grid){n / 128u, m / 128u};
}

/* words up to 2^34, at least 1 */
static inline struct pa_grid pa_grid_allreduce_fill(pa_u64 words) {
    return (struct pa_grid){(pa_u32)((words - 1u) / (16u * PA_KERNEL_THREADS)) + 1u, 1u};
}
static inline struct pa_grid pa_grid_allreduce_digest(pa_u64 words) {
    return (struct pa_grid){(pa_u32)((words - 1u) / PA_ALLREDUCE_CHUNK) + 1u, 1u};
}

/* at least 1 */
static inline struct pa_grid pa_grid_fabric(pa_u32 pieces) {
    return (struct pa_grid){(pieces - 1u) / PA_KERNEL_THREADS + 1u, 1u};
}

static inline struct pa_grid pa_grid_fabric_chunks(pa_u32 chunks) {
    return (struct pa_grid){(chunks - 1u) / PA_FABRIC_BLOCK_CHUNKS + 1u, 1u};
}

/* chunks up to 2^31 - 1, at least 1 */
static inline struct pa_grid pa_grid_memory(pa_u32 chunks) {
    return (struct pa_grid){chunks, 1u};
}
#endif

#endif
