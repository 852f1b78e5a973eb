/* SPDX-License-Identifier: Apache-2.0 */
/* coupled.h - products and all-reduce as one system: every rank multiplies, all reduce a gradient,
 * every rank multiplies again, as data-parallel training does.
 *
 * A step is that of the proof: generate B, multiply, digest. Its next one is queued only when the
 * sum is there, so all ranks go in lockstep and the slowest sets the pace. Before and after that,
 * each rank runs the same steps as in an epoch, two in the queue and nobody to wait for: that is
 * the sum of the devices which the system is held against.
 *
 * This is measured, not proven: nothing is opened. The last sum is verified as that of a sweep.
 */
#ifndef PA_MEASURE_COUPLED_H
#define PA_MEASURE_COUPLED_H

#include "measure/allreduce.h"
#include "measure/sustain.h"

enum { PA_COUPLED_MOST_STEPS = 100000 };

/* What one rank is asked for. */
struct pa_coupled_request {
    uint8_t id[PA_COMMUNICATOR_ID_BYTES];
    uint32_t rank, ranks;
    uint64_t bytes; /* of the gradient */
    struct pa_hash nonce;
    uint32_t steps;       /* in lockstep; each rank alone does half as many before and after */
    uint64_t patience_ns; /* for all of it. A rank gives up before that, the device that it drives
                             before the wait for others, so that whoever knows most is heard */
};
void pa_put_coupled_request(struct pa_buffer *out, const struct pa_coupled_request *request);
int pa_get_coupled_request(struct pa_reader *in, struct pa_coupled_request *out,
                           struct pa_error *error);

/* Do it on an open stand: one rank's part of an answer. Nothing stays open, whatever comes of it.
 */
int pa_coupled_execute(struct pa_allreduce_station *station, struct pa_stand *stand,
                       const void *request, size_t size, struct pa_buffer *answer,
                       struct pa_error *error);

/* How many steps take about `length_ns`, when one takes `step_ns` and its sum `reduce_ns`. */
uint32_t pa_coupled_steps(uint64_t length_ns, double step_ns, double reduce_ns);

struct pa_coupled_run {
    uint64_t time_ns;        /* of the steps in lockstep, by the rank that took longest */
    double operations;       /* of all ranks in that time */
    double alone_per_second; /* sum over the ranks, each by itself */
    bool verified;           /* all ranks have the last sum, and it is what the seeds give */
};

/* What the answers of all ranks say. `step_operations` is by rank; `key` is what the request's
 * nonce = H("nonce", key) was made of. PA_EINPUT when an answer makes no sense. */
int pa_coupled_combine(const struct pa_coupled_request *request, const struct pa_buffer *answers,
                       const double *step_operations, const struct pa_hash *key,
                       struct pa_coupled_run *out, struct pa_error *error);

#endif
