/* SPDX-License-Identifier: Apache-2.0 */
/* fabric_side.h - the witness's side of a fabric proof: it draws nonce, challenge and key, each
 * only after what must come before it, and turns every stage into FABRIC records. */
#ifndef PA_WITNESS_FABRIC_SIDE_H
#define PA_WITNESS_FABRIC_SIDE_H

#include "evidence/evidence.h"
#include "proof/proof.h"

/* Zero-initialise it. */
struct pa_fabric_side {
    bool is_begun;
    struct pa_fabric_run run;
    struct pa_hash key; /* secret until the answers are in */
};

/* Carry out the prover's `stage` (NONCE: begin, COMMIT, ANSWERS, OPENING, RESULT: there is no
 * more). Records are appended to `records`; `out` gets what the prover is to know: nonce,
 * challenge, key, and for RESULT the number of openings that failed, u32 little endian. PA_EWITNESS
 * when it is refused. The session's declaration outlives the side. */
int pa_fabric_side_take(struct pa_fabric_side *side, const struct pa_declaration *declaration,
                        const struct pa_hash *session, enum pa_fabric_stage stage,
                        const void *bytes, size_t size, struct pa_buffer *records,
                        struct pa_hash *out, struct pa_error *error);
void pa_fabric_side_free(struct pa_fabric_side *side);

#endif
