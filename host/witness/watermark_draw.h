/* SPDX-License-Identifier: Apache-2.0 */
/* watermark_draw.h - the next half-bit of a power watermark (docs/protocol.md, section 8): whether
 * it is time for it, and what it is. */
#ifndef PA_WITNESS_WATERMARK_DRAW_H
#define PA_WITNESS_WATERMARK_DRAW_H

#include "witness/session_ledger.h"
#include "witness/witness.h"

/* Whether a half-bit of `plan` may be told now. `switched_raw_ns`: when this process told the last
 * one, 0 before. PA_EWITNESS for a plan that cannot be, or is another than that of before, and when
 * the last half-bit is not over. */
int pa_watermark_check(const struct pa_ledger *ledger, const struct pa_watermark_plan *plan,
                       uint64_t switched_raw_ns, struct pa_error *error);
/* The second half of a bit is the opposite of the first, which nobody knows before it is told. */
int pa_watermark_draw(const struct pa_ledger *ledger, bool *is_on, struct pa_error *error);

#endif
