/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate is what it was when it was signed, or it is refused. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "certificate_samples.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pa_buffer small; /* a whole certificate file */

static int set_up(void **state) {
    (void)state;
    certificate_sample_file(SAMPLE_PASS, &small);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    pa_buffer_free(&small);
    return 0;
}

static bool accepted(const void *data, size_t size, char failure[1024]) {
    struct pa_verification verification;
    struct pa_error error = {0};
    int code = pa_certificate_verify(data, size, &verification, &error);
    assert_true(code == PA_OK || code == PA_EINVALID);
    assert_int_equal(code == PA_OK, verification.is_authentic);
    assert_int_equal(code == PA_OK, verification.failure[0] == '\0');
    if (failure != NULL)
        strcpy(failure, verification.failure);
    for (const char *p = verification.failure; *p != '\0'; p++)
        assert_true((unsigned char)*p >= 0x20 && *p != 0x7F);
    pa_verification_free(&verification);
    return code == PA_OK;
}

static void a_certificate_is_accepted_whatever_its_verdict(void **state) {
    (void)state;
    for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
        struct pa_buffer file = {0};
        struct pa_verification verification;
        certificate_sample_file((enum certificate_kind)kind, &file);
        assert_int_equal(pa_certificate_verify(file.data, file.size, &verification, NULL), PA_OK);
        assert_int_equal(verification.is_test, kind == SAMPLE_TEST);
        assert_int_equal(verification.signer, PA_SIGNER_UNKNOWN);
        pa_verification_free(&verification);
        pa_buffer_free(&file);
    }
}

/* Every byte; under memcheck and sanitizers, which look at the code and not at the bytes, each
 * PETAUDIT_STRIDE-th. */
static size_t stride(void) {
    const char *text = getenv("PETAUDIT_STRIDE");
    uint64_t step = 1;
    if (text != NULL)
        assert_int_equal(pa_whole_parse(text, 1, 1000, &step, NULL), PA_OK);
    return (size_t)step;
}

/* Two bits of each byte; each bit where there is time. */
static void one_flipped_bit_anywhere_is_refused(void **state) {
    (void)state;
    const int spacing = getenv("PETAUDIT_EVERY_BIT") != NULL ? 1 : 4;
    for (size_t i = 0; i < small.size; i += stride())
        for (int bit = (int)(i % (size_t)spacing); bit < 8; bit += spacing) {
            small.data[i] ^= (uint8_t)(1 << bit);
            if (accepted(small.data, small.size, NULL))
                fail_msg("bit %d of byte %zu does not matter", bit, i);
            small.data[i] ^= (uint8_t)(1 << bit);
        }
    assert_true(accepted(small.data, small.size, NULL));
}

static void every_cut_is_refused(void **state) {
    (void)state;
    for (size_t size = 0; size < small.size; size += stride())
        if (accepted(small.data, size, NULL))
            fail_msg("the first %zu bytes are accepted", size);
}

/* The small certificate with `from` replaced by `to`, the first time it occurs. */
static void refused_with(const char *from, const char *to, const char *why) {
    struct pa_buffer changed = {0};
    char failure[1024];
    const char *text = (const char *)small.data;
    const char *at = memmem(text, small.size, from, strlen(from));
    assert_non_null(at);
    pa_buffer_bytes(&changed, text, (size_t)(at - text));
    pa_buffer_text(&changed, to);
    pa_buffer_bytes(&changed, at + strlen(from), small.size - (size_t)(at - text) - strlen(from));
    assert_false(accepted(changed.data, changed.size, failure));
    if (strstr(failure, why) == NULL)
        fail_msg("\"%s\" should say \"%s\"", failure, why);
    pa_buffer_free(&changed);
}

static void another_spelling_of_the_envelope_is_refused(void **state) {
    (void)state;
    refused_with("{\"payload\":", "{ \"payload\":", "canonical");
    refused_with("}]}\n", "}]}\n\n", "canonical");
    refused_with("}]}\n", "}]}", "newline");
    refused_with("}]}\n", "}]} \n", "canonical");
    refused_with("\"payloadType\":\"", "\"payloadType\":\"\\u0061", "canonical");
    refused_with("\"payloadType\":", "\"payload\":\"\",\"payloadType\":", "strict JSON");
    refused_with("\"signatures\":[", "\"new\":1,\"signatures\":[", "canonical");
    refused_with("\"payloadType\":", "\"payloadTypf\":\"\",\"payloadType\":", "canonical");
    refused_with("\"signatures\":[", "\"q\":0,\"signatures\":[", "unknown member \"q\"");
    refused_with("application/vnd.in-toto+json", "application/vnd.in-toto+jsom", "payloadType");
    refused_with("\"keyid\":\"", "\"keyid\":\"0", "keyid must be");
}

static void a_second_signature_is_refused(void **state) {
    (void)state;
    const char *text = (const char *)small.data;
    const char *at = memmem(text, small.size, "[{\"keyid\"", 9);
    assert_non_null(at);
    char item[512];
    size_t size = small.size - 3 - (size_t)(at + 1 - text);
    assert_true(size < sizeof item - 2);
    snprintf(item, sizeof item, "[%.*s,", (int)size, at + 1);
    refused_with("[", item, "one signature");
}

static void base64_has_one_spelling(void **state) {
    (void)state;
    static const char *const bad[] = {
        "A",    "AA",       "AAA",   "A===",   "====", "QQ=",  "QR==",
        "QUJ=", "QQ==QQ==", "QQ ==", "QQ\n==", "Q-==", "Q_==", "=QQ="};
    struct pa_buffer out = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (pa_base64_read(&out, bad[i], strlen(bad[i])))
            fail_msg("\"%s\" is accepted", bad[i]);
    pa_buffer_clear(&out);
    for (size_t size = 0; size < 200; size++) {
        uint8_t bytes[200];
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(i * 151 + size);
        struct pa_buffer text = {0}, again = {0};
        pa_base64_write(&text, bytes, size);
        assert_true(size == 0 || pa_base64_read(&again, (const char *)text.data, text.size));
        assert_int_equal(again.size, size);
        assert_true(size == 0 || memcmp(again.data, bytes, size) == 0);
        pa_buffer_free(&text);
        pa_buffer_free(&again);
    }
    pa_buffer_free(&out);
}

/* Sign `statement` as it is, well-formed or not, and give the verifier's word on it. */
static void signed_but_refused(json_t *statement, const char *why) {
    struct pa_buffer file = {0};
    char failure[1024];
    struct pa_key *key = certificate_sample_key();
    assert_int_equal(pa_envelope_sign(statement, key, &file, NULL), PA_OK);
    pa_key_free(key);
    assert_false(accepted(file.data, file.size, failure));
    if (strstr(failure, why) == NULL)
        fail_msg("\"%s\" should say \"%s\"", failure, why);
    pa_buffer_free(&file);
    json_decref(statement);
}

static json_t *with(const char *part, const char *name, json_t *value) {
    json_t *statement = certificate_sample_statement(SAMPLE_PASS);
    json_t *object = json_object_get(statement, "predicate");
    if (part != NULL)
        object = json_object_get(object, part);
    if (value == NULL)
        json_object_del(object, name);
    else
        json_object_set_new(object, name, value);
    return statement;
}

static void a_statement_with_other_members_is_refused_even_when_signed(void **state) {
    (void)state;
    signed_but_refused(with(NULL, "extra", json_true()), "unknown member \"extra\"");
    signed_but_refused(with("claim", "extra", json_true()), "statement.predicate.claim");
    signed_but_refused(with("claim", "pflops", NULL), "claim.pflops is missing");
    signed_but_refused(with("claim", "pflops", json_real(1.5)), "claim.pflops must be a decimal");
    signed_but_refused(with("claim", "pflops", json_string("1.5")), "claim.pflops must be");
    signed_but_refused(with("claim", "pflops", json_string("nan")), "claim.pflops must be");
    signed_but_refused(with(NULL, "center", json_string("a\x1b[31mb")), "center must be text");
    signed_but_refused(with(NULL, "center",
                            json_string("a\xe2\x80\xae"
                                        "b")),
                       "center must be text");
    signed_but_refused(with(NULL, "\x1b[2J", json_true()), "unknown member \"?[2J\"");
    signed_but_refused(with(NULL, "result", json_string("TEST")), "predicateType");
    signed_but_refused(with(NULL, "device_count", json_integer(-1)), "device_count must be");
    signed_but_refused(with("signer", "key_id", json_string("00")), "key_id must be");
}

static void the_measuring_programs_hash_comes_from_its_note(void **state) {
    (void)state;
    static const char noted[] = "b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1";
    json_t *statement = certificate_sample_statement(SAMPLE_PASS);
    const json_t *tool = json_object_get(json_object_get(statement, "predicate"), "tool");
    assert_string_equal(json_string_value(json_object_get(tool, "sha256")), noted);
    json_decref(statement);
    static const char *const no_hash[] = {
        "b1", "B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1", "unknown"};
    for (size_t i = 0; i < sizeof no_hash / sizeof no_hash[0]; i++)
        signed_but_refused(with("tool", "sha256", json_string(no_hash[i])),
                           "predicate.tool.sha256 must be 64 lower-case hexadecimal digits");
}

static void a_signature_by_another_key_is_refused(void **state) {
    (void)state;
    struct pa_key *other = NULL;
    struct pa_buffer file = {0};
    char failure[1024];
    json_t *statement = certificate_sample_statement(SAMPLE_PASS);
    assert_int_equal(pa_key_generate(&other, NULL), PA_OK);
    assert_int_equal(pa_envelope_sign(statement, other, &file, NULL), PA_OK);
    assert_false(accepted(file.data, file.size, failure));
    assert_non_null(strstr(failure, "keyid"));
    pa_key_free(other);
    json_decref(statement);
    pa_buffer_free(&file);
}

/* n - s for the P-256 order n: the other half of every signature. */
static void mirror(uint8_t s[32]) {
    uint8_t order[32];
    pa_unhex(order, 32, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    int borrow = 0;
    for (int i = 31; i >= 0; i--) {
        int difference = order[i] - s[i] - borrow;
        borrow = difference < 0;
        s[i] = (uint8_t)(difference + 256 * borrow);
    }
}

static void the_mirrored_signature_is_refused(void **state) {
    (void)state;
    struct pa_envelope envelope;
    assert_int_equal(pa_envelope_read(small.data, small.size, &envelope, NULL), PA_OK);
    const uint8_t *der = envelope.signature;
    size_t r_bytes = der[3], s_bytes = der[5 + r_bytes];
    uint8_t s[32] = {0}, high[80];
    assert_true(s_bytes <= 32);
    memcpy(s + 32 - s_bytes, der + 6 + r_bytes, s_bytes);
    mirror(s);
    memcpy(high, der, 4 + r_bytes);
    size_t at = 4 + r_bytes;
    high[at++] = 2;
    high[at++] = 33; /* the mirrored s has its top bit set */
    high[at++] = 0;
    memcpy(high + at, s, 32);
    at += 32;
    high[1] = (uint8_t)(at - 2);
    struct pa_buffer old = {0}, new = {0};
    pa_base64_write(&old, envelope.signature, envelope.signature_bytes);
    pa_base64_write(&new, high, at);
    pa_buffer_bytes(&old, "", 1);
    pa_buffer_bytes(&new, "", 1);
    refused_with((const char *)old.data, (const char *)new.data, "signature");
    pa_buffer_free(&old);
    pa_buffer_free(&new);
    pa_envelope_free(&envelope);
}

static void the_same_audit_gives_the_same_bytes(void **state) {
    (void)state;
    struct pa_buffer first = {0}, second = {0};
    json_t *one = certificate_sample_statement(SAMPLE_FAIL);
    setlocale(LC_ALL, "de_DE.UTF-8");
    json_t *two = certificate_sample_statement(SAMPLE_FAIL);
    assert_int_equal(pa_canonical_write(one, &first, NULL), PA_OK);
    assert_int_equal(pa_canonical_write(two, &second, NULL), PA_OK);
    setlocale(LC_ALL, "C");
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    json_decref(one);
    json_decref(two);
    pa_buffer_free(&first);
    pa_buffer_free(&second);
}

/* PETAUDIT_GOLDEN=write in the environment writes it anew, for `git diff` to show what changed. */
static void a_statement_is_the_golden_one_to_the_byte(void **state) {
    (void)state;
    static const char path[] = PETAUDIT_SOURCE_DIR "/tests/certificates/invalid.statement.json";
    struct pa_buffer found = {0}, golden = {0};
    struct pa_error error = {0};
    const char *mode = getenv("PETAUDIT_GOLDEN");
    json_t *statement = certificate_sample_statement(SAMPLE_INVALID);
    assert_int_equal(pa_canonical_write(statement, &found, NULL), PA_OK);
    if (mode != NULL && strcmp(mode, "write") == 0)
        assert_int_equal(pa_file_write(path, found.data, found.size, 0644, &error), PA_OK);
    if (pa_file_read(path, 1 << 20, &golden, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_int_equal(found.size, golden.size);
    assert_memory_equal(found.data, golden.data, found.size);
    json_decref(statement);
    pa_buffer_free(&found);
    pa_buffer_free(&golden);
}

/* Signed once by an earlier build and kept: what was authentic stays authentic. */
static void a_certificate_of_old_stays_authentic(void **state) {
    (void)state;
    static const char path[] = PETAUDIT_SOURCE_DIR "/tests/certificates/pass.json";
    struct pa_buffer file = {0};
    struct pa_error error = {0};
    if (pa_file_read(path, 1 << 20, &file, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_true(accepted(file.data, file.size, NULL));
    pa_buffer_free(&file);
}

static void a_self_declared_certificate_shows_no_percentage(void **state) {
    (void)state;
    json_t *statement = certificate_sample_statement(SAMPLE_PASS);
    const json_t *predicate = json_object_get(statement, "predicate");
    const json_t *verified = json_object_get(predicate, "verified");
    assert_string_equal(json_string_value(json_object_get(verified, "confidence_text")),
                        "self-declared");
    json_decref(statement);
    statement = certificate_sample_statement(SAMPLE_FAIL);
    verified = json_object_get(json_object_get(statement, "predicate"), "verified");
    assert_non_null(strchr(json_string_value(json_object_get(verified, "confidence_text")), '%'));
    json_decref(statement);
}

static void a_test_result_is_never_called_a_certificate(void **state) {
    (void)state;
    json_t *statement = certificate_sample_statement(SAMPLE_TEST);
    assert_string_equal(json_string_value(json_object_get(statement, "predicateType")),
                        PA_PREDICATE_TEST);
    const char *verdict =
        json_string_value(json_object_get(json_object_get(statement, "predicate"), "verdict"));
    assert_string_not_equal(verdict, "PASS");
    json_decref(statement);
}

static void the_summary_holds_numbers_under_the_same_names(void **state) {
    (void)state;
    struct pa_buffer text = {0};
    json_t *statement = certificate_sample_statement(SAMPLE_FAIL);
    assert_int_equal(pa_summary_write(statement, &text, NULL), PA_OK);
    json_t *summary = json_loadb((const char *)text.data, text.size, 0, NULL);
    assert_non_null(summary);
    assert_true(json_number_value(json_object_get(json_object_get(summary, "claim"), "pflops")) ==
                500);
    assert_true(json_is_null(json_object_get(json_object_get(summary, "power"), "watts")));
    assert_string_equal(json_string_value(json_object_get(summary, "schema")), PA_SUMMARY_SCHEMA);
    assert_int_equal(json_object_size(summary),
                     json_object_size(json_object_get(statement, "predicate")));
    json_decref(summary);
    json_decref(statement);
    pa_buffer_free(&text);
}

static void the_trusted_signer_is_told_from_another(void **state) {
    (void)state;
    struct pa_verification verification;
    struct pa_key *key = certificate_sample_key();
    uint8_t point[PA_PUBLIC_KEY_BYTES];
    pa_key_public(key, point);
    assert_int_equal(pa_certificate_verify(small.data, small.size, &verification, NULL), PA_OK);
    pa_verification_trust(&verification, point);
    assert_int_equal(verification.signer, PA_SIGNER_TRUSTED);
    point[64] ^= 1;
    pa_verification_trust(&verification, point);
    assert_int_equal(verification.signer, PA_SIGNER_OTHER);
    pa_verification_free(&verification);
    pa_key_free(key);
}

static void a_key_has_three_files_and_is_never_overwritten(void **state) {
    (void)state;
    char directory[] = "/tmp/petaudit-test-XXXXXX", path[128], other[160];
    struct pa_error error = {0};
    struct stat facts;
    struct pa_key *key = NULL;
    uint8_t from_key[PA_PUBLIC_KEY_BYTES], from_public[PA_PUBLIC_KEY_BYTES];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/key", directory);
    assert_int_equal(pa_key_file_make(path, NULL, &error), PA_OK);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(pa_key_file_load(path, NULL, &key, &error), PA_OK);
    pa_key_public(key, from_key);
    pa_key_free(key);
    snprintf(other, sizeof other, "%s.pub", path);
    assert_int_equal(pa_key_file_load_public(other, from_public, &error), PA_OK);
    assert_memory_equal(from_key, from_public, PA_PUBLIC_KEY_BYTES);
    assert_int_equal(pa_key_file_make(path, NULL, &error), PA_EWRITE);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(pa_key_file_load(path, NULL, &key, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "chmod"));
    unlink(path);
    unlink(other);
    /* FILE.crt alone is enough to refuse, and then nothing new is there. */
    assert_int_equal(pa_key_file_make(path, NULL, &error), PA_EWRITE);
    assert_int_equal(stat(path, &facts), -1);
    snprintf(other, sizeof other, "%s.crt", path);
    unlink(other);
    assert_int_equal(rmdir(directory), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_is_accepted_whatever_its_verdict),
        cmocka_unit_test(one_flipped_bit_anywhere_is_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(another_spelling_of_the_envelope_is_refused),
        cmocka_unit_test(a_second_signature_is_refused),
        cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(a_statement_with_other_members_is_refused_even_when_signed),
        cmocka_unit_test(the_measuring_programs_hash_comes_from_its_note),
        cmocka_unit_test(a_signature_by_another_key_is_refused),
        cmocka_unit_test(the_mirrored_signature_is_refused),
        cmocka_unit_test(the_same_audit_gives_the_same_bytes),
        cmocka_unit_test(a_statement_is_the_golden_one_to_the_byte),
        cmocka_unit_test(a_certificate_of_old_stays_authentic),
        cmocka_unit_test(a_self_declared_certificate_shows_no_percentage),
        cmocka_unit_test(a_test_result_is_never_called_a_certificate),
        cmocka_unit_test(the_summary_holds_numbers_under_the_same_names),
        cmocka_unit_test(the_trusted_signer_is_told_from_another),
        cmocka_unit_test(a_key_has_three_files_and_is_never_overwritten),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
