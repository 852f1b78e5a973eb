/* SPDX-License-Identifier: Apache-2.0 */
/* stamps.h - RFC 3161 time stamps, which lie beside what they are of.
 *
 * petaudit asks no authority: it writes the request, FILE.tsq, and reads the answer, FILE.tsr, that
 * anybody fetched. A certificate has one. A session at a witness has two more, which bound its time
 * from outside (PROTOCOL.md 3): `first-nonce`, over the 32 bytes of the first NONCE, asked for when
 * it leaves; `last-root`, over those of the last ROOT, asked for anew with each.
 */
#ifndef PA_COMMAND_STAMPS_H
#define PA_COMMAND_STAMPS_H

#include "certificate/time_stamp.h"
#include "evidence/store.h"
#include "witness/witness_desk.h"

#include <jansson.h>

struct pa_stamp_found {
    enum { PA_STAMP_NONE, PA_STAMP_HOLDS, PA_STAMP_BROKEN } state;
    struct pa_time_stamp stamp;
    char failure[512];                   /* why it is broken, safe to print */
    char witness_utc[PA_UTC_TEXT_BYTES]; /* when the witness says it was there; "" if nobody does */
};

/* Look at PATH.tsr, the stamp of these bytes. A stamp is no part of what it is of: one that does
 * not hold proves nothing, and says nothing against it. */
void pa_stamp_find(const char *path, const void *bytes, size_t size, struct pa_stamp_found *out);

/* {state, utc, authority, known, failure}; with witness_utc where the witness has said a time. */
json_t *pa_stamp_object(const struct pa_stamp_found *found);

enum { PA_SESSION_STAMPS = 2 };
extern const char *const pa_session_stamp_names[PA_SESSION_STAMPS]; /* of the files, by moment */

/* The desk's pa_witness_told: write the request. One that cannot be written is said, no more. */
void pa_session_stamp_request(void *context, const char *folder, enum pa_witness_moment moment,
                              const struct pa_hash *value);

/* The stamps beside an evidence file, by moment. */
int pa_session_stamps_find(const char *evidence_path, struct pa_store *store,
                           struct pa_stamp_found out[PA_SESSION_STAMPS], struct pa_error *error);

#endif
