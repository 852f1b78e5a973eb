/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_vitals.h"

#include "measure/session_notes.h"

#include <stdio.h>
#include <string.h>

/* The first device that is not alone; `devices` counts them all. */
static const struct pa_site_device *find_company(const struct pa_site *site, uint32_t *devices) {
    const struct pa_site_device *first = NULL;
    *devices = 0;
    for (uint32_t d = 0; d < site->device_count; d++) {
        if (site->devices[d].facts.occupant_count == 0)
            continue;
        if ((*devices)++ == 0)
            first = &site->devices[d];
    }
    return first;
}

void pa_site_company(const struct pa_site *site, char out[PA_COMPANY_TEXT_BYTES]) {
    uint32_t devices;
    const struct pa_site_device *first = find_company(site, &devices);
    out[0] = '\0';
    if (first == NULL)
        return;
    const struct pa_occupant *occupant = &first->facts.occupants[0];
    char more[48] = "";
    if (first->facts.occupant_count > 1)
        snprintf(more, sizeof more, " and %u more", first->facts.occupant_count - 1);
    snprintf(out, PA_COMPANY_TEXT_BYTES, "process %llu (%.48s)%s on %.63s uses %.60s",
             (unsigned long long)occupant->pid,
             occupant->name[0] != '\0' ? occupant->name : "no name", more,
             first->facts.identity.host, first->facts.identity.id);
    size_t used = strlen(out);
    if (devices > 1)
        snprintf(out + used, PA_COMPANY_TEXT_BYTES - used, ", one of %u devices in use", devices);
}

int pa_site_check_alone(const struct pa_site *site, bool is_shared, struct pa_error *error) {
    char who[PA_COMPANY_TEXT_BYTES];
    pa_site_company(site, who);
    if (who[0] == '\0' || is_shared)
        return PA_OK;
    return pa_fail(error, PA_EDEVICE,
                   "looking for idle devices: %s; end it, leave the device out, or measure beside "
                   "it with --shared, which the certificate will say",
                   who);
}

void pa_session_tell_silence(const struct pa_session_terms *terms) {
    for (uint32_t d = 0; d < terms->site->device_count; d++) {
        const char *why = terms->site->devices[d].facts.no_telemetry;
        if (why[0] == '\0')
            continue;
        char text[256];
        snprintf(text, sizeof text, "no power, temperature or clocks are recorded: %.160s", why);
        pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
        return;
    }
}

static void set_whole(json_t *note, const char *key, bool has, uint64_t value) {
    if (has)
        json_object_set_new(note, key, json_integer((json_int_t)value));
}

static json_t *vitals_note(uint32_t device, const struct pa_vitals *vitals) {
    json_t *note = json_pack("{s:s, s:I, s:I, s:b}", "kind", "telemetry", "device",
                             (json_int_t)device, "samples", (json_int_t)vitals->samples,
                             "thermal_stop", vitals->is_thermal_stop ? 1 : 0);
    bool has_power = vitals->power_samples > 0;
    set_whole(note, "power_mean_mw", has_power, vitals->power_mean_mw);
    set_whole(note, "power_min_mw", has_power, vitals->power_min_mw);
    set_whole(note, "power_max_mw", has_power, vitals->power_max_mw);
    set_whole(note, "energy_mj", vitals->has_energy, vitals->energy_mj);
    set_whole(note, "energy_ns", vitals->has_energy, vitals->energy_ns);
    /* A chip below zero is no device in a hall: the figure is left out. */
    set_whole(note, "temperature_max_c", vitals->has_temperature && vitals->temperature_max_c >= 0,
              (uint64_t)vitals->temperature_max_c);
    set_whole(note, "clock_min_mhz", vitals->has_clock, vitals->clock_min_mhz);
    set_whole(note, "clock_max_mhz", vitals->has_clock, vitals->clock_max_mhz);
    set_whole(note, "memory_clock_min_mhz", vitals->has_memory_clock, vitals->memory_clock_min_mhz);
    set_whole(note, "ecc_corrected", vitals->has_ecc, vitals->ecc_corrected);
    set_whole(note, "ecc_uncorrected", vitals->has_ecc, vitals->ecc_uncorrected);
    set_whole(note, "others", vitals->has_processes, vitals->others);
    if (vitals->has_slowdowns) {
        json_t *slowdowns = json_array();
        for (unsigned bit = 0; bit < PA_SLOWDOWNS; bit++)
            if ((vitals->slowdowns >> bit & 1) != 0)
                json_array_append_new(slowdowns, json_string(pa_slowdown_name(bit)));
        json_object_set_new(note, "slowdowns", slowdowns);
    }
    return note;
}

/* Why a device tells nothing, once: where it told nothing from the beginning, that was said. */
static int note_silence(const struct pa_session_terms *terms, uint32_t index, const char *why,
                        struct pa_error *error) {
    struct pa_site_device *device = &terms->site->devices[index];
    char text[256];
    if (why[0] == '\0' || device->is_silence_noted || device->facts.no_telemetry[0] != '\0')
        return PA_OK;
    device->is_silence_noted = true;
    snprintf(text, sizeof text, "%.90s: %.119s; its health is not recorded",
             device->facts.identity.id, why);
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
    return pa_note_put_later(terms, PA_NO_EPOCH,
                             json_pack("{s:s, s:s, s:s, s:s}", "kind", "finding", "code",
                                       "NO_TELEMETRY", "severity", "info", "text", text),
                             error);
}

int pa_note_vitals(const struct pa_session_terms *terms, uint64_t epoch,
                   const struct pa_vitals *vitals, struct pa_error *error) {
    for (uint32_t d = 0; d < terms->site->device_count; d++) {
        PA_TRY(note_silence(terms, d, vitals[d].trouble, error));
        if (vitals[d].samples == 0)
            continue;
        PA_TRY(pa_note_put_later(terms, epoch, vitals_note(d, &vitals[d]), error));
        if (!vitals[d].is_thermal_stop)
            continue;
        char text[160];
        snprintf(text, sizeof text, "%.90s is at its temperature limit and ended epoch %llu early",
                 terms->site->devices[d].facts.identity.id, (unsigned long long)epoch);
        pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
    }
    return pa_note_sync(terms, error);
}
