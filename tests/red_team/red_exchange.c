/* SPDX-License-Identifier: Apache-2.0 */
#include "red_exchange.h"

#include <stdio.h>

enum { STEPS = 4, OPENINGS = 10 };

void red_exchange_open_at(struct red_exchange *exchange, struct red_game *game,
                          struct pa_shape shape) {
    *exchange = (struct red_exchange){
        .game = game, .terms = red_terms_small(), .steps = STEPS, .state = game->seed ^ 20};
    struct red_terms *terms = &exchange->terms;
    terms->m = shape.m;
    terms->n = shape.n;
    terms->k = shape.k;
    terms->devices = RED_EXCHANGE_DEVICES;
    terms->openings = OPENINGS;
    terms->format = red_machine_format(terms->class_id);
    red_machine_open(&exchange->machine, terms->class_id, shape);
}

void red_exchange_open(struct red_exchange *exchange, struct red_game *game) {
    red_exchange_open_at(exchange, game, (struct pa_shape){256, 128, 64});
}

void red_exchange_close(struct red_exchange *exchange) {
    red_machine_close(&exchange->machine);
}

void red_exchange_begin(struct red_exchange *exchange) {
    struct red_play honest = {
        .machine = &exchange->machine, .steps = exchange->steps, .step = red_step_honest};
    RED_MUST(red_site_begin(&exchange->site, &exchange->game->lab, &exchange->terms) == PA_OK);
    red_play_epoch(&honest, &exchange->site, 0);
    RED_MUST(red_play_openings(&exchange->site, 0) == 0);
    red_fabric_open(&exchange->fabric, &exchange->site, &exchange->machine);
    red_fabric_begin(&exchange->fabric);
}

void red_exchange_end(struct red_exchange *exchange) {
    if (red_site_finish(&exchange->site) != PA_OK)
        red_fail(__FILE__, __LINE__, exchange->site.said);
    RED_MUST(exchange->game->lab.has_judged);
    red_fabric_close(&exchange->fabric);
    red_site_end(&exchange->site);
}

void red_exchange_work(struct red_exchange *exchange) {
    for (uint32_t d = 0; d < RED_EXCHANGE_DEVICES; d++) {
        red_fabric_work(&exchange->fabric, d, PA_FABRIC_STEPS, &exchange->state);
        red_fabric_digest(&exchange->fabric, d);
    }
}

void red_exchange_answer(struct red_fabric *fabric) {
    for (uint32_t round = 0; round < PA_FABRIC_ROUNDS; round++) {
        red_fabric_match(fabric, round);
        for (uint32_t i = 0; i < fabric->run.pairs; i++)
            red_fabric_sum(fabric, round, i, fabric->states[fabric->order[round][2 * i + 1]].x);
        red_fabric_seal(fabric, round);
    }
    red_fabric_answer(fabric);
}

const struct pa_fact_fabric *red_exchange_facts(const struct red_game *game) {
    return &game->lab.judged.facts.fabric;
}

bool red_exchange_is_judged(const struct red_game *game, uint32_t failed) {
    const char *expected = failed > 0 ? "FABRIC_WRONG" : "FABRIC_HELD";
    const char *other = failed > 0 ? "FABRIC_HELD" : "FABRIC_WRONG";
    return red_exchange_facts(game)->failed == failed && red_finding(game, expected) != NULL &&
           red_finding(game, other) == NULL &&
           (failed == 0 || game->lab.judged.judgement.verdict != PA_PASS);
}

void red_exchange_verdict(const struct red_game *game, struct red_row *row, const char *code) {
    snprintf(row->verdict, sizeof row->verdict, "%s, %s",
             pa_verdict_name(game->lab.judged.judgement.verdict),
             red_finding(game, code) != NULL ? code : "nothing found");
}
