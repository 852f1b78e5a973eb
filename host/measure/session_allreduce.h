/* SPDX-License-Identifier: Apache-2.0 */
/* session_allreduce.h - sweep all-reduce over the devices that still work and note the rows. */
#ifndef PA_MEASURE_SESSION_ALLREDUCE_H
#define PA_MEASURE_SESSION_ALLREDUCE_H

#include "measure/allreduce.h"
#include "measure/session.h"

/* What a sweep leaves for those who reduce after it. */
struct pa_allreduce_outcome {
    struct pa_error failure; /* PA_OK: the whole sweep ran, and rightly */
    uint64_t bytes, time_ns; /* the largest size that came out right, and how long one took */
};

/* One device alone has nothing to reduce: nothing is measured then. A sweep that fails is noted
 * with its reason and is no failure of the session. One that `past` (NULL: none) has noted is not
 * repeated. */
int pa_session_allreduce(const struct pa_session_terms *terms, const struct pa_session_past *past,
                         struct pa_allreduce_outcome *outcome, struct pa_error *error);

#endif
