/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/attestation.h"

#include "base/bytes.h"
#include "base/file.h"

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum {
    REQUEST_BYTES = 37,
    SIGNATURE_BYTES = 96, /* r and s of P-384, 48 bytes each, high first */
    SPDM_1_1 = 0x11,
    GET_MEASUREMENTS = 0xE0,
    MEASUREMENTS = 0x60,
    WITH_SIGNATURE = 1, /* param1 of the request: else there is neither nonce nor signature */
    DMTF = 1            /* the one measurement specification */
};

/* NVIDIA's opaque fields, u16 type | u16 length | bytes, of which these are read. */
enum { OPAQUE_DRIVER = 3, OPAQUE_VBIOS = 6, OPAQUE_FIRMWARE = 20 };
enum { FIRMWARE_BYTES = 48, VBIOS_BYTES = 8 };

static const char name_oid[] = "1.3.6.1.4.1.412.274.1"; /* DMTF: maker, product, serial number */
static const char firmware_oid[] = "2.23.133.5.4.1";    /* TCG DICE: the firmware of a key */

struct view {
    const uint8_t *bytes;
    size_t size;
};

/* The parts of a report that matter. */
struct parts {
    const uint8_t *nonce;
    struct view signed_bytes, driver, vbios, firmware;
    const uint8_t *signature;
    uint32_t blocks;
};

/* ---- the report ---- */

static uint8_t read_u8(struct pa_reader *in) {
    uint8_t value = 0;
    pa_read_bytes(in, &value, 1);
    return value;
}

static int read_request(struct pa_reader *in, struct parts *out, struct pa_error *error) {
    uint8_t version = read_u8(in), code = read_u8(in), wants = read_u8(in);
    (void)read_u8(in); /* which measurements */
    out->nonce = pa_read_view(in, PA_ATTESTATION_NONCE_BYTES);
    (void)read_u8(in); /* slot of the chain */
    if (in->failed)
        return pa_fail(error, PA_EINVALID, "the report is cut short");
    if (version != SPDM_1_1)
        return pa_fail(error, PA_EINVALID,
                       "the report is of SPDM version %u.%u; only 1.1 is known here",
                       (unsigned)version >> 4, (unsigned)version & 15);
    if (code != GET_MEASUREMENTS || (wants & WITH_SIGNATURE) == 0)
        return pa_fail(error, PA_EINVALID,
                       "the report does not begin with a request for signed measurements");
    return PA_OK;
}

/* Each block tells its size twice. */
static int read_blocks(const uint8_t *record, size_t size, uint32_t blocks,
                       struct pa_error *error) {
    struct pa_reader in = pa_reader_over(record, size);
    for (uint32_t i = 0; i < blocks && !in.failed; i++) {
        uint8_t index = read_u8(&in), specification = read_u8(&in);
        uint16_t block_bytes = pa_read_u16(&in);
        (void)read_u8(&in); /* what kind of value */
        uint16_t value_bytes = pa_read_u16(&in);
        pa_read_view(&in, value_bytes);
        if (index == 0 || specification != DMTF || block_bytes != value_bytes + 3)
            return pa_fail(error, PA_EINVALID, "block %u of the report's measurements is malformed",
                           i + 1);
    }
    if (!pa_reader_done(&in) || blocks == 0)
        return pa_fail(error, PA_EINVALID, "the report's measurements do not fill their record");
    return PA_OK;
}

static int read_opaque(const uint8_t *data, size_t size, struct parts *out,
                       struct pa_error *error) {
    struct pa_reader in = pa_reader_over(data, size);
    while (in.left > 0 && !in.failed) {
        uint16_t type = pa_read_u16(&in), length = pa_read_u16(&in);
        const uint8_t *bytes = pa_read_view(&in, length);
        struct view *field = type == OPAQUE_DRIVER     ? &out->driver
                             : type == OPAQUE_VBIOS    ? &out->vbios
                             : type == OPAQUE_FIRMWARE ? &out->firmware
                                                       : NULL;
        if (in.failed || field == NULL)
            continue;
        if (field->bytes != NULL)
            return pa_fail(error, PA_EINVALID, "the report has its field %u twice", type);
        *field = (struct view){.bytes = bytes, .size = length};
    }
    if (in.failed)
        return pa_fail(error, PA_EINVALID, "the report's fields do not fill their place");
    return PA_OK;
}

static int read_report(const struct pa_attestation *attestation, struct parts *out,
                       struct pa_error *error) {
    struct pa_reader in = pa_reader_over(attestation->report, attestation->report_bytes);
    uint8_t low[3] = {0};
    if (attestation->report_bytes > PA_ATTESTATION_REPORT_MOST_BYTES)
        return pa_fail(error, PA_EINVALID, "the report has %zu bytes; the most is %d",
                       attestation->report_bytes, PA_ATTESTATION_REPORT_MOST_BYTES);
    PA_TRY(read_request(&in, out, error));
    uint8_t version = read_u8(&in), code = read_u8(&in);
    (void)pa_read_u16(&in); /* param1 and 2: how many there are, and the slot */
    out->blocks = read_u8(&in);
    pa_read_bytes(&in, low, sizeof low);
    size_t record_bytes = (size_t)low[0] | (size_t)low[1] << 8 | (size_t)low[2] << 16;
    const uint8_t *record = pa_read_view(&in, record_bytes);
    pa_read_view(&in, PA_ATTESTATION_NONCE_BYTES); /* the device's own */
    uint16_t opaque_bytes = pa_read_u16(&in);
    const uint8_t *opaque = pa_read_view(&in, opaque_bytes);
    out->signature = pa_read_view(&in, SIGNATURE_BYTES);
    if (!pa_reader_done(&in))
        return pa_fail(error, PA_EINVALID, "the report is longer or shorter than it says");
    if (version != SPDM_1_1 || code != MEASUREMENTS)
        return pa_fail(error, PA_EINVALID, "the report is no answer with measurements");
    out->signed_bytes = (struct view){.bytes = attestation->report,
                                      .size = attestation->report_bytes - SIGNATURE_BYTES};
    PA_TRY(read_blocks(record, record_bytes, out->blocks, error));
    return read_opaque(opaque, opaque_bytes, out, error);
}

/* ---- certificates ---- */

/* PEM may say that it is encrypted; nobody is asked for a password. */
static int no_password(char *buffer, int size, int is_writing, void *context) {
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

static int read_certificates(const char *pem, size_t size, STACK_OF(X509) * out,
                             struct pa_error *error) {
    BIO *bio = size <= PA_ATTESTATION_CHAIN_MOST_BYTES ? BIO_new_mem_buf(pem, (int)size) : NULL;
    X509 *one = NULL;
    if (bio == NULL)
        return size > PA_ATTESTATION_CHAIN_MOST_BYTES
                   ? pa_fail(error, PA_EINVALID, "the chain has %zu bytes; the most is %d", size,
                             PA_ATTESTATION_CHAIN_MOST_BYTES)
                   : pa_fail(error, PA_EMEMORY, "reading a chain of certificates: out of memory");
    int count = 0;
    while (count <= PA_ATTESTATION_MOST_CERTIFICATES &&
           (one = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        if (sk_X509_push(out, one) <= 0) {
            X509_free(one);
            BIO_free(bio);
            return pa_fail(error, PA_EMEMORY, "reading a chain of certificates: out of memory");
        }
        count++;
    }
    bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    BIO_free(bio);
    if (count == 0 || count > PA_ATTESTATION_MOST_CERTIFICATES || !is_at_end)
        return pa_fail(error, PA_EINVALID, "the chain is not 1 to %d certificates in PEM",
                       PA_ATTESTATION_MOST_CERTIFICATES);
    return PA_OK;
}

static bool is_p384(const X509 *certificate) {
    char name[32] = "";
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, name, sizeof name, NULL) == 1 &&
           strcmp(name, "secp384r1") == 0;
}

/* The curve and hash of every step, the leaf's purpose; OpenSSL has looked at the rest. */
static int check_built(X509_STORE_CTX *context, int given, struct pa_error *error) {
    STACK_OF(X509) *built = X509_STORE_CTX_get0_chain(context);
    X509 *leaf = sk_X509_value(built, 0);
    for (int i = 0; i < sk_X509_num(built); i++)
        if (!is_p384(sk_X509_value(built, i)) ||
            X509_get_signature_nid(sk_X509_value(built, i)) != NID_ecdsa_with_SHA384)
            return pa_fail(error, PA_EINVALID,
                           "certificate %d of the chain is not ECDSA with P-384 and SHA-384",
                           i + 1);
    if (sk_X509_num(built) != given + 1)
        return pa_fail(error, PA_EINVALID, "the chain has certificates that are not part of it");
    if (X509_check_ca(leaf) != 0 || (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0 ||
        (X509_get_extension_flags(leaf) & EXFLAG_KUSAGE) == 0)
        return pa_fail(error, PA_EINVALID,
                       "the chain's first certificate is not for a signing key "
                       "of a device");
    return PA_OK;
}

/* From the leaf to the anchor and nothing else; a copy of the anchor at the end is taken out. */
static int check_chain(STACK_OF(X509) * chain, X509 *anchor, uint64_t utc_ns,
                       struct pa_error *error) {
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int code = PA_OK, last = sk_X509_num(chain) - 1;
    if (last > 0 && X509_cmp(sk_X509_value(chain, last), anchor) == 0)
        X509_free(sk_X509_pop(chain));
    if (store == NULL || context == NULL || X509_STORE_add_cert(store, anchor) != 1 ||
        X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) != 1) {
        code = pa_fail(error, PA_EMEMORY, "checking a chain of certificates: out of memory");
        goto out;
    }
    X509_STORE_CTX_set_time(context, 0, (time_t)(utc_ns / 1000000000));
    if (X509_verify_cert(context) != 1)
        code = pa_fail(error, PA_EINVALID,
                       "the chain does not lead to the vendor's root: certificate %d: %.80s",
                       X509_STORE_CTX_get_error_depth(context) + 1,
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    else
        code = check_built(context, sk_X509_num(chain), error);
out:
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return code;
}

/* ---- what the leaf says ---- */

static bool is_named(const ASN1_OBJECT *object, const char *oid) {
    char text[64] = "";
    return object != NULL && OBJ_obj2txt(text, sizeof text, object, 1) > 0 &&
           strcmp(text, oid) == 0;
}

/* "NVIDIA:GH100:48B02D92494BADF4": three parts of capitals, digits and underscores. */
static bool is_name(const char *text, size_t length) {
    int colons = 0;
    for (size_t i = 0; i < length; i++) {
        bool is_word = (text[i] >= 'A' && text[i] <= 'Z') || (text[i] >= '0' && text[i] <= '9') ||
                       text[i] == '_';
        if (!is_word && (text[i] != ':' || i == 0 || i + 1 == length || text[i - 1] == ':'))
            return false;
        colons += text[i] == ':';
    }
    return colons == 2;
}

static void take_name(const X509 *leaf, char *out, size_t size) {
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_OTHERNAME || !is_named(name->d.otherName->type_id, name_oid) ||
            name->d.otherName->value->type != V_ASN1_UTF8STRING)
            continue;
        const ASN1_STRING *text = name->d.otherName->value->value.utf8string;
        const char *bytes = (const char *)ASN1_STRING_get0_data(text);
        size_t length = (size_t)ASN1_STRING_length(text);
        if (out[0] == '\0' && length < size && is_name(bytes, length)) {
            memcpy(out, bytes, length);
            out[length] = '\0';
        }
    }
    GENERAL_NAMES_free(names);
}

/* Chips of NVIDIA's GPUs begin with a G (GH100, GB202); its switches, which stand under the same
 * root, are called LS_10. */
static int check_name(const X509 *leaf, struct pa_attested *out, struct pa_error *error) {
    take_name(leaf, out->device, sizeof out->device);
    const char *chip = strchr(out->device, ':');
    if (chip == NULL)
        return pa_fail(error, PA_EINVALID, "the chain does not say whose key it is for");
    if (chip[1] != 'G')
        return pa_fail(error, PA_EINVALID, "the report is of %s, which is no GPU", out->device);
    return PA_OK;
}

/* The value of an ASN.1 SEQUENCE, or NULL. */
static STACK_OF(ASN1_TYPE) * sequence_of(const ASN1_STRING *der) {
    const uint8_t *bytes = ASN1_STRING_get0_data(der);
    return d2i_ASN1_SEQUENCE_ANY(NULL, &bytes, ASN1_STRING_length(der));
}

static void sequence_free(STACK_OF(ASN1_TYPE) * sequence) {
    sk_ASN1_TYPE_pop_free(sequence, ASN1_TYPE_free);
}

/* SEQUENCE { version, the device's key, SEQUENCE { sha384, OCTET STRING } }. False where the leaf
 * has nothing of that form. */
static bool take_firmware(const X509 *leaf, uint8_t out[FIRMWARE_BYTES]) {
    bool is_there = false;
    for (int i = 0; i < X509_get_ext_count(leaf) && !is_there; i++) {
        X509_EXTENSION *extension = X509_get_ext(leaf, i);
        if (!is_named(X509_EXTENSION_get_object(extension), firmware_oid))
            continue;
        STACK_OF(ASN1_TYPE) *whole = sequence_of(X509_EXTENSION_get_data(extension));
        const ASN1_TYPE *last =
            whole == NULL || sk_ASN1_TYPE_num(whole) != 3 ? NULL : sk_ASN1_TYPE_value(whole, 2);
        STACK_OF(ASN1_TYPE) *pair = last == NULL || last->type != V_ASN1_SEQUENCE
                                        ? NULL
                                        : sequence_of(last->value.sequence);
        if (pair != NULL && sk_ASN1_TYPE_num(pair) == 2) {
            const ASN1_TYPE *value = sk_ASN1_TYPE_value(pair, 1);
            is_there = value->type == V_ASN1_OCTET_STRING &&
                       ASN1_STRING_length(value->value.octet_string) == FIRMWARE_BYTES;
            if (is_there)
                memcpy(out, ASN1_STRING_get0_data(value->value.octet_string), FIRMWARE_BYTES);
        }
        sequence_free(pair);
        sequence_free(whole);
    }
    return is_there;
}

/* Where the report names its firmware it must be the one that the key was made for. */
static int check_firmware(const X509 *leaf, const struct parts *parts, struct pa_attested *out,
                          struct pa_error *error) {
    uint8_t firmware[FIRMWARE_BYTES];
    bool is_there = take_firmware(leaf, firmware);
    if (parts->firmware.bytes != NULL &&
        (!is_there || parts->firmware.size != FIRMWARE_BYTES ||
         memcmp(parts->firmware.bytes, firmware, FIRMWARE_BYTES) != 0))
        return pa_fail(error, PA_EINVALID,
                       "the report names another firmware than the certificate of its key");
    if (is_there)
        pa_hex(out->firmware, firmware, FIRMWARE_BYTES);
    return PA_OK;
}

static int take_key(const X509 *leaf, struct pa_attested *out, struct pa_error *error) {
    uint8_t *der = NULL;
    int length = i2d_PUBKEY(X509_get0_pubkey(leaf), &der);
    if (length <= 0)
        return pa_fail(error, PA_EMEMORY, "reading a chain of certificates: out of memory");
    pa_sha256(&out->key, der, (size_t)length);
    OPENSSL_free(der);
    return PA_OK;
}

/* ---- together ---- */

static int check_signature(const X509 *leaf, const struct parts *parts, struct pa_error *error) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(parts->signature, SIGNATURE_BYTES / 2, NULL);
    BIGNUM *s = BN_bin2bn(parts->signature + SIGNATURE_BYTES / 2, SIGNATURE_BYTES / 2, NULL);
    uint8_t *der = NULL;
    int length = 0, code;
    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
    } else {
        length = i2d_ECDSA_SIG(pair, &der);
    }
    if (context == NULL || length <= 0)
        code = pa_fail(error, PA_EMEMORY, "checking a report: out of memory");
    else if (EVP_DigestVerifyInit(context, NULL, EVP_sha384(), NULL, X509_get0_pubkey(leaf)) != 1 ||
             EVP_DigestVerify(context, der, (size_t)length, parts->signed_bytes.bytes,
                              parts->signed_bytes.size) != 1)
        code = pa_fail(error, PA_EINVALID, "the report's signature is not of the chain's key");
    else
        code = PA_OK;
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
    return code;
}

static void tell_versions(const struct parts *parts, struct pa_attested *out) {
    char driver[sizeof out->driver] = "";
    const uint8_t *v = parts->vbios.bytes;
    if (parts->driver.bytes != NULL && parts->driver.size < sizeof driver)
        memcpy(driver, parts->driver.bytes, parts->driver.size);
    pa_printable(out->driver, sizeof out->driver, driver);
    if (v != NULL && parts->vbios.size == VBIOS_BYTES)
        snprintf(out->vbios, sizeof out->vbios, "%02X.%02X.%02X.%02X.%02X", v[3], v[2], v[1], v[0],
                 v[4]);
    out->blocks = parts->blocks;
}

static int verify(const struct pa_attestation *attestation, const uint8_t *nonce, X509 *anchor,
                  STACK_OF(X509) * chain, uint64_t utc_ns, struct pa_attested *out,
                  struct pa_error *error) {
    struct parts parts = {0};
    PA_TRY(read_report(attestation, &parts, error));
    if (memcmp(parts.nonce, nonce, PA_ATTESTATION_NONCE_BYTES) != 0)
        return pa_fail(error, PA_EINVALID, "the report answers another nonce");
    PA_TRY(read_certificates(attestation->chain, attestation->chain_bytes, chain, error));
    PA_TRY(check_chain(chain, anchor, utc_ns, error));
    const X509 *leaf = sk_X509_value(chain, 0);
    PA_TRY(check_signature(leaf, &parts, error));
    PA_TRY(check_name(leaf, out, error));
    PA_TRY(check_firmware(leaf, &parts, out, error));
    PA_TRY(take_key(leaf, out, error));
    tell_versions(&parts, out);
    return PA_OK;
}

int pa_attestation_verify(const struct pa_attestation *attestation,
                          const uint8_t nonce[PA_ATTESTATION_NONCE_BYTES], const char *anchor,
                          uint64_t utc_ns, struct pa_attested *out, struct pa_error *error) {
    memset(out, 0, sizeof *out);
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(anchor, -1);
    X509 *root = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, no_password, NULL);
    STACK_OF(X509) *chain = sk_X509_new_null();
    int code = root == NULL || chain == NULL
                   ? pa_fail(error, PA_EMEMORY, "reading the vendor's root: out of memory")
                   : verify(attestation, nonce, root, chain, utc_ns, out, error);
    if (code != PA_OK)
        memset(out, 0, sizeof *out);
    sk_X509_pop_free(chain, X509_free);
    X509_free(root);
    BIO_free(bio);
    ERR_clear_error();
    return code;
}

bool pa_attested_is_same(const struct pa_attested *a, const struct pa_attested *b) {
    return strcmp(a->device, b->device) == 0 || pa_hash_equal(&a->key, &b->key);
}
