/* SPDX-License-Identifier: Apache-2.0 */
/* All processors that the process may use are one device, "cpu:0"; who lists them has a part of the
 * host's, "cpu:0/2-3". */
#include "device/cpu_backend.h"

#include "device/cpu_communicator.h"

#include "device/cpu.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PROCESSORS = 4096, LEAST_MIB = 256 };

static int cpu_count(int *out, struct pa_error *error) {
    (void)error;
    *out = 1;
    return PA_OK;
}

static void cpu_close(struct pa_device *device) {
    struct pa_cpu_device *cpu = (struct pa_cpu_device *)device;
    if (cpu == NULL)
        return;
    free(cpu->processors);
    free(cpu);
}

/* The processors to use, each of them allowed and none twice. */
static int choose_processors(struct pa_cpu_device *cpu, const struct pa_device_options *options,
                             bool *is_part, struct pa_error *error) {
    int *allowed = cpu->processors;
    int count = pa_processors_allowed(allowed, MOST_PROCESSORS);
    if (count > MOST_PROCESSORS)
        count = MOST_PROCESSORS;
    *is_part = false;
    cpu->threads = count;
    if (count < 1)
        return pa_fail(error, PA_EDEVICE,
                       "opening cpu:0: the processors that this process may use "
                       "cannot be read");
    if (options == NULL || options->processors == NULL)
        return PA_OK;
    bool wanted[MOST_PROCESSORS] = {false};
    if (options->processor_count < 1)
        return pa_fail(error, PA_EUSAGE, "opening cpu:0: an empty list of processors");
    for (int i = 0; i < options->processor_count; i++) {
        int at = 0;
        while (at < count && allowed[at] != options->processors[i])
            at++;
        if (at == count || wanted[at])
            return pa_fail(error, PA_EUSAGE, "opening cpu:0: processor %d is %s",
                           options->processors[i],
                           at == count ? "not one that this process may use" : "listed twice");
        wanted[at] = true;
    }
    cpu->threads = 0;
    for (int at = 0; at < count; at++)
        if (wanted[at])
            allowed[cpu->threads++] = allowed[at];
    *is_part = true;
    return PA_OK;
}

/* The libraries' pools and buffers. Without room for them they end the process, or wait for ever
 * (OpenBLAS). */
static int need_memory(struct pa_error *error) {
    uint64_t available = pa_cpu_memory_available();
    if (available == 0 || available >= (uint64_t)LEAST_MIB << 20)
        return PA_OK;
    return pa_fail(error, PA_EMEMORY,
                   "opening cpu:0: %llu MiB are free for this process (memory, its control group, "
                   "ulimit -v), %d are the least: raise the limit or free memory",
                   (unsigned long long)(available >> 20), (int)LEAST_MIB);
}

static int cpu_open(int index, const struct pa_device_options *options, struct pa_device **out,
                    struct pa_error *error) {
    bool is_part;
    *out = NULL;
    if (index != 0)
        return pa_fail(error, PA_EUSAGE, "opening cpu:%d: there is only cpu:0", index);
    PA_TRY(need_memory(error));
    struct pa_cpu_device *cpu = calloc(1, sizeof *cpu);
    if (cpu != NULL)
        cpu->processors = calloc(MOST_PROCESSORS, sizeof *cpu->processors);
    if (cpu == NULL || cpu->processors == NULL) {
        cpu_close(&cpu->base);
        return pa_fail(error, PA_EMEMORY, "opening cpu:0: out of memory");
    }
    cpu->base.backend = &pa_cpu_backend;
    int result = choose_processors(cpu, options, &is_part, error);
    if (result == PA_OK)
        result = pa_cpu_identify(cpu, is_part, error);
    if (result != PA_OK) {
        cpu_close(&cpu->base);
        return result;
    }
    *out = &cpu->base;
    return PA_OK;
}

/* Half of what is free: other processes of the site calibrate at the same time. */
static uint64_t cpu_memory_free(struct pa_device *device) {
    (void)device;
    return pa_cpu_memory_available() / 2;
}

static int cpu_kind(const struct pa_workload *workload, struct pa_operand_kind *out,
                    struct pa_error *error) {
    return pa_operand_kind(workload->class_id, workload->format, out)
               ? PA_OK
               : pa_fail(error, PA_EUNSUPPORTED, "class %u does not run in this format here",
                         workload->class_id);
}

static int cpu_probe_operand(struct pa_device *device, const struct pa_workload *workload,
                             const struct pa_seed *seed, uint32_t v, void *out,
                             struct pa_error *error) {
    struct pa_operand_kind kind;
    (void)device;
    PA_TRY(cpu_kind(workload, &kind, error));
    pa_cpu_kernels(pa_cpu_level())->plain(&kind, seed, v, 1, workload->k, out);
    return PA_OK;
}

static int cpu_probe_digest(struct pa_device *device, const struct pa_workload *workload,
                            const void *tile, uint32_t s, uint64_t *out, struct pa_error *error) {
    const struct pa_cpu_kernels *kernels = pa_cpu_kernels(pa_cpu_level());
    struct pa_operand_kind kind;
    (void)device;
    PA_TRY(cpu_kind(workload, &kind, error));
    *out = workload->format == PA_INT8   ? kernels->tile_i32(tile, 128, s)
           : workload->format == PA_FP64 ? kernels->tile_f64(tile, 128, s)
                                         : kernels->tile_f32(tile, 128, s);
    return PA_OK;
}

/* M and N: a large M makes the generation of B small beside the product, and a large N that of A.
 */
static const struct pa_step_shape shapes[] = {
    {4096, 2048}, {16384, 2048}, {8192, 2048}, {8192, 4096}, {16384, 1024},
    {8192, 1024}, {32768, 2048}, {4096, 4096}, {4096, 1024}, {0, 0},
};

const struct pa_backend pa_cpu_backend = {
    .name = "cpu",
    .shapes = shapes,
    .count = cpu_count,
    .open = cpu_open,
    .close = cpu_close,
    .format = pa_cpu_format,
    .variants = pa_cpu_variants,
    .workbench_bytes = pa_cpu_workbench_bytes,
    .memory_free = cpu_memory_free,
    .workbench_open = pa_cpu_workbench_open,
    .workbench_close = pa_cpu_workbench_close,
    .load_a = pa_cpu_load_a,
    .step_enqueue = pa_cpu_step_enqueue,
    .step_collect = pa_cpu_step_collect,
    .steps_drop = pa_cpu_steps_drop,
    .multiply_bare = pa_cpu_multiply_bare,
    .fold_open = pa_cpu_fold_open,
    .fold_read = pa_cpu_fold_read,
    .fold_close = pa_cpu_fold_close,
    .probe_operand = cpu_probe_operand,
    .probe_digest = cpu_probe_digest,
    .costs = pa_cpu_costs,
    .communicator_id = pa_cpu_communicator_id,
    .communicator_open = pa_cpu_communicator_open,
    .allreduce_fill = pa_cpu_allreduce_fill,
    .allreduce_run = pa_cpu_allreduce_run,
    .allreduce_digest = pa_cpu_allreduce_digest,
    .communicator_close = pa_cpu_communicator_close,
};
