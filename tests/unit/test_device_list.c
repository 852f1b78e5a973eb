/* SPDX-License-Identifier: Apache-2.0 */
/* Very many devices: what a statement lists of them, and the list beside it. */
#include "cmocka_setup.h"

#include "certificate_samples.h"
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 5000, SLOW = 7 };

/* The hall with `count` devices of two models; every 700th is slow, one is lost. */
static void make_many(struct certificate_sample *sample, uint32_t count) {
    certificate_sample_make(sample, SAMPLE_FAIL);
    struct pa_facts *facts = &sample->facts;
    struct pa_fact_device model = facts->devices[0];
    free(facts->devices);
    facts->devices = calloc(count, sizeof *facts->devices);
    assert_non_null(facts->devices);
    facts->device_count = count;
    for (uint32_t d = 0; d < count; d++) {
        struct pa_fact_device *device = &facts->devices[d];
        *device = model;
        snprintf(device->id, sizeof device->id, "GPU-%08u", d);
        if (d % 3 == 0)
            strcpy(device->model, "NVIDIA H20");
        device->operations = model.operations * (1 + 1e-5 * d) * (d % 700 == 699 ? 0.5 : 1);
    }
    facts->devices[100].lost = true;
    strcpy(facts->devices[100].lost_text, "rank 3 said \"no\"\\ and went \xe2\x80\xae away\n");
}

static json_t *statement_of(const struct certificate_sample *sample) {
    struct pa_issue issue = {0};
    struct pa_error error = {0};
    json_t *statement;
    issue.signer[0] = 4;
    assert_int_equal(pa_statement_build(&sample->facts, &sample->claim, &sample->policy,
                                        &sample->judgement, &issue, &statement, &error),
                     PA_OK);
    return statement;
}

static const json_t *part(const json_t *statement, const char *name) {
    return json_object_get(json_object_get(statement, "predicate"), name);
}

static const char *text(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static json_int_t whole(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

static void a_line_is_the_statements_own_object_in_canonical_form(void **state) {
    struct certificate_sample sample;
    struct pa_buffer list = {0};
    (void)state;
    make_many(&sample, 300);
    json_t *statement = statement_of(&sample);
    const json_t *devices = part(statement, "devices");
    assert_int_equal(pa_device_list_write(&sample.facts, &sample.claim, &list, NULL), PA_OK);
    pa_buffer_bytes(&list, "", 1);
    assert_int_equal(json_array_size(devices), 300);
    char *rest = (char *)list.data;
    assert_string_equal(strsep(&rest, "\n"), "[");
    for (size_t d = 0; d < 300; d++) {
        struct pa_buffer canonical = {0};
        char *line = strsep(&rest, "\n");
        pa_canonical_write(json_array_get(devices, d), &canonical, NULL);
        assert_int_equal(strlen(line), canonical.size + (d < 299 ? 1 : 0));
        assert_memory_equal(line, canonical.data, canonical.size);
        assert_int_equal(whole(json_array_get(devices, d), "number"), d);
        pa_buffer_free(&canonical);
    }
    assert_string_equal(strsep(&rest, "\n"), "]");
    assert_string_equal(text(part(statement, "device_list"), "selection"), "all");
    assert_true(json_is_null(json_object_get(part(statement, "device_list"), "sha256")));
    pa_buffer_free(&list);
    json_decref(statement);
    certificate_sample_free(&sample);
}

static void of_too_many_the_statement_lists_those_that_stand_out(void **state) {
    struct certificate_sample sample;
    (void)state;
    make_many(&sample, MANY);
    json_t *statement = statement_of(&sample);
    const json_t *devices = part(statement, "devices"), *list = part(statement, "device_list");
    assert_int_equal(json_array_size(devices), SLOW + 1);
    assert_int_equal(whole(list, "listed"), SLOW + 1);
    assert_int_equal(whole(json_array_get(devices, 0), "number"), 100);
    assert_int_equal(whole(json_array_get(devices, 1), "number"), 699);
    assert_string_equal(text(list, "selection"), "standing out");
    assert_int_equal(whole(json_object_get(statement, "predicate"), "device_count"), MANY);
    json_decref(statement);
    certificate_sample_free(&sample);
}

static void the_statement_holds_the_hash_of_the_list_beside_it(void **state) {
    struct certificate_sample sample;
    struct pa_buffer list = {0};
    struct pa_hash hash;
    char digits[65];
    (void)state;
    make_many(&sample, MANY);
    json_t *statement = statement_of(&sample);
    assert_int_equal(pa_device_list_write(&sample.facts, &sample.claim, &list, NULL), PA_OK);
    pa_sha256(&hash, list.data, list.size);
    pa_hex(digits, hash.bytes, PA_HASH_BYTES);
    assert_string_equal(text(part(statement, "device_list"), "sha256"), digits);
    json_t *parsed = json_loadb((const char *)list.data, list.size, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_array_size(parsed), MANY);
    json_decref(parsed);
    /* One step more on one device is another list. */
    json_decref(statement);
    sample.facts.devices[4321].steps++;
    statement = statement_of(&sample);
    assert_string_not_equal(text(part(statement, "device_list"), "sha256"), digits);
    pa_buffer_free(&list);
    json_decref(statement);
    certificate_sample_free(&sample);
}

static void the_rates_count_every_living_device_once(void **state) {
    struct certificate_sample sample;
    (void)state;
    make_many(&sample, MANY);
    json_t *statement = statement_of(&sample);
    const json_t *rates = part(statement, "rates");
    assert_int_equal(json_array_size(rates), 2);
    assert_int_equal(whole(json_array_get(rates, 0), "count") +
                         whole(json_array_get(rates, 1), "count"),
                     MANY - 1);
    assert_int_equal(json_array_size(part(statement, "stragglers")), SLOW);
    json_decref(statement);
    certificate_sample_free(&sample);
}

static void the_report_groups_all_devices_and_names_those_that_stand_out(void **state) {
    struct certificate_sample sample;
    struct pa_buffer page = {0};
    const struct pa_report_form form = {PA_PAPER_A4, PA_LANGUAGE_EN};
    (void)state;
    make_many(&sample, MANY);
    json_t *statement = statement_of(&sample);
    assert_int_equal(pa_report_html(statement, form, &page, NULL), PA_OK);
    pa_buffer_bytes(&page, "", 1);
    assert_non_null(strstr((const char *)page.data, "1,667"));
    assert_non_null(strstr((const char *)page.data, "3,332"));
    assert_non_null(strstr((const char *)page.data, "NVIDIA H20"));
    assert_true(page.size < 200000);
    pa_buffer_free(&page);
    json_decref(statement);
    certificate_sample_free(&sample);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_the_statements_own_object_in_canonical_form),
        cmocka_unit_test(of_too_many_the_statement_lists_those_that_stand_out),
        cmocka_unit_test(the_statement_holds_the_hash_of_the_list_beside_it),
        cmocka_unit_test(the_rates_count_every_living_device_once),
        cmocka_unit_test(the_report_groups_all_devices_and_names_those_that_stand_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
