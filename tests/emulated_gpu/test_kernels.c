/* SPDX-License-Identifier: Apache-2.0 */
/* Every kernel gives the bits of its twin on the processor.
 *
 *     test_kernels kernels_nvcc_75.ptx     that PTX, on whatever libcuda.so.1 the loader finds
 *     test_kernels                         what the binary embeds: on a real GPU, machine code
 */
#include "unit/cmocka_setup.h"

#include "emulated_gpu/kernel_runner.h"
#include "kernels/digest.h"
#include "kernels/fabric.h"
#include "proof/allreduce_sum.h"
#include "proof/fabric_proof.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct pa_seed seeds[] = {
    {0, 0, 0, 0, 0},
    {0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFFu, 0xFFFFFFFFu},
    {0xA4093822u, 0x299F31D0u, 0x13198A2Eu, 0x03707344u, 0x243F6A88u},
    {0x80000000u, 1, 0x7FFFFFFFu, 0, 0x80000000u},
    {0xD2511F53u, 0xCD9E8D57u, 0x9E3779B9u, 0xBB67AE85u, 0x61C8864Fu},
};
enum { SEEDS = sizeof seeds / sizeof seeds[0] };

/* What is before and after a kernel's output must stay. */
enum { MARGIN = 256, MARK = 0xA5 };

/* Runs `kernel`, whose first parameter is a pointer to `bytes` bytes of output. */
static uint8_t *output_of(enum pa_kernel kernel, struct pa_grid grid, void **parameters,
                          size_t bytes) {
    uint8_t *all = malloc(bytes + 2 * MARGIN);
    assert_non_null(all);
    memset(all, MARK, bytes + 2 * MARGIN);
    pa_u64 address = runner_upload(all, bytes + 2 * MARGIN), out = address + MARGIN;
    parameters[0] = &out;
    runner_launch(kernel, grid, parameters);
    memset(all, 0, bytes + 2 * MARGIN);
    runner_download(all, address, bytes + 2 * MARGIN);
    runner_free(address);
    for (size_t i = 0; i < MARGIN; i++) {
        assert_int_equal(all[i], MARK);
        assert_int_equal(all[MARGIN + bytes + i], MARK);
    }
    memmove(all, all + MARGIN, bytes);
    return all;
}

/* ---- operands ---- */

struct storage {
    enum pa_kernel kernel;
    unsigned slot_bits, bits;    /* of the class */
    unsigned exponent, fraction; /* of the format; no exponent: two's complement */
    size_t bytes;                /* of an element */
};
static const struct storage storages[] = {
    {PA_KERNEL_FILL_DENSE16_BF16, 16, 9, 8, 7, 2},
    {PA_KERNEL_FILL_DENSE16_FP16, 16, 9, 5, 10, 2},
    {PA_KERNEL_FILL_DENSE16_FP32, 16, 9, 8, 23, 4},
    {PA_KERNEL_FILL_DENSE8_INT8, 8, 8, 0, 0, 1},
    {PA_KERNEL_FILL_FP8_E4M3, 4, 4, 4, 3, 1},
    {PA_KERNEL_FILL_DENSE64_FP64, 32, 23, 11, 52, 8},
};
enum { STORAGES = sizeof storages / sizeof storages[0] };

/* What an element stands for, by the definition of a binary format. */
static double value_of(const struct storage *storage, uint64_t element) {
    if (storage->exponent == 0)
        return (int8_t)element;
    int bias = (1 << (storage->exponent - 1)) - 1;
    int power = (int)(element >> storage->fraction & ((1u << storage->exponent) - 1));
    double part = (double)(element & ((UINT64_C(1) << storage->fraction) - 1));
    double magnitude = power == 0 ? ldexp(part, 1 - bias - (int)storage->fraction)
                                  : ldexp(ldexp(1, (int)storage->fraction) + part,
                                          power - bias - (int)storage->fraction);
    bool is_negative = (element >> (storage->exponent + storage->fraction) & 1) != 0;
    return is_negative ? -magnitude : magnitude;
}

static void compare_operand(const struct storage *storage, struct pa_seed seed, pa_u32 first,
                            pa_u32 count, pa_u32 blocks) {
    pa_u32 slots = 128 / storage->slot_bits;
    size_t elements = (size_t)count * blocks * slots;
    assert_int_equal(slots * storage->bytes, pa_fill_bytes(storage->kernel));
    void *parameters[] = {NULL, &blocks, &first, &count, &seed.k0, &seed.k1, &seed.c2, &seed.c3};
    uint8_t *out = output_of(storage->kernel, pa_grid_fill(count, blocks), parameters,
                             elements * storage->bytes);
    for (size_t i = 0; i < elements; i++) {
        pa_u32 x[4], v = first + (pa_u32)(i / slots / blocks);
        pa_philox(seed, (pa_u32)(i / slots % blocks), v, x);
        int expected = pa_slot_value(x, (pa_u32)(i % slots), storage->slot_bits, storage->bits);
        uint64_t element = 0;
        memcpy(&element, out + i * storage->bytes, storage->bytes);
        double found = value_of(storage, element);
        if (found != expected || (expected == 0 && element != 0))
            fail_msg("kernel %d, %u x %u from %u: element %zu is %g, not %d", (int)storage->kernel,
                     count, blocks, first, i, found, expected);
    }
    free(out);
}

static void operands_have_the_values_of_their_seed(void **state) {
    (void)state;
    static const struct {
        pa_u32 first, count, blocks;
    } sizes[] = {{0, 1, 1}, {5, 17, 33}, {1048575, 1, 257}, {127, 16, 300}, {0, 35, 2}};
    for (int f = 0; f < STORAGES; f++)
        for (int i = 0; i < SEEDS; i++)
            for (size_t n = 0; n < sizeof sizes / sizeof sizes[0]; n++)
                compare_operand(&storages[f], seeds[i], sizes[n].first, sizes[n].count,
                                sizes[n].blocks);
}

/* Slots of 9, 8 and 4 bits take all their values in the operands above; here that is seen. */
static void operands_take_every_value_of_their_class(void **state) {
    (void)state;
    for (int f = 0; f < STORAGES; f++) {
        if (storages[f].bits > 9)
            continue;
        pa_u32 first = 0, count = 16, blocks = 256;
        struct pa_seed seed = seeds[2];
        void *parameters[] = {NULL,     &blocks,  &first,   &count,
                              &seed.k0, &seed.k1, &seed.c2, &seed.c3};
        size_t elements = (size_t)count * blocks * 128 / storages[f].slot_bits;
        uint8_t *out = output_of(storages[f].kernel, pa_grid_fill(count, blocks), parameters,
                                 elements * storages[f].bytes);
        bool seen[512] = {false};
        int half = 1 << (storages[f].bits - 1);
        for (size_t i = 0; i < elements; i++) {
            uint64_t element = 0;
            memcpy(&element, out + i * storages[f].bytes, storages[f].bytes);
            seen[(int)value_of(&storages[f], element) + half] = true;
        }
        for (int v = 0; v < 2 * half; v++)
            assert_true(seen[v]);
        free(out);
    }
}

/* ---- tile digests ---- */

typedef pa_u64 (*tile_twin)(const void *c, pa_u64 ld, pa_u32 s);
static pa_u64 twin_f32(const void *c, pa_u64 ld, pa_u32 s) {
    return pa_digest_tile_f32(c, ld, s);
}
static pa_u64 twin_i32(const void *c, pa_u64 ld, pa_u32 s) {
    return pa_digest_tile_i32(c, ld, s);
}
static pa_u64 twin_f64(const void *c, pa_u64 ld, pa_u32 s) {
    return pa_digest_tile_f64(c, ld, s);
}
static const struct {
    enum pa_kernel kernel;
    tile_twin twin;
    size_t bytes;
} digests[] = {
    {PA_KERNEL_DIGEST_F32, twin_f32, 4},
    {PA_KERNEL_DIGEST_I32, twin_i32, 4},
    {PA_KERNEL_DIGEST_F64, twin_f64, 8},
};

/* Words that a digest must tell apart, or must not. */
static const pa_u32 odd_words[] = {0,           0x80000000u, 0x7FC00000u, 0xFFC00001u, 0x7F800001u,
                                   0xFFFFFFFFu, 1,           0x80000001u, 0x7F800000u, 0xFF800000u};

/* `odd` of 16 words are odd ones. */
static void make_words(pa_u32 *words, size_t count, struct pa_seed seed, unsigned odd) {
    for (size_t i = 0; i < count; i += 4) {
        pa_u32 x[4];
        pa_philox(seed, (pa_u32)(i / 4), 0xC0FFEE, x);
        for (size_t j = 0; j < 4 && i + j < count; j++)
            words[i + j] = (x[j] & 15u) < odd
                               ? odd_words[(x[j] >> 4) % (sizeof odd_words / sizeof odd_words[0])]
                               : x[j];
    }
}

static void compare_tiles(int which, struct pa_seed seed, pa_u32 m, pa_u32 n, pa_u32 ld,
                          unsigned odd) {
    size_t bytes = (size_t)m * ld * digests[which].bytes;
    pa_u32 *c = malloc(bytes), s = seed.s;
    assert_non_null(c);
    make_words(c, bytes / 4, seed, odd);
    pa_u64 address = runner_upload(c, bytes), out;
    size_t tiles = (size_t)(m / 128) * (n / 128);
    uint64_t *found = malloc(tiles * sizeof *found);
    assert_non_null(found);
    memset(found, MARK, tiles * sizeof *found);
    out = runner_upload(found, tiles * sizeof *found);
    void *parameters[] = {&address, &ld, &s, &out};
    runner_launch(digests[which].kernel, pa_grid_digest(m, n), parameters);
    runner_download(found, out, tiles * sizeof *found);
    for (size_t t = 0; t < tiles; t++) {
        size_t row = t / (n / 128) * 128, column = t % (n / 128) * 128;
        const uint8_t *tile = (const uint8_t *)c + (row * ld + column) * digests[which].bytes;
        assert_int_equal(found[t], digests[which].twin(tile, ld, s));
    }
    runner_free(address);
    runner_free(out);
    free(found);
    free(c);
}

static void tile_digests_are_those_of_the_definition(void **state) {
    (void)state;
    for (int which = 0; which < 3; which++)
        for (int i = 0; i < SEEDS; i++)
            for (unsigned odd = 0; odd <= 16; odd += 4) {
                compare_tiles(which, seeds[i], 128, 128, 128, odd);
                compare_tiles(which, seeds[i], 256, 384, 384 + 4 * odd, odd);
            }
}

/* One minus zero, wherever a thread may meet it. */
static void a_single_minus_zero_is_a_zero(void **state) {
    (void)state;
    pa_u32 ld = 128, s = 77, *c = calloc(2 * 128 * 128, sizeof *c);
    assert_non_null(c);
    for (size_t i = 0; i < 2 * 128 * 128; i++)
        c[i] = (pa_u32)i * 2654435761u & 0x7FFFFFFFu;
    for (int which = 0; which < 3; which++)
        for (size_t at = 1; at < 2 * 128 * 128; at += 1022) {
            size_t words = digests[which].bytes / 4 * 128 * 128;
            if (at >= words || (which == 2 && at % 2 == 0))
                continue;
            pa_u32 kept = c[at], below = c[at - 1];
            c[at] = 0x80000000u;
            if (which == 2)
                c[at - 1] = 0;
            uint64_t found = 0;
            pa_u64 address = runner_upload(c, words * 4), out = runner_upload(&found, sizeof found);
            void *parameters[] = {&address, &ld, &s, &out};
            runner_launch(digests[which].kernel, pa_grid_digest(128, 128), parameters);
            runner_download(&found, out, sizeof found);
            assert_int_equal(found, digests[which].twin(c, ld, s));
            if (which != 1) {
                c[at] = 0;
                assert_int_equal(found, digests[which].twin(c, ld, s));
            }
            c[at] = kept;
            c[at - 1] = below;
            runner_free(address);
            runner_free(out);
        }
    free(c);
}

/* ---- all-reduce ---- */

static const pa_u64 word_counts[] = {1,     2,     3,     15,    16,    17,   4095,
                                     16383, 16384, 16385, 32768, 40001, 40002};
enum { WORD_COUNTS = sizeof word_counts / sizeof word_counts[0] };

static void inputs_of_a_rank_are_8_bit_integers(void **state) {
    (void)state;
    for (int n = 0; n < WORD_COUNTS; n++)
        for (int i = 0; i < SEEDS; i++) {
            pa_u64 words = word_counts[n];
            pa_u32 rank = i % 2 == 0 ? (pa_u32)i : 1048575u;
            struct pa_seed seed = seeds[i];
            void *parameters[] = {NULL, &words, &rank, &seed.k0, &seed.k1, &seed.c2, &seed.c3};
            uint8_t *out = output_of(PA_KERNEL_ALLREDUCE_FILL, pa_grid_allreduce_fill(words),
                                     parameters, words * 4);
            for (pa_u64 e = 0; e < words; e++) {
                pa_u32 x[4];
                int32_t found;
                pa_philox(seed, (pa_u32)(e / 16), rank, x);
                memcpy(&found, out + 4 * e, 4);
                assert_int_equal(found, pa_slot_dense8(x, (pa_u32)(e % 16)));
            }
            free(out);
        }
}

/* With one rank the result is the input: what the witness computes is what the kernels give. */
static void chunk_digests_are_those_of_the_witness(void **state) {
    (void)state;
    for (int n = 0; n < WORD_COUNTS; n++)
        for (int i = 0; i < SEEDS; i++) {
            pa_u64 words = word_counts[n], chunks = pa_allreduce_chunks(words * 4);
            pa_u32 rank = 0;
            struct pa_seed seed = seeds[i];
            void *fill[] = {NULL, &words, &rank, &seed.k0, &seed.k1, &seed.c2, &seed.c3};
            uint8_t *input =
                output_of(PA_KERNEL_ALLREDUCE_FILL, pa_grid_allreduce_fill(words), fill, words * 4);
            pa_u64 in = runner_upload(input, words * 4);
            void *digest[] = {NULL, &words, &seed.s, NULL};
            uint64_t found[3] = {0};
            pa_u64 out = runner_upload(found, sizeof found);
            assert_true(chunks <= 3);
            digest[0] = &in;
            digest[3] = &out;
            runner_launch(PA_KERNEL_ALLREDUCE_DIGEST, pa_grid_allreduce_digest(words), digest);
            runner_download(found, out, sizeof found);
            for (pa_u64 c = 0; c < 3; c++)
                assert_int_equal(
                    found[c], c < chunks ? pa_allreduce_chunk_digest(&seed, 1, words * 4, c) : 0);
            runner_free(in);
            runner_free(out);
            free(input);
        }
}

/* ---- memory proof ---- */

static pa_u32 word_of_hex(const char *text) {
    return (pa_u32)strtoul(text, NULL, 16);
}
/* Word `i` of bytes in hexadecimal, little endian. */
static pa_u32 word_of_bytes(const char *text, size_t i) {
    char four[9] = {0};
    memcpy(four, text + 8 * i, 8);
    return __builtin_bswap32(word_of_hex(four));
}

static void compare_memory(json_t *vector) {
    const char *bytes = json_string_value(json_object_get(vector, "seed"));
    struct pa_seed seed = {word_of_bytes(bytes, 0), word_of_bytes(bytes, 1),
                           word_of_bytes(bytes, 2), word_of_bytes(bytes, 3), 0};
    pa_u32 s = word_of_hex(json_string_value(json_object_get(vector, "s"))), first = 0;
    json_t *order = json_object_get(vector, "order"),
           *expected = json_object_get(vector, "digests");
    pa_u32 chunks = (pa_u32)json_array_size(order), places[8];
    if (expected == NULL)
        return;
    assert_true(chunks <= 8);
    for (size_t i = 0; i < chunks; i++)
        places[i] = (pa_u32)json_integer_value(json_array_get(order, i));

    void *fill[] = {NULL, &first, &seed.k0, &seed.k1, &seed.c2, &seed.c3};
    size_t size = (size_t)chunks * PA_MEMORY_CHUNK_BYTES;
    uint8_t *content = output_of(PA_KERNEL_MEMORY_FILL, pa_grid_memory(chunks), fill, size);
    json_t *words = json_object_get(vector, "first_words");
    for (size_t i = 0; i < json_array_size(words); i++) {
        pa_u32 found;
        memcpy(&found, content + size - PA_MEMORY_CHUNK_BYTES + 4 * i, 4);
        assert_int_equal(found, word_of_hex(json_string_value(json_array_get(words, i))));
    }

    uint64_t found[8] = {0};
    pa_u64 in = runner_upload(content, size), at = runner_upload(places, chunks * 4u),
           out = runner_upload(found, sizeof found);
    void *digest[] = {&in, &at, &s, &out};
    runner_launch(PA_KERNEL_MEMORY_DIGEST, pa_grid_memory(chunks), digest);
    runner_download(found, out, sizeof found);
    for (size_t i = 0; i < chunks; i++)
        assert_int_equal(found[i],
                         strtoull(json_string_value(json_array_get(expected, i)), NULL, 16));
    runner_free(in);
    runner_free(at);
    runner_free(out);
    free(content);
}

static void memory_is_filled_and_digested_as_the_vectors_say(void **state) {
    (void)state;
    json_t *vectors = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/memory.json", 0, NULL);
    assert_non_null(vectors);
    json_t *cases = json_object_get(vectors, "cases");
    assert_true(json_array_size(cases) >= 3);
    for (size_t i = 0; i < json_array_size(cases); i++)
        compare_memory(json_array_get(cases, i));
    json_decref(vectors);
}

/* A fill that is split over several regions continues where the one before ended. */
static void a_later_part_of_memory_continues(void **state) {
    (void)state;
    struct pa_seed seed = seeds[4];
    pa_u32 first = 0x7FFFFFF0u, chunks = 2;
    void *fill[] = {NULL, &first, &seed.k0, &seed.k1, &seed.c2, &seed.c3};
    size_t size = (size_t)chunks * PA_MEMORY_CHUNK_BYTES;
    uint8_t *content = output_of(PA_KERNEL_MEMORY_FILL, pa_grid_memory(chunks), fill, size);
    for (pa_u32 chunk = 0; chunk < chunks; chunk++)
        for (pa_u32 block = 0; block < PA_MEMORY_CHUNK_WORDS / 4; block++) {
            pa_u32 x[4];
            pa_philox(seed, block, first + chunk, x);
            assert_memory_equal(content + (size_t)chunk * PA_MEMORY_CHUNK_BYTES + 16u * block, x,
                                16);
        }
    free(content);
}

/* ---- fabric proof ---- */

static pa_u32 clear_minus_zero(const pa_u32 *c, size_t i, pa_u32 kind) {
    if (kind == PA_FABRIC_SINGLES)
        return pa_digest_f32_word(c[i]);
    return kind == PA_FABRIC_DOUBLES && i % 2 == 1 ? pa_digest_f64_high(c[i - 1], c[i]) : c[i];
}

static void compare_fold(pa_u32 pieces, pa_u32 kind) {
    size_t words = 4 * (size_t)pieces;
    pa_u32 *expected = calloc(words, sizeof *expected), *c = calloc(words, sizeof *c);
    assert_true(expected != NULL && c != NULL);
    /* Whatever lay in the state before the first step is forgotten. */
    memset(expected, MARK, words * sizeof *expected);
    pa_u64 x = runner_upload(expected, words * sizeof *expected), c_at = 0;
    memset(expected, 0, words * sizeof *expected);
    for (pa_u32 step = 0; step < 3; step++) {
        pa_u32 is_first = step == 0;
        for (size_t i = 0; i < words; i++) /* every third a zero, some of these below it */
            c[i] = i % 3 == step ? (i % 2 ? 0x80000000u : 0u) : (pa_u32)i * 2654435761u + step;
        c_at = runner_upload(c, words * sizeof *c);
        void *parameters[] = {&x, &c_at, &pieces, &kind, &is_first};
        runner_launch(PA_KERNEL_FABRIC_FOLD, pa_grid_fabric(pieces), parameters);
        runner_free(c_at);
        for (size_t i = 0; i < words; i++)
            expected[i] = pa_fabric_fold_word(expected[i], clear_minus_zero(c, i, kind));
    }
    runner_download(c, x, words * sizeof *c);
    assert_memory_equal(c, expected, words * sizeof *c);
    runner_free(x);
    free(expected);
    free(c);
}

static void states_are_folded_as_on_the_processor(void **state) {
    (void)state;
    static const pa_u32 pieces[] = {32, 255, 256, 257, 1000};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        for (pa_u32 kind = PA_FABRIC_SINGLES; kind <= PA_FABRIC_DOUBLES; kind++)
            compare_fold(pieces[i], kind);
}

static void compare_chunks(pa_u32 chunks) {
    size_t words = (size_t)chunks * PA_FABRIC_CHUNK;
    pa_u32 *x = calloc(words, sizeof *x), *y = calloc(words, sizeof *y);
    pa_u64 *wanted = calloc(chunks, sizeof *wanted), out = 0;
    assert_true(x != NULL && y != NULL && wanted != NULL);
    for (size_t i = 0; i < words; i++) {
        x[i] = (pa_u32)i * 2654435761u;
        y[i] = i % 5 == 0 ? 0xFFFFFFFFu : (pa_u32)(i * i) + chunks;
    }
    pa_u64 x_at = runner_upload(x, words * sizeof *x), y_at = runner_upload(y, words * sizeof *y);
    for (size_t i = 0; i < SEEDS; i++) {
        pa_u32 s_x = seeds[i].s, s_y = seeds[i].k0;
        void *of_one[] = {&x_at, &chunks, &s_x, &out};
        struct pa_hash nonce = {{(uint8_t)i}};
        struct pa_fabric_shuffle shuffle = pa_fabric_round_shuffle(&nonce, chunks);
        void *of_two[] = {&x_at, &y_at, &s_x, &s_y, &shuffle, &out};
        out = runner_upload(wanted, chunks * sizeof *wanted);
        pa_u64 *got = calloc(chunks, sizeof *got);
        assert_non_null(got);
        runner_launch(PA_KERNEL_FABRIC_DIGEST, pa_grid_fabric_chunks(chunks), of_one);
        runner_download(got, out, chunks * sizeof *got);
        pa_fabric_digests(wanted, x, words, s_x);
        assert_memory_equal(got, wanted, chunks * sizeof *got);
        runner_launch(PA_KERNEL_FABRIC_SUM, pa_grid_fabric_chunks(chunks), of_two);
        runner_download(got, out, chunks * sizeof *got);
        pa_fabric_sums(wanted, x, y, s_x, s_y, shuffle);
        assert_memory_equal(got, wanted, chunks * sizeof *got);
        runner_free(out);
        free(got);
    }
    runner_free(x_at);
    runner_free(y_at);
    free(x);
    free(y);
    free(wanted);
}

static void chunks_of_states_are_digested_and_summed_as_on_the_processor(void **state) {
    (void)state;
    static const pa_u32 chunks[] = {1, 7, 8, 9, 100};
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++)
        compare_chunks(chunks[i]);
}

static const char *image;

static int open_runner(void **state) {
    (void)state;
    runner_open(image);
    printf("kernels on %s\n", runner_name());
    return 0;
}

static int close_runner(void **state) {
    (void)state;
    runner_close();
    return 0;
}

int main(int count, char **arguments) {
    image = count > 1 ? arguments[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operands_have_the_values_of_their_seed),
        cmocka_unit_test(operands_take_every_value_of_their_class),
        cmocka_unit_test(tile_digests_are_those_of_the_definition),
        cmocka_unit_test(a_single_minus_zero_is_a_zero),
        cmocka_unit_test(inputs_of_a_rank_are_8_bit_integers),
        cmocka_unit_test(chunk_digests_are_those_of_the_witness),
        cmocka_unit_test(memory_is_filled_and_digested_as_the_vectors_say),
        cmocka_unit_test(a_later_part_of_memory_continues),
        cmocka_unit_test(states_are_folded_as_on_the_processor),
        cmocka_unit_test(chunks_of_states_are_digested_and_summed_as_on_the_processor),
    };
    return cmocka_run_group_tests(tests, open_runner, close_runner);
}
