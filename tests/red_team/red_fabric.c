/* SPDX-License-Identifier: Apache-2.0 */
#include "red_fabric.h"

#include "base/base.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t patience_ns = UINT64_C(600000000000);

static void *room_for(size_t count, size_t size) {
    void *out = calloc(count, size);
    RED_MUST(out != NULL);
    return out;
}

void red_fabric_open(struct red_fabric *fabric, struct red_site *site,
                     struct red_machine *machine) {
    const struct red_terms *terms = &site->terms;
    struct pa_error error = {0};
    *fabric = (struct red_fabric){.site = site, .machine = machine};
    for (uint32_t d = 0; d < terms->devices; d++)
        fabric->declared[d] = (struct pa_declared_device){.m = terms->m, .n = terms->n};
    fabric->declaration = (struct pa_declaration){.class_id = terms->class_id,
                                                  .k = terms->k,
                                                  .device_count = terms->devices,
                                                  .devices = fabric->declared};
    pa_key_public(site->key, fabric->declaration.prover_key);
    RED_MUST(pa_fabric_run_begin(&fabric->run, &fabric->declaration, &site->session, &error) ==
             PA_OK);
    size_t chunks = fabric->run.chunks;
    for (uint32_t d = 0; d < terms->devices; d++) {
        fabric->states[d].x = room_for((size_t)fabric->run.words, sizeof(uint32_t));
        fabric->states[d].digests = room_for(chunks, sizeof(uint64_t));
    }
    for (uint32_t r = 0; r < PA_FABRIC_ROUNDS; r++)
        for (uint32_t i = 0; i < terms->devices / 2; i++)
            fabric->sums[r][i] = room_for(chunks, sizeof(uint64_t));
}

void red_fabric_close(struct red_fabric *fabric) {
    pa_fabric_run_free(&fabric->run);
    for (uint32_t d = 0; d < RED_MOST_DEVICES; d++) {
        pa_chain_free(&fabric->states[d].chain);
        free(fabric->states[d].x);
        free(fabric->states[d].digests);
    }
    for (uint32_t r = 0; r < PA_FABRIC_ROUNDS; r++)
        for (uint32_t i = 0; i < RED_MOST_PAIRS; i++)
            free(fabric->sums[r][i]);
}

/* Into our own run go the same bytes, unchecked but for their order. */
static void keep(struct red_fabric *fabric, enum pa_fabric_stage stage, const void *bytes,
                 size_t size) {
    struct pa_error error = {0};
    if (pa_fabric_run_take(&fabric->run, stage, bytes, size, false, &error) != PA_OK)
        red_fail(__FILE__, __LINE__, error.text);
}

static void tell(struct red_fabric *fabric, enum pa_fabric_stage stage, const void *bytes,
                 size_t size, struct pa_hash *out) {
    if (red_site_fabric(fabric->site, stage, bytes, size, out) != PA_OK)
        red_fail(__FILE__, __LINE__, fabric->site->said);
}

void red_fabric_begin(struct red_fabric *fabric) {
    struct pa_hash nonce;
    tell(fabric, PA_FABRIC_NONCE, NULL, 0, &nonce);
    keep(fabric, PA_FABRIC_NONCE, nonce.bytes, PA_HASH_BYTES);
}

static struct pa_workbench *prepare(struct red_fabric *fabric, const struct pa_chain *chain) {
    uint32_t rows = chain->shape.m / PA_TILE;
    struct pa_seed a_seed = pa_chain_a_seed(chain);
    red_machine_load(fabric->machine, &a_seed);
    red_machine_prepare(fabric->machine, rows);
    return fabric->machine->by_rows[rows - 1];
}

static void begin_state(struct red_fabric *fabric, struct pa_workbench *bench, uint32_t steps) {
    struct pa_error error = {0};
    RED_MUST(fabric->machine->device->backend->fold_open(bench, fabric->run.words, steps, &error) ==
             PA_OK);
}

static void end_state(struct red_fabric *fabric, struct pa_workbench *bench, uint32_t *x) {
    const struct pa_backend *backend = fabric->machine->device->backend;
    struct pa_error error = {0};
    RED_MUST(backend->fold_read(bench, x, pa_clock_raw_ns() + patience_ns, &error) == PA_OK);
    backend->fold_close(bench);
}

struct pa_chain *red_fabric_begin_chain(struct red_fabric *fabric, uint32_t device) {
    struct pa_chain *chain = &fabric->states[device].chain;
    struct pa_error error = {0};
    struct pa_hash start;
    pa_fabric_run_start(&fabric->run, device, &start);
    pa_chain_free(chain);
    *chain = (struct pa_chain){0};
    RED_MUST(pa_chain_begin(chain, &start, red_site_shape(fabric->site), PA_FABRIC_STEPS, &error) ==
             PA_OK);
    return chain;
}

void red_fabric_work(struct red_fabric *fabric, uint32_t device, uint32_t steps, uint64_t *state) {
    struct pa_chain *chain = red_fabric_begin_chain(fabric, device);
    uint64_t count = pa_shape_tiles(chain->shape), *tiles = room_for(count, sizeof *tiles);
    struct pa_workbench *bench = prepare(fabric, chain);
    struct pa_error error = {0};
    if (steps > 0)
        begin_state(fabric, bench, steps);
    for (uint32_t t = 1; t <= PA_FABRIC_STEPS; t++) {
        struct pa_seed b_seed = pa_chain_b_seed(chain, t);
        if (t <= steps)
            red_machine_step(fabric->machine, &b_seed, tiles);
        for (uint64_t i = 0; t > steps && i < count; i++)
            tiles[i] = red_random(state);
        RED_MUST(pa_chain_append(chain, tiles, &error) == PA_OK);
    }
    if (steps > 0)
        end_state(fabric, bench, fabric->states[device].x);
    free(tiles);
}

void red_fabric_fold(struct red_fabric *fabric, uint32_t device) {
    const struct pa_chain *chain = &fabric->states[device].chain;
    uint64_t *tiles = room_for(pa_shape_tiles(chain->shape), sizeof *tiles);
    struct pa_workbench *bench = prepare(fabric, chain);
    begin_state(fabric, bench, PA_FABRIC_STEPS);
    for (uint32_t t = 1; t <= PA_FABRIC_STEPS; t++) {
        struct pa_seed b_seed = pa_chain_b_seed(chain, t);
        red_machine_step(fabric->machine, &b_seed, tiles);
    }
    end_state(fabric, bench, fabric->states[device].x);
    free(tiles);
}

void red_fabric_digest(struct red_fabric *fabric, uint32_t device) {
    struct red_state *own = &fabric->states[device];
    struct pa_fabric_tail *tail = &fabric->tails[device];
    struct pa_error error = {0};
    RED_MUST(pa_chain_tail(&own->chain, &tail->tail, &error) == PA_OK);
    pa_fabric_digests(own->digests, own->x, fabric->run.words, pa_fabric_digest_key(&tail->tail));
    RED_MUST(pa_fabric_hash_values(&tail->fabric, "fabric", own->digests, fabric->run.chunks,
                                   &error) == PA_OK);
}

void red_fabric_put_commitment(const struct red_fabric *fabric, const struct pa_key *key,
                               struct pa_buffer *out) {
    uint32_t devices = fabric->declaration.device_count;
    struct pa_signature signature = {0};
    struct pa_hash root, message;
    struct pa_error error = {0};
    size_t length = 0;
    pa_fabric_root(&root, &fabric->run.nonce, fabric->tails, devices);
    pa_epoch_commit_hash(&message, &fabric->run.session, PA_FABRIC_EPOCH, &root);
    RED_MUST(pa_key_sign(key, &message, signature.bytes, &length, &error) == PA_OK);
    pa_fabric_put_tails(out, fabric->tails, devices);
    pa_buffer_u16(out, (uint16_t)length);
    pa_buffer_bytes(out, signature.bytes, length);
}

void red_fabric_commit(struct red_fabric *fabric) {
    struct pa_buffer list = {0};
    struct pa_hash challenge;
    red_fabric_put_commitment(fabric, fabric->site->key, &list);
    tell(fabric, PA_FABRIC_COMMIT, list.data, list.size, &challenge);
    keep(fabric, PA_FABRIC_COMMIT, list.data, list.size);
    keep(fabric, PA_FABRIC_CHALLENGE, challenge.bytes, PA_HASH_BYTES);
    pa_buffer_free(&list);
}

void red_fabric_match(struct red_fabric *fabric, uint32_t round) {
    const struct pa_fabric_run *run = &fabric->run;
    struct pa_hash *nonce = &fabric->nonce[round];
    if (round == 0)
        pa_fabric_first_nonce(nonce, &run->challenge, &run->root);
    else
        pa_fabric_next_nonce(nonce, &fabric->nonce[round - 1],
                             fabric->answers + (size_t)(round - 1) * run->pairs, run->pairs);
    memcpy(fabric->order[round], run->working, run->working_count * sizeof *run->working);
    pa_fabric_match(fabric->order[round], run->working_count, nonce);
}

void red_fabric_sum(struct red_fabric *fabric, uint32_t round, uint32_t pair,
                    const uint32_t *theirs) {
    const uint32_t *who = &fabric->order[round][2 * pair];
    const struct pa_hash *nonce = &fabric->nonce[round];
    pa_fabric_sums(fabric->sums[round][pair], fabric->states[who[0]].x, theirs,
                   pa_fabric_weight_key(nonce, who[0]), pa_fabric_weight_key(nonce, who[1]),
                   pa_fabric_round_shuffle(nonce, fabric->run.chunks));
}

void red_fabric_seal(struct red_fabric *fabric, uint32_t round) {
    const struct pa_fabric_run *run = &fabric->run;
    struct pa_error error = {0};
    for (uint32_t i = 0; i < run->pairs; i++)
        RED_MUST(pa_fabric_hash_values(&fabric->answers[(size_t)round * run->pairs + i],
                                       "fabric answer", fabric->sums[round][i], run->chunks,
                                       &error) == PA_OK);
}

void red_fabric_answer(struct red_fabric *fabric) {
    size_t size = PA_FABRIC_ROUNDS * (size_t)fabric->run.pairs * PA_HASH_BYTES;
    struct pa_hash key;
    tell(fabric, PA_FABRIC_ANSWERS, fabric->answers, size, &key);
    keep(fabric, PA_FABRIC_ANSWERS, fabric->answers, size);
    keep(fabric, PA_FABRIC_KEY, key.bytes, PA_HASH_BYTES);
}

void red_fabric_put_opening(const struct red_fabric *fabric, uint32_t j, struct pa_buffer *out) {
    const struct pa_fabric_sample *sample = &fabric->run.samples[j];
    const uint32_t *who = &fabric->order[sample->round][2 * sample->pair];
    uint32_t chunks = fabric->run.chunks;
    struct pa_fabric_shuffle shuffle =
        pa_fabric_round_shuffle(&fabric->nonce[sample->round], chunks);
    const uint32_t chunk[2] = {sample->chunk, pa_fabric_met_chunk(shuffle, sample->chunk)};
    pa_buffer_u32(out, j);
    for (int side = 0; side < 2; side++) {
        const struct red_state *state = &fabric->states[who[side]];
        pa_fabric_put_opened(out, state->chain.digest, PA_FABRIC_STEPS, state->digests, chunks,
                             chunk[side]);
    }
    pa_fabric_put_opened(out, NULL, 0, fabric->sums[sample->round][sample->pair], chunks,
                         sample->chunk);
}

uint32_t red_fabric_settle(struct red_fabric *fabric) {
    struct pa_hash result;
    tell(fabric, PA_FABRIC_RESULT, NULL, 0, &result);
    return pa_le32(result.bytes);
}

uint32_t red_fabric_openings(struct red_fabric *fabric) {
    for (uint32_t j = 0; j < PA_FABRIC_SAMPLES; j++) {
        struct pa_buffer opening = {0};
        struct pa_hash nothing;
        red_fabric_put_opening(fabric, j, &opening);
        tell(fabric, PA_FABRIC_OPENING, opening.data, opening.size, &nothing);
        pa_buffer_free(&opening);
    }
    return red_fabric_settle(fabric);
}
