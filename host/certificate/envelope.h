/* SPDX-License-Identifier: Apache-2.0 */
/* envelope.h - a statement in a DSSE envelope (secure-systems-lab/dsse, protocol v1.0.2).
 *
 * {"payload": base64, "payloadType": "application/vnd.in-toto+json",
 *  "signatures": [{"keyid": hex SHA-256 of the public point, "sig": base64 of DER}]} and a newline.
 * What is signed is SHA-256 of PAE("DSSEv1", type, payload).
 */
#ifndef PA_CERTIFICATE_ENVELOPE_H
#define PA_CERTIFICATE_ENVELOPE_H

#include "base/bytes.h"
#include "proof/signature.h"

#include <jansson.h>

#define PA_PAYLOAD_TYPE "application/vnd.in-toto+json"

enum { PA_CERTIFICATE_MOST_BYTES = 1 << 26 };

/* Sign `statement` and append the whole file certificate.json. */
int pa_envelope_sign(const json_t *statement, const struct pa_key *key, struct pa_buffer *out,
                     struct pa_error *error);

struct pa_envelope {
    struct pa_buffer payload; /* owned */
    uint8_t signature[PA_DER_SIGNATURE_MOST_BYTES];
    size_t signature_bytes;
    struct pa_hash key_id; /* as the envelope says */
};

/* Take a certificate file apart, strictly; checks no signature. PA_EINVALID names the first thing
 * that is not as it must be. */
int pa_envelope_read(const void *data, size_t size, struct pa_envelope *out,
                     struct pa_error *error);
void pa_envelope_free(struct pa_envelope *envelope);

/* H = SHA-256(PAE): what is signed. PA_EMEMORY. */
int pa_envelope_hash(const void *payload, size_t size, struct pa_hash *out, struct pa_error *error);

#endif
