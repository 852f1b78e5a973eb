/* SPDX-License-Identifier: Apache-2.0 */
/* The one encoder and the one parser of transcript records. */
#include "cmocka_setup.h"

#include "record_samples.h"

#include <stdlib.h>
#include <string.h>

static void write_again(struct pa_buffer *out, const struct pa_record *record) {
    struct pa_session_record session;
    struct pa_nonce_record nonce;
    struct pa_root_record root;
    struct pa_list_record list;
    struct pa_key_record key;
    struct pa_opening_record opening;
    struct pa_result_record result;
    struct pa_power_record power;
    struct pa_fabric_record fabric;
    struct pa_note_record note;
    struct pa_signature_record signature;
    if (pa_record_session(record, &session, NULL) == PA_OK)
        pa_record_put_session(out, &session);
    if (pa_record_nonce(record, &nonce, NULL) == PA_OK)
        pa_record_put_nonce(out, record->epoch, &nonce);
    if (pa_record_root(record, &root, NULL) == PA_OK)
        pa_record_put_root(out, record->epoch, &root);
    if (pa_record_list(record, &list, NULL) == PA_OK) {
        struct pa_list_entry *entries = calloc(list.count, sizeof *entries);
        assert_non_null(entries);
        for (uint32_t i = 0; i < list.count; i++)
            entries[i] = pa_list_entry_at(&list, i);
        pa_record_put_list(out, record->epoch, entries, list.count);
        free(entries);
    }
    if (pa_record_key(record, &key, NULL) == PA_OK)
        pa_record_put_key(out, record->epoch, &key);
    if (pa_record_opening(record, &opening, NULL) == PA_OK)
        pa_record_put_opening(out, record->epoch, &opening);
    if (pa_record_result(record, &result, NULL) == PA_OK)
        pa_record_put_result(out, record->epoch, &result);
    if (pa_record_power(record, &power, NULL) == PA_OK) {
        struct pa_power_sample *samples = calloc(power.count, sizeof *samples);
        assert_non_null(samples);
        for (uint32_t i = 0; i < power.count; i++)
            samples[i] = pa_power_sample_at(&power, i);
        pa_record_put_power(out, power.at, power.meter, samples, power.count);
        free(samples);
    }
    if (pa_record_fabric(record, &fabric, NULL) == PA_OK)
        pa_record_put_fabric(out, &fabric);
    if (pa_record_note(record, &note, NULL) == PA_OK)
        pa_record_put_note(out, record->epoch, &note);
    if (pa_record_signature(record, &signature, NULL) == PA_OK)
        pa_record_put_signature(out, &signature);
}

static void every_kind_of_record_survives_the_round_trip(void **state) {
    (void)state;
    struct pa_buffer samples = {0}, again = {0};
    put_samples(&samples);
    assert_false(samples.failed);
    struct pa_reader reader = pa_reader_over(samples.data, samples.size);
    uint32_t seen = 0, count = 0;
    while (reader.left > 0) {
        struct pa_record record;
        struct pa_instant at;
        assert_int_equal(pa_record_next(&reader, &record, NULL), PA_OK);
        assert_int_equal(pa_record_check(&record, &at, NULL), PA_OK);
        write_again(&again, &record);
        seen |= 1u << record.type;
        count++;
    }
    assert_int_equal(count, 14);
    assert_int_equal(seen, 0xFFE); /* bits 1 to 11 */
    assert_int_equal(again.size, samples.size);
    assert_memory_equal(again.data, samples.data, samples.size);
    pa_buffer_free(&samples);
    pa_buffer_free(&again);
}

static bool is_accepted(const uint8_t *data, size_t size) {
    /* A copy of exact size, so that a sanitizer sees any read past the end. */
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    struct pa_reader reader = pa_reader_over(copy, size);
    struct pa_record record;
    struct pa_instant at;
    bool accepted = pa_record_next(&reader, &record, NULL) == PA_OK &&
                    pa_record_check(&record, &at, NULL) == PA_OK;
    free(copy);
    return accepted;
}

/* Calls `visit` with each sample on its own. */
static void each_sample(void (*visit)(const uint8_t *data, size_t size)) {
    struct pa_buffer samples = {0};
    put_samples(&samples);
    for (size_t at = 0; at < samples.size;) {
        size_t size = PA_RECORD_HEADER_BYTES + pa_le32(samples.data + at + 4);
        visit(samples.data + at, size);
        at += size;
    }
    pa_buffer_free(&samples);
}

static void refuse_truncations(const uint8_t *data, size_t size) {
    for (size_t kept = 0; kept < size; kept++)
        assert_false(is_accepted(data, kept));
    assert_true(is_accepted(data, size));
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    each_sample(refuse_truncations);
}

/* The length says so too: then only records that end in free text or bytes may be shorter. */
static void refuse_shorter_payloads(const uint8_t *data, size_t size) {
    uint32_t type = pa_le32(data);
    if (type == PA_RECORD_OPENING || type == PA_RECORD_RESULT || type == PA_RECORD_FABRIC)
        return;
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, data, size);
    copy[size] = 0;
    for (size_t kept = PA_RECORD_HEADER_BYTES; kept <= size + 1; kept++) {
        pa_put_le32(copy + 4, (uint32_t)(kept - PA_RECORD_HEADER_BYTES));
        assert_int_equal(is_accepted(copy, kept), kept == size);
    }
    free(copy);
}

static void a_payload_is_read_to_its_last_byte(void **state) {
    (void)state;
    each_sample(refuse_shorter_payloads);
}

static void change_bits(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        memcpy(copy, data, size);
        copy[bit / 8] = (uint8_t)(copy[bit / 8] ^ 1u << bit % 8);
        struct pa_reader reader = pa_reader_over(copy, size);
        struct pa_record record;
        struct pa_instant at;
        if (pa_record_next(&reader, &record, NULL) != PA_OK ||
            pa_record_check(&record, &at, NULL) != PA_OK)
            continue;
        struct pa_buffer again = {0};
        write_again(&again, &record);
        assert_int_equal(again.size, size - reader.left);
        assert_memory_equal(again.data, copy, again.size);
        pa_buffer_free(&again);
    }
    free(copy);
}

static void what_is_accepted_is_written_back_alike(void **state) {
    (void)state;
    each_sample(change_bits);
}

static void refuse(const struct pa_buffer *buffer) {
    assert_false(buffer->failed);
    assert_false(is_accepted(buffer->data, buffer->size));
}

/* Two readings, then whatever `spoil` makes of them. */
static void refuse_power(void (*spoil)(struct pa_power_sample samples[2])) {
    struct pa_buffer buffer = {0};
    struct pa_power_sample samples[2] = {
        {{1000, 5000}, 700, PA_ENERGY_UNKNOWN},
        {{2000, 6000}, -700, 10},
    };
    if (spoil != NULL)
        spoil(samples);
    pa_record_put_power(&buffer, (struct pa_instant){3000, 7000}, 1, samples, 2);
    assert_false(buffer.failed);
    assert_int_equal(is_accepted(buffer.data, buffer.size), spoil == NULL);
    pa_buffer_free(&buffer);
}

static void back_in_time(struct pa_power_sample samples[2]) {
    samples[1].at.raw_ns = samples[0].at.raw_ns;
}
static void two_clocks(struct pa_power_sample samples[2]) {
    samples[1].at.raw_ns = 0;
}
static void same_utc_by_utc(struct pa_power_sample samples[2]) {
    samples[0].at.raw_ns = samples[1].at.raw_ns = 0;
    samples[1].at.utc_ns = samples[0].at.utc_ns;
}
static void nothing_read(struct pa_power_sample samples[2]) {
    samples[0].milliwatts = PA_POWER_UNKNOWN;
}
static void absurd_power(struct pa_power_sample samples[2]) {
    samples[0].milliwatts = PA_POWER_MOST_MILLIWATTS + 1;
}
static void absurd_energy(struct pa_power_sample samples[2]) {
    samples[1].millijoules = UINT64_C(1) << 63;
}

static void readings_that_cannot_be_are_refused(void **state) {
    (void)state;
    refuse_power(NULL);
    refuse_power(back_in_time);
    refuse_power(two_clocks);
    refuse_power(same_utc_by_utc);
    refuse_power(nothing_read);
    refuse_power(absurd_power);
    refuse_power(absurd_energy);
}

static void unknown_types_are_refused(void **state) {
    (void)state;
    const uint32_t types[] = {0, 12, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct pa_buffer buffer = {0};
        pa_buffer_u32(&buffer, types[i]);
        pa_buffer_u32(&buffer, 64);
        for (int word = 0; word < 8; word++)
            pa_buffer_u64(&buffer, 0);
        refuse(&buffer);
        pa_buffer_free(&buffer);
    }
    assert_string_equal(pa_record_type_name(PA_RECORD_NONCE), "NONCE");
    assert_string_equal(pa_record_type_name(0), "?");
    assert_string_equal(pa_record_type_name(12), "?");
}

static void a_fabric_record_without_its_stage_is_refused(void **state) {
    (void)state;
    struct pa_buffer buffer = {0};
    struct pa_fabric_record fabric = {
        .at = {1, 2}, .stage = 0, .body = (const uint8_t *)"x", .body_bytes = 1};
    pa_record_put_fabric(&buffer, &fabric);
    refuse(&buffer);
    fabric.stage = 1;
    fabric.body_bytes = 0;
    pa_buffer_clear(&buffer);
    pa_record_put_fabric(&buffer, &fabric);
    refuse(&buffer);
    fabric.body_bytes = 1;
    pa_buffer_clear(&buffer);
    pa_record_put_fabric(&buffer, &fabric);
    memset(buffer.data + PA_RECORD_HEADER_BYTES, 0, 8); /* of an epoch */
    refuse(&buffer);
    pa_buffer_free(&buffer);
}

static void absurd_values_are_refused(void **state) {
    (void)state;
    struct pa_buffer buffer = {0};
    const struct pa_nonce_record late = {.at = {.raw_ns = UINT64_MAX, .utc_ns = 1}};
    pa_record_put_nonce(&buffer, 0, &late);
    refuse(&buffer);
    pa_buffer_clear(&buffer);
    const struct pa_nonce_record sound = {.at = {.raw_ns = 1, .utc_ns = 1}};
    pa_record_put_nonce(&buffer, PA_NO_EPOCH, &sound);
    refuse(&buffer);
    pa_buffer_clear(&buffer);
    pa_record_put_nonce(&buffer, PA_EPOCH_NUMBER_END, &sound);
    refuse(&buffer);
    pa_buffer_clear(&buffer);
    const struct pa_result_record more_than_drawn = {
        .drawn = 3, .failed = 4, .first_failed = 0, .reason = "x", .reason_bytes = 1};
    pa_record_put_result(&buffer, 0, &more_than_drawn);
    refuse(&buffer);
    pa_buffer_clear(&buffer);
    const struct pa_result_record silent = {
        .drawn = 3, .failed = 1, .first_failed = 0, .reason = "", .reason_bytes = 0};
    pa_record_put_result(&buffer, 0, &silent);
    refuse(&buffer);
    pa_buffer_clear(&buffer);
    const struct pa_note_record array = {.at = {.raw_ns = 1}, .json = "[1]", .json_bytes = 3};
    pa_record_put_note(&buffer, 0, &array);
    refuse(&buffer);
    pa_buffer_clear(&buffer);
    const struct pa_note_record zero = {.at = {.raw_ns = 1}, .json = "{\0}", .json_bytes = 3};
    pa_record_put_note(&buffer, 0, &zero);
    refuse(&buffer);
    pa_buffer_free(&buffer);
}

static void a_list_whose_count_overflows_is_refused(void **state) {
    (void)state;
    struct pa_buffer buffer = {0};
    pa_buffer_u32(&buffer, PA_RECORD_LIST);
    pa_buffer_u32(&buffer, 12 + 72);
    pa_buffer_u64(&buffer, 0);
    pa_buffer_u32(&buffer, 0x38E38E3A); /* times 72 it is 80 modulo 2^32 */
    for (int word = 0; word < 9; word++)
        pa_buffer_u64(&buffer, 1);
    refuse(&buffer);
    pa_buffer_free(&buffer);
}

static void what_does_not_fit_is_never_written(void **state) {
    (void)state;
    struct pa_buffer buffer = {0};
    const struct pa_signature_record signature = {.witness = {.length = 1000}};
    pa_record_put_signature(&buffer, &signature);
    assert_true(buffer.failed);
    pa_buffer_free(&buffer);
    buffer = (struct pa_buffer){0};
    pa_record_put_list(&buffer, 0, NULL, 1u << 31);
    assert_true(buffer.failed);
    pa_buffer_free(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_record_survives_the_round_trip),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_payload_is_read_to_its_last_byte),
        cmocka_unit_test(what_is_accepted_is_written_back_alike),
        cmocka_unit_test(readings_that_cannot_be_are_refused),
        cmocka_unit_test(unknown_types_are_refused),
        cmocka_unit_test(a_fabric_record_without_its_stage_is_refused),
        cmocka_unit_test(absurd_values_are_refused),
        cmocka_unit_test(a_list_whose_count_overflows_is_refused),
        cmocka_unit_test(what_does_not_fit_is_never_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
