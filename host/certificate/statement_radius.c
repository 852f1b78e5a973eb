/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/statement_parts.h"

/* A point of the curve. The long epochs, which stand first, show nothing of the place: their share
 * is null. */
static json_t *build_point(struct pa_builder *b, const struct pa_radius_point *point,
                           bool is_probe) {
    json_t *out = json_object();
    pa_statement_put_count(b, out, "aborted", point->aborted);
    pa_statement_put_count(b, out, "closed", point->closed);
    pa_statement_put_count(b, out, "declared", point->declared);
    pa_statement_put_decimal(b, out, "honest_fraction_lower", point->honest_fraction);
    pa_statement_put_truth(b, out, "is_credited", point->is_credited);
    pa_statement_put_decimal(b, out, "length_s", pa_statement_seconds(point->length_ns));
    pa_statement_put_decimal(b, out, "longest_s", point->longest_s);
    pa_statement_put_decimal(b, out, "n_effective", point->n_effective);
    pa_statement_put_decimal(b, out, "radius_km", point->radius_m / 1000);
    pa_statement_put_decimal(b, out, "rate_pflops", point->rate * 1e-15);
    pa_statement_put_known(b, out, "remote_share_most", point->remote_share, is_probe);
    pa_statement_put_decimal(b, out, "verified_pflops", point->verified_rate * 1e-15);
    return out;
}

json_t *pa_statement_build_radius(struct pa_builder *b) {
    json_t *out = json_array();
    for (uint32_t i = 0; i < b->facts->radius_count; i++)
        pa_statement_append(b, out, build_point(b, &b->facts->radius[i], i > 0));
    return out;
}
