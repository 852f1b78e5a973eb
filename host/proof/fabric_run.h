/* SPDX-License-Identifier: Apache-2.0 */
/* fabric_run.h - a session's fabric proof from its first byte to its last: what comes after what,
 * and whether it holds. The hub, the witness and whoever judges feed it the same bytes, which are
 * those of the FABRIC records (docs/protocol.md, "Fabric proof").
 *
 * The bytes come from strangers: lengths and order are checked before anything is kept.
 */
#ifndef PA_PROOF_FABRIC_RUN_H
#define PA_PROOF_FABRIC_RUN_H

#include "base/bytes.h"
#include "proof/declaration.h"
#include "proof/fabric_proof.h"

/* In this order; OPENING as often as there are samples, the others once. */
enum pa_fabric_stage {
    PA_FABRIC_NOTHING = 0,
    PA_FABRIC_NONCE = 1,     /* nonce (32) */
    PA_FABRIC_COMMIT = 2,    /* for each device u64 T | h (32) | m (32) | F (32); signature */
    PA_FABRIC_CHALLENGE = 3, /* challenge (32) */
    PA_FABRIC_ANSWERS = 4,   /* of each round, of each pair: answer (32) */
    PA_FABRIC_KEY = 5,       /* key (32) */
    PA_FABRIC_OPENING = 6,   /* u32 j | opening */
    PA_FABRIC_RESULT = 7,    /* u32 failed | u32 first_failed */
    PA_FABRIC_STAGES_END
};

struct pa_fabric_run {
    enum pa_fabric_stage stage;               /* what was taken last */
    const struct pa_declaration *declaration; /* borrowed */
    struct pa_hash session, nonce, root, challenge, key;
    struct pa_fabric_tail *tails; /* owned, by declared device */
    uint32_t *working;            /* owned: the devices that take part */
    uint32_t working_count, pairs, chunks;
    uint64_t words;          /* of each state */
    struct pa_hash *answers; /* owned: of each round, of each pair */
    struct pa_fabric_sample samples[PA_FABRIC_SAMPLES];
    uint32_t opened;               /* openings so far; they come in the order of j */
    uint32_t failed, first_failed; /* UINT32_MAX: none */
    uint32_t first_pair[2];        /* devices of the first */
    const char *reason;            /* what is wrong with the first; NULL: none is */
};

/* Zeros it. */
int pa_fabric_run_begin(struct pa_fabric_run *run, const struct pa_declaration *declaration,
                        const struct pa_hash *session, struct pa_error *error);
/* Take the next bytes. PA_EINPUT when they are not what comes next; an opening that is wrong is
 * counted and no error. `recheck` false leaves out the arithmetic of openings. PA_EMEMORY. */
int pa_fabric_run_take(struct pa_fabric_run *run, enum pa_fabric_stage stage, const void *bytes,
                       size_t size, bool recheck, struct pa_error *error);
void pa_fabric_run_free(struct pa_fabric_run *run);

/* s_d of the fabric's chain. */
void pa_fabric_run_start(const struct pa_fabric_run *run, uint32_t device, struct pa_hash *out);
/* Who is with whom in round `round` (those before it are answered): working_count devices, see
 * pa_fabric_match, and the round's nonce. */
void pa_fabric_run_match(const struct pa_fabric_run *run, uint32_t round, uint32_t *devices,
                         struct pa_hash *nonce);

/* Bytes of stage COMMIT but for the signature. */
void pa_fabric_put_tails(struct pa_buffer *out, const struct pa_fabric_tail *tails, uint32_t count);
/* Parts of an opening, as a device gives them: of its state (D_1 .. D_T, hashes of the blocks, the
 * digests of the block of `chunk`), and of a pair's sums (the same without the D). */
void pa_fabric_put_opened(struct pa_buffer *out, const struct pa_hash *d, uint32_t steps,
                          const uint64_t *values, uint32_t chunks, uint32_t chunk);

#endif
