/* SPDX-License-Identifier: Apache-2.0 */
/* session_allreduce.h - sweep all-reduce over the devices that still work and note the rows. */
#ifndef PA_MEASURE_SESSION_ALLREDUCE_H
#define PA_MEASURE_SESSION_ALLREDUCE_H

#include "measure/session.h"

/* One device alone has nothing to reduce: nothing is measured then. A sweep that fails is noted
 * with its reason and is no failure of the session. */
int pa_session_allreduce(const struct pa_session_terms *terms, struct pa_error *error);

#endif
