/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/fabric_side.h"

#include "base/clock.h"
#include "witness/session_allowance.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

static int draw(struct pa_hash *out, struct pa_error *error) {
    return RAND_priv_bytes(out->bytes, sizeof out->bytes) == 1
               ? PA_OK
               : pa_fail(error, PA_EINTERNAL,
                         "fabric proof: the system's random numbers are not available");
}

/* Take a stage into the run and write its record. */
static int take(struct pa_fabric_side *side, struct pa_instant at, enum pa_fabric_stage stage,
                const void *bytes, size_t size, struct pa_buffer *records, struct pa_error *error) {
    struct pa_error cause = {0};
    /* An opening of any other length is wrong, counted and kept. */
    if (size > PA_ALLOWANCE_FABRIC_BYTES && stage == PA_FABRIC_OPENING)
        return pa_fail(error, PA_EWITNESS,
                       "fabric proof: an opening of %zu bytes; one has at most %d", size,
                       PA_ALLOWANCE_FABRIC_BYTES);
    int code = pa_fabric_run_take(&side->run, stage, bytes, size, true, &cause);
    if (code != PA_OK)
        return pa_fail(error, code == PA_EINPUT ? PA_EWITNESS : code, "%s", cause.text);
    struct pa_fabric_record record = {
        .at = at, .stage = (uint32_t)stage, .body = bytes, .body_bytes = (uint32_t)size};
    pa_record_put_fabric(records, &record);
    return PA_OK;
}

static int begin(struct pa_fabric_side *side, const struct pa_declaration *declaration,
                 const struct pa_hash *session, struct pa_buffer *records, struct pa_hash *out,
                 struct pa_error *error) {
    if (side->is_begun)
        return pa_fail(error, PA_EWITNESS, "fabric proof: it was begun already");
    PA_TRY(draw(&side->key, error));
    PA_TRY(pa_fabric_run_begin(&side->run, declaration, session, error));
    side->is_begun = true;
    pa_epoch_nonce(out, &side->key);
    /* t0 before the first byte of the nonce leaves, as an epoch's. */
    return take(side, pa_clock_now(), PA_FABRIC_NONCE, out->bytes, PA_HASH_BYTES, records, error);
}

/* The states are fixed: only now the challenge exists. */
static int commit(struct pa_fabric_side *side, const void *bytes, size_t size,
                  struct pa_buffer *records, struct pa_hash *out, struct pa_error *error) {
    PA_TRY(take(side, pa_clock_now(), PA_FABRIC_COMMIT, bytes, size, records, error));
    PA_TRY(draw(out, error));
    return take(side, pa_clock_now(), PA_FABRIC_CHALLENGE, out->bytes, PA_HASH_BYTES, records,
                error);
}

static int answers(struct pa_fabric_side *side, const void *bytes, size_t size,
                   struct pa_buffer *records, struct pa_hash *out, struct pa_error *error) {
    PA_TRY(take(side, pa_clock_now(), PA_FABRIC_ANSWERS, bytes, size, records, error));
    *out = side->key;
    return take(side, pa_clock_now(), PA_FABRIC_KEY, out->bytes, PA_HASH_BYTES, records, error);
}

static int result(struct pa_fabric_side *side, struct pa_buffer *records, struct pa_hash *out,
                  struct pa_error *error) {
    const struct pa_fabric_run *run = &side->run;
    uint32_t missing = PA_FABRIC_SAMPLES - run->opened;
    uint8_t body[8];
    pa_put_le32(body, run->failed + missing);
    pa_put_le32(body + 4, run->failed == 0 && missing > 0 ? run->opened : run->first_failed);
    memcpy(out->bytes, body, 4);
    return take(side, pa_clock_now(), PA_FABRIC_RESULT, body, sizeof body, records, error);
}

int pa_fabric_side_take(struct pa_fabric_side *side, const struct pa_declaration *declaration,
                        const struct pa_hash *session, enum pa_fabric_stage stage,
                        const void *bytes, size_t size, struct pa_buffer *records,
                        struct pa_hash *out, struct pa_error *error) {
    *out = (struct pa_hash){{0}};
    if (stage == PA_FABRIC_NONCE)
        return begin(side, declaration, session, records, out, error);
    /* What an earlier process of the witness began has no key any more. */
    if (!side->is_begun || side->run.declaration == NULL)
        return pa_fail(error, PA_EWITNESS, "fabric proof: it was not begun");
    switch (stage) {
    case PA_FABRIC_COMMIT:
        return commit(side, bytes, size, records, out, error);
    case PA_FABRIC_ANSWERS:
        return answers(side, bytes, size, records, out, error);
    case PA_FABRIC_OPENING:
        return take(side, pa_clock_now(), stage, bytes, size, records, error);
    case PA_FABRIC_RESULT:
        return result(side, records, out, error);
    default:
        return pa_fail(error, PA_EWITNESS, "fabric proof: stage %d is not the prover's",
                       (int)stage);
    }
}

void pa_fabric_side_free(struct pa_fabric_side *side) {
    OPENSSL_cleanse(&side->key, sizeof side->key);
    pa_fabric_run_free(&side->run);
    *side = (struct pa_fabric_side){0};
}
