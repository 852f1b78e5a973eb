/* SPDX-License-Identifier: Apache-2.0 */
/* statement_fabric.c - the fabric proof, and what would have crossed a cut through the devices. */
#include "certificate/statement_parts.h"

static json_t *build_cuts(struct pa_builder *b) {
    static const double shares[] = {0.05, 0.1, 0.2, 0.3, 0.4, 0.5};
    const struct pa_fact_fabric *fabric = &b->facts->fabric;
    json_t *out = json_array();
    for (size_t i = 0; fabric->is_whole && i < sizeof shares / sizeof shares[0]; i++) {
        json_t *item = json_object();
        double bytes = pa_fabric_cut(&fabric->floor, fabric->devices, shares[i], fabric->held);
        pa_statement_put_decimal(b, item, "gbs_least", bytes * 1e-9);
        pa_statement_put_decimal(b, item, "share", shares[i]);
        pa_statement_append(b, out, item);
    }
    return out;
}

json_t *pa_statement_build_fabric(struct pa_builder *b) {
    const struct pa_fact_fabric *fabric = &b->facts->fabric;
    bool is_whole = fabric->is_whole;
    json_t *out = json_object();
    pa_statement_put_count(b, out, "bytes", fabric->bytes);
    pa_statement_put(b, out, "cuts", build_cuts(b));
    pa_statement_put_count(b, out, "devices", fabric->devices);
    pa_statement_put_count(b, out, "drawn", fabric->drawn);
    pa_statement_put_known(b, out, "exchange_s", pa_statement_seconds(fabric->exchange_ns),
                           is_whole);
    pa_statement_put_count(b, out, "failed", fabric->failed);
    pa_statement_put_known(b, out, "held_lower", fabric->held, is_whole);
    pa_statement_put_count(b, out, "rounds", is_whole ? PA_FABRIC_ROUNDS : 0);
    pa_statement_put_text(b, out, "state",
                          is_whole           ? fabric->failed > 0 ? "wrong" : "held"
                          : fabric->is_begun ? "unfinished"
                                             : "none");
    pa_statement_put_known(b, out, "twice_share", fabric->floor.twice_share, is_whole);
    pa_statement_put_known(b, out, "window_s", pa_statement_seconds(fabric->window_ns), is_whole);
    return out;
}
