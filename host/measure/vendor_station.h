/* SPDX-License-Identifier: Apache-2.0 */
/* vendor_station.h - one device's end of its vendor's attestation: the hub sends a nonce of the
 * session's, the device's report and chain come back as the vendor made them. A failure says
 * nothing against the device's work. */
#ifndef PA_MEASURE_VENDOR_STATION_H
#define PA_MEASURE_VENDOR_STATION_H

#include "base/bytes.h"
#include "device/device.h"

/* The request is the nonce; its answer u32 size | report | u32 size | chain. */
void pa_vendor_ask(struct pa_buffer *out, const uint8_t nonce[PA_VENDOR_NONCE_BYTES]);
/* Do what the hub asks. */
int pa_vendor_execute(struct pa_device *device, const void *request, size_t size,
                      struct pa_buffer *answer, struct pa_error *error);
/* The hub's side: PA_EINPUT for anything but one whole answer. */
int pa_vendor_answer(struct pa_reader *in, struct pa_vendor_report *out, struct pa_error *error);

#endif
