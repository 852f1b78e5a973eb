/* SPDX-License-Identifier: Apache-2.0 */
/* The words of claims and policies: precision, basis, assurance, quantities. */
#include "claim/claim.h"

#include <string.h>

static const char *const precision_names[] = {"none", "fp64", "fp32", "tf32",
                                              "bf16", "fp16", "fp8",  "int8"};

const char *pa_precision_name(enum pa_precision precision) {
    return precision_names[precision <= PA_PRECISION_INT8 ? precision : PA_PRECISION_NONE];
}

enum pa_precision pa_precision_named(const char *name) {
    for (int i = PA_PRECISION_FP64; i <= PA_PRECISION_INT8; i++)
        if (strcmp(precision_names[i], name) == 0)
            return (enum pa_precision)i;
    return PA_PRECISION_NONE;
}

const char *pa_basis_name(enum pa_basis basis) {
    return basis == PA_BASIS_NOMINAL     ? "nominal"
           : basis == PA_BASIS_SUSTAINED ? "sustained"
                                         : "none";
}

const char *pa_assurance_name(enum pa_assurance assurance) {
    return assurance == PA_ASSURANCE_ATTESTED    ? "attested"
           : assurance == PA_ASSURANCE_WITNESSED ? "witnessed"
                                                 : "self";
}

const char *pa_quantity_name(enum pa_quantity quantity) {
    static const char *const names[PA_QUANTITIES] = {"capacity", "it_power", "facility_power",
                                                     "pue", "devices"};
    return (int)quantity < PA_QUANTITIES ? names[quantity] : "none";
}

const char *pa_judges_name(enum pa_judges judges) {
    return judges == PA_JUDGES_BOTH           ? "both"
           : judges == PA_JUDGES_REQUIREMENTS ? "requirements"
                                              : "claim";
}

uint32_t pa_precision_class(enum pa_precision precision, bool *provable) {
    *provable = precision != PA_PRECISION_FP32 && precision != PA_PRECISION_TF32 &&
                precision != PA_PRECISION_NONE;
    switch (precision) {
    case PA_PRECISION_INT8:
        return 2;
    case PA_PRECISION_FP8:
        return 3;
    case PA_PRECISION_FP64:
        return 4;
    case PA_PRECISION_NONE:
    case PA_PRECISION_FP32:
    case PA_PRECISION_TF32:
    case PA_PRECISION_BF16:
    case PA_PRECISION_FP16:
    default:
        return 1;
    }
}
