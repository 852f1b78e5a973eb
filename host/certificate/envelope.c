/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/envelope.h"

#include "certificate/canonical.h"
#include "certificate/members.h"

#include <string.h>

#define PAE_PREFIX "DSSEv1 28 " PA_PAYLOAD_TYPE " "

int pa_envelope_hash(const void *payload, size_t size, struct pa_hash *out,
                     struct pa_error *error) {
    _Static_assert(sizeof PA_PAYLOAD_TYPE - 1 == 28, "the PAE prefix holds the type's length");
    struct pa_buffer pae = {0};
    pa_buffer_format(&pae, PAE_PREFIX "%zu ", size);
    pa_buffer_bytes(&pae, payload, size);
    int code = PA_OK;
    if (pae.failed)
        code = pa_fail(error, PA_EMEMORY, "hashing the statement: out of memory");
    else
        pa_sha256(out, pae.data, pae.size);
    pa_buffer_free(&pae);
    return code;
}

static json_t *base64_string(const void *data, size_t size) {
    struct pa_buffer text = {0};
    pa_base64_write(&text, data, size);
    json_t *value = text.failed ? NULL : json_stringn((const char *)text.data, text.size);
    pa_buffer_free(&text);
    return value;
}

static int write_envelope(const struct pa_buffer *payload, const struct pa_hash *key_id,
                          const uint8_t *signature, size_t signature_bytes, struct pa_buffer *out,
                          struct pa_error *error) {
    char id[2 * PA_HASH_BYTES + 1];
    pa_hex(id, key_id->bytes, PA_HASH_BYTES);
    json_t *envelope =
        json_pack("{s:o, s:s, s:[{s:s, s:o}]}", "payload",
                  base64_string(payload->data, payload->size), "payloadType", PA_PAYLOAD_TYPE,
                  "signatures", "keyid", id, "sig", base64_string(signature, signature_bytes));
    int code = envelope == NULL
                   ? pa_fail(error, PA_EMEMORY, "writing the certificate: out of memory")
                   : pa_canonical_write(envelope, out, error);
    pa_buffer_text(out, "\n");
    if (code == PA_OK && out->failed)
        code = pa_fail(error, PA_EMEMORY, "writing the certificate: out of memory");
    if (code == PA_OK && out->size > PA_CERTIFICATE_MOST_BYTES)
        code = pa_fail(error, PA_EINTERNAL,
                       "writing the certificate: it has %zu bytes, more than the %d that verify "
                       "accepts",
                       out->size, PA_CERTIFICATE_MOST_BYTES);
    json_decref(envelope);
    return code;
}

int pa_envelope_sign(const json_t *statement, const struct pa_key *key, struct pa_buffer *out,
                     struct pa_error *error) {
    struct pa_buffer payload = {0};
    struct pa_hash hash, key_id;
    uint8_t signature[PA_DER_SIGNATURE_MOST_BYTES];
    size_t signature_bytes = 0;
    uint8_t point[PA_PUBLIC_KEY_BYTES];
    pa_key_public(key, point);
    pa_public_key_id(point, &key_id);
    int code = pa_canonical_write(statement, &payload, error);
    if (code == PA_OK)
        code = pa_envelope_hash(payload.data, payload.size, &hash, error);
    if (code == PA_OK)
        code = pa_key_sign(key, &hash, signature, &signature_bytes, error);
    if (code == PA_OK)
        code = write_envelope(&payload, &key_id, signature, signature_bytes, out, error);
    pa_buffer_free(&payload);
    return code;
}

static const struct pa_member signature_members[] = {
    {"keyid", PA_MEMBER_HEX32, NULL},
    {"sig", PA_MEMBER_BASE64, NULL},
    {NULL, PA_MEMBER_TEXT, NULL},
};

static const struct pa_member envelope_members[] = {
    {"payload", PA_MEMBER_BASE64, NULL},
    {"payloadType", PA_MEMBER_TEXT, NULL},
    {"signatures", PA_MEMBER_LIST, signature_members},
    {NULL, PA_MEMBER_TEXT, NULL},
};

static int take_apart(const json_t *envelope, struct pa_envelope *out, struct pa_error *error) {
    PA_TRY(pa_members_check(envelope, envelope_members, "envelope", error));
    const char *type = json_string_value(json_object_get(envelope, "payloadType"));
    if (strcmp(type, PA_PAYLOAD_TYPE) != 0)
        return pa_fail(error, PA_EINVALID, "envelope.payloadType must be %s", PA_PAYLOAD_TYPE);
    const json_t *signatures = json_object_get(envelope, "signatures");
    if (json_array_size(signatures) != 1)
        return pa_fail(error, PA_EINVALID, "envelope.signatures must hold one signature, not %zu",
                       json_array_size(signatures));
    const json_t *signature = json_array_get(signatures, 0);
    pa_unhex(out->key_id.bytes, PA_HASH_BYTES,
             json_string_value(json_object_get(signature, "keyid")));
    struct pa_buffer der = {0};
    const json_t *sig = json_object_get(signature, "sig");
    const json_t *payload = json_object_get(envelope, "payload");
    bool good = pa_base64_read(&der, json_string_value(sig), json_string_length(sig)) &&
                der.size > 0 && der.size <= sizeof out->signature;
    if (good) {
        memcpy(out->signature, der.data, der.size);
        out->signature_bytes = der.size;
    }
    pa_buffer_free(&der);
    if (!good)
        return pa_fail(error, PA_EINVALID,
                       "envelope.signatures[0].sig is no ECDSA P-256 signature in DER");
    if (!pa_base64_read(&out->payload, json_string_value(payload), json_string_length(payload)))
        return pa_fail(error, PA_EMEMORY, "reading the certificate: out of memory");
    return PA_OK;
}

int pa_envelope_read(const void *data, size_t size, struct pa_envelope *out,
                     struct pa_error *error) {
    *out = (struct pa_envelope){0};
    const char *bytes = data;
    if (size == 0)
        return pa_fail(error, PA_EINVALID, "the file is empty");
    if (size > PA_CERTIFICATE_MOST_BYTES)
        return pa_fail(error, PA_EINVALID, "the file is larger than the %d bytes of a certificate",
                       PA_CERTIFICATE_MOST_BYTES);
    if (bytes[size - 1] != '\n')
        return pa_fail(error, PA_EINVALID,
                       "the file must end with one newline: it was cut or "
                       "something was appended");
    json_t *envelope = NULL;
    PA_TRY(pa_canonical_read("the envelope", data, size - 1, &envelope, error));
    int code = take_apart(envelope, out, error);
    json_decref(envelope);
    if (code != PA_OK)
        pa_envelope_free(out);
    return code;
}

void pa_envelope_free(struct pa_envelope *envelope) {
    pa_buffer_free(&envelope->payload);
    *envelope = (struct pa_envelope){0};
}
