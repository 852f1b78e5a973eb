/* SPDX-License-Identifier: Apache-2.0 */
/* session_epoch.h - one epoch: challenge, prove on all devices, commit, list. */
#ifndef PA_MEASURE_SESSION_EPOCH_H
#define PA_MEASURE_SESSION_EPOCH_H

#include "measure/session.h"

/* P of an epoch of the ledger's session. */
struct pa_epoch_parameters pa_session_parameters(const struct pa_ledger *ledger, uint64_t epoch);

/* Run the ledger's next epoch and close it there. Lost devices are noted and count T_d = 0; when
 * none is left the epoch is aborted (PA_EDEVICE). `*rate` becomes operations a second of this
 * epoch. */
int pa_session_epoch(const struct pa_session_terms *terms, struct pa_ledger *ledger, double *rate,
                     struct pa_error *error);

#endif
