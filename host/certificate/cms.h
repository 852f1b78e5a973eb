/* SPDX-License-Identifier: Apache-2.0 */
/* cms.h - a detached signature over a document (CMS with the attributes of CAdES), for PDF.
 *
 * The key is the one that signs certificates; its self-signed X.509 certificate, FILE.crt of
 * keygen, travels in the signature. That it is this key and no other is for the reader to see: its
 * key id stands on the page.
 */
#ifndef PA_CERTIFICATE_CMS_H
#define PA_CERTIFICATE_CMS_H

#include "base/bytes.h"
#include "base/error.h"
#include "proof/signature.h"

enum { PA_CMS_MOST_BYTES = 4096 };

struct pa_document_signer {
    const struct pa_key *key;
    struct pa_buffer certificate_pem; /* owned */
};

/* `key_path` is where the key was loaded from: PATH.crt beside it holds its certificate. When there
 * is none, one is made in memory. PA_EINPUT when the one that is there is of another key. */
int pa_document_signer_make(const struct pa_key *key, const char *key_path,
                            struct pa_document_signer *out, struct pa_error *error);
void pa_document_signer_free(struct pa_document_signer *signer);

/* Append the DER of a signature over the bytes of both parts, one after the other; at most
 * PA_CMS_MOST_BYTES. */
int pa_cms_sign(const struct pa_document_signer *signer, const void *first, size_t first_bytes,
                const void *second, size_t second_bytes, struct pa_buffer *out,
                struct pa_error *error);

#endif
