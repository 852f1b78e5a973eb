/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - a declared session: epochs of the proof chain on all devices at once, then openings,
 * then a signature.
 *
 * The hub runs it. What happens is in the transcript as it happens; a session that was cut off goes
 * on from there with pa_session_resume, as an interruption in the sense of docs/protocol.md.
 */
#ifndef PA_MEASURE_SESSION_H
#define PA_MEASURE_SESSION_H

#include "measure/plan.h"
#include "measure/site.h"
#include "meter/meter.h"
#include "witness/session_ledger.h"
#include "witness/witness.h"

/* Everything that a session borrows. */
struct pa_exposition;

struct pa_session_terms {
    const struct pa_claim *claim;
    const struct pa_policy *policy;
    const struct pa_key *prover; /* the site's key */
    struct pa_witness *witness;
    struct pa_site *site;
    const struct pa_plan *plan;
    const struct pa_observer *observer;
    struct pa_exposition *exposition; /* told of each closed epoch; may be NULL */
    const atomic_bool *stop;          /* set by the user: close the running epoch, then stop */
    bool is_shared;                   /* the user accepts that others use the devices */
    const char *tool_note;            /* JSON of kind "tool": version, commit, hashes */
    struct pa_meter *const *meters;
    uint32_t meter_count;
    struct pa_power_watch *power; /* the session's own; NULL from the caller */
};

/* Warm up, declare, measure, open, finish. The session's records are with the witness.
 * PA_EINTERRUPTED when the user stopped it between two epochs: what is closed stays, and
 * pa_session_resume goes on. PA_EDEVICE when no device is left. */
int pa_session_run(const struct pa_session_terms *terms, struct pa_error *error);

struct pa_past_device {
    int rank; /* -1: not noted */
    char id[96], host[64], backend[16];
    bool has_attestation, has_memory; /* noted, be it as a failure */
};

/* What an earlier process left, read from the store before the witness opens it. */
struct pa_session_past {
    struct pa_ledger ledger;
    struct pa_trial *choices;       /* owned: format and variant of each declared device */
    struct pa_past_device *devices; /* owned: where each declared device was */
    /* What was noted after the epochs; each part that is not is measured when it goes on. */
    bool has_raw, has_fabric, has_allreduce, has_coupled;
    uint64_t allreduce_bytes, allreduce_ns; /* the largest size that came out right */
    char allreduce_trouble[512];            /* why the sweep failed; empty: it did not */
    uint64_t begun_utc_ns, measured_utc_ns; /* the declaration, and the last figure */
    struct pa_past_meter {
        char role[12];
        char name[256];
    } meters[PA_POWER_MOST_METERS]; /* as noted, by number */
    uint32_t meter_count;
};
int pa_session_past_read(struct pa_store *store, struct pa_session_past *out,
                         struct pa_error *error);
void pa_session_past_free(struct pa_session_past *past);
/* Give the devices of processes that did not come back their declared places, as lost ones, so that
 * the others keep theirs. PA_EDEVICE when what is here does not fit what was declared. */
int pa_session_past_complete(const struct pa_session_past *past, struct pa_site *site,
                             struct pa_error *error);

/* Go on with `past`. The plan's class, epochs and openings are those declared. PA_EINVALID when the
 * declaration does not allow this interruption, PA_EDEVICE when declared devices are not there. */
int pa_session_resume(const struct pa_session_terms *terms, const struct pa_session_past *past,
                      struct pa_error *error);

#endif
