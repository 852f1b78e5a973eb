/* SPDX-License-Identifier: Apache-2.0 */
/* What a session may put on its witness's disk: honest sessions of every size stay far below it,
 * and what goes beyond is refused whole and leaves the rest of the session alone. */
#include "cmocka_setup.h"

#include "desk_scene.h"
#include "witness/session_allowance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { GPUS = 100000, DAY_S = 86400 };

static struct pa_allowance allowance_of(uint32_t devices, uint32_t epochs, uint64_t epoch_ns) {
    struct pa_declaration declaration = {.class_id = PA_DENSE16,
                                         .k = 8192,
                                         .device_count = devices,
                                         .epochs = epochs,
                                         .epoch_ns = epoch_ns,
                                         .openings = 167};
    struct pa_allowance allowance;
    declaration.devices = calloc(devices, sizeof *declaration.devices);
    assert_non_null(declaration.devices);
    for (uint32_t d = 0; d < devices; d++)
        declaration.devices[d].m = declaration.devices[d].n = 8192;
    pa_allowance_begin(&allowance, &declaration);
    free(declaration.devices);
    return allowance;
}

/* What an audit says at most of a device and of an epoch of it, as text: an identity, a calibration
 * of 128 trials, an attestation with its chain, raw rates twice, a loss; and telemetry. */
static void an_honest_session_never_meets_it(void **state) {
    static const uint64_t device = 4096 + 128 * 160 + 2 * (8192 + 5120) + 2 * 256 + 1280;
    static const uint32_t sizes[] = {1, 8, 512, 10000, GPUS};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct pa_allowance allowance = allowance_of(sizes[i], 6, UINT64_C(10000000000));
        uint64_t told = sizes[i] * (pa_allowance_note(device) + 5 * pa_allowance_note(0)) +
                        6 * sizes[i] * pa_allowance_note(800) +
                        2 * pa_allowance_note(1 << 20) /* claim and policy */;
        assert_true(told < allowance.told_bytes);
        /* Every session has room for a day of 64 meters that are read once a second, as they come
         * every half a minute. */
        told += PA_POWER_MOST_METERS * (DAY_S / 30) * pa_allowance_power(30);
        assert_true(told < allowance.told_bytes);
        /* The list of each epoch, and the openings. */
        assert_true(allowance.proof_bytes >= 6 * (72 * (uint64_t)sizes[i] + 167 * 3560));
    }
    /* The proof of a device's memory, of which 64 MiB are kept. */
    struct pa_allowance small = allowance_of(1, 6, UINT64_C(10000000000));
    assert_true((UINT64_C(16) << 22) * 2 < small.told_bytes);
    assert_true(small.told_bytes < UINT64_C(512) << 20);
    /* Three days of work, and a meter for each of 64 panels at one reading a second. */
    struct pa_allowance days = allowance_of(512, 3 * DAY_S / 60, UINT64_C(60000000000));
    uint64_t readings = 4 * UINT64_C(64) * DAY_S * PA_POWER_SAMPLE_BYTES;
    assert_true(512 * (3 * DAY_S / 60) * pa_allowance_note(800) + readings < days.told_bytes);
}

/* The largest figures that a declaration may have: nothing wraps. */
static void the_largest_declaration_has_figures_of_its_own(void **state) {
    (void)state;
    struct pa_declaration declaration = {.class_id = PA_DENSE16,
                                         .k = 128,
                                         .device_count = PA_MOST_DEVICES,
                                         .epochs = PA_MOST_EPOCHS,
                                         .epoch_ns =
                                             UINT64_C(366) * DAY_S * 1000000000 / PA_MOST_EPOCHS,
                                         .openings = PA_MOST_OPENINGS};
    struct pa_allowance allowance;
    declaration.devices = calloc(PA_MOST_DEVICES, sizeof *declaration.devices);
    assert_non_null(declaration.devices);
    declaration.devices[7].m = declaration.devices[9].n = PA_MOST_MN;
    pa_allowance_begin(&allowance, &declaration);
    free(declaration.devices);
    assert_true(allowance.opening_bytes > PA_MOST_MN / 128 * 40);
    assert_true(allowance.proof_bytes / PA_MOST_EPOCHS / PA_MOST_OPENINGS >=
                allowance.opening_bytes);
    assert_true(allowance.told_bytes / PA_MOST_EPOCHS / PA_MOST_DEVICES >= 1024);
    assert_true(allowance.nonces >= 2 * PA_MOST_EPOCHS);
}

static int tell(struct scene *scene, size_t size) {
    struct pa_buffer body = {0};
    pa_buffer_u64(&body, PA_NO_EPOCH);
    pa_buffer_text(&body, "{\"kind\":\"remark\",\"text\":\"");
    while (body.size < size)
        pa_buffer_text(&body, "0123456789abcdef");
    pa_buffer_text(&body, "\"}");
    int code = ask(scene, PA_WITNESS_NOTE, body.data, body.size);
    pa_buffer_free(&body);
    return code;
}

static int send_readings(struct scene *scene, uint32_t count) {
    struct pa_power_sample *samples = calloc(count, sizeof *samples);
    struct pa_buffer body = {0};
    assert_non_null(samples);
    for (uint32_t i = 0; i < count; i++)
        samples[i] = (struct pa_power_sample){{0, 1 + i}, 5000, PA_ENERGY_UNKNOWN};
    pa_record_put_power(&body, pa_clock_now(), 0, samples, count);
    int code = ask(scene, PA_WITNESS_POWER, body.data, body.size);
    pa_buffer_free(&body);
    free(samples);
    return code;
}

/* A session that may tell little, in the middle of an epoch. */
static void begin_small(struct scene *scene, uint64_t most_told_bytes) {
    set_up(scene);
    pa_witness_desk_close(scene->desk);
    scene->most_told_bytes = most_told_bytes;
    open_desk(scene);
    begin(scene);
    assert_int_equal(challenge(scene, 0), PA_OK);
}

static off_t evidence_bytes(const struct scene *scene) {
    char name[2 * PA_HASH_BYTES + 1], path[256];
    struct stat facts;
    pa_hex(name, scene->session.bytes, 8);
    snprintf(path, sizeof path, "%s/%s/evidence.db", scene->store, name);
    assert_int_equal(stat(path, &facts), 0);
    return facts.st_size;
}

static void who_tells_too_much_is_refused_and_can_still_end(void **state) {
    enum { MOST = 1 << 20 };
    struct scene scene;
    (void)state;
    begin_small(&scene, MOST);
    int told = 0;
    while (tell(&scene, 10000) == PA_OK)
        assert_true(++told < MOST / 10000);
    assert_int_equal(scene.read.code, PA_EWITNESS);
    assert_non_null(strstr(scene.read.text, "than the 1 MiB that its declaration allows"));
    assert_true(told > MOST / 11000);
    uint64_t before = records(&scene);
    assert_int_equal(tell(&scene, 10000), PA_EWITNESS);
    assert_int_equal(send_readings(&scene, 1000), PA_EWITNESS);
    assert_int_equal(records(&scene), before); /* nothing of them is kept */
    /* What is shorter still fits, and the work goes on to its end. */
    assert_int_equal(tell(&scene, 100), PA_OK);
    assert_int_equal(close_idle(&scene, 0), PA_OK);
    for (uint64_t epoch = 1; epoch < 3; epoch++) {
        assert_int_equal(challenge(&scene, epoch), PA_OK);
        assert_int_equal(close_idle(&scene, epoch), PA_OK);
    }
    assert_int_equal(ask_of_epoch(&scene, PA_WITNESS_SETTLE, 0), PA_OK);
    assert_int_equal(ask(&scene, PA_WITNESS_FINISH, NULL, 0), PA_OK);
    assert_int_equal(scene.judged, 1);
    pa_witness_desk_close(scene.desk);
    /* The file is what was counted, and what the proof and empty tables take. */
    assert_true(evidence_bytes(&scene) < MOST + (128 << 10));
    open_desk(&scene);
    tear_down(&scene);
}

/* Also in records so small that their rows are most of it. */
static void many_small_notes_are_counted_with_their_rows(void **state) {
    enum { MOST = 256 << 10 };
    static const char json[] = "{\"kind\":\"x\"}";
    const struct pa_note_record note = {.at = {1, 1}, .json = json, .json_bytes = sizeof json - 1};
    struct pa_buffer body = {0};
    struct scene scene;
    (void)state;
    begin_small(&scene, MOST);
    for (int i = 0; i < 100; i++)
        pa_record_put_note(&body, PA_NO_EPOCH, &note);
    while (ask(&scene, PA_WITNESS_NOTES, body.data, body.size) == PA_OK)
        assert_true(scene.sequence < 1000);
    assert_int_equal(scene.read.code, PA_EWITNESS);
    pa_buffer_free(&body);
    /* Those before the first that is refused stay. */
    assert_true(records(&scene) > MOST / 150);
    pa_witness_desk_close(scene.desk);
    assert_true(evidence_bytes(&scene) < MOST + (64 << 10));
    open_desk(&scene);
    tear_down(&scene);
}

/* Another process of the witness counts what an earlier one took. */
static void a_new_desk_goes_on_counting(void **state) {
    enum { MOST = 1 << 20 };
    struct scene scene;
    (void)state;
    begin_small(&scene, MOST);
    assert_int_equal(close_idle(&scene, 0), PA_OK);
    assert_int_equal(tell(&scene, MOST / 2), PA_OK);
    assert_int_equal(send_readings(&scene, MOST / 4 / PA_POWER_SAMPLE_BYTES), PA_OK);
    pa_witness_desk_close(scene.desk);
    open_desk(&scene);
    assert_int_equal(ask(&scene, PA_WITNESS_RESUME, NULL, 0), PA_OK);
    assert_int_equal(tell(&scene, MOST / 2), PA_EWITNESS);
    assert_int_equal(send_readings(&scene, MOST / 2 / PA_POWER_SAMPLE_BYTES), PA_EWITNESS);
    assert_int_equal(tell(&scene, MOST / 8), PA_OK);
    tear_down(&scene);
}

static void interruptions_and_aborted_epochs_come_to_an_end(void **state) {
    enum { DECLARED = 3 }; /* what desk_scene declares */
    struct scene scene;
    uint8_t body[12] = {0, 0, 0, 0, 0, 0, 0, 0, 'l', 'o', 's', 't'};
    (void)state;
    begin_small(&scene, 64 << 10);
    int epoch = 0;
    do {
        body[0] = (uint8_t)epoch;
        assert_int_equal(ask(&scene, PA_WITNESS_ABORT, body, sizeof body), PA_OK);
        assert_true(++epoch < 100);
    } while (challenge(&scene, (uint64_t)epoch) == PA_OK);
    assert_int_equal(scene.read.code, PA_EWITNESS);
    assert_non_null(strstr(scene.read.text, "declaration allows no more"));
    assert_true(epoch > 2 * DECLARED);
    int gaps = 0;
    while (ask(&scene, PA_WITNESS_INTERRUPT, "again", 5) == PA_OK)
        assert_true(++gaps < 1000);
    assert_int_equal(scene.read.code, PA_EWITNESS);
    assert_int_equal(ask(&scene, PA_WITNESS_FINISH, NULL, 0), PA_OK);
    tear_down(&scene);
}

/* An opening that is too long is not kept as a wrong one is. */
static void no_opening_is_longer_than_the_shapes_make_it(void **state) {
    struct pa_allowance allowance = allowance_of(1, 6, 1000000000);
    struct pa_error error = {0};
    (void)state;
    size_t most = allowance.opening_bytes;
    assert_int_equal(most, 3 * 18 * 32 + 64 * 32 + 64 * 8);
    assert_int_equal(pa_allowance_check_opening(&allowance, 0, 0, most, &error), PA_OK);
    assert_int_equal(pa_allowance_check_opening(&allowance, 4, 7, most + 1, &error), PA_EWITNESS);
    assert_non_null(strstr(error.text, "opening 7 has"));
}

/* Opening 0 of the idle epoch 0, with so many bytes; what the witness says to it. */
static const char *open_long(struct scene *scene, uint32_t size) {
    uint8_t *bytes = calloc(size, 1);
    struct pa_buffer body = {0};
    assert_non_null(bytes);
    const struct pa_opening_record opening = {.j = 0, .opening = bytes, .opening_bytes = size};
    pa_record_put_opening(&body, 0, &opening);
    assert_int_equal(ask(scene, PA_WITNESS_OPEN, body.data, body.size), PA_EWITNESS);
    pa_buffer_free(&body);
    free(bytes);
    return scene->read.text;
}

static void a_witness_asks_for_the_length_of_an_opening_first(void **state) {
    struct scene scene;
    (void)state;
    begin_small(&scene, 0);
    assert_int_equal(close_idle(&scene, 0), PA_OK);
    uint64_t before = records(&scene);
    assert_non_null(strstr(open_long(&scene, 1768), "was not asked for")); /* M = N = 128 */
    assert_non_null(strstr(open_long(&scene, 1769), "one has at most 1768"));
    assert_non_null(strstr(open_long(&scene, 16 << 20), "one has at most 1768"));
    assert_int_equal(records(&scene), before);
    assert_int_equal(ask_of_epoch(&scene, PA_WITNESS_SETTLE, 0), PA_OK);
    tear_down(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_session_never_meets_it),
        cmocka_unit_test(the_largest_declaration_has_figures_of_its_own),
        cmocka_unit_test(who_tells_too_much_is_refused_and_can_still_end),
        cmocka_unit_test(many_small_notes_are_counted_with_their_rows),
        cmocka_unit_test(a_new_desk_goes_on_counting),
        cmocka_unit_test(interruptions_and_aborted_epochs_come_to_an_end),
        cmocka_unit_test(no_opening_is_longer_than_the_shapes_make_it),
        cmocka_unit_test(a_witness_asks_for_the_length_of_an_opening_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
