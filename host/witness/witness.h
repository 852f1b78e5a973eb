/* SPDX-License-Identifier: Apache-2.0 */
/* witness.h - the door of host/witness/: the auditor's side of a session.
 *
 * The witness owns the clock, the random keys and a signature. It takes t0 before a nonce leaves
 * and t1 after a root is in, reveals the key only after the whole list, checks each opening, and
 * appends every step of this to the transcript. The measuring code speaks to this interface alone;
 * it cannot tell a witness in its own process from one on the auditor's laptop.
 *
 *     declare > sample? > (challenge > commit > reveal)* > (open* > settle)* > finish
 *
 * `pa_self_witness_*` is the witness in the prover's process: it protects against errors, not
 * against fraud, and the certificate says "self-declared".
 */
#ifndef PA_WITNESS_WITNESS_H
#define PA_WITNESS_WITNESS_H

#include "evidence/evidence.h"
#include "proof/proof.h"

struct pa_witness;

/* The power watermark (docs/protocol.md 8): how long it is, and one half-bit of it as it is told.
 */
struct pa_watermark_plan {
    uint32_t bits;
    uint64_t half_ns, settle_ns;
};
struct pa_watermark_command {
    uint32_t half; /* from 0; two make a bit */
    bool is_on;
    bool is_over; /* all were told before */
};

struct pa_witness_kind {
    const char *assurance; /* "self" */

    /* The public key that the declaration must name, and the serial number of the next session of
     * this claim and site. */
    int (*introduce)(struct pa_witness *witness, const struct pa_hash *claim, const char *site,
                     uint8_t key[PA_PUBLIC_KEY_BYTES], uint32_t *serial, struct pa_error *error);
    /* Countersign a declaration that the prover signed; the session begins. PA_EWITNESS when it is
     * refused. */
    int (*declare)(struct pa_witness *witness, const void *declaration, size_t size,
                   const struct pa_signature *prover, struct pa_error *error);
    /* The key that chooses the devices of a session which declared a sample: drawn once, after the
     * declaration, and given again when it is asked for again. PA_EWITNESS where none was declared.
     */
    int (*sample)(struct pa_witness *witness, struct pa_hash *key, struct pa_error *error);
    /* Append what the site says about itself: one JSON object. What the witness itself writes
     * (aborts, interruptions, its clocks) is refused here: PA_EWITNESS. */
    int (*note)(struct pa_witness *witness, uint64_t epoch, const char *json, size_t size,
                struct pa_error *error);
    /* The same of one device among many: it may wait for sync, or for whatever else comes next.
     * What is refused may be known only then. */
    int (*note_later)(struct pa_witness *witness, uint64_t epoch, const char *json, size_t size,
                      struct pa_error *error);
    /* All that was noted is on the witness's disk when it returns. */
    int (*sync)(struct pa_witness *witness, struct pa_error *error);
    /* Append readings of the meter that a note "meter" described, in order of time. */
    int (*power)(struct pa_witness *witness, uint32_t meter, const struct pa_power_sample *samples,
                 uint32_t count, struct pa_error *error);
    /* The next half-bit of the watermark: load on or off, from now on. The first half of a bit is
     * drawn when it is told. PA_EWITNESS before the half-bit told last is over, and for another
     * plan than the one it was begun with. */
    int (*watermark)(struct pa_witness *witness, const struct pa_watermark_plan *plan,
                     struct pa_watermark_command *out, struct pa_error *error);
    /* A stage of the fabric proof, after the last epoch and once a session, as
     * pa_fabric_side_take. PA_EWITNESS when it is refused. */
    int (*fabric)(struct pa_witness *witness, enum pa_fabric_stage stage, const void *bytes,
                  size_t size, struct pa_hash *out, struct pa_error *error);
    /* Draw a key, take t0, give the nonce. */
    int (*challenge)(struct pa_witness *witness, uint64_t epoch, struct pa_hash *nonce,
                     struct pa_error *error);
    /* The signed root; t1 is taken on entry. From here on the epoch cannot be aborted. */
    int (*commit)(struct pa_witness *witness, uint64_t epoch, const struct pa_hash *root,
                  const struct pa_signature *prover, struct pa_error *error);
    /* The list behind the root. Gives the key, which fixes the sample: the epoch is closed. */
    int (*reveal)(struct pa_witness *witness, uint64_t epoch, const struct pa_tail *tails,
                  uint32_t devices, struct pa_hash *key, struct pa_error *error);
    /* The challenged epoch will not be closed: its planned length counts, with no work. */
    int (*abort)(struct pa_witness *witness, uint64_t epoch, const char *reason,
                 struct pa_error *error);
    /* An opening of a closed epoch, in the order of j. A wrong one is recorded and counted, not an
     * error. */
    int (*open)(struct pa_witness *witness, uint64_t epoch, uint32_t j, const void *opening,
                size_t size, struct pa_error *error);
    /* The prover has nothing more to show for this epoch: openings that are missing have failed. */
    int (*settle)(struct pa_witness *witness, uint64_t epoch, uint32_t *failed,
                  struct pa_error *error);
    /* How long ago the last epoch was closed, on the witness's clock; 0 before the first. */
    int (*gap)(struct pa_witness *witness, uint64_t *gap_ns, struct pa_error *error);
    /* Begin after an interruption: its length, as the witness measured it, is not counted as time.
     */
    int (*interrupt)(struct pa_witness *witness, const char *reason, struct pa_error *error);
    /* Sign the transcript. Nothing can be appended after it. */
    int (*finish)(struct pa_witness *witness, struct pa_error *error);
    void (*release)(struct pa_witness *witness);
};

/* Every witness starts with this. */
struct pa_witness {
    const struct pa_witness_kind *kind;
};

/* A witness in this process that writes to `store` and signs with `key`; both are borrowed and must
 * outlive it. An empty store waits for `declare`; one with a session goes on where its transcript
 * ends. `register_path` is where it counts the sessions of each claim and site; NULL counts none
 * (serial 1). */
int pa_self_witness_open(struct pa_store *store, const struct pa_key *key,
                         const char *register_path, struct pa_witness **out,
                         struct pa_error *error);

/* Append a note of the witness's own, which no site may write: one JSON object with a "kind". */
int pa_self_witness_note(struct pa_witness *witness, const char *json, size_t size,
                         struct pa_error *error);

/* Of a declared session: hold notes and power readings to fewer bytes than its declaration allows
 * (session_allowance.h); 0: to those. */
void pa_self_witness_limit(struct pa_witness *witness, uint64_t most_told_bytes);

/* The site's process was started anew and has no chains any more: the key of an epoch whose list is
 * not in, and its root, are forgotten. It can only be aborted. */
void pa_self_witness_forget_epoch(struct pa_witness *witness);

#endif
