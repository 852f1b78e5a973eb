/* SPDX-License-Identifier: Apache-2.0 */
#include "red_machine.h"

#include "base/base.h"

#include <string.h>

static const uint64_t patience_ns = UINT64_C(600000000000);

static struct pa_device *open_processor(void) {
    const struct pa_backend *backend = pa_backend_named("cpu");
    struct pa_device *device = NULL;
    struct pa_error error = {0};
    RED_MUST(backend != NULL && backend->open(0, NULL, &device, &error) == PA_OK);
    return device;
}

static enum pa_format best_format(struct pa_device *device, enum pa_class class_id) {
    static const enum pa_format choices[][3] = {
        [PA_DENSE16] = {PA_BF16, PA_FP32}, [PA_DENSE8] = {PA_INT8, PA_BF16, PA_FP32}};
    struct pa_format_facts facts = {0};
    for (int i = 0; i < 3; i++) {
        device->backend->format(device, choices[class_id][i], &facts);
        if (facts.runs)
            return choices[class_id][i];
    }
    return PA_FP32;
}

const char *red_machine_format(enum pa_class class_id) {
    struct pa_device *device = open_processor();
    enum pa_format format = best_format(device, class_id);
    device->backend->close(device);
    return pa_format_name(format);
}

void red_machine_open(struct red_machine *machine, enum pa_class class_id, struct pa_shape shape) {
    *machine =
        (struct red_machine){.device = open_processor(), .class_id = class_id, .shape = shape};
    RED_MUST(shape.m / PA_TILE <= RED_MOST_ROWS);
    machine->format = best_format(machine->device, class_id);
}

void red_machine_close(struct red_machine *machine) {
    const struct pa_backend *backend = machine->device->backend;
    for (int i = 0; i < RED_MOST_ROWS; i++)
        if (machine->by_rows[i] != NULL)
            backend->workbench_close(machine->by_rows[i]);
    if (machine->shallow != NULL)
        backend->workbench_close(machine->shallow);
    backend->close(machine->device);
}

void red_machine_load(struct red_machine *machine, const struct pa_seed *a_seed) {
    machine->a_seed = *a_seed;
    machine->a_wanted++;
}

static struct pa_workbench *open_bench(struct red_machine *machine, uint32_t rows, uint32_t k) {
    struct pa_workbench *bench = NULL;
    struct pa_error error = {0};
    const struct pa_workload work = {
        (uint32_t)machine->class_id, machine->format, rows * PA_TILE, machine->shape.n, k, 0};
    if (machine->device->backend->workbench_open(machine->device, &work, &bench, &error) != PA_OK)
        red_fail(__FILE__, __LINE__, error.text);
    return bench;
}

static void run(struct red_machine *machine, struct pa_workbench *bench,
                const struct pa_seed *b_seed, uint64_t *tiles) {
    const struct pa_backend *backend = machine->device->backend;
    struct pa_error error = {0};
    RED_MUST(backend->step_enqueue(bench, b_seed, &error) == PA_OK);
    RED_MUST(backend->step_collect(bench, tiles, pa_clock_raw_ns() + patience_ns, &error) == PA_OK);
}

void red_machine_prepare(struct red_machine *machine, uint32_t rows) {
    struct pa_error error = {0};
    if (rows == 0)
        return;
    struct pa_workbench **bench = &machine->by_rows[rows - 1];
    if (*bench == NULL)
        *bench = open_bench(machine, rows, machine->shape.k);
    if (machine->a_loaded[rows - 1] != machine->a_wanted)
        RED_MUST(machine->device->backend->load_a(*bench, &machine->a_seed, &error) == PA_OK);
    machine->a_loaded[rows - 1] = machine->a_wanted;
}

void red_machine_rows(struct red_machine *machine, const struct pa_seed *b_seed, uint32_t rows,
                      uint64_t *tiles) {
    red_machine_prepare(machine, rows);
    if (rows > 0)
        run(machine, machine->by_rows[rows - 1], b_seed, tiles);
}

void red_machine_step(struct red_machine *machine, const struct pa_seed *b_seed, uint64_t *tiles) {
    red_machine_rows(machine, b_seed, machine->shape.m / PA_TILE, tiles);
}

void red_machine_half_depth(struct red_machine *machine, const struct pa_seed *b_seed,
                            uint64_t *tiles) {
    struct pa_error error = {0};
    if (machine->shallow == NULL)
        machine->shallow = open_bench(machine, machine->shape.m / PA_TILE, machine->shape.k / 2);
    if (machine->shallow_loaded != machine->a_wanted)
        RED_MUST(machine->device->backend->load_a(machine->shallow, &machine->a_seed, &error) ==
                 PA_OK);
    machine->shallow_loaded = machine->a_wanted;
    run(machine, machine->shallow, b_seed, tiles);
}
