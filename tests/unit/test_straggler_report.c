/* SPDX-License-Identifier: Apache-2.0 */
/* From what devices told while they worked to the table of hosts to look at: evidence with the
 * notes of an audit, judged, written as JSON and as a page. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "certificate_samples.h"
#include "evidence_factory.h"
#include "record_samples.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES = 8, EPOCHS = 3, SLOW = 3, SLOWER = 6, STEPS = 20 };

static const char claim_text[] = "center: Small centre\n"
                                 "operator: Small Systems\n"
                                 "site: {name: Desk, region: Nowhere}\n"
                                 "capacity: {value: 1, unit: KFLOPS, precision: fp16}\n"
                                 "policy: sample\n";
static const char policy_text[] =
    "policy: sample\n"
    "title: A rule for samples\n"
    "source: invented for tests\n"
    "entitlement: {mw: 400, per_pflops: 500, rounding: proportional}\n"
    "basis: sustained\n"
    "acceptance: {rule: guarded, k: 2}\n"
    "session: {window_s: 60, epoch_s: 20, alpha: 0.01, openings: 60, interruptions: 1, "
    "longest_gap_s: 900}\n"
    "inflation: report\n"
    "assurance: self\n";

/* Two devices a host. What is slow does not run cool in vain: its clock is down. */
static const char *const hosts[] = {"node0", "node1", "node2", "node3"};

static void describe(struct evidence_device devices[DEVICES], char ids[DEVICES][16]) {
    for (int d = 0; d < DEVICES; d++) {
        snprintf(ids[d], 16, "GPU-%d", d);
        devices[d] = (struct evidence_device){.id = ids[d],
                                              .name = "Sample GPU",
                                              .backend = "cuda",
                                              .format = "fp16",
                                              .host = hosts[d / 2],
                                              .memory_bytes = UINT64_C(80) << 30,
                                              .steps = d == SLOW     ? STEPS * 7 / 10
                                                       : d == SLOWER ? STEPS * 3 / 10
                                                                     : STEPS};
    }
}

/* As the sampler notes it, for each epoch and device; the slow ones tell other figures. */
static json_t *telemetry(bool has_figures) {
    json_t *notes = json_array();
    for (int e = 0; e < EPOCHS; e++)
        for (int d = 0; has_figures && d < DEVICES; d++) {
            int clock = d == SLOW ? 1275 + e : d == SLOWER ? 615 + e : 1755;
            int heat = d == SLOW ? 71 + e : d == SLOWER ? 88 + e : 61;
            int mw = d == SLOW ? 431000 : d == SLOWER ? 247000 : 690000;
            json_array_append_new(notes, json_pack("{s:s, s:i, s:i, s:i, s:b, s:i, s:i, s:i, s:[]}",
                                                   "kind", "telemetry", "at_epoch", e, "device", d,
                                                   "samples", 20, "thermal_stop", 0,
                                                   "clock_min_mhz", clock, "temperature_max_c",
                                                   heat, "power_mean_mw", mw, "slowdowns"));
        }
    return notes;
}

/* The statement of a hall whose devices told their figures, or told nothing. */
static json_t *judged(bool has_figures) {
    char folder[64], path[128], ids[DEVICES][16];
    struct evidence_device devices[DEVICES];
    struct evidence_recipe recipe = evidence_recipe_honest();
    struct certificate_sample audit = {0};
    struct pa_issue issue = {0};
    struct pa_error error = {0};
    struct pa_store *store = NULL;
    json_t *statement = NULL, *notes = telemetry(has_figures);
    describe(devices, ids);
    recipe.devices = DEVICES;
    recipe.epochs = EPOCHS;
    recipe.described = devices;
    recipe.is_invented = true;
    recipe.claim_text = claim_text;
    recipe.policy_text = policy_text;
    recipe.late_notes = notes;
    make_folder(folder);
    snprintf(path, sizeof path, "%s/evidence.db", folder);
    evidence_make(path, &recipe);
    if (pa_store_open_readonly(path, &store, &error) != PA_OK ||
        pa_facts_collect(store, PA_RECHECK_PATHS, &audit.facts, &error) != PA_OK ||
        pa_claim_parse("claim", claim_text, strlen(claim_text), &audit.claim, &error) != PA_OK ||
        pa_policy_parse("policy", policy_text, strlen(policy_text), &audit.policy, &error) !=
            PA_OK ||
        pa_judge(&audit.facts, &audit.claim, &audit.policy, &audit.judgement, &error) != PA_OK ||
        pa_statement_build(&audit.facts, &audit.claim, &audit.policy, &audit.judgement, &issue,
                           &statement, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_string_equal(audit.facts.broken, "");
    certificate_sample_free(&audit);
    pa_store_close(store);
    json_decref(notes);
    remove_folder(folder);
    return statement;
}

static const json_t *stragglers_of(const json_t *statement) {
    return json_object_get(json_object_get(statement, "predicate"), "stragglers");
}

static double figure(const json_t *entry, const char *key) {
    const json_t *value = json_object_get(entry, key);
    assert_true(json_is_string(value));
    return strtod(json_string_value(value), NULL);
}

static void assert_straggler(const json_t *entry, const char *host, int device, double clock,
                             double watts, double celsius) {
    assert_string_equal(json_string_value(json_object_get(entry, "host")), host);
    assert_int_equal(json_integer_value(json_object_get(entry, "device")), device);
    assert_true(figure(entry, "clock_mhz") == clock);
    assert_true(figure(entry, "power_w") == watts);
    assert_true(figure(entry, "temperature_c") == celsius);
}

static void the_slow_are_listed_with_clock_power_and_temperature(void **state) {
    (void)state;
    json_t *statement = judged(true);
    const json_t *stragglers = stragglers_of(statement);
    assert_int_equal(json_array_size(stragglers), 2);
    /* The worst host first; the lowest clock and the highest temperature of all epochs. */
    assert_straggler(json_array_get(stragglers, 0), "node3", SLOWER, 615, 247, 90);
    assert_straggler(json_array_get(stragglers, 1), "node1", SLOW, 1275, 431, 73);
    json_decref(statement);
}

/* The row of the page that has `text`, from its begin to its end. */
static void row_of(const char *page, const char *text, char *out, size_t size) {
    const char *from = strstr(page, "Hosts to look at first");
    assert_non_null(from);
    const char *at = strstr(from, text), *end = at != NULL ? strstr(at, "</tr>") : NULL;
    if (end == NULL)
        fail_msg("no row after the heading has \"%s\"", text);
    snprintf(out, size, "%.*s", (int)(end - at), at);
}

static char *page_of(json_t *statement) {
    struct pa_buffer out = {0};
    struct pa_error error = {0};
    if (pa_report_html(statement, (struct pa_report_form){0}, &out, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_buffer_bytes(&out, "", 1);
    json_decref(statement);
    return (char *)out.data;
}

static void the_page_has_the_same_figures_beside_each_host(void **state) {
    static const struct {
        const char *host, *cells[4];
    } rows[] = {{"node3", {"GPU-6", ">615<", ">247<", ">90<"}},
                {"node1", {"GPU-3", ">1,275<", ">431<", ">73<"}}};
    (void)state;
    char *page = page_of(judged(true)), row[2048];
    for (size_t i = 0; i < 2; i++) {
        row_of(page, rows[i].host, row, sizeof row);
        for (size_t c = 0; c < 4; c++)
            if (strstr(row, rows[i].cells[c]) == NULL)
                fail_msg("the row of %s has no %s: %s", rows[i].host, rows[i].cells[c], row);
    }
    /* The worst host first. */
    const char *table = strstr(page, "Hosts to look at first");
    assert_true(strstr(table, "node3<") < strstr(table, "node1<"));
    free(page);
}

/* Nothing is made up for a device that tells nothing. */
static void figures_that_nobody_told_are_left_open(void **state) {
    (void)state;
    json_t *statement = judged(false);
    const json_t *first = json_array_get(stragglers_of(statement), 0);
    static const char *const keys[] = {"clock_mhz", "power_w", "temperature_c"};
    for (size_t i = 0; i < 3; i++)
        assert_true(json_is_null(json_object_get(first, keys[i])));
    char *page = page_of(statement), row[2048];
    row_of(page, "node3", row, sizeof row);
    assert_null(strstr(row, ">0<"));
    free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slow_are_listed_with_clock_power_and_temperature),
        cmocka_unit_test(the_page_has_the_same_figures_beside_each_host),
        cmocka_unit_test(figures_that_nobody_told_are_left_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
