/* SPDX-License-Identifier: Apache-2.0 */
/* cuda_images.h - the kernels of kernels/ as they are in this binary: machine code for the
 * architectures known when it was built, and one PTX text from which a driver makes code for any
 * other from compute capability 7.5 on.
 *
 *     const struct pa_cuda_images *images = pa_cuda_images();
 *     const struct pa_cuda_image *cubin = pa_cuda_image_for(major, minor);
 *     cuModuleLoadData(&module, cubin != NULL ? (const void *)cubin->bytes : images->ptx);
 *
 * A driver that answers NO_BINARY_FOR_GPU to a cubin is given the PTX. Built by nvcc there are
 * both, by clang there is PTX alone; a build that found neither has nothing and says why.
 */
#ifndef PA_DEVICE_CUDA_IMAGES_H
#define PA_DEVICE_CUDA_IMAGES_H

#include <stddef.h>
#include <stdint.h>

struct pa_cuda_image {
    unsigned sm; /* 10 * major + minor of the compute capability: 75, 90, 100 */
    const uint8_t *bytes;
    size_t size;
};

struct pa_cuda_images {
    const struct pa_cuda_image *cubins; /* in the order of sm */
    size_t cubin_count;
    const char *ptx;        /* ends with a zero byte; NULL: this build has no kernels */
    size_t ptx_size;        /* without the zero byte */
    const char *compiler;   /* "nvcc 13.0.88"; empty without kernels */
    const char *why_absent; /* why this build has no kernels, and what to do; NULL when it has */
};

const struct pa_cuda_images *pa_cuda_images(void);

/* The cubin that a device of this compute capability runs: of the same major version and of the
 * largest minor one that is not above its own. NULL: there is none, take the PTX. */
const struct pa_cuda_image *pa_cuda_image_for(unsigned major, unsigned minor);

#endif
