/* SPDX-License-Identifier: Apache-2.0 */
/* live_view.h - those who watch the sessions of a witness's store.
 *
 * One thread follows the evidence of each session that somebody watches, through a connection of
 * its own that only reads: the witness at work neither knows of it nor waits for it, and after a
 * restart everything is read again. A viewer is told the whole state once and then what has
 * changed since it was last told; one that is slow gets fewer and larger changes. Nothing is kept
 * for it.
 */
#ifndef PA_WITNESS_LIVE_VIEW_H
#define PA_WITNESS_LIVE_VIEW_H

#include "base/bytes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PA_LIVE_SESSION_DIGITS = 16,    /* of a session's folder */
    PA_LIVE_MOST_SESSIONS = 50,     /* in the list, the latest */
    PA_LIVE_MOST_VIEWERS = 32,      /* at a time */
    PA_LIVE_SECONDS_A_BEAT = 5,     /* a viewer hears something at least so often */
    PA_LIVE_SECONDS_A_MESSAGE = 30, /* who has not taken a message by then is dropped */
};

struct pa_live;
struct pa_live_viewer;

/* `folder`: the witness's store. Nothing is read before somebody watches. */
int pa_live_open(const char *folder, struct pa_live **out, struct pa_error *error);
/* Every pa_live_next returns false from now on. NULL is fine. */
void pa_live_stop(struct pa_live *live);
/* When the last viewer has left. NULL is fine. */
void pa_live_close(struct pa_live *live);

/* Watch `session` (its folder's name), or the latest, also when a later one begins, where it is
 * NULL. PA_ENOINPUT when there is none of that name; PA_EUNSUPPORTED when there are viewers enough.
 */
int pa_live_attach(struct pa_live *live, const char *session, struct pa_live_viewer **out,
                   struct pa_error *error);
/* Append the next events (text/event-stream), waiting for them PA_LIVE_SECONDS_A_BEAT at most.
 * False when there will be no more. */
bool pa_live_next(struct pa_live_viewer *viewer, struct pa_buffer *out);
void pa_live_detach(struct pa_live_viewer *viewer);

#endif
