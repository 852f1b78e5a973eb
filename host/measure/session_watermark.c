/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_watermark.h"

#include "measure/messages.h"
#include "measure/session_notes.h"
#include "measure/session_power.h"

#include <stdio.h>

static const uint64_t second_ns = UINT64_C(1000000000);
/* A process that has not answered this long after the end of a half-bit is lost. */
static const uint64_t grace_ns = UINT64_C(600000000000);
/* The user may stop the audit in the middle of a rest. */
static const uint64_t nap_ns = UINT64_C(100000000);

struct switching {
    const struct pa_session_terms *terms;
    struct pa_watermark_plan plan;
    uint64_t length_ns;   /* that the devices are asked to work */
    uint64_t overhead_ns; /* by how much they worked longer than that, last time */
};

bool pa_session_wants_watermark(const struct pa_session_terms *terms) {
    return terms->policy->watermark_bits > 0 && terms->meter_count > 0;
}

static bool is_stopped(const struct pa_session_terms *terms) {
    return terms->stop != NULL && atomic_load(terms->stop);
}

static void build_load(void *context, const struct pa_site *site, int rank, uint32_t first,
                       uint32_t count, struct pa_buffer *out) {
    const struct switching *switching = context;
    (void)site;
    (void)rank;
    (void)first;
    (void)count;
    pa_buffer_u32(out, PA_ASK_RAW);
    pa_buffer_u64(out, switching->length_ns);
}

/* The load is all that is wanted; the rate was measured before. */
static int take_load(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                     struct pa_error *error) {
    struct pa_raw raw;
    (void)context;
    (void)site;
    (void)device;
    return pa_get_raw(in, &raw, error);
}

/* Products back to back until about `until_ns`: a device ends with the product that it is at, so
 * that what it was late by last time is left out this time. */
static int work(struct switching *switching, uint64_t until_ns, struct pa_error *error) {
    uint64_t begun = pa_clock_raw_ns();
    uint64_t left = until_ns > begun ? until_ns - begun : 0;
    switching->length_ns = left > switching->overhead_ns ? left - switching->overhead_ns : 1;
    PA_TRY(pa_site_ask(switching->terms->site, build_load, take_load, switching,
                       until_ns + pa_clock_patience_ns(grace_ns), error));
    uint64_t took = pa_clock_raw_ns() - begun;
    switching->overhead_ns = took > switching->length_ns ? took - switching->length_ns : 0;
    return PA_OK;
}

static void rest(const struct pa_session_terms *terms, uint64_t until_ns) {
    for (uint64_t now = pa_clock_raw_ns(); now < until_ns && !is_stopped(terms);
         now = pa_clock_raw_ns())
        pa_clock_sleep(until_ns - now < nap_ns ? until_ns - now : nap_ns);
}

static void tell_begin(const struct switching *switching, uint32_t half) {
    char text[160];
    uint32_t halves = 2 * switching->plan.bits - half;
    snprintf(text, sizeof text,
             "power watermark: the load goes on and off as the witness says, %u half-bits, about "
             "%llu s",
             halves, (unsigned long long)(halves * switching->plan.half_ns / second_ns));
    pa_observe(switching->terms->observer,
               (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
}

static int follow(struct switching *switching, struct pa_error *error) {
    const struct pa_session_terms *terms = switching->terms;
    bool is_first = true;
    for (;;) {
        struct pa_watermark_command command;
        if (is_stopped(terms))
            return pa_fail(error, PA_EINTERRUPTED, "stopped by the user; the evidence is kept");
        PA_TRY(terms->witness->kind->watermark(terms->witness, &switching->plan, &command, error));
        if (command.is_over)
            return PA_OK;
        uint64_t until_ns = pa_clock_raw_ns() + switching->plan.half_ns;
        if (is_first)
            tell_begin(switching, command.half);
        is_first = false;
        if (command.is_on)
            PA_TRY(work(switching, until_ns, error));
        PA_TRY(pa_power_watch_pass_on(terms->power, error));
        rest(terms, until_ns);
        if (command.half + 1 >= 2 * switching->plan.bits)
            return PA_OK;
    }
}

int pa_session_watermark(const struct pa_session_terms *terms, struct pa_error *error) {
    const struct pa_policy *policy = terms->policy;
    struct switching switching = {.terms = terms,
                                  .plan = {.bits = policy->watermark_bits,
                                           .half_ns = policy->watermark_half_ns,
                                           .settle_ns = policy->watermark_settle_ns}};
    if (!pa_session_wants_watermark(terms))
        return PA_OK;
    PA_TRY(follow(&switching, error));
    return pa_note_losses(terms, PA_NO_EPOCH, error);
}
