/* SPDX-License-Identifier: Apache-2.0 */
/* What a replay finds in sessions that are honest, and in sessions broken in every way. */
#include "cmocka_setup.h"

#include "evidence_factory.h"
#include "judge/judge.h"
#include "record_samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

static void collect(struct evidence_recipe *recipe, enum pa_recheck recheck,
                    struct pa_facts *facts) {
    char path[128];
    struct pa_store *store;
    struct pa_error error = {0};
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    evidence_make(path, recipe);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    if (pa_facts_collect(store, recheck, facts, &error) != PA_OK)
        fail_msg("flaw %d: %s", recipe->flaw, error.text);
    pa_store_close(store);
    remove_folder(folder);
}

static void an_honest_session_holds(void **state) {
    (void)state;
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    collect(&recipe, PA_RECHECK_TILES, &facts);
    assert_string_equal(facts.broken, "");
    assert_string_equal(facts.first_failure, "");
    assert_true(facts.is_finished);
    assert_false(facts.is_certified);
    assert_int_equal(facts.drawn, 180);
    assert_int_equal(facts.failed, 0);
    assert_int_equal(facts.missing, 0);
    assert_int_equal(facts.epoch_count, 3);
    assert_int_equal(facts.device_count, 2);
    assert_int_equal(facts.devices[1].steps, 15);
    double work = 3.0 * 2 * 5 * 2 * 256 * 256 * 256;
    assert_true(fabs(facts.credit.operations / work - 1) < 1e-12);
    assert_true(fabs(facts.credit.seconds - 60) < 1e-6);
    assert_string_equal(facts.devices[1].id, "cpu:1");
    assert_string_equal(facts.devices[1].model, "Sample processor");
    assert_string_equal(facts.devices[1].name, "device 1");
    assert_true(facts.devices[1].raw_per_second == 20000000.5);
    assert_int_equal(facts.allreduce_count, 1);
    assert_true(facts.allreduce[0].verified);
    assert_string_equal(facts.claim_text, recipe.claim_text);
    assert_int_equal(facts.assurance, PA_ASSURANCE_SELF);
    assert_true(pa_hash_equal(&facts.session, &recipe.session));
    assert_non_null(pa_facts_note(&facts, "tool"));
    assert_null(pa_facts_note(&facts, "nothing"));
    assert_true(facts.clock_step_seconds < 0.001);
    pa_facts_free(&facts);
}

static void every_class_can_be_checked(void **state) {
    (void)state;
    static const enum pa_class classes[] = {PA_DENSE16, PA_DENSE8, PA_CLASS_FP8, PA_DENSE64};
    for (int i = 0; i < 4; i++) {
        struct evidence_recipe recipe = evidence_recipe_honest();
        struct pa_facts facts;
        recipe.class_id = classes[i];
        collect(&recipe, PA_RECHECK_TILES, &facts);
        assert_string_equal(facts.broken, "");
        assert_int_equal(facts.failed, 0);
        pa_facts_free(&facts);
    }
}

/* What contradicts itself, and a word of how that is said. */
static void contradictions_break_the_evidence(void **state) {
    (void)state;
    static const struct {
        enum evidence_flaw flaw;
        const char *word;
    } cases[] = {
        {FLAW_LYING_RESULT, "the result of epoch 1"},
        {FLAW_SHY_RESULT, "the result of epoch 1"},
        {FLAW_OPENING_TWICE, "twice"},
        {FLAW_OPENING_BEYOND, "only 60"},
        {FLAW_WRONG_KEY, "does not give its nonce"},
        {FLAW_KEY_BEFORE_LIST, "before its list"},
        {FLAW_LIST_NOT_ROOT, "does not hash to its root"},
        {FLAW_LATE_LIST_ENTRY, "3 entries for 2 devices"},
        {FLAW_WRONG_ROOT_SIGNATURE, "signature of the root of epoch 1"},
        {FLAW_WRONG_WITNESS_SIGNATURE, "the witness's signature of the session"},
        {FLAW_WRONG_PROVER_SIGNATURE, "the prover's signature of the session"},
        {FLAW_WRONG_CLOSING_SIGNATURE, "closing signature is wrong"},
        {FLAW_AFTER_SIGNATURE, "after the closing signature"},
        {FLAW_T1_BEFORE_T0, "not later than its nonce"},
        {FLAW_EPOCH_SKIPPED, "epoch 2 begins where epoch 1 is next"},
        {FLAW_EXTRA_EPOCH, "4 epochs are closed, where 3 were declared"},
        {FLAW_WRONG_CLAIM, "claim in the evidence is not the one"},
        {FLAW_NOTE_NOT_JSON, "not a JSON object"},
        {FLAW_NOTE_MALFORMED, "\"id\" should be text"},
        {FLAW_TOO_MANY_GAPS, "2 interruptions, where 1"},
        {FLAW_TOO_LONG_GAP, "interruption"},
        {FLAW_LONG_AFTER_GAP, "interruption before epoch 1 took 901.0 s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct evidence_recipe recipe = evidence_recipe_honest();
        struct pa_facts facts;
        recipe.flaw = cases[i].flaw;
        collect(&recipe, PA_RECHECK_TILES, &facts);
        if (strstr(facts.broken, cases[i].word) == NULL)
            fail_msg("flaw %d: broken is \"%s\", without \"%s\"", cases[i].flaw, facts.broken,
                     cases[i].word);
        pa_facts_free(&facts);
    }
}

static void falsified_tiles_are_named(void **state) {
    (void)state;
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    recipe.flaw = FLAW_WRONG_TILES;
    collect(&recipe, PA_RECHECK_TILES, &facts);
    assert_string_equal(facts.broken, "");
    assert_true(facts.failed > 10 && facts.failed < 50);
    assert_int_equal(facts.epochs[0].failed, 0);
    assert_int_equal(facts.epochs[1].failed, facts.failed);
    assert_non_null(strstr(facts.first_failure, "of 180 openings failed"));
    assert_non_null(strstr(facts.first_failure, "epoch 1, device 0, step "));
    pa_facts_free(&facts);
}

static void the_witness_is_believed_where_tiles_are_not_computed(void **state) {
    (void)state;
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    recipe.flaw = FLAW_WRONG_TILES;
    collect(&recipe, PA_RECHECK_PATHS, &facts);
    assert_string_equal(facts.broken, "");
    assert_true(facts.failed > 10);
    pa_facts_free(&facts);
}

static void a_flipped_bit_of_an_opening_is_found_without_arithmetic(void **state) {
    (void)state;
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    recipe.flaw = FLAW_FLIPPED_OPENING;
    collect(&recipe, PA_RECHECK_PATHS, &facts);
    assert_string_equal(facts.broken, "");
    assert_int_equal(facts.failed, 1);
    pa_facts_free(&facts);
}

static void openings_that_never_came_are_counted(void **state) {
    (void)state;
    static const struct {
        enum evidence_flaw flaw;
        uint64_t missing;
        bool is_finished;
    } cases[] = {
        {FLAW_OPENING_MISSING, 1, true}, {FLAW_NO_OPENINGS, 60, true}, {FLAW_NO_LIST, 60, true},
        {FLAW_NO_KEY, 60, true},         {FLAW_UNFINISHED, 60, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct evidence_recipe recipe = evidence_recipe_honest();
        struct pa_facts facts;
        recipe.flaw = cases[i].flaw;
        collect(&recipe, PA_RECHECK_PATHS, &facts);
        assert_string_equal(facts.broken, "");
        assert_int_equal(facts.missing, cases[i].missing);
        assert_int_equal(facts.is_finished, cases[i].is_finished);
        assert_int_equal(facts.failed, 0);
        pa_facts_free(&facts);
    }
}

static void an_aborted_epoch_counts_its_time_and_no_work(void **state) {
    (void)state;
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    recipe.flaw = FLAW_ABORTED;
    collect(&recipe, PA_RECHECK_PATHS, &facts);
    assert_string_equal(facts.broken, "");
    assert_int_equal(facts.epochs[1].state, PA_EPOCH_ABORTED);
    assert_int_equal(facts.drawn, 120);
    assert_true(fabs(facts.credit.seconds - 60) < 1e-6);
    pa_facts_free(&facts);
}

static void an_interruption_does_not_count_as_time(void **state) {
    (void)state;
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    recipe.flaw = FLAW_INTERRUPTED;
    collect(&recipe, PA_RECHECK_PATHS, &facts);
    assert_string_equal(facts.broken, "");
    assert_true(facts.epochs[1].after_gap);
    assert_int_equal(facts.credit.gaps, 1);
    assert_true(fabs(facts.credit.seconds - 60) < 1e-6);
    pa_facts_free(&facts);
}

static void a_step_of_the_calendar_clock_is_seen(void **state) {
    (void)state;
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    recipe.flaw = FLAW_CLOCK_STEP;
    collect(&recipe, PA_RECHECK_PATHS, &facts);
    assert_true(fabs(facts.clock_step_seconds - 3) < 0.001);
    pa_facts_free(&facts);
}

/* What a judge finds in notes of the boot clock, in the order told, of epoch 1, which took 20 s. */
static void collect_clocks(const char *notes, enum evidence_flaw flaw, struct pa_facts *facts) {
    struct evidence_recipe recipe = evidence_recipe_honest();
    json_t *late = json_loads(notes, 0, NULL);
    assert_non_null(late);
    recipe.late_notes = late;
    recipe.flaw = flaw;
    recipe.flaw_epoch = 1;
    collect(&recipe, PA_RECHECK_PATHS, facts);
    json_decref(late);
}

static void a_machine_that_slept_shows_by_its_boot_clock(void **state) {
#define CLOCKS(t0, t1) "{\"kind\":\"boottime\",\"at_epoch\":1,\"t0_ns\":" #t0 ",\"t1_ns\":" #t1 "}"
#define SLEPT(ns) "{\"kind\":\"suspend\",\"at_epoch\":1,\"ns\":" #ns "}"
    static const struct {
        const char *notes;
        uint64_t slept_ms;
    } cases[] = {
        {"[" CLOCKS(7000000000, 27000000000) "]", 0},
        {"[" CLOCKS(7000000000, 27100000000) "]", 0}, /* slewed by NTP */
        {"[" CLOCKS(7000000000, 32000000000) "]", 5000},
        /* The witness's own word of the same sleep: the larger of the two counts, once. */
        {"[" SLEPT(5000000000) "," CLOCKS(7000000000, 32000000000) "]", 5000},
        {"[" SLEPT(6000000000) "," CLOCKS(7000000000, 32000000000) "]", 6000},
        {"[" SLEPT(2000000000) "]", 2000},
    };
    struct pa_facts facts;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        collect_clocks(cases[i].notes, FLAW_NONE, &facts);
        assert_string_equal(facts.broken, "");
        assert_int_equal((facts.suspended_ns + 500000) / 1000000, cases[i].slept_ms);
        pa_facts_free(&facts);
    }
    collect_clocks("[" CLOCKS(7000000000, 6000000000) "]", FLAW_NONE, &facts);
    assert_non_null(strstr(facts.broken, "t1_ns"));
    pa_facts_free(&facts);
    collect_clocks("[" CLOCKS(7000000000, 8000000000) "]", FLAW_ABORTED, &facts);
    assert_non_null(strstr(facts.broken, "which has none"));
    pa_facts_free(&facts);
#undef CLOCKS
#undef SLEPT
}

static void a_lost_device_and_a_test_build_are_noted(void **state) {
    (void)state;
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    recipe.flaw = FLAW_LOST_DEVICE;
    collect(&recipe, PA_RECHECK_TILES, &facts);
    assert_string_equal(facts.broken, "");
    assert_true(facts.devices[1].lost);
    assert_string_equal(facts.devices[1].lost_text,
                        "rank 1 on node1: connection closed (2026-11-24T00:01:00Z)");
    assert_int_equal(facts.devices[1].steps, 5);
    pa_facts_free(&facts);
    recipe.flaw = FLAW_TEST_BUILD;
    collect(&recipe, PA_RECHECK_PATHS, &facts);
    assert_true(facts.is_test_build);
    pa_facts_free(&facts);
}

/* From evidence to verdict in one go; the rest of the verdicts is test_judgement.c's. */
static enum pa_verdict verdict_of(enum evidence_flaw flaw) {
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_facts facts;
    struct pa_judgement judgement;
    struct pa_claim claim = {
        .capacity_per_second = 1, .precision = PA_PRECISION_FP16, .grid_connection_mw = -1};
    struct pa_policy policy = {.k = 2,
                               .alpha = 0.01,
                               .basis = PA_BASIS_SUSTAINED,
                               .interruptions = 1,
                               .longest_gap_ns = UINT64_C(900000000000)};
    recipe.flaw = flaw;
    collect(&recipe, PA_RECHECK_TILES, &facts);
    assert_int_equal(pa_judge(&facts, &claim, &policy, &judgement, NULL), PA_OK);
    enum pa_verdict verdict = judgement.verdict;
    assert_true(judgement.reason[0] != '\0');
    pa_judgement_free(&judgement);
    pa_facts_free(&facts);
    return verdict;
}

static void broken_sessions_are_invalid_and_tests_never_pass(void **state) {
    (void)state;
    assert_int_equal(verdict_of(FLAW_NONE), PA_INCONCLUSIVE); /* TEST shapes */
    assert_int_equal(verdict_of(FLAW_IDLE), PA_INCONCLUSIVE);
    assert_int_equal(verdict_of(FLAW_UNFINISHED), PA_INCONCLUSIVE);
    assert_int_equal(verdict_of(FLAW_TEST_BUILD), PA_INCONCLUSIVE);
    assert_int_equal(verdict_of(FLAW_WRONG_TILES), PA_INVALID);
    assert_int_equal(verdict_of(FLAW_OPENING_MISSING), PA_INVALID);
    assert_int_equal(verdict_of(FLAW_NO_KEY), PA_INVALID);
    assert_int_equal(verdict_of(FLAW_DUPLICATE_DEVICE), PA_INVALID);
    assert_int_equal(verdict_of(FLAW_TOO_LONG_GAP), PA_INVALID);
    assert_int_equal(verdict_of(FLAW_WRONG_CLOSING_SIGNATURE), PA_INVALID);
}

static void an_empty_store_is_nothing_to_judge(void **state) {
    (void)state;
    char path[128];
    struct pa_store *store;
    struct pa_facts facts;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    assert_int_equal(pa_store_create(path, &store, NULL), PA_OK);
    assert_int_equal(pa_facts_collect(store, PA_RECHECK_PATHS, &facts, NULL), PA_EINPUT);
    pa_store_close(store);
    remove_folder(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_session_holds),
        cmocka_unit_test(every_class_can_be_checked),
        cmocka_unit_test(contradictions_break_the_evidence),
        cmocka_unit_test(falsified_tiles_are_named),
        cmocka_unit_test(the_witness_is_believed_where_tiles_are_not_computed),
        cmocka_unit_test(a_flipped_bit_of_an_opening_is_found_without_arithmetic),
        cmocka_unit_test(openings_that_never_came_are_counted),
        cmocka_unit_test(an_aborted_epoch_counts_its_time_and_no_work),
        cmocka_unit_test(an_interruption_does_not_count_as_time),
        cmocka_unit_test(a_step_of_the_calendar_clock_is_seen),
        cmocka_unit_test(a_machine_that_slept_shows_by_its_boot_clock),
        cmocka_unit_test(a_lost_device_and_a_test_build_are_noted),
        cmocka_unit_test(broken_sessions_are_invalid_and_tests_never_pass),
        cmocka_unit_test(an_empty_store_is_nothing_to_judge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
