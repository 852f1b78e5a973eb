/* SPDX-License-Identifier: Apache-2.0 */
/* exactness.h - does a format give the exact products of a class on this device?
 *
 * Short chains at the protocol's depth are run and every tile digest is compared with what the
 * witness computes in integers. One wrong bit in one of 16,384 words of a tile is a mismatch.
 */
#ifndef PA_MEASURE_EXACTNESS_H
#define PA_MEASURE_EXACTNESS_H

#include "device/device.h"

struct pa_exactness_report {
    uint64_t tiles; /* compared */
    uint64_t mismatches;
};

/* PA_EDEVICE, PA_EMEMORY or PA_EUNSUPPORTED when the device cannot be tried at all. */
int pa_exactness_check(struct pa_device *device, uint32_t class_id, enum pa_format format,
                       struct pa_exactness_report *out, struct pa_error *error);

#endif
