/* SPDX-License-Identifier: Apache-2.0 */
/* Many certificates side by side: sums, order, what appears twice, what is refused. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "certificate_samples.h"
#include "report/portfolio.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A certificate of 312.9 of 500 PFLOPS and 400 MW, of another centre, region, session and date. */
static void make(struct pa_buffer *out, const char *center, const char *region, const char *issued,
                 unsigned session, const char *first_device) {
    struct pa_error error = {0};
    char hash[65];
    json_t *statement = certificate_sample_statement(SAMPLE_FAIL);
    json_t *predicate = json_object_get(statement, "predicate");
    json_t *devices = json_object_get(predicate, "devices");
    struct pa_key *key = certificate_sample_key();
    snprintf(hash, sizeof hash, "%064x", session);
    json_object_set_new(predicate, "center", json_string(center));
    json_object_set_new(json_object_get(predicate, "site"), "region", json_string(region));
    json_object_set_new(predicate, "issued_utc", json_string(issued));
    json_object_set_new(json_object_get(predicate, "session"), "hash", json_string(hash));
    while (json_array_size(devices) > 2)
        json_array_remove(devices, json_array_size(devices) - 1);
    for (size_t d = 0; d < 2; d++) {
        char id[64];
        snprintf(id, sizeof id, "GPU-%s-%zu", first_device, d);
        json_object_set_new(json_array_get(devices, d), "id", json_string(id));
        json_object_set_new(json_array_get(devices, d), "backend", json_string("cuda"));
    }
    pa_buffer_clear(out);
    if (pa_envelope_sign(statement, key, out, &error) != PA_OK)
        fail_msg("%s", error.text);
    json_decref(statement);
    pa_key_free(key);
}

static void add(struct pa_portfolio *portfolio, const char *file, const void *data, size_t size) {
    struct pa_error error = {0};
    if (pa_portfolio_add(portfolio, file, data, size, &error) != PA_OK)
        fail_msg("%s", error.text);
}

static void add_made(struct pa_portfolio *portfolio, const char *file, const char *center,
                     const char *region, const char *issued, unsigned session,
                     const char *first_device) {
    struct pa_buffer bytes = {0};
    make(&bytes, center, region, issued, session, first_device);
    add(portfolio, file, bytes.data, bytes.size);
    pa_buffer_free(&bytes);
}

static void add_text(struct pa_portfolio *portfolio, const char *file, const char *text) {
    add(portfolio, file, text, strlen(text));
}

static void finish(struct pa_portfolio *portfolio) {
    struct pa_error error = {0};
    if (pa_portfolio_finish(portfolio, &error) != PA_OK)
        fail_msg("%s", error.text);
}

/* How many remarks have this code; one of them must have `words` in it. */
static size_t remarks(const struct pa_portfolio *portfolio, const char *code, const char *words) {
    size_t index, count = 0;
    bool is_said = false;
    const json_t *item;
    json_array_foreach(portfolio->remarks, index, item) {
        if (strcmp(json_string_value(json_object_get(item, "code")), code) != 0)
            continue;
        count++;
        is_said |= strstr(json_string_value(json_object_get(item, "text")), words) != NULL;
    }
    if (count > 0 && !is_said)
        fail_msg("no %s says %s", code, words);
    return count;
}

static bool is_near(double a, double b) {
    return fabs(a - b) < 1e-3;
}

static const char date[] = "2026-11-23T14:10:03Z";
static const char claim[] = "center: New centre\nsite: {name: Hall 9, region: North}\n"
                            "capacity: {value: 200, unit: PFLOPS, precision: fp16}\n"
                            "grid_connection_mw: 160\n";

static void regions_are_summed_and_sorted_by_gap(void **state) {
    (void)state;
    struct pa_portfolio p = {0};
    add_made(&p, "a.json", "A", "South", date, 1, "a");
    add_made(&p, "b.json", "B", "North", date, 2, "b");
    add_text(&p, "c.yaml", claim);
    finish(&p);
    assert_int_equal(p.row_count, 3);
    assert_int_equal(p.region_count, 2);
    /* North: 149.6 MW of B's grant are not entitled, and nothing is shown for 160 MW. */
    assert_string_equal(p.regions[0].name, "North");
    assert_int_equal(p.regions[0].sites, 2);
    assert_int_equal(p.regions[0].certified, 1);
    assert_true(is_near(p.regions[0].figures.gap_mw, 160 + 149.648797));
    assert_true(is_near(p.regions[0].figures.claimed_pflops, 700));
    assert_true(is_near(p.regions[1].figures.gap_mw, 149.648797));
    assert_true(is_near(p.total.figures.granted_mw, 960));
    assert_true(is_near(p.total.figures.verified_pflops, 2 * 312.939004));
    assert_string_equal(p.rows[0].file, "c.yaml");
    assert_string_equal(p.rows[0].verdict, "no certificate");
    assert_true(p.rows[0].figures.gap_mw >= p.rows[1].figures.gap_mw);
    assert_int_equal(json_array_size(p.remarks), 0);
    pa_portfolio_free(&p);
}

/* Two sessions of site A, none passed; the third file is of the second session again. A claim and a
 * single audit tell nothing of the time between. */
static void several_audits_of_a_site_say_how_often_it_delivers(void **state) {
    (void)state;
    struct pa_portfolio p = {0};
    add_made(&p, "old.json", "A", "South", "2025-01-01T00:00:00Z", 1, "a");
    add_made(&p, "new.json", "A", "South", date, 2, "a");
    add_made(&p, "again.json", "A", "South", date, 2, "a");
    add_made(&p, "b.json", "B", "North", date, 3, "b");
    /* The witness knew of five sessions when the last one was declared. */
    p.rows[1].serial = 5;
    strcpy(p.rows[0].verdict, "PASS");
    finish(&p);
    assert_int_equal(remarks(&p, "SURPRISE_AUDITS", "A, "), 1);
    assert_int_equal(remarks(&p, "SURPRISE_AUDITS", "5 audits, of which 1 passed and 3 are not"),
                     1);
    /* 1 - 0.99^(1/5) */
    assert_int_equal(remarks(&p, "SURPRISE_AUDITS", "at least 0.2 % of the time"), 1);
    assert_int_equal(remarks(&p, "SURPRISE_AUDITS", "probability of 0.969"), 1);
    pa_portfolio_free(&p);
}

static void a_site_that_appears_twice_counts_once(void **state) {
    (void)state;
    struct pa_portfolio p = {0};
    add_made(&p, "old.json", "A", "South", "2025-01-01T00:00:00Z", 1, "a");
    add_made(&p, "new.json", "A", "South", date, 2, "a");
    add_made(&p, "again.json", "A", "South", date, 2, "a");
    finish(&p);
    assert_int_equal(p.total.sites, 1);
    assert_true(is_near(p.total.figures.granted_mw, 400));
    assert_true(p.rows[0].is_counted);
    assert_string_equal(p.rows[0].issued_utc, date);
    assert_false(p.rows[1].is_counted || p.rows[2].is_counted);
    assert_int_equal(remarks(&p, "SITE_TWICE", "old.json (2025-01-01T00:00:00Z) does not"), 1);
    assert_int_equal(remarks(&p, "SESSION_TWICE", "one session"), 1);
    /* A site may move its devices from one session to the next. */
    assert_int_equal(remarks(&p, "DEVICE_TWICE", ""), 0);
    pa_portfolio_free(&p);
}

static void a_claim_whose_site_is_certified_is_not_added(void **state) {
    (void)state;
    struct pa_portfolio p = {0};
    struct pa_buffer bytes = {0};
    make(&bytes, "New centre", "North", date, 1, "a");
    add(&p, "a.json", bytes.data, bytes.size);
    pa_buffer_free(&bytes);
    add_text(&p, "c.yaml",
             "center: New centre\nsite: {name: Hall 1, region: North}\n"
             "capacity: {value: 200, unit: PFLOPS, precision: fp16}\n");
    finish(&p);
    assert_int_equal(p.total.sites, 1);
    assert_int_equal(remarks(&p, "CLAIM_CERTIFIED", "c.yaml"), 1);
    pa_portfolio_free(&p);
}

static void devices_that_two_sites_show_are_pointed_out(void **state) {
    (void)state;
    struct pa_portfolio p = {0};
    add_made(&p, "a.json", "A", "South", date, 1, "same");
    add_made(&p, "b.json", "B", "North", date, 2, "same");
    add_made(&p, "c.json", "C", "North", date, 3, "other");
    finish(&p);
    assert_int_equal(p.total.sites, 3);
    assert_int_equal(remarks(&p, "DEVICE_TWICE", "2 devices (GPU-same-0 among them)"), 1);
    pa_portfolio_free(&p);
}

static void what_is_neither_is_refused_and_counted_nowhere(void **state) {
    (void)state;
    struct pa_portfolio p = {0};
    struct pa_buffer bytes = {0};
    make(&bytes, "A", "South", date, 1, "a");
    bytes.data[bytes.size / 2] ^= 1;
    add(&p, "flipped.json", bytes.data, bytes.size);
    pa_buffer_clear(&bytes);
    certificate_sample_file(SAMPLE_TEST, &bytes);
    add(&p, "test.json", bytes.data, bytes.size);
    pa_buffer_free(&bytes);
    add_text(&p, "empty", "");
    add_text(&p, "brace.json", "{");
    add_text(&p, "comma.yaml", "center: x\ncapacity: {value: \"1,5\", unit: P, precision: fp16}\n");
    add(&p, "zero", "\0\0\0", 3);
    finish(&p);
    assert_int_equal(p.row_count, 0);
    assert_int_equal(p.refusal_count, 6);
    assert_true(p.total.figures.claimed_pflops == 0);
    assert_int_equal(p.refusals[0].code, PA_EINVALID);
    assert_non_null(strstr(p.refusals[1].reason, "TEST"));
    assert_int_equal(p.refusals[2].code, PA_EINPUT);
    assert_non_null(strstr(p.refusals[4].reason, "comma.yaml:2:"));
    pa_portfolio_free(&p);
}

static void a_claim_in_flow_style_is_a_claim(void **state) {
    (void)state;
    static const char json[] =
        "\n { \"center\": \"payload\",\n \"capacity\": {\"value\": 500, \"unit\": \"PFLOPS\", "
        "\"precision\": \"fp16\"}}\n";
    struct pa_portfolio p = {0};
    add_text(&p, "flow.yaml", "{center: x, capacity: {value: 2, unit: EFLOPS, precision: fp16}}");
    add_text(&p, "flow.json", json);
    add_text(&p, "wrong.json", "{\"center\": \"x\",\n \"capaciti\": 1}");
    add_text(&p, "cut.json", "{\"payload\":\"e30=\"");
    add_text(&p, "spoilt.json", "{\"qayload\":\"e30=\",\"payloadType\":\"\",\"signatures\":[]}");
    finish(&p);
    assert_int_equal(p.row_count, 2);
    assert_true(fabs(p.total.figures.claimed_pflops - 2500) < 1e-9);
    assert_int_equal(p.refusal_count, 3);
    assert_int_equal(p.refusals[0].code, PA_EINPUT);
    assert_non_null(strstr(p.refusals[0].reason, "wrong.json:2:2: "));
    assert_int_equal(p.refusals[1].code, PA_EINVALID);
    assert_int_equal(p.refusals[2].code, PA_EINVALID);
    pa_portfolio_free(&p);
}

static char *text_of(const struct pa_portfolio *p,
                     int (*write)(const struct pa_portfolio *, struct pa_buffer *,
                                  struct pa_error *)) {
    struct pa_buffer out = {0};
    struct pa_error error = {0};
    if (write(p, &out, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_buffer_bytes(&out, "", 1);
    return (char *)out.data;
}

static void hostile_names_stay_text(void **state) {
    (void)state;
    struct pa_portfolio p = {0};
    add_made(&p, "=x.json", "=HYPERLINK(\"http://x\")", "<script>alert(1)</script>", date, 1, "a");
    finish(&p);
    char *html = text_of(&p, pa_portfolio_html), *csv = text_of(&p, pa_portfolio_csv);
    char *json = text_of(&p, pa_portfolio_json), *lines = text_of(&p, pa_portfolio_lines);
    assert_null(strstr(html, "<script>alert"));
    assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_null(strstr(html, "src="));
    assert_null(strstr(html, "url("));
    assert_non_null(strstr(csv, "\"'=HYPERLINK(\"\"http://x\"\")\""));
    assert_non_null(strstr(csv, "\"'=x.json\"\r\n"));
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(object, "schema")),
                        "petaudit-portfolio/1");
    const json_t *row = json_array_get(json_object_get(object, "rows"), 0);
    assert_true(is_near(json_number_value(json_object_get(row, "gap_mw")), 149.648797));
    assert_true(json_is_null(json_object_get(row, "utilization")));
    json_decref(object);
    assert_non_null(strstr(lines, "149.6"));
    free(html);
    free(csv);
    free(json);
    free(lines);
    pa_portfolio_free(&p);
}

static void thousands_are_taken(void **state) {
    (void)state;
    struct pa_portfolio p = {0};
    struct pa_buffer bytes = {0};
    struct pa_error error = {0};
    make(&bytes, "A", "South", date, 1, "a");
    for (int i = 0; i < 1000; i++) {
        char file[32];
        snprintf(file, sizeof file, "%d.json", i);
        assert_int_equal(pa_portfolio_add(&p, file, bytes.data, bytes.size, &error), PA_OK);
    }
    pa_buffer_free(&bytes);
    finish(&p);
    assert_int_equal(p.row_count, 1000);
    assert_int_equal(p.total.sites, 1);
    assert_int_equal(remarks(&p, "SESSION_TWICE", "one session"), 999);
    pa_portfolio_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_are_summed_and_sorted_by_gap),
        cmocka_unit_test(a_site_that_appears_twice_counts_once),
        cmocka_unit_test(several_audits_of_a_site_say_how_often_it_delivers),
        cmocka_unit_test(a_claim_whose_site_is_certified_is_not_added),
        cmocka_unit_test(devices_that_two_sites_show_are_pointed_out),
        cmocka_unit_test(what_is_neither_is_refused_and_counted_nowhere),
        cmocka_unit_test(a_claim_in_flow_style_is_a_claim),
        cmocka_unit_test(hostile_names_stay_text),
        cmocka_unit_test(thousands_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
