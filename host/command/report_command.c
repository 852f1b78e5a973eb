/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/certificate.h"
#include "command/command.h"
#include "command/options.h"
#include "command/terminal.h"
#include "report/report.h"

#include <string.h>

static const char help[] =
    "Usage: petaudit report CERTIFICATE.json [--html F] [--lang en] [--paper a4|letter]\n\n"
    "Write a certificate as an HTML page for people: one file, no network, prints well. Without "
    "--html the page goes to\n"
    "stdout. A certificate that is not authentic is refused.\n\n"
    "Examples:\n"
    "  petaudit report certificate.json --html report.html\n"
    "  petaudit report certificate.json --paper letter > report.html\n";

struct wishes {
    const char *html, *pdf, *key, *lang, *paper;
};

static int check_wishes(const struct wishes *wishes, enum pa_paper *paper, struct pa_error *error) {
    *paper = PA_PAPER_A4;
    if (wishes->pdf != NULL || wishes->key != NULL)
        return pa_fail(
            error, PA_EUNSUPPORTED,
            "this version writes no PDF; write the page with --html and print it to a file");
    if (wishes->lang != NULL && strcmp(wishes->lang, "zh") == 0)
        return pa_fail(error, PA_EUNSUPPORTED,
                       "this version writes reports in English only (--lang en)");
    if (wishes->lang != NULL && strcmp(wishes->lang, "en") != 0)
        return pa_fail(error, PA_EUSAGE, "--lang is en or zh, not %.60s", wishes->lang);
    if (wishes->paper != NULL && strcmp(wishes->paper, "letter") == 0)
        *paper = PA_PAPER_LETTER;
    else if (wishes->paper != NULL && strcmp(wishes->paper, "a4") != 0)
        return pa_fail(error, PA_EUSAGE, "--paper is a4 or letter, not %.60s", wishes->paper);
    return PA_OK;
}

static int report(const char *path, const struct wishes *wishes, struct pa_error *error) {
    struct pa_verification verification = {0};
    struct pa_buffer file = {0}, page = {0};
    enum pa_paper paper;
    PA_TRY(check_wishes(wishes, &paper, error));
    int code = pa_file_read(path, PA_CERTIFICATE_MOST_BYTES, &file, error);
    if (code == PA_OK) {
        code = pa_certificate_verify(file.data, file.size, &verification, error);
        if (code == PA_OK)
            code = pa_report_html(verification.statement, paper, &page, error);
        else
            pa_fail_in(error, "%s", path);
        pa_verification_free(&verification);
    }
    if (code == PA_OK && page.failed)
        code = pa_fail(error, PA_EMEMORY, "writing the report: out of memory");
    if (code == PA_OK)
        code = wishes->html != NULL ? pa_file_write(wishes->html, page.data, page.size, 0644, error)
                                    : pa_print_result(page.data, page.size, error);
    pa_buffer_free(&file);
    pa_buffer_free(&page);
    return code;
}

static int run(int argc, char **argv) {
    struct wishes wishes = {0};
    const struct pa_option options[] = {
        {"--html", NULL, &wishes.html},   {"--pdf", NULL, &wishes.pdf},
        {"--key", NULL, &wishes.key},     {"--lang", NULL, &wishes.lang},
        {"--paper", NULL, &wishes.paper}, {NULL, NULL, NULL},
    };
    struct pa_arguments arguments;
    struct pa_error error = {0};
    int code = pa_options_parse(argc, argv, options, &arguments, &error);
    if (code == PA_OK && arguments.wants_help)
        code = pa_print_result(help, sizeof help - 1, &error);
    else if (code == PA_OK &&
             (code = pa_arguments_expect(&arguments, 1, 1, "CERTIFICATE.json", &error)) == PA_OK)
        code = report(arguments.plain[0], &wishes, &error);
    return code == PA_OK ? 0 : pa_report_error("report", &error);
}

const struct pa_command pa_command_report = {"report", "a certificate as a page for people", help,
                                             run};
