/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.db: what goes in comes out, and what is no evidence file is refused. */
#include "cmocka_setup.h"

#include "base/file.h"
#include "proof/hash.h"
#include "record_samples.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char path[128];

static int set_up(void **state) {
    (void)state;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    chmod(folder, 0700);
    remove_folder(folder);
    return 0;
}

static struct pa_store *created_with_samples(struct pa_buffer *samples) {
    struct pa_store *store;
    struct pa_error error = {0};
    put_samples(samples);
    assert_int_equal(pa_store_create(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_append(store, samples->data, samples->size, &error), PA_OK);
    return store;
}

static bool exists(const char *suffix) {
    char name[160];
    struct stat facts;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &facts) == 0;
}

static void what_was_appended_is_exported(void **state) {
    (void)state;
    struct pa_buffer samples = {0}, out = {0};
    struct pa_error error = {0};
    struct pa_store *store = created_with_samples(&samples);
    uint8_t head[32], again[32];
    assert_int_equal(pa_store_count(store), 14);
    pa_store_head(store, head);
    pa_store_close(store);
    assert_int_equal(pa_store_open(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_count(store), 14);
    pa_store_head(store, again);
    assert_memory_equal(head, again, 32);
    assert_int_equal(pa_store_export(store, &out, &error), PA_OK);
    assert_int_equal(out.size, samples.size);
    assert_memory_equal(out.data, samples.data, out.size);
    pa_store_close(store);
    pa_buffer_free(&samples);
    pa_buffer_free(&out);
}

static void one_by_one_gives_the_same_chain(void **state) {
    (void)state;
    struct pa_buffer samples = {0};
    struct pa_error error = {0};
    struct pa_store *store = created_with_samples(&samples);
    uint8_t head[32], again[32];
    pa_store_head(store, head);
    pa_store_close(store);
    unlink(path);
    assert_int_equal(pa_store_create(path, &store, &error), PA_OK);
    for (size_t at = 0; at < samples.size;) {
        size_t size = PA_RECORD_HEADER_BYTES + pa_le32(samples.data + at + 4);
        assert_int_equal(pa_store_append(store, samples.data + at, size, &error), PA_OK);
        at += size;
    }
    pa_store_head(store, again);
    assert_memory_equal(head, again, 32);
    pa_store_close(store);
    pa_buffer_free(&samples);
}

/* The chain written out by hand, from docs/protocol.md. */
static void the_chain_is_that_of_the_protocol(void **state) {
    (void)state;
    struct pa_store *store;
    struct pa_error error = {0};
    struct pa_buffer records = {0};
    put_sample_session(&records);
    size_t session_bytes = records.size;
    put_sample_note(&records, 0, 10);
    assert_int_equal(pa_store_create(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_append(store, records.data, records.size, &error), PA_OK);
    struct pa_hash r;
    pa_hash_bytes(&r, "session", "declaration", 11);
    const struct pa_piece first[] = {{r.bytes, 32}, {records.data, session_bytes}};
    struct pa_hash r1, r2;
    pa_hash_pieces(&r1, "record", first, 2);
    const struct pa_piece second[] = {{r1.bytes, 32},
                                      {records.data + session_bytes, records.size - session_bytes}};
    pa_hash_pieces(&r2, "record", second, 2);
    uint8_t head[32];
    pa_store_head(store, head);
    assert_memory_equal(head, r2.bytes, 32);
    pa_store_close(store);
    pa_buffer_free(&records);
}

static void the_file_stands_alone_once_it_is_closed(void **state) {
    (void)state;
    struct pa_buffer samples = {0};
    struct pa_error error = {0};
    struct pa_store *store = created_with_samples(&samples);
    pa_store_close(store);
    assert_true(exists(""));
    assert_false(exists("-wal"));
    assert_false(exists("-shm"));
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    assert_false(exists("-wal"));
    assert_false(exists("-shm"));
    assert_int_equal(pa_store_append(store, samples.data, samples.size, &error), PA_EWRITE);
    pa_store_close(store);
    assert_false(exists("-wal"));
    assert_false(exists("-shm"));
    pa_buffer_free(&samples);
}

static void a_reader_sees_what_a_living_audit_wrote(void **state) {
    (void)state;
    struct pa_buffer samples = {0};
    struct pa_error error = {0};
    struct pa_store *writer = created_with_samples(&samples), *reader;
    assert_int_equal(pa_store_open_readonly(path, &reader, &error), PA_OK);
    assert_int_equal(pa_store_count(reader), 14);
    pa_store_close(reader);
    pa_store_close(writer);
    pa_buffer_free(&samples);
}

static void a_file_that_is_there_is_not_overwritten(void **state) {
    (void)state;
    struct pa_buffer samples = {0};
    struct pa_error error = {0};
    struct pa_store *store = created_with_samples(&samples), *second;
    assert_int_equal(pa_store_create(path, &second, &error), PA_EWRITE);
    assert_non_null(strstr(error.text, "--resume"));
    assert_null(second);
    pa_store_close(store);
    assert_int_equal(pa_store_create("/nonexistent/x.db", &second, &error), PA_EWRITE);
    pa_buffer_free(&samples);
}

static void a_session_comes_first_and_once(void **state) {
    (void)state;
    struct pa_store *store;
    struct pa_error error = {0};
    struct pa_buffer note = {0}, session = {0};
    put_sample_note(&note, 0, 5);
    put_sample_session(&session);
    assert_int_equal(pa_store_create(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_append(store, note.data, note.size, &error), PA_EINPUT);
    assert_int_equal(pa_store_count(store), 0);
    assert_int_equal(pa_store_append(store, session.data, session.size, &error), PA_OK);
    assert_int_equal(pa_store_append(store, session.data, session.size, &error), PA_EINPUT);
    assert_int_equal(pa_store_append(store, note.data, note.size, &error), PA_OK);
    assert_int_equal(pa_store_count(store), 2);
    pa_store_close(store);
    pa_buffer_free(&note);
    pa_buffer_free(&session);
}

static void all_records_of_an_append_or_none(void **state) {
    (void)state;
    struct pa_store *store;
    struct pa_error error = {0};
    struct pa_buffer records = {0};
    put_samples(&records);
    assert_int_equal(pa_store_create(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_append(store, records.data, records.size - 1, &error), PA_EINPUT);
    assert_int_equal(pa_store_count(store), 0);
    pa_store_close(store);
    assert_int_equal(pa_store_open(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_count(store), 0);
    pa_store_close(store);
    pa_buffer_free(&records);
}

static void two_writers_do_not_mix_their_records(void **state) {
    (void)state;
    struct pa_store *first, *second;
    struct pa_error error = {0};
    struct pa_buffer session = {0}, note = {0};
    put_sample_session(&session);
    put_sample_note(&note, 0, 5);
    assert_int_equal(pa_store_create(path, &first, &error), PA_OK);
    assert_int_equal(pa_store_append(first, session.data, session.size, &error), PA_OK);
    assert_int_equal(pa_store_open(path, &second, &error), PA_OK);
    assert_int_equal(pa_store_append(second, note.data, note.size, &error), PA_OK);
    assert_int_equal(pa_store_append(first, note.data, note.size, &error), PA_EWRITE);
    assert_non_null(strstr(error.text, "another process"));
    pa_store_close(first);
    pa_store_close(second);
    pa_buffer_free(&session);
    pa_buffer_free(&note);
}

/* A file size limit stops write() as a full disk does; SIGXFSZ must be ignored for it. */
static void a_full_disk_leaves_a_store_that_can_be_read(void **state) {
    (void)state;
    struct pa_buffer samples = {0}, big = {0}, small = {0}, out = {0};
    struct pa_error error = {0};
    struct pa_store *store = created_with_samples(&samples);
    put_sample_note(&big, 4, 300000);
    put_sample_note(&small, 5, 10);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before, tight;
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    tight.rlim_cur = 150000;
    setrlimit(RLIMIT_FSIZE, &tight);
    assert_int_equal(pa_store_append(store, big.data, big.size, &error), PA_EWRITE);
    assert_non_null(strstr(error.text, path));
    assert_int_equal(pa_store_count(store), 14);
    assert_int_equal(pa_store_export(store, &out, &error), PA_OK);
    assert_int_equal(out.size, samples.size);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(pa_store_append(store, small.data, small.size, &error), PA_OK);
    assert_int_equal(pa_store_append(store, big.data, big.size, &error), PA_OK);
    pa_store_close(store);
    assert_int_equal(pa_store_open(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_count(store), 16);
    pa_store_close(store);
    pa_buffer_free(&samples);
    pa_buffer_free(&big);
    pa_buffer_free(&small);
    pa_buffer_free(&out);
}

/* As root permissions stop nothing, and the test says less. */
static void a_read_only_folder_is_enough_to_read(void **state) {
    (void)state;
    struct pa_buffer samples = {0};
    struct pa_error error = {0};
    struct pa_store *store = created_with_samples(&samples);
    pa_store_close(store);
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(chmod(folder, 0500), 0);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_count(store), 14);
    pa_store_close(store);
    if (geteuid() != 0)
        assert_int_equal(pa_store_open(path, &store, &error), PA_EWRITE);
    pa_buffer_free(&samples);
}

static void odd_characters_in_a_path_are_no_options(void **state) {
    (void)state;
    struct pa_buffer session = {0};
    struct pa_error error = {0};
    struct pa_store *store;
    snprintf(path, sizeof path, "%s/a?mode=memory&x=%%41#b c.db", folder);
    put_sample_session(&session);
    assert_int_equal(pa_store_create(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_append(store, session.data, session.size, &error), PA_OK);
    pa_store_close(store);
    assert_true(exists(""));
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_count(store), 1);
    pa_store_close(store);
    pa_buffer_free(&session);
}

static void change_with_sql(const char *sql) {
    sqlite3 *database;
    char *message = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    if (sqlite3_exec(database, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(database);
}

static void changed_evidence_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *sql;
        int code;
    } cases[] = {
        {"UPDATE record SET payload = zeroblob(length(payload)) WHERE k = 4", PA_EINVALID},
        {"UPDATE record SET type = 5 WHERE k = 6", PA_EINVALID},
        {"UPDATE record SET epoch = 4 WHERE k = 2", PA_EINVALID},
        {"UPDATE record SET epoch = NULL WHERE k = 2", PA_EINVALID},
        {"UPDATE record SET raw_ns = raw_ns + 1 WHERE k = 3", PA_EINVALID},
        {"UPDATE record SET utc_ns = 5 WHERE k = 5", PA_EINVALID},
        {"UPDATE record SET hash = zeroblob(32) WHERE k = 14", PA_EINVALID},
        {"DELETE FROM record WHERE k = 5", PA_EINVALID},
        {"DELETE FROM record WHERE k = 1", PA_EINVALID},
        {"UPDATE record SET k = 15 WHERE k = 14", PA_EINVALID},
        {"UPDATE record SET k = 99 WHERE k = 3; UPDATE record SET k = 3 WHERE k = 4;"
         "UPDATE record SET k = 4 WHERE k = 99",
         PA_EINVALID},
        {"PRAGMA application_id = 1", PA_EINPUT},
        {"PRAGMA user_version = 2", PA_EINPUT},
        {"CREATE TABLE other (x)", PA_EINPUT},
        {"CREATE TRIGGER t AFTER INSERT ON record BEGIN SELECT 1; END", PA_EINPUT},
        {"CREATE INDEX i ON record (type)", PA_EINPUT},
        {"DROP VIEW notes", PA_EINPUT},
        {"DROP TABLE record", PA_EINPUT},
        {"ALTER TABLE record ADD COLUMN more ANY", PA_EINPUT},
        {"ALTER TABLE record RENAME TO r; CREATE VIEW record AS SELECT * FROM r", PA_EINPUT},
        {"PRAGMA legacy_alter_table = ON; CREATE TABLE r AS SELECT * FROM record; "
         "DROP TABLE record; "
         "ALTER TABLE r RENAME TO record",
         PA_EINPUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pa_buffer samples = {0};
        struct pa_error error = {0};
        pa_store_close(created_with_samples(&samples));
        change_with_sql(cases[i].sql);
        struct pa_store *store;
        if (pa_store_open(path, &store, &error) != cases[i].code ||
            pa_store_open_readonly(path, &store, &error) != cases[i].code)
            fail_msg("%s: %d %s", cases[i].sql, error.code, error.text);
        assert_non_null(strstr(error.text, path));
        unlink(path);
        pa_buffer_free(&samples);
    }
}

static void write_file(const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

static void what_is_no_evidence_is_refused(void **state) {
    (void)state;
    struct pa_store *store;
    struct pa_error error = {0};
    assert_int_equal(pa_store_open(path, &store, &error), PA_ENOINPUT);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_ENOINPUT);
    assert_int_equal(pa_store_open(folder, &store, &error), PA_EINPUT);
    assert_int_equal(pa_store_open("/dev/zero", &store, &error), PA_EINPUT);
    write_file("", 0);
    assert_int_equal(pa_store_open(path, &store, &error), PA_EINPUT);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_EINPUT);
    write_file("center: x\n", 10);
    assert_int_equal(pa_store_open(path, &store, &error), PA_EINPUT);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_EINPUT);
    assert_int_equal(truncate(path, (off_t)1 << 40), 0);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_EINPUT);
    unlink(path);
    change_with_sql("CREATE TABLE record (k, type, epoch, payload, hash)");
    assert_int_equal(pa_store_open(path, &store, &error), PA_EINPUT);
    assert_null(store);
}

static void a_foreign_file_is_not_written_to(void **state) {
    (void)state;
    struct pa_store *store;
    struct pa_error error = {0};
    change_with_sql("CREATE TABLE mine (x); INSERT INTO mine VALUES (1)");
    struct pa_buffer before = {0}, after = {0};
    assert_int_equal(pa_file_read(path, 1 << 20, &before, &error), PA_OK);
    assert_int_equal(pa_store_open(path, &store, &error), PA_EINPUT);
    assert_int_equal(pa_file_read(path, 1 << 20, &after, &error), PA_OK);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    pa_buffer_free(&before);
    pa_buffer_free(&after);
}

static int stop_at_third(void *context, uint64_t index, const struct pa_record *record,
                         const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    (void)record;
    (void)before;
    (void)error;
    *(uint64_t *)context = index;
    return index == 3 ? -77 : 0;
}

static void a_visitor_can_stop(void **state) {
    (void)state;
    struct pa_buffer samples = {0};
    struct pa_store *store = created_with_samples(&samples);
    uint64_t seen = 0;
    assert_int_equal(pa_store_each(store, stop_at_third, &seen, NULL), -77);
    assert_int_equal(seen, 3);
    pa_store_close(store);
    pa_buffer_free(&samples);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(what_was_appended_is_exported),
        IN_A_FOLDER(one_by_one_gives_the_same_chain),
        IN_A_FOLDER(the_chain_is_that_of_the_protocol),
        IN_A_FOLDER(the_file_stands_alone_once_it_is_closed),
        IN_A_FOLDER(a_reader_sees_what_a_living_audit_wrote),
        IN_A_FOLDER(a_file_that_is_there_is_not_overwritten),
        IN_A_FOLDER(a_session_comes_first_and_once),
        IN_A_FOLDER(all_records_of_an_append_or_none),
        IN_A_FOLDER(two_writers_do_not_mix_their_records),
        IN_A_FOLDER(a_full_disk_leaves_a_store_that_can_be_read),
        IN_A_FOLDER(a_read_only_folder_is_enough_to_read),
        IN_A_FOLDER(odd_characters_in_a_path_are_no_options),
        IN_A_FOLDER(changed_evidence_is_refused),
        IN_A_FOLDER(what_is_no_evidence_is_refused),
        IN_A_FOLDER(a_foreign_file_is_not_written_to),
        IN_A_FOLDER(a_visitor_can_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
