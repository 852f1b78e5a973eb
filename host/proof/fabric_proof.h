/* SPDX-License-Identifier: Apache-2.0 */
/* fabric_proof.h - what two devices must answer that exchanged their states, and what is checked of
 * it (docs/protocol.md, "Fabric proof").
 *
 *     nonce      each device runs a chain of 64 steps and folds every C into its state X
 *     F_d        what it commits to, beside its chain; then, and not before, the challenge
 *     matching   from the challenge: who exchanges with whom. Each pair answers with a hash over
 *                the sums of products of their words; two rounds, the second hangs on the first
 *     key        then, and not before: which chunks the witness computes again
 *
 * Everything here is a function of bytes; fabric_run.h puts it in order.
 */
#ifndef PA_PROOF_FABRIC_PROOF_H
#define PA_PROOF_FABRIC_PROOF_H

#include "base/error.h"
#include "kernels/fabric.h"
#include "proof/chain.h"
#include "proof/epoch.h"

enum {
    PA_FABRIC_STEPS = 64,
    PA_FABRIC_ROUNDS = 2,
    PA_FABRIC_SAMPLES = 32,
    PA_FABRIC_CHUNK = 128,          /* words */
    PA_FABRIC_BLOCK = 1024,         /* chunks, whose values are hashed together */
    PA_FABRIC_MOST_WORDS = 1 << 28, /* 1 GiB a device */
};
/* P of the fabric's chain has this in place of an epoch's number. */
#define PA_FABRIC_EPOCH UINT64_MAX

/* What the fabric's list says of one device: T is PA_FABRIC_STEPS, or 0 where it takes no part. */
struct pa_fabric_tail {
    struct pa_tail tail;
    struct pa_hash fabric; /* F_d; zeros when T = 0 */
};

/* How many words of C every device folds: all of the smallest C of the session, at most
 * PA_FABRIC_MOST_WORDS; a multiple of PA_FABRIC_CHUNK. */
uint64_t pa_fabric_words(enum pa_class class_id, const struct pa_shape *shapes, uint32_t devices);

/* The digests of the chunks of a state, and the sums of a pair. `words` is a multiple of
 * PA_FABRIC_CHUNK; one value a chunk. */
void pa_fabric_digests(uint64_t *out, const uint32_t *x, uint64_t words, uint32_t s);
void pa_fabric_sums(uint64_t *out, const uint32_t *x, const uint32_t *y, uint32_t s_x, uint32_t s_y,
                    struct pa_fabric_shuffle shuffle);
/* The sum of chunk `chunk` of the first, and of the chunk of the second that it meets, turned by so
 * many words. */
uint64_t pa_fabric_chunk_sum(const uint32_t x[PA_FABRIC_CHUNK], const uint32_t y[PA_FABRIC_CHUNK],
                             uint32_t chunk, uint32_t s_x, uint32_t s_y, uint32_t turn);

/* H("fabric block", values, u64 each) of each block; the last may be shorter. */
uint32_t pa_fabric_blocks(uint32_t chunks);
void pa_fabric_block(struct pa_hash *out, const uint64_t *values, uint32_t count);
/* H(tag, u32 chunks | hashes of the blocks). F_d has the tag "fabric", a pair's answer the tag
 * "fabric answer". */
void pa_fabric_list_hash(struct pa_hash *out, const char *tag, uint32_t chunks,
                         const struct pa_hash *blocks);
/* The same from the values. PA_EMEMORY. */
int pa_fabric_hash_values(struct pa_hash *out, const char *tag, const uint64_t *values,
                          uint32_t chunks, struct pa_error *error);
/* The key of a device's chunk digests: bytes 0..3 of h_T. */
uint32_t pa_fabric_digest_key(const struct pa_tail *tail);

/* root = H("root", nonce | for each d: T_d | h | m_d | F_d) */
void pa_fabric_root(struct pa_hash *out, const struct pa_hash *nonce,
                    const struct pa_fabric_tail *tails, uint32_t devices);
/* n_0 = H("fabric nonce", challenge | root); n_(r+1) = H("fabric nonce", n_r | answers of r) */
void pa_fabric_first_nonce(struct pa_hash *out, const struct pa_hash *challenge,
                           const struct pa_hash *root);
void pa_fabric_next_nonce(struct pa_hash *out, const struct pa_hash *nonce,
                          const struct pa_hash *answers, uint32_t pairs);
/* Shuffle `devices` (those that take part, in the declared order): positions 2i and 2i + 1 are pair
 * i; of an odd number the last sits the round out. */
void pa_fabric_match(uint32_t *devices, uint32_t count, const struct pa_hash *nonce);
/* The key of a device's weights: bytes 0..3 of H("fabric weight", n_r | u64 d). */
uint32_t pa_fabric_weight_key(const struct pa_hash *nonce, uint64_t device);
/* What meets what in all pairs of a round (kernels/fabric.h), from H("fabric shuffle", n_r). */
struct pa_fabric_shuffle pa_fabric_round_shuffle(const struct pa_hash *nonce, uint32_t chunks);

struct pa_fabric_sample {
    uint32_t round, pair, chunk;
};
/* Samples j = 0 .. count-1 of (key, answers of all rounds). */
void pa_fabric_samples(struct pa_fabric_sample *out, uint32_t count, const struct pa_hash *key,
                       const struct pa_hash *answers, uint32_t pairs, uint32_t chunks);

/* The words of one chunk of a device's state, computed from the seeds alone. `d` is D_1 .. D_T.
 * PA_EMEMORY. */
int pa_fabric_chunk(uint32_t out[PA_FABRIC_CHUNK], enum pa_class class_id, struct pa_shape shape,
                    const struct pa_hash *start, const struct pa_hash *d, uint32_t steps,
                    uint32_t chunk, struct pa_error *error);

/* What the answers say of a fabric with a cut through it. */
struct pa_fabric_floor {
    double device_bytes_per_second; /* L / window: what each device's state moved at, at least */
    double twice_share; /* of the states, how many could have been computed in two places */
};
/* `window_ns` from t0 to the answers, `rate` operations a second of all devices together when they
 * do nothing else (0: not known, nothing follows). */
void pa_fabric_floor(struct pa_fabric_floor *out, enum pa_class class_id, uint32_t k,
                     uint32_t devices, uint64_t words, uint64_t window_ns, double rate);
/* Bytes a second that crossed the cut between two places, of which the second had a share `p` <=
 * 1/2 of the words of the states, whichever they are: in expectation over matching and shuffle, and
 * with the probability that samples catch a share of the answers: `held` of them are right. */
double pa_fabric_cut(const struct pa_fabric_floor *floor, uint32_t devices, double p, double held);

#endif
