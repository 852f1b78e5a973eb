/* SPDX-License-Identifier: Apache-2.0 */
/* The witness as a server, without the network: requests that come twice, out of turn, from
 * strangers, or are no requests at all; and what is left after it was started anew. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "desk_scene.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t folders(const struct scene *scene) {
    uint32_t count = 0;
    DIR *store = opendir(scene->store);
    assert_non_null(store);
    for (struct dirent *entry; (entry = readdir(store)) != NULL;)
        count += strlen(entry->d_name) == 16 ? 1 : 0;
    closedir(store);
    return count;
}

static void a_session_runs_to_its_judgement(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    begin(&scene);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(challenge(&scene, epoch), PA_OK);
        assert_int_equal(close_idle(&scene, epoch), PA_OK);
    }
    assert_int_equal(ask(&scene, PA_WITNESS_FINISH, NULL, 0), PA_OK);
    assert_int_equal(scene.judged, 1);
    assert_int_equal(ask(&scene, PA_WITNESS_RESULT, NULL, 0), PA_OK);
    assert_int_equal(scene.judged, 1);
    struct pa_reader in = pa_reader_over(scene.read.body, scene.read.size);
    assert_int_equal(pa_read_u16(&in), strlen("test-result.json"));
    /* Nothing can follow the signature; who died before he had the result may come again. */
    for (int again = 0; again < 2; again++) {
        assert_int_equal(challenge(&scene, 3), PA_EWITNESS);
        assert_int_equal(ask(&scene, PA_WITNESS_FINISH, NULL, 0), PA_EWITNESS);
        pa_witness_desk_close(scene.desk);
        open_desk(&scene);
        assert_int_equal(ask(&scene, PA_WITNESS_RESUME, NULL, 0), PA_OK);
        assert_int_equal(ask(&scene, PA_WITNESS_RESULT, NULL, 0), PA_OK);
        assert_int_equal(scene.judged, 1);
    }
    tear_down(&scene);
}

/* How many records another process finds in the evidence of the one session. */
static uint64_t on_disk(const struct scene *scene) {
    char name[2 * PA_HASH_BYTES + 1], path[256];
    struct pa_store *store;
    struct pa_error error = {0};
    pa_hex(name, scene->session.bytes, 8);
    snprintf(path, sizeof path, "%s/%s/evidence.db", scene->store, name);
    assert_int_equal(pa_store_open_beside(path, &store, &error), PA_OK);
    assert_int_equal(pa_store_follow(store, NULL, NULL, &error), PA_OK);
    uint64_t count = pa_store_count(store);
    pa_store_close(store);
    return count;
}

/* The last POWER record of the transcript, its first reading. */
static struct pa_power_sample last_reading(struct scene *scene) {
    uint8_t first[8] = {1};
    struct pa_record record;
    struct pa_power_record power;
    struct pa_power_sample sample = {0};
    assert_int_equal(ask(scene, PA_WITNESS_TRANSCRIPT, first, sizeof first), PA_OK);
    struct pa_reader in = pa_reader_over(scene->read.body, scene->read.size);
    while (in.left > 0 && pa_record_next(&in, &record, NULL) == PA_OK)
        if (pa_record_power(&record, &power, NULL) == PA_OK)
            sample = pa_power_sample_at(&power, 0);
    return sample;
}

static int send_reading(struct scene *scene, struct pa_instant sent, struct pa_instant at) {
    const struct pa_power_sample sample = {at, 5000, PA_ENERGY_UNKNOWN};
    struct pa_buffer body = {0};
    pa_record_put_power(&body, sent, 0, &sample, 1);
    int code = ask(scene, PA_WITNESS_POWER, body.data, body.size);
    pa_buffer_free(&body);
    return code;
}

/* The site's clock started at another time: only how old a reading was is taken from it. */
static void readings_are_placed_on_the_witness_clock(void **state) {
    static const uint64_t second = UINT64_C(1000000000);
    struct scene scene;
    (void)state;
    set_up(&scene);
    begin(&scene);
    struct pa_instant sent = {5000 * second, 77 * second}, at = {4997 * second, 74 * second};
    struct pa_instant before = pa_clock_now();
    assert_int_equal(send_reading(&scene, sent, at), PA_OK);
    struct pa_instant after = pa_clock_now();
    struct pa_power_sample kept = last_reading(&scene);
    assert_true(kept.at.raw_ns + 3 * second >= before.raw_ns);
    assert_true(kept.at.raw_ns + 3 * second <= after.raw_ns);
    assert_true(kept.at.utc_ns + 3 * second >= before.utc_ns);
    assert_int_equal(kept.milliwatts, 5000);
    /* A logger's own time stays what it is. */
    at = (struct pa_instant){0, 74 * second};
    assert_int_equal(send_reading(&scene, sent, at), PA_OK);
    kept = last_reading(&scene);
    assert_true(kept.at.raw_ns == 0 && kept.at.utc_ns == 74 * second);
    /* Nothing is read after it was sent. */
    at = (struct pa_instant){5001 * second, 78 * second};
    assert_true(send_reading(&scene, sent, at) != PA_OK);
    tear_down(&scene);
}

static void a_request_that_comes_twice_is_carried_out_once(void **state) {
    struct scene scene;
    uint8_t bytes[8];
    (void)state;
    set_up(&scene);
    begin(&scene);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    struct pa_hash first = scene.nonce;
    pa_put_le64(bytes, 0);
    assert_int_equal(ask_as(&scene, PA_WITNESS_CHALLENGE, scene.sequence, bytes, sizeof bytes),
                     PA_OK);
    assert_memory_equal(scene.read.body, first.bytes, PA_HASH_BYTES);
    /* The same number for something else, an old number, one too far. */
    pa_put_le64(bytes, 1);
    assert_int_equal(ask_as(&scene, PA_WITNESS_CHALLENGE, scene.sequence, bytes, sizeof bytes),
                     PA_EWITNESS);
    assert_int_equal(ask_as(&scene, PA_WITNESS_GAP, scene.sequence - 1, NULL, 0), PA_EWITNESS);
    assert_int_equal(ask_as(&scene, PA_WITNESS_GAP, scene.sequence + 2, NULL, 0), PA_EWITNESS);
    assert_int_equal(close_idle(&scene, 0), PA_OK);
    tear_down(&scene);
}

static void what_is_declared_must_be_what_was_introduced(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    introduce(&scene);
    assert_int_equal(declare(&scene, scene.serial + 1, 4), PA_EWITNESS);
    assert_int_equal(folders(&scene), 0);
    /* Two introductions are told the same number; only one of them can be the first session. */
    introduce(&scene);
    struct scene other = scene;
    other.answer = (struct pa_buffer){0};
    introduce(&other);
    assert_int_equal(other.serial, scene.serial);
    assert_int_equal(declare(&scene, scene.serial, 4), PA_OK);
    assert_int_equal(declare(&other, other.serial, 4), PA_EWRITE); /* the very same session */
    assert_int_equal(declare(&other, other.serial, 5), PA_EWITNESS);
    assert_int_equal(folders(&scene), 1);
    introduce(&other);
    assert_int_equal(other.serial, 2);
    pa_buffer_free(&other.answer);
    tear_down(&scene);
}

static void strangers_are_told_nothing(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    begin(&scene);
    char bearer[2 * PA_HASH_BYTES + 1];
    pa_hex(bearer, scene.ticket.bytes, PA_HASH_BYTES);
    assert_int_equal(pa_witness_desk_admits(scene.desk, bearer), PA_WITNESS_MOST_REQUEST);
    bearer[0] = bearer[0] == 'a' ? 'b' : 'a';
    assert_true(pa_witness_desk_admits(scene.desk, bearer) < 1000);
    assert_true(pa_witness_desk_admits(scene.desk, NULL) < 1000);
    scene.ticket.bytes[31] ^= 1;
    assert_int_equal(ask(&scene, PA_WITNESS_GAP, NULL, 0), 401);
    assert_int_equal(pa_witness_desk_answer(scene.desk, "x", 1, &scene.answer), 400);
    tear_down(&scene);
}

static void a_session_outlives_the_desk(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    begin(&scene);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    assert_int_equal(close_idle(&scene, 0), PA_OK);
    assert_int_equal(challenge(&scene, 1), PA_OK);
    uint64_t before = records(&scene);
    pa_witness_desk_close(scene.desk);
    /* What is left of a declaration in whose middle the witness died. */
    char half[PATH_MAX];
    assert_int_equal(pa_path_join(half, scene.store, "0123456789abcdef", NULL), PA_OK);
    assert_int_equal(mkdir(half, 0700), 0);
    open_desk(&scene);
    assert_int_equal(rmdir(half), 0);
    assert_int_equal(ask(&scene, PA_WITNESS_GAP, NULL, 0), PA_EWITNESS); /* resume comes first */
    assert_int_equal(ask(&scene, PA_WITNESS_RESUME, NULL, 0), PA_OK);
    assert_int_equal(records(&scene), before);
    assert_int_equal(close_idle(&scene, 1), PA_EWITNESS); /* its key died with the desk */
    uint8_t lost[12] = {1, 0, 0, 0, 0, 0, 0, 0, 'l', 'o', 's', 't'};
    assert_int_equal(ask(&scene, PA_WITNESS_ABORT, lost, sizeof lost), PA_OK);
    assert_int_equal(ask(&scene, PA_WITNESS_INTERRUPT, "a crash", 7), PA_OK);
    assert_int_equal(challenge(&scene, 2), PA_OK);
    assert_int_equal(close_idle(&scene, 2), PA_OK);
    tear_down(&scene);
}

/* A site that dies between root and list has no chains when it comes back. Its witness, which
 * lives, has root and key, and must let the epoch go. */
static void an_epoch_whose_site_died_before_its_list_is_aborted(void **state) {
    struct scene scene;
    uint8_t lost[12] = {0, 0, 0, 0, 0, 0, 0, 0, 'l', 'o', 's', 't'};
    (void)state;
    set_up(&scene);
    begin(&scene);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    assert_int_equal(commit_idle(&scene, 0), PA_OK);
    assert_int_equal(ask(&scene, PA_WITNESS_ABORT, lost, sizeof lost), PA_EWITNESS);
    assert_int_equal(ask(&scene, PA_WITNESS_RESUME, NULL, 0), PA_OK);
    assert_int_equal(reveal_idle(&scene, 0), PA_EWITNESS); /* its key is gone */
    assert_int_equal(ask(&scene, PA_WITNESS_ABORT, lost, sizeof lost), PA_OK);
    assert_int_equal(challenge(&scene, 1), PA_OK);
    assert_int_equal(close_idle(&scene, 1), PA_OK);
    assert_int_equal(records(&scene), 2 + 2 + 5); /* session, boot; nonce, abort; a closed epoch */
    tear_down(&scene);
}

/* As if the witness had been killed over the declaration: take away what it writes last. */
static void forget(const struct scene *scene, bool is_ticket) {
    char name[2 * PA_HASH_BYTES + 1], path[256];
    pa_hex(name, scene->session.bytes, 8);
    snprintf(path, sizeof path, is_ticket ? "%s/%s/ticket" : "%s/sessions", scene->store, name);
    assert_int_equal(unlink(path), 0);
}

static void what_a_dead_witness_left_is_in_nobodys_way(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    begin(&scene);
    pa_witness_desk_close(scene.desk);
    forget(&scene, true);
    forget(&scene, false);
    open_desk(&scene);
    introduce(&scene);
    assert_int_equal(scene.serial, 1);
    assert_int_equal(declare(&scene, scene.serial, 4), PA_OK); /* the same, byte for byte */
    assert_int_equal(folders(&scene), 1);
    uint64_t before = records(&scene);
    /* With a ticket it is a session, which nobody can declare away. */
    pa_witness_desk_close(scene.desk);
    forget(&scene, false);
    open_desk(&scene);
    struct pa_hash ticket = scene.ticket;
    uint64_t sequence = scene.sequence;
    introduce(&scene);
    assert_int_not_equal(declare(&scene, scene.serial, 4), PA_OK);
    scene.ticket = ticket;
    scene.sequence = sequence;
    assert_int_equal(ask(&scene, PA_WITNESS_RESUME, NULL, 0), PA_OK);
    assert_int_equal(records(&scene), before);
    tear_down(&scene);
}

/* A witness's machine that stops then has them; so has a site that resumes. */
static void notes_are_written_when_they_are_answered(void **state) {
    static const char json[] = "{\"kind\":\"telemetry\",\"device\":0}";
    const struct pa_note_record note = {.at = {1, 1}, .json = json, .json_bytes = sizeof json - 1};
    struct pa_buffer body = {0};
    struct scene scene;
    (void)state;
    set_up(&scene);
    begin(&scene);
    uint64_t before = on_disk(&scene);
    pa_record_put_note(&body, PA_NO_EPOCH, &note);
    pa_record_put_note(&body, PA_NO_EPOCH, &note);
    assert_int_equal(ask(&scene, PA_WITNESS_NOTES, body.data, body.size), PA_OK);
    assert_int_equal(on_disk(&scene), before + 2);
    /* Half a record, and a note that only the witness writes. */
    assert_int_equal(ask(&scene, PA_WITNESS_NOTES, body.data, body.size - 1), PA_EWITNESS);
    pa_buffer_clear(&body);
    const struct pa_note_record own = {
        .at = {1, 1}, .json = "{\"kind\":\"abort\"}", .json_bytes = 16};
    pa_record_put_note(&body, PA_NO_EPOCH, &own);
    assert_int_equal(ask(&scene, PA_WITNESS_NOTES, body.data, body.size), PA_EWITNESS);
    pa_buffer_free(&body);
    tear_down(&scene);
}

/* xorshift64: the bodies are the same in every run. */
static uint64_t next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void no_body_of_any_operation_does_harm(void **state) {
    struct scene scene;
    uint64_t chance = 20261124;
    uint8_t body[300];
    (void)state;
    set_up(&scene);
    begin(&scene);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    for (int i = 0; i < 3000; i++) {
        enum pa_witness_operation operation = (enum pa_witness_operation)(
            PA_WITNESS_DECLARE + next(&chance) % (PA_WITNESS_OPERATIONS_END - PA_WITNESS_DECLARE));
        size_t size = next(&chance) % sizeof body;
        /* Ending the session or its epoch, or noting an interruption for a day, is any site's
         * right. */
        if (operation == PA_WITNESS_FINISH || operation == PA_WITNESS_RESULT ||
            operation == PA_WITNESS_ABORT || operation == PA_WITNESS_TRANSCRIPT ||
            operation == PA_WITNESS_RESUME)
            continue;
        for (size_t b = 0; b < size; b++)
            body[b] = (uint8_t)(next(&chance) % 3 == 0 ? next(&chance) : 0);
        ask(&scene, operation, body, size);
    }
    assert_int_equal(close_idle(&scene, 0), PA_OK);
    tear_down(&scene);
}

/* A whole session without work in which a device was told; how often the word is in its transcript.
 */
static int count_after(struct scene *scene, const char *site, const char *id, const char *word) {
    char json[256];
    int found = 0;
    struct pa_buffer body = {0};
    struct pa_reader records;
    struct pa_record record;
    the_site = site;
    begin(scene);
    snprintf(json, sizeof json,
             "{\"kind\":\"device\",\"device\":0,\"id\":\"%s\",\"name\":\"x\",\"host\":\"h\"}", id);
    pa_buffer_u64(&body, PA_NO_EPOCH);
    pa_buffer_text(&body, json);
    assert_int_equal(ask(scene, PA_WITNESS_NOTE, body.data, body.size), PA_OK);
    assert_int_equal(ask(scene, PA_WITNESS_FINISH, NULL, 0), PA_OK);
    uint8_t first[8];
    pa_put_le64(first, 1);
    assert_int_equal(ask(scene, PA_WITNESS_TRANSCRIPT, first, sizeof first), PA_OK);
    records = pa_reader_over(scene->read.body, scene->read.size);
    while (records.left > 0) {
        assert_int_equal(pa_record_next(&records, &record, NULL), PA_OK);
        found += record.type == PA_RECORD_NOTE &&
                 memmem(record.payload, record.length, word, strlen(word)) != NULL;
    }
    pa_buffer_free(&body);
    the_site = "here";
    return found;
}

static void a_device_at_two_sites_is_noted_before_the_end(void **state) {
    static const char word[] = "\"elsewhere\"";
    struct scene scene;
    (void)state;
    set_up(&scene);
    assert_int_equal(count_after(&scene, "here", "GPU-1", word), 0);
    assert_int_equal(count_after(&scene, "here", "GPU-1", word), 0);  /* its own site */
    assert_int_equal(count_after(&scene, "there", "GPU-2", word), 0); /* another device */
    assert_int_equal(count_after(&scene, "there", "GPU-1", word), 1);
    assert_int_equal(count_after(&scene, "there", "cpu:0", word), 0);
    assert_int_equal(count_after(&scene, "here", "cpu:0", word), 0); /* a place, no identity */
    setenv("PETAUDIT_MOVE_HOURS", "0", 1);
    assert_int_equal(count_after(&scene, "here", "GPU-2", word), 0); /* moves at once */
    unsetenv("PETAUDIT_MOVE_HOURS");
    tear_down(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_at_two_sites_is_noted_before_the_end),
        cmocka_unit_test(a_session_runs_to_its_judgement),
        cmocka_unit_test(readings_are_placed_on_the_witness_clock),
        cmocka_unit_test(a_request_that_comes_twice_is_carried_out_once),
        cmocka_unit_test(what_is_declared_must_be_what_was_introduced),
        cmocka_unit_test(strangers_are_told_nothing),
        cmocka_unit_test(a_session_outlives_the_desk),
        cmocka_unit_test(an_epoch_whose_site_died_before_its_list_is_aborted),
        cmocka_unit_test(what_a_dead_witness_left_is_in_nobodys_way),
        cmocka_unit_test(notes_are_written_when_they_are_answered),
        cmocka_unit_test(no_body_of_any_operation_does_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
