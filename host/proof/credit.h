/* SPDX-License-Identifier: Apache-2.0 */
/* credit.h - from checked epochs to the verified rate (docs/protocol.md 4). */
#ifndef PA_PROOF_CREDIT_H
#define PA_PROOF_CREDIT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum pa_epoch_state {
    PA_EPOCH_CLOSED,  /* its root came in: it counts and must be opened */
    PA_EPOCH_ABORTED, /* the key was never revealed: the planned length counts, with no work */
};

struct pa_credited_epoch {
    enum pa_epoch_state state;
    uint64_t t0_ns, t1_ns; /* witness's RAW clock; t1 is 0 for an aborted epoch */
    double operations;     /* W_e, counted as 2MNK */
    uint32_t openings;     /* n_e; 0: that of the terms */
    uint64_t planned_ns;   /* planned length; 0: that of the terms */
    bool after_gap;        /* a declared interruption ended just before this epoch: a new segment */
    uint64_t gap_ns;       /* its length as the witness measured it (RAW restarts with the machine);
                              used with after_gap only */
};

struct pa_credit_terms {
    uint64_t epoch_ns;      /* planned length: what an aborted epoch counts */
    uint32_t openings;      /* n_e of an epoch that has none of its own */
    double alpha;           /* of a first session, before the division by r (r + 1) */
    uint32_t serial;        /* r */
    uint32_t interruptions; /* allowed */
    uint64_t longest_gap_ns;
};

struct pa_credit {
    double operations; /* W */
    double
        seconds; /* Dt: last t1 - first t0, less the gaps, plus aborted epochs at planned length */
    double rate; /* W / Dt, operations a second */
    double n_effective;     /* min over epochs with work of n_e W / W_e */
    double alpha_r;         /* alpha / (r (r + 1)) */
    double honest_fraction; /* 1 - ln(1 / alpha_r) / n_eff, at least 0: the lower bound, 1 - alpha_r
                               sure */
    double verified_rate;   /* rate * honest_fraction */
    uint32_t gaps;          /* interruptions taken */
    uint64_t gap_ns;        /* all of them together */
};

/* Compute the credit of epochs in the order of their t0 (of each segment: the clock may restart in
 * an interruption). Time is the sum over segments of (last t1 - first t0) of their closed epochs;
 * aborted epochs before the first or after the last closed one of a segment add their planned
 * length, those between two closed ones what the time between these does not cover. PA_EINVALID
 * when there are more or longer interruptions than declared, or when times run backwards or epochs
 * have no length. Epochs without any work give a credit of zero. */
int pa_credit_compute(struct pa_credit *out, const struct pa_credited_epoch *epochs, uint32_t count,
                      const struct pa_credit_terms *terms, struct pa_error *error);

#endif
