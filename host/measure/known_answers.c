/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/known_answers.h"

#include "base/clock.h"
#include "measure/calibrate.h"
#include "measure/sustain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pupil {
    struct pa_device *device;
    enum pa_format format;
};

static bool has_class(const struct pupil *pupil, enum pa_class class_id) {
    for (const enum pa_format *format = pa_class_formats(class_id); *format != 0; format++)
        if (*format == pupil->format)
            return true;
    return false;
}

static int not_here(struct pa_error *error) {
    return pa_fail(error, PA_EUNSUPPORTED, "the device has nothing of the kind");
}

static size_t element_bytes(enum pa_format format) {
    switch (format) {
    case PA_FP64:
        return 8;
    case PA_FP32:
    case PA_TF32:
        return 4;
    case PA_BF16:
    case PA_FP16:
        return 2;
    default:
        return 1;
    }
}

/* The value of a binary floating-point number of `exponent_bits` and `fraction_bits`; an integer
 * that does not fit, an infinity or a NaN becomes INT32_MIN, which no class has. */
static int32_t float_value(uint64_t bits, int exponent_bits, int fraction_bits) {
    uint64_t fraction = bits & ((UINT64_C(1) << fraction_bits) - 1);
    int exponent = (int)(bits >> fraction_bits & ((UINT64_C(1) << exponent_bits) - 1));
    int bias = (1 << (exponent_bits - 1)) - 1;
    double value = exponent == 0 ? ldexp((double)fraction, 1 - bias - fraction_bits)
                                 : ldexp((double)(fraction | UINT64_C(1) << fraction_bits),
                                         exponent - bias - fraction_bits);
    if (!(value < 1 << 30) || value != floor(value))
        return INT32_MIN;
    return bits >> (exponent_bits + fraction_bits) & 1 ? -(int32_t)value : (int32_t)value;
}

/* Element `i` of an operand as the format stores it. */
static int32_t element_value(enum pa_format format, const uint8_t *bytes, size_t i) {
    uint64_t bits = 0;
    size_t width = element_bytes(format);
    for (size_t b = 0; b < width; b++)
        bits |= (uint64_t)bytes[i * width + b] << (8 * b);
    switch (format) {
    case PA_FP64:
        return float_value(bits, 11, 52);
    case PA_FP32:
    case PA_TF32:
        return float_value(bits, 8, 23);
    case PA_BF16:
        return float_value(bits, 8, 7);
    case PA_FP16:
        return float_value(bits, 5, 10);
    case PA_FP8:
        return float_value(bits, 4, 3);
    default:
        return (int32_t)(int8_t)bits;
    }
}

static int compute_values(void *context, enum pa_class class_id, const struct pa_seed *seed,
                          uint32_t v, uint32_t count, int32_t *out, struct pa_error *error) {
    const struct pupil *pupil = context;
    const struct pa_backend *backend = pupil->device->backend;
    struct pa_workload workload = {
        .class_id = (uint32_t)class_id, .format = pupil->format, .k = count};
    if (backend->probe_operand == NULL || !has_class(pupil, class_id))
        return not_here(error);
    uint8_t *bytes = malloc(count * element_bytes(pupil->format));
    if (bytes == NULL)
        return pa_fail(error, PA_EMEMORY, "known answers: out of memory");
    int code = backend->probe_operand(pupil->device, &workload, seed, v, bytes, error);
    for (uint32_t i = 0; code == PA_OK && i < count; i++)
        out[i] = element_value(pupil->format, bytes, i);
    free(bytes);
    return code;
}

static int compute_digest(void *context, enum pa_word_kind kind, const uint32_t *words, uint32_t s,
                          uint64_t *out, struct pa_error *error) {
    const struct pupil *pupil = context;
    const struct pa_backend *backend = pupil->device->backend;
    for (int c = PA_DENSE16; c <= PA_DENSE64 && backend->probe_digest != NULL; c++) {
        struct pa_workload workload = {.class_id = (uint32_t)c, .format = pupil->format};
        if (has_class(pupil, (enum pa_class)c) && pa_class_traits((enum pa_class)c)->words == kind)
            return backend->probe_digest(pupil->device, &workload, words, s, out, error);
    }
    return not_here(error);
}

/* The chain, and its state where the device folds. */
static int run_folded(struct pa_stand *stand, struct pa_vectors_chain *work,
                      struct pa_error *error) {
    static const uint64_t patience_ns = UINT64_C(60000000000);
    const struct pa_backend *backend = stand->device->backend;
    struct pa_sustain_limits limits = {.steps = work->steps};
    work->has_state = backend->fold_open != NULL;
    if (!work->has_state)
        return pa_sustain_chain(stand, work->start, &limits, &work->chain, error);
    PA_TRY(backend->fold_open(stand->bench, work->words, work->steps, error));
    int code = pa_sustain_chain(stand, work->start, &limits, &work->chain, error);
    if (code == PA_OK)
        code = backend->fold_read(stand->bench, work->state,
                                  pa_clock_raw_ns() + pa_clock_patience_ns(patience_ns), error);
    backend->fold_close(stand->bench);
    return code;
}

static int compute_chain(void *context, struct pa_vectors_chain *work, struct pa_error *error) {
    const struct pupil *pupil = context;
    struct pa_workload workload = {.class_id = (uint32_t)work->class_id,
                                   .format = pupil->format,
                                   .m = work->shape.m,
                                   .n = work->shape.n,
                                   .k = work->shape.k};
    struct pa_stand stand = {0};
    if (!has_class(pupil, work->class_id))
        return not_here(error);
    int code = pa_stand_open(&stand, pupil->device, &workload, NULL, error);
    if (code == PA_OK)
        code = run_folded(&stand, work, error);
    pa_stand_close(&stand);
    return code;
}

int pa_known_answers(struct pa_device *device, enum pa_format format, const char *name,
                     const void *json, size_t size, struct pa_vectors_report *report,
                     struct pa_error *error) {
    struct pupil pupil = {device, format};
    const struct pa_vectors_device computes = {
        .context = &pupil,
        .values = compute_values,
        .digest = compute_digest,
        .chain = compute_chain,
    };
    return name == NULL ? pa_vectors_run_embedded(&computes, report, error)
                        : pa_vectors_run(name, json, size, &computes, report, error);
}
