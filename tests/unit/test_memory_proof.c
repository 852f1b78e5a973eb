/* SPDX-License-Identifier: Apache-2.0 */
/* The memory proof against its known answers, and against devices that have less memory than they
 * say. */
#include "cmocka_setup.h"

#include "measure/memory_station.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- known answers ---- */

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static void check_case(const json_t *vector) {
    struct pa_hash key, challenge, q, commitment;
    char digits[2 * PA_HASH_BYTES + 1];
    uint32_t order[128], samples[16];
    uint64_t answers[8];
    struct pa_memory_place place = {
        .device = (uint64_t)json_integer_value(json_object_get(vector, "device")),
        .chunks = (uint32_t)json_integer_value(json_object_get(vector, "chunks"))};
    const json_t *digests = json_object_get(vector, "digests");
    assert_true(place.chunks <= 128);
    assert_true(pa_unhex(key.bytes, PA_HASH_BYTES, text_of(vector, "key")));
    assert_true(pa_unhex(challenge.bytes, PA_HASH_BYTES, text_of(vector, "challenge")));
    pa_hash_bytes(&place.nonce, "nonce", key.bytes, PA_HASH_BYTES);
    struct pa_seed seed = pa_memory_seed(&place);
    uint8_t words[16];
    pa_put_le32(words, seed.k0);
    pa_put_le32(words + 4, seed.k1);
    pa_put_le32(words + 8, seed.c2);
    pa_put_le32(words + 12, seed.c3);
    pa_hex(digits, words, sizeof words);
    assert_string_equal(digits, text_of(vector, "seed"));
    pa_memory_q(&q, &place, &challenge);
    snprintf(digits, sizeof digits, "%08x", pa_memory_s(&q));
    assert_string_equal(digits, text_of(vector, "s"));
    pa_memory_order(order, place.chunks, &q);
    for (uint32_t i = 0; i < place.chunks; i++)
        assert_int_equal(order[i],
                         json_integer_value(json_array_get(json_object_get(vector, "order"), i)));
    if (digests == NULL)
        return;
    for (uint32_t i = 0; i < place.chunks; i++) {
        answers[i] = pa_memory_digest_of(&seed, order[i], pa_memory_s(&q));
        snprintf(digits, sizeof digits, "%016llx", (unsigned long long)answers[i]);
        assert_string_equal(digits, json_string_value(json_array_get(digests, i)));
    }
    pa_memory_commitment(&commitment, &q, answers, place.chunks);
    pa_hex(digits, commitment.bytes, PA_HASH_BYTES);
    assert_string_equal(digits, text_of(vector, "commitment"));
    const json_t *drawn = json_object_get(vector, "samples");
    assert_true(json_array_size(drawn) <= 16);
    pa_memory_samples(samples, (uint32_t)json_array_size(drawn), place.chunks, &key, &commitment);
    for (size_t j = 0; j < json_array_size(drawn); j++)
        assert_int_equal(samples[j], json_integer_value(json_array_get(drawn, j)));
}

static void known_answers_agree(void **state) {
    (void)state;
    json_t *root = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/memory.json", 0, NULL);
    const json_t *cases = json_object_get(root, "cases");
    assert_true(json_array_size(cases) >= 4);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_case(json_array_get(cases, i));
    json_decref(root);
}

/* ---- a device whose memory is in this process, and may be less than it says ---- */

struct small {
    struct pa_device base;
    uint32_t had;      /* chunks that can be had */
    uint32_t physical; /* chunks that there are: addresses beyond wrap around */
    uint32_t flipped;  /* a bit of this chunk flips after the fill; UINT32_MAX: none */
};

struct pa_memory {
    struct small *device;
    uint32_t chunks;
    struct pa_seed seed;
    uint32_t *holds; /* by physical chunk: which chunk was written last */
};

static int small_open(struct pa_device *device, uint32_t wanted, struct pa_memory **out,
                      uint32_t *chunks, struct pa_error *error) {
    struct small *small = (struct small *)device;
    if (small->had == 0)
        return pa_fail(error, PA_EMEMORY, "nothing is left");
    *out = calloc(1, sizeof **out);
    (*out)->device = small;
    (*out)->chunks = *chunks = wanted < small->had ? wanted : small->had;
    (*out)->holds = calloc(small->physical, sizeof *(*out)->holds);
    return PA_OK;
}

static int small_fill(struct pa_memory *memory, const struct pa_seed *seed, uint64_t deadline_ns,
                      uint64_t *out_ns, struct pa_error *error) {
    (void)deadline_ns;
    (void)error;
    memory->seed = *seed;
    for (uint32_t chunk = 0; chunk < memory->chunks; chunk++)
        memory->holds[chunk % memory->device->physical] = chunk;
    *out_ns = 5;
    return PA_OK;
}

static int small_read(struct pa_memory *memory, const uint32_t *order, uint32_t s,
                      uint64_t deadline_ns, uint64_t *answers, uint64_t *out_ns,
                      struct pa_error *error) {
    (void)deadline_ns;
    (void)error;
    for (uint32_t i = 0; i < memory->chunks; i++) {
        uint32_t holds = memory->holds[order[i] % memory->device->physical];
        answers[i] = pa_memory_digest_of(&memory->seed, holds, s);
        answers[i] ^= holds == memory->device->flipped ? 1 : 0;
    }
    *out_ns = 6;
    return PA_OK;
}

static void small_close(struct pa_memory *memory) {
    free(memory->holds);
    free(memory);
}

static const struct pa_backend small_backend = {.name = "small",
                                                .memory_open = small_open,
                                                .memory_fill = small_fill,
                                                .memory_read = small_read,
                                                .memory_close = small_close};
static const struct pa_backend no_backend = {.name = "none"};

static struct small small_device(uint32_t chunks) {
    return (struct small){.base = {.backend = &small_backend},
                          .had = chunks,
                          .physical = chunks,
                          .flipped = UINT32_MAX};
}

/* Run the proof as the hub does. */
static struct pa_memory_check prove(struct small *small, uint32_t wanted, uint32_t *chunks) {
    struct pa_memory_station station = {.device = &small->base};
    struct pa_hash key = {{7}}, challenge = {{9}};
    struct pa_memory_place place = {.device = 3, .chunks = wanted};
    struct pa_buffer request = {0}, answer = {0};
    struct pa_memory_check check;
    struct pa_error error = {0};
    pa_hash_bytes(&place.nonce, "nonce", key.bytes, PA_HASH_BYTES);
    pa_memory_ask_fill(&request, &place, UINT64_C(1000000000));
    assert_int_equal(pa_memory_execute(&station, request.data, request.size, &answer, &error),
                     PA_OK);
    struct pa_reader in = pa_reader_over(answer.data, answer.size);
    *chunks = place.chunks = pa_read_u32(&in);
    assert_int_equal(pa_read_u64(&in), 5);
    assert_true(pa_reader_done(&in));
    pa_buffer_clear(&request);
    pa_buffer_clear(&answer);
    pa_memory_ask_read(&request, &challenge, UINT64_C(1000000000));
    assert_int_equal(pa_memory_execute(&station, request.data, request.size, &answer, &error),
                     PA_OK);
    assert_null(station.memory);
    in = pa_reader_over(answer.data, answer.size);
    assert_int_equal(pa_read_u64(&in), 6);
    uint64_t *answers = calloc(place.chunks, sizeof *answers);
    for (uint32_t i = 0; i < place.chunks; i++)
        answers[i] = pa_read_u64(&in);
    assert_true(pa_reader_done(&in));
    assert_int_equal(pa_memory_verify(&place, &challenge, &key, answers, &check, NULL), PA_OK);
    free(answers);
    pa_buffer_free(&request);
    pa_buffer_free(&answer);
    return check;
}

static void memory_that_is_there_holds_what_was_written(void **state) {
    struct small small = small_device(5);
    uint32_t chunks;
    (void)state;
    struct pa_memory_check check = prove(&small, 5, &chunks);
    assert_int_equal(chunks, 5);
    assert_int_equal(check.samples, 5);
    assert_int_equal(check.wrong, 0);
}

static void memory_that_wraps_around_is_caught(void **state) {
    struct small small = small_device(6);
    uint32_t chunks;
    (void)state;
    small.physical = 4;
    struct pa_memory_check check = prove(&small, 6, &chunks);
    assert_int_equal(check.samples, 6);
    assert_int_equal(check.wrong, 2); /* the two that were written over */
}

static void one_flipped_bit_is_caught(void **state) {
    struct small small = small_device(4);
    uint32_t chunks;
    (void)state;
    small.flipped = 2;
    struct pa_memory_check check = prove(&small, 4, &chunks);
    assert_int_equal(check.wrong, 1);
    assert_int_equal(check.first_wrong, 2);
}

static void memory_that_cannot_be_had_shows_in_the_number_of_chunks(void **state) {
    struct small small = small_device(3);
    uint32_t chunks;
    (void)state;
    struct pa_memory_check check = prove(&small, 8, &chunks);
    assert_int_equal(chunks, 3);
    assert_int_equal(check.wrong, 0);
}

static void large_memory_is_sampled(void **state) {
    struct pa_hash key = {{1}}, challenge = {{2}};
    struct pa_memory_place place = {.nonce = {{3}}, .device = 0, .chunks = 300};
    uint64_t answers[300] = {0};
    struct pa_memory_check check;
    (void)state;
    assert_int_equal(pa_memory_verify(&place, &challenge, &key, answers, &check, NULL), PA_OK);
    assert_int_equal(check.samples, PA_MEMORY_SAMPLES);
    assert_int_equal(check.wrong, PA_MEMORY_SAMPLES);
}

static void damaged_requests_and_devices_that_cannot_are_refused(void **state) {
    struct small small = small_device(2), none = {.base = {.backend = &no_backend}};
    struct pa_memory_station station = {.device = &small.base}, other = {.device = &none.base};
    struct pa_memory_place place = {.chunks = 2};
    struct pa_buffer request = {0}, answer = {0};
    struct pa_hash challenge = {{0}};
    struct pa_error error = {0};
    (void)state;
    pa_memory_ask_read(&request, &challenge, 1000);
    assert_int_equal(pa_memory_execute(&station, request.data, request.size, &answer, &error),
                     PA_EINPUT);
    pa_buffer_clear(&request);
    pa_memory_ask_fill(&request, &place, 1000);
    for (size_t cut = 0; cut < request.size; cut++)
        assert_int_equal(pa_memory_execute(&station, request.data, cut, &answer, &error),
                         PA_EINPUT);
    assert_int_equal(pa_memory_execute(&other, request.data, request.size, &answer, &error),
                     PA_EUNSUPPORTED);
    small.had = 0;
    assert_int_equal(pa_memory_execute(&station, request.data, request.size, &answer, &error),
                     PA_EMEMORY);
    pa_buffer_free(&request);
    pa_buffer_free(&answer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_agree),
        cmocka_unit_test(memory_that_is_there_holds_what_was_written),
        cmocka_unit_test(memory_that_wraps_around_is_caught),
        cmocka_unit_test(one_flipped_bit_is_caught),
        cmocka_unit_test(memory_that_cannot_be_had_shows_in_the_number_of_chunks),
        cmocka_unit_test(large_memory_is_sampled),
        cmocka_unit_test(damaged_requests_and_devices_that_cannot_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
