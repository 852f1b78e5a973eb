/* SPDX-License-Identifier: Apache-2.0 */
/* The known answers of protocol.json, which a Python script made from docs/protocol.md alone. */
#include "cmocka_setup.h"

#include "proof/proof.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *vectors;

static int load(void **state) {
    (void)state;
    vectors = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/protocol.json", 0, NULL);
    return vectors == NULL ? -1 : 0;
}

static int unload(void **state) {
    (void)state;
    json_decref(vectors);
    return 0;
}

static const json_t *group(const char *name) {
    const json_t *array = json_object_get(vectors, name);
    assert_true(json_is_array(array) && json_array_size(array) > 0);
    return array;
}

static uint64_t whole(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static const char *text(const json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    assert_non_null(value);
    return value;
}

static struct pa_hash hash(const json_t *object, const char *key) {
    struct pa_hash out;
    assert_true(pa_unhex(out.bytes, sizeof out.bytes, text(object, key)));
    return out;
}

static uint8_t *bytes(const json_t *object, const char *key, size_t *size) {
    const char *hex = text(object, key);
    *size = strlen(hex) / 2;
    uint8_t *out = malloc(*size + 1);
    assert_true(out != NULL && pa_unhex(out, *size, hex));
    return out;
}

static void declarations_have_these_bytes(void **state) {
    (void)state;
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)group("declarations"), i, entry) {
        const json_t *d = json_object_get(entry, "declaration"),
                     *list = json_object_get(d, "devices");
        size_t size;
        uint8_t *raw = bytes(entry, "bytes", &size);
        struct pa_declaration read;
        struct pa_error error = {0};
        int code = pa_declaration_read(&read, raw, size, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(code, PA_OK);
        assert_int_equal(read.class_id, whole(d, "class"));
        assert_int_equal(read.k, whole(d, "K"));
        assert_int_equal(read.epochs, whole(d, "epochs"));
        assert_int_equal(read.epoch_ns, whole(d, "epoch_ns"));
        assert_int_equal(read.openings, whole(d, "openings"));
        assert_int_equal(read.interruptions, whole(d, "interruptions"));
        assert_int_equal(read.longest_gap_ns, whole(d, "longest_gap_ns"));
        assert_int_equal(read.serial, whole(d, "serial"));
        assert_int_equal(read.alpha_ppm, whole(d, "alpha_ppm"));
        assert_string_equal(read.site, text(d, "site"));
        struct pa_hash claim = hash(d, "claim"), policy = hash(d, "policy");
        assert_true(pa_hash_equal(&read.claim, &claim) && pa_hash_equal(&read.policy, &policy));
        assert_int_equal(read.device_count, json_array_size(list));
        for (uint32_t n = 0; n < read.device_count; n++) {
            const json_t *device = json_array_get(list, n);
            assert_int_equal(read.devices[n].m, whole(device, "M"));
            assert_int_equal(read.devices[n].n, whole(device, "N"));
            assert_string_equal(read.devices[n].name, text(device, "name"));
        }
        struct pa_buffer again = {0};
        pa_declaration_write(&read, &again);
        assert_int_equal(again.size, size);
        assert_memory_equal(again.data, raw, size);
        struct pa_hash session, wanted = hash(entry, "session");
        pa_declaration_session(&session, raw, size);
        assert_true(pa_hash_equal(&session, &wanted));
        pa_buffer_free(&again);
        pa_declaration_free(&read);
        free(raw);
    }
}

static void signed_hashes_are_these(void **state) {
    (void)state;
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)group("signed"), i, entry) {
        struct pa_hash session = hash(entry, "session"), root = hash(entry, "root"), ours;
        struct pa_hash last = hash(entry, "last_record"), commit = hash(entry, "commit"),
                       transcript = hash(entry, "transcript");
        pa_epoch_commit_hash(&ours, &session, whole(entry, "epoch"), &root);
        assert_true(pa_hash_equal(&ours, &commit));
        pa_hash_bytes(&ours, "transcript", last.bytes, sizeof last.bytes);
        assert_true(pa_hash_equal(&ours, &transcript));
    }
}

static struct pa_chain chain_of(const json_t *entry) {
    struct pa_shape shape = {(uint32_t)whole(entry, "M"), (uint32_t)whole(entry, "N"), 256};
    struct pa_hash start = hash(entry, "start");
    struct pa_chain chain;
    uint64_t tiles[64];
    assert_true(pa_shape_tiles(shape) <= 64);
    assert_int_equal(pa_chain_begin(&chain, &start, shape, 0, NULL), PA_OK);
    size_t t, i, j;
    json_t *step, *line, *word;
    json_array_foreach(json_object_get(entry, "tiles"), t, step) {
        json_array_foreach(step, i, line) json_array_foreach(line, j, word)
            tiles[i * (shape.n / PA_TILE) + j] = strtoull(json_string_value(word), NULL, 16);
        assert_int_equal(pa_chain_append(&chain, tiles, NULL), PA_OK);
    }
    return chain;
}

static void openings_have_these_bytes(void **state) {
    (void)state;
    size_t i, j;
    json_t *entry, *wanted;
    json_array_foreach((json_t *)(uintptr_t)group("openings"), i, entry) {
        struct pa_chain chain = chain_of(entry);
        struct pa_tail tail;
        struct pa_hash last = hash(entry, "last"), tree = hash(entry, "tree");
        assert_int_equal(pa_chain_tail(&chain, &tail, NULL), PA_OK);
        assert_true(pa_hash_equal(&tail.last, &last) && pa_hash_equal(&tail.tree, &tree));
        json_array_foreach(json_object_get(entry, "openings"), j, wanted) {
            struct pa_sample sample = {.step = (uint32_t)whole(wanted, "t"),
                                       .row = (uint32_t)whole(wanted, "row")};
            struct pa_opening opening, read;
            struct pa_buffer ours = {0};
            struct pa_seed b;
            uint64_t claimed;
            size_t size;
            uint8_t *raw = bytes(wanted, "bytes", &size);
            assert_int_equal(pa_chain_open(&chain, sample.step, sample.row, &opening, NULL), PA_OK);
            pa_opening_write(&opening, &ours);
            assert_int_equal(ours.size, size);
            assert_memory_equal(ours.data, raw, size);
            struct pa_reader reader = pa_reader_over(raw, size);
            assert_int_equal(
                pa_opening_read(&read, &reader, &sample, chain.shape, tail.steps, NULL), PA_OK);
            assert_int_equal(pa_opening_check(&read, &sample, chain.shape, &chain.start, &tail, &b,
                                              &claimed, NULL),
                             PA_OK);
            pa_opening_free(&read);
            pa_opening_free(&opening);
            pa_buffer_free(&ours);
            free(raw);
        }
        pa_chain_free(&chain);
    }
}

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-11 * fabs(b);
}

static void credit_comes_out_like_this(void **state) {
    (void)state;
    size_t i, j;
    json_t *entry, *e;
    json_array_foreach((json_t *)(uintptr_t)group("credit"), i, entry) {
        struct pa_credit_terms terms = {.epoch_ns = whole(entry, "epoch_ns"),
                                        .openings = (uint32_t)whole(entry, "openings"),
                                        .alpha = (double)whole(entry, "alpha_ppm") / 1e6,
                                        .serial = (uint32_t)whole(entry, "serial"),
                                        .interruptions = 9,
                                        .longest_gap_ns = 900 * UINT64_C(1000000000)};
        struct pa_credited_epoch epochs[16] = {{0}};
        uint32_t count = 0;
        json_array_foreach(json_object_get(entry, "epochs"), j, e) {
            struct pa_credited_epoch *epoch = &epochs[count++];
            assert_true(count <= 16);
            epoch->t0_ns = whole(e, "t0_ns");
            epoch->state = PA_EPOCH_ABORTED;
            if (!json_is_null(json_object_get(e, "t1_ns"))) {
                epoch->state = PA_EPOCH_CLOSED;
                epoch->t1_ns = whole(e, "t1_ns");
            }
            epoch->operations = number(e, "operations");
            epoch->after_gap = !json_is_null(json_object_get(e, "gap_ns"));
            if (epoch->after_gap)
                epoch->gap_ns = whole(e, "gap_ns");
        }
        struct pa_credit credit;
        struct pa_error error = {0};
        int code = pa_credit_compute(&credit, epochs, count, &terms, &error);
        assert_string_equal(error.text, "");
        assert_int_equal(code, PA_OK);
        assert_true(near(credit.seconds, number(entry, "time_ns") / 1e9));
        assert_true(near(credit.operations, number(entry, "operations")));
        assert_true(near(credit.alpha_r, number(entry, "alpha_r")));
        assert_true(near(credit.n_effective, number(entry, "n_effective")));
        assert_true(near(credit.honest_fraction, number(entry, "honest_fraction")));
        assert_true(near(credit.verified_rate, number(entry, "verified_rate")));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations_have_these_bytes),
        cmocka_unit_test(signed_hashes_are_these),
        cmocka_unit_test(openings_have_these_bytes),
        cmocka_unit_test(credit_comes_out_like_this),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
