/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.h - which epoch comes when: long ones, and probes at moments that nobody knows before.
 *
 * A session has `epochs` long epochs and as many short ones of each kind as it declares
 * (docs/protocol.md 7). Kind 0 is a long epoch, kind i the i-th declared probe. What the next epoch
 * is follows from its nonce: one of those that are left, each as likely as any other. So the
 * witness's secret draws the order, the prover learns of a probe when its time runs already, and
 * anybody can see from the transcript that nobody chose.
 */
#ifndef PA_PROOF_SCHEDULE_H
#define PA_PROOF_SCHEDULE_H

#include "proof/declaration.h"

struct pa_schedule {
    uint32_t left[1 + PA_MOST_PROBE_KINDS]; /* of each kind */
};

void pa_schedule_begin(struct pa_schedule *schedule, const struct pa_declaration *declaration);
/* The kind of the epoch that this nonce begins; it is no longer left. With nothing left it is 0: an
 * epoch too many. */
uint32_t pa_schedule_draw(struct pa_schedule *schedule, const struct pa_hash *nonce);

/* What was declared of a kind. */
uint32_t pa_declared_epochs(const struct pa_declaration *declaration, uint32_t kind);
uint64_t pa_declared_length_ns(const struct pa_declaration *declaration, uint32_t kind);
uint32_t pa_declared_openings(const struct pa_declaration *declaration, uint32_t kind);
struct pa_shape pa_declared_shape(const struct pa_declaration *declaration, uint32_t kind,
                                  uint32_t device);
/* Whether work of this kind counts for the capacity, and not its time alone: a probe's does where
 * all its shapes are within a certificate's limits. */
bool pa_declared_is_credited(const struct pa_declaration *declaration, uint32_t kind);

/* Over all kinds. */
uint32_t pa_declared_epochs_in_all(const struct pa_declaration *declaration);
uint64_t pa_declared_ns_in_all(const struct pa_declaration *declaration);
uint64_t pa_declared_openings_in_all(const struct pa_declaration *declaration);

#endif
