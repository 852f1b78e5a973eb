/* SPDX-License-Identifier: Apache-2.0 */
/* crew_hello.h - how a process introduces its devices to the hub: who they are, which formats they
 * run, who else is on them, and which vendors' libraries were loaded from where. */
#ifndef PA_MEASURE_CREW_HELLO_H
#define PA_MEASURE_CREW_HELLO_H

#include "measure/messages.h"
#include "measure/vitals.h"

/* How long a call into a vendor's library may take: the longest that is known is compiling kernels
 * for a new device, some ten seconds. */
#define PA_LIBRARY_PATIENCE_NS UINT64_C(120000000000)

/* Write the hello of `count` devices. The watches learn the error counts from here on, so that all
 * of the audit's are seen. PA_ETIMEOUT when a library does not come back; a thread is left then. */
int pa_crew_hello(struct pa_device *const *devices, struct pa_vitals_watch *watches, uint32_t count,
                  struct pa_buffer *part, struct pa_error *error);

#endif
