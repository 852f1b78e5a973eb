/* SPDX-License-Identifier: Apache-2.0 */
/* The witness's side of a fabric proof: nothing that is secret comes before what it is a secret
 * from. */
#include "cmocka_setup.h"

#include "witness/fabric_side.h"
#include "witness/session_allowance.h"

#include <stdlib.h>
#include <string.h>

enum { DEVICES = 2 };

struct scene {
    struct pa_declared_device devices[DEVICES];
    struct pa_declaration declaration;
    struct pa_key *prover;
    struct pa_hash session;
    struct pa_fabric_side side;
    struct pa_buffer records;
    struct pa_error error;
};

static void begin(struct scene *scene) {
    memset(scene, 0, sizeof *scene);
    for (int d = 0; d < DEVICES; d++)
        scene->devices[d] = (struct pa_declared_device){.m = 128, .n = 128, .name = "x"};
    scene->declaration = (struct pa_declaration){
        .class_id = PA_DENSE16, .k = 8, .device_count = DEVICES, .devices = scene->devices};
    assert_int_equal(pa_key_generate(&scene->prover, NULL), PA_OK);
    pa_key_public(scene->prover, scene->declaration.prover_key);
}

static void end(struct scene *scene) {
    pa_fabric_side_free(&scene->side);
    pa_buffer_free(&scene->records);
    pa_key_free(scene->prover);
}

static int take(struct scene *scene, enum pa_fabric_stage stage, const void *bytes, size_t size,
                struct pa_hash *out) {
    return pa_fabric_side_take(&scene->side, &scene->declaration, &scene->session, stage, bytes,
                               size, &scene->records, out, &scene->error);
}

static int commit(struct scene *scene, struct pa_hash *challenge) {
    struct pa_fabric_tail tails[DEVICES] = {0};
    struct pa_buffer list = {0};
    struct pa_hash root, message;
    uint8_t signature[PA_DER_SIGNATURE_MOST_BYTES];
    size_t length = 0;
    for (int d = 0; d < DEVICES; d++)
        tails[d].tail.steps = PA_FABRIC_STEPS;
    pa_fabric_root(&root, &scene->side.run.nonce, tails, DEVICES);
    pa_epoch_commit_hash(&message, &scene->session, PA_FABRIC_EPOCH, &root);
    assert_int_equal(pa_key_sign(scene->prover, &message, signature, &length, NULL), PA_OK);
    pa_fabric_put_tails(&list, tails, DEVICES);
    pa_buffer_u16(&list, (uint16_t)length);
    pa_buffer_bytes(&list, signature, length);
    int code = take(scene, PA_FABRIC_COMMIT, list.data, list.size, challenge);
    pa_buffer_free(&list);
    return code;
}

static void secrets_come_after_what_they_are_secret_from(void **state) {
    (void)state;
    struct scene scene;
    struct pa_hash nonce, challenge, key, out, of_key, answers[PA_FABRIC_ROUNDS] = {0};
    begin(&scene);
    assert_int_equal(commit(&scene, &challenge), PA_EWITNESS);
    assert_int_equal(take(&scene, PA_FABRIC_NONCE, NULL, 0, &nonce), PA_OK);
    assert_int_equal(take(&scene, PA_FABRIC_NONCE, NULL, 0, &out), PA_EWITNESS);
    /* Neither the challenge nor the key is to be had by asking, or for answers without a challenge.
     */
    assert_int_equal(take(&scene, PA_FABRIC_CHALLENGE, NULL, 0, &out), PA_EWITNESS);
    assert_int_equal(take(&scene, PA_FABRIC_KEY, NULL, 0, &out), PA_EWITNESS);
    assert_int_equal(take(&scene, PA_FABRIC_ANSWERS, answers, sizeof answers, &out), PA_EWITNESS);
    assert_int_equal(commit(&scene, &challenge), PA_OK);
    assert_int_equal(commit(&scene, &out), PA_EWITNESS);
    assert_false(pa_hash_equal(&challenge, &nonce));
    assert_int_equal(take(&scene, PA_FABRIC_ANSWERS, answers, PA_HASH_BYTES, &out), PA_EWITNESS);
    assert_int_equal(take(&scene, PA_FABRIC_ANSWERS, answers, sizeof answers, &key), PA_OK);
    assert_int_equal(take(&scene, PA_FABRIC_ANSWERS, answers, sizeof answers, &out), PA_EWITNESS);
    pa_epoch_nonce(&of_key, &key);
    assert_true(pa_hash_equal(&of_key, &nonce));
    /* Nothing was opened. */
    assert_int_equal(take(&scene, PA_FABRIC_RESULT, NULL, 0, &out), PA_OK);
    assert_int_equal(pa_le32(out.bytes), PA_FABRIC_SAMPLES);
    assert_int_equal(take(&scene, PA_FABRIC_RESULT, NULL, 0, &out), PA_EWITNESS);
    end(&scene);
}

static void no_two_sessions_have_the_same_secrets(void **state) {
    (void)state;
    struct scene scenes[2];
    struct pa_hash nonce[2], challenge[2];
    for (int i = 0; i < 2; i++) {
        begin(&scenes[i]);
        assert_int_equal(take(&scenes[i], PA_FABRIC_NONCE, NULL, 0, &nonce[i]), PA_OK);
        assert_int_equal(commit(&scenes[i], &challenge[i]), PA_OK);
    }
    assert_false(pa_hash_equal(&nonce[0], &nonce[1]));
    assert_false(pa_hash_equal(&challenge[0], &challenge[1]));
    for (int i = 0; i < 2; i++)
        end(&scenes[i]);
}

/* Whoever judges gets the same run out of the records. */
static void the_records_say_all_of_it(void **state) {
    (void)state;
    static const uint32_t stages[] = {1, 2, 3, 4, 5, 7};
    struct scene scene;
    struct pa_hash out, answers[PA_FABRIC_ROUNDS] = {0};
    struct pa_fabric_run run;
    begin(&scene);
    assert_int_equal(take(&scene, PA_FABRIC_NONCE, NULL, 0, &out), PA_OK);
    assert_int_equal(commit(&scene, &out), PA_OK);
    assert_int_equal(take(&scene, PA_FABRIC_ANSWERS, answers, sizeof answers, &out), PA_OK);
    assert_int_equal(take(&scene, PA_FABRIC_RESULT, NULL, 0, &out), PA_OK);
    assert_int_equal(pa_fabric_run_begin(&run, &scene.declaration, &scene.session, NULL), PA_OK);
    struct pa_reader in = pa_reader_over(scene.records.data, scene.records.size);
    uint64_t before_ns = 0;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        struct pa_record record;
        struct pa_fabric_record fabric;
        assert_int_equal(pa_record_next(&in, &record, NULL), PA_OK);
        assert_int_equal(pa_record_fabric(&record, &fabric, NULL), PA_OK);
        assert_int_equal(fabric.stage, stages[i]);
        assert_true(fabric.at.raw_ns >= before_ns);
        before_ns = fabric.at.raw_ns;
        assert_int_equal(pa_fabric_run_take(&run, (enum pa_fabric_stage)fabric.stage, fabric.body,
                                            fabric.body_bytes, true, NULL),
                         PA_OK);
    }
    assert_true(pa_reader_done(&in));
    assert_int_equal(run.failed, PA_FABRIC_SAMPLES);
    pa_fabric_run_free(&run);
    end(&scene);
}

/* A wrong opening is counted and kept; one that is longer than any can be is not kept. */
static void openings_of_any_length_are_not_kept(void **state) {
    (void)state;
    struct scene scene;
    struct pa_hash out, answers[PA_FABRIC_ROUNDS] = {0};
    uint8_t *bytes = calloc(1, PA_ALLOWANCE_FABRIC_BYTES + 1);
    assert_non_null(bytes);
    begin(&scene);
    assert_int_equal(take(&scene, PA_FABRIC_NONCE, NULL, 0, &out), PA_OK);
    assert_int_equal(commit(&scene, &out), PA_OK);
    assert_int_equal(take(&scene, PA_FABRIC_ANSWERS, answers, sizeof answers, &out), PA_OK);
    size_t before = scene.records.size;
    assert_int_equal(take(&scene, PA_FABRIC_OPENING, bytes, PA_ALLOWANCE_FABRIC_BYTES + 1, &out),
                     PA_EWITNESS);
    assert_non_null(strstr(scene.error.text, "one has at most"));
    assert_int_equal(scene.records.size, before);
    assert_int_equal(take(&scene, PA_FABRIC_OPENING, bytes, PA_ALLOWANCE_FABRIC_BYTES, &out),
                     PA_OK);
    assert_int_equal(take(&scene, PA_FABRIC_RESULT, NULL, 0, &out), PA_OK);
    assert_int_equal(pa_le32(out.bytes), PA_FABRIC_SAMPLES);
    free(bytes);
    end(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_come_after_what_they_are_secret_from),
        cmocka_unit_test(no_two_sessions_have_the_same_secrets),
        cmocka_unit_test(the_records_say_all_of_it),
        cmocka_unit_test(openings_of_any_length_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
