/* SPDX-License-Identifier: Apache-2.0 */
/* red_fabric.h - the prover's side of a fabric proof, taken apart: one function for what each stage
 * needs, so that a cheat can put something else between any two of them.
 *
 *     red_fabric_open(&fabric, &site, &machine);       between two epochs
 *     red_fabric_begin(&fabric);                       the nonce
 *     red_fabric_work(&fabric, d, PA_FABRIC_STEPS);    of each device: chain and state
 *     red_fabric_digest(&fabric, d);                   what it commits to
 *     red_fabric_commit(&fabric);                      the challenge
 *     red_fabric_match, red_fabric_sum, red_fabric_seal    of each round
 *     red_fabric_answer(&fabric);                      the key
 *     failed = red_fabric_openings(&fabric);
 */
#ifndef PA_TESTS_RED_FABRIC_H
#define PA_TESTS_RED_FABRIC_H

#include "red_machine.h"

enum { RED_MOST_PAIRS = RED_MOST_DEVICES / 2 };

struct red_state {
    struct pa_chain chain;
    uint32_t *x;       /* owned */
    uint64_t *digests; /* owned: of its chunks */
};

struct red_fabric {
    struct red_site *site;
    struct red_machine *machine;
    struct pa_declared_device declared[RED_MOST_DEVICES];
    struct pa_declaration declaration;
    struct pa_fabric_run run; /* led by the bytes that the witness is told */
    struct pa_fabric_tail tails[RED_MOST_DEVICES];
    struct red_state states[RED_MOST_DEVICES];
    struct pa_hash nonce[PA_FABRIC_ROUNDS];
    uint32_t order[PA_FABRIC_ROUNDS][RED_MOST_DEVICES];
    uint64_t *sums[PA_FABRIC_ROUNDS][RED_MOST_PAIRS]; /* owned */
    struct pa_hash answers[PA_FABRIC_ROUNDS * RED_MOST_PAIRS];
};

/* All declared devices take part. */
void red_fabric_open(struct red_fabric *fabric, struct red_site *site, struct red_machine *machine);
void red_fabric_close(struct red_fabric *fabric);

void red_fabric_begin(struct red_fabric *fabric);
/* An empty chain of a device, in place of what was there. */
struct pa_chain *red_fabric_begin_chain(struct red_fabric *fabric, uint32_t device);
/* The first `steps` steps of a device, honestly; the tile digests of the others are invented, and
 * nothing is folded. */
void red_fabric_work(struct red_fabric *fabric, uint32_t device, uint32_t steps, uint64_t *state);
/* Fold all products of the chain that there is, whatever its digests say. */
void red_fabric_fold(struct red_fabric *fabric, uint32_t device);
/* End the device's chain and commit to the state that there is. */
void red_fabric_digest(struct red_fabric *fabric, uint32_t device);
/* The commitment's bytes, signed by `key`. */
void red_fabric_put_commitment(const struct red_fabric *fabric, const struct pa_key *key,
                               struct pa_buffer *out);
void red_fabric_commit(struct red_fabric *fabric);

/* Who is with whom; the round before is answered. */
void red_fabric_match(struct red_fabric *fabric, uint32_t round);
/* The sums of a pair whose second device's state is `theirs`. */
void red_fabric_sum(struct red_fabric *fabric, uint32_t round, uint32_t pair,
                    const uint32_t *theirs);
/* The answers of a round, out of the sums that there are. */
void red_fabric_seal(struct red_fabric *fabric, uint32_t round);
void red_fabric_answer(struct red_fabric *fabric);

/* The bytes that open sample j, from what the site has now. */
void red_fabric_put_opening(const struct red_fabric *fabric, uint32_t j, struct pa_buffer *out);
/* Open all samples; how many failed. */
uint32_t red_fabric_openings(struct red_fabric *fabric);
uint32_t red_fabric_settle(struct red_fabric *fabric);

#endif
