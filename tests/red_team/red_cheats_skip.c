/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_skip.c - less work than is told: tiles and steps left out, half of K, no operands,
 * steps that never were. */
#include "red_team.h"

#include "kernels/digest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Steps of a statistical session: 1,024 tiles, so that a share of 0.1 % exists. */
enum { STEPS = 256, FEWER_STEPS = 64, OPENINGS = 100, TIMED_STEPS = 20 };

static const double shares[] = {0.001, 0.003, 0.01, 0.03, 0.1, 0.5};

static void invent(struct red_play *play, uint64_t *tiles, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        tiles[i] = red_random(&play->state);
}

/* Leave out the last tile rows of a step: as many as keep the mean at the share. */
static uint64_t step_fewer_rows(struct red_play *play, struct red_site *site, uint32_t epoch,
                                uint32_t device, uint32_t t, uint64_t *tiles) {
    struct pa_seed b_seed = pa_chain_b_seed(&site->chains[epoch][device], t);
    uint32_t rows = site->terms.m / PA_TILE, columns = site->terms.n / PA_TILE;
    double wanted = play->share * rows;
    uint32_t most = (uint32_t)wanted + 1;
    if (t == 1)
        for (uint32_t fewer = (uint32_t)wanted; fewer <= most; fewer++)
            red_machine_prepare(play->machine, rows - fewer);
    uint32_t skipped = (uint32_t)(wanted + red_uniform(&play->state));
    red_machine_rows(play->machine, &b_seed, rows - skipped, tiles);
    invent(play, tiles + (size_t)(rows - skipped) * columns, (uint64_t)skipped * columns);
    return (uint64_t)skipped * columns;
}

static uint64_t step_skipped(struct red_play *play, struct red_site *site, uint32_t epoch,
                             uint32_t device, uint32_t t, uint64_t *tiles) {
    uint64_t count = pa_shape_tiles(red_site_shape(site));
    if (red_uniform(&play->state) >= play->share)
        return red_step_honest(play, site, epoch, device, t, tiles);
    invent(play, tiles, count);
    return count;
}

/* The steps past (1 - share) of the chain never were: T_d is a lie. */
static uint64_t step_never_was(struct red_play *play, struct red_site *site, uint32_t epoch,
                               uint32_t device, uint32_t t, uint64_t *tiles) {
    uint64_t count = pa_shape_tiles(red_site_shape(site));
    if (t <= (uint32_t)lround((1 - play->share) * play->steps))
        return red_step_honest(play, site, epoch, device, t, tiles);
    invent(play, tiles, count);
    return count;
}

static uint64_t step_half_depth(struct red_play *play, struct red_site *site, uint32_t epoch,
                                uint32_t device, uint32_t t, uint64_t *tiles) {
    struct pa_seed b_seed = pa_chain_b_seed(&site->chains[epoch][device], t);
    red_machine_half_depth(play->machine, &b_seed, tiles);
    return pa_shape_tiles(red_site_shape(site));
}

/* B is zero, so C is, and all tiles of a step have one digest. */
static uint64_t step_of_zeros(struct red_play *play, struct red_site *site, uint32_t epoch,
                              uint32_t device, uint32_t t, uint64_t *tiles) {
    static const float zeros[PA_TILE * PA_TILE];
    uint64_t count = pa_shape_tiles(red_site_shape(site));
    struct pa_seed b_seed = pa_chain_b_seed(&site->chains[epoch][device], t);
    (void)play;
    tiles[0] = pa_digest_tile_f32(zeros, PA_TILE, b_seed.s);
    for (uint64_t i = 1; i < count; i++)
        tiles[i] = tiles[0];
    return count;
}

/* Time of an honest step over time of the cheat's, at the shape of a certificate; the honest one is
 * measured once. */
static double measure_gain(const struct red_play *play) {
    static double honest_ns;
    struct red_terms terms = red_terms_certified();
    struct red_machine machine;
    struct red_play cheat = *play, honest = {.machine = &machine, .step = red_step_honest};
    red_machine_open(&machine, terms.class_id, (struct pa_shape){terms.m, terms.n, terms.k});
    if (honest_ns <= 0)
        honest_ns = red_play_step_ns(&honest, &terms, TIMED_STEPS, false);
    cheat.machine = &machine;
    cheat.steps = TIMED_STEPS;
    double cheat_ns = red_play_step_ns(&cheat, &terms, TIMED_STEPS, false);
    red_machine_close(&machine);
    return honest_ns / cheat_ns;
}

static void play_one(struct red_game *game, const char *name, red_step step, double share,
                     uint32_t trials) {
    struct red_terms terms = red_terms_small();
    struct red_machine machine;
    struct red_row row = {.cheat = name, .fate = RED_CAUGHT};
    terms.openings = OPENINGS;
    terms.format = red_machine_format(terms.class_id);
    red_machine_open(&machine, terms.class_id, (struct pa_shape){terms.m, terms.n, terms.k});
    struct red_play play = {.machine = &machine,
                            .steps = share < 0.01 ? STEPS : FEWER_STEPS,
                            .step = step,
                            .share = share,
                            .state = game->seed ^ (uint64_t)(share * 1e9)};
    red_run_odds(game, &play, &terms, trials, &row);
    red_machine_close(&machine);
    row.share = share;
    if (game->is_full && share >= 0.1)
        snprintf(row.gain, sizeof row.gain, "%.3g times the rate", measure_gain(&play));
    else if (share < 0.1)
        snprintf(row.gain, sizeof row.gain, "%.1f %% of the work, too little to be timed",
                 100 * share);
    else
        snprintf(row.gain, sizeof row.gain, "measured with --full");
    if (share == 0) {
        row.fate = RED_WORTHLESS;
        row.is_predicted = row.odds.caught == 0;
        snprintf(row.gain, sizeof row.gain, "none: it is honest");
    }
    game->put(game, &row);
}

static void play_shares(struct red_game *game, const char *what, red_step step) {
    char name[80];
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        bool is_between = shares[i] == 0.003 || shares[i] == 0.03;
        if (is_between && !game->is_full)
            continue; /* for the plot */
        snprintf(name, sizeof name, "%s: %.1f %%", what, 100 * shares[i]);
        play_one(game, name, step, shares[i], game->trials);
    }
}

static void run_honest(struct red_game *game) {
    play_one(game, "an honest prover, for comparison", red_step_honest, 0, game->trials);
}

static void run_tiles(struct red_game *game) {
    play_shares(game, "tiles left out", step_fewer_rows);
}

static void run_steps(struct red_game *game) {
    play_shares(game, "steps left out", step_skipped);
}

static void run_more_steps(struct red_game *game) {
    play_shares(game, "a patched petaudit tells of more steps", step_never_was);
}

static void run_half_depth(struct red_game *game) {
    play_one(game, "half of K", step_half_depth, 1, game->trials / 4);
}

static void run_zeros(struct red_game *game) {
    play_one(game, "operands of zeros", step_of_zeros, 1, game->trials / 4);
}

const struct red_cheat red_cheats_skip[] = {{"honest", run_honest},
                                            {"tiles", run_tiles},
                                            {"steps", run_steps},
                                            {"more_steps", run_more_steps},
                                            {"half_depth", run_half_depth},
                                            {"zeros", run_zeros},
                                            {NULL, NULL}};
