/* SPDX-License-Identifier: Apache-2.0 */
/* Trees, chains, samples and openings: what an honest prover opens is accepted, and nothing else.
 */
#include "cmocka_setup.h"

#include "proof/proof.h"

#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

/* splitmix64: the same cases on every machine. */
static uint64_t next_random(void) {
    uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static uint32_t random_below(uint32_t bound) {
    return (uint32_t)(next_random() % bound);
}

static struct pa_hash random_hash(void) {
    struct pa_hash hash;
    uint64_t seed = next_random();
    pa_sha256(&hash, &seed, sizeof seed);
    return hash;
}

static struct pa_hash node(struct pa_hash left, struct pa_hash right) {
    struct pa_hash out;
    const struct pa_piece pieces[] = {{&left, sizeof left}, {&right, sizeof right}};
    pa_hash_pieces(&out, "node", pieces, 2);
    return out;
}

/* The example of RFC 6962 2.1.3, with its letters. */
static void the_tree_of_rfc_6962_has_its_shape(void **state) {
    (void)state;
    struct pa_hash d[7], root, path[PA_MOST_PATH];
    for (int i = 0; i < 7; i++)
        d[i] = random_hash();
    struct pa_hash g = node(d[0], d[1]), h = node(d[2], d[3]), i = node(d[4], d[5]), j = d[6];
    struct pa_hash k = node(g, h), l = node(i, j), hash = node(k, l);
    pa_tree_root(&root, d, 7);
    assert_true(pa_hash_equal(&root, &hash));
    const struct {
        uint32_t index, length;
        struct pa_hash path[3];
    } cases[] = {{0, 3, {d[1], h, l}}, {3, 3, {d[2], g, l}}, {4, 3, {d[5], j, k}}, {6, 2, {i, k}}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        assert_int_equal(pa_tree_path(path, d, 7, cases[c].index), cases[c].length);
        assert_memory_equal(path, cases[c].path, cases[c].length * sizeof path[0]);
    }
}

static void a_path_fits_one_leaf_of_one_tree(void **state) {
    (void)state;
    enum { MOST = 70 };
    struct pa_hash leaves[MOST], root, path[PA_MOST_PATH + 1];
    for (int i = 0; i < MOST; i++)
        leaves[i] = random_hash();
    for (uint32_t n = 1; n <= MOST; n++) {
        pa_tree_root(&root, leaves, n);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t length = pa_tree_path(path, leaves, n, i);
            path[length] = random_hash();
            assert_true(pa_tree_verify(&leaves[i], i, n, path, length, &root));
            assert_false(pa_tree_verify(&leaves[i], i, n, path, length + 1, &root));
            if (length > 0)
                assert_false(pa_tree_verify(&leaves[i], i, n, path, length - 1, &root));
            for (uint32_t other = 0; other < n; other++)
                if (other != i)
                    assert_false(pa_tree_verify(&leaves[i], other, n, path, length, &root));
            assert_false(pa_tree_verify(&leaves[i], n, n, path, length, &root));
        }
    }
    assert_int_equal(pa_tree_path_length(0, PA_MOST_STEPS), PA_MOST_PATH);
    assert_int_equal(pa_tree_path_length(PA_MOST_STEPS - 1, PA_MOST_STEPS), PA_MOST_PATH - 1);
}

/* A chain over digests out of thin air: the proofs do not care what was multiplied. */
static struct pa_chain random_chain(struct pa_shape shape, uint32_t steps) {
    struct pa_chain chain;
    struct pa_hash start = random_hash();
    uint32_t capacity = random_below(4) == 0 ? 0 : steps;
    assert_int_equal(pa_chain_begin(&chain, &start, shape, capacity, NULL), PA_OK);
    size_t count = (size_t)pa_shape_tiles(shape);
    uint64_t *tiles = calloc(count, sizeof *tiles);
    assert_non_null(tiles);
    for (uint32_t t = 0; t < steps; t++) {
        for (size_t i = 0; i < count; i++)
            tiles[i] = next_random();
        assert_int_equal(pa_chain_append(&chain, tiles, NULL), PA_OK);
    }
    free(tiles);
    return chain;
}

static int read_and_check(const struct pa_chain *chain, const struct pa_tail *tail,
                          const struct pa_sample *sample, const uint8_t *bytes, size_t size,
                          struct pa_seed *b, uint64_t *claimed) {
    struct pa_opening opening;
    struct pa_reader reader = pa_reader_over(bytes, size);
    int code = pa_opening_read(&opening, &reader, sample, chain->shape, tail->steps, NULL);
    if (code != PA_OK)
        return code;
    code = pa_opening_check(&opening, sample, chain->shape, &chain->start, tail, b, claimed, NULL);
    pa_opening_free(&opening);
    return code;
}

static void what_a_chain_opens_is_accepted(void **state) {
    (void)state;
    random_state = 1;
    for (int round = 0; round < 40; round++) {
        struct pa_shape shape = {PA_TILE * (1 + random_below(5)), PA_TILE * (1 + random_below(5)),
                                 256};
        uint32_t steps = round < 8 ? (uint32_t)round : random_below(301);
        struct pa_chain chain = random_chain(shape, steps);
        struct pa_tail tail;
        assert_int_equal(pa_chain_tail(&chain, &tail, NULL), PA_OK);
        assert_int_equal(tail.steps, steps);
        if (steps == 0) {
            struct pa_hash zeros = {{0}};
            assert_true(pa_hash_equal(&tail.last, &chain.start));
            assert_true(pa_hash_equal(&tail.tree, &zeros));
        }
        for (uint32_t i = 0; steps > 0 && i < 12; i++) {
            struct pa_sample sample = {.step = i < 4 && i < steps ? i + 1 : 1 + random_below(steps),
                                       .row = random_below(shape.m / PA_TILE),
                                       .column = random_below(shape.n / PA_TILE)};
            if (i == 4)
                sample.step = steps;
            struct pa_opening opening;
            struct pa_buffer bytes = {0};
            assert_int_equal(pa_chain_open(&chain, sample.step, sample.row, &opening, NULL), PA_OK);
            pa_opening_write(&opening, &bytes);
            struct pa_seed b, wanted = pa_chain_b_seed(&chain, sample.step);
            uint64_t claimed;
            assert_int_equal(
                read_and_check(&chain, &tail, &sample, bytes.data, bytes.size, &b, &claimed),
                PA_OK);
            assert_memory_equal(&b, &wanted, sizeof b);
            assert_true(claimed == chain.tiles[(sample.step - 1) * pa_shape_tiles(shape) +
                                               sample.row * (shape.n / PA_TILE) + sample.column]);
            pa_buffer_free(&bytes);
            pa_opening_free(&opening);
        }
        pa_chain_free(&chain);
    }
}

static void no_changed_byte_of_an_opening_is_accepted(void **state) {
    (void)state;
    random_state = 2;
    static const uint32_t lengths[] = {1, 2, 3, 4, 7, 33};
    struct pa_shape shape = {3 * PA_TILE, 2 * PA_TILE, 256};
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        struct pa_chain chain = random_chain(shape, lengths[l]);
        struct pa_tail tail;
        assert_int_equal(pa_chain_tail(&chain, &tail, NULL), PA_OK);
        for (uint32_t t = 1; t <= lengths[l]; t = t < 4 ? t + 1 : t + 14) {
            struct pa_sample sample = {.step = t, .row = t % 3, .column = t % 2};
            struct pa_opening opening;
            struct pa_buffer bytes = {0};
            assert_int_equal(pa_chain_open(&chain, t, sample.row, &opening, NULL), PA_OK);
            pa_opening_write(&opening, &bytes);
            struct pa_seed b;
            uint64_t claimed;
            for (size_t at = 0; at < bytes.size; at++) {
                uint8_t bit = (uint8_t)(1u << random_below(8));
                bytes.data[at] ^= bit;
                assert_int_equal(
                    read_and_check(&chain, &tail, &sample, bytes.data, bytes.size, &b, &claimed),
                    PA_EINVALID);
                bytes.data[at] ^= bit;
            }
            for (size_t size = 0; size < bytes.size; size++)
                assert_int_equal(
                    read_and_check(&chain, &tail, &sample, bytes.data, size, &b, &claimed),
                    PA_EINPUT);
            pa_buffer_u16(&bytes, 0);
            assert_int_equal(
                read_and_check(&chain, &tail, &sample, bytes.data, bytes.size, &b, &claimed),
                PA_EINPUT);
            pa_buffer_free(&bytes);
            pa_opening_free(&opening);
        }
        pa_chain_free(&chain);
    }
}

static void an_opening_fits_one_sample_and_one_commitment(void **state) {
    (void)state;
    random_state = 3;
    struct pa_shape shape = {2 * PA_TILE, 2 * PA_TILE, 256};
    struct pa_chain chain = random_chain(shape, 9);
    struct pa_tail tail, other;
    struct pa_opening opening;
    struct pa_seed b;
    uint64_t claimed;
    assert_int_equal(pa_chain_tail(&chain, &tail, NULL), PA_OK);
    for (uint32_t t = 1; t <= 9; t++) {
        struct pa_sample sample = {.step = t, .row = 1};
        assert_int_equal(pa_chain_open(&chain, t, 1, &opening, NULL), PA_OK);
#define CHECK(sample, start, tail)                                                                 \
    pa_opening_check(&opening, sample, shape, start, tail, &b, &claimed, NULL)
        assert_int_equal(CHECK(&sample, &chain.start, &tail), PA_OK);
        struct pa_sample moved = sample;
        moved.step = t % 9 + 1;
        assert_int_equal(CHECK(&moved, &chain.start, &tail), PA_EINVALID);
        moved = sample;
        moved.row = 0;
        assert_int_equal(CHECK(&moved, &chain.start, &tail), PA_EINVALID);
        moved.row = 2;
        assert_int_equal(CHECK(&moved, &chain.start, &tail), PA_EINVALID);
        other = tail;
        other.tree.bytes[0] ^= 1;
        assert_int_equal(CHECK(&sample, &chain.start, &other), PA_EINVALID);
        other = tail;
        other.steps = 10; /* in a tree of ten the ninth leaf lies elsewhere; the others' paths look
                             alike, and step 10 itself can never be opened */
        if (t == 9)
            assert_int_equal(CHECK(&sample, &chain.start, &other), PA_EINVALID);
        other = tail;
        other.last.bytes[31] ^= 1; /* shows in the opening of the last step alone */
        assert_int_equal(CHECK(&sample, &chain.start, &other), t == 9 ? PA_EINVALID : PA_OK);
        struct pa_hash start = random_hash(); /* and s_d in those of the first three */
        assert_int_equal(CHECK(&sample, &start, &tail), t <= 3 ? PA_EINVALID : PA_OK);
        pa_opening_free(&opening);
    }
    assert_int_equal(pa_chain_open(&chain, 10, 0, &opening, NULL), PA_EINPUT);
    assert_int_equal(pa_chain_open(&chain, 0, 0, &opening, NULL), PA_EINPUT);
    assert_int_equal(pa_chain_open(&chain, 1, 2, &opening, NULL), PA_EINPUT);
    pa_chain_free(&chain);
}

/* A prover that swaps one step's digest after the fact, and hashes everything anew but the links.
 */
static void a_broken_link_is_found(void **state) {
    (void)state;
    random_state = 4;
    struct pa_shape shape = {PA_TILE, PA_TILE, 256};
    struct pa_chain chain = random_chain(shape, 6);
    chain.h[2] = random_hash();
    struct pa_tail tail;
    assert_int_equal(pa_chain_tail(&chain, &tail, NULL), PA_OK);
    for (uint32_t t = 1; t <= 6; t++) {
        struct pa_opening opening;
        struct pa_sample sample = {.step = t};
        struct pa_seed b;
        uint64_t claimed;
        assert_int_equal(pa_chain_open(&chain, t, 0, &opening, NULL), PA_OK);
        int code =
            pa_opening_check(&opening, &sample, shape, &chain.start, &tail, &b, &claimed, NULL);
        /* h_3 follows from nothing and h_4 not from h_3: steps 3 and 4, and 5, which opens 4. */
        assert_int_equal(code, t >= 3 && t <= 5 ? PA_EINVALID : PA_OK);
        pa_opening_free(&opening);
    }
    pa_chain_free(&chain);
}

static void samples_are_in_range_and_uniform(void **state) {
    (void)state;
    random_state = 5;
    enum { DEVICES = 4, DRAWS = 60000 };
    const struct pa_shape shapes[DEVICES] = {
        {256, 384, 256}, {128, 128, 256}, {128, 256, 256}, {512, 128, 256}};
    struct pa_tail tails[DEVICES] = {{.steps = 3}, {.steps = 0}, {.steps = 7}, {.steps = 2}};
    uint32_t counts[40] = {0}; /* 18 + 0 + 14 + 8 tiles */
    struct pa_sample *samples = calloc(DRAWS, sizeof *samples);
    assert_non_null(samples);
    struct pa_hash key = random_hash(), root = random_hash();
    uint64_t total;
    assert_true(pa_epoch_tiles(&total, shapes, tails, DEVICES));
    assert_int_equal(total, 40);
    assert_int_equal(pa_epoch_samples(samples, DRAWS, &key, &root, shapes, tails, DEVICES, NULL),
                     PA_OK);
    static const uint32_t first[DEVICES] = {0, 18, 18, 32};
    for (int j = 0; j < DRAWS; j++) {
        const struct pa_sample *s = &samples[j];
        assert_true(s->device < DEVICES && s->step >= 1 && s->step <= tails[s->device].steps);
        uint32_t rows = shapes[s->device].m / PA_TILE, columns = shapes[s->device].n / PA_TILE;
        assert_true(s->row < rows && s->column < columns);
        counts[first[s->device] + ((s->step - 1) * rows + s->row) * columns + s->column]++;
    }
    double chi2 = 0, mean = DRAWS / 40.0;
    for (int i = 0; i < 40; i++)
        chi2 += (counts[i] - mean) * (counts[i] - mean) / mean;
    assert_true(chi2 > 12 && chi2 < 90); /* 39 degrees of freedom: 1e-5 either side */
    free(samples);
}

static void limits_are_kept(void **state) {
    (void)state;
    struct pa_shape shape = {128, 128, 256}, large = {1 << 20, 1 << 20, 8192};
    struct pa_tail tail = {.steps = PA_MOST_STEPS}, many[65];
    struct pa_shape shapes[65];
    uint64_t total;
    assert_true(pa_epoch_tiles(&total, &shape, &tail, 1));
    tail.steps++;
    assert_false(pa_epoch_tiles(&total, &shape, &tail, 1));
    tail.steps = UINT64_MAX;
    assert_false(pa_epoch_tiles(&total, &shape, &tail, 1));
    for (int d = 0; d < 65; d++) { /* 2^26 tiles a step, 65535 steps: 64 devices stay below 2^48 */
        shapes[d] = large;
        many[d] = (struct pa_tail){.steps = PA_MOST_STEPS};
    }
    assert_true(pa_epoch_tiles(&total, shapes, many, 64));
    assert_false(pa_epoch_tiles(&total, shapes, many, 65));
    struct pa_hash hash = {{0}};
    struct pa_sample sample;
    tail.steps = 0;
    assert_int_equal(pa_epoch_samples(&sample, 1, &hash, &hash, &shape, &tail, 1, NULL), PA_EINPUT);

    assert_true(pa_shape_is_sound(PA_DENSE16, (struct pa_shape){128, 128, 8}));
    assert_false(pa_shape_is_sound(PA_CLASS_FP8, (struct pa_shape){128, 128, 8}));
    assert_false(pa_shape_is_sound(PA_DENSE16, (struct pa_shape){128, 128, 8200}));
    assert_false(pa_shape_is_sound(PA_DENSE16, (struct pa_shape){128, 64, 8192}));
    assert_false(pa_shape_is_sound(PA_DENSE16, (struct pa_shape){0, 128, 8192}));
    assert_false(pa_shape_is_sound(PA_DENSE16, (struct pa_shape){(1 << 20) + 128, 128, 8192}));
    assert_false(pa_shape_is_sound(PA_CLASS_NONE, (struct pa_shape){128, 128, 256}));
    assert_true(pa_shape_is_certified((struct pa_shape){2048, 1024, 8192}));
    assert_false(pa_shape_is_certified((struct pa_shape){1920, 1024, 8192}));
    assert_false(pa_shape_is_certified((struct pa_shape){2048, 896, 8192}));
    assert_false(pa_shape_is_certified((struct pa_shape){2048, 1024, 4096}));
}

static void a_chain_ends_at_65535_steps(void **state) {
    (void)state;
    struct pa_chain chain = random_chain((struct pa_shape){128, 128, 256}, PA_MOST_STEPS);
    uint64_t tile = 0;
    assert_int_equal(pa_chain_append(&chain, &tile, NULL), PA_EINTERNAL);
    struct pa_tail tail;
    assert_int_equal(pa_chain_tail(&chain, &tail, NULL), PA_OK);
    struct pa_opening opening;
    struct pa_sample sample = {.step = PA_MOST_STEPS};
    struct pa_seed b;
    assert_int_equal(pa_chain_open(&chain, PA_MOST_STEPS, 0, &opening, NULL), PA_OK);
    assert_int_equal(
        pa_opening_check(&opening, &sample, chain.shape, &chain.start, &tail, &b, &tile, NULL),
        PA_OK);
    pa_opening_free(&opening);
    pa_chain_free(&chain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_of_rfc_6962_has_its_shape),
        cmocka_unit_test(a_path_fits_one_leaf_of_one_tree),
        cmocka_unit_test(what_a_chain_opens_is_accepted),
        cmocka_unit_test(no_changed_byte_of_an_opening_is_accepted),
        cmocka_unit_test(an_opening_fits_one_sample_and_one_commitment),
        cmocka_unit_test(a_broken_link_is_found),
        cmocka_unit_test(samples_are_in_range_and_uniform),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(a_chain_ends_at_65535_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
