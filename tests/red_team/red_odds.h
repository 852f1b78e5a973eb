/* SPDX-License-Identifier: Apache-2.0 */
/* red_odds.h - what chance makes of detection: expected counts, and intervals of measured ones. */
#ifndef PA_TESTS_RED_ODDS_H
#define PA_TESTS_RED_ODDS_H

#include <stdbool.h>
#include <stdint.h>

/* A tail rarer than this is no chance: the test fails. */
#define RED_RARE 1e-6

enum { RED_MOST_TRIALS = 4096 };

struct red_odds {
    uint32_t trials, caught;
    double chance[RED_MOST_TRIALS]; /* of each trial to be caught, as the formula has it */
    double expected;                /* their mean */
    double lower, upper;            /* Clopper-Pearson, 95 %, of what was measured */
    double below, above;            /* P(at most `caught`), P(at least `caught`) */
};

/* 1 - (1 - share)^openings. */
double red_odds_of(double share, uint32_t openings);
void red_odds_add(struct red_odds *odds, double chance, bool was_caught);
/* Fill in the results. Trials differ in their chances, so their sum is Poisson-binomial. */
void red_odds_finish(struct red_odds *odds);
bool red_odds_hold(const struct red_odds *odds);

#endif
