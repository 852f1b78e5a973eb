/* SPDX-License-Identifier: Apache-2.0 */
/* session_openings.h - open the sampled tiles of all closed epochs, after the last epoch. */
#ifndef PA_MEASURE_SESSION_OPENINGS_H
#define PA_MEASURE_SESSION_OPENINGS_H

#include "measure/session.h"

/* Chains that nobody keeps any more (a dead worker's, an earlier process's) are computed again from
 * the nonce. An opening that cannot be made stays missing: the witness then counts it as failed. */
int pa_session_open_all(const struct pa_session_terms *terms, struct pa_ledger *ledger,
                        struct pa_error *error);

#endif
