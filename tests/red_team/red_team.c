/* SPDX-License-Identifier: Apache-2.0 */
/* red_team [--full] [--trials N] [--seed S] [--only NAME]... - run the cheats; a JSON object a row
 * on stdout.
 *
 * Without --full: as many sessions as fit into a minute, with the system's random numbers fixed by
 * the seed, so that CI sees the same in each run. With it: 400 sessions a row (or N), real
 * randomness, and gains at the shape of a certificate. Ends with 1 when a row is not as predicted.
 */
#include "red_team.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FULL_TRIALS = 400, QUICK_TRIALS = 12, MOST_ONLY = 64 };

static const struct red_cheat *const families[] = {
    red_cheats_skip,   red_cheats_product,  red_cheats_chain,
    red_cheats_digest, red_cheats_protocol, red_cheats_session,
    red_cheats_name,   red_cheats_fabric,   red_cheats_stages};

static const char *const fates[] = {"caught", "refused", "worthless", "bounded", "shown"};

static void print_row(struct red_game *game, const struct red_row *row) {
    json_t *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "cheat", row->cheat, "gain",
                            row->gain, "fate", fates[row->fate], "verdict", row->verdict, "note",
                            row->note, "is_predicted", row->is_predicted);
    if (row->has_odds) {
        const struct red_odds *odds = &row->odds;
        json_object_set_new(out, "odds",
                            json_pack("{s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:i}", "trials",
                                      (int)odds->trials, "caught", (int)odds->caught, "expected",
                                      odds->expected, "lower", odds->lower, "upper", odds->upper,
                                      "below", odds->below, "above", odds->above, "share",
                                      row->share, "openings", (int)row->openings));
    }
    char *text = json_dumps(out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    RED_MUST(text != NULL);
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(out);
    if (!row->is_predicted) {
        game->all_predicted = false;
        fprintf(stderr, "red_team: %s: not as predicted: %s; %s\n", row->cheat, row->verdict,
                row->note);
    }
}

const struct pa_finding *red_finding(const struct red_game *game, const char *code) {
    const struct pa_judgement *judgement = &game->lab.judged.judgement;
    for (uint32_t i = 0; game->lab.has_judged && i < judgement->finding_count; i++)
        if (strcmp(judgement->findings[i].code, code) == 0)
            return &judgement->findings[i];
    return NULL;
}

/* The finding that makes the verdict what it is, or else the gravest. */
static const char *first_code(const struct red_game *game) {
    static const char *const invalid[] = {"OPENING_FAILED", "OPENING_MISSING", "BROKEN_EVIDENCE",
                                          "DUPLICATE_DEVICE"};
    const struct pa_judgement *judgement = &game->lab.judged.judgement;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        if (judgement->verdict == PA_INVALID && red_finding(game, invalid[i]) != NULL)
            return invalid[i];
    return judgement->finding_count > 0 ? judgement->findings[0].code : "nothing found";
}

void red_put_verdict(const struct red_game *game, struct red_row *row) {
    RED_MUST(game->lab.has_judged);
    snprintf(row->verdict, sizeof row->verdict, "%s, %.100s",
             pa_verdict_name(game->lab.judged.judgement.verdict), first_code(game));
}

void red_run_odds(struct red_game *game, struct red_play *play, const struct red_terms *terms,
                  uint32_t trials, struct red_row *row) {
    red_play_trials(play, &game->lab, terms, trials, &row->odds);
    row->has_odds = true;
    row->openings = terms->openings * terms->epochs;
    row->is_predicted = red_odds_hold(&row->odds);
    if (row->odds.caught > 0)
        snprintf(row->verdict, sizeof row->verdict, "INVALID, OPENING_FAILED, where it was caught");
    else
        red_put_verdict(game, row);
}

static bool is_wanted(const char *name, const char *const *only, int count) {
    bool wanted = count == 0;
    for (int i = 0; i < count; i++)
        wanted |= strcmp(only[i], name) == 0;
    return wanted;
}

int main(int argc, char **argv) {
    struct red_game game = {.seed = 1, .put = print_row, .all_predicted = true};
    const char *only[MOST_ONLY];
    int wanted = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--full") == 0)
            game.is_full = true;
        else if (strcmp(argv[i], "--trials") == 0 && i + 1 < argc)
            game.trials = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            game.seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc && wanted < MOST_ONLY)
            only[wanted++] = argv[++i];
        else
            return fprintf(stderr,
                           "usage: red_team [--full] [--trials N] [--seed S] [--only NAME]...\n"),
                   64;
    }
    if (game.trials == 0)
        game.trials = game.is_full ? FULL_TRIALS : QUICK_TRIALS;
    if (game.trials > RED_MOST_TRIALS)
        return fprintf(stderr, "red_team: at most %d trials\n", RED_MOST_TRIALS), 64;
    if (!game.is_full)
        red_lab_fix_randomness(game.seed);
    red_lab_open(&game.lab);
    int count = 0;
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++)
        for (const struct red_cheat *cheat = families[f]; cheat->name != NULL; cheat++)
            if (is_wanted(cheat->name, only, wanted)) {
                cheat->run(&game);
                count++;
            }
    red_lab_close(&game.lab);
    if (count == 0)
        return fprintf(stderr, "red_team: no cheat has that name\n"), 64;
    return game.all_predicted ? 0 : 1;
}
