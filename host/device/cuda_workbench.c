/* SPDX-License-Identifier: Apache-2.0 */
/* A workbench's memory and life on a GPU. */
#include "device/cuda_inside.h"

#include <stdlib.h>

enum { TILE = 128, MOST_MN = 1 << 20, MOST_K = 8192 };

/* Numbers of enum pa_class (proof/work_class.h), which this room does not include. */
static const struct {
    uint32_t class_id;
    enum pa_format format;
    struct pa_cuda_kind kind;
} kinds[] = {
    {1, PA_BF16, {16, 2, 4, PA_KERNEL_FILL_DENSE16_BF16, PA_KERNEL_DIGEST_F32}},
    {1, PA_FP16, {16, 2, 4, PA_KERNEL_FILL_DENSE16_FP16, PA_KERNEL_DIGEST_F32}},
    {1, PA_FP32, {16, 4, 4, PA_KERNEL_FILL_DENSE16_FP32, PA_KERNEL_DIGEST_F32}},
    {1, PA_TF32, {16, 4, 4, PA_KERNEL_FILL_DENSE16_FP32, PA_KERNEL_DIGEST_F32}},
    {2, PA_INT8, {8, 1, 4, PA_KERNEL_FILL_DENSE8_INT8, PA_KERNEL_DIGEST_I32}},
    {3, PA_FP8, {4, 1, 4, PA_KERNEL_FILL_FP8_E4M3, PA_KERNEL_DIGEST_F32}},
    {4, PA_FP64, {32, 8, 8, PA_KERNEL_FILL_DENSE64_FP64, PA_KERNEL_DIGEST_F64}},
};

int pa_cuda_kind(uint32_t class_id, enum pa_format format, struct pa_cuda_kind *out,
                 struct pa_error *error) {
    const char *name = pa_format_name(format);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].class_id == class_id && kinds[i].format == format) {
            *out = kinds[i].kind;
            return PA_OK;
        }
    return pa_fail(error, PA_EUNSUPPORTED, "class %u has no kernel for %s on a GPU", class_id,
                   name != NULL ? name : "an unknown format");
}

static int check_workload(struct pa_cuda_device *device, const struct pa_workload *work,
                          struct pa_cuda_kind *kind, struct pa_error *error) {
    struct pa_format_facts facts;
    PA_TRY(pa_cuda_kind(work->class_id, work->format, kind, error));
    pa_cuda_format(&device->base, work->format, &facts);
    if (!facts.runs)
        return pa_fail(error, PA_EUNSUPPORTED, "%s on %s: %s", pa_format_name(work->format),
                       device->base.identity.id, facts.why_not);
    if (work->m == 0 || work->n == 0 || work->k == 0 || work->m > MOST_MN || work->n > MOST_MN ||
        work->k > MOST_K || work->m % TILE != 0 || work->n % TILE != 0 ||
        work->k % (128 / kind->slot_bits) != 0)
        return pa_fail(error, PA_EUNSUPPORTED,
                       "a shape of %u x %u x %u: M and N must be multiples of 128 up to %d, K a "
                       "multiple of %u up to %d",
                       work->m, work->n, work->k, MOST_MN, 128 / kind->slot_bits, MOST_K);
    return PA_OK;
}

/* What the shape takes; products are bounded by 2^20 x 2^20 x 8 = 2^43. */
struct footprint {
    uint64_t a, b, c, tiles;
};

static struct footprint measure(const struct pa_workload *work, const struct pa_cuda_kind *kind) {
    return (struct footprint){
        .a = (uint64_t)work->m * work->k * kind->operand_bytes,
        .b = (uint64_t)work->n * work->k * kind->operand_bytes,
        .c = (uint64_t)work->m * work->n * kind->result_bytes,
        .tiles = (uint64_t)(work->m / TILE) * (work->n / TILE) * sizeof(uint64_t),
    };
}

static uint64_t total(const struct footprint *print, uint64_t workspace) {
    return print->a + PA_CUDA_QUEUE * (print->b + print->c + print->tiles) + workspace;
}

/* Kind, descriptors and all ways of a workload; `product` is to be closed in any case. */
static int list_ways(struct pa_cuda_device *device, const struct pa_workload *work,
                     struct pa_cuda_kind *kind, struct pa_lt_product *product,
                     struct pa_lt_way ways[PA_LT_WAYS], int *count, struct pa_error *error) {
    *product = (struct pa_lt_product){0};
    *count = 0;
    PA_TRY(pa_cuda_enter(device, error));
    PA_TRY(check_workload(device, work, kind, error));
    PA_TRY(pa_lt_open(product, device, work, error));
    return pa_lt_ways(product, ways, count, error);
}

int pa_cuda_variants(struct pa_device *device, const struct pa_workload *workload,
                     char (*names)[48], int most) {
    struct pa_lt_way ways[PA_LT_WAYS];
    struct pa_lt_product product;
    struct pa_cuda_kind kind;
    int count;
    if (list_ways((struct pa_cuda_device *)device, workload, &kind, &product, ways, &count, NULL) !=
        PA_OK)
        count = 0;
    if (count > most)
        count = most;
    for (int i = 0; i < count; i++)
        pa_lt_way_name(&product, &ways[i], names[i]);
    pa_lt_close(&product);
    return count;
}

uint64_t pa_cuda_workbench_bytes(struct pa_device *device, const struct pa_workload *workload) {
    struct pa_lt_way ways[PA_LT_WAYS];
    struct pa_lt_product product;
    struct pa_cuda_kind kind;
    int count;
    uint64_t bytes = 0;
    if (list_ways((struct pa_cuda_device *)device, workload, &kind, &product, ways, &count, NULL) ==
            PA_OK &&
        workload->variant < (uint32_t)count) {
        struct footprint print = measure(workload, &kind);
        bytes = total(&print, ways[workload->variant].workspace_bytes);
    }
    pa_lt_close(&product);
    return bytes;
}

uint64_t pa_cuda_memory_free(struct pa_device *base) {
    struct pa_cuda_device *device = (struct pa_cuda_device *)base;
    size_t free_bytes = 0, all_bytes = 0;
    if (pa_cuda_enter(device, NULL) != PA_OK ||
        pa_cuda_check(device, PA_CUDA_CALL(device, cuMemGetInfo_v2, &free_bytes, &all_bytes),
                      "cuMemGetInfo_v2", NULL) != PA_OK)
        return 0;
    return free_bytes;
}

static int allocate(struct pa_cuda_device *device, uint64_t bytes, CUdeviceptr *out,
                    struct pa_error *error) {
    if (bytes == 0)
        return PA_OK;
    PA_CUDA_TRY(device, cuMemAlloc_v2, out, bytes);
    return PA_OK;
}

static int make_event(struct pa_cuda_device *device, unsigned flags, CUevent *out,
                      struct pa_error *error) {
    PA_CUDA_TRY(device, cuEventCreate, out, flags);
    return PA_OK;
}

static int make_slot(struct pa_workbench *bench, struct pa_cuda_slot *slot,
                     const struct footprint *print, struct pa_error *error) {
    struct pa_cuda_device *device = bench->device;
    CUevent *timed[] = {&slot->generate_begin, &slot->generate_end, &slot->digest_begin,
                        &slot->digest_end};
    void *pinned = NULL;
    PA_TRY(allocate(device, print->b, &slot->b, error));
    PA_TRY(allocate(device, print->c, &slot->c, error));
    PA_TRY(allocate(device, print->tiles, &slot->tiles, error));
    /* A copy to memory that is not pinned would block the thread until all before it is done. */
    PA_CUDA_TRY(device, cuMemHostAlloc, &pinned, print->tiles, 0);
    slot->host_tiles = pinned;
    for (size_t i = 0; i < sizeof timed / sizeof timed[0]; i++)
        PA_TRY(make_event(device, PA_CU_EVENT_DEFAULT, timed[i], error));
    return make_event(device, PA_CU_EVENT_DISABLE_TIMING, &slot->copied, error);
}

/* Products on a stream of low priority, what goes with them on one of high priority: units are
 * given out as blocks of a product retire, and the operand of the next product must not wait until
 * all blocks of this one were given out. */
static int make_streams(struct pa_workbench *bench, struct pa_error *error) {
    struct pa_cuda_device *device = bench->device;
    int least = 0, greatest = 0;
    PA_CUDA_TRY(device, cuCtxGetStreamPriorityRange, &least, &greatest);
    PA_CUDA_TRY(device, cuStreamCreateWithPriority, &bench->gemm, PA_CU_STREAM_NON_BLOCKING, least);
    PA_CUDA_TRY(device, cuStreamCreateWithPriority, &bench->side, PA_CU_STREAM_NON_BLOCKING,
                greatest);
    for (size_t i = 0; i < sizeof bench->drained / sizeof bench->drained[0]; i++)
        PA_TRY(make_event(device, PA_CU_EVENT_DISABLE_TIMING, &bench->drained[i], error));
    for (int i = 0; i < PA_CUDA_SPANS; i++) {
        PA_TRY(make_event(device, PA_CU_EVENT_DEFAULT, &bench->spans[i].begin, error));
        PA_TRY(make_event(device, PA_CU_EVENT_DEFAULT, &bench->spans[i].end, error));
    }
    return PA_OK;
}

static int furnish(struct pa_workbench *bench, struct pa_error *error) {
    struct pa_cuda_device *device = bench->device;
    struct pa_lt_way ways[PA_LT_WAYS];
    int count = 0;
    PA_TRY(list_ways(device, &bench->workload, &bench->kind, &bench->product, ways, &count, error));
    if (bench->workload.variant >= (uint32_t)count)
        return pa_fail(error, PA_EUNSUPPORTED, "%s: there are %d ways of this product, not a %u.",
                       device->base.identity.id, count, bench->workload.variant);
    bench->way = ways[bench->workload.variant];
    struct footprint print = measure(&bench->workload, &bench->kind);
    uint64_t bytes = total(&print, bench->way.workspace_bytes);
    size_t free_bytes = 0, all_bytes = 0;
    PA_CUDA_TRY(device, cuMemGetInfo_v2, &free_bytes, &all_bytes);
    if (bytes > free_bytes)
        return pa_fail(
            error, PA_EMEMORY,
            "a workbench of %u x %u x %u in %s takes %llu bytes and %s has %zu free: use "
            "a smaller shape",
            bench->workload.m, bench->workload.n, bench->workload.k,
            pa_format_name(bench->workload.format), (unsigned long long)bytes,
            device->base.identity.id, free_bytes);
    bench->tile_count = print.tiles / sizeof(uint64_t);
    PA_TRY(make_streams(bench, error));
    PA_TRY(allocate(device, print.a, &bench->a, error));
    PA_TRY(allocate(device, bench->way.workspace_bytes, &bench->workspace, error));
    for (int i = 0; i < PA_CUDA_QUEUE; i++)
        PA_TRY(make_slot(bench, &bench->slots[i], &print, error));
    return PA_OK;
}

int pa_cuda_workbench_open(struct pa_device *device, const struct pa_workload *workload,
                           struct pa_workbench **out, struct pa_error *error) {
    struct pa_workbench *bench = calloc(1, sizeof *bench);
    *out = NULL;
    if (bench == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a workbench: out of memory");
    bench->device = (struct pa_cuda_device *)device;
    bench->workload = *workload;
    int code = furnish(bench, error);
    if (code != PA_OK) {
        pa_cuda_workbench_close(bench);
        return code;
    }
    *out = bench;
    return PA_OK;
}

static void free_memory(struct pa_cuda_device *device, CUdeviceptr address) {
    if (address != 0)
        pa_cuda_check(device, PA_CUDA_CALL(device, cuMemFree_v2, address), "cuMemFree_v2", NULL);
}

static void free_event(struct pa_cuda_device *device, CUevent event) {
    if (event != NULL)
        pa_cuda_check(device, PA_CUDA_CALL(device, cuEventDestroy_v2, event), "cuEventDestroy_v2",
                      NULL);
}

static void free_slot(struct pa_cuda_device *device, struct pa_cuda_slot *slot) {
    CUevent events[] = {slot->generate_begin, slot->generate_end, slot->digest_begin,
                        slot->digest_end, slot->copied};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        free_event(device, events[i]);
    free_memory(device, slot->b);
    free_memory(device, slot->c);
    free_memory(device, slot->tiles);
    if (slot->host_tiles != NULL)
        pa_cuda_check(device, PA_CUDA_CALL(device, cuMemFreeHost, slot->host_tiles),
                      "cuMemFreeHost", NULL);
}

void pa_cuda_workbench_close(struct pa_workbench *bench) {
    if (bench == NULL)
        return;
    struct pa_cuda_device *device = bench->device;
    pa_cuda_steps_drop(bench);
    pa_cuda_fold_close(bench);
    if (device->context != NULL && pa_cuda_enter(device, NULL) == PA_OK) {
        for (int i = 0; i < PA_CUDA_QUEUE; i++)
            free_slot(device, &bench->slots[i]);
        for (size_t i = 0; i < sizeof bench->drained / sizeof bench->drained[0]; i++)
            free_event(device, bench->drained[i]);
        for (int i = 0; i < PA_CUDA_SPANS; i++) {
            free_event(device, bench->spans[i].begin);
            free_event(device, bench->spans[i].end);
        }
        free_memory(device, bench->a);
        free_memory(device, bench->workspace);
        CUstream streams[] = {bench->gemm, bench->side};
        for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
            if (streams[i] != NULL)
                pa_cuda_check(device, PA_CUDA_CALL(device, cuStreamDestroy_v2, streams[i]),
                              "cuStreamDestroy_v2", NULL);
    }
    pa_lt_close(&bench->product);
    free(bench);
}
