/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session.h"

#include "measure/session_allreduce.h"
#include "measure/session_attestation.h"
#include "measure/session_coupled.h"
#include "measure/session_epoch.h"
#include "measure/session_fabric.h"
#include "measure/session_memory.h"
#include "measure/session_notes.h"
#include "measure/session_openings.h"
#include "measure/session_power.h"
#include "measure/session_ramp.h"
#include "measure/session_sample.h"
#include "measure/session_vitals.h"
#include "measure/session_watermark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t second_ns = 1000000000;

static bool is_stopped(const struct pa_session_terms *terms) {
    return terms->stop != NULL && atomic_load(terms->stop);
}

static int stopped(struct pa_error *error) {
    return pa_fail(error, PA_EINTERRUPTED, "stopped by the user; the evidence is kept");
}

static void build_prepare(void *context, const struct pa_site *site, int rank, uint32_t first,
                          uint32_t count, struct pa_buffer *out) {
    const struct pa_plan *plan = context;
    (void)rank;
    pa_buffer_u32(out, PA_ASK_PREPARE);
    pa_buffer_u32(out, (uint32_t)plan->class_id);
    pa_buffer_u32(out, plan->k);
    pa_buffer_u64(out, plan->warm_up_ns);
    pa_buffer_u32(out, count);
    for (uint32_t d = first; d < first + count; d++) {
        const struct pa_trial *chosen = &site->devices[d].calibration.chosen;
        pa_buffer_u32(out, (uint32_t)chosen->format);
        pa_buffer_u32(out, chosen->m);
        pa_buffer_u32(out, chosen->n);
        pa_buffer_u32(out, chosen->variant);
    }
    pa_put_ramp(out, site, &plan->ramp, first, count);
    pa_buffer_u32(out, plan->probe_count);
    for (uint32_t d = first; d < first + count; d++)
        for (uint32_t i = 0; i < plan->probe_count; i++) {
            pa_buffer_u32(out, site->devices[d].probes[i].m);
            pa_buffer_u32(out, site->devices[d].probes[i].n);
        }
}

static int take_warmup(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                       struct pa_error *error) {
    (void)context;
    PA_TRY(pa_get_warmup(in, &site->devices[device].warmup, error));
    site->devices[device].ramped_ns = pa_read_u64(in) & INT64_MAX;
    return in->failed ? pa_fail(error, PA_EINPUT, "warming up: the answer is cut short") : PA_OK;
}

/* Open the workbenches and run until rates are steady. */
static int prepare(const struct pa_session_terms *terms, struct pa_error *error) {
    struct pa_plan plan = *terms->plan;
    pa_session_tell_silence(terms);
    pa_session_tell_ramp(terms);
    pa_observe(
        terms->observer,
        (struct pa_progress){.phase = PA_PHASE_WARM_UP,
                             .remaining_ns = plan.warm_up_ns + 2 * plan.raw_ns +
                                             pa_plan_remaining(&plan, pa_plan_epochs(&plan))});
    return pa_site_ask(terms->site, build_prepare, take_warmup, &plan,
                       pa_clock_raw_ns() + plan.ramp.total_ns + plan.warm_up_ns + 600 * second_ns,
                       error);
}

static void build_raw(void *context, const struct pa_site *site, int rank, uint32_t first,
                      uint32_t count, struct pa_buffer *out) {
    const struct pa_plan *plan = context;
    (void)site;
    (void)rank;
    (void)first;
    (void)count;
    pa_buffer_u32(out, PA_ASK_RAW);
    pa_buffer_u64(out, plan->raw_ns);
}

static int take_raw(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                    struct pa_error *error) {
    struct pa_raw raw;
    (void)context;
    PA_TRY(pa_get_raw(in, &raw, error));
    site->devices[device].raw_operations += raw.operations;
    site->devices[device].raw_ns += raw.ns;
    return PA_OK;
}

/* The library alone, on all devices at once, just before the first epoch or just after the last. */
static int measure_raw(const struct pa_session_terms *terms, struct pa_error *error) {
    struct pa_plan plan = *terms->plan;
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_RAW});
    return pa_site_ask(terms->site, build_raw, take_raw, &plan,
                       pa_clock_raw_ns() + plan.raw_ns + 600 * second_ns, error);
}

/* A copy of at most PA_DECLARED_NAME_BYTES - 1 bytes that does not end inside a character. */
static void declared_name(char out[PA_DECLARED_NAME_BYTES], const char *name) {
    pa_printable(out, PA_DECLARED_NAME_BYTES, name[0] != '\0' ? name : "unnamed");
}

/* A device that was lost before the declaration is declared all the same, so that it is seen to
 * have done nothing: with the shape of another, as it has none of its own. */
static const struct pa_site_device *model_of(const struct pa_site *site, uint32_t device) {
    for (uint32_t d = 0; d < site->device_count && site->devices[device].is_lost; d++)
        if (!site->devices[d].is_lost)
            return &site->devices[d];
    return &site->devices[device];
}

static int fill_probes(const struct pa_session_terms *terms, struct pa_declaration *out,
                       struct pa_error *error) {
    const struct pa_plan *plan = terms->plan;
    if (plan->probe_count == 0)
        return PA_OK;
    out->probe_count = plan->probe_count;
    memcpy(out->probes, plan->probes, sizeof out->probes);
    out->probe_shapes =
        calloc((size_t)out->probe_count * out->device_count, sizeof *out->probe_shapes);
    if (out->probe_shapes == NULL)
        return pa_fail(error, PA_EMEMORY, "declaring %u devices: out of memory", out->device_count);
    for (uint32_t i = 0; i < out->probe_count; i++)
        for (uint32_t d = 0; d < out->device_count; d++) {
            const struct pa_step_shape *shape = &model_of(terms->site, d)->probes[i];
            out->probe_shapes[(size_t)i * out->device_count + d] =
                (struct pa_probe_shape){shape->m, shape->n};
        }
    return PA_OK;
}

static int fill_declaration(const struct pa_session_terms *terms, struct pa_declaration *out,
                            struct pa_error *error) {
    const struct pa_plan *plan = terms->plan;
    const struct pa_policy *policy = terms->policy;
    struct pa_witness *witness = terms->witness;
    *out = (struct pa_declaration){
        .class_id = plan->class_id,
        .k = plan->k,
        .device_count = terms->site->device_count,
        .epochs = plan->epochs,
        .epoch_ns = plan->epoch_ns,
        .openings = plan->openings,
        .interruptions = policy->interruptions,
        .longest_gap_ns = policy->longest_gap_ns,
        .alpha_ppm = (uint64_t)(policy->alpha * 1e6 + 0.5),
    };
    memcpy(out->claim.bytes, terms->claim->sha256, PA_HASH_BYTES);
    memcpy(out->policy.bytes, policy->sha256, PA_HASH_BYTES);
    pa_key_public(terms->prover, out->prover_key);
    char site[2 * PA_CLAIM_TEXT_BYTES + 4];
    snprintf(site, sizeof site, "%s%s%s", terms->claim->site_name,
             terms->claim->site_name[0] != '\0' && terms->claim->site_region[0] != '\0' ? ", " : "",
             terms->claim->site_region);
    declared_name(out->site, site);
    PA_TRY(witness->kind->introduce(witness, &out->claim, out->site, out->witness_key, &out->serial,
                                    error));
    out->devices = calloc(out->device_count, sizeof *out->devices);
    if (out->devices == NULL)
        return pa_fail(error, PA_EMEMORY, "declaring %u devices: out of memory", out->device_count);
    for (uint32_t d = 0; d < out->device_count; d++) {
        const struct pa_site_device *device = &terms->site->devices[d];
        const struct pa_trial *shape = &model_of(terms->site, d)->calibration.chosen;
        out->devices[d].m = shape->m;
        out->devices[d].n = shape->n;
        declared_name(out->devices[d].name, device->facts.identity.name);
    }
    PA_TRY(fill_probes(terms, out, error));
    PA_TRY(pa_session_declare_sample(terms, out, error));
    return pa_declaration_check(out, error);
}

/* Declare the session to the witness; `ledger` learns what was declared. */
static int declare(const struct pa_session_terms *terms, struct pa_ledger *ledger,
                   struct pa_error *error) {
    struct pa_buffer bytes = {0};
    struct pa_signature signature = {0};
    size_t length = 0;
    PA_TRY(fill_declaration(terms, &ledger->declaration, error));
    pa_declaration_write(&ledger->declaration, &bytes);
    int code =
        bytes.failed ? pa_fail(error, PA_EMEMORY, "declaring the session: out of memory") : PA_OK;
    if (code == PA_OK) {
        pa_declaration_session(&ledger->session, bytes.data, bytes.size);
        pa_schedule_begin(&ledger->schedule, &ledger->declaration);
        code = pa_key_sign(terms->prover, &ledger->session, signature.bytes, &length, error);
        signature.length = (uint16_t)length;
    }
    if (code == PA_OK)
        code = terms->witness->kind->declare(terms->witness, bytes.data, bytes.size, &signature,
                                             error);
    pa_buffer_free(&bytes);
    ledger->is_declared = code == PA_OK;
    return code;
}

/* Epochs from the ledger's next to the last declared one, probes among them as the nonces have it.
 */
static int run_epochs(const struct pa_session_terms *terms, struct pa_ledger *ledger,
                      struct pa_error *error) {
    const struct pa_declaration *declaration = &ledger->declaration;
    uint32_t all = pa_declared_epochs_in_all(declaration);
    double rate = 0;
    while (ledger->next_epoch < all) {
        uint32_t left = all - (uint32_t)ledger->next_epoch;
        if (is_stopped(terms))
            return stopped(error);
        pa_observe(terms->observer,
                   (struct pa_progress){.phase = PA_PHASE_EPOCH,
                                        .done = ledger->next_epoch,
                                        .all = all,
                                        .rate = rate,
                                        .remaining_ns = pa_plan_remaining(terms->plan, left) +
                                                        terms->plan->raw_ns});
        PA_TRY(pa_session_epoch(terms, ledger, &rate, error));
        PA_TRY(pa_power_watch_pass_on(terms->power, error));
    }
    return PA_OK;
}

/* What the devices do together: sums alone, then sums between products. */
static int measure_together(const struct pa_session_terms *terms,
                            const struct pa_session_past *past, struct pa_error *error) {
    struct pa_allreduce_outcome sweep;
    if (past != NULL && past->has_coupled)
        return PA_OK;
    PA_TRY(pa_session_allreduce(terms, past, &sweep, error));
    if (is_stopped(terms))
        return PA_OK;
    return pa_session_coupled(terms, &sweep, error);
}

/* What comes after the epochs and before the signature, but for what `past` (NULL: nothing) has of
 * it. */
static int measure_rest(const struct pa_session_terms *terms, const struct pa_session_past *past,
                        const struct pa_ledger *ledger, struct pa_error *error) {
    PA_TRY(pa_session_attest(terms, past, ledger, error));
    if (past == NULL || !past->has_raw) {
        PA_TRY(measure_raw(terms, error));
        PA_TRY(pa_note_raw(terms, error));
    }
    PA_TRY(pa_session_memory(terms, past, error));
    /* Once a session: one that was begun can only be left as it is. */
    if (past == NULL || (!past->has_fabric && !past->ledger.has_fabric))
        PA_TRY(pa_session_fabric(terms, ledger, error));
    return measure_together(terms, past, error);
}

static int conclude(const struct pa_session_terms *terms, struct pa_ledger *ledger,
                    struct pa_error *error) {
    if (is_stopped(terms))
        return stopped(error);
    PA_TRY(pa_session_open_all(terms, ledger, error));
    PA_TRY(pa_power_watch_deliver(terms->power, error));
    return terms->witness->kind->finish(terms->witness, error);
}

static int run(struct pa_session_terms *terms, struct pa_ledger *ledger, struct pa_error *error) {
    PA_TRY(prepare(terms, error));
    if (is_stopped(terms))
        return stopped(error);
    PA_TRY(pa_power_watch_begin(terms, NULL, &terms->power, error));
    PA_TRY(declare(terms, ledger, error));
    PA_TRY(pa_note_ramp(terms, error));
    PA_TRY(pa_session_choose(terms, ledger, error));
    PA_TRY(pa_note_session(terms, error));
    PA_TRY(pa_note_libraries(terms, error));
    PA_TRY(pa_note_devices(terms, error));
    PA_TRY(pa_power_watch_note(terms->power, error));
    PA_TRY(measure_raw(terms, error));
    PA_TRY(run_epochs(terms, ledger, error));
    PA_TRY(measure_rest(terms, NULL, ledger, error));
    PA_TRY(pa_session_watermark(terms, error));
    PA_TRY(pa_session_ramp_down(terms, error));
    PA_TRY(pa_power_watch_stop(terms->power, error));
    return conclude(terms, ledger, error);
}

int pa_session_run(const struct pa_session_terms *terms, struct pa_error *error) {
    struct pa_ledger ledger = {0};
    struct pa_session_terms own = *terms;
    int code = run(&own, &ledger, error);
    pa_power_watch_free(own.power);
    pa_ledger_free(&ledger);
    return code;
}

static int check_interruption(const struct pa_session_terms *terms,
                              const struct pa_session_past *past, struct pa_error *error) {
    const struct pa_declaration *declaration = &past->ledger.declaration;
    uint64_t gap_ns = 0;
    if (past->ledger.closed_count == 0)
        return PA_OK; /* nothing was closed yet: the lost epoch counts its planned length, and that
                         is all */
    if (past->ledger.interruptions >= declaration->interruptions)
        return pa_fail(error, PA_EINVALID,
                       "resuming: the declaration allows %u interruptions and they are used up; "
                       "one more would make "
                       "the session INVALID. Start a new audit",
                       declaration->interruptions);
    PA_TRY(terms->witness->kind->gap(terms->witness, &gap_ns, error));
    if (gap_ns > declaration->longest_gap_ns)
        return pa_fail(error, PA_EINVALID,
                       "resuming: the interruption is longer than the %llu s that the declaration "
                       "allows; going on "
                       "would make the session INVALID. Start a new audit",
                       (unsigned long long)(declaration->longest_gap_ns / second_ns));
    return PA_OK;
}

/* The devices must be those that were declared, in the same order, and get back their shapes and
 * formats. */
static int restore_devices(const struct pa_session_terms *terms, const struct pa_session_past *past,
                           struct pa_error *error) {
    const struct pa_declaration *declaration = &past->ledger.declaration;
    struct pa_site *site = terms->site;
    PA_TRY(pa_session_past_complete(past, site, error));
    for (uint32_t d = 0; d < site->device_count; d++) {
        struct pa_site_device *device = &site->devices[d];
        char name[PA_DECLARED_NAME_BYTES];
        declared_name(name, device->facts.identity.name);
        if (strcmp(name, declaration->devices[d].name) != 0)
            return pa_fail(error, PA_EDEVICE,
                           "resuming: device %u was declared as %s, here it is %s", d,
                           declaration->devices[d].name, name);
        device->calibration.chosen = past->choices[d];
        device->calibration.chosen.m = declaration->devices[d].m;
        device->calibration.chosen.n = declaration->devices[d].n;
        for (uint32_t i = 0; i < declaration->probe_count; i++) {
            struct pa_shape shape = pa_declared_shape(declaration, i + 1, d);
            device->probes[i] = (struct pa_step_shape){shape.m, shape.n};
        }
    }
    return PA_OK;
}

/* Between the processes: abort what was under work, then declare the gap. */
static int bridge(const struct pa_session_terms *terms, struct pa_ledger *ledger,
                  struct pa_error *error) {
    struct pa_witness *witness = terms->witness;
    if (ledger->is_challenged) {
        PA_TRY(witness->kind->abort(witness, ledger->next_epoch - 1,
                                    "the process that ran it ended", error));
        ledger->is_challenged = false;
    }
    PA_TRY(pa_note_host(terms, error));
    PA_TRY(pa_note_ranks(terms, error));
    PA_TRY(pa_note_libraries(terms, error));
    if (ledger->closed_count == 0 ||
        ledger->next_epoch >= pa_declared_epochs_in_all(&ledger->declaration))
        return PA_OK;
    return witness->kind->interrupt(witness, "the audit was resumed", error);
}

static int resume(struct pa_session_terms *terms, const struct pa_session_past *past,
                  struct pa_ledger *ledger, struct pa_error *error) {
    bool has_epochs = ledger->next_epoch < pa_declared_epochs_in_all(&ledger->declaration);
    if (has_epochs)
        PA_TRY(check_interruption(terms, past, error));
    PA_TRY(restore_devices(terms, past, error));
    PA_TRY(prepare(terms, error));
    PA_TRY(pa_note_ramp(terms, error));
    PA_TRY(pa_session_choose(terms, ledger, error));
    PA_TRY(pa_power_watch_begin(terms, past, &terms->power, error));
    PA_TRY(bridge(terms, ledger, error));
    PA_TRY(pa_power_watch_note(terms->power, error));
    PA_TRY(run_epochs(terms, ledger, error));
    PA_TRY(measure_rest(terms, past, ledger, error));
    PA_TRY(pa_session_watermark(terms, error));
    PA_TRY(pa_session_ramp_down(terms, error));
    PA_TRY(pa_power_watch_stop(terms->power, error));
    return conclude(terms, ledger, error);
}

int pa_session_resume(const struct pa_session_terms *terms, const struct pa_session_past *past,
                      struct pa_error *error) {
    struct pa_ledger ledger = {0};
    if (past->ledger.is_finished)
        return PA_OK;
    PA_TRY(pa_ledger_copy(&past->ledger, &ledger, error));
    struct pa_session_terms own = *terms;
    int code = resume(&own, past, &ledger, error);
    pa_power_watch_free(own.power);
    pa_ledger_free(&ledger);
    return code;
}
