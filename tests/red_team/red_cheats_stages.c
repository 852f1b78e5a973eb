/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_stages.c - the stages of a fabric proof in an order of the prover's own: answers
 * before the states are fixed, states fixed anew, answers anew, and silence when the key is known.
 */
#include "red_exchange.h"

#include <stdio.h>

/* One thing that the witness must not take. */
static void expect_refusal(struct red_row *row, struct red_exchange *exchange,
                           enum pa_fabric_stage stage, const void *bytes, size_t size) {
    struct pa_hash out;
    int code = red_site_fabric(&exchange->site, stage, bytes, size, &out);
    row->is_predicted = row->is_predicted && code == PA_EWITNESS;
    if (row->note[0] == '\0' || code != PA_EWITNESS)
        snprintf(row->note, sizeof row->note, "\"%.200s\"",
                 code == PA_OK ? "taken" : exchange->site.said);
}

/* When all that was refused is forgotten, the rest holds. */
static void finish_honestly(struct red_exchange *exchange, struct red_row *row) {
    struct red_game *game = exchange->game;
    struct pa_hash nothing;
    RED_MUST(red_fabric_openings(&exchange->fabric) == 0);
    expect_refusal(row, exchange, PA_FABRIC_RESULT, NULL, 0);
    row->is_predicted &=
        red_site_fabric(&exchange->site, PA_FABRIC_NONCE, NULL, 0, &nothing) == PA_EWITNESS;
    red_exchange_end(exchange);
    red_exchange_close(exchange);
    red_exchange_verdict(game, row, "FABRIC_HELD");
    row->is_predicted &= red_exchange_is_judged(game, 0);
    snprintf(row->gain, sizeof row->gain, "none: it is not taken");
    game->put(game, row);
}

static void run_early_answers(struct red_game *game) {
    const struct pa_hash answers[PA_FABRIC_ROUNDS * RED_MOST_PAIRS] = {0};
    struct red_exchange exchange;
    struct red_row row = {.cheat = "answers, challenge or key before their time",
                          .fate = RED_REFUSED,
                          .is_predicted = true};
    red_exchange_open(&exchange, game);
    red_exchange_begin(&exchange);
    expect_refusal(&row, &exchange, PA_FABRIC_ANSWERS, answers, sizeof answers);
    expect_refusal(&row, &exchange, PA_FABRIC_CHALLENGE, answers, PA_HASH_BYTES);
    expect_refusal(&row, &exchange, PA_FABRIC_KEY, answers, PA_HASH_BYTES);
    red_exchange_work(&exchange);
    red_fabric_commit(&exchange.fabric);
    expect_refusal(&row, &exchange, PA_FABRIC_KEY, answers, PA_HASH_BYTES);
    expect_refusal(&row, &exchange, PA_FABRIC_ANSWERS, answers, PA_HASH_BYTES);
    expect_refusal(&row, &exchange, PA_FABRIC_RESULT, NULL, 0);
    red_exchange_answer(&exchange.fabric);
    finish_honestly(&exchange, &row);
}

/* By another key; of fewer steps; and, the challenge being known, of other states. */
static void run_second_commitment(struct red_game *game) {
    struct red_exchange exchange;
    struct red_fabric *fabric = &exchange.fabric;
    struct pa_buffer list = {0};
    struct pa_key *stranger = NULL;
    struct pa_error error = {0};
    struct red_row row = {.cheat = "a commitment by another key, a second one",
                          .fate = RED_REFUSED,
                          .is_predicted = true};
    RED_MUST(pa_key_generate(&stranger, &error) == PA_OK);
    red_exchange_open(&exchange, game);
    red_exchange_begin(&exchange);
    red_exchange_work(&exchange);
    red_fabric_put_commitment(fabric, stranger, &list);
    expect_refusal(&row, &exchange, PA_FABRIC_COMMIT, list.data, list.size);
    fabric->tails[0].tail.steps--;
    pa_buffer_clear(&list);
    red_fabric_put_commitment(fabric, exchange.site.key, &list);
    expect_refusal(&row, &exchange, PA_FABRIC_COMMIT, list.data, list.size);
    fabric->tails[0].tail.steps++;
    red_fabric_commit(fabric);
    fabric->tails[0].fabric.bytes[0] ^= 1;
    pa_buffer_clear(&list);
    red_fabric_put_commitment(fabric, exchange.site.key, &list);
    expect_refusal(&row, &exchange, PA_FABRIC_COMMIT, list.data, list.size);
    fabric->tails[0].fabric.bytes[0] ^= 1;
    pa_buffer_free(&list);
    pa_key_free(stranger);
    red_exchange_answer(fabric);
    finish_honestly(&exchange, &row);
}

/* The key shows which chunks will be opened: other answers, or openings in another order. */
static void run_answers_again(struct red_game *game) {
    struct red_exchange exchange;
    struct red_fabric *fabric = &exchange.fabric;
    struct pa_buffer opening = {0};
    struct red_row row = {
        .cheat = "answers again when the key is known", .fate = RED_REFUSED, .is_predicted = true};
    red_exchange_open(&exchange, game);
    red_exchange_begin(&exchange);
    red_exchange_work(&exchange);
    red_fabric_commit(fabric);
    red_exchange_answer(fabric);
    fabric->answers[0].bytes[0] ^= 1;
    expect_refusal(&row, &exchange, PA_FABRIC_ANSWERS, fabric->answers, sizeof fabric->answers);
    fabric->answers[0].bytes[0] ^= 1;
    red_fabric_put_opening(fabric, 1, &opening);
    expect_refusal(&row, &exchange, PA_FABRIC_OPENING, opening.data, opening.size);
    pa_buffer_free(&opening);
    finish_honestly(&exchange, &row);
}

/* Nothing crosses, and the key shows that it will be found. */
static void play_silence(struct red_game *game, struct red_row *row, bool is_settled) {
    struct red_exchange exchange;
    struct red_fabric *fabric = &exchange.fabric;
    const char *code = is_settled ? "FABRIC_WRONG" : "FABRIC_MISSING";
    struct pa_buffer late = {0};
    red_exchange_open(&exchange, game);
    red_exchange_begin(&exchange);
    red_exchange_work(&exchange);
    red_fabric_commit(fabric);
    for (uint32_t round = 0; round < PA_FABRIC_ROUNDS; round++) {
        red_fabric_match(fabric, round);
        red_fabric_seal(fabric, round); /* sums that nobody made */
    }
    red_fabric_answer(fabric);
    row->is_predicted = !is_settled || red_fabric_settle(fabric) == PA_FABRIC_SAMPLES;
    red_fabric_put_opening(fabric, 0, &late);
    if (is_settled)
        expect_refusal(row, &exchange, PA_FABRIC_OPENING, late.data, late.size);
    pa_buffer_free(&late);
    red_exchange_end(&exchange);
    red_exchange_close(&exchange);
    red_exchange_verdict(game, row, code);
    row->is_predicted = row->is_predicted && red_finding(game, code) != NULL &&
                        red_finding(game, "FABRIC_HELD") == NULL &&
                        game->lab.judged.judgement.verdict != PA_PASS;
    snprintf(row->gain, sizeof row->gain, "none");
    game->put(game, row);
}

static void run_withheld(struct red_game *game) {
    struct red_row row = {.cheat = "openings of the fabric proof withheld, or shown late",
                          .fate = RED_CAUGHT};
    play_silence(game, &row, true);
}

static void run_broken_off(struct red_game *game) {
    struct red_row row = {.cheat = "the fabric proof broken off when the key is known",
                          .fate = RED_SHOWN};
    play_silence(game, &row, false);
}

const struct red_cheat red_cheats_stages[] = {
    {"fabric_early", run_early_answers},   {"fabric_commitment", run_second_commitment},
    {"fabric_again", run_answers_again},   {"fabric_withheld", run_withheld},
    {"fabric_broken_off", run_broken_off}, {NULL, NULL}};
