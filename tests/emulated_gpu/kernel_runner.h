/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_runner.h - one device and one image of the kernels, for test_kernels: whatever
 * libcuda.so.1 the loader finds, the emulated one or a real one. A call that fails fails the test,
 * with the driver's words. */
#ifndef PA_TESTS_KERNEL_RUNNER_H
#define PA_TESTS_KERNEL_RUNNER_H

#include "kernels/launch.h"

#include <stdbool.h>
#include <stddef.h>

/* The PTX text in the file `path`, or with NULL what the binary embeds for this device: machine
 * code where there is some, else PTX. */
void runner_open(const char *path);
void runner_close(void);
/* "Tesla T4, nvcc_75.ptx": what runs where. */
const char *runner_name(void);

/* A copy of `bytes` bytes on the device. */
pa_u64 runner_upload(const void *content, size_t bytes);
/* Waits for what was launched before. */
void runner_download(void *out, pa_u64 address, size_t bytes);
void runner_free(pa_u64 address);
void runner_launch(enum pa_kernel kernel, struct pa_grid grid, void **parameters);

#endif
