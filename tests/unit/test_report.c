/* SPDX-License-Identifier: Apache-2.0 */
/* The page says what the statement says, escaped, and loads nothing. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "certificate_samples.h"
#include "report/page.h"
#include "report/report.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static char *page_of(json_t *statement) {
    struct pa_buffer out = {0};
    struct pa_error error = {0};
    if (pa_report_html(statement, PA_PAPER_A4, &out, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_buffer_bytes(&out, "", 1);
    json_decref(statement);
    return (char *)out.data;
}

static void says(const char *page, const char *text) {
    if (strstr(page, text) == NULL)
        fail_msg("the page does not say \"%s\"", text);
}

static void keeps_silent(const char *page, const char *text) {
    if (strstr(page, text) != NULL)
        fail_msg("the page says \"%s\"", text);
}

static void a_failed_claim_says_by_how_much(void **state) {
    (void)state;
    char *page = page_of(certificate_sample_statement(SAMPLE_FAIL));
    says(page, "<b>500 PFLOPS</b>");
    says(page, ">FAIL<");
    says(page, "62.6 % of the claim");
    says(page, "overclaim 149.6 MW");
    says(page, "512 \xc3\x97 NVIDIA H800");
    says(page, "lost: rank 8 on node08");
    free(page);
}

static void every_text_is_escaped(void **state) {
    (void)state;
    json_t *statement = certificate_sample_statement(SAMPLE_PASS);
    json_t *predicate = json_object_get(statement, "predicate");
    static const char evil[] = "</style><script>alert(1)</script>\"'&<img src=x onerror=y>";
    static const char *const parts[] = {"claim", "policy", "session", "site", "verified", "tool"};
    static const char *const lists[] = {"devices", "findings", "epochs", "not_proven"};
    static const char *const words[] = {"code",   "severity",   "text",
                                        "name",   "format",     "declared_name",
                                        "state",  "lost_text",  "confidence_text",
                                        "title",  "source",     "unit",
                                        "region", "version",    "proven",
                                        "broken", "test_build", "acceptance"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
            if (json_object_get(json_object_get(predicate, parts[i]), words[w]) != NULL)
                json_object_set_new(json_object_get(predicate, parts[i]), words[w],
                                    json_string(evil));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (size_t w = 0; w < sizeof words / sizeof words[0]; w++) {
            json_t *item = json_array_get(json_object_get(predicate, lists[i]), 0);
            if (json_object_get(item, words[w]) != NULL)
                json_object_set_new(item, words[w], json_string(evil));
        }
    static const char *const top[] = {"center", "operator", "reason", "verdict", "assurance"};
    for (size_t i = 0; i < sizeof top / sizeof top[0]; i++)
        json_object_set_new(predicate, top[i], json_string(evil));
    char *page = page_of(statement);
    keeps_silent(page, "<script");
    keeps_silent(page, "<img");
    says(page, "&lt;script&gt;");
    free(page);
}

static void nothing_is_loaded_and_nothing_runs(void **state) {
    (void)state;
    for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
        char *page = page_of(certificate_sample_statement((enum certificate_kind)kind));
        static const char *const forbidden[] = {"http://", "<script", " src=", " href=", "url(",
                                                "@import", "nan",     ">inf<", "-inf"};
        for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
            keeps_silent(page, forbidden[i]);
        says(page, "default-src 'none'");
        free(page);
    }
}

static void a_test_result_is_marked_and_never_named_a_certificate(void **state) {
    (void)state;
    char *page = page_of(certificate_sample_statement(SAMPLE_TEST));
    says(page, "<b>TEST</b>");
    says(page, "<header><b>Test result</b>");
    keeps_silent(page, "Capacity certificate");
    keeps_silent(page, "were proven");
    free(page);
}

static void an_invalid_one_shows_what_failed(void **state) {
    (void)state;
    char *page = page_of(certificate_sample_statement(SAMPLE_INVALID));
    says(page, ">INVALID<");
    says(page, "<b>nothing</b> counts as proven");
    says(page, "First opening that failed: 3 of 1000");
    free(page);
}

static void a_small_machine_is_shown_in_its_own_unit(void **state) {
    (void)state;
    setlocale(LC_ALL, "de_DE.UTF-8");
    char *page = page_of(certificate_sample_statement(SAMPLE_PASS));
    setlocale(LC_ALL, "C");
    says(page, "TFLOPS");
    says(page, "self-declared");
    says(page, "798 GFLOPS");
    says(page, "&lt;b&gt;Box&lt;/b&gt; &amp; &quot;S\xc3\xb6hne&quot;");
    free(page);
}

static void figures_have_the_digits_that_count(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {500, "500"},
                 {312.44, "312.4"},
                 {0.012345, "0.01235"},
                 {12345.6, "12,346"},
                 {1.2345e21, "1.235e21"}};
    char text[PA_FIGURE_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pa_page_figure_text(text, cases[i].value);
        assert_string_equal(text, cases[i].text);
    }
    struct pa_page page = {.rate_word = "FLOPS"};
    pa_page_rate_u_text(&page, text, 312.4321, 3.14);
    assert_string_equal(text, "312.4 \xc2\xb1 3.1 PFLOPS");
    pa_page_rate_u_text(&page, text, 0.00079, 0.0000021);
    assert_string_equal(text, "790.0 \xc2\xb1 2.1 GFLOPS");
    pa_page_share_text(text, 0.000004);
    assert_string_equal(text, "less than 0.01 %");
}

static void what_is_no_statement_is_refused(void **state) {
    (void)state;
    struct pa_buffer out = {0};
    json_t *object = json_object();
    assert_int_equal(pa_report_html(object, PA_PAPER_A4, &out, NULL), PA_EINTERNAL);
    assert_int_equal(pa_report_html(NULL, PA_PAPER_A4, &out, NULL), PA_EINTERNAL);
    json_decref(object);
    pa_buffer_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_claim_says_by_how_much),
        cmocka_unit_test(every_text_is_escaped),
        cmocka_unit_test(nothing_is_loaded_and_nothing_runs),
        cmocka_unit_test(a_test_result_is_marked_and_never_named_a_certificate),
        cmocka_unit_test(an_invalid_one_shows_what_failed),
        cmocka_unit_test(a_small_machine_is_shown_in_its_own_unit),
        cmocka_unit_test(figures_have_the_digits_that_count),
        cmocka_unit_test(what_is_no_statement_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
