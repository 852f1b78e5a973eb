/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_sample.h"

#include "base/clock.h"
#include "measure/session_ramp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t patience_ns = UINT64_C(600000000000);

int pa_sample_count(const struct pa_plan_wishes *wishes, uint32_t devices, uint32_t *out,
                    struct pa_error *error) {
    *out = wishes->sample_count;
    /* Rounded up: one device at least. 100 % of a million devices is far below 2^53. */
    if (wishes->sample_percent > 0)
        *out = (uint32_t)ceil(wishes->sample_percent * devices / 100 - 1e-9);
    if (*out > devices)
        return pa_fail(error, PA_EUSAGE, "--sample %u: there are only %u devices", *out, devices);
    return PA_OK;
}

/* A device without a rate of its own was lost: it is declared as another of the site, so that it is
 * seen to be missing. */
static double rate_of(const struct pa_site *site, uint32_t device) {
    const struct pa_site_device *model = &site->devices[device];
    for (uint32_t d = 0; d < site->device_count && model->is_lost; d++)
        if (!site->devices[d].is_lost)
            model = &site->devices[d];
    return model->warmup.rate > 0 ? model->warmup.rate : model->calibration.chosen.rate;
}

int pa_session_declare_sample(const struct pa_session_terms *terms, struct pa_declaration *out,
                              struct pa_error *error) {
    out->sample_count = terms->plan->sample_count;
    if (out->sample_count == 0)
        return PA_OK;
    out->sample_rates = calloc(out->device_count, sizeof *out->sample_rates);
    if (out->sample_rates == NULL)
        return pa_fail(error, PA_EMEMORY, "declaring %u devices: out of memory", out->device_count);
    for (uint32_t d = 0; d < out->device_count; d++) {
        double rate = rate_of(terms->site, d);
        out->sample_rates[d] = rate >= 1 && rate < 0x1p62 ? (uint64_t)rate : 1;
    }
    return PA_OK;
}

struct choosing {
    const bool *rests;   /* by device */
    struct pa_ramp ramp; /* of those */
};

static void build_rest(void *context, const struct pa_site *site, int rank, uint32_t first,
                       uint32_t count, struct pa_buffer *out) {
    const struct choosing *choosing = context;
    (void)rank;
    pa_buffer_u32(out, PA_ASK_REST);
    for (uint32_t d = first; d < first + count; d++)
        pa_buffer_u32(out, choosing->rests[d] ? 1 : 0);
    pa_put_ramp(out, site, &choosing->ramp, first, count);
}

static int take_rest(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                     struct pa_error *error) {
    (void)context;
    site->devices[device].ramped_ns = pa_read_u64(in) & INT64_MAX;
    return in->failed ? pa_fail(error, PA_EINPUT, "resting: the answer is cut short") : PA_OK;
}

static void tell_choice(const struct pa_session_terms *terms, const uint32_t *chosen,
                        uint32_t count) {
    char text[256];
    size_t used = (size_t)snprintf(text, sizeof text, "the witness chose %u of %u devices:", count,
                                   terms->site->device_count);
    for (uint32_t i = 0; i < count; i++) {
        if (used > sizeof text - 32) {
            snprintf(text + used, sizeof text - used, " ..");
            break;
        }
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s %u", i > 0 ? "," : "", chosen[i]);
    }
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
}

/* Everybody learns it, also a process that is asked for nothing else from here on. */
static int let_rest(const struct pa_session_terms *terms, const bool *rests,
                    struct pa_error *error) {
    struct pa_site *site = terms->site;
    struct choosing choosing = {.rests = rests};
    pa_ramp_divide(site, &terms->plan->ramp, rests, &choosing.ramp);
    pa_session_tell_rest(terms, &choosing.ramp);
    PA_TRY(pa_site_ask(site, build_rest, take_rest, &choosing,
                       pa_clock_raw_ns() + choosing.ramp.total_ns + patience_ns, error));
    for (uint32_t d = 0; d < site->device_count; d++)
        site->devices[d].is_idle = rests[d];
    PA_TRY(pa_note_rest(terms, &choosing.ramp, error));
    return pa_site_alive(site) > 0
               ? PA_OK
               : pa_fail(error, PA_EDEVICE, "none of the devices that the witness chose is left");
}

int pa_session_choose(const struct pa_session_terms *terms, struct pa_ledger *ledger,
                      struct pa_error *error) {
    const struct pa_declaration *declaration = &ledger->declaration;
    uint32_t devices = declaration->device_count, count = declaration->sample_count;
    if (count == 0)
        return PA_OK;
    PA_TRY(terms->witness->kind->sample(terms->witness, &ledger->sample_key, error));
    ledger->has_sample = true;
    uint32_t *chosen = calloc(count, sizeof *chosen);
    bool *rests = calloc(devices, sizeof *rests);
    int code = chosen == NULL || rests == NULL
                   ? pa_fail(error, PA_EMEMORY, "choosing devices: out of memory")
                   : pa_device_sample_draw(chosen, count, devices, &ledger->sample_key,
                                           &ledger->session, error);
    if (code == PA_OK) {
        for (uint32_t d = 0; d < devices; d++)
            rests[d] = true;
        for (uint32_t i = 0; i < count; i++)
            rests[chosen[i]] = false;
        tell_choice(terms, chosen, count);
        code = let_rest(terms, rests, error);
    }
    free(rests);
    free(chosen);
    return code;
}
