/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_attestation.h"

#include "measure/session_notes.h"
#include "measure/vendor_station.h"

#include <stdlib.h>
#include <string.h>

/* A GPU takes some seconds for its signature. */
static const uint64_t patience_ns = UINT64_C(300000000000);

struct asked {
    bool is_asked, is_answered;
    struct pa_vendor_report report;
    struct pa_error failure;
};

struct asking {
    const struct pa_session_terms *terms;
    const struct pa_ledger_epoch *epoch;
    struct asked *devices; /* by device */
};

static bool can_answer(const struct pa_site_device *device) {
    const struct pa_backend *backend = pa_backend_named(device->facts.backend);
    return pa_site_works(device) && backend != NULL && backend->attest != NULL;
}

static void build_request(void *context, const struct pa_site *site, int process, uint32_t first,
                          uint32_t count, struct pa_buffer *out) {
    const struct asking *asking = context;
    (void)site;
    (void)process;
    pa_buffer_u32(out, PA_ASK_ATTEST);
    for (uint32_t d = first; d < first + count; d++) {
        pa_buffer_u32(out, asking->devices[d].is_asked ? PA_VENDOR_NONCE_BYTES : 0);
        if (asking->devices[d].is_asked)
            pa_vendor_ask(out, asking->epoch->nonce.bytes);
    }
}

/* The inner code keeps a device that has no report apart from one that fails. */
static int take_answer(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                       struct pa_error *error) {
    struct asking *asking = context;
    struct asked *asked = &asking->devices[device];
    (void)site;
    (void)error;
    if (asked->is_asked && pa_crew_part(in, &asked->failure) == PA_OK)
        asked->is_answered = pa_vendor_answer(in, &asked->report, &asked->failure) == PA_OK;
    in->left = 0;
    return PA_OK;
}

/* PEM is text; a chain that is not goes into the evidence as far as it is. */
static json_t *chain_of(const struct pa_vendor_report *report) {
    char text[PA_VENDOR_CHAIN_BYTES + 1] = "";
    size_t length = 0;
    for (; length < report->chain_bytes; length++) {
        uint8_t byte = report->chain[length];
        if (byte != '\n' && byte != '\r' && (byte < ' ' || byte > '~'))
            break;
        text[length] = (char)byte;
    }
    return json_stringn(text, length);
}

static json_t *report_note(uint32_t device, const struct asked *asked) {
    char *digits = malloc(2 * (size_t)asked->report.report_bytes + 1);
    if (digits == NULL)
        return NULL;
    pa_hex(digits, asked->report.report, asked->report.report_bytes);
    json_t *note =
        json_pack("{s:s, s:I, s:s, s:o}", "kind", "attestation", "device", (json_int_t)device,
                  "report", digits, "chain", chain_of(&asked->report));
    free(digits);
    return note;
}

static int note_answers(const struct asking *asking, struct pa_error *error) {
    for (uint32_t d = 0; d < asking->terms->site->device_count; d++) {
        const struct asked *asked = &asking->devices[d];
        if (!asked->is_asked)
            continue;
        bool has_report = asked->is_answered && asked->report.report_bytes > 0;
        json_t *note = has_report
                           ? report_note(d, asked)
                           : json_pack("{s:s, s:I, s:s}", "kind", "attestation", "device",
                                       (json_int_t)d, "trouble",
                                       asked->failure.code != PA_OK ? asked->failure.text
                                                                    : "the device did not answer");
        PA_TRY(pa_note_put(asking->terms, asking->epoch->number, note, error));
    }
    return PA_OK;
}

int pa_session_attest(const struct pa_session_terms *terms, const struct pa_session_past *past,
                      const struct pa_ledger *ledger, struct pa_error *error) {
    uint32_t able = 0;
    if (ledger->closed_count == 0)
        return PA_OK;
    struct asking asking = {.terms = terms, .epoch = &ledger->closed[ledger->closed_count - 1]};
    asking.devices = calloc(terms->site->device_count, sizeof *asking.devices);
    if (asking.devices == NULL)
        return pa_fail(error, PA_EMEMORY, "asking devices for reports: out of memory");
    for (uint32_t d = 0; d < terms->site->device_count; d++) {
        asking.devices[d].is_asked = can_answer(&terms->site->devices[d]) &&
                                     (past == NULL || !past->devices[d].has_attestation);
        able += asking.devices[d].is_asked;
    }
    int code = PA_OK;
    if (able > 0) {
        uint64_t deadline_ns = pa_clock_raw_ns() + pa_clock_patience_ns(patience_ns);
        code = pa_site_ask(terms->site, build_request, take_answer, &asking, deadline_ns, error);
        if (code == PA_OK)
            code = note_answers(&asking, error);
    }
    free(asking.devices);
    return code == PA_OK && able > 0 ? pa_note_losses(terms, PA_NO_EPOCH, error) : code;
}
