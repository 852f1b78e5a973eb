/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/calibrate.h"

#include "base/clock.h"
#include "measure/exactness.h"

#include <stdio.h>
#include <string.h>

enum { MOST_VARIANTS = 8, MOST_CANDIDATES = 32, TRIAL_STEPS = 3 };

const enum pa_format *pa_class_formats(enum pa_class class_id) {
    static const enum pa_format dense16[] = {PA_BF16, PA_FP16, PA_FP32, PA_TF32, 0};
    static const enum pa_format dense8[] = {PA_INT8, 0};
    static const enum pa_format fp8[] = {PA_FP8, PA_BF16, PA_FP32, 0};
    static const enum pa_format dense64[] = {PA_FP64, 0};
    static const enum pa_format none[] = {0};
    switch (class_id) {
    case PA_DENSE16:
        return dense16;
    case PA_DENSE8:
        return dense8;
    case PA_CLASS_FP8:
        return fp8;
    case PA_DENSE64:
        return dense64;
    case PA_CLASS_NONE:
        break;
    }
    return none;
}

static void refuse(struct pa_calibration *out, enum pa_format format, const char *why) {
    size_t used = strlen(out->refused);
    snprintf(out->refused + used, sizeof out->refused - used, "%s%s: %.300s", used > 0 ? "; " : "",
             pa_format_name(format), why);
}

/* True when the device runs the class exactly in this format. */
static bool is_usable(struct pa_device *device, enum pa_class class_id, enum pa_format format,
                      struct pa_calibration *out) {
    struct pa_format_facts facts = {0};
    struct pa_exactness_report report = {0};
    struct pa_error cause = {0};
    device->backend->format(device, format, &facts);
    if (!facts.runs) {
        refuse(out, format, facts.why_not);
        return false;
    }
    if (pa_exactness_check(device, (uint32_t)class_id, format, &report, &cause) != PA_OK) {
        refuse(out, format, cause.text);
        return false;
    }
    if (report.mismatches > 0) {
        refuse(out, format, "its products are not exact on this device");
        return false;
    }
    return true;
}

static const struct pa_seed trial_seed = {.k0 = 11, .k1 = 12, .c2 = 13, .c3 = 14, .s = 15};

/* The exactness check saw one way of multiplying a small shape; this sees two corners of the way
 * and shape that would be proven. `b_seed` is that of the step whose digests the stand holds. */
static int check_corners(const struct pa_stand *stand, const struct pa_seed *b_seed,
                         struct pa_error *error) {
    const struct pa_workload *workload = &stand->workload;
    uint32_t rows = workload->m / PA_TILE, columns = workload->n / PA_TILE;
    struct pa_tile_bench *witness = NULL;
    PA_TRY(pa_tile_bench_create(workload->k, &witness, error));
    bool is_exact = stand->tiles[0] == pa_tile_digest(witness, (enum pa_class)workload->class_id,
                                                      workload->k, &trial_seed, b_seed, 0, 0) &&
                    stand->tiles[(size_t)rows * columns - 1] ==
                        pa_tile_digest(witness, (enum pa_class)workload->class_id, workload->k,
                                       &trial_seed, b_seed, rows - 1, columns - 1);
    pa_tile_bench_destroy(witness);
    return is_exact ? PA_OK
                    : pa_fail(error, PA_EDEVICE, "%u x %u: its products are not exact", workload->m,
                              workload->n);
}

/* Time TRIAL_STEPS steps after the first, which pays for cold caches and pages. */
static int time_steps(struct pa_stand *stand, double *rate, struct pa_error *error) {
    const struct pa_backend *backend = stand->device->backend;
    const struct pa_workload *workload = &stand->workload;
    struct pa_seed seed = trial_seed;
    uint64_t deadline = pa_clock_raw_ns() + pa_clock_patience_ns(600u * UINT64_C(1000000000));
    PA_TRY(backend->load_a(stand->bench, &seed, error));
    uint64_t begun = 0;
    PA_TRY(backend->step_enqueue(stand->bench, &seed, error));
    for (int step = 0; step <= TRIAL_STEPS; step++) {
        if (step < TRIAL_STEPS) {
            seed.k0++;
            PA_TRY(backend->step_enqueue(stand->bench, &seed, error));
        }
        PA_TRY(backend->step_collect(stand->bench, stand->tiles, deadline, error));
        if (step == 0)
            begun = pa_clock_raw_ns();
    }
    double seconds = (double)(pa_clock_raw_ns() - begun) * 1e-9;
    double operations =
        (double)pa_shape_operations((struct pa_shape){workload->m, workload->n, workload->k});
    *rate = operations * TRIAL_STEPS / seconds;
    return check_corners(stand, &seed, error);
}

/* Try one workload and note it. A trial that fails is noted with a rate of zero: too little memory
 * for a large shape is a reason to take a smaller one. */
static void try_workload(struct pa_device *device, const struct pa_workload *workload,
                         const char *variant_name, struct pa_calibration *out) {
    struct pa_stand stand = {0};
    struct pa_error cause = {0};
    struct pa_trial trial = {.format = workload->format,
                             .m = workload->m,
                             .n = workload->n,
                             .variant = workload->variant};
    if (out->trial_count == PA_MOST_SWEEP)
        return;
    snprintf(trial.variant_name, sizeof trial.variant_name, "%s", variant_name);
    if (pa_stand_open(&stand, device, workload, NULL, &cause) != PA_OK ||
        time_steps(&stand, &trial.rate, &cause) != PA_OK) {
        trial.rate = 0;
        refuse(out, workload->format, cause.text);
    }
    pa_stand_close(&stand);
    out->trials[out->trial_count++] = trial;
    if (trial.rate > out->chosen.rate)
        out->chosen = trial;
}

static bool is_over(const struct pa_calibrate_request *request, uint64_t begun_ns,
                    const atomic_bool *stop) {
    return pa_clock_raw_ns() - begun_ns > request->budget_ns || (stop != NULL && atomic_load(stop));
}

/* The backend's first shape whose workbench fits into what memory is free; its last if none does.
 */
static struct pa_step_shape first_fitting(struct pa_device *device, struct pa_workload workload) {
    const struct pa_backend *backend = device->backend;
    const struct pa_step_shape *shape = backend->shapes;
    uint64_t limit = backend->memory_free(device);
    for (; shape[1].m != 0; shape++) {
        workload.m = shape->m;
        workload.n = shape->n;
        uint64_t bytes = backend->workbench_bytes(device, &workload);
        if (bytes > 0 && bytes <= limit)
            break;
    }
    return *shape;
}

/* Every usable format and variant at one shape. */
static void try_variants(struct pa_device *device, const struct pa_calibrate_request *request,
                         const atomic_bool *stop, struct pa_calibration *out) {
    uint64_t begun = pa_clock_raw_ns();
    for (const enum pa_format *format = pa_class_formats(request->class_id); *format != 0;
         format++) {
        if (!is_usable(device, request->class_id, *format, out))
            continue;
        struct pa_workload workload = {.class_id = (uint32_t)request->class_id,
                                       .format = *format,
                                       .m = request->fixed_m,
                                       .n = request->fixed_n,
                                       .k = request->k};
        if (request->fixed_m == 0) {
            struct pa_step_shape shape = first_fitting(device, workload);
            workload.m = shape.m;
            workload.n = shape.n;
        }
        char names[MOST_VARIANTS][48];
        int variants = device->backend->variants(device, &workload, names, MOST_VARIANTS);
        for (int v = 0; v < variants; v++) {
            workload.variant = (uint32_t)v;
            if (out->chosen.rate == 0 || !is_over(request, begun, stop))
                try_workload(device, &workload, names[v], out);
        }
    }
}

/* The same way of calling the library at another shape; where the library does not offer it there,
 * its own best guess for that shape. */
static uint32_t same_variant(struct pa_device *device, const struct pa_workload *workload,
                             const char *name, char found[48]) {
    char names[MOST_VARIANTS][48];
    int variants = device->backend->variants(device, workload, names, MOST_VARIANTS);
    int same = 0;
    while (same < variants && strcmp(names[same], name) != 0)
        same++;
    if (same == variants)
        same = 0;
    snprintf(found, 48, "%.47s", variants > 0 ? names[same] : name);
    return (uint32_t)same;
}

/* The chosen format and variant at the backend's other shapes. */
static void try_shapes(struct pa_device *device, const struct pa_calibrate_request *request,
                       const atomic_bool *stop, struct pa_calibration *out) {
    const struct pa_backend *backend = device->backend;
    uint64_t begun = pa_clock_raw_ns();
    struct pa_trial base = out->chosen;
    for (const struct pa_step_shape *shape = backend->shapes;
         shape->m != 0 && !is_over(request, begun, stop); shape++) {
        struct pa_workload workload = {.class_id = (uint32_t)request->class_id,
                                       .format = base.format,
                                       .m = shape->m,
                                       .n = shape->n,
                                       .k = request->k};
        char name[48];
        workload.variant = same_variant(device, &workload, base.variant_name, name);
        double operations =
            (double)pa_shape_operations((struct pa_shape){workload.m, workload.n, workload.k});
        double step_ns = operations / out->chosen.rate * 1e9;
        bool is_tried = shape->m == base.m && shape->n == base.n;
        if (!is_tried && step_ns <= (double)request->longest_step_ns &&
            backend->workbench_bytes(device, &workload) <= backend->memory_free(device))
            try_workload(device, &workload, name, out);
    }
}

int pa_calibrate(struct pa_device *device, const struct pa_calibrate_request *request,
                 const atomic_bool *stop, struct pa_calibration *out, struct pa_error *error) {
    bool is_fixed = request->fixed_m != 0;
    *out = (struct pa_calibration){0};
    try_variants(device, request, stop, out);
    if (out->chosen.rate == 0)
        return pa_fail(error, PA_EUNSUPPORTED, "calibrating %s for %s: no format runs here (%s)",
                       device->identity.name, pa_class_traits(request->class_id)->name,
                       out->refused);
    if (!is_fixed)
        try_shapes(device, request, stop, out);
    struct pa_workload chosen = {.class_id = (uint32_t)request->class_id,
                                 .format = out->chosen.format,
                                 .m = out->chosen.m,
                                 .n = out->chosen.n,
                                 .k = request->k,
                                 .variant = out->chosen.variant};
    out->memory_bytes = device->backend->workbench_bytes(device, &chosen);
    return PA_OK;
}
