/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: tests/claims/ says file by file what is read and which message comes for what is wrong.
 */
#include "base/file.h"
#include "base/number.h"
#include "claim/claim.h"
#include "cmocka_setup.h"
#include "golden_files.h"
#include "proof/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char least[] = "center: A\ncapacity: {value: 500, unit: PFLOPS, precision: fp16}\n";

static void tell_number(struct pa_buffer *told, const char *label, double value) {
    char text[PA_DECIMAL_TEXT_BYTES];
    pa_decimal_text(text, value);
    pa_buffer_format(told, "%s%s", label, text);
}

static void tell_claim(const char *name, const struct pa_buffer *data, struct pa_buffer *told) {
    struct pa_claim claim;
    struct pa_error error = {0};
    int code = pa_claim_parse(name, data->data, data->size, &claim, &error);
    if (code != PA_OK) {
        pa_buffer_format(told, "%s %s\n", pa_status_name(code), error.text);
        assert_null(claim.text);
        assert_null(claim.accelerators);
        return;
    }
    pa_buffer_format(told, "center [%s] operator [%s] site [%s] [%s] unit [%s] %s %s policy [%s]",
                     claim.center, claim.operator_name, claim.site_name, claim.site_region,
                     claim.capacity_unit, pa_precision_name(claim.precision),
                     pa_basis_name(claim.basis), claim.policy);
    tell_number(told, " value ", claim.capacity_value);
    tell_number(told, " per second ", claim.capacity_per_second);
    tell_number(told, " grid ", claim.grid_connection_mw);
    if (claim.ramp_mw_per_s > 0)
        tell_number(told, " ramp ", claim.ramp_mw_per_s);
    if (claim.device_power_w > 0)
        tell_number(told, " device ", claim.device_power_w);
    for (uint32_t i = 0; i < claim.accelerator_count; i++) {
        pa_buffer_format(told, " [%s] x %u", claim.accelerators[i].model,
                         claim.accelerators[i].count);
        tell_number(told, " of ", claim.accelerators[i].memory_gib);
    }
    pa_buffer_text(told, "\n");
    pa_claim_free(&claim);
}

static void every_claim_file_tells_what_is_expected(void **state) {
    (void)state;
    assert_true(golden_check(PETAUDIT_SOURCE_DIR "/tests/claims", tell_claim) >= 80);
}

static void the_examples_are_claims_that_name_a_built_in_policy(void **state) {
    static const char *const paths[] = {PETAUDIT_SOURCE_DIR "/examples/claim.yaml",
                                        PETAUDIT_SOURCE_DIR "/examples/this-machine.yaml"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pa_claim claim;
        struct pa_policy policy;
        struct pa_error error;
        assert_int_equal(pa_claim_load(paths[i], &claim, &error), PA_OK);
        assert_int_equal(pa_policy_load(claim.policy, &policy, &error), PA_OK);
        pa_policy_free(&policy);
        pa_claim_free(&claim);
    }
}

static void the_bytes_and_their_hash_are_kept(void **state) {
    (void)state;
    struct pa_claim claim;
    struct pa_hash hash;
    assert_int_equal(pa_claim_parse("a", least, sizeof least - 1, &claim, NULL), PA_OK);
    pa_sha256(&hash, least, sizeof least - 1);
    assert_int_equal(claim.text_bytes, sizeof least - 1);
    assert_memory_equal(claim.text, least, sizeof least);
    assert_memory_equal(claim.sha256, hash.bytes, 32);
    pa_claim_free(&claim);
}

static void no_prefix_and_no_flipped_bit_of_a_claim_breaks_the_reader(void **state) {
    (void)state;
    struct pa_buffer data = {0};
    assert_int_equal(pa_file_read(PETAUDIT_SOURCE_DIR "/examples/claim.yaml", 1 << 20, &data, NULL),
                     PA_OK);
    for (size_t i = 0; i < data.size * 9; i++) {
        /* A copy of the exact size, so that the sanitizers see a read past the end. */
        size_t size = i < data.size ? i : data.size;
        uint8_t *copy = malloc(size + (size == 0));
        memcpy(copy, data.data, size);
        if (i >= data.size)
            copy[i % data.size] ^= (uint8_t)(1u << (i / data.size - 1));
        struct pa_claim claim;
        struct pa_error error = {0};
        int code = pa_claim_parse("a.yaml", copy, size, &claim, &error);
        assert_true(code == PA_OK || (code == PA_EINPUT && strstr(error.text, "a.yaml:") != NULL));
        for (const char *p = error.text; *p != '\0'; p++)
            assert_true((unsigned char)*p >= 0x20 && *p != 0x7F);
        pa_claim_free(&claim);
        free(copy);
    }
    pa_buffer_free(&data);
}

static void deep_nesting_is_refused_at_its_ninth_level(void **state) {
    (void)state;
    static const char *const pieces[] = {"[", "{a: ", "[\n", "- ", "? "};
    for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
        struct pa_buffer data = {0};
        struct pa_claim claim;
        struct pa_error error = {0};
        for (int i = 0; i < 100000; i++)
            pa_buffer_text(&data, pieces[k]);
        assert_int_equal(pa_claim_parse("deep.yaml", data.data, data.size, &claim, &error),
                         PA_EINPUT);
        assert_non_null(strstr(error.text, "nested too deeply"));
        pa_buffer_free(&data);
    }
}

static void a_thousand_kinds_of_accelerators_are_read_and_one_more_is_not(void **state) {
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct pa_buffer data = {0};
        struct pa_claim claim;
        struct pa_error error = {0};
        pa_buffer_text(&data, least);
        pa_buffer_text(&data, "accelerators:\n");
        for (int i = 0; i < PA_MOST_ACCELERATOR_KINDS + extra; i++)
            pa_buffer_format(&data, "- {model: M%d, count: %d, memory_gib: 80}\n", i, i + 1);
        int code = pa_claim_parse("many.yaml", data.data, data.size, &claim, &error);
        assert_int_equal(code, extra == 0 ? PA_OK : PA_EINPUT);
        if (code == PA_OK)
            assert_int_equal(claim.accelerators[1023].count, 1024);
        else
            assert_non_null(strstr(error.text, "1025 entries; expected at most 1024"));
        pa_claim_free(&claim);
        pa_buffer_free(&data);
    }
}

static void a_file_over_a_mebibyte_a_directory_and_none_are_told_apart(void **state) {
    (void)state;
    struct pa_claim claim;
    struct pa_error error = {0};
    char path[] = "/tmp/petaudit-claim-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, PA_CLAIM_MOST_BYTES + 1), 0);
    close(file);
    assert_int_equal(pa_claim_load(path, &claim, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "larger than"));
    unlink(path);
    assert_int_equal(pa_claim_load(path, &claim, &error), PA_ENOINPUT);
    assert_non_null(strstr(error.text, path));
    assert_int_equal(pa_claim_load("/tmp", &claim, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "not a regular file"));
}

static void a_precision_has_the_class_that_proves_it(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint32_t class_number;
        bool provable;
    } expected[] = {{"fp64", 4, true}, {"fp32", 1, false}, {"tf32", 1, false}, {"bf16", 1, true},
                    {"fp16", 1, true}, {"fp8", 3, true},   {"int8", 2, true}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        bool provable;
        enum pa_precision precision = pa_precision_named(expected[i].name);
        assert_string_equal(pa_precision_name(precision), expected[i].name);
        assert_int_equal(pa_precision_class(precision, &provable), expected[i].class_number);
        assert_int_equal(provable, expected[i].provable);
    }
    assert_int_equal(pa_precision_named("none"), PA_PRECISION_NONE);
    assert_int_equal(pa_precision_named("FP16"), PA_PRECISION_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_claim_file_tells_what_is_expected),
        cmocka_unit_test(the_examples_are_claims_that_name_a_built_in_policy),
        cmocka_unit_test(the_bytes_and_their_hash_are_kept),
        cmocka_unit_test(no_prefix_and_no_flipped_bit_of_a_claim_breaks_the_reader),
        cmocka_unit_test(deep_nesting_is_refused_at_its_ninth_level),
        cmocka_unit_test(a_thousand_kinds_of_accelerators_are_read_and_one_more_is_not),
        cmocka_unit_test(a_file_over_a_mebibyte_a_directory_and_none_are_told_apart),
        cmocka_unit_test(a_precision_has_the_class_that_proves_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
