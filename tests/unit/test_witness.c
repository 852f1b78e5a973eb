/* SPDX-License-Identifier: Apache-2.0 */
/* The witness in the prover's process: what it refuses, what it counts, and that it goes on after a
 * crash. */
#include "cmocka_setup.h"

#include "judge/facts.h"
#include "witness/session_ledger.h"
#include "witness/session_register.h"
#include "witness/witness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { M = 256, N = 128, K = 128, STEPS = 3, OPENINGS = 12 };

/* One device's session against a witness, step by step. */
struct scene {
    char folder[64], path[96], register_path[96];
    struct pa_store *store;
    struct pa_key *key;
    struct pa_witness *witness;
    struct pa_declaration declaration;
    struct pa_hash session;
    struct pa_chain chain;
    struct pa_tail tail;
    struct pa_hash nonce, key_of_epoch, root;
    struct pa_sample samples[OPENINGS];
};

static void open_witness(struct scene *scene) {
    struct pa_error error = {0};
    if (pa_self_witness_open(scene->store, scene->key, scene->register_path, &scene->witness,
                             &error) != PA_OK)
        fail_msg("%s", error.text);
}

static struct pa_declared_device the_device = {.m = M, .n = N, .name = "a device"};

static void set_up(struct scene *scene) {
    struct pa_error error = {0};
    memset(scene, 0, sizeof *scene);
    snprintf(scene->folder, sizeof scene->folder, "/tmp/petaudit-witness-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    snprintf(scene->path, sizeof scene->path, "%s/evidence.db", scene->folder);
    snprintf(scene->register_path, sizeof scene->register_path, "%s/sessions", scene->folder);
    assert_int_equal(pa_key_generate(&scene->key, &error), PA_OK);
    assert_int_equal(pa_store_create(scene->path, &scene->store, &error), PA_OK);
    open_witness(scene);
    scene->declaration = (struct pa_declaration){.class_id = PA_DENSE16,
                                                 .k = K,
                                                 .device_count = 1,
                                                 .devices = &the_device,
                                                 .epochs = 2,
                                                 .epoch_ns = 1000000,
                                                 .openings = OPENINGS,
                                                 .alpha_ppm = 10000,
                                                 .site = "here"};
    pa_key_public(scene->key, scene->declaration.prover_key);
}

static void tear_down(struct scene *scene) {
    char command[160];
    scene->witness->kind->release(scene->witness);
    pa_store_close(scene->store);
    pa_key_free(scene->key);
    pa_chain_free(&scene->chain);
    snprintf(command, sizeof command, "rm -r '%s'", scene->folder);
    assert_int_equal(system(command), 0);
}

static int declare(struct scene *scene, bool is_signed) {
    struct pa_buffer bytes = {0};
    struct pa_signature signature = {0};
    struct pa_error error = {0};
    size_t length = 0;
    assert_int_equal(scene->witness->kind->introduce(scene->witness, &scene->declaration.claim,
                                                     "here", scene->declaration.witness_key,
                                                     &scene->declaration.serial, &error),
                     PA_OK);
    pa_declaration_write(&scene->declaration, &bytes);
    pa_declaration_session(&scene->session, bytes.data, bytes.size);
    assert_int_equal(pa_key_sign(scene->key, &scene->session, signature.bytes, &length, &error),
                     PA_OK);
    signature.length = (uint16_t)length;
    if (!is_signed)
        signature.bytes[length - 1] ^= 1;
    int code =
        scene->witness->kind->declare(scene->witness, bytes.data, bytes.size, &signature, &error);
    pa_buffer_free(&bytes);
    return code;
}

static struct pa_epoch_parameters parameters(const struct scene *scene, uint64_t epoch) {
    return (struct pa_epoch_parameters){
        .class_id = PA_DENSE16, .k = K, .devices = 1, .session = scene->session, .epoch = epoch};
}

/* Really multiply: each tile as the witness would; `wrong` falsifies the digests of one step. */
static void prove(struct scene *scene, uint64_t epoch, uint32_t wrong) {
    struct pa_epoch_parameters p = parameters(scene, epoch);
    struct pa_tile_bench *bench;
    struct pa_hash start;
    struct pa_error error = {0};
    pa_epoch_device_start(&start, &scene->nonce, &p, 0, M, N);
    pa_chain_free(&scene->chain);
    assert_int_equal(
        pa_chain_begin(&scene->chain, &start, (struct pa_shape){M, N, K}, STEPS, &error), PA_OK);
    assert_int_equal(pa_tile_bench_create(K, &bench, &error), PA_OK);
    struct pa_seed a = pa_chain_a_seed(&scene->chain);
    for (uint32_t t = 1; t <= STEPS; t++) {
        uint64_t tiles[M / PA_TILE * (N / PA_TILE)];
        struct pa_seed b = pa_chain_b_seed(&scene->chain, t);
        for (uint32_t row = 0; row < M / PA_TILE; row++)
            tiles[row] =
                pa_tile_digest(bench, PA_DENSE16, K, &a, &b, row, 0) ^ (t == wrong ? 1 : 0);
        assert_int_equal(pa_chain_append(&scene->chain, tiles, &error), PA_OK);
    }
    pa_tile_bench_destroy(bench);
    assert_int_equal(pa_chain_tail(&scene->chain, &scene->tail, &error), PA_OK);
}

static int close_epoch(struct scene *scene, uint64_t epoch, bool is_signed) {
    struct pa_hash message;
    struct pa_signature signature = {0};
    struct pa_error error = {0};
    size_t length = 0;
    pa_epoch_root(&scene->root, &scene->nonce, &scene->tail, 1);
    pa_epoch_commit_hash(&message, &scene->session, epoch, &scene->root);
    assert_int_equal(pa_key_sign(scene->key, &message, signature.bytes, &length, &error), PA_OK);
    signature.length = (uint16_t)length;
    if (!is_signed)
        signature.bytes[length - 1] ^= 1;
    int code =
        scene->witness->kind->commit(scene->witness, epoch, &scene->root, &signature, &error);
    return code != PA_OK ? code
                         : scene->witness->kind->reveal(scene->witness, epoch, &scene->tail, 1,
                                                        &scene->key_of_epoch, &error);
}

static int open_one(struct scene *scene, uint64_t epoch, uint32_t j) {
    struct pa_shape shape = {M, N, K};
    struct pa_opening opening = {0};
    struct pa_buffer bytes = {0};
    struct pa_error error = {0};
    assert_int_equal(pa_epoch_samples(scene->samples, OPENINGS, &scene->key_of_epoch, &scene->root,
                                      &shape, &scene->tail, 1, &error),
                     PA_OK);
    assert_int_equal(pa_chain_open(&scene->chain, scene->samples[j].step, scene->samples[j].row,
                                   &opening, &error),
                     PA_OK);
    pa_opening_write(&opening, &bytes);
    pa_opening_free(&opening);
    int code = scene->witness->kind->open(scene->witness, epoch, j, bytes.data, bytes.size, &error);
    pa_buffer_free(&bytes);
    return code;
}

static int challenge(struct scene *scene, uint64_t epoch) {
    struct pa_error error = {0};
    return scene->witness->kind->challenge(scene->witness, epoch, &scene->nonce, &error);
}

static uint32_t settle(struct scene *scene, uint64_t epoch) {
    struct pa_error error = {0};
    uint32_t failed = UINT32_MAX;
    if (scene->witness->kind->settle(scene->witness, epoch, &failed, &error) != PA_OK)
        fail_msg("%s", error.text);
    return failed;
}

static void an_honest_session_has_no_failed_opening(void **state) {
    struct scene scene;
    struct pa_error error = {0};
    struct pa_facts facts;
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        assert_int_equal(challenge(&scene, epoch), PA_OK);
        prove(&scene, epoch, 0);
        assert_int_equal(close_epoch(&scene, epoch, true), PA_OK);
        for (uint32_t j = 0; j < OPENINGS; j++)
            assert_int_equal(open_one(&scene, epoch, j), PA_OK);
        assert_int_equal(settle(&scene, epoch), 0);
    }
    assert_int_equal(scene.witness->kind->finish(scene.witness, &error), PA_OK);
    assert_int_equal(pa_facts_collect(scene.store, PA_RECHECK_TILES, &facts, &error), PA_OK);
    assert_string_equal(facts.first_failure, "");
    assert_int_equal(facts.drawn, 2 * OPENINGS);
    assert_int_equal(facts.failed + facts.missing, 0);
    assert_true(facts.is_finished);
    pa_facts_free(&facts);
    tear_down(&scene);
}

static void wrong_tiles_are_counted_whenever_they_are_drawn(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    prove(&scene, 0, 2);
    assert_int_equal(close_epoch(&scene, 0, true), PA_OK);
    uint32_t expected = 0;
    for (uint32_t j = 0; j < OPENINGS; j++) {
        assert_int_equal(open_one(&scene, 0, j), PA_OK);
        expected += scene.samples[j].step == 2 ? 1 : 0;
    }
    assert_int_equal(settle(&scene, 0), expected);
    tear_down(&scene);
}

static void openings_that_never_come_have_failed(void **state) {
    struct scene scene;
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    prove(&scene, 0, 0);
    assert_int_equal(close_epoch(&scene, 0, true), PA_OK);
    for (uint32_t j = 0; j < 5; j++)
        assert_int_equal(open_one(&scene, 0, j), PA_OK);
    assert_int_equal(settle(&scene, 0), OPENINGS - 5);
    tear_down(&scene);
}

static void nothing_out_of_turn_is_accepted(void **state) {
    struct scene scene;
    struct pa_error error = {0};
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, false), PA_EWITNESS);
    scene.witness->kind->release(scene.witness);
    open_witness(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    struct pa_hash declared = scene.session;
    assert_int_equal(declare(&scene, true), PA_EWITNESS);
    scene.session = declared;
    assert_int_equal(challenge(&scene, 0), PA_OK);
    assert_int_equal(challenge(&scene, 1), PA_EWITNESS);
    prove(&scene, 0, 0);
    assert_int_equal(close_epoch(&scene, 1, true), PA_EWITNESS);
    assert_int_equal(close_epoch(&scene, 0, false), PA_EWITNESS);
    scene.tail.steps++;
    struct pa_hash honest = scene.root;
    assert_int_equal(close_epoch(&scene, 0, true),
                     PA_OK); /* a lie that hashes is a commitment to a lie */
    assert_false(pa_hash_equal(&honest, &scene.root));
    assert_int_equal(close_epoch(&scene, 0, true), PA_EWITNESS);
    assert_int_equal(challenge(&scene, 0), PA_EWITNESS);
    assert_int_equal(scene.witness->kind->open(scene.witness, 1, 0, "x", 1, &error), PA_EWITNESS);
    assert_int_equal(scene.witness->kind->open(scene.witness, 0, 1, "x", 1, &error), PA_EWITNESS);
    assert_int_equal(scene.witness->kind->open(scene.witness, 0, 0, "x", 1, &error), PA_OK);
    assert_int_equal(settle(&scene, 0), OPENINGS);
    assert_int_equal(scene.witness->kind->open(scene.witness, 0, 1, "x", 1, &error), PA_EWITNESS);
    assert_int_equal(scene.witness->kind->abort(scene.witness, 0, "late", &error), PA_EWITNESS);
    tear_down(&scene);
}

static void a_list_that_does_not_hash_to_the_root_is_refused(void **state) {
    struct scene scene;
    struct pa_hash message, key;
    struct pa_signature signature = {0};
    struct pa_error error = {0};
    size_t length = 0;
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    prove(&scene, 0, 0);
    pa_epoch_root(&scene.root, &scene.nonce, &scene.tail, 1);
    pa_epoch_commit_hash(&message, &scene.session, 0, &scene.root);
    assert_int_equal(pa_key_sign(scene.key, &message, signature.bytes, &length, &error), PA_OK);
    signature.length = (uint16_t)length;
    scene.tail.tree.bytes[0] ^= 1;
    assert_int_equal(scene.witness->kind->reveal(scene.witness, 0, &scene.tail, 1, &key, &error),
                     PA_EWITNESS); /* a list before its root */
    assert_int_equal(scene.witness->kind->commit(scene.witness, 0, &scene.root, &signature, &error),
                     PA_OK);
    assert_int_equal(scene.witness->kind->reveal(scene.witness, 0, &scene.tail, 1, &key, &error),
                     PA_EWITNESS);
    assert_non_null(strstr(error.text, "hash to the root"));
    /* The root is in: neither another root nor an abort is possible any more. */
    assert_int_equal(scene.witness->kind->commit(scene.witness, 0, &scene.root, &signature, &error),
                     PA_EWITNESS);
    assert_int_equal(scene.witness->kind->abort(scene.witness, 0, "a bad epoch", &error),
                     PA_EWITNESS);
    scene.tail.tree.bytes[0] ^= 1;
    assert_int_equal(scene.witness->kind->reveal(scene.witness, 0, &scene.tail, 1, &key, &error),
                     PA_OK);
    tear_down(&scene);
}

static void a_witness_goes_on_where_its_transcript_ends(void **state) {
    struct scene scene;
    struct pa_error error = {0};
    struct pa_ledger ledger;
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    prove(&scene, 0, 0);
    assert_int_equal(close_epoch(&scene, 0, true), PA_OK);
    assert_int_equal(challenge(&scene, 1), PA_OK);
    /* The process dies here: epoch 0 is closed, epoch 1 is not. */
    scene.witness->kind->release(scene.witness);
    pa_store_close(scene.store);
    assert_int_equal(pa_store_open(scene.path, &scene.store, &error), PA_OK);
    assert_int_equal(pa_ledger_read(scene.store, &ledger, &error), PA_OK);
    assert_int_equal(ledger.closed_count, 1);
    assert_int_equal(ledger.next_epoch, 2);
    assert_true(ledger.is_challenged);
    assert_true(pa_hash_equal(&ledger.closed[0].key, &scene.key_of_epoch));
    assert_int_equal(ledger.closed[0].tails[0].steps, STEPS);
    pa_ledger_free(&ledger);
    open_witness(&scene);
    assert_int_equal(close_epoch(&scene, 1, true), PA_EWITNESS); /* its key died with the process */
    assert_int_equal(scene.witness->kind->abort(scene.witness, 1, "the process ended", &error),
                     PA_OK);
    /* close_epoch has put another root there: the sample is epoch 0's. */
    struct pa_ledger again;
    assert_int_equal(pa_ledger_read(scene.store, &again, &error), PA_OK);
    scene.root = again.closed[0].root;
    pa_ledger_free(&again);
    for (uint32_t j = 0; j < OPENINGS; j++)
        assert_int_equal(open_one(&scene, 0, j), PA_OK);
    assert_int_equal(settle(&scene, 0), 0);
    tear_down(&scene);
}

static void what_the_witness_writes_itself_no_site_can_note(void **state) {
    static const char *const refused[] = {
        "{\"kind\":\"abort\",\"reason\":\"a bad epoch\"}",
        "{\"kind\":\"interruption\",\"gap_ns\":1,\"reason\":\"none\"}",
        "{\"kind\":\"witness\",\"boot_id\":\"x\"}",
        "{\"kind\":\"suspend\",\"ns\":1}",
        "{\"kind\":\"boottime\",\"t0_ns\":1,\"t1_ns\":2}",
        "{\"kind\":\"watermark\",\"half\":0,\"level\":\"on\"}",
        "{\"a\":\"b\"}",
        "[]",
        ""};
    struct scene scene;
    struct pa_error error = {0};
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    uint64_t before = pa_store_count(scene.store);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_int_equal(scene.witness->kind->note(scene.witness, PA_NO_EPOCH, refused[i],
                                                   strlen(refused[i]), &error),
                         PA_EWITNESS);
    assert_int_equal(pa_store_count(scene.store), before);
    tear_down(&scene);
}

static int tell(struct scene *scene, const struct pa_watermark_plan *plan,
                struct pa_watermark_command *out) {
    struct pa_error error = {0};
    return scene->witness->kind->watermark(scene->witness, plan, out, &error);
}

static void a_watermark_is_told_half_by_half_and_never_early(void **state) {
    const struct pa_watermark_plan plan = {.bits = 3, .half_ns = 20000000, .settle_ns = 1},
                                   slow = {.bits = 3, .half_ns = UINT64_C(500000000000)},
                                   none = {.bits = 0, .half_ns = 20000000},
                                   endless = {.bits = 3, .half_ns = UINT64_C(601000000000)};
    struct pa_watermark_command command, before = {0};
    struct scene scene;
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    assert_int_equal(tell(&scene, &none, &command), PA_EWITNESS);
    assert_int_equal(tell(&scene, &endless, &command), PA_EWITNESS);
    for (uint32_t half = 0; half < 6; half++) {
        assert_int_equal(tell(&scene, &plan, &command), PA_OK);
        assert_true(command.half == half && !command.is_over);
        if (half % 2 == 1)
            assert_true(command.is_on != before.is_on);
        before = command;
        if (half == 2) { /* a witness that was started anew goes on, and knows the first half */
            scene.witness->kind->release(scene.witness);
            open_witness(&scene);
            assert_int_equal(tell(&scene, &slow, &command), PA_EWITNESS); /* another plan */
            continue;
        }
        pa_clock_sleep(plan.half_ns + plan.half_ns / 10);
    }
    assert_int_equal(tell(&scene, &plan, &command), PA_OK);
    assert_true(command.is_over);
    tear_down(&scene);
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    assert_int_equal(tell(&scene, &slow, &command), PA_OK);
    assert_int_equal(tell(&scene, &slow, &command), PA_EWITNESS);
    tear_down(&scene);
}

static void an_interruption_is_measured_by_the_witness(void **state) {
    struct scene scene;
    struct pa_error error = {0};
    struct pa_ledger ledger;
    uint64_t gap_ns = 1;
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    assert_int_equal(scene.witness->kind->gap(scene.witness, &gap_ns, &error), PA_OK);
    assert_int_equal(gap_ns, 0);
    assert_int_equal(challenge(&scene, 0), PA_OK);
    assert_int_equal(scene.witness->kind->interrupt(scene.witness, "too early", &error),
                     PA_EWITNESS);
    prove(&scene, 0, 0);
    assert_int_equal(close_epoch(&scene, 0, true), PA_OK);
    assert_int_equal(scene.witness->kind->gap(scene.witness, &gap_ns, &error), PA_OK);
    assert_true(gap_ns > 0);
    assert_int_equal(scene.witness->kind->interrupt(scene.witness, "a pause", &error), PA_OK);
    assert_int_equal(pa_ledger_read(scene.store, &ledger, &error), PA_OK);
    assert_int_equal(ledger.interruptions, 1);
    struct pa_instant later = {ledger.last_close.raw_ns + 5, ledger.last_close.utc_ns + 7};
    assert_int_equal(pa_ledger_gap(&ledger, &later, ledger.boot_id), 5);
    assert_int_equal(pa_ledger_gap(&ledger, &later, "another boot"), 7);
    pa_ledger_free(&ledger);
    tear_down(&scene);
}

static void sessions_of_one_claim_or_site_are_counted(void **state) {
    struct scene scene;
    struct pa_hash claim = {{1}}, other = {{2}}, session = {{3}};
    struct pa_error error = {0};
    uint32_t serial;
    (void)state;
    set_up(&scene);
    for (uint32_t r = 1; r <= 3; r++) {
        assert_int_equal(
            pa_session_register_next(scene.register_path, &claim, "here", &serial, &error), PA_OK);
        assert_int_equal(serial, r);
        assert_int_equal(
            pa_session_register_add(scene.register_path, &claim, "here", &session, &error), PA_OK);
    }
    assert_int_equal(
        pa_session_register_next(scene.register_path, &claim, "there", &serial, &error), PA_OK);
    assert_int_equal(serial, 4);
    assert_int_equal(pa_session_register_next(scene.register_path, &other, "here", &serial, &error),
                     PA_OK);
    assert_int_equal(serial, 4); /* a comment in the claim is no way to begin anew */
    assert_int_equal(
        pa_session_register_next(scene.register_path, &other, "there", &serial, &error), PA_OK);
    assert_int_equal(serial, 1);
    assert_int_equal(truncate(scene.register_path, 100), 0);
    assert_int_equal(pa_session_register_next(scene.register_path, &claim, "here", &serial, &error),
                     PA_EINPUT);
    tear_down(&scene);
}

/* A size limit refuses bytes as a full disk does, the second half of a line here. */
static void a_full_disk_tears_no_line_of_the_register(void **state) {
    struct scene scene;
    struct rlimit before, tight;
    struct stat whole;
    struct pa_hash claim = {{1}}, session = {{2}};
    struct pa_error error = {0};
    uint32_t serial;
    (void)state;
    set_up(&scene);
    const char *path = scene.register_path;
    assert_int_equal(pa_session_register_add(path, &claim, "here", &session, &error), PA_OK);
    assert_int_equal(stat(path, &whole), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)whole.st_size * 3 / 2;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    int code = pa_session_register_add(path, &claim, "here", &session, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, PA_EWRITE);
    assert_int_equal(pa_session_register_next(path, &claim, "here", &serial, &error), PA_OK);
    assert_int_equal(serial, 2);
    assert_int_equal(pa_session_register_add(path, &claim, "here", &session, &error), PA_OK);
    assert_int_equal(pa_session_register_next(path, &claim, "here", &serial, &error), PA_OK);
    assert_int_equal(serial, 3);
    tear_down(&scene);
}

struct clocks {
    uint64_t t0_ns, t1_ns, boot_ns;
};

static int read_clocks(void *context, uint64_t index, const struct pa_record *record,
                       const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    struct clocks *clocks = context;
    struct pa_nonce_record nonce;
    struct pa_root_record root;
    struct pa_note_record note;
    (void)index;
    (void)before;
    if (pa_record_nonce(record, &nonce, error) == PA_OK)
        clocks->t0_ns = nonce.at.raw_ns;
    if (pa_record_root(record, &root, error) == PA_OK)
        clocks->t1_ns = root.at.raw_ns;
    unsigned long long t0_ns, t1_ns;
    char json[128] = "";
    if (pa_record_note(record, &note, error) == PA_OK)
        snprintf(json, sizeof json, "%.*s", (int)note.json_bytes, note.json);
    if (sscanf(json, "{\"kind\":\"boottime\",\"t0_ns\":%llu,\"t1_ns\":%llu}", &t0_ns, &t1_ns) == 2)
        clocks->boot_ns = t1_ns - t0_ns;
    return PA_OK;
}

/* While a machine is awake, as long by one clock as by the other. */
static void the_boot_clock_is_noted_with_each_epoch(void **state) {
    struct scene scene;
    struct pa_error error = {0};
    struct clocks clocks = {0};
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    assert_int_equal(scene.witness->kind->challenge(scene.witness, 0, &scene.nonce, &error), PA_OK);
    prove(&scene, 0, 0);
    assert_int_equal(close_epoch(&scene, 0, true), PA_OK);
    assert_int_equal(pa_store_each(scene.store, read_clocks, &clocks, &error), PA_OK);
    uint64_t raw_ns = clocks.t1_ns - clocks.t0_ns;
    assert_true(raw_ns > 0 && clocks.boot_ns > raw_ns / 2 &&
                clocks.boot_ns < 2 * raw_ns + 100000000);
    tear_down(&scene);
}

/* How many records another process would find now: after a kill they would be there. */
static uint64_t written(const struct scene *scene) {
    struct pa_store *store;
    struct pa_error error = {0};
    assert_int_equal(pa_store_open_beside(scene->path, &store, &error), PA_OK);
    assert_int_equal(pa_store_follow(store, NULL, NULL, &error), PA_OK);
    uint64_t count = pa_store_count(store);
    pa_store_close(store);
    return count;
}

static int note_later(struct scene *scene, uint64_t epoch, const char *json) {
    struct pa_error error = {0};
    return scene->witness->kind->note_later(scene->witness, epoch, json, strlen(json), &error);
}

static void a_kill_loses_no_closed_epoch_and_no_note_of_one(void **state) {
    static const char told[] = "{\"kind\":\"telemetry\",\"device\":0}";
    struct scene scene;
    struct pa_error error = {0};
    (void)state;
    set_up(&scene);
    assert_int_equal(declare(&scene, true), PA_OK);
    uint64_t before = written(&scene);
    assert_int_equal(note_later(&scene, PA_NO_EPOCH, "{\"kind\":\"abort\"}"), PA_EWITNESS);
    assert_int_equal(note_later(&scene, PA_NO_EPOCH, told), PA_OK);
    assert_int_equal(written(&scene), before); /* it waits */
    assert_int_equal(scene.witness->kind->sync(scene.witness, &error), PA_OK);
    assert_int_equal(written(&scene), before + 1);
    /* What comes next takes along what waits, before it. */
    assert_int_equal(note_later(&scene, PA_NO_EPOCH, told), PA_OK);
    assert_int_equal(
        scene.witness->kind->note(scene.witness, PA_NO_EPOCH, told, strlen(told), &error), PA_OK);
    assert_int_equal(written(&scene), before + 3);
    assert_int_equal(note_later(&scene, PA_NO_EPOCH, told), PA_OK);
    assert_int_equal(scene.witness->kind->challenge(scene.witness, 0, &scene.nonce, &error), PA_OK);
    assert_int_equal(written(&scene), before + 5);
    prove(&scene, 0, 0);
    assert_int_equal(note_later(&scene, 0, told), PA_OK);
    assert_int_equal(close_epoch(&scene, 0, true), PA_OK);
    assert_int_equal(written(&scene), before + 10); /* note, root, list, key, boot clock */
    assert_int_equal(note_later(&scene, 0, told), PA_OK);
    assert_int_equal(scene.witness->kind->sync(scene.witness, &error), PA_OK);
    assert_int_equal(written(&scene), before + 11);
    tear_down(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_loses_no_closed_epoch_and_no_note_of_one),
        cmocka_unit_test(an_honest_session_has_no_failed_opening),
        cmocka_unit_test(wrong_tiles_are_counted_whenever_they_are_drawn),
        cmocka_unit_test(openings_that_never_come_have_failed),
        cmocka_unit_test(nothing_out_of_turn_is_accepted),
        cmocka_unit_test(a_list_that_does_not_hash_to_the_root_is_refused),
        cmocka_unit_test(a_witness_goes_on_where_its_transcript_ends),
        cmocka_unit_test(what_the_witness_writes_itself_no_site_can_note),
        cmocka_unit_test(a_watermark_is_told_half_by_half_and_never_early),
        cmocka_unit_test(an_interruption_is_measured_by_the_witness),
        cmocka_unit_test(the_boot_clock_is_noted_with_each_epoch),
        cmocka_unit_test(sessions_of_one_claim_or_site_are_counted),
        cmocka_unit_test(a_full_disk_tears_no_line_of_the_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
