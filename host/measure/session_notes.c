/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_notes.h"

#include "measure/session_vitals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int put(const struct pa_session_terms *terms, uint64_t epoch, json_t *content, bool may_wait,
               struct pa_error *error) {
    const struct pa_witness_kind *kind = terms->witness->kind;
    char *text = json_dumps(content, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(content);
    if (text == NULL)
        return pa_fail(error, PA_EMEMORY, "writing a note: out of memory");
    int code = may_wait ? kind->note_later(terms->witness, epoch, text, strlen(text), error)
                        : kind->note(terms->witness, epoch, text, strlen(text), error);
    free(text);
    return code;
}

int pa_note_put(const struct pa_session_terms *terms, uint64_t epoch, json_t *content,
                struct pa_error *error) {
    return put(terms, epoch, content, false, error);
}

int pa_note_put_later(const struct pa_session_terms *terms, uint64_t epoch, json_t *content,
                      struct pa_error *error) {
    return put(terms, epoch, content, true, error);
}

int pa_note_sync(const struct pa_session_terms *terms, struct pa_error *error) {
    return terms->witness->kind->sync(terms->witness, error);
}

json_t *pa_note_figure(double value) {
    char text[PA_DECIMAL_TEXT_BYTES];
    pa_decimal_text(text, value);
    return json_string(text);
}

static int note_file(const struct pa_session_terms *terms, const char *kind, const char *name,
                     const char *text, size_t size, struct pa_error *error) {
    return pa_note_put(
        terms, PA_NO_EPOCH,
        json_pack("{s:s, s:s, s:s%}", "kind", kind, "name", name, "text", text, size), error);
}

int pa_note_host(const struct pa_session_terms *terms, struct pa_error *error) {
    const struct pa_place *place = &terms->site->place;
    char boot_id[PA_BOOT_ID_BYTES];
    pa_boot_id(boot_id);
    return pa_note_put(terms, PA_NO_EPOCH,
                       json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i}", "kind", "host", "host",
                                 place->host, "boot_id", boot_id, "launcher", place->launcher,
                                 "job", place->job, "nodes", place->nodes, "size", place->size),
                       error);
}

/* "3, 5-7": the ranks that are absent, as long as there is room. */
static void list_absent(const struct pa_site *site, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (int rank = 0; rank < site->place.size && used + 40 < size; rank++) {
        int last = rank;
        if (!site->is_absent[rank])
            continue;
        while (last + 1 < site->place.size && site->is_absent[last + 1])
            last++;
        used += (size_t)snprintf(out + used, size - used, "%s%d", used > 0 ? ", " : "", rank);
        if (last > rank)
            used += (size_t)snprintf(out + used, size - used, "-%d", last);
        rank = last;
    }
}

int pa_note_ranks(const struct pa_session_terms *terms, struct pa_error *error) {
    const struct pa_site *site = terms->site;
    char absent[120], text[240];
    if (site->place.size < 2)
        return PA_OK;
    json_t *hosts = json_array(), *ahead = json_array();
    for (int rank = 0; rank < site->place.size; rank++) {
        bool is_absent = site->is_absent[rank];
        json_array_append_new(hosts, is_absent ? json_null()
                                               : json_string(pa_fleet_host(site->fleet, rank)));
        json_array_append_new(ahead, is_absent ? json_null() : json_integer(site->ahead_s[rank]));
    }
    PA_TRY(pa_note_put(terms, PA_NO_EPOCH,
                       json_pack("{s:s, s:i, s:o, s:o}", "kind", "ranks", "size", site->place.size,
                                 "hosts", hosts, "ahead_s", ahead),
                       error));
    if (site->absent_count == 0)
        return PA_OK;
    list_absent(site, absent, sizeof absent);
    snprintf(text, sizeof text, "%u of %d processes did not come: rank %s", site->absent_count,
             site->place.size, absent);
    return pa_note_put(terms, PA_NO_EPOCH,
                       json_pack("{s:s, s:s, s:s, s:s}", "kind", "finding", "code", "ABSENT_RANKS",
                                 "severity", "warning", "text", text),
                       error);
}

static int note_shared(const struct pa_session_terms *terms, struct pa_error *error) {
    char who[PA_COMPANY_TEXT_BYTES], text[PA_COMPANY_TEXT_BYTES + 64];
    pa_site_company(terms->site, who);
    snprintf(text, sizeof text, "measured with --shared: %s",
             who[0] != '\0' ? who : "others may have used the devices");
    return pa_note_put(terms, PA_NO_EPOCH,
                       json_pack("{s:s, s:s, s:s, s:s}", "kind", "finding", "code",
                                 "SHARED_DEVICES", "severity", "info", "text", text),
                       error);
}

int pa_note_session(const struct pa_session_terms *terms, struct pa_error *error) {
    PA_TRY(note_file(terms, "claim", "claim", terms->claim->text, terms->claim->text_bytes, error));
    PA_TRY(note_file(terms, "policy", terms->policy->name, terms->policy->text,
                     terms->policy->text_bytes, error));
    PA_TRY(pa_note_put(terms, PA_NO_EPOCH, json_loads(terms->tool_note, 0, NULL), error));
    PA_TRY(pa_note_put(
        terms, PA_NO_EPOCH,
        json_pack("{s:s, s:s}", "kind", "assurance", "level", terms->witness->kind->assurance),
        error));
    if (terms->is_shared)
        PA_TRY(note_shared(terms, error));
    if (pa_device_test_build() != NULL)
        PA_TRY(pa_note_put(
            terms, PA_NO_EPOCH,
            json_pack("{s:s, s:s}", "kind", "test_build", "reason", pa_device_test_build()),
            error));
    PA_TRY(pa_note_host(terms, error));
    return pa_note_ranks(terms, error);
}

/* A device that was lost before it could choose has none. */
static const char *format_of(const struct pa_trial *chosen) {
    const char *name = pa_format_name(chosen->format);
    return name != NULL ? name : "none";
}

static int note_device(const struct pa_session_terms *terms, uint32_t index,
                       struct pa_error *error) {
    const struct pa_site_device *device = &terms->site->devices[index];
    const struct pa_device_identity *identity = &device->facts.identity;
    const struct pa_trial *chosen = &device->calibration.chosen;
    const struct pa_format_facts *format = &device->facts.formats[chosen->format];
    json_t *content = json_pack(
        "{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:I, s:s, s:o, s:s, s:s, "
        "s:i}",
        "kind", "device", "device", (json_int_t)index, "id", identity->id, "name", identity->name,
        "vendor", identity->vendor, "backend", device->facts.backend, "format", format_of(chosen),
        "host", identity->host, "memory_bytes", (json_int_t)identity->memory_bytes, "details",
        identity->details, "serial", identity->serial, "variant", chosen->variant_name,
        "variant_number", (json_int_t)chosen->variant, "library", format->library,
        "peak_per_second", pa_note_figure(format->peak_per_second), "peak_basis",
        format->peak_basis, "partition", identity->partition, "rank", device->rank);
    json_object_set_new(content, "bus", json_string(identity->bus));
    json_object_set_new(content, "driver", json_string(identity->driver));
    json_object_set_new(content, "emulated", json_boolean(identity->is_emulated));
    return pa_note_put_later(terms, PA_NO_EPOCH, content, error);
}

static int note_calibration(const struct pa_session_terms *terms, uint32_t index,
                            struct pa_error *error) {
    const struct pa_site_device *device = &terms->site->devices[index];
    const struct pa_calibration *calibration = &device->calibration;
    json_t *trials = json_array();
    for (uint32_t i = 0; i < calibration->trial_count; i++) {
        const struct pa_trial *trial = &calibration->trials[i];
        json_array_append_new(
            trials, json_pack("{s:s, s:s, s:I, s:I, s:o}", "format", pa_format_name(trial->format),
                              "variant", trial->variant_name, "m", (json_int_t)trial->m, "n",
                              (json_int_t)trial->n, "per_second", pa_note_figure(trial->rate)));
    }
    json_t *warm_up = json_pack(
        "{s:I, s:I, s:o, s:o, s:b}", "steps", (json_int_t)device->warmup.steps, "ns",
        (json_int_t)device->warmup.ns, "per_second", pa_note_figure(device->warmup.rate), "spread",
        pa_note_figure(device->warmup.spread), "steady", device->warmup.is_steady ? 1 : 0);
    return pa_note_put_later(terms, PA_NO_EPOCH,
                             json_pack("{s:s, s:I, s:I, s:I, s:o, s:s, s:o}", "kind", "calibration",
                                       "device", (json_int_t)index, "m",
                                       (json_int_t)calibration->chosen.m, "n",
                                       (json_int_t)calibration->chosen.n, "trials", trials,
                                       "refused", calibration->refused, "warm_up", warm_up),
                             error);
}

int pa_note_libraries(const struct pa_session_terms *terms, struct pa_error *error) {
    for (uint32_t s = 0; s < terms->site->library_set_count; s++) {
        const struct pa_site_libraries *set = &terms->site->library_sets[s];
        json_t *libraries = json_array();
        for (uint32_t i = 0; i < set->count; i++)
            json_array_append_new(
                libraries, json_pack("{s:s, s:s, s:s}", "name", set->libraries[i].name, "path",
                                     set->libraries[i].path, "sha256", set->libraries[i].sha256));
        PA_TRY(pa_note_put(terms, PA_NO_EPOCH,
                           json_pack("{s:s, s:i, s:s, s:o}", "kind", "libraries", "rank", set->rank,
                                     "host", set->host, "libraries", libraries),
                           error));
    }
    return PA_OK;
}

int pa_note_devices(const struct pa_session_terms *terms, struct pa_error *error) {
    for (uint32_t d = 0; d < terms->site->device_count; d++) {
        PA_TRY(note_device(terms, d, error));
        PA_TRY(note_calibration(terms, d, error));
    }
    return pa_note_sync(terms, error);
}

int pa_note_raw(const struct pa_session_terms *terms, struct pa_error *error) {
    for (uint32_t d = 0; d < terms->site->device_count; d++) {
        const struct pa_site_device *device = &terms->site->devices[d];
        if (device->raw_ns == 0)
            continue;
        double rate = device->raw_operations / ((double)device->raw_ns * 1e-9);
        PA_TRY(pa_note_put_later(terms, PA_NO_EPOCH,
                                 json_pack("{s:s, s:I, s:o, s:I, s:o}", "kind", "raw", "device",
                                           (json_int_t)d, "per_second", pa_note_figure(rate), "ns",
                                           (json_int_t)device->raw_ns, "operations",
                                           pa_note_figure(device->raw_operations)),
                                 error));
    }
    return pa_note_sync(terms, error);
}

int pa_note_losses(const struct pa_session_terms *terms, uint64_t epoch, struct pa_error *error) {
    for (uint32_t d = 0; d < terms->site->device_count; d++) {
        struct pa_site_device *device = &terms->site->devices[d];
        if (!device->is_lost || device->is_loss_noted)
            continue;
        PA_TRY(pa_note_put(terms, epoch,
                           json_pack("{s:s, s:I, s:i, s:s, s:s}", "kind", "lost", "device",
                                     (json_int_t)d, "rank", device->rank, "host",
                                     device->facts.identity.host, "text", device->lost_text),
                           error));
        device->is_loss_noted = true;
        pa_observe(terms->observer,
                   (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = device->lost_text});
    }
    return PA_OK;
}
