/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of a processor: what runs, on which library, and the peak that its units allow.
 *
 * Peak = cores x clock x operations per cycle of the vector units, from ISA and make. Where the
 * width of the units is not what the ISA suggests (Zen 4 splits 512 bits), the table says so; it is
 * a bound for a sanity check, and its basis goes into the evidence word by word.
 */
#include "device/cpu.h"

#include <stdio.h>
#include <string.h>

/* Bits of fused multiply-add that a core starts each cycle. */
static uint32_t fma_bits(const struct pa_cpu_facts *facts, const char **assumed) {
    if (facts->is_amd && facts->has_avx512 && facts->family == 0x19) {
        *assumed = "Zen 4: one 512-bit FMA a cycle";
        return 512;
    }
    if (facts->has_avx512) {
        *assumed = "two 512-bit FMA units assumed";
        return 1024;
    }
    if (facts->has_fma) {
        *assumed = "two 256-bit FMA units assumed";
        return 512;
    }
    *assumed = "one 128-bit multiplier and adder assumed";
    return 128;
}

/* Operations of one core in a cycle; 0 where unknown. */
static double per_cycle(const struct pa_cpu_facts *facts, enum pa_format format, const char **unit,
                        const char **assumed) {
    double fp32 = 2.0 * fma_bits(facts, assumed) / 32;
    if ((format == PA_BF16 && facts->has_amx_bf16) || (format == PA_INT8 && facts->has_amx_int8)) {
        *unit = "AMX";
        *assumed = "16 x 16 tile products in 16 cycles";
        return format == PA_BF16 ? 1024 : 2048;
    }
    switch (format) {
    case PA_FP64:
        *unit = "FMA";
        return fp32 / 2;
    case PA_FP32:
        *unit = "FMA";
        return fp32;
    case PA_BF16:
        *unit = "AVX-512 BF16";
        return 2 * fp32;
    case PA_INT8:
        *unit = "VNNI";
        return 4 * fp32;
    default:
        return 0;
    }
}

static void set_peak(const struct pa_cpu_device *device, enum pa_format format,
                     struct pa_format_facts *out) {
    const struct pa_cpu_facts *facts = &device->facts;
    const char *unit = "", *assumed = "";
    double each = per_cycle(facts, format, &unit, &assumed);
    out->peak_per_second = facts->clock_hz * each * facts->cores;
    if (facts->clock_hz > 0)
        snprintf(out->peak_basis, sizeof out->peak_basis,
                 "%u cores x %.3f GHz (%s) x %.0f operations a cycle (%s; %s)", facts->cores,
                 facts->clock_hz / 1e9, facts->clock_source, each, unit, assumed);
    else
        snprintf(out->peak_basis, sizeof out->peak_basis, "not known: no source of the clock");
}

void pa_cpu_format(struct pa_device *device, enum pa_format format, struct pa_format_facts *out) {
    const struct pa_cpu_device *cpu = (const struct pa_cpu_device *)device;
    memset(out, 0, sizeof *out);
    switch (format) {
    case PA_FP32:
    case PA_BF16:
    case PA_INT8:
        out->runs = pa_onednn_runs(format, out->library, sizeof out->library, out->why_not,
                                   sizeof out->why_not);
        break;
    case PA_FP64:
        out->runs = cpu->threads <= pa_openblas_most_threads();
        if (out->runs)
            pa_openblas_name(out->library, sizeof out->library);
        else
            snprintf(out->why_not, sizeof out->why_not,
                     "this OpenBLAS was built for %d threads, the device has %d",
                     pa_openblas_most_threads(), cpu->threads);
        break;
    case PA_TF32:
        snprintf(out->why_not, sizeof out->why_not, "tf32 is a format of GPUs");
        break;
    case PA_FP16:
        snprintf(out->why_not, sizeof out->why_not,
                 "no library here multiplies fp16 natively on a processor");
        break;
    default:
        snprintf(out->why_not, sizeof out->why_not, "processors have no such unit");
        break;
    }
    if (out->runs)
        set_peak(cpu, format, out);
}
