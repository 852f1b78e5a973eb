/* SPDX-License-Identifier: Apache-2.0 */
#include "red_split.h"

#include "kernels/fabric.h"

#include <stdlib.h>
#include <string.h>

static void *room_for(size_t count, size_t size) {
    void *out = calloc(count, size);
    RED_MUST(out != NULL);
    return out;
}

static uint32_t half_rows(const struct red_split *split) {
    return split->fabric->site->terms.m / RED_PLACES;
}

void red_split_open(struct red_split *split, struct red_fabric *fabric) {
    const struct red_terms *terms = &fabric->site->terms;
    *split = (struct red_split){.fabric = fabric};
    size_t rows = half_rows(split), chunks = fabric->run.chunks;
    RED_MUST(rows % PA_TILE == 0 && terms->n % PA_FABRIC_CHUNK == 0);
    RED_MUST(red_gemm_open(&split->gemm, PA_FP32, (uint32_t)rows, terms->n, terms->k));
    for (uint32_t i = 0; i < RED_PLACES; i++) {
        struct red_place *place = &split->places[i];
        place->first_row = (uint32_t)rows * i;
        place->a = room_for(rows * terms->k, sizeof *place->a);
        place->b = room_for((size_t)terms->n * terms->k, sizeof *place->b);
        place->c = room_for(rows * terms->n, sizeof *place->c);
        for (uint32_t d = 0; d < terms->devices; d++) {
            place->x[d] = room_for((size_t)fabric->run.words, sizeof *place->x[d]);
            place->knows[d] = room_for(chunks, sizeof *place->knows[d]);
            memset(place->knows[d] + i * chunks / RED_PLACES, true, chunks / RED_PLACES);
        }
    }
}

void red_split_close(struct red_split *split) {
    red_gemm_close(&split->gemm);
    for (uint32_t i = 0; i < RED_PLACES; i++) {
        struct red_place *place = &split->places[i];
        free(place->a);
        free(place->b);
        free(place->c);
        for (uint32_t d = 0; d < RED_MOST_DEVICES; d++) {
            free(place->x[d]);
            free(place->knows[d]);
        }
    }
}

/* Its rows of a step: their tile digests, and its words of the state. */
static void step_here(struct red_split *split, struct red_place *place, uint32_t device,
                      const struct pa_seed *b_seed, uint64_t *tiles) {
    const struct red_terms *terms = &split->fabric->site->terms;
    size_t first = (size_t)place->first_row * terms->n, count = (size_t)half_rows(split) * terms->n;
    uint32_t *x = place->x[device] + first;
    red_operand_f32(b_seed, 0, terms->n, terms->k, place->b);
    red_gemm_run(&split->gemm, place->a, place->b, place->c);
    red_digest_all(place->c, half_rows(split), terms->n, b_seed->s, tiles);
    for (size_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, &place->c[i], sizeof word);
        x[i] = pa_fabric_fold_word(x[i], pa_digest_f32_word(word));
    }
}

void red_split_work(struct red_split *split, uint32_t device) {
    struct red_fabric *fabric = split->fabric;
    struct red_state *state = &fabric->states[device];
    struct pa_shape shape = red_site_shape(fabric->site);
    uint64_t half = pa_shape_tiles(shape) / RED_PLACES, *tiles = room_for(2 * half, sizeof *tiles);
    struct pa_error error = {0};
    struct pa_chain *chain = red_fabric_begin_chain(fabric, device);
    struct pa_seed a_seed = pa_chain_a_seed(chain);
    for (uint32_t i = 0; i < RED_PLACES; i++)
        red_operand_f32(&a_seed, split->places[i].first_row, half_rows(split), shape.k,
                        split->places[i].a);
    for (uint32_t t = 1; t <= PA_FABRIC_STEPS; t++) {
        struct pa_seed b_seed = pa_chain_b_seed(chain, t);
        for (uint32_t i = 0; i < RED_PLACES; i++)
            step_here(split, &split->places[i], device, &b_seed, tiles + i * half);
        /* Both make h_t: each tells the other the hashes of its tile rows. */
        split->crossed += (uint64_t)shape.m / PA_TILE * PA_HASH_BYTES;
        RED_MUST(pa_chain_append(chain, tiles, &error) == PA_OK);
    }
    /* One of them commits, and gets the digests of the other's chunks. */
    size_t words = (size_t)fabric->run.words / RED_PLACES;
    for (uint32_t i = 0; i < RED_PLACES; i++)
        memcpy(state->x + i * words, split->places[i].x[device] + i * words, words * 4);
    split->crossed += fabric->run.chunks / RED_PLACES * sizeof(uint64_t);
    free(tiles);
}

static uint32_t place_of(const struct red_split *split, uint32_t chunk) {
    return chunk / (split->fabric->run.chunks / RED_PLACES);
}

/* Have a chunk of a device's state at a place. */
static void want(struct red_split *split, uint32_t at, uint32_t device, uint32_t chunk) {
    struct red_place *here = &split->places[at];
    const size_t first = (size_t)chunk * PA_FABRIC_CHUNK, bytes = PA_FABRIC_CHUNK * 4;
    if (here->knows[device][chunk])
        return;
    memcpy(here->x[device] + first, split->places[place_of(split, chunk)].x[device] + first, bytes);
    here->knows[device][chunk] = true;
    split->crossed += bytes;
}

/* One sum: where its chunk of the first of the pair is. */
static void sum_chunk(struct red_split *split, uint32_t round, uint32_t pair, uint32_t chunk) {
    struct red_fabric *fabric = split->fabric;
    const uint32_t *who = &fabric->order[round][2 * pair];
    const struct pa_hash *nonce = &fabric->nonce[round];
    struct pa_fabric_shuffle shuffle = pa_fabric_round_shuffle(nonce, fabric->run.chunks);
    uint32_t met = pa_fabric_met_chunk(shuffle, chunk), at = place_of(split, chunk);
    want(split, at, who[1], met);
    fabric->sums[round][pair][chunk] = pa_fabric_chunk_sum(
        split->places[at].x[who[0]] + (size_t)chunk * PA_FABRIC_CHUNK,
        split->places[at].x[who[1]] + (size_t)met * PA_FABRIC_CHUNK, chunk,
        pa_fabric_weight_key(nonce, who[0]), pa_fabric_weight_key(nonce, who[1]),
        pa_fabric_met_turn(shuffle, chunk));
}

void red_split_answer(struct red_split *split, uint32_t round) {
    const struct pa_fabric_run *run = &split->fabric->run;
    for (uint32_t i = 0; i < run->pairs; i++) {
        for (uint32_t c = 0; c < run->chunks; c++)
            sum_chunk(split, round, i, c);
        /* One of them answers, and gets the other's sums. */
        split->crossed += run->chunks / RED_PLACES * sizeof(uint64_t);
    }
}
