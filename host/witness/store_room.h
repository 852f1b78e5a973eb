/* SPDX-License-Identifier: Apache-2.0 */
/* store_room.h - whether a witness's store has room for another session.
 *
 * A disk that is full stops every session at once. So some of it is kept: with less free than that,
 * no new session is taken, and those that run have what is left to end in. The operator is told
 * when it begins and when it ends, not with every request.
 */
#ifndef PA_WITNESS_STORE_ROOM_H
#define PA_WITNESS_STORE_ROOM_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdint.h>

/* To whoever runs the witness: one sentence. */
typedef void (*pa_witness_say)(void *context, const char *text);

struct pa_store_room {
    const char *folder;  /* borrowed */
    uint64_t keep_bytes; /* 0: nothing is kept, nor looked at */
    pa_witness_say say;  /* NULL: nobody is told */
    void *context;
    atomic_bool is_short;
};

/* PA_EWITNESS where a new session, of which `wanted_bytes` are foreseeable, is not taken; `doing`
 * says what was asked for. A file system that does not tell its room is taken to have some. Threads
 * may call at the same time. */
int pa_store_room_check(struct pa_store_room *room, uint64_t wanted_bytes, const char *doing,
                        struct pa_error *error);

#endif
