/* SPDX-License-Identifier: Apache-2.0 */
/* red_exchange.h - sessions with a fabric proof of four devices: an epoch that is honest, so that
 * there is a rate, and around the exchange all that the cheats of it have in common. */
#ifndef PA_TESTS_RED_EXCHANGE_H
#define PA_TESTS_RED_EXCHANGE_H

#include "red_fabric.h"
#include "red_team.h"

enum { RED_EXCHANGE_DEVICES = 4 };

struct red_exchange {
    struct red_game *game;
    struct red_terms terms;
    struct red_machine machine;
    struct red_site site;
    struct red_fabric fabric;
    uint32_t steps; /* of each device in the epoch before */
    uint64_t state; /* the cheat's own randomness */
};

/* 256 x 128 x 64 dense16: 256 chunks. */
void red_exchange_open(struct red_exchange *exchange, struct red_game *game);
/* Other shapes. */
void red_exchange_open_at(struct red_exchange *exchange, struct red_game *game,
                          struct pa_shape shape);
void red_exchange_close(struct red_exchange *exchange);

/* A session up to the fabric proof's nonce, and from its result to the judgement. */
void red_exchange_begin(struct red_exchange *exchange);
void red_exchange_end(struct red_exchange *exchange);
/* What all devices commit to, honestly; both rounds. */
void red_exchange_work(struct red_exchange *exchange);
void red_exchange_answer(struct red_fabric *fabric);

/* Of the session that was judged last. */
const struct pa_fact_fabric *red_exchange_facts(const struct red_game *game);
/* The judge finds as many wrong as the witness did, and says so. */
bool red_exchange_is_judged(const struct red_game *game, uint32_t failed);
void red_exchange_verdict(const struct red_game *game, struct red_row *row, const char *code);

#endif
