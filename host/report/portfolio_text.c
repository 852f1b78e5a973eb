/* SPDX-License-Identifier: Apache-2.0 */
/* portfolio_text.c - a portfolio as CSV, as JSON and as lines. */
#include "base/base.h"
#include "report/page.h"
#include "report/portfolio.h"

#include <stdio.h>
#include <string.h>

static int finish(const struct pa_buffer *out, struct pa_error *error) {
    return out->failed ? pa_fail(error, PA_EMEMORY, "writing a portfolio: out of memory") : PA_OK;
}

/* RFC 4180. A spreadsheet takes a cell that begins with one of these marks for a formula, and a
 * name in a certificate is for anybody to choose: an apostrophe in front makes it text. */
static void put_csv_text(struct pa_buffer *out, const char *text) {
    pa_buffer_text(out, "\"");
    if (text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL)
        pa_buffer_text(out, "'");
    for (const char *p = text; *p != '\0'; p++)
        pa_buffer_format(out, *p == '"' ? "\"\"" : "%c", *p);
    pa_buffer_text(out, "\",");
}

static void put_csv_figure(struct pa_buffer *out, double value, bool is_known, const char *end) {
    char text[PA_DECIMAL_TEXT_BYTES] = "";
    if (is_known)
        pa_decimal_text(text, value);
    pa_buffer_format(out, "%s%s", text, end);
}

int pa_portfolio_csv(const struct pa_portfolio *portfolio, struct pa_buffer *out,
                     struct pa_error *error) {
    pa_buffer_text(out, "region,center,site,verdict,assurance,issued_utc,precision,claimed_pflops,"
                        "verified_pflops,nominal_pflops,entitled_mw,granted_mw,gap_mw,utilization,"
                        "watts,counted,file\r\n");
    for (uint32_t i = 0; i < portfolio->row_count; i++) {
        const struct pa_portfolio_row *row = &portfolio->rows[i];
        const struct pa_portfolio_figures *figures = &row->figures;
        const char *const texts[] = {row->region,    row->center,     row->site,     row->verdict,
                                     row->assurance, row->issued_utc, row->precision};
        for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
            put_csv_text(out, texts[t]);
        put_csv_figure(out, figures->claimed_pflops, true, ",");
        put_csv_figure(out, figures->verified_pflops, row->is_certificate, ",");
        put_csv_figure(out, figures->nominal_pflops, row->has_nominal, ",");
        put_csv_figure(out, figures->entitled_mw, row->has_entitled, ",");
        put_csv_figure(out, figures->granted_mw, row->has_granted, ",");
        put_csv_figure(out, figures->gap_mw, row->has_granted, ",");
        put_csv_figure(out, 0, false, ","); /* no certificate tells a utilization yet */
        put_csv_figure(out, figures->watts, row->has_watts, ",");
        pa_buffer_text(out, row->is_counted ? "yes," : "no,");
        put_csv_text(out, row->file);
        out->size -= out->failed ? 0 : 1; /* the comma behind the last cell */
        pa_buffer_text(out, "\r\n");
    }
    return finish(out, error);
}

static json_t *known(double value, bool is_known) {
    return is_known ? json_real(value) : json_null();
}

static json_t *row_object(const struct pa_portfolio_row *row) {
    const struct pa_portfolio_figures *figures = &row->figures;
    return json_pack(
        "{s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:f, s:o, s:o, s:o, s:o, s:o, s:n, s:o, "
        "s:b}",
        "file", row->file, "is_certificate", row->is_certificate ? 1 : 0, "center", row->center,
        "site", row->site, "region", row->region, "precision", row->precision, "verdict",
        row->verdict, "assurance", row->assurance, "issued_utc", row->issued_utc, "claimed_pflops",
        figures->claimed_pflops, "verified_pflops",
        known(figures->verified_pflops, row->is_certificate), "nominal_pflops",
        known(figures->nominal_pflops, row->has_nominal), "entitled_mw",
        known(figures->entitled_mw, row->has_entitled), "granted_mw",
        known(figures->granted_mw, row->has_granted), "gap_mw",
        known(figures->gap_mw, row->has_granted), "utilization", "watts",
        known(figures->watts, row->has_watts), "is_counted", row->is_counted ? 1 : 0);
}

static json_t *region_object(const struct pa_portfolio_region *region) {
    const struct pa_portfolio_figures *figures = &region->figures;
    return json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "region", region->name, "sites",
                     (json_int_t)region->sites, "certified", (json_int_t)region->certified,
                     "claimed_pflops", figures->claimed_pflops, "verified_pflops",
                     figures->verified_pflops, "entitled_mw", figures->entitled_mw, "granted_mw",
                     figures->granted_mw, "gap_mw", figures->gap_mw);
}

static int append(const char *data, size_t size, void *context) {
    struct pa_buffer *out = context;
    pa_buffer_bytes(out, data, size);
    return out->failed ? -1 : 0;
}

int pa_portfolio_json(const struct pa_portfolio *portfolio, struct pa_buffer *out,
                      struct pa_error *error) {
    json_t *rows = json_array(), *regions = json_array(), *refused = json_array();
    bool is_whole = true;
    for (uint32_t i = 0; i < portfolio->row_count; i++)
        is_whole &= json_array_append_new(rows, row_object(&portfolio->rows[i])) == 0;
    for (uint32_t i = 0; i < portfolio->region_count; i++)
        is_whole &= json_array_append_new(regions, region_object(&portfolio->regions[i])) == 0;
    for (uint32_t i = 0; i < portfolio->refusal_count; i++)
        is_whole &= json_array_append_new(refused, json_pack("{s:s, s:s}", "file",
                                                             portfolio->refusals[i].file, "reason",
                                                             portfolio->refusals[i].reason)) == 0;
    json_t *root = json_pack("{s:s, s:o, s:o, s:o, s:O, s:o}", "schema", "petaudit-portfolio/1",
                             "rows", rows, "regions", regions, "refused", refused, "remarks",
                             portfolio->remarks, "total", region_object(&portfolio->total));
    if (root == NULL || !is_whole ||
        json_dump_callback(root, append, out,
                           JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(9)) != 0) {
        json_decref(root);
        return pa_fail(error, PA_EMEMORY, "writing a portfolio: out of memory");
    }
    json_decref(root);
    pa_buffer_text(out, "\n");
    return finish(out, error);
}

static void put_known(struct pa_buffer *out, double value, bool is_known) {
    char text[PA_FIGURE_BYTES] = "-";
    if (is_known)
        pa_figure_of(text, value);
    pa_buffer_format(out, " %10s", text);
}

static void put_figures(struct pa_buffer *out, const struct pa_portfolio_figures *figures) {
    put_known(out, figures->claimed_pflops, true);
    put_known(out, figures->verified_pflops, true);
    put_known(out, figures->entitled_mw, true);
    put_known(out, figures->granted_mw, true);
    put_known(out, figures->gap_mw, true);
}

int pa_portfolio_lines(const struct pa_portfolio *portfolio, struct pa_buffer *out,
                       struct pa_error *error) {
    size_t index;
    const json_t *item;
    pa_buffer_format(out, "%10s %10s %10s %10s %10s  %-14s %s\n", "claimed P", "verified P",
                     "entitled", "granted", "gap MW", "verdict", "region, centre");
    for (uint32_t i = 0; i < portfolio->row_count; i++) {
        const struct pa_portfolio_row *row = &portfolio->rows[i];
        if (!row->is_counted)
            continue;
        put_known(out, row->figures.claimed_pflops, true);
        put_known(out, row->figures.verified_pflops, row->is_certificate);
        put_known(out, row->figures.entitled_mw, row->has_entitled);
        put_known(out, row->figures.granted_mw, row->has_granted);
        put_known(out, row->figures.gap_mw, row->has_granted);
        pa_buffer_format(out, "  %-14s %s, %s\n", row->verdict,
                         row->region[0] != '\0' ? row->region : "region not told", row->center);
    }
    for (uint32_t i = 0; i < portfolio->region_count; i++) {
        const struct pa_portfolio_region *region = &portfolio->regions[i];
        put_figures(out, &region->figures);
        pa_buffer_format(out, "  %u of %u       all of %s\n", region->certified, region->sites,
                         region->name[0] != '\0' ? region->name : "no region");
    }
    put_figures(out, &portfolio->total.figures);
    pa_buffer_format(out, "  %u of %u       total; certified of all sites\n",
                     portfolio->total.certified, portfolio->total.sites);
    json_array_foreach(portfolio->remarks, index, item) pa_buffer_format(
        out, "  %s: %s\n", pa_page_text_of(item, "code"), pa_page_text_of(item, "text"));
    return finish(out, error);
}
