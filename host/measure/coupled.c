/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/coupled.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_STEPS = 4,
    QUEUED_ALONE = PA_LAG,
    TIMES_BYTES = 16, /* of an answer, before the digests */
};
/* No rank takes a year. */
static const uint64_t longest_ns = UINT64_C(1) << 55;

void pa_put_coupled_request(struct pa_buffer *out, const struct pa_coupled_request *request) {
    pa_buffer_bytes(out, request->id, sizeof request->id);
    pa_buffer_u32(out, request->rank);
    pa_buffer_u32(out, request->ranks);
    pa_buffer_u64(out, request->bytes);
    pa_buffer_bytes(out, request->nonce.bytes, sizeof request->nonce.bytes);
    pa_buffer_u32(out, request->steps);
    pa_buffer_u64(out, request->patience_ns);
}

int pa_get_coupled_request(struct pa_reader *in, struct pa_coupled_request *out,
                           struct pa_error *error) {
    pa_read_bytes(in, out->id, sizeof out->id);
    out->rank = pa_read_u32(in);
    out->ranks = pa_read_u32(in);
    out->bytes = pa_read_u64(in);
    pa_read_bytes(in, out->nonce.bytes, sizeof out->nonce.bytes);
    out->steps = pa_read_u32(in);
    out->patience_ns = pa_read_u64(in);
    if (!pa_reader_done(in) || !pa_allreduce_size_is_sound(out->bytes) || out->steps < 1 ||
        out->steps > PA_COUPLED_MOST_STEPS || out->patience_ns > longest_ns)
        return pa_fail(error, PA_EINPUT, "working as one system: the hub's request is damaged");
    return PA_OK;
}

static uint32_t steps_alone(uint32_t steps) {
    return (steps + 1) / 2;
}

/* One rank at work. */
struct rank {
    struct pa_stand *stand;
    const struct pa_backend *backend;
    struct pa_communicator *communicator;
    uint64_t bytes;
    struct pa_seed b;                     /* of the next step: its key counts on */
    uint64_t step_until_ns, sum_until_ns; /* RAW */
};

static int enqueue(struct rank *rank, struct pa_error *error) {
    rank->b.k0++;
    return rank->backend->step_enqueue(rank->stand->bench, &rank->b, error);
}

static int collect(struct rank *rank, struct pa_error *error) {
    return rank->backend->step_collect(rank->stand->bench, rank->stand->tiles, rank->step_until_ns,
                                       error);
}

/* Also a meeting: nobody comes out before all are in. */
static int reduce(struct rank *rank, struct pa_error *error) {
    uint64_t ns;
    return rank->backend->allreduce_run(rank->communicator, rank->bytes, 1, rank->sum_until_ns, &ns,
                                        error);
}

static int work_alone(struct rank *rank, uint32_t steps, uint64_t *ns, struct pa_error *error) {
    PA_TRY(reduce(rank, error));
    uint64_t begun = pa_clock_raw_ns();
    for (uint32_t queued = 0, done = 0; done < steps; done++) {
        for (; queued < steps && queued < done + QUEUED_ALONE; queued++)
            PA_TRY(enqueue(rank, error));
        PA_TRY(collect(rank, error));
    }
    *ns += pa_clock_raw_ns() - begun;
    return PA_OK;
}

static int work_in_lockstep(struct rank *rank, uint32_t steps, uint64_t *ns,
                            struct pa_error *error) {
    PA_TRY(reduce(rank, error));
    uint64_t begun = pa_clock_raw_ns();
    for (uint32_t t = 0; t < steps; t++) {
        PA_TRY(enqueue(rank, error));
        PA_TRY(collect(rank, error));
        PA_TRY(reduce(rank, error));
    }
    *ns = pa_clock_raw_ns() - begun;
    return PA_OK;
}

static int work(struct rank *rank, const struct pa_coupled_request *request,
                struct pa_buffer *answer, struct pa_error *error) {
    struct pa_seed seed = pa_allreduce_seed(&request->nonce, request->bytes, 0);
    uint64_t alone_ns = 0, lockstep_ns = 0;
    size_t chunks = (size_t)pa_allreduce_chunks(request->bytes);
    rank->b = seed;
    PA_TRY(rank->backend->load_a(rank->stand->bench, &seed, error));
    PA_TRY(rank->backend->allreduce_fill(rank->communicator, request->bytes, &seed, error));
    PA_TRY(work_alone(rank, steps_alone(request->steps), &alone_ns, error));
    PA_TRY(work_in_lockstep(rank, request->steps, &lockstep_ns, error));
    uint64_t *digests = calloc(chunks, sizeof *digests);
    if (digests == NULL)
        return pa_fail(error, PA_EMEMORY, "digests of an all-reduce: out of memory");
    int code =
        rank->backend->allreduce_digest(rank->communicator, request->bytes, &seed, digests, error);
    if (code == PA_OK)
        code = work_alone(rank, steps_alone(request->steps), &alone_ns, error);
    pa_buffer_u64(answer, alone_ns);
    pa_buffer_u64(answer, lockstep_ns);
    if (code == PA_OK)
        pa_allreduce_put_digests(answer, digests, chunks, request->rank == 0);
    free(digests);
    return code;
}

int pa_coupled_execute(struct pa_allreduce_station *station, struct pa_stand *stand,
                       const void *request, size_t size, struct pa_buffer *answer,
                       struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request, size);
    struct pa_coupled_request asked;
    uint64_t begun = pa_clock_raw_ns();
    PA_TRY(pa_get_coupled_request(&in, &asked, error));
    if (stand->bench == NULL)
        return pa_fail(error, PA_EINPUT, "working as one system: the device is not prepared");
    struct rank rank = {.stand = stand,
                        .backend = stand->device->backend,
                        .bytes = asked.bytes,
                        .step_until_ns = begun + asked.patience_ns / 10 * 8,
                        .sum_until_ns = begun + asked.patience_ns / 10 * 9};
    int code = pa_allreduce_join(station, asked.id, asked.rank, asked.ranks, asked.bytes,
                                 rank.sum_until_ns, error);
    rank.communicator = station->communicator;
    if (code == PA_OK)
        code = work(&rank, &asked, answer, error);
    rank.backend->steps_drop(stand->bench);
    pa_allreduce_leave(station);
    return code;
}

uint32_t pa_coupled_steps(uint64_t length_ns, double step_ns, double reduce_ns) {
    double steps = (double)length_ns / fmax(step_ns + reduce_ns, 1);
    return steps > PA_COUPLED_MOST_STEPS ? PA_COUPLED_MOST_STEPS
           : steps < LEAST_STEPS         ? LEAST_STEPS
                                         : (uint32_t)steps;
}

int pa_coupled_combine(const struct pa_coupled_request *request, const struct pa_buffer *answers,
                       const double *step_operations, const struct pa_hash *key,
                       struct pa_coupled_run *out, struct pa_error *error) {
    struct pa_allreduce_sweep last = {
        .ranks = request->ranks, .nonce = request->nonce, .row_count = 1};
    *out = (struct pa_coupled_run){0};
    last.rows[0].bytes = request->bytes;
    PA_TRY(pa_allreduce_take_digests(answers, request->ranks, TIMES_BYTES, &last.rows[0], error));
    out->verified = pa_allreduce_verify(&last, key);
    pa_allreduce_free(&last);
    double alone_steps = 2.0 * steps_alone(request->steps);
    for (uint32_t rank = 0; rank < request->ranks; rank++) {
        uint64_t alone_ns = pa_le64(answers[rank].data);
        uint64_t lockstep_ns = pa_le64(answers[rank].data + 8);
        if (alone_ns < 1 || alone_ns > longest_ns || lockstep_ns < 1 || lockstep_ns > longest_ns)
            return pa_fail(error, PA_EINPUT,
                           "working as one system: rank %u tells a time that cannot be", rank);
        out->time_ns = lockstep_ns > out->time_ns ? lockstep_ns : out->time_ns;
        out->operations += step_operations[rank] * request->steps;
        out->alone_per_second += step_operations[rank] * alone_steps / ((double)alone_ns * 1e-9);
    }
    return PA_OK;
}
