/* SPDX-License-Identifier: Apache-2.0 */
/* The page says what the statement says, escaped, and loads nothing. */
#include "cmocka_setup.h"

#include "base/base.h"
#include "certificate_samples.h"
#include "report/page.h"
#include "report/phrase.h"
#include "report/report.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *page_of(json_t *statement) {
    struct pa_buffer out = {0};
    struct pa_error error = {0};
    if (pa_report_html(statement, (struct pa_report_form){0}, &out, &error) != PA_OK)
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
    says(page, ">entitled</text>");
    says(page, ">312.9 PFLOPS (250.4 MW)</text>");
    says(page, "512 \xc3\x97 NVIDIA H800");
    says(page, "lost: rank 8 on node08");
    free(page);
}

static void without_an_entitlement_the_chart_has_no_such_row(void **state) {
    (void)state;
    json_t *statement = certificate_sample_statement(SAMPLE_FAIL);
    json_t *entitlement = json_object_get(json_object_get(statement, "predicate"), "entitlement");
    json_object_set_new(entitlement, "counted_pflops", json_null());
    json_object_set_new(entitlement, "mw", json_null());
    char *page = page_of(statement);
    says(page, ">proven</text>");
    keeps_silent(page, ">entitled</text>");
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
        pa_figure_of(text, cases[i].value);
        assert_string_equal(text, cases[i].text);
    }
    struct pa_page page = {.rate_word = "FLOPS"};
    pa_page_rate_u_text(&page, text, 312.4321, 3.14);
    assert_string_equal(text, "312.4 \xc2\xb1 3.1 PFLOPS");
    pa_page_rate_u_text(&page, text, 0.00079, 0.0000021);
    assert_string_equal(text, "790.0 \xc2\xb1 2.1 GFLOPS");
    pa_share_text(text, 0.000004);
    assert_string_equal(text, "< 0.01 %");
}

static void what_is_no_statement_is_refused(void **state) {
    (void)state;
    struct pa_buffer out = {0};
    json_t *object = json_object();
    assert_int_equal(pa_report_html(object, (struct pa_report_form){0}, &out, NULL), PA_EINTERNAL);
    assert_int_equal(pa_report_html(NULL, (struct pa_report_form){0}, &out, NULL), PA_EINTERNAL);
    json_decref(object);
    pa_buffer_free(&out);
}

/* Places and tags of a sentence, sorted by nature: "{0}{1}<b></b>". */
static void bones_of(const char *sentence, char out[128]) {
    static const char *const bones[] = {"{0}", "{1}", "{2}", "{3}",  "{4}",    "{5}",
                                        "{6}", "{7}", "<b>", "</b>", "<code>", "</code>"};
    size_t used = 0;
    for (size_t i = 0; i < sizeof bones / sizeof bones[0]; i++)
        for (const char *p = strstr(sentence, bones[i]); p != NULL; p = strstr(p + 1, bones[i]))
            used += (size_t)snprintf(out + used, 128 - used, "%s", bones[i]);
    out[used] = '\0';
}

static void both_languages_have_the_same_sentences(void **state) {
    (void)state;
    for (int id = 0; id < PA_STRING_COUNT_STRINGS; id++) {
        char english[128], chinese[128];
        if (pa_strings_en[id] == NULL || pa_strings_zh[id] == NULL)
            fail_msg("sentence %d is missing", id);
        bones_of(pa_strings_en[id], english);
        bones_of(pa_strings_zh[id], chinese);
        if (strcmp(english, chinese) != 0)
            fail_msg("sentence %d has other places: \"%s\" and \"%s\"", id, pa_strings_en[id],
                     pa_strings_zh[id]);
        if (id != PA_STRING_AS_SIGNED && pa_strings_en[id][0] == '\0')
            fail_msg("sentence %d is empty", id);
        assert_true(pa_strings_zh[id][0] != '\0');
    }
}

static void the_same_phrases_have_the_same_places(void **state) {
    (void)state;
    size_t count = 0;
    for (size_t t = 0; pa_phrases_zh[t] != NULL; t++)
        for (const struct pa_phrase *phrase = pa_phrases_zh[t]; phrase->signed_as != NULL;
             phrase++, count++) {
            char english[128], chinese[128];
            bones_of(phrase->signed_as, english);
            bones_of(phrase->translation, chinese);
            if (strcmp(english, chinese) != 0)
                fail_msg("\"%s\" and \"%s\" have other places", phrase->signed_as,
                         phrase->translation);
        }
}

static void a_phrase_is_found_with_what_stands_in_it(void **state) {
    (void)state;
    static const struct pa_phrase phrases[] = {
        {"{0} of {1} claimed {2} did no work.", "{1}-{0}-{2}"},
        {"two", "zwei"},
        {"The end is {0}", "{0}!"},
        {NULL, NULL}};
    static const struct pa_phrase *const tables[] = {phrases, NULL};
    char out[64];
    assert_true(pa_phrase_translate(tables, "1 of two claimed X of Y did no work.", out, 64));
    assert_string_equal(out, "zwei-1-X of Y");
    assert_true(pa_phrase_translate(tables, "The end is two", out, 64));
    assert_string_equal(out, "zwei!");
    assert_false(pa_phrase_translate(tables, "1 of two claimed X did no work. Or did", out, 64));
    assert_string_equal(out, "1 of two claimed X did no work. Or did");
    assert_false(pa_phrase_translate(tables, "twofold", out, 64));
}

/* What no phrase fits is marked as signed in English: of what petaudit itself writes there is none.
 */
static void a_chinese_report_needs_no_original(void **state) {
    (void)state;
    for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
        struct pa_buffer out = {0};
        json_t *statement = certificate_sample_statement((enum certificate_kind)kind);
        const struct pa_report_form form = {PA_PAPER_A4, PA_LANGUAGE_ZH};
        assert_int_equal(pa_report_html(statement, form, &out, NULL), PA_OK);
        pa_buffer_bytes(&out, "", 1);
        const char *mark = strstr((char *)out.data, pa_strings_zh[PA_STRING_AS_SIGNED]);
        if (mark != NULL &&
            strncmp(mark + strlen(pa_strings_zh[PA_STRING_AS_SIGNED]), "rank 8 on node08", 16) != 0)
            fail_msg("no phrase fits: %.200s", mark);
        keeps_silent((char *)out.data, "undefined");
        pa_buffer_free(&out);
        json_decref(statement);
    }
}

static void what_no_phrase_fits_is_marked_as_signed(void **state) {
    (void)state;
    const struct pa_report_form form = {PA_PAPER_A4, PA_LANGUAGE_ZH};
    struct pa_buffer out = {0};
    json_t *statement = certificate_sample_statement(SAMPLE_PASS);
    json_t *findings = json_object_get(json_object_get(statement, "predicate"), "findings");
    json_object_set_new(json_array_get(findings, 0), "text", json_string("Nobody foresaw this."));
    assert_int_equal(pa_report_html(statement, form, &out, NULL), PA_OK);
    pa_buffer_bytes(&out, "", 1);
    says((char *)out.data, "\xef\xbc\x88\xe5\x8e\x9f\xe6\x96\x87\xef\xbc\x89Nobody foresaw this.");
    pa_buffer_free(&out);
    json_decref(statement);
}

static struct pa_buffer pdf_of(const json_t *statement, struct pa_report_form form,
                               const struct pa_document_signer *signer) {
    struct pa_buffer out = {0}, certificate = {0};
    struct pa_error error = {0};
    pa_buffer_text(&certificate, "{}\n");
    if (pa_report_pdf(statement, form, &certificate, signer, &out, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_buffer_free(&certificate);
    return out;
}

static void an_unsigned_pdf_is_the_same_to_the_byte(void **state) {
    (void)state;
    const struct pa_report_form form = {PA_PAPER_A4, PA_LANGUAGE_ZH};
    json_t *statement = certificate_sample_statement(SAMPLE_INCONCLUSIVE);
    struct pa_buffer first = pdf_of(statement, form, NULL), second = pdf_of(statement, form, NULL);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    pa_buffer_free(&first);
    pa_buffer_free(&second);
    json_decref(statement);
}

/* Every text of the statement becomes `evil`, every figure and list what a signer may put there. */
static const char *poisoned_figure(const char *name) {
    static const double figures[] = {0, -1, 9e15, 1e-12};
    static char text[PA_DECIMAL_TEXT_BYTES];
    pa_decimal_text(text, figures[strlen(name) % 4]);
    return text;
}

static bool is_free_text(const char *name) {
    static const char *const fixed[] = {
        "hash",          "sha256",         "key_id",      "public_key",       "text_base64",
        "prover_key_id", "witness_key_id", "text_sha256", "statement_sha256", "catalogue_sha256"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        if (strcmp(name, fixed[i]) == 0)
            return false;
    return length < 4 || strcmp(name + length - 4, "_utc") != 0;
}

static void poison(json_t *value, const char *evil) {
    const char *name;
    json_t *inner;
    size_t index;
    if (json_is_object(value)) {
        json_object_foreach(value, name, inner) {
            double number;
            if (json_is_string(inner) &&
                pa_decimal_parse(json_string_value(inner), -1e300, 1e300, &number, NULL) == PA_OK)
                json_string_set(inner, poisoned_figure(name));
            else if (json_is_string(inner) && is_free_text(name))
                json_string_set(inner, evil);
            else if (json_is_integer(inner))
                json_integer_set(inner, INT64_MAX);
            else
                poison(inner, evil);
        }
    } else
        json_array_foreach(value, index, inner) poison(inner, evil);
}

static void no_accepted_certificate_breaks_a_report(void **state) {
    (void)state;
    static const char *const evils[] = {"</span></b>&#x202e;<b>",
                                        "%s%n{0}{7}",
                                        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d 500 PFLOPS",
                                        "Z\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
                                        "",
                                        "\xf0\x9f\x98\x80\xef\xbf\xbf"};
    char long_name[20000];
    memset(long_name, 'W', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    for (size_t i = 0; i <= sizeof evils / sizeof evils[0]; i++) {
        const char *evil = i < sizeof evils / sizeof evils[0] ? evils[i] : long_name;
        json_t *statement = certificate_sample_statement(i % 2 == 0 ? SAMPLE_PASS : SAMPLE_INVALID);
        poison(statement, evil);
        const struct pa_report_form form = {i % 2 == 0 ? PA_PAPER_A4 : PA_PAPER_LETTER,
                                            i % 3 == 0 ? PA_LANGUAGE_ZH : PA_LANGUAGE_EN};
        struct pa_buffer pdf = pdf_of(statement, form, NULL), html = {0};
        assert_int_equal(pa_report_html(statement, form, &html, NULL), PA_OK);
        assert_true(pdf.size > 1000 && html.size > 1000 && html.size < 400000);
        pa_buffer_free(&pdf);
        pa_buffer_free(&html);
        json_decref(statement);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_claim_says_by_how_much),
        cmocka_unit_test(without_an_entitlement_the_chart_has_no_such_row),
        cmocka_unit_test(every_text_is_escaped),
        cmocka_unit_test(nothing_is_loaded_and_nothing_runs),
        cmocka_unit_test(a_test_result_is_marked_and_never_named_a_certificate),
        cmocka_unit_test(an_invalid_one_shows_what_failed),
        cmocka_unit_test(a_small_machine_is_shown_in_its_own_unit),
        cmocka_unit_test(figures_have_the_digits_that_count),
        cmocka_unit_test(what_is_no_statement_is_refused),
        cmocka_unit_test(both_languages_have_the_same_sentences),
        cmocka_unit_test(the_same_phrases_have_the_same_places),
        cmocka_unit_test(a_phrase_is_found_with_what_stands_in_it),
        cmocka_unit_test(a_chinese_report_needs_no_original),
        cmocka_unit_test(what_no_phrase_fits_is_marked_as_signed),
        cmocka_unit_test(an_unsigned_pdf_is_the_same_to_the_byte),
        cmocka_unit_test(no_accepted_certificate_breaks_a_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
