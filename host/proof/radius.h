/* SPDX-License-Identifier: Apache-2.0 */
/* radius.h - what a session's epochs say about how far away the work was done (docs/protocol.md 7).
 *
 * Between a nonce that leaves and a root that is in lies dt; nothing that is further away than
 * c * dt / 2 can have had a part in it. Epochs of one kind together give one point: so much work a
 * second, within the radius of the longest of them. Long epochs alone bound nothing on Earth.
 */
#ifndef PA_PROOF_RADIUS_H
#define PA_PROOF_RADIUS_H

#include "proof/credit.h"
#include "proof/schedule.h"

struct pa_radius_epoch {
    uint32_t kind;
    enum pa_epoch_state state;
    uint64_t t0_ns, t1_ns; /* on the witness's clock */
    double operations;     /* W_e */
};

struct pa_radius_point {
    uint64_t length_ns; /* as declared */
    uint32_t declared, closed, aborted;
    bool is_credited;   /* for the capacity as well */
    double operations;  /* of all its epochs */
    double seconds;     /* t1 - t0 of all of them, aborted ones at planned length */
    double longest_s;   /* the longest t1 - t0 */
    double radius_m;    /* c * longest_s / 2 */
    double rate;        /* operations a second */
    double n_effective; /* as for the credit, over these epochs alone */
    double honest_fraction;
    double verified_rate;
    double remote_share; /* at most, of the long epochs' rate; 1 where nothing is shown. Of the long
                            epochs themselves 1: they show nothing */
};

/* One point a kind, the long epochs first: 1 + declaration->probe_count of them. */
void pa_radius_compute(struct pa_radius_point out[1 + PA_MOST_PROBE_KINDS],
                       const struct pa_declaration *declaration,
                       const struct pa_radius_epoch *epochs, uint32_t count);

#endif
