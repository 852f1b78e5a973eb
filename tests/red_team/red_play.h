/* SPDX-License-Identifier: Apache-2.0 */
/* red_play.h - a whole session of a cheat: every step its own way, everything else as it should be.
 *
 * A play says how the digests of a step come about and how many of them are false. The rest is the
 * protocol's own code (chain.h), so that nothing but the cheat can be what is caught.
 */
#ifndef PA_TESTS_RED_PLAY_H
#define PA_TESTS_RED_PLAY_H

#include "red_machine.h"
#include "red_odds.h"

struct red_play;

/* Fill the digests of step t of `device` in `epoch`, m/128 * n/128 of them; how many are false. */
typedef uint64_t (*red_step)(struct red_play *play, struct red_site *site, uint32_t epoch,
                             uint32_t device, uint32_t t, uint64_t *tiles);

struct red_play {
    struct red_machine *machine;
    uint32_t steps; /* of each device and epoch */
    red_step step;
    double share;   /* of the work that is false, where the cheat has such a number */
    uint64_t state; /* the cheat's own randomness */
    void *context;
    bool is_unaided; /* `step` uses the machine not at all */
    /* Filled in: */
    uint64_t false_tiles, all_tiles; /* of the epoch under work */
    uint64_t step_ns;                /* processor time spent in `step`, all together */
    uint64_t steps_done;
    double chance;   /* of the last session to be caught: 1 - product of (1 - f_e)^n_e */
    uint32_t failed; /* openings of the last session */
};

/* The honest way. */
uint64_t red_step_honest(struct red_play *play, struct red_site *site, uint32_t epoch,
                         uint32_t device, uint32_t t, uint64_t *tiles);

/* The chains of an epoch that is challenged, with their tails. */
void red_play_chains(struct red_play *play, struct red_site *site, uint32_t epoch);
/* Open every sample of a closed epoch from its chains, and settle it: how many failed. */
uint32_t red_play_openings(struct red_site *site, uint32_t epoch);
/* Challenge, work, commit, reveal. */
void red_play_epoch(struct red_play *play, struct red_site *site, uint32_t epoch);
/* A declared session from its first epoch to its judgement. */
void red_play_session(struct red_play *play, struct red_site *site);
/* `trials` sessions of the same terms, counted. */
void red_play_trials(struct red_play *play, struct red_lab *lab, const struct red_terms *terms,
                     uint32_t trials, struct red_odds *odds);
/* Processor time of a step at any shape, without a witness, in ns: the median of `steps` steps if
 * `is_median`, else their mean. */
double red_play_step_ns(struct red_play *play, const struct red_terms *terms, uint32_t steps,
                        bool is_median);

#endif
