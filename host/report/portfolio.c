/* SPDX-License-Identifier: Apache-2.0 */
#include "report/portfolio.h"

#include "base/base.h"
#include "certificate/certificate.h"
#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int out_of_memory(struct pa_error *error) {
    return pa_fail(error, PA_EMEMORY, "reading a portfolio: out of memory");
}

static struct pa_portfolio_row *new_row(struct pa_portfolio *portfolio, const char *file) {
    if (portfolio->row_count == portfolio->row_capacity) {
        uint32_t capacity = portfolio->row_capacity == 0 ? 64 : 2 * portfolio->row_capacity;
        struct pa_portfolio_row *grown = realloc(portfolio->rows, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        portfolio->rows = grown;
        portfolio->row_capacity = capacity;
    }
    struct pa_portfolio_row *row = &portfolio->rows[portfolio->row_count++];
    memset(row, 0, sizeof *row);
    pa_printable(row->file, sizeof row->file, file);
    return row;
}

int pa_portfolio_refuse(struct pa_portfolio *portfolio, const char *file,
                        const struct pa_error *reason, struct pa_error *error) {
    struct pa_portfolio_refusal *grown =
        realloc(portfolio->refusals, (portfolio->refusal_count + 1) * sizeof *grown);
    if (grown == NULL)
        return out_of_memory(error);
    portfolio->refusals = grown;
    struct pa_portfolio_refusal *refusal = &grown[portfolio->refusal_count++];
    pa_printable(refusal->file, sizeof refusal->file, file);
    pa_printable(refusal->reason, sizeof refusal->reason, reason->text);
    refusal->code = reason->code;
    return PA_OK;
}

static void take_text(char *out, size_t size, const json_t *object, const char *name) {
    pa_printable(out, size, pa_page_text_of(object, name));
}

/* A figure that may be null. */
static bool take_number(const json_t *object, const char *name, double *out) {
    double value = pa_page_number_of(object, name);
    *out = isnan(value) ? 0 : value;
    return !isnan(value);
}

/* Identities that no two devices in the world share: UUIDs, not "cpu:0". */
static bool is_unique_id(const json_t *device) {
    return strcmp(pa_page_text_of(device, "backend"), "cpu") != 0 &&
           !pa_page_truth_of(device, "is_emulated") && strlen(pa_page_text_of(device, "id")) >= 8;
}

static int keep_devices(struct pa_portfolio *portfolio, const json_t *predicate, uint32_t row,
                        struct pa_error *error) {
    size_t index;
    const json_t *device;
    json_array_foreach(json_object_get(predicate, "devices"), index, device) {
        if (!is_unique_id(device))
            continue;
        if (portfolio->device_count == portfolio->device_capacity) {
            size_t capacity =
                portfolio->device_capacity == 0 ? 1024 : 2 * portfolio->device_capacity;
            struct pa_portfolio_device *grown =
                realloc(portfolio->devices, capacity * sizeof *grown);
            if (grown == NULL)
                return out_of_memory(error);
            portfolio->devices = grown;
            portfolio->device_capacity = capacity;
        }
        char *id = strdup(pa_page_text_of(device, "id"));
        if (id == NULL)
            return out_of_memory(error);
        portfolio->devices[portfolio->device_count++] =
            (struct pa_portfolio_device){.id = id, .row = row};
    }
    return PA_OK;
}

static void fill_certificate(struct pa_portfolio_row *row, const json_t *predicate) {
    const json_t *claim = json_object_get(predicate, "claim");
    const json_t *entitlement = json_object_get(predicate, "entitlement");
    const json_t *site = json_object_get(predicate, "site");
    struct pa_portfolio_figures *figures = &row->figures;
    row->is_certificate = true;
    take_text(row->center, sizeof row->center, predicate, "center");
    take_text(row->site, sizeof row->site, site, "name");
    take_text(row->region, sizeof row->region, site, "region");
    take_text(row->precision, sizeof row->precision, claim, "precision");
    take_text(row->verdict, sizeof row->verdict, predicate, "verdict");
    take_text(row->assurance, sizeof row->assurance, predicate, "assurance");
    take_text(row->issued_utc, sizeof row->issued_utc, predicate, "issued_utc");
    take_text(row->claim_sha256, sizeof row->claim_sha256, claim, "text_sha256");
    take_text(row->session, sizeof row->session, json_object_get(predicate, "session"), "hash");
    row->serial = (uint32_t)json_integer_value(
        json_object_get(json_object_get(predicate, "session"), "serial"));
    take_number(claim, "pflops", &figures->claimed_pflops);
    take_number(json_object_get(predicate, "verified"), "pflops", &figures->verified_pflops);
    row->has_nominal =
        take_number(json_object_get(predicate, "nominal"), "pflops", &figures->nominal_pflops);
    row->has_entitled = take_number(entitlement, "mw", &figures->entitled_mw);
    row->has_granted = take_number(entitlement, "granted_mw", &figures->granted_mw);
    row->has_watts = take_number(json_object_get(predicate, "power"), "watts", &figures->watts);
    if (row->has_granted && row->has_entitled && figures->granted_mw > figures->entitled_mw)
        figures->gap_mw = figures->granted_mw - figures->entitled_mw;
}

static int add_certificate(struct pa_portfolio *portfolio, const char *file, const void *data,
                           size_t size, struct pa_error *error) {
    struct pa_verification verification = {0};
    struct pa_error reason = {0};
    int code = pa_certificate_verify(data, size, &verification, &reason);
    if (code == PA_OK && verification.is_test)
        code = pa_fail(&reason, PA_EINVALID,
                       "this is a TEST result, which is no certificate: it proves no capacity");
    if (code == PA_EMEMORY) {
        pa_verification_free(&verification);
        return out_of_memory(error);
    }
    if (code != PA_OK) {
        code = pa_portfolio_refuse(portfolio, file, &reason, error);
        pa_verification_free(&verification);
        return code;
    }
    const json_t *predicate = json_object_get(verification.statement, "predicate");
    struct pa_portfolio_row *row = new_row(portfolio, file);
    code = row == NULL ? out_of_memory(error) : PA_OK;
    if (code == PA_OK) {
        fill_certificate(row, predicate);
        code = keep_devices(portfolio, predicate, portfolio->row_count - 1, error);
    }
    pa_verification_free(&verification);
    return code;
}

static void fill_claim(struct pa_portfolio_row *row, const struct pa_claim *claim) {
    memcpy(row->center, claim->center, sizeof row->center);
    memcpy(row->site, claim->site_name, sizeof row->site);
    memcpy(row->region, claim->site_region, sizeof row->region);
    snprintf(row->precision, sizeof row->precision, "%s", pa_precision_name(claim->precision));
    snprintf(row->verdict, sizeof row->verdict, "no certificate");
    pa_hex(row->claim_sha256, claim->sha256, sizeof claim->sha256);
    row->figures.claimed_pflops = claim->capacity_per_second / 1e15;
    row->has_granted = claim->grid_connection_mw >= 0;
    if (row->has_granted)
        row->figures.granted_mw = row->figures.gap_mw = claim->grid_connection_mw;
}

static int add_claim(struct pa_portfolio *portfolio, const char *file, const void *data,
                     size_t size, struct pa_error *error) {
    struct pa_claim claim;
    struct pa_error reason = {0};
    int code = pa_claim_parse(file, data, size, &claim, &reason);
    if (code == PA_EMEMORY)
        return out_of_memory(error);
    if (code != PA_OK)
        return pa_portfolio_refuse(portfolio, file, &reason, error);
    struct pa_portfolio_row *row = new_row(portfolio, file);
    if (row != NULL)
        fill_claim(row, &claim);
    pa_claim_free(&claim);
    return row != NULL ? PA_OK : out_of_memory(error);
}

static size_t skip_blanks(const char *text, size_t size, size_t at) {
    while (at < size && text[at] != '\0' && strchr(" \t\r\n", text[at]) != NULL)
        at++;
    return at;
}

/* A claim in flow style begins with a brace too: an envelope, sound or damaged, has its members. */
static bool is_envelope(const char *text, size_t size) {
    static const char *const members[] = {"\"payload\"", "\"payloadType\"", "\"signatures\""};
    size_t at = skip_blanks(text, size, 0);
    if (at == size || text[at] != '{')
        return false;
    at = skip_blanks(text, size, at + 1);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        size_t length = strlen(members[i]);
        bool is_first = size - at >= length && memcmp(text + at, members[i], length) == 0;
        if (is_first || (i > 0 && memmem(text, size, members[i], length) != NULL))
            return true;
    }
    return false;
}

int pa_portfolio_add(struct pa_portfolio *portfolio, const char *file, const void *data,
                     size_t size, struct pa_error *error) {
    return is_envelope(data, size) ? add_certificate(portfolio, file, data, size, error)
                                   : add_claim(portfolio, file, data, size, error);
}

void pa_portfolio_free(struct pa_portfolio *portfolio) {
    for (size_t i = 0; i < portfolio->device_count; i++)
        free(portfolio->devices[i].id);
    free(portfolio->devices);
    free(portfolio->rows);
    free(portfolio->regions);
    free(portfolio->refusals);
    json_decref(portfolio->remarks);
    *portfolio = (struct pa_portfolio){0};
}
