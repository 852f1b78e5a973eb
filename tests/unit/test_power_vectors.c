/* SPDX-License-Identifier: Apache-2.0 */
/* The known answers of power.json, which a Python script made from docs/protocol.md alone. */
#include "cmocka_setup.h"

#include "evidence/record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static uint64_t whole(const json_t *value) {
    assert_true(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

static uint8_t *bytes_of(const json_t *entry, size_t *size) {
    const char *hex = json_string_value(json_object_get(entry, "record"));
    assert_non_null(hex);
    *size = strlen(hex) / 2;
    uint8_t *out = malloc(*size + 1);
    assert_true(out != NULL && pa_unhex(out, *size, hex));
    return out;
}

static bool is_accepted(const uint8_t *data, size_t size, struct pa_power_record *power) {
    struct pa_reader reader = pa_reader_over(data, size);
    struct pa_record record;
    return pa_record_next(&reader, &record, NULL) == PA_OK && pa_reader_done(&reader) &&
           pa_record_power(&record, power, NULL) == PA_OK;
}

static struct pa_power_sample sample_of(const json_t *reading) {
    const json_t *power = json_array_get(reading, 2), *energy = json_array_get(reading, 3);
    return (struct pa_power_sample){
        .at = {whole(json_array_get(reading, 0)), whole(json_array_get(reading, 1))},
        .milliwatts = json_is_null(power) ? PA_POWER_UNKNOWN : (int64_t)json_integer_value(power),
        .millijoules = json_is_null(energy) ? PA_ENERGY_UNKNOWN : whole(energy)};
}

static void check(const json_t *entry) {
    const json_t *at = json_object_get(entry, "at"), *readings = json_object_get(entry, "readings");
    struct pa_power_sample samples[8];
    struct pa_buffer written = {0};
    struct pa_power_record power;
    uint32_t count = (uint32_t)json_array_size(readings), meter;
    size_t size;
    uint8_t *expected = bytes_of(entry, &size);
    meter = (uint32_t)whole(json_object_get(entry, "meter"));
    assert_true(count >= 1 && count <= 8);
    for (uint32_t i = 0; i < count; i++)
        samples[i] = sample_of(json_array_get(readings, i));
    const struct pa_instant when = {whole(json_array_get(at, 0)), whole(json_array_get(at, 1))};
    pa_record_put_power(&written, when, meter, samples, count);
    assert_int_equal(written.size, size);
    assert_memory_equal(written.data, expected, size);
    assert_true(is_accepted(expected, size, &power));
    assert_true(power.meter == meter && power.count == count && power.at.utc_ns == when.utc_ns);
    for (uint32_t i = 0; i < count; i++) {
        struct pa_power_sample found = pa_power_sample_at(&power, i);
        assert_memory_equal(&found, &samples[i], sizeof found);
    }
    pa_buffer_free(&written);
    free(expected);
}

static void records_are_those_of_the_protocol(void **state) {
    size_t index;
    json_t *vectors = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/power.json", 0, NULL);
    const json_t *entry;
    struct pa_power_record power;
    (void)state;
    assert_true(json_array_size(json_object_get(vectors, "accepted")) == 12);
    assert_true(json_array_size(json_object_get(vectors, "refused")) == 16);
    json_array_foreach(json_object_get(vectors, "accepted"), index, entry) check(entry);
    json_array_foreach(json_object_get(vectors, "refused"), index, entry) {
        size_t size;
        uint8_t *data = bytes_of(entry, &size);
        if (is_accepted(data, size, &power))
            fail_msg("accepted: %s", json_string_value(json_object_get(entry, "why")));
        free(data);
    }
    json_decref(vectors);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(records_are_those_of_the_protocol)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
