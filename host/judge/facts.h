/* SPDX-License-Identifier: Apache-2.0 */
/* facts.h - what the evidence says, before anybody judges it.
 *
 * `pa_facts_collect` replays a transcript as a third party would: hash chain, signatures,
 * declaration, each epoch's nonce, commitment, list, key, samples and openings, and the notes
 * beside them. It reads records and nothing else, so that an old measurement can be judged again,
 * and two people who read the same evidence get the same facts.
 */
#ifndef PA_JUDGE_FACTS_H
#define PA_JUDGE_FACTS_H

#include "claim/claim.h"
#include "evidence/evidence.h"
#include "proof/proof.h"

#include <jansson.h>

enum pa_recheck {
    PA_RECHECK_PATHS, /* everything but the arithmetic: hashes, paths, links, signatures */
    PA_RECHECK_TILES  /* and every opened tile is computed again, on all processors */
};

struct pa_fact_epoch {
    uint64_t number;
    enum pa_epoch_state state;
    struct pa_instant t0, t1;
    double operations;
    uint32_t drawn;   /* openings that the declaration demands: n_e, or 0 without work */
    uint32_t failed;  /* came and were wrong */
    uint32_t missing; /* never came */
    bool after_gap;
    uint64_t gap_ns;
};

struct pa_fact_device {
    char name[PA_DECLARED_NAME_BYTES]; /* as declared */
    uint32_t m, n;
    uint64_t steps; /* over all closed epochs */
    double operations;
    double raw_per_second; /* the library alone, same shape and run, its best; 0 unknown */
    char id[96], backend[16], format[8], host[64], model[128], details[512];
    char variant[64], library[96];
    double peak_per_second; /* of the format used; 0 unknown */
    char peak_basis[160];
    uint64_t memory_bytes;
    bool emulated;       /* the backend says that there is no such hardware */
    bool changed;        /* another device answered in its place later in the session */
    bool lost;           /* stopped during the audit */
    char lost_text[256]; /* which rank and host, when, why */
};

struct pa_fact_allreduce {
    uint64_t bytes;
    double algbw_gbs, busbw_gbs; /* 1e9 bytes a second, by nccl-tests' definitions */
    uint32_t ranks;
    bool verified;
};

struct pa_facts {
    struct pa_declaration declaration;
    struct pa_hash session;
    struct pa_hash transcript; /* r of the last record */
    uint64_t records;
    struct pa_fact_epoch *epochs;
    uint32_t epoch_count;
    struct pa_fact_device *devices;
    uint32_t device_count;
    struct pa_fact_allreduce *allreduce;
    uint32_t allreduce_count;
    struct pa_credit credit;
    uint64_t drawn, failed, missing; /* openings over all epochs */
    char first_failure[512]; /* k of n, epoch, device, step, and what did not hold; empty when none
                              */
    bool is_finished;        /* the witness's closing signature is there */
    bool is_certified;       /* false: result type TEST */
    bool is_test_build;      /* a build that falsifies on purpose; `test_build` says how */
    char test_build[256];
    double clock_step_seconds; /* the largest step of UTC against RAW between two records */
    char broken[512];          /* why the evidence is INVALID as a whole; empty when it holds */
    uint64_t begun_utc_ns, ended_utc_ns;
    json_t *notes;    /* array of all notes in order, each with "utc_ns" and, unless it belongs to
                       * no epoch, "epoch" set from its record; owned */
    char *claim_text; /* owned; the claim and policy files the session was declared with */
    size_t claim_bytes;
    char *policy_text;
    size_t policy_bytes;
    enum pa_assurance assurance;
};

/* Fails (PA_EINPUT, PA_EINVALID) only where there is nothing to judge: no session, unreadable.
 * Evidence that is there and contradicts itself succeeds, with `broken` or `first_failure` saying
 * how: that is the verdict INVALID. */
int pa_facts_collect(struct pa_store *store, enum pa_recheck recheck, struct pa_facts *out,
                     struct pa_error *error);
void pa_facts_free(struct pa_facts *facts);
/* The first note of a kind, or NULL; borrowed from `facts`. */
const json_t *pa_facts_note(const struct pa_facts *facts, const char *kind);

#endif
