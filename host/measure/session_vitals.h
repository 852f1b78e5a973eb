/* SPDX-License-Identifier: Apache-2.0 */
/* session_vitals.h - how the devices fare during a session, and who else uses them. */
#ifndef PA_MEASURE_SESSION_VITALS_H
#define PA_MEASURE_SESSION_VITALS_H

#include "measure/session.h"
#include "measure/vitals.h"

/* Before anything is measured: PA_EDEVICE, naming device, process and what to do, when somebody
 * else uses a device and `is_shared` is false. */
int pa_site_check_alone(const struct pa_site *site, bool is_shared, struct pa_error *error);

/* One sentence on who else uses the devices; empty when nobody is known to. */
enum { PA_COMPANY_TEXT_BYTES = 256 };
void pa_site_company(const struct pa_site *site, char out[PA_COMPANY_TEXT_BYTES]);

/* Say once why devices tell nothing of their health. */
void pa_session_tell_silence(const struct pa_session_terms *terms);

/* A note `telemetry` for each device that told something in this epoch (docs/protocol.md, "Notes"),
 * and a word to the observer about a device that ended its epoch early. */
int pa_note_vitals(const struct pa_session_terms *terms, uint64_t epoch,
                   const struct pa_vitals *vitals, struct pa_error *error);

#endif
