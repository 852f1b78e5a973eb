/* SPDX-License-Identifier: Apache-2.0 */
/* witness_wire.h - what a site asks a remote witness, and the answers (docs/protocol.md, "A remote
 * witness").
 *
 *     request   u32 version | u32 operation | u64 sequence | ticket (32 bytes) | body
 *     answer    u32 version | u32 code | u16 length | that many bytes of text | body
 *
 * Little endian, read strictly. The ticket is the secret that the witness gave to the site when it
 * was introduced; sequence numbers count a site's requests from 1, so that one which is sent again
 * is answered again and not carried out twice. Bodies are fields, or transcript records where the
 * transcript has one.
 */
#ifndef PA_WITNESS_WITNESS_WIRE_H
#define PA_WITNESS_WITNESS_WIRE_H

#include "evidence/evidence.h"
#include "proof/proof.h"

enum pa_witness_operation {
    PA_WITNESS_INTRODUCE = 1, /* claim hash | site text > witness key | u32 serial | ticket */
    PA_WITNESS_DECLARE,       /* prover's signature | declaration > SESSION record */
    PA_WITNESS_NOTE,          /* u64 epoch | JSON > nothing */
    PA_WITNESS_CHALLENGE,     /* u64 epoch > nonce */
    PA_WITNESS_COMMIT,        /* u64 epoch | root | prover's signature > nothing */
    PA_WITNESS_REVEAL,        /* LIST record > key */
    PA_WITNESS_ABORT,         /* u64 epoch | text > nothing */
    PA_WITNESS_OPEN,          /* OPENING records > nothing */
    PA_WITNESS_SETTLE,        /* u64 epoch > u32 failed */
    PA_WITNESS_GAP,           /* nothing > u64 ns */
    PA_WITNESS_INTERRUPT,     /* text > nothing */
    PA_WITNESS_FINISH,        /* nothing > nothing; the witness judges */
    PA_WITNESS_TRANSCRIPT, /* u64 k > records from the k-th on (from 1), as many as fit; or none */
    PA_WITNESS_RESULT,     /* nothing > u16 length | file name | its content */
    PA_WITNESS_RESUME,     /* nothing > nothing; the next sequence number counts from here */
    PA_WITNESS_POWER,      /* POWER record, whose own time the witness sets anew > nothing */
    PA_WITNESS_WATERMARK,  /* u32 bits | u64 half ns | u64 settle ns > u32 half | u16 level */
    PA_WITNESS_NOTES,      /* NOTE records, whose own times the witness sets anew > nothing */
    PA_WITNESS_SAMPLE,     /* nothing > the key that chooses the devices */
    PA_WITNESS_FABRIC,     /* u32 stage | bytes > 32 bytes: nonce, challenge, key or u32 failed */
    PA_WITNESS_OPERATIONS_END
};

enum {
    PA_WITNESS_WIRE_VERSION = 1,
    PA_WITNESS_MOST_REQUEST = 1 << 25, /* a list of 400,000 devices, a declaration of 200,000 */
    PA_WITNESS_MOST_ANSWER = 1 << 25,
    PA_WITNESS_PAGE_BYTES = 1 << 23, /* of records in one TRANSCRIPT answer, unless one is longer */
    PA_WITNESS_REQUEST_HEADER_BYTES = 48,
};

/* The level of a half-bit. */
enum { PA_WITNESS_LEVEL_OFF, PA_WITNESS_LEVEL_ON, PA_WITNESS_LEVEL_OVER };

#define PA_WITNESS_PATH "/v1/witness"

struct pa_witness_request {
    enum pa_witness_operation operation;
    uint64_t sequence;
    struct pa_hash ticket;
    const uint8_t *body; /* a view */
    size_t size;
};

struct pa_witness_answer {
    int code; /* PA_OK or an error code */
    char text[PA_ERROR_TEXT_BYTES];
    const uint8_t *body; /* a view */
    size_t size;
};

/* Append the header; the body follows. */
void pa_witness_put_request(struct pa_buffer *out, enum pa_witness_operation operation,
                            uint64_t sequence, const struct pa_hash *ticket);
int pa_witness_get_request(const void *data, size_t size, struct pa_witness_request *out,
                           struct pa_error *error);
/* Append the header of an answer: `error` is looked at only where `code` is not PA_OK. */
void pa_witness_put_answer(struct pa_buffer *out, int code, const struct pa_error *error);
int pa_witness_get_answer(const void *data, size_t size, struct pa_witness_answer *out,
                          struct pa_error *error);

/* A signature as u16 length and that many bytes; false where there is none. */
void pa_witness_put_signature(struct pa_buffer *out, const struct pa_signature *signature);
bool pa_witness_get_signature(struct pa_reader *in, struct pa_signature *out);

const char *pa_witness_operation_name(enum pa_witness_operation operation);

#endif
