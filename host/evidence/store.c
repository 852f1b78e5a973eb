/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - evidence.db: making, opening, appending, closing. */
#include "base/file.h"
#include "evidence/store_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int pa_store_fail(const struct pa_store *store, int result, bool is_writing,
                  struct pa_error *error) {
    int code = is_writing ? PA_EWRITE : PA_EINPUT;
    if ((result & 0xFF) == SQLITE_NOMEM)
        code = PA_EMEMORY;
    const char *what = store->database != NULL && sqlite3_errcode(store->database) == result
                           ? sqlite3_errmsg(store->database)
                           : sqlite3_errstr(result);
    const char *advice = (result & 0xFF) == SQLITE_FULL   ? "; make room and use --resume"
                         : (result & 0xFF) == SQLITE_BUSY ? "; another process is writing to it"
                         : result == SQLITE_CONSTRAINT_PRIMARYKEY
                             ? "; another process has appended to it"
                             : "";
    return pa_fail(error, code, "evidence %s: %s%s", store->path, what, advice);
}

static int store_new(const char *path, struct pa_store **out, struct pa_error *error) {
    struct pa_store *store = calloc(1, sizeof *store);
    *out = NULL;
    if (store == NULL)
        return pa_fail(error, PA_EMEMORY, "evidence %s: out of memory", path);
    if (strlen(path) >= sizeof store->path) {
        free(store);
        return pa_fail(error, PA_EINPUT, "evidence: a path of %zu bytes is too long", strlen(path));
    }
    strcpy(store->path, path);
    *out = store;
    return PA_OK;
}

void pa_store_close(struct pa_store *store) {
    if (store == NULL)
        return;
    sqlite3_finalize(store->insert);
    /* The last connection to close writes the -wal back into the file and removes it. */
    sqlite3_close(store->database);
    free(store);
}

static int connect_store(struct pa_store *store, int flags, struct pa_error *error) {
    int result = sqlite3_open_v2(store->path, &store->database, flags, NULL);
    if (result != SQLITE_OK)
        return pa_store_fail(store, result, (flags & SQLITE_OPEN_READWRITE) != 0, error);
    return pa_store_harden(store, error);
}

/* For a file that nobody writes: SQLite then makes no -shm file and needs no lock, which works on
 * read-only media and leaves nothing behind. */
static int connect_immutable(struct pa_store *store, struct pa_error *error) {
    char uri[3 * sizeof store->path + 32];
    size_t used = (size_t)snprintf(uri, sizeof uri, "file:");
    for (const char *c = store->path; *c != '\0'; c++) {
        bool is_plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                        (*c >= '0' && *c <= '9') || strchr("/-_.", *c) != NULL;
        used += (size_t)snprintf(uri + used, sizeof uri - used, is_plain ? "%c" : "%%%02X",
                                 (unsigned char)*c);
    }
    snprintf(uri + used, sizeof uri - used, "?immutable=1");
    int result =
        sqlite3_open_v2(uri, &store->database, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    if (result != SQLITE_OK)
        return pa_store_fail(store, result, false, error);
    return pa_store_harden(store, error);
}

/* Every append is synced before it returns. */
static int use_wal(struct pa_store *store, struct pa_error *error) {
    int result = sqlite3_exec(store->database,
                              "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL;",
                              NULL, NULL, NULL);
    return result == SQLITE_OK ? PA_OK : pa_store_fail(store, result, true, error);
}

static int prepare_insert(struct pa_store *store, struct pa_error *error) {
    int result =
        sqlite3_prepare_v3(store->database, "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)", -1,
                           SQLITE_PREPARE_PERSISTENT, &store->insert, NULL);
    return result == SQLITE_OK ? PA_OK : pa_store_fail(store, result, true, error);
}

/* The new name must survive a power cut as well as the content. */
static void sync_folder_of(const char *path) {
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    memcpy(folder, path, length);
    folder[length] = '\0';
    int fd = open(length == 0 ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static int fill_new(struct pa_store *store, struct pa_error *error) {
    PA_TRY(connect_store(store, SQLITE_OPEN_READWRITE, error));
    PA_TRY(use_wal(store, error));
    PA_TRY(pa_store_schema_make(store, error));
    return prepare_insert(store, error);
}

int pa_store_create(const char *path, struct pa_store **out, struct pa_error *error) {
    struct pa_store *store;
    *out = NULL;
    PA_TRY(store_new(path, &store, error));
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        int code = pa_fail(error, PA_EWRITE, "evidence %s: %s%s", path, strerror(errno),
                           errno == EEXIST ? "; choose another --out, or --resume it" : "");
        pa_store_close(store);
        return code;
    }
    close(fd);
    int code = fill_new(store, error);
    if (code != PA_OK) {
        pa_store_close(store);
        unlink(path);
        return code;
    }
    sync_folder_of(path);
    *out = store;
    return PA_OK;
}

static int check_file(const char *path, struct pa_error *error) {
    struct stat facts;
    if (stat(path, &facts) != 0)
        return pa_fail(error, PA_ENOINPUT, "evidence %s: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return pa_fail(error, PA_EINPUT, "evidence %s: not a regular file", path);
    if (access(path, R_OK) != 0)
        return pa_fail(error, PA_ENOINPUT, "evidence %s: %s", path, strerror(errno));
    return PA_OK;
}

/* SQLite's own structures: a damaged page could otherwise hide records at the end of the chain. */
static int check_pages(struct pa_store *store, struct pa_error *error) {
    sqlite3_stmt *query = NULL;
    char found[200] = "it cannot be read";
    int result = sqlite3_prepare_v2(store->database, "PRAGMA quick_check(1)", -1, &query, NULL);
    if (result == SQLITE_OK && (result = sqlite3_step(query)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(query, 0);
        pa_printable(found, sizeof found, text == NULL ? "" : text);
    }
    sqlite3_finalize(query);
    if (strcmp(found, "ok") == 0)
        return PA_OK;
    return pa_fail(error, PA_EINVALID, "evidence %s: the file is damaged: %s", store->path, found);
}

static int check_content(struct pa_store *store, struct pa_error *error) {
    PA_TRY(pa_store_schema_check(store, error));
    PA_TRY(check_pages(store, error));
    return pa_store_walk(store, NULL, NULL, &store->count, &store->head, error);
}

int pa_store_open(const char *path, struct pa_store **out, struct pa_error *error) {
    struct pa_store *store;
    *out = NULL;
    PA_TRY(check_file(path, error));
    PA_TRY(store_new(path, &store, error));
    int code = connect_store(store, SQLITE_OPEN_READWRITE, error);
    if (code == PA_OK)
        code = check_content(store, error);
    /* Only now, when the file is known to be ours, may anything be written to it. */
    if (code == PA_OK)
        code = use_wal(store, error);
    if (code == PA_OK)
        code = prepare_insert(store, error);
    if (code != PA_OK) {
        pa_store_close(store);
        return code;
    }
    *out = store;
    return PA_OK;
}

static bool has_wal(const char *path) {
    char name[4096 + 8];
    struct stat facts;
    snprintf(name, sizeof name, "%s-wal", path);
    return stat(name, &facts) == 0 && facts.st_size > 0;
}

int pa_store_open_readonly(const char *path, struct pa_store **out, struct pa_error *error) {
    struct pa_store *store;
    *out = NULL;
    PA_TRY(check_file(path, error));
    PA_TRY(store_new(path, &store, error));
    bool is_alive = has_wal(path);
    int code = is_alive ? connect_store(store, SQLITE_OPEN_READONLY, error)
                        : connect_immutable(store, error);
    if (code == PA_OK)
        code = check_content(store, error);
    if (code != PA_OK) {
        if (is_alive && sqlite3_errcode(store->database) == SQLITE_CANTOPEN)
            pa_fail(error, code,
                    "evidence %s: its last records are in %s-wal, which cannot be read in a "
                    "read-only folder; copy both files to a folder that can be written",
                    path, path);
        pa_store_close(store);
        return code;
    }
    *out = store;
    return PA_OK;
}

static int insert_record(struct pa_store *store, uint64_t k, const struct pa_record *record,
                         struct pa_instant at, const struct pa_hash *hash) {
    sqlite3_stmt *insert = store->insert;
    sqlite3_bind_int64(insert, 1, (sqlite3_int64)k);
    sqlite3_bind_int64(insert, 2, record->type);
    if (record->epoch != PA_NO_EPOCH)
        sqlite3_bind_int64(insert, 3, (sqlite3_int64)record->epoch);
    if (at.raw_ns != 0 || at.utc_ns != 0) {
        sqlite3_bind_int64(insert, 4, (sqlite3_int64)at.raw_ns);
        sqlite3_bind_int64(insert, 5, (sqlite3_int64)at.utc_ns);
    }
    sqlite3_bind_blob64(insert, 6, record->payload, record->length, SQLITE_STATIC);
    sqlite3_bind_blob64(insert, 7, hash->bytes, sizeof hash->bytes, SQLITE_STATIC);
    sqlite3_step(insert);
    int result = sqlite3_reset(insert);
    sqlite3_clear_bindings(insert);
    return result;
}

/* All records of `data` inside one open transaction; `count` and `head` move along. */
static int insert_all(struct pa_store *store, const void *data, size_t size, uint64_t *count,
                      struct pa_hash *head, struct pa_error *error) {
    struct pa_reader reader = pa_reader_over(data, size);
    while (reader.left > 0) {
        struct pa_record record;
        struct pa_instant at;
        PA_TRY(pa_record_next(&reader, &record, error));
        PA_TRY(pa_record_check(&record, &at, error));
        if ((*count == 0) != (record.type == PA_RECORD_SESSION))
            return pa_fail(error, PA_EINPUT, "evidence %s: %s", store->path,
                           *count == 0 ? "its first record must be a SESSION"
                                       : "it holds a SESSION already");
        if (*count == 0)
            PA_TRY(pa_store_session(head, &record, error));
        pa_store_link(head, head, &record);
        ++*count;
        int result = insert_record(store, *count, &record, at, head);
        if (result != SQLITE_OK)
            return pa_store_fail(store, result, true, error);
    }
    return PA_OK;
}

int pa_store_append(struct pa_store *store, const void *records, size_t size,
                    struct pa_error *error) {
    if (store->insert == NULL)
        return pa_fail(error, PA_EWRITE, "evidence %s: it is open for reading only", store->path);
    uint64_t count = store->count;
    struct pa_hash head = store->head;
    int result = sqlite3_exec(store->database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (result != SQLITE_OK)
        return pa_store_fail(store, result, true, error);
    int code = insert_all(store, records, size, &count, &head, error);
    if (code == PA_OK) {
        result = sqlite3_exec(store->database, "COMMIT", NULL, NULL, NULL);
        if (result != SQLITE_OK)
            code = pa_store_fail(store, result, true, error);
    }
    if (code != PA_OK) {
        /* SQLite has rolled back by itself after some failures. */
        if (!sqlite3_get_autocommit(store->database))
            sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
        return code;
    }
    store->count = count;
    store->head = head;
    return PA_OK;
}

uint64_t pa_store_count(const struct pa_store *store) {
    return store->count;
}

void pa_store_head(const struct pa_store *store, uint8_t out[PA_RECORD_HASH_BYTES]) {
    memcpy(out, store->head.bytes, PA_RECORD_HASH_BYTES);
}

int pa_store_each(struct pa_store *store, pa_store_visit visit, void *context,
                  struct pa_error *error) {
    uint64_t count = 0;
    struct pa_hash head = {0};
    return pa_store_walk(store, visit, context, &count, &head, error);
}

int pa_store_open_beside(const char *path, struct pa_store **out, struct pa_error *error) {
    struct pa_store *store;
    *out = NULL;
    PA_TRY(check_file(path, error));
    PA_TRY(store_new(path, &store, error));
    /* Never as immutable: closing such a connection would drop the locks that this process holds on
     * the file through another one. */
    int code = connect_store(store, SQLITE_OPEN_READWRITE, error);
    if (code == PA_OK) {
        int result = sqlite3_exec(store->database, "PRAGMA query_only = ON", NULL, NULL, NULL);
        code = result == SQLITE_OK ? PA_OK : pa_store_fail(store, result, false, error);
    }
    if (code == PA_OK)
        code = pa_store_schema_check(store, error);
    if (code != PA_OK) {
        pa_store_close(store);
        return code;
    }
    *out = store;
    return PA_OK;
}

int pa_store_follow(struct pa_store *store, pa_store_visit visit, void *context,
                    struct pa_error *error) {
    return pa_store_walk(store, visit, context, &store->count, &store->head, error);
}

static int export_record(void *context, uint64_t index, const struct pa_record *record,
                         const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    (void)index;
    (void)before;
    struct pa_buffer *out = context;
    pa_buffer_u32(out, (uint32_t)record->type);
    pa_buffer_u32(out, record->length);
    pa_buffer_bytes(out, record->payload, record->length);
    return out->failed ? pa_fail(error, PA_EMEMORY, "exporting evidence: out of memory") : PA_OK;
}

int pa_store_export(struct pa_store *store, struct pa_buffer *out, struct pa_error *error) {
    return pa_store_each(store, export_record, out, error);
}
