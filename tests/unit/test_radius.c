/* SPDX-License-Identifier: Apache-2.0 */
/* Probes: their declaration, the order that nonces draw, and the radius that they bound. The known
 * answers of radius.json are a Python script's, made from docs/protocol.md alone. */
#include "cmocka_setup.h"

#include "proof/proof.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *sessions;

static int load(void **state) {
    (void)state;
    json_t *vectors = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/radius.json", 0, NULL);
    sessions = json_incref(json_object_get(vectors, "sessions"));
    json_decref(vectors);
    return json_array_size(sessions) == 4 ? 0 : -1;
}

static int unload(void **state) {
    (void)state;
    json_decref(sessions);
    return 0;
}

static uint8_t *bytes_of(const json_t *entry, size_t *size) {
    const char *hex = json_string_value(json_object_get(entry, "declaration"));
    assert_non_null(hex);
    *size = strlen(hex) / 2;
    uint8_t *out = malloc(*size + 1);
    assert_true(out != NULL && pa_unhex(out, *size, hex));
    return out;
}

static struct pa_declaration declaration_of(const json_t *entry) {
    struct pa_declaration out;
    size_t size;
    uint8_t *raw = bytes_of(entry, &size);
    struct pa_error error = {0};
    if (pa_declaration_read(&out, raw, size, &error) != PA_OK)
        fail_msg("%s", error.text);
    free(raw);
    return out;
}

static void declarations_with_probes_have_these_bytes(void **state) {
    (void)state;
    size_t i;
    json_t *entry;
    json_array_foreach(sessions, i, entry) {
        struct pa_declaration declaration = declaration_of(entry), copy;
        struct pa_buffer written = {0};
        struct pa_hash session, wanted;
        size_t size;
        uint8_t *raw = bytes_of(entry, &size);
        assert_int_equal(pa_declaration_copy(&declaration, &copy, NULL), PA_OK);
        pa_declaration_free(&declaration);
        pa_declaration_write(&copy, &written);
        assert_int_equal(written.size, size);
        assert_memory_equal(written.data, raw, size);
        pa_declaration_session(&session, raw, size);
        assert_true(pa_unhex(wanted.bytes, sizeof wanted.bytes,
                             json_string_value(json_object_get(entry, "session"))));
        assert_true(pa_hash_equal(&session, &wanted));
        pa_declaration_free(&copy);
        pa_buffer_free(&written);
        free(raw);
    }
}

static void a_declaration_that_is_cut_or_longer_is_refused(void **state) {
    (void)state;
    struct pa_declaration declaration = declaration_of(json_array_get(sessions, 0)), out;
    size_t size;
    uint8_t *raw = bytes_of(json_array_get(sessions, 0), &size);
    struct pa_buffer plain = {0};
    declaration.probe_count = 0;
    pa_declaration_write(&declaration, &plain);
    /* Cut anywhere in the probes it is no declaration; cut before them it is one without any. */
    for (size_t cut = plain.size + 1; cut < size; cut++)
        assert_int_equal(pa_declaration_read(&out, raw, cut, NULL), PA_EINPUT);
    assert_int_equal(pa_declaration_read(&out, raw, plain.size, NULL), PA_OK);
    assert_int_equal(out.probe_count, 0);
    pa_declaration_free(&out);
    raw[size] = 0;
    assert_int_equal(pa_declaration_read(&out, raw, size + 1, NULL), PA_EINPUT);
    raw[plain.size] = 2; /* a part that nobody knows */
    assert_int_equal(pa_declaration_read(&out, raw, size, NULL), PA_EINPUT);
    pa_buffer_free(&plain);
    pa_declaration_free(&declaration);
    free(raw);
}

static void expect_refused(struct pa_declaration *declaration) {
    assert_int_equal(pa_declaration_check(declaration, NULL), PA_EINPUT);
}

static void probes_that_cannot_be_are_refused(void **state) {
    (void)state;
    struct pa_declaration d = declaration_of(json_array_get(sessions, 0));
    struct pa_declared_probe kept = d.probes[1];
    assert_int_equal(pa_declaration_check(&d, NULL), PA_OK);
    d.probes[1].length_ns = d.probes[0].length_ns; /* not shorter */
    expect_refused(&d);
    d.probes[1] = kept;
    d.probes[1].length_ns = 0;
    expect_refused(&d);
    d.probes[1] = kept;
    d.probes[1].epochs = PA_MOST_PROBES + 1;
    expect_refused(&d);
    d.probes[1] = kept;
    d.probes[1].openings = 0;
    expect_refused(&d);
    d.probes[1] = kept;
    d.probe_shapes[3].n = 100;
    expect_refused(&d);
    d.probe_shapes[3].n = 1024;
    assert_int_equal(pa_declaration_check(&d, NULL), PA_OK);
    uint64_t epoch_ns = d.epoch_ns;
    d.epoch_ns = d.probes[0].length_ns - 1; /* a probe longer than an epoch */
    expect_refused(&d);
    d.epoch_ns = epoch_ns;
    d.epochs = PA_MOST_EPOCHS;
    expect_refused(&d);
    pa_declaration_free(&d);
}

static void the_nonces_draw_this_order(void **state) {
    (void)state;
    size_t i;
    json_t *entry;
    json_array_foreach(sessions, i, entry) {
        struct pa_declaration declaration = declaration_of(entry);
        const json_t *nonces = json_object_get(entry, "nonces"),
                     *epochs = json_object_get(entry, "epochs");
        struct pa_schedule schedule;
        struct pa_hash nonce;
        pa_schedule_begin(&schedule, &declaration);
        assert_int_equal(json_array_size(nonces), pa_declared_epochs_in_all(&declaration));
        for (size_t e = 0; e < json_array_size(nonces); e++) {
            const json_t *kind = json_object_get(json_array_get(epochs, e), "kind");
            assert_true(pa_unhex(nonce.bytes, sizeof nonce.bytes,
                                 json_string_value(json_array_get(nonces, e))));
            assert_int_equal(pa_schedule_draw(&schedule, &nonce), json_integer_value(kind));
        }
        assert_int_equal(pa_schedule_draw(&schedule, &nonce), 0);
        for (uint32_t kind = 0; kind <= declaration.probe_count; kind++)
            assert_int_equal(
                pa_declared_is_credited(&declaration, kind),
                json_is_true(json_array_get(json_object_get(entry, "credited"), kind)));
        pa_declaration_free(&declaration);
    }
}

/* Each order of a bag of three as often as any other: 6,000 sessions, six orders, chi-squared with
 * five degrees of freedom below its 1e-6 point. */
static void every_order_is_as_likely_as_any_other(void **state) {
    (void)state;
    struct pa_declaration d = {.epochs = 1, .probe_count = 2};
    d.probes[0].epochs = d.probes[1].epochs = 1;
    uint32_t seen[27] = {0};
    for (uint32_t session = 0; session < 6000; session++) {
        struct pa_schedule schedule;
        uint32_t order = 0;
        pa_schedule_begin(&schedule, &d);
        for (uint32_t e = 0; e < 3; e++) {
            struct pa_hash nonce = {{0}};
            pa_put_le32(nonce.bytes, session);
            pa_put_le32(nonce.bytes + 4, e);
            order = 3 * order + pa_schedule_draw(&schedule, &nonce);
        }
        seen[order]++;
    }
    double chi2 = 0;
    uint32_t orders = 0;
    for (uint32_t i = 0; i < 27; i++) {
        orders += seen[i] > 0;
        chi2 += seen[i] > 0 ? (seen[i] - 1000.0) * (seen[i] - 1000.0) / 1000.0 : 0;
    }
    assert_int_equal(orders, 6);
    assert_true(chi2 < 35.9);
}

static void expect_near(double found, const json_t *point, const char *key) {
    double wanted = json_number_value(json_object_get(point, key));
    if (!(fabs(found - wanted) <= 1e-10 * fmax(fabs(wanted), 1e-3)))
        fail_msg("%s is %.12g, expected %.12g", key, found, wanted);
}

static void the_curve_is_this(void **state) {
    (void)state;
    size_t i;
    json_t *entry;
    json_array_foreach(sessions, i, entry) {
        struct pa_declaration declaration = declaration_of(entry);
        const json_t *ran = json_object_get(entry, "epochs");
        uint32_t count = (uint32_t)json_array_size(ran);
        struct pa_radius_epoch *epochs = calloc(count, sizeof *epochs);
        struct pa_radius_point points[1 + PA_MOST_PROBE_KINDS];
        assert_non_null(epochs);
        for (uint32_t e = 0; e < count; e++) {
            const json_t *epoch = json_array_get(ran, e), *t1 = json_object_get(epoch, "t1_ns");
            epochs[e] = (struct pa_radius_epoch){
                .kind = (uint32_t)json_integer_value(json_object_get(epoch, "kind")),
                .state = json_is_null(t1) ? PA_EPOCH_ABORTED : PA_EPOCH_CLOSED,
                .t0_ns = (uint64_t)json_integer_value(json_object_get(epoch, "t0_ns")),
                .t1_ns = (uint64_t)json_integer_value(t1),
                .operations = json_number_value(json_object_get(epoch, "operations"))};
        }
        pa_radius_compute(points, &declaration, epochs, count);
        for (uint32_t kind = 0; kind <= declaration.probe_count; kind++) {
            const json_t *wanted = json_array_get(json_object_get(entry, "points"), kind);
            expect_near(points[kind].closed, wanted, "closed");
            expect_near(points[kind].aborted, wanted, "aborted");
            expect_near(points[kind].radius_m, wanted, "radius_m");
            expect_near(points[kind].rate, wanted, "rate");
            expect_near(points[kind].verified_rate, wanted, "verified_rate");
            expect_near(points[kind].remote_share, wanted, "remote_share");
        }
        pa_declaration_free(&declaration);
        free(epochs);
    }
}

/* Nine tenths of the work sit so far away that no short epoch sees them. */
static void a_remote_part_shows_in_the_share(void **state) {
    (void)state;
    struct pa_declaration d = declaration_of(json_array_get(sessions, 0));
    struct pa_radius_point points[1 + PA_MOST_PROBE_KINDS];
    const struct pa_radius_epoch epochs[] = {
        {.kind = 0, .t0_ns = 0, .t1_ns = 10000000000, .operations = 1e16},
        {.kind = 2, .t0_ns = 10000000000, .t1_ns = 10100000000, .operations = 1e13},
    };
    pa_radius_compute(points, &d, epochs, 2);
    assert_true(points[2].remote_share >= 0.9 && points[2].remote_share < 0.92);
    assert_true(points[1].remote_share == 1 && points[3].remote_share == 1); /* nothing shown */
    assert_true(fabs(points[2].radius_m - 14989622.9) < 0.1);
    pa_declaration_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations_with_probes_have_these_bytes),
        cmocka_unit_test(a_declaration_that_is_cut_or_longer_is_refused),
        cmocka_unit_test(probes_that_cannot_be_are_refused),
        cmocka_unit_test(the_nonces_draw_this_order),
        cmocka_unit_test(every_order_is_as_likely_as_any_other),
        cmocka_unit_test(the_curve_is_this),
        cmocka_unit_test(a_remote_part_shows_in_the_share),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
