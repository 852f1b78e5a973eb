/* SPDX-License-Identifier: Apache-2.0 */
/* signature.h - ECDSA P-256, the one kind of key: sessions, commitments, transcripts, certificates,
 * TLS.
 *
 * OpenSSL does the arithmetic. Signatures are strict DER over a 32-byte hash; public keys are the
 * 65 bytes of the uncompressed point; a key id is the SHA-256 of those 65 bytes. Secrets are wiped
 * when a key is freed.
 */
#ifndef PA_PROOF_SIGNATURE_H
#define PA_PROOF_SIGNATURE_H

#include "base/bytes.h"
#include "base/error.h"
#include "proof/declaration.h"
#include "proof/hash.h"

enum { PA_DER_SIGNATURE_MOST_BYTES = 72 };

struct pa_key; /* a private key */

int pa_key_generate(struct pa_key **out, struct pa_error *error);
/* From and to PKCS#8 PEM, unencrypted. PA_EINPUT for anything but one P-256 private key. */
int pa_key_from_pem(const char *name, const void *pem, size_t size, struct pa_key **out,
                    struct pa_error *error);
int pa_key_to_pem(const struct pa_key *key, struct pa_buffer *out, struct pa_error *error);
/* A self-signed X.509 certificate in PEM, for TLS and PDF signatures; valid from now for `days`. */
int pa_key_certificate_pem(const struct pa_key *key, const char *common_name, int days,
                           struct pa_buffer *out, struct pa_error *error);
void pa_key_public(const struct pa_key *key, uint8_t out[PA_PUBLIC_KEY_BYTES]);
void pa_key_free(struct pa_key *key);

/* SubjectPublicKeyInfo PEM, as FILE.pub holds it, to the point and back. */
int pa_public_key_from_pem(const char *name, const void *pem, size_t size,
                           uint8_t out[PA_PUBLIC_KEY_BYTES], struct pa_error *error);
int pa_public_key_to_pem(const uint8_t key[PA_PUBLIC_KEY_BYTES], struct pa_buffer *out,
                         struct pa_error *error);
void pa_public_key_id(const uint8_t key[PA_PUBLIC_KEY_BYTES], struct pa_hash *out);

/* Sign a hash; `*length` is at most PA_DER_SIGNATURE_MOST_BYTES. */
int pa_key_sign(const struct pa_key *key, const struct pa_hash *hash,
                uint8_t out[PA_DER_SIGNATURE_MOST_BYTES], size_t *length, struct pa_error *error);
/* True when `signature` is the strict DER encoding of a valid signature with s in the lower half of
 * the group order (so that nobody can make a second one out of it); signing sees to that. */
bool pa_signature_is_valid(const uint8_t key[PA_PUBLIC_KEY_BYTES], const struct pa_hash *hash,
                           const void *signature, size_t length);

#endif
