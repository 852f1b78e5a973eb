/* SPDX-License-Identifier: Apache-2.0 */
/* remote_witness.h - a witness on the auditor's machine, as the site's hub sees it.
 *
 * Speaks witness_wire.h over link/ to the key that the user was told
 * ("https://HOST:PORT#FINGERPRINT") and to nobody else. Requests that get lost are sent again; the
 * witness carries each out once. The ticket of the session lies in a file beside the evidence, so
 * that another process can go on.
 */
#ifndef PA_WITNESS_REMOTE_WITNESS_H
#define PA_WITNESS_REMOTE_WITNESS_H

#include "witness/witness.h"

struct pa_remote_witness_options {
    const char *url;         /* "https://HOST:PORT#FINGERPRINT"; NULL: what `ticket_path` says */
    const char *ticket_path; /* written when a session is declared; read where `url` is NULL */
};

/* Connects at the first call. PA_EUSAGE for an address that is none; PA_ENOINPUT or PA_EINPUT for a
 * ticket file that cannot be read. */
int pa_remote_witness_open(const struct pa_remote_witness_options *options, struct pa_witness **out,
                           struct pa_error *error);
/* Go on with the session of the ticket: the first call after an open without `url`. PA_EINVALID
 * when the witness has no such session. */
int pa_remote_witness_resume(struct pa_witness *witness, struct pa_error *error);
/* Append to `store` the records that the witness has and it has not. */
int pa_remote_witness_fetch(struct pa_witness *witness, struct pa_store *store,
                            struct pa_error *error);
/* The certificate of a finished session, or the result of a TEST; `name` is its file's name. */
int pa_remote_witness_result(struct pa_witness *witness, char name[32], struct pa_buffer *out,
                             struct pa_error *error);

#endif
