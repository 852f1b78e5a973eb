/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/device_register.h"

#include "base/file.h"
#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_BYTES = 512, DEFAULT_MOVE_HOURS = 24 };
static const double most_move_hours = 24 * 366;
static const uint64_t second_ns = UINT64_C(1000000000);

void pa_register_hash(struct pa_hash *out, const struct pa_hash *key, const char *kind,
                      const char *text) {
    struct pa_hash inner;
    const struct pa_piece first[] = {
        {key->bytes, PA_HASH_BYTES}, {kind, strlen(kind) + 1}, {text, strlen(text)}};
    pa_hash_pieces(&inner, "register", first, 3);
    const struct pa_piece second[] = {{key->bytes, PA_HASH_BYTES}, {inner.bytes, PA_HASH_BYTES}};
    pa_hash_pieces(out, "register", second, 2);
}

void pa_register_key_id(uint8_t out[8], const struct pa_hash *key) {
    struct pa_hash hash;
    pa_hash_bytes(&hash, "register key", key->bytes, PA_HASH_BYTES);
    memcpy(out, hash.bytes, 8);
}

static int make_key(const char *path, struct pa_hash *out, struct pa_error *error) {
    char digits[2 * PA_HASH_BYTES + 2];
    if (RAND_priv_bytes(out->bytes, PA_HASH_BYTES) != 1)
        return pa_fail(error, PA_EINTERNAL,
                       "drawing the register's key: the system's random numbers are not available");
    pa_hex(digits, out->bytes, PA_HASH_BYTES);
    memcpy(digits + 2 * PA_HASH_BYTES, "\n", 2);
    int code = pa_file_write(path, digits, 2 * PA_HASH_BYTES + 1, 0600, error);
    OPENSSL_cleanse(digits, sizeof digits);
    return code;
}

int pa_register_key(const char *store, struct pa_hash *out, struct pa_error *error) {
    char path[PATH_MAX], digits[2 * PA_HASH_BYTES + 1] = "";
    struct pa_buffer content = {0};
    struct stat facts;
    PA_TRY(pa_path_join(path, store, "register.key", error));
    if (lstat(path, &facts) != 0 && errno == ENOENT)
        return make_key(path, out, error);
    int code = pa_file_read(path, 256, &content, error);
    if (code == PA_OK && content.size == 2 * PA_HASH_BYTES + 1 &&
        content.data[2 * PA_HASH_BYTES] == '\n')
        memcpy(digits, content.data, 2 * PA_HASH_BYTES);
    if (code == PA_OK && !pa_unhex(out->bytes, PA_HASH_BYTES, digits))
        code = pa_fail(error, PA_EINPUT, "%s is damaged: expected 64 hexadecimal digits", path);
    if (code == PA_OK && stat(path, &facts) == 0 && (facts.st_mode & 077) != 0)
        code = pa_fail(error, PA_EINPUT, "%s: others than its owner may use it; run \"chmod 600\"",
                       path);
    if (content.data != NULL)
        OPENSSL_cleanse(content.data, content.capacity);
    OPENSSL_cleanse(digits, sizeof digits);
    pa_buffer_free(&content);
    return code;
}

uint64_t pa_register_move_s(void) {
    const char *text = getenv("PETAUDIT_MOVE_HOURS");
    double hours = DEFAULT_MOVE_HOURS;
    if (text != NULL && pa_decimal_parse(text, 0, most_move_hours, &hours, NULL) != PA_OK)
        hours = DEFAULT_MOVE_HOURS;
    return (uint64_t)(hours * 3600);
}

uint64_t pa_sighting_gap(const struct pa_sighting *a, const struct pa_sighting *b) {
    if (a->kind == PA_IDENTITY_PLACE || a->kind != b->kind ||
        !pa_hash_equal(&a->identity, &b->identity) || pa_hash_equal(&a->site, &b->site))
        return UINT64_MAX;
    if (a->from_s > b->to_s)
        return a->from_s - b->to_s;
    return b->from_s > a->to_s ? b->from_s - a->to_s : 0;
}

/* What a transcript tells of devices, as it is walked. */
struct reading {
    const struct pa_hash *key;
    struct pa_sightings *out;
    struct pa_sighting whole; /* site, session and time */
    struct pa_declaration declaration;
};

static int add_identity(struct reading *reading, enum pa_identity_kind kind, const char *text,
                        uint32_t device, struct pa_error *error) {
    struct pa_sighting sighting = reading->whole;
    sighting.kind = kind;
    sighting.device = device;
    pa_register_hash(&sighting.identity, reading->key, pa_identity_kind_name(kind), text);
    return pa_sightings_add(reading->out, &sighting, error);
}

static const char *text_of(const json_t *note, const char *name) {
    const char *text = json_string_value(json_object_get(note, name));
    return text != NULL ? text : "";
}

/* A UUID and a serial number go with the device; host, slot and model stay where they are. */
static int read_device(struct reading *reading, const json_t *note, struct pa_error *error) {
    uint32_t device = (uint32_t)json_integer_value(json_object_get(note, "device"));
    const char *id = text_of(note, "id"), *serial = text_of(note, "serial");
    char text[TEXT_BYTES];
    bool is_uuid = strncmp(id, "GPU-", 4) == 0 || strncmp(id, "MIG-", 4) == 0;
    if (json_is_true(json_object_get(note, "emulated")))
        return PA_OK;
    if (is_uuid)
        PA_TRY(add_identity(reading, PA_IDENTITY_UUID, id, device, error));
    snprintf(text, sizeof text, "%.60s|%.100s", text_of(note, "vendor"), serial);
    if (serial[0] != '\0')
        PA_TRY(add_identity(reading, PA_IDENTITY_SERIAL, text, device, error));
    if (is_uuid || serial[0] != '\0')
        return PA_OK;
    snprintf(text, sizeof text, "%.100s|%.100s|%.150s", text_of(note, "host"),
             text_of(note, "bus")[0] != '\0' ? text_of(note, "bus") : id, text_of(note, "name"));
    return add_identity(reading, PA_IDENTITY_PLACE, text, device, error);
}

static int read_session(struct reading *reading, const struct pa_record *record,
                        struct pa_error *error) {
    struct pa_session_record session;
    PA_TRY(pa_record_session(record, &session, error));
    PA_TRY(pa_declaration_read(&reading->declaration, session.declaration,
                               session.declaration_bytes, error));
    pa_declaration_session(&reading->whole.session, session.declaration, session.declaration_bytes);
    pa_register_hash(&reading->whole.site, reading->key, "site", reading->declaration.site);
    return PA_OK;
}

static int read_record(void *context, uint64_t index, const struct pa_record *record,
                       const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error) {
    struct reading *reading = context;
    struct pa_note_record note;
    struct pa_instant at = {0};
    (void)before;
    PA_TRY(pa_record_check(record, &at, error));
    if (index == 1)
        reading->whole.from_s = at.utc_ns / second_ns;
    if (at.utc_ns / second_ns > reading->whole.to_s)
        reading->whole.to_s = at.utc_ns / second_ns;
    if (record->type == PA_RECORD_SESSION)
        return read_session(reading, record, error);
    if (record->type != PA_RECORD_NOTE)
        return PA_OK;
    PA_TRY(pa_record_note(record, &note, error));
    json_t *content = json_loadb(note.json, note.json_bytes, JSON_REJECT_DUPLICATES, NULL);
    int code = strcmp(text_of(content, "kind"), "device") == 0
                   ? read_device(reading, content, error)
                   : PA_OK;
    json_decref(content);
    return code;
}

int pa_register_session(struct pa_store *evidence, const struct pa_hash *key,
                        struct pa_sightings *out, struct pa_error *error) {
    struct reading reading = {.key = key, .out = out};
    uint32_t first = out->count;
    int code = pa_store_each(evidence, read_record, &reading, error);
    pa_declaration_free(&reading.declaration);
    /* When the devices were told, the session had not ended yet. */
    for (uint32_t i = first; i < out->count; i++) {
        out->each[i].from_s = reading.whole.from_s;
        out->each[i].to_s = reading.whole.to_s;
    }
    return code;
}

static int read_file(const char *path, struct pa_sightings *into, struct pa_sightings *all,
                     struct pa_error *error) {
    struct pa_buffer content = {0};
    struct pa_sightings found = {0};
    uint8_t key_id[8], witness[PA_PUBLIC_KEY_BYTES];
    int code = pa_file_read(path, PA_REGISTER_MOST_BYTES, &content, error);
    if (code == PA_OK)
        code = pa_register_read(path, content.data, content.size, key_id, witness, &found, error);
    for (uint32_t i = 0; code == PA_OK && i < found.count; i++) {
        if (into != NULL)
            code = pa_sightings_add(into, &found.each[i], error);
        if (code == PA_OK)
            code = pa_sightings_add(all, &found.each[i], error);
    }
    pa_sightings_free(&found);
    pa_buffer_free(&content);
    return code;
}

static int read_imports(const char *folder, struct pa_sightings *all, struct pa_error *error) {
    char path[PATH_MAX];
    int code = PA_OK;
    DIR *open = opendir(folder);
    if (open == NULL)
        return errno == ENOENT
                   ? PA_OK
                   : pa_fail(error, PA_ENOINPUT, "reading %s: %s", folder, strerror(errno));
    for (struct dirent *entry = readdir(open); code == PA_OK && entry != NULL;
         entry = readdir(open)) {
        if (strspn(entry->d_name, "0123456789abcdef") != 16 || strlen(entry->d_name) != 16)
            continue;
        code = pa_path_join(path, folder, entry->d_name, error);
        if (code == PA_OK)
            code = read_file(path, NULL, all, error);
    }
    closedir(open);
    return code;
}

int pa_register_load(const char *store, struct pa_sightings *own, struct pa_sightings *all,
                     struct pa_error *error) {
    char path[PATH_MAX];
    PA_TRY(pa_path_join(path, store, "devices", error));
    if (access(path, F_OK) == 0)
        PA_TRY(read_file(path, own, all, error));
    PA_TRY(pa_path_join(path, store, "imports", error));
    return read_imports(path, all, error);
}

static uint64_t nearest_elsewhere(const struct pa_sightings *all,
                                  const struct pa_sighting *sighting) {
    uint64_t nearest = UINT64_MAX;
    for (uint32_t i = pa_sightings_first(all, &sighting->identity);
         i < all->count && pa_hash_equal(&all->each[i].identity, &sighting->identity); i++) {
        uint64_t gap = pa_sighting_gap(sighting, &all->each[i]);
        nearest = gap < nearest ? gap : nearest;
    }
    return nearest;
}

/* One note for each device that was at another site too near in time; the nearest counts. */
static void put_notes(struct pa_sightings *session, struct pa_sightings *all,
                      struct pa_buffer *notes) {
    uint64_t limit_s = pa_register_move_s();
    pa_sightings_sort(all);
    pa_sightings_sort(session);
    for (uint32_t i = 0; i < session->count; i++) {
        uint64_t nearest = nearest_elsewhere(all, &session->each[i]);
        if (nearest < limit_s)
            pa_buffer_format(notes,
                             "{\"device\":%u,\"gap_s\":%llu,\"identity\":\"%s\",\"kind\":"
                             "\"elsewhere\",\"limit_s\":%llu}\n",
                             session->each[i].device, (unsigned long long)nearest,
                             pa_identity_kind_name(session->each[i].kind),
                             (unsigned long long)limit_s);
    }
}

uint32_t pa_register_pairs(struct pa_sightings *all, uint64_t limit_s, struct pa_buffer *out) {
    uint32_t pairs = 0;
    pa_sightings_sort(all);
    for (uint32_t i = 0; i < all->count; i++)
        for (uint32_t k = i + 1;
             k < all->count && pa_hash_equal(&all->each[k].identity, &all->each[i].identity); k++) {
            uint64_t gap = pa_sighting_gap(&all->each[i], &all->each[k]);
            char identity[17], first[17], second[17];
            if (gap >= limit_s)
                continue;
            pa_hex(identity, all->each[i].identity.bytes, 8);
            pa_hex(first, all->each[i].session.bytes, 8);
            pa_hex(second, all->each[k].session.bytes, 8);
            pa_buffer_format(out, "elsewhere %s %s sessions %s %s gap_s %llu\n",
                             pa_identity_kind_name(all->each[i].kind), identity, first, second,
                             (unsigned long long)gap);
            pairs++;
        }
    return pairs;
}

static int enter(const char *store, const struct pa_hash *key, const struct pa_key *signer,
                 struct pa_store *evidence, struct pa_buffer *notes, struct pa_error *error) {
    struct pa_sightings own = {0}, all = {0}, session = {0};
    struct pa_buffer file = {0};
    char path[PATH_MAX];
    bool is_full = false;
    int code = pa_path_join(path, store, "devices", error);
    if (code == PA_OK)
        code = pa_register_session(evidence, key, &session, error);
    if (code == PA_OK)
        code = pa_register_load(store, &own, &all, error);
    if (code == PA_OK)
        put_notes(&session, &all, notes);
    if (code == PA_OK)
        code = pa_sightings_join(&own, &session, &is_full, notes, error);
    if (code == PA_OK && !is_full)
        code = pa_register_write(&own, key, signer, &file, error);
    if (code == PA_OK && !is_full)
        code = pa_file_write(path, file.data, file.size, 0600, error);
    pa_buffer_free(&file);
    pa_sightings_free(&own);
    pa_sightings_free(&all);
    pa_sightings_free(&session);
    return code;
}

/* The lock of a store's register, or -1. */
static int lock_register(const char *store, struct pa_error *error) {
    char path[PATH_MAX];
    if (pa_path_join(path, store, "devices.lock", error) != PA_OK)
        return -1;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || flock(file, LOCK_EX) != 0) {
        pa_fail(error, PA_EWRITE, "locking the register of devices %s: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
        return -1;
    }
    return file;
}

int pa_register_enter(const char *store, const struct pa_key *signer, struct pa_store *evidence,
                      struct pa_buffer *notes, struct pa_error *error) {
    struct pa_hash key;
    int lock = lock_register(store, error);
    if (lock < 0)
        return PA_EWRITE;
    int code = pa_register_key(store, &key, error);
    if (code == PA_OK)
        code = enter(store, &key, signer, evidence, notes, error);
    close(lock);
    OPENSSL_cleanse(&key, sizeof key);
    return code;
}

static bool has(const struct pa_sightings *all, const struct pa_sighting *wanted) {
    for (uint32_t i = 0; i < all->count; i++)
        if (pa_hash_equal(&all->each[i].identity, &wanted->identity) &&
            pa_hash_equal(&all->each[i].session, &wanted->session))
            return true;
    return false;
}

/* A witness's newer file holds all that its older one held: sightings are never taken back. */
static int check_growth(const char *path, const struct pa_sightings *next, struct pa_error *error) {
    struct pa_sightings before = {0}, ignored = {0};
    int code = access(path, F_OK) == 0 ? read_file(path, &before, &ignored, error) : PA_OK;
    for (uint32_t i = 0; code == PA_OK && i < before.count; i++)
        if (!has(next, &before.each[i]))
            code = pa_fail(error, PA_EINVALID,
                           "the register lacks sightings that this witness's last one had; an "
                           "older file, or one that was cut");
    pa_sightings_free(&before);
    pa_sightings_free(&ignored);
    return code;
}

/* What is imported leaves room for all that this witness may come to see. */
static int check_room(const char *store, const struct pa_sightings *next, struct pa_error *error) {
    struct pa_sightings own = {0}, all = {0};
    int code = pa_register_load(store, &own, &all, error);
    uint64_t imported = (uint64_t)all.count - own.count + next->count;
    if (code == PA_OK && imported > PA_REGISTER_MOST_IN_ALL - PA_REGISTER_MOST_SIGHTINGS)
        code = pa_fail(error, PA_EINPUT,
                       "the registers of other witnesses would hold %llu sightings, and %d are "
                       "possible: remove one from the store's folder \"imports\"",
                       (unsigned long long)imported,
                       PA_REGISTER_MOST_IN_ALL - PA_REGISTER_MOST_SIGHTINGS);
    pa_sightings_free(&own);
    pa_sightings_free(&all);
    return code;
}

static int check_key(const char *store, const uint8_t key_id[8], struct pa_error *error) {
    struct pa_hash key;
    uint8_t own_id[8];
    PA_TRY(pa_register_key(store, &key, error));
    pa_register_key_id(own_id, &key);
    OPENSSL_cleanse(&key, sizeof key);
    if (memcmp(own_id, key_id, sizeof own_id) != 0)
        return pa_fail(error, PA_EINPUT,
                       "the register was hashed with another register.key, so that nothing in it "
                       "can be compared; witnesses that exchange registers share that file "
                       "(docs/register.md)");
    return PA_OK;
}

int pa_register_import(const char *store, const char *path,
                       const uint8_t trusted[PA_PUBLIC_KEY_BYTES], uint32_t *count,
                       struct pa_error *error) {
    uint8_t key_id[8], witness[PA_PUBLIC_KEY_BYTES];
    struct pa_sightings sightings = {0};
    struct pa_buffer content = {0};
    struct pa_hash id;
    char folder[PATH_MAX], target[PATH_MAX], name[17];
    int lock = lock_register(store, error);
    int code = lock < 0 ? PA_EWRITE : pa_file_read(path, PA_REGISTER_MOST_BYTES, &content, error);
    if (code == PA_OK)
        code =
            pa_register_read(path, content.data, content.size, key_id, witness, &sightings, error);
    if (code == PA_OK && memcmp(witness, trusted, sizeof witness) != 0)
        code = pa_fail(error, PA_EINVALID, "%s is signed by another key than the one of --trust",
                       path);
    if (code == PA_OK)
        code = check_key(store, key_id, error);
    pa_public_key_id(witness, &id);
    pa_hex(name, id.bytes, 8);
    if (code == PA_OK)
        code = pa_path_join(folder, store, "imports", error);
    if (code == PA_OK)
        code = pa_directory_make(folder, error);
    if (code == PA_OK)
        code = pa_path_join(target, folder, name, error);
    if (code == PA_OK)
        code = check_growth(target, &sightings, error);
    if (code == PA_OK)
        code = check_room(store, &sightings, error);
    if (code == PA_OK)
        code = pa_file_write(target, content.data, content.size, 0600, error);
    *count = sightings.count;
    pa_sightings_free(&sightings);
    pa_buffer_free(&content);
    if (lock >= 0)
        close(lock);
    return code;
}
