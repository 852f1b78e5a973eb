/* SPDX-License-Identifier: Apache-2.0 */
/* meter_rapl.h - the processors' own energy counters, from Linux's powercap tree ("rapl", or
 * "rapl:FOLDER" for another tree than /sys/class/powercap).
 *
 * Counted are packages and their DRAM: `core` and `uncore` lie inside of a package, `psys` around
 * it, and `intel-rapl-mmio` is a second view of the same package. */
#ifndef PA_METER_METER_RAPL_H
#define PA_METER_METER_RAPL_H

#include "meter/meter.h"
#include "meter/meter_options.h"

/* PA_EDEVICE: no such counter, or it may not be read. */
int pa_meter_rapl_open(struct pa_meter_options *options, struct pa_meter **out,
                       struct pa_error *error);

/* What a counter grew by, given that it starts again after `range`. */
uint64_t pa_meter_rapl_grown(uint64_t before_uj, uint64_t now_uj, uint64_t range_uj);

#endif
