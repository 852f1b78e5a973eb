/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - evidence.db: the record log in SQLite.
 *
 * WAL, STRICT tables, foreign keys, a schema version. Each append is one transaction that is synced
 * before it returns: after kill -9 or a power cut every record whose append returned is there, and
 * nothing after it. The chain r_0 = session, r_k = H("record", r_(k-1) | record), k = 1 for the
 * SESSION record itself, is computed as records come and checked whole whenever a store is opened.
 * After pa_store_close the file stands alone; beside an open or killed one lie -wal and -shm. One
 * caller at a time.
 *
 *     record(k, type, epoch, raw_ns, utc_ns, payload, hash)
 *
 * holds everything: `payload` is the record without its header, which type and length give back;
 * `hash` is r_k; epoch and times repeat what the payload says (NULL where it says nothing) and are
 * checked against it. Table `record_type` and the views `transcript`, `epochs`, `openings` and
 * `notes` are for people with an SQL prompt; nothing reads them.
 */
#ifndef PA_EVIDENCE_STORE_H
#define PA_EVIDENCE_STORE_H

#include "evidence/record.h"

struct pa_store;

enum { PA_STORE_SCHEMA_VERSION = 1, PA_STORE_APPLICATION_ID = 0x70657461 /* "peta" */ };

/* Make a new evidence file; PA_EWRITE when there is one already, or the disk refuses. */
int pa_store_create(const char *path, struct pa_store **out, struct pa_error *error);
/* Open to read and append (`audit --resume`): PA_ENOINPUT, PA_EINPUT (no evidence file, other
 * schema), PA_EINVALID (the chain does not hold; the message names the record). */
int pa_store_open(const char *path, struct pa_store **out, struct pa_error *error);
/* The same, never writing: works on read-only media, unless a -wal file of a killed audit lies
 * there too, which SQLite can only read where it may write. */
int pa_store_open_readonly(const char *path, struct pa_store **out, struct pa_error *error);
void pa_store_close(struct pa_store *store);

/* Append whole records (one or several, header included), all or none, on disk before it returns.
 * The first of all must be a SESSION, and no other may be. PA_EINPUT for bytes that are no records;
 * PA_EWRITE (disk full, read-only, somebody else appended), and the store goes on as before. */
int pa_store_append(struct pa_store *store, const void *records, size_t size,
                    struct pa_error *error);

uint64_t pa_store_count(const struct pa_store *store);
/* r of the last record: H("session", declaration bytes) chained over all records; zeros in an empty
 * store. */
void pa_store_head(const struct pa_store *store, uint8_t out[PA_RECORD_HASH_BYTES]);

/* Call `visit` with each record in order, k = `index` from 1, and the chain value *before* it; a
 * non-zero return stops and is passed on. Views are valid inside the call only. */
typedef int (*pa_store_visit)(void *context, uint64_t index, const struct pa_record *record,
                              const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error);
int pa_store_each(struct pa_store *store, pa_store_visit visit, void *context,
                  struct pa_error *error);

/* Open a store that another connection, perhaps of this very process, goes on writing; nothing of
 * it is read yet. PA_ENOINPUT, PA_EINPUT; also while it is being made: try again. */
int pa_store_open_beside(const char *path, struct pa_store **out, struct pa_error *error);
/* Visit the records that have come since the last call, checking that the chain goes on; what was
 * visited before an error or a non-zero return is not visited again. The writer never waits. */
int pa_store_follow(struct pa_store *store, pa_store_visit visit, void *context,
                    struct pa_error *error);

/* All records as one transcript, as they are exported and sent. */
int pa_store_export(struct pa_store *store, struct pa_buffer *out, struct pa_error *error);

#endif
