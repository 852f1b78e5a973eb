/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate/certificate.h"
#include "command/command.h"
#include "command/named_files.h"
#include "command/options.h"
#include "command/outputs.h"
#include "command/passphrase.h"
#include "command/terminal.h"
#include "report/report.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: petaudit report CERTIFICATE.json [--html F] [--pdf F] [--key K] [--lang en|zh] "
    "[--paper "
    "a4|letter]\n\n"
    "Write a certificate as a page for people, in English or simplified Chinese: HTML is one file "
    "without a network;\n"
    "PDF carries the certificate as an attachment. Without --html and --pdf the HTML goes to "
    "stdout. A certificate that\n"
    "is not authentic is refused.\n\n"
    "  --html F     write the HTML page to F\n"
    "  --pdf F      write the PDF to F\n"
    "  --key K      sign the PDF (PAdES) with K, the key of the certificate's signer; without it "
    "~/.config/petaudit/key\n"
    "               is used when it is that key, else the PDF is not signed and says so\n"
    "  --lang L     en or zh (default en)\n"
    "  --paper P    a4 or letter (default a4)\n\n"
    "Examples:\n"
    "  petaudit report certificate.json --html report.html\n"
    "  petaudit report certificate.json --pdf report.pdf --key auditor --lang zh\n"
    "  petaudit report certificate.json --paper letter > report.html\n";

struct wishes {
    const char *html, *pdf, *key, *lang, *paper;
};

static int read_form(const struct wishes *wishes, struct pa_report_form *form,
                     struct pa_error *error) {
    *form = (struct pa_report_form){PA_PAPER_A4, PA_LANGUAGE_EN};
    if (wishes->key != NULL && wishes->pdf == NULL)
        return pa_fail(error, PA_EUSAGE, "--key signs a PDF: name one with --pdf");
    if (wishes->lang != NULL && !pa_language_named(wishes->lang, &form->language))
        return pa_fail(error, PA_EUSAGE, "--lang is en or zh, not %.60s", wishes->lang);
    if (wishes->paper != NULL && strcmp(wishes->paper, "letter") == 0)
        form->paper = PA_PAPER_LETTER;
    else if (wishes->paper != NULL && strcmp(wishes->paper, "a4") != 0)
        return pa_fail(error, PA_EUSAGE, "--paper is a4 or letter, not %.60s", wishes->paper);
    return PA_OK;
}

/* The signer's key, or none: a key that was named must be it, the one at hand may be. */
static int find_key(const struct wishes *wishes, const struct pa_verification *verification,
                    char path[PATH_MAX], struct pa_key **out, struct pa_error *error) {
    uint8_t point[PA_PUBLIC_KEY_BYTES];
    *out = NULL;
    if (wishes->key != NULL)
        snprintf(path, PATH_MAX, "%s", wishes->key);
    else if (pa_config_path(path, PATH_MAX, "key", NULL) != PA_OK || access(path, R_OK) != 0)
        return PA_OK;
    int code = pa_key_file_load(path, pa_passphrase_ask, out, error);
    if (code != PA_OK && wishes->key == NULL)
        return PA_OK; /* somebody's key that cannot be used here */
    PA_TRY(code);
    pa_key_public(*out, point);
    if (memcmp(point, verification->key, PA_PUBLIC_KEY_BYTES) == 0)
        return PA_OK;
    pa_key_free(*out);
    *out = NULL;
    return wishes->key == NULL
               ? PA_OK
               : pa_fail(error, PA_EUSAGE,
                         "%s did not sign this certificate: a PDF is signed by the same key, or "
                         "not at all (leave --key out)",
                         wishes->key);
}

static int write_pdf(const struct wishes *wishes, struct pa_report_form form,
                     const struct pa_verification *verification, const struct pa_buffer *file,
                     struct pa_error *error) {
    struct pa_key *key = NULL;
    struct pa_document_signer signer = {0};
    struct pa_buffer pdf = {0};
    char path[PATH_MAX] = "";
    PA_TRY(find_key(wishes, verification, path, &key, error));
    int code = key == NULL ? PA_OK : pa_document_signer_make(key, path, &signer, error);
    if (code == PA_OK)
        code = pa_report_pdf(verification->statement, form, file, key == NULL ? NULL : &signer,
                             &pdf, error);
    if (code == PA_OK)
        code = pa_file_write(wishes->pdf, pdf.data, pdf.size, 0644, error);
    if (code == PA_OK && key == NULL)
        pa_say("%s is not signed: the key that signed the certificate is not here (--key)",
               wishes->pdf);
    pa_buffer_free(&pdf);
    pa_document_signer_free(&signer);
    pa_key_free(key);
    return code;
}

static int write_html(const struct wishes *wishes, struct pa_report_form form,
                      const struct pa_verification *verification, struct pa_error *error) {
    struct pa_buffer page = {0};
    int code = pa_report_html(verification->statement, form, &page, error);
    if (code == PA_OK)
        code = wishes->html != NULL ? pa_file_write(wishes->html, page.data, page.size, 0644, error)
                                    : pa_print_result(page.data, page.size, error);
    pa_buffer_free(&page);
    return code;
}

static int check_files(const char *path, const struct wishes *wishes, struct pa_error *error) {
    const struct pa_named_file inputs[] = {
        {"the certificate", path}, {"the key", wishes->key}, {NULL, NULL}};
    const struct pa_named_file outputs[] = {
        {"--html", wishes->html}, {"--pdf", wishes->pdf}, {NULL, NULL}};
    return pa_named_files_check(outputs, inputs, error);
}

static int report(const char *path, const struct wishes *wishes, struct pa_error *error) {
    struct pa_verification verification = {0};
    struct pa_buffer file = {0};
    struct pa_report_form form;
    PA_TRY(read_form(wishes, &form, error));
    PA_TRY(check_files(path, wishes, error));
    int code = pa_file_read(path, PA_CERTIFICATE_MOST_BYTES, &file, error);
    if (code == PA_OK &&
        (code = pa_certificate_verify(file.data, file.size, &verification, error)) != PA_OK)
        pa_fail_in(error, "%s", path);
    if (code == PA_OK && wishes->pdf != NULL)
        code = write_pdf(wishes, form, &verification, &file, error);
    if (code == PA_OK && (wishes->html != NULL || wishes->pdf == NULL))
        code = write_html(wishes, form, &verification, error);
    pa_verification_free(&verification);
    pa_buffer_free(&file);
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
