/* SPDX-License-Identifier: Apache-2.0 */
/* opening.h - what a prover shows of one sampled tile, and how a witness checks it
 * (docs/protocol.md 3, "check"). */
#ifndef PA_PROOF_OPENING_H
#define PA_PROOF_OPENING_H

#include "base/bytes.h"
#include "proof/epoch.h"
#include "proof/tree.h"

enum { PA_OPENED_STEPS = 3 };

struct pa_opened_step {
    struct pa_hash h;
    struct pa_hash digest; /* D_t */
    uint32_t path_length;
    struct pa_hash path[PA_MOST_PATH];
};

/* Steps t-2, t-1, t, those that are >= 1, oldest first; then R_0 .. R_(M/128-1), then the digests
 * of the tile row. */
struct pa_opening {
    uint32_t step_count; /* min(t, 3) */
    struct pa_opened_step steps[PA_OPENED_STEPS];
    uint32_t row_count;
    struct pa_hash *rows;
    uint32_t tile_count;
    uint64_t *tiles;
};

/* The bytes have no lengths inside: every size follows from the declaration, T_d and t, which the
 * reader knows. */
void pa_opening_write(const struct pa_opening *opening, struct pa_buffer *out);
/* Read the opening of `sample`; wants exactly the bytes that its device's shape and T_d imply
 * (PA_EINPUT). */
int pa_opening_read(struct pa_opening *out, struct pa_reader *reader,
                    const struct pa_sample *sample, struct pa_shape shape, uint64_t steps,
                    struct pa_error *error);
void pa_opening_free(struct pa_opening *opening);

/* Everything but the arithmetic: paths, links, ends, rows. `start` is s_d as the witness computed
 * it. On success `b_seed` is the seed of the step's B (its s keys the digest) and `claimed` the
 * digest claimed for the tile. PA_EINVALID with the first thing that does not hold. */
int pa_opening_check(const struct pa_opening *opening, const struct pa_sample *sample,
                     struct pa_shape shape, const struct pa_hash *start, const struct pa_tail *tail,
                     struct pa_seed *b_seed, uint64_t *claimed, struct pa_error *error);

#endif
