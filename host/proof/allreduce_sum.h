/* SPDX-License-Identifier: Apache-2.0 */
/* allreduce_sum.h - what an all-reduce must give, chunk by chunk, from the seed alone
 * (docs/protocol.md, "All-reduce").
 *
 * The input of rank r is vector v = r of 8-bit integers under one seed, as int32 words; the result
 * is their sum over the ranks, exact for up to 2^24 of them. Results are compared by the digests of
 * their chunks of 16,384 words. This proves the result, not the traffic.
 */
#ifndef PA_PROOF_ALLREDUCE_SUM_H
#define PA_PROOF_ALLREDUCE_SUM_H

#include "base/error.h"
#include "proof/hash.h"

enum { PA_ALLREDUCE_CHUNK_WORDS = 16384, PA_ALLREDUCE_MOST_RANKS = 1 << 20 };
#define PA_ALLREDUCE_MOST_BYTES (UINT64_C(1) << 36)

/* A whole number of int32 words, at least one, and at most PA_ALLREDUCE_MOST_BYTES. */
bool pa_allreduce_size_is_sound(uint64_t bytes);
/* How many chunks that is; the last may be shorter. Sound sizes only. */
uint64_t pa_allreduce_chunks(uint64_t bytes);

/* seed of H("allreduce", nonce | u64 bytes | u32 round) */
struct pa_seed pa_allreduce_seed(const struct pa_hash *nonce, uint64_t bytes, uint32_t round);

/* The digest that chunk `chunk` of the sum over `ranks` ranks must have. */
uint64_t pa_allreduce_chunk_digest(const struct pa_seed *seed, uint32_t ranks, uint64_t bytes,
                                   uint64_t chunk);

/* H("reduce root", nonce | u64 bytes | u32 round | u32 ranks | chunk digests, u64 each) */
void pa_allreduce_commitment(struct pa_hash *out, const struct pa_hash *nonce, uint64_t bytes,
                             uint32_t round, uint32_t ranks, const uint64_t *chunks);
/* The chunks to recompute, j = 0 .. count-1: q = H("reduce sample", key | commitment), u_j =
 * bytes 0..7 of H("draw", q | u32 j), chunk = high 64 bits of u_j * number of chunks. */
void pa_allreduce_samples(uint64_t *out, uint32_t count, const struct pa_hash *key,
                          const struct pa_hash *commitment, uint64_t bytes);

#endif
