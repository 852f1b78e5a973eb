/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/watermark_draw.h"

#include <openssl/rand.h>

enum { MOST_WATERMARK_BITS = 1024 };
#define LONGEST_HALF_NS UINT64_C(600000000000)

int pa_watermark_check(const struct pa_ledger *ledger, const struct pa_watermark_plan *plan,
                       uint64_t switched_raw_ns, struct pa_error *error) {
    if (plan->bits < 1 || plan->bits > MOST_WATERMARK_BITS || plan->half_ns < 1 ||
        plan->half_ns > LONGEST_HALF_NS || plan->settle_ns >= plan->half_ns)
        return pa_fail(error, PA_EWITNESS, "telling a half-bit: there is no such watermark");
    if (ledger->watermark_told > 0 &&
        (plan->bits != ledger->watermark_bits || plan->half_ns != ledger->watermark_half_ns ||
         plan->settle_ns != ledger->watermark_settle_ns))
        return pa_fail(error, PA_EWITNESS,
                       "telling a half-bit: the watermark was begun with another plan");
    /* Two clocks of a quartz each: the site's may run a little faster. */
    if (switched_raw_ns > 0 &&
        pa_clock_raw_ns() - switched_raw_ns < plan->half_ns - plan->half_ns / 100)
        return pa_fail(error, PA_EWITNESS, "telling a half-bit: the one before is not over");
    return PA_OK;
}

int pa_watermark_draw(const struct pa_ledger *ledger, bool *is_on, struct pa_error *error) {
    uint8_t byte;
    *is_on = !ledger->watermark_was_on;
    if (ledger->watermark_told % 2 == 1)
        return PA_OK;
    if (RAND_priv_bytes(&byte, 1) != 1)
        return pa_fail(error, PA_EINTERNAL,
                       "drawing a bit: the system's random numbers are not available");
    *is_on = (byte & 1) != 0;
    return PA_OK;
}
