/* SPDX-License-Identifier: Apache-2.0 */
/* witness_seat.h - one site at the desk: its ticket, its session, and what it was answered last. */
#ifndef PA_WITNESS_WITNESS_SEAT_H
#define PA_WITNESS_WITNESS_SEAT_H

#include "witness/witness_desk.h"
#include "witness/witness_wire.h"

#include <pthread.h>

struct pa_witness_seat {
    struct pa_hash ticket; /* H("ticket", ticket): the secret itself is not kept */

    /* The desk's, under its table's lock. */
    uint32_t users;    /* requests that have this seat */
    bool is_open;      /* it counts among those that have store and witness open */
    uint64_t asked_ns; /* when its last request came */
    uint8_t peer[PA_WITNESS_PEER_BYTES]; /* and from where */

    pthread_mutex_t lock; /* of everything below */
    bool is_declared;
    char *folder; /* owned; NULL before the declaration */
    struct pa_store *store;
    struct pa_witness *witness;
    struct pa_hash root; /* committed last */
    bool has_epoch, has_half_bit,
        has_fabric;          /* under work: what the witness has of it in memory alone */
    bool must_resume;        /* a session of an earlier process: only RESUME is answered */
    uint64_t sequence;       /* of the last request that was carried out */
    struct pa_hash request;  /* its hash */
    struct pa_buffer answer; /* to it */
};

void pa_witness_ticket_hash(struct pa_hash *out, const struct pa_hash *ticket);

/* What is foreseeable of the room that the session of a "declare" takes: its declaration, lists and
 * openings; 0 where the body is none. */
uint64_t pa_witness_seat_wants(const struct pa_witness_request *request);
/* Carry out a request of this seat, which is locked: append the answer's body. The code and message
 * become the answer's. */
int pa_witness_seat_execute(struct pa_witness_seat *seat,
                            const struct pa_witness_desk_options *options,
                            const struct pa_witness_request *request, struct pa_buffer *body,
                            struct pa_error *error);
/* Open store and witness of a declared seat, unless they are open. */
int pa_witness_seat_wake(struct pa_witness_seat *seat,
                         const struct pa_witness_desk_options *options, struct pa_error *error);
/* The site's process was started anew: its epoch under work is lost. The seat is awake. */
void pa_witness_seat_resume(struct pa_witness_seat *seat);
/* Whether closing store and witness would lose something. */
bool pa_witness_seat_is_amid(const struct pa_witness_seat *seat);
/* Close both, with everything that was said so far in the transcript. After an error they are open
 * as before. */
int pa_witness_seat_sleep(struct pa_witness_seat *seat, struct pa_error *error);
void pa_witness_seat_free(struct pa_witness_seat *seat);

#endif
