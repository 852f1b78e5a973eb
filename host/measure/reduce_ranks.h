/* SPDX-License-Identifier: Apache-2.0 */
/* reduce_ranks.h - the devices that reduce with each other, as ranks 0 .. ranks-1, and how a
 * request of its own reaches each of them.
 *
 * Data travel between devices of one backend only: of the one with the most devices, and of two
 * that have as many, of the accelerators'. */
#ifndef PA_MEASURE_REDUCE_RANKS_H
#define PA_MEASURE_REDUCE_RANKS_H

#include "measure/session.h"

struct pa_reduce_ranks {
    struct pa_site *site; /* borrowed */
    const char *backend;  /* NULL: no two devices of one backend still work, and there is no rank */
    uint32_t ranks;
    uint32_t *device_of; /* owned, by rank */
    uint32_t *rank_of;   /* owned, by device; UINT32_MAX for those that take no part */
    /* The exchange under way. */
    enum pa_operation operation; /* PA_ASK_ALLREDUCE, or another that is asked the same way */
    const struct pa_buffer *requests;
    struct pa_buffer *answers;
    struct pa_error failure; /* of the rank that knows most of why it failed */
    uint32_t answered;
};

int pa_reduce_ranks_begin(struct pa_reduce_ranks *ranks, struct pa_site *site,
                          struct pa_error *error);
void pa_reduce_ranks_end(struct pa_reduce_ranks *ranks);

/* The device of a rank. */
const struct pa_site_device *pa_reduce_ranks_device(const struct pa_reduce_ranks *ranks,
                                                    uint32_t rank);
/* How many operations a step of a rank's device has at this K, and how long it should take: by its
 * warm-up, else by its calibration; 0 when neither tells. */
double pa_reduce_ranks_step_ns(const struct pa_reduce_ranks *ranks, uint32_t rank, uint32_t k,
                               double *operations);
/* On how many hosts they are; 0 when memory is out. */
uint32_t pa_reduce_ranks_hosts(const struct pa_reduce_ranks *ranks);

/* A pa_allreduce_ask whose context is the ranks. A device or process that is lost meanwhile makes
 * it fail with rank and host in the message. */
int pa_reduce_ranks_ask(void *context, const struct pa_buffer *requests, struct pa_buffer *answers,
                        uint32_t count, uint64_t deadline_ns, struct pa_error *error);

#endif
