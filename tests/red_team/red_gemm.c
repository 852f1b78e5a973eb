/* SPDX-License-Identifier: Apache-2.0 */
#include "red_gemm.h"

bool red_gemm_open(struct red_gemm *gemm, enum pa_format format, uint32_t m, uint32_t n,
                   uint32_t k) {
    struct pa_error error = {0};
    *gemm = (struct red_gemm){
        .plan = {.workload = {.class_id = PA_DENSE16, .format = format, .m = m, .n = n, .k = k}}};
    return pa_gemm_onednn.plan(&gemm->plan, false, 1, &error) == PA_OK &&
           pa_gemm_onednn.worker_open(&gemm->plan, &gemm->worker, &error) == PA_OK;
}

void red_gemm_run(struct red_gemm *gemm, const void *a, const void *b, void *c) {
    const struct pa_workload *work = &gemm->plan.workload;
    size_t width = pa_format_bytes(work->format);
    struct pa_error error = {0};
    for (uint32_t row = 0; row < work->m; row += gemm->plan.panel_rows) {
        uint32_t left = work->m - row;
        uint32_t rows = left < gemm->plan.panel_rows ? left : gemm->plan.panel_rows;
        RED_MUST(pa_gemm_onednn.multiply(
                     gemm->worker, rows, (const uint8_t *)a + (size_t)row * work->k * width, b,
                     (uint8_t *)c + (size_t)row * work->n * 4, &error) == PA_OK);
    }
}

void red_gemm_close(struct red_gemm *gemm) {
    pa_gemm_onednn.worker_close(gemm->worker);
    gemm->worker = NULL;
}

void red_operand_f32(const struct pa_seed *seed, uint32_t first, uint32_t count, uint32_t k,
                     float *out) {
    struct pa_operand_kind kind;
    RED_MUST(pa_operand_kind(PA_DENSE16, PA_FP32, &kind));
    pa_cpu_kernels(pa_cpu_level())->plain(&kind, seed, first, count, k, out);
}

void red_digest_all(const float *c, uint32_t m, uint32_t n, uint32_t s, uint64_t *tiles) {
    const struct pa_cpu_kernels *kernels = pa_cpu_kernels(pa_cpu_level());
    for (uint32_t i = 0; i < m / PA_TILE; i++)
        for (uint32_t j = 0; j < n / PA_TILE; j++)
            *tiles++ = kernels->tile_f32(c + (size_t)i * PA_TILE * n + j * PA_TILE, n, s);
}
