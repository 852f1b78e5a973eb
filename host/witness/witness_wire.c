/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/witness_wire.h"

#include "base/file.h"

#include <string.h>

static const char *const names[PA_WITNESS_OPERATIONS_END] = {
    [PA_WITNESS_INTRODUCE] = "introduce",
    [PA_WITNESS_DECLARE] = "declare",
    [PA_WITNESS_NOTE] = "note",
    [PA_WITNESS_CHALLENGE] = "challenge",
    [PA_WITNESS_COMMIT] = "commit",
    [PA_WITNESS_REVEAL] = "reveal",
    [PA_WITNESS_ABORT] = "abort",
    [PA_WITNESS_OPEN] = "open",
    [PA_WITNESS_SETTLE] = "settle",
    [PA_WITNESS_GAP] = "gap",
    [PA_WITNESS_INTERRUPT] = "interrupt",
    [PA_WITNESS_FINISH] = "finish",
    [PA_WITNESS_TRANSCRIPT] = "transcript",
    [PA_WITNESS_RESULT] = "result",
    [PA_WITNESS_RESUME] = "resume",
    [PA_WITNESS_POWER] = "power",
    [PA_WITNESS_WATERMARK] = "watermark",
    [PA_WITNESS_NOTES] = "notes",
    [PA_WITNESS_SAMPLE] = "sample",
    [PA_WITNESS_FABRIC] = "fabric",
};

const char *pa_witness_operation_name(enum pa_witness_operation operation) {
    return operation >= PA_WITNESS_INTRODUCE && operation < PA_WITNESS_OPERATIONS_END
               ? names[operation]
               : "?";
}

void pa_witness_put_request(struct pa_buffer *out, enum pa_witness_operation operation,
                            uint64_t sequence, const struct pa_hash *ticket) {
    pa_buffer_u32(out, PA_WITNESS_WIRE_VERSION);
    pa_buffer_u32(out, (uint32_t)operation);
    pa_buffer_u64(out, sequence);
    pa_buffer_bytes(out, ticket->bytes, PA_HASH_BYTES);
}

int pa_witness_get_request(const void *data, size_t size, struct pa_witness_request *out,
                           struct pa_error *error) {
    struct pa_reader in = pa_reader_over(data, size);
    uint32_t version = pa_read_u32(&in), operation = pa_read_u32(&in);
    out->sequence = pa_read_u64(&in);
    pa_read_bytes(&in, out->ticket.bytes, PA_HASH_BYTES);
    if (in.failed)
        return pa_fail(error, PA_EINPUT, "a request of %zu bytes: it has at least %d", size,
                       PA_WITNESS_REQUEST_HEADER_BYTES);
    if (version != PA_WITNESS_WIRE_VERSION)
        return pa_fail(error, PA_EINPUT, "a request of version %u: this witness speaks version %d",
                       version, PA_WITNESS_WIRE_VERSION);
    if (operation < PA_WITNESS_INTRODUCE || operation >= PA_WITNESS_OPERATIONS_END)
        return pa_fail(error, PA_EINPUT, "a request for the unknown operation %u", operation);
    out->operation = (enum pa_witness_operation)operation;
    out->body = in.next;
    out->size = in.left;
    return PA_OK;
}

void pa_witness_put_answer(struct pa_buffer *out, int code, const struct pa_error *error) {
    size_t length = code != PA_OK ? strlen(error->text) : 0;
    pa_buffer_u32(out, PA_WITNESS_WIRE_VERSION);
    pa_buffer_u32(out, (uint32_t)-code);
    pa_buffer_u16(out, (uint16_t)length);
    pa_buffer_bytes(out, error != NULL ? error->text : "", length);
}

int pa_witness_get_answer(const void *data, size_t size, struct pa_witness_answer *out,
                          struct pa_error *error) {
    struct pa_reader in = pa_reader_over(data, size);
    char text[PA_ERROR_TEXT_BYTES];
    uint32_t version = pa_read_u32(&in), code = pa_read_u32(&in);
    uint16_t length = pa_read_u16(&in);
    const uint8_t *view = pa_read_view(&in, length);
    if (in.failed || version != PA_WITNESS_WIRE_VERSION || code > 1000 || length >= sizeof text ||
        (code == 0 && length != 0))
        return pa_fail(error, PA_EWITNESS, "the witness's answer of %zu bytes cannot be understood",
                       size);
    if (length > 0)
        memcpy(text, view, length);
    text[length] = '\0';
    pa_printable(out->text, sizeof out->text, text);
    out->code = -(int)code;
    out->body = in.next;
    out->size = in.left;
    return PA_OK;
}

void pa_witness_put_signature(struct pa_buffer *out, const struct pa_signature *signature) {
    pa_buffer_u16(out, signature->length);
    pa_buffer_bytes(out, signature->bytes, signature->length);
}

bool pa_witness_get_signature(struct pa_reader *in, struct pa_signature *out) {
    out->length = pa_read_u16(in);
    if (out->length > sizeof out->bytes) {
        in->failed = true;
        return false;
    }
    pa_read_bytes(in, out->bytes, out->length);
    return !in->failed;
}
