/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of a GPU: what its compute capability has, and the peak that its units allow.
 *
 * Peak = SMs x clock x dense operations of one SM in a clock, products accumulated in 32 bits (64
 * for fp64). It is a second opinion beside the catalogue of accelerators, and a bound: products of
 * one chip differ (GeForce halves what accumulates in fp32, export versions are cut further), which
 * a compute capability does not tell. The catalogue knows products by name and goes first.
 */
#include "device/cuda_images.h"
#include "device/cuda_inside.h"

#include <stdio.h>
#include <string.h>

/* Operations of one SM in a clock: NVIDIA, "CUDA C++ Programming Guide", table of arithmetic
 * throughput (fp32, fp64), and the architecture white papers (tensor cores): Turing 2018 (7.5),
 * A100 2020 (8.0), GA102 2021 (8.6), Ada 2022 (8.9), H100 2022 (9.0), Blackwell 2024 (10.0),
 * Blackwell Ultra 2025 (10.3), RTX Blackwell 2025 (12.0). Checked against data sheets: 108 SMs x
 * 1.41 GHz x 2048 = 312 Tflop/s bf16 of an A100, 132 x 1.83 x 4096 = 989 of an H100. */
static const struct {
    int major, minor;
    double per_clock[PA_FORMATS_END];
} units[] = {
    {7, 5, {[PA_FP64] = 4, [PA_FP32] = 128, [PA_FP16] = 1024, [PA_INT8] = 2048}},
    {8,
     0,
     {[PA_FP64] = 128,
      [PA_FP32] = 128,
      [PA_TF32] = 1024,
      [PA_BF16] = 2048,
      [PA_FP16] = 2048,
      [PA_INT8] = 4096}},
    {8,
     6,
     {[PA_FP64] = 4,
      [PA_FP32] = 256,
      [PA_TF32] = 512,
      [PA_BF16] = 1024,
      [PA_FP16] = 1024,
      [PA_INT8] = 2048}},
    {8,
     9,
     {[PA_FP64] = 4,
      [PA_FP32] = 256,
      [PA_TF32] = 512,
      [PA_BF16] = 1024,
      [PA_FP16] = 1024,
      [PA_FP8] = 2048,
      [PA_INT8] = 2048}},
    {9,
     0,
     {[PA_FP64] = 256,
      [PA_FP32] = 256,
      [PA_TF32] = 2048,
      [PA_BF16] = 4096,
      [PA_FP16] = 4096,
      [PA_FP8] = 8192,
      [PA_INT8] = 8192}},
    {10,
     0,
     {[PA_FP64] = 128,
      [PA_FP32] = 256,
      [PA_TF32] = 4096,
      [PA_BF16] = 8192,
      [PA_FP16] = 8192,
      [PA_FP8] = 16384,
      [PA_INT8] = 16384}},
    {10,
     3,
     {[PA_FP64] = 4,
      [PA_FP32] = 256,
      [PA_TF32] = 4096,
      [PA_BF16] = 8192,
      [PA_FP16] = 8192,
      [PA_FP8] = 16384,
      [PA_INT8] = 512}},
    {12,
     0,
     {[PA_FP64] = 4,
      [PA_FP32] = 256,
      [PA_TF32] = 512,
      [PA_BF16] = 1024,
      [PA_FP16] = 1024,
      [PA_FP8] = 2048,
      [PA_INT8] = 2048}},
};

static double per_clock(const struct pa_cuda_device *device, enum pa_format format) {
    /* GeForce boards do half of what the same chip does elsewhere when tensor cores accumulate in
     * fp32: RTX 3090 71, RTX 4090 165, RTX 5090 209.5 Tflop/s bf16 dense (NVIDIA's data sheets). */
    bool is_halved =
        strstr(device->base.identity.name, "GeForce") != NULL &&
        (format == PA_TF32 || format == PA_BF16 || format == PA_FP16 || format == PA_FP8);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (units[i].major == device->major && units[i].minor == device->minor)
            return units[i].per_clock[format] / (is_halved ? 2 : 1);
    return 0;
}

static void set_peak(const struct pa_cuda_device *device, enum pa_format format,
                     struct pa_format_facts *out) {
    const struct pa_device_identity *identity = &device->base.identity;
    double each = per_clock(device, format);
    out->peak_per_second = identity->units * identity->clock_hz * each;
    if (each == 0)
        snprintf(out->peak_basis, sizeof out->peak_basis,
                 "not known: compute capability %d.%d is not in the table", device->major,
                 device->minor);
    else if (identity->clock_hz == 0)
        snprintf(out->peak_basis, sizeof out->peak_basis, "not known: the driver tells no clock");
    else
        snprintf(out->peak_basis, sizeof out->peak_basis,
                 "%u SMs x %.3f GHz (driver) x %.0f operations a clock (compute capability %d.%d)",
                 identity->units, identity->clock_hz / 1e9, each, device->major, device->minor);
}

/* The least compute capability, 10 * major + minor, whose units have the format. */
static int least_capability(enum pa_format format) {
    switch (format) {
    case PA_BF16:
    case PA_TF32:
        return 80;
    case PA_FP8:
        return 89;
    default:
        return 75; /* the oldest that the kernels are made for */
    }
}

void pa_cuda_format(struct pa_device *base, enum pa_format format, struct pa_format_facts *out) {
    struct pa_cuda_device *device = (struct pa_cuda_device *)base;
    int capability = 10 * device->major + device->minor, least = least_capability(format);
    struct pa_error cause = {0};
    *out = (struct pa_format_facts){0};
    if (device->lost.code != PA_OK)
        snprintf(out->why_not, sizeof out->why_not, "%.159s", device->lost.text);
    else if (pa_cuda_images()->ptx == NULL)
        snprintf(out->why_not, sizeof out->why_not, "%.159s", pa_cuda_images()->why_absent);
    else if (capability < least)
        snprintf(out->why_not, sizeof out->why_not,
                 "it needs compute capability %d.%d, this device has %d.%d", least / 10, least % 10,
                 device->major, device->minor);
    else if (pa_cublaslt(&device->lt, &cause) != PA_OK)
        snprintf(out->why_not, sizeof out->why_not, "%.159s", cause.text);
    else
        out->runs = true;
    if (!out->runs)
        return;
    pa_cublaslt_name(device->lt, out->library, sizeof out->library);
    set_peak(device, format, out);
}
