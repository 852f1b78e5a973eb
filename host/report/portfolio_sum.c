/* SPDX-License-Identifier: Apache-2.0 */
/* portfolio_sum.c - what appears twice, and the sums by region. */
#include "report/portfolio.h"

#include "base/base.h"
#include "proof/sample_bound.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int remark(struct pa_portfolio *portfolio, const char *code, struct pa_error *error,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

static int remark(struct pa_portfolio *portfolio, const char *code, struct pa_error *error,
                  const char *format, ...) {
    char text[1024], shown[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pa_printable(shown, sizeof shown, text);
    if (json_array_append_new(portfolio->remarks,
                              json_pack("{s:s, s:s}", "code", code, "text", shown)) == 0)
        return PA_OK;
    return pa_fail(error, PA_EMEMORY, "summing up a portfolio: out of memory");
}

/* Rows of one site stand together, the newest certificate first, claims without one last. */
static int by_site(const void *left, const void *right) {
    const struct pa_portfolio_row *a = left, *b = right;
    int order = strcmp(a->region, b->region);
    if (order == 0)
        order = strcmp(a->center, b->center);
    if (order == 0)
        order = strcmp(a->site, b->site);
    if (order == 0)
        order = (int)b->is_certificate - (int)a->is_certificate;
    if (order == 0)
        order = strcmp(b->issued_utc, a->issued_utc);
    return order != 0 ? order : strcmp(a->file, b->file);
}

static bool is_same_site(const struct pa_portfolio_row *a, const struct pa_portfolio_row *b) {
    return strcmp(a->region, b->region) == 0 && strcmp(a->center, b->center) == 0 &&
           strcmp(a->site, b->site) == 0;
}

static int tell_repeated(struct pa_portfolio *portfolio, const struct pa_portfolio_row *first,
                         const struct pa_portfolio_row *row, struct pa_error *error) {
    if (!row->is_certificate && first->is_certificate)
        return remark(portfolio, "CLAIM_CERTIFIED", error,
                      "%s is the claim of a site that has a certificate (%s): not counted again.",
                      row->file, first->file);
    if (row->is_certificate && strcmp(first->session, row->session) == 0)
        return remark(portfolio, "SESSION_TWICE", error,
                      "%s and %s are of one session, judged twice: counted once.", first->file,
                      row->file);
    return remark(portfolio, "SITE_TWICE", error,
                  "%s, %s appears twice: %s (%s) counts, %s (%s) does not.", row->center,
                  row->site[0] != '\0' ? row->site : "site not named", first->file,
                  first->is_certificate ? first->issued_utc : first->verdict, row->file,
                  row->is_certificate ? row->issued_utc : row->verdict);
}

static int count_sites_once(struct pa_portfolio *portfolio, struct pa_error *error) {
    const struct pa_portfolio_row *first = NULL;
    for (uint32_t i = 0; i < portfolio->row_count; i++) {
        struct pa_portfolio_row *row = &portfolio->rows[i];
        row->is_counted = first == NULL || !is_same_site(first, row);
        if (row->is_counted)
            first = row;
        else
            PA_TRY(tell_repeated(portfolio, first, row, error));
    }
    return PA_OK;
}

static bool is_told_before(const struct pa_portfolio *portfolio, uint32_t first, uint32_t row) {
    for (uint32_t i = first; i < row; i++)
        if (strcmp(portfolio->rows[i].session, portfolio->rows[row].session) == 0)
            return true;
    return false;
}

/* What several audits of one site say of the time between them, if their moments were the
 * auditor's. Sessions that the witness counted and nobody shows are taken for audits that were not
 * passed. */
static int tell_surprises(struct pa_portfolio *portfolio, uint32_t first, uint32_t end,
                          struct pa_error *error) {
    const struct pa_portfolio_row *row = &portfolio->rows[first];
    uint32_t shown = 0, passed = 0, serial = 0;
    for (uint32_t i = first; i < end && portfolio->rows[i].is_certificate; i++) {
        serial = portfolio->rows[i].serial > serial ? portfolio->rows[i].serial : serial;
        if (is_told_before(portfolio, first, i))
            continue;
        shown++;
        passed += strcmp(portfolio->rows[i].verdict, "PASS") == 0;
    }
    uint32_t audits = serial > shown ? serial : shown;
    if (shown < 2)
        return PA_OK;
    return remark(
        portfolio, "SURPRISE_AUDITS", error,
        "%s, %s: %u audits, of which %u passed and %u are not shown. If the auditor chose "
        "their moments by surprise, the site has what it claims at least %.1f %% of the "
        "time (confidence 99 %%); one that has it half of the time passes so many with a "
        "probability of %.3g.",
        row->center, row->site[0] != '\0' ? row->site : "site not named", audits, passed,
        audits - shown, 100 * pa_share_of_time_lower(audits, passed, 0.01),
        pa_passes_by_chance(audits, passed, 0.5));
}

static int tell_all_surprises(struct pa_portfolio *portfolio, struct pa_error *error) {
    for (uint32_t first = 0, end; first < portfolio->row_count; first = end) {
        for (end = first + 1; end < portfolio->row_count; end++)
            if (!is_same_site(&portfolio->rows[first], &portfolio->rows[end]))
                break;
        PA_TRY(tell_surprises(portfolio, first, end, error));
    }
    return PA_OK;
}

static int by_id(const void *left, const void *right) {
    const struct pa_portfolio_device *a = left, *b = right;
    int order = strcmp(a->id, b->id);
    return order != 0 ? order : (a->row > b->row) - (a->row < b->row);
}

/* Pairs of sites are told once each, with how many devices they share. */
static int tell_shared(struct pa_portfolio *portfolio, uint32_t a, uint32_t b, uint32_t count,
                       const char *id, struct pa_error *error) {
    const struct pa_portfolio_row *left = &portfolio->rows[a], *right = &portfolio->rows[b];
    if (is_same_site(left, right))
        return PA_OK;
    return remark(portfolio, "DEVICE_TWICE", error,
                  "%u device%s (%.60s%s) stand in the certificates of two sites: %s (%s) and %s "
                  "(%s).",
                  count, count == 1 ? "" : "s", id, count == 1 ? "" : " among them", left->center,
                  left->file, right->center, right->file);
}

struct pair {
    uint32_t a, b, count;
    const char *id;
};

static int by_rows(const void *left, const void *right) {
    const struct pair *p = left, *q = right;
    if (p->a != q->a)
        return p->a > q->a ? 1 : -1;
    return (p->b > q->b) - (p->b < q->b);
}

static int find_shared_devices(struct pa_portfolio *portfolio, struct pa_error *error) {
    size_t count = 0;
    struct pair *pairs = calloc(portfolio->device_count + 1, sizeof *pairs);
    if (pairs == NULL)
        return pa_fail(error, PA_EMEMORY, "summing up a portfolio: out of memory");
    if (portfolio->device_count > 1)
        qsort(portfolio->devices, portfolio->device_count, sizeof *portfolio->devices, by_id);
    for (size_t i = 1; i < portfolio->device_count; i++) {
        const struct pa_portfolio_device *before = &portfolio->devices[i - 1];
        const struct pa_portfolio_device *device = &portfolio->devices[i];
        if (before->row != device->row && strcmp(before->id, device->id) == 0)
            pairs[count++] = (struct pair){before->row, device->row, 1, device->id};
    }
    if (count > 1)
        qsort(pairs, count, sizeof *pairs, by_rows);
    int code = PA_OK;
    for (size_t i = 0; i < count && code == PA_OK;) {
        size_t end = i;
        while (end < count && by_rows(&pairs[i], &pairs[end]) == 0)
            end++;
        code =
            tell_shared(portfolio, pairs[i].a, pairs[i].b, (uint32_t)(end - i), pairs[i].id, error);
        i = end;
    }
    free(pairs);
    return code;
}

static void add_figures(struct pa_portfolio_region *sum, const struct pa_portfolio_row *row) {
    sum->sites++;
    sum->certified += row->is_certificate;
    sum->figures.claimed_pflops += row->figures.claimed_pflops;
    sum->figures.verified_pflops += row->figures.verified_pflops;
    sum->figures.nominal_pflops += row->figures.nominal_pflops;
    sum->figures.entitled_mw += row->figures.entitled_mw;
    sum->figures.granted_mw += row->figures.granted_mw;
    sum->figures.gap_mw += row->figures.gap_mw;
    sum->figures.watts += row->figures.watts;
}

/* Rows stand by region (by_site). */
static int sum_regions(struct pa_portfolio *portfolio, struct pa_error *error) {
    portfolio->regions = calloc(portfolio->row_count + 1, sizeof *portfolio->regions);
    if (portfolio->regions == NULL)
        return pa_fail(error, PA_EMEMORY, "summing up a portfolio: out of memory");
    for (uint32_t i = 0; i < portfolio->row_count; i++) {
        const struct pa_portfolio_row *row = &portfolio->rows[i];
        if (i == 0 || strcmp(row->region, portfolio->rows[i - 1].region) != 0)
            memcpy(portfolio->regions[portfolio->region_count++].name, row->region,
                   sizeof row->region);
        if (!row->is_counted)
            continue;
        add_figures(&portfolio->regions[portfolio->region_count - 1], row);
        add_figures(&portfolio->total, row);
    }
    return PA_OK;
}

static int by_number(double left, double right) {
    return (left < right) - (left > right);
}

/* The largest gap in MW first, then in PFLOPS. */
static int by_gap(const struct pa_portfolio_figures *a, const struct pa_portfolio_figures *b) {
    int order = by_number(a->gap_mw, b->gap_mw);
    return order != 0 ? order
                      : by_number(a->claimed_pflops - a->verified_pflops,
                                  b->claimed_pflops - b->verified_pflops);
}

static int rows_by_gap(const void *left, const void *right) {
    const struct pa_portfolio_row *a = left, *b = right;
    if (a->is_counted != b->is_counted)
        return a->is_counted ? -1 : 1;
    int order = by_gap(&a->figures, &b->figures);
    return order != 0 ? order : by_site(a, b);
}

static int regions_by_gap(const void *left, const void *right) {
    const struct pa_portfolio_region *a = left, *b = right;
    int order = by_gap(&a->figures, &b->figures);
    return order != 0 ? order : strcmp(a->name, b->name);
}

int pa_portfolio_finish(struct pa_portfolio *portfolio, struct pa_error *error) {
    portfolio->remarks = json_array();
    if (portfolio->remarks == NULL)
        return pa_fail(error, PA_EMEMORY, "summing up a portfolio: out of memory");
    PA_TRY(find_shared_devices(portfolio, error));
    if (portfolio->row_count > 1)
        qsort(portfolio->rows, portfolio->row_count, sizeof *portfolio->rows, by_site);
    PA_TRY(count_sites_once(portfolio, error));
    PA_TRY(tell_all_surprises(portfolio, error));
    PA_TRY(sum_regions(portfolio, error));
    if (portfolio->row_count > 1)
        qsort(portfolio->rows, portfolio->row_count, sizeof *portfolio->rows, rows_by_gap);
    if (portfolio->region_count > 1)
        qsort(portfolio->regions, portfolio->region_count, sizeof *portfolio->regions,
              regions_by_gap);
    return PA_OK;
}
