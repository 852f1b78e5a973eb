/* SPDX-License-Identifier: Apache-2.0 */
/* The known answers of proof.json through the real functions, and what becomes of a file that is
 * not what it should be. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "kernels/digest.h"
#include "proof/fabric_proof.h"
#include "proof/tile.h"
#include "proof/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pa_buffer vectors;

static int load(void **state) {
    (void)state;
    return pa_file_read(PETAUDIT_SOURCE_DIR "/tests/vectors/proof.json", 1 << 20, &vectors, NULL);
}

static int unload(void **state) {
    (void)state;
    pa_buffer_free(&vectors);
    return 0;
}

static void every_known_answer_agrees(void **state) {
    (void)state;
    struct pa_vectors_report report;
    struct pa_error error = {0};
    int code = pa_vectors_run("proof.json", vectors.data, vectors.size, NULL, &report, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(code, PA_OK);
    assert_string_equal(report.first_mismatch, "");
    assert_int_equal(report.mismatches, 0);
    for (int g = 0; g < PA_VECTOR_GROUPS; g++) {
        printf("# %s: %u cases, %u checks\n", report.groups[g].name, report.groups[g].cases,
               report.groups[g].checks);
        assert_true(report.groups[g].checks >= report.groups[g].cases);
        assert_true(report.groups[g].cases > 0);
    }
    assert_true(report.checks > 600);
}

static void the_embedded_vectors_are_the_file(void **state) {
    (void)state;
    struct pa_vectors_report a, b;
    assert_int_equal(pa_vectors_run_embedded(NULL, &a, NULL), PA_OK);
    assert_int_equal(pa_vectors_run("x", vectors.data, vectors.size, NULL, &b, NULL), PA_OK);
    assert_int_equal(a.checks, b.checks);
    assert_int_equal(a.mismatches, 0);
}

/* One digit of any hash or number changed: a mismatch with its place, or a malformed file, never a
 * clean report. */
static void a_changed_digit_is_found_with_its_place(void **state) {
    (void)state;
    char *copy = malloc(vectors.size);
    assert_non_null(copy);
    uint32_t tried = 0;
    for (size_t at = 200; at < vectors.size; at += 1009) {
        memcpy(copy, vectors.data, vectors.size);
        while (at < vectors.size && (copy[at] < '1' || copy[at] > '8'))
            at++;
        if (at >= vectors.size)
            break;
        copy[at]++;
        struct pa_vectors_report report;
        struct pa_error error = {0};
        int code = pa_vectors_run("x", copy, vectors.size, NULL, &report, &error);
        assert_true(code == PA_EINPUT || (code == PA_OK && report.mismatches > 0));
        if (code == PA_OK)
            assert_non_null(strstr(report.first_mismatch, "]."));
        tried++;
    }
    free(copy);
    assert_true(tried > 40);
}

static void a_file_cut_short_is_refused(void **state) {
    (void)state;
    for (size_t size = 0; size + 2 < vectors.size; size += 1 + vectors.size / 97) {
        struct pa_vectors_report report;
        struct pa_error error = {0};
        assert_int_equal(pa_vectors_run("x", vectors.data, size, NULL, &report, &error), PA_EINPUT);
        assert_int_not_equal(error.text[0], 0);
    }
}

static void what_is_malformed_is_named(void **state) {
    (void)state;
    static const struct {
        const char *json, *said;
    } cases[] = {
        {"[]", "version"},
        {"{\"version\": 2}", "version"},
        {"{\"version\": 1}", "hash"},
        {"{\"version\": 1, \"version\": 1}", "duplicate"},
        {"{\"version\": 1, \"hash\": [], \"philox\": [], \"operands\": [], \"digests\": [], "
         "\"trees\": [], \"epochs\": []}",
         "compare"},
        {"{\"version\": 1, \"hash\": [{\"tag\": \"\", \"input\": \"\", \"output\": \"\"}]}",
         "hash[0].tag"},
        {"{\"version\": 1, \"hash\": [{\"tag\": \"a\", \"input\": \"0\", \"output\": \"\"}]}",
         "hash[0].input"},
        {"{\"version\": 1, \"hash\": [3]}", "hash[0]"},
        {"{\"version\": 1, \"hash\": [], \"philox\": [{\"counter\": [0, 0, 0, -1], \"key\": [0, "
         "0], \"output\": [0, 0, 0, 0]}]}",
         "philox[0]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pa_vectors_report report;
        struct pa_error error = {0};
        assert_int_equal(
            pa_vectors_run("x", cases[i].json, strlen(cases[i].json), NULL, &report, &error),
            PA_EINPUT);
        assert_non_null(strstr(error.text, cases[i].said));
    }
}

/* A device that digests tiles as the definition says, but for one bit when it is told to. */
struct digester {
    bool is_wrong;
};

static int no_values(void *context, enum pa_class class_id, const struct pa_seed *seed, uint32_t v,
                     uint32_t count, int32_t *out, struct pa_error *error) {
    (void)context, (void)class_id, (void)seed, (void)v, (void)count, (void)out;
    return pa_fail(error, PA_EUNSUPPORTED, "no operands here");
}

static int digest_tile(void *context, enum pa_word_kind kind, const uint32_t *words, uint32_t s,
                       uint64_t *out, struct pa_error *error) {
    const struct digester *digester = context;
    (void)error;
    *out = kind == PA_WORD_F32   ? pa_digest_tile_f32(words, PA_TILE, s)
           : kind == PA_WORD_I32 ? pa_digest_tile_i32(words, PA_TILE, s)
                                 : pa_digest_tile_f64(words, PA_TILE, s);
    *out ^= digester->is_wrong ? 1 : 0;
    return PA_OK;
}

static int broken_chain(void *context, struct pa_vectors_chain *work, struct pa_error *error) {
    const struct digester *digester = context;
    (void)work;
    return pa_fail(error, digester->is_wrong ? PA_EDEVICE : PA_EUNSUPPORTED, "no chains here");
}

static void a_device_is_held_to_the_same_answers(void **state) {
    struct digester digester = {.is_wrong = false};
    const struct pa_vectors_device device = {&digester, no_values, digest_tile, broken_chain};
    struct pa_vectors_report alone, report;
    struct pa_error error = {0};
    (void)state;
    assert_int_equal(pa_vectors_run_embedded(NULL, &alone, NULL), PA_OK);
    assert_int_equal(alone.device_checks, 0);
    assert_int_equal(pa_vectors_run_embedded(&device, &report, &error), PA_OK);
    assert_int_equal(report.mismatches, 0);
    assert_int_equal(report.device_checks, report.groups[3].cases);
    assert_int_equal(report.checks, alone.checks + report.device_checks);
    digester.is_wrong = true;
    assert_int_equal(pa_vectors_run_embedded(&device, &report, &error), PA_EDEVICE);
    assert_int_equal(report.mismatches, report.device_checks);
    assert_non_null(strstr(report.first_mismatch, "the device computed"));
    assert_non_null(strstr(error.text, "on the device"));
}

/* A device that folds what the definition says, but for one bit of the state when told to. */
static int fold_chain(void *context, struct pa_vectors_chain *work, struct pa_error *error) {
    const struct digester *digester = context;
    struct pa_tile_bench *bench = NULL;
    uint32_t columns = work->shape.n / PA_TILE;
    size_t tiles = (size_t)pa_shape_tiles(work->shape);
    uint64_t *digests = calloc(tiles, sizeof *digests);
    assert_non_null(digests);
    PA_TRY(pa_tile_bench_create(work->shape.k, &bench, error));
    PA_TRY(pa_chain_begin(&work->chain, work->start, work->shape, work->steps, error));
    for (uint32_t t = 1; t <= work->steps; t++) {
        struct pa_seed a = pa_chain_a_seed(&work->chain), b = pa_chain_b_seed(&work->chain, t);
        for (uint32_t i = 0; i < tiles; i++)
            digests[i] = pa_tile_digest(bench, work->class_id, work->shape.k, &a, &b, i / columns,
                                        i % columns);
        PA_TRY(pa_chain_append(&work->chain, digests, error));
    }
    for (uint32_t c = 0; c < work->words / PA_FABRIC_CHUNK; c++)
        PA_TRY(pa_fabric_chunk(work->state + (size_t)c * PA_FABRIC_CHUNK, work->class_id,
                               work->shape, work->start, work->chain.digest, work->steps, c,
                               error));
    work->has_state = true;
    work->state[work->words - 1] ^= digester->is_wrong ? 1 : 0;
    pa_tile_bench_destroy(bench);
    free(digests);
    return PA_OK;
}

static int no_digest(void *context, enum pa_word_kind kind, const uint32_t *words, uint32_t s,
                     uint64_t *out, struct pa_error *error) {
    (void)context, (void)kind, (void)words, (void)s, (void)out;
    return pa_fail(error, PA_EUNSUPPORTED, "no digests here");
}

static void a_device_that_folds_is_held_to_its_state(void **state) {
    struct digester digester = {.is_wrong = false};
    const struct pa_vectors_device device = {&digester, no_values, no_digest, fold_chain};
    struct pa_vectors_report report;
    struct pa_error error = {0};
    (void)state;
    assert_int_equal(pa_vectors_run_embedded(&device, &report, &error), PA_OK);
    assert_string_equal(report.first_mismatch, "");
    assert_true(report.device_checks > 0);
    digester.is_wrong = true;
    assert_int_equal(pa_vectors_run_embedded(&device, &report, &error), PA_OK);
    assert_true(report.mismatches > 0);
    assert_non_null(strstr(report.first_mismatch, ".state: the device computed"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_answer_agrees),
        cmocka_unit_test(the_embedded_vectors_are_the_file),
        cmocka_unit_test(a_changed_digit_is_found_with_its_place),
        cmocka_unit_test(a_file_cut_short_is_refused),
        cmocka_unit_test(what_is_malformed_is_named),
        cmocka_unit_test(a_device_is_held_to_the_same_answers),
        cmocka_unit_test(a_device_that_folds_is_held_to_its_state),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
