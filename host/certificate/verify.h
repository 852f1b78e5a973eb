/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - what holds of a certificate: offline, with the evidence or without.
 *
 *     struct pa_verification v;
 *     code = pa_certificate_verify(bytes, size, &v, &error);      is it authentic in itself?
 *     code = pa_verification_evidence(&v, store, recheck, &error);  does the evidence say the same?
 *     pa_verification_trust(&v, key);                             and is the signer the expected
 * one? pa_verification_free(&v);
 */
#ifndef PA_CERTIFICATE_VERIFY_H
#define PA_CERTIFICATE_VERIFY_H

#include "certificate/envelope.h"
#include "judge/judge.h"

enum pa_signer {
    PA_SIGNER_UNKNOWN, /* nobody said whom to trust */
    PA_SIGNER_TRUSTED, /* the one of --trust */
    PA_SIGNER_OTHER    /* authentic, but by somebody else */
};

enum pa_evidence_check {
    PA_EVIDENCE_NOT_GIVEN,
    PA_EVIDENCE_AGREES,     /* the statement was built again and is the same to the byte */
    PA_EVIDENCE_CONTRADICTS /* `failure` names the first member that differs */
};

struct pa_verification {
    bool is_authentic; /* canonical, complete, signed by the key it names */
    char
        failure[1024]; /* the first thing that does not hold, safe to print; empty when all holds */
    enum pa_signer signer;
    enum pa_evidence_check evidence;
    enum pa_recheck recheck; /* how deep the evidence was checked */
    bool is_test;            /* a TEST result, no certificate */
    json_t *statement;       /* owned; NULL unless authentic */
    struct pa_hash statement_sha256;
    struct pa_hash key_id;
    uint8_t key[PA_PUBLIC_KEY_BYTES];
};

/* Check a certificate's bytes in themselves. PA_OK when authentic; PA_EINVALID, with out->failure
 * and `error` saying the same, when not. `out` is always filled and always to be freed. */
int pa_certificate_verify(const void *data, size_t size, struct pa_verification *out,
                          struct pa_error *error);

/* Collect the facts of `store`, judge them by the claim and the policy that the certificate
 * carries, and build the statement again. PA_OK when it is the same; PA_EINVALID when it differs or
 * the evidence belongs to another session. Only for an authentic certificate. */
int pa_verification_evidence(struct pa_verification *verification, struct pa_store *store,
                             enum pa_recheck recheck, struct pa_error *error);

/* Set `signer` by comparing with the key that the reader trusts. */
void pa_verification_trust(struct pa_verification *verification,
                           const uint8_t key[PA_PUBLIC_KEY_BYTES]);

/* What this verification could not derive again, one sentence each, ended by NULL: everything that
 * needs the evidence when it was not given, and what rests on the witness's word in any case. */
enum { PA_UNDERIVED_MOST = 8 };
void pa_verification_underived(const struct pa_verification *verification,
                               const char *out[PA_UNDERIVED_MOST]);

void pa_verification_free(struct pa_verification *verification);

#endif
