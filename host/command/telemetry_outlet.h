/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_outlet.h - where `--telemetry` goes: a file that is replaced as a whole, or
 * http://ADDR:PORT/metrics. */
#ifndef PA_COMMAND_TELEMETRY_OUTLET_H
#define PA_COMMAND_TELEMETRY_OUTLET_H

#include "base/error.h"

#include <stddef.h>

struct pa_telemetry_outlet;

/* "ADDR:PORT", "[ADDR]:PORT" and ":PORT" listen, anything else is a file. PA_EUSAGE, PA_EWRITE:
 * known before anything is measured. */
int pa_telemetry_outlet_open(const char *named, struct pa_telemetry_outlet **out,
                             struct pa_error *error);
/* As pa_exposition_publish wants it; `context` is the outlet. A file that cannot be written is said
 * once, on stderr. */
void pa_telemetry_outlet_publish(void *context, const void *text, size_t size);
void pa_telemetry_outlet_close(struct pa_telemetry_outlet *outlet);

#endif
