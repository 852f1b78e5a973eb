/* SPDX-License-Identifier: Apache-2.0 */
/* statement_watermark.c - the power watermark: the commands, the load beside them, and the test. */
#include "certificate/statement_parts.h"

#include <math.h>

static json_t *build_halves(struct pa_builder *b) {
    const struct pa_fact_watermark *mark = &b->facts->watermark;
    json_t *out = json_array();
    for (uint32_t h = 0; h < mark->told; h++) {
        const struct pa_fact_half *half = &mark->halves[h];
        json_t *item = json_object();
        pa_statement_put_decimal(b, item, "at_s", half->at_s);
        pa_statement_put_truth(b, item, "is_on", half->is_on);
        pa_statement_put_known(b, item, "watts", isnan(half->watts) ? 0 : half->watts,
                               !isnan(half->watts));
        pa_statement_append(b, out, item);
    }
    return out;
}

json_t *pa_statement_build_watermark(struct pa_builder *b) {
    const struct pa_fact_watermark *mark = &b->facts->watermark;
    bool is_whole = mark->bits > 0 && mark->told == 2 * mark->bits;
    json_t *out = json_object();
    pa_statement_put_count(b, out, "bits", mark->bits);
    pa_statement_put_known(b, out, "half_bit_s", pa_statement_seconds(mark->half_ns),
                           mark->bits > 0);
    pa_statement_put(b, out, "halves", build_halves(b));
    pa_statement_put_truth(b, out, "is_found", is_whole && mark->test.is_found);
    pa_statement_put_known(b, out, "p", mark->test.p, is_whole);
    pa_statement_put_text(b, out, "scope", is_whole ? pa_meter_role_name(mark->role) : "none");
    pa_statement_put_known(b, out, "settle_s", pa_statement_seconds(mark->settle_ns),
                           mark->bits > 0);
    pa_statement_put_known(b, out, "switched_w", 2e-3 * (double)mark->test.mean_mw, is_whole);
    pa_statement_put_known(b, out, "t", mark->test.t, is_whole);
    pa_statement_put_count(b, out, "usable_bits", mark->test.usable);
    return out;
}
