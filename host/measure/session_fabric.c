/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_fabric.h"

#include "base/clock.h"
#include "device/host_exchange.h"
#include "measure/fabric_station.h"
#include "measure/reduce_ranks.h"
#include "measure/session_notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t patience_ns = UINT64_C(120000000000);
/* Steps are estimated from what was measured before; on a busy host they take longer. */
enum { PATIENCE_FACTOR = 20 };

struct fabric {
    const struct pa_session_terms *terms;
    struct pa_reduce_ranks ranks;
    struct pa_fabric_run run;
    struct pa_buffer *requests, *answers; /* by rank */
    uint32_t *order;                      /* who is with whom in the round at hand */
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    uint64_t work_patience_ns;
};

static int note_state(const struct pa_session_terms *terms, const char *state, const char *reason,
                      struct pa_error *error) {
    return pa_note_put(
        terms, PA_NO_EPOCH,
        json_pack("{s:s, s:s, s:s}", "kind", "fabric", "state", state, "reason", reason), error);
}

static int note_run(const struct fabric *fabric, struct pa_error *error) {
    char transport[16] = "";
    memcpy(transport, fabric->id, sizeof transport - 1);
    return pa_note_put(fabric->terms, PA_NO_EPOCH,
                       json_pack("{s:s, s:s, s:I, s:s}", "kind", "fabric", "state", "measured",
                                 "hosts", (json_int_t)pa_reduce_ranks_hosts(&fabric->ranks),
                                 "transport", transport),
                       error);
}

/* The witness's side of a stage, into which our run is led by the same bytes. */
static int tell(struct fabric *fabric, enum pa_fabric_stage stage, const void *bytes, size_t size,
                struct pa_hash *out, struct pa_error *error) {
    struct pa_witness *witness = fabric->terms->witness;
    if (stage != PA_FABRIC_NONCE && stage != PA_FABRIC_RESULT)
        PA_TRY(pa_fabric_run_take(&fabric->run, stage, bytes, size, false, error));
    PA_TRY(witness->kind->fabric(witness, stage, bytes, size, out, error));
    if (stage == PA_FABRIC_OPENING || stage == PA_FABRIC_RESULT)
        return PA_OK;
    enum pa_fabric_stage told = stage == PA_FABRIC_NONCE    ? PA_FABRIC_NONCE
                                : stage == PA_FABRIC_COMMIT ? PA_FABRIC_CHALLENGE
                                                            : PA_FABRIC_KEY;
    return pa_fabric_run_take(&fabric->run, told, out->bytes, PA_HASH_BYTES, false, error);
}

static int ask(struct fabric *fabric, uint64_t longest_ns, struct pa_error *error) {
    uint32_t ranks = fabric->ranks.ranks;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        if (fabric->requests[rank].failed)
            return pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
        pa_buffer_clear(&fabric->answers[rank]);
    }
    fabric->ranks.operation = PA_ASK_FABRIC;
    int code = pa_reduce_ranks_ask(&fabric->ranks, fabric->requests, fabric->answers, ranks,
                                   pa_clock_raw_ns() + longest_ns, error);
    for (uint32_t rank = 0; rank < ranks; rank++)
        pa_buffer_clear(&fabric->requests[rank]);
    return code;
}

static uint64_t work_patience(const struct fabric *fabric) {
    double longest_ns = 0;
    for (uint32_t rank = 0; rank < fabric->ranks.ranks; rank++) {
        double operations,
            ns = pa_reduce_ranks_step_ns(&fabric->ranks, rank, fabric->terms->plan->k, &operations);
        longest_ns = ns > longest_ns ? ns : longest_ns;
    }
    return pa_clock_patience_ns(patience_ns) +
           (uint64_t)(PATIENCE_FACTOR * PA_FABRIC_STEPS * longest_ns);
}

/* Every device runs its chain; what they commit to becomes the witness's list. */
static int work_all(struct fabric *fabric, struct pa_buffer *list, struct pa_error *error) {
    const struct pa_declaration *declaration = fabric->run.declaration;
    struct pa_fabric_tail *tails = calloc(declaration->device_count, sizeof *tails);
    if (tails == NULL)
        return pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
    for (uint32_t d = 0; d < declaration->device_count; d++)
        pa_fabric_run_start(&fabric->run, d, &tails[d].tail.last);
    for (uint32_t rank = 0; rank < fabric->ranks.ranks; rank++) {
        struct pa_fabric_work work = {.rank = rank,
                                      .ranks = fabric->ranks.ranks,
                                      .start = tails[fabric->ranks.device_of[rank]].tail.last,
                                      .words = fabric->run.words,
                                      .patience_ns = fabric->work_patience_ns};
        memcpy(work.id, fabric->id, sizeof work.id);
        pa_fabric_ask_work(&fabric->requests[rank], &work);
    }
    int code = ask(fabric, fabric->work_patience_ns, error);
    for (uint32_t rank = 0; rank < fabric->ranks.ranks && code == PA_OK; rank++) {
        struct pa_fabric_tail *tail = &tails[fabric->ranks.device_of[rank]];
        struct pa_reader in =
            pa_reader_over(fabric->answers[rank].data, fabric->answers[rank].size);
        tail->tail.steps = pa_read_u64(&in);
        pa_read_bytes(&in, tail->tail.last.bytes, PA_HASH_BYTES);
        pa_read_bytes(&in, tail->tail.tree.bytes, PA_HASH_BYTES);
        pa_read_bytes(&in, tail->fabric.bytes, PA_HASH_BYTES);
        if (!pa_reader_done(&in))
            code = pa_fail(error, PA_EINPUT, "fabric proof: rank %u commits to nothing", rank);
    }
    if (code == PA_OK)
        pa_fabric_put_tails(list, tails, declaration->device_count);
    if (code == PA_OK) {
        struct pa_hash root;
        pa_fabric_root(&root, &fabric->run.nonce, tails, declaration->device_count);
        fabric->run.root = root;
    }
    free(tails);
    return code;
}

static int sign(struct fabric *fabric, struct pa_buffer *list, struct pa_error *error) {
    struct pa_signature signature;
    struct pa_hash message;
    size_t length = 0;
    pa_epoch_commit_hash(&message, &fabric->run.session, PA_FABRIC_EPOCH, &fabric->run.root);
    PA_TRY(pa_key_sign(fabric->terms->prover, &message, signature.bytes, &length, error));
    pa_buffer_u16(list, (uint16_t)length);
    pa_buffer_bytes(list, signature.bytes, length);
    return list->failed ? pa_fail(error, PA_EMEMORY, "fabric proof: out of memory") : PA_OK;
}

static int commit(struct fabric *fabric, struct pa_error *error) {
    struct pa_buffer list = {0};
    struct pa_hash challenge;
    int code = work_all(fabric, &list, error);
    if (code == PA_OK)
        code = sign(fabric, &list, error);
    if (code == PA_OK)
        code = tell(fabric, PA_FABRIC_COMMIT, list.data, list.size, &challenge, error);
    pa_buffer_free(&list);
    return code;
}

/* One round: each pair's answer, in the order of the pairs, into `out`. */
static int swap_all(struct fabric *fabric, uint32_t round, const struct pa_hash *nonce,
                    struct pa_hash *out, struct pa_error *error) {
    const struct pa_reduce_ranks *ranks = &fabric->ranks;
    for (uint32_t i = 0; i < fabric->run.working_count; i++) {
        uint32_t device = fabric->order[i], rank = ranks->rank_of[device];
        uint32_t partner = (i ^ 1) < fabric->run.working_count ? fabric->order[i ^ 1] : device;
        struct pa_fabric_swap swap = {.round = round,
                                      .partner = ranks->rank_of[partner],
                                      .is_first = i % 2 == 0 && partner != device,
                                      .key = pa_fabric_weight_key(nonce, device),
                                      .partner_key = pa_fabric_weight_key(nonce, partner),
                                      .nonce = *nonce,
                                      .patience_ns = pa_clock_patience_ns(patience_ns)};
        pa_fabric_ask_swap(&fabric->requests[rank], &swap);
    }
    PA_TRY(ask(fabric, pa_clock_patience_ns(patience_ns), error));
    for (uint32_t pair = 0; pair < fabric->run.pairs; pair++) {
        uint32_t rank = ranks->rank_of[fabric->order[2 * pair]];
        if (fabric->answers[rank].size != PA_HASH_BYTES)
            return pa_fail(error, PA_EINPUT, "fabric proof: rank %u gives no answer", rank);
        memcpy(out[pair].bytes, fabric->answers[rank].data, PA_HASH_BYTES);
    }
    return PA_OK;
}

static int exchange(struct fabric *fabric, struct pa_error *error) {
    struct pa_fabric_run *run = &fabric->run;
    struct pa_hash *answers = calloc(PA_FABRIC_ROUNDS * (size_t)run->pairs, sizeof *answers);
    struct pa_hash nonce, key;
    if (answers == NULL)
        return pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
    pa_fabric_first_nonce(&nonce, &run->challenge, &run->root);
    int code = PA_OK;
    for (uint32_t round = 0; round < PA_FABRIC_ROUNDS && code == PA_OK; round++) {
        struct pa_hash *out = answers + (size_t)round * run->pairs, before = nonce;
        memcpy(fabric->order, run->working, run->working_count * sizeof *fabric->order);
        pa_fabric_match(fabric->order, run->working_count, &nonce);
        code = swap_all(fabric, round, &nonce, out, error);
        pa_fabric_next_nonce(&nonce, &before, out, run->pairs);
    }
    if (code == PA_OK)
        code = tell(fabric, PA_FABRIC_ANSWERS, answers,
                    PA_FABRIC_ROUNDS * (size_t)run->pairs * sizeof *answers, &key, error);
    free(answers);
    return code;
}

/* What each rank is to open: the states of both of a sample's pair, and the sums of its first. */
struct wishing {
    struct pa_fabric_wish wishes[2 * PA_FABRIC_SAMPLES];
    uint32_t count;
};

static void wish(struct fabric *fabric, struct wishing *wishing, uint32_t pair[][2]) {
    for (uint32_t j = 0; j < PA_FABRIC_SAMPLES; j++) {
        const struct pa_fabric_sample *sample = &fabric->run.samples[j];
        struct pa_hash nonce;
        pa_fabric_run_match(&fabric->run, sample->round, fabric->order, &nonce);
        struct pa_fabric_shuffle shuffle = pa_fabric_round_shuffle(&nonce, fabric->run.chunks);
        const uint32_t chunk[2] = {sample->chunk, pa_fabric_met_chunk(shuffle, sample->chunk)};
        for (int side = 0; side < 2; side++) {
            uint32_t device = fabric->order[2 * sample->pair + (uint32_t)side];
            struct wishing *of = &wishing[fabric->ranks.rank_of[device]];
            pair[j][side] = fabric->ranks.rank_of[device];
            of->wishes[of->count++] = (struct pa_fabric_wish){false, sample->round, chunk[side]};
            if (side == 0)
                of->wishes[of->count++] =
                    (struct pa_fabric_wish){true, sample->round, sample->chunk};
        }
    }
    for (uint32_t rank = 0; rank < fabric->ranks.ranks; rank++)
        pa_fabric_ask_open(&fabric->requests[rank], wishing[rank].wishes, wishing[rank].count);
}

static void put_part(struct pa_buffer *out, struct pa_reader *in) {
    uint32_t size = pa_read_u32(in);
    const uint8_t *bytes = pa_read_view(in, size);
    if (bytes != NULL)
        pa_buffer_bytes(out, bytes, size);
}

/* The parts lie in each rank's answer in the order in which they were wished for. */
static int open_all(struct fabric *fabric, uint32_t pair[][2], struct pa_reader *readers,
                    struct pa_error *error) {
    for (uint32_t rank = 0; rank < fabric->ranks.ranks; rank++)
        readers[rank] = pa_reader_over(fabric->answers[rank].data, fabric->answers[rank].size);
    int code = PA_OK;
    for (uint32_t j = 0; j < PA_FABRIC_SAMPLES && code == PA_OK; j++) {
        struct pa_buffer opening = {0}, sums = {0};
        struct pa_hash ignored;
        pa_buffer_u32(&opening, j);
        put_part(&opening, &readers[pair[j][0]]);
        put_part(&sums, &readers[pair[j][0]]);
        put_part(&opening, &readers[pair[j][1]]);
        pa_buffer_bytes(&opening, sums.data, sums.size);
        if (opening.failed || sums.failed)
            code = pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
        else
            code = tell(fabric, PA_FABRIC_OPENING, opening.data, opening.size, &ignored, error);
        pa_buffer_free(&opening);
        pa_buffer_free(&sums);
    }
    return code;
}

static int open_samples(struct fabric *fabric, struct pa_error *error) {
    uint32_t ranks = fabric->ranks.ranks, pair[PA_FABRIC_SAMPLES][2];
    struct wishing *wishing = calloc(ranks, sizeof *wishing);
    struct pa_reader *readers = calloc(ranks, sizeof *readers);
    struct pa_hash result;
    int code = PA_OK;
    if (wishing == NULL || readers == NULL)
        code = pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
    if (code == PA_OK) {
        wish(fabric, wishing, pair);
        code = ask(fabric, pa_clock_patience_ns(patience_ns), error);
    }
    if (code == PA_OK)
        code = open_all(fabric, pair, readers, error);
    free(wishing);
    free(readers);
    return code == PA_OK ? tell(fabric, PA_FABRIC_RESULT, NULL, 0, &result, error) : code;
}

/* From device to device where they have a way of their own, else from host to host. */
static int choose_way(struct fabric *fabric, struct pa_error *error) {
    const struct pa_backend *backend = pa_backend_named(fabric->ranks.backend);
    bool is_one_host = pa_reduce_ranks_hosts(&fabric->ranks) == 1;
    if (backend != NULL && backend->fold_meet != NULL && !pa_exchange_is_forced() &&
        backend->communicator_id(is_one_host, fabric->id, NULL) == PA_OK)
        return PA_OK;
    return pa_exchange_id(is_one_host, fabric->id, error);
}

static int prove(struct fabric *fabric, struct pa_error *error) {
    struct pa_hash nonce;
    fabric->work_patience_ns = work_patience(fabric);
    PA_TRY(choose_way(fabric, error));
    PA_TRY(tell(fabric, PA_FABRIC_NONCE, NULL, 0, &nonce, error));
    PA_TRY(commit(fabric, error));
    PA_TRY(exchange(fabric, error));
    return open_samples(fabric, error);
}

/* Nothing of it stays where the devices are, whatever became of it. */
static void dismiss(struct fabric *fabric) {
    for (uint32_t rank = 0; rank < fabric->ranks.ranks; rank++) {
        pa_buffer_clear(&fabric->requests[rank]);
        pa_fabric_ask_leave(&fabric->requests[rank]);
    }
    ask(fabric, pa_clock_patience_ns(patience_ns), NULL);
}

static int run_and_note(struct fabric *fabric, struct pa_error *error) {
    const struct pa_session_terms *terms = fabric->terms;
    struct pa_error cause = {0};
    pa_observe(terms->observer,
               (struct pa_progress){.phase = PA_PHASE_FABRIC,
                                    .remaining_ns = pa_plan_fabric_ns(terms->plan, terms->site)});
    int code = prove(fabric, &cause);
    dismiss(fabric);
    if (code == PA_OK)
        return note_run(fabric, error);
    char text[sizeof cause.text + 16];
    snprintf(text, sizeof text, "fabric proof: %s", cause.text);
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
    PA_TRY(note_state(terms, "lost", cause.text, error));
    return pa_note_losses(terms, PA_NO_EPOCH, error);
}

int pa_session_fabric(const struct pa_session_terms *terms, const struct pa_ledger *ledger,
                      struct pa_error *error) {
    struct fabric fabric = {.terms = terms};
    if (!terms->policy->wants_fabric)
        return PA_OK;
    if (terms->site->device_count < 2)
        return note_state(terms, "not measured",
                          "There is one device, and nobody to exchange with.", error);
    PA_TRY(pa_reduce_ranks_begin(&fabric.ranks, terms->site, error));
    uint32_t ranks = fabric.ranks.ranks;
    if (ranks == 0)
        return note_state(terms, "not measured", "No two devices of one make were left.", error);
    fabric.requests = pa_buffers_make(ranks);
    fabric.answers = pa_buffers_make(ranks);
    fabric.order = calloc(ranks, sizeof *fabric.order);
    int code = PA_OK;
    if (fabric.requests == NULL || fabric.answers == NULL || fabric.order == NULL)
        code = pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
    if (code == PA_OK)
        code = pa_fabric_run_begin(&fabric.run, &ledger->declaration, &ledger->session, error);
    if (code == PA_OK)
        code = run_and_note(&fabric, error);
    pa_buffers_free(fabric.requests, ranks);
    pa_buffers_free(fabric.answers, ranks);
    free(fabric.order);
    pa_fabric_run_free(&fabric.run);
    pa_reduce_ranks_end(&fabric.ranks);
    return code;
}
