/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_protocol.c - what is sent, and when: old sessions, other sites' roots, two roots,
 * roots chosen by trial, openings that are changed, kept back or late, epochs aborted when the key
 * is known. */
#include "red_team.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 64, OPENINGS = 100, ROOTS = 32 };

struct setting {
    struct red_terms terms;
    struct red_machine machine;
    struct red_play honest;
};

static void setting_open(struct setting *setting) {
    setting->terms = red_terms_small();
    setting->terms.openings = OPENINGS;
    setting->terms.format = red_machine_format(setting->terms.class_id);
    red_machine_open(&setting->machine, setting->terms.class_id,
                     (struct pa_shape){setting->terms.m, setting->terms.n, setting->terms.k});
    setting->honest =
        (struct red_play){.machine = &setting->machine, .steps = STEPS, .step = red_step_honest};
}

static void setting_close(struct setting *setting) {
    red_machine_close(&setting->machine);
}

static struct red_row refused(const char *cheat) {
    return (struct red_row){.cheat = cheat, .fate = RED_REFUSED, .is_predicted = true};
}

/* One thing that the witness must not take. */
static void expect_refusal(struct red_row *row, const struct red_site *site, int code) {
    row->is_predicted = row->is_predicted && code == PA_EWITNESS;
    if (row->note[0] == '\0' || code != PA_EWITNESS)
        snprintf(row->note, sizeof row->note, "\"%.200s\"", code == PA_OK ? "taken" : site->said);
}

/* What remains of the session when the cheat has been refused: nothing that is credited. */
static void finish_refused(struct red_game *game, struct red_site *site, struct red_row *row) {
    RED_MUST(red_site_finish(site) == PA_OK);
    red_put_verdict(game, row);
    row->is_predicted = row->is_predicted && game->lab.judged.facts.credit.operations == 0;
    snprintf(row->gain, sizeof row->gain, "none: nothing is credited");
    red_site_end(site);
    game->put(game, row);
}

/* The epoch of an earlier session: its bytes, its root signed anew, its root made anew. */
static void run_replay(struct red_game *game) {
    struct setting setting;
    struct red_site old, fresh;
    struct red_row row = refused("an old session replayed");
    setting_open(&setting);
    RED_MUST(red_site_begin(&old, &game->lab, &setting.terms) == PA_OK);
    red_play_session(&setting.honest, &old);
    RED_MUST(setting.honest.failed == 0);
    /* Its ticket is still known, its session is at its end. */
    expect_refusal(&row, &old, red_site_challenge(&old, 1));
    RED_MUST(red_site_begin(&fresh, &game->lab, &setting.terms) == PA_OK);
    RED_MUST(red_site_challenge(&fresh, 0) == PA_OK);
    RED_MUST(red_site_commit_root(&fresh, 0, &old.root[0]) == PA_OK);
    expect_refusal(&row, &fresh, red_site_reveal(&fresh, 0, old.tails[0]));
    snprintf(row.note, sizeof row.note, "\"%.200s\"", fresh.said);
    red_site_end(&old);
    setting_close(&setting);
    finish_refused(game, &fresh, &row);
}

static void run_replay_made_anew(struct red_game *game) {
    struct setting setting;
    struct red_site old, fresh;
    struct red_row row = {.cheat = "an old session under a new root", .fate = RED_CAUGHT};
    setting_open(&setting);
    RED_MUST(red_site_begin(&old, &game->lab, &setting.terms) == PA_OK);
    red_play_session(&setting.honest, &old);
    RED_MUST(red_site_begin(&fresh, &game->lab, &setting.terms) == PA_OK);
    RED_MUST(red_site_challenge(&fresh, 0) == PA_OK);
    memcpy(fresh.tails, old.tails, sizeof fresh.tails);
    fresh.chains[0][0] = old.chains[0][0];
    old.chains[0][0] = (struct pa_chain){0};
    RED_MUST(red_site_commit(&fresh, 0, fresh.tails[0]) == PA_OK);
    RED_MUST(red_site_reveal(&fresh, 0, fresh.tails[0]) == PA_OK);
    uint32_t failed = red_play_openings(&fresh, 0);
    RED_MUST(red_site_finish(&fresh) == PA_OK);
    red_put_verdict(game, &row);
    snprintf(row.gain, sizeof row.gain, "all of the work of a session");
    snprintf(row.note, sizeof row.note, "%u of %u openings failed", failed, OPENINGS);
    row.is_predicted = failed == OPENINGS;
    red_site_end(&old);
    red_site_end(&fresh);
    setting_close(&setting);
    game->put(game, &row);
}

/* Site A is in a session of its own with this witness, and lends its root to site B. */
static void run_relay(struct red_game *game) {
    struct setting setting;
    struct red_site a, b;
    struct red_row row = refused("another site's roots relayed");
    setting_open(&setting);
    RED_MUST(red_site_begin(&a, &game->lab, &setting.terms) == PA_OK);
    RED_MUST(red_site_begin(&b, &game->lab, &setting.terms) == PA_OK);
    red_play_epoch(&setting.honest, &a, 0);
    RED_MUST(red_site_challenge(&b, 0) == PA_OK);
    /* With A's signature, over A's session. */
    struct red_site mixed = b;
    mixed.key = a.key;
    mixed.session = a.session;
    expect_refusal(&row, &mixed, red_site_commit_root(&mixed, 0, &a.root[0]));
    b.sequence = mixed.sequence;
    b.answer = mixed.answer;
    /* With B's own. */
    RED_MUST(red_site_commit_root(&b, 0, &a.root[0]) == PA_OK);
    expect_refusal(&row, &b, red_site_reveal(&b, 0, a.tails[0]));
    red_site_end(&a);
    setting_close(&setting);
    finish_refused(game, &b, &row);
}

/* Once the root is in, nothing about the epoch can change. */
static void run_second_thoughts(struct red_game *game) {
    struct setting setting;
    struct red_site site;
    struct red_row row = refused("a second root, an abort after the root");
    setting_open(&setting);
    RED_MUST(red_site_begin(&site, &game->lab, &setting.terms) == PA_OK);
    RED_MUST(red_site_challenge(&site, 0) == PA_OK);
    expect_refusal(&row, &site, red_site_challenge(&site, 1)); /* the next nonce in advance */
    red_play_chains(&setting.honest, &site, 0);
    expect_refusal(&row, &site, red_site_reveal(&site, 0, site.tails[0])); /* the key first */
    RED_MUST(red_site_commit(&site, 0, site.tails[0]) == PA_OK);
    site.tails[0][0].steps++;
    expect_refusal(&row, &site, red_site_commit(&site, 0, site.tails[0]));
    expect_refusal(&row, &site, red_site_reveal(&site, 0, site.tails[0]));
    expect_refusal(&row, &site, red_site_abort(&site, 0));
    setting_close(&setting);
    finish_refused(game, &site, &row);
}

/* Half of the work is invented; the key shows that it will be found, so the epoch shall never have
 * been. */
static void run_abort_after_key(struct red_game *game) {
    struct setting setting;
    struct red_site site;
    struct red_row row = refused("an abort after the key");
    setting_open(&setting);
    RED_MUST(red_site_begin(&site, &game->lab, &setting.terms) == PA_OK);
    red_play_epoch(&setting.honest, &site, 0);
    expect_refusal(&row, &site, red_site_abort(&site, 0));
    RED_MUST(red_site_finish(&site) == PA_OK);
    red_put_verdict(game, &row);
    row.is_predicted = row.is_predicted && red_finding(game, "OPENING_MISSING") != NULL;
    snprintf(row.gain, sizeof row.gain, "none: what is not opened has failed");
    red_site_end(&site);
    setting_close(&setting);
    game->put(game, &row);
}

static void run_endless_steps(struct red_game *game) {
    struct setting setting;
    struct red_site site;
    struct red_row row = refused("more steps than there are numbers for");
    setting_open(&setting);
    RED_MUST(red_site_begin(&site, &game->lab, &setting.terms) == PA_OK);
    RED_MUST(red_site_challenge(&site, 0) == PA_OK);
    red_play_chains(&setting.honest, &site, 0);
    site.tails[0][0].steps = UINT64_C(1) << 40;
    RED_MUST(red_site_commit(&site, 0, site.tails[0]) == PA_OK);
    int code = red_site_reveal(&site, 0, site.tails[0]);
    RED_MUST(red_site_finish(&site) == PA_OK);
    red_put_verdict(game, &row);
    row.is_predicted = code != PA_OK || game->lab.judged.judgement.verdict == PA_INVALID;
    snprintf(row.gain, sizeof row.gain, "none");
    snprintf(row.note, sizeof row.note, "%.200s",
             code != PA_OK ? site.said : game->lab.judged.facts.broken);
    red_site_end(&site);
    setting_close(&setting);
    game->put(game, &row);
}

/* The last step of the chain is invented; which are, is remembered in `context`. */
static uint64_t step_some_invented(struct red_play *play, struct red_site *site, uint32_t epoch,
                                   uint32_t device, uint32_t t, uint64_t *tiles) {
    bool *is_false = play->context;
    uint64_t count = pa_shape_tiles(red_site_shape(site));
    is_false[t] = t == play->steps;
    if (!is_false[t])
        return red_step_honest(play, site, epoch, device, t, tiles);
    for (uint64_t i = 0; i < count; i++)
        tiles[i] = red_random(&play->state);
    return count;
}

static uint32_t count_false(const struct red_site *site, const bool *is_false,
                            struct pa_sample *samples) {
    uint32_t count = 0;
    red_site_samples(site, 0, samples);
    for (uint32_t j = 0; j < site->terms.openings; j++)
        count += is_false[samples[j].step];
    return count;
}

/* Many roots are made, of which each says the same but for one invented digest, and the one is
 * taken that would be caught least under a key of the site's own: the witness's is not known. */
static void grind(struct red_play *play, struct red_site *site) {
    struct pa_sample samples[OPENINGS];
    struct pa_chain *chain = &site->chains[0][0];
    struct pa_error error = {0};
    struct pa_tail best = site->tails[0][0];
    uint32_t least = UINT32_MAX;
    uint64_t count = pa_shape_tiles(chain->shape), tiles[16], best_tiles[16] = {0};
    for (int root = 0; root < ROOTS; root++) {
        for (uint64_t i = 0; i < count; i++)
            tiles[i] = red_random(&play->state);
        chain->steps--;
        RED_MUST(pa_chain_append(chain, tiles, &error) == PA_OK);
        RED_MUST(pa_chain_tail(chain, &site->tails[0][0], &error) == PA_OK);
        pa_epoch_root(&site->root[0], &site->nonce[0], site->tails[0], 1);
        memset(site->secret[0].bytes, 0x55, PA_HASH_BYTES);
        uint32_t found = count_false(site, play->context, samples);
        if (found >= least)
            continue;
        least = found;
        best = site->tails[0][0];
        memcpy(best_tiles, tiles, count * sizeof *tiles);
    }
    chain->steps--;
    RED_MUST(pa_chain_append(chain, best_tiles, &error) == PA_OK);
    site->tails[0][0] = best;
}

/* The key is known, and the sample: compute now what was invented, and put it into the opening. */
static void open_with_afterthoughts(struct red_site *site, const bool *is_false,
                                    struct pa_tile_bench *bench, uint32_t *failed) {
    struct pa_sample samples[OPENINGS];
    struct pa_error error = {0};
    struct pa_chain *chain = &site->chains[0][0];
    struct pa_seed a_seed = pa_chain_a_seed(chain);
    red_site_samples(site, 0, samples);
    for (uint32_t j = 0; j < OPENINGS; j++) {
        struct pa_opening opening = {0};
        RED_MUST(pa_chain_open(chain, samples[j].step, samples[j].row, &opening, &error) == PA_OK);
        struct pa_seed b_seed = pa_chain_b_seed(chain, samples[j].step);
        if (is_false[samples[j].step])
            opening.tiles[samples[j].column] =
                pa_tile_digest(bench, site->terms.class_id, site->terms.k, &a_seed, &b_seed,
                               samples[j].row, samples[j].column);
        RED_MUST(red_site_open(site, 0, j, &opening) == PA_OK);
        pa_opening_free(&opening);
    }
    RED_MUST(red_site_settle(site, 0, failed) == PA_OK);
}

/* Openings of what is true; at the first that is not, the site falls silent. */
static void open_until_false(struct red_site *site, const bool *is_false, uint32_t *failed,
                             struct red_row *row) {
    struct pa_sample samples[OPENINGS];
    struct pa_error error = {0};
    uint32_t j = 0;
    red_site_samples(site, 0, samples);
    for (; j < OPENINGS && !is_false[samples[j].step]; j++) {
        struct pa_opening opening = {0};
        RED_MUST(pa_chain_open(&site->chains[0][0], samples[j].step, samples[j].row, &opening,
                               &error) == PA_OK);
        RED_MUST(red_site_open(site, 0, j, &opening) == PA_OK);
        pa_opening_free(&opening);
    }
    RED_MUST(red_site_settle(site, 0, failed) == PA_OK);
    if (j == OPENINGS)
        return;
    /* What is shown after the end counts no more. */
    struct pa_opening late = {0};
    RED_MUST(pa_chain_open(&site->chains[0][0], samples[j].step, samples[j].row, &late, &error) ==
             PA_OK);
    if (red_site_open(site, 0, j, &late) == PA_OK)
        row->is_predicted = false;
    pa_opening_free(&late);
}

enum manner { GRIND, AFTERTHOUGHT, WITHHOLD };

static void play_manner(struct red_game *game, enum manner manner, const char *name,
                        const char *note) {
    struct setting setting;
    struct red_row row = {
        .cheat = name, .fate = RED_CAUGHT, .has_odds = true, .is_predicted = true};
    static bool is_false[STEPS + 1];
    struct pa_tile_bench *bench = NULL;
    struct pa_error error = {0};
    setting_open(&setting);
    RED_MUST(pa_tile_bench_create(setting.terms.k, &bench, &error) == PA_OK);
    struct red_play play = setting.honest;
    play.step = step_some_invented;
    play.context = is_false;
    play.state = game->seed ^ (uint64_t)manner << 20;
    for (uint32_t i = 0; i < game->trials; i++) {
        struct red_site site;
        uint32_t failed = 0;
        RED_MUST(red_site_begin(&site, &game->lab, &setting.terms) == PA_OK);
        RED_MUST(red_site_challenge(&site, 0) == PA_OK);
        red_play_chains(&play, &site, 0);
        if (manner == GRIND)
            grind(&play, &site);
        RED_MUST(red_site_commit(&site, 0, site.tails[0]) == PA_OK);
        RED_MUST(red_site_reveal(&site, 0, site.tails[0]) == PA_OK);
        if (manner == GRIND)
            failed = red_play_openings(&site, 0);
        else if (manner == AFTERTHOUGHT)
            open_with_afterthoughts(&site, is_false, bench, &failed);
        else
            open_until_false(&site, is_false, &failed, &row);
        RED_MUST(red_site_finish(&site) == PA_OK);
        bool is_invalid = game->lab.judged.judgement.verdict == PA_INVALID;
        row.is_predicted &= is_invalid == (failed > 0);
        row.share = (double)play.false_tiles / (double)play.all_tiles;
        red_odds_add(&row.odds, red_odds_of(row.share, OPENINGS), is_invalid);
        if (is_invalid)
            red_put_verdict(game, &row);
        red_site_end(&site);
    }
    red_odds_finish(&row.odds);
    pa_tile_bench_destroy(bench);
    setting_close(&setting);
    row.openings = OPENINGS;
    row.share = 1.0 / STEPS;
    row.is_predicted &= red_odds_hold(&row.odds);
    snprintf(row.gain, sizeof row.gain, "none beyond one step in %d", STEPS);
    snprintf(row.note, sizeof row.note, "%s", note);
    game->put(game, &row);
}

static void run_grinding(struct red_game *game) {
    play_manner(game, GRIND, "grinding: the best of 32 roots",
                "found as often as without: the sample comes from the key, too");
}

static void run_afterthoughts(struct red_game *game) {
    play_manner(game, AFTERTHOUGHT, "openings computed when the key is known",
                "a true digest does not hash to the root any more");
}

static void run_withholding(struct red_game *game) {
    play_manner(game, WITHHOLD, "openings withheld, or shown late",
                "what does not come has failed; what comes late is refused");
}

const struct red_cheat red_cheats_protocol[] = {{"replay", run_replay},
                                                {"replay_made_anew", run_replay_made_anew},
                                                {"relay", run_relay},
                                                {"second_thoughts", run_second_thoughts},
                                                {"abort_after_key", run_abort_after_key},
                                                {"endless_steps", run_endless_steps},
                                                {"grinding", run_grinding},
                                                {"afterthoughts", run_afterthoughts},
                                                {"withholding", run_withholding},
                                                {NULL, NULL}};
