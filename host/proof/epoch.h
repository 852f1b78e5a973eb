/* SPDX-License-Identifier: Apache-2.0 */
/* epoch.h - challenge, commitment and sample of one epoch (docs/protocol.md 3). */
#ifndef PA_PROOF_EPOCH_H
#define PA_PROOF_EPOCH_H

#include "proof/chain.h"

enum { PA_EPOCH_PARAMETER_BYTES = 56 };

/* P: everything that the seeds of an epoch depend on besides the nonce. */
struct pa_epoch_parameters {
    enum pa_class class_id;
    uint32_t k;
    uint32_t devices; /* G */
    struct pa_hash session;
    uint64_t epoch; /* from 0 */
};

void pa_epoch_parameter_bytes(uint8_t out[PA_EPOCH_PARAMETER_BYTES],
                              const struct pa_epoch_parameters *parameters);

/* nonce = H("nonce", key) */
void pa_epoch_nonce(struct pa_hash *out, const struct pa_hash *key);
/* s_d = H("device", nonce | P | u64 d | u32 M_d | u32 N_d) */
void pa_epoch_device_start(struct pa_hash *out, const struct pa_hash *nonce,
                           const struct pa_epoch_parameters *parameters, uint64_t device,
                           uint32_t m, uint32_t n);
/* root = H("root", nonce | for each d: T_d | h_(T_d) | m_d) */
void pa_epoch_root(struct pa_hash *out, const struct pa_hash *nonce, const struct pa_tail *tails,
                   uint32_t devices);

/* What the prover signs when it closes an epoch: H("commit", session | u64 epoch | root) */
void pa_epoch_commit_hash(struct pa_hash *out, const struct pa_hash *session, uint64_t epoch,
                          const struct pa_hash *root);

/* One tile that is to be opened. */
struct pa_sample {
    uint32_t device;
    uint32_t step; /* from 1 */
    uint32_t row;  /* tile row and column, from 0 */
    uint32_t column;
};

/* Sums T_d * tiles over the devices; false when a tail breaks the protocol's limits (T_d, 2^48
 * tiles). */
bool pa_epoch_tiles(uint64_t *out, const struct pa_shape *shapes, const struct pa_tail *tails,
                    uint32_t devices);

/* The samples j = 0 .. count-1 of (key, root). Needs at least one tile; PA_EINPUT otherwise. */
int pa_epoch_samples(struct pa_sample *out, uint32_t count, const struct pa_hash *key,
                     const struct pa_hash *root, const struct pa_shape *shapes,
                     const struct pa_tail *tails, uint32_t devices, struct pa_error *error);

#endif
