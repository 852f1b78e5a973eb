/* SPDX-License-Identifier: Apache-2.0 */
#include "command/audit_plan.h"

#include "command/terminal.h"

#include <jansson.h>
#include <stdlib.h>

static void tell_device(struct pa_buffer *out, uint32_t number, const struct pa_site_device *device,
                        uint32_t k) {
    const struct pa_trial *chosen = &device->calibration.chosen;
    char rate[PA_RATE_TEXT_BYTES];
    pa_terminal_rate(rate, chosen->rate);
    if (device->is_lost)
        pa_buffer_format(out, "device %-3u lost: %s\n", number, device->lost_text);
    else
        pa_buffer_format(out, "device %-3u %s %s: %s by %s, %u x %u x %u, %s, %.3g GiB\n", number,
                         device->facts.identity.id, device->facts.identity.name,
                         pa_format_name(chosen->format), chosen->variant_name, chosen->m, chosen->n,
                         k, rate, (double)device->calibration.memory_bytes / (1 << 30));
    for (uint32_t i = 0; i < device->calibration.trial_count; i++) {
        const struct pa_trial *trial = &device->calibration.trials[i];
        pa_terminal_rate(rate, trial->rate);
        pa_buffer_format(out, "           tried %s by %s, %u x %u: %s\n",
                         pa_format_name(trial->format), trial->variant_name, trial->m, trial->n,
                         trial->rate > 0 ? rate : "no");
    }
}

static uint64_t fabric_ns(const struct pa_plan *plan, const struct pa_site *site) {
    return plan->wants_fabric ? pa_plan_fabric_ns(plan, site) : 0;
}

static void tell(struct pa_buffer *out, const struct pa_plan *plan, const struct pa_site *site) {
    pa_buffer_format(out,
                     "class      %s, K = %u\nepochs     %u of %.3g s, %u openings each\ntime       "
                     "about %llu s\n",
                     pa_class_traits(plan->class_id)->name, plan->k, plan->epochs,
                     (double)plan->epoch_ns * 1e-9, plan->openings,
                     (unsigned long long)(plan->expected_ns / 1000000000u));
    if (pa_plan_coupled_ns(plan, site) > 0)
        pa_buffer_format(out, "together   about %.3g s, all-reduce between products\n",
                         (double)pa_plan_coupled_ns(plan, site) * 1e-9);
    if (fabric_ns(plan, site) > 0)
        pa_buffer_format(out,
                         "fabric     about %.3g s, and what the states take to their partners\n",
                         (double)fabric_ns(plan, site) * 1e-9);
    if (plan->ramp.total_ns > 0)
        pa_buffer_format(
            out,
            "ramp       at most %.4g MW/s: %.4g MW start over %.3g s, and stop over as "
            "long\n",
            plan->ramp.mw_per_s, plan->ramp.watts * 1e-6, (double)plan->ramp.total_ns * 1e-9);
    for (uint32_t d = 0; d < site->device_count; d++)
        tell_device(out, d, &site->devices[d], plan->k);
}

/* A trial that failed has a rate of 0. */
static json_t *trial_json(const struct pa_trial *trial) {
    return json_pack("{s:s, s:s, s:I, s:I, s:f}", "format", pa_format_name(trial->format),
                     "variant", trial->variant_name, "m", (json_int_t)trial->m, "n",
                     (json_int_t)trial->n, "pflops", trial->rate * 1e-15);
}

static json_t *device_json(const struct pa_site_device *device) {
    const struct pa_calibration *calibration = &device->calibration;
    json_t *trials = json_array();
    for (uint32_t i = 0; i < calibration->trial_count; i++)
        json_array_append_new(trials, trial_json(&calibration->trials[i]));
    return json_pack("{s:s, s:s, s:b, s:s, s:I, s:o?, s:o}", "id", device->facts.identity.id,
                     "name", device->facts.identity.name, "is_lost", device->is_lost ? 1 : 0,
                     "lost_text", device->is_lost ? device->lost_text : "", "memory_bytes",
                     (json_int_t)calibration->memory_bytes, "chosen",
                     device->is_lost ? NULL : trial_json(&calibration->chosen), "trials", trials);
}

static json_t *plan_json(const struct pa_plan *plan, const struct pa_site *site) {
    json_t *devices = json_array();
    for (uint32_t d = 0; d < site->device_count; d++)
        json_array_append_new(devices, device_json(&site->devices[d]));
    return json_pack("{s:s, s:I, s:I, s:f, s:I, s:f, s:f, s:f, s:f, s:f, s:o}", "class",
                     pa_class_traits(plan->class_id)->name, "k", (json_int_t)plan->k, "epochs",
                     (json_int_t)plan->epochs, "epoch_s", (double)plan->epoch_ns * 1e-9, "openings",
                     (json_int_t)plan->openings, "expected_s", (double)plan->expected_ns * 1e-9,
                     "coupled_s", (double)pa_plan_coupled_ns(plan, site) * 1e-9, "fabric_s",
                     (double)fabric_ns(plan, site) * 1e-9, "ramp_s",
                     (double)plan->ramp.total_ns * 1e-9, "ramp_mw_per_s",
                     plan->ramp.total_ns > 0 ? plan->ramp.mw_per_s : 0.0, "devices", devices);
}

int pa_audit_plan_print(const struct pa_plan *plan, const struct pa_site *site, bool is_json,
                        struct pa_error *error) {
    struct pa_buffer out = {0};
    if (is_json) {
        json_t *object = plan_json(plan, site);
        char *text =
            object == NULL ? NULL : json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        json_decref(object);
        if (text == NULL)
            return pa_fail(error, PA_EMEMORY, "printing the plan: out of memory");
        pa_buffer_format(&out, "%s\n", text);
        free(text);
    } else
        tell(&out, plan, site);
    int code = out.failed ? pa_fail(error, PA_EMEMORY, "printing the plan: out of memory")
                          : pa_print_result(out.data, out.size, error);
    pa_buffer_free(&out);
    return code;
}
