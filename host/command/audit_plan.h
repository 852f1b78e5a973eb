/* SPDX-License-Identifier: Apache-2.0 */
/* audit_plan.h - what `audit --plan-only` prints: time, memory, shapes, and what the sweep tried.
 */
#ifndef PA_COMMAND_AUDIT_PLAN_H
#define PA_COMMAND_AUDIT_PLAN_H

#include "measure/measure.h"

/* On stdout, for people or as one JSON object. PA_EWRITE when it does not all arrive. */
int pa_audit_plan_print(const struct pa_plan *plan, const struct pa_site *site, bool is_json,
                        struct pa_error *error);

#endif
