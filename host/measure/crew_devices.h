/* SPDX-License-Identifier: Apache-2.0 */
/* crew_devices.h - find and open the devices that one process drives, and the processors for them.
 */
#ifndef PA_MEASURE_CREW_DEVICES_H
#define PA_MEASURE_CREW_DEVICES_H

#include "measure/crew.h"

struct pa_crew_device {
    struct pa_device *device;
    /* Where its thread is to run, near the device; none: anywhere. The caller frees it. */
    int *near;
    int near_count;
};

/* Open what `options` ask for. `*out` is an array that the caller frees, with what was opened
 * before a failure, too. PA_EDEVICE when there is nothing, with the reason of each backend;
 * PA_ETIMEOUT when a call into a vendor's library did not come back: it keeps what it had, `*count`
 * is 0. */
int pa_crew_devices_open(const struct pa_crew_options *options, struct pa_crew_device **out,
                         uint32_t *count, struct pa_error *error);

#endif
