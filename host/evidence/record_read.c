/* SPDX-License-Identifier: Apache-2.0 */
/* record_read.c - the one strict parser of transcript records. Whatever it accepts, record_write.c
 * writes back byte for byte. */
#include "evidence/record.h"

#include <string.h>

/* Signatures are at most 72 bytes of DER; the least is 8. */
enum { LEAST_SIGNATURE = 8, MOST_SIGNATURE = 72, MOST_REASON = PA_ERROR_TEXT_BYTES };

/* Nanoseconds beyond this are no uptime and no date (292 years), and would overflow differences. */
#define MOST_TIME_NS ((uint64_t)INT64_MAX)

static const struct {
    const char *name;
    uint32_t least_bytes; /* of the payload */
    bool has_epoch;       /* starts with u64 epoch, and a real one; NOTE may say PA_NO_EPOCH */
} kinds[] = {
    [PA_RECORD_SESSION] = {"SESSION", 16 + 4 + 2 * (2 + LEAST_SIGNATURE), false},
    [PA_RECORD_NONCE] = {"NONCE", 8 + 16 + 32, true},
    [PA_RECORD_ROOT] = {"ROOT", 8 + 16 + 32 + 2 + LEAST_SIGNATURE, true},
    [PA_RECORD_LIST] = {"LIST", 8 + 4 + PA_LIST_ENTRY_BYTES, true},
    [PA_RECORD_KEY] = {"KEY", 8 + 32, true},
    [PA_RECORD_OPENING] = {"OPENING", 8 + 4 + 1, true},
    [PA_RECORD_RESULT] = {"RESULT", 8 + 12, true},
    [PA_RECORD_FABRIC] = {"FABRIC", 8 + 16 + 4 + 1, false},
    [PA_RECORD_POWER] = {"POWER", 8 + 16 + 4 + 4 + PA_POWER_SAMPLE_BYTES, false},
    [PA_RECORD_NOTE] = {"NOTE", 8 + 16 + 2, false},
    [PA_RECORD_SIGNATURE] = {"SIGNATURE", 8 + 16 + 2 + LEAST_SIGNATURE, false},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

const char *pa_record_type_name(uint32_t type) {
    return type >= PA_RECORD_SESSION && type < KINDS ? kinds[type].name : "?";
}

int pa_record_view(uint32_t type, const void *payload, size_t size, struct pa_record *out,
                   struct pa_error *error) {
    if (type < PA_RECORD_SESSION || type >= KINDS)
        return pa_fail(error, PA_EINPUT, "a record of the unknown type %u", type);
    if (size > PA_RECORD_MOST_BYTES)
        return pa_fail(error, PA_EINPUT, "a %s record of %zu bytes: at most %d are allowed",
                       kinds[type].name, size, PA_RECORD_MOST_BYTES);
    if (size < kinds[type].least_bytes)
        return pa_fail(error, PA_EINPUT, "a %s record of %zu bytes: it has at least %u",
                       kinds[type].name, size, kinds[type].least_bytes);
    *out = (struct pa_record){.type = (enum pa_record_type)type,
                              .epoch = type == PA_RECORD_SESSION ? PA_NO_EPOCH : pa_le64(payload),
                              .payload = payload,
                              .length = (uint32_t)size};
    bool is_real = out->epoch < PA_EPOCH_NUMBER_END;
    if (kinds[type].has_epoch ? !is_real : !is_real && out->epoch != PA_NO_EPOCH)
        return pa_fail(error, PA_EINPUT, "a %s record of the impossible epoch %llu",
                       kinds[type].name, (unsigned long long)out->epoch);
    return PA_OK;
}

int pa_record_next(struct pa_reader *reader, struct pa_record *out, struct pa_error *error) {
    size_t left = reader->left;
    uint32_t type = pa_read_u32(reader);
    uint32_t length = pa_read_u32(reader);
    const uint8_t *payload = pa_read_view(reader, length);
    if (payload == NULL)
        return pa_fail(error, PA_EINPUT, "a record is cut off: %zu bytes are left", left);
    return pa_record_view(type, payload, length, out, error);
}

static struct pa_reader payload_reader(const struct pa_record *record) {
    struct pa_reader reader = pa_reader_over(record->payload, record->length);
    if (record->type != PA_RECORD_SESSION)
        pa_read_u64(&reader);
    return reader;
}

static struct pa_instant read_instant(struct pa_reader *reader) {
    struct pa_instant at = {.raw_ns = pa_read_u64(reader), .utc_ns = pa_read_u64(reader)};
    if (at.raw_ns > MOST_TIME_NS || at.utc_ns > MOST_TIME_NS)
        reader->failed = true;
    return at;
}

static void read_signature(struct pa_reader *reader, struct pa_signature *out) {
    memset(out, 0, sizeof *out);
    out->length = pa_read_u16(reader);
    if (out->length < LEAST_SIGNATURE || out->length > MOST_SIGNATURE) {
        out->length = 0;
        reader->failed = true;
        return;
    }
    pa_read_bytes(reader, out->bytes, out->length);
}

static int expect(const struct pa_record *record, enum pa_record_type type,
                  struct pa_error *error) {
    if (record->type == type)
        return PA_OK;
    return pa_fail(error, PA_EINPUT, "a %s record where a %s record is expected",
                   pa_record_type_name(record->type), pa_record_type_name(type));
}

static int finish(const struct pa_record *record, const struct pa_reader *reader,
                  struct pa_error *error) {
    if (pa_reader_done(reader))
        return PA_OK;
    return pa_fail(error, PA_EINPUT, "a malformed %s record of %u bytes",
                   pa_record_type_name(record->type), record->length);
}

int pa_record_session(const struct pa_record *record, struct pa_session_record *out,
                      struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_SESSION, error));
    struct pa_reader reader = payload_reader(record);
    out->at = read_instant(&reader);
    out->declaration_bytes = pa_read_u32(&reader);
    out->declaration = pa_read_view(&reader, out->declaration_bytes);
    read_signature(&reader, &out->witness);
    read_signature(&reader, &out->prover);
    return finish(record, &reader, error);
}

int pa_record_nonce(const struct pa_record *record, struct pa_nonce_record *out,
                    struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_NONCE, error));
    struct pa_reader reader = payload_reader(record);
    out->at = read_instant(&reader);
    pa_read_bytes(&reader, out->nonce, sizeof out->nonce);
    return finish(record, &reader, error);
}

int pa_record_root(const struct pa_record *record, struct pa_root_record *out,
                   struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_ROOT, error));
    struct pa_reader reader = payload_reader(record);
    out->at = read_instant(&reader);
    pa_read_bytes(&reader, out->root, sizeof out->root);
    read_signature(&reader, &out->prover);
    return finish(record, &reader, error);
}

int pa_record_list(const struct pa_record *record, struct pa_list_record *out,
                   struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_LIST, error));
    struct pa_reader reader = payload_reader(record);
    out->count = pa_read_u32(&reader);
    size_t bytes;
    if (!pa_mul_size(out->count, PA_LIST_ENTRY_BYTES, &bytes))
        return pa_fail(error, PA_EINPUT, "a LIST record of %u entries", out->count);
    out->entries = pa_read_view(&reader, bytes);
    return finish(record, &reader, error);
}

int pa_record_key(const struct pa_record *record, struct pa_key_record *out,
                  struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_KEY, error));
    struct pa_reader reader = payload_reader(record);
    pa_read_bytes(&reader, out->key, sizeof out->key);
    return finish(record, &reader, error);
}

int pa_record_opening(const struct pa_record *record, struct pa_opening_record *out,
                      struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_OPENING, error));
    struct pa_reader reader = payload_reader(record);
    out->j = pa_read_u32(&reader);
    out->opening_bytes = (uint32_t)reader.left;
    out->opening = pa_read_view(&reader, reader.left);
    return finish(record, &reader, error);
}

int pa_record_result(const struct pa_record *record, struct pa_result_record *out,
                     struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_RESULT, error));
    struct pa_reader reader = payload_reader(record);
    out->drawn = pa_read_u32(&reader);
    out->failed = pa_read_u32(&reader);
    out->first_failed = pa_read_u32(&reader);
    out->reason_bytes = (uint32_t)reader.left;
    out->reason = (const char *)pa_read_view(&reader, reader.left);
    bool is_sound = out->failed == 0
                        ? out->first_failed == UINT32_MAX && out->reason_bytes == 0
                        : out->failed <= out->drawn && out->first_failed < out->drawn &&
                              out->reason_bytes > 0 && out->reason_bytes <= MOST_REASON;
    if (!is_sound)
        reader.failed = true;
    return finish(record, &reader, error);
}

struct pa_power_sample pa_power_sample_at(const struct pa_power_record *power, uint32_t index) {
    const uint8_t *bytes = power->samples + (size_t)index * PA_POWER_SAMPLE_BYTES;
    struct pa_power_sample sample = {.at = {.raw_ns = pa_le64(bytes), .utc_ns = pa_le64(bytes + 8)},
                                     .millijoules = pa_le64(bytes + 24)};
    uint64_t power_bits = pa_le64(bytes + 16);
    memcpy(&sample.milliwatts, &power_bits, sizeof sample.milliwatts);
    return sample;
}

static bool is_reading(const struct pa_power_sample *sample) {
    bool has_power = sample->milliwatts != PA_POWER_UNKNOWN;
    bool has_energy = sample->millijoules != PA_ENERGY_UNKNOWN;
    return sample->at.raw_ns <= MOST_TIME_NS && sample->at.utc_ns <= MOST_TIME_NS &&
           (has_power || has_energy) &&
           (!has_power || (sample->milliwatts >= -PA_POWER_MOST_MILLIWATTS &&
                           sample->milliwatts <= PA_POWER_MOST_MILLIWATTS)) &&
           (!has_energy || sample->millijoules <= (uint64_t)INT64_MAX);
}

/* All readings of a record are dated by one clock, and each is later than the one before. */
static bool is_later(const struct pa_power_sample *before, const struct pa_power_sample *sample) {
    if ((before->at.raw_ns == 0) != (sample->at.raw_ns == 0))
        return false;
    return sample->at.raw_ns != 0 ? sample->at.raw_ns > before->at.raw_ns
                                  : sample->at.utc_ns > before->at.utc_ns;
}

int pa_record_power(const struct pa_record *record, struct pa_power_record *out,
                    struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_POWER, error));
    struct pa_reader reader = payload_reader(record);
    out->at = read_instant(&reader);
    out->meter = pa_read_u32(&reader);
    out->count = pa_read_u32(&reader);
    if (record->epoch != PA_NO_EPOCH || out->meter >= PA_POWER_MOST_METERS || out->count == 0 ||
        out->count > PA_POWER_MOST_SAMPLES)
        return pa_fail(error, PA_EINPUT, "a malformed POWER record of %u bytes", record->length);
    out->samples = pa_read_view(&reader, (size_t)out->count * PA_POWER_SAMPLE_BYTES);
    struct pa_power_sample before = {0};
    for (uint32_t i = 0; out->samples != NULL && i < out->count; i++) {
        struct pa_power_sample sample = pa_power_sample_at(out, i);
        if (!is_reading(&sample) || (i > 0 && !is_later(&before, &sample)))
            return pa_fail(error, PA_EINPUT, "a POWER record whose reading %u cannot be", i);
        before = sample;
    }
    return finish(record, &reader, error);
}

int pa_record_fabric(const struct pa_record *record, struct pa_fabric_record *out,
                     struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_FABRIC, error));
    struct pa_reader reader = payload_reader(record);
    out->at = read_instant(&reader);
    out->stage = pa_read_u32(&reader);
    out->body_bytes = (uint32_t)reader.left;
    out->body = pa_read_view(&reader, reader.left);
    /* What a stage holds is for the proof to find. */
    if (record->epoch != PA_NO_EPOCH || out->stage == 0 || out->body_bytes == 0)
        reader.failed = true;
    return finish(record, &reader, error);
}

int pa_record_note(const struct pa_record *record, struct pa_note_record *out,
                   struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_NOTE, error));
    struct pa_reader reader = payload_reader(record);
    out->at = read_instant(&reader);
    out->json_bytes = (uint32_t)reader.left;
    out->json = (const char *)pa_read_view(&reader, reader.left);
    /* That it is JSON is for the reader of notes to find; here it only has to look like one object.
     */
    if (out->json == NULL || out->json_bytes > PA_NOTE_MOST_BYTES || out->json_bytes < 2 ||
        out->json[0] != '{' || out->json[out->json_bytes - 1] != '}' ||
        memchr(out->json, 0, out->json_bytes) != NULL)
        reader.failed = true;
    return finish(record, &reader, error);
}

int pa_record_signature(const struct pa_record *record, struct pa_signature_record *out,
                        struct pa_error *error) {
    PA_TRY(expect(record, PA_RECORD_SIGNATURE, error));
    struct pa_reader reader = payload_reader(record);
    out->at = read_instant(&reader);
    read_signature(&reader, &out->witness);
    if (record->epoch != PA_NO_EPOCH)
        reader.failed = true;
    return finish(record, &reader, error);
}

int pa_record_check(const struct pa_record *record, struct pa_instant *at, struct pa_error *error) {
    union {
        struct pa_session_record session;
        struct pa_nonce_record nonce;
        struct pa_root_record root;
        struct pa_list_record list;
        struct pa_key_record key;
        struct pa_opening_record opening;
        struct pa_result_record result;
        struct pa_power_record power;
        struct pa_fabric_record fabric;
        struct pa_note_record note;
        struct pa_signature_record signature;
    } as;
    *at = (struct pa_instant){0};
    switch (record->type) {
    case PA_RECORD_SESSION:
        PA_TRY(pa_record_session(record, &as.session, error));
        *at = as.session.at;
        return PA_OK;
    case PA_RECORD_NONCE:
        PA_TRY(pa_record_nonce(record, &as.nonce, error));
        *at = as.nonce.at;
        return PA_OK;
    case PA_RECORD_ROOT:
        PA_TRY(pa_record_root(record, &as.root, error));
        *at = as.root.at;
        return PA_OK;
    case PA_RECORD_LIST:
        return pa_record_list(record, &as.list, error);
    case PA_RECORD_KEY:
        return pa_record_key(record, &as.key, error);
    case PA_RECORD_OPENING:
        return pa_record_opening(record, &as.opening, error);
    case PA_RECORD_RESULT:
        return pa_record_result(record, &as.result, error);
    case PA_RECORD_POWER:
        PA_TRY(pa_record_power(record, &as.power, error));
        *at = as.power.at;
        return PA_OK;
    case PA_RECORD_NOTE:
        PA_TRY(pa_record_note(record, &as.note, error));
        *at = as.note.at;
        return PA_OK;
    case PA_RECORD_SIGNATURE:
        PA_TRY(pa_record_signature(record, &as.signature, error));
        *at = as.signature.at;
        return PA_OK;
    case PA_RECORD_FABRIC:
        PA_TRY(pa_record_fabric(record, &as.fabric, error));
        *at = as.fabric.at;
        return PA_OK;
    }
    return pa_fail(error, PA_EINPUT, "a record of the type %d, which cannot be read",
                   (int)record->type);
}

struct pa_list_entry pa_list_entry_at(const struct pa_list_record *list, uint32_t index) {
    const uint8_t *bytes = list->entries + (size_t)index * PA_LIST_ENTRY_BYTES;
    struct pa_list_entry entry = {.steps = pa_le64(bytes)};
    memcpy(entry.last, bytes + 8, sizeof entry.last);
    memcpy(entry.tree, bytes + 40, sizeof entry.tree);
    return entry;
}
