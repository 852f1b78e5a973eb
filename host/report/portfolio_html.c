/* SPDX-License-Identifier: Apache-2.0 */
/* portfolio_html.c - a portfolio as one page: sums, a bar for each region, the table, what appears
 * twice and what was refused. Self-contained, light and dark, on paper. */
#include "base/base.h"
#include "report/page.h"
#include "report/portfolio.h"
#include "report/style.h"

#include <stdio.h>
#include <string.h>

static const char more_style[] =
    "main.wide{max-width:297mm}\n"
    "td.n,th.n{text-align:right;padding-left:2mm;white-space:nowrap}\n"
    ".sum{display:grid;grid-template-columns:repeat(5,minmax(0,1fr));gap:5mm}\n"
    ".sum div{border-top:1.2pt solid var(--ink);padding-top:1.5mm}\n"
    ".sum b{display:block;font-size:17pt;line-height:1.2;font-variant-numeric:tabular-nums}\n"
    ".sum span{color:var(--soft);font-size:8.8pt}.sum .gap b{color:var(--fail)}\n"
    ".bar{display:flex;height:3.2mm;min-width:40mm;background:var(--box)}\n"
    ".bar i{display:block;height:100%;background:var(--proven)}\n"
    ".bar i.gap{background:var(--warn);border:.8pt solid var(--fail)}\n"
    "tr.aside td{color:var(--soft);font-style:italic}\n"
    "@page{size:A4 landscape;margin:12mm}\n"
    "@media (max-width:700px){.sum{grid-template-columns:1fr 1fr}}\n";

static void put_text(struct pa_buffer *out, const char *text) {
    for (const char *p = text; *p != '\0'; p++)
        switch (*p) {
        case '&':
            pa_buffer_text(out, "&amp;");
            break;
        case '<':
            pa_buffer_text(out, "&lt;");
            break;
        case '>':
            pa_buffer_text(out, "&gt;");
            break;
        case '"':
            pa_buffer_text(out, "&quot;");
            break;
        default:
            pa_buffer_bytes(out, p, 1);
        }
}

static void put_cell(struct pa_buffer *out, const char *text, bool is_figure) {
    pa_buffer_text(out, is_figure ? "<td class=\"n\">" : "<td>");
    put_text(out, text);
    pa_buffer_text(out, "</td>");
}

static void put_percent(struct pa_buffer *out, double value) {
    char text[PA_FIGURE_BYTES];
    pa_fixed_text(text, value, 2);
    pa_buffer_text(out, text);
}

static void put_figure(struct pa_buffer *out, double value, bool is_known) {
    char text[PA_FIGURE_BYTES] = "\xE2\x80\x93"; /* a dash: not known */
    if (is_known)
        pa_figure_of(text, value);
    pa_buffer_text(out, "<td class=\"n\">");
    put_text(out, text);
    pa_buffer_text(out, "</td>");
}

static void put_tile(struct pa_buffer *out, const char *kind, double value, const char *unit,
                     const char *what) {
    char text[PA_FIGURE_BYTES];
    pa_figure_of(text, value);
    pa_buffer_text(out, "<div class=\"");
    pa_buffer_text(out, kind);
    pa_buffer_text(out, "\"><b>");
    put_text(out, text);
    pa_buffer_text(out, "</b><span>");
    put_text(out, unit);
    pa_buffer_text(out, "<br>");
    put_text(out, what);
    pa_buffer_text(out, "</span></div>\n");
}

static void put_sums(struct pa_buffer *out, const struct pa_portfolio *portfolio) {
    const struct pa_portfolio_figures *sum = &portfolio->total.figures;
    pa_buffer_text(out, "<section class=\"sum\">\n");
    put_tile(out, "", sum->claimed_pflops, "PFLOPS", "claimed");
    put_tile(out, "", sum->verified_pflops, "PFLOPS", "proven");
    put_tile(out, "", sum->entitled_mw, "MW", "entitled by what is proven");
    put_tile(out, "", sum->granted_mw, "MW", "granted");
    put_tile(out, "gap", sum->gap_mw, "MW", "granted beyond that, or nothing shown");
    pa_buffer_text(out, "</section>\n");
}

/* Entitled and not entitled as parts of the largest region's grant. */
static void put_bar(struct pa_buffer *out, const struct pa_portfolio_figures *figures,
                    double most) {
    double entitled = figures->granted_mw - figures->gap_mw;
    pa_buffer_text(out, "<td><div class=\"bar\"><i style=\"width:");
    put_percent(out, most > 0 ? 100 * entitled / most : 0);
    pa_buffer_text(out, "%\"></i>");
    if (figures->gap_mw > 0) {
        pa_buffer_text(out, "<i class=\"gap\" style=\"width:");
        put_percent(out, most > 0 ? 100 * figures->gap_mw / most : 0);
        pa_buffer_text(out, "%\"></i>");
    }
    pa_buffer_text(out, "</div></td>");
}

static void put_region(struct pa_buffer *out, const struct pa_portfolio_region *region,
                       const char *name, double most) {
    char count[PA_FIGURE_BYTES];
    pa_buffer_text(out, "<tr><td>");
    put_text(out, name);
    pa_buffer_text(out, "</td>");
    pa_count_text(count, region->sites);
    put_cell(out, count, true);
    pa_count_text(count, region->certified);
    put_cell(out, count, true);
    put_figure(out, region->figures.claimed_pflops, true);
    put_figure(out, region->figures.verified_pflops, true);
    put_figure(out, region->figures.entitled_mw, true);
    put_figure(out, region->figures.granted_mw, true);
    put_figure(out, region->figures.gap_mw, true);
    put_bar(out, &region->figures, most);
    pa_buffer_text(out, "</tr>\n");
}

static void put_regions(struct pa_buffer *out, const struct pa_portfolio *portfolio) {
    double most = 0;
    for (uint32_t i = 0; i < portfolio->region_count; i++)
        if (portfolio->regions[i].figures.granted_mw > most)
            most = portfolio->regions[i].figures.granted_mw;
    pa_buffer_text(out,
                   "<section><h2>By region</h2><div class=\"scroll\"><table><thead><tr>"
                   "<th>Region</th><th class=\"n\">Sites</th><th class=\"n\">Certified</th>"
                   "<th class=\"n\">Claimed<br>PFLOPS</th><th class=\"n\">Proven<br>PFLOPS</th>"
                   "<th class=\"n\">Entitled<br>MW</th><th class=\"n\">Granted<br>MW</th>"
                   "<th class=\"n\">Gap<br>MW</th><th>Granted: entitled, and not</th></tr>"
                   "</thead><tbody>\n");
    for (uint32_t i = 0; i < portfolio->region_count; i++) {
        const struct pa_portfolio_region *region = &portfolio->regions[i];
        put_region(out, region, region->name[0] != '\0' ? region->name : "not told", most);
    }
    put_region(out, &portfolio->total, "All", portfolio->total.figures.granted_mw);
    pa_buffer_text(out, "</tbody></table></div></section>\n");
}

static const char *verdict_class(const struct pa_portfolio_row *row) {
    return strcmp(row->verdict, "PASS") == 0           ? "pass"
           : strcmp(row->verdict, "INCONCLUSIVE") == 0 ? "inconclusive"
           : row->is_certificate                       ? "fail"
                                                       : "";
}

static void put_row(struct pa_buffer *out, const struct pa_portfolio_row *row) {
    pa_buffer_text(out, row->is_counted ? "<tr><td>" : "<tr class=\"aside\"><td>");
    put_text(out, row->center);
    if (row->site[0] != '\0') {
        pa_buffer_text(out, "<br><small>");
        put_text(out, row->site);
        pa_buffer_text(out, "</small>");
    }
    pa_buffer_text(out, "</td>");
    put_cell(out, row->region, false);
    pa_buffer_text(out, "<td class=\"");
    pa_buffer_text(out, verdict_class(row));
    pa_buffer_text(out, "\">");
    put_text(out, row->verdict);
    pa_buffer_text(out, row->is_counted ? "</td>" : "<br><small>not counted</small></td>");
    put_cell(out, row->precision, false);
    put_figure(out, row->figures.claimed_pflops, true);
    put_figure(out, row->figures.verified_pflops, row->is_certificate);
    put_figure(out, row->figures.entitled_mw, row->has_entitled);
    put_figure(out, row->figures.granted_mw, row->has_granted);
    put_figure(out, row->figures.gap_mw, row->has_granted);
    put_figure(out, 0, false); /* no certificate tells a utilization yet */
    put_figure(out, row->figures.watts / 1000, row->has_watts);
    char day[11];
    snprintf(day, sizeof day, "%.10s", row->issued_utc);
    put_cell(out, day, false);
    put_cell(out, row->file, false);
    pa_buffer_text(out, "</tr>\n");
}

static void put_rows(struct pa_buffer *out, const struct pa_portfolio *portfolio) {
    pa_buffer_text(out,
                   "<section><h2>Sites, the largest gap first</h2><div class=\"scroll\"><table>"
                   "<thead><tr><th>Centre</th><th>Region</th><th>Verdict</th><th>Format</th>"
                   "<th class=\"n\">Claimed<br>PFLOPS</th><th class=\"n\">Proven<br>PFLOPS</th>"
                   "<th class=\"n\">Entitled<br>MW</th><th class=\"n\">Granted<br>MW</th>"
                   "<th class=\"n\">Gap<br>MW</th><th class=\"n\">Utilization</th>"
                   "<th class=\"n\">Load<br>kW</th><th>Issued</th><th>File</th></tr></thead>"
                   "<tbody>\n");
    for (uint32_t i = 0; i < portfolio->row_count; i++)
        put_row(out, &portfolio->rows[i]);
    pa_buffer_text(out, "</tbody></table></div></section>\n");
}

static void put_remarks(struct pa_buffer *out, const struct pa_portfolio *portfolio) {
    size_t index;
    const json_t *item;
    if (json_array_size(portfolio->remarks) > 0) {
        pa_buffer_text(out, "<section><h2>What appears twice</h2><ul class=\"findings\">\n");
        json_array_foreach(portfolio->remarks, index, item) {
            pa_buffer_text(out, "<li><span class=\"sev warning\"></span>");
            put_text(out, pa_page_text_of(item, "text"));
            pa_buffer_text(out, "</li>\n");
        }
        pa_buffer_text(out, "</ul></section>\n");
    }
    if (portfolio->refusal_count == 0)
        return;
    pa_buffer_text(out, "<section><h2>Refused, and counted nowhere</h2><ul class=\"findings\">\n");
    for (uint32_t i = 0; i < portfolio->refusal_count; i++) {
        pa_buffer_text(out, "<li><span class=\"sev critical\"></span><b>");
        put_text(out, portfolio->refusals[i].file);
        pa_buffer_text(out, "</b>: ");
        put_text(out, portfolio->refusals[i].reason);
        pa_buffer_text(out, "</li>\n");
    }
    pa_buffer_text(out, "</ul></section>\n");
}

int pa_portfolio_html(const struct pa_portfolio *portfolio, struct pa_buffer *out,
                      struct pa_error *error) {
    pa_buffer_text(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                        "<title>Portfolio of computing centres</title>\n<style>\n");
    pa_buffer_text(out, pa_style_sheet);
    pa_buffer_text(out, more_style);
    pa_buffer_text(out, "</style></head><body><main class=\"wide\"><div class=\"sheet\">\n"
                        "<header><b>petaudit portfolio</b><span>claimed, proven, entitled and "
                        "granted</span></header>\n");
    put_sums(out, portfolio);
    put_regions(out, portfolio);
    put_rows(out, portfolio);
    put_remarks(out, portfolio);
    pa_buffer_text(
        out, "<footer>Every certificate was verified: form, signature, key id. Who signed is "
             "for the reader to compare. A gap is what was granted beyond what is proven; where "
             "there is no certificate, all of the grant. A site that appears twice counts "
             "once, by its newest certificate. A dash is a figure that nobody told; no certificate "
             "tells a utilization yet.</footer>\n</div></main></body></html>\n");
    return out->failed ? pa_fail(error, PA_EMEMORY, "writing a portfolio: out of memory") : PA_OK;
}
