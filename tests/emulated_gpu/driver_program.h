/* SPDX-License-Identifier: Apache-2.0 */
/* driver_program.h - what the tests of the emulated driver run: four kernels, launches, the end. */
#ifndef PA_TESTS_DRIVER_PROGRAM_H
#define PA_TESTS_DRIVER_PROGRAM_H

#include "emulated_gpu/emulated_session.h"

enum { WORDS = 256 }; /* threads of a launch, and what each kernel touches */

/* store(out, value): out[i] = value. add(out, in): out[i] += in[i]. late(out): one word too far.
 * endless(). */
extern const char driver_kernels[];

/* Load the kernels and find one. */
CUfunction driver_function(const char *name, CUmodule *module);
/* One block of WORDS threads. */
CUresult driver_launch(CUfunction function, CUstream stream, void **parameters);
/* End on device 0 as a program should: everything given back. `module` may be NULL, `memory` 0. */
void driver_leave(CUstream stream, CUdeviceptr memory, CUmodule module);
/* A function that is no part of petaudit's table, by name. */
void *driver_symbol(const char *name);
/* Whether the platform reported a line with that text. */
bool driver_report_has(const char *text);

#endif
