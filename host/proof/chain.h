/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h - one device's chain in one epoch, as the prover keeps it (docs/protocol.md 2 and 3).
 *
 * Step t multiplies A by B_t, whose seed comes from h_(t-2): while the device still works on step
 * t-1, step t can already be generated. The loop of a prover is
 *
 *     pa_chain_begin(&chain, &s_d, shape);
 *     enqueue steps 1 and 2 with pa_chain_b_seed(&chain, 1), pa_chain_b_seed(&chain, 2);
 *     for (t = 1; there is time; t++) {
 *         wait for the tile digests of step t;
 *         pa_chain_append(&chain, tiles);               // h_t is known from here on
 *         enqueue step t + 2 with pa_chain_b_seed(&chain, t + 2);
 *     }
 *     pa_chain_tail(&chain, &tail, &error);             // T_d, h_(T_d), m_d for the commitment
 *
 * Steps that were enqueued and never appended are simply forgotten. Memory: 8 bytes a tile and 64
 * bytes a step.
 */
#ifndef PA_PROOF_CHAIN_H
#define PA_PROOF_CHAIN_H

#include "base/error.h"
#include "proof/hash.h"
#include "proof/work_class.h"

struct pa_opening;

enum { PA_LAG = 2 };

/* What the list says of one device: 72 bytes on the wire. */
struct pa_tail {
    uint64_t steps;      /* T_d */
    struct pa_hash last; /* h_(T_d); s_d when T_d = 0 */
    struct pa_hash tree; /* m_d; zeros when T_d = 0 */
};

struct pa_chain {
    struct pa_shape shape;
    struct pa_hash start;   /* s_d = h_0 = h_-1 */
    uint32_t steps;         /* appended so far */
    uint32_t capacity;      /* steps that memory is there for */
    struct pa_hash *h;      /* h[t-1] is h_t */
    struct pa_hash *digest; /* digest[t-1] is D_t */
    uint64_t *tiles;        /* step after step, row-major */
    struct pa_hash *rows;   /* working memory: the row hashes of one step */
};

/* The hashes that prover and witness share. R_i, for the digests of one tile row: */
void pa_step_row(struct pa_hash *out, const uint64_t *tiles, uint32_t count);
/* D_t = H("step", R_0 | R_1 | ..) */
void pa_step_digest(struct pa_hash *out, const struct pa_hash *rows, uint32_t count);
/* h_t = H("chain", h_(t-1) | u32 t | D_t) */
void pa_step_link(struct pa_hash *out, const struct pa_hash *previous, uint32_t t,
                  const struct pa_hash *digest);
/* H("A", s_d), and H("B", h_(t-2) | u32 t) */
void pa_step_a_hash(struct pa_hash *out, const struct pa_hash *start);
void pa_step_b_hash(struct pa_hash *out, const struct pa_hash *h, uint32_t t);

/* `capacity` steps are allocated at once, so that appending them later allocates nothing; more are
 * possible. */
int pa_chain_begin(struct pa_chain *chain, const struct pa_hash *start, struct pa_shape shape,
                   uint32_t capacity, struct pa_error *error);
/* The seed of A, and of B_t for 1 <= t <= steps + 2. Its `s` keys the tile digests of step t. */
struct pa_seed pa_chain_a_seed(const struct pa_chain *chain);
struct pa_seed pa_chain_b_seed(const struct pa_chain *chain, uint32_t t);
/* The tile digests of the next step, m/128 * n/128 of them, row-major; they are copied. PA_EMEMORY,
 * or PA_EINTERNAL after PA_MOST_STEPS steps; the chain is unchanged then. */
int pa_chain_append(struct pa_chain *chain, const uint64_t *tiles, struct pa_error *error);
/* T_d, h_(T_d) and m_d of the steps so far. */
int pa_chain_tail(const struct pa_chain *chain, struct pa_tail *out, struct pa_error *error);
/* Open tile row `row` of step t. The opening owns memory: pa_opening_free. */
int pa_chain_open(const struct pa_chain *chain, uint32_t t, uint32_t row, struct pa_opening *out,
                  struct pa_error *error);
void pa_chain_free(struct pa_chain *chain);

#endif
