/* SPDX-License-Identifier: Apache-2.0 */
/* substitution.c - what the cheapest other route to the same exact products could gain
 * (docs/protocol.md, "Substitution").
 *
 * For dense16 these are three products of 8 or 6 bits (Karatsuba), or two of 8 and one of 4: at
 * most max(1, R6/3, 1/(2/R8 + 1/R4)) with R the rate over fp16 with fp32 accumulation. The figures
 * per model are those of docs/protocol.md. */
#include "judge/judge.h"

#include <string.h>

struct bound {
    enum pa_class class_id;
    const char *part; /* of the model's name; tried in this order */
    double bound;
    const char *basis;
};

static const char three[] = "three products in 8 or 6 bits do not pay on this model";

static const struct bound models[] = {
    {PA_DENSE16, "B300", 1.24, "fp4 could pay on this model; no exact scheme is known"},
    {PA_DENSE16, "MI355X", 1.33, "three products in fp6"},
    {PA_DENSE16, "RTX 30", 1.6, "fp16 with fp32 accumulation runs at half rate on this model"},
    {PA_DENSE16, "RTX 40", 1.6, "fp16 with fp32 accumulation runs at half rate on this model"},
    {PA_DENSE16, "RTX 50", 1.6, "fp16 with fp32 accumulation runs at half rate on this model"},
    {PA_DENSE16, "A100", 1, three},
    {PA_DENSE16, "A800", 1, three},
    {PA_DENSE16, "H100", 1, three},
    {PA_DENSE16, "H800", 1, three},
    {PA_DENSE16, "H200", 1, three},
    {PA_DENSE16, "H20", 1, three},
    {PA_DENSE16, "B200", 1, three},
    {PA_CLASS_FP8, "RTX 40", 2, "int8 or int4 is faster than fp8 on this model"},
    {PA_CLASS_FP8, "RTX 50", 2, "int8, fp6 or int4 is faster than fp8 on this model"},
    {PA_CLASS_FP8, "L40", 2, "int8 or int4 is faster than fp8 on this model"},
    {PA_CLASS_FP8, "MI355X", 2, "fp6 is faster than fp8 on this model"},
    {PA_CLASS_FP8, "H100", 1, "nothing faster holds 4-bit integers on this model"},
    {PA_CLASS_FP8, "H800", 1, "nothing faster holds 4-bit integers on this model"},
    {PA_CLASS_FP8, "H200", 1, "nothing faster holds 4-bit integers on this model"},
    {PA_CLASS_FP8, "H20", 1, "nothing faster holds 4-bit integers on this model"},
    {PA_DENSE64, "H100", 4, "53-bit exact, emulation in 8 bits allowed"},
    {PA_DENSE64, "H800", 4, "53-bit exact, emulation in 8 bits allowed"},
    {PA_DENSE64, "H200", 4, "53-bit exact, emulation in 8 bits allowed"},
    {PA_DENSE64, "B200", 16, "53-bit exact, emulation in 8 bits allowed"},
};

/* A processor has integer units beside its floating-point ones, whatever its model. */
static const struct {
    enum pa_class class_id;
    const char *format;
    double bound;
    const char *basis;
} processors[] = {
    {PA_DENSE16, "bf16", 1, "16-bit integer multiply-add is no faster than bf16"},
    {PA_DENSE16, "fp32", 2, "16-bit integer multiply-add against fp32"},
    {PA_DENSE8, "int8", 1, "nothing faster holds 8-bit integers"},
    {PA_DENSE8, "bf16", 2, "8-bit integer multiply-add against bf16"},
    {PA_DENSE8, "fp32", 4, "8-bit integer multiply-add against fp32"},
    {PA_CLASS_FP8, "int8", 1, "nothing faster holds 4-bit integers"},
    {PA_CLASS_FP8, "bf16", 2, "8-bit integer multiply-add against bf16"},
    {PA_CLASS_FP8, "fp32", 4, "8-bit integer multiply-add against fp32"},
    {PA_DENSE64, "fp64", 4, "16-bit integer multiply-add against fp64"},
};

/* The largest of each class, for a device that nobody has looked at. */
static double largest(enum pa_class class_id) {
    switch (class_id) {
    case PA_DENSE16:
        return 2;
    case PA_DENSE8:
    case PA_CLASS_FP8:
        return 4;
    case PA_DENSE64:
    case PA_CLASS_NONE:
        break;
    }
    return 16;
}

double pa_substitution_bound(enum pa_class class_id, const char *backend, const char *model,
                             const char *format, const char **basis) {
    const char *ignored;
    if (basis == NULL)
        basis = &ignored;
    if (strcmp(backend, "cpu") == 0) {
        for (size_t i = 0; i < sizeof processors / sizeof processors[0]; i++) {
            if (processors[i].class_id == class_id && strcmp(processors[i].format, format) == 0) {
                *basis = processors[i].basis;
                return processors[i].bound;
            }
        }
    } else if (class_id == PA_DENSE8) {
        *basis = "the class is 8-bit products, in whatever format they run";
        return 1;
    } else {
        for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
            if (models[i].class_id == class_id && strstr(model, models[i].part) != NULL) {
                *basis = models[i].basis;
                return models[i].bound;
            }
        }
    }
    *basis = "unknown device: the largest bound of the class";
    return largest(class_id);
}
