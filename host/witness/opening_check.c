/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/opening_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pa_opening_check {
    const struct pa_declaration *declaration;
    struct pa_ledger_epoch epoch; /* a copy: the ledger moves as it grows; its list stays */
    struct pa_epoch_parameters parameters;
    struct pa_sample *samples;
    uint32_t sample_count;
    bool *is_seen;
    uint32_t failed, first_failed;
    char reason[PA_ERROR_TEXT_BYTES];
    struct pa_tile_bench *bench;
};

/* Draw the sample of the epoch; nothing to draw from when no device did any work. */
static int draw_samples(struct pa_opening_check *check, struct pa_error *error) {
    const struct pa_declaration *declaration = check->declaration;
    uint32_t devices = declaration->device_count;
    struct pa_shape *shapes = calloc(devices, sizeof *shapes);
    uint64_t tiles = 0;
    int code = PA_OK;
    if (shapes == NULL)
        return pa_fail(error, PA_EMEMORY, "drawing samples: out of memory");
    for (uint32_t d = 0; d < devices; d++)
        shapes[d] = pa_declared_shape(declaration, check->epoch.kind, d);
    if (!pa_epoch_tiles(&tiles, shapes, check->epoch.tails, devices))
        code = pa_fail(error, PA_EWITNESS,
                       "epoch %llu has more steps or tiles than the protocol allows",
                       (unsigned long long)check->epoch.number);
    if (code == PA_OK && tiles > 0) {
        check->sample_count = pa_declared_openings(declaration, check->epoch.kind);
        check->samples = calloc(check->sample_count, sizeof *check->samples);
        check->is_seen = calloc(check->sample_count, sizeof *check->is_seen);
        code =
            check->samples == NULL || check->is_seen == NULL
                ? pa_fail(error, PA_EMEMORY, "drawing samples: out of memory")
                : pa_epoch_samples(check->samples, check->sample_count, &check->epoch.key,
                                   &check->epoch.root, shapes, check->epoch.tails, devices, error);
    }
    free(shapes);
    return code;
}

int pa_opening_check_begin(const struct pa_declaration *declaration, const struct pa_hash *session,
                           const struct pa_ledger_epoch *epoch, struct pa_opening_check **out,
                           struct pa_error *error) {
    struct pa_opening_check *check = calloc(1, sizeof *check);
    if (check == NULL)
        return pa_fail(error, PA_EMEMORY, "checking openings: out of memory");
    check->declaration = declaration;
    check->epoch = *epoch;
    check->first_failed = UINT32_MAX;
    check->parameters = (struct pa_epoch_parameters){.class_id = declaration->class_id,
                                                     .k = declaration->k,
                                                     .devices = declaration->device_count,
                                                     .session = *session,
                                                     .epoch = epoch->number};
    int code = draw_samples(check, error);
    if (code == PA_OK)
        code = pa_tile_bench_create(declaration->k, &check->bench, error);
    if (code != PA_OK) {
        pa_opening_check_free(check);
        return code;
    }
    *out = check;
    return PA_OK;
}

uint64_t pa_opening_check_epoch(const struct pa_opening_check *check) {
    return check->epoch.number;
}

static void count_failure(struct pa_opening_check *check, uint32_t j, const char *why) {
    check->failed++;
    if (j > check->first_failed)
        return;
    const struct pa_sample *sample = &check->samples[j];
    check->first_failed = j;
    snprintf(check->reason, sizeof check->reason, "device %u, step %u, tile (%u, %u): %.800s",
             sample->device, sample->step, sample->row, sample->column, why);
}

/* Paths first, which are cheap, then the tile itself. */
static int verify(struct pa_opening_check *check, const struct pa_sample *sample, const void *bytes,
                  size_t size, struct pa_error *error) {
    struct pa_shape shape =
        pa_declared_shape(check->declaration, check->epoch.kind, sample->device);
    const struct pa_tail *tail = &check->epoch.tails[sample->device];
    struct pa_reader reader = pa_reader_over(bytes, size);
    struct pa_opening opening = {0};
    struct pa_hash start, a_hash;
    struct pa_seed b_seed;
    uint64_t claimed;
    PA_TRY(pa_opening_read(&opening, &reader, sample, shape, tail->steps, error));
    pa_epoch_device_start(&start, &check->epoch.nonce, &check->parameters, sample->device, shape.m,
                          shape.n);
    int code = pa_opening_check(&opening, sample, shape, &start, tail, &b_seed, &claimed, error);
    pa_opening_free(&opening);
    if (code != PA_OK)
        return code;
    pa_hash_bytes(&a_hash, "A", start.bytes, PA_HASH_BYTES);
    struct pa_seed a_seed = pa_seed_from(&a_hash);
    uint64_t computed = pa_tile_digest(check->bench, check->declaration->class_id, shape.k, &a_seed,
                                       &b_seed, sample->row, sample->column);
    if (computed != claimed)
        return pa_fail(error, PA_EINVALID,
                       "the tile's digest is %016llx, the witness computes %016llx",
                       (unsigned long long)claimed, (unsigned long long)computed);
    return PA_OK;
}

int pa_opening_check_one(struct pa_opening_check *check, uint32_t j, const void *opening,
                         size_t size, struct pa_error *error) {
    struct pa_error cause = {0};
    if (j >= check->sample_count || check->is_seen[j])
        return pa_fail(error, PA_EWITNESS, "opening %u of epoch %llu was not asked for", j,
                       (unsigned long long)check->epoch.number);
    check->is_seen[j] = true;
    int code = verify(check, &check->samples[j], opening, size, &cause);
    if (code == PA_EMEMORY)
        return pa_fail(error, code, "%s", cause.text);
    if (code != PA_OK)
        count_failure(check, j, cause.text);
    return PA_OK;
}

struct rechecking {
    struct pa_opening_check *check;
    const struct pa_ledger_epoch *epoch;
};

static int recheck_record(void *context, uint64_t index, const struct pa_record *record,
                          const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    struct rechecking *rechecking = context;
    struct pa_opening_record opening;
    (void)index;
    (void)before;
    if (record->type != PA_RECORD_OPENING || record->epoch != rechecking->epoch->number)
        return PA_OK;
    PA_TRY(pa_record_opening(record, &opening, error));
    if (opening.j < rechecking->check->sample_count && rechecking->check->is_seen[opening.j])
        return PA_OK;
    return pa_opening_check_one(rechecking->check, opening.j, opening.opening,
                                opening.opening_bytes, error);
}

int pa_opening_check_recheck(struct pa_opening_check *check, struct pa_store *store,
                             const struct pa_ledger_epoch *epoch, struct pa_error *error) {
    struct rechecking rechecking = {check, epoch};
    uint32_t seen = 0;
    for (uint32_t j = 0; j < check->sample_count; j++)
        seen += check->is_seen[j] ? 1 : 0;
    if (seen == epoch->opened)
        return PA_OK;
    return pa_store_each(store, recheck_record, &rechecking, error);
}

void pa_opening_check_result(struct pa_opening_check *check, uint32_t opened,
                             struct pa_result_record *out) {
    for (uint32_t j = opened; j < check->sample_count; j++)
        if (!check->is_seen[j])
            count_failure(check, j, "the opening never came");
    *out = (struct pa_result_record){.drawn = check->sample_count,
                                     .failed = check->failed,
                                     .first_failed = check->first_failed,
                                     .reason = check->reason,
                                     .reason_bytes = (uint32_t)strlen(check->reason)};
}

void pa_opening_check_free(struct pa_opening_check *check) {
    if (check == NULL)
        return;
    pa_tile_bench_destroy(check->bench);
    free(check->samples);
    free(check->is_seen);
    free(check);
}
