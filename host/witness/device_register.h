/* SPDX-License-Identifier: Apache-2.0 */
/* device_register.h - which devices were seen at which site, and when: across sessions, sites and
 * witnesses (docs/register.md).
 *
 *     STORE/register.key     32 bytes in hexadecimal, 0600: what identities are hashed with
 *     STORE/devices          this witness's sightings, signed
 *     STORE/imports/<id>     those of other witnesses, as they signed them
 *
 * A file is text, one sighting a line, in one form only: what is read must be what would be
 * written. Identities and sites stand in it as keyed hashes; witnesses that share register.key can
 * compare theirs, and nobody without it can test a guess.
 */
#ifndef PA_WITNESS_DEVICE_REGISTER_H
#define PA_WITNESS_DEVICE_REGISTER_H

#include "evidence/evidence.h"
#include "proof/proof.h"

enum pa_identity_kind {
    PA_IDENTITY_PLACE,  /* host, slot and model: says nothing about another site */
    PA_IDENTITY_SERIAL, /* the vendor's serial number */
    PA_IDENTITY_UUID,
    PA_IDENTITY_KINDS
};
const char *pa_identity_kind_name(enum pa_identity_kind kind);

struct pa_sighting {
    enum pa_identity_kind kind;
    struct pa_hash identity, site, session;
    uint64_t from_s, to_s; /* UTC, of the session */
    uint32_t device;       /* of a session at hand; not in files */
};
struct pa_sightings {
    struct pa_sighting *each; /* owned; in files in ascending order, each once */
    uint32_t count, capacity;
};
enum {
    PA_REGISTER_MOST_BYTES = 1 << 28,
    PA_REGISTER_MOST_SIGHTINGS = 1 << 20, /* of a file */
    PA_REGISTER_MOST_IN_ALL = 1 << 22,    /* own and imported ones */
};

int pa_sightings_add(struct pa_sightings *sightings, const struct pa_sighting *sighting,
                     struct pa_error *error);
/* Add all of `more`; or, where a file would hold too many, none: `*is_full`, and a line of JSON
 * that says so to `notes`. PA_EMEMORY. */
int pa_sightings_join(struct pa_sightings *own, const struct pa_sightings *more, bool *is_full,
                      struct pa_buffer *notes, struct pa_error *error);
/* In the order of files, each once. */
void pa_sightings_sort(struct pa_sightings *sightings);
/* The first of sorted ones with this identity or a later one; `count` when there is none. */
uint32_t pa_sightings_first(const struct pa_sightings *sorted, const struct pa_hash *identity);
void pa_sightings_free(struct pa_sightings *sightings);

/* H("register", key | H("register", key | kind | text)). */
void pa_register_hash(struct pa_hash *out, const struct pa_hash *key, const char *kind,
                      const char *text);
/* The first 8 bytes of H("register key", key): which key a file was hashed with. */
void pa_register_key_id(uint8_t out[8], const struct pa_hash *key);
/* STORE/register.key, made once. PA_EINPUT when it is damaged or others may read it. */
int pa_register_key(const char *store, struct pa_hash *out, struct pa_error *error);

/* The file of these sightings, sorted, signed by `signer`. */
int pa_register_write(struct pa_sightings *sightings, const struct pa_hash *key,
                      const struct pa_key *signer, struct pa_buffer *out, struct pa_error *error);
/* Strictly, signature included; `key_id` and `witness` say by whom. PA_EINPUT, PA_EINVALID. */
int pa_register_read(const char *name, const void *data, size_t size, uint8_t key_id[8],
                     uint8_t witness[PA_PUBLIC_KEY_BYTES], struct pa_sightings *out,
                     struct pa_error *error);

/* Own and imported sightings of a store. */
int pa_register_load(const char *store, struct pa_sightings *own, struct pa_sightings *all,
                     struct pa_error *error);
/* What a session's transcript says of its devices. Emulated ones, and those of a place alone, are
 * listed as such or left out: see docs/register.md. */
int pa_register_session(struct pa_store *evidence, const struct pa_hash *key,
                        struct pa_sightings *out, struct pa_error *error);
/* Seconds between two sightings of one device at two sites; UINT64_MAX where it is no such pair. */
uint64_t pa_sighting_gap(const struct pa_sighting *a, const struct pa_sighting *b);
/* One line of text for each pair of sightings of one device at two sites, less than `limit_s`
 * apart. Sorts. Returns how many pairs there are. */
uint32_t pa_register_pairs(struct pa_sightings *all, uint64_t limit_s, struct pa_buffer *out);
/* PETAUDIT_MOVE_HOURS, or 24: in less time no device is moved from one site to another. */
uint64_t pa_register_move_s(void);
/* Enter a session into the register, and append to `notes` one line of JSON for each of its devices
 * that was elsewhere too shortly before or after. A register that is full holds it against what it
 * knows, enters nothing, and says so in `notes`: a session can end all the same. One process at a
 * time. */
int pa_register_enter(const char *store, const struct pa_key *signer, struct pa_store *evidence,
                      struct pa_buffer *notes, struct pa_error *error);
/* Keep another witness's file, signed by `trusted`. It may not lack what its last one had. */
int pa_register_import(const char *store, const char *path,
                       const uint8_t trusted[PA_PUBLIC_KEY_BYTES], uint32_t *count,
                       struct pa_error *error);

#endif
