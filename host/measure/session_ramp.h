/* SPDX-License-Identifier: Apache-2.0 */
/* session_ramp.h - tell and note how the load comes and goes, and let it go. */
#ifndef PA_MEASURE_SESSION_RAMP_H
#define PA_MEASURE_SESSION_RAMP_H

#include "measure/session.h"

/* Say that devices start one after the other; nothing where the claim asks for no ramp. */
void pa_session_tell_ramp(const struct pa_session_terms *terms);
/* Note the ramp, and when each device began after it was asked to. */
int pa_note_ramp(const struct pa_session_terms *terms, struct pa_error *error);
/* Say that those which the witness did not choose stop one after the other, and note that they did;
 * nothing where that takes no time. */
void pa_session_tell_rest(const struct pa_session_terms *terms, const struct pa_ramp *resting);
int pa_note_rest(const struct pa_session_terms *terms, const struct pa_ramp *resting,
                 struct pa_error *error);
/* The devices that work go on with products and end one after the other; noted too. */
int pa_session_ramp_down(const struct pa_session_terms *terms, struct pa_error *error);

#endif
