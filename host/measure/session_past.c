/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy_text(char *out, size_t size, const json_t *note, const char *key) {
    const char *text = json_string_value(json_object_get(note, key));
    snprintf(out, size, "%.*s", (int)size - 1, text != NULL ? text : "");
}

/* The declared device that a note is about; NULL: none. */
static struct pa_past_device *noted_device(struct pa_session_past *past, const json_t *note) {
    const json_t *device = json_object_get(note, "device");
    bool is_number = json_is_integer(device) && json_integer_value(device) >= 0 &&
                     json_integer_value(device) < (json_int_t)past->ledger.declaration.device_count;
    return is_number ? &past->devices[json_integer_value(device)] : NULL;
}

static void remember_device(struct pa_session_past *past, const json_t *note) {
    struct pa_past_device *place = noted_device(past, note);
    json_int_t variant = json_integer_value(json_object_get(note, "variant_number"));
    const char *format = json_string_value(json_object_get(note, "format"));
    if (place == NULL || format == NULL || variant < 0 || variant > 255)
        return;
    struct pa_trial *choice = &past->choices[place - past->devices];
    choice->format = pa_format_named(format);
    choice->variant = (uint32_t)variant;
    const json_t *rank = json_object_get(note, "rank");
    if (json_is_integer(rank) && json_integer_value(rank) >= 0 &&
        json_integer_value(rank) < INT32_MAX)
        place->rank = (int)json_integer_value(rank);
    copy_text(place->id, sizeof place->id, note, "id");
    copy_text(place->host, sizeof place->host, note, "host");
    copy_text(place->backend, sizeof place->backend, note, "backend");
}

static void remember_allreduce(struct pa_session_past *past, const json_t *note) {
    json_int_t bytes = json_integer_value(json_object_get(note, "bytes"));
    json_int_t ns = json_integer_value(json_object_get(note, "time_ns"));
    past->has_allreduce = true;
    if (!json_is_true(json_object_get(note, "verified")) || bytes <= 0 || ns <= 0)
        return;
    past->allreduce_bytes = (uint64_t)bytes;
    past->allreduce_ns = (uint64_t)ns;
}

static void remember_finding(struct pa_session_past *past, const json_t *note) {
    const char *code = json_string_value(json_object_get(note, "code"));
    struct pa_past_device *device = noted_device(past, note);
    if (code != NULL && strcmp(code, "MEMORY_PROOF_FAILED") == 0 && device != NULL)
        device->has_memory = true;
    if (code != NULL && strcmp(code, "ALLREDUCE_FAILED") == 0) {
        past->has_allreduce = true;
        copy_text(past->allreduce_trouble, sizeof past->allreduce_trouble, note, "text");
    }
}

/* What was measured after the epochs, well or not: there is no second try of any of it. */
static void remember_part(struct pa_session_past *past, const char *kind, const json_t *note) {
    struct pa_past_device *device = noted_device(past, note);
    if (strcmp(kind, "raw") == 0)
        past->has_raw = true;
    else if (strcmp(kind, "allreduce") == 0)
        remember_allreduce(past, note);
    else if (strcmp(kind, "coupled") == 0)
        past->has_coupled = true;
    else if (strcmp(kind, "fabric") == 0)
        past->has_fabric = true;
    else if (strcmp(kind, "finding") == 0)
        remember_finding(past, note);
    else if (strcmp(kind, "attestation") == 0 && device != NULL)
        device->has_attestation = true;
    else if (strcmp(kind, "memory") == 0 && device != NULL)
        device->has_memory = true;
}

static void remember_meter(struct pa_session_past *past, const json_t *note) {
    json_int_t number = json_integer_value(json_object_get(note, "meter"));
    const char *role = json_string_value(json_object_get(note, "role"));
    const char *name = json_string_value(json_object_get(note, "name"));
    if (number != (json_int_t)past->meter_count || number >= PA_POWER_MOST_METERS || role == NULL ||
        name == NULL)
        return;
    struct pa_past_meter *meter = &past->meters[past->meter_count++];
    snprintf(meter->role, sizeof meter->role, "%.*s", (int)sizeof meter->role - 1, role);
    snprintf(meter->name, sizeof meter->name, "%.*s", (int)sizeof meter->name - 1, name);
}

static int remember(void *context, uint64_t index, const struct pa_record *record,
                    const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    struct pa_session_past *past = context;
    struct pa_note_record note;
    struct pa_instant at = {0};
    (void)before;
    if (index == 1 || record->type == PA_RECORD_ROOT)
        PA_TRY(pa_record_check(record, &at, error));
    if (index == 1)
        past->begun_utc_ns = at.utc_ns;
    if (record->type == PA_RECORD_ROOT)
        past->measured_utc_ns = at.utc_ns;
    if (record->type != PA_RECORD_NOTE)
        return PA_OK;
    PA_TRY(pa_record_note(record, &note, error));
    json_t *content = json_loadb(note.json, note.json_bytes, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = json_string_value(json_object_get(content, "kind"));
    if (kind != NULL && strcmp(kind, "device") == 0)
        remember_device(past, content);
    else if (kind != NULL && strcmp(kind, "meter") == 0)
        remember_meter(past, content);
    else if (kind != NULL)
        remember_part(past, kind, content);
    if (kind != NULL && (strcmp(kind, "raw") == 0 || strcmp(kind, "allreduce") == 0 ||
                         strcmp(kind, "coupled") == 0))
        past->measured_utc_ns = note.at.utc_ns;
    if (kind != NULL && strcmp(kind, "watermark") == 0)
        past->measured_utc_ns = note.at.utc_ns + past->ledger.watermark_half_ns;
    json_decref(content);
    return PA_OK;
}

int pa_session_past_read(struct pa_store *store, struct pa_session_past *out,
                         struct pa_error *error) {
    *out = (struct pa_session_past){0};
    PA_TRY(pa_ledger_read(store, &out->ledger, error));
    out->choices = calloc(out->ledger.declaration.device_count, sizeof *out->choices);
    out->devices = calloc(out->ledger.declaration.device_count, sizeof *out->devices);
    bool has_room = out->choices != NULL && out->devices != NULL;
    for (uint32_t d = 0; has_room && d < out->ledger.declaration.device_count; d++)
        out->devices[d].rank = -1;
    int code = has_room ? pa_store_each(store, remember, out, error)
                        : pa_fail(error, PA_EMEMORY, "reading the session: out of memory");
    for (uint32_t d = 0; code == PA_OK && d < out->ledger.declaration.device_count; d++)
        if (out->choices[d].format == 0 && !out->ledger.is_finished)
            code = pa_fail(error, PA_EINVALID,
                           "resuming: the session was cut off before its devices were described; "
                           "start a new audit");
    if (code != PA_OK)
        pa_session_past_free(out);
    return code;
}

/* A device whose process did not come back. */
static struct pa_site_device absent_device(const struct pa_past_device *was, const char *name) {
    struct pa_site_device device = {.rank = was->rank, .is_lost = true};
    struct pa_device_facts *facts = &device.facts;
    snprintf(facts->identity.name, sizeof facts->identity.name, "%s", name);
    snprintf(facts->identity.id, sizeof facts->identity.id, "%s", was->id);
    snprintf(facts->identity.host, sizeof facts->identity.host, "%s", was->host);
    snprintf(facts->backend, sizeof facts->backend, "%s", was->backend);
    snprintf(device.lost_text, sizeof device.lost_text,
             "rank %d, which was on %s, did not come back when the audit was resumed", was->rank,
             was->host);
    return device;
}

/* Those that did not come moved the numbers of the devices behind them. */
static void number_shares(struct pa_site *site) {
    for (int rank = 0; rank < site->place.size; rank++)
        site->shares[rank] = (struct pa_site_share){0};
    for (uint32_t d = site->device_count; d-- > 0;)
        if (site->devices[d].rank < site->place.size) {
            site->shares[site->devices[d].rank].first = d;
            site->shares[site->devices[d].rank].count++;
        }
}

int pa_session_past_complete(const struct pa_session_past *past, struct pa_site *site,
                             struct pa_error *error) {
    const struct pa_declaration *declaration = &past->ledger.declaration;
    uint32_t next = 0, count = declaration->device_count;
    struct pa_site_device *all = calloc(count, sizeof *all);
    if (all == NULL)
        return pa_fail(error, PA_EMEMORY, "resuming %u devices: out of memory", count);
    for (uint32_t d = 0; d < count; d++) {
        int rank = past->devices[d].rank;
        bool is_absent = rank >= 0 && (rank >= site->place.size || site->is_absent[rank]);
        if (is_absent)
            all[d] = absent_device(&past->devices[d], declaration->devices[d].name);
        else if (next < site->device_count && (rank < 0 || site->devices[next].rank == rank))
            all[d] = site->devices[next++];
        else
            break;
        if (d + 1 < count || next < site->device_count)
            continue;
        free(site->devices);
        site->devices = all;
        site->device_count = count;
        number_shares(site);
        return PA_OK;
    }
    free(all);
    return pa_fail(error, PA_EDEVICE,
                   "resuming: %u devices were declared and %u are here, not in the same processes; "
                   "start the same processes",
                   count, site->device_count);
}

void pa_session_past_free(struct pa_session_past *past) {
    pa_ledger_free(&past->ledger);
    free(past->choices);
    free(past->devices);
    *past = (struct pa_session_past){0};
}
