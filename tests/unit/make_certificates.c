/* SPDX-License-Identifier: Apache-2.0 */
/* make_certificates DIRECTORY: each sample as NAME.json, NAME.summary.json and NAME.html, for the
 * independent verifier, the schemas and a look at the page. */
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

int main(int count, char **arguments) {
    struct pa_error error = {0};
    if (count != 2 || pa_directory_make(arguments[1], &error) != PA_OK) {
        fprintf(stderr, "usage: make_certificates DIRECTORY %s\n", error.text);
        return 64;
    }
    for (int kind = 0; kind < SAMPLE_KINDS; kind++) {
        const char *name = certificate_kind_names[kind];
        struct pa_buffer certificate = {0}, summary = {0}, page = {0};
        json_t *statement = certificate_sample_statement((enum certificate_kind)kind);
        certificate_sample_file((enum certificate_kind)kind, &certificate);
        if (pa_summary_write(statement, &summary, &error) != PA_OK ||
            pa_report_html(statement, PA_PAPER_A4, &page, &error) != PA_OK) {
            fprintf(stderr, "%s: %s\n", name, error.text);
            return 1;
        }
        put(arguments[1], name, ".json", &certificate);
        put(arguments[1], name, ".summary.json", &summary);
        put(arguments[1], name, ".html", &page);
        json_decref(statement);
    }
    return 0;
}
