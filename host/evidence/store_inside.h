/* SPDX-License-Identifier: Apache-2.0 */
/* store_inside.h - what the files of the store share; not part of the door. */
#ifndef PA_EVIDENCE_STORE_INSIDE_H
#define PA_EVIDENCE_STORE_INSIDE_H

#include "evidence/store.h"
#include "proof/hash.h"

#include <sqlite3.h>

struct pa_store {
    sqlite3 *database;
    sqlite3_stmt *insert; /* NULL when opened for reading only */
    uint64_t count;
    struct pa_hash head;
    char path[4096];
};

/* An SQLite result as an error of ours: PA_EWRITE while writing, else PA_EINPUT. */
int pa_store_fail(const struct pa_store *store, int result, bool is_writing,
                  struct pa_error *error);

/* Settings that must precede the first look at a file that may be hostile. */
int pa_store_harden(struct pa_store *store, struct pa_error *error);
/* Make the tables and views in an empty file. */
int pa_store_schema_make(struct pa_store *store, struct pa_error *error);
/* PA_EINPUT unless the file has exactly the tables and views that pa_store_schema_make makes. */
int pa_store_schema_check(struct pa_store *store, struct pa_error *error);

/* r_k out of r_(k-1); for k = 1 `before` is session, which the record itself gives
 * (pa_store_session). */
void pa_store_link(struct pa_hash *out, const struct pa_hash *before,
                   const struct pa_record *record);
int pa_store_session(struct pa_hash *out, const struct pa_record *record, struct pa_error *error);

/* Visit the records after the first `count` (`visit` may be NULL), `head` being the chain value
 * there, while checking chain, order and columns; both move along with what was visited.
 * PA_EINVALID. */
int pa_store_walk(struct pa_store *store, pa_store_visit visit, void *context, uint64_t *count,
                  struct pa_hash *head, struct pa_error *error);

#endif
