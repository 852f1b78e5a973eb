/* SPDX-License-Identifier: Apache-2.0 */
#include "desk_scene.h"

#include "cmocka_setup.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { M = 128, N = 128, K = 128 };

const char *the_site = "here";
uint8_t the_address = 1;
static struct pa_declared_device the_device = {.m = M, .n = N, .name = "a device"};

static int conclude(void *context, const char *folder, struct pa_error *error) {
    struct scene *scene = context;
    char path[PATH_MAX];
    scene->judged++;
    PA_TRY(pa_path_join(path, folder, "test-result.json", error));
    return pa_file_write(path, "{}", 2, 0644, error);
}

static void say_where(void *context, uint8_t out[PA_WITNESS_PEER_BYTES]) {
    (void)context;
    memset(out, the_address, PA_WITNESS_PEER_BYTES);
}

static void say(void *context, const char *text) {
    struct scene *scene = context;
    scene->said++;
    snprintf(scene->text, sizeof scene->text, "%s", text);
}

void open_desk(struct scene *scene) {
    struct pa_error error = {0};
    struct pa_witness_desk_options options = {.folder = scene->store,
                                              .key = scene->key,
                                              .conclude = conclude,
                                              .peer = say_where,
                                              .say = say,
                                              .context = scene,
                                              .most_open = scene->most_open,
                                              .abandoned_ns = scene->abandoned_ns,
                                              .most_told_bytes = scene->most_told_bytes,
                                              .keep_free_bytes = scene->keep_free_bytes};
    if (pa_witness_desk_open(&options, &scene->desk, &error) != PA_OK)
        fail_msg("%s", error.text);
}

void set_up(struct scene *scene) {
    struct pa_error error = {0};
    /* Nothing here is about the disk, and a disk flush for each record would be most of the time.
     */
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    memset(scene, 0, sizeof *scene);
    snprintf(scene->folder, sizeof scene->folder, "%s/petaudit-desk-XXXXXX", folder);
    assert_non_null(mkdtemp(scene->folder));
    snprintf(scene->store, sizeof scene->store, "%s/store", scene->folder);
    assert_int_equal(pa_key_generate(&scene->key, &error), PA_OK);
    assert_int_equal(pa_key_generate(&scene->prover, &error), PA_OK);
    open_desk(scene);
}

void tear_down(struct scene *scene) {
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
int ask_as(struct scene *scene, enum pa_witness_operation operation, uint64_t sequence,
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

int ask(struct scene *scene, enum pa_witness_operation operation, const void *body, size_t size) {
    return ask_as(scene, operation, ++scene->sequence, body, size);
}

int ask_of_epoch(struct scene *scene, enum pa_witness_operation operation, uint64_t epoch) {
    uint8_t bytes[8];
    pa_put_le64(bytes, epoch);
    return ask(scene, operation, bytes, sizeof bytes);
}

void introduce(struct scene *scene) {
    uint8_t body[PA_HASH_BYTES + 16] = {1};
    memset(&scene->ticket, 0, sizeof scene->ticket);
    memcpy(body + PA_HASH_BYTES, the_site, strlen(the_site));
    assert_int_equal(ask_as(scene, PA_WITNESS_INTRODUCE, 0, body, PA_HASH_BYTES + strlen(the_site)),
                     PA_OK);
    struct pa_reader in = pa_reader_over(scene->read.body, scene->read.size);
    pa_read_view(&in, PA_PUBLIC_KEY_BYTES);
    scene->serial = pa_read_u32(&in);
    pa_read_bytes(&in, scene->ticket.bytes, PA_HASH_BYTES);
    assert_true(pa_reader_done(&in));
    scene->sequence = 0;
}

int declare(struct scene *scene, uint32_t serial, uint32_t openings) {
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
    int code = ask(scene, PA_WITNESS_DECLARE, body.data, body.size);
    pa_buffer_free(&bytes);
    pa_buffer_free(&body);
    return code;
}

void begin(struct scene *scene) {
    introduce(scene);
    assert_int_equal(declare(scene, scene->serial, 4), PA_OK);
}

/* What the one device's chain says when it did nothing. */
static struct pa_tail idle_tail(const struct scene *scene, uint64_t epoch) {
    struct pa_epoch_parameters parameters = {
        .class_id = PA_DENSE16, .k = K, .devices = 1, .session = scene->session, .epoch = epoch};
    struct pa_tail tail = {0};
    pa_epoch_device_start(&tail.last, &scene->nonce, &parameters, 0, M, N);
    return tail;
}

int commit_idle(struct scene *scene, uint64_t epoch) {
    struct pa_tail tail = idle_tail(scene, epoch);
    struct pa_hash root, message;
    struct pa_signature signature = {0};
    struct pa_buffer body = {0};
    struct pa_error error = {0};
    size_t length = 0;
    pa_epoch_root(&root, &scene->nonce, &tail, 1);
    pa_epoch_commit_hash(&message, &scene->session, epoch, &root);
    assert_int_equal(pa_key_sign(scene->prover, &message, signature.bytes, &length, &error), PA_OK);
    signature.length = (uint16_t)length;
    pa_buffer_u64(&body, epoch);
    pa_buffer_bytes(&body, root.bytes, PA_HASH_BYTES);
    pa_witness_put_signature(&body, &signature);
    int code = ask(scene, PA_WITNESS_COMMIT, body.data, body.size);
    pa_buffer_free(&body);
    return code;
}

int reveal_idle(struct scene *scene, uint64_t epoch) {
    struct pa_tail tail = idle_tail(scene, epoch);
    struct pa_list_entry entry = {0};
    struct pa_buffer body = {0};
    memcpy(entry.last, tail.last.bytes, PA_HASH_BYTES);
    pa_record_put_list(&body, epoch, &entry, 1);
    int code = ask(scene, PA_WITNESS_REVEAL, body.data, body.size);
    pa_buffer_free(&body);
    return code;
}

int close_idle(struct scene *scene, uint64_t epoch) {
    int code = commit_idle(scene, epoch);
    return code == PA_OK ? reveal_idle(scene, epoch) : code;
}

int challenge(struct scene *scene, uint64_t epoch) {
    int code = ask_of_epoch(scene, PA_WITNESS_CHALLENGE, epoch);
    if (code == PA_OK) {
        assert_int_equal(scene->read.size, PA_HASH_BYTES);
        memcpy(scene->nonce.bytes, scene->read.body, PA_HASH_BYTES);
    }
    return code;
}

uint64_t records(struct scene *scene) {
    uint64_t count = 0;
    uint8_t first[8] = {1};
    assert_int_equal(ask(scene, PA_WITNESS_TRANSCRIPT, first, sizeof first), PA_OK);
    struct pa_reader in = pa_reader_over(scene->read.body, scene->read.size);
    struct pa_record record;
    while (in.left > 0 && pa_record_next(&in, &record, NULL) == PA_OK)
        count++;
    assert_true(pa_reader_done(&in));
    return count;
}
