/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/verify.h"

#include "base/base.h"
#include "certificate/canonical.h"
#include "certificate/members.h"
#include "certificate/statement.h"

#include <string.h>

static const char *text_at(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

/* Exactly `expected`, or PA_EINVALID naming the member. */
static int want_text(const json_t *object, const char *name, const char *expected, const char *path,
                     struct pa_error *error) {
    if (strcmp(text_at(object, name), expected) == 0)
        return PA_OK;
    return pa_fail(error, PA_EINVALID, "%s.%s must be \"%s\"", path, name, expected);
}

/* What the table of members cannot say: fixed words, and members that must agree. */
static int check_words(const json_t *statement, bool *is_test, struct pa_error *error) {
    const json_t *predicate = json_object_get(statement, "predicate");
    const json_t *subject = json_object_get(statement, "subject");
    *is_test = strcmp(text_at(predicate, "result"), "TEST") == 0;
    PA_TRY(want_text(statement, "_type", PA_STATEMENT_TYPE, "statement", error));
    PA_TRY(want_text(predicate, "schema", PA_CERTIFICATE_SCHEMA, "predicate", error));
    PA_TRY(want_text(predicate, "result", *is_test ? "TEST" : "CERTIFICATE", "predicate", error));
    PA_TRY(want_text(statement, "predicateType",
                     *is_test ? PA_PREDICATE_TEST : PA_PREDICATE_CERTIFICATE, "statement", error));
    const json_t *validity = json_object_get(predicate, "validity");
    if (validity != NULL &&
        strcmp(text_at(validity, "from_utc"), text_at(validity, "until_utc")) > 0)
        return pa_fail(error, PA_EINVALID, "predicate.validity ends before it begins");
    if (json_array_size(subject) != 1)
        return pa_fail(error, PA_EINVALID, "statement.subject must name one subject");
    return want_text(json_array_get(subject, 0), "name", "evidence.db", "statement.subject[0]",
                     error);
}

/* The key that the statement names, checked against both key ids. */
static int take_key(const json_t *statement, const struct pa_envelope *envelope,
                    struct pa_verification *out, struct pa_error *error) {
    const json_t *signer = json_object_get(json_object_get(statement, "predicate"), "signer");
    const json_t *key = json_object_get(signer, "public_key");
    struct pa_buffer point = {0};
    bool good = pa_base64_read(&point, json_string_value(key), json_string_length(key)) &&
                point.size == PA_PUBLIC_KEY_BYTES;
    if (good)
        memcpy(out->key, point.data, PA_PUBLIC_KEY_BYTES);
    pa_buffer_free(&point);
    if (!good)
        return pa_fail(error, PA_EINVALID,
                       "predicate.signer.public_key must be a point of %d bytes",
                       PA_PUBLIC_KEY_BYTES);
    char id[2 * PA_HASH_BYTES + 1];
    pa_public_key_id(out->key, &out->key_id);
    pa_hex(id, out->key_id.bytes, PA_HASH_BYTES);
    if (strcmp(text_at(signer, "key_id"), id) != 0)
        return pa_fail(error, PA_EINVALID,
                       "predicate.signer.key_id is not the hash of the public key beside it");
    if (!pa_hash_equal(&out->key_id, &envelope->key_id))
        return pa_fail(error, PA_EINVALID,
                       "envelope.signatures[0].keyid is not the hash of the signer's public key");
    return PA_OK;
}

static int check_statement(const struct pa_envelope *envelope, const json_t *statement,
                           struct pa_verification *out, struct pa_error *error) {
    PA_TRY(pa_members_check(statement, pa_statement_members, "statement", error));
    PA_TRY(check_words(statement, &out->is_test, error));
    PA_TRY(take_key(statement, envelope, out, error));
    struct pa_hash hash;
    PA_TRY(pa_envelope_hash(envelope->payload.data, envelope->payload.size, &hash, error));
    if (!pa_signature_is_valid(out->key, &hash, envelope->signature, envelope->signature_bytes))
        return pa_fail(error, PA_EINVALID,
                       "the signature does not match: the statement or the signature was changed "
                       "after signing");
    return PA_OK;
}

/* Keep the message where the caller prints it; nothing in it steers a terminal. */
static int conclude(struct pa_verification *out, int code, struct pa_error *error) {
    if (code != PA_OK && error != NULL)
        pa_printable(out->failure, sizeof out->failure, error->text);
    return code;
}

int pa_certificate_verify(const void *data, size_t size, struct pa_verification *out,
                          struct pa_error *error) {
    struct pa_error local = {0};
    struct pa_error *message = error == NULL ? &local : error;
    *out = (struct pa_verification){0};
    struct pa_envelope envelope;
    int code = pa_envelope_read(data, size, &envelope, message);
    if (code != PA_OK)
        return conclude(out, code, message);
    json_t *statement = NULL;
    pa_sha256(&out->statement_sha256, envelope.payload.data, envelope.payload.size);
    code = pa_canonical_read("the statement", envelope.payload.data, envelope.payload.size,
                             &statement, message);
    if (code == PA_OK)
        code = check_statement(&envelope, statement, out, message);
    if (code == PA_OK) {
        out->statement = json_incref(statement);
        out->is_authentic = true;
    }
    json_decref(statement);
    pa_envelope_free(&envelope);
    return conclude(out, code, message);
}

void pa_verification_trust(struct pa_verification *verification,
                           const uint8_t key[PA_PUBLIC_KEY_BYTES]) {
    bool same = memcmp(verification->key, key, PA_PUBLIC_KEY_BYTES) == 0;
    verification->signer = same ? PA_SIGNER_TRUSTED : PA_SIGNER_OTHER;
}

void pa_verification_underived(const struct pa_verification *verification,
                               const char *out[PA_UNDERIVED_MOST]) {
    size_t count = 0;
    if (verification->evidence == PA_EVIDENCE_NOT_GIVEN) {
        out[count++] = "every figure and the verdict: they need the evidence (--evidence "
                       "evidence.db)";
        out[count++] = "that the openings were drawn and checked as the certificate says";
    } else if (verification->recheck == PA_RECHECK_PATHS)
        out[count++] = "the arithmetic of the opened tiles: hashes and paths were checked, tiles "
                       "not computed again";
    if (verification->signer == PA_SIGNER_UNKNOWN)
        out[count++] = "who holds the signing key (--trust KEY.pub)";
    out[count++] = "the witness's clock: the times of challenge and commitment rest on its word";
    out[count++] = "that the witness's keys were secret and random until it revealed them";
    out[count++] = "that no other session was declared and kept back";
    out[count] = NULL;
}

void pa_verification_free(struct pa_verification *verification) {
    json_decref(verification->statement);
    *verification = (struct pa_verification){0};
}
