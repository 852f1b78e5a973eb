/* SPDX-License-Identifier: Apache-2.0 */
/* scale_site.h - a site of many devices in one process, for bench/scale.c.
 *
 * Each device is a prover of its own that computes every tile of its chain, at shapes so small that
 * one processor plays a hundred thousand of them: K = 128, one tile a step. Everything else is what
 * an audit does: the same declaration, notes, commitment, list and openings, through the same door
 * of the witness.
 */
#ifndef PA_BENCH_SCALE_SITE_H
#define PA_BENCH_SCALE_SITE_H

#include "witness/witness.h"

struct scale_recipe {
    uint32_t devices, epochs, steps, openings;
    uint32_t requests; /* with nothing behind them, for what a message alone costs */
};

/* What the site saw of it. `*_ns` is wall time, `witness_*_ns` the witness's processor time. */
struct scale_figures {
    uint64_t declaration_bytes;
    uint64_t declare_ns;
    uint64_t witness_request_ns; /* of one request with nothing behind it */
    uint64_t notes, notes_ns, witness_notes_ns;
    uint64_t prove_ns;
    uint64_t exchange_messages,
        exchange_bytes;                     /* of one epoch, both ways, bodies and our headers */
    uint64_t exchange_ns, exchange_most_ns; /* of one epoch: the middle one, the longest */
    uint64_t witness_exchange_ns;           /* of one epoch */
    uint64_t openings, opening_bytes, openings_ns, witness_openings_ns;
};

/* The processor time that the witness has used so far, in nanoseconds. */
typedef uint64_t (*scale_clock)(void *context);

int scale_site_run(const struct scale_recipe *recipe, struct pa_witness *witness,
                   const struct pa_key *prover, scale_clock clock, void *context,
                   struct scale_figures *out, struct pa_error *error);

#endif
