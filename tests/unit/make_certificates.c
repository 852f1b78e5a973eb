/* SPDX-License-Identifier: Apache-2.0 */
/* make_certificates DIRECTORY: each sample as NAME.json, NAME.json.tsq, NAME.summary.json and, in
 * each language and on each paper, as HTML and PDF: for the independent verifier, the schemas and a
 * look at the page. */
#include "certificate_samples.h"

#include "base/base.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>

static void put(const char *directory, const char *name, const char *ending,
                struct pa_buffer *content) {
    struct pa_error error = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", directory, name, ending);
    if (content->failed ||
        pa_file_write(path, content->data, content->size, 0644, &error) != PA_OK) {
        fprintf(stderr, "%s: %s\n", path, error.text);
        exit(1);
    }
    pa_buffer_free(content);
}

static void demand(int code, const char *name, const struct pa_error *error) {
    if (code == PA_OK)
        return;
    fprintf(stderr, "%s: %s\n", name, error->text);
    exit(1);
}

/* Both languages, both papers; signed where language and paper are not each other's usual ones. */
static void put_reports(const char *directory, const char *name, const json_t *statement,
                        const struct pa_buffer *certificate) {
    static const struct {
        struct pa_report_form form;
        bool is_signed;
        const char *ending;
    } kinds[] = {{{PA_PAPER_A4, PA_LANGUAGE_EN}, false, "en.a4"},
                 {{PA_PAPER_LETTER, PA_LANGUAGE_EN}, true, "en.letter.signed"},
                 {{PA_PAPER_A4, PA_LANGUAGE_ZH}, true, "zh.a4.signed"},
                 {{PA_PAPER_LETTER, PA_LANGUAGE_ZH}, false, "zh.letter"}};
    struct pa_error error = {0};
    struct pa_key *key = certificate_sample_key();
    struct pa_document_signer signer;
    demand(pa_document_signer_make(key, "/nowhere", &signer, &error), name, &error);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct pa_buffer page = {0}, pdf = {0};
        char ending[64];
        demand(pa_report_html(statement, kinds[i].form, &page, &error), name, &error);
        demand(pa_report_pdf(statement, kinds[i].form, certificate,
                             kinds[i].is_signed ? &signer : NULL, &pdf, &error),
               name, &error);
        snprintf(ending, sizeof ending, ".%s.html", kinds[i].ending);
        put(directory, name, ending, &page);
        snprintf(ending, sizeof ending, ".%s.pdf", kinds[i].ending);
        put(directory, name, ending, &pdf);
    }
    pa_document_signer_free(&signer);
    pa_key_free(key);
}

int main(int count, char **arguments) {
    struct pa_error error = {0};
    if (count != 2 || pa_directory_make(arguments[1], &error) != PA_OK) {
        fprintf(stderr, "usage: make_certificates DIRECTORY %s\n", error.text);
        return 64;
    }
    for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
        const char *name = certificate_kind_names[kind];
        struct pa_buffer certificate = {0}, summary = {0}, request = {0};
        json_t *statement = certificate_sample_statement((enum certificate_kind)kind);
        certificate_sample_file((enum certificate_kind)kind, &certificate);
        demand(pa_summary_write(statement, &summary, &error), name, &error);
        put_reports(arguments[1], name, statement, &certificate);
        demand(pa_time_stamp_request(certificate.data, certificate.size, &request, &error), name,
               &error);
        put(arguments[1], name, ".json.tsq", &request);
        put(arguments[1], name, ".json", &certificate);
        put(arguments[1], name, ".summary.json", &summary);
        json_decref(statement);
    }
    return 0;
}
