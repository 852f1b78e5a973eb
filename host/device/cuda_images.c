/* SPDX-License-Identifier: Apache-2.0 */
#include "device/cuda_images.h"

#include "embedded/cuda_images_built.h"

/* A zero byte that is not counted follows what is embedded. The last entry is none: without it a
 * build with no cubin would have an empty array. */
#define CUBIN(sm) {sm, pa_kernels_sm_##sm, sizeof pa_kernels_sm_##sm - 1},
static const struct pa_cuda_image cubins[] = {PA_CUDA_CUBINS(CUBIN){0, NULL, 0}};

static const struct pa_cuda_images images = {
    .cubins = cubins,
    .cubin_count = sizeof cubins / sizeof cubins[0] - 1,
    .compiler = PA_CUDA_COMPILER,
#ifdef PA_CUDA_HAS_PTX
    .ptx = (const char *)pa_kernels_ptx,
    .ptx_size = sizeof pa_kernels_ptx - 1,
#else
    .why_absent =
        "this build has no code for CUDA devices: neither nvcc nor a clang that makes PTX "
        "was found; install clang or the CUDA toolkit and build petaudit again",
#endif
};

const struct pa_cuda_images *pa_cuda_images(void) {
    return &images;
}

const struct pa_cuda_image *pa_cuda_image_for(unsigned major, unsigned minor) {
    const struct pa_cuda_image *best = NULL;
    for (size_t i = 0; i < images.cubin_count; i++)
        if (cubins[i].sm / 10 == major && cubins[i].sm % 10 <= minor &&
            (best == NULL || cubins[i].sm > best->sm))
            best = &cubins[i];
    return best;
}
