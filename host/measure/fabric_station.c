/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/fabric_station.h"

#include "base/clock.h"
#include "device/host_exchange.h"

#include <stdlib.h>
#include <string.h>

enum stage { WORK = 1, SWAP, OPEN, LEAVE };
enum { MOST_WISHES = 4 * PA_FABRIC_SAMPLES, MOST_RANKS = 65536 };

/* All are asked at once and have nothing else to do: who has not come by then does not come. Of a
 * process that dies before it came the others see nothing. */
static const uint64_t join_patience_ns = UINT64_C(60000000000);

/* As with an all-reduce, a device gives up a little before the hub does. */
static uint64_t deadline_after(uint64_t patience_ns) {
    return pa_clock_raw_ns() + patience_ns / 10 * 9;
}

void pa_fabric_ask_work(struct pa_buffer *out, const struct pa_fabric_work *work) {
    pa_buffer_u32(out, WORK);
    pa_buffer_bytes(out, work->id, sizeof work->id);
    pa_buffer_u32(out, work->rank);
    pa_buffer_u32(out, work->ranks);
    pa_buffer_bytes(out, work->start.bytes, PA_HASH_BYTES);
    pa_buffer_u64(out, work->words);
    pa_buffer_u64(out, work->patience_ns);
}

void pa_fabric_ask_swap(struct pa_buffer *out, const struct pa_fabric_swap *swap) {
    pa_buffer_u32(out, SWAP);
    pa_buffer_u32(out, swap->round);
    pa_buffer_u32(out, swap->partner);
    pa_buffer_u32(out, swap->is_first);
    pa_buffer_u32(out, swap->key);
    pa_buffer_u32(out, swap->partner_key);
    pa_buffer_bytes(out, swap->nonce.bytes, PA_HASH_BYTES);
    pa_buffer_u64(out, swap->patience_ns);
}

void pa_fabric_ask_open(struct pa_buffer *out, const struct pa_fabric_wish *wishes,
                        uint32_t count) {
    pa_buffer_u32(out, OPEN);
    pa_buffer_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        pa_buffer_u32(out, wishes[i].of_sums);
        pa_buffer_u32(out, wishes[i].round);
        pa_buffer_u32(out, wishes[i].chunk);
    }
}

void pa_fabric_ask_leave(struct pa_buffer *out) {
    pa_buffer_u32(out, LEAVE);
}

static int damaged(struct pa_error *error) {
    return pa_fail(error, PA_EINPUT, "fabric proof: the hub's request is damaged");
}

static uint32_t chunks_of(const struct pa_fabric_station *station) {
    return (uint32_t)(station->words / PA_FABRIC_CHUNK);
}

static int make_room(struct pa_fabric_station *station, bool has_states, struct pa_error *error) {
    size_t words = (size_t)station->words, chunks = chunks_of(station);
    bool is_complete = true;
    if (has_states) {
        station->own = malloc(words * sizeof *station->own);
        station->theirs = malloc(words * sizeof *station->theirs);
        is_complete = station->own != NULL && station->theirs != NULL;
    }
    station->digests = malloc(chunks * sizeof *station->digests);
    is_complete = is_complete && station->digests != NULL;
    for (uint32_t r = 0; r < PA_FABRIC_ROUNDS && is_complete; r++) {
        station->sums[r] = malloc(chunks * sizeof *station->sums[r]);
        is_complete = station->sums[r] != NULL;
    }
    return is_complete
               ? PA_OK
               : pa_fail(error, PA_EMEMORY, "fabric proof: no memory for two states of %zu bytes",
                         words * sizeof *station->own);
}

/* The chain, and the digests of what is left of all its products. */
static int run_chain(struct pa_fabric_station *station, struct pa_stand *stand,
                     const struct pa_hash *start, struct pa_error *error) {
    const struct pa_sustain_limits limits = {.steps = PA_FABRIC_STEPS};
    PA_TRY(pa_sustain_chain(stand, start, &limits, &station->chain, error));
    return pa_chain_tail(&station->chain, &station->tail, error);
}

/* Over the hosts. Before the chain: what it takes to find each other is no part of the exchange. */
static int work_by_host(struct pa_fabric_station *station, struct pa_stand *stand,
                        const struct pa_fabric_work *asked, uint64_t join_ns, uint64_t deadline_ns,
                        struct pa_error *error) {
    const struct pa_backend *backend = stand->device->backend;
    PA_TRY(pa_exchange_open(asked->id, (int)asked->rank, (int)asked->ranks, join_ns,
                            &station->exchange, error));
    PA_TRY(backend->fold_open(stand->bench, station->words, PA_FABRIC_STEPS, error));
    int code = run_chain(station, stand, &asked->start, error);
    if (code == PA_OK)
        code = backend->fold_read(stand->bench, station->own, deadline_ns, error);
    backend->fold_close(stand->bench);
    if (code == PA_OK)
        pa_fabric_digests(station->digests, station->own, station->words,
                          pa_fabric_digest_key(&station->tail));
    return code;
}

static int work_on_device(struct pa_fabric_station *station, struct pa_stand *stand,
                          const struct pa_fabric_work *asked, uint64_t join_ns,
                          uint64_t deadline_ns, struct pa_error *error) {
    const struct pa_backend *backend = stand->device->backend;
    if (backend->fold_meet == NULL)
        return pa_fail(error, PA_EUNSUPPORTED,
                       "fabric proof: the device has no way to others but over its host");
    PA_TRY(backend->fold_open(stand->bench, station->words, PA_FABRIC_STEPS, error));
    station->bench = stand->bench;
    station->backend = backend;
    PA_TRY(backend->fold_meet(stand->bench, asked->id, (int)asked->rank, (int)asked->ranks, join_ns,
                              error));
    PA_TRY(run_chain(station, stand, &asked->start, error));
    return backend->fold_digests(stand->bench, pa_fabric_digest_key(&station->tail),
                                 station->digests, deadline_ns, error);
}

static int work(struct pa_fabric_station *station, struct pa_stand *stand, struct pa_reader *in,
                struct pa_buffer *answer, struct pa_error *error) {
    struct pa_fabric_work asked;
    struct pa_hash committed;
    pa_read_bytes(in, asked.id, sizeof asked.id);
    asked.rank = pa_read_u32(in);
    asked.ranks = pa_read_u32(in);
    pa_read_bytes(in, asked.start.bytes, PA_HASH_BYTES);
    asked.words = pa_read_u64(in);
    asked.patience_ns = pa_read_u64(in);
    if (!pa_reader_done(in) || asked.ranks > MOST_RANKS || asked.rank >= asked.ranks ||
        asked.words < PA_FABRIC_CHUNK || asked.words > PA_FABRIC_MOST_WORDS)
        return damaged(error);
    if (stand->bench == NULL || stand->device->backend->fold_open == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "fabric proof: the device is not prepared for it");
    pa_fabric_leave(station);
    station->words = asked.words;
    station->rank = asked.rank;
    uint64_t deadline_ns = deadline_after(asked.patience_ns);
    uint64_t join_ns = pa_clock_raw_ns() + pa_clock_patience_ns(join_patience_ns);
    join_ns = join_ns < deadline_ns ? join_ns : deadline_ns;
    bool by_host = pa_exchange_knows(asked.id);
    PA_TRY(make_room(station, by_host, error));
    PA_TRY(by_host ? work_by_host(station, stand, &asked, join_ns, deadline_ns, error)
                   : work_on_device(station, stand, &asked, join_ns, deadline_ns, error));
    PA_TRY(
        pa_fabric_hash_values(&committed, "fabric", station->digests, chunks_of(station), error));
    pa_buffer_u64(answer, station->tail.steps);
    pa_buffer_bytes(answer, station->tail.last.bytes, PA_HASH_BYTES);
    pa_buffer_bytes(answer, station->tail.tree.bytes, PA_HASH_BYTES);
    pa_buffer_bytes(answer, committed.bytes, PA_HASH_BYTES);
    return PA_OK;
}

/* Our partner's state, and the sums of both where they are wanted. */
static int meet_partner(struct pa_fabric_station *station, const struct pa_fabric_swap *asked,
                        bool answers, struct pa_error *error) {
    uint64_t deadline_ns = deadline_after(asked->patience_ns), *sums = station->sums[asked->round];
    const struct pa_fold_keys keys = {asked->key, asked->partner_key,
                                      pa_fabric_round_shuffle(&asked->nonce, chunks_of(station))};
    if (station->bench != NULL)
        return asked->partner == station->rank
                   ? PA_OK
                   : station->backend->fold_pair(station->bench, (int)asked->partner, &keys,
                                                 answers ? sums : NULL, deadline_ns, error);
    PA_TRY(pa_exchange_swap(station->exchange, (int)asked->partner, station->own, station->theirs,
                            (size_t)station->words, deadline_ns, error));
    if (answers)
        pa_fabric_sums(sums, station->own, station->theirs, keys.s, keys.s_partner, keys.shuffle);
    return PA_OK;
}

static int swap(struct pa_fabric_station *station, struct pa_reader *in, struct pa_buffer *answer,
                struct pa_error *error) {
    struct pa_fabric_swap asked = {.round = pa_read_u32(in)};
    struct pa_hash answered;
    asked.partner = pa_read_u32(in);
    asked.is_first = pa_read_u32(in) != 0;
    asked.key = pa_read_u32(in);
    asked.partner_key = pa_read_u32(in);
    pa_read_bytes(in, asked.nonce.bytes, PA_HASH_BYTES);
    asked.patience_ns = pa_read_u64(in);
    if (!pa_reader_done(in) || asked.round >= PA_FABRIC_ROUNDS || asked.partner > MOST_RANKS ||
        (station->exchange == NULL && station->bench == NULL))
        return damaged(error);
    bool answers = asked.is_first && asked.partner != station->rank;
    PA_TRY(meet_partner(station, &asked, answers, error));
    if (!answers)
        return PA_OK;
    PA_TRY(pa_fabric_hash_values(&answered, "fabric answer", station->sums[asked.round],
                                 chunks_of(station), error));
    pa_buffer_bytes(answer, answered.bytes, PA_HASH_BYTES);
    return PA_OK;
}

static int open_wishes(struct pa_fabric_station *station, struct pa_reader *in,
                       struct pa_buffer *answer, struct pa_error *error) {
    uint32_t count = pa_read_u32(in);
    if (in->failed || count > MOST_WISHES || station->digests == NULL)
        return damaged(error);
    for (uint32_t i = 0; i < count; i++) {
        bool of_sums = pa_read_u32(in) != 0;
        uint32_t round = pa_read_u32(in), chunk = pa_read_u32(in);
        if (in->failed || round >= PA_FABRIC_ROUNDS || chunk >= chunks_of(station))
            return damaged(error);
        struct pa_buffer part = {0};
        pa_fabric_put_opened(&part, station->chain.digest, of_sums ? 0 : PA_FABRIC_STEPS,
                             of_sums ? station->sums[round] : station->digests, chunks_of(station),
                             chunk);
        pa_buffer_u32(answer, (uint32_t)part.size);
        pa_buffer_bytes(answer, part.data, part.size);
        answer->failed |= part.failed;
        pa_buffer_free(&part);
    }
    return pa_reader_done(in) ? PA_OK : damaged(error);
}

int pa_fabric_execute(struct pa_fabric_station *station, struct pa_stand *stand,
                      const void *request, size_t size, struct pa_buffer *answer,
                      struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request, size);
    int code = PA_OK;
    switch (pa_read_u32(&in)) {
    case WORK:
        code = work(station, stand, &in, answer, error);
        break;
    case SWAP:
        code = swap(station, &in, answer, error);
        break;
    case OPEN:
        code = open_wishes(station, &in, answer, error);
        break;
    case LEAVE:
        pa_fabric_leave(station);
        break;
    default:
        code = damaged(error);
    }
    /* The others learn at once that this one is gone. */
    if (code != PA_OK)
        pa_fabric_leave(station);
    return code;
}

void pa_fabric_leave(struct pa_fabric_station *station) {
    if (station->exchange != NULL)
        pa_exchange_close(station->exchange);
    if (station->bench != NULL)
        station->backend->fold_close(station->bench);
    pa_chain_free(&station->chain);
    free(station->own);
    free(station->theirs);
    free(station->digests);
    for (uint32_t r = 0; r < PA_FABRIC_ROUNDS; r++)
        free(station->sums[r]);
    *station = (struct pa_fabric_station){0};
}
