/* SPDX-License-Identifier: Apache-2.0 */
/* All kernels as one module: one file to compile for each architecture. */
#include "kernels/allreduce.cu"
#include "kernels/digest_tiles.cu"
#include "kernels/fabric.cu"
#include "kernels/fill_dense16.cu"
#include "kernels/fill_dense64.cu"
#include "kernels/fill_dense8.cu"
#include "kernels/fill_fp8.cu"
#include "kernels/memory_proof.cu"
