/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/ramp.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

static const uint64_t longest_ns = UINT64_C(3600000000000);
static const uint64_t nap_ns = UINT64_C(100000000);

int pa_ramp_schedule(const double *watts, uint32_t count, double mw_per_s, uint64_t *starts_ns,
                     uint64_t *total_ns, struct pa_error *error) {
    double sum = 0;
    *total_ns = 0;
    for (uint32_t d = 0; d < count; d++) {
        sum += watts[d];
        double at_ns = ceil(sum / (mw_per_s * 1e6) * 1e9);
        if (!(at_ns <= (double)longest_ns))
            return pa_fail(error, PA_EINPUT,
                           "planning the ramp: %.4g MW at %.4g MW/s take longer than an hour; the "
                           "claim's site.ramp_mw_per_s is too small for so many devices",
                           sum * 1e-6, mw_per_s);
        starts_ns[d] = (uint64_t)at_ns;
        *total_ns = starts_ns[d];
    }
    return PA_OK;
}

static double watts_of(const struct pa_claim *claim, const struct pa_site_device *device) {
    const struct pa_catalogue_row *row = pa_catalogue_find(device->facts.identity.name);
    if (claim->device_power_w > 0)
        return claim->device_power_w;
    return row != NULL ? row->tdp_w : 0;
}

static int schedule(const struct pa_claim *claim, struct pa_site *site, double *watts,
                    uint64_t *starts_ns, struct pa_ramp *out, struct pa_error *error) {
    for (uint32_t d = 0; d < site->device_count; d++) {
        watts[d] = watts_of(claim, &site->devices[d]);
        if (watts[d] <= 0)
            return pa_fail(error, PA_EINPUT,
                           "planning the ramp: the claim allows %.4g MW/s, and neither it nor the "
                           "catalogue knows the power of device %u (%.60s); tell "
                           "site.device_power_w in the claim",
                           claim->ramp_mw_per_s, d, site->devices[d].facts.identity.name);
        out->watts += watts[d];
    }
    PA_TRY(pa_ramp_schedule(watts, site->device_count, claim->ramp_mw_per_s, starts_ns,
                            &out->total_ns, error));
    for (uint32_t d = 0; d < site->device_count; d++)
        site->devices[d].ramp_ns = starts_ns[d];
    return PA_OK;
}

int pa_ramp_plan(const struct pa_claim *claim, struct pa_site *site, struct pa_ramp *out,
                 struct pa_error *error) {
    *out = (struct pa_ramp){.mw_per_s = claim->ramp_mw_per_s};
    if (claim->ramp_mw_per_s <= 0)
        return PA_OK;
    double *watts = calloc(site->device_count, sizeof *watts);
    uint64_t *starts_ns = calloc(site->device_count, sizeof *starts_ns);
    int code = watts != NULL && starts_ns != NULL
                   ? schedule(claim, site, watts, starts_ns, out, error)
                   : pa_fail(error, PA_EMEMORY, "planning the ramp: out of memory");
    free(watts);
    free(starts_ns);
    return code;
}

static struct pa_ramp part_of(const struct pa_ramp *whole, uint64_t total_ns) {
    return (struct pa_ramp){.mw_per_s = whole->mw_per_s,
                            .watts = whole->mw_per_s * 1e6 * ((double)total_ns * 1e-9),
                            .total_ns = total_ns};
}

void pa_ramp_divide(struct pa_site *site, const struct pa_ramp *whole, const bool *rests,
                    struct pa_ramp *resting) {
    uint64_t before_ns = 0, sum_ns[2] = {0, 0};
    for (uint32_t d = 0; d < site->device_count; d++) {
        uint64_t at_ns = site->devices[d].ramp_ns;
        if (at_ns == 0) /* it did not come back, and has none */
            continue;
        sum_ns[rests[d] ? 1 : 0] += at_ns - before_ns;
        before_ns = at_ns;
        site->devices[d].ramp_ns = sum_ns[rests[d] ? 1 : 0];
    }
    *resting = part_of(whole, sum_ns[1]);
}

struct pa_ramp pa_ramp_of_working(const struct pa_site *site, const struct pa_ramp *whole) {
    uint64_t total_ns = 0;
    for (uint32_t d = 0; d < site->device_count; d++)
        if (!site->devices[d].is_idle && site->devices[d].ramp_ns > total_ns)
            total_ns = site->devices[d].ramp_ns;
    return total_ns < whole->total_ns ? part_of(whole, total_ns) : *whole;
}

void pa_put_ramp(struct pa_buffer *out, const struct pa_site *site, const struct pa_ramp *ramp,
                 uint32_t first, uint32_t count) {
    pa_buffer_u64(out, ramp->total_ns);
    for (uint32_t d = first; d < first + count; d++) {
        uint64_t at_ns = site->devices[d].ramp_ns;
        pa_buffer_u64(out, at_ns < ramp->total_ns ? at_ns : ramp->total_ns);
    }
}

int pa_get_ramp(struct pa_reader *in, uint32_t seat, uint32_t seats, struct pa_ramp_share *out,
                struct pa_error *error) {
    *out = (struct pa_ramp_share){.total_ns = pa_read_u64(in)};
    for (uint32_t i = 0; i < seats && !in->failed; i++) {
        uint64_t at_ns = pa_read_u64(in);
        if (i == seat)
            out->at_ns = at_ns;
    }
    if (in->failed || out->total_ns > longest_ns || out->at_ns > out->total_ns)
        return pa_fail(error, PA_EINPUT, "starting by a ramp: the hub's request is damaged");
    return PA_OK;
}

bool pa_ramp_wait(uint64_t after_ns, const atomic_bool *stop) {
    uint64_t until_ns = pa_clock_raw_ns() + after_ns;
    for (uint64_t now = pa_clock_raw_ns(); now < until_ns; now = pa_clock_raw_ns()) {
        if (stop != NULL && atomic_load(stop))
            return false;
        pa_clock_sleep(until_ns - now < nap_ns ? until_ns - now : nap_ns);
    }
    return true;
}
