/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/radius.h"

#include <math.h>

static const double light_m_per_s = 299792458;

static void add(struct pa_radius_point *point, const struct pa_radius_epoch *epoch, double *most) {
    if (epoch->state == PA_EPOCH_ABORTED) {
        point->aborted++;
        point->seconds += (double)point->length_ns / 1e9;
        return;
    }
    double seconds = epoch->t1_ns > epoch->t0_ns ? (double)(epoch->t1_ns - epoch->t0_ns) / 1e9 : 0;
    point->closed++;
    point->operations += epoch->operations;
    point->seconds += seconds;
    point->longest_s = fmax(point->longest_s, seconds);
    *most = fmax(*most, epoch->operations);
}

/* The bound of docs/protocol.md 4 over the epochs of one kind, whose n_e are equal. */
static void bound(struct pa_radius_point *point, double most, double openings, double alpha_r) {
    point->radius_m = light_m_per_s * point->longest_s / 2;
    if (!(point->operations > 0) || !(point->seconds > 0))
        return;
    point->rate = point->operations / point->seconds;
    point->n_effective = openings * (point->operations / most);
    point->honest_fraction = fmax(0, 1 + log(alpha_r) / point->n_effective);
    point->verified_rate = point->rate * point->honest_fraction;
}

void pa_radius_compute(struct pa_radius_point out[1 + PA_MOST_PROBE_KINDS],
                       const struct pa_declaration *declaration,
                       const struct pa_radius_epoch *epochs, uint32_t count) {
    double r = declaration->serial, alpha_r = (double)declaration->alpha_ppm / 1e6 / (r * (r + 1));
    double most[1 + PA_MOST_PROBE_KINDS] = {0};
    for (uint32_t kind = 0; kind <= declaration->probe_count; kind++)
        out[kind] = (struct pa_radius_point){
            .length_ns = pa_declared_length_ns(declaration, kind),
            .declared = pa_declared_epochs(declaration, kind),
            .is_credited = pa_declared_is_credited(declaration, kind),
            .remote_share = 1,
        };
    for (uint32_t e = 0; e < count; e++)
        add(&out[epochs[e].kind], &epochs[e], &most[epochs[e].kind]);
    for (uint32_t kind = 0; kind <= declaration->probe_count; kind++) {
        bound(&out[kind], most[kind], pa_declared_openings(declaration, kind), alpha_r);
        /* The most that the long epochs can have had, against the least that was near. */
        if (kind > 0 && out[0].rate > 0)
            out[kind].remote_share = fmin(1, fmax(0, 1 - out[kind].verified_rate / out[0].rate));
    }
}
