/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/time_stamp.h"

#include "proof/hash.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ts.h>
#include <string.h>
#include <time.h>

static int fail_openssl(struct pa_error *error, int code, const char *doing) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    code = pa_fail(error, code, "%s: %.200s", doing, reason == NULL ? "no reason given" : reason);
    ERR_clear_error();
    return code;
}

static TS_MSG_IMPRINT *imprint_of(const void *file, size_t size) {
    struct pa_hash hash;
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    pa_sha256(&hash, file, size);
    bool good = imprint != NULL && algorithm != NULL &&
                X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
                TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
                TS_MSG_IMPRINT_set_msg(imprint, hash.bytes, PA_HASH_BYTES) == 1;
    X509_ALGOR_free(algorithm);
    if (good)
        return imprint;
    TS_MSG_IMPRINT_free(imprint);
    return NULL;
}

int pa_time_stamp_request(const void *file, size_t size, struct pa_buffer *out,
                          struct pa_error *error) {
    TS_MSG_IMPRINT *imprint = imprint_of(file, size);
    TS_REQ *request = TS_REQ_new();
    unsigned char *der = NULL;
    int length = -1;
    if (imprint != NULL && request != NULL && TS_REQ_set_version(request, 1) == 1 &&
        TS_REQ_set_msg_imprint(request, imprint) == 1 && TS_REQ_set_cert_req(request, 1) == 1)
        length = i2d_TS_REQ(request, &der);
    if (length > 0)
        pa_buffer_bytes(out, der, (size_t)length);
    OPENSSL_free(der);
    TS_REQ_free(request);
    TS_MSG_IMPRINT_free(imprint);
    return length > 0 && !out->failed ? PA_OK
                                      : fail_openssl(error, PA_EMEMORY, "asking for a time stamp");
}

/* The signer's certificates: those in the stamp itself (whoever they are), or what the system
 * trusts. They were good when the stamp was made, which is what counts. */
static X509_STORE *store_for(TS_RESP *answer, bool is_systems, time_t then) {
    X509_STORE *store = X509_STORE_new();
    PKCS7 *token = TS_RESP_get_token(answer);
    if (store == NULL)
        return NULL;
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), then);
    if (is_systems) {
        X509_STORE_set_default_paths(store);
        return store;
    }
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    STACK_OF(X509) *own =
        PKCS7_type_is_signed(token) && token->d.sign != NULL ? token->d.sign->cert : NULL;
    for (int i = 0; i < sk_X509_num(own); i++)
        X509_STORE_add_cert(store, sk_X509_value(own, i));
    return store;
}

/* True when the answer is granted, over this file, and signed under that store. */
static bool holds(TS_RESP *answer, const void *file, size_t size, bool is_systems, time_t then) {
    struct pa_hash hash;
    TS_VERIFY_CTX *context = TS_VERIFY_CTX_new();
    X509_STORE *store = store_for(answer, is_systems, then);
    unsigned char *imprint = OPENSSL_malloc(PA_HASH_BYTES);
    if (context == NULL || store == NULL || imprint == NULL) {
        TS_VERIFY_CTX_free(context);
        X509_STORE_free(store);
        OPENSSL_free(imprint);
        return false;
    }
    pa_sha256(&hash, file, size);
    memcpy(imprint, hash.bytes, PA_HASH_BYTES);
    TS_VERIFY_CTX_set_flags(context, TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_IMPRINT);
    TS_VERIFY_CTX_set_store(context, store);                    /* which frees it */
    TS_VERIFY_CTX_set_imprint(context, imprint, PA_HASH_BYTES); /* and this */
    bool good = TS_RESP_verify_response(context, answer) == 1;
    TS_VERIFY_CTX_free(context);
    return good;
}

/* Who signed: the first certificate in the stamp whose serial the signer names. */
static void name_authority(TS_RESP *answer, char out[256]) {
    PKCS7 *token = TS_RESP_get_token(answer);
    STACK_OF(X509) *signers = PKCS7_get0_signers(token, NULL, 0);
    char name[256] = "somebody";
    if (sk_X509_num(signers) > 0)
        X509_NAME_oneline(X509_get_subject_name(sk_X509_value(signers, 0)), name, sizeof name);
    sk_X509_free(signers);
    pa_printable(out, 256, name);
}

static bool read_time(TS_RESP *answer, time_t *then, char utc[PA_UTC_TEXT_BYTES]) {
    struct tm parts;
    TS_TST_INFO *info = TS_RESP_get_tst_info(answer);
    const ASN1_GENERALIZEDTIME *stamped = info == NULL ? NULL : TS_TST_INFO_get_time(info);
    if (stamped == NULL || ASN1_TIME_to_tm(stamped, &parts) != 1)
        return false;
    *then = timegm(&parts);
    if (*then < 0)
        return false;
    pa_utc_text(utc, (uint64_t)*then * UINT64_C(1000000000));
    return true;
}

static int check_answer(TS_RESP *answer, const void *file, size_t size, struct pa_time_stamp *out,
                        struct pa_error *error) {
    static const char doing[] = "checking the time stamp";
    TS_STATUS_INFO *status = TS_RESP_get_status_info(answer);
    long granted = status == NULL ? -1 : ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
    time_t then = 0;
    if (granted != 0 && granted != 1)
        return pa_fail(error, PA_EINVALID, "%s: the authority refused it (status %ld)", doing,
                       granted);
    if (TS_RESP_get_token(answer) == NULL || !read_time(answer, &then, out->utc))
        return pa_fail(error, PA_EINVALID, "%s: it holds no time", doing);
    if (!holds(answer, file, size, false, then))
        return fail_openssl(error, PA_EINVALID, doing);
    out->is_known = holds(answer, file, size, true, then);
    name_authority(answer, out->authority);
    ERR_clear_error();
    return PA_OK;
}

int pa_time_stamp_check(const void *file, size_t size, const void *stamp, size_t stamp_size,
                        struct pa_time_stamp *out, struct pa_error *error) {
    const unsigned char *at = stamp;
    *out = (struct pa_time_stamp){0};
    if (stamp_size > PA_TIME_STAMP_MOST_BYTES)
        return pa_fail(error, PA_EINVALID, "checking the time stamp: it is larger than %d bytes",
                       PA_TIME_STAMP_MOST_BYTES);
    TS_RESP *answer = d2i_TS_RESP(NULL, &at, (long)stamp_size);
    if (answer == NULL)
        return fail_openssl(error, PA_EINVALID, "checking the time stamp");
    int code =
        at == (const unsigned char *)stamp + stamp_size
            ? check_answer(answer, file, size, out, error)
            : pa_fail(error, PA_EINVALID, "checking the time stamp: something is appended to it");
    TS_RESP_free(answer);
    return code;
}
