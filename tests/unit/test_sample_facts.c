/* SPDX-License-Identifier: Apache-2.0 */
/* Audits of some devices as a replay reads them, and as a judge holds them against a claim. */
#include "cmocka_setup.h"

#include "evidence_factory.h"
#include "judgement_bench.h"
#include "record_samples.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static char folder[64];

static struct evidence_recipe recipe_of(enum evidence_flaw flaw) {
    struct evidence_recipe recipe = evidence_recipe_honest();
    recipe.devices = 8;
    recipe.sample = 3;
    recipe.steps = 2;
    /* Two steps of 256 x 256 x 256 in 20 s. */
    recipe.sample_rate = 2 * UINT64_C(2) * 256 * 256 * 256 / 20;
    recipe.flaw = flaw;
    return recipe;
}

static void collect(struct evidence_recipe *recipe, struct pa_facts *facts) {
    char path[128];
    struct pa_store *store;
    struct pa_error error = {0};
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    evidence_make(path, recipe);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    if (pa_facts_collect(store, PA_RECHECK_PATHS, facts, &error) != PA_OK)
        fail_msg("flaw %d: %s", recipe->flaw, error.text);
    pa_store_close(store);
    remove_folder(folder);
}

static void only_chosen_devices_work(void **state) {
    (void)state;
    struct evidence_recipe recipe = recipe_of(FLAW_NONE);
    struct pa_facts facts;
    collect(&recipe, &facts);
    assert_string_equal(facts.broken, "");
    assert_int_equal(facts.sample.count, 3);
    uint32_t idle = 0;
    for (uint32_t d = 0; d < 8; d++) {
        idle += facts.devices[d].is_idle;
        assert_int_equal(facts.devices[d].steps > 0, !facts.devices[d].is_idle);
    }
    assert_int_equal(idle, 5);
    /* Half of the error probability is the openings', the other half the draw's. */
    assert_true(fabs(facts.credit.alpha_r - 0.01 / 2 / 2) < 1e-12);
    assert_int_equal(facts.sample.bound.sampled, 3);
    assert_int_equal(facts.sample.bound.devices, 8);
    assert_true(facts.sample.bound.missing_most >= 3);
    assert_true(fabs(facts.sample.bound.estimate / (8.0 * (double)recipe.sample_rate) - 1) < 1e-6);
    assert_true(facts.sample.bound.lower >=
                3.0 * facts.credit.honest_fraction * (double)recipe.sample_rate * (1 - 1e-6));
    pa_facts_free(&facts);
}

static void every_way_of_choosing_otherwise_is_seen(void **state) {
    (void)state;
    static const struct {
        enum evidence_flaw flaw;
        const char *says;
    } cases[] = {{FLAW_OTHERS_CHOSEN, "are not those that the witness's key gives"},
                 {FLAW_OTHERS_WORK, "and was not chosen"},
                 {FLAW_CHOSEN_TWICE, "the devices were chosen twice"},
                 {FLAW_NOBODY_CHOSEN, "before the devices are chosen"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct evidence_recipe recipe = recipe_of(cases[i].flaw);
        struct pa_facts facts;
        collect(&recipe, &facts);
        if (strstr(facts.broken, cases[i].says) == NULL)
            fail_msg("flaw %d: \"%s\"", cases[i].flaw, facts.broken);
        pa_facts_free(&facts);
    }
}

static void a_choice_without_a_declared_sample_is_refused(void **state) {
    (void)state;
    static const char *const notes[] = {
        "{\"kind\":\"sample\",\"devices\":[0],\"key\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
        NULL};
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    recipe.more_notes = notes;
    collect(&recipe, &facts);
    assert_non_null(strstr(facts.broken, "no sample was declared"));
    pa_facts_free(&facts);
}

/* The bench's two H100 are those that were chosen; `lower` and `upper` in PFLOPS of all. */
static void sample(struct bench *bench, double lower, double estimate, double upper) {
    bench_set_up(bench);
    bench->facts.sample.count = 2;
    bench->facts.sample.declared_per_second = 2e15;
    bench->facts.sample.most_per_second = 1e15 / 20;
    bench->facts.sample.bound = (struct pa_sample_bound){.devices = 40,
                                                         .sampled = 2,
                                                         .missing_most = 30,
                                                         .lower = lower * 1e15,
                                                         .estimate = estimate * 1e15,
                                                         .upper = upper * 1e15};
}

static enum pa_verdict verdict_of(double lower, double estimate, double upper) {
    struct bench bench;
    sample(&bench, lower, estimate, upper);
    return verdict(&bench);
}

/* The claim is 1 PFLOPS. */
static void the_claim_is_held_against_what_the_sample_says_of_all(void **state) {
    (void)state;
    assert_int_equal(verdict_of(1.5, 1.8, 2), PA_PASS);
    /* The best estimate reaches the claim, and is not what is vouched for. */
    assert_int_equal(verdict_of(0.6, 1.8, 2), PA_INCONCLUSIVE);
    /* What is allowed for must fall short as well before anything fails. */
    assert_int_equal(verdict_of(0.2, 0.7, 1.2), PA_INCONCLUSIVE);
    assert_int_equal(verdict_of(0.2, 0.4, 0.6), PA_FAIL);
    /* A site that declares less than its devices do is not held against that. */
    assert_int_equal(verdict_of(0.2, 1.3, 0.6), PA_INCONCLUSIVE);
}

static void the_finding_says_what_can_be_missing(void **state) {
    (void)state;
    struct bench bench;
    sample(&bench, 1.5, 1.8, 2);
    struct pa_judgement judgement = judged(&bench);
    const struct pa_finding *found = finding(&judgement, "SAMPLED");
    assert_non_null(found);
    assert_non_null(strstr(found->text, "At most 30 devices, 75 % of all, can be missing"));
    assert_non_null(strstr(judgement.reason, "vouched for by a sample of the devices"));
    assert_true(fabs(judgement.judged_pflops - 1.5) < 1e-12);
    assert_true(judgement.judged_u > 0);
    pa_judgement_free(&judgement);
    bench_set_up(&bench);
    judgement = judged(&bench);
    assert_null(finding(&judgement, "SAMPLED"));
    assert_false(judgement.is_sampled);
    pa_judgement_free(&judgement);
}

/* On the nominal basis a device that can be missing counts for nothing. */
static void nominal_capacity_is_of_what_cannot_be_missing(void **state) {
    (void)state;
    struct bench bench;
    struct pa_nominal_count count;
    sample(&bench, 1.5, 1.8, 2);
    double whole = 0, peak = pa_judge_nominal(&bench.devices[0], PA_PRECISION_FP16) / 1e15;
    bench.facts.sample.bound.missing_most = 1;
    whole = pa_judge_nominal_sum(&bench.facts, PA_PRECISION_FP16, &count);
    assert_true(fabs(whole - peak) < 1e-9);
    assert_true(fabs(count.upper_pflops - 2 * peak) < 1e-9);
    bench.facts.sample.bound.missing_most = 5;
    assert_true(pa_judge_nominal_sum(&bench.facts, PA_PRECISION_FP16, &count) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_chosen_devices_work),
        cmocka_unit_test(every_way_of_choosing_otherwise_is_seen),
        cmocka_unit_test(a_choice_without_a_declared_sample_is_refused),
        cmocka_unit_test(the_claim_is_held_against_what_the_sample_says_of_all),
        cmocka_unit_test(the_finding_says_what_can_be_missing),
        cmocka_unit_test(nominal_capacity_is_of_what_cannot_be_missing),
    };
    return cmocka_run_group_tests_name("sample facts", tests, NULL, NULL);
}
