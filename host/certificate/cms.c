/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/cms.h"

#include "base/base.h"
#include "certificate/key_file.h"

#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { OWN_CERTIFICATE_DAYS = 3650 };

static int fail_openssl(struct pa_error *error, int code, const char *doing) {
    char text[200] = "no reason given";
    unsigned long reason = ERR_peek_last_error();
    if (reason != 0)
        ERR_error_string_n(reason, text, sizeof text);
    ERR_clear_error();
    return pa_fail(error, code, "%s: %s", doing, text);
}

static X509 *read_certificate(const struct pa_buffer *pem) {
    if (pem->size == 0 || pem->size > INT_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->size);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *read_key(const struct pa_key *key, struct pa_error *error) {
    struct pa_buffer pem = {0};
    EVP_PKEY *pkey = NULL;
    if (pa_key_to_pem(key, &pem, error) == PA_OK && pem.size <= INT_MAX) {
        BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.size);
        pkey = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        BIO_free(bio);
        OPENSSL_cleanse(pem.data, pem.size);
    }
    pa_buffer_free(&pem);
    return pkey;
}

static bool is_of_key(const struct pa_buffer *certificate_pem, const struct pa_key *key) {
    X509 *certificate = read_certificate(certificate_pem);
    EVP_PKEY *pkey = read_key(key, NULL);
    bool same = certificate != NULL && pkey != NULL &&
                EVP_PKEY_eq(X509_get0_pubkey(certificate), pkey) == 1;
    EVP_PKEY_free(pkey);
    X509_free(certificate);
    ERR_clear_error();
    return same;
}

int pa_document_signer_make(const struct pa_key *key, const char *key_path,
                            struct pa_document_signer *out, struct pa_error *error) {
    char path[PATH_MAX];
    *out = (struct pa_document_signer){.key = key};
    int length = snprintf(path, sizeof path, "%s.crt", key_path);
    if (length < 0 || (size_t)length >= sizeof path || access(path, F_OK) != 0)
        return pa_key_certificate_pem(key, "petaudit", OWN_CERTIFICATE_DAYS, &out->certificate_pem,
                                      error);
    PA_TRY(pa_file_read(path, PA_KEY_FILE_MOST_BYTES, &out->certificate_pem, error));
    if (!is_of_key(&out->certificate_pem, key)) {
        pa_document_signer_free(out);
        return pa_fail(error, PA_EINPUT,
                       "signing the PDF: %s is no certificate of the key beside it; move it away "
                       "and one is made",
                       path);
    }
    return PA_OK;
}

void pa_document_signer_free(struct pa_document_signer *signer) {
    pa_buffer_free(&signer->certificate_pem);
    *signer = (struct pa_document_signer){0};
}

/* The DER of `cms` onto `out`. */
static bool append_der(CMS_ContentInfo *cms, struct pa_buffer *out) {
    unsigned char *der = NULL;
    int length = i2d_CMS_ContentInfo(cms, &der);
    bool fits = length > 0 && length <= PA_CMS_MOST_BYTES;
    if (fits)
        pa_buffer_bytes(out, der, (size_t)length);
    OPENSSL_free(der);
    return fits && !out->failed;
}

int pa_cms_sign(const struct pa_document_signer *signer, const void *first, size_t first_bytes,
                const void *second, size_t second_bytes, struct pa_buffer *out,
                struct pa_error *error) {
    /* The document stays outside, its bytes are not taken for text, and the signer's certificate is
     * named by its hash in the signed attributes, as CAdES wants it. */
    const unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP | CMS_CADES;
    if (first_bytes > INT_MAX || second_bytes > INT_MAX)
        return pa_fail(error, PA_EINPUT, "signing the PDF: it is too large");
    X509 *certificate = read_certificate(&signer->certificate_pem);
    EVP_PKEY *pkey = read_key(signer->key, error);
    BIO *document = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = NULL;
    bool good = certificate != NULL && pkey != NULL && document != NULL &&
                BIO_write(document, first, (int)first_bytes) == (int)first_bytes &&
                BIO_write(document, second, (int)second_bytes) == (int)second_bytes;
    if (good)
        cms = CMS_sign(certificate, pkey, NULL, document, flags);
    good = cms != NULL && append_der(cms, out);
    CMS_ContentInfo_free(cms);
    BIO_free(document);
    EVP_PKEY_free(pkey);
    X509_free(certificate);
    return good ? PA_OK : fail_openssl(error, PA_EINTERNAL, "signing the PDF");
}
