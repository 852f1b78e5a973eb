/* SPDX-License-Identifier: Apache-2.0 */
/* Half-bits in a transcript beside a meter's readings: what follows from them, and what breaks. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "evidence_factory.h"
#include "judge/judge.h"
#include "judgement_bench.h"
#include "record_samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BITS = 24, HALF_S = 2 };

static const uint64_t second = UINT64_C(1000000000);

struct trial {
    double base_w, switched_w, noise_w;
    double late_s;   /* of the second half of each third bit */
    uint32_t told;   /* half-bits */
    bool is_same;    /* both halves of bit 5 are told alike */
    double silent_s; /* the meter says nothing for so long, from the first half-bit on */
    bool has_no_meter;
};

static struct pa_instant at(double seconds) {
    uint64_t ns = (uint64_t)(seconds * 1e9);
    return (struct pa_instant){.raw_ns = EVIDENCE_RAW_START + ns,
                               .utc_ns = EVIDENCE_UTC_START + ns};
}

static void put_note(struct pa_buffer *out, double when, const char *json) {
    const struct pa_note_record note = {
        .at = at(when), .json = json, .json_bytes = (uint32_t)strlen(json)};
    pa_record_put_note(out, PA_NO_EPOCH, &note);
}

static bool is_on(uint32_t half) {
    bool first = (0xA5C3965Au >> (half / 2 % 32) & 1u) != 0;
    return half % 2 == 0 ? first : !first;
}

static double noise(uint64_t *state) {
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        sum += (double)(*state >> 11) * 0x1p-53;
    }
    return sum - 6;
}

/* The site follows late, which is what settling is for. */
static const double lag_s = 0.4;

/* Half-bits from second 70 on, behind the work; a reading each half second. */
static void put_all(const struct trial *trial, struct pa_buffer *out) {
    static struct pa_power_sample samples[1024];
    double starts[2 * BITS + 1], begun = 70;
    uint64_t state = 9;
    uint32_t count = 0;
    char json[256];
    if (!trial->has_no_meter)
        put_note(out, 61,
                 "{\"kind\":\"meter\",\"meter\":0,\"role\":\"it\",\"source\":\"csv\","
                 "\"name\":\"m\"}");
    for (uint32_t half = 0; half < 2 * BITS; half++) {
        starts[half] = begun;
        if (half < trial->told) {
            bool told = trial->is_same && half == 11 ? !is_on(half) : is_on(half);
            snprintf(json, sizeof json,
                     "{\"kind\":\"watermark\",\"half\":%u,\"level\":\"%s\",\"bits\":%d,"
                     "\"half_ns\":%d000000000,\"settle_ns\":500000000}",
                     half, told ? "on" : "off", BITS, HALF_S);
            put_note(out, begun, json);
        }
        begun += HALF_S + (half % 6 == 0 ? trial->late_s : 0);
    }
    starts[2 * BITS] = begun;
    for (double t = 60; t < begun + 5 && count < 1024 && !trial->has_no_meter; t += 0.5) {
        uint32_t half = 0;
        while (half < 2 * BITS && t - lag_s >= starts[half + 1])
            half++;
        bool load = t - lag_s >= 70 && half < 2 * BITS && is_on(half);
        double watts =
            trial->base_w + (load ? trial->switched_w : 0) + trial->noise_w * noise(&state);
        if (t >= 70 && t < 70 + trial->silent_s)
            continue;
        samples[count++] = (struct pa_power_sample){.at = at(t),
                                                    .milliwatts = (int64_t)llround(watts * 1000),
                                                    .millijoules = PA_ENERGY_UNKNOWN};
    }
    if (count > 0)
        pa_record_put_power(out, at(begun + 6), 0, samples, count);
    assert_false(out->failed);
}

static struct pa_facts collect(const struct trial *trial) {
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_buffer records = {0};
    char folder[64], path[128];
    struct pa_store *store;
    struct pa_error error = {0};
    struct pa_facts facts;
    put_all(trial, &records);
    recipe.openings = 4;
    recipe.readings = &records;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    evidence_make(path, &recipe);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    if (pa_facts_collect(store, PA_RECHECK_PATHS, &facts, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_store_close(store);
    remove_folder(folder);
    pa_buffer_free(&records);
    return facts;
}

static struct trial followed(void) {
    return (struct trial){.base_w = 5000, .switched_w = 800, .noise_w = 50, .told = 2 * BITS};
}

static void a_load_that_follows_is_found(void **state) {
    (void)state;
    const struct trial trial = followed();
    struct pa_facts facts = collect(&trial);
    const struct pa_fact_watermark *mark = &facts.watermark;
    assert_string_equal(facts.broken, "");
    assert_true(mark->bits == BITS && mark->told == 2 * BITS && mark->half_ns == HALF_S * second);
    assert_true(mark->test.usable == BITS && mark->test.is_found && mark->test.p <= 1e-4);
    assert_true(fabs(2e-3 * (double)mark->test.mean_mw - 800) < 60);
    assert_true(mark->halves[0].at_s == 0 && fabs(mark->halves[1].at_s - HALF_S) < 1e-6);
    for (uint32_t h = 0; h < mark->told; h++)
        assert_true(mark->halves[h].is_on == is_on(h) &&
                    fabs(mark->halves[h].watts - (is_on(h) ? 5800 : 5000)) < 150);
    pa_facts_free(&facts);
}

static void the_same_evidence_gives_the_same_test(void **state) {
    (void)state;
    struct trial trial = followed();
    trial.switched_w = 25;
    struct pa_facts first = collect(&trial), second_time = collect(&trial);
    /* The factory draws its keys anew, so that the session is another one and p may move a little;
     * all that does not depend on it is equal. */
    assert_true(first.watermark.test.t == second_time.watermark.test.t);
    assert_true(first.watermark.test.mean_mw == second_time.watermark.test.mean_mw);
    assert_true(first.watermark.test.p > 1e-5 && first.watermark.test.p < 0.9);
    pa_facts_free(&first);
    pa_facts_free(&second_time);
}

static void a_load_of_its_own_is_not_found(void **state) {
    (void)state;
    struct trial trial = followed();
    trial.switched_w = 0;
    trial.noise_w = 400;
    struct pa_facts facts = collect(&trial);
    assert_string_equal(facts.broken, "");
    assert_true(facts.watermark.test.usable == BITS && !facts.watermark.test.is_found);
    pa_facts_free(&facts);
}

static void bits_told_late_or_not_metered_are_unusable(void **state) {
    (void)state;
    struct trial trial = followed();
    trial.late_s = HALF_S + 0.5;
    struct pa_facts facts = collect(&trial);
    assert_int_equal(facts.watermark.test.usable, BITS - BITS / 3);
    pa_facts_free(&facts);
    trial.late_s = HALF_S - 0.5;
    facts = collect(&trial);
    assert_int_equal(facts.watermark.test.usable, BITS);
    pa_facts_free(&facts);
    trial.late_s = 0;
    trial.silent_s = 4 * HALF_S;
    facts = collect(&trial);
    assert_int_equal(facts.watermark.test.usable, BITS - 2);
    assert_true(isnan(facts.watermark.halves[1].watts));
    pa_facts_free(&facts);
    trial.has_no_meter = true;
    facts = collect(&trial);
    assert_true(facts.watermark.test.usable == 0 && facts.watermark.test.p == 1);
    pa_facts_free(&facts);
}

static void halves_that_are_alike_break_the_evidence(void **state) {
    (void)state;
    struct trial trial = followed();
    trial.is_same = true;
    struct pa_facts facts = collect(&trial);
    assert_non_null(strstr(facts.broken, "the opposite of the first half's"));
    pa_facts_free(&facts);
}

/* What the judgement says of a watermark that a policy asks for. */
static const char *code_of(struct bench *bench, enum pa_verdict expected) {
    static char code[32];
    struct pa_judgement judgement = judged(bench);
    code[0] = '\0';
    for (uint32_t i = 0; i < judgement.finding_count; i++)
        if (strncmp(judgement.findings[i].code, "WATERMARK", 9) == 0) {
            assert_string_equal(code, "");
            snprintf(code, sizeof code, "%s", judgement.findings[i].code);
        }
    assert_int_equal(judgement.verdict, expected);
    pa_judgement_free(&judgement);
    return code;
}

static void the_policy_decides_what_a_watermark_does(void **state) {
    (void)state;
    struct bench bench;
    bench_set_up(&bench);
    struct pa_fact_watermark *mark = &bench.facts.watermark;
    assert_string_equal(code_of(&bench, PA_PASS), "");
    bench.policy.watermark_bits = BITS;
    bench.policy.watermark_half_ns = HALF_S * second;
    bench.policy.watermark_settle_ns = second / 2;
    assert_string_equal(code_of(&bench, PA_INCONCLUSIVE), "WATERMARK_MISSING");
    *mark = (struct pa_fact_watermark){
        .bits = BITS,
        .half_ns = HALF_S * second,
        .settle_ns = second / 2,
        .told = 2 * BITS,
        .test = {.bits = BITS, .usable = BITS, .p = 1e-5, .t = 9, .is_found = true}};
    assert_string_equal(code_of(&bench, PA_PASS), "WATERMARK_FOUND");
    mark->test.is_found = false;
    assert_string_equal(code_of(&bench, PA_INCONCLUSIVE), "WATERMARK_NOT_FOUND");
    mark->told--;
    assert_string_equal(code_of(&bench, PA_INCONCLUSIVE), "WATERMARK_MISSING");
    mark->told++;
    mark->half_ns /= 2;
    assert_string_equal(code_of(&bench, PA_INCONCLUSIVE), "WATERMARK_MISSING");
    bench.policy.watermark_bits = 0;
    assert_string_equal(code_of(&bench, PA_PASS), "WATERMARK_NOT_FOUND");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_load_that_follows_is_found),
        cmocka_unit_test(the_same_evidence_gives_the_same_test),
        cmocka_unit_test(a_load_of_its_own_is_not_found),
        cmocka_unit_test(bits_told_late_or_not_metered_are_unusable),
        cmocka_unit_test(halves_that_are_alike_break_the_evidence),
        cmocka_unit_test(the_policy_decides_what_a_watermark_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
