/* SPDX-License-Identifier: Apache-2.0 */
/* The declaration's bytes: one text for one declaration, and nothing that is almost one. */
#include "cmocka_setup.h"

#include "proof/declaration.h"

#include <stdio.h>
#include <string.h>

static struct pa_declared_device devices[3] = {
    {2048, 1024, "NVIDIA H800 80GB"}, {32768, 8192, "\xe5\x8d\xa1 2"}, {16384, 2048, ""}};

static struct pa_declaration sample(void) {
    struct pa_declaration d = {.class_id = PA_DENSE16,
                               .k = 8192,
                               .device_count = 3,
                               .devices = devices,
                               .epochs = 6,
                               .epoch_ns = 10000000000u,
                               .openings = 1000,
                               .interruptions = 1,
                               .longest_gap_ns = 900000000000u,
                               .serial = 1,
                               .alpha_ppm = 10000,
                               .site = "Hall 1"};
    memset(d.claim.bytes, 1, sizeof d.claim.bytes);
    memset(d.policy.bytes, 2, sizeof d.policy.bytes);
    memset(d.witness_key, 4, sizeof d.witness_key);
    memset(d.prover_key, 4, sizeof d.prover_key);
    return d;
}

static void what_was_declared_is_read_back(void **state) {
    (void)state;
    struct pa_declaration d = sample(), read;
    struct pa_buffer bytes = {0}, again = {0};
    pa_declaration_write(&d, &bytes);
    struct pa_error error = {0};
    int code = pa_declaration_read(&read, bytes.data, bytes.size, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(code, PA_OK);
    assert_int_equal(read.class_id, PA_DENSE16);
    assert_int_equal(read.device_count, 3);
    assert_string_equal(read.devices[1].name, devices[1].name);
    assert_int_equal(read.devices[1].m, 32768);
    assert_string_equal(read.site, "Hall 1");
    assert_int_equal(read.alpha_ppm, 10000);
    assert_true(pa_declaration_is_certified(&read));
    read.devices[2].m = 1920;
    assert_false(pa_declaration_is_certified(&read));
    read.devices[2].m = 16384;
    pa_declaration_write(&read, &again);
    assert_int_equal(again.size, bytes.size);
    assert_memory_equal(again.data, bytes.data, bytes.size);
    pa_declaration_free(&read);
    pa_buffer_free(&bytes);
    pa_buffer_free(&again);
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    struct pa_declaration d = sample(), read;
    struct pa_buffer bytes = {0};
    pa_declaration_write(&d, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        assert_int_equal(pa_declaration_read(&read, bytes.data, size, NULL), PA_EINPUT);
        assert_null(read.devices);
    }
    pa_buffer_text(&bytes, "x");
    assert_int_equal(pa_declaration_read(&read, bytes.data, bytes.size, NULL), PA_EINPUT);
    pa_buffer_free(&bytes);
}

/* A flipped bit is refused, or makes another declaration with another session: never the same. */
static void no_two_texts_say_the_same(void **state) {
    (void)state;
    struct pa_declaration d = sample(), read;
    struct pa_buffer bytes = {0}, again = {0};
    pa_declaration_write(&d, &bytes);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int code = pa_declaration_read(&read, bytes.data, bytes.size, NULL);
        assert_true(code == PA_OK || code == PA_EINPUT);
        if (code == PA_OK) {
            pa_buffer_clear(&again);
            pa_declaration_write(&read, &again);
            assert_int_equal(again.size, bytes.size);
            assert_memory_equal(again.data, bytes.data, bytes.size);
            pa_declaration_free(&read);
        }
        bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    pa_buffer_free(&bytes);
    pa_buffer_free(&again);
}

static void what_the_protocol_cannot_do_is_refused(void **state) {
    (void)state;
    struct pa_declaration bad[20];
    struct pa_declared_device odd[3];
    size_t count = 0;
    for (size_t i = 0; i < 20; i++)
        bad[i] = sample();
    bad[count++].class_id = PA_CLASS_NONE;
    bad[count++].class_id = (enum pa_class)5;
    bad[count++].k = 16384;
    bad[count++].k = 8190;
    bad[count++].device_count = 0;
    bad[count++].epochs = 0;
    bad[count++].epoch_ns = 0;
    bad[count++].epoch_ns = UINT64_MAX;
    bad[count++].openings = 0;
    bad[count++].openings = PA_MOST_OPENINGS + 1;
    bad[count++].serial = 0;
    bad[count++].alpha_ppm = 0;
    bad[count++].alpha_ppm = 1000000;
    bad[count++].longest_gap_ns = UINT64_MAX;
    bad[count++].witness_key[0] = 2;
    bad[count++].prover_key[0] = 0;
    bad[count++].site[0] = '\n';
    bad[count++].site[1] = (char)0xFF;
    memset(bad[count++].site, 'x', PA_DECLARED_NAME_BYTES);
    memcpy(odd, devices, sizeof odd);
    odd[1].m = 100;
    bad[count++].devices = odd;
    assert_int_equal(count, 20);
    struct pa_declaration good = sample();
    assert_int_equal(pa_declaration_check(&good, NULL), PA_OK);
    for (size_t i = 0; i < count; i++) {
        struct pa_error error = {0};
        assert_int_equal(pa_declaration_check(&bad[i], &error), PA_EINPUT);
        assert_int_not_equal(error.text[0], 0);
    }
}

static void a_count_without_bytes_takes_no_memory(void **state) {
    (void)state;
    struct pa_declaration d = sample(), read;
    struct pa_buffer bytes = {0};
    d.device_count = 1;
    pa_declaration_write(&d, &bytes);
    size_t at = bytes.size - 8 - 1 - strlen(devices[0].name) - 4;
    assert_int_equal(pa_le32(bytes.data + at), 1);
    static const uint32_t counts[] = {2, 4, 1 << 20, (1 << 20) + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        pa_put_le32(bytes.data + at, counts[i]);
        assert_int_equal(pa_declaration_read(&read, bytes.data, bytes.size, NULL), PA_EINPUT);
    }
    pa_buffer_free(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_declared_is_read_back),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(no_two_texts_say_the_same),
        cmocka_unit_test(what_the_protocol_cannot_do_is_refused),
        cmocka_unit_test(a_count_without_bytes_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
