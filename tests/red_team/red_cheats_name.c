/* SPDX-License-Identifier: Apache-2.0 */
/* red_cheats_name.c - what a site says of itself: names of devices, one device under two names, a
 * name with a smaller bound. Names are claims; what a lie about them can gain is a finding, or the
 * bound that the certificate prints. (Memory that is not there: tests/emulated_gpu, faults of the
 * emulated driver.) */
#include "red_team.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 16 };

/* An honest session of devices that are called something else. */
static void play_names(struct red_game *game, const struct red_terms *terms, struct red_row *row) {
    struct red_machine machine;
    struct red_site site;
    red_machine_open(&machine, terms->class_id, (struct pa_shape){terms->m, terms->n, terms->k});
    struct red_play play = {.machine = &machine, .steps = STEPS, .step = red_step_honest};
    RED_MUST(red_site_begin(&site, &game->lab, terms) == PA_OK);
    red_play_session(&play, &site);
    RED_MUST(play.failed == 0);
    red_put_verdict(game, row);
    red_site_end(&site);
    red_machine_close(&machine);
}

static void run_lying_name(struct red_game *game) {
    struct red_terms terms = red_terms_small();
    struct red_row row = {.cheat = "a processor under the name of an H100", .fate = RED_SHOWN};
    terms.model = "NVIDIA H100 80GB HBM3";
    terms.backend = "cuda";
    terms.format = "fp16";
    play_names(game, &terms, &row);
    const struct pa_finding *slow = red_finding(game, "RATE_FAR_BELOW_PEAK");
    snprintf(row.gain, sizeof row.gain, "a name; the rate credited is the one that was proven");
    snprintf(row.note, sizeof row.note, "%.230s", slow != NULL ? slow->text : "no finding");
    row.is_predicted = slow != NULL;
    game->put(game, &row);
}

static void run_same_device(struct red_game *game) {
    struct red_terms terms = red_terms_small();
    struct red_row row = {.cheat = "one device as two, by its own name", .fate = RED_CAUGHT};
    terms.devices = 2;
    terms.second_id = "cpu:0/0";
    play_names(game, &terms, &row);
    snprintf(row.gain, sizeof row.gain, "a count of two");
    row.is_predicted = game->lab.judged.judgement.verdict == PA_INVALID &&
                       red_finding(game, "DUPLICATE_DEVICE") != NULL;
    if (red_finding(game, "DUPLICATE_DEVICE") != NULL)
        snprintf(row.note, sizeof row.note, "%.230s", red_finding(game, "DUPLICATE_DEVICE")->text);
    game->put(game, &row);
}

/* Two models with different bounds in one session: the certificate must print the larger one. */
static void run_largest_bound(struct red_game *game) {
    struct red_terms terms = red_terms_small();
    struct red_row row = {.cheat = "a model with a small bound beside one with a large bound",
                          .fate = RED_BOUNDED};
    terms.devices = 2;
    terms.model = "NVIDIA H100 80GB HBM3";
    terms.second_model = "A card of no catalogue";
    terms.backend = "cuda";
    terms.format = "fp16";
    play_names(game, &terms, &row);
    double small = pa_substitution_bound(terms.class_id, "cuda", terms.model, "fp16", NULL);
    double large = pa_substitution_bound(terms.class_id, "cuda", terms.second_model, "fp16", NULL);
    double printed = game->lab.judged.judgement.substitution_bound;
    snprintf(row.gain, sizeof row.gain, "at most what is printed");
    snprintf(row.note, sizeof row.note, "bounds %.2f and %.2f, printed %.2f", small, large,
             printed);
    row.is_predicted = small < large && fabs(printed - large) < 1e-9;
    game->put(game, &row);
}

const struct red_cheat red_cheats_name[] = {{"lying_name", run_lying_name},
                                            {"same_device", run_same_device},
                                            {"largest_bound", run_largest_bound},
                                            {NULL, NULL}};
