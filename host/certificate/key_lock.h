/* SPDX-License-Identifier: Apache-2.0 */
/* key_lock.h - a private key under a passphrase: PKCS#8 "ENCRYPTED PRIVATE KEY" (RFC 5958) in PEM.
 *
 * Made with scrypt (RFC 7914; N = 2^14, r = 8, p = 1: 16 MiB a guess) and
 * AES-256-CBC. Read as well: whatever `openssl pkcs8 -topk8` makes with PBES2 (RFC 8018).
 */
#ifndef PA_CERTIFICATE_KEY_LOCK_H
#define PA_CERTIFICATE_KEY_LOCK_H

#include "base/bytes.h"
#include "base/error.h"

enum { PA_PASSPHRASE_MOST_BYTES = 1024 };

bool pa_key_is_locked(const void *pem, size_t size);

/* Append the locked form of a private key's PEM. */
int pa_key_lock(const void *pem, size_t size, const char *passphrase, struct pa_buffer *out,
                struct pa_error *error);

/* Append the PEM that pa_key_from_pem takes; the caller wipes it. PA_EINPUT: damaged, a wrong
 * passphrase, or a count of iterations that would take minutes. */
int pa_key_unlock(const char *name, const void *pem, size_t size, const char *passphrase,
                  struct pa_buffer *out, struct pa_error *error);

#endif
