/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_ramp.h"

#include "base/clock.h"
#include "measure/session_notes.h"

#include <stdio.h>

static const uint64_t grace_ns = UINT64_C(600000000000);

static void tell(const struct pa_session_terms *terms, const struct pa_ramp *ramp,
                 const char *what) {
    char text[200];
    snprintf(text, sizeof text,
             "ramp: devices %s one after the other over %.3g s, at most %.4g MW/s of %.4g MW", what,
             (double)ramp->total_ns * 1e-9, ramp->mw_per_s, ramp->watts * 1e-6);
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
}

void pa_session_tell_ramp(const struct pa_session_terms *terms) {
    if (terms->plan->ramp.total_ns > 0)
        tell(terms, &terms->plan->ramp, "start");
}

/* Times are the devices' own: since each was asked. Those that it is not about, and the lost, have
 * none. */
static int note(const struct pa_session_terms *terms, const struct pa_ramp *ramp,
                const char *direction, bool is_about_idle, struct pa_error *error) {
    const struct pa_site *site = terms->site;
    json_t *planned = json_array(), *done = json_array();
    for (uint32_t d = 0; d < site->device_count; d++) {
        const struct pa_site_device *device = &site->devices[d];
        bool is_meant = device->is_idle == is_about_idle;
        json_array_append_new(planned,
                              is_meant ? json_integer((json_int_t)device->ramp_ns) : json_null());
        json_array_append_new(done, is_meant && !device->is_lost
                                        ? json_integer((json_int_t)device->ramped_ns)
                                        : json_null());
    }
    return pa_note_put(
        terms, PA_NO_EPOCH,
        json_pack("{s:s, s:s, s:o, s:o, s:I, s:o, s:o}", "kind", "ramp", "direction", direction,
                  "mw_per_s", pa_note_figure(ramp->mw_per_s), "watts", pa_note_figure(ramp->watts),
                  "total_ns", (json_int_t)ramp->total_ns, "planned_ns", planned, "done_ns", done),
        error);
}

int pa_note_ramp(const struct pa_session_terms *terms, struct pa_error *error) {
    const struct pa_ramp *ramp = &terms->plan->ramp;
    return ramp->total_ns > 0 ? note(terms, ramp, "up", false, error) : PA_OK;
}

void pa_session_tell_rest(const struct pa_session_terms *terms, const struct pa_ramp *resting) {
    if (resting->total_ns > 0)
        tell(terms, resting, "that were not chosen stop");
}

int pa_note_rest(const struct pa_session_terms *terms, const struct pa_ramp *resting,
                 struct pa_error *error) {
    return resting->total_ns > 0 ? note(terms, resting, "rest", true, error) : PA_OK;
}

static void build_down(void *context, const struct pa_site *site, int rank, uint32_t first,
                       uint32_t count, struct pa_buffer *out) {
    const struct pa_plan *plan = context;
    (void)rank;
    pa_buffer_u32(out, PA_ASK_RAMP_DOWN);
    pa_put_ramp(out, site, &plan->ramp, first, count);
}

static int take_down(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                     struct pa_error *error) {
    (void)context;
    site->devices[device].ramped_ns = pa_read_u64(in) & INT64_MAX;
    return in->failed ? pa_fail(error, PA_EINPUT, "ending by a ramp: the answer is cut short")
                      : PA_OK;
}

int pa_session_ramp_down(const struct pa_session_terms *terms, struct pa_error *error) {
    struct pa_plan plan = *terms->plan;
    if (plan.ramp.total_ns == 0)
        return PA_OK;
    plan.ramp = pa_ramp_of_working(terms->site, &terms->plan->ramp);
    tell(terms, &plan.ramp, "stop");
    PA_TRY(pa_site_ask(terms->site, build_down, take_down, &plan,
                       pa_clock_raw_ns() + plan.ramp.total_ns + pa_clock_patience_ns(grace_ns),
                       error));
    PA_TRY(note(terms, &plan.ramp, "down", false, error));
    return pa_note_losses(terms, PA_NO_EPOCH, error);
}
