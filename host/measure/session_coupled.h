/* SPDX-License-Identifier: Apache-2.0 */
/* session_coupled.h - let the devices that reduced work as one system, and note what it delivers.
 */
#ifndef PA_MEASURE_SESSION_COUPLED_H
#define PA_MEASURE_SESSION_COUPLED_H

#include "measure/session_allreduce.h"

/* After the sweep, of which `sweep` is what came out. A single device has nothing to couple and is
 * not noted; a site that could not reduce is noted as not measured, one that loses a device
 * meanwhile as lost, each with its reason. Neither is a failure of the session. */
int pa_session_coupled(const struct pa_session_terms *terms,
                       const struct pa_allreduce_outcome *sweep, struct pa_error *error);

#endif
