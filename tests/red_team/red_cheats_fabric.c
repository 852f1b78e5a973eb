/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_fabric.c - the fabric proof: states that did not cross, that were never computed or
 * too late, or at two places. */
#include "red_exchange.h"
#include "red_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FULL_SIDE = 1024, FULL_DEPTH = 2048 };

/* What the certificate says of half of the devices elsewhere, in bytes a second. */
static double floor_of(const struct red_game *game) {
    const struct pa_fact_fabric *fabric = red_exchange_facts(game);
    return pa_fabric_cut(&fabric->floor, fabric->devices, 0.5, fabric->held);
}

/* ---- what is answered and committed to ---- */

struct trick {
    const char *cheat, *gain;
    double share;         /* of the chunks of the states that do not cross */
    bool of_first_pair;   /* only of pair 0, in both rounds */
    uint32_t undone;      /* steps whose products are not folded, the last ones */
    bool is_afterthought; /* they are, once the challenge is there */
    bool shows_true;      /* then their true digests are shown, not those committed to */
};

static void invent(uint32_t *words, size_t count, uint64_t *state) {
    for (size_t i = 0; i < count; i++)
        words[i] = (uint32_t)red_random(state);
}

/* Of a partner's state, what crosses is what it is, and the rest is invented. How many chunks are
 * false. */
static uint64_t sum_pair(struct red_exchange *exchange, const struct trick *trick, uint32_t round,
                         uint32_t pair) {
    struct red_fabric *fabric = &exchange->fabric;
    size_t bytes = (size_t)fabric->run.words * sizeof(uint32_t);
    uint32_t *theirs = malloc(bytes);
    uint64_t count = 0;
    bool is_true = trick->of_first_pair && pair > 0;
    RED_MUST(theirs != NULL);
    memcpy(theirs, fabric->states[fabric->order[round][2 * pair + 1]].x, bytes);
    for (uint32_t c = 0; c < fabric->run.chunks && !is_true; c++) {
        if (red_uniform(&exchange->state) >= trick->share)
            continue;
        invent(theirs + (size_t)c * PA_FABRIC_CHUNK, PA_FABRIC_CHUNK, &exchange->state);
        count++;
    }
    red_fabric_sum(fabric, round, pair, theirs);
    free(theirs);
    return count;
}

static void work_all(struct red_exchange *exchange, const struct trick *trick) {
    struct red_fabric *fabric = &exchange->fabric;
    for (uint32_t d = 0; d < RED_EXCHANGE_DEVICES; d++) {
        if (trick->undone == PA_FABRIC_STEPS)
            invent(fabric->states[d].x, (size_t)fabric->run.words, &exchange->state);
        red_fabric_work(fabric, d, PA_FABRIC_STEPS - trick->undone, &exchange->state);
        red_fabric_digest(fabric, d);
    }
}

/* The states of the chains that were committed to. */
static void fold_late(struct red_fabric *fabric, bool shows_true) {
    for (uint32_t d = 0; d < RED_EXCHANGE_DEVICES; d++) {
        struct red_state *state = &fabric->states[d];
        red_fabric_fold(fabric, d);
        if (shows_true)
            pa_fabric_digests(state->digests, state->x, fabric->run.words,
                              pa_fabric_digest_key(&fabric->tails[d].tail));
    }
}

/* A whole session; the chance that it is caught. */
static double play_trick(struct red_exchange *exchange, const struct trick *trick,
                         uint32_t *failed) {
    struct red_fabric *fabric = &exchange->fabric;
    uint64_t count = 0;
    red_exchange_begin(exchange);
    work_all(exchange, trick);
    red_fabric_commit(fabric);
    if (trick->is_afterthought)
        fold_late(fabric, trick->shows_true);
    for (uint32_t round = 0; round < PA_FABRIC_ROUNDS; round++) {
        red_fabric_match(fabric, round);
        for (uint32_t i = 0; i < fabric->run.pairs; i++)
            count += sum_pair(exchange, trick, round, i);
        red_fabric_seal(fabric, round);
    }
    red_fabric_answer(fabric);
    *failed = red_fabric_openings(fabric);
    double all = (double)PA_FABRIC_ROUNDS * fabric->run.pairs * fabric->run.chunks;
    red_exchange_end(exchange);
    return red_odds_of(trick->undone > 0 ? 1 : (double)count / all, PA_FABRIC_SAMPLES);
}

/* Sessions of a row whose every session is caught. */
static uint32_t few(const struct red_game *game) {
    return game->trials < 6 ? 1 : game->trials / 6;
}

static void play_tricks(struct red_game *game, const struct trick *trick, uint32_t trials) {
    struct red_exchange exchange;
    struct red_row row = {.cheat = trick->cheat,
                          .fate = RED_CAUGHT,
                          .has_odds = true,
                          .openings = PA_FABRIC_SAMPLES,
                          .is_predicted = true};
    red_exchange_open(&exchange, game);
    exchange.state ^= (uint64_t)(trick->share * 1e6) << 20;
    for (uint32_t i = 0; i < trials; i++) {
        uint32_t failed = 0;
        double chance = play_trick(&exchange, trick, &failed);
        row.is_predicted &= red_exchange_is_judged(game, failed);
        red_odds_add(&row.odds, chance, red_finding(game, "FABRIC_WRONG") != NULL);
        if (failed > 0 || row.verdict[0] == '\0')
            red_exchange_verdict(game, &row, failed > 0 ? "FABRIC_WRONG" : "FABRIC_HELD");
        if (failed > 0)
            snprintf(row.note, sizeof row.note, "\"%s\"", red_exchange_facts(game)->reason);
    }
    red_exchange_close(&exchange);
    red_odds_finish(&row.odds);
    row.share = trick->undone > 0 ? 1 : trick->share;
    row.is_predicted &= red_odds_hold(&row.odds);
    snprintf(row.gain, sizeof row.gain, "%s", trick->gain);
    game->put(game, &row);
}

/* What was printed of an honest exchange in this lab; its figures hang on the machine. */
static void put_floor(const struct red_game *game, struct red_row *row) {
    snprintf(row->note, sizeof row->note,
             "printed: at least %.3g GB/s with half of the devices elsewhere, %.3g of the states "
             "possible twice, in %.3g s",
             floor_of(game) * 1e-9, red_exchange_facts(game)->floor.twice_share,
             (double)red_exchange_facts(game)->window_ns * 1e-9);
}

static void run_honest(struct red_game *game) {
    static const struct trick honest = {.cheat = ""};
    struct red_exchange exchange;
    struct red_row row = {.cheat = "an honest fabric proof of 4 devices, for comparison",
                          .fate = RED_WORTHLESS,
                          .is_predicted = true};
    red_exchange_open(&exchange, game);
    for (uint32_t i = 0; i < few(game); i++) {
        uint32_t failed = 0;
        play_trick(&exchange, &honest, &failed);
        row.is_predicted &= failed == 0 && red_exchange_is_judged(game, 0) &&
                            red_exchange_facts(game)->is_whole &&
                            red_exchange_facts(game)->devices == RED_EXCHANGE_DEVICES;
    }
    red_exchange_close(&exchange);
    red_exchange_verdict(game, &row, "FABRIC_HELD");
    put_floor(game, &row);
    snprintf(row.gain, sizeof row.gain, "none: it is honest");
    game->put(game, &row);
}

static void run_nothing_crosses(struct red_game *game) {
    static const struct trick trick = {.cheat = "nothing crosses: the partner's state is invented",
                                       .gain = "all of the exchange",
                                       .share = 1};
    play_tricks(game, &trick, few(game));
}

static void run_some_cross(struct red_game *game) {
    static const struct trick tricks[] = {
        {"1.0 % of the states do not cross", "1 % of the exchange", .share = 0.01},
        {"10.0 % of the states do not cross", "10 % of the exchange", .share = 0.1},
        {"50.0 % of the states do not cross", "50 % of the exchange", .share = 0.5}};
    for (size_t i = 0; i < sizeof tricks / sizeof tricks[0]; i++)
        play_tricks(game, &tricks[i], tricks[i].share < 0.5 ? game->trials : few(game));
}

static void run_one_pair(struct red_game *game) {
    static const struct trick tricks[] = {
        {"one pair of two exchanges nothing", "half of the exchange", .share = 1, true},
        {"one pair of two exchanges all but 4 %", "2 % of the exchange", .share = 0.04, true}};
    play_tricks(game, &tricks[0], few(game));
    play_tricks(game, &tricks[1], game->trials);
}

static void run_no_states(struct red_game *game) {
    static const struct trick trick = {.cheat = "states that were never computed",
                                       .gain = "all of the work of the fabric proof",
                                       .undone = PA_FABRIC_STEPS};
    play_tricks(game, &trick, few(game));
}

static void run_fewer_folded(struct red_game *game) {
    static const struct trick trick = {.cheat = "63 of 64 products folded",
                                       .gain = "1/64 of the work of the fabric proof",
                                       .undone = 1};
    play_tricks(game, &trick, few(game));
}

/* Each where it is wanted then, so that none has to cross. */
static void run_late_states(struct red_game *game) {
    static const char gain[] = "all of the exchange";
    static const struct trick tricks[] = {
        {"states computed when the challenge is known, others committed to", gain,
         .undone = PA_FABRIC_STEPS, .is_afterthought = true},
        {"states computed when the challenge is known, their true digests shown", gain,
         .undone = PA_FABRIC_STEPS, .is_afterthought = true, .shows_true = true}};
    play_tricks(game, &tricks[0], few(game));
    play_tricks(game, &tricks[1], few(game));
}

/* ---- where states are computed ---- */

/* Tile digests of the fabric's chain are not looked at: with invented ones all operands are known
 * at once, and steps can be computed in any order and anywhere. All of them must be. */
static void run_free_steps(struct red_game *game) {
    struct red_exchange exchange;
    struct red_fabric *fabric = &exchange.fabric;
    struct red_row row = {.cheat = "digests of the chain invented: no step waits for another",
                          .fate = RED_WORTHLESS};
    red_exchange_open(&exchange, game);
    red_exchange_begin(&exchange);
    for (uint32_t d = 0; d < RED_EXCHANGE_DEVICES; d++) {
        red_fabric_work(fabric, d, 0, &exchange.state);
        red_fabric_fold(fabric, d);
        red_fabric_digest(fabric, d);
    }
    red_fabric_commit(fabric);
    red_exchange_answer(fabric);
    uint32_t failed = red_fabric_openings(fabric);
    red_exchange_end(&exchange);
    red_exchange_close(&exchange);
    red_exchange_verdict(game, &row, "FABRIC_HELD");
    snprintf(row.gain, sizeof row.gain, "none: every product is in a state");
    row.is_predicted = failed == 0 && red_exchange_is_judged(game, 0);
    game->put(game, &row);
}

/* The bytes that cross in a session with half of every state at each of two places. */
static double play_split(struct red_exchange *exchange) {
    struct red_split split;
    struct red_fabric *fabric = &exchange->fabric;
    red_exchange_begin(exchange);
    red_split_open(&split, fabric);
    for (uint32_t d = 0; d < RED_EXCHANGE_DEVICES; d++) {
        red_split_work(&split, d);
        red_fabric_digest(fabric, d);
    }
    red_fabric_commit(fabric);
    for (uint32_t round = 0; round < PA_FABRIC_ROUNDS; round++) {
        red_fabric_match(fabric, round);
        red_split_answer(&split, round);
        red_fabric_seal(fabric, round);
    }
    red_fabric_answer(fabric);
    RED_MUST(red_fabric_openings(fabric) == 0);
    double crossed = (double)split.crossed;
    red_split_close(&split);
    red_exchange_end(exchange);
    return crossed;
}

/* What the certificate says must have crossed had better have done so, in the mean. Time is left
 * out of it: the floor is that of a prover who can compute nothing twice. */
static void run_split_rows(struct red_game *game) {
    struct red_exchange exchange;
    struct red_row row = {.cheat = "half of the rows of every state at each of two places",
                          .fate = RED_BOUNDED,
                          .is_predicted = true};
    double crossed = 0, least = 0;
    red_exchange_open(&exchange, game);
    for (uint32_t i = 0; i < game->trials; i++) {
        crossed += play_split(&exchange) / game->trials;
        const struct pa_fact_fabric *facts = red_exchange_facts(game);
        const struct pa_fabric_floor floor = {.device_bytes_per_second = (double)facts->bytes};
        least = pa_fabric_cut(&floor, facts->devices, 0.5, facts->held);
        row.is_predicted &= red_exchange_is_judged(game, 0);
    }
    red_exchange_close(&exchange);
    red_exchange_verdict(game, &row, "FABRIC_HELD");
    snprintf(row.gain, sizeof row.gain, "none: %.2f of what must cross at least, in the mean",
             crossed / least);
    snprintf(row.note, sizeof row.note, "%.0f bytes crossed, at least %.0f had to", crossed, least);
    row.is_predicted &= crossed >= least;
    game->put(game, &row);
}

/* The floor that an honest proof gets, or one of which each state is computed `times` times. */
static double floor_at(struct red_exchange *exchange, uint32_t times) {
    struct red_fabric *fabric = &exchange->fabric;
    red_exchange_begin(exchange);
    for (uint32_t d = 0; d < RED_EXCHANGE_DEVICES; d++) {
        for (uint32_t i = 0; i < times; i++)
            red_fabric_work(fabric, d, PA_FABRIC_STEPS, &exchange->state);
        red_fabric_digest(fabric, d);
    }
    red_fabric_commit(fabric);
    red_exchange_answer(fabric);
    RED_MUST(red_fabric_openings(fabric) == 0);
    red_exchange_end(exchange);
    return floor_of(exchange->game);
}

/* A second place that computes every state, too, needs none of them: it takes time. Only where the
 * work is most of the time does the time say so, and only on a machine that is left alone. */
static void run_twice(struct red_game *game) {
    struct red_exchange exchange;
    struct red_row row = {.cheat = "every state computed at a second place as well",
                          .fate = RED_BOUNDED};
    if (!game->is_full)
        return;
    red_exchange_open_at(&exchange, game, (struct pa_shape){FULL_SIDE, FULL_SIDE, FULL_DEPTH});
    exchange.steps = PA_FABRIC_STEPS; /* the rate that time is held against is one of as long */
    double honest = floor_at(&exchange, 1),
           honest_twice = red_exchange_facts(game)->floor.twice_share;
    double twice = floor_at(&exchange, 2);
    red_exchange_close(&exchange);
    red_exchange_verdict(game, &row, "FABRIC_HELD");
    snprintf(row.gain, sizeof row.gain, "the exchange; at most what is printed: %.3g GB/s",
             twice * 1e-9);
    snprintf(row.note, sizeof row.note,
             "%.3g of the states possible twice; an honest prover beside it gets %.3g GB/s, %.3g "
             "of them possible twice",
             red_exchange_facts(game)->floor.twice_share, honest * 1e-9, honest_twice);
    row.is_predicted = honest > 0 && twice <= 0 && red_exchange_is_judged(game, 0);
    game->put(game, &row);
}

const struct red_cheat red_cheats_fabric[] = {{"fabric_honest", run_honest},
                                              {"fabric_nothing", run_nothing_crosses},
                                              {"fabric_share", run_some_cross},
                                              {"fabric_pair", run_one_pair},
                                              {"fabric_no_states", run_no_states},
                                              {"fabric_fewer", run_fewer_folded},
                                              {"fabric_late", run_late_states},
                                              {"fabric_free_steps", run_free_steps},
                                              {"fabric_split", run_split_rows},
                                              {"fabric_twice", run_twice},
                                              {NULL, NULL}};
