/* SPDX-License-Identifier: Apache-2.0 */
/* What a judge takes from the note about devices as one system, and which of them break the
 * evidence. The session of the factory has two devices of 256 x 256 x 256. */
#include "cmocka_setup.h"

#include "evidence_factory.h"
#include "judge/judge.h"
#include "record_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void collect(const char *const *notes, struct pa_facts *facts) {
    char path[128], folder[64];
    struct pa_store *store;
    struct pa_error error = {0};
    struct evidence_recipe recipe = evidence_recipe_honest();
    recipe.more_notes = notes;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    evidence_make(path, &recipe);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    if (pa_facts_collect(store, PA_RECHECK_PATHS, facts, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_store_close(store);
    remove_folder(folder);
}

/* 31 steps of two devices are 31 * 2 * 2 * 256^3 = 2080374784 operations. */
#define RUN                                                                                        \
    "\"kind\":\"coupled\",\"state\":\"measured\",\"hosts\":1,\"bytes\":65536,\"steps\":31,"        \
    "\"alone_per_second\":\"3000000000\""
#define REST ",\"ranks\":2,\"time_ns\":1000000000"
#define WORK ",\"operations\":\"2080374780\""
#define RIGHT ",\"verified\":true}"

static void a_run_is_read_as_it_was_noted(void **state) {
    static const char *const notes[] = {"{" RUN REST WORK RIGHT, NULL};
    struct pa_facts facts;
    (void)state;
    collect(notes, &facts);
    assert_string_equal(facts.broken, "");
    assert_int_equal(facts.coupled.state, PA_COUPLED_MEASURED);
    assert_int_equal(facts.coupled.ranks, 2);
    assert_int_equal(facts.coupled.hosts, 1);
    assert_int_equal(facts.coupled.steps, 31);
    assert_int_equal(facts.coupled.bytes, 65536);
    assert_int_equal(facts.coupled.time_ns, 1000000000);
    assert_true(facts.coupled.operations == 2080374780.0);
    assert_true(facts.coupled.alone_per_second == 3e9);
    pa_facts_free(&facts);
}

static void states_without_a_rate_have_a_reason(void **state) {
    static const struct {
        const char *note;
        enum pa_coupled_state state;
    } cases[] = {
        {"{\"kind\":\"coupled\",\"state\":\"lost\",\"reason\":\"a\\u001bb\"}", PA_COUPLED_LOST},
        {"{\"kind\":\"coupled\",\"state\":\"not measured\",\"reason\":\"a\\u001bb\"}",
         PA_COUPLED_NOT_MEASURED},
        {"{" RUN REST WORK ",\"verified\":false}", PA_COUPLED_WRONG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *notes[] = {cases[i].note, NULL};
        struct pa_facts facts;
        collect(notes, &facts);
        assert_string_equal(facts.broken, "");
        assert_int_equal(facts.coupled.state, cases[i].state);
        assert_string_equal(facts.coupled.reason, cases[i].state == PA_COUPLED_WRONG ? "" : "a?b");
        pa_facts_free(&facts);
    }
}

static void a_note_that_cannot_be_breaks_the_evidence(void **state) {
    static const struct {
        const char *note, *word;
    } cases[] = {
        {"{\"kind\":\"coupled\"}", "state"},
        {"{\"kind\":\"coupled\",\"state\":\"fine\"}", "state"},
        {"{\"kind\":\"coupled\",\"state\":1}", "state"},
        {"{\"kind\":\"coupled\",\"state\":\"lost\"}", "reason"},
        {"{\"kind\":\"coupled\",\"state\":\"not measured\",\"reason\":[]}", "reason"},
        {"{\"kind\":\"coupled\",\"state\":\"measured\"}", "ranks"},
        /* More than two devices, or one, cannot have taken part. */
        {"{" RUN WORK ",\"ranks\":3,\"time_ns\":1" RIGHT, "ranks"},
        {"{" RUN WORK ",\"ranks\":1,\"time_ns\":1" RIGHT, "ranks"},
        {"{" RUN WORK ",\"ranks\":-2,\"time_ns\":1" RIGHT, "ranks"},
        {"{" RUN WORK ",\"ranks\":2,\"time_ns\":0" RIGHT, "time_ns"},
        {"{" RUN WORK ",\"ranks\":2,\"time_ns\":\"1\"" RIGHT, "time_ns"},
        /* More work than so many steps of the declared shapes hold. */
        {"{" RUN REST ",\"operations\":\"2080374820\"" RIGHT, "operations"},
        {"{" RUN REST ",\"operations\":\"0\"" RIGHT, "operations"},
        {"{" RUN REST ",\"operations\":\"1e9\"" RIGHT, "operations"},
        {"{" RUN REST ",\"operations\":-5" RIGHT, "operations"},
        {"{" RUN REST RIGHT, "operations"},
        {"{" RUN REST WORK "}", "verified"},
        {"{" RUN REST WORK ",\"verified\":1}", "verified"},
        {"{\"kind\":\"coupled\",\"state\":\"measured\",\"ranks\":2,\"hosts\":3}", "hosts"},
        {"{\"kind\":\"coupled\",\"state\":\"measured\",\"ranks\":2,\"hosts\":1,"
         "\"bytes\":9223372036854775807}",
         "bytes"},
        {"{\"kind\":\"coupled\",\"state\":\"measured\",\"ranks\":2,\"hosts\":1,\"bytes\":8,"
         "\"steps\":100001}",
         "steps"},
        {"{\"kind\":\"coupled\",\"state\":\"measured\",\"ranks\":2,\"hosts\":1,\"bytes\":8,"
         "\"steps\":4,\"time_ns\":9,\"operations\":9,\"alone_per_second\":\"nan\"}",
         "alone_per_second"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *notes[] = {cases[i].note, NULL};
        struct pa_facts facts;
        collect(notes, &facts);
        if (strstr(facts.broken, cases[i].word) == NULL ||
            strstr(facts.broken, "\"coupled\"") == NULL)
            fail_msg("%s: broken is \"%s\"", cases[i].note, facts.broken);
        assert_int_equal(facts.coupled.state, PA_COUPLED_UNKNOWN);
        pa_facts_free(&facts);
    }
}

static void nobody_chooses_between_two_runs(void **state) {
    static const char *const notes[] = {"{\"kind\":\"coupled\",\"state\":\"lost\",\"reason\":\"\"}",
                                        "{" RUN REST WORK RIGHT, NULL};
    struct pa_facts facts;
    (void)state;
    collect(notes, &facts);
    assert_non_null(strstr(facts.broken, "told once"));
    assert_int_equal(facts.coupled.state, PA_COUPLED_LOST);
    pa_facts_free(&facts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_read_as_it_was_noted),
        cmocka_unit_test(states_without_a_rate_have_a_reason),
        cmocka_unit_test(a_note_that_cannot_be_breaks_the_evidence),
        cmocka_unit_test(nobody_chooses_between_two_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
