/* SPDX-License-Identifier: Apache-2.0 */
/* facts_vitals.c - what the notes of the kinds `telemetry` and `memory` say of a device. */
#include "judge/facts_inside.h"

#include <stdio.h>
#include <string.h>

/* The names of enum pa_fact_slowdown, bit by bit. */
static const char *const slowdowns[] = {"idle",    "setting",    "power_cap",  "hardware",
                                        "sync",    "sw_thermal", "hw_thermal", "power_brake",
                                        "display", "other"};

static void should_be(char wrong[PA_NOTE_WRONG_BYTES], const char *key, const char *expected) {
    if (wrong[0] == '\0')
        snprintf(wrong, PA_NOTE_WRONG_BYTES, "\"%s\" should be %s", key, expected);
}

/* A whole number that may be missing: false then. */
static bool take_whole(const json_t *note, const char *key, uint64_t most, uint64_t *out,
                       char wrong[PA_NOTE_WRONG_BYTES]) {
    const json_t *value = json_object_get(note, key);
    *out = 0;
    if (value == NULL)
        return false;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > most) {
        should_be(wrong, key, "a whole number");
        return false;
    }
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static uint32_t take_slowdowns(const json_t *note, char wrong[PA_NOTE_WRONG_BYTES]) {
    const json_t *list = json_object_get(note, "slowdowns"), *name;
    uint32_t found = 0;
    size_t index;
    if (list != NULL && !json_is_array(list))
        should_be(wrong, "slowdowns", "a list of names");
    json_array_foreach(list, index, name) {
        const char *text = json_string_value(name);
        size_t bit = 0, count = sizeof slowdowns / sizeof slowdowns[0];
        while (text != NULL && bit < count && strcmp(text, slowdowns[bit]) != 0)
            bit++;
        if (text == NULL)
            should_be(wrong, "slowdowns", "a list of names");
        found |= 1u << (bit < count ? bit : count - 1); /* a younger name is "other" */
    }
    return found;
}

/* Sums over epochs; a sum that no session can reach is no longer added to. */
static void add_capped(uint64_t *sum, uint64_t more) {
    *sum = more > INT64_MAX - *sum ? INT64_MAX : *sum + more;
}

void pa_replay_telemetry_note(struct pa_fact_device *device, const json_t *note,
                              char wrong[PA_NOTE_WRONG_BYTES]) {
    struct pa_fact_vitals *vitals = &device->vitals;
    const json_t *stop = json_object_get(note, "thermal_stop");
    uint64_t samples, value, corrected, uncorrected;
    if (!take_whole(note, "samples", UINT32_MAX, &samples, wrong))
        should_be(wrong, "samples", "a whole number");
    if (!json_is_boolean(stop))
        should_be(wrong, "thermal_stop", "true or false");
    uint32_t found = take_slowdowns(note, wrong);
    bool has_ecc = take_whole(note, "ecc_corrected", INT64_MAX, &corrected, wrong);
    has_ecc &= take_whole(note, "ecc_uncorrected", INT64_MAX, &uncorrected, wrong);
    bool has_others = take_whole(note, "others", UINT32_MAX, &value, wrong);
    uint32_t others = has_others ? (uint32_t)value : 0;
    bool has_heat = take_whole(note, "temperature_max_c", 1000, &value, wrong);
    if (wrong[0] != '\0')
        return;
    vitals->epochs += samples > 0 ? 1 : 0;
    vitals->thermal_stops += json_is_true(stop) ? 1 : 0;
    vitals->slowdowns |= found;
    vitals->throttled_epochs += (found & PA_FACT_THROTTLED) != 0 ? 1 : 0;
    if (has_ecc) {
        add_capped(&vitals->ecc_corrected, corrected);
        add_capped(&vitals->ecc_uncorrected, uncorrected);
    }
    if (others > vitals->others)
        vitals->others = others;
    if (has_heat && value > vitals->temperature_max_c)
        vitals->temperature_max_c = (uint32_t)value;
}
