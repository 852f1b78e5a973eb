/* SPDX-License-Identifier: Apache-2.0 */
/* facts_openings.c - sampled tiles: that the right ones were opened, that they hang in the
 * commitment, and that the arithmetic is right. */
#include "base/team.h"
#include "judge/facts_inside.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Over all epochs; samples and jobs of so many take 1.5 GB. */
    MOST_SAMPLES = 1 << 24,
    MOST_PROCESSORS = 1024,
};

/* Which tiles (key, root) demand: computed with the first opening of an epoch. */
static int draw_samples(struct pa_replay *replay, struct pa_replay_epoch *epoch,
                        struct pa_error *error) {
    uint32_t count = pa_declared_openings(&replay->facts->declaration, epoch->kind);
    if (epoch->samples != NULL)
        return PA_OK;
    replay->sample_total += count;
    if (replay->sample_total > MOST_SAMPLES)
        return pa_replay_broken(replay, "more than %d openings over all epochs", MOST_SAMPLES);
    epoch->samples = calloc(count, sizeof *epoch->samples);
    epoch->has_opening = calloc(count, sizeof *epoch->has_opening);
    if (epoch->samples == NULL || epoch->has_opening == NULL)
        return pa_fail(error, PA_EMEMORY, "drawing %u samples: out of memory", count);
    return pa_epoch_samples(epoch->samples, count, &epoch->key, &epoch->root,
                            pa_replay_shapes(replay, epoch), epoch->tails,
                            replay->facts->device_count, error);
}

static int add_job(struct pa_replay *replay, const struct pa_tile_job *job,
                   struct pa_error *error) {
    if (replay->job_count == replay->job_capacity) {
        size_t capacity = replay->job_capacity == 0 ? 1024 : 2 * replay->job_capacity;
        struct pa_tile_job *grown = realloc(replay->jobs, capacity * sizeof *grown);
        if (grown == NULL)
            return pa_fail(error, PA_EMEMORY, "checking %zu openings: out of memory", capacity);
        replay->jobs = grown;
        replay->job_capacity = capacity;
    }
    replay->jobs[replay->job_count++] = *job;
    return PA_OK;
}

static void fail_opening(struct pa_replay *replay, uint32_t number, uint32_t j,
                         const char *reason) {
    const struct pa_sample *sample = &replay->epochs[number].samples[j];
    replay->epochs[number].failed++;
    pa_replay_failure(replay, number, j, "epoch %u, device %u, step %u, tile (%u, %u): %s", number,
                      sample->device, sample->step, sample->row, sample->column, reason);
}

/* Everything about one opening but its arithmetic, which becomes a job. */
static int check_opening(struct pa_replay *replay, uint32_t number,
                         const struct pa_opening_record *record, struct pa_error *error) {
    const struct pa_replay_epoch *epoch = &replay->epochs[number];
    const struct pa_declaration *declaration = &replay->facts->declaration;
    const struct pa_sample *sample = &epoch->samples[record->j];
    struct pa_shape shape = pa_replay_shapes(replay, epoch)[sample->device];
    const struct pa_tail *tail = &epoch->tails[sample->device];
    const struct pa_epoch_parameters parameters = {.class_id = declaration->class_id,
                                                   .k = declaration->k,
                                                   .devices = declaration->device_count,
                                                   .session = replay->facts->session,
                                                   .epoch = number};
    struct pa_tile_job job = {.epoch = number, .j = record->j, .sample = *sample};
    struct pa_reader reader = pa_reader_over(record->opening, record->opening_bytes);
    struct pa_opening opening = {0};
    struct pa_error cause = {0};
    struct pa_hash start, a;
    pa_epoch_device_start(&start, &epoch->nonce, &parameters, sample->device, shape.m, shape.n);
    int code = pa_opening_read(&opening, &reader, sample, shape, tail->steps, &cause);
    if (code == PA_OK && reader.left > 0)
        code = pa_fail(&cause, PA_EINPUT, "%zu bytes are left over", reader.left);
    if (code == PA_OK)
        code = pa_opening_check(&opening, sample, shape, &start, tail, &job.b_seed, &job.claimed,
                                &cause);
    pa_opening_free(&opening);
    if (code == PA_EMEMORY)
        return pa_fail(error, code, "%s", cause.text);
    if (code != PA_OK) {
        fail_opening(replay, number, record->j, cause.text);
        return PA_OK;
    }
    pa_step_a_hash(&a, &start);
    job.a_seed = pa_seed_from(&a);
    return replay->recheck == PA_RECHECK_TILES ? add_job(replay, &job, error) : PA_OK;
}

int pa_replay_opening(struct pa_replay *replay, const struct pa_record *record,
                      struct pa_error *error) {
    struct pa_opening_record opening;
    PA_TRY(pa_record_opening(record, &opening, error));
    unsigned long long number = record->epoch;
    struct pa_replay_epoch *epoch = pa_replay_epoch_of(replay, record);
    if (epoch == NULL)
        return PA_OK;
    if (!epoch->has_key || epoch->has_result || epoch->tiles == 0)
        return pa_replay_broken(replay, "an opening for epoch %llu, which %s", number,
                                !epoch->has_key     ? "has no key yet"
                                : epoch->tiles == 0 ? "has no work"
                                                    : "has its result already");
    uint32_t openings = pa_declared_openings(&replay->facts->declaration, epoch->kind);
    if (opening.j >= openings)
        return pa_replay_broken(replay, "opening %u of epoch %llu, which has only %u", opening.j,
                                number, openings);
    PA_TRY(draw_samples(replay, epoch, error));
    if (replay->facts->broken[0] != '\0')
        return PA_OK;
    if (epoch->has_opening[opening.j])
        return pa_replay_broken(replay, "opening %u of epoch %llu comes twice", opening.j, number);
    epoch->has_opening[opening.j] = true;
    epoch->received++;
    return check_opening(replay, (uint32_t)record->epoch, &opening, error);
}

struct tile_work {
    struct pa_replay *replay;
    struct pa_tile_bench **benches;
    atomic_size_t next;
};

static void check_tiles(void *context, int member, int size) {
    struct tile_work *work = context;
    const struct pa_declaration *declaration = &work->replay->facts->declaration;
    (void)size;
    for (;;) {
        size_t i = atomic_fetch_add(&work->next, 1);
        if (i >= work->replay->job_count)
            return;
        struct pa_tile_job *job = &work->replay->jobs[i];
        job->is_equal = job->claimed == pa_tile_digest(work->benches[member], declaration->class_id,
                                                       declaration->k, &job->a_seed, &job->b_seed,
                                                       job->sample.row, job->sample.column);
    }
}

static int run_tiles(struct pa_replay *replay, struct tile_work *work, int size,
                     struct pa_error *error) {
    struct pa_team *team = NULL;
    for (int i = 0; i < size; i++)
        PA_TRY(pa_tile_bench_create(replay->facts->declaration.k, &work->benches[i], error));
    PA_TRY(pa_team_create(size, NULL, &team, error));
    pa_team_run(team, check_tiles, work);
    pa_team_destroy(team);
    for (size_t i = 0; i < replay->job_count; i++) {
        const struct pa_tile_job *job = &replay->jobs[i];
        if (!job->is_equal)
            fail_opening(replay, job->epoch, job->j, "the tile is not the product of its operands");
    }
    return PA_OK;
}

int pa_replay_tiles(struct pa_replay *replay, struct pa_error *error) {
    int processors[MOST_PROCESSORS];
    int size = pa_processors_allowed(processors, MOST_PROCESSORS);
    if (replay->job_count == 0)
        return PA_OK;
    if (size > MOST_PROCESSORS)
        size = MOST_PROCESSORS;
    if (size < 1)
        size = 1;
    if ((size_t)size > replay->job_count)
        size = (int)replay->job_count;
    struct tile_work work = {.replay = replay,
                             .benches = calloc((size_t)size, sizeof(struct pa_tile_bench *))};
    if (work.benches == NULL)
        return pa_fail(error, PA_EMEMORY, "checking tiles: out of memory");
    int code = run_tiles(replay, &work, size, error);
    for (int i = 0; i < size; i++)
        pa_tile_bench_destroy(work.benches[i]);
    free(work.benches);
    return code;
}
