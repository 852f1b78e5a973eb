/* SPDX-License-Identifier: Apache-2.0 */
/* facts_notes.c - what the measuring side wrote beside the proof (docs/protocol.md, "Notes").
 *
 * Kinds that are not known here are kept and not read. Known ones are read strictly: a member that
 * is missing or of another type breaks the evidence, because nobody can say what was meant. */
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "judge/facts_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A note being read; the first thing wrong with it is kept. */
struct note {
    const json_t *json;
    const char *kind;
    uint64_t epoch;
    struct pa_instant at;
    char wrong[PA_NOTE_WRONG_BYTES];
};

int pa_note_should_be(char wrong[PA_NOTE_WRONG_BYTES], const char *key, const char *expected) {
    if (wrong[0] == '\0')
        snprintf(wrong, PA_NOTE_WRONG_BYTES, "\"%s\" should be %s", key, expected);
    return PA_OK;
}

bool pa_note_whole(const json_t *note, const char *key, uint64_t least, uint64_t most,
                   uint64_t *out) {
    const json_t *value = json_object_get(note, key);
    bool is_whole = json_is_integer(value) && json_integer_value(value) >= 0;
    *out = is_whole ? (uint64_t)json_integer_value(value) : 0;
    return is_whole && *out >= least && *out <= most;
}

static void note_wrong(struct note *note, const char *key, const char *expected) {
    pa_note_should_be(note->wrong, key, expected);
}

/* Text of a required member, cut to size and made safe for a terminal. */
static void read_text(struct note *note, const char *key, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(note->json, key));
    if (text == NULL)
        note_wrong(note, key, "text");
    else
        pa_printable(out, size, text);
}

static void read_optional_text(struct note *note, const char *key, char *out, size_t size) {
    if (json_object_get(note->json, key) != NULL)
        read_text(note, key, out, size);
}

static uint64_t read_whole(struct note *note, const char *key, uint64_t most) {
    const json_t *value = json_object_get(note->json, key);
    if (json_is_integer(value) && json_integer_value(value) >= 0 &&
        (uint64_t)json_integer_value(value) <= most)
        return (uint64_t)json_integer_value(value);
    note_wrong(note, key, "a whole number");
    return 0;
}

/* Figures are decimal text, so that no library's idea of a float comes between; whole numbers may
 * be plain. */
static double read_figure(struct note *note, const char *key) {
    const json_t *value = json_object_get(note->json, key);
    double figure = 0;
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        return (double)json_integer_value(value);
    if (json_is_string(value) &&
        pa_decimal_parse(json_string_value(value), 0, 1e30, &figure, NULL) == PA_OK)
        return figure;
    note_wrong(note, key, "a decimal as text");
    return 0;
}

static bool read_truth(struct note *note, const char *key) {
    const json_t *value = json_object_get(note->json, key);
    if (!json_is_boolean(value))
        note_wrong(note, key, "true or false");
    return json_is_true(value);
}

static struct pa_fact_device *read_device(struct pa_replay *replay, struct note *note) {
    uint64_t index = read_whole(note, "device", UINT32_MAX);
    if (note->wrong[0] == '\0' && index >= replay->facts->device_count)
        note_wrong(note, "device", "the number of a declared device");
    return note->wrong[0] == '\0' ? &replay->facts->devices[index] : NULL;
}

/* "claim" and "policy" carry the files that the declaration has the hashes of. */
static int read_file_note(struct pa_replay *replay, struct note *note,
                          const struct pa_hash *declared, char **text, size_t *bytes,
                          struct pa_error *error) {
    const json_t *value = json_object_get(note->json, "text");
    if (!json_is_string(value)) {
        note_wrong(note, "text", "text");
        return PA_OK;
    }
    struct pa_hash found;
    pa_sha256(&found, json_string_value(value), json_string_length(value));
    if (!pa_hash_equal(&found, declared))
        return pa_replay_broken(replay, "the %s in the evidence is not the one that was declared",
                                note->kind);
    if (*text != NULL)
        return PA_OK;
    *text = malloc(json_string_length(value) + 1);
    if (*text == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a note: out of memory");
    memcpy(*text, json_string_value(value), json_string_length(value) + 1);
    *bytes = json_string_length(value);
    return PA_OK;
}

static void read_device_note(struct pa_replay *replay, struct note *note) {
    struct pa_fact_device *device = read_device(replay, note), found = {0};
    if (device == NULL)
        return;
    read_text(note, "id", found.id, sizeof found.id);
    read_text(note, "name", found.model, sizeof found.model);
    read_text(note, "backend", found.backend, sizeof found.backend);
    read_text(note, "format", found.format, sizeof found.format);
    read_text(note, "host", found.host, sizeof found.host);
    read_optional_text(note, "details", found.details, sizeof found.details);
    read_optional_text(note, "variant", found.variant, sizeof found.variant);
    read_optional_text(note, "library", found.library, sizeof found.library);
    read_optional_text(note, "peak_basis", found.peak_basis, sizeof found.peak_basis);
    read_optional_text(note, "partition", found.partition, sizeof found.partition);
    if (json_object_get(note->json, "memory_bytes") != NULL)
        found.memory_bytes = read_whole(note, "memory_bytes", INT64_MAX);
    if (json_object_get(note->json, "peak_per_second") != NULL)
        found.peak_per_second = read_figure(note, "peak_per_second");
    if (json_object_get(note->json, "emulated") != NULL)
        found.emulated = read_truth(note, "emulated");
    if (note->wrong[0] != '\0')
        return;
    if (device->id[0] != '\0') {
        /* After an interruption the devices are noted again. */
        if (strcmp(device->id, found.id) != 0 || strcmp(device->model, found.model) != 0)
            device->changed = true;
        else if (strcmp(device->host, found.host) != 0)
            device->moved = true;
        return;
    }
    memcpy(found.name, device->name, sizeof found.name);
    found.m = device->m;
    found.n = device->n;
    found.raw_per_second = device->raw_per_second;
    found.vitals = device->vitals;
    found.memory = device->memory;
    found.attestation = device->attestation;
    found.is_idle = device->is_idle;
    found.lost = device->lost;
    memcpy(found.lost_text, device->lost_text, sizeof found.lost_text);
    *device = found;
}

static void read_telemetry_note(struct pa_replay *replay, struct note *note) {
    struct pa_fact_device *device = read_device(replay, note);
    if (device != NULL)
        pa_replay_telemetry_note(device, note->json, note->wrong);
}

static int read_memory_note(struct pa_replay *replay, struct note *note, struct pa_error *error) {
    const struct pa_fact_device *device = read_device(replay, note);
    if (device == NULL)
        return PA_OK;
    return pa_replay_memory_note(replay, (uint32_t)(device - replay->facts->devices), note->json,
                                 note->wrong, error);
}

static int read_attestation_note(struct pa_replay *replay, struct note *note,
                                 struct pa_error *error) {
    struct pa_fact_device *device = read_device(replay, note);
    return device == NULL ? PA_OK
                          : pa_replay_attestation_note(replay, device, note->json, note->epoch,
                                                       note->wrong, error);
}

static void read_raw_note(struct pa_replay *replay, struct note *note) {
    struct pa_fact_device *device = read_device(replay, note);
    double rate = read_figure(note, "per_second");
    if (device != NULL && note->wrong[0] == '\0' && rate > device->raw_per_second)
        device->raw_per_second = rate;
}

static void read_lost_note(struct pa_replay *replay, struct note *note) {
    char host[64] = "", text[400] = "";
    struct pa_fact_device *device = read_device(replay, note);
    uint64_t rank = read_whole(note, "rank", UINT32_MAX);
    read_text(note, "host", host, sizeof host);
    read_text(note, "text", text, sizeof text);
    if (device == NULL || note->wrong[0] != '\0')
        return;
    /* The text of a lost process names rank and host already. */
    char who[96], when[PA_UTC_TEXT_BYTES], epoch[32] = "";
    snprintf(who, sizeof who, "rank %u on %s is lost: ", (unsigned)rank, host);
    bool is_named = strncmp(text, who, strlen(who)) == 0;
    pa_utc_text(when, note->at.utc_ns);
    if (note->epoch != PA_NO_EPOCH)
        snprintf(epoch, sizeof epoch, "epoch %llu, ", (unsigned long long)note->epoch);
    device->lost = true;
    snprintf(device->lost_text, sizeof device->lost_text, "rank %u on %s: %s (%s%s)",
             (unsigned)rank, host, is_named ? text + strlen(who) : text, epoch, when);
}

static int read_allreduce_note(struct pa_replay *replay, struct note *note,
                               struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    const struct pa_fact_allreduce found = {
        .bytes = read_whole(note, "bytes", INT64_MAX),
        .algbw_gbs = read_figure(note, "algbw_gbs"),
        .busbw_gbs = read_figure(note, "busbw_gbs"),
        .ranks = (uint32_t)read_whole(note, "ranks", UINT32_MAX),
        .verified = read_truth(note, "verified"),
    };
    if (note->wrong[0] != '\0')
        return PA_OK;
    struct pa_fact_allreduce *grown =
        realloc(facts->allreduce, (facts->allreduce_count + 1) * sizeof *grown);
    if (grown == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a note: out of memory");
    facts->allreduce = grown;
    facts->allreduce[facts->allreduce_count++] = found;
    return PA_OK;
}

static int read_abort_note(struct pa_replay *replay, struct note *note,
                           const struct pa_record *record) {
    char reason[128] = "";
    read_text(note, "reason", reason, sizeof reason);
    if (note->wrong[0] != '\0')
        return PA_OK;
    if (record->epoch >= replay->epoch_count)
        return pa_replay_broken(replay, "epoch %llu is aborted, which never began",
                                (unsigned long long)record->epoch);
    if (replay->epochs[record->epoch].has_root)
        return pa_replay_broken(replay, "epoch %llu is aborted after its root was in",
                                (unsigned long long)record->epoch);
    replay->epochs[record->epoch].is_aborted = true;
    return PA_OK;
}

static void read_interruption_note(struct pa_replay *replay, struct note *note,
                                   struct pa_instant at) {
    uint64_t gap_ns = read_whole(note, "gap_ns", INT64_MAX / 4);
    if (note->wrong[0] != '\0')
        return;
    replay->interruptions++;
    replay->has_gap = true;
    replay->gap_ns += gap_ns;
    replay->gap_noted = at;
}

static void read_assurance_note(struct pa_replay *replay, struct note *note) {
    char level[16] = "";
    read_text(note, "level", level, sizeof level);
    const struct pa_declaration *declaration = &replay->facts->declaration;
    bool is_one_party = memcmp(declaration->witness_key, declaration->prover_key,
                               sizeof declaration->witness_key) == 0;
    if (strcmp(level, "self") == 0)
        return;
    if (strcmp(level, "witnessed") != 0)
        note_wrong(note, "level", "self or witnessed");
    else if (is_one_party)
        note_wrong(note, "level", "self, because witness and prover have one key");
    else
        replay->facts->assurance = PA_ASSURANCE_WITNESSED;
}

/* What the measuring side found by itself; the judgement repeats it. */
static void read_finding_note(struct pa_replay *replay, struct note *note) {
    char code[32] = "", severity[16] = "", text[256];
    read_text(note, "code", code, sizeof code);
    read_text(note, "severity", severity, sizeof severity);
    read_text(note, "text", text, sizeof text);
    if (code[0] == '\0' || code[strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_")] != '\0')
        note_wrong(note, "code", "capital letters");
    if (strcmp(severity, "info") != 0 && strcmp(severity, "warning") != 0 &&
        strcmp(severity, "critical") != 0)
        note_wrong(note, "severity", "info, warning or critical");
    bool is_of_memory =
        strcmp(code, "MEMORY_PROOF_FAILED") == 0 && json_object_get(note->json, "device") != NULL;
    struct pa_fact_device *device = is_of_memory ? read_device(replay, note) : NULL;
    if (device != NULL)
        device->memory.has_failed = true;
}

/* The witness's register knows the device from another site (docs/register.md). */
static void read_elsewhere_note(struct pa_replay *replay, struct note *note) {
    char identity[16] = "";
    (void)read_device(replay, note);
    (void)read_whole(note, "gap_s", INT64_MAX / 4);
    (void)read_whole(note, "limit_s", INT64_MAX / 4);
    read_text(note, "identity", identity, sizeof identity);
}

static int read_kind(struct pa_replay *replay, struct note *note, const struct pa_record *record,
                     struct pa_instant at, struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    const char *kind = note->kind;
    if (strcmp(kind, "claim") == 0)
        return read_file_note(replay, note, &facts->declaration.claim, &facts->claim_text,
                              &facts->claim_bytes, error);
    if (strcmp(kind, "policy") == 0)
        return read_file_note(replay, note, &facts->declaration.policy, &facts->policy_text,
                              &facts->policy_bytes, error);
    if (strcmp(kind, "allreduce") == 0)
        return read_allreduce_note(replay, note, error);
    if (strcmp(kind, "coupled") == 0)
        return pa_replay_coupled_note(replay, note->json, note->wrong);
    if (strcmp(kind, "memory") == 0)
        return read_memory_note(replay, note, error);
    if (strcmp(kind, "attestation") == 0)
        return read_attestation_note(replay, note, error);
    if (strcmp(kind, "abort") == 0)
        return read_abort_note(replay, note, record);
    if (strcmp(kind, "meter") == 0 || strcmp(kind, "meter_end") == 0)
        return pa_replay_meter_note(replay, kind, note->json, note->wrong, error);
    if (strcmp(kind, "watermark") == 0)
        return pa_replay_watermark_note(replay, note->json, at, note->wrong, error);
    if (strcmp(kind, "suspend") == 0)
        return pa_replay_suspend_note(replay, record, note->json, note->wrong);
    if (strcmp(kind, "boottime") == 0)
        return pa_replay_boottime_note(replay, record, note->json, note->wrong);
    if (strcmp(kind, "sample") == 0)
        return pa_replay_sample_note(replay, note->json, note->wrong, error);
    if (strcmp(kind, "device") == 0)
        read_device_note(replay, note);
    else if (strcmp(kind, "telemetry") == 0)
        read_telemetry_note(replay, note);
    else if (strcmp(kind, "raw") == 0)
        read_raw_note(replay, note);
    else if (strcmp(kind, "lost") == 0)
        read_lost_note(replay, note);
    else if (strcmp(kind, "interruption") == 0)
        read_interruption_note(replay, note, at);
    else if (strcmp(kind, "elsewhere") == 0)
        read_elsewhere_note(replay, note);
    else if (strcmp(kind, "assurance") == 0)
        read_assurance_note(replay, note);
    else if (strcmp(kind, "finding") == 0)
        read_finding_note(replay, note);
    else if (strcmp(kind, "test_build") == 0) {
        read_text(note, "reason", facts->test_build, sizeof facts->test_build);
        facts->is_test_build = true;
    }
    return PA_OK;
}

/* Kinds of which there is one for each device or epoch, or more: what is in them is in the facts,
 * and beside these they would be most of what a judge's memory holds. */
static bool is_kept(const char *kind) {
    static const char *const read_out[] = {"boottime", "calibration", "device",
                                           "memory",   "raw",         "telemetry"};
    for (size_t i = 0; kind != NULL && i < sizeof read_out / sizeof read_out[0]; i++)
        if (strcmp(kind, read_out[i]) == 0)
            return false;
    return true;
}

int pa_replay_note(struct pa_replay *replay, const struct pa_record *record,
                   struct pa_error *error) {
    struct pa_note_record raw;
    PA_TRY(pa_record_note(record, &raw, error));
    json_error_t cause;
    json_t *json = json_loadb(raw.json, raw.json_bytes, JSON_REJECT_DUPLICATES, &cause);
    if (!json_is_object(json)) {
        json_decref(json);
        return pa_replay_broken(replay, "a note is not a JSON object");
    }
    struct note note = {.json = json,
                        .kind = json_string_value(json_object_get(json, "kind")),
                        .epoch = record->epoch,
                        .at = raw.at};
    int code = PA_OK;
    if (note.kind == NULL)
        note_wrong(&note, "kind", "text");
    else
        code = read_kind(replay, &note, record, raw.at, error);
    if (note.wrong[0] != '\0') {
        char kind[32];
        pa_printable(kind, sizeof kind, note.kind == NULL ? "" : note.kind);
        pa_replay_broken(replay, "in a note of the kind \"%s\" %s", kind, note.wrong);
    }
    if (note.kind != NULL &&
        (strcmp(note.kind, "raw") == 0 || strcmp(note.kind, "allreduce") == 0 ||
         strcmp(note.kind, "coupled") == 0)) {
        replay->measured_at = raw.at;
        replay->measured_segment = replay->interruptions;
    }
    if (code == PA_OK && note.kind != NULL && strcmp(note.kind, "telemetry") == 0)
        code = pa_replay_told_note(replay, record->epoch, json, error);
    if (!is_kept(note.kind)) {
        json_decref(json);
        return code;
    }
    json_object_set_new(json, "utc_ns", json_integer((json_int_t)raw.at.utc_ns));
    if (record->epoch != PA_NO_EPOCH)
        json_object_set_new(json, "epoch", json_integer((json_int_t)record->epoch));
    if (json_array_append_new(replay->facts->notes, json) != 0)
        return pa_fail(error, PA_EMEMORY, "reading a note: out of memory");
    return code;
}
