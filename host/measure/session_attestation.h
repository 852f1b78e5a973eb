/* SPDX-License-Identifier: Apache-2.0 */
/* session_attestation.h - ask each device for its vendor's report, and note what it answers. */
#ifndef PA_MEASURE_SESSION_ATTESTATION_H
#define PA_MEASURE_SESSION_ATTESTATION_H

#include "measure/session.h"

/* The nonce is that of the last closed epoch: the devices are asked between the epochs' last root
 * and what follows, so that it takes nothing from measured time. A device that cannot is noted with
 * its reason, which is no failure of the session; one whose backend knows of no reports is not
 * asked, nor is one whose answer `past` (NULL: none) has. */
int pa_session_attest(const struct pa_session_terms *terms, const struct pa_session_past *past,
                      const struct pa_ledger *ledger, struct pa_error *error);

#endif
