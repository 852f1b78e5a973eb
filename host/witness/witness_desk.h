/* SPDX-License-Identifier: Apache-2.0 */
/* witness_desk.h - the witness as a server: many sites, each with a session and a transcript of its
 * own.
 *
 * A desk turns requests (witness_wire.h) into calls of the witness of one session. It keeps
 *
 *     FOLDER/sessions          how often each claim and site was declared
 *     FOLDER/<session>/        evidence.db, the ticket's hash and, once it is judged, the
 * certificate
 *
 * and finds its sessions again when it is started anew. Nothing of a request is trusted: a site can
 * spoil its own session and no other. The evidence of so many sessions is open at a time; when more
 * come, that of the one which has asked for nothing longest is closed, and opened again when it is
 * asked for: the site does not notice. Only what must be kept in memory, an epoch or a half-bit
 * under work, is not closed for others, unless its site has been silent for half an hour, or its
 * address has more of them than the newcomer's would have: then the epoch is lost, as when the
 * witness is started anew. So nobody keeps others waiting from one address, and no address takes
 * from one that has fewer. An introduction alone takes no room. What a session may store follows
 * from its declaration (session_allowance.h), and none begins where the disk has less room than is
 * kept for those that run. It does no networking: `petaudit witness` puts it behind link/.
 */
#ifndef PA_WITNESS_WITNESS_DESK_H
#define PA_WITNESS_WITNESS_DESK_H

#include "witness/store_room.h"
#include "witness/witness.h"

#include <limits.h>

struct pa_witness_desk;

/* Judge the finished session in `folder` (its evidence.db) and write certificate.json, or
 * test-result.json, there. */
typedef int (*pa_witness_conclude)(void *context, const char *folder, struct pa_error *error);
/* What a time stamp may be asked of while a session runs. */
enum pa_witness_moment {
    PA_WITNESS_FIRST_NONCE, /* told with each challenge: the first is what counts */
    PA_WITNESS_LAST_ROOT,   /* told with each revealed key: the last is what counts */
};
typedef void (*pa_witness_told)(void *context, const char *folder, enum pa_witness_moment moment,
                                const struct pa_hash *value);
/* Where the site is that asks on this thread: its address, or what stands for it. */
enum { PA_WITNESS_PEER_BYTES = 16 };
typedef void (*pa_witness_peer)(void *context, uint8_t out[PA_WITNESS_PEER_BYTES]);
struct pa_witness_desk_options {
    const char *folder;       /* made when it is not there */
    const struct pa_key *key; /* borrowed */
    pa_witness_conclude conclude;
    pa_witness_told told; /* NULL: nobody is */
    pa_witness_peer peer; /* NULL: all are at one place */
    pa_witness_say say;   /* what whoever runs the witness should know; NULL: nobody is told */
    void *context;
    uint32_t most_open; /* sessions whose evidence is open at a time; 0: 256 */
    uint64_t
        abandoned_ns; /* silence after which an epoch under work may be lost; 0: half an hour */
    uint64_t most_told_bytes; /* of a session's notes and readings; 0: as it declared */
    uint64_t keep_free_bytes; /* with less of the disk free no session begins; 0: any does */
};

int pa_witness_desk_open(const struct pa_witness_desk_options *options,
                         struct pa_witness_desk **out, struct pa_error *error);
/* The most bytes that a request with this bearer (64 hexadecimal digits of the ticket, or NULL) may
 * have. */
size_t pa_witness_desk_admits(struct pa_witness_desk *desk, const char *bearer);
/* Carry out one request and append the answer. Returns the HTTP status: 200, also for a request
 * that the witness refuses; 400 for bytes that are no request; 401 for an unknown ticket; 503 when
 * there is no room now, which is worth another try. Threads may call at the same time. */
unsigned pa_witness_desk_answer(struct pa_witness_desk *desk, const void *body, size_t size,
                                struct pa_buffer *answer);
void pa_witness_desk_close(struct pa_witness_desk *desk);

#endif
