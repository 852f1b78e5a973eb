/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: tests/policies/ says file by file what is described and what is refused. */
#include "claim/claim.h"
#include "cmocka_setup.h"
#include "golden_files.h"

#include <string.h>

static void tell_policy(const char *name, const struct pa_buffer *data, struct pa_buffer *told) {
    struct pa_policy policy;
    struct pa_error error = {0};
    int code = pa_policy_parse(name, data->data, data->size, &policy, &error);
    if (code != PA_OK) {
        pa_buffer_format(told, "%s %s\n", pa_status_name(code), error.text);
        assert_null(policy.text);
        return;
    }
    assert_int_equal(pa_policy_describe(&policy, told), PA_OK);
    pa_policy_free(&policy);
}

static void every_policy_file_tells_what_is_expected(void **state) {
    (void)state;
    assert_true(golden_check(PETAUDIT_SOURCE_DIR "/tests/policies", tell_policy) >= 20);
}

static void the_built_in_policies_can_be_loaded_by_name(void **state) {
    (void)state;
    for (const char *const *name = pa_policy_names(); *name != NULL; name++) {
        struct pa_policy policy;
        size_t size;
        const char *text = pa_policy_text(*name, &size);
        assert_non_null(text);
        assert_int_equal(pa_policy_load(*name, &policy, NULL), PA_OK);
        assert_string_equal(policy.name, *name);
        assert_int_equal(policy.text_bytes, size);
        assert_memory_equal(policy.text, text, size);
        pa_policy_free(&policy);
    }
}

static void the_rule_of_2024_is_what_its_file_says(void **state) {
    (void)state;
    struct pa_policy policy;
    assert_int_equal(pa_policy_load("xinjiang-2024", &policy, NULL), PA_OK);
    assert_true(policy.has_entitlement);
    assert_true(policy.entitlement_mw == 400 && policy.entitlement_per_pflops == 500);
    assert_int_equal(policy.rounding, PA_ROUND_PROPORTIONAL);
    assert_int_equal(policy.basis, PA_BASIS_SUSTAINED);
    assert_int_equal(policy.acceptance, PA_ACCEPT_GUARDED);
    assert_true(policy.k == 2);
    assert_true(policy.window_ns == 60000000000ull && policy.epoch_ns == 10000000000ull);
    assert_true(policy.alpha == 0.01);
    assert_int_equal(policy.openings, 1000);
    assert_int_equal(policy.interruptions, 1);
    assert_true(policy.longest_gap_ns == 900000000000ull);
    assert_int_equal(policy.inflation, PA_INFLATION_REPORT);
    assert_int_equal(policy.assurance, PA_ASSURANCE_SELF);
    pa_policy_free(&policy);
}

static void an_unknown_policy_is_no_input_and_its_neighbour_is_named(void **state) {
    (void)state;
    struct pa_policy policy;
    struct pa_error error = {0};
    assert_int_equal(pa_policy_load("xinjang-2024", &policy, &error), PA_ENOINPUT);
    assert_non_null(strstr(error.text, "did you mean xinjiang-2024?"));
    assert_int_equal(pa_policy_load("./missing.yaml", &policy, &error), PA_ENOINPUT);
    assert_non_null(strstr(error.text, "./missing.yaml"));
    assert_int_equal(pa_policy_load("", &policy, &error), PA_ENOINPUT);
    assert_null(pa_policy_text("none", &(size_t){0}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_file_tells_what_is_expected),
        cmocka_unit_test(the_built_in_policies_can_be_loaded_by_name),
        cmocka_unit_test(the_rule_of_2024_is_what_its_file_says),
        cmocka_unit_test(an_unknown_policy_is_no_input_and_its_neighbour_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
