/* SPDX-License-Identifier: Apache-2.0 */
/* session_allowance.h - what one session may put on its witness's disk.
 *
 * A witness keeps what sites send for ever, and anybody who reaches its port is a site. So all that
 * a session can store follows from what it declared: so many nonces, so long a list after each, so
 * many openings that are no longer than its shapes make them, and for what the site says of itself
 * (notes and power readings) an allowance that no audit comes near. What goes beyond is refused
 * whole; epochs, openings and the end of the session are not touched by that.
 */
#ifndef PA_WITNESS_SESSION_ALLOWANCE_H
#define PA_WITNESS_SESSION_ALLOWANCE_H

#include "evidence/evidence.h"
#include "proof/proof.h"

enum {
    /* One FABRIC record of an opening: D of 64 steps of both devices; of both and of their sums the
     * hashes of all blocks of 1 GiB and the values of one. */
    PA_ALLOWANCE_FABRIC_BYTES =
        4 + 2 * PA_FABRIC_STEPS * PA_HASH_BYTES +
        3 * (PA_FABRIC_MOST_WORDS / PA_FABRIC_CHUNK / PA_FABRIC_BLOCK * PA_HASH_BYTES +
             PA_FABRIC_BLOCK * 8),
};

struct pa_allowance {
    uint64_t
        nonces; /* twice the declared epochs and some: those that were aborted are drawn anew */
    uint64_t opening_bytes; /* of one */
    uint64_t told_bytes;    /* of NOTE and POWER records, as pa_allowance_told counts them */
    uint64_t proof_bytes;   /* what lists and openings take when all declared epochs are closed */
};

/* Of a declaration that pa_declaration_read has accepted: no figure overflows. */
void pa_allowance_begin(struct pa_allowance *out, const struct pa_declaration *declaration);

/* What a record takes in evidence.db, its row included: by its payload; a NOTE with so long a text;
 * a POWER with so many readings. */
uint64_t pa_allowance_record(uint64_t payload_bytes);
uint64_t pa_allowance_note(uint64_t json_bytes);
uint64_t pa_allowance_power(uint32_t count);
/* What the NOTE and POWER records among these whole records take. */
uint64_t pa_allowance_told(const void *records, size_t size);

/* PA_EWITNESS where one more would be too many or too much: a nonce after `drawn` of them; `bytes`
 * of notes and readings, as above, after `told_bytes` of them; an opening of `size` bytes. */
int pa_allowance_check_nonce(const struct pa_allowance *allowance, uint64_t drawn, uint64_t epoch,
                             struct pa_error *error);
int pa_allowance_check_told(const struct pa_allowance *allowance, uint64_t told_bytes,
                            uint64_t bytes, const char *doing, struct pa_error *error);
int pa_allowance_check_opening(const struct pa_allowance *allowance, uint64_t epoch, uint32_t j,
                               size_t size, struct pa_error *error);

#endif
