/* SPDX-License-Identifier: Apache-2.0 */
/* register_file.c - the text of a register: written in one form, and read in that form alone.
 *
 *     petaudit-register 1
 *     key <16 digits>
 *     witness <130 digits>
 *     uuid <identity> <site> <session> <from> <to>
 *     signature <DER in hexadecimal, over H("register file", all bytes before this line)>
 */
#include "witness/device_register.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char first_line[] = "petaudit-register 1\n";
enum { LINE_BYTES = 320, MOST_SECONDS_DIGITS = 12 };

const char *pa_identity_kind_name(enum pa_identity_kind kind) {
    static const char *const names[PA_IDENTITY_KINDS] = {"place", "serial", "uuid"};
    return kind < PA_IDENTITY_KINDS ? names[kind] : "?";
}

int pa_sightings_add(struct pa_sightings *sightings, const struct pa_sighting *sighting,
                     struct pa_error *error) {
    if (sightings->count >= PA_REGISTER_MOST_IN_ALL)
        return pa_fail(error, PA_EINPUT, "the register is full: %d sightings are possible",
                       PA_REGISTER_MOST_IN_ALL);
    if (sightings->count == sightings->capacity) {
        uint32_t capacity = sightings->capacity == 0 ? 64 : 2 * sightings->capacity;
        struct pa_sighting *grown = realloc(sightings->each, capacity * sizeof *grown);
        if (grown == NULL)
            return pa_fail(error, PA_EMEMORY, "reading the register: out of memory");
        sightings->each = grown;
        sightings->capacity = capacity;
    }
    sightings->each[sightings->count++] = *sighting;
    return PA_OK;
}

int pa_sightings_join(struct pa_sightings *own, const struct pa_sightings *more, bool *is_full,
                      struct pa_buffer *notes, struct pa_error *error) {
    *is_full = (uint64_t)own->count + more->count > PA_REGISTER_MOST_SIGHTINGS;
    if (*is_full)
        pa_buffer_format(notes,
                         "{\"kind\":\"finding\",\"code\":\"REGISTER_FULL\",\"severity\":"
                         "\"warning\",\"text\":\"The witness's register of devices holds %u "
                         "sightings, and has no room for the %u of this session.\"}\n",
                         own->count, more->count);
    for (uint32_t i = 0; !*is_full && i < more->count; i++)
        PA_TRY(pa_sightings_add(own, &more->each[i], error));
    return PA_OK;
}

void pa_sightings_free(struct pa_sightings *sightings) {
    free(sightings->each);
    *sightings = (struct pa_sightings){0};
}

static int compare(const void *left, const void *right) {
    const struct pa_sighting *a = left, *b = right;
    int order = memcmp(&a->identity, &b->identity, sizeof a->identity);
    if (order == 0)
        order = memcmp(&a->session, &b->session, sizeof a->session);
    if (order == 0)
        order = memcmp(&a->site, &b->site, sizeof a->site);
    if (order == 0)
        order = (a->kind > b->kind) - (a->kind < b->kind);
    if (order == 0)
        order = (a->from_s > b->from_s) - (a->from_s < b->from_s);
    return order != 0 ? order : (a->to_s > b->to_s) - (a->to_s < b->to_s);
}

void pa_sightings_sort(struct pa_sightings *sightings) {
    uint32_t kept = 0;
    if (sightings->count > 1)
        qsort(sightings->each, sightings->count, sizeof *sightings->each, compare);
    for (uint32_t i = 0; i < sightings->count; i++)
        if (kept == 0 || compare(&sightings->each[i], &sightings->each[kept - 1]) != 0)
            sightings->each[kept++] = sightings->each[i];
    sightings->count = kept;
}

uint32_t pa_sightings_first(const struct pa_sightings *sorted, const struct pa_hash *identity) {
    uint32_t low = 0, high = sorted->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(&sorted->each[middle].identity, identity, sizeof *identity) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put_body(const struct pa_sightings *sightings, const uint8_t key_id[8],
                     const uint8_t witness[PA_PUBLIC_KEY_BYTES], struct pa_buffer *out) {
    char key[17], point[2 * PA_PUBLIC_KEY_BYTES + 1];
    pa_hex(key, key_id, 8);
    pa_hex(point, witness, PA_PUBLIC_KEY_BYTES);
    pa_buffer_format(out, "%skey %s\nwitness %s\n", first_line, key, point);
    for (uint32_t i = 0; i < sightings->count; i++) {
        const struct pa_sighting *each = &sightings->each[i];
        char identity[65], site[65], session[65];
        pa_hex(identity, each->identity.bytes, PA_HASH_BYTES);
        pa_hex(site, each->site.bytes, PA_HASH_BYTES);
        pa_hex(session, each->session.bytes, PA_HASH_BYTES);
        pa_buffer_format(out, "%s %s %s %s %" PRIu64 " %" PRIu64 "\n",
                         pa_identity_kind_name(each->kind), identity, site, session, each->from_s,
                         each->to_s);
    }
}

static void put_signature(const uint8_t *signature, size_t length, struct pa_buffer *out) {
    char digits[2 * PA_DER_SIGNATURE_MOST_BYTES + 1];
    pa_hex(digits, signature, length);
    pa_buffer_format(out, "signature %s\n", digits);
}

int pa_register_write(struct pa_sightings *sightings, const struct pa_hash *key,
                      const struct pa_key *signer, struct pa_buffer *out, struct pa_error *error) {
    uint8_t key_id[8], witness[PA_PUBLIC_KEY_BYTES], signature[PA_DER_SIGNATURE_MOST_BYTES];
    struct pa_hash hash;
    size_t length = 0, begin = out->size;
    pa_sightings_sort(sightings);
    pa_register_key_id(key_id, key);
    pa_key_public(signer, witness);
    put_body(sightings, key_id, witness, out);
    if (out->failed)
        return pa_fail(error, PA_EMEMORY, "writing the register: out of memory");
    pa_hash_bytes(&hash, "register file", out->data + begin, out->size - begin);
    PA_TRY(pa_key_sign(signer, &hash, signature, &length, error));
    put_signature(signature, length, out);
    return out->failed ? pa_fail(error, PA_EMEMORY, "writing the register: out of memory") : PA_OK;
}

/* One line without its end, as a string; false at the end of the data, or for one that is too long
 * or holds a zero. */
static bool next_line(const uint8_t **at, const uint8_t *end, char line[LINE_BYTES]) {
    const uint8_t *stop = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    if (stop == NULL || stop - *at >= LINE_BYTES || memchr(*at, '\0', (size_t)(stop - *at)) != NULL)
        return false;
    memcpy(line, *at, (size_t)(stop - *at));
    line[stop - *at] = '\0';
    *at = stop + 1;
    return true;
}

static bool take_hash(const char **at, struct pa_hash *out) {
    char digits[65];
    if (strnlen(*at, 65) < 65 || (*at)[64] != ' ')
        return false;
    memcpy(digits, *at, 64);
    digits[64] = '\0';
    *at += 65;
    return pa_unhex(out->bytes, PA_HASH_BYTES, digits);
}

static bool take_seconds(const char **at, char end, uint64_t *out) {
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > MOST_SECONDS_DIGITS || (*at)[digits] != end)
        return false;
    *out = strtoull(*at, NULL, 10);
    *at += digits + (end != '\0');
    return true;
}

static bool take_sighting(const char *line, struct pa_sighting *out) {
    *out = (struct pa_sighting){0};
    for (int kind = 0; kind < PA_IDENTITY_KINDS; kind++) {
        const char *name = pa_identity_kind_name((enum pa_identity_kind)kind);
        size_t length = strlen(name);
        if (strncmp(line, name, length) != 0 || line[length] != ' ')
            continue;
        const char *at = line + length + 1;
        out->kind = (enum pa_identity_kind)kind;
        return take_hash(&at, &out->identity) && take_hash(&at, &out->site) &&
               take_hash(&at, &out->session) && take_seconds(&at, ' ', &out->from_s) &&
               take_seconds(&at, '\0', &out->to_s) && out->from_s <= out->to_s;
    }
    return false;
}

static bool take_hex(const char *line, const char *name, uint8_t *out, size_t size) {
    size_t length = strlen(name);
    return strncmp(line, name, length) == 0 && strlen(line + length) == 2 * size &&
           pa_unhex(out, size, line + length);
}

struct parsed {
    uint8_t key_id[8], witness[PA_PUBLIC_KEY_BYTES];
    uint8_t signature[PA_DER_SIGNATURE_MOST_BYTES];
    size_t signature_bytes, body_bytes;
};

/* 0, or the number of the line that cannot be understood. */
static uint32_t parse(const uint8_t *data, size_t size, struct parsed *parsed,
                      struct pa_sightings *out, int *code, struct pa_error *error) {
    const uint8_t *at = data, *end = data + size;
    char line[LINE_BYTES];
    uint32_t number = 3;
    *code = PA_OK;
    if (!next_line(&at, end, line) || strncmp(line, first_line, strlen(first_line) - 1) != 0 ||
        strlen(line) != strlen(first_line) - 1)
        return 1;
    if (!next_line(&at, end, line) || !take_hex(line, "key ", parsed->key_id, 8))
        return 2;
    if (!next_line(&at, end, line) ||
        !take_hex(line, "witness ", parsed->witness, PA_PUBLIC_KEY_BYTES))
        return 3;
    for (;;) {
        struct pa_sighting sighting;
        parsed->body_bytes = (size_t)(at - data);
        number++;
        if (!next_line(&at, end, line))
            return number;
        if (strncmp(line, "signature ", 10) == 0)
            break;
        if (!take_sighting(line, &sighting))
            return number;
        *code = pa_sightings_add(out, &sighting, error);
        if (*code != PA_OK)
            return 0;
    }
    parsed->signature_bytes = strlen(line + 10) / 2;
    if (at != end || parsed->signature_bytes > sizeof parsed->signature ||
        !take_hex(line, "signature ", parsed->signature, parsed->signature_bytes))
        return number;
    return 0;
}

/* Every spelling but one is refused: order, repeated lines, leading zeros, capital digits. */
static bool is_canonical(const uint8_t *data, size_t size, const struct parsed *parsed,
                         const struct pa_sightings *sightings) {
    struct pa_buffer again = {0};
    for (uint32_t i = 1; i < sightings->count; i++)
        if (compare(&sightings->each[i - 1], &sightings->each[i]) >= 0)
            return false;
    put_body(sightings, parsed->key_id, parsed->witness, &again);
    put_signature(parsed->signature, parsed->signature_bytes, &again);
    bool is_same = !again.failed && again.size == size && memcmp(again.data, data, size) == 0;
    pa_buffer_free(&again);
    return is_same;
}

int pa_register_read(const char *name, const void *data, size_t size, uint8_t key_id[8],
                     uint8_t witness[PA_PUBLIC_KEY_BYTES], struct pa_sightings *out,
                     struct pa_error *error) {
    struct parsed parsed = {.key_id = {0}};
    struct pa_hash hash;
    int code;
    *out = (struct pa_sightings){0};
    uint32_t line = parse(data, size, &parsed, out, &code, error);
    if (code == PA_OK && line > 0)
        code = pa_fail(error, PA_EINPUT, "%s:%u: this is no line of a register of devices", name,
                       line);
    if (code == PA_OK && !is_canonical(data, size, &parsed, out))
        code = pa_fail(error, PA_EINPUT,
                       "%s: its lines are not in the one form and order of a register", name);
    if (code == PA_OK) {
        pa_hash_bytes(&hash, "register file", data, parsed.body_bytes);
        if (!pa_signature_is_valid(parsed.witness, &hash, parsed.signature, parsed.signature_bytes))
            code = pa_fail(error, PA_EINVALID, "%s: the signature is not valid", name);
    }
    memcpy(key_id, parsed.key_id, 8);
    memcpy(witness, parsed.witness, PA_PUBLIC_KEY_BYTES);
    if (code != PA_OK)
        pa_sightings_free(out);
    return code;
}
