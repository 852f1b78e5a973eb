/* SPDX-License-Identifier: Apache-2.0 */
/* memory_proof.h - what a device's memory must hold after a fill, and what is checked of it
 * (docs/protocol.md, "Memory proof").
 *
 *     seed     fills n chunks of 1 MiB, from the nonce; then, and not before, the challenge
 *     q        from the challenge: the order in which chunks are read back, and the digests' key
 *     answers  the digests in that order; the device commits to them; then, and not before, the key
 *     samples  from the key and the commitment: which answers are computed again
 *
 * A prover who computes chunks again from the seed in place of keeping them is not caught: a device
 * does that about as fast as it reads them.
 */
#ifndef PA_PROOF_MEMORY_PROOF_H
#define PA_PROOF_MEMORY_PROOF_H

#include "base/error.h"
#include "proof/hash.h"

#define PA_MEMORY_PROOF_CHUNK_BYTES (UINT64_C(1) << 20)
/* 16 TiB, more than any device has: the answers of one device then fit a message. */
enum { PA_MEMORY_MOST_CHUNKS = 1 << 24, PA_MEMORY_SAMPLES = 256 };

/* Which memory is meant: device `device` of the session that filled `chunks` chunks. */
struct pa_memory_place {
    struct pa_hash nonce;
    uint64_t device;
    uint32_t chunks; /* 1 .. PA_MEMORY_MOST_CHUNKS */
};

struct pa_seed pa_memory_seed(const struct pa_memory_place *place);
/* H("memory order", challenge | nonce | u64 d | u32 n) */
void pa_memory_q(struct pa_hash *q, const struct pa_memory_place *place,
                 const struct pa_hash *challenge);
/* The key of the digests. */
uint32_t pa_memory_s(const struct pa_hash *q);
/* The permutation of 0 .. chunks-1 in which chunks are read. */
void pa_memory_order(uint32_t *order, uint32_t chunks, const struct pa_hash *q);
/* H("memory root", q | u32 n | answers) */
void pa_memory_commitment(struct pa_hash *out, const struct pa_hash *q, const uint64_t *answers,
                          uint32_t chunks);
/* Draw j = 0 .. count-1: which answers are checked. Where chunks are no more than
 * PA_MEMORY_SAMPLES all are, without a draw. */
void pa_memory_samples(uint32_t *out, uint32_t count, uint32_t chunks, const struct pa_hash *key,
                       const struct pa_hash *commitment);

/* The digest that chunk `chunk` must have. */
uint64_t pa_memory_digest_of(const struct pa_seed *seed, uint32_t chunk, uint32_t s);

/* What a check found. */
struct pa_memory_check {
    uint32_t samples, wrong;
    uint32_t first_wrong; /* the chunk; of no meaning when none is */
};

/* Check the samples of `answers` against the seed. PA_EMEMORY. */
int pa_memory_verify(const struct pa_memory_place *place, const struct pa_hash *challenge,
                     const struct pa_hash *key, const uint64_t *answers,
                     struct pa_memory_check *out, struct pa_error *error);

#endif
