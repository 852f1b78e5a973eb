/* SPDX-License-Identifier: Apache-2.0 */
/* session_roll_call.h - which devices are still there, asked where a failure says nothing of it: a
 * memory proof, a sum or a chain computed again may fail on a device that is well. */
#ifndef PA_MEASURE_SESSION_ROLL_CALL_H
#define PA_MEASURE_SESSION_ROLL_CALL_H

#include "measure/session.h"

/* Ask every device; note those that were lost since the last note, each with its reason. That none
 * is left is no failure: what is proven stays, and kept chains can still be opened. */
int pa_session_roll_call(const struct pa_session_terms *terms, struct pa_error *error);

#endif
