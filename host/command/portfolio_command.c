/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/certificate.h"
#include "command/command.h"
#include "command/named_files.h"
#include "command/options.h"
#include "command/terminal.h"
#include "report/portfolio.h"

static const char help[] =
    "Usage: petaudit portfolio CERTIFICATE... [--html F] [--csv F] [--json]\n\n"
    "Many certificates, and claims without one (a CLAIM.yaml among the arguments), side by side: "
    "claimed, proven, entitled\n"
    "and granted, by region, the largest gap first. Each certificate is verified; a site that "
    "appears twice counts once, by\n"
    "its newest certificate, and is pointed out, as is a device that two sites show. What is "
    "refused is listed and counted\n"
    "nowhere.\n\n"
    "  --html F   write a page for people\n"
    "  --csv F    write a table for a spreadsheet\n"
    "  --json     print one JSON object on stdout and nothing else\n\n"
    "Exit status: 0 all files were taken; else that of the first file which was not: 3 not "
    "authentic, 65 no certificate and\n"
    "no claim, 66 no such file.\n\n"
    "Examples:\n"
    "  petaudit portfolio certificates/*.json\n"
    "  petaudit portfolio */certificate.json new/claim.yaml --html portfolio.html --csv "
    "portfolio.csv\n";

struct wishes {
    const char *html, *csv;
    bool is_json;
};

static int add_file(struct pa_portfolio *portfolio, const char *path, struct pa_error *error) {
    struct pa_buffer file = {0};
    struct pa_error reason = {0};
    int code = pa_file_read(path, PA_CERTIFICATE_MOST_BYTES, &file, &reason);
    if (code == PA_EMEMORY)
        *error = reason;
    else if (code != PA_OK)
        code = pa_portfolio_refuse(portfolio, path, &reason, error);
    else
        code = pa_portfolio_add(portfolio, path, file.data, file.size, error);
    pa_buffer_free(&file);
    return code;
}

typedef int (*writer)(const struct pa_portfolio *, struct pa_buffer *, struct pa_error *);

static int write_file(const struct pa_portfolio *portfolio, writer write, const char *path,
                      struct pa_error *error) {
    struct pa_buffer out = {0};
    if (path == NULL)
        return PA_OK;
    int code = write(portfolio, &out, error);
    if (code == PA_OK)
        code = pa_file_write(path, out.data, out.size, 0644, error);
    pa_buffer_free(&out);
    return code;
}

static int print(const struct pa_portfolio *portfolio, bool is_json, struct pa_error *error) {
    struct pa_buffer out = {0};
    int code = is_json ? pa_portfolio_json(portfolio, &out, error)
                       : pa_portfolio_lines(portfolio, &out, error);
    if (code == PA_OK)
        code = pa_print_result(out.data, out.size, error);
    pa_buffer_free(&out);
    return code;
}

static int check_files(const struct pa_arguments *arguments, const struct wishes *wishes,
                       struct pa_error *error) {
    static struct pa_named_file inputs[PA_MOST_ARGUMENTS + 1];
    const struct pa_named_file outputs[] = {
        {"--html", wishes->html}, {"--csv", wishes->csv}, {NULL, NULL}};
    for (int i = 0; i < arguments->count; i++)
        inputs[i] = (struct pa_named_file){"an input", arguments->plain[i]};
    inputs[arguments->count] = (struct pa_named_file){NULL, NULL};
    return pa_named_files_check(outputs, inputs, error);
}

static int gather(const struct pa_arguments *arguments, const struct wishes *wishes,
                  struct pa_portfolio *portfolio, struct pa_error *error) {
    PA_TRY(check_files(arguments, wishes, error));
    for (int i = 0; i < arguments->count; i++)
        PA_TRY(add_file(portfolio, arguments->plain[i], error));
    PA_TRY(pa_portfolio_finish(portfolio, error));
    PA_TRY(write_file(portfolio, pa_portfolio_html, wishes->html, error));
    PA_TRY(write_file(portfolio, pa_portfolio_csv, wishes->csv, error));
    PA_TRY(print(portfolio, wishes->is_json, error));
    for (uint32_t i = 0; i < portfolio->refusal_count; i++)
        pa_say("refused: %s: %s", portfolio->refusals[i].file, portfolio->refusals[i].reason);
    return PA_OK;
}

static int run(int argc, char **argv) {
    struct wishes wishes = {0};
    const struct pa_option options[] = {{"--html", NULL, &wishes.html},
                                        {"--csv", NULL, &wishes.csv},
                                        {"--json", &wishes.is_json, NULL},
                                        {NULL, NULL, NULL}};
    static struct pa_arguments arguments;
    struct pa_portfolio portfolio = {0};
    struct pa_error error = {0};
    int status = 0;
    int code = pa_options_parse(argc, argv, options, &arguments, &error);
    if (code == PA_OK && arguments.wants_help)
        code = pa_print_result(help, sizeof help - 1, &error);
    else if (code == PA_OK && (code = pa_arguments_expect(&arguments, 1, PA_MOST_ARGUMENTS,
                                                          "CERTIFICATE", &error)) == PA_OK) {
        code = gather(&arguments, &wishes, &portfolio, &error);
        if (portfolio.refusal_count > 0)
            status = pa_exit_status(portfolio.refusals[0].code);
    }
    pa_portfolio_free(&portfolio);
    return code == PA_OK ? status : pa_report_error("portfolio", &error);
}

const struct pa_command pa_command_portfolio = {
    "portfolio", "many certificates side by side, by region", help, run};
