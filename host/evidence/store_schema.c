/* SPDX-License-Identifier: Apache-2.0 */
/* store_schema.c - the tables and views of evidence.db, and whether a file has exactly these.
 *
 * A hostile file may hold a view or a virtual table called `record`, triggers, generated columns or
 * defaults that run code. None of them survives the comparison with a fresh schema in memory, which
 * comes before the first query.
 */
#include "evidence/store_inside.h"

#include <string.h>

static const char schema[] =
    "CREATE TABLE record_type (type INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;\n"
    "CREATE TABLE record (\n"
    "  k INTEGER PRIMARY KEY CHECK (k >= 1),\n"
    "  type INTEGER NOT NULL REFERENCES record_type (type),\n"
    "  epoch INTEGER,\n"
    "  raw_ns INTEGER,\n"
    "  utc_ns INTEGER,\n"
    "  payload BLOB NOT NULL,\n"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32)\n"
    ") STRICT;\n"
    "CREATE VIEW transcript AS\n"
    "  SELECT k, name, epoch, datetime(utc_ns / 1000000000, 'unixepoch') AS utc,\n"
    "         length(payload) AS bytes, lower(hex(hash)) AS r\n"
    "  FROM record JOIN record_type USING (type) ORDER BY k;\n"
    "CREATE VIEW epochs AS\n"
    "  SELECT nonce.epoch AS epoch, datetime(nonce.utc_ns / 1000000000, 'unixepoch') AS t0_utc,\n"
    "         (root.raw_ns - nonce.raw_ns) / 1e9 AS seconds,\n"
    "         lower(hex(substr(root.payload, 25, 32))) AS root\n"
    "  FROM record AS nonce LEFT JOIN record AS root\n"
    "    ON root.epoch = nonce.epoch AND root.type = 3\n"
    "  WHERE nonce.type = 2 ORDER BY nonce.k;\n"
    "CREATE VIEW openings AS\n"
    "  SELECT epoch, count(*) AS openings, sum(length(payload)) AS bytes\n"
    "  FROM record WHERE type = 6 GROUP BY epoch ORDER BY epoch;\n"
    "CREATE VIEW notes AS\n"
    "  SELECT k, epoch, datetime(utc_ns / 1000000000, 'unixepoch') AS utc,\n"
    "         CAST(substr(payload, 25) AS TEXT) AS json\n"
    "  FROM record WHERE type = 10 ORDER BY k;\n";

static int run(sqlite3 *database, const char *sql) {
    return sqlite3_exec(database, sql, NULL, NULL, NULL);
}

int pa_store_harden(struct pa_store *store, struct pa_error *error) {
    sqlite3 *database = store->database;
    sqlite3_extended_result_codes(database, 1);
    sqlite3_busy_timeout(database, 5000);
    sqlite3_limit(database, SQLITE_LIMIT_LENGTH, PA_RECORD_MOST_BYTES + 4096);
    sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
    int result = sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    if (result == SQLITE_OK)
        result = run(database, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;"
                               "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;");
    return result == SQLITE_OK ? PA_OK : pa_store_fail(store, result, false, error);
}

static int name_types(sqlite3 *database) {
    sqlite3_stmt *insert = NULL;
    int result =
        sqlite3_prepare_v2(database, "INSERT INTO record_type VALUES (?, ?)", -1, &insert, NULL);
    for (uint32_t type = PA_RECORD_SESSION; result == SQLITE_OK && type <= PA_RECORD_SIGNATURE;
         type++) {
        sqlite3_bind_int64(insert, 1, type);
        sqlite3_bind_text(insert, 2, pa_record_type_name(type), -1, SQLITE_STATIC);
        sqlite3_step(insert);
        result = sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return result;
}

int pa_store_schema_make(struct pa_store *store, struct pa_error *error) {
    char identity[96];
    sqlite3_snprintf(sizeof identity, identity,
                     "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                     PA_STORE_APPLICATION_ID, PA_STORE_SCHEMA_VERSION);
    int result = run(store->database, "BEGIN IMMEDIATE");
    if (result == SQLITE_OK)
        result = run(store->database, schema);
    if (result == SQLITE_OK)
        result = name_types(store->database);
    if (result == SQLITE_OK)
        result = run(store->database, identity);
    if (result == SQLITE_OK)
        result = run(store->database, "COMMIT");
    return result == SQLITE_OK ? PA_OK : pa_store_fail(store, result, true, error);
}

static int pragma_value(struct pa_store *store, const char *sql, int64_t *out,
                        struct pa_error *error) {
    sqlite3_stmt *query = NULL;
    int result = sqlite3_prepare_v2(store->database, sql, -1, &query, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(query);
    *out = result == SQLITE_ROW ? sqlite3_column_int64(query, 0) : 0;
    sqlite3_finalize(query);
    return result == SQLITE_ROW ? PA_OK : pa_store_fail(store, result, false, error);
}

static int check_identity(struct pa_store *store, struct pa_error *error) {
    int64_t application, version;
    PA_TRY(pragma_value(store, "PRAGMA application_id", &application, error));
    PA_TRY(pragma_value(store, "PRAGMA user_version", &version, error));
    if (application != PA_STORE_APPLICATION_ID)
        return pa_fail(error, PA_EINPUT, "evidence %s: an SQLite file, but not one of petaudit",
                       store->path);
    if (version != PA_STORE_SCHEMA_VERSION)
        return pa_fail(
            error, PA_EINPUT,
            "evidence %s: its schema version is %lld and this petaudit reads %d; use the "
            "petaudit that wrote it",
            store->path, (long long)version, PA_STORE_SCHEMA_VERSION);
    return PA_OK;
}

static bool same_text(sqlite3_stmt *a, sqlite3_stmt *b, int column) {
    if (sqlite3_column_type(a, column) != sqlite3_column_type(b, column))
        return false;
    int bytes = sqlite3_column_bytes(a, column);
    if (bytes != sqlite3_column_bytes(b, column))
        return false;
    return bytes == 0 || memcmp(sqlite3_column_blob(a, column), sqlite3_column_blob(b, column),
                                (size_t)bytes) == 0;
}

/* Row by row; the automatic index of record_type is among the rows. */
static bool same_schema(sqlite3 *database, sqlite3 *reference) {
    static const char sql[] = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name";
    sqlite3_stmt *ours = NULL, *theirs = NULL;
    bool is_same = sqlite3_prepare_v2(reference, sql, -1, &ours, NULL) == SQLITE_OK &&
                   sqlite3_prepare_v2(database, sql, -1, &theirs, NULL) == SQLITE_OK;
    while (is_same) {
        int our_result = sqlite3_step(ours);
        is_same = sqlite3_step(theirs) == our_result;
        if (our_result != SQLITE_ROW)
            break;
        for (int column = 0; is_same && column < 4; column++)
            is_same = same_text(ours, theirs, column);
    }
    sqlite3_finalize(ours);
    sqlite3_finalize(theirs);
    return is_same;
}

int pa_store_schema_check(struct pa_store *store, struct pa_error *error) {
    PA_TRY(check_identity(store, error));
    sqlite3 *reference = NULL;
    int result =
        sqlite3_open_v2(":memory:", &reference, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (result == SQLITE_OK)
        result = run(reference, schema);
    bool is_same = result == SQLITE_OK && same_schema(store->database, reference);
    sqlite3_close(reference);
    if (result != SQLITE_OK)
        return pa_fail(error, PA_EMEMORY, "evidence %s: %s", store->path, sqlite3_errstr(result));
    if (!is_same)
        return pa_fail(
            error, PA_EINPUT,
            "evidence %s: its tables are not those of an evidence file; somebody changed "
            "them",
            store->path);
    return PA_OK;
}
