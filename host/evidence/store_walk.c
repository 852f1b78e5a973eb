/* SPDX-License-Identifier: Apache-2.0 */
/* store_walk.c - reading the record log from its first record to its last, trusting no column. */
#include "evidence/store_inside.h"

#include <string.h>

void pa_store_link(struct pa_hash *out, const struct pa_hash *before,
                   const struct pa_record *record) {
    uint8_t header[PA_RECORD_HEADER_BYTES];
    pa_put_le32(header, (uint32_t)record->type);
    pa_put_le32(header + 4, record->length);
    const struct pa_piece pieces[] = {
        {before->bytes, sizeof before->bytes},
        {header, sizeof header},
        {record->payload, record->length},
    };
    struct pa_hash linked;
    pa_hash_pieces(&linked, "record", pieces, sizeof pieces / sizeof pieces[0]);
    *out = linked;
}

int pa_store_session(struct pa_hash *out, const struct pa_record *record, struct pa_error *error) {
    struct pa_session_record session;
    PA_TRY(pa_record_session(record, &session, error));
    pa_hash_bytes(out, "session", session.declaration, session.declaration_bytes);
    return PA_OK;
}

enum column { K, TYPE, EPOCH, RAW, UTC, PAYLOAD, HASH };

/* An integer column that repeats `value` of the payload, or NULL where the payload has none. */
static bool repeats(sqlite3_stmt *query, int column, bool is_told, uint64_t value) {
    if (!is_told)
        return sqlite3_column_type(query, column) == SQLITE_NULL;
    return sqlite3_column_type(query, column) == SQLITE_INTEGER &&
           (uint64_t)sqlite3_column_int64(query, column) == value;
}

/* The record in the current row, and whether the columns beside it tell the truth. */
static int read_row(sqlite3_stmt *query, uint64_t k, struct pa_record *out,
                    struct pa_error *error) {
    if (!repeats(query, K, true, k))
        return pa_fail(error, PA_EINVALID, "it is missing");
    if (sqlite3_column_type(query, TYPE) != SQLITE_INTEGER ||
        sqlite3_column_type(query, PAYLOAD) != SQLITE_BLOB ||
        sqlite3_column_type(query, HASH) != SQLITE_BLOB ||
        sqlite3_column_bytes(query, HASH) != PA_RECORD_HASH_BYTES)
        return pa_fail(error, PA_EINVALID, "a column has the wrong type or size");
    int64_t type = sqlite3_column_int64(query, TYPE);
    const void *payload = sqlite3_column_blob(query, PAYLOAD);
    int bytes = sqlite3_column_bytes(query, PAYLOAD);
    if (payload == NULL || bytes <= 0 || type < 0 || type > UINT32_MAX)
        return pa_fail(error, PA_EINVALID, "it is empty or of an unknown type");
    PA_TRY(pa_record_view((uint32_t)type, payload, (size_t)bytes, out, error));
    struct pa_instant at;
    PA_TRY(pa_record_check(out, &at, error));
    bool has_time = at.raw_ns != 0 || at.utc_ns != 0;
    if (!repeats(query, EPOCH, out->epoch != PA_NO_EPOCH, out->epoch) ||
        !repeats(query, RAW, has_time, at.raw_ns) || !repeats(query, UTC, has_time, at.utc_ns))
        return pa_fail(error, PA_EINVALID, "its columns contradict its payload");
    return PA_OK;
}

/* One row: read, link to the chain, compare. */
static int walk_row(sqlite3_stmt *query, uint64_t k, struct pa_record *record,
                    struct pa_hash *before, struct pa_hash *after, struct pa_error *error) {
    PA_TRY(read_row(query, k, record, error));
    if ((k == 1) != (record->type == PA_RECORD_SESSION))
        return pa_fail(error, PA_EINVALID,
                       k == 1 ? "the first record is not a SESSION" : "a second SESSION");
    if (k == 1)
        PA_TRY(pa_store_session(before, record, error));
    pa_store_link(after, before, record);
    if (memcmp(after->bytes, sqlite3_column_blob(query, HASH), sizeof after->bytes) != 0)
        return pa_fail(error, PA_EINVALID, "the hash chain does not hold");
    return PA_OK;
}

int pa_store_walk(struct pa_store *store, pa_store_visit visit, void *context, uint64_t *count,
                  struct pa_hash *head, struct pa_error *error) {
    static const char sql[] = "SELECT k, type, epoch, raw_ns, utc_ns, payload, hash FROM record "
                              "WHERE k >= ? ORDER BY k";
    sqlite3_stmt *query = NULL;
    struct pa_hash after = {0};
    uint64_t k = *count;
    int code = PA_OK;
    int result = sqlite3_prepare_v2(store->database, sql, -1, &query, NULL);
    if (result != SQLITE_OK) {
        code = pa_store_fail(store, result, false, error);
        goto out;
    }
    /* From the beginning not even a k of 0 or less may hide. */
    sqlite3_bind_int64(query, 1, k == 0 ? INT64_MIN : (sqlite3_int64)k + 1);
    while ((result = sqlite3_step(query)) == SQLITE_ROW) {
        struct pa_record record;
        struct pa_error cause = {0};
        k++;
        if (walk_row(query, k, &record, head, &after, &cause) != PA_OK) {
            code = pa_fail(error, PA_EINVALID, "evidence %s: record %llu: %s", store->path,
                           (unsigned long long)k, cause.text);
            goto out;
        }
        if (visit != NULL && (code = visit(context, k, &record, head->bytes, error)) != PA_OK)
            goto out;
        *head = after;
        *count = k;
    }
    if (result != SQLITE_DONE) {
        code = pa_fail(error, result == SQLITE_NOMEM ? PA_EMEMORY : PA_EINVALID,
                       "evidence %s: reading after record %llu: %s", store->path,
                       (unsigned long long)k, sqlite3_errmsg(store->database));
        goto out;
    }
out:
    sqlite3_finalize(query);
    return code;
}
