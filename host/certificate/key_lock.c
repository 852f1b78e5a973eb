/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/key_lock.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

enum {
    SCRYPT_N = 1 << 14, /* the most that OpenSSL takes by default */
    SCRYPT_R = 8,
    SCRYPT_P = 1,
    SALT_BYTES = 16,
    MOST_PBKDF2_ITERATIONS = 1000000 /* a second */
};

bool pa_key_is_locked(const void *pem, size_t size) {
    static const char first[] = "-----BEGIN " PEM_STRING_PKCS8 "-----";
    return memmem(pem, size, first, sizeof first - 1) != NULL;
}

static int drain(BIO *bio, struct pa_buffer *out, struct pa_error *error) {
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);
    pa_buffer_bytes(out, data, size > 0 ? (size_t)size : 0);
    if (size > 0)
        OPENSSL_cleanse(data, (size_t)size);
    return out->failed ? pa_fail(error, PA_EMEMORY, "locking a key: out of memory") : PA_OK;
}

/* Owns nothing that is secret: the scheme's parameters stand in the file. A salt is drawn there. */
static X509_SIG *encrypt(PKCS8_PRIV_KEY_INFO *info, const char *passphrase) {
    X509_ALGOR *scheme = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, SALT_BYTES, NULL, SCRYPT_N,
                                               SCRYPT_R, SCRYPT_P);
    if (scheme == NULL)
        return NULL;
    X509_SIG *locked = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), info, scheme);
    if (locked == NULL)
        X509_ALGOR_free(scheme);
    return locked;
}

static BIO *open_pem(const void *pem, size_t size) {
    return size > INT_MAX ? NULL : BIO_new_mem_buf(pem, (int)size);
}

int pa_key_lock(const void *pem, size_t size, const char *passphrase, struct pa_buffer *out,
                struct pa_error *error) {
    if (strlen(passphrase) > PA_PASSPHRASE_MOST_BYTES)
        return pa_fail(error, PA_EINPUT, "locking a key: the passphrase is longer than %d bytes",
                       PA_PASSPHRASE_MOST_BYTES);
    BIO *from = open_pem(pem, size), *to = BIO_new(BIO_s_mem());
    PKCS8_PRIV_KEY_INFO *info =
        from == NULL ? NULL : PEM_read_bio_PKCS8_PRIV_KEY_INFO(from, NULL, NULL, NULL);
    X509_SIG *locked = info == NULL ? NULL : encrypt(info, passphrase);
    int code;
    if (locked == NULL || to == NULL || PEM_write_bio_PKCS8(to, locked) != 1)
        code = pa_fail(error, PA_EINTERNAL, "locking a key: OpenSSL says %s",
                       ERR_reason_error_string(ERR_peek_last_error()));
    else
        code = drain(to, out, error);
    X509_SIG_free(locked);
    PKCS8_PRIV_KEY_INFO_free(info);
    BIO_free(from);
    BIO_free(to);
    ERR_clear_error();
    return code;
}

/* A file may ask for any number of iterations; OpenSSL bounds the memory of scrypt (32 MiB). */
static bool is_affordable(const X509_SIG *locked) {
    const X509_ALGOR *scheme;
    const ASN1_OBJECT *function;
    const void *parameter;
    int type;
    bool is_fine = true;
    X509_SIG_get0(locked, &scheme, NULL);
    PBE2PARAM *pbes2 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), scheme->parameter);
    if (pbes2 == NULL)
        return false; /* PBES1 and the like: broken ciphers */
    X509_ALGOR_get0(&function, &type, &parameter, pbes2->keyfunc);
    if (OBJ_obj2nid(function) == NID_id_pbkdf2) {
        PBKDF2PARAM *pbkdf2 =
            ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), pbes2->keyfunc->parameter);
        int64_t iterations = 0;
        is_fine = pbkdf2 != NULL && ASN1_INTEGER_get_int64(&iterations, pbkdf2->iter) == 1 &&
                  iterations > 0 && iterations <= MOST_PBKDF2_ITERATIONS;
        PBKDF2PARAM_free(pbkdf2);
    }
    PBE2PARAM_free(pbes2);
    return is_fine;
}

static int decrypt(const char *name, const X509_SIG *locked, const char *passphrase,
                   struct pa_buffer *out, struct pa_error *error) {
    if (!is_affordable(locked))
        return pa_fail(error, PA_EINPUT,
                       "unlocking key %s: it is locked in a way that is not supported (wanted: "
                       "PBES2 with scrypt, or with PBKDF2 of at most %d iterations); \"openssl "
                       "pkcs8 -topk8 -scrypt\" locks it anew",
                       name, MOST_PBKDF2_ITERATIONS);
    PKCS8_PRIV_KEY_INFO *info = PKCS8_decrypt(locked, passphrase, (int)strlen(passphrase));
    if (info == NULL)
        return pa_fail(error, PA_EINPUT,
                       "unlocking key %s: the passphrase is wrong, or the file is damaged", name);
    BIO *to = BIO_new(BIO_s_mem());
    int code = to != NULL && PEM_write_bio_PKCS8_PRIV_KEY_INFO(to, info) == 1
                   ? drain(to, out, error)
                   : pa_fail(error, PA_EMEMORY, "unlocking key %s: out of memory", name);
    BIO_free(to);
    PKCS8_PRIV_KEY_INFO_free(info);
    return code;
}

int pa_key_unlock(const char *name, const void *pem, size_t size, const char *passphrase,
                  struct pa_buffer *out, struct pa_error *error) {
    BIO *from = open_pem(pem, size);
    X509_SIG *locked = from == NULL ? NULL : PEM_read_bio_PKCS8(from, NULL, NULL, NULL);
    int code = locked == NULL
                   ? pa_fail(error, PA_EINPUT, "unlocking key %s: it is not a whole key", name)
                   : decrypt(name, locked, passphrase, out, error);
    X509_SIG_free(locked);
    BIO_free(from);
    ERR_clear_error();
    return code;
}
