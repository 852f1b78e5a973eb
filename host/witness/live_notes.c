/* SPDX-License-Identifier: Apache-2.0 */
/* live_notes.c - what a site tells of itself, and its meters, for the page. */
#include "witness/live_state.h"

#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_text(char *out, size_t size, const json_t *note, const char *member) {
    const char *text = json_string_value(json_object_get(note, member));
    if (text != NULL)
        pa_printable(out, size, text);
}

/* A member that is a whole number from 0 to `most`; `otherwise` where there is none. */
static int64_t whole(const json_t *note, const char *member, int64_t most, int64_t otherwise) {
    const json_t *value = json_object_get(note, member);
    int64_t number = json_is_integer(value) ? (int64_t)json_integer_value(value) : -1;
    return number >= 0 && number <= most ? number : otherwise;
}

/* A figure: decimal text or a whole number; 0 where there is none. */
static double figure(const json_t *note, const char *member) {
    const json_t *value = json_object_get(note, member);
    const char *text = json_string_value(value);
    double number = 0;
    if (json_is_integer(value))
        number = (double)json_integer_value(value);
    else if (text != NULL && strlen(text) < 400 && text[strspn(text, "0123456789.")] == '\0')
        number = strtod(text, NULL);
    return isfinite(number) && number >= 0 ? number : 0;
}

/* The device of a note, or NULL. */
static struct pa_live_device *device_of(struct pa_live_state *state, const json_t *note) {
    int64_t index = whole(note, "device", (int64_t)state->told - 1, -1);
    return index >= 0 ? &state->devices[index] : NULL;
}

/* The texts count where they are those that were declared. */
static void take_claim(struct pa_live_state *state, const json_t *note) {
    const char *text = json_string_value(json_object_get(note, "text"));
    struct pa_claim claim = {0};
    if (text == NULL || pa_claim_parse("the claim", text, strlen(text), &claim, NULL) != PA_OK)
        return;
    if (memcmp(claim.sha256, state->declaration.claim.bytes, sizeof claim.sha256) == 0) {
        pa_printable(state->center, sizeof state->center, claim.center);
        state->claim_per_second = claim.capacity_per_second;
        state->precision = pa_precision_name(claim.precision);
        state->session_version = state->version;
    }
    pa_claim_free(&claim);
}

static void take_policy(struct pa_live_state *state, const json_t *note) {
    const char *text = json_string_value(json_object_get(note, "text"));
    struct pa_policy policy = {0};
    if (text == NULL || pa_policy_parse("the policy", text, strlen(text), &policy, NULL) != PA_OK)
        return;
    if (memcmp(policy.sha256, state->declaration.policy.bytes, sizeof policy.sha256) == 0) {
        pa_printable(state->policy, sizeof state->policy, policy.name);
        state->session_version = state->version;
    }
    pa_policy_free(&policy);
}

static void take_device(struct pa_live_state *state, const json_t *note) {
    struct pa_live_device *device = device_of(state, note);
    if (device == NULL)
        return;
    take_text(device->model, sizeof device->model, note, "name");
    take_text(device->host, sizeof device->host, note, "host");
    take_text(device->format, sizeof device->format, note, "format");
    device->described = state->device_version = state->version;
    if (json_is_true(json_object_get(note, "emulated")))
        pa_live_state_find(state, PA_LIVE_WARNING, "EMULATED", "%s is emulated: no such hardware",
                           device->name);
}

static bool tells_of_heat(const json_t *note) {
    static const char *const heat[] = {"hardware", "sw_thermal", "hw_thermal", "power_brake"};
    const json_t *list = json_object_get(note, "slowdowns"), *name;
    if (json_is_true(json_object_get(note, "thermal_stop")))
        return true;
    for (size_t i = 0; (name = json_array_get(list, i)) != NULL; i++)
        for (size_t h = 0; h < sizeof heat / sizeof heat[0]; h++)
            if (json_is_string(name) && strcmp(json_string_value(name), heat[h]) == 0)
                return true;
    return false;
}

static void take_telemetry(struct pa_live_state *state, const json_t *note, uint64_t epoch) {
    struct pa_live_device *device = device_of(state, note);
    if (device == NULL)
        return;
    device->temperature_c = (int32_t)whole(note, "temperature_max_c", 1000, -1);
    device->power_mw = (uint64_t)whole(note, "power_mean_mw", INT64_C(1000000000), 0);
    if (epoch != PA_NO_EPOCH && tells_of_heat(note))
        device->throttled_in = epoch + 1;
    device->worked = state->device_version = state->version;
}

static void take_lost(struct pa_live_state *state, const json_t *note) {
    char text[512] = "";
    struct pa_live_device *device = device_of(state, note);
    take_text(text, sizeof text, note, "text");
    if (device != NULL) {
        device->is_lost = true;
        device->worked = state->device_version = state->version;
    }
    pa_live_state_find(state, PA_LIVE_WARNING, "DEVICE_LOST", "%s%s%s",
                       device != NULL ? device->name : "a device stopped",
                       text[0] != '\0' ? ": " : "", text);
}

static void take_finding(struct pa_live_state *state, const json_t *note) {
    const char *word = json_string_value(json_object_get(note, "severity"));
    char code[48] = "FINDING", text[512] = "";
    take_text(code, sizeof code, note, "code");
    take_text(text, sizeof text, note, "text");
    enum pa_live_severity severity = word != NULL && strcmp(word, "critical") == 0
                                         ? PA_LIVE_CRITICAL
                                     : word != NULL && strcmp(word, "info") == 0 ? PA_LIVE_INFO
                                                                                 : PA_LIVE_WARNING;
    pa_live_state_find(state, severity, code, "%s", text);
}

static void take_abort(struct pa_live_state *state, const json_t *note, uint64_t number) {
    char reason[256] = "";
    take_text(reason, sizeof reason, note, "reason");
    if (number >= state->epoch_count || state->epochs[number].has_root)
        return;
    state->epochs[number].is_aborted = true;
    state->epochs[number].version = state->version;
    pa_live_state_find(state, PA_LIVE_WARNING, "EPOCH_ABORTED",
                       "epoch %llu was aborted and counts as time without work: %s",
                       (unsigned long long)number, reason);
}

static void take_interruption(struct pa_live_state *state, const json_t *note,
                              struct pa_instant at) {
    char reason[256] = "";
    uint64_t gap_ns = (uint64_t)whole(note, "gap_ns", INT64_MAX / 4, 0);
    take_text(reason, sizeof reason, note, "reason");
    state->has_gap = true;
    state->gap_noted = at;
    state->gap_ns += gap_ns < INT64_MAX / 4 - state->gap_ns ? gap_ns : 0;
    pa_live_state_find(state, PA_LIVE_WARNING, "INTERRUPTION", "interrupted for %llu s: %s",
                       (unsigned long long)(gap_ns / 1000000000), reason);
}

static void take_suspend(struct pa_live_state *state, const json_t *note, uint64_t epoch) {
    pa_live_state_find(state, PA_LIVE_CRITICAL, "SUSPENDED",
                       "the witness's machine slept for %lld s during epoch %llu",
                       (long long)(whole(note, "ns", INT64_MAX, 0) / 1000000000),
                       (unsigned long long)epoch);
}

static void take_raw(struct pa_live_state *state, const json_t *note) {
    struct pa_live_device *device = device_of(state, note);
    double rate = figure(note, "per_second");
    if (device == NULL || rate <= device->raw_rate)
        return;
    device->raw_rate = rate;
    state->session_version = state->version;
}

static void take_meter(struct pa_live_state *state, const json_t *note) {
    int64_t number = whole(note, "meter", PA_LIVE_METERS - 1, -1);
    if (number < 0 || number > state->meter_count)
        return;
    struct pa_live_meter *meter = &state->meters[number];
    if (number == state->meter_count) {
        state->meter_count++;
        *meter = (struct pa_live_meter){.watts = NAN, .stride = 1};
    }
    take_text(meter->role, sizeof meter->role, note, "role");
    take_text(meter->source, sizeof meter->source, note, "source");
    take_text(meter->name, sizeof meter->name, note, "name");
    meter->has_energy = false;
    meter->version = state->version;
}

static void take_watermark(struct pa_live_state *state, const json_t *note) {
    const char *level = json_string_value(json_object_get(note, "level"));
    state->watermark_half = (uint32_t)whole(note, "half", 2048, 0);
    state->watermark_bits = (uint32_t)whole(note, "bits", 1024, 0);
    state->watermark_is_on = level != NULL && strcmp(level, "on") == 0;
}

static void take_test_build(struct pa_live_state *state, const json_t *note) {
    char reason[256] = "";
    take_text(reason, sizeof reason, note, "reason");
    pa_live_state_find(state, PA_LIVE_CRITICAL, "TEST_BUILD",
                       "this build of petaudit falsifies results on purpose: %s", reason);
}

int pa_live_state_note(struct pa_live_state *state, const struct pa_record *record,
                       struct pa_error *error) {
    struct pa_note_record note;
    PA_TRY(pa_record_note(record, &note, error));
    json_t *content = json_loadb(note.json, note.json_bytes, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = json_string_value(json_object_get(content, "kind"));
    if (kind == NULL)
        kind = "";
    if (strcmp(kind, "claim") == 0)
        take_claim(state, content);
    else if (strcmp(kind, "policy") == 0)
        take_policy(state, content);
    else if (strcmp(kind, "device") == 0)
        take_device(state, content);
    else if (strcmp(kind, "raw") == 0)
        take_raw(state, content);
    else if (strcmp(kind, "telemetry") == 0)
        take_telemetry(state, content, record->epoch);
    else if (strcmp(kind, "lost") == 0)
        take_lost(state, content);
    else if (strcmp(kind, "finding") == 0)
        take_finding(state, content);
    else if (strcmp(kind, "abort") == 0)
        take_abort(state, content, record->epoch);
    else if (strcmp(kind, "interruption") == 0)
        take_interruption(state, content, note.at);
    else if (strcmp(kind, "suspend") == 0)
        take_suspend(state, content, record->epoch);
    else if (strcmp(kind, "meter") == 0)
        take_meter(state, content);
    else if (strcmp(kind, "watermark") == 0)
        take_watermark(state, content);
    else if (strcmp(kind, "test_build") == 0)
        take_test_build(state, content);
    json_decref(content);
    return PA_OK;
}

/* Keep a curve of the whole session in a fixed room: when it is full, every second point goes and
 * from then on only every second reading is kept. */
static void add_point(struct pa_live_meter *meter, uint64_t utc_ns, double watts) {
    meter->watts = watts;
    if (++meter->skipped < meter->stride)
        return;
    meter->skipped = 0;
    if (meter->points == PA_LIVE_POINTS) {
        for (uint32_t i = 0; i < PA_LIVE_POINTS / 2; i++) {
            meter->point_ms[i] = meter->point_ms[2 * i];
            meter->point_w[i] = meter->point_w[2 * i];
        }
        meter->points = PA_LIVE_POINTS / 2;
        meter->stride += meter->stride < UINT32_MAX / 2 ? meter->stride : 0;
    }
    meter->point_ms[meter->points] = utc_ns / 1000000;
    meter->point_w[meter->points++] = watts;
}

/* Power where it is told, else what the counter grew by. */
static void take_reading(struct pa_live_meter *meter, const struct pa_power_sample *reading) {
    const struct pa_power_sample *last = &meter->energy;
    bool has_energy = reading->millijoules != PA_ENERGY_UNKNOWN;
    if (reading->milliwatts != PA_POWER_UNKNOWN)
        add_point(meter, reading->at.utc_ns, (double)reading->milliwatts / 1e3);
    else if (has_energy && meter->has_energy && reading->millijoules >= last->millijoules &&
             reading->at.utc_ns > last->at.utc_ns)
        add_point(meter, reading->at.utc_ns,
                  (double)(reading->millijoules - last->millijoules) * 1e6 /
                      (double)(reading->at.utc_ns - last->at.utc_ns));
    if (has_energy) {
        meter->has_energy = true;
        meter->energy = *reading;
    }
}

int pa_live_state_power(struct pa_live_state *state, const struct pa_record *record,
                        struct pa_error *error) {
    struct pa_power_record power;
    PA_TRY(pa_record_power(record, &power, error));
    if (power.meter >= state->meter_count)
        return PA_OK;
    struct pa_live_meter *meter = &state->meters[power.meter];
    for (uint32_t i = 0; i < power.count; i++) {
        struct pa_power_sample reading = pa_power_sample_at(&power, i);
        take_reading(meter, &reading);
    }
    meter->version = state->version;
    return PA_OK;
}
