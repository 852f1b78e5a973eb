/* SPDX-License-Identifier: Apache-2.0 */
/* key_file.h - the files of keygen: FILE (private, PKCS#8 PEM, 0600), FILE.pub (public, PEM) and
 * FILE.crt (self-signed X.509). */
#ifndef PA_CERTIFICATE_KEY_FILE_H
#define PA_CERTIFICATE_KEY_FILE_H

#include "base/error.h"
#include "proof/signature.h"

enum { PA_KEY_FILE_MOST_BYTES = 65536 };

/* Make a key and its three files: all or none, and never over a file that is there (PA_EWRITE). */
int pa_key_file_make(const char *path, struct pa_error *error);

/* Load FILE. PA_ENOINPUT, PA_EINPUT: no P-256 private key, or others than its owner may read it
 * (the message says how to mend that). */
int pa_key_file_load(const char *path, struct pa_key **out, struct pa_error *error);

/* Load FILE.pub. */
int pa_key_file_load_public(const char *path, uint8_t out[PA_PUBLIC_KEY_BYTES],
                            struct pa_error *error);

#endif
