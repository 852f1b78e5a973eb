/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a certificate file and, past the envelope, as a statement: refused with a printable
 * message, or authentic; as a time stamp; and what is a statement becomes a report. A seed starts
 * with 'E' (a file), 'S' (a statement) or 'T' (a time stamp). */
#include "certificate/certificate.h"
#include "report/report.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand_printable(const char *text) {
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            abort();
}

static void as_file(const uint8_t *data, size_t size) {
    struct pa_verification verification;
    struct pa_error error = {0};
    int code = pa_certificate_verify(data, size, &verification, &error);
    if (code != PA_OK && code != PA_EINVALID)
        abort();
    if ((code == PA_OK) != verification.is_authentic)
        abort();
    demand_printable(verification.failure);
    pa_verification_free(&verification);
}

/* Every one as HTML; a few as PDF, which takes fifty times as long. */
static void as_report(const json_t *statement, size_t size) {
    const struct pa_report_form form = {size % 2 == 0 ? PA_PAPER_A4 : PA_PAPER_LETTER,
                                        size % 3 == 0 ? PA_LANGUAGE_ZH : PA_LANGUAGE_EN};
    struct pa_buffer page = {0}, pdf = {0};
    struct pa_error error = {0};
    if (pa_report_html(statement, form, &page, &error) != PA_OK)
        abort();
    if (size % 64 == 0 && pa_report_pdf(statement, form, &page, NULL, &pdf, &error) != PA_OK)
        abort();
    pa_buffer_free(&page);
    pa_buffer_free(&pdf);
}

static void as_time_stamp(const uint8_t *data, size_t size) {
    struct pa_time_stamp stamp;
    struct pa_error error = {0};
    int code = pa_time_stamp_check("a file", 6, data, size, &stamp, &error);
    if (code != PA_OK && code != PA_EINVALID)
        abort();
    demand_printable(error.text);
    demand_printable(stamp.authority);
}

static void as_statement(const uint8_t *data, size_t size) {
    struct pa_error error = {0};
    json_t *statement = NULL;
    if (pa_canonical_read("the statement", data, size, &statement, &error) == PA_OK &&
        pa_members_check(statement, pa_statement_members, "statement", &error) == PA_OK) {
        struct pa_buffer summary = {0};
        if (pa_summary_write(statement, &summary, &error) != PA_OK)
            abort();
        pa_buffer_free(&summary);
        as_report(statement, size);
    }
    demand_printable(error.text);
    json_decref(statement);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    if (data[0] == 'S')
        as_statement(data + 1, size - 1);
    else if (data[0] == 'T')
        as_time_stamp(data + 1, size - 1);
    else
        as_file(data + 1, size - 1);
    return 0;
}
