/* SPDX-License-Identifier: Apache-2.0 */
/* ramp.h - how fast the load of a site may come and go: devices start and stop one after the other,
 * so that their power, added up, changes by no more than the claim's site allows.
 *
 * A device is on or off, with the power that claim or catalogue tell of its kind: an estimate,
 * which needs no meter. It starts when the line of so many MW/s has reached the sum with it
 * included; the sum never is above that line. */
#ifndef PA_MEASURE_RAMP_H
#define PA_MEASURE_RAMP_H

#include "claim/claim.h"
#include "measure/site.h"

/* When each of `count` devices may start, from the first moment on: `starts_ns` by device, the last
 * of them also in `total_ns`. Stopping follows the same times. PA_EINPUT when it takes more than an
 * hour. */
int pa_ramp_schedule(const double *watts, uint32_t count, double mw_per_s, uint64_t *starts_ns,
                     uint64_t *total_ns, struct pa_error *error);

/* What a site's ramp is; all zero where its claim asks for none. */
struct pa_ramp {
    double mw_per_s, watts;
    uint64_t total_ns;
};

/* Give each device of the site its time (pa_site_device.ramp_ns). PA_EINPUT when nobody knows the
 * power of a device: neither the claim's site.device_power_w nor the catalogue. */
int pa_ramp_plan(const struct pa_claim *claim, struct pa_site *site, struct pa_ramp *out,
                 struct pa_error *error);

/* The witness has chosen, and those that rest (by device) stop before the others do: each of the
 * two gets a line of its own, in the order of before. Fills what it is for those that rest. */
void pa_ramp_divide(struct pa_site *site, const struct pa_ramp *whole, const bool *rests,
                    struct pa_ramp *resting);
/* What it is for those that do not rest. */
struct pa_ramp pa_ramp_of_working(const struct pa_site *site, const struct pa_ramp *whole);

/* What goes with a request to a process's devices, and one seat's share of it. */
void pa_put_ramp(struct pa_buffer *out, const struct pa_site *site, const struct pa_ramp *ramp,
                 uint32_t first, uint32_t count);
struct pa_ramp_share {
    uint64_t at_ns, total_ns;
};
int pa_get_ramp(struct pa_reader *in, uint32_t seat, uint32_t seats, struct pa_ramp_share *out,
                struct pa_error *error);

/* Sleep until `after_ns` from now; false when the user stopped meanwhile. */
bool pa_ramp_wait(uint64_t after_ns, const atomic_bool *stop);

#endif
