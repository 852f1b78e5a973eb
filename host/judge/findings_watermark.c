/* SPDX-License-Identifier: Apache-2.0 */
/* findings_watermark.c - what the power watermark shows, and where it is missing. */
#include "judge/judgement_inside.h"

static double seconds(uint64_t ns) {
    return (double)ns * 1e-9;
}

/* Whether the watermark was run to its end as the policy has it. */
static bool is_as_wanted(struct pa_judging *judging) {
    const struct pa_fact_watermark *mark = &judging->facts->watermark;
    const struct pa_policy *policy = judging->policy;
    if (mark->bits == 0) {
        pa_finding_add(judging, "WATERMARK_MISSING", "power",
                       "The policy wants a power watermark of %u bits; none was run, because there "
                       "was no meter.",
                       policy->watermark_bits);
        return false;
    }
    if (mark->bits < policy->watermark_bits || mark->half_ns != policy->watermark_half_ns ||
        mark->settle_ns != policy->watermark_settle_ns) {
        pa_finding_add(judging, "WATERMARK_MISSING", "power",
                       "The power watermark had %u bits in half-bits of %.4g s; the policy wants "
                       "%u in half-bits of %.4g s, of which %.4g s are left out.",
                       mark->bits, seconds(mark->half_ns), policy->watermark_bits,
                       seconds(policy->watermark_half_ns), seconds(policy->watermark_settle_ns));
        return false;
    }
    if (mark->told < 2 * mark->bits)
        pa_finding_add(judging, "WATERMARK_MISSING", "power",
                       "The power watermark ended after %u of %u half-bits.", mark->told,
                       2 * mark->bits);
    return mark->told == 2 * mark->bits;
}

void pa_find_watermark(struct pa_judging *judging) {
    const struct pa_fact_watermark *mark = &judging->facts->watermark;
    bool is_wanted = judging->policy->watermark_bits > 0;
    if (is_wanted && !is_as_wanted(judging))
        return;
    if (mark->bits == 0 || mark->told < 2 * mark->bits)
        return;
    const char *role = pa_meter_role_name(mark->role);
    if (mark->test.is_found)
        pa_finding_add(judging, "WATERMARK_FOUND", "power",
                       "Power at the %s meter followed %u secret bits: %.4g W went on and off, t = "
                       "%.3g, p = %.2g. A load bank at this meter could do that, too.",
                       role, mark->test.bits, 2e-3 * (double)mark->test.mean_mw, mark->test.t,
                       mark->test.p);
    else
        pa_finding_add_as(judging, "WATERMARK_NOT_FOUND",
                          is_wanted ? PA_SEVERITY_CRITICAL : PA_SEVERITY_WARNING,
                          is_wanted ? PA_EFFECT_NO_PASS : PA_EFFECT_NONE, "power",
                          "Power at the %s meter did not follow the secret bits: t = %.3g, p = "
                          "%.2g, with readings of %u of %u bits.",
                          role, mark->test.t, mark->test.p, mark->test.usable, mark->test.bits);
}
