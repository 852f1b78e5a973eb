/* SPDX-License-Identifier: Apache-2.0 */
/* What hub and workers say to each other survives the way, and what is damaged on it is refused. */
#include "cmocka_setup.h"

#include "measure/crew.h"
#include "measure/messages.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pa_device_facts device_facts(void) {
    struct pa_device_facts facts = {.backend = "cpu"};
    snprintf(facts.identity.id, sizeof facts.identity.id, "cpu:0");
    snprintf(facts.identity.name, sizeof facts.identity.name, "Some Processor");
    snprintf(facts.identity.host, sizeof facts.identity.host, "node-1");
    facts.identity.memory_bytes = UINT64_C(1) << 40;
    facts.identity.units = 64;
    facts.identity.clock_hz = 2.5e9;
    facts.formats[PA_BF16].runs = true;
    facts.formats[PA_BF16].peak_per_second = 1e12;
    snprintf(facts.formats[PA_FP16].why_not, sizeof facts.formats[PA_FP16].why_not, "not here");
    return facts;
}

static void a_hello_is_read_back(void **state) {
    struct pa_device_facts facts[2] = {device_facts(), device_facts()};
    struct pa_hello hello = {.device_count = 2, .devices = facts, .library_count = 1, .utc_ns = 77},
                    back;
    struct pa_buffer bytes = {0};
    struct pa_error error = {0};
    (void)state;
    facts[1].identity.is_emulated = true;
    snprintf(facts[1].identity.bus, sizeof facts[1].identity.bus, "0000:3b:00.0");
    hello.libraries[0] = (struct pa_library_facts){"libcuda.so.1", "/usr/lib/libcuda.so", "ab12"};
    pa_put_hello(&bytes, &hello);
    struct pa_reader in = pa_reader_over(bytes.data, bytes.size);
    assert_int_equal(pa_get_hello(&in, &back, &error), PA_OK);
    assert_true(pa_reader_done(&in));
    assert_int_equal(back.device_count, 2);
    assert_string_equal(back.devices[1].identity.name, "Some Processor");
    assert_true(back.devices[1].formats[PA_BF16].peak_per_second == 1e12);
    assert_string_equal(back.devices[0].formats[PA_FP16].why_not, "not here");
    assert_false(back.devices[0].identity.is_emulated);
    assert_true(back.devices[1].identity.is_emulated);
    assert_string_equal(back.devices[1].identity.bus, "0000:3b:00.0");
    assert_int_equal(back.library_count, 1);
    assert_string_equal(back.libraries[0].sha256, "ab12");
    assert_int_equal(back.utc_ns, 77);
    pa_hello_free(&back);
    for (size_t cut = 0; cut < bytes.size; cut++) {
        in = pa_reader_over(bytes.data, cut);
        assert_int_equal(pa_get_hello(&in, &back, &error), PA_EINPUT);
    }
    pa_buffer_free(&bytes);
}

static void a_name_with_control_characters_is_made_harmless(void **state) {
    struct pa_device_facts facts = device_facts();
    struct pa_hello hello = {.device_count = 1, .devices = &facts}, back;
    struct pa_buffer bytes = {0};
    struct pa_error error = {0};
    (void)state;
    snprintf(facts.identity.name, sizeof facts.identity.name, "evil\x1b[2J");
    pa_put_hello(&bytes, &hello);
    struct pa_reader in = pa_reader_over(bytes.data, bytes.size);
    assert_int_equal(pa_get_hello(&in, &back, &error), PA_OK);
    assert_string_equal(back.devices[0].identity.name, "evil?[2J");
    pa_hello_free(&back);
    pa_buffer_free(&bytes);
}

static void rates_that_are_no_numbers_are_refused(void **state) {
    static const double bad[] = {-1, (double)NAN, (double)INFINITY};
    struct pa_error error = {0};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pa_raw raw = {.operations = bad[i], .ns = 1}, back;
        struct pa_buffer bytes = {0};
        pa_put_raw(&bytes, &raw);
        struct pa_reader in = pa_reader_over(bytes.data, bytes.size);
        assert_int_equal(pa_get_raw(&in, &back, &error), PA_EINPUT);
        pa_buffer_free(&bytes);
    }
}

static void too_many_devices_are_refused_before_memory_is_taken(void **state) {
    struct pa_buffer bytes = {0};
    struct pa_hello back;
    struct pa_error error = {0};
    (void)state;
    pa_buffer_u32(&bytes, UINT32_MAX);
    struct pa_reader in = pa_reader_over(bytes.data, bytes.size);
    assert_int_equal(pa_get_hello(&in, &back, &error), PA_EINPUT);
    pa_buffer_free(&bytes);
}

static void every_cut_request_is_refused(void **state) {
    struct pa_epoch_request request = {
        .parameters = {.class_id = PA_DENSE8, .k = 8192, .devices = 3, .epoch = 7},
        .first_device = 1,
        .length_ns = 9};
    struct pa_epoch_request back;
    struct pa_buffer bytes = {0};
    struct pa_error error = {0};
    (void)state;
    pa_put_epoch_request(&bytes, &request);
    struct pa_reader in = pa_reader_over(bytes.data, bytes.size);
    assert_int_equal(pa_get_epoch_request(&in, &back, &error), PA_OK);
    assert_true(pa_reader_done(&in));
    assert_int_equal(back.parameters.class_id, PA_DENSE8);
    assert_int_equal(back.parameters.epoch, 7);
    for (size_t cut = 0; cut < bytes.size; cut++) {
        in = pa_reader_over(bytes.data, cut);
        assert_int_equal(pa_get_epoch_request(&in, &back, &error), PA_EINPUT);
    }
    pa_buffer_free(&bytes);
}

static void a_failure_crosses_with_its_code_and_words(void **state) {
    struct pa_buffer part = {0};
    struct pa_error error = {0};
    (void)state;
    pa_buffer_u32(&part, (uint32_t)PA_EDEVICE);
    pa_buffer_text(&part, "it \x07melted");
    struct pa_reader in = pa_reader_over(part.data, part.size);
    assert_int_equal(pa_crew_part(&in, &error), PA_EDEVICE);
    assert_string_equal(error.text, "it ?melted");
    pa_buffer_free(&part);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_is_read_back),
        cmocka_unit_test(a_name_with_control_characters_is_made_harmless),
        cmocka_unit_test(rates_that_are_no_numbers_are_refused),
        cmocka_unit_test(too_many_devices_are_refused_before_memory_is_taken),
        cmocka_unit_test(every_cut_request_is_refused),
        cmocka_unit_test(a_failure_crosses_with_its_code_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
