/* SPDX-License-Identifier: Apache-2.0 */
/* key_file.h - the files of keygen: FILE (private, PKCS#8 PEM, 0600, locked with a passphrase if
 * one is given: key_lock.h), FILE.pub (public, PEM) and FILE.crt (self-signed X.509). */
#ifndef PA_CERTIFICATE_KEY_FILE_H
#define PA_CERTIFICATE_KEY_FILE_H

#include "base/error.h"
#include "proof/signature.h"

enum { PA_KEY_FILE_MOST_BYTES = 65536 };

/* Make a key and its three files: all or none, and never over a file that is there (PA_EWRITE).
 * A passphrase of NULL leaves FILE unlocked. */
int pa_key_file_make(const char *path, const char *passphrase, struct pa_error *error);

/* Append the passphrase of the key in the file `path`, and a zero byte. */
typedef int pa_ask_passphrase(const char *path, struct pa_buffer *out, struct pa_error *error);

/* Load FILE; `ask` is called for a locked one (NULL: refused). PA_ENOINPUT, PA_EINPUT: no P-256
 * private key, a wrong passphrase, or others than its owner may read it (the message says how to
 * mend that). */
int pa_key_file_load(const char *path, pa_ask_passphrase *ask, struct pa_key **out,
                     struct pa_error *error);

/* Load FILE.pub. */
int pa_key_file_load_public(const char *path, uint8_t out[PA_PUBLIC_KEY_BYTES],
                            struct pa_error *error);

#endif
