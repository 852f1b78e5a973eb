/* SPDX-License-Identifier: Apache-2.0 */
/* red_split.h - a site of two places, each of which computes half of the rows of every state.
 *
 * It is no more work than to compute half of the states whole: only row hashes go from place to
 * place while the chains run. What the answers then need of the other place's words is fetched, and
 * counted.
 */
#ifndef PA_TESTS_RED_SPLIT_H
#define PA_TESTS_RED_SPLIT_H

#include "red_fabric.h"
#include "red_gemm.h"

enum { RED_PLACES = 2 };

struct red_place {
    uint32_t first_row;
    float *a, *b, *c;              /* owned; of its rows */
    uint32_t *x[RED_MOST_DEVICES]; /* owned: whole states, of which it knows its rows' words */
    bool *knows[RED_MOST_DEVICES]; /* owned: by chunk; what was fetched is not fetched again */
};

struct red_split {
    struct red_fabric *fabric;
    struct red_gemm gemm; /* of half of the rows */
    struct red_place places[RED_PLACES];
    uint64_t crossed; /* bytes, from place to place */
};

/* The class is dense16, a chunk lies in one row. */
void red_split_open(struct red_split *split, struct red_fabric *fabric);
void red_split_close(struct red_split *split);
/* Chain, state and digests of a device, half at each place; then red_fabric_digest's hashes. */
void red_split_work(struct red_split *split, uint32_t device);
/* The sums of a round: each chunk where the first of the pair has it. */
void red_split_answer(struct red_split *split, uint32_t round);

#endif
