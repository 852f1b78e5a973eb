/* SPDX-License-Identifier: Apache-2.0 */
/* What the live page is told: the whole is the sum of its parts, and names from a site stay text.
 */
#include "cmocka_setup.h"

#include "live_hall.h"
#include "witness/live_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct live_hall small = {.devices = 2000,
                                       .epochs = 6,
                                       .closed = 6,
                                       .openings = 30,
                                       .is_opened = true,
                                       .is_finished = true,
                                       .end_utc_ns = UINT64_C(1800000000000000000),
                                       .epoch_ns = UINT64_C(10000000000)};

/* Apply the next `most` records; false when none is left. */
static bool take_some(struct pa_live_state *state, struct pa_reader *reader, uint64_t most) {
    struct pa_error error = {0};
    bool has_taken = false;
    for (uint64_t i = 0; i < most && reader->left > 0; i++) {
        struct pa_record record;
        if (pa_record_next(reader, &record, &error) != PA_OK ||
            pa_live_state_apply(state, &record, &error) != PA_OK)
            fail_msg("%s", error.text);
        has_taken = true;
    }
    assert_int_equal(pa_live_state_compare(state, &error), PA_OK);
    return has_taken;
}

static void read_hall(const struct live_hall *hall, struct pa_live_state *state) {
    struct pa_buffer records = {0};
    *state = (struct pa_live_state){0};
    live_hall_put(hall, &records);
    struct pa_reader reader = pa_reader_over(records.data, records.size);
    take_some(state, &reader, UINT64_MAX);
    pa_buffer_free(&records);
}

/* What a viewer does with the rows of a message: those of a known key take the place of the old. */
static void merge_rows(json_t *held, const json_t *message, const char *name, const char *key) {
    json_t *rows = json_object_get(held, name);
    if (rows == NULL) {
        rows = json_array();
        json_object_set_new(held, name, rows);
    }
    for (size_t i = 0; i < json_array_size(json_object_get(message, name)); i++) {
        json_t *row = json_array_get(json_object_get(message, name), i);
        const json_t *number = key != NULL ? json_object_get(row, key) : json_array_get(row, 0);
        size_t at = number != NULL ? (size_t)json_integer_value(number) : json_array_size(rows);
        if (at < json_array_size(rows))
            json_array_set(rows, at, row);
        else
            json_array_append(rows, row);
    }
}

static void merge(json_t *held, const json_t *message) {
    static const char *const whole[] = {"session",      "phase",    "rate",
                                        "counts",       "openings", "findings_left_out",
                                        "device_watts", "watermark"};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (json_object_get(message, whole[i]) != NULL)
            json_object_set(held, whole[i], json_object_get(message, whole[i]));
    merge_rows(held, message, "epochs", "number");
    merge_rows(held, message, "devices", NULL);
    merge_rows(held, message, "work", NULL);
    merge_rows(held, message, "findings", "none: they are only added");
    merge_rows(held, message, "meters", "meter");
}

/* The whole state as a viewer holds it who has just come. */
static json_t *fresh_view(const struct pa_live_state *state) {
    json_t *held = json_object(), *message = pa_live_state_message(state, 0);
    assert_true(json_is_true(json_object_get(message, "is_whole")));
    merge(held, message);
    json_decref(message);
    return held;
}

static void assert_same(const json_t *a, const json_t *b) {
    char *left = json_dumps(a, JSON_SORT_KEYS | JSON_INDENT(1));
    char *right = json_dumps(b, JSON_SORT_KEYS | JSON_INDENT(1));
    assert_string_equal(left, right);
    free(left);
    free(right);
}

static void what_was_told_in_parts_is_the_whole(void **state) {
    (void)state;
    for (uint32_t seed = 1; seed <= 8; seed++) {
        struct live_hall hall = small;
        struct pa_live_state live = {0};
        struct pa_buffer records = {0};
        hall.devices = 100 * seed;
        hall.is_failing = seed % 2 == 0;
        live_hall_put(&hall, &records);
        struct pa_reader reader = pa_reader_over(records.data, records.size);
        json_t *held = json_object();
        uint64_t since = 0, chance = seed;
        do {
            json_t *message = pa_live_state_message(&live, since);
            merge(held, message);
            json_decref(message);
            since = live.version;
            chance = chance * 6364136223846793005u + 1442695040888963407u;
        } while (take_some(&live, &reader, 1 + (chance >> 33) % (seed % 3 == 0 ? 7 : 300)));
        json_t *fresh = fresh_view(&live);
        assert_same(held, fresh);
        json_decref(fresh);
        json_decref(held);
        pa_live_state_free(&live);
        pa_buffer_free(&records);
    }
}

static double real(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    assert_non_null(value);
    return json_number_value(value);
}

static void the_rate_is_that_of_the_protocol(void **state) {
    (void)state;
    struct pa_live_state live;
    read_hall(&small, &live);
    json_t *view = fresh_view(&live);
    const json_t *rate = json_object_get(view, "rate");
    /* Six epochs of nearly the same work, 30 openings each, alpha 1 % for a first session. */
    double work = 0, most = 0;
    for (uint32_t e = 0; e < live.epoch_count; e++) {
        work += live.epochs[e].operations;
        most = fmax(most, live.epochs[e].operations);
    }
    double seconds = (double)(live.epochs[5].t1.raw_ns - live.epochs[0].t0.raw_ns) / 1e9;
    double lower = work / seconds * (1 - log(2 / 0.01) / (30 * work / most)) / 1e15;
    assert_true(fabs(real(rate, "pflops") / (work / seconds / 1e15) - 1) < 1e-9);
    assert_true(fabs(real(rate, "lower_pflops") / lower - 1) < 1e-9);
    assert_true(fabs(real(rate, "confidence") - 0.995) < 1e-12);
    assert_string_equal(json_string_value(json_object_get(rate, "basis")), "opened");
    const json_t *last = json_array_get(json_object_get(view, "epochs"), 5);
    assert_true(fabs(real(last, "lower_pflops") / lower - 1) < 1e-9);
    assert_true(real(json_object_get(view, "session"), "claim_pflops") == small.devices);
    json_decref(view);
    pa_live_state_free(&live);
}

static void a_gap_lasts_until_the_next_nonce(void **state) {
    (void)state;
    struct live_hall hall = small;
    struct pa_live_state live;
    hall.devices = 10;
    hall.gap_ns = UINT64_C(120000000000);
    read_hall(&hall, &live);
    json_t *view = fresh_view(&live);
    /* 120 s of gap, of which 100 were over when it was noted, and six epochs of 10 s. */
    assert_true(fabs((double)live.epochs[2].gap_ns / 1e9 - 120) < 1);
    assert_true(fabs(real(json_object_get(view, "rate"), "seconds") - 60) < 1);
    json_decref(view);
    pa_live_state_free(&live);
}

static void work_that_is_not_opened_is_not_called_proven(void **state) {
    (void)state;
    struct live_hall hall = small;
    struct pa_live_state live;
    hall.is_opened = hall.is_finished = false;
    hall.closed = 4;
    read_hall(&hall, &live);
    json_t *view = fresh_view(&live);
    assert_string_equal(json_string_value(json_object_get(json_object_get(view, "rate"), "basis")),
                        "committed");
    assert_string_equal(json_string_value(json_object_get(json_object_get(view, "phase"), "name")),
                        "epoch");
    assert_int_equal((int)real(json_object_get(view, "phase"), "epoch"), 4);
    json_decref(view);
    pa_live_state_free(&live);
}

static void failed_openings_are_told_in_words(void **state) {
    (void)state;
    struct live_hall hall = small;
    struct pa_live_state live;
    hall.is_failing = true;
    hall.closed = hall.epochs = 2;
    hall.openings = 8;
    read_hall(&hall, &live);
    json_t *view = fresh_view(&live);
    const json_t *openings = json_object_get(view, "openings"), *findings, *epoch;
    assert_string_equal(json_string_value(json_object_get(json_object_get(view, "rate"), "basis")),
                        "failed");
    assert_int_equal((int)real(openings, "failed"), 3);
    assert_int_equal((int)real(openings, "checked"), 16);
    epoch = json_array_get(json_object_get(view, "epochs"), 1);
    assert_non_null(strstr(json_string_value(json_object_get(epoch, "reason")), "device 7"));
    findings = json_object_get(view, "findings");
    const json_t *last = json_array_get(findings, json_array_size(findings) - 1);
    assert_string_equal(json_string_value(json_object_get(last, "severity")), "critical");
    assert_non_null(strstr(json_string_value(json_object_get(last, "text")),
                           "3 of 8 openings of epoch 1 failed. The first: device 7, step 402"));
    /* The last ten, latest first: j = 7 .. 0 of epoch 1, then 7 and 6 of epoch 0. */
    static const char *const outcomes[] = {"unclear", "unclear", "unclear", "failed", "good",
                                           "good",    "good",    "good",    "good",   "good"};
    const json_t *recent = json_object_get(openings, "recent");
    assert_int_equal(json_array_size(recent), PA_LIVE_RECENT);
    for (size_t i = 0; i < PA_LIVE_RECENT; i++)
        assert_string_equal(
            json_string_value(json_object_get(json_array_get(recent, i), "outcome")), outcomes[i]);
    json_decref(view);
    pa_live_state_free(&live);
}

static void devices_are_told_apart_by_how_they_do(void **state) {
    (void)state;
    struct pa_live_state live;
    read_hall(&small, &live);
    /* 2000 devices: 96, 193, .. are throttled, 210, 421, .. slow, 498, 997, .. lost. */
    assert_int_equal(live.counts[PA_LIVE_THROTTLED], 20);
    assert_int_equal(live.counts[PA_LIVE_SLOW], 9);
    assert_int_equal(live.counts[PA_LIVE_LOST], 4);
    assert_int_equal(live.counts[PA_LIVE_WORKING], 2000 - 20 - 9 - 4);
    pa_live_state_free(&live);
}

static void names_of_a_site_stay_text_on_one_line(void **state) {
    (void)state;
    struct live_hall hall = small;
    struct pa_live_state live;
    hall.is_hostile = true;
    hall.devices = 600;
    read_hall(&hall, &live);
    json_t *message = pa_live_state_message(&live, 0);
    char *text = json_dumps(message, JSON_COMPACT | JSON_ENSURE_ASCII);
    for (const char *c = text; *c != '\0'; c++)
        assert_in_range((unsigned char)*c, 0x20, 0x7E);
    const json_t *device = json_array_get(json_object_get(message, "devices"), 5);
    assert_string_equal(json_string_value(json_array_get(device, 1)), "<b>gpu</b>5&lt;");
    assert_null(strchr(json_string_value(json_array_get(device, 2)), '\n'));
    free(text);
    json_decref(message);
    pa_live_state_free(&live);
}

static void note(struct pa_live_state *live, uint64_t epoch, const char *json) {
    struct pa_buffer bytes = {0};
    struct pa_note_record record = {
        .at = {1, 2}, .json = json, .json_bytes = (uint32_t)strlen(json)};
    struct pa_record parsed;
    struct pa_error error = {0};
    pa_record_put_note(&bytes, epoch, &record);
    struct pa_reader reader = pa_reader_over(bytes.data, bytes.size);
    assert_int_equal(pa_record_next(&reader, &parsed, &error), PA_OK);
    assert_int_equal(pa_live_state_apply(live, &parsed, &error), PA_OK);
    pa_buffer_free(&bytes);
}

static void notes_that_make_no_sense_change_nothing(void **state) {
    (void)state;
    static const char *const notes[] = {
        "{\"kind\":\"device\",\"device\":2000,\"name\":\"x\"}",
        "{\"kind\":\"device\",\"device\":-1,\"name\":\"x\"}",
        "{\"kind\":\"telemetry\",\"device\":0,\"power_mean_mw\":9223372036854775807}",
        "{\"kind\":\"telemetry\",\"device\":0,\"temperature_max_c\":1e308}",
        "{\"kind\":\"telemetry\",\"device\":\"0\",\"slowdowns\":[[[]],{\"a\":1},7]}",
        "{\"kind\":\"raw\",\"device\":0,\"per_second\":\"1e400\"}",
        "{\"kind\":\"raw\",\"device\":0,\"per_second\":-5}",
        "{\"kind\":\"meter\",\"meter\":63,\"role\":\"it\"}",
        "{\"kind\":\"abort\",\"reason\":\"again\"}",
        "{\"kind\":7}",
    };
    struct pa_live_state live;
    read_hall(&small, &live);
    json_t *before = fresh_view(&live);
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        note(&live, 2, notes[i]);
    json_t *after = fresh_view(&live);
    /* Only the time of the last record is another one, and what a device told of itself. */
    static const char *const same[] = {"session", "rate",     "epochs", "devices",
                                       "counts",  "findings", "meters", "openings"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_same(json_object_get(before, same[i]), json_object_get(after, same[i]));
    json_decref(before);
    json_decref(after);
    pa_live_state_free(&live);
}

static void a_curve_of_any_length_keeps_its_room(void **state) {
    (void)state;
    struct live_hall hall = small;
    struct pa_live_state live;
    hall.devices = 1;
    hall.epochs = hall.closed = 400;
    hall.openings = 1;
    read_hall(&hall, &live);
    assert_int_equal(live.meter_count, 1);
    assert_in_range(live.meters[0].points, PA_LIVE_POINTS / 2, PA_LIVE_POINTS);
    assert_true(live.meters[0].point_ms[0] < live.epochs[1].t0.utc_ns / 1000000);
    assert_true(live.meters[0].point_ms[live.meters[0].points - 1] >
                live.epochs[380].t0.utc_ns / 1000000);
    for (uint32_t i = 1; i < live.meters[0].points; i++)
        assert_true(live.meters[0].point_ms[i] > live.meters[0].point_ms[i - 1]);
    pa_live_state_free(&live);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_told_in_parts_is_the_whole),
        cmocka_unit_test(the_rate_is_that_of_the_protocol),
        cmocka_unit_test(a_gap_lasts_until_the_next_nonce),
        cmocka_unit_test(work_that_is_not_opened_is_not_called_proven),
        cmocka_unit_test(failed_openings_are_told_in_words),
        cmocka_unit_test(devices_are_told_apart_by_how_they_do),
        cmocka_unit_test(names_of_a_site_stay_text_on_one_line),
        cmocka_unit_test(notes_that_make_no_sense_change_nothing),
        cmocka_unit_test(a_curve_of_any_length_keeps_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
