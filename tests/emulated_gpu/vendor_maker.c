/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated_gpu/vendor_maker.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    pthread_once_t once;
    EVP_PKEY *root_key, *maker_key;
    X509 *root, *maker;
    char pem[VENDOR_CHAIN_BYTES];
} vendor = {.once = PTHREAD_ONCE_INIT};

static void must(int condition) {
    if (!condition) {
        fputs("vendor_maker: OpenSSL refuses\n", stderr);
        abort();
    }
}

static void extend(X509 *certificate, int nid, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    must(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* `name`: of the device, NULL for an authority; `issuer` NULL: signed by itself. */
static X509 *certify(const char *subject, EVP_PKEY *key, const X509 *issuer, EVP_PKEY *issuer_key,
                     const char *name) {
    X509 *made = X509_new();
    char value[160];
    must(made != NULL && X509_set_version(made, X509_VERSION_3) == 1);
    must(ASN1_INTEGER_set(X509_get_serialNumber(made), 1 + (name != NULL)) == 1);
    must(ASN1_TIME_set_string_X509(X509_getm_notBefore(made), "20201017000000Z") == 1);
    must(ASN1_TIME_set_string_X509(X509_getm_notAfter(made), "99991231235959Z") == 1);
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                    (const unsigned char *)subject, -1, -1, 0) == 1);
    must(X509_set_issuer_name(made, X509_get_subject_name(issuer == NULL ? made : issuer)) == 1);
    must(X509_set_pubkey(made, key) == 1);
    if (name == NULL)
        extend(made, NID_basic_constraints, "critical,CA:TRUE");
    extend(made, NID_key_usage,
           name == NULL ? "critical,keyCertSign" : "critical,digitalSignature");
    if (name != NULL) {
        snprintf(value, sizeof value, "otherName:1.3.6.1.4.1.412.274.1;UTF8:%s", name);
        extend(made, NID_subject_alt_name, value);
    }
    must(X509_sign(made, issuer_key, EVP_sha384()) > 0);
    return made;
}

static void begin(void) {
    vendor.root_key = EVP_EC_gen("P-384");
    vendor.maker_key = EVP_EC_gen("P-384");
    must(vendor.root_key != NULL && vendor.maker_key != NULL);
    vendor.root = certify("petaudit test root", vendor.root_key, NULL, vendor.root_key, NULL);
    vendor.maker =
        certify("petaudit test maker", vendor.maker_key, vendor.root, vendor.root_key, NULL);
    BIO *out = BIO_new(BIO_s_mem());
    must(out != NULL && PEM_write_bio_X509(out, vendor.root) == 1);
    must(BIO_read(out, vendor.pem, sizeof vendor.pem - 1) > 0);
    BIO_free(out);
}

const char *vendor_root(void) {
    pthread_once(&vendor.once, begin);
    return vendor.pem;
}

static void put(struct vendor_made *out, const void *bytes, size_t size) {
    memcpy(out->report + out->report_bytes, bytes, size);
    out->report_bytes += size;
}

/* Request and answer up to the signature: one block of measurements, driver and VBIOS. */
static void put_body(struct vendor_made *out, const uint8_t nonce[VENDOR_NONCE_BYTES]) {
    static const uint8_t request[] = {0x11, 0xE0, 1, 0xFF}, slot[] = {0};
    static const uint8_t answer[] = {0x11, 0x60, 0, 0, 1, 55, 0, 0, 1, 1, 51, 0, 1, 48, 0};
    static const uint8_t value[48] = {1}, own[VENDOR_NONCE_BYTES] = {2};
    static const uint8_t vbios[] = {6, 0, 8, 0, 0, 0xE0, 0, 0x96, 1, 0, 0, 0};
    static const char driver[] = "\3\0\24\0"
                                 "580.00.00-emulated"; /* 18 bytes, and two zeros */
    const uint8_t opaque_bytes[] = {sizeof vbios + 4 + 20, 0};
    put(out, request, sizeof request);
    put(out, nonce, VENDOR_NONCE_BYTES);
    put(out, slot, sizeof slot);
    put(out, answer, sizeof answer);
    put(out, value, sizeof value);
    put(out, own, sizeof own);
    put(out, opaque_bytes, sizeof opaque_bytes);
    put(out, vbios, sizeof vbios);
    put(out, driver, sizeof driver);
    put(out, "", 1);
}

static void put_signature(struct vendor_made *out, EVP_PKEY *key) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t der[128], raw[96];
    const uint8_t *at = der;
    size_t length = sizeof der;
    must(context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, key) == 1);
    must(EVP_DigestSign(context, der, &length, out->report, out->report_bytes) == 1);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)length);
    must(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 48) == 48);
    must(BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 48, 48) == 48);
    put(out, raw, sizeof raw);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
}

void vendor_make(const char *name, const uint8_t nonce[VENDOR_NONCE_BYTES],
                 struct vendor_made *out) {
    pthread_once(&vendor.once, begin);
    memset(out, 0, sizeof *out);
    EVP_PKEY *key = EVP_EC_gen("P-384");
    must(key != NULL);
    X509 *leaf = certify("petaudit test GPU", key, vendor.maker, vendor.maker_key, name);
    BIO *chain = BIO_new(BIO_s_mem());
    must(chain != NULL && PEM_write_bio_X509(chain, leaf) == 1 &&
         PEM_write_bio_X509(chain, vendor.maker) == 1 &&
         PEM_write_bio_X509(chain, vendor.root) == 1);
    int length = BIO_read(chain, out->chain, sizeof out->chain);
    must(length > 0);
    out->chain_bytes = (size_t)length;
    put_body(out, nonce);
    put_signature(out, key);
    BIO_free(chain);
    X509_free(leaf);
    EVP_PKEY_free(key);
}
