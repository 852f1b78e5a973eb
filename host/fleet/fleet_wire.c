/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/fleet_wire.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>

static void put_text(struct pa_buffer *out, const char *text) {
    size_t length = strlen(text);
    pa_buffer_u16(out, (uint16_t)length);
    pa_buffer_bytes(out, text, length);
}

/* A text shorter than `size`, without anything that could steer a terminal. */
static void get_text(struct pa_reader *in, char *out, size_t size) {
    char raw[PA_ERROR_TEXT_BYTES] = {0};
    uint16_t length = pa_read_u16(in);
    out[0] = '\0';
    if (length >= size || length >= sizeof raw) {
        in->failed = true;
        return;
    }
    pa_read_bytes(in, raw, length);
    pa_printable(out, size, raw);
}

void pa_wire_put_join(struct pa_buffer *out, const struct pa_wire_join *join) {
    pa_buffer_u32(out, PA_FLEET_WIRE_VERSION);
    pa_buffer_u32(out, join->rank);
    pa_buffer_u32(out, join->size);
    pa_buffer_bytes(out, join->id, sizeof join->id);
    pa_buffer_bytes(out, join->work, sizeof join->work);
    put_text(out, join->job);
    put_text(out, join->host);
}

bool pa_wire_get_join(const void *data, size_t size, struct pa_wire_join *out) {
    struct pa_reader in = pa_reader_over(data, size);
    uint32_t version = pa_read_u32(&in);
    out->rank = pa_read_u32(&in);
    out->size = pa_read_u32(&in);
    pa_read_bytes(&in, out->id, sizeof out->id);
    pa_read_bytes(&in, out->work, sizeof out->work);
    get_text(&in, out->job, sizeof out->job);
    get_text(&in, out->host, sizeof out->host);
    return pa_reader_done(&in) && version == PA_FLEET_WIRE_VERSION;
}

void pa_wire_put_poll(struct pa_buffer *out, const struct pa_wire_poll *poll) {
    pa_buffer_u32(out, poll->rank);
    pa_buffer_bytes(out, poll->id, sizeof poll->id);
    pa_buffer_u64(out, poll->answered);
    pa_buffer_u32(out, (uint32_t)poll->code);
    put_text(out, poll->text);
    pa_buffer_bytes(out, poll->payload, poll->payload_size);
}

bool pa_wire_get_poll(const void *data, size_t size, struct pa_wire_poll *out) {
    struct pa_reader in = pa_reader_over(data, size);
    out->rank = pa_read_u32(&in);
    pa_read_bytes(&in, out->id, sizeof out->id);
    out->answered = pa_read_u64(&in);
    out->code = (int32_t)pa_read_u32(&in);
    get_text(&in, out->text, sizeof out->text);
    out->payload_size = in.left;
    out->payload = pa_read_view(&in, in.left);
    /* Only failures that exist, so that a code never turns into success further up. */
    return pa_reader_done(&in) && out->code <= PA_OK && out->code >= PA_ETIMEOUT;
}

void pa_wire_put_order(struct pa_buffer *out, const struct pa_wire_order *order) {
    pa_buffer_u32(out, order->kind);
    pa_buffer_u64(out, order->number);
    pa_buffer_bytes(out, order->payload, order->payload_size);
}

bool pa_wire_get_order(const void *data, size_t size, struct pa_wire_order *out) {
    struct pa_reader in = pa_reader_over(data, size);
    uint32_t kind = pa_read_u32(&in);
    out->number = pa_read_u64(&in);
    out->payload_size = in.left;
    out->payload = pa_read_view(&in, in.left);
    if (!pa_reader_done(&in) || kind > PA_WIRE_GOODBYE)
        return false;
    out->kind = (enum pa_wire_kind)kind;
    return true;
}
