/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_session.c - the session as a whole: bad epochs aborted, sessions repeated until one is
 * lucky, pauses, clocks. */
#include "red_team.h"

#include "base/base.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 32, EPOCHS = 4, CAMPAIGN = 4 };

static const uint64_t epoch_ns = UINT64_C(50000000);

static struct red_terms session_terms(void) {
    struct red_terms terms = red_terms_small();
    terms.format = red_machine_format(terms.class_id);
    terms.epoch_ns = epoch_ns;
    return terms;
}

static void open_machine(struct red_machine *machine, const struct red_terms *terms) {
    red_machine_open(machine, terms->class_id, (struct pa_shape){terms->m, terms->n, terms->k});
}

static void sleep_until(uint64_t raw_ns) {
    for (uint64_t now; (now = pa_clock_raw_ns()) < raw_ns;)
        pa_clock_sleep(raw_ns - now);
}

/* Epochs of the planned length; every other one is bad: a quarter of the work. */
static struct pa_credit run_epochs(struct red_game *game, struct red_machine *machine,
                                   bool aborts_bad) {
    struct red_terms terms = session_terms();
    struct red_site site;
    struct red_play play = {.machine = machine, .step = red_step_honest};
    terms.epochs = EPOCHS;
    RED_MUST(red_site_begin(&site, &game->lab, &terms) == PA_OK);
    for (uint32_t e = 0; e < EPOCHS; e++) {
        bool is_bad = e % 2 == 1;
        uint64_t begin = pa_clock_raw_ns();
        play.steps = is_bad ? STEPS / 4 : STEPS;
        RED_MUST(red_site_challenge(&site, e) == PA_OK);
        red_play_chains(&play, &site, e);
        sleep_until(begin + epoch_ns);
        if (is_bad && aborts_bad) {
            RED_MUST(red_site_abort(&site, e) == PA_OK);
            continue;
        }
        RED_MUST(red_site_commit(&site, e, site.tails[e]) == PA_OK);
        RED_MUST(red_site_reveal(&site, e, site.tails[e]) == PA_OK);
    }
    for (uint32_t e = 0; e < EPOCHS; e++)
        if (e % 2 == 0 || !aborts_bad)
            RED_MUST(red_play_openings(&site, e) == 0);
    RED_MUST(red_site_finish(&site) == PA_OK);
    red_site_end(&site);
    return game->lab.judged.facts.credit;
}

static void run_aborting(struct red_game *game) {
    struct red_terms terms = session_terms();
    struct red_machine machine;
    struct red_row row = {.cheat = "bad epochs aborted", .fate = RED_WORTHLESS};
    open_machine(&machine, &terms);
    struct pa_credit closed = run_epochs(game, &machine, false);
    struct pa_credit aborted = run_epochs(game, &machine, true);
    red_machine_close(&machine);
    red_put_verdict(game, &row);
    double planned_s = (double)epoch_ns * 1e-9 * EPOCHS;
    snprintf(row.gain, sizeof row.gain,
             "%.3f of the work is left, over %.3f s where %.3f were planned",
             aborted.operations / closed.operations, aborted.seconds, planned_s);
    snprintf(row.note, sizeof row.note, "their planned length counts, with no work");
    row.is_predicted = aborted.operations < closed.operations && aborted.seconds >= planned_s &&
                       red_finding(game, "ABORTED_EPOCHS") != NULL;
    game->put(game, &row);
}

static uint64_t step_some_skipped(struct red_play *play, struct red_site *site, uint32_t epoch,
                                  uint32_t device, uint32_t t, uint64_t *tiles) {
    uint64_t count = pa_shape_tiles(red_site_shape(site));
    bool is_false = t <= (uint32_t)lround(play->share * play->steps);
    if (!is_false)
        return red_step_honest(play, site, epoch, device, t, tiles);
    for (uint64_t i = 0; i < count; i++)
        tiles[i] = red_random(&play->state);
    return count;
}

/* A campaign: sessions of one claim, each with as much left out as makes its certificate overstate,
 * if only it passes. True when one did. */
static bool campaign_succeeds(struct red_game *game, struct red_play *play,
                              const struct red_terms *terms, double *chance) {
    double missed = 1;
    bool has_passed = false;
    red_lab_renew(&game->lab); /* a register of its own */
    for (uint32_t r = 1; r <= CAMPAIGN; r++) {
        struct red_site site;
        double alpha_r = terms->alpha / (r * (r + 1.0));
        play->share = fmin(1, -log(alpha_r) / terms->openings);
        play->share = ceil(play->share * play->steps) / play->steps;
        RED_MUST(red_site_begin(&site, &game->lab, terms) == PA_OK);
        RED_MUST(site.serial == r);
        red_play_session(play, &site);
        missed *= play->chance;
        /* The bound of a session that passed must be what its number says. */
        RED_MUST(fabs(game->lab.judged.facts.credit.alpha_r - alpha_r) < 1e-9);
        has_passed |= play->failed == 0;
        red_site_end(&site);
    }
    *chance = 1 - missed;
    return has_passed;
}

static void run_many_sessions(struct red_game *game) {
    struct red_terms terms = session_terms();
    struct red_machine machine;
    struct red_row row = {.cheat = "sessions repeated until one overstates and passes",
                          .fate = RED_BOUNDED};
    /* So large an error that it can be measured. */
    terms.alpha = 0.4;
    terms.openings = 20;
    open_machine(&machine, &terms);
    struct red_play play = {
        .machine = &machine, .steps = STEPS, .step = step_some_skipped, .state = game->seed ^ 77};
    struct red_odds passed = {0};
    for (uint32_t i = 0; i < game->trials; i++) {
        double chance;
        bool has_passed = campaign_succeeds(game, &play, &terms, &chance);
        red_odds_add(&passed, chance, has_passed);
    }
    red_odds_finish(&passed);
    red_machine_close(&machine);
    red_put_verdict(game, &row);
    snprintf(
        row.gain, sizeof row.gain,
        "%u of %u campaigns of %d sessions got an overstated certificate (95 %%: %.3f to %.3f)",
        passed.caught, passed.trials, CAMPAIGN, passed.lower, passed.upper);
    snprintf(row.note, sizeof row.note,
             "expected %.3f, bound alpha = %.2f: session r has alpha / (r (r + 1))",
             passed.expected, terms.alpha);
    row.is_predicted = red_odds_hold(&passed) && passed.expected <= terms.alpha;
    game->put(game, &row);
}

/* Failed sessions lower alpha_r: the same claim with a comment in it is a claim of another hash. */
static void run_comment(struct red_game *game) {
    struct red_terms terms = session_terms();
    struct red_site site;
    struct red_row row = {.cheat = "a comment in the claim, to begin to count anew",
                          .fate = RED_WORTHLESS};
    uint32_t serials[2];
    char claim[1024];
    red_lab_renew(&game->lab);
    snprintf(claim, sizeof claim, "%s# another one\n", terms.claim);
    for (int i = 0; i < 2; i++) {
        terms.claim = i == 0 ? terms.claim : claim;
        RED_MUST(red_site_begin(&site, &game->lab, &terms) == PA_OK);
        serials[i] = site.serial;
        RED_MUST(red_site_finish(&site) == PA_OK);
        red_site_end(&site);
    }
    red_put_verdict(game, &row);
    snprintf(row.gain, sizeof row.gain, "none: session %u after session %u", serials[1],
             serials[0]);
    snprintf(row.note, sizeof row.note,
             "counted by claim or by site; another claim of another site is another count");
    row.is_predicted = serials[0] == 1 && serials[1] == 2;
    game->put(game, &row);
}

/* A session with a pause after its first epoch, asked for at once and taken at length. */
static void play_pause(struct red_game *game, uint32_t pauses, uint64_t wait_ns,
                       struct red_row *row) {
    struct red_terms terms = session_terms();
    struct red_machine machine;
    struct red_site site;
    terms.epochs = pauses + 1;
    terms.longest_gap_ns = UINT64_C(100000000);
    open_machine(&machine, &terms);
    struct red_play play = {.machine = &machine, .steps = STEPS, .step = red_step_honest};
    RED_MUST(red_site_begin(&site, &game->lab, &terms) == PA_OK);
    for (uint32_t e = 0; e <= pauses; e++) {
        if (e > 0) {
            RED_MUST(red_site_interrupt(&site) == PA_OK);
            pa_clock_sleep(wait_ns);
        }
        red_play_epoch(&play, &site, e);
    }
    for (uint32_t e = 0; e <= pauses; e++)
        RED_MUST(red_play_openings(&site, e) == 0);
    RED_MUST(red_site_finish(&site) == PA_OK);
    red_put_verdict(game, row);
    snprintf(row->note, sizeof row->note, "%.200s", game->lab.judged.facts.broken);
    row->is_predicted = game->lab.judged.judgement.verdict == PA_INVALID;
    red_site_end(&site);
    red_machine_close(&machine);
    game->put(game, row);
}

static void run_long_pause(struct red_game *game) {
    struct red_row row = {.cheat = "a pause asked for at once and taken at length",
                          .fate = RED_CAUGHT};
    snprintf(row.gain, sizeof row.gain, "time that is not counted, as long as one likes");
    play_pause(game, 1, UINT64_C(300000000), &row);
}

static void run_many_pauses(struct red_game *game) {
    struct red_row row = {.cheat = "more pauses than declared", .fate = RED_CAUGHT};
    snprintf(row.gain, sizeof row.gain, "time that is not counted, between all epochs");
    play_pause(game, 2, 1000000, &row);
}

/* What the site says of time, in notes that only the witness may write and in dates of readings;
 * its own clocks are read by nobody. The judge's time must lie between two of this program's. */
static void run_clock_games(struct red_game *game) {
    static const char *const notes[] = {
        "{\"kind\":\"interruption\",\"gap_ns\":899000000000,\"reason\":\"x\"}",
        "{\"kind\":\"suspend\",\"ns\":1000000000}",
        "{\"kind\":\"boottime\",\"t0_ns\":1,\"t1_ns\":2}",
        "{\"kind\":\"witness\",\"boot_id\":\"0\"}",
        "{\"kind\":\"abort\",\"reason\":\"x\"}",
        "{\"\\u006bind\":\"\\u0061bort\",\"reason\":\"x\"}"};
    struct red_terms terms = session_terms();
    struct red_machine machine;
    struct red_site site;
    struct red_row row = {
        .cheat = "clock games at the prover", .fate = RED_REFUSED, .is_predicted = true};
    open_machine(&machine, &terms);
    struct red_play play = {.machine = &machine, .steps = STEPS, .step = red_step_honest};
    RED_MUST(red_site_begin(&site, &game->lab, &terms) == PA_OK);
    uint64_t before = pa_clock_raw_ns();
    RED_MUST(red_site_challenge(&site, 0) == PA_OK);
    uint64_t began = pa_clock_raw_ns();
    red_play_chains(&play, &site, 0);
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        row.is_predicted &= red_site_note(&site, notes[i]) == PA_EWITNESS;
        snprintf(row.note, sizeof row.note, "\"%.200s\"", site.said);
    }
    /* A reading from the future. */
    struct pa_buffer body = {0};
    const struct pa_power_sample sample = {{began + 1000000000, 1}, 1000, PA_ENERGY_UNKNOWN};
    pa_record_put_power(&body, (struct pa_instant){began, 1}, 0, &sample, 1);
    row.is_predicted &= red_site_send(&site, PA_WITNESS_POWER, body.data, body.size) != PA_OK;
    pa_buffer_free(&body);
    uint64_t ended = pa_clock_raw_ns();
    RED_MUST(red_site_commit(&site, 0, site.tails[0]) == PA_OK);
    uint64_t after = pa_clock_raw_ns();
    RED_MUST(red_site_reveal(&site, 0, site.tails[0]) == PA_OK);
    RED_MUST(red_play_openings(&site, 0) == 0 && red_site_finish(&site) == PA_OK);
    double seconds = game->lab.judged.facts.credit.seconds;
    row.is_predicted &= seconds >= (double)(ended - began) / 1e9;
    row.is_predicted &= seconds <= (double)(after - before) / 1e9;
    red_put_verdict(game, &row);
    snprintf(row.gain, sizeof row.gain, "none: t0 and t1 are the witness's");
    red_site_end(&site);
    red_machine_close(&machine);
    game->put(game, &row);
}

const struct red_cheat red_cheats_session[] = {{"aborting", run_aborting},
                                               {"many_sessions", run_many_sessions},
                                               {"comment", run_comment},
                                               {"long_pause", run_long_pause},
                                               {"many_pauses", run_many_pauses},
                                               {"clock_games", run_clock_games},
                                               {NULL, NULL}};
