/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/plan.h"

#include "base/clock.h"
#include "measure/session_sample.h"
#include "proof/fabric_proof.h"

#include <math.h>
#include <string.h>

static const uint64_t second_ns = 1000000000;

enum {
    CALIBRATE_S = 10, /* for the shapes, and as long again for the variants */
    WARM_UP_MOST_S = 10,
    RAW_S = 4,
    COUPLED_S = 3,
    LEAST_STEPS_AN_EPOCH = 8, /* so that the last step's overhang is small */
    OPENING_US = 4000,        /* on one core; docs/protocol.md says under 3 ms */
    FABRIC_CHUNK_US = 40000,  /* on one core, at the K of a certificate */
    PROBES_OF_A_KIND = 5,
    LEAST_STEPS_A_PROBE = 4, /* larger steps run faster, and the last one may end late */
};

/* TEST shapes are for tests of everything but the rate: they do not wait for steady clocks. */
static void set_windows(struct pa_plan *plan) {
    bool is_test = plan->k != PA_CERTIFIED_K;
    plan->warm_up_ns = is_test ? second_ns / 20 : WARM_UP_MOST_S * second_ns;
    plan->raw_ns = is_test ? second_ns / 20 : RAW_S * second_ns;
    plan->coupled_ns = is_test ? second_ns / 20 : COUPLED_S * second_ns;
}

/* Short epochs as the policy wants them, as far as they are short beside this plan's. Those of one
 * kind have together as many openings as the session, so that their bound is as good. */
static void plan_probes(struct pa_plan *plan, const struct pa_policy *policy) {
    for (uint32_t i = 0; i < policy->radius_count; i++) {
        if (policy->radius_ns[i] > plan->epoch_ns)
            continue;
        plan->probes[plan->probe_count++] = (struct pa_declared_probe){
            .length_ns = policy->radius_ns[i],
            .epochs = PROBES_OF_A_KIND,
            .openings = (policy->openings + PROBES_OF_A_KIND - 1) / PROBES_OF_A_KIND};
    }
}

static uint32_t halved(uint32_t size) {
    return size / 2 < PA_TILE ? PA_TILE : size / 2 / PA_TILE * PA_TILE;
}

struct pa_step_shape pa_plan_probe_shape(const struct pa_trial *chosen, uint32_t k,
                                         uint64_t length_ns) {
    struct pa_step_shape shape = {chosen->m, chosen->n};
    double most = chosen->rate * (double)length_ns / 1e9 / LEAST_STEPS_A_PROBE;
    while ((shape.m > PA_TILE || shape.n > PA_TILE) &&
           (double)pa_shape_operations((struct pa_shape){shape.m, shape.n, k}) > most) {
        /* M stays the larger: each step generates B, and A is generated once. */
        if (shape.m > shape.n)
            shape.m = halved(shape.m);
        else
            shape.n = halved(shape.n);
    }
    return shape;
}

int pa_plan_make(const struct pa_claim *claim, const struct pa_policy *policy,
                 const struct pa_plan_wishes *wishes, struct pa_plan *out, struct pa_error *error) {
    uint64_t window_ns = wishes->duration_ns != 0 ? wishes->duration_ns : policy->window_ns;
    *out = (struct pa_plan){.k = PA_CERTIFIED_K, .epoch_ns = policy->epoch_ns};
    out->precision = wishes->precision != PA_PRECISION_NONE ? wishes->precision : claim->precision;
    out->class_id = (enum pa_class)pa_precision_class(out->precision, &out->is_provable);
    if (wishes->test_k != 0)
        out->k = wishes->test_k;
    if (out->epoch_ns > window_ns)
        out->epoch_ns = window_ns;
    uint64_t epochs = (window_ns + out->epoch_ns - 1) / out->epoch_ns;
    if (epochs > PA_MOST_EPOCHS)
        return pa_fail(
            error, PA_EINPUT,
            "planning: %llu epochs are more than the protocol's %d; make the window shorter or the "
            "policy's epochs longer",
            (unsigned long long)epochs, PA_MOST_EPOCHS);
    out->epochs = (uint32_t)epochs;
    /* The policy counts the openings of the whole session; each epoch gets its equal share, rounded
     * up. */
    out->openings = (policy->openings + out->epochs - 1) / out->epochs;
    out->wants_fabric = policy->wants_fabric;
    out->watermark_ns = 2 * policy->watermark_bits * policy->watermark_half_ns;
    plan_probes(out, policy);
    set_windows(out);
    return PA_OK;
}

void pa_plan_of(const struct pa_declaration *declaration, struct pa_plan *out) {
    *out = (struct pa_plan){.class_id = declaration->class_id,
                            .k = declaration->k,
                            .epochs = declaration->epochs,
                            .epoch_ns = declaration->epoch_ns,
                            .openings = declaration->openings,
                            .sample_count = declaration->sample_count,
                            .probe_count = declaration->probe_count};
    memcpy(out->probes, declaration->probes, sizeof out->probes);
    set_windows(out);
}

struct calibrating {
    struct pa_calibrate_request request;
    const struct pa_ramp *ramp;
};

static void build_calibrate(void *context, const struct pa_site *site, int rank, uint32_t first,
                            uint32_t count, struct pa_buffer *out) {
    struct calibrating *calibrating = context;
    (void)rank;
    pa_buffer_u32(out, PA_ASK_CALIBRATE);
    pa_put_calibrate_request(out, &calibrating->request);
    pa_put_ramp(out, site, calibrating->ramp, first, count);
}

static int take_calibration(void *context, struct pa_site *site, uint32_t device,
                            struct pa_reader *in, struct pa_error *error) {
    struct calibrating *calibrating = context;
    struct pa_calibration *calibration = &site->devices[device].calibration;
    PA_TRY(pa_get_calibration(in, calibration, error));
    struct pa_shape shape = {calibration->chosen.m, calibration->chosen.n, calibrating->request.k};
    if (!pa_shape_is_sound(calibrating->request.class_id, shape) || calibration->chosen.format == 0)
        return pa_fail(error, PA_EINPUT,
                       "calibrating: the device chose a shape that the protocol does not have");
    return PA_OK;
}

int pa_plan_calibrate(struct pa_plan *plan, struct pa_site *site,
                      const struct pa_plan_wishes *wishes, const struct pa_observer *observer,
                      struct pa_error *error) {
    struct calibrating calibrating = {
        .request = {.class_id = plan->class_id,
                    .k = plan->k,
                    .fixed_m = wishes->test_m,
                    .fixed_n = wishes->test_n,
                    .longest_step_ns = plan->epoch_ns / LEAST_STEPS_AN_EPOCH,
                    .budget_ns = CALIBRATE_S * second_ns},
        .ramp = &plan->ramp,
    };
    uint64_t deadline = pa_clock_raw_ns() + 600 * second_ns + plan->ramp.total_ns;
    PA_TRY(pa_sample_count(wishes, site->device_count, &plan->sample_count, error));
    pa_observe(observer,
               (struct pa_progress){.phase = PA_PHASE_CALIBRATE, .all = site->device_count});
    PA_TRY(pa_site_ask(site, build_calibrate, take_calibration, &calibrating, deadline, error));
    if (plan->probe_count > 0 && site->device_count > PA_MOST_PROBED_DEVICES) {
        plan->probe_count = 0;
        pa_observe(observer,
                   (struct pa_progress){
                       .phase = PA_PHASE_NOTICE,
                       .text = "no radius is measured: with more than 1024 devices an epoch's list "
                               "takes longer than a short epoch"});
    }
    for (uint32_t d = 0; d < site->device_count; d++)
        for (uint32_t i = 0; i < plan->probe_count; i++)
            site->devices[d].probes[i] = pa_plan_probe_shape(&site->devices[d].calibration.chosen,
                                                             plan->k, plan->probes[i].length_ns);
    plan->expected_ns = pa_plan_remaining(plan, pa_plan_epochs(plan)) + plan->warm_up_ns +
                        2 * plan->raw_ns + pa_plan_coupled_ns(plan, site) + plan->watermark_ns +
                        (plan->wants_fabric ? pa_plan_fabric_ns(plan, site) : 0) +
                        2 * plan->ramp.total_ns;
    return PA_OK;
}

uint64_t pa_plan_coupled_ns(const struct pa_plan *plan, const struct pa_site *site) {
    return pa_site_alive(site) > 1 ? 2 * plan->coupled_ns : 0;
}

uint64_t pa_plan_fabric_ns(const struct pa_plan *plan, const struct pa_site *site) {
    double longest_ns = 0;
    for (uint32_t d = 0; d < site->device_count; d++) {
        double operations;
        if (pa_site_works(&site->devices[d]))
            longest_ns = fmax(longest_ns, pa_site_step_ns(&site->devices[d], plan->k, &operations));
    }
    if (pa_site_alive(site) < 2)
        return 0;
    /* Each sample is a chunk of two devices. */
    uint64_t check_us =
        UINT64_C(2) * PA_FABRIC_SAMPLES * FABRIC_CHUNK_US * plan->k / PA_CERTIFIED_K;
    return (uint64_t)(PA_FABRIC_STEPS * longest_ns) + check_us * 1000;
}

uint32_t pa_plan_epochs(const struct pa_plan *plan) {
    uint32_t epochs = plan->epochs;
    for (uint32_t i = 0; i < plan->probe_count; i++)
        epochs += plan->probes[i].epochs;
    return epochs;
}

uint64_t pa_plan_remaining(const struct pa_plan *plan, uint32_t epochs_left) {
    uint64_t work_ns = plan->epochs * plan->epoch_ns;
    uint64_t openings = (uint64_t)plan->epochs * plan->openings;
    for (uint32_t i = 0; i < plan->probe_count; i++) {
        work_ns += plan->probes[i].epochs * plan->probes[i].length_ns;
        openings += (uint64_t)plan->probes[i].epochs * plan->probes[i].openings;
    }
    /* Nobody knows which kinds come next. */
    return work_ns / pa_plan_epochs(plan) * epochs_left + openings * OPENING_US * 1000;
}
