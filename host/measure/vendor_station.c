/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/vendor_station.h"

void pa_vendor_ask(struct pa_buffer *out, const uint8_t nonce[PA_VENDOR_NONCE_BYTES]) {
    pa_buffer_bytes(out, nonce, PA_VENDOR_NONCE_BYTES);
}

int pa_vendor_execute(struct pa_device *device, const void *request, size_t size,
                      struct pa_buffer *answer, struct pa_error *error) {
    const struct pa_backend *backend = device->backend;
    struct pa_vendor_report report;
    if (size != PA_VENDOR_NONCE_BYTES)
        return pa_fail(error, PA_EINPUT, "asking a device for a report: the request is damaged");
    if (backend->attest == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "the %s backend has no reports", backend->name);
    PA_TRY(backend->attest(device, request, &report, error));
    pa_buffer_u32(answer, report.report_bytes);
    pa_buffer_bytes(answer, report.report, report.report_bytes);
    pa_buffer_u32(answer, report.chain_bytes);
    pa_buffer_bytes(answer, report.chain, report.chain_bytes);
    return PA_OK;
}

static uint32_t take(struct pa_reader *in, uint8_t *out, uint32_t most) {
    uint32_t bytes = pa_read_u32(in);
    const uint8_t *found = bytes <= most ? pa_read_view(in, bytes) : NULL;
    in->failed |= found == NULL;
    for (uint32_t i = 0; !in->failed && i < bytes; i++)
        out[i] = found[i];
    return in->failed ? 0 : bytes;
}

int pa_vendor_answer(struct pa_reader *in, struct pa_vendor_report *out, struct pa_error *error) {
    out->report_bytes = take(in, out->report, PA_VENDOR_REPORT_BYTES);
    out->chain_bytes = take(in, out->chain, PA_VENDOR_CHAIN_BYTES);
    return pa_reader_done(in)
               ? PA_OK
               : pa_fail(error, PA_EINPUT, "reading a vendor's report: the answer makes no sense");
}
