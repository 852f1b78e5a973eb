/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_fabric.c - the stages of a fabric proof from a peer: whatever comes in whatever order,
 * nothing is read past its end, and no bytes open what nobody committed to.
 *
 * A list of stages: u8 stage | u16 length | that many bytes. A commitment is signed here, and a key
 * is the nonce's, where the stage's number has its highest bit set, so that what lies behind them
 * is reached. */
#include "proof/proof.h"

#include <stdlib.h>
#include <string.h>

enum { DEVICES = 3, SIGNED = 0x80 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pa_key *prover;

/* All three take part; each commits to whatever the bytes say. */
static void put_commit(struct pa_buffer *out, const struct pa_fabric_run *run, const uint8_t *bytes,
                       size_t size) {
    struct pa_fabric_tail tails[DEVICES] = {0};
    struct pa_hash root, message;
    uint8_t signature[PA_DER_SIGNATURE_MOST_BYTES];
    size_t length = 0;
    for (uint32_t d = 0; d < DEVICES; d++) {
        tails[d].tail.steps = PA_FABRIC_STEPS;
        memcpy(tails[d].fabric.bytes, bytes, size < PA_HASH_BYTES ? size : PA_HASH_BYTES);
    }
    pa_fabric_root(&root, &run->nonce, tails, DEVICES);
    pa_epoch_commit_hash(&message, &run->session, PA_FABRIC_EPOCH, &root);
    if (pa_key_sign(prover, &message, signature, &length, NULL) != PA_OK)
        abort();
    pa_fabric_put_tails(out, tails, DEVICES);
    pa_buffer_u16(out, (uint16_t)length);
    pa_buffer_bytes(out, signature, length);
}

static void take(struct pa_fabric_run *run, uint8_t stage, const uint8_t *bytes, size_t size) {
    const struct pa_hash key = {{1}};
    struct pa_buffer own = {0};
    struct pa_error error = {0};
    uint32_t failed = run->failed;
    if (stage == (SIGNED | PA_FABRIC_NONCE)) {
        struct pa_hash nonce;
        pa_epoch_nonce(&nonce, &key);
        pa_buffer_bytes(&own, nonce.bytes, PA_HASH_BYTES);
    } else if (stage == (SIGNED | PA_FABRIC_COMMIT)) {
        put_commit(&own, run, bytes, size);
    } else if (stage == (SIGNED | PA_FABRIC_KEY)) {
        pa_buffer_bytes(&own, key.bytes, PA_HASH_BYTES);
    } else {
        pa_buffer_bytes(&own, bytes, size);
    }
    int code = pa_fabric_run_take(run, (enum pa_fabric_stage)(stage & ~SIGNED), own.data, own.size,
                                  true, &error);
    if (code == PA_OK && (stage & ~SIGNED) == PA_FABRIC_OPENING && run->failed == failed)
        abort();
    pa_buffer_free(&own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pa_declared_device devices[DEVICES];
    struct pa_declaration declaration = {
        .class_id = PA_DENSE16, .k = 8, .device_count = DEVICES, .devices = devices};
    struct pa_hash session = {{2}};
    struct pa_fabric_run run;
    struct pa_reader in = pa_reader_over(data, size);
    if (prover == NULL && pa_key_generate(&prover, NULL) != PA_OK)
        abort();
    for (int d = 0; d < DEVICES; d++)
        devices[d] = (struct pa_declared_device){.m = 128, .n = 128, .name = "x"};
    pa_key_public(prover, declaration.prover_key);
    if (pa_fabric_run_begin(&run, &declaration, &session, NULL) != PA_OK)
        return 0;
    while (in.left > 3) {
        uint8_t stage = *pa_read_view(&in, 1);
        size_t length = pa_read_u16(&in);
        length = length < in.left ? length : in.left;
        take(&run, stage, pa_read_view(&in, length), length);
    }
    pa_fabric_run_free(&run);
    return 0;
}
