/* SPDX-License-Identifier: Apache-2.0 */
/* sustain.h - keep one device busy with the proof chain for a window, and say what it did.
 *
 * Time comes from the witness; the clock read here only decides when to stop.
 */
#ifndef PA_MEASURE_SUSTAIN_H
#define PA_MEASURE_SUSTAIN_H

#include "device/device.h"
#include "measure/messages.h"
#include "proof/proof.h"

#include <stdatomic.h>

/* A device's workbench with what it was opened for. */
struct pa_stand {
    struct pa_device *device;
    struct pa_workbench *bench;
    struct pa_workload workload;
    double step_ns;          /* how long a step takes, by the last steps seen */
    uint64_t *tiles;         /* m/128 * n/128: where a step's digests arrive */
    const atomic_bool *stop; /* true: warm up no longer. A chain runs to its end: a shorter epoch
                              * would leave the session short of the policy's window */
};

int pa_stand_open(struct pa_stand *stand, struct pa_device *device,
                  const struct pa_workload *workload, const atomic_bool *stop,
                  struct pa_error *error);
void pa_stand_close(struct pa_stand *stand);

/* How long a step is waited for, of a device whose steps take `step_ns`. */
uint64_t pa_sustain_patience_ns(double step_ns);

/* When a chain ends: after `steps` steps, or with the step that is nearest to `length_ns`, or once
 * `end` is true and what was queued is in, whichever comes first. With `is_whole` the length is
 * reached in any case: a window of six epochs must not be short of what the policy wants by half a
 * step each. */
struct pa_sustain_limits {
    uint32_t steps;     /* 0: PA_MOST_STEPS */
    uint64_t length_ns; /* 0: no limit of time */
    bool is_whole;
    const atomic_bool *end; /* NULL: nobody ends it early. Before the first step, T_d is 0 */
};

/* Run the chain that starts at `start` into `chain`, which is begun here and owned by the caller
 * afterwards, also on failure (chain->steps says how far it came). PA_EDEVICE or PA_ETIMEOUT when
 * the device stopped answering. */
int pa_sustain_chain(struct pa_stand *stand, const struct pa_hash *start,
                     const struct pa_sustain_limits *limits, struct pa_chain *chain,
                     struct pa_error *error);

/* Run steps on seeds of no consequence until their times are steady or `longest_ns` has passed. */
int pa_sustain_warm_up(struct pa_stand *stand, uint64_t longest_ns, struct pa_warmup *out,
                       struct pa_error *error);

/* The library alone on the same operands, for about `length_ns`. */
int pa_sustain_raw(struct pa_stand *stand, uint64_t length_ns, struct pa_raw *out,
                   struct pa_error *error);

#endif
