/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/allreduce.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum stage { OPEN = 1, MEASURE = 2, CLOSE = 3 };

enum {
    LEAST_BYTES = 8,
    WORD_BYTES = 4,
    MOST_ITERATIONS = 20, /* as nccl-tests; fewer where one takes long */
    LEAST_ITERATIONS = 4,
    WARMUPS = 2,
    MANY_BYTES = 20 << 20,
    MOST_TIMES = 1000,
};

/* The hub's and the ranks' clocks differ: what travels is how long, not until when. A rank gives up
 * a little before the hub does, so that its own words reach the hub. */
static uint64_t deadline_after(uint64_t patience_ns) {
    return pa_clock_raw_ns() + patience_ns / 10 * 9;
}

uint32_t pa_allreduce_sizes(uint64_t most_bytes, uint64_t out[PA_ALLREDUCE_MOST_ROWS]) {
    uint32_t count = 0;
    for (uint64_t bytes = LEAST_BYTES;
         bytes <= most_bytes && bytes <= PA_ALLREDUCE_MOST_BYTES && count < PA_ALLREDUCE_MOST_ROWS;
         bytes *= 2)
        out[count++] = bytes;
    return count;
}

/* ---- one rank ---- */

int pa_allreduce_join(struct pa_allreduce_station *station,
                      const uint8_t id[PA_COMMUNICATOR_ID_BYTES], uint32_t rank, uint32_t ranks,
                      uint64_t most_bytes, uint64_t deadline_ns, struct pa_error *error) {
    if (ranks < 1 || ranks > PA_ALLREDUCE_MOST_RANKS || rank >= ranks ||
        !pa_allreduce_size_is_sound(most_bytes))
        return pa_fail(error, PA_EINPUT, "joining an all-reduce: the hub's request is damaged");
    const struct pa_backend *backend = station->device->backend;
    if (backend->communicator_open == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "the %s backend has no all-reduce", backend->name);
    pa_allreduce_leave(station);
    PA_TRY(backend->communicator_open(station->device, id, (int)rank, (int)ranks, most_bytes,
                                      deadline_ns, &station->communicator, error));
    station->most_bytes = most_bytes;
    return PA_OK;
}

static int open_rank(struct pa_allreduce_station *station, struct pa_reader *in,
                     struct pa_error *error) {
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    pa_read_bytes(in, id, sizeof id);
    uint32_t rank = pa_read_u32(in), ranks = pa_read_u32(in);
    uint64_t most_bytes = pa_read_u64(in), patience_ns = pa_read_u64(in);
    if (!pa_reader_done(in))
        return pa_fail(error, PA_EINPUT, "joining an all-reduce: the hub's request is damaged");
    return pa_allreduce_join(station, id, rank, ranks, most_bytes, deadline_after(patience_ns),
                             error);
}

void pa_allreduce_put_digests(struct pa_buffer *answer, const uint64_t *digests, size_t chunks,
                              bool is_whole) {
    struct pa_buffer written = {0};
    struct pa_hash all;
    for (size_t i = 0; i < chunks; i++)
        pa_buffer_u64(&written, digests[i]);
    pa_hash_bytes(&all, "reduce digests", written.data, written.size);
    pa_buffer_bytes(answer, all.bytes, sizeof all.bytes);
    if (is_whole)
        pa_buffer_bytes(answer, written.data, written.size);
    answer->failed |= written.failed;
    pa_buffer_free(&written);
}

static int put_digests(struct pa_allreduce_station *station, uint64_t bytes,
                       const struct pa_seed *seed, bool is_whole, struct pa_buffer *answer,
                       struct pa_error *error) {
    size_t chunks = (size_t)pa_allreduce_chunks(bytes);
    uint64_t *digests = calloc(chunks, sizeof *digests);
    if (digests == NULL)
        return pa_fail(error, PA_EMEMORY, "digests of an all-reduce: out of memory");
    int code = station->device->backend->allreduce_digest(station->communicator, bytes, seed,
                                                          digests, error);
    if (code == PA_OK)
        pa_allreduce_put_digests(answer, digests, chunks, is_whole);
    free(digests);
    return code;
}

static int measure_rank(struct pa_allreduce_station *station, struct pa_reader *in,
                        struct pa_buffer *answer, struct pa_error *error) {
    struct pa_hash nonce;
    uint64_t bytes = pa_read_u64(in);
    uint32_t round = pa_read_u32(in), times = pa_read_u32(in);
    pa_read_bytes(in, nonce.bytes, sizeof nonce.bytes);
    uint64_t patience_ns = pa_read_u64(in), warmup_ns = 0, ns = 0;
    bool is_whole = pa_read_u32(in) != 0;
    if (!pa_reader_done(in) || !pa_allreduce_size_is_sound(bytes) || times < 1 ||
        times > MOST_TIMES || station->communicator == NULL || bytes > station->most_bytes)
        return pa_fail(error, PA_EINPUT, "an all-reduce: the hub's request is damaged");
    const struct pa_backend *backend = station->device->backend;
    uint64_t deadline_ns = deadline_after(patience_ns);
    struct pa_seed seed = pa_allreduce_seed(&nonce, bytes, round);
    PA_TRY(backend->allreduce_fill(station->communicator, bytes, &seed, error));
    PA_TRY(backend->allreduce_run(station->communicator, bytes, WARMUPS, deadline_ns, &warmup_ns,
                                  error));
    PA_TRY(backend->allreduce_run(station->communicator, bytes, times, deadline_ns, &ns, error));
    pa_buffer_u64(answer, ns);
    return put_digests(station, bytes, &seed, is_whole, answer, error);
}

int pa_allreduce_execute(struct pa_allreduce_station *station, const void *request, size_t size,
                         struct pa_buffer *answer, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request, size);
    switch (pa_read_u32(&in)) {
    case OPEN:
        return open_rank(station, &in, error);
    case MEASURE:
        return measure_rank(station, &in, answer, error);
    case CLOSE:
        pa_allreduce_leave(station);
        return PA_OK;
    default:
        return pa_fail(error, PA_EINPUT, "an all-reduce: the hub asks for something unknown");
    }
}

void pa_allreduce_leave(struct pa_allreduce_station *station) {
    if (station->communicator != NULL)
        station->device->backend->communicator_close(station->communicator);
    station->communicator = NULL;
}

/* ---- the hub ---- */

/* The exchange with all ranks: one request and one answer each. */
struct exchange {
    struct pa_buffer *requests, *answers;
    uint32_t ranks;
    pa_allreduce_ask ask;
    void *context;
    uint64_t patience_ns;
};

static int ask_all(struct exchange *exchange, struct pa_error *error) {
    for (uint32_t rank = 0; rank < exchange->ranks; rank++) {
        if (exchange->requests[rank].failed)
            return pa_fail(error, PA_EMEMORY, "asking for an all-reduce: out of memory");
        pa_buffer_clear(&exchange->answers[rank]);
    }
    int code = exchange->ask(exchange->context, exchange->requests, exchange->answers,
                             exchange->ranks, pa_clock_raw_ns() + exchange->patience_ns, error);
    for (uint32_t rank = 0; rank < exchange->ranks; rank++)
        pa_buffer_clear(&exchange->requests[rank]);
    return code;
}

static int open_all(struct exchange *exchange, const uint8_t *id, uint64_t most_bytes,
                    struct pa_error *error) {
    for (uint32_t rank = 0; rank < exchange->ranks; rank++) {
        struct pa_buffer *request = &exchange->requests[rank];
        pa_buffer_u32(request, OPEN);
        pa_buffer_bytes(request, id, PA_COMMUNICATOR_ID_BYTES);
        pa_buffer_u32(request, rank);
        pa_buffer_u32(request, exchange->ranks);
        pa_buffer_u64(request, most_bytes);
        pa_buffer_u64(request, exchange->patience_ns);
    }
    return ask_all(exchange, error);
}

static void close_all(struct exchange *exchange) {
    for (uint32_t rank = 0; rank < exchange->ranks; rank++)
        pa_buffer_u32(&exchange->requests[rank], CLOSE);
    ask_all(exchange, NULL);
}

static uint32_t iterations_for(uint64_t bytes) {
    uint64_t times = MANY_BYTES / bytes;
    return times > MOST_ITERATIONS    ? MOST_ITERATIONS
           : times < LEAST_ITERATIONS ? LEAST_ITERATIONS
                                      : (uint32_t)times;
}

int pa_allreduce_take_digests(const struct pa_buffer *answers, uint32_t ranks, size_t before,
                              struct pa_allreduce_row *row, struct pa_error *error) {
    size_t chunks = (size_t)pa_allreduce_chunks(row->bytes), hashed = before + PA_HASH_BYTES;
    struct pa_hash all = {{0}};
    /* What rank 0 shows is what it hashed, and what all others must have. */
    if (!answers[0].failed && answers[0].size == hashed + 8 * chunks)
        pa_hash_bytes(&all, "reduce digests", answers[0].data + hashed, 8 * chunks);
    row->is_agreed = true;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        size_t size = hashed + (rank == 0 ? 8 * chunks : 0);
        if (answers[rank].failed || answers[rank].size != size)
            return pa_fail(error, PA_EINPUT,
                           "all-reduce of %llu bytes: rank %u answered %zu bytes instead of %zu",
                           (unsigned long long)row->bytes, rank, answers[rank].size, size);
        row->is_agreed =
            row->is_agreed && memcmp(answers[rank].data + before, all.bytes, PA_HASH_BYTES) == 0;
    }
    row->chunks = calloc(chunks, sizeof *row->chunks);
    if (row->chunks == NULL)
        return pa_fail(error, PA_EMEMORY, "an all-reduce: out of memory");
    for (size_t i = 0; i < chunks; i++)
        row->chunks[i] = pa_le64(answers[0].data + hashed + 8 * i);
    return PA_OK;
}

/* The slowest rank's time, and whether all have the digests of rank 0. */
static int combine(struct exchange *exchange, struct pa_allreduce_row *row,
                   struct pa_error *error) {
    uint64_t slowest_ns = 0;
    PA_TRY(pa_allreduce_take_digests(exchange->answers, exchange->ranks, sizeof slowest_ns, row,
                                     error));
    for (uint32_t rank = 0; rank < exchange->ranks; rank++) {
        uint64_t ns = pa_le64(exchange->answers[rank].data);
        slowest_ns = ns > slowest_ns ? ns : slowest_ns;
    }
    uint64_t time_ns = slowest_ns / row->iterations;
    row->time_ns = time_ns > 0 ? time_ns : 1;
    /* Bytes in a nanosecond are gigabytes in a second. */
    row->algbw_gbs = (double)row->bytes / (double)row->time_ns;
    row->busbw_gbs = row->algbw_gbs * 2.0 * (double)(exchange->ranks - 1) / (double)exchange->ranks;
    return PA_OK;
}

static int measure_size(struct exchange *exchange, uint64_t bytes, uint32_t round,
                        struct pa_allreduce_sweep *out, struct pa_error *error) {
    struct pa_allreduce_row *row = &out->rows[out->row_count];
    *row = (struct pa_allreduce_row){.bytes = bytes, .iterations = iterations_for(bytes)};
    for (uint32_t rank = 0; rank < exchange->ranks; rank++) {
        struct pa_buffer *request = &exchange->requests[rank];
        pa_buffer_u32(request, MEASURE);
        pa_buffer_u64(request, bytes);
        pa_buffer_u32(request, round);
        pa_buffer_u32(request, row->iterations);
        pa_buffer_bytes(request, out->nonce.bytes, sizeof out->nonce.bytes);
        pa_buffer_u64(request, exchange->patience_ns);
        pa_buffer_u32(request, rank == 0 ? 1 : 0);
    }
    PA_TRY(ask_all(exchange, error));
    PA_TRY(combine(exchange, row, error));
    out->row_count++;
    return PA_OK;
}

static int sweep_sizes(struct exchange *exchange, const struct pa_allreduce_plan *plan,
                       const uint64_t *sizes, uint32_t count, struct pa_allreduce_sweep *out,
                       struct pa_error *error) {
    for (uint32_t i = 0; i < count; i++) {
        if (plan->stop != NULL && atomic_load(plan->stop))
            return pa_fail(error, PA_EINTERRUPTED, "the all-reduce sweep was stopped");
        int code = measure_size(exchange, sizes[i], i, out, error);
        if (code != PA_OK) {
            pa_fail_in(error, "all-reduce of %llu bytes", (unsigned long long)sizes[i]);
            return code;
        }
    }
    return PA_OK;
}

int pa_allreduce_sweep(const struct pa_allreduce_plan *plan, const struct pa_hash *nonce,
                       pa_allreduce_ask ask, void *context, struct pa_allreduce_sweep *out,
                       struct pa_error *error) {
    uint64_t sizes[PA_ALLREDUCE_MOST_ROWS], most_bytes = plan->most_bytes;
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    *out = (struct pa_allreduce_sweep){.ranks = plan->ranks, .nonce = *nonce};
    /* Input and output, and the other half for everything else. */
    if (plan->memory_bytes > 0 && plan->memory_bytes / 4 < most_bytes)
        most_bytes = plan->memory_bytes / 4;
    uint32_t count = pa_allreduce_sizes(most_bytes, sizes);
    if (plan->ranks < 1 || plan->ranks > PA_ALLREDUCE_MOST_RANKS || count == 0)
        return pa_fail(error, PA_EUSAGE, "an all-reduce of %u ranks and at most %llu bytes",
                       plan->ranks, (unsigned long long)most_bytes);
    if (plan->backend->communicator_id == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "the %s backend has no all-reduce",
                       plan->backend->name);
    PA_TRY(plan->backend->communicator_id(plan->is_one_host, id, error));
    memcpy(out->transport, id, sizeof out->transport - 1);
    struct exchange exchange = {.requests = pa_buffers_make(plan->ranks),
                                .answers = pa_buffers_make(plan->ranks),
                                .ranks = plan->ranks,
                                .ask = ask,
                                .context = context,
                                .patience_ns = plan->patience_ns};
    int code = PA_OK;
    if (exchange.requests == NULL || exchange.answers == NULL)
        code = pa_fail(error, PA_EMEMORY, "an all-reduce: out of memory");
    if (code == PA_OK)
        code = open_all(&exchange, id, sizes[count - 1], error);
    if (code == PA_OK)
        code = sweep_sizes(&exchange, plan, sizes, count, out, error);
    if (exchange.requests != NULL && exchange.answers != NULL)
        close_all(&exchange);
    pa_buffers_free(exchange.requests, plan->ranks);
    pa_buffers_free(exchange.answers, plan->ranks);
    return code;
}

static bool row_is_right(const struct pa_allreduce_sweep *sweep, uint32_t round,
                         const struct pa_hash *key) {
    const struct pa_allreduce_row *row = &sweep->rows[round];
    uint64_t chunks = pa_allreduce_chunks(row->bytes), samples[PA_ALLREDUCE_SAMPLES];
    uint32_t count = chunks < PA_ALLREDUCE_SAMPLES ? (uint32_t)chunks : PA_ALLREDUCE_SAMPLES;
    struct pa_hash commitment;
    struct pa_seed seed = pa_allreduce_seed(&sweep->nonce, row->bytes, round);
    pa_allreduce_commitment(&commitment, &sweep->nonce, row->bytes, round, sweep->ranks,
                            row->chunks);
    pa_allreduce_samples(samples, count, key, &commitment, row->bytes);
    for (uint32_t j = 0; j < count; j++) {
        /* So few that all are recomputed, each once. */
        uint64_t chunk = chunks <= PA_ALLREDUCE_SAMPLES ? j : samples[j];
        if (pa_allreduce_chunk_digest(&seed, sweep->ranks, row->bytes, chunk) != row->chunks[chunk])
            return false;
    }
    return true;
}

bool pa_allreduce_verify(struct pa_allreduce_sweep *sweep, const struct pa_hash *key) {
    bool all = sweep->row_count > 0;
    for (uint32_t i = 0; i < sweep->row_count; i++) {
        struct pa_allreduce_row *row = &sweep->rows[i];
        row->verified = row->is_agreed && row_is_right(sweep, i, key);
        all = all && row->verified;
    }
    return all;
}

void pa_allreduce_free(struct pa_allreduce_sweep *sweep) {
    for (uint32_t i = 0; i < PA_ALLREDUCE_MOST_ROWS; i++) {
        free(sweep->rows[i].chunks);
        sweep->rows[i].chunks = NULL;
    }
    sweep->row_count = 0;
}
