/* SPDX-License-Identifier: Apache-2.0 */
/* Those who watch a store: what they are told while it grows, after a restart, and when they are
 * too many. */
#include "cmocka_setup.h"

#include "base/file.h"
#include "live_hall.h"
#include "record_samples.h"
#include "witness/live_page.h"
#include "witness/live_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];

static int set_up(void **state) {
    (void)state;
    make_folder(folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    remove_folder(folder);
    return 0;
}

/* A session's folder; its ticket is dated so many seconds into an epoch of ours. */
static struct pa_store *session_make(const char *name, long seconds) {
    char path[160];
    struct pa_store *store = NULL;
    struct pa_error error = {0};
    const struct timespec times[2] = {{.tv_sec = 1800000000 + seconds},
                                      {.tv_sec = 1800000000 + seconds}};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(pa_directory_make(path, &error), PA_OK);
    snprintf(path, sizeof path, "%s/%s/evidence.db", folder, name);
    assert_int_equal(pa_store_create(path, &store, &error), PA_OK);
    snprintf(path, sizeof path, "%s/%s/ticket", folder, name);
    assert_int_equal(pa_file_write(path, "t", 1, 0600, &error), PA_OK);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    return store;
}

static struct live_hall hall_of(uint32_t devices) {
    return (struct live_hall){.devices = devices,
                              .epochs = 6,
                              .closed = 4,
                              .openings = 10,
                              .end_utc_ns = UINT64_C(1800000000000000000),
                              .epoch_ns = UINT64_C(10000000000)};
}

static struct pa_live *open_live(void) {
    struct pa_live *live = NULL;
    struct pa_error error = {0};
    if (pa_live_open(folder, &live, &error) != PA_OK)
        fail_msg("%s", error.text);
    return live;
}

static struct pa_live_viewer *attach(struct pa_live *live, const char *session) {
    struct pa_live_viewer *viewer = NULL;
    struct pa_error error = {0};
    if (pa_live_attach(live, session, &viewer, &error) != PA_OK)
        fail_msg("%s", error.text);
    return viewer;
}

/* The data of the next event of this kind, of which there may be others before it. */
static json_t *next_event(struct pa_live_viewer *viewer, const char *event) {
    struct pa_buffer out = {0};
    char head[32];
    json_t *data = NULL;
    snprintf(head, sizeof head, "event: %s\ndata: ", event);
    for (int tries = 0; data == NULL && tries < 60; tries++) {
        pa_buffer_clear(&out);
        assert_true(pa_live_next(viewer, &out));
        pa_buffer_bytes(&out, "", 1);
        const char *found = strstr((const char *)out.data, head);
        if (found == NULL)
            continue;
        const char *text = found + strlen(head), *end = strstr(text, "\n\n");
        assert_non_null(end);
        data = json_loadb(text, (size_t)(end - text), 0, NULL);
        assert_non_null(data);
    }
    pa_buffer_free(&out);
    if (data == NULL)
        fail_msg("no event %s came", event);
    return data;
}

static int64_t whole_at(const json_t *object, const char *outer, const char *name) {
    const json_t *value = json_object_get(json_object_get(object, outer), name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

/* The state in which this many epochs are closed; it comes at once or bit by bit. */
static json_t *wait_closed(struct pa_live_viewer *viewer, int64_t closed) {
    for (;;) {
        json_t *message = next_event(viewer, "state");
        if (whole_at(message, "phase", "closed") == closed)
            return message;
        json_decref(message);
    }
}

static void a_viewer_sees_the_session_grow(void **state) {
    (void)state;
    struct pa_buffer records = {0};
    struct pa_error error = {0};
    struct live_hall hall = hall_of(50);
    live_hall_put(&hall, &records);
    struct pa_live *live = open_live();
    struct pa_live_viewer *viewer = attach(live, NULL);
    json_t *message = next_event(viewer, "sessions");
    assert_int_equal(json_array_size(json_object_get(message, "sessions")), 0);
    json_decref(message);
    struct pa_store *store = session_make("0123456789abcdef", 0);
    struct pa_reader reader = pa_reader_over(records.data, records.size);
    int64_t told = 0;
    /* Record by record, as the witness writes; the viewer reads along in the same process. */
    for (uint32_t nonces = 0; nonces < 3 && reader.left > 0;) {
        struct pa_record record;
        const uint8_t *begin = reader.next;
        assert_int_equal(pa_record_next(&reader, &record, &error), PA_OK);
        if (record.type == PA_RECORD_NONCE)
            nonces++;
        assert_int_equal(pa_store_append(store, begin, (size_t)(reader.next - begin), &error),
                         PA_OK);
    }
    message = wait_closed(viewer, 2);
    told = json_integer_value(json_object_get(message, "version"));
    json_decref(message);
    assert_int_equal(pa_store_append(store, reader.next, reader.left, &error), PA_OK);
    message = wait_closed(viewer, 4);
    assert_true(json_is_false(json_object_get(message, "is_whole")));
    assert_true(json_integer_value(json_object_get(message, "version")) > told);
    /* Epoch 2 was under work, 3 and 4 are new. */
    assert_int_equal(json_array_size(json_object_get(message, "epochs")), 3);
    assert_int_equal(json_array_size(json_object_get(message, "devices")), 0);
    json_decref(message);
    pa_live_detach(viewer);
    pa_live_close(live);
    pa_store_close(store);
    pa_buffer_free(&records);
}

static void fill(struct pa_store *store, uint32_t devices) {
    struct pa_buffer records = {0};
    struct pa_error error = {0};
    struct live_hall hall = hall_of(devices);
    live_hall_put(&hall, &records);
    assert_int_equal(pa_store_append(store, records.data, records.size, &error), PA_OK);
    pa_store_close(store);
    pa_buffer_free(&records);
}

static void a_restart_shows_the_same(void **state) {
    (void)state;
    json_t *seen[2];
    fill(session_make("0123456789abcdef", 0), 300);
    for (int round = 0; round < 2; round++) {
        struct pa_live *live = open_live();
        struct pa_live_viewer *viewer = attach(live, "0123456789abcdef");
        seen[round] = wait_closed(viewer, 4);
        assert_true(json_is_true(json_object_get(seen[round], "is_whole")));
        json_object_del(seen[round], "now_ms");
        pa_live_detach(viewer);
        pa_live_close(live);
    }
    assert_true(json_equal(seen[0], seen[1]));
    json_decref(seen[0]);
    json_decref(seen[1]);
}

static void the_latest_session_is_followed(void **state) {
    (void)state;
    fill(session_make("0123456789abcdef", 0), 3);
    struct pa_live *live = open_live();
    struct pa_live_viewer *latest = attach(live, NULL), *first = attach(live, "0123456789abcdef");
    for (int i = 0; i < 2; i++) {
        json_t *message = wait_closed(i == 0 ? latest : first, 4);
        assert_int_equal(whole_at(message, "session", "devices"), 3);
        json_decref(message);
    }
    fill(session_make("fedcba9876543210", 60), 5);
    json_t *message = wait_closed(latest, 4);
    assert_int_equal(whole_at(message, "session", "devices"), 5);
    assert_true(json_is_true(json_object_get(message, "is_whole")));
    json_decref(message);
    message = next_event(first, "sessions");
    json_decref(message);
    pa_live_detach(latest);
    pa_live_detach(first);
    pa_live_close(live);
}

static void a_verdict_is_told_when_it_is_there(void **state) {
    (void)state;
    static const char summary[] = "{\"verdict\": \"FAIL\", \"reason\": \"too little\", \"x\": 1}";
    struct pa_buffer records = {0};
    struct pa_error error = {0};
    struct live_hall hall = hall_of(2);
    char path[160];
    hall.is_finished = hall.is_opened = true;
    live_hall_put(&hall, &records);
    struct pa_store *store = session_make("0123456789abcdef", 0);
    assert_int_equal(pa_store_append(store, records.data, records.size, &error), PA_OK);
    pa_store_close(store);
    struct pa_live *live = open_live();
    struct pa_live_viewer *viewer = attach(live, NULL);
    json_t *message = wait_closed(viewer, 4);
    assert_null(json_object_get(message, "verdict"));
    json_decref(message);
    snprintf(path, sizeof path, "%s/0123456789abcdef/summary.json", folder);
    assert_int_equal(pa_file_write(path, summary, sizeof summary - 1, 0600, &error), PA_OK);
    message = next_event(viewer, "state");
    const json_t *verdict = json_object_get(message, "verdict");
    assert_string_equal(json_string_value(json_object_get(verdict, "verdict")), "FAIL");
    assert_string_equal(json_string_value(json_object_get(verdict, "reason")), "too little");
    assert_null(json_object_get(verdict, "x"));
    json_decref(message);
    pa_live_detach(viewer);
    pa_live_close(live);
    pa_buffer_free(&records);
}

static void nobody_watches_what_is_not_there(void **state) {
    (void)state;
    static const char *const names[] = {
        "0123456789abcdef", "", "..", "../0123456789abcd", "0123456789abcde", "0123456789ABCDEF"};
    struct pa_live *live = open_live();
    struct pa_live_viewer *viewer = NULL;
    struct pa_error error = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(pa_live_attach(live, names[i], &viewer, &error), PA_ENOINPUT);
    pa_live_close(live);
}

static void there_are_never_too_many_viewers(void **state) {
    (void)state;
    struct pa_live *live = open_live();
    struct pa_live_viewer *viewers[PA_LIVE_MOST_VIEWERS], *more = NULL;
    struct pa_error error = {0};
    for (int i = 0; i < PA_LIVE_MOST_VIEWERS; i++)
        viewers[i] = attach(live, NULL);
    assert_int_equal(pa_live_attach(live, NULL, &more, &error), PA_EUNSUPPORTED);
    assert_null(more);
    pa_live_detach(viewers[3]);
    viewers[3] = attach(live, NULL);
    for (int i = 0; i < PA_LIVE_MOST_VIEWERS; i++)
        pa_live_detach(viewers[i]);
    pa_live_close(live);
}

static void a_stop_ends_every_stream(void **state) {
    (void)state;
    struct pa_buffer out = {0};
    struct pa_live *live = open_live();
    struct pa_live_viewer *viewer = attach(live, NULL);
    pa_live_stop(live);
    assert_false(pa_live_next(viewer, &out));
    pa_live_detach(viewer);
    pa_live_close(live);
    pa_buffer_free(&out);
}

static void damaged_evidence_is_told_not_hidden(void **state) {
    (void)state;
    char command[400];
    fill(session_make("0123456789abcdef", 0), 3);
    snprintf(
        command, sizeof command,
        "python3 -c 'import sqlite3; d = sqlite3.connect(\"%s/0123456789abcdef/evidence.db\"); "
        "d.execute(\"UPDATE record SET hash = zeroblob(32) WHERE k = 9\"); d.commit()'",
        folder);
    assert_int_equal(system(command), 0);
    struct pa_live *live = open_live();
    struct pa_live_viewer *viewer = attach(live, NULL);
    json_t *message = next_event(viewer, "state");
    const char *trouble = json_string_value(json_object_get(message, "trouble"));
    assert_non_null(trouble);
    assert_non_null(strstr(trouble, "record 9"));
    json_decref(message);
    pa_live_detach(viewer);
    pa_live_close(live);
}

static void the_token_of_a_store_stays(void **state) {
    (void)state;
    char first[PA_LINK_TOKEN_BYTES], again[PA_LINK_TOKEN_BYTES], path[160];
    struct pa_error error = {0};
    struct stat facts;
    assert_int_equal(pa_live_page_token(folder, first, &error), PA_OK);
    assert_int_equal(pa_live_page_token(folder, again, &error), PA_OK);
    assert_string_equal(first, again);
    snprintf(path, sizeof path, "%s/viewing", folder);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(remove(path), 0);
    assert_int_equal(pa_live_page_token(folder, again, &error), PA_OK);
    assert_string_not_equal(first, again);
    assert_int_equal(pa_file_write(path, "short\n", 6, 0600, &error), PA_OK);
    assert_int_equal(pa_live_page_token(folder, again, &error), PA_EINPUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_viewer_sees_the_session_grow),   TEST(a_restart_shows_the_same),
        TEST(the_latest_session_is_followed),   TEST(a_verdict_is_told_when_it_is_there),
        TEST(nobody_watches_what_is_not_there), TEST(there_are_never_too_many_viewers),
        TEST(a_stop_ends_every_stream),         TEST(damaged_evidence_is_told_not_hidden),
        TEST(the_token_of_a_store_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
