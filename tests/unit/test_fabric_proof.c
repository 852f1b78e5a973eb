/* SPDX-License-Identifier: Apache-2.0 */
/* The fabric proof against its known answers, and a run of it against sites that did not exchange
 * what they computed. */
#include "cmocka_setup.h"

#include "proof/proof.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- known answers ---- */

static json_t *vectors;

static struct pa_hash hash_at(const json_t *array, size_t i) {
    struct pa_hash hash;
    assert_true(pa_unhex(hash.bytes, PA_HASH_BYTES, json_string_value(json_array_get(array, i))));
    return hash;
}

static struct pa_hash hash_of(const json_t *object, const char *name) {
    struct pa_hash hash;
    assert_true(
        pa_unhex(hash.bytes, PA_HASH_BYTES, json_string_value(json_object_get(object, name))));
    return hash;
}

static uint32_t count_of(const json_t *object, const char *name) {
    return (uint32_t)json_integer_value(json_object_get(object, name));
}

static void check_chunk(const json_t *vector) {
    static const uint64_t devices[] = {3, UINT64_C(1) << 33};
    enum pa_class class_id = pa_class_named(json_string_value(json_object_get(vector, "class")));
    struct pa_shape shape = {256, count_of(vector, "n"), count_of(vector, "k")};
    uint32_t steps = count_of(vector, "steps"), chunk = count_of(vector, "chunk"), keys[2];
    uint32_t words[2][PA_FABRIC_CHUNK];
    struct pa_hash nonce = hash_of(vector, "nonce");
    char digits[24];
    for (size_t i = 0; i < 2; i++) {
        const json_t *list = json_array_get(json_object_get(vector, "d"), i);
        struct pa_hash start = hash_at(json_object_get(vector, "starts"), i), d[PA_FABRIC_STEPS];
        for (uint32_t t = 0; t < steps; t++)
            d[t] = hash_at(list, t);
        assert_int_equal(pa_fabric_chunk(words[i], class_id, shape, &start, d, steps, chunk, NULL),
                         PA_OK);
        const json_t *theirs = json_array_get(json_object_get(vector, "words"), i);
        for (size_t e = 0; e < PA_FABRIC_CHUNK; e++) {
            snprintf(digits, sizeof digits, "%08x", words[i][e]);
            assert_string_equal(digits, json_string_value(json_array_get(theirs, e)));
        }
        struct pa_tail tail = {.last = hash_at(json_object_get(vector, "last"), i)};
        uint64_t digest;
        pa_fabric_digests(&digest, words[i], PA_FABRIC_CHUNK, pa_fabric_digest_key(&tail));
        snprintf(digits, sizeof digits, "%016llx", (unsigned long long)digest);
        assert_string_equal(
            digits, json_string_value(json_array_get(json_object_get(vector, "digests"), i)));
        keys[i] = pa_fabric_weight_key(&nonce, devices[i]);
        snprintf(digits, sizeof digits, "%08x", keys[i]);
        assert_string_equal(
            digits, json_string_value(json_array_get(json_object_get(vector, "weights"), i)));
    }
    static const uint32_t turns[] = {0, 1, 50, 127};
    for (size_t i = 0; i < 4; i++) {
        uint64_t sum = pa_fabric_chunk_sum(words[0], words[1], chunk, keys[0], keys[1], turns[i]);
        snprintf(digits, sizeof digits, "%016llx", (unsigned long long)sum);
        assert_string_equal(digits,
                            json_string_value(json_array_get(json_object_get(vector, "sums"), i)));
    }
}

static void chunks_of_a_state_agree(void **state) {
    (void)state;
    const json_t *cases = json_object_get(vectors, "chunks");
    assert_true(json_array_size(cases) >= 5);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_chunk(json_array_get(cases, i));
}

static void lists_of_values_agree(void **state) {
    (void)state;
    const json_t *cases = json_object_get(vectors, "lists");
    assert_true(json_array_size(cases) >= 5);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *vector = json_array_get(cases, i);
        uint32_t count = count_of(vector, "count");
        uint64_t *values = calloc(count, sizeof *values);
        for (uint32_t v = 0; v < count; v++) {
            uint8_t number[4];
            struct pa_hash hash;
            pa_put_le32(number, v);
            pa_sha256(&hash, number, sizeof number);
            values[v] = pa_le64(hash.bytes);
        }
        struct pa_hash ours, theirs = hash_of(vector, "fabric");
        assert_int_equal(pa_fabric_hash_values(&ours, "fabric", values, count, NULL), PA_OK);
        assert_true(pa_hash_equal(&ours, &theirs));
        theirs = hash_of(vector, "answer");
        assert_int_equal(pa_fabric_hash_values(&ours, "fabric answer", values, count, NULL), PA_OK);
        assert_true(pa_hash_equal(&ours, &theirs));
        free(values);
    }
}

static void read_tail(struct pa_fabric_tail *out, const char *text) {
    uint8_t bytes[8 + 3 * PA_HASH_BYTES];
    assert_true(pa_unhex(bytes, sizeof bytes, text));
    out->tail.steps = pa_le64(bytes);
    memcpy(out->tail.last.bytes, bytes + 8, PA_HASH_BYTES);
    memcpy(out->tail.tree.bytes, bytes + 40, PA_HASH_BYTES);
    memcpy(out->fabric.bytes, bytes + 72, PA_HASH_BYTES);
}

static void check_shuffle(const struct pa_hash *nonce, uint32_t chunks, const json_t *met) {
    struct pa_fabric_shuffle shuffle = pa_fabric_round_shuffle(nonce, chunks);
    assert_true(json_array_size(met) > 0);
    for (uint32_t c = 0; c < json_array_size(met); c++) {
        const json_t *theirs = json_array_get(met, c);
        assert_int_equal(pa_fabric_met_chunk(shuffle, c),
                         json_integer_value(json_array_get(theirs, 0)));
        assert_int_equal(pa_fabric_met_turn(shuffle, c),
                         json_integer_value(json_array_get(theirs, 1)));
    }
}

static void check_round(const json_t *vector) {
    const json_t *tails = json_object_get(vector, "tails");
    struct pa_fabric_tail list[16];
    struct pa_hash answers[16], root, nonce = hash_of(vector, "nonce"), theirs,
                                      challenge = hash_of(vector, "challenge"),
                                      key = hash_of(vector, "key");
    uint32_t count = (uint32_t)json_array_size(tails), pairs = count / 2;
    assert_true(count <= 16);
    for (uint32_t d = 0; d < count; d++)
        read_tail(&list[d], json_string_value(json_array_get(tails, d)));
    pa_fabric_root(&root, &nonce, list, count);
    theirs = hash_of(vector, "root");
    assert_true(pa_hash_equal(&root, &theirs));
    assert_true(pa_unhex(answers, PA_FABRIC_ROUNDS * (size_t)pairs * PA_HASH_BYTES,
                         json_string_value(json_object_get(vector, "answers"))));
    pa_fabric_first_nonce(&nonce, &challenge, &root);
    for (uint32_t r = 0; r < PA_FABRIC_ROUNDS; r++) {
        const json_t *order = json_array_get(json_object_get(vector, "orders"), r);
        uint32_t devices[16];
        theirs = hash_at(json_object_get(vector, "nonces"), r);
        assert_true(pa_hash_equal(&nonce, &theirs));
        for (uint32_t d = 0; d < count; d++)
            devices[d] =
                (uint32_t)json_integer_value(json_array_get(json_object_get(vector, "devices"), d));
        pa_fabric_match(devices, count, &nonce);
        for (uint32_t d = 0; d < count; d++)
            assert_int_equal(devices[d], json_integer_value(json_array_get(order, d)));
        check_shuffle(&nonce, count_of(vector, "chunks"),
                      json_array_get(json_object_get(vector, "met"), r));
        struct pa_hash before = nonce;
        pa_fabric_next_nonce(&nonce, &before, answers + (size_t)r * pairs, pairs);
    }
    struct pa_fabric_sample samples[PA_FABRIC_SAMPLES];
    pa_fabric_samples(samples, PA_FABRIC_SAMPLES, &key, answers, pairs, count_of(vector, "chunks"));
    for (size_t j = 0; j < PA_FABRIC_SAMPLES; j++) {
        const json_t *sample = json_array_get(json_object_get(vector, "samples"), j);
        assert_int_equal(samples[j].round, json_integer_value(json_array_get(sample, 0)));
        assert_int_equal(samples[j].pair, json_integer_value(json_array_get(sample, 1)));
        assert_int_equal(samples[j].chunk, json_integer_value(json_array_get(sample, 2)));
    }
}

static void roots_matchings_and_samples_agree(void **state) {
    (void)state;
    const json_t *cases = json_object_get(vectors, "rounds");
    assert_true(json_array_size(cases) >= 3);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_round(json_array_get(cases, i));
}

/* ---- a run ---- */

enum { DEVICES = 4, WORKING = 3, CHUNKS = 128, IDLE = 1 };

/* A site whose three devices compute what they should, and a witness beside it. Device 1 rests. */
struct site {
    struct pa_declared_device declared[DEVICES];
    struct pa_declaration declaration;
    struct pa_key *prover;
    struct pa_hash session, key, challenge, d[DEVICES][PA_FABRIC_STEPS];
    struct pa_fabric_tail tails[DEVICES];
    uint32_t x[DEVICES][CHUNKS * PA_FABRIC_CHUNK];
    uint64_t digests[DEVICES][CHUNKS], sums[PA_FABRIC_ROUNDS][CHUNKS];
    struct pa_hash answers[PA_FABRIC_ROUNDS];
    struct pa_fabric_run run;
};

static struct site *site_open(void) {
    static struct site site;
    memset(&site, 0, sizeof site);
    for (uint32_t d = 0; d < DEVICES; d++)
        site.declared[d] = (struct pa_declared_device){.m = 128, .n = 128, .name = "x"};
    site.declaration = (struct pa_declaration){
        .class_id = PA_DENSE16, .k = 8, .device_count = DEVICES, .devices = site.declared};
    assert_int_equal(pa_key_generate(&site.prover, NULL), PA_OK);
    pa_key_public(site.prover, site.declaration.prover_key);
    pa_hash_bytes(&site.session, "session", "s", 1);
    pa_hash_bytes(&site.key, "key", "k", 1);
    pa_hash_bytes(&site.challenge, "challenge", "c", 1);
    assert_int_equal(pa_fabric_run_begin(&site.run, &site.declaration, &site.session, NULL), PA_OK);
    assert_int_equal(site.run.chunks, CHUNKS);
    return &site;
}

static void site_close(struct site *site) {
    pa_fabric_run_free(&site->run);
    pa_key_free(site->prover);
}

static int take(struct site *site, enum pa_fabric_stage stage, const void *bytes, size_t size) {
    struct pa_error error = {0};
    return pa_fabric_run_take(&site->run, stage, bytes, size, true, &error);
}

static void challenge_site(struct site *site) {
    struct pa_hash nonce;
    pa_epoch_nonce(&nonce, &site->key);
    assert_int_equal(take(site, PA_FABRIC_NONCE, nonce.bytes, PA_HASH_BYTES), PA_OK);
}

/* Chain and state of a device; the D are as good as any, as they are no part of this proof. */
static void work(struct site *site, uint32_t device) {
    struct pa_fabric_tail *tail = &site->tails[device];
    struct pa_shape shape = {128, 128, 8};
    struct pa_hash start;
    pa_fabric_run_start(&site->run, device, &start);
    tail->tail.last = start;
    if (device == IDLE)
        return;
    tail->tail.steps = PA_FABRIC_STEPS;
    for (uint32_t t = 1; t <= PA_FABRIC_STEPS; t++) {
        struct pa_hash before = tail->tail.last;
        uint8_t what[2] = {(uint8_t)device, (uint8_t)t};
        pa_sha256(&site->d[device][t - 1], what, sizeof what);
        pa_step_link(&tail->tail.last, &before, t, &site->d[device][t - 1]);
    }
    for (uint32_t c = 0; c < CHUNKS; c++)
        assert_int_equal(pa_fabric_chunk(site->x[device] + (size_t)c * PA_FABRIC_CHUNK, PA_DENSE16,
                                         shape, &start, site->d[device], PA_FABRIC_STEPS, c, NULL),
                         PA_OK);
}

static void commit_to(struct site *site, uint32_t device) {
    struct pa_fabric_tail *tail = &site->tails[device];
    if (device == IDLE)
        return;
    pa_fabric_digests(site->digests[device], site->x[device], CHUNKS * PA_FABRIC_CHUNK,
                      pa_fabric_digest_key(&tail->tail));
    assert_int_equal(
        pa_fabric_hash_values(&tail->fabric, "fabric", site->digests[device], CHUNKS, NULL), PA_OK);
}

static int commit(struct site *site) {
    struct pa_buffer list = {0};
    struct pa_hash root, message;
    uint8_t signature[PA_DER_SIGNATURE_MOST_BYTES];
    size_t length = 0;
    pa_fabric_root(&root, &site->run.nonce, site->tails, DEVICES);
    pa_epoch_commit_hash(&message, &site->session, PA_FABRIC_EPOCH, &root);
    assert_int_equal(pa_key_sign(site->prover, &message, signature, &length, NULL), PA_OK);
    pa_fabric_put_tails(&list, site->tails, DEVICES);
    pa_buffer_u16(&list, (uint16_t)length);
    pa_buffer_bytes(&list, signature, length);
    int code = take(site, PA_FABRIC_COMMIT, list.data, list.size);
    pa_buffer_free(&list);
    return code;
}

static void work_and_commit(struct site *site) {
    challenge_site(site);
    for (uint32_t d = 0; d < DEVICES; d++) {
        work(site, d);
        commit_to(site, d);
    }
    assert_int_equal(commit(site), PA_OK);
    assert_int_equal(take(site, PA_FABRIC_CHALLENGE, site->challenge.bytes, PA_HASH_BYTES), PA_OK);
}

/* Both rounds; `theirs` of each device is what its partner has of its state. */
static void exchange(struct site *site, uint32_t theirs[DEVICES][CHUNKS * PA_FABRIC_CHUNK]) {
    struct pa_hash nonce, before;
    pa_fabric_first_nonce(&nonce, &site->challenge, &site->run.root);
    for (uint32_t r = 0; r < PA_FABRIC_ROUNDS; r++) {
        uint32_t order[WORKING] = {0, 2, 3};
        pa_fabric_match(order, WORKING, &nonce);
        pa_fabric_sums(site->sums[r], site->x[order[0]], theirs[order[1]],
                       pa_fabric_weight_key(&nonce, order[0]),
                       pa_fabric_weight_key(&nonce, order[1]),
                       pa_fabric_round_shuffle(&nonce, CHUNKS));
        assert_int_equal(
            pa_fabric_hash_values(&site->answers[r], "fabric answer", site->sums[r], CHUNKS, NULL),
            PA_OK);
        before = nonce;
        pa_fabric_next_nonce(&nonce, &before, &site->answers[r], 1);
    }
    assert_int_equal(take(site, PA_FABRIC_ANSWERS, site->answers, sizeof site->answers), PA_OK);
    assert_int_equal(take(site, PA_FABRIC_KEY, site->key.bytes, PA_HASH_BYTES), PA_OK);
}

static void build_opening(struct site *site, uint32_t j, struct pa_buffer *out) {
    const struct pa_fabric_sample *sample = &site->run.samples[j];
    uint32_t order[DEVICES];
    struct pa_hash nonce;
    pa_fabric_run_match(&site->run, sample->round, order, &nonce);
    struct pa_fabric_shuffle shuffle = pa_fabric_round_shuffle(&nonce, CHUNKS);
    const uint32_t chunk[2] = {sample->chunk, pa_fabric_met_chunk(shuffle, sample->chunk)};
    pa_buffer_u32(out, j);
    for (int side = 0; side < 2; side++)
        pa_fabric_put_opened(out, site->d[order[side]], PA_FABRIC_STEPS, site->digests[order[side]],
                             CHUNKS, chunk[side]);
    pa_fabric_put_opened(out, NULL, 0, site->sums[sample->round], CHUNKS, sample->chunk);
}

static int open_sample(struct site *site, uint32_t j) {
    struct pa_buffer opening = {0};
    build_opening(site, j, &opening);
    int code = take(site, PA_FABRIC_OPENING, opening.data, opening.size);
    pa_buffer_free(&opening);
    return code;
}

static void open_all(struct site *site) {
    for (uint32_t j = 0; j < PA_FABRIC_SAMPLES; j++)
        assert_int_equal(open_sample(site, j), PA_OK);
}

static int end(struct site *site, uint32_t failed, uint32_t first) {
    uint8_t result[8];
    pa_put_le32(result, failed);
    pa_put_le32(result + 4, first);
    return take(site, PA_FABRIC_RESULT, result, sizeof result);
}

static void an_honest_exchange_holds(void **state) {
    (void)state;
    struct site *site = site_open();
    work_and_commit(site);
    assert_int_equal(site->run.working_count, WORKING);
    assert_int_equal(site->run.pairs, 1);
    exchange(site, site->x);
    open_all(site);
    assert_int_equal(site->run.failed, 0);
    assert_int_equal(end(site, 0, UINT32_MAX), PA_OK);
    site_close(site);
}

/* A partner at another place whose state was not there in time. */
static void an_answer_without_the_partner_s_state_is_caught(void **state) {
    (void)state;
    static uint32_t nothing[DEVICES][CHUNKS * PA_FABRIC_CHUNK];
    struct site *site = site_open();
    work_and_commit(site);
    exchange(site, nothing);
    open_all(site);
    assert_int_equal(site->run.failed, PA_FABRIC_SAMPLES);
    assert_int_equal(site->run.first_failed, 0);
    assert_string_equal(site->run.reason, "the pair's sum is wrong");
    assert_int_equal(end(site, PA_FABRIC_SAMPLES, 0), PA_OK);
    site_close(site);
}

/* A device that folded no product, and has the same of it after the challenge as before. */
static void a_state_of_other_products_is_caught(void **state) {
    (void)state;
    struct site *site = site_open();
    challenge_site(site);
    for (uint32_t d = 0; d < DEVICES; d++) {
        work(site, d);
        for (size_t i = 0; d == 2 && i < CHUNKS * PA_FABRIC_CHUNK; i++)
            site->x[d][i] = (uint32_t)i;
        commit_to(site, d);
    }
    assert_int_equal(commit(site), PA_OK);
    assert_int_equal(take(site, PA_FABRIC_CHALLENGE, site->challenge.bytes, PA_HASH_BYTES), PA_OK);
    exchange(site, site->x);
    open_all(site);
    assert_true(site->run.failed > 0);
    assert_string_equal(site->run.reason,
                        "a device committed to another state than that of its products");
    site_close(site);
}

/* The state was computed after the challenge: what was committed to was made up. */
static void a_state_regenerated_late_is_caught(void **state) {
    (void)state;
    struct site *site = site_open();
    challenge_site(site);
    for (uint32_t d = 0; d < DEVICES; d++) {
        work(site, d);
        commit_to(site, d);
    }
    memset(&site->tails[3].fabric, 7, PA_HASH_BYTES);
    memset(&site->tails[0].fabric, 7, PA_HASH_BYTES);
    assert_int_equal(commit(site), PA_OK);
    assert_int_equal(take(site, PA_FABRIC_CHALLENGE, site->challenge.bytes, PA_HASH_BYTES), PA_OK);
    exchange(site, site->x);
    open_all(site);
    assert_true(site->run.failed > 0);
    assert_string_equal(site->run.reason, "its digests are not those committed to");
    site_close(site);
}

/* One byte of an opening, wherever it is. */
static void an_altered_opening_fails(void **state) {
    (void)state;
    struct site *site = site_open();
    work_and_commit(site);
    exchange(site, site->x);
    for (uint32_t j = 0; j < PA_FABRIC_SAMPLES; j++) {
        struct pa_buffer opening = {0};
        build_opening(site, j, &opening);
        opening.data[4 + j * (opening.size - 5) / (PA_FABRIC_SAMPLES - 1)] ^= 1;
        assert_int_equal(take(site, PA_FABRIC_OPENING, opening.data, opening.size), PA_OK);
        assert_int_equal(site->run.failed, j + 1);
        pa_buffer_free(&opening);
    }
    site_close(site);
}

static void openings_that_never_come_have_failed(void **state) {
    (void)state;
    struct site *site = site_open();
    work_and_commit(site);
    exchange(site, site->x);
    assert_int_equal(open_sample(site, 0), PA_OK);
    assert_int_equal(open_sample(site, 2), PA_EINPUT);
    assert_int_equal(end(site, 0, UINT32_MAX), PA_EINPUT);
    site_close(site);
    site = site_open();
    work_and_commit(site);
    exchange(site, site->x);
    assert_int_equal(open_sample(site, 0), PA_OK);
    assert_int_equal(end(site, PA_FABRIC_SAMPLES - 1, 1), PA_OK);
    assert_string_equal(site->run.reason, "it was never opened");
    site_close(site);
}

static void stages_out_of_order_are_refused(void **state) {
    (void)state;
    struct site *site = site_open();
    assert_int_equal(take(site, PA_FABRIC_COMMIT, "x", 1), PA_EINPUT);
    assert_int_equal(take(site, PA_FABRIC_NONCE, site->key.bytes, 31), PA_EINPUT);
    challenge_site(site);
    assert_int_equal(take(site, PA_FABRIC_CHALLENGE, site->challenge.bytes, PA_HASH_BYTES),
                     PA_EINPUT);
    assert_int_equal(take(site, PA_FABRIC_KEY, site->key.bytes, PA_HASH_BYTES), PA_EINPUT);
    for (uint32_t d = 0; d < DEVICES; d++) {
        work(site, d);
        commit_to(site, d);
    }
    struct pa_fabric_tail kept = site->tails[IDLE];
    site->tails[IDLE].fabric.bytes[0] = 1; /* a state without work */
    assert_int_equal(commit(site), PA_EINPUT);
    site->tails[IDLE] = kept;
    site->tails[0].tail.steps = PA_FABRIC_STEPS - 1;
    assert_int_equal(commit(site), PA_EINPUT);
    site->tails[0].tail.steps = PA_FABRIC_STEPS;
    site->session.bytes[0] ^= 1; /* signed for another session */
    assert_int_equal(commit(site), PA_EINPUT);
    site->session.bytes[0] ^= 1;
    assert_int_equal(commit(site), PA_OK);
    assert_int_equal(commit(site), PA_EINPUT);
    assert_int_equal(take(site, PA_FABRIC_CHALLENGE, site->challenge.bytes, PA_HASH_BYTES), PA_OK);
    assert_int_equal(take(site, PA_FABRIC_ANSWERS, site->answers, PA_HASH_BYTES), PA_EINPUT);
    assert_int_equal(take(site, PA_FABRIC_ANSWERS, site->answers, sizeof site->answers), PA_OK);
    assert_int_equal(take(site, PA_FABRIC_KEY, site->challenge.bytes, PA_HASH_BYTES), PA_EINPUT);
    site_close(site);
}

/* ---- what follows ---- */

static void the_floor_is_what_must_cross(void **state) {
    (void)state;
    struct pa_fabric_floor floor;
    const uint64_t words = UINT64_C(1) << 28, second = 1000000000;
    double work = 2.0 * 8192 * (double)words * PA_FABRIC_STEPS * 16; /* of 16 devices */
    /* All the time that there was went into the states. */
    pa_fabric_floor(&floor, PA_DENSE16, 8192, 16, words, second, work);
    assert_true(floor.twice_share == 0);
    double bytes = 4.0 * (double)words;
    assert_true(pa_fabric_cut(&floor, 16, 0.5, 1) == bytes * 16 * 0.25);
    assert_true(pa_fabric_cut(&floor, 16, 0.5, 0.5) == bytes * 16 * 0.125);
    /* Of an odd number one has no partner. */
    assert_true(pa_fabric_cut(&floor, 3, 0.5, 1) == bytes * 2 * 0.25);
    /* In a tenth more of it, a tenth of them could have been computed twice. */
    pa_fabric_floor(&floor, PA_DENSE16, 8192, 16, words, second, 1.1 * work);
    assert_true(floor.twice_share > 0.0999 && floor.twice_share < 0.1001);
    assert_true(pa_fabric_cut(&floor, 16, 0.05, 1) == 0);
    assert_true(pa_fabric_cut(&floor, 16, 0.5, 1) < bytes * 16 * 0.1986);
    assert_true(pa_fabric_cut(&floor, 16, 0.5, 1) > bytes * 16 * 0.1984);
    /* Time for all of them twice, or no rate to hold it against: nothing follows. */
    pa_fabric_floor(&floor, PA_DENSE16, 8192, 16, words, second, 3 * work);
    assert_true(pa_fabric_cut(&floor, 16, 0.5, 1) == 0);
    pa_fabric_floor(&floor, PA_DENSE16, 8192, 16, words, second, 0);
    assert_true(pa_fabric_cut(&floor, 16, 0.5, 1) == 0);
}

static void words_are_those_of_the_smallest_result(void **state) {
    (void)state;
    const struct pa_shape shapes[] = {{32768, 8192, 8192}, {128, 256, 8192}, {65536, 8192, 8192}};
    assert_int_equal(pa_fabric_words(PA_DENSE16, shapes, 1), PA_FABRIC_MOST_WORDS);
    assert_int_equal(pa_fabric_words(PA_DENSE16, shapes, 3), 128 * 256);
    assert_int_equal(pa_fabric_words(PA_DENSE64, shapes, 3), 2 * 128 * 256);
    assert_int_equal(pa_fabric_words(PA_DENSE16, shapes + 2, 1), PA_FABRIC_MOST_WORDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunks_of_a_state_agree),
        cmocka_unit_test(lists_of_values_agree),
        cmocka_unit_test(roots_matchings_and_samples_agree),
        cmocka_unit_test(an_honest_exchange_holds),
        cmocka_unit_test(an_answer_without_the_partner_s_state_is_caught),
        cmocka_unit_test(a_state_of_other_products_is_caught),
        cmocka_unit_test(a_state_regenerated_late_is_caught),
        cmocka_unit_test(an_altered_opening_fails),
        cmocka_unit_test(openings_that_never_come_have_failed),
        cmocka_unit_test(stages_out_of_order_are_refused),
        cmocka_unit_test(the_floor_is_what_must_cross),
        cmocka_unit_test(words_are_those_of_the_smallest_result),
    };
    vectors = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/fabric.json", 0, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(vectors);
    return failed;
}
