/* SPDX-License-Identifier: Apache-2.0 */
/* session_sample.h - an audit of some of the devices (docs/sampling.md): all are declared, the
 * witness chooses, and those that are not chosen rest. */
#ifndef PA_MEASURE_SESSION_SAMPLE_H
#define PA_MEASURE_SESSION_SAMPLE_H

#include "measure/session.h"

/* How many of `devices` the wishes mean: 0 for all without a sample. PA_EUSAGE for more than there
 * are. */
int pa_sample_count(const struct pa_plan_wishes *wishes, uint32_t devices, uint32_t *out,
                    struct pa_error *error);

/* Put the plan's sample into a declaration whose devices are filled in: their number, and the rate
 * that each was warm at. */
int pa_session_declare_sample(const struct pa_session_terms *terms, struct pa_declaration *out,
                              struct pa_error *error);

/* Ask the witness for the key, make the choice, and let the others rest from here on. Nothing where
 * no sample was declared. */
int pa_session_choose(const struct pa_session_terms *terms, struct pa_ledger *ledger,
                      struct pa_error *error);

#endif
