/* SPDX-License-Identifier: Apache-2.0 */
/* Vendors' reports in the evidence: when a session is attested, and what is found where it is not.
 *
 * The pinned root is replaced at link time by that of a vendor of the tests' own, because nobody
 * but NVIDIA can make a report that answers a session's nonce under the genuine one. */
#include "cmocka_setup.h"

#include "emulated_gpu/vendor_maker.h"
#include "evidence_factory.h"
#include "judge/judge.h"
#include "record_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *pa_attestation_root(void) {
    return vendor_root();
}

static const char *const names[] = {"NVIDIA:GH100:0000000000000001",
                                    "NVIDIA:GH100:0000000000000002"};

struct session {
    json_t *notes; /* late ones, taken */
    bool is_self;
    struct pa_facts facts;
    struct pa_judgement judgement;
};

/* The nonce of an epoch, as the factory draws it. */
static struct pa_hash nonce_of(uint32_t epoch) {
    struct pa_hash key, nonce;
    memset(key.bytes, (int)(0x40 + epoch), sizeof key.bytes);
    pa_epoch_nonce(&nonce, &key);
    return nonce;
}

/* A note of `device` at `epoch` with the report of GPU `name` over the nonce of `asked`. */
static json_t *report_note(int device, int epoch, const char *name, uint32_t asked) {
    static struct vendor_made made;
    struct pa_hash nonce = nonce_of(asked);
    char digits[2 * VENDOR_REPORT_BYTES + 1];
    vendor_make(name, nonce.bytes, &made);
    pa_hex(digits, made.report, made.report_bytes);
    return json_pack("{s:s, s:i, s:i, s:s, s:s%}", "kind", "attestation", "device", device,
                     "at_epoch", epoch, "report", digits, "chain", made.chain, made.chain_bytes);
}

static json_t *trouble_note(int device) {
    return json_pack("{s:s, s:i, s:i, s:s}", "kind", "attestation", "device", device, "at_epoch", 2,
                     "trouble", "NVML: Not Supported");
}

static void run(struct session *session) {
    char path[128], folder[64];
    struct pa_store *store;
    struct pa_error error = {0};
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct pa_claim claim = {.capacity_per_second = 1e15, .precision = PA_PRECISION_FP16};
    struct pa_policy policy = {.k = 2, .assurance = PA_ASSURANCE_ATTESTED};
    recipe.is_witnessed = !session->is_self;
    recipe.is_invented = true;
    recipe.late_notes = session->notes;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    evidence_make(path, &recipe);
    assert_int_equal(pa_store_open_readonly(path, &store, &error), PA_OK);
    if (pa_facts_collect(store, PA_RECHECK_PATHS, &session->facts, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_store_close(store);
    remove_folder(folder);
    assert_int_equal(pa_judge(&session->facts, &claim, &policy, &session->judgement, NULL), PA_OK);
}

static void end(struct session *session) {
    pa_judgement_free(&session->judgement);
    pa_facts_free(&session->facts);
    json_decref(session->notes);
}

/* The text of a finding, "" without it. */
static const char *found(const struct session *session, const char *code) {
    for (uint32_t i = 0; i < session->judgement.finding_count; i++)
        if (strcmp(session->judgement.findings[i].code, code) == 0)
            return session->judgement.findings[i].text;
    return "";
}

static void assert_found(const struct session *session, const char *code, const char *words) {
    const char *text = found(session, code);
    if ((words == NULL) != (text[0] == '\0') || (words != NULL && strstr(text, words) == NULL))
        fail_msg("%s: \"%s\"", code, text);
}

static void two_devices_with_a_report_each_are_attested(void **state) {
    struct session session = {.notes = json_array()};
    (void)state;
    json_array_append_new(session.notes, report_note(0, 2, names[0], 2));
    json_array_append_new(session.notes, report_note(1, 0, names[1], 0));
    run(&session);
    assert_string_equal(session.facts.broken, "");
    assert_int_equal(session.facts.assurance, PA_ASSURANCE_ATTESTED);
    assert_int_equal(session.judgement.assurance, PA_ASSURANCE_ATTESTED);
    assert_string_equal(session.facts.devices[1].attestation.who.device, names[1]);
    assert_string_equal(session.facts.devices[1].attestation.who.vbios, "96.00.E0.00.01");
    assert_found(&session, "ATTESTED", "2 of 2 devices, the first of them NVIDIA:GH100:");
    assert_found(&session, "LOW_ASSURANCE", NULL);
    assert_found(&session, "NOT_ATTESTED", NULL);
    assert_found(&session, "ATTESTATION_FAILED", NULL);
    end(&session);
}

static void a_session_without_a_witness_is_not_attested(void **state) {
    struct session session = {.notes = json_array(), .is_self = true};
    (void)state;
    json_array_append_new(session.notes, report_note(0, 2, names[0], 2));
    json_array_append_new(session.notes, report_note(1, 2, names[1], 2));
    run(&session);
    assert_int_equal(session.facts.assurance, PA_ASSURANCE_SELF);
    assert_found(&session, "LOW_ASSURANCE", "The assurance is self; the policy wants attested.");
    end(&session);
}

static void a_device_without_a_report_is_named(void **state) {
    struct session session = {.notes = json_array()};
    (void)state;
    json_array_append_new(session.notes, report_note(0, 2, names[0], 2));
    json_array_append_new(session.notes, trouble_note(1));
    run(&session);
    assert_int_equal(session.facts.assurance, PA_ASSURANCE_WITNESSED);
    assert_found(&session, "NOT_ATTESTED", "device 1 (Sample processor); NVML: Not Supported.");
    assert_found(&session, "LOW_ASSURANCE", "witnessed; the policy wants attested");
    assert_found(&session, "ATTESTATION_FAILED", NULL);
    end(&session);
    session = (struct session){.notes = json_array()};
    run(&session);
    assert_found(&session, "NOT_ATTESTED", "2 devices");
    assert_found(&session, "ATTESTED", NULL);
    end(&session);
}

static void a_report_that_answers_another_nonce_fails(void **state) {
    struct session session = {.notes = json_array()};
    (void)state;
    json_array_append_new(session.notes, report_note(0, 2, names[0], 2));
    json_array_append_new(session.notes, report_note(1, 2, names[1], 1));
    run(&session);
    assert_int_equal(session.facts.assurance, PA_ASSURANCE_WITNESSED);
    assert_found(&session, "ATTESTATION_FAILED",
                 "device 1 (Sample processor); the report answers another nonce.");
    assert_found(&session, "ATTESTED", "1 of 2 devices");
    assert_found(&session, "NOT_ATTESTED", NULL);
    end(&session);
}

static void one_gpu_does_not_stand_for_two(void **state) {
    struct session session = {.notes = json_array()};
    (void)state;
    json_array_append_new(session.notes, report_note(0, 2, names[0], 2));
    json_array_append_new(session.notes, report_note(1, 2, names[0], 2));
    run(&session);
    assert_int_equal(session.facts.assurance, PA_ASSURANCE_WITNESSED);
    assert_found(&session, "ATTESTATION_FAILED",
                 "Devices 0 and 1 are attested as one and the same, NVIDIA:GH100:");
    end(&session);
}

/* A session that is resumed may ask again. */
static void a_later_report_mends_an_earlier_failure(void **state) {
    struct session session = {.notes = json_array()};
    (void)state;
    json_array_append_new(session.notes, trouble_note(0));
    json_array_append_new(session.notes, report_note(0, 2, names[0], 2));
    json_array_append_new(session.notes, report_note(1, 2, names[1], 0));
    json_array_append_new(session.notes, report_note(1, 2, names[1], 2));
    json_array_append_new(session.notes, trouble_note(1));
    run(&session);
    assert_int_equal(session.facts.assurance, PA_ASSURANCE_ATTESTED);
    assert_string_equal(session.facts.devices[1].attestation.trouble, "");
    end(&session);
}

static void notes_that_say_nothing_sure_break_the_evidence(void **state) {
    static const struct {
        const char *key, *value, *word;
    } cases[] = {
        {"device", "7", "device"},      {"at_epoch", "9", "epoch"},
        {"at_epoch", NULL, "epoch"},    {"report", "\"0\"", "report"},
        {"report", "\"xx\"", "report"}, {"report", "\"\"", "report"},
        {"report", NULL, "report"},     {"chain", NULL, "chain"},
        {"chain", "7", "chain"},        {"trouble", "\"none\"", "trouble"},
        {"trouble", "7", "trouble"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct session session = {.notes = json_array()};
        json_t *note = report_note(0, 2, names[0], 2);
        if (cases[i].value == NULL)
            json_object_del(note, cases[i].key);
        else
            json_object_set_new(note, cases[i].key,
                                json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
        json_array_append_new(session.notes, note);
        run(&session);
        if (strstr(session.facts.broken, cases[i].word) == NULL)
            fail_msg("case %zu: broken is \"%s\"", i, session.facts.broken);
        end(&session);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_devices_with_a_report_each_are_attested),
        cmocka_unit_test(a_session_without_a_witness_is_not_attested),
        cmocka_unit_test(a_device_without_a_report_is_named),
        cmocka_unit_test(a_report_that_answers_another_nonce_fails),
        cmocka_unit_test(one_gpu_does_not_stand_for_two),
        cmocka_unit_test(a_later_report_mends_an_earlier_failure),
        cmocka_unit_test(notes_that_say_nothing_sure_break_the_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
