/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and signatures: what OpenSSL would let through and the protocol does not. */
#include "cmocka_setup.h"

#include "proof/signature.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

static struct pa_key *key;
static uint8_t point[PA_PUBLIC_KEY_BYTES];

static int make_key(void **state) {
    (void)state;
    if (pa_key_generate(&key, NULL) != PA_OK)
        return -1;
    pa_key_public(key, point);
    return 0;
}

static int drop_key(void **state) {
    (void)state;
    pa_key_free(key);
    return 0;
}

static struct pa_hash hash_number(uint32_t number) {
    struct pa_hash hash;
    pa_sha256(&hash, &number, sizeof number);
    return hash;
}

static void a_signature_fits_its_key_and_its_hash(void **state) {
    (void)state;
    struct pa_key *other = NULL;
    uint8_t other_point[PA_PUBLIC_KEY_BYTES];
    assert_int_equal(pa_key_generate(&other, NULL), PA_OK);
    pa_key_public(other, other_point);
    for (uint32_t i = 0; i < 40; i++) {
        struct pa_hash hash = hash_number(i), wrong = hash_number(i + 1);
        uint8_t der[PA_DER_SIGNATURE_MOST_BYTES];
        size_t length;
        assert_int_equal(pa_key_sign(key, &hash, der, &length, NULL), PA_OK);
        assert_true(pa_signature_is_valid(point, &hash, der, length));
        assert_false(pa_signature_is_valid(point, &wrong, der, length));
        assert_false(pa_signature_is_valid(other_point, &hash, der, length));
        assert_false(pa_signature_is_valid(point, &hash, der, length - 1));
        assert_false(pa_signature_is_valid(point, &hash, der, 0));
    }
    pa_key_free(other);
}

static void no_flipped_bit_is_accepted(void **state) {
    (void)state;
    struct pa_hash hash = hash_number(1);
    uint8_t der[PA_DER_SIGNATURE_MOST_BYTES];
    size_t length;
    assert_int_equal(pa_key_sign(key, &hash, der, &length, NULL), PA_OK);
    for (size_t bit = 0; bit < 8 * length; bit++) {
        der[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(pa_signature_is_valid(point, &hash, der, length));
        der[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof point; bit++) {
        uint8_t bad[PA_PUBLIC_KEY_BYTES];
        memcpy(bad, point, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(pa_signature_is_valid(bad, &hash, der, length));
    }
}

/* (r, n - s) is a valid signature to OpenSSL, made without the key. */
static void the_upper_half_of_s_is_refused(void **state) {
    (void)state;
    BIGNUM *order = NULL;
    assert_true(
        BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"));
    struct pa_hash hash = hash_number(2);
    uint8_t der[PA_DER_SIGNATURE_MOST_BYTES], twin[PA_DER_SIGNATURE_MOST_BYTES + 8], *end = twin;
    size_t length;
    assert_int_equal(pa_key_sign(key, &hash, der, &length, NULL), PA_OK);
    const uint8_t *next = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &next, (long)length);
    BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(signature)), *s = BN_new();
    BN_sub(s, order, ECDSA_SIG_get0_s(signature));
    ECDSA_SIG_set0(signature, r, s);
    size_t twin_length = (size_t)i2d_ECDSA_SIG(signature, &end);
    assert_false(pa_signature_is_valid(point, &hash, twin, twin_length));
    ECDSA_SIG_free(signature);
    BN_free(order);
}

static void only_strict_der_is_accepted(void **state) {
    (void)state;
    struct pa_hash hash = hash_number(3);
    uint8_t der[PA_DER_SIGNATURE_MOST_BYTES], loose[PA_DER_SIGNATURE_MOST_BYTES + 8];
    size_t length = PA_DER_SIGNATURE_MOST_BYTES;
    while (length > 70) /* leave room, so that it is not the length that is refused */
        assert_int_equal(pa_key_sign(key, &hash, der, &length, NULL), PA_OK);
    assert_true(pa_signature_is_valid(point, &hash, der, length));
    memcpy(loose, der, length);
    loose[length] = 0;
    assert_false(pa_signature_is_valid(point, &hash, loose, length + 1));
    /* The outer length in two bytes: BER, not DER. */
    loose[0] = der[0];
    loose[1] = 0x81;
    memcpy(loose + 2, der + 1, length - 1);
    assert_false(pa_signature_is_valid(point, &hash, loose, length + 1));
    /* A zero before r. */
    memcpy(loose, der, length);
    memmove(loose + 5, loose + 4, length - 4);
    loose[4] = 0;
    loose[1]++;
    loose[3]++;
    assert_false(pa_signature_is_valid(point, &hash, loose, length + 1));
}

static void keys_survive_their_files(void **state) {
    (void)state;
    struct pa_buffer pem = {0}, public_pem = {0}, certificate = {0};
    struct pa_key *again = NULL;
    uint8_t other[PA_PUBLIC_KEY_BYTES];
    assert_int_equal(pa_key_to_pem(key, &pem, NULL), PA_OK);
    assert_int_equal(pa_key_from_pem("k", pem.data, pem.size, &again, NULL), PA_OK);
    pa_key_public(again, other);
    assert_memory_equal(other, point, sizeof point);
    pa_key_free(again);
    assert_int_equal(pa_public_key_to_pem(point, &public_pem, NULL), PA_OK);
    memset(other, 0, sizeof other);
    assert_int_equal(pa_public_key_from_pem("k", public_pem.data, public_pem.size, other, NULL),
                     PA_OK);
    assert_memory_equal(other, point, sizeof point);
    assert_int_equal(pa_public_key_from_pem("k", pem.data, pem.size, other, NULL), PA_EINPUT);
    assert_int_equal(pa_key_from_pem("k", public_pem.data, public_pem.size, &again, NULL),
                     PA_EINPUT);
    assert_null(again);
    assert_int_equal(pa_key_certificate_pem(key, "Hall 1", 365, &certificate, NULL), PA_OK);
    BIO *bio = BIO_new_mem_buf(certificate.data, (int)certificate.size);
    X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_non_null(x509);
    assert_int_equal(X509_verify(x509, X509_get0_pubkey(x509)), 1);
    X509_free(x509);
    BIO_free(bio);
    for (size_t size = 0; size + 1 < pem.size; size += 7)
        assert_int_equal(pa_key_from_pem("k", pem.data, size, &again, NULL), PA_EINPUT);
    pa_buffer_text(&pem, "more");
    assert_int_equal(pa_key_from_pem("k", pem.data, pem.size, &again, NULL), PA_EINPUT);
    pa_buffer_free(&pem);
    pa_buffer_free(&public_pem);
    pa_buffer_free(&certificate);
}

static void other_kinds_of_keys_are_refused(void **state) {
    (void)state;
    EVP_PKEY *const keys[] = {EVP_EC_gen("P-384"), EVP_EC_gen("secp256k1"),
                              EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                              EVP_RSA_gen((unsigned)1024)};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *pem;
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, keys[i], NULL, NULL, 0, NULL, NULL), 1);
        size_t size = (size_t)BIO_get_mem_data(bio, &pem);
        struct pa_key *out = NULL;
        struct pa_error error = {0};
        assert_int_equal(pa_key_from_pem("k", pem, size, &out, &error), PA_EINPUT);
        assert_non_null(strstr(error.text, "P-256"));
        BIO_free(bio);
        bio = BIO_new(BIO_s_mem());
        assert_int_equal(PEM_write_bio_PUBKEY(bio, keys[i]), 1);
        size = (size_t)BIO_get_mem_data(bio, &pem);
        uint8_t other[PA_PUBLIC_KEY_BYTES];
        assert_int_equal(pa_public_key_from_pem("k", pem, size, other, NULL), PA_EINPUT);
        BIO_free(bio);
        EVP_PKEY_free(keys[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_fits_its_key_and_its_hash),
        cmocka_unit_test(no_flipped_bit_is_accepted),
        cmocka_unit_test(the_upper_half_of_s_is_refused),
        cmocka_unit_test(only_strict_der_is_accepted),
        cmocka_unit_test(keys_survive_their_files),
        cmocka_unit_test(other_kinds_of_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}
