/* SPDX-License-Identifier: Apache-2.0 */
/* session_fabric.h - the fabric proof after the last epoch, where the policy wants one
 * (docs/protocol.md, "Fabric proof"). Its records are the witness's; a note says why there are
 * none, or not all. */
#ifndef PA_MEASURE_SESSION_FABRIC_H
#define PA_MEASURE_SESSION_FABRIC_H

#include "measure/session.h"

int pa_session_fabric(const struct pa_session_terms *terms, const struct pa_ledger *ledger,
                      struct pa_error *error);

#endif
