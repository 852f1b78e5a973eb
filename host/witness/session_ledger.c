/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/session_ledger.h"

#include "witness/tail_list.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pa_ledger_close(struct pa_ledger *ledger, uint64_t epoch, const struct pa_hash *nonce,
                    const struct pa_hash *key, const struct pa_hash *root,
                    const struct pa_tail *tails, struct pa_error *error) {
    uint32_t devices = ledger->declaration.device_count;
    struct pa_ledger_epoch *grown =
        realloc(ledger->closed, ((size_t)ledger->closed_count + 1) * sizeof *ledger->closed);
    if (grown == NULL)
        return pa_fail(error, PA_EMEMORY, "closing epoch %llu: out of memory",
                       (unsigned long long)epoch);
    ledger->closed = grown;
    struct pa_ledger_epoch *entry = &grown[ledger->closed_count];
    *entry = (struct pa_ledger_epoch){
        .number = epoch, .kind = ledger->kind, .nonce = *nonce, .key = *key, .root = *root};
    entry->tails = calloc(devices, sizeof *entry->tails);
    if (entry->tails == NULL)
        return pa_fail(error, PA_EMEMORY, "closing epoch %llu: out of memory",
                       (unsigned long long)epoch);
    memcpy(entry->tails, tails, devices * sizeof *tails);
    ledger->closed_count++;
    ledger->is_challenged = false;
    return PA_OK;
}

void pa_ledger_declared(struct pa_ledger *ledger) {
    pa_schedule_begin(&ledger->schedule, &ledger->declaration);
    pa_allowance_begin(&ledger->allowance, &ledger->declaration);
}

void pa_ledger_challenge(struct pa_ledger *ledger, uint64_t epoch, const struct pa_hash *nonce) {
    ledger->nonce = *nonce;
    ledger->kind = pa_schedule_draw(&ledger->schedule, nonce);
    ledger->next_epoch = epoch + 1;
    ledger->is_challenged = true;
    ledger->drawn++;
}

uint64_t pa_ledger_gap(const struct pa_ledger *ledger, const struct pa_instant *now,
                       const char *boot_id) {
    const struct pa_instant *last = &ledger->last_close;
    if (ledger->closed_count == 0)
        return 0;
    if (strcmp(boot_id, ledger->boot_id) == 0)
        return now->raw_ns > last->raw_ns ? now->raw_ns - last->raw_ns : 0;
    return now->utc_ns > last->utc_ns ? now->utc_ns - last->utc_ns : 0;
}

struct pa_ledger_epoch *pa_ledger_find(struct pa_ledger *ledger, uint64_t epoch) {
    for (uint32_t i = ledger->closed_count; i-- > 0;)
        if (ledger->closed[i].number == epoch)
            return &ledger->closed[i];
    return NULL;
}

/* What a ROOT and LIST left until the KEY of the same epoch completes them. */
struct reading {
    struct pa_ledger *ledger;
    struct pa_hash root;
    struct pa_instant closed_at;
    struct pa_tail *tails;
    bool has_root, has_list;
};

static int read_session(struct reading *reading, const struct pa_record *record,
                        struct pa_error *error) {
    struct pa_ledger *ledger = reading->ledger;
    struct pa_session_record session;
    PA_TRY(pa_record_session(record, &session, error));
    PA_TRY(pa_declaration_read(&ledger->declaration, session.declaration, session.declaration_bytes,
                               error));
    pa_declaration_session(&ledger->session, session.declaration, session.declaration_bytes);
    pa_ledger_declared(ledger);
    ledger->is_declared = true;
    reading->tails = calloc(ledger->declaration.device_count, sizeof *reading->tails);
    return reading->tails != NULL ? PA_OK
                                  : pa_fail(error, PA_EMEMORY, "reading a session: out of memory");
}

static int read_nonce(struct reading *reading, const struct pa_record *record,
                      struct pa_error *error) {
    struct pa_nonce_record nonce;
    PA_TRY(pa_record_nonce(record, &nonce, error));
    if (record->epoch < reading->ledger->next_epoch)
        return pa_fail(error, PA_EINVALID, "epoch %llu was challenged twice",
                       (unsigned long long)record->epoch);
    struct pa_hash drawn;
    memcpy(drawn.bytes, nonce.nonce, PA_HASH_BYTES);
    pa_ledger_challenge(reading->ledger, record->epoch, &drawn);
    reading->has_root = reading->has_list = false;
    return PA_OK;
}

static int read_root(struct reading *reading, const struct pa_record *record,
                     struct pa_error *error) {
    struct pa_root_record root;
    PA_TRY(pa_record_root(record, &root, error));
    memcpy(reading->root.bytes, root.root, PA_HASH_BYTES);
    reading->closed_at = root.at;
    reading->has_root = true;
    return PA_OK;
}

static int read_list(struct reading *reading, const struct pa_record *record,
                     struct pa_error *error) {
    struct pa_list_record list;
    PA_TRY(pa_record_list(record, &list, error));
    if (list.count != reading->ledger->declaration.device_count)
        return pa_fail(error, PA_EINVALID,
                       "the list of epoch %llu has %u devices, %u were declared",
                       (unsigned long long)record->epoch, list.count,
                       reading->ledger->declaration.device_count);
    for (uint32_t d = 0; d < list.count; d++)
        reading->tails[d] = pa_tail_list_at(&list, d);
    reading->has_list = true;
    return PA_OK;
}

static int read_key(struct reading *reading, const struct pa_record *record,
                    struct pa_error *error) {
    struct pa_ledger *ledger = reading->ledger;
    struct pa_key_record record_key;
    struct pa_hash key;
    PA_TRY(pa_record_key(record, &record_key, error));
    memcpy(key.bytes, record_key.key, PA_HASH_BYTES);
    if (!ledger->is_challenged || !reading->has_root || !reading->has_list ||
        record->epoch + 1 != ledger->next_epoch)
        return pa_fail(error, PA_EINVALID,
                       "the key of epoch %llu was revealed before its root and list",
                       (unsigned long long)record->epoch);
    PA_TRY(pa_ledger_close(ledger, record->epoch, &ledger->nonce, &key, &reading->root,
                           reading->tails, error));
    ledger->last_close = reading->closed_at;
    return PA_OK;
}

static int read_opening(struct reading *reading, const struct pa_record *record,
                        struct pa_error *error) {
    struct pa_opening_record opening;
    struct pa_ledger_epoch *epoch = pa_ledger_find(reading->ledger, record->epoch);
    PA_TRY(pa_record_opening(record, &opening, error));
    if (epoch == NULL || opening.j != epoch->opened)
        return pa_fail(error, PA_EINVALID, "opening %u of epoch %llu is out of order", opening.j,
                       (unsigned long long)record->epoch);
    epoch->opened++;
    return PA_OK;
}

/* A half-bit that an earlier process told. */
static int read_watermark(struct pa_ledger *ledger, const json_t *note, struct pa_error *error) {
    const json_t *half = json_object_get(note, "half");
    const char *level = json_string_value(json_object_get(note, "level"));
    json_int_t bits = json_integer_value(json_object_get(note, "bits"));
    json_int_t half_ns = json_integer_value(json_object_get(note, "half_ns"));
    json_int_t settle_ns = json_integer_value(json_object_get(note, "settle_ns"));
    if (level == NULL || json_integer_value(half) != (json_int_t)ledger->watermark_told ||
        bits < 1 || bits > UINT32_MAX / 2 || half_ns < 1 || settle_ns < 0)
        return pa_fail(error, PA_EINVALID, "a half-bit of the watermark is out of order");
    ledger->watermark_bits = (uint32_t)bits;
    ledger->watermark_half_ns = (uint64_t)half_ns;
    ledger->watermark_settle_ns = (uint64_t)settle_ns;
    ledger->watermark_was_on = strcmp(level, "on") == 0;
    ledger->watermark_told++;
    return PA_OK;
}

/* The key that an earlier process drew: there is no second draw. */
static int read_sample(struct pa_ledger *ledger, const json_t *note, struct pa_error *error) {
    const char *key = json_string_value(json_object_get(note, "key"));
    if (key == NULL || ledger->has_sample ||
        !pa_unhex(ledger->sample_key.bytes, PA_HASH_BYTES, key))
        return pa_fail(error, PA_EINVALID, "the choice of devices is not one");
    ledger->has_sample = true;
    return PA_OK;
}

static int read_note(struct reading *reading, const struct pa_record *record,
                     struct pa_error *error) {
    struct pa_note_record note;
    PA_TRY(pa_record_note(record, &note, error));
    json_t *content = json_loadb(note.json, note.json_bytes, JSON_REJECT_DUPLICATES, NULL);
    const char *kind = json_string_value(json_object_get(content, "kind"));
    const char *boot_id = json_string_value(json_object_get(content, "boot_id"));
    if (kind != NULL && strcmp(kind, "interruption") == 0)
        reading->ledger->interruptions++;
    else if (kind != NULL && strcmp(kind, "abort") == 0 &&
             record->epoch + 1 == reading->ledger->next_epoch)
        reading->ledger->is_challenged = false;
    else if (kind != NULL && strcmp(kind, "witness") == 0)
        snprintf(reading->ledger->boot_id, sizeof reading->ledger->boot_id, "%.*s",
                 PA_BOOT_ID_BYTES - 1, boot_id != NULL ? boot_id : "");
    int code = PA_OK;
    if (kind != NULL && strcmp(kind, "watermark") == 0)
        code = read_watermark(reading->ledger, content, error);
    else if (kind != NULL && strcmp(kind, "sample") == 0)
        code = read_sample(reading->ledger, content, error);
    json_decref(content);
    return code;
}

static int read_record(void *context, uint64_t index, const struct pa_record *record,
                       const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    struct reading *reading = context;
    (void)before;
    if ((index == 1) != (record->type == PA_RECORD_SESSION))
        return pa_fail(error, PA_EINVALID,
                       "record %llu is a %s: a session has one SESSION record, its first",
                       (unsigned long long)index, pa_record_type_name(record->type));
    struct pa_ledger_epoch *settled;
    if (record->type == PA_RECORD_NOTE || record->type == PA_RECORD_POWER)
        reading->ledger->told_bytes += pa_allowance_record(record->length);
    switch (record->type) {
    case PA_RECORD_SESSION:
        return read_session(reading, record, error);
    case PA_RECORD_NONCE:
        return read_nonce(reading, record, error);
    case PA_RECORD_ROOT:
        return read_root(reading, record, error);
    case PA_RECORD_LIST:
        return read_list(reading, record, error);
    case PA_RECORD_KEY:
        return read_key(reading, record, error);
    case PA_RECORD_OPENING:
        return read_opening(reading, record, error);
    case PA_RECORD_RESULT:
        settled = pa_ledger_find(reading->ledger, record->epoch);
        if (settled != NULL)
            settled->is_settled = true;
        return PA_OK;
    case PA_RECORD_FABRIC:
        reading->ledger->has_fabric = true;
        return PA_OK;
    case PA_RECORD_NOTE:
        return read_note(reading, record, error);
    case PA_RECORD_SIGNATURE:
        reading->ledger->is_finished = true;
        return PA_OK;
    default:
        return PA_OK;
    }
}

int pa_ledger_read(struct pa_store *store, struct pa_ledger *out, struct pa_error *error) {
    *out = (struct pa_ledger){0};
    struct reading reading = {.ledger = out};
    int code = pa_store_each(store, read_record, &reading, error);
    free(reading.tails);
    if (code == PA_OK && !out->is_declared)
        code = pa_fail(error, PA_EINVALID, "the evidence holds no session");
    if (code != PA_OK)
        pa_ledger_free(out);
    return code;
}

int pa_ledger_copy(const struct pa_ledger *ledger, struct pa_ledger *out, struct pa_error *error) {
    *out = *ledger;
    out->closed = NULL;
    out->closed_count = 0;
    int code = pa_declaration_copy(&ledger->declaration, &out->declaration, error);
    for (uint32_t i = 0; code == PA_OK && i < ledger->closed_count; i++) {
        const struct pa_ledger_epoch *epoch = &ledger->closed[i];
        code = pa_ledger_close(out, epoch->number, &epoch->nonce, &epoch->key, &epoch->root,
                               epoch->tails, error);
        if (code == PA_OK) {
            out->closed[i].opened = epoch->opened;
            out->closed[i].is_settled = epoch->is_settled;
            out->closed[i].kind = epoch->kind;
        }
    }
    out->is_challenged = ledger->is_challenged;
    if (code != PA_OK)
        pa_ledger_free(out);
    return code;
}

void pa_ledger_free(struct pa_ledger *ledger) {
    for (uint32_t i = 0; i < ledger->closed_count; i++)
        free(ledger->closed[i].tails);
    free(ledger->closed);
    pa_declaration_free(&ledger->declaration);
    *ledger = (struct pa_ledger){0};
}
