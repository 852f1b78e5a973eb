/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/exactness.h"

#include "base/clock.h"
#include "measure/sustain.h"

#include <string.h>

enum { CHECK_M = 256, CHECK_N = 256, CHECK_STEPS = 2 };

static const uint64_t patience_ns = UINT64_C(60000000000);

/* Compare all tiles of the step that was generated from these seeds. */
static void compare(const struct pa_stand *stand, struct pa_tile_bench *witness,
                    const struct pa_seed *a_seed, const struct pa_seed *b_seed,
                    struct pa_exactness_report *out) {
    const struct pa_workload *workload = &stand->workload;
    uint32_t columns = workload->n / PA_TILE;
    for (uint32_t row = 0; row < workload->m / PA_TILE; row++)
        for (uint32_t column = 0; column < columns; column++) {
            uint64_t expected = pa_tile_digest(witness, (enum pa_class)workload->class_id,
                                               workload->k, a_seed, b_seed, row, column);
            out->tiles++;
            out->mismatches += stand->tiles[(size_t)row * columns + column] != expected ? 1 : 0;
        }
}

static int run_steps(struct pa_stand *stand, struct pa_tile_bench *witness,
                     struct pa_exactness_report *out, struct pa_error *error) {
    const struct pa_backend *backend = stand->device->backend;
    struct pa_seed a_seed = {
        .k0 = 0x243F6A88, .k1 = 0x85A308D3, .c2 = 0x13198A2E, .c3 = 0x03707344, .s = 0};
    struct pa_seed b_seed = {
        .k0 = 0xA4093822, .k1 = 0x299F31D0, .c2 = 0x082EFA98, .c3 = 0xEC4E6C89, .s = 0x452821E6};
    PA_TRY(backend->load_a(stand->bench, &a_seed, error));
    for (int step = 0; step < CHECK_STEPS; step++, b_seed.k0++, b_seed.s += 0x38D01377) {
        PA_TRY(backend->step_enqueue(stand->bench, &b_seed, error));
        PA_TRY(backend->step_collect(stand->bench, stand->tiles,
                                     pa_clock_raw_ns() + pa_clock_patience_ns(patience_ns), error));
        compare(stand, witness, &a_seed, &b_seed, out);
    }
    return PA_OK;
}

int pa_exactness_check(struct pa_device *device, uint32_t class_id, enum pa_format format,
                       struct pa_exactness_report *out, struct pa_error *error) {
    struct pa_workload workload = {
        .class_id = class_id, .format = format, .m = CHECK_M, .n = CHECK_N, .k = PA_CERTIFIED_K};
    struct pa_tile_bench *witness = NULL;
    struct pa_stand stand = {0};
    *out = (struct pa_exactness_report){0};
    int code = pa_tile_bench_create(workload.k, &witness, error);
    if (code == PA_OK)
        code = pa_stand_open(&stand, device, &workload, NULL, error);
    if (code == PA_OK)
        code = run_steps(&stand, witness, out, error);
    pa_stand_close(&stand);
    pa_tile_bench_destroy(witness);
    return code;
}
