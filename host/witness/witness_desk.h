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
 * spoil its own session and no other. It does no networking: `petaudit witness` puts it behind
 * link/.
 */
#ifndef PA_WITNESS_WITNESS_DESK_H
#define PA_WITNESS_WITNESS_DESK_H

#include "witness/witness.h"

#include <limits.h>

struct pa_witness_desk;

/* Judge the finished session in `folder` (its evidence.db) and write certificate.json, or
 * test-result.json, there. */
typedef int (*pa_witness_conclude)(void *context, const char *folder, struct pa_error *error);
struct pa_witness_desk_options {
    const char *folder;       /* made when it is not there */
    const struct pa_key *key; /* borrowed */
    pa_witness_conclude conclude;
    void *context;
};

int pa_witness_desk_open(const struct pa_witness_desk_options *options,
                         struct pa_witness_desk **out, struct pa_error *error);
/* The most bytes that a request with this bearer (64 hexadecimal digits of the ticket, or NULL) may
 * have. */
size_t pa_witness_desk_admits(struct pa_witness_desk *desk, const char *bearer);
/* Carry out one request and append the answer. Returns the HTTP status: 200, also for a request
 * that the witness refuses; 400 for bytes that are no request; 401 for an unknown ticket. Threads
 * may call at the same time. */
unsigned pa_witness_desk_answer(struct pa_witness_desk *desk, const void *body, size_t size,
                                struct pa_buffer *answer);
void pa_witness_desk_close(struct pa_witness_desk *desk);

#endif
