/* SPDX-License-Identifier: Apache-2.0 */
/* session_ledger.h - where a session stands: its declaration and what became of each epoch.
 *
 * Kept in memory while a session runs, and read back from the transcript when one is resumed.
 */
#ifndef PA_WITNESS_SESSION_LEDGER_H
#define PA_WITNESS_SESSION_LEDGER_H

#include "evidence/evidence.h"
#include "proof/proof.h"
#include "witness/session_allowance.h"

struct pa_ledger_epoch {
    uint64_t number;
    uint32_t kind; /* 0: a long epoch; i: the i-th declared probe */
    struct pa_hash nonce, key, root;
    struct pa_tail *tails; /* owned, one per declared device */
    uint32_t opened;       /* OPENING records so far: j = 0 .. opened-1 */
    bool is_settled;       /* its RESULT is there */
};

struct pa_ledger {
    struct pa_declaration declaration;
    struct pa_hash session;
    bool is_declared, is_finished;
    struct pa_ledger_epoch *closed; /* owned, in order */
    uint32_t closed_count;
    uint64_t next_epoch;            /* one past the highest challenged */
    bool is_challenged;             /* epoch next_epoch - 1 has a nonce and no root */
    struct pa_hash nonce;           /* of that epoch */
    uint32_t kind;                  /* of that epoch, drawn by its nonce */
    struct pa_schedule schedule;    /* what the nonces to come can draw */
    struct pa_allowance allowance;  /* what the session may store, */
    uint64_t drawn;                 /* the nonces so far, */
    uint64_t told_bytes;            /* and what its NOTE and POWER records take */
    struct pa_instant last_close;   /* t1 of the last closed epoch; zeros before the first */
    uint32_t interruptions;         /* declared gaps taken so far */
    char boot_id[PA_BOOT_ID_BYTES]; /* of the witness's machine when it last said so */
    uint32_t watermark_bits;        /* 0 before the first half-bit is told */
    uint64_t watermark_half_ns, watermark_settle_ns;
    uint32_t watermark_told; /* half-bits so far */
    bool watermark_was_on;   /* the last of them */
    bool has_fabric;         /* the fabric proof was begun */
    bool has_sample;         /* the devices were chosen, by this key */
    struct pa_hash sample_key;
};

/* The declaration is in its place: what can be drawn and stored follows from it. */
void pa_ledger_declared(struct pa_ledger *ledger);
/* An epoch begins: its nonce draws what it is. */
void pa_ledger_challenge(struct pa_ledger *ledger, uint64_t epoch, const struct pa_hash *nonce);
/* Note one closed epoch; the tails are copied. */
int pa_ledger_close(struct pa_ledger *ledger, uint64_t epoch, const struct pa_hash *nonce,
                    const struct pa_hash *key, const struct pa_hash *root,
                    const struct pa_tail *tails, struct pa_error *error);
/* How long nothing was under work, at `now` in the boot `boot_id`: by the RAW clock, or by UTC when
 * that clock has begun anew with another boot. 0 before the first closed epoch. */
uint64_t pa_ledger_gap(const struct pa_ledger *ledger, const struct pa_instant *now,
                       const char *boot_id);
/* NULL when the epoch is not closed. */
struct pa_ledger_epoch *pa_ledger_find(struct pa_ledger *ledger, uint64_t epoch);
/* Read a whole store. PA_EINVALID when its records cannot be a session. */
int pa_ledger_read(struct pa_store *store, struct pa_ledger *out, struct pa_error *error);
int pa_ledger_copy(const struct pa_ledger *ledger, struct pa_ledger *out, struct pa_error *error);
void pa_ledger_free(struct pa_ledger *ledger);

#endif
