/* SPDX-License-Identifier: Apache-2.0 */
/* session_memory.h - fill the memory of the devices that still work, read it back, note what was
 * there. */
#ifndef PA_MEASURE_SESSION_MEMORY_H
#define PA_MEASURE_SESSION_MEMORY_H

#include "measure/session.h"

/* Devices whose backend cannot are left out. A proof that fails is noted with its reason and is no
 * failure of the session. All are filled while one of them lacks its note, because memory that two
 * devices share is found out only then; one that `past` (NULL: none) has noted keeps that note. */
int pa_session_memory(const struct pa_session_terms *terms, const struct pa_session_past *past,
                      struct pa_error *error);

#endif
