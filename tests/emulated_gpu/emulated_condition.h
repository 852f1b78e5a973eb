/* SPDX-License-Identifier: Apache-2.0 */
/* emulated_condition.h - what is the matter with an emulated GPU besides faults of single calls.
 *
 * Keys of PETAUDIT_EMULATED_GPU that begin with "gpuN.": the names are in docs/emulated-gpu.md.
 * What the driver tells (name, UUID, memory) is written into the platform; the rest is asked for
 * here by the library that it concerns.
 */
#ifndef PA_TESTS_EMULATED_CONDITION_H
#define PA_TESTS_EMULATED_CONDITION_H

#include "base/error.h"
#include "emulated_gpu/emulated.h"

enum emulated_virtual { EMULATED_BARE, EMULATED_PASSTHROUGH, EMULATED_VGPU };

struct emulated_condition {
    bool memory_wraps; /* addresses beyond the memory that is there reach it a second time */
    bool is_mig;
    bool is_confidential; /* signs reports, under a root that is not NVIDIA's */
    enum emulated_virtual virtualization;
    unsigned process_id; /* of another program that works on the GPU, 0 for none */
    char process_name[64];
    unsigned celsius; /* from matrix product `celsius_from` on; 0: always follows the work */
    uint64_t celsius_from;
    unsigned slow_percent; /* of the full clock, from matrix product `slow_from` on; 0 never */
    uint64_t slow_from;
    bool has_no_power;        /* NVML does not support power and energy */
    unsigned ecc_uncorrected; /* errors that are counted from matrix product `ecc_from` on */
    uint64_t ecc_from;
    char without[40];                /* formats that the library does not support: "fp8+bf16" */
    char inexact[40];                /* formats whose sums are rounded: "fp8" */
    char alias[EMULATED_NAME_BYTES]; /* the name that NVML tells; "": that of the driver */
};

/* Take one order: `key` is "gpu1.name". Not thread-safe: while the platform is read. */
int emulated_condition_order(const char *key, const char *value, struct pa_error *error);
/* Write what was ordered into the platform; an order for a GPU that is not there is an error. */
int emulated_condition_apply(struct emulated_platform *platform, struct pa_error *error);

const struct emulated_condition *emulated_condition(int device);
/* Whether a list such as "fp8+bf16" has the format. */
bool emulated_condition_lists(const char *list, const char *format);

/* "256MiB" to bytes (emulated_platform.c). */
int emulated_size_parse(const char *text, uint64_t *out, struct pa_error *error);

#endif
