/* SPDX-License-Identifier: Apache-2.0 */
/* session_watermark.h - the power watermark: all devices work and rest as the witness says
 * (docs/protocol.md 8). */
#ifndef PA_MEASURE_SESSION_WATERMARK_H
#define PA_MEASURE_SESSION_WATERMARK_H

#include "measure/session.h"

/* Whether the policy asks for one and there is a meter that could see it. */
bool pa_session_wants_watermark(const struct pa_session_terms *terms);
/* Follow the commands to the last, or do nothing where none is wanted; one that an earlier process
 * began is gone on with. The witness keeps the commands, the meters' watch the readings. */
int pa_session_watermark(const struct pa_session_terms *terms, struct pa_error *error);

#endif
