/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_fabric.c - the fabric proof: states that did not cross, that were never computed, or
 * not by one device; answers and openings out of their order. */
#include "red_fabric.h"
#include "red_team.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEVICES = 4,
    STEPS = 4,
    OPENINGS = 10,
    COLUMNS = 128,
    DEPTH = 64,
    FULL_SIDE = 1024,
    FULL_DEPTH = 2048
};

struct setting {
    struct red_game *game;
    struct red_terms terms;
    struct red_machine machine;
    struct red_site site;
    struct red_fabric fabric;
    uint64_t state; /* the cheat's own randomness */
};

static void setting_open(struct setting *setting, struct red_game *game) {
    *setting = (struct setting){.game = game, .terms = red_terms_small(), .state = game->seed ^ 20};
    setting->terms.n = COLUMNS;
    setting->terms.k = DEPTH;
    setting->terms.devices = DEVICES;
    setting->terms.openings = OPENINGS;
    setting->terms.format = red_machine_format(setting->terms.class_id);
}

static void open_machine(struct setting *setting) {
    const struct red_terms *terms = &setting->terms;
    red_machine_open(&setting->machine, terms->class_id,
                     (struct pa_shape){terms->m, terms->n, terms->k});
}

/* A session with an honest epoch, and the fabric proof's nonce. */
static void session_begin(struct setting *setting) {
    struct red_play honest = {
        .machine = &setting->machine, .steps = STEPS, .step = red_step_honest};
    RED_MUST(red_site_begin(&setting->site, &setting->game->lab, &setting->terms) == PA_OK);
    red_play_epoch(&honest, &setting->site, 0);
    RED_MUST(red_play_openings(&setting->site, 0) == 0);
    red_fabric_open(&setting->fabric, &setting->site, &setting->machine);
    red_fabric_begin(&setting->fabric);
}

static void session_end(struct setting *setting) {
    if (red_site_finish(&setting->site) != PA_OK)
        red_fail(__FILE__, __LINE__, setting->site.said);
    RED_MUST(setting->game->lab.has_judged);
    red_fabric_close(&setting->fabric);
    red_site_end(&setting->site);
}

static const struct pa_fact_fabric *facts_of(const struct red_game *game) {
    return &game->lab.judged.facts.fabric;
}

/* What the certificate says of half of the devices elsewhere, in bytes a second. */
static double floor_of(const struct red_game *game) {
    const struct pa_fact_fabric *fabric = facts_of(game);
    return pa_fabric_cut(&fabric->floor, fabric->devices, 0.5, fabric->held);
}

/* The judge finds as many wrong as the witness did, and says so. */
static bool is_judged_as(const struct red_game *game, uint32_t failed) {
    const char *expected = failed > 0 ? "FABRIC_WRONG" : "FABRIC_HELD";
    const char *other = failed > 0 ? "FABRIC_HELD" : "FABRIC_WRONG";
    return facts_of(game)->failed == failed && red_finding(game, expected) != NULL &&
           red_finding(game, other) == NULL &&
           (failed == 0 || game->lab.judged.judgement.verdict != PA_PASS);
}

static void put_verdict(const struct red_game *game, struct red_row *row, const char *code) {
    snprintf(row->verdict, sizeof row->verdict, "%s, %s",
             pa_verdict_name(game->lab.judged.judgement.verdict),
             red_finding(game, code) != NULL ? code : "nothing found");
}

/* ---- what is answered and committed to ---- */

struct trick {
    const char *cheat, *gain;
    double share;         /* of the chunks of the states that do not cross */
    bool of_first_pair;   /* only of pair 0, in both rounds */
    uint32_t undone;      /* steps whose products are not folded, the last ones */
    bool is_afterthought; /* they are, once the challenge is there */
};

static void invent(uint32_t *words, size_t count, uint64_t *state) {
    for (size_t i = 0; i < count; i++)
        words[i] = (uint32_t)red_random(state);
}

/* Of a partner's state, what crosses is what it is, and the rest is invented. How many chunks are
 * false. */
static uint64_t sum_pair(struct setting *setting, const struct trick *trick, uint32_t round,
                         uint32_t pair) {
    struct red_fabric *fabric = &setting->fabric;
    size_t bytes = (size_t)fabric->run.words * sizeof(uint32_t);
    uint32_t *theirs = malloc(bytes);
    uint64_t count = 0;
    bool is_true = trick->of_first_pair && pair > 0;
    RED_MUST(theirs != NULL);
    memcpy(theirs, fabric->states[fabric->order[round][2 * pair + 1]].x, bytes);
    for (uint32_t c = 0; c < fabric->run.chunks && !is_true; c++) {
        if (red_uniform(&setting->state) >= trick->share)
            continue;
        invent(theirs + (size_t)c * PA_FABRIC_CHUNK, PA_FABRIC_CHUNK, &setting->state);
        count++;
    }
    red_fabric_sum(fabric, round, pair, theirs);
    free(theirs);
    return count;
}

static void work_all(struct setting *setting, const struct trick *trick) {
    struct red_fabric *fabric = &setting->fabric;
    for (uint32_t d = 0; d < DEVICES; d++) {
        if (trick->undone == PA_FABRIC_STEPS)
            invent(fabric->states[d].x, (size_t)fabric->run.words, &setting->state);
        red_fabric_work(fabric, d, PA_FABRIC_STEPS - trick->undone, &setting->state);
        red_fabric_digest(fabric, d);
    }
}

/* The states of the chains that were committed to, and their digests, which are others. */
static void fold_late(struct red_fabric *fabric) {
    for (uint32_t d = 0; d < DEVICES; d++) {
        struct red_state *state = &fabric->states[d];
        red_fabric_fold(fabric, d);
        pa_fabric_digests(state->digests, state->x, fabric->run.words,
                          pa_fabric_digest_key(&fabric->tails[d].tail));
    }
}

/* A whole session; the chance that it is caught. */
static double play_trick(struct setting *setting, const struct trick *trick, uint32_t *failed) {
    struct red_fabric *fabric = &setting->fabric;
    uint64_t count = 0;
    session_begin(setting);
    work_all(setting, trick);
    red_fabric_commit(fabric);
    if (trick->is_afterthought)
        fold_late(fabric);
    for (uint32_t round = 0; round < PA_FABRIC_ROUNDS; round++) {
        red_fabric_match(fabric, round);
        for (uint32_t i = 0; i < fabric->run.pairs; i++)
            count += sum_pair(setting, trick, round, i);
        red_fabric_seal(fabric, round);
    }
    red_fabric_answer(fabric);
    *failed = red_fabric_openings(fabric);
    double all = (double)PA_FABRIC_ROUNDS * fabric->run.pairs * fabric->run.chunks;
    session_end(setting);
    return red_odds_of(trick->undone > 0 ? 1 : (double)count / all, PA_FABRIC_SAMPLES);
}

/* Sessions of a row whose every session is caught. */
static uint32_t few(const struct red_game *game) {
    return game->trials < 6 ? 1 : game->trials / 6;
}

static void play_tricks(struct red_game *game, const struct trick *trick, uint32_t trials) {
    struct setting setting;
    struct red_row row = {.cheat = trick->cheat,
                          .fate = RED_CAUGHT,
                          .has_odds = true,
                          .openings = PA_FABRIC_SAMPLES,
                          .is_predicted = true};
    setting_open(&setting, game);
    setting.state ^= (uint64_t)(trick->share * 1e6) << 20;
    open_machine(&setting);
    for (uint32_t i = 0; i < trials; i++) {
        uint32_t failed = 0;
        double chance = play_trick(&setting, trick, &failed);
        row.is_predicted &= is_judged_as(game, failed);
        red_odds_add(&row.odds, chance, red_finding(game, "FABRIC_WRONG") != NULL);
        if (failed > 0 || row.verdict[0] == '\0')
            put_verdict(game, &row, failed > 0 ? "FABRIC_WRONG" : "FABRIC_HELD");
        if (failed > 0)
            snprintf(row.note, sizeof row.note, "\"%s\"", facts_of(game)->reason);
    }
    red_machine_close(&setting.machine);
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
             floor_of(game) * 1e-9, facts_of(game)->floor.twice_share,
             (double)facts_of(game)->window_ns * 1e-9);
}

static void run_honest(struct red_game *game) {
    static const struct trick honest = {.cheat = ""};
    struct setting setting;
    struct red_row row = {.cheat = "an honest fabric proof of 4 devices, for comparison",
                          .fate = RED_WORTHLESS,
                          .is_predicted = true};
    setting_open(&setting, game);
    open_machine(&setting);
    for (uint32_t i = 0; i < few(game); i++) {
        uint32_t failed = 0;
        play_trick(&setting, &honest, &failed);
        row.is_predicted &= failed == 0 && is_judged_as(game, 0) && facts_of(game)->is_whole &&
                            facts_of(game)->devices == DEVICES;
    }
    red_machine_close(&setting.machine);
    put_verdict(game, &row, "FABRIC_HELD");
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

static void run_late_states(struct red_game *game) {
    static const struct trick trick = {
        .cheat = "states computed when the challenge is known, others committed to",
        .gain = "only the pairs' states at one place",
        .undone = PA_FABRIC_STEPS,
        .is_afterthought = true};
    play_tricks(game, &trick, few(game));
}

/* ---- where states are computed ---- */

static void answer_honestly(struct red_fabric *fabric) {
    for (uint32_t round = 0; round < PA_FABRIC_ROUNDS; round++) {
        red_fabric_match(fabric, round);
        for (uint32_t i = 0; i < fabric->run.pairs; i++)
            red_fabric_sum(fabric, round, i, fabric->states[fabric->order[round][2 * i + 1]].x);
        red_fabric_seal(fabric, round);
    }
    red_fabric_answer(fabric);
}

/* Tile digests of the fabric's chain are not looked at: with invented ones all operands are known
 * at once, and steps can be computed in any order and anywhere. All of them must be. */
static void run_free_steps(struct red_game *game) {
    struct setting setting;
    struct red_fabric *fabric = &setting.fabric;
    struct red_row row = {.cheat = "digests of the chain invented: no step waits for another",
                          .fate = RED_WORTHLESS};
    setting_open(&setting, game);
    open_machine(&setting);
    session_begin(&setting);
    for (uint32_t d = 0; d < DEVICES; d++) {
        red_fabric_work(fabric, d, 0, &setting.state);
        red_fabric_fold(fabric, d);
        red_fabric_digest(fabric, d);
    }
    red_fabric_commit(fabric);
    answer_honestly(fabric);
    uint32_t failed = red_fabric_openings(fabric);
    session_end(&setting);
    red_machine_close(&setting.machine);
    put_verdict(game, &row, "FABRIC_HELD");
    snprintf(row.gain, sizeof row.gain, "none: every product is in a state");
    row.is_predicted = failed == 0 && is_judged_as(game, 0);
    game->put(game, &row);
}

/* The floor that an honest proof gets, or one of which each state is computed `times` times. */
static double floor_at(struct setting *setting, uint32_t times) {
    struct red_fabric *fabric = &setting->fabric;
    session_begin(setting);
    for (uint32_t d = 0; d < DEVICES; d++) {
        for (uint32_t i = 0; i < times; i++)
            red_fabric_work(fabric, d, PA_FABRIC_STEPS, &setting->state);
        red_fabric_digest(fabric, d);
    }
    red_fabric_commit(fabric);
    answer_honestly(fabric);
    RED_MUST(red_fabric_openings(fabric) == 0);
    session_end(setting);
    return floor_of(setting->game);
}

/* A second place that computes every state, too, needs none of them: it takes time. Only where the
 * work is most of the time does the time say so, and only on a machine that is left alone. */
static void run_twice(struct red_game *game) {
    struct setting setting;
    struct red_row row = {.cheat = "every state computed at a second place as well",
                          .fate = RED_BOUNDED};
    if (!game->is_full)
        return;
    setting_open(&setting, game);
    setting.terms.m = setting.terms.n = FULL_SIDE;
    setting.terms.k = FULL_DEPTH;
    open_machine(&setting);
    double honest = floor_at(&setting, 1), honest_twice = facts_of(game)->floor.twice_share;
    double twice = floor_at(&setting, 2);
    red_machine_close(&setting.machine);
    put_verdict(game, &row, "FABRIC_HELD");
    snprintf(row.gain, sizeof row.gain, "the exchange; at most what is printed: %.3g GB/s",
             twice * 1e-9);
    snprintf(row.note, sizeof row.note,
             "%.3g of the states possible twice; an honest prover beside it gets %.3g GB/s, %.3g "
             "of them possible twice",
             facts_of(game)->floor.twice_share, honest * 1e-9, honest_twice);
    row.is_predicted = honest > 0 && twice <= 0 && is_judged_as(game, 0);
    game->put(game, &row);
}

/* ---- what is said, and when ---- */

/* One thing that the witness must not take. */
static void expect_refusal(struct red_row *row, struct setting *setting, enum pa_fabric_stage stage,
                           const void *bytes, size_t size) {
    struct pa_hash out;
    int code = red_site_fabric(&setting->site, stage, bytes, size, &out);
    row->is_predicted = row->is_predicted && code == PA_EWITNESS;
    if (row->note[0] == '\0' || code != PA_EWITNESS)
        snprintf(row->note, sizeof row->note, "\"%.200s\"",
                 code == PA_OK ? "taken" : setting->site.said);
}

static void work_and_digest(struct setting *setting) {
    for (uint32_t d = 0; d < DEVICES; d++) {
        red_fabric_work(&setting->fabric, d, PA_FABRIC_STEPS, &setting->state);
        red_fabric_digest(&setting->fabric, d);
    }
}

/* When all that was refused is forgotten, the rest holds. */
static void finish_honestly(struct setting *setting, struct red_row *row) {
    struct red_game *game = setting->game;
    struct pa_hash nothing;
    RED_MUST(red_fabric_openings(&setting->fabric) == 0);
    expect_refusal(row, setting, PA_FABRIC_RESULT, NULL, 0);
    row->is_predicted &=
        red_site_fabric(&setting->site, PA_FABRIC_NONCE, NULL, 0, &nothing) == PA_EWITNESS;
    session_end(setting);
    red_machine_close(&setting->machine);
    put_verdict(game, row, "FABRIC_HELD");
    row->is_predicted &= is_judged_as(game, 0);
    snprintf(row->gain, sizeof row->gain, "none: it is not taken");
    game->put(game, row);
}

static void run_early_answers(struct red_game *game) {
    const struct pa_hash answers[PA_FABRIC_ROUNDS * RED_MOST_PAIRS] = {0};
    struct setting setting;
    struct red_row row = {.cheat = "answers, challenge or key before their time",
                          .fate = RED_REFUSED,
                          .is_predicted = true};
    setting_open(&setting, game);
    open_machine(&setting);
    session_begin(&setting);
    expect_refusal(&row, &setting, PA_FABRIC_ANSWERS, answers, sizeof answers);
    expect_refusal(&row, &setting, PA_FABRIC_CHALLENGE, answers, PA_HASH_BYTES);
    expect_refusal(&row, &setting, PA_FABRIC_KEY, answers, PA_HASH_BYTES);
    work_and_digest(&setting);
    red_fabric_commit(&setting.fabric);
    expect_refusal(&row, &setting, PA_FABRIC_KEY, answers, PA_HASH_BYTES);
    expect_refusal(&row, &setting, PA_FABRIC_ANSWERS, answers, PA_HASH_BYTES);
    expect_refusal(&row, &setting, PA_FABRIC_RESULT, NULL, 0);
    answer_honestly(&setting.fabric);
    finish_honestly(&setting, &row);
}

/* By another key; of fewer steps; and, the challenge being known, of other states. */
static void run_second_commitment(struct red_game *game) {
    struct setting setting;
    struct red_fabric *fabric = &setting.fabric;
    struct pa_buffer list = {0};
    struct pa_key *stranger = NULL;
    struct pa_error error = {0};
    struct red_row row = {.cheat = "a commitment by another key, a second one",
                          .fate = RED_REFUSED,
                          .is_predicted = true};
    RED_MUST(pa_key_generate(&stranger, &error) == PA_OK);
    setting_open(&setting, game);
    open_machine(&setting);
    session_begin(&setting);
    work_and_digest(&setting);
    red_fabric_put_commitment(fabric, stranger, &list);
    expect_refusal(&row, &setting, PA_FABRIC_COMMIT, list.data, list.size);
    fabric->tails[0].tail.steps--;
    pa_buffer_clear(&list);
    red_fabric_put_commitment(fabric, setting.site.key, &list);
    expect_refusal(&row, &setting, PA_FABRIC_COMMIT, list.data, list.size);
    fabric->tails[0].tail.steps++;
    red_fabric_commit(fabric);
    fabric->tails[0].fabric.bytes[0] ^= 1;
    pa_buffer_clear(&list);
    red_fabric_put_commitment(fabric, setting.site.key, &list);
    expect_refusal(&row, &setting, PA_FABRIC_COMMIT, list.data, list.size);
    fabric->tails[0].fabric.bytes[0] ^= 1;
    pa_buffer_free(&list);
    pa_key_free(stranger);
    answer_honestly(fabric);
    finish_honestly(&setting, &row);
}

/* The key shows which chunks will be opened: other answers, or openings in another order. */
static void run_answers_again(struct red_game *game) {
    struct setting setting;
    struct red_fabric *fabric = &setting.fabric;
    struct pa_buffer opening = {0};
    struct red_row row = {
        .cheat = "answers again when the key is known", .fate = RED_REFUSED, .is_predicted = true};
    setting_open(&setting, game);
    open_machine(&setting);
    session_begin(&setting);
    work_and_digest(&setting);
    red_fabric_commit(fabric);
    answer_honestly(fabric);
    fabric->answers[0].bytes[0] ^= 1;
    expect_refusal(&row, &setting, PA_FABRIC_ANSWERS, fabric->answers, sizeof fabric->answers);
    fabric->answers[0].bytes[0] ^= 1;
    red_fabric_put_opening(fabric, 1, &opening);
    expect_refusal(&row, &setting, PA_FABRIC_OPENING, opening.data, opening.size);
    pa_buffer_free(&opening);
    finish_honestly(&setting, &row);
}

/* Nothing crosses, and the key shows that it will be found. */
static void play_silence(struct red_game *game, struct red_row *row, bool is_settled) {
    struct setting setting;
    struct red_fabric *fabric = &setting.fabric;
    const char *code = is_settled ? "FABRIC_WRONG" : "FABRIC_MISSING";
    static const struct trick trick = {.share = 1};
    struct pa_buffer late = {0};
    setting_open(&setting, game);
    open_machine(&setting);
    session_begin(&setting);
    work_and_digest(&setting);
    red_fabric_commit(fabric);
    for (uint32_t round = 0; round < PA_FABRIC_ROUNDS; round++) {
        red_fabric_match(fabric, round);
        for (uint32_t i = 0; i < fabric->run.pairs; i++)
            sum_pair(&setting, &trick, round, i);
        red_fabric_seal(fabric, round);
    }
    red_fabric_answer(fabric);
    row->is_predicted = !is_settled || red_fabric_settle(fabric) == PA_FABRIC_SAMPLES;
    red_fabric_put_opening(fabric, 0, &late);
    if (is_settled)
        expect_refusal(row, &setting, PA_FABRIC_OPENING, late.data, late.size);
    pa_buffer_free(&late);
    session_end(&setting);
    red_machine_close(&setting.machine);
    put_verdict(game, row, code);
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

const struct red_cheat red_cheats_fabric[] = {{"fabric_honest", run_honest},
                                              {"fabric_nothing", run_nothing_crosses},
                                              {"fabric_share", run_some_cross},
                                              {"fabric_pair", run_one_pair},
                                              {"fabric_no_states", run_no_states},
                                              {"fabric_fewer", run_fewer_folded},
                                              {"fabric_late", run_late_states},
                                              {"fabric_free_steps", run_free_steps},
                                              {"fabric_twice", run_twice},
                                              {"fabric_early", run_early_answers},
                                              {"fabric_commitment", run_second_commitment},
                                              {"fabric_again", run_answers_again},
                                              {"fabric_withheld", run_withheld},
                                              {"fabric_broken_off", run_broken_off},
                                              {NULL, NULL}};
