/* SPDX-License-Identifier: Apache-2.0 */
/* The witness as a server, without the network: requests that come twice, out of turn, from
 * strangers, or are no requests at all; and what is left after it was started anew. */
#include "cmocka_setup.h"

#include "base/file.h"
#include "witness/witness_desk.h"
#include "witness/witness_wire.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { M = 128, N = 128, K = 128 };

struct scene {
    char folder[64], store[96];
    struct pa_key *key, *prover;
    struct pa_witness_desk *desk;
    struct pa_hash ticket, session, nonce;
    uint64_t sequence;
    uint32_t serial;
    uint32_t judged;
    struct pa_buffer answer;
    struct pa_witness_answer read;
};

static const char *the_site = "here";
static struct pa_declared_device the_device = {.m = M, .n = N, .name = "a device"};

static int conclude(void *context, const char *folder, struct pa_error *error) {
    struct scene *scene = context;
    char path[PATH_MAX];
    scene->judged++;
    PA_TRY(pa_path_join(path, folder, "test-result.json", error));
    return pa_file_write(path, "{}", 2, 0644, error);
}

static void open_desk(struct scene *scene) {
    struct pa_error error = {0};
    struct pa_witness_desk_options options = {
        .folder = scene->store, .key = scene->key, .conclude = conclude, .context = scene};
    if (pa_witness_desk_open(&options, &scene->desk, &error) != PA_OK)
        fail_msg("%s", error.text);
}

static void set_up(struct scene *scene) {
    struct pa_error error = {0};
    memset(scene, 0, sizeof *scene);
    snprintf(scene->folder, sizeof scene->folder, "/tmp/petaudit-desk-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    snprintf(scene->store, sizeof scene->store, "%s/store", scene->folder);
    assert_int_equal(pa_key_generate(&scene->key, &error), PA_OK);
    assert_int_equal(pa_key_generate(&scene->prover, &error), PA_OK);
    open_desk(scene);
}

static void tear_down(struct scene *scene) {
    char command[160];
    pa_witness_desk_close(scene->desk);
    pa_key_free(scene->key);
    pa_key_free(scene->prover);
    pa_buffer_free(&scene->answer);
    snprintf(command, sizeof command, "rm -r '%s'", scene->folder);
    assert_int_equal(system(command), 0);
}

/* Send a request with this number; returns the HTTP status, or the answer's code where that is 200.
 */
static int send_as(struct scene *scene, enum pa_witness_operation operation, uint64_t sequence,
                   const void *body, size_t size) {
    struct pa_buffer request = {0};
    struct pa_error error = {0};
    pa_witness_put_request(&request, operation, sequence, &scene->ticket);
    pa_buffer_bytes(&request, body, size);
    pa_buffer_clear(&scene->answer);
    unsigned status =
        pa_witness_desk_answer(scene->desk, request.data, request.size, &scene->answer);
    pa_buffer_free(&request);
    if (status != 200)
        return (int)status;
    assert_int_equal(
        pa_witness_get_answer(scene->answer.data, scene->answer.size, &scene->read, &error), PA_OK);
    return scene->read.code;
}

static int send(struct scene *scene, enum pa_witness_operation operation, const void *body,
                size_t size) {
    return send_as(scene, operation, ++scene->sequence, body, size);
}

static int send_epoch(struct scene *scene, enum pa_witness_operation operation, uint64_t epoch) {
    uint8_t bytes[8];
    pa_put_le64(bytes, epoch);
    return send(scene, operation, bytes, sizeof bytes);
}

static void introduce(struct scene *scene) {
    uint8_t body[PA_HASH_BYTES + 16] = {1};
    memset(&scene->ticket, 0, sizeof scene->ticket);
    memcpy(body + PA_HASH_BYTES, the_site, strlen(the_site));
    assert_int_equal(
        send_as(scene, PA_WITNESS_INTRODUCE, 0, body, PA_HASH_BYTES + strlen(the_site)), PA_OK);
    struct pa_reader in = pa_reader_over(scene->read.body, scene->read.size);
    pa_read_view(&in, PA_PUBLIC_KEY_BYTES);
    scene->serial = pa_read_u32(&in);
    pa_read_bytes(&in, scene->ticket.bytes, PA_HASH_BYTES);
    assert_true(pa_reader_done(&in));
    scene->sequence = 0;
}

static int declare(struct scene *scene, uint32_t serial, uint32_t openings) {
    struct pa_declaration declaration = {.class_id = PA_DENSE16,
                                         .k = K,
                                         .device_count = 1,
                                         .devices = &the_device,
                                         .epochs = 3,
                                         .epoch_ns = 1000000,
                                         .openings = openings,
                                         .alpha_ppm = 10000,
                                         .serial = serial,
                                         .claim = {{1}},
                                         .site = ""};
    memcpy(declaration.site, the_site, strlen(the_site) + 1);
    struct pa_buffer bytes = {0}, body = {0};
    struct pa_signature signature = {0};
    struct pa_error error = {0};
    size_t length = 0;
    pa_key_public(scene->key, declaration.witness_key);
    pa_key_public(scene->prover, declaration.prover_key);
    pa_declaration_write(&declaration, &bytes);
    pa_declaration_session(&scene->session, bytes.data, bytes.size);
    assert_int_equal(pa_key_sign(scene->prover, &scene->session, signature.bytes, &length, &error),
                     PA_OK);
    signature.length = (uint16_t)length;
    pa_witness_put_signature(&body, &signature);
    pa_buffer_bytes(&body, bytes.data, bytes.size);
    int code = send(scene, PA_WITNESS_DECLARE, body.data, body.size);
    pa_buffer_free(&bytes);
    pa_buffer_free(&body);
    return code;
}

static void begin(struct scene *scene) {
    introduce(scene);
    assert_int_equal(declare(scene, scene->serial, 4), PA_OK);
}

/* An epoch in which the one device did nothing. */
static int close_idle(struct scene *scene, uint64_t epoch) {
    struct pa_epoch_parameters parameters = {
        .class_id = PA_DENSE16, .k = K, .devices = 1, .session = scene->session, .epoch = epoch};
    struct pa_tail tail = {0};
    struct pa_hash root, message;
    struct pa_signature signature = {0};
    struct pa_buffer body = {0};
    struct pa_error error = {0};
    struct pa_list_entry entry = {0};
    size_t length = 0;
    pa_epoch_device_start(&tail.last, &scene->nonce, &parameters, 0, M, N);
    pa_epoch_root(&root, &scene->nonce, &tail, 1);
    pa_epoch_commit_hash(&message, &scene->session, epoch, &root);
    assert_int_equal(pa_key_sign(scene->prover, &message, signature.bytes, &length, &error), PA_OK);
    signature.length = (uint16_t)length;
    pa_buffer_u64(&body, epoch);
    pa_buffer_bytes(&body, root.bytes, PA_HASH_BYTES);
    pa_witness_put_signature(&body, &signature);
    int code = send(scene, PA_WITNESS_COMMIT, body.data, body.size);
    pa_buffer_clear(&body);
    memcpy(entry.last, tail.last.bytes, PA_HASH_BYTES);
    pa_record_put_list(&body, epoch, &entry, 1);
    if (code == PA_OK)
        code = send(scene, PA_WITNESS_REVEAL, body.data, body.size);
    pa_buffer_free(&body);
    return code;
}

static int challenge(struct scene *scene, uint64_t epoch) {
    int code = send_epoch(scene, PA_WITNESS_CHALLENGE, epoch);
    if (code == PA_OK) {
        assert_int_equal(scene->read.size, PA_HASH_BYTES);
        memcpy(scene->nonce.bytes, scene->read.body, PA_HASH_BYTES);
    }
    return code;
}

static uint32_t folders(const struct scene *scene) {
    uint32_t count = 0;
    DIR *store = opendir(scene->store);
    assert_non_null(store);
    for (struct dirent *entry; (entry = readdir(store)) != NULL;)
        count += strlen(entry->d_name) == 16 ? 1 : 0;
    closedir(store);
    return count;
}

static uint64_t records(struct scene *scene) {
    uint64_t count = 0;
    uint8_t first[8] = {1};
    assert_int_equal(send(scene, PA_WITNESS_TRANSCRIPT, first, sizeof first), PA_OK);
    struct pa_reader in = pa_reader_over(scene->read.body, scene->read.size);
    struct pa_record record;
    while (in.left > 0 && pa_record_next(&in, &record, NULL) == PA_OK)
        count++;
    assert_true(pa_reader_done(&in));
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
    assert_int_equal(send(&scene, PA_WITNESS_FINISH, NULL, 0), PA_OK);
    assert_int_equal(scene.judged, 1);
    assert_int_equal(send(&scene, PA_WITNESS_RESULT, NULL, 0), PA_OK);
    assert_int_equal(scene.judged, 1);
    struct pa_reader in = pa_reader_over(scene.read.body, scene.read.size);
    assert_int_equal(pa_read_u16(&in), strlen("test-result.json"));
    /* Nothing can follow the signature. */
    assert_int_equal(challenge(&scene, 3), PA_EWITNESS);
    assert_int_equal(send(&scene, PA_WITNESS_FINISH, NULL, 0), PA_EWITNESS);
    tear_down(&scene);
}

/* The last POWER record of the transcript, its first reading. */
static struct pa_power_sample last_reading(struct scene *scene) {
    uint8_t first[8] = {1};
    struct pa_record record;
    struct pa_power_record power;
    struct pa_power_sample sample = {0};
    assert_int_equal(send(scene, PA_WITNESS_TRANSCRIPT, first, sizeof first), PA_OK);
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
    int code = send(scene, PA_WITNESS_POWER, body.data, body.size);
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
    assert_int_equal(send_as(&scene, PA_WITNESS_CHALLENGE, scene.sequence, bytes, sizeof bytes),
                     PA_OK);
    assert_memory_equal(scene.read.body, first.bytes, PA_HASH_BYTES);
    /* The same number for something else, an old number, one too far. */
    pa_put_le64(bytes, 1);
    assert_int_equal(send_as(&scene, PA_WITNESS_CHALLENGE, scene.sequence, bytes, sizeof bytes),
                     PA_EWITNESS);
    assert_int_equal(send_as(&scene, PA_WITNESS_GAP, scene.sequence - 1, NULL, 0), PA_EWITNESS);
    assert_int_equal(send_as(&scene, PA_WITNESS_GAP, scene.sequence + 2, NULL, 0), PA_EWITNESS);
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
    assert_int_equal(send(&scene, PA_WITNESS_GAP, NULL, 0), 401);
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
    open_desk(&scene);
    assert_int_equal(send(&scene, PA_WITNESS_GAP, NULL, 0), PA_EWITNESS); /* resume comes first */
    assert_int_equal(send(&scene, PA_WITNESS_RESUME, NULL, 0), PA_OK);
    assert_int_equal(records(&scene), before);
    assert_int_equal(close_idle(&scene, 1), PA_EWITNESS); /* its key died with the desk */
    uint8_t lost[12] = {1, 0, 0, 0, 0, 0, 0, 0, 'l', 'o', 's', 't'};
    assert_int_equal(send(&scene, PA_WITNESS_ABORT, lost, sizeof lost), PA_OK);
    assert_int_equal(send(&scene, PA_WITNESS_INTERRUPT, "a crash", 7), PA_OK);
    assert_int_equal(challenge(&scene, 2), PA_OK);
    assert_int_equal(close_idle(&scene, 2), PA_OK);
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
        /* Ending the session, or noting an interruption for a day, is any site's right. */
        if (operation == PA_WITNESS_FINISH || operation == PA_WITNESS_RESULT ||
            operation == PA_WITNESS_ABORT || operation == PA_WITNESS_TRANSCRIPT)
            continue;
        for (size_t b = 0; b < size; b++)
            body[b] = (uint8_t)(next(&chance) % 3 == 0 ? next(&chance) : 0);
        send(&scene, operation, body, size);
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
    assert_int_equal(send(scene, PA_WITNESS_NOTE, body.data, body.size), PA_OK);
    assert_int_equal(send(scene, PA_WITNESS_FINISH, NULL, 0), PA_OK);
    uint8_t first[8];
    pa_put_le64(first, 1);
    assert_int_equal(send(scene, PA_WITNESS_TRANSCRIPT, first, sizeof first), PA_OK);
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
        cmocka_unit_test(no_body_of_any_operation_does_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
