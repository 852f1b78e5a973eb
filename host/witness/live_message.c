/* SPDX-License-Identifier: Apache-2.0 */
/* live_message.c - the state of a session as JSON, whole or what is new (docs/live-page.md). */
#include "witness/live_state.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

static const char *const conditions[PA_LIVE_CONDITIONS] = {
    [PA_LIVE_WAITING] = "waiting",     [PA_LIVE_WORKING] = "working", [PA_LIVE_SLOW] = "slow",
    [PA_LIVE_THROTTLED] = "throttled", [PA_LIVE_IDLE] = "idle",       [PA_LIVE_LOST] = "lost",
};
static const char *const severities[] = {
    [PA_LIVE_INFO] = "info", [PA_LIVE_WARNING] = "warning", [PA_LIVE_CRITICAL] = "critical"};

/* Text that is no UTF-8 was refused or replaced before; null says that there is none. */
static json_t *text(const char *value) {
    json_t *string = value != NULL && value[0] != '\0' ? json_string(value) : NULL;
    return string != NULL ? string : json_null();
}

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *whole(uint64_t value) {
    return json_integer((json_int_t)(value < INT64_MAX ? value : INT64_MAX));
}

static json_t *milliseconds(uint64_t ns) {
    return whole(ns / 1000000);
}

static void put(json_t *object, const char *name, json_t *value) {
    json_object_set_new(object, name, value);
}

static double pflops(double operations_per_second) {
    return operations_per_second / 1e15;
}

static json_t *session_of(const struct pa_live_state *state) {
    const struct pa_declaration *declaration = &state->declaration;
    const struct pa_class_traits *traits = pa_class_traits(declaration->class_id);
    char digits[2 * PA_HASH_BYTES + 1];
    json_t *out = json_object();
    double raw = 0;
    for (uint32_t d = 0; d < state->told; d++)
        raw += state->devices[d].raw_rate;
    pa_hex(digits, state->session.bytes, PA_HASH_BYTES);
    put(out, "id", json_string(digits));
    put(out, "site", text(declaration->site));
    put(out, "center", text(state->center));
    put(out, "policy", text(state->policy));
    put(out, "claim_pflops",
        state->claim_per_second > 0 ? number(pflops(state->claim_per_second)) : json_null());
    put(out, "claim_precision", text(state->precision));
    put(out, "class", text(traits != NULL ? traits->name : NULL));
    put(out, "proven", text(traits != NULL ? traits->proven : NULL));
    put(out, "k", whole(declaration->k));
    put(out, "serial", whole(declaration->serial));
    put(out, "devices", whole(declaration->device_count));
    put(out, "devices_told", whole(state->told));
    put(out, "epochs", whole(pa_declared_epochs_in_all(declaration)));
    put(out, "epoch_ms", milliseconds(declaration->epoch_ns));
    put(out, "planned_ms", milliseconds(pa_declared_ns_in_all(declaration)));
    put(out, "openings_per_epoch", whole(declaration->openings));
    put(out, "is_test", json_boolean(!pa_declaration_is_certified(declaration)));
    put(out, "begun_ms", milliseconds(state->begun_utc_ns));
    put(out, "raw_pflops", raw > 0 ? number(pflops(raw)) : json_null());
    return out;
}

static json_t *phase_of(const struct pa_live_state *state) {
    const struct pa_live_epoch *last =
        state->epoch_count > 0 ? &state->epochs[state->epoch_count - 1] : NULL;
    bool is_under_work = last != NULL && !last->has_root && !last->is_aborted;
    const char *name = state->is_finished ? "finished"
                       : last == NULL     ? "preparing"
                       : is_under_work    ? "epoch"
                       : state->received > 0 ||
                               state->closed_count >= pa_declared_epochs_in_all(&state->declaration)
                           ? "opening"
                           : "between";
    json_t *out = json_object();
    put(out, "name", json_string(name));
    put(out, "closed", whole(state->closed_count));
    put(out, "epoch", last != NULL ? whole(last->number) : json_null());
    put(out, "since_ms",
        milliseconds(is_under_work                    ? last->t0.utc_ns
                     : last != NULL && last->has_root ? last->t1.utc_ns
                                                      : state->begun_utc_ns));
    put(out, "closes_ms",
        is_under_work
            ? milliseconds(last->t0.utc_ns + pa_declared_length_ns(&state->declaration, last->kind))
            : json_null());
    put(out, "last_record_ms", milliseconds(state->last_utc_ns));
    return out;
}

/* Proven is what was opened: until then the work is only committed to. */
static const char *basis_of(const struct pa_live_state *state) {
    if (state->failed > 0)
        return "failed";
    if (state->closed_count == 0)
        return "nothing";
    return state->checked == state->drawn && state->checked > 0 ? "opened" : "committed";
}

static json_t *rate_of(const struct pa_live_state *state) {
    struct pa_credit credit;
    struct pa_error error = {0};
    bool is_known = pa_live_state_credit(state, &credit, &error) == PA_OK && credit.operations > 0;
    json_t *out = json_object();
    put(out, "basis", json_string(basis_of(state)));
    put(out, "pflops", is_known ? number(pflops(credit.rate)) : json_null());
    put(out, "lower_pflops", is_known ? number(pflops(credit.verified_rate)) : json_null());
    put(out, "honest_fraction", is_known ? number(credit.honest_fraction) : json_null());
    put(out, "confidence", is_known ? number(1 - credit.alpha_r) : json_null());
    put(out, "seconds", is_known ? number(credit.seconds) : json_null());
    put(out, "trouble", text(error.text));
    return out;
}

static json_t *epoch_of(const struct pa_live_state *state, const struct pa_live_epoch *epoch) {
    double seconds = (double)(epoch->t1.raw_ns - epoch->t0.raw_ns) / 1e9;
    json_t *out = json_object();
    put(out, "number", whole(epoch->number));
    put(out, "state",
        json_string(epoch->is_settled   ? "checked"
                    : epoch->is_closed  ? "closed"
                    : epoch->is_aborted ? "aborted"
                                        : "running"));
    put(out, "t0_ms", milliseconds(epoch->t0.utc_ns));
    put(out, "t1_ms", epoch->has_root ? milliseconds(epoch->t1.utc_ns) : json_null());
    put(out, "pflops",
        epoch->is_closed ? number(pflops(epoch->operations / seconds)) : json_null());
    put(out, "mean_pflops", epoch->is_closed ? number(pflops(epoch->mean_rate)) : json_null());
    put(out, "lower_pflops", epoch->is_closed ? number(pflops(epoch->lower_rate)) : json_null());
    put(out, "drawn", whole(epoch->drawn));
    put(out, "opened", whole(epoch->opened));
    put(out, "failed", whole(epoch->failed));
    put(out, "probe_ms",
        epoch->kind > 0 ? milliseconds(pa_declared_length_ns(&state->declaration, epoch->kind))
                        : json_null());
    put(out, "gap_ms", epoch->after_gap ? milliseconds(epoch->gap_ns) : json_null());
    put(out, "reason", text(epoch->reason));
    return out;
}

static json_t *epochs_of(const struct pa_live_state *state, uint64_t since) {
    json_t *out = json_array();
    uint32_t first =
        state->epoch_count > PA_LIVE_MOST_EPOCHS ? state->epoch_count - PA_LIVE_MOST_EPOCHS : 0;
    for (uint32_t e = first; e < state->epoch_count; e++)
        if (state->epochs[e].version > since)
            json_array_append_new(out, epoch_of(state, &state->epochs[e]));
    return out;
}

/* [index, name, model, host, format]: arrays, as there may be ten thousand of them. */
static json_t *devices_of(const struct pa_live_state *state, uint64_t since) {
    json_t *out = json_array();
    for (uint32_t d = 0; d < state->told; d++) {
        const struct pa_live_device *device = &state->devices[d];
        if (device->described <= since)
            continue;
        json_t *row = json_array();
        json_array_append_new(row, whole(d));
        json_array_append_new(row, text(device->name));
        json_array_append_new(row, text(device->model));
        json_array_append_new(row, text(device->host));
        json_array_append_new(row, text(device->format));
        json_array_append_new(out, row);
    }
    return out;
}

/* [index, condition, steps, steps of the last epoch, its TFLOPS, degrees, watts] */
static json_t *work_of(const struct pa_live_state *state, uint64_t since) {
    json_t *out = json_array();
    for (uint32_t d = 0; d < state->told; d++) {
        const struct pa_live_device *device = &state->devices[d];
        if (device->worked <= since)
            continue;
        json_t *row = json_array();
        json_array_append_new(row, whole(d));
        json_array_append_new(row, json_string(conditions[device->condition]));
        json_array_append_new(row, whole(device->steps));
        json_array_append_new(row, whole(device->last_steps));
        json_array_append_new(row, number(device->last_rate / 1e12));
        json_array_append_new(row, device->temperature_c >= 0 ? json_integer(device->temperature_c)
                                                              : json_null());
        json_array_append_new(row, device->power_mw > 0 ? number((double)device->power_mw / 1e3)
                                                        : json_null());
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *counts_of(const struct pa_live_state *state) {
    json_t *out = json_object();
    for (int c = 0; c < PA_LIVE_CONDITIONS; c++)
        put(out, conditions[c], whole(state->counts[c]));
    return out;
}

/* What is known of one opening: which of an epoch's openings failed is told up to the first. */
static const char *outcome_of(const struct pa_live_epoch *epoch, uint32_t j) {
    if (!epoch->is_settled)
        return "received";
    if (epoch->failed == 0 || j < epoch->first_failed)
        return "good";
    return j == epoch->first_failed ? "failed" : "unclear";
}

static json_t *openings_of(const struct pa_live_state *state) {
    json_t *out = json_object(), *recent = json_array();
    put(out, "drawn", whole(state->drawn));
    put(out, "received", whole(state->received));
    put(out, "checked", whole(state->checked));
    put(out, "failed", whole(state->failed));
    uint64_t count = state->received < PA_LIVE_RECENT ? state->received : PA_LIVE_RECENT;
    for (uint64_t i = 0; i < count; i++) {
        const struct pa_live_opening *opening =
            &state->recent[(state->received - 1 - i) % PA_LIVE_RECENT];
        json_t *row = json_object();
        put(row, "epoch", whole(opening->epoch));
        put(row, "j", whole(opening->j));
        put(row, "device", whole(opening->sample.device));
        put(row, "step", whole(opening->sample.step));
        put(row, "row", whole(opening->sample.row));
        put(row, "column", whole(opening->sample.column));
        put(row, "outcome", json_string(outcome_of(&state->epochs[opening->epoch], opening->j)));
        json_array_append_new(recent, row);
    }
    put(out, "recent", recent);
    return out;
}

static json_t *findings_of(const struct pa_live_state *state, uint64_t since) {
    json_t *out = json_array();
    for (uint32_t i = 0; i < state->finding_count; i++) {
        const struct pa_live_finding *finding = &state->findings[i];
        if (finding->version <= since)
            continue;
        json_t *row = json_object();
        put(row, "severity", json_string(severities[finding->severity]));
        put(row, "code", text(finding->code));
        put(row, "text", text(finding->text));
        put(row, "at_ms", milliseconds(finding->utc_ns));
        json_array_append_new(out, row);
    }
    return out;
}

static json_t *meters_of(const struct pa_live_state *state, uint64_t since) {
    json_t *out = json_array();
    for (uint32_t m = 0; m < state->meter_count; m++) {
        const struct pa_live_meter *meter = &state->meters[m];
        if (meter->version <= since)
            continue;
        json_t *row = json_object(), *points = json_array();
        put(row, "meter", whole(m));
        put(row, "role", text(meter->role));
        put(row, "source", text(meter->source));
        put(row, "name", text(meter->name));
        put(row, "watts", number(meter->watts));
        for (uint32_t i = 0; i < meter->points; i++) {
            json_t *point = json_array();
            json_array_append_new(point, whole(meter->point_ms[i]));
            json_array_append_new(point, number(meter->point_w[i]));
            json_array_append_new(points, point);
        }
        put(row, "points", points);
        json_array_append_new(out, row);
    }
    return out;
}

/* What the devices themselves say of their power, together; null where none does. */
static json_t *device_watts(const struct pa_live_state *state) {
    double watts = 0;
    for (uint32_t d = 0; d < state->told; d++)
        watts += (double)state->devices[d].power_mw / 1e3;
    return watts > 0 ? number(watts) : json_null();
}

/* The commands of the power watermark (docs/protocol.md 8), as far as they were told. */
static json_t *watermark_of(const struct pa_live_state *state) {
    if (state->watermark_bits == 0)
        return json_null();
    json_t *out = json_object();
    put(out, "bits", whole(state->watermark_bits));
    put(out, "halves_told", whole((uint64_t)state->watermark_half + 1));
    put(out, "is_on", json_boolean(state->watermark_is_on));
    return out;
}

json_t *pa_live_state_message(const struct pa_live_state *state, uint64_t since) {
    json_t *out = json_object();
    put(out, "schema", json_string("petaudit-live/1"));
    put(out, "is_whole", json_boolean(since == 0));
    put(out, "version", whole(state->version));
    put(out, "now_ms", milliseconds(pa_clock_utc_ns()));
    if (!state->is_declared)
        return out;
    if (since == 0 || state->session_version > since)
        put(out, "session", session_of(state));
    put(out, "phase", phase_of(state));
    put(out, "rate", rate_of(state));
    put(out, "epochs", epochs_of(state, since));
    put(out, "devices", devices_of(state, since));
    put(out, "work", work_of(state, since));
    put(out, "counts", counts_of(state));
    if (since == 0 || state->opening_version > since)
        put(out, "openings", openings_of(state));
    put(out, "findings", findings_of(state, since));
    put(out, "findings_left_out", whole(state->findings_left_out));
    put(out, "meters", meters_of(state, since));
    put(out, "device_watts", device_watts(state));
    put(out, "watermark", watermark_of(state));
    return out;
}
