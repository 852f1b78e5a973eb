/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/signature.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any PEM of one P-256 key with room for comments. */
enum { MOST_PEM_BYTES = 65536 };

#define CURVE "P-256"

struct pa_key {
    EVP_PKEY *pkey;
    uint8_t point[PA_PUBLIC_KEY_BYTES];
};

/* The order of the group, and half of it rounded down (FIPS 186-5). */
static const uint8_t order_bytes[32] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};
static const uint8_t half_order_bytes[32] = {
    0x7F, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xDE, 0x73, 0x7D, 0x56, 0xD3, 0x8B, 0xCF, 0x42, 0x79, 0xDC, 0xE5, 0x61, 0x7E, 0x31, 0x92, 0xA8};

/* OpenSSL keeps a queue of errors for each thread: what it last said goes into the message, and the
 * queue is left empty. */
static int fail_openssl(struct pa_error *error, int code, const char *doing) {
    char text[256] = "no reason given";
    unsigned long reason = ERR_peek_last_error();
    if (reason != 0)
        ERR_error_string_n(reason, text, sizeof text);
    ERR_clear_error();
    return pa_fail(error, code, "%s: OpenSSL says %s", doing, text);
}

/* The uncompressed point of a P-256 key; false for any other kind of key. */
static bool point_of(const EVP_PKEY *pkey, uint8_t out[PA_PUBLIC_KEY_BYTES]) {
    char group[32] = "";
    size_t length = 0;
    return EVP_PKEY_is_a(pkey, "EC") == 1 &&
           EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
           (strcmp(group, SN_X9_62_prime256v1) == 0 || strcmp(group, CURVE) == 0) &&
           EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, out, PA_PUBLIC_KEY_BYTES,
                                           &length) == 1 &&
           length == PA_PUBLIC_KEY_BYTES && out[0] == POINT_CONVERSION_UNCOMPRESSED;
}

/* Takes over `pkey`, also on failure. */
static int wrap_key(EVP_PKEY *pkey, struct pa_key **out, const char *doing,
                    struct pa_error *error) {
    struct pa_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return pa_fail(error, PA_EMEMORY, "%s: out of memory", doing);
    }
    key->pkey = pkey;
    if (!point_of(pkey, key->point)) {
        pa_key_free(key);
        ERR_clear_error();
        return pa_fail(error, PA_EINPUT,
                       "%s: it is not a P-256 key; make one with `petaudit keygen`", doing);
    }
    *out = key;
    return PA_OK;
}

int pa_key_generate(struct pa_key **out, struct pa_error *error) {
    EVP_PKEY *pkey = EVP_EC_gen(CURVE);
    if (pkey == NULL)
        return fail_openssl(error, PA_EINTERNAL, "making a key");
    return wrap_key(pkey, out, "making a key", error);
}

/* Decode the one PEM block of type `type` in the text, without header lines and with nothing but
 * blanks after it. The caller frees *der with OPENSSL_clear_free. */
static int decode_pem(const char *name, const char *type, const void *pem, size_t size,
                      uint8_t **der, long *der_size, struct pa_error *error) {
    if (size > MOST_PEM_BYTES)
        return pa_fail(error, PA_EINPUT, "key %s: %zu bytes are too many for a key", name, size);
    if (size == 0)
        return pa_fail(error, PA_EINPUT, "key %s: the file is empty", name);
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    if (bio == NULL)
        return fail_openssl(error, PA_EMEMORY, name);
    char *found = NULL, *header = NULL;
    int code = PA_OK;
    *der = NULL;
    if (PEM_read_bio(bio, &found, &header, der, der_size) != 1)
        code = pa_fail(error, PA_EINPUT, "key %s: no PEM block of a key in it", name);
    else if (strcmp(found, type) != 0)
        code = pa_fail(error, PA_EINPUT, "key %s: it holds a %s where a %s is wanted", name, found,
                       type);
    else if (header[0] != '\0')
        code = pa_fail(error, PA_EINPUT,
                       "key %s: it is locked in PEM's old way; \"openssl pkcs8 -topk8 -scrypt\" "
                       "locks it in the one "
                       "that is read here",
                       name);
    char rest;
    while (code == PA_OK && BIO_read(bio, &rest, 1) == 1)
        if (strchr(" \t\r\n", rest) == NULL)
            code = pa_fail(error, PA_EINPUT, "key %s: there is more in it than one key", name);
    OPENSSL_free(found);
    OPENSSL_free(header);
    BIO_free(bio);
    ERR_clear_error();
    if (code != PA_OK) {
        OPENSSL_clear_free(*der, *der == NULL ? 0 : (size_t)*der_size);
        *der = NULL;
    }
    return code;
}

int pa_key_from_pem(const char *name, const void *pem, size_t size, struct pa_key **out,
                    struct pa_error *error) {
    uint8_t *der;
    long der_size = 0;
    *out = NULL;
    PA_TRY(decode_pem(name, PEM_STRING_PKCS8INF, pem, size, &der, &der_size, error));
    const uint8_t *next = der;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &next, der_size);
    EVP_PKEY *pkey = info != NULL && next == der + der_size ? EVP_PKCS82PKEY(info) : NULL;
    EVP_PKEY_CTX *context = pkey == NULL ? NULL : EVP_PKEY_CTX_new(pkey, NULL);
    /* A point that does not belong to the private number would sign what nobody can verify. */
    bool is_sound = context != NULL && EVP_PKEY_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    PKCS8_PRIV_KEY_INFO_free(info);
    OPENSSL_clear_free(der, (size_t)der_size);
    ERR_clear_error();
    char doing[256];
    snprintf(doing, sizeof doing, "key %s", name);
    if (!is_sound) {
        EVP_PKEY_free(pkey);
        return pa_fail(error, PA_EINPUT, "%s: it is not a sound private key", doing);
    }
    return wrap_key(pkey, out, doing, error);
}

/* Append what a memory BIO holds, then wipe it there: it may be a private key. */
static int drain(BIO *bio, struct pa_buffer *out, const char *doing, struct pa_error *error) {
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    if (size > 0) {
        pa_buffer_bytes(out, data, (size_t)size);
        OPENSSL_cleanse(data, (size_t)size);
    }
    return out->failed ? pa_fail(error, PA_EMEMORY, "%s: out of memory", doing) : PA_OK;
}

int pa_key_to_pem(const struct pa_key *key, struct pa_buffer *out, struct pa_error *error) {
    BIO *bio = BIO_new(BIO_s_mem());
    int code;
    if (bio == NULL ||
        PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1)
        code = fail_openssl(error, PA_EINTERNAL, "writing a key");
    else
        code = drain(bio, out, "writing a key", error);
    BIO_free(bio);
    return code;
}

static bool add_extension(X509 *certificate, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool fill_certificate(X509 *certificate, const struct pa_key *key, const char *common_name,
                             int days) {
    uint8_t serial[16];
    if (RAND_bytes(serial, sizeof serial) != 1)
        return false;
    serial[0] &= 0x7F; /* positive, and random enough for RFC 5280 */
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    X509_NAME *name = X509_get_subject_name(certificate);
    bool ok =
        number != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL &&
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != NULL &&
        X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, NULL) != NULL &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                   -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate, name) == 1 &&
        X509_set_pubkey(certificate, key->pkey) == 1 &&
        add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(certificate, NID_key_usage, "critical,digitalSignature,nonRepudiation") &&
        add_extension(certificate, NID_subject_key_identifier, "hash") &&
        X509_sign(certificate, key->pkey, EVP_sha256()) > 0;
    BN_free(number);
    return ok;
}

int pa_key_certificate_pem(const struct pa_key *key, const char *common_name, int days,
                           struct pa_buffer *out, struct pa_error *error) {
    X509 *certificate = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    int code;
    if (certificate == NULL || bio == NULL ||
        !fill_certificate(certificate, key, common_name, days) ||
        PEM_write_bio_X509(bio, certificate) != 1)
        code = fail_openssl(error, PA_EINTERNAL, "making a certificate for a key");
    else
        code = drain(bio, out, "making a certificate for a key", error);
    BIO_free(bio);
    X509_free(certificate);
    return code;
}

void pa_key_public(const struct pa_key *key, uint8_t out[PA_PUBLIC_KEY_BYTES]) {
    memcpy(out, key->point, PA_PUBLIC_KEY_BYTES);
}

void pa_key_free(struct pa_key *key) {
    if (key == NULL)
        return;
    EVP_PKEY_free(key->pkey); /* clears the private number */
    free(key);
}

/* The key of a point; NULL when it is not on the curve. */
static EVP_PKEY *key_of_point(const uint8_t point[PA_PUBLIC_KEY_BYTES]) {
    uint8_t copy[PA_PUBLIC_KEY_BYTES];
    memcpy(copy, point, sizeof copy);
    char group[] = CURVE;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof copy),
        OSSL_PARAM_construct_end()};
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context == NULL || point[0] != POINT_CONVERSION_UNCOMPRESSED ||
        EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return pkey;
}

int pa_public_key_from_pem(const char *name, const void *pem, size_t size,
                           uint8_t out[PA_PUBLIC_KEY_BYTES], struct pa_error *error) {
    uint8_t *der;
    long der_size = 0;
    PA_TRY(decode_pem(name, PEM_STRING_PUBLIC, pem, size, &der, &der_size, error));
    const uint8_t *next = der;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &next, der_size);
    bool ok = pkey != NULL && next == der + der_size && point_of(pkey, out);
    EVP_PKEY_free(pkey);
    OPENSSL_free(der);
    ERR_clear_error();
    return ok ? PA_OK : pa_fail(error, PA_EINPUT, "key %s: it is not a P-256 public key", name);
}

int pa_public_key_to_pem(const uint8_t key[PA_PUBLIC_KEY_BYTES], struct pa_buffer *out,
                         struct pa_error *error) {
    EVP_PKEY *pkey = key_of_point(key);
    if (pkey == NULL)
        return pa_fail(error, PA_EINPUT, "writing a public key: it is no point of P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    int code;
    if (bio == NULL || PEM_write_bio_PUBKEY(bio, pkey) != 1)
        code = fail_openssl(error, PA_EINTERNAL, "writing a public key");
    else
        code = drain(bio, out, "writing a public key", error);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return code;
}

void pa_public_key_id(const uint8_t key[PA_PUBLIC_KEY_BYTES], struct pa_hash *out) {
    pa_sha256(out, key, PA_PUBLIC_KEY_BYTES);
}

/* Replace s by n - s when it lies in the upper half, and encode again. */
static bool lower_s(uint8_t der[PA_DER_SIGNATURE_MOST_BYTES], size_t *length) {
    const uint8_t *next = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &next, (long)*length);
    BIGNUM *order = BN_bin2bn(order_bytes, sizeof order_bytes, NULL);
    BIGNUM *half = BN_bin2bn(half_order_bytes, sizeof half_order_bytes, NULL);
    bool ok = signature != NULL && order != NULL && half != NULL;
    if (ok && BN_cmp(ECDSA_SIG_get0_s(signature), half) > 0) {
        BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(signature)), *s = BN_new();
        if (r != NULL && s != NULL && BN_sub(s, order, ECDSA_SIG_get0_s(signature)) == 1 &&
            ECDSA_SIG_set0(signature, r, s) == 1) {
            uint8_t *end = der;
            *length = (size_t)i2d_ECDSA_SIG(signature, &end);
        } else {
            BN_free(r);
            BN_free(s);
            ok = false;
        }
    }
    BN_free(order);
    BN_free(half);
    ECDSA_SIG_free(signature);
    return ok;
}

int pa_key_sign(const struct pa_key *key, const struct pa_hash *hash,
                uint8_t out[PA_DER_SIGNATURE_MOST_BYTES], size_t *length, struct pa_error *error) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);
    *length = PA_DER_SIGNATURE_MOST_BYTES;
    bool ok = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
              EVP_PKEY_sign(context, out, length, hash->bytes, PA_HASH_BYTES) == 1 &&
              lower_s(out, length);
    EVP_PKEY_CTX_free(context);
    return ok ? PA_OK : fail_openssl(error, PA_EINTERNAL, "signing");
}

/* One encoding and one s: nobody can make a second valid signature out of a first. */
static bool signature_is_strict(const uint8_t *der, size_t length) {
    const uint8_t *next = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &next, (long)length);
    BIGNUM *half = BN_bin2bn(half_order_bytes, sizeof half_order_bytes, NULL);
    bool ok = false;
    if (signature != NULL && half != NULL && next == der + length &&
        i2d_ECDSA_SIG(signature, NULL) == (int)length) {
        uint8_t again[PA_DER_SIGNATURE_MOST_BYTES], *end = again;
        i2d_ECDSA_SIG(signature, &end);
        ok = memcmp(again, der, length) == 0 && BN_cmp(ECDSA_SIG_get0_s(signature), half) <= 0;
    }
    BN_free(half);
    ECDSA_SIG_free(signature);
    return ok;
}

bool pa_signature_is_valid(const uint8_t key[PA_PUBLIC_KEY_BYTES], const struct pa_hash *hash,
                           const void *signature, size_t length) {
    bool ok = false;
    if (length > 0 && length <= PA_DER_SIGNATURE_MOST_BYTES &&
        signature_is_strict(signature, length)) {
        EVP_PKEY *pkey = key_of_point(key);
        EVP_PKEY_CTX *context = pkey == NULL ? NULL : EVP_PKEY_CTX_new(pkey, NULL);
        ok = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
             EVP_PKEY_verify(context, signature, length, hash->bytes, PA_HASH_BYTES) == 1;
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(pkey);
    }
    ERR_clear_error();
    return ok;
}
