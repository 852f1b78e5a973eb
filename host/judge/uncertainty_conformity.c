/* SPDX-License-Identifier: Apache-2.0 */
/* uncertainty_conformity.c - a result against a limit (JCGM 106:2012, clauses 7 to 9). A limit from
 * above is the same as one from below with all signs turned. */
#include "judge/uncertainty.h"

#include <math.h>

void pa_conformity_judge(struct pa_conformity *out, enum pa_limit_side side, double limit, double y,
                         double u, double freedom, double k) {
    double sign = side == PA_AT_LEAST ? 1 : -1;
    double distance = sign * (y - limit); /* positive: on the good side */
    double guard = k * u;
    out->guarded = distance - guard >= 0  ? PA_DECISION_PASS
                   : distance + guard < 0 ? PA_DECISION_FAIL
                                          : PA_DECISION_OPEN;
    out->simple = distance >= 0 ? PA_DECISION_PASS : PA_DECISION_FAIL;
    if (u > 0)
        out->probability = pa_student_cdf(distance / u, freedom);
    else
        out->probability = distance >= 0 ? 1 : 0;
    out->consumer_risk = 1 - out->probability;
    out->producer_risk = out->probability;
    out->acceptance_limit = limit + sign * guard;
    out->rejection_limit = limit - sign * guard;
}
