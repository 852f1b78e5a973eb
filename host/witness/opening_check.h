/* SPDX-License-Identifier: Apache-2.0 */
/* opening_check.h - check the openings of one closed epoch, one after the other. */
#ifndef PA_WITNESS_OPENING_CHECK_H
#define PA_WITNESS_OPENING_CHECK_H

#include "witness/session_ledger.h"

struct pa_opening_check;

/* `declaration` and `epoch` are borrowed. An epoch without work has no samples. */
int pa_opening_check_begin(const struct pa_declaration *declaration, const struct pa_hash *session,
                           const struct pa_ledger_epoch *epoch, struct pa_opening_check **out,
                           struct pa_error *error);
uint64_t pa_opening_check_epoch(const struct pa_opening_check *check);
/* Check opening j, paths and arithmetic. One that does not hold is counted; an error is only ours
 * (memory). */
int pa_opening_check_one(struct pa_opening_check *check, uint32_t j, const void *opening,
                         size_t size, struct pa_error *error);
/* Check again those openings of a resumed session that an earlier process wrote: this one has not
 * seen them. */
int pa_opening_check_recheck(struct pa_opening_check *check, struct pa_store *store,
                             const struct pa_ledger_epoch *epoch, struct pa_error *error);
/* The result over `opened` openings; those that never came have failed. `out->reason` is valid as
 * long as the check is. */
void pa_opening_check_result(struct pa_opening_check *check, uint32_t opened,
                             struct pa_result_record *out);
void pa_opening_check_free(struct pa_opening_check *check);

#endif
