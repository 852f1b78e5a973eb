/* SPDX-License-Identifier: Apache-2.0 */
/* red_team.h - the table of cheats.
 *
 * A cheat is a prover that works: it really saves time, or really lies. It is run against the
 * unmodified witness and judge, and leaves a row: what it gains while nobody notices, how often it
 * should be noticed, how often it was, and what the judge said.
 */
#ifndef PA_TESTS_RED_TEAM_H
#define PA_TESTS_RED_TEAM_H

#include "red_play.h"

enum red_fate {
    RED_CAUGHT,    /* openings find it, as often as the formula says: INVALID, or FABRIC_WRONG */
    RED_REFUSED,   /* the witness does not take it: nothing is credited */
    RED_WORTHLESS, /* taken, and it gains nothing */
    RED_BOUNDED,   /* taken, and it gains at most what the certificate prints */
    RED_SHOWN      /* a finding tells of it, or a reader's check */
};

struct red_row {
    const char *cheat;
    char gain[160]; /* measured */
    enum red_fate fate;
    bool has_odds;
    struct red_odds odds;
    double share; /* of false work; for the plot */
    uint32_t openings;
    char verdict[160];
    char note[240];    /* the bound, or the witness's sentence */
    bool is_predicted; /* it went as docs/red-team.md says */
};

struct red_game {
    struct red_lab lab;
    bool is_full;
    uint64_t seed;
    uint32_t trials; /* sessions of each statistical row */
    void (*put)(struct red_game *game, const struct red_row *row);
    bool all_predicted;
};

struct red_cheat {
    const char *name; /* for --only */
    void (*run)(struct red_game *game);
};

/* One array a family, ended by a NULL name. */
extern const struct red_cheat red_cheats_skip[], red_cheats_product[], red_cheats_chain[],
    red_cheats_digest[], red_cheats_protocol[], red_cheats_session[], red_cheats_name[],
    red_cheats_fabric[], red_cheats_stages[];

/* A row whose odds are those of `trials` sessions of `play`. Caught is what it should be. */
void red_run_odds(struct red_game *game, struct red_play *play, const struct red_terms *terms,
                  uint32_t trials, struct red_row *row);
/* The verdict of the session that was judged last, and its first finding that decides. */
void red_put_verdict(const struct red_game *game, struct red_row *row);
const struct pa_finding *red_finding(const struct red_game *game, const char *code);

#endif
