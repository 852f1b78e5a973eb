/* SPDX-License-Identifier: Apache-2.0 */
/* An audit of some devices: which are chosen, and what they say of all. The known answers of
 * sampling.json are a Python script's; how often bounds hold is counted over many seeds. */
#include "cmocka_setup.h"

#include "proof/proof.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

enum { MOST_DEVICES = 1200 };

static json_t *vectors;

static int load(void **state) {
    (void)state;
    vectors = json_load_file(PETAUDIT_SOURCE_DIR "/tests/vectors/sampling.json", 0, NULL);
    return vectors != NULL ? 0 : -1;
}

static int unload(void **state) {
    (void)state;
    json_decref(vectors);
    return 0;
}

static uint32_t count_of(const json_t *entry, const char *key) {
    return (uint32_t)json_integer_value(json_object_get(entry, key));
}

static double number_of(const json_t *entry, const char *key) {
    return json_number_value(json_object_get(entry, key));
}

static void declarations_with_a_sample_have_these_bytes(void **state) {
    (void)state;
    size_t i;
    json_t *entry;
    assert_int_equal(json_array_size(json_object_get(vectors, "declarations")), 2);
    json_array_foreach(json_object_get(vectors, "declarations"), i, entry) {
        const char *hex = json_string_value(json_object_get(entry, "declaration"));
        struct pa_declaration declaration, copy, out;
        struct pa_hash session, wanted;
        struct pa_buffer written = {0};
        uint8_t raw[1024];
        size_t size = strlen(hex) / 2, part = 8 + 4 * sizeof(uint64_t);
        assert_true(size < sizeof raw && pa_unhex(raw, size, hex));
        assert_int_equal(pa_declaration_read(&declaration, raw, size, NULL), PA_OK);
        assert_int_equal(declaration.sample_count, count_of(entry, "count"));
        for (uint32_t d = 0; d < 4; d++)
            assert_int_equal(declaration.sample_rates[d], json_integer_value(json_array_get(
                                                              json_object_get(entry, "rates"), d)));
        assert_int_equal(pa_declaration_copy(&declaration, &copy, NULL), PA_OK);
        pa_declaration_free(&declaration);
        pa_declaration_write(&copy, &written);
        assert_int_equal(written.size, size);
        assert_memory_equal(written.data, raw, size);
        pa_declaration_session(&session, raw, size);
        assert_true(pa_unhex(wanted.bytes, sizeof wanted.bytes,
                             json_string_value(json_object_get(entry, "session"))));
        assert_true(pa_hash_equal(&session, &wanted));
        /* Cut anywhere in the sample, or longer, it is no declaration. */
        for (size_t cut = size - part + 1; cut < size; cut++)
            assert_int_equal(pa_declaration_read(&out, raw, cut, NULL), PA_EINPUT);
        raw[size] = 0;
        assert_int_equal(pa_declaration_read(&out, raw, size + 1, NULL), PA_EINPUT);
        uint32_t count = copy.sample_count;
        copy.sample_count = 5;
        assert_int_equal(pa_declaration_check(&copy, NULL), PA_EINPUT);
        copy.sample_count = count;
        copy.sample_rates[1] = 0;
        assert_int_equal(pa_declaration_check(&copy, NULL), PA_EINPUT);
        copy.sample_rates[1] = UINT64_MAX;
        assert_int_equal(pa_declaration_check(&copy, NULL), PA_EINPUT);
        pa_declaration_free(&copy);
        pa_buffer_free(&written);
    }
}

static void key_and_session_fix_the_choice(void **state) {
    (void)state;
    const json_t *draws = json_object_get(vectors, "draws");
    size_t i;
    json_t *entry;
    assert_int_equal(json_array_size(draws), 6);
    json_array_foreach(draws, i, entry) {
        struct pa_hash key, session;
        uint32_t chosen[64], count = count_of(entry, "count");
        const json_t *wanted = json_object_get(entry, "chosen");
        assert_true(pa_unhex(key.bytes, sizeof key.bytes,
                             json_string_value(json_object_get(entry, "key"))));
        assert_true(pa_unhex(session.bytes, sizeof session.bytes,
                             json_string_value(json_object_get(entry, "session"))));
        assert_true(count <= 64);
        assert_int_equal(
            pa_device_sample_draw(chosen, count, count_of(entry, "devices"), &key, &session, NULL),
            PA_OK);
        for (uint32_t j = 0; j < count; j++)
            assert_int_equal(chosen[j], json_integer_value(json_array_get(wanted, j)));
        /* Of another session the same key chooses others. */
        uint32_t others[64];
        session.bytes[31] ^= 1;
        assert_int_equal(
            pa_device_sample_draw(others, count, count_of(entry, "devices"), &key, &session, NULL),
            PA_OK);
        assert_true(count < 16 || memcmp(chosen, others, count * sizeof *chosen) != 0);
    }
}

static void what_cannot_be_drawn_is_refused(void **state) {
    (void)state;
    struct pa_hash hash = {{0}};
    uint32_t out[4];
    assert_int_equal(pa_device_sample_draw(out, 0, 4, &hash, &hash, NULL), PA_EINPUT);
    assert_int_equal(pa_device_sample_draw(out, 5, 4, &hash, &hash, NULL), PA_EINPUT);
    assert_int_equal(pa_device_sample_draw(out, 4, 4, &hash, &hash, NULL), PA_OK);
}

static void draw(uint32_t *out, uint32_t count, uint32_t devices, uint32_t seed) {
    struct pa_hash key = {{0}}, session = {{1}};
    pa_put_le32(key.bytes, seed);
    assert_int_equal(pa_device_sample_draw(out, count, devices, &key, &session, NULL), PA_OK);
}

/* 12,000 draws of 2 out of 5: each of the 20 ordered pairs as often as any other (chi-squared with
 * 19 degrees of freedom below its 1e-6 point), and never one device twice. */
static void every_set_and_order_is_as_likely_as_any_other(void **state) {
    (void)state;
    uint32_t seen[25] = {0}, pair[2];
    double chi2 = 0;
    for (uint32_t seed = 0; seed < 12000; seed++) {
        draw(pair, 2, 5, seed);
        seen[5 * pair[0] + pair[1]]++;
    }
    for (uint32_t i = 0; i < 25; i++) {
        if (i % 6 == 0)
            assert_int_equal(seen[i], 0);
        else
            chi2 += (seen[i] - 600.0) * (seen[i] - 600.0) / 600.0;
    }
    assert_true(chi2 < 62.2);
}

/* 20,000 draws of 10 out of 100: how often each device is chosen, chi-squared with 99 degrees of
 * freedom below its 1e-6 point. Without replacement counts scatter less than by chance, by 90/99.
 */
static void every_device_is_chosen_as_often_as_any_other(void **state) {
    (void)state;
    uint32_t seen[100] = {0}, chosen[10];
    double chi2 = 0;
    for (uint32_t seed = 0; seed < 20000; seed++) {
        draw(chosen, 10, 100, seed);
        for (uint32_t i = 0; i < 10; i++)
            seen[chosen[i]]++;
    }
    for (uint32_t d = 0; d < 100; d++)
        chi2 += (seen[d] - 2000.0) * (seen[d] - 2000.0) / 2000.0;
    assert_true(chi2 < 176.0);
}

static void expect_near(double found, const json_t *entry, const char *key, double scale) {
    double wanted = number_of(entry, key);
    if (!(fabs(found - wanted) <= 1e-9 * scale))
        fail_msg("%s is %.12g, expected %.12g", key, found, wanted);
}

static void the_bounds_are_these(void **state) {
    (void)state;
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(vectors, "tails"), i, entry) {
        assert_int_equal(
            pa_sample_failing_most(count_of(entry, "devices"), count_of(entry, "count"),
                                   count_of(entry, "failing"), number_of(entry, "error")),
            count_of(entry, "most"));
    }
    json_array_foreach(json_object_get(vectors, "bounds"), i, entry) {
        struct pa_sample_unit units[128];
        struct pa_sample_bound bound;
        const json_t *declared = json_object_get(entry, "declared");
        uint32_t count = (uint32_t)json_array_size(declared);
        struct pa_sample_terms terms = {.devices = count_of(entry, "devices"),
                                        .declared_total = number_of(entry, "declared_total"),
                                        .declared_most = number_of(entry, "declared_most"),
                                        .honest_fraction = number_of(entry, "honest_fraction"),
                                        .error = number_of(entry, "error")};
        assert_true(count <= 128);
        for (uint32_t u = 0; u < count; u++)
            units[u] = (struct pa_sample_unit){
                json_number_value(json_array_get(declared, u)),
                json_number_value(json_array_get(json_object_get(entry, "shown"), u))};
        assert_int_equal(pa_sample_bound_compute(&bound, units, count, &terms, NULL), PA_OK);
        assert_int_equal(bound.failing, count_of(entry, "failing"));
        assert_int_equal(bound.missing_most, count_of(entry, "missing_most"));
        expect_near(bound.estimate, entry, "estimate", terms.declared_total);
        expect_near(bound.lower, entry, "lower", terms.declared_total);
        expect_near(bound.upper, entry, "upper", terms.declared_total);
    }
}

/* A generator for the simulations alone; its numbers are the same everywhere. */
static double uniform(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*seed >> 11) / 9007199254740992.0;
}

struct population {
    uint32_t devices;
    double declared[MOST_DEVICES], rate[MOST_DEVICES];
};

enum population_kind { ALL_DELIVER, SOME_MISSING, ANY_RATE, TWO_KINDS, KINDS };

static void make_population(struct population *out, enum population_kind kind, uint64_t *seed) {
    for (uint32_t d = 0; d < out->devices; d++) {
        double u = uniform(seed), v = uniform(seed);
        out->declared[d] = kind == TWO_KINDS && v < 0.3 ? 120 : 700;
        out->rate[d] = out->declared[d] * (kind == ANY_RATE       ? u
                                           : kind == ALL_DELIVER  ? 0.95 + 0.04 * u
                                           : kind == SOME_MISSING ? (u < 0.1 ? 0 : 0.98)
                                                                  : (u < 0.03 ? 0.2 : 1.1));
    }
}

static void audit(const struct population *all, uint32_t count, uint32_t seed, double error,
                  struct pa_sample_bound *out) {
    uint32_t chosen[MOST_DEVICES];
    struct pa_sample_unit units[MOST_DEVICES];
    struct pa_sample_terms terms = {.devices = all->devices, .honest_fraction = 1, .error = error};
    for (uint32_t d = 0; d < all->devices; d++) {
        terms.declared_total += all->declared[d];
        terms.declared_most = fmax(terms.declared_most, all->declared[d]);
    }
    draw(chosen, count, all->devices, seed);
    for (uint32_t i = 0; i < count; i++)
        units[i] = (struct pa_sample_unit){all->declared[chosen[i]], all->rate[chosen[i]]};
    assert_int_equal(pa_sample_bound_compute(out, units, count, &terms, NULL), PA_OK);
}

/* Of 300 audits of each kind of site at an error probability of 10 %, no more miss the truth than
 * 300 throws of such a coin would in all but one case of a thousand: 47. */
static void the_bounds_hold_as_often_as_they_say(void **state) {
    (void)state;
    static struct population all = {.devices = 200};
    for (enum population_kind kind = 0; kind < KINDS; kind++) {
        uint32_t low_missed = 0, high_missed = 0, count_missed = 0, missing = 0;
        uint64_t seed = 11 + kind;
        double truth = 0;
        make_population(&all, kind, &seed);
        for (uint32_t d = 0; d < all.devices; d++) {
            truth += fmin(all.rate[d], all.declared[d]);
            missing += all.rate[d] < PA_SAMPLE_PRESENT_SHARE * all.declared[d];
        }
        for (uint32_t trial = 0; trial < 300; trial++) {
            struct pa_sample_bound bound;
            audit(&all, 24, 1000 * kind + trial, 0.1, &bound);
            low_missed += bound.lower > truth * (1 + 1e-9);
            high_missed += bound.upper < truth * (1 - 1e-9);
            count_missed += bound.missing_most < missing;
        }
        if (low_missed > 47 || high_missed > 47 || count_missed > 47)
            fail_msg("kind %d: %u lower, %u upper, %u counts of 300 audits missed", (int)kind,
                     low_missed, high_missed, count_missed);
    }
}

/* A site of 40 of which every second device does not exist. A sample of four sees none of these
 * with the probability C(20,4)/C(40,4) = 0.0530; over 20,000 draws within 5 sigma of that. */
static void a_half_that_does_not_exist_is_seen_as_often_as_predicted(void **state) {
    (void)state;
    uint32_t unseen = 0, chosen[4];
    for (uint32_t seed = 0; seed < 20000; seed++) {
        draw(chosen, 4, 40, seed);
        bool is_seen = false;
        for (uint32_t i = 0; i < 4; i++)
            is_seen = is_seen || chosen[i] % 2 == 1;
        unseen += !is_seen;
    }
    double share = unseen / 20000.0, expected = 4845.0 / 91390.0;
    assert_true(fabs(share - expected) < 5 * sqrt(expected * (1 - expected) / 20000));
}

/* And the whole of such a site is not vouched for, whatever the sample saw: the claim of nine
 * tenths passes in no more audits than the error probability. */
static void a_half_that_does_not_exist_passes_as_rarely_as_promised(void **state) {
    (void)state;
    static struct population all = {.devices = 40};
    uint32_t passed = 0, whole = 0;
    for (uint32_t d = 0; d < 40; d++) {
        all.declared[d] = 1;
        all.rate[d] = d % 2 == 0;
    }
    for (uint32_t trial = 0; trial < 1000; trial++) {
        struct pa_sample_bound bound;
        audit(&all, 10, trial, 0.05, &bound);
        passed += bound.lower >= 0.6 * 40;
    }
    assert_true(passed <= 50 + 21); /* and three sigma */
    for (uint32_t d = 0; d < 40; d++)
        all.rate[d] = 1;
    for (uint32_t trial = 0; trial < 10; trial++) {
        struct pa_sample_bound bound;
        audit(&all, 10, trial, 0.05, &bound);
        whole += bound.lower >= 0.6 * 40;
    }
    assert_int_equal(whole, 10); /* the same audits pass the same site when it is all there */
}

/* However a site spreads what the openings do not vouch for, the bound that takes it into account
 * is not above the bound of what is left. */
static void no_way_of_cheating_beats_the_bound(void **state) {
    (void)state;
    uint64_t seed = 5;
    for (uint32_t trial = 0; trial < 150; trial++) {
        double values[20], left[20], taken = trial % 3 == 0 ? 0.2 : 3 * uniform(&seed),
                                     rest = taken;
        uint32_t count = 5 + trial % 16;
        for (uint32_t i = 0; i < count; i++)
            left[i] = values[i] = uniform(&seed) < 0.1 ? 0.05 : 0.8 + 0.2 * uniform(&seed);
        for (uint32_t i = trial % 2 == 0 ? 0 : (uint32_t)(uniform(&seed) * count); i < count; i++) {
            double gone = fmin(left[i], trial % 5 == 0 ? rest * uniform(&seed) : rest);
            left[i] -= gone;
            rest -= gone;
        }
        double bound = pa_sample_mean_lower(values, count, 40, taken, 0.05);
        double honest = pa_sample_mean_lower(left, count, 40, 0, 0.05);
        if (bound > honest + 1e-9)
            fail_msg("trial %u: %.6f is bounded, %.6f would be right", trial, bound, honest);
    }
}

/* A share p of the time passes k audits with p^k; at 99 % twelve audits that were all passed show
 * 0.01^(1/12). */
static void surprise_audits_bound_the_share_of_the_time(void **state) {
    (void)state;
    for (uint32_t k = 1; k < 40; k++) {
        double share = pa_share_of_time_lower(k, k, 0.01);
        assert_true(fabs(share - pow(0.01, 1.0 / k)) < 1e-9);
        assert_true(fabs(pa_passes_by_chance(k, k, 0.5) - pow(0.5, k)) < 1e-12);
    }
    /* Clopper and Pearson for 9 of 10 at one-sided 99 %: 0.496. */
    assert_true(fabs(pa_share_of_time_lower(10, 9, 0.01) - 0.4957) < 1e-3);
    assert_true(pa_share_of_time_lower(10, 0, 0.01) == 0);
}

static void a_whole_site_has_no_doubt_of_sampling(void **state) {
    (void)state;
    static struct population all = {.devices = 12};
    struct pa_sample_bound bound;
    double truth = 0;
    uint64_t seed = 3;
    make_population(&all, ANY_RATE, &seed);
    for (uint32_t d = 0; d < all.devices; d++)
        truth += all.rate[d];
    audit(&all, 12, 1, 0.01, &bound);
    assert_true(fabs(bound.lower - truth) < 1e-9 * truth);
    assert_true(fabs(bound.upper - truth) < 1e-9 * truth);
    assert_int_equal(bound.failing, bound.missing_most);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declarations_with_a_sample_have_these_bytes),
        cmocka_unit_test(key_and_session_fix_the_choice),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
        cmocka_unit_test(every_set_and_order_is_as_likely_as_any_other),
        cmocka_unit_test(every_device_is_chosen_as_often_as_any_other),
        cmocka_unit_test(the_bounds_are_these),
        cmocka_unit_test(the_bounds_hold_as_often_as_they_say),
        cmocka_unit_test(a_half_that_does_not_exist_is_seen_as_often_as_predicted),
        cmocka_unit_test(a_half_that_does_not_exist_passes_as_rarely_as_promised),
        cmocka_unit_test(no_way_of_cheating_beats_the_bound),
        cmocka_unit_test(surprise_audits_bound_the_share_of_the_time),
        cmocka_unit_test(a_whole_site_has_no_doubt_of_sampling),
    };
    return cmocka_run_group_tests_name("sampling", tests, load, unload);
}
