/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - transcript records: u32 type | u32 length | payload, little endian (docs/protocol.md,
 * "Transcript").
 *
 * Every payload but SESSION starts with u64 epoch. Payloads are views into bytes that the caller
 * keeps; parsing allocates nothing. Hostile input is the normal case: types, lengths and counts are
 * checked before they are used, and a payload must be consumed to its last byte. Whatever is
 * accepted is written back byte for byte.
 */
#ifndef PA_EVIDENCE_RECORD_H
#define PA_EVIDENCE_RECORD_H

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"

enum pa_record_type {
    PA_RECORD_SESSION = 1, /* declaration bytes and both signatures */
    PA_RECORD_NONCE = 2,   /* t0, nonce */
    PA_RECORD_ROOT = 3,    /* t1, root, prover's signature */
    PA_RECORD_LIST = 4,    /* T_d, h_(T_d), m_d of every device */
    PA_RECORD_KEY = 5,     /* the revealed key */
    PA_RECORD_OPENING = 6, /* u32 j, opening */
    PA_RECORD_RESULT = 7,  /* what checking the epoch's openings gave */
    PA_RECORD_FABRIC = 8,  /* a stage of the fabric proof, as proof/fabric_run.h has them */
    PA_RECORD_POWER = 9,   /* readings of one power meter, which a NOTE "meter" describes */
    PA_RECORD_NOTE =
        10, /* JSON text: identities, calibration, raw rates, all-reduce, interruptions, aborts */
    PA_RECORD_SIGNATURE = 11 /* the witness's signature over the chain so far */
};

enum {
    PA_RECORD_HEADER_BYTES = 8,
    PA_RECORD_MOST_BYTES = 1 << 27, /* a list of 10^6 devices is 72 MB */
    PA_RECORD_HASH_BYTES = 32,
    PA_SIGNATURE_MOST_BYTES = 80, /* DER of ECDSA P-256 has at most 72 */
    PA_NOTE_MOST_BYTES = 1 << 24,
    PA_LIST_ENTRY_BYTES = 72,
    PA_POWER_SAMPLE_BYTES = 32,
    PA_POWER_MOST_SAMPLES = 1 << 16, /* in one record */
    PA_POWER_MOST_METERS = 64,       /* in one session */
};

/* An epoch number for records that belong to no epoch. */
#define PA_NO_EPOCH UINT64_MAX
/* Numbers from here on, but for PA_NO_EPOCH, are refused. */
#define PA_EPOCH_NUMBER_END (UINT64_C(1) << 32)

struct pa_record {
    enum pa_record_type type;
    uint64_t epoch;         /* PA_NO_EPOCH for SESSION */
    const uint8_t *payload; /* a view; starts after the header, includes the epoch */
    uint32_t length;
};

struct pa_signature {
    uint8_t bytes[PA_SIGNATURE_MOST_BYTES]; /* DER */
    uint16_t length;
};

/* The decoded payloads. Pointers are views into the payload. */
struct pa_session_record {
    struct pa_instant at;
    const uint8_t *declaration;
    uint32_t declaration_bytes;
    struct pa_signature witness, prover; /* over the session hash */
};
struct pa_nonce_record {
    struct pa_instant at; /* t0 */
    uint8_t nonce[32];
};
struct pa_root_record {
    struct pa_instant at; /* t1 */
    uint8_t root[32];
    struct pa_signature prover; /* over H("commit", session | epoch | root) */
};
struct pa_list_entry {
    uint64_t steps;
    uint8_t last[32];
    uint8_t tree[32];
};
struct pa_list_record {
    uint32_t count;
    const uint8_t *entries; /* 72 bytes each: pa_list_entry_at */
};
struct pa_key_record {
    uint8_t key[32];
};
struct pa_opening_record {
    uint32_t j;
    const uint8_t *opening;
    uint32_t opening_bytes;
};
struct pa_result_record {
    uint32_t drawn;
    uint32_t failed;
    uint32_t first_failed; /* j of the first failure; UINT32_MAX when none failed */
    const char *reason;    /* not zero-terminated; empty when none failed */
    uint32_t reason_bytes;
};
/* A reading: power, or the state of an energy counter that only grows, or both. */
#define PA_POWER_UNKNOWN INT64_MIN
#define PA_ENERGY_UNKNOWN UINT64_MAX
#define PA_POWER_MOST_MILLIWATTS INT64_C(1000000000000000) /* 1 TW either way */
struct pa_power_sample {
    struct pa_instant at; /* raw_ns is 0 where the meter's own clock dated it: placed by UTC */
    int64_t milliwatts;   /* negative where the meter sees more generation than load */
    uint64_t millijoules;
};
struct pa_power_record {
    struct pa_instant at; /* when the witness wrote it down */
    uint32_t meter;       /* number of the NOTE "meter" that describes it, from 0 */
    uint32_t count;
    const uint8_t *samples; /* 32 bytes each, in order of time: pa_power_sample_at */
};
struct pa_note_record {
    struct pa_instant at;
    const char *json; /* one JSON object, UTF-8, not zero-terminated; {"kind": ..., ...} */
    uint32_t json_bytes;
};
struct pa_fabric_record {
    struct pa_instant at;
    uint32_t stage; /* from 1 */
    const uint8_t *body;
    uint32_t body_bytes;
};
struct pa_signature_record {
    struct pa_instant at;
    struct pa_signature witness; /* over H("transcript", r) with r the chain before this record */
};

/* Append one whole record, header included. */
void pa_record_put_session(struct pa_buffer *out, const struct pa_session_record *session);
void pa_record_put_nonce(struct pa_buffer *out, uint64_t epoch,
                         const struct pa_nonce_record *nonce);
void pa_record_put_root(struct pa_buffer *out, uint64_t epoch, const struct pa_root_record *root);
void pa_record_put_list(struct pa_buffer *out, uint64_t epoch, const struct pa_list_entry *entries,
                        uint32_t count);
void pa_record_put_key(struct pa_buffer *out, uint64_t epoch, const struct pa_key_record *key);
void pa_record_put_opening(struct pa_buffer *out, uint64_t epoch,
                           const struct pa_opening_record *opening);
void pa_record_put_result(struct pa_buffer *out, uint64_t epoch,
                          const struct pa_result_record *result);
/* At most PA_POWER_MOST_SAMPLES, in order of time; of no epoch: each reading has its own time. */
void pa_record_put_power(struct pa_buffer *out, struct pa_instant at, uint32_t meter,
                         const struct pa_power_sample *samples, uint32_t count);
/* Of no epoch. */
void pa_record_put_fabric(struct pa_buffer *out, const struct pa_fabric_record *fabric);
void pa_record_put_note(struct pa_buffer *out, uint64_t epoch, const struct pa_note_record *note);
void pa_record_put_signature(struct pa_buffer *out, const struct pa_signature_record *signature);

/* Read the next record of `reader`: header, bounds, known type, epoch. PA_EINPUT. */
int pa_record_next(struct pa_reader *reader, struct pa_record *out, struct pa_error *error);
/* The same for a payload that was stored without its header. */
int pa_record_view(uint32_t type, const void *payload, size_t size, struct pa_record *out,
                   struct pa_error *error);
/* Decode the payload whatever its type is; `at` is the record's time, zeros where it has none.
 * PA_EINPUT. */
int pa_record_check(const struct pa_record *record, struct pa_instant *at, struct pa_error *error);
/* Decode a payload of the type that the name says. PA_EINPUT. */
int pa_record_session(const struct pa_record *record, struct pa_session_record *out,
                      struct pa_error *error);
int pa_record_nonce(const struct pa_record *record, struct pa_nonce_record *out,
                    struct pa_error *error);
int pa_record_root(const struct pa_record *record, struct pa_root_record *out,
                   struct pa_error *error);
int pa_record_list(const struct pa_record *record, struct pa_list_record *out,
                   struct pa_error *error);
int pa_record_key(const struct pa_record *record, struct pa_key_record *out,
                  struct pa_error *error);
int pa_record_opening(const struct pa_record *record, struct pa_opening_record *out,
                      struct pa_error *error);
int pa_record_result(const struct pa_record *record, struct pa_result_record *out,
                     struct pa_error *error);
int pa_record_power(const struct pa_record *record, struct pa_power_record *out,
                    struct pa_error *error);
int pa_record_fabric(const struct pa_record *record, struct pa_fabric_record *out,
                     struct pa_error *error);
int pa_record_note(const struct pa_record *record, struct pa_note_record *out,
                   struct pa_error *error);
int pa_record_signature(const struct pa_record *record, struct pa_signature_record *out,
                        struct pa_error *error);

struct pa_list_entry pa_list_entry_at(const struct pa_list_record *list, uint32_t index);
struct pa_power_sample pa_power_sample_at(const struct pa_power_record *power, uint32_t index);

/* "NONCE" for PA_RECORD_NONCE; "?" for an unknown type. */
const char *pa_record_type_name(uint32_t type);

#endif
