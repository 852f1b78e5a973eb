/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a chain on a GPU, overlapped on two streams.
 *
 *     gemm stream:  | product 1      | product 2      | product 3      |
 *     side stream:  B1 | B2          | digest 1, B3   | digest 2, B4   |
 *
 * The seed of step t + 2 hangs on the digests of step t and of nothing later (docs/protocol.md,
 * "Chain"), so that with two steps queued the next operand is always made, and the last result
 * always digested, while a product runs. Within the side stream the digest of step t is queued
 * behind the operand of step t + 1: that operand is what the next product waits for.
 */
#include "device/cuda_inside.h"

#include "base/clock.h"

#include <string.h>

/* A product that was let run to its end: far longer than any takes, and short of for ever. */
static const uint64_t bare_patience_ns = UINT64_C(120000000000);
static const uint64_t drop_patience_ns = UINT64_C(10000000000);

static int record(struct pa_workbench *bench, CUevent event, CUstream stream,
                  struct pa_error *error) {
    PA_CUDA_TRY(bench->device, cuEventRecord, event, stream);
    return PA_OK;
}

static int wait_for(struct pa_workbench *bench, CUstream stream, CUevent event,
                    struct pa_error *error) {
    PA_CUDA_TRY(bench->device, cuStreamWaitEvent, stream, event, 0);
    return PA_OK;
}

static int fill(struct pa_workbench *bench, const struct pa_seed *seed, CUdeviceptr out,
                uint32_t vectors, struct pa_error *error) {
    struct pa_seed s = *seed;
    uint32_t blocks = bench->workload.k * bench->kind.slot_bits / 128, first = 0;
    void *parameters[] = {&out, &blocks, &first, &vectors, &s.k0, &s.k1, &s.c2, &s.c3};
    return pa_cuda_launch(bench->device, bench->kind.fill, pa_grid_fill(vectors, blocks),
                          bench->side, parameters, error);
}

static struct pa_cuda_slot *slot_of(struct pa_workbench *bench, uint64_t step) {
    return &bench->slots[step % PA_CUDA_QUEUE];
}

static struct pa_cuda_span *span_of(struct pa_workbench *bench, uint64_t step) {
    return &bench->spans[step % PA_CUDA_SPANS];
}

/* Digest the oldest step that is not, and bring its digests to the host. */
static int queue_digest(struct pa_workbench *bench, struct pa_error *error) {
    struct pa_cuda_device *device = bench->device;
    struct pa_cuda_slot *slot = slot_of(bench, bench->digested);
    uint32_t ld = bench->workload.n, s = bench->s[bench->digested % PA_CUDA_QUEUE];
    void *parameters[] = {&slot->c, &ld, &s, &slot->tiles};
    PA_TRY(wait_for(bench, bench->side, span_of(bench, bench->digested)->end, error));
    PA_TRY(record(bench, slot->digest_begin, bench->side, error));
    PA_TRY(pa_cuda_launch(device, bench->kind.digest,
                          pa_grid_digest(bench->workload.m, bench->workload.n), bench->side,
                          parameters, error));
    PA_TRY(record(bench, slot->digest_end, bench->side, error));
    PA_TRY(pa_cuda_fold_queue(bench, slot->c, error));
    PA_CUDA_TRY(device, cuMemcpyDtoHAsync_v2, slot->host_tiles, slot->tiles,
                bench->tile_count * sizeof *slot->host_tiles, bench->side);
    PA_TRY(record(bench, slot->copied, bench->side, error));
    bench->digested++;
    return PA_OK;
}

int pa_cuda_load_a(struct pa_workbench *bench, const struct pa_seed *seed, struct pa_error *error) {
    PA_TRY(pa_cuda_enter(bench->device, error));
    if (bench->enqueued != bench->collected)
        return pa_fail(error, PA_EINTERNAL, "loading A while steps are queued");
    /* Products come after B, which comes after this in the same stream. */
    return fill(bench, seed, bench->a, bench->workload.m, error);
}

static int multiply(struct pa_workbench *bench, struct pa_cuda_slot *slot, struct pa_error *error) {
    return pa_lt_multiply(&bench->product, &bench->way, bench->a, slot->b, slot->c,
                          bench->workspace, bench->gemm, error);
}

int pa_cuda_step_enqueue(struct pa_workbench *bench, const struct pa_seed *seed,
                         struct pa_error *error) {
    PA_TRY(pa_cuda_enter(bench->device, error));
    if (bench->enqueued - bench->collected >= PA_CUDA_QUEUE)
        return pa_fail(error, PA_EINTERNAL, "queueing a step while two are queued");
    struct pa_cuda_slot *slot = slot_of(bench, bench->enqueued);
    struct pa_cuda_span *span = span_of(bench, bench->enqueued);
    PA_TRY(record(bench, slot->generate_begin, bench->side, error));
    PA_TRY(fill(bench, seed, slot->b, bench->workload.n, error));
    PA_TRY(record(bench, slot->generate_end, bench->side, error));
    if (bench->digested < bench->enqueued)
        PA_TRY(queue_digest(bench, error));
    PA_TRY(wait_for(bench, bench->gemm, slot->generate_end, error));
    PA_TRY(record(bench, span->begin, bench->gemm, error));
    PA_TRY(multiply(bench, slot, error));
    PA_TRY(record(bench, span->end, bench->gemm, error));
    bench->s[bench->enqueued % PA_CUDA_QUEUE] = seed->s;
    bench->enqueued++;
    bench->has_operands = true;
    return PA_OK;
}

/* Device time between two events that both have happened; 0 where it cannot be had. */
static uint64_t between(struct pa_workbench *bench, CUevent begin, CUevent end) {
    float ms = 0;
    if (PA_CUDA_CALL(bench->device, cuEventElapsedTime, &ms, begin, end) != CUDA_SUCCESS ||
        !(ms > 0))
        return 0;
    return (uint64_t)((double)ms * 1e6);
}

static void count_costs(struct pa_workbench *bench, uint64_t step) {
    struct pa_cuda_slot *slot = slot_of(bench, step);
    struct pa_cuda_span *span = span_of(bench, step);
    bench->costs.generate_ns += between(bench, slot->generate_begin, slot->generate_end);
    bench->costs.gemm_ns += between(bench, span->begin, span->end);
    bench->costs.digest_ns += between(bench, slot->digest_begin, slot->digest_end);
    if (step > 0)
        bench->costs.idle_ns += between(bench, span_of(bench, step - 1)->end, span->begin);
}

int pa_cuda_step_collect(struct pa_workbench *bench, uint64_t *tiles, uint64_t deadline_ns,
                         struct pa_error *error) {
    PA_TRY(pa_cuda_enter(bench->device, error));
    if (bench->enqueued == bench->collected)
        return pa_fail(error, PA_EINTERNAL, "collecting a step while none is queued");
    struct pa_cuda_slot *slot = slot_of(bench, bench->collected);
    if (bench->digested == bench->collected)
        PA_TRY(queue_digest(bench, error));
    PA_TRY(pa_cuda_wait(bench->device, slot->copied, deadline_ns, "cuEventQuery of a step", error));
    memcpy(tiles, slot->host_tiles, bench->tile_count * sizeof *tiles);
    count_costs(bench, bench->collected);
    bench->collected++;
    return PA_OK;
}

static int drain(struct pa_workbench *bench, struct pa_error *error) {
    uint64_t deadline = pa_clock_raw_ns() + pa_clock_patience_ns(drop_patience_ns);
    CUstream streams[] = {bench->gemm, bench->side};
    PA_TRY(pa_cuda_enter(bench->device, error));
    for (int i = 0; i < 2; i++)
        PA_TRY(record(bench, bench->drained[i], streams[i], error));
    for (int i = 0; i < 2; i++)
        PA_TRY(pa_cuda_wait(bench->device, bench->drained[i], deadline, "cuEventQuery of the rest",
                            error));
    return PA_OK;
}

void pa_cuda_steps_drop(struct pa_workbench *bench) {
    struct pa_cuda_device *device = bench->device;
    struct pa_error cause = {0};
    bool is_furnished = bench->drained[0] != NULL && bench->drained[1] != NULL;
    if (is_furnished && device->lost.code == PA_OK && drain(bench, &cause) != PA_OK)
        /* Work that never ends holds its buffers for ever. */
        pa_cuda_lose(device, cause.code, cause.text, NULL);
    bench->enqueued = bench->digested = bench->collected = 0;
}

/* Zeros would flatter the library: operands that nobody made yet get values of a fixed seed. */
static int make_operands(struct pa_workbench *bench, struct pa_error *error) {
    const struct pa_seed seed = {1, 2, 3, 4, 5};
    if (bench->has_operands)
        return PA_OK;
    PA_TRY(pa_cuda_load_a(bench, &seed, error));
    PA_TRY(fill(bench, &seed, bench->slots[0].b, bench->workload.n, error));
    bench->has_operands = true;
    return PA_OK;
}

int pa_cuda_multiply_bare(struct pa_workbench *bench, uint32_t times, uint64_t *out_ns,
                          struct pa_error *error) {
    struct pa_cuda_slot *slot = &bench->slots[0];
    *out_ns = 0;
    PA_TRY(pa_cuda_enter(bench->device, error));
    if (bench->enqueued != bench->collected)
        return pa_fail(error, PA_EINTERNAL, "measuring the library alone while steps are queued");
    PA_TRY(make_operands(bench, error));
    PA_TRY(drain(bench, error));
    uint64_t begun = pa_clock_raw_ns(), deadline = begun + pa_clock_patience_ns(bare_patience_ns);
    for (uint32_t i = 0; i < times; i++)
        PA_TRY(multiply(bench, slot, error));
    PA_TRY(record(bench, bench->drained[0], bench->gemm, error));
    PA_TRY(pa_cuda_wait(bench->device, bench->drained[0], deadline, "cuEventQuery of products",
                        error));
    *out_ns = pa_clock_raw_ns() - begun;
    return PA_OK;
}

void pa_cuda_costs(struct pa_workbench *bench, struct pa_step_costs *out) {
    *out = bench->costs;
    bench->costs = (struct pa_step_costs){0};
}
