/* SPDX-License-Identifier: Apache-2.0 */
/* live_session.h - one session of the store as it goes on: its evidence, followed, and what was
 * made of it. */
#ifndef PA_WITNESS_LIVE_SESSION_H
#define PA_WITNESS_LIVE_SESSION_H

#include "witness/live_state.h"

struct pa_live_session;

/* `folder` of a session; nothing is read yet. NULL when memory ran out. */
struct pa_live_session *pa_live_session_new(const char *folder);
void pa_live_session_close(struct pa_live_session *session);
/* Read what has come. One thread at a time; true when there is something to tell. */
bool pa_live_session_follow(struct pa_live_session *session);
/* What has changed after record `*since`, which moves along. Any thread; NULL when memory ran out.
 */
json_t *pa_live_session_message(struct pa_live_session *session, uint64_t *since);

#endif
