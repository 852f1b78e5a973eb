/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_chain.c - results from elsewhere: links broken to know operands early, results of
 * another device, step or epoch, work from before the nonce, one device in two places. */
#include "red_team.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 64, OPENINGS = 100 };

static struct red_terms chain_terms(void) {
    struct red_terms terms = red_terms_small();
    terms.openings = OPENINGS;
    terms.format = red_machine_format(terms.class_id);
    return terms;
}

static void open_machine(struct red_machine *machine, const struct red_terms *terms) {
    red_machine_open(machine, terms->class_id, (struct pa_shape){terms->m, terms->n, terms->k});
}

/* h_t is a number that the site chose long ago, instead of the hash of what it computed: B of step
 * t + 2 can be generated at leisure. Openings of steps t and t + 1 show it. */
static uint64_t step_broken_link(struct red_play *play, struct red_site *site, uint32_t epoch,
                                 uint32_t device, uint32_t t, uint64_t *tiles) {
    static bool was_broken;
    struct pa_chain *chain = &site->chains[epoch][device];
    struct pa_error error = {0};
    red_step_honest(play, site, epoch, device, t, tiles);
    RED_MUST(pa_chain_append(chain, tiles, &error) == PA_OK);
    bool is_broken = red_uniform(&play->state) < play->share;
    bool is_spoiled = is_broken || (t > 1 && was_broken);
    if (is_broken)
        for (int i = 0; i < PA_HASH_BYTES; i++)
            chain->h[t - 1].bytes[i] = (uint8_t)red_random(&play->state);
    was_broken = is_broken;
    return is_spoiled ? pa_shape_tiles(chain->shape) : 0;
}

/* Share of a step that generating B takes, at the shape of a certificate: what a broken link can
 * save. */
static double generation_share(void) {
    struct red_terms terms = red_terms_certified();
    struct red_machine machine;
    struct red_play honest = {.machine = &machine, .step = red_step_honest};
    struct pa_step_costs costs = {0};
    open_machine(&machine, &terms);
    red_play_step_ns(&honest, &terms, 8, true);
    machine.device->backend->costs(machine.by_rows[terms.m / PA_TILE - 1], &costs);
    red_machine_close(&machine);
    return (double)costs.generate_ns /
           (double)(costs.generate_ns + costs.gemm_ns + costs.digest_ns);
}

static void run_broken_links(struct red_game *game) {
    struct red_terms terms = chain_terms();
    struct red_machine machine;
    struct red_row row = {.cheat = "a broken link in 1 % of the steps", .fate = RED_CAUGHT};
    open_machine(&machine, &terms);
    struct red_play play = {.machine = &machine,
                            .steps = STEPS,
                            .step = step_broken_link,
                            .share = 0.01,
                            .state = game->seed ^ 11};
    red_run_odds(game, &play, &terms, game->trials, &row);
    red_machine_close(&machine);
    if (game->is_full)
        snprintf(row.gain, sizeof row.gain, "generation of one operand in 100: %.3f %% of the time",
                 generation_share());
    else
        snprintf(row.gain, sizeof row.gain, "measured with --full");
    snprintf(row.note, sizeof row.note, "each broken link spoils two steps");
    row.share = 0.02;
    game->put(game, &row);
}

static const uint64_t *tiles_of(const struct red_site *site, uint32_t epoch, uint32_t device,
                                uint32_t t) {
    const struct pa_chain *chain = &site->chains[epoch][device];
    return chain->tiles + (size_t)(t - 1) * pa_shape_tiles(chain->shape);
}

static uint64_t reuse(const struct red_site *site, const uint64_t *from, uint64_t *tiles) {
    uint64_t count = pa_shape_tiles(red_site_shape(site));
    memcpy(tiles, from, count * sizeof *tiles);
    return count;
}

/* Device 1 shows what device 0 computed in the same step. */
static uint64_t step_other_device(struct red_play *play, struct red_site *site, uint32_t epoch,
                                  uint32_t device, uint32_t t, uint64_t *tiles) {
    if (device == 0 || red_uniform(&play->state) >= play->share)
        return red_step_honest(play, site, epoch, device, t, tiles);
    return reuse(site, tiles_of(site, epoch, 0, t), tiles);
}

static uint64_t step_before(struct red_play *play, struct red_site *site, uint32_t epoch,
                            uint32_t device, uint32_t t, uint64_t *tiles) {
    if (t == 1 || red_uniform(&play->state) >= play->share)
        return red_step_honest(play, site, epoch, device, t, tiles);
    return reuse(site, tiles_of(site, epoch, device, t - 1), tiles);
}

static uint64_t step_other_epoch(struct red_play *play, struct red_site *site, uint32_t epoch,
                                 uint32_t device, uint32_t t, uint64_t *tiles) {
    if (epoch == 0 || red_uniform(&play->state) >= play->share)
        return red_step_honest(play, site, epoch, device, t, tiles);
    return reuse(site, tiles_of(site, 0, device, t), tiles);
}

static void play_reuse(struct red_game *game, const char *name, red_step step, uint32_t devices,
                       uint32_t epochs) {
    struct red_terms terms = chain_terms();
    struct red_machine machine;
    struct red_row row = {.cheat = name, .fate = RED_CAUGHT, .share = 0.02};
    terms.devices = devices;
    terms.epochs = epochs;
    open_machine(&machine, &terms);
    struct red_play play = {.machine = &machine,
                            .steps = STEPS,
                            .step = step,
                            .share = 0.02 * devices,
                            .state = game->seed ^ devices ^ (uint64_t)epochs << 8};
    red_run_odds(game, &play, &terms, game->trials, &row);
    red_machine_close(&machine);
    snprintf(row.gain, sizeof row.gain, "2 %% of %s, for a copy of %u bytes a step",
             epochs > 1 ? "one epoch" : "the work", 4 * 8);
    game->put(game, &row);
}

static void run_reuse_devices(struct red_game *game) {
    play_reuse(game, "results of another device: 2 %", step_other_device, 2, 1);
}

static void run_reuse_steps(struct red_game *game) {
    play_reuse(game, "results of the step before: 2 %", step_before, 1, 1);
}

static void run_reuse_epochs(struct red_game *game) {
    play_reuse(game, "results of another epoch: 2 %", step_other_epoch, 1, 2);
}

/* The chain is complete before the witness is asked for a nonce. */
static void run_before_nonce(struct red_game *game) {
    struct red_terms terms = chain_terms();
    struct red_machine machine;
    struct red_row row = {
        .cheat = "all work before the nonce", .fate = RED_CAUGHT, .has_odds = true, .share = 1};
    open_machine(&machine, &terms);
    struct red_play play = {.machine = &machine, .steps = STEPS, .step = red_step_honest};
    double gain = 0;
    for (uint32_t i = 0; i < game->trials / 4; i++) {
        struct red_site site;
        RED_MUST(red_site_begin(&site, &game->lab, &terms) == PA_OK);
        site.nonce[0].bytes[0] = (uint8_t)i; /* a guess */
        uint64_t begin = pa_clock_raw_ns();
        red_play_chains(&play, &site, 0);
        uint64_t spent = pa_clock_raw_ns() - begin;
        RED_MUST(red_site_challenge(&site, 0) == PA_OK);
        RED_MUST(red_site_commit(&site, 0, site.tails[0]) == PA_OK);
        RED_MUST(red_site_reveal(&site, 0, site.tails[0]) == PA_OK);
        uint32_t failed = red_play_openings(&site, 0);
        RED_MUST(red_site_finish(&site) == PA_OK);
        red_odds_add(&row.odds, 1, failed == terms.openings);
        gain = (double)spent / 1e9 / game->lab.judged.facts.credit.seconds;
        red_site_end(&site);
    }
    red_odds_finish(&row.odds);
    red_put_verdict(game, &row);
    red_machine_close(&machine);
    row.openings = terms.openings;
    row.is_predicted = red_odds_hold(&row.odds);
    snprintf(row.gain, sizeof row.gain, "%.0f times the rate", gain);
    snprintf(row.note, sizeof row.note, "every opening fails: A itself comes from the nonce");
    game->put(game, &row);
}

/* Processor time of a session for each operation that it is credited with. */
static double ns_per_operation(struct red_game *game, struct red_machine *machine, uint32_t devices,
                               uint32_t steps) {
    struct red_terms terms = chain_terms();
    struct red_site site;
    terms.m = terms.n = 512;
    terms.k = 1024;
    terms.devices = devices;
    struct red_play play = {.machine = machine, .steps = steps, .step = red_step_honest};
    RED_MUST(red_site_begin(&site, &game->lab, &terms) == PA_OK);
    red_play_session(&play, &site);
    RED_MUST(play.failed == 0);
    red_site_end(&site);
    return (double)play.step_ns / game->lab.judged.facts.credit.operations;
}

static void run_as_two(struct red_game *game) {
    struct red_terms terms = chain_terms();
    struct red_machine machine;
    struct red_row row = {.cheat = "one device as two", .fate = RED_WORTHLESS};
    terms.m = terms.n = 512;
    terms.k = 1024;
    open_machine(&machine, &terms);
    ns_per_operation(game, &machine, 1, 4);
    double one = ns_per_operation(game, &machine, 1, 64);
    double two = ns_per_operation(game, &machine, 2, 32);
    red_machine_close(&machine);
    red_put_verdict(game, &row);
    snprintf(row.gain, sizeof row.gain, "%.2f times the rate: only the sum is credited", one / two);
    snprintf(row.note, sizeof row.note,
             "a count of devices is never called verified; one UUID twice is INVALID");
    row.is_predicted = game->lab.judged.judgement.verdict != PA_INVALID &&
                       game->lab.judged.facts.credit.operations > 0;
    game->put(game, &row);
}

const struct red_cheat red_cheats_chain[] = {{"broken_links", run_broken_links},
                                             {"reuse_devices", run_reuse_devices},
                                             {"reuse_steps", run_reuse_steps},
                                             {"reuse_epochs", run_reuse_epochs},
                                             {"before_nonce", run_before_nonce},
                                             {"as_two", run_as_two},
                                             {NULL, NULL}};
