/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/fabric_run.h"

#include "base/bytes.h"
#include "kernels/digest.h"
#include "proof/signature.h"

#include <stdlib.h>
#include <string.h>

enum { TAIL_BYTES = 8 + 3 * PA_HASH_BYTES };

int pa_fabric_run_begin(struct pa_fabric_run *run, const struct pa_declaration *declaration,
                        const struct pa_hash *session, struct pa_error *error) {
    uint32_t count = declaration->device_count;
    *run = (struct pa_fabric_run){
        .declaration = declaration, .session = *session, .first_failed = UINT32_MAX};
    struct pa_shape *shapes = calloc(count, sizeof *shapes);
    run->tails = calloc(count, sizeof *run->tails);
    run->working = calloc(count, sizeof *run->working);
    if (shapes == NULL || run->tails == NULL || run->working == NULL) {
        free(shapes);
        pa_fabric_run_free(run);
        return pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
    }
    for (uint32_t d = 0; d < count; d++)
        shapes[d] =
            (struct pa_shape){declaration->devices[d].m, declaration->devices[d].n, declaration->k};
    run->words = pa_fabric_words(declaration->class_id, shapes, count);
    run->chunks = (uint32_t)(run->words / PA_FABRIC_CHUNK);
    free(shapes);
    return PA_OK;
}

void pa_fabric_run_free(struct pa_fabric_run *run) {
    free(run->tails);
    free(run->working);
    free(run->answers);
    *run = (struct pa_fabric_run){0};
}

void pa_fabric_run_start(const struct pa_fabric_run *run, uint32_t device, struct pa_hash *out) {
    const struct pa_declaration *declaration = run->declaration;
    const struct pa_epoch_parameters parameters = {.class_id = declaration->class_id,
                                                   .k = declaration->k,
                                                   .devices = declaration->device_count,
                                                   .session = run->session,
                                                   .epoch = PA_FABRIC_EPOCH};
    pa_epoch_device_start(out, &run->nonce, &parameters, device, declaration->devices[device].m,
                          declaration->devices[device].n);
}

void pa_fabric_run_match(const struct pa_fabric_run *run, uint32_t round, uint32_t *devices,
                         struct pa_hash *nonce) {
    pa_fabric_first_nonce(nonce, &run->challenge, &run->root);
    for (uint32_t r = 0; r < round; r++) {
        struct pa_hash before = *nonce;
        pa_fabric_next_nonce(nonce, &before, run->answers + (size_t)r * run->pairs, run->pairs);
    }
    memcpy(devices, run->working, run->working_count * sizeof *devices);
    pa_fabric_match(devices, run->working_count, nonce);
}

void pa_fabric_put_tails(struct pa_buffer *out, const struct pa_fabric_tail *tails,
                         uint32_t count) {
    for (uint32_t d = 0; d < count; d++) {
        pa_buffer_u64(out, tails[d].tail.steps);
        pa_buffer_bytes(out, tails[d].tail.last.bytes, PA_HASH_BYTES);
        pa_buffer_bytes(out, tails[d].tail.tree.bytes, PA_HASH_BYTES);
        pa_buffer_bytes(out, tails[d].fabric.bytes, PA_HASH_BYTES);
    }
}

static int strange(struct pa_error *error, const char *what) {
    return pa_fail(error, PA_EINPUT, "fabric proof: %s", what);
}

static int take_hash(struct pa_hash *out, struct pa_reader *in, struct pa_error *error) {
    pa_read_bytes(in, out->bytes, PA_HASH_BYTES);
    return pa_reader_done(in) ? PA_OK : strange(error, "32 bytes are wanted");
}

/* A device that takes no part must say so as an epoch's list does: h = s_d, and zeros. */
static bool is_idle(const struct pa_fabric_run *run, uint32_t device,
                    const struct pa_fabric_tail *tail) {
    const struct pa_hash zeros = {{0}};
    struct pa_hash start;
    pa_fabric_run_start(run, device, &start);
    return pa_hash_equal(&tail->tail.last, &start) && pa_hash_equal(&tail->tail.tree, &zeros) &&
           pa_hash_equal(&tail->fabric, &zeros);
}

static int take_commit(struct pa_fabric_run *run, struct pa_reader *in, struct pa_error *error) {
    struct pa_hash message;
    run->working_count = 0;
    for (uint32_t d = 0; d < run->declaration->device_count && !in->failed; d++) {
        struct pa_fabric_tail *tail = &run->tails[d];
        tail->tail.steps = pa_read_u64(in);
        pa_read_bytes(in, tail->tail.last.bytes, PA_HASH_BYTES);
        pa_read_bytes(in, tail->tail.tree.bytes, PA_HASH_BYTES);
        pa_read_bytes(in, tail->fabric.bytes, PA_HASH_BYTES);
        if (tail->tail.steps == PA_FABRIC_STEPS)
            run->working[run->working_count++] = d;
        else if (tail->tail.steps != 0 || !is_idle(run, d, tail))
            return strange(error, "a device did neither all steps nor none");
    }
    uint16_t length = pa_read_u16(in);
    const uint8_t *signature = pa_read_view(in, length);
    if (!pa_reader_done(in))
        return strange(error, "the commitment has another length");
    if (run->working_count < 2)
        return strange(error, "fewer than two devices take part");
    pa_fabric_root(&run->root, &run->nonce, run->tails, run->declaration->device_count);
    pa_epoch_commit_hash(&message, &run->session, PA_FABRIC_EPOCH, &run->root);
    if (!pa_signature_is_valid(run->declaration->prover_key, &message, signature, length))
        return strange(error, "the prover's signature of the commitment is not valid");
    run->pairs = run->working_count / 2;
    return PA_OK;
}

static int take_answers(struct pa_fabric_run *run, struct pa_reader *in, struct pa_error *error) {
    size_t count = PA_FABRIC_ROUNDS * (size_t)run->pairs;
    if (in->left != count * PA_HASH_BYTES)
        return strange(error, "the answers have another length");
    struct pa_hash *answers = calloc(count, sizeof *answers);
    if (answers == NULL)
        return pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
    pa_read_bytes(in, answers, count * PA_HASH_BYTES);
    free(run->answers);
    run->answers = answers;
    return PA_OK;
}

static int take_key(struct pa_fabric_run *run, struct pa_reader *in, struct pa_error *error) {
    struct pa_hash nonce;
    PA_TRY(take_hash(&run->key, in, error));
    pa_epoch_nonce(&nonce, &run->key);
    if (!pa_hash_equal(&nonce, &run->nonce))
        return strange(error, "the key is not that of the nonce");
    pa_fabric_samples(run->samples, PA_FABRIC_SAMPLES, &run->key, run->answers, run->pairs,
                      run->chunks);
    return PA_OK;
}

static uint32_t block_of(uint32_t chunk) {
    return chunk / PA_FABRIC_BLOCK;
}

static uint32_t block_values(uint32_t chunks, uint32_t chunk) {
    uint32_t left = chunks - block_of(chunk) * PA_FABRIC_BLOCK;
    return left < PA_FABRIC_BLOCK ? left : PA_FABRIC_BLOCK;
}

void pa_fabric_put_opened(struct pa_buffer *out, const struct pa_hash *d, uint32_t steps,
                          const uint64_t *values, uint32_t chunks, uint32_t chunk) {
    for (uint32_t t = 0; t < steps; t++)
        pa_buffer_bytes(out, d[t].bytes, PA_HASH_BYTES);
    for (uint32_t b = 0; b < pa_fabric_blocks(chunks); b++) {
        struct pa_hash block;
        pa_fabric_block(&block, values + (size_t)b * PA_FABRIC_BLOCK,
                        block_values(chunks, b * PA_FABRIC_BLOCK));
        pa_buffer_bytes(out, block.bytes, PA_HASH_BYTES);
    }
    uint32_t first = block_of(chunk) * PA_FABRIC_BLOCK;
    for (uint32_t i = 0; i < block_values(chunks, chunk); i++)
        pa_buffer_u64(out, values[first + i]);
}

/* A part of an opening, as views. */
struct opened {
    const uint8_t *d, *blocks, *values;
};

static bool read_opened(struct opened *out, struct pa_reader *in, uint32_t steps, uint32_t chunks,
                        uint32_t chunk) {
    out->d = pa_read_view(in, (size_t)steps * PA_HASH_BYTES);
    out->blocks = pa_read_view(in, (size_t)pa_fabric_blocks(chunks) * PA_HASH_BYTES);
    out->values = pa_read_view(in, (size_t)block_values(chunks, chunk) * 8);
    return !in->failed;
}

/* The block hangs in the hash that was committed to. */
static bool is_committed(const struct opened *opened, const char *tag, uint32_t chunks,
                         uint32_t chunk, const struct pa_hash *committed) {
    struct pa_hash block, whole;
    pa_hash_bytes(&block, "fabric block", opened->values, (size_t)block_values(chunks, chunk) * 8);
    if (memcmp(block.bytes, opened->blocks + (size_t)block_of(chunk) * PA_HASH_BYTES,
               PA_HASH_BYTES) != 0)
        return false;
    /* Hashes are bytes: the view is an array of them. */
    pa_fabric_list_hash(&whole, tag, chunks, (const struct pa_hash *)(const void *)opened->blocks);
    return pa_hash_equal(&whole, committed);
}

static uint64_t value_of(const struct opened *opened, uint32_t chunk) {
    return pa_le64(opened->values + (size_t)(chunk % PA_FABRIC_BLOCK) * 8);
}

/* D_1 .. D_T lead from s_d to the h_T of the list. */
static bool is_linked(const struct pa_fabric_run *run, uint32_t device,
                      const struct opened *opened) {
    struct pa_hash h;
    pa_fabric_run_start(run, device, &h);
    for (uint32_t t = 1; t <= PA_FABRIC_STEPS; t++) {
        struct pa_hash before = h, d;
        memcpy(d.bytes, opened->d + (size_t)(t - 1) * PA_HASH_BYTES, PA_HASH_BYTES);
        pa_step_link(&h, &before, t, &d);
    }
    return pa_hash_equal(&h, &run->tails[device].tail.last);
}

static int compute_chunk(const struct pa_fabric_run *run, uint32_t device,
                         const struct opened *opened, uint32_t chunk, uint32_t *words,
                         struct pa_error *error) {
    struct pa_hash start, d[PA_FABRIC_STEPS];
    const struct pa_declared_device *declared = &run->declaration->devices[device];
    struct pa_shape shape = {declared->m, declared->n, run->declaration->k};
    memcpy(d, opened->d, sizeof d);
    pa_fabric_run_start(run, device, &start);
    return pa_fabric_chunk(words, run->declaration->class_id, shape, &start, d, PA_FABRIC_STEPS,
                           chunk, error);
}

/* What is wrong with the opening of a sample; NULL when nothing is. `code` PA_EMEMORY: not known.
 */
static const char *look(const struct pa_fabric_run *run, const struct pa_fabric_sample *sample,
                        const uint32_t pair[2], const struct pa_hash *nonce, struct pa_reader *in,
                        bool recheck, int *code, struct pa_error *error) {
    struct opened states[2], sums;
    struct pa_fabric_shuffle shuffle = pa_fabric_round_shuffle(nonce, run->chunks);
    const uint32_t chunk[2] = {sample->chunk, pa_fabric_met_chunk(shuffle, sample->chunk)};
    uint32_t words[2][PA_FABRIC_CHUNK];
    for (int i = 0; i < 2; i++)
        read_opened(&states[i], in, PA_FABRIC_STEPS, run->chunks, chunk[i]);
    read_opened(&sums, in, 0, run->chunks, chunk[0]);
    if (!pa_reader_done(in))
        return "it has another length";
    for (int i = 0; i < 2; i++) {
        if (!is_linked(run, pair[i], &states[i]))
            return "its steps do not lead to the chain's end";
        if (!is_committed(&states[i], "fabric", run->chunks, chunk[i], &run->tails[pair[i]].fabric))
            return "its digests are not those committed to";
    }
    if (!is_committed(&sums, "fabric answer", run->chunks, chunk[0],
                      &run->answers[(size_t)sample->round * run->pairs + sample->pair]))
        return "its sums are not those answered";
    for (int i = 0; i < 2 && recheck; i++) {
        uint64_t digest;
        *code = compute_chunk(run, pair[i], &states[i], chunk[i], words[i], error);
        if (*code != PA_OK)
            return NULL;
        pa_fabric_digests(&digest, words[i], PA_FABRIC_CHUNK,
                          pa_fabric_digest_key(&run->tails[pair[i]].tail));
        if (digest != value_of(&states[i], chunk[i]))
            return "a device committed to another state than that of its products";
    }
    if (!recheck)
        return NULL;
    uint64_t sum = pa_fabric_chunk_sum(
        words[0], words[1], chunk[0], pa_fabric_weight_key(nonce, pair[0]),
        pa_fabric_weight_key(nonce, pair[1]), pa_fabric_met_turn(shuffle, chunk[0]));
    return sum == value_of(&sums, chunk[0]) ? NULL : "the pair's sum is wrong";
}

static int take_opening(struct pa_fabric_run *run, struct pa_reader *in, bool recheck,
                        struct pa_error *error) {
    uint32_t j = pa_read_u32(in);
    if (in->failed || j != run->opened || j >= PA_FABRIC_SAMPLES)
        return strange(error, "an opening is out of order");
    const struct pa_fabric_sample *sample = &run->samples[j];
    uint32_t *order = calloc(run->working_count, sizeof *order);
    if (order == NULL)
        return pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
    struct pa_hash nonce;
    pa_fabric_run_match(run, sample->round, order, &nonce);
    const uint32_t pair[2] = {order[2 * sample->pair], order[2 * sample->pair + 1]};
    free(order);
    int code = PA_OK;
    const char *wrong = look(run, sample, pair, &nonce, in, recheck, &code, error);
    if (code != PA_OK)
        return code;
    run->opened++;
    if (wrong != NULL && run->failed++ == 0) {
        run->first_failed = j;
        run->first_pair[0] = pair[0];
        run->first_pair[1] = pair[1];
        run->reason = wrong;
    }
    return PA_OK;
}

/* What is missing has failed. */
static int take_result(struct pa_fabric_run *run, struct pa_reader *in, bool recheck,
                       struct pa_error *error) {
    uint32_t failed = pa_read_u32(in), first = pa_read_u32(in);
    uint32_t missing = PA_FABRIC_SAMPLES - run->opened;
    if (missing > 0 && run->failed == 0) {
        run->first_failed = run->opened;
        run->reason = "it was never opened";
    }
    run->failed += missing;
    bool is_same = failed == run->failed && first == run->first_failed;
    bool is_possible = failed >= run->failed && failed <= PA_FABRIC_SAMPLES &&
                       first <= run->first_failed && (failed == 0) == (first == UINT32_MAX);
    if (!pa_reader_done(in) || (recheck ? !is_same : !is_possible))
        return strange(error, "the result is not that of the openings");
    if (failed > run->failed && run->reason == NULL)
        run->reason = "it is wrong by the witness's word";
    run->failed = failed;
    run->first_failed = first;
    return PA_OK;
}

static bool is_next(const struct pa_fabric_run *run, enum pa_fabric_stage stage) {
    if (stage == PA_FABRIC_OPENING)
        return run->stage == PA_FABRIC_KEY || run->stage == PA_FABRIC_OPENING;
    if (stage == PA_FABRIC_RESULT)
        return run->stage == PA_FABRIC_KEY || run->stage == PA_FABRIC_OPENING;
    return stage == run->stage + 1;
}

int pa_fabric_run_take(struct pa_fabric_run *run, enum pa_fabric_stage stage, const void *bytes,
                       size_t size, bool recheck, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(bytes, size);
    int code = PA_OK;
    if (!is_next(run, stage))
        return strange(error, "a stage is out of order");
    switch (stage) {
    case PA_FABRIC_NONCE:
        code = take_hash(&run->nonce, &in, error);
        break;
    case PA_FABRIC_COMMIT:
        code = take_commit(run, &in, error);
        break;
    case PA_FABRIC_CHALLENGE:
        code = take_hash(&run->challenge, &in, error);
        break;
    case PA_FABRIC_ANSWERS:
        code = take_answers(run, &in, error);
        break;
    case PA_FABRIC_KEY:
        code = take_key(run, &in, error);
        break;
    case PA_FABRIC_OPENING:
        code = take_opening(run, &in, recheck, error);
        break;
    case PA_FABRIC_RESULT:
        code = take_result(run, &in, recheck, error);
        break;
    default:
        return strange(error, "an unknown stage");
    }
    if (code == PA_OK)
        run->stage = stage;
    return code;
}
