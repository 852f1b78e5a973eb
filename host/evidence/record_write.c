/* SPDX-License-Identifier: Apache-2.0 */
/* record_write.c - the one encoder of transcript records; its inverse is record_read.c. */
#include "evidence/record.h"

#include <string.h>

static void put_header(struct pa_buffer *out, enum pa_record_type type, size_t payload_bytes) {
    /* A length that the format cannot say must not become a shorter one that it can. */
    if (payload_bytes > PA_RECORD_MOST_BYTES) {
        out->failed = true;
        return;
    }
    pa_buffer_u32(out, (uint32_t)type);
    pa_buffer_u32(out, (uint32_t)payload_bytes);
}

static void put_instant(struct pa_buffer *out, struct pa_instant at) {
    pa_buffer_u64(out, at.raw_ns);
    pa_buffer_u64(out, at.utc_ns);
}

static size_t signature_bytes(const struct pa_signature *signature) {
    return 2 + (size_t)signature->length;
}

static void put_signature(struct pa_buffer *out, const struct pa_signature *signature) {
    if (signature->length > sizeof signature->bytes) {
        out->failed = true;
        return;
    }
    pa_buffer_u16(out, signature->length);
    pa_buffer_bytes(out, signature->bytes, signature->length);
}

void pa_record_put_session(struct pa_buffer *out, const struct pa_session_record *session) {
    put_header(out, PA_RECORD_SESSION,
               16 + 4 + (size_t)session->declaration_bytes + signature_bytes(&session->witness) +
                   signature_bytes(&session->prover));
    put_instant(out, session->at);
    pa_buffer_u32(out, session->declaration_bytes);
    pa_buffer_bytes(out, session->declaration, session->declaration_bytes);
    put_signature(out, &session->witness);
    put_signature(out, &session->prover);
}

void pa_record_put_nonce(struct pa_buffer *out, uint64_t epoch,
                         const struct pa_nonce_record *nonce) {
    put_header(out, PA_RECORD_NONCE, 8 + 16 + sizeof nonce->nonce);
    pa_buffer_u64(out, epoch);
    put_instant(out, nonce->at);
    pa_buffer_bytes(out, nonce->nonce, sizeof nonce->nonce);
}

void pa_record_put_root(struct pa_buffer *out, uint64_t epoch, const struct pa_root_record *root) {
    put_header(out, PA_RECORD_ROOT, 8 + 16 + sizeof root->root + signature_bytes(&root->prover));
    pa_buffer_u64(out, epoch);
    put_instant(out, root->at);
    pa_buffer_bytes(out, root->root, sizeof root->root);
    put_signature(out, &root->prover);
}

void pa_record_put_list(struct pa_buffer *out, uint64_t epoch, const struct pa_list_entry *entries,
                        uint32_t count) {
    put_header(out, PA_RECORD_LIST, 8 + 4 + (size_t)count * PA_LIST_ENTRY_BYTES);
    pa_buffer_u64(out, epoch);
    pa_buffer_u32(out, count);
    for (uint32_t i = 0; i < count && !out->failed; i++) {
        pa_buffer_u64(out, entries[i].steps);
        pa_buffer_bytes(out, entries[i].last, sizeof entries[i].last);
        pa_buffer_bytes(out, entries[i].tree, sizeof entries[i].tree);
    }
}

void pa_record_put_key(struct pa_buffer *out, uint64_t epoch, const struct pa_key_record *key) {
    put_header(out, PA_RECORD_KEY, 8 + sizeof key->key);
    pa_buffer_u64(out, epoch);
    pa_buffer_bytes(out, key->key, sizeof key->key);
}

void pa_record_put_opening(struct pa_buffer *out, uint64_t epoch,
                           const struct pa_opening_record *opening) {
    put_header(out, PA_RECORD_OPENING, 8 + 4 + (size_t)opening->opening_bytes);
    pa_buffer_u64(out, epoch);
    pa_buffer_u32(out, opening->j);
    pa_buffer_bytes(out, opening->opening, opening->opening_bytes);
}

void pa_record_put_result(struct pa_buffer *out, uint64_t epoch,
                          const struct pa_result_record *result) {
    put_header(out, PA_RECORD_RESULT, 8 + 12 + (size_t)result->reason_bytes);
    pa_buffer_u64(out, epoch);
    pa_buffer_u32(out, result->drawn);
    pa_buffer_u32(out, result->failed);
    pa_buffer_u32(out, result->first_failed);
    pa_buffer_bytes(out, result->reason, result->reason_bytes);
}

void pa_record_put_power(struct pa_buffer *out, struct pa_instant at, uint32_t meter,
                         const struct pa_power_sample *samples, uint32_t count) {
    if (count == 0 || count > PA_POWER_MOST_SAMPLES) {
        out->failed = true;
        return;
    }
    put_header(out, PA_RECORD_POWER, 8 + 16 + 4 + 4 + (size_t)count * PA_POWER_SAMPLE_BYTES);
    pa_buffer_u64(out, PA_NO_EPOCH);
    put_instant(out, at);
    pa_buffer_u32(out, meter);
    pa_buffer_u32(out, count);
    for (uint32_t i = 0; i < count && !out->failed; i++) {
        put_instant(out, samples[i].at);
        pa_buffer_u64(out, (uint64_t)samples[i].milliwatts);
        pa_buffer_u64(out, samples[i].millijoules);
    }
}

void pa_record_put_fabric(struct pa_buffer *out, const struct pa_fabric_record *fabric) {
    put_header(out, PA_RECORD_FABRIC, 8 + 16 + 4 + (size_t)fabric->body_bytes);
    pa_buffer_u64(out, PA_NO_EPOCH);
    put_instant(out, fabric->at);
    pa_buffer_u32(out, fabric->stage);
    pa_buffer_bytes(out, fabric->body, fabric->body_bytes);
}

void pa_record_put_note(struct pa_buffer *out, uint64_t epoch, const struct pa_note_record *note) {
    put_header(out, PA_RECORD_NOTE, 8 + 16 + (size_t)note->json_bytes);
    pa_buffer_u64(out, epoch);
    put_instant(out, note->at);
    pa_buffer_bytes(out, note->json, note->json_bytes);
}

void pa_record_put_signature(struct pa_buffer *out, const struct pa_signature_record *signature) {
    put_header(out, PA_RECORD_SIGNATURE, 8 + 16 + signature_bytes(&signature->witness));
    pa_buffer_u64(out, PA_NO_EPOCH);
    put_instant(out, signature->at);
    put_signature(out, &signature->witness);
}
