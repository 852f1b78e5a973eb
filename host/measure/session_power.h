/* SPDX-License-Identifier: Apache-2.0 */
/* session_power.h - the meters of a session: asked beside the work, their readings handed to the
 * witness between epochs; files that a meter's logger delivers are read at the end. */
#ifndef PA_MEASURE_SESSION_POWER_H
#define PA_MEASURE_SESSION_POWER_H

#include "measure/session.h"

struct pa_power_watch;

/* Begin to ask the live meters of `terms`; `past` is NULL for a new session. A session that goes on
 * knows its meters by role, source and name: another one is refused (PA_EUSAGE). `*out` is NULL
 * without meters. */
int pa_power_watch_begin(const struct pa_session_terms *terms, const struct pa_session_past *past,
                         struct pa_power_watch **out, struct pa_error *error);
/* Describe each meter in the transcript. After the declaration. The functions from here on do
 * nothing for a watch that is NULL. */
int pa_power_watch_note(struct pa_power_watch *watch, struct pa_error *error);
/* Hand over what has come, unless that was done a moment ago: each time is a flush of the disk. */
int pa_power_watch_pass_on(struct pa_power_watch *watch, struct pa_error *error);
/* The work is over: stop asking, hand over the rest, note what failed. */
int pa_power_watch_stop(struct pa_power_watch *watch, struct pa_error *error);
/* Read the delivered files. PA_ENOINPUT when one holds nothing of the session: the session can be
 * resumed when it is there. */
int pa_power_watch_deliver(struct pa_power_watch *watch, struct pa_error *error);
void pa_power_watch_free(struct pa_power_watch *watch);

#endif
