/* SPDX-License-Identifier: Apache-2.0 */
/* What a judge reads in the notes about devices' health and memory, and which of them break the
 * evidence. */
#include "cmocka_setup.h"

#include "evidence_factory.h"
#include "judge/judge.h"
#include "proof/memory_proof.h"
#include "record_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void collect(const char *const *notes, enum pa_recheck recheck, struct pa_facts *facts) {
    char path[128], folder[64];
    struct pa_store *store;
    struct pa_error error = {0};
    struct evidence_recipe recipe = evidence_recipe_honest();
    recipe.more_notes = notes;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    evidence_make(path, &recipe);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    if (pa_facts_collect(store, recheck, facts, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_store_close(store);
    remove_folder(folder);
}

static void telemetry_adds_up_over_epochs(void **state) {
    static const char *const notes[] = {
        "{\"kind\":\"telemetry\",\"device\":1,\"samples\":10,\"thermal_stop\":false,"
        "\"power_mean_mw\":600000,\"ecc_corrected\":3,\"ecc_uncorrected\":0,\"others\":1,"
        "\"temperature_max_c\":71,\"slowdowns\":[\"power_cap\"]}",
        "{\"kind\":\"telemetry\",\"device\":1,\"samples\":10,\"thermal_stop\":true,"
        "\"ecc_corrected\":1,\"ecc_uncorrected\":2,\"others\":0,\"temperature_max_c\":93,"
        "\"slowdowns\":[\"hw_thermal\",\"younger_than_this\"]}",
        "{\"kind\":\"telemetry\",\"device\":1,\"samples\":2,\"thermal_stop\":false}", NULL};
    struct pa_facts facts;
    (void)state;
    collect(notes, PA_RECHECK_PATHS, &facts);
    assert_string_equal(facts.broken, "");
    assert_int_equal(facts.devices[0].vitals.epochs, 0);
    const struct pa_fact_vitals *vitals = &facts.devices[1].vitals;
    assert_int_equal(vitals->epochs, 3);
    assert_int_equal(vitals->thermal_stops, 1);
    assert_int_equal(vitals->throttled_epochs, 1);
    assert_int_equal(vitals->slowdowns, 1 << 2 | PA_FACT_SLOW_HW_THERMAL | 1 << 9);
    assert_int_equal(vitals->ecc_corrected, 4);
    assert_int_equal(vitals->ecc_uncorrected, 2);
    assert_int_equal(vitals->others, 1);
    assert_int_equal(vitals->temperature_max_c, 93);
    pa_facts_free(&facts);
}

static void a_note_that_says_nothing_sure_breaks_the_evidence(void **state) {
    static const struct {
        const char *note, *word;
    } cases[] = {
        {"{\"kind\":\"telemetry\",\"device\":9,\"samples\":1,\"thermal_stop\":false}", "device"},
        {"{\"kind\":\"telemetry\",\"device\":0,\"thermal_stop\":false}", "samples"},
        {"{\"kind\":\"telemetry\",\"device\":0,\"samples\":-1,\"thermal_stop\":false}", "samples"},
        {"{\"kind\":\"telemetry\",\"device\":0,\"samples\":1}", "thermal_stop"},
        {"{\"kind\":\"telemetry\",\"device\":0,\"samples\":1,\"thermal_stop\":false,"
         "\"slowdowns\":\"idle\"}",
         "slowdowns"},
        {"{\"kind\":\"telemetry\",\"device\":0,\"samples\":1,\"thermal_stop\":false,"
         "\"slowdowns\":[1]}",
         "slowdowns"},
        {"{\"kind\":\"telemetry\",\"device\":0,\"samples\":1,\"thermal_stop\":false,"
         "\"others\":1.5}",
         "others"},
        {"{\"kind\":\"memory\",\"device\":0}", "chunks"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *notes[] = {cases[i].note, NULL};
        struct pa_facts facts;
        collect(notes, PA_RECHECK_PATHS, &facts);
        if (strstr(facts.broken, cases[i].word) == NULL)
            fail_msg("%s: broken is \"%s\"", cases[i].note, facts.broken);
        pa_facts_free(&facts);
    }
}

/* ---- the memory proof in a note ---- */

enum { CHUNKS = 3 };

struct proof {
    struct pa_hash key, challenge, commitment;
    uint64_t answers[CHUNKS];
    unsigned wrong; /* as noted */
};

/* What device 1 answers honestly. */
static struct proof honest(void) {
    struct proof proof = {.key = {{1, 2}}, .challenge = {{3, 4}}};
    struct pa_memory_place place = {.device = 1, .chunks = CHUNKS};
    struct pa_hash q;
    uint32_t order[CHUNKS];
    pa_hash_bytes(&place.nonce, "nonce", proof.key.bytes, PA_HASH_BYTES);
    struct pa_seed seed = pa_memory_seed(&place);
    pa_memory_q(&q, &place, &proof.challenge);
    pa_memory_order(order, CHUNKS, &q);
    for (int i = 0; i < CHUNKS; i++)
        proof.answers[i] = pa_memory_digest_of(&seed, order[i], pa_memory_s(&q));
    pa_memory_commitment(&proof.commitment, &q, proof.answers, CHUNKS);
    return proof;
}

/* Commit to the answers as they are now. */
static void commit(struct proof *proof) {
    struct pa_memory_place place = {.device = 1, .chunks = CHUNKS};
    struct pa_hash q;
    pa_hash_bytes(&place.nonce, "nonce", proof->key.bytes, PA_HASH_BYTES);
    pa_memory_q(&q, &place, &proof->challenge);
    pa_memory_commitment(&proof->commitment, &q, proof->answers, CHUNKS);
}

static void judge_proof(const struct proof *proof, enum pa_recheck recheck, bool has_answers,
                        struct pa_facts *facts) {
    char key[65], challenge[65], commitment[65], answers[16 * CHUNKS + 1], text[1024], more[80];
    uint8_t bytes[8 * CHUNKS];
    pa_hex(key, proof->key.bytes, PA_HASH_BYTES);
    pa_hex(challenge, proof->challenge.bytes, PA_HASH_BYTES);
    pa_hex(commitment, proof->commitment.bytes, PA_HASH_BYTES);
    for (int i = 0; i < CHUNKS; i++)
        pa_put_le64(bytes + 8 * i, proof->answers[i]);
    pa_hex(answers, bytes, sizeof bytes);
    snprintf(more, sizeof more, ",\"answers\":\"%s\"", answers);
    snprintf(text, sizeof text,
             "{\"kind\":\"memory\",\"device\":1,\"wanted_bytes\":4194304,\"workbench_bytes\":7,"
             "\"chunks\":%d,\"fill_ns\":8,\"read_ns\":9,\"samples\":%d,\"wrong\":%u,"
             "\"first_wrong\":0,\"key\":\"%s\",\"challenge\":\"%s\",\"commitment\":\"%s\"%s}",
             CHUNKS, CHUNKS, proof->wrong, key, challenge, commitment, has_answers ? more : "");
    const char *notes[] = {text, NULL};
    collect(notes, recheck, facts);
}

static void an_honest_proof_is_computed_again(void **state) {
    struct proof proof = honest();
    struct pa_facts facts;
    (void)state;
    judge_proof(&proof, PA_RECHECK_TILES, true, &facts);
    assert_string_equal(facts.broken, "");
    const struct pa_fact_memory *memory = &facts.devices[1].memory;
    assert_true(memory->is_there && memory->is_checked);
    assert_int_equal(memory->filled_bytes, 3 << 20);
    assert_int_equal(memory->wanted_bytes, 4 << 20);
    assert_int_equal(memory->workbench_bytes, 7);
    assert_int_equal(memory->wrong, 0);
    assert_false(facts.devices[0].memory.is_there);
    pa_facts_free(&facts);
    judge_proof(&proof, PA_RECHECK_PATHS, true, &facts);
    assert_string_equal(facts.broken, "");
    assert_false(facts.devices[1].memory.is_checked);
    pa_facts_free(&facts);
    judge_proof(&proof, PA_RECHECK_TILES, false, &facts);
    assert_string_equal(facts.broken, "");
    assert_false(facts.devices[1].memory.is_checked);
    pa_facts_free(&facts);
}

static void wrong_answers_that_are_noted_as_right_break_the_evidence(void **state) {
    struct proof proof = honest();
    struct pa_facts facts;
    (void)state;
    proof.answers[1] ^= 1;
    commit(&proof);
    judge_proof(&proof, PA_RECHECK_TILES, true, &facts);
    assert_non_null(strstr(facts.broken, "1 of 3 samples of device 1's memory are wrong"));
    pa_facts_free(&facts);
    /* Noted as wrong they are a finding, and the evidence holds. */
    proof.wrong = 1;
    judge_proof(&proof, PA_RECHECK_TILES, true, &facts);
    assert_string_equal(facts.broken, "");
    assert_int_equal(facts.devices[1].memory.wrong, 1);
    pa_facts_free(&facts);
}

static void answers_that_were_not_committed_to_break_the_evidence(void **state) {
    struct proof proof = honest();
    struct pa_facts facts;
    (void)state;
    proof.answers[2] ^= 1;
    judge_proof(&proof, PA_RECHECK_PATHS, true, &facts);
    assert_non_null(strstr(facts.broken, "committed to other answers"));
    pa_facts_free(&facts);
}

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MEMORY_NOTE(chunks, wrong)                                                                 \
    "{\"kind\":\"memory\",\"device\":1,\"wanted_bytes\":4194304,\"workbench_bytes\":7,"            \
    "\"chunks\":" chunks ",\"fill_ns\":8,\"read_ns\":9,\"samples\":2,\"wrong\":" wrong             \
    ",\"first_wrong\":0,\"key\":\"" HEX64 "\",\"challenge\":\"" HEX64 "\",\"commitment\":\"" HEX64 \
    "\"}"

/* Whoever may fill memory twice may choose. */
static void the_first_proof_of_a_device_counts(void **state) {
    const char *notes[] = {MEMORY_NOTE("2", "1"), MEMORY_NOTE("4", "0"), NULL};
    struct pa_facts facts;
    (void)state;
    collect(notes, PA_RECHECK_PATHS, &facts);
    assert_string_equal(facts.broken, "");
    assert_int_equal(facts.devices[1].memory.filled_bytes, 2 << 20);
    assert_int_equal(facts.devices[1].memory.wrong, 1);
    pa_facts_free(&facts);
}

static void a_proof_that_failed_is_known_by_its_device(void **state) {
    const char *notes[] = {"{\"kind\":\"finding\",\"code\":\"MEMORY_PROOF_FAILED\",\"severity\":"
                           "\"warning\",\"text\":\"out of memory\",\"device\":1}",
                           NULL};
    struct pa_facts facts;
    (void)state;
    collect(notes, PA_RECHECK_PATHS, &facts);
    assert_string_equal(facts.broken, "");
    assert_true(facts.devices[1].memory.has_failed && !facts.devices[1].memory.is_there);
    assert_false(facts.devices[0].memory.has_failed);
    pa_facts_free(&facts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(telemetry_adds_up_over_epochs),
        cmocka_unit_test(a_note_that_says_nothing_sure_breaks_the_evidence),
        cmocka_unit_test(an_honest_proof_is_computed_again),
        cmocka_unit_test(wrong_answers_that_are_noted_as_right_break_the_evidence),
        cmocka_unit_test(answers_that_were_not_committed_to_break_the_evidence),
        cmocka_unit_test(the_first_proof_of_a_device_counts),
        cmocka_unit_test(a_proof_that_failed_is_known_by_its_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
