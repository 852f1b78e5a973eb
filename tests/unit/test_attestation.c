/* SPDX-License-Identifier: Apache-2.0 */
/* Vendor's attestation reports: genuine ones of NVIDIA's, and made ones that each lack one thing.
 */
#include "cmocka_setup.h"

#include "base/bytes.h"
#include "proof/attestation.h"

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static json_t *vectors;
static uint64_t judged_ns;

struct sample {
    struct pa_attestation attestation;
    uint8_t report[PA_ATTESTATION_REPORT_MOST_BYTES], nonce[PA_ATTESTATION_NONCE_BYTES];
};

static const char *text_of(const json_t *entry, const char *key) {
    const char *text = json_string_value(json_object_get(entry, key));
    assert_non_null(text);
    return text;
}

static void read_sample(const json_t *entry, struct sample *out) {
    const char *report = text_of(entry, "report"), *chain = text_of(entry, "chain");
    size_t bytes = strlen(report) / 2;
    assert_true(bytes <= sizeof out->report && pa_unhex(out->report, bytes, report));
    assert_true(pa_unhex(out->nonce, sizeof out->nonce, text_of(entry, "nonce")));
    out->attestation = (struct pa_attestation){
        .report = out->report, .report_bytes = bytes, .chain = chain, .chain_bytes = strlen(chain)};
}

static const json_t *named(const char *list, const char *name) {
    size_t index;
    const json_t *entry;
    json_array_foreach(json_object_get(vectors, list), index, entry) {
        if (strcmp(text_of(entry, "name"), name) == 0)
            return entry;
    }
    fail_msg("no vector %s", name);
    return NULL;
}

static void check(const json_t *entry, const char *anchor) {
    struct sample sample;
    struct pa_attested found;
    struct pa_error error = {0};
    const char *name = text_of(entry, "name"), *why = text_of(entry, "why");
    const json_t *expected = json_object_get(entry, "attested");
    char key[2 * PA_HASH_BYTES + 1];
    read_sample(entry, &sample);
    int code =
        pa_attestation_verify(&sample.attestation, sample.nonce, anchor, judged_ns, &found, &error);
    if (code != (why[0] == '\0' ? PA_OK : PA_EINVALID) || strstr(error.text, why) == NULL)
        fail_msg("%s: %d, %s", name, code, error.text);
    if (code != PA_OK) {
        assert_true(json_is_null(expected));
        assert_string_equal(found.device, "");
        return;
    }
    pa_hex(key, found.key.bytes, PA_HASH_BYTES);
    assert_string_equal(found.device, text_of(expected, "device"));
    assert_string_equal(found.firmware, text_of(expected, "firmware"));
    assert_string_equal(found.driver, text_of(expected, "driver"));
    assert_string_equal(found.vbios, text_of(expected, "vbios"));
    assert_string_equal(key, text_of(expected, "key"));
}

static void genuine_reports_hold_under_the_pinned_root(void **state) {
    size_t index;
    const json_t *entry;
    (void)state;
    assert_int_equal(json_array_size(json_object_get(vectors, "vendor")), 3);
    json_array_foreach(json_object_get(vectors, "vendor"), index, entry)
        check(entry, pa_attestation_root());
}

static void made_reports_fail_for_the_one_thing_they_lack(void **state) {
    size_t index;
    const json_t *entry;
    (void)state;
    assert_true(json_array_size(json_object_get(vectors, "made")) > 30);
    json_array_foreach(json_object_get(vectors, "made"), index, entry)
        check(entry, text_of(vectors, "anchor"));
}

static void each_root_vouches_for_its_own(void **state) {
    struct sample sample;
    struct pa_attested found;
    (void)state;
    read_sample(named("made", "holds"), &sample);
    assert_int_equal(pa_attestation_verify(&sample.attestation, sample.nonce, pa_attestation_root(),
                                           judged_ns, &found, NULL),
                     PA_EINVALID);
    read_sample(named("vendor", "gpu_0"), &sample);
    assert_int_equal(pa_attestation_verify(&sample.attestation, sample.nonce,
                                           text_of(vectors, "anchor"), judged_ns, &found, NULL),
                     PA_EINVALID);
}

static void devices_are_told_apart(void **state) {
    struct sample sample;
    struct pa_attested first, second, third;
    (void)state;
    read_sample(named("vendor", "gpu_0"), &sample);
    assert_int_equal(pa_attestation_verify(&sample.attestation, sample.nonce, pa_attestation_root(),
                                           judged_ns, &first, NULL),
                     PA_OK);
    read_sample(named("vendor", "gpu_1"), &sample);
    assert_int_equal(pa_attestation_verify(&sample.attestation, sample.nonce, pa_attestation_root(),
                                           judged_ns, &second, NULL),
                     PA_OK);
    assert_false(pa_attested_is_same(&first, &second));
    assert_true(pa_attested_is_same(&first, &first));
    /* Another firmware gives another key, and the serial number stays. */
    third = first;
    third.key.bytes[0] ^= 1;
    assert_true(pa_attested_is_same(&first, &third));
    third = first;
    third.device[20] ^= 1;
    assert_true(pa_attested_is_same(&first, &third));
}

static void no_byte_of_a_report_can_be_changed(void **state) {
    struct sample sample;
    struct pa_attested found;
    (void)state;
    read_sample(named("made", "holds"), &sample);
    for (size_t i = 0; i < sample.attestation.report_bytes; i++) {
        sample.report[i] ^= (uint8_t)(1 << i % 8);
        if (pa_attestation_verify(&sample.attestation, sample.nonce, text_of(vectors, "anchor"),
                                  judged_ns, &found, NULL) == PA_OK)
            fail_msg("byte %zu of the report does not matter", i);
        sample.report[i] ^= (uint8_t)(1 << i % 8);
    }
    assert_int_equal(pa_attestation_verify(&sample.attestation, sample.nonce,
                                           text_of(vectors, "anchor"), judged_ns, &found, NULL),
                     PA_OK);
}

/* The chain again, with one byte of its DER changed. */
static bool holds_with_a_wrong_byte(const struct sample *sample, size_t at) {
    BIO *in = BIO_new_mem_buf(sample->attestation.chain, (int)sample->attestation.chain_bytes);
    BIO *out = BIO_new(BIO_s_mem());
    char *name, *header;
    unsigned char *der;
    long length;
    while (PEM_read_bio(in, &name, &header, &der, &length) == 1) {
        if (at < (size_t)length)
            der[at] ^= (unsigned char)(1 << at % 8);
        at = at < (size_t)length ? SIZE_MAX : at - (at == SIZE_MAX ? 0 : (size_t)length);
        assert_true(PEM_write_bio(out, name, header, der, length) > 0);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    struct pa_attestation changed = sample->attestation;
    struct pa_attested found;
    changed.chain_bytes = (size_t)BIO_get_mem_data(out, &changed.chain);
    int code = pa_attestation_verify(&changed, sample->nonce, text_of(vectors, "anchor"), judged_ns,
                                     &found, NULL);
    BIO_free(in);
    BIO_free(out);
    return code == PA_OK;
}

static void no_byte_of_a_chain_can_be_changed(void **state) {
    enum { STRIDE = 5, ABOUT_ALL = 1200 };
    struct sample sample;
    (void)state;
    read_sample(named("made", "holds"), &sample);
    assert_true(holds_with_a_wrong_byte(&sample, SIZE_MAX));
    for (size_t at = 0; at < ABOUT_ALL; at += STRIDE)
        if (holds_with_a_wrong_byte(&sample, at))
            fail_msg("byte %zu of the chain does not matter", at);
}

static void any_text_around_is_no_chain(void **state) {
    static const char *const texts[] = {
        "", "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    struct sample sample;
    struct pa_attested found;
    char big[PA_ATTESTATION_CHAIN_MOST_BYTES + 1];
    (void)state;
    read_sample(named("made", "holds"), &sample);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sample.attestation.chain = texts[i];
        sample.attestation.chain_bytes = strlen(texts[i]);
        assert_int_equal(pa_attestation_verify(&sample.attestation, sample.nonce,
                                               text_of(vectors, "anchor"), judged_ns, &found, NULL),
                         PA_EINVALID);
    }
    memset(big, '\n', sizeof big);
    sample.attestation.chain = big;
    sample.attestation.chain_bytes = sizeof big;
    assert_int_equal(pa_attestation_verify(&sample.attestation, sample.nonce,
                                           text_of(vectors, "anchor"), judged_ns, &found, NULL),
                     PA_EINVALID);
}

static int set_up(void **state) {
    (void)state;
    vectors = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/attestation.json", 0, NULL);
    judged_ns = (uint64_t)json_integer_value(json_object_get(vectors, "utc")) * 1000000000;
    return vectors == NULL ? -1 : 0;
}

static int tear_down(void **state) {
    (void)state;
    json_decref(vectors);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_reports_hold_under_the_pinned_root),
        cmocka_unit_test(made_reports_fail_for_the_one_thing_they_lack),
        cmocka_unit_test(each_root_vouches_for_its_own),
        cmocka_unit_test(devices_are_told_apart),
        cmocka_unit_test(no_byte_of_a_report_can_be_changed),
        cmocka_unit_test(no_byte_of_a_chain_can_be_changed),
        cmocka_unit_test(any_text_around_is_no_chain),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
