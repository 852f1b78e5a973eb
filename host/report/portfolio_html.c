/* SPDX-License-Identifier: Apache-2.0 */
/* portfolio_html.c - a portfolio as one page: sums, a bar for each region, the table, what appears
 * twice and what was refused. Self-contained, light and dark, on paper. */
#include "base/base.h"
#include "report/page.h"
#include "report/portfolio.h"
#include "report/style.h"

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

static void put_figure(struct pa_page *page, double value, bool is_known) {
    char text[PA_FIGURE_BYTES] = "not known";
    if (is_known)
        pa_page_figure_text(text, value);
    pa_page_raw(page, "<td class=\"n\">");
    pa_page_text(page, text);
    pa_page_raw(page, "</td>");
}

static void put_tile(struct pa_page *page, const char *kind, double value, const char *unit,
                     const char *what) {
    char text[PA_FIGURE_BYTES];
    pa_page_figure_text(text, value);
    pa_page_raw(page, "<div class=\"");
    pa_page_raw(page, kind);
    pa_page_raw(page, "\"><b>");
    pa_page_text(page, text);
    pa_page_raw(page, "</b><span>");
    pa_page_text(page, unit);
    pa_page_raw(page, "<br>");
    pa_page_text(page, what);
    pa_page_raw(page, "</span></div>\n");
}

static void put_sums(struct pa_page *page, const struct pa_portfolio *portfolio) {
    const struct pa_portfolio_figures *sum = &portfolio->total.figures;
    pa_page_raw(page, "<section class=\"sum\">\n");
    put_tile(page, "", sum->claimed_pflops, "PFLOPS", "claimed");
    put_tile(page, "", sum->verified_pflops, "PFLOPS", "proven");
    put_tile(page, "", sum->entitled_mw, "MW", "entitled by what is proven");
    put_tile(page, "", sum->granted_mw, "MW", "granted");
    put_tile(page, "gap", sum->gap_mw, "MW", "granted beyond that, or nothing shown");
    pa_page_raw(page, "</section>\n");
}

/* Entitled and not entitled as parts of the largest region's grant. */
static void put_bar(struct pa_page *page, const struct pa_portfolio_figures *figures, double most) {
    double entitled = figures->granted_mw - figures->gap_mw;
    pa_page_raw(page, "<td><div class=\"bar\"><i style=\"width:");
    pa_page_fixed(page, most > 0 ? 100 * entitled / most : 0, 2);
    pa_page_raw(page, "%\"></i><i class=\"gap\" style=\"width:");
    pa_page_fixed(page, most > 0 ? 100 * figures->gap_mw / most : 0, 2);
    pa_page_raw(page, "%\"></i></div></td>");
}

static void put_region(struct pa_page *page, const struct pa_portfolio_region *region,
                       const char *name, double most) {
    char count[PA_FIGURE_BYTES];
    pa_page_raw(page, "<tr><td>");
    pa_page_text(page, name);
    pa_page_raw(page, "</td>");
    pa_page_count_text(count, region->sites);
    pa_page_cell(page, count, true);
    pa_page_count_text(count, region->certified);
    pa_page_cell(page, count, true);
    put_figure(page, region->figures.claimed_pflops, true);
    put_figure(page, region->figures.verified_pflops, true);
    put_figure(page, region->figures.entitled_mw, true);
    put_figure(page, region->figures.granted_mw, true);
    put_figure(page, region->figures.gap_mw, true);
    put_bar(page, &region->figures, most);
    pa_page_raw(page, "</tr>\n");
}

static void put_regions(struct pa_page *page, const struct pa_portfolio *portfolio) {
    double most = 0;
    for (uint32_t i = 0; i < portfolio->region_count; i++)
        if (portfolio->regions[i].figures.granted_mw > most)
            most = portfolio->regions[i].figures.granted_mw;
    pa_page_raw(page, "<section><h2>By region</h2><div class=\"scroll\"><table><thead><tr>"
                      "<th>Region</th><th class=\"n\">Sites</th><th class=\"n\">Certified</th>"
                      "<th class=\"n\">Claimed<br>PFLOPS</th><th class=\"n\">Proven<br>PFLOPS</th>"
                      "<th class=\"n\">Entitled<br>MW</th><th class=\"n\">Granted<br>MW</th>"
                      "<th class=\"n\">Gap<br>MW</th><th>Granted: entitled, and not</th></tr>"
                      "</thead><tbody>\n");
    for (uint32_t i = 0; i < portfolio->region_count; i++) {
        const struct pa_portfolio_region *region = &portfolio->regions[i];
        put_region(page, region, region->name[0] != '\0' ? region->name : "not told", most);
    }
    put_region(page, &portfolio->total, "All", portfolio->total.figures.granted_mw);
    pa_page_raw(page, "</tbody></table></div></section>\n");
}

static const char *verdict_class(const struct pa_portfolio_row *row) {
    return strcmp(row->verdict, "PASS") == 0           ? "pass"
           : strcmp(row->verdict, "INCONCLUSIVE") == 0 ? "inconclusive"
           : row->is_certificate                       ? "fail"
                                                       : "";
}

static void put_row(struct pa_page *page, const struct pa_portfolio_row *row) {
    pa_page_raw(page, row->is_counted ? "<tr><td>" : "<tr class=\"aside\"><td>");
    pa_page_text(page, row->center);
    if (row->site[0] != '\0') {
        pa_page_raw(page, "<br><small>");
        pa_page_text(page, row->site);
        pa_page_raw(page, "</small>");
    }
    pa_page_raw(page, "</td>");
    pa_page_cell(page, row->region, false);
    pa_page_raw(page, "<td class=\"");
    pa_page_raw(page, verdict_class(row));
    pa_page_raw(page, "\">");
    pa_page_text(page, row->verdict);
    pa_page_raw(page, row->is_counted ? "</td>" : "<br><small>not counted</small></td>");
    pa_page_cell(page, row->precision, false);
    put_figure(page, row->figures.claimed_pflops, true);
    put_figure(page, row->figures.verified_pflops, row->is_certificate);
    put_figure(page, row->figures.entitled_mw, row->has_entitled);
    put_figure(page, row->figures.granted_mw, row->has_granted);
    put_figure(page, row->figures.gap_mw, row->has_granted);
    pa_page_cell(page, "not known", true);
    put_figure(page, row->figures.watts / 1000, row->has_watts);
    pa_page_cell(page, row->is_certificate ? row->issued_utc : "", false);
    pa_page_cell(page, row->file, false);
    pa_page_raw(page, "</tr>\n");
}

static void put_rows(struct pa_page *page, const struct pa_portfolio *portfolio) {
    pa_page_raw(page, "<section><h2>Sites, the largest gap first</h2><div class=\"scroll\"><table>"
                      "<thead><tr><th>Centre</th><th>Region</th><th>Verdict</th><th>Format</th>"
                      "<th class=\"n\">Claimed<br>PFLOPS</th><th class=\"n\">Proven<br>PFLOPS</th>"
                      "<th class=\"n\">Entitled<br>MW</th><th class=\"n\">Granted<br>MW</th>"
                      "<th class=\"n\">Gap<br>MW</th><th class=\"n\">Utilization</th>"
                      "<th class=\"n\">Load<br>kW</th><th>Issued</th><th>File</th></tr></thead>"
                      "<tbody>\n");
    for (uint32_t i = 0; i < portfolio->row_count; i++)
        put_row(page, &portfolio->rows[i]);
    pa_page_raw(page, "</tbody></table></div></section>\n");
}

static void put_remarks(struct pa_page *page, const struct pa_portfolio *portfolio) {
    size_t index;
    const json_t *item;
    if (json_array_size(portfolio->remarks) > 0) {
        pa_page_raw(page, "<section><h2>What appears twice</h2><ul class=\"findings\">\n");
        json_array_foreach(portfolio->remarks, index, item) {
            pa_page_raw(page, "<li><span class=\"sev warning\"></span>");
            pa_page_text(page, pa_page_text_of(item, "text"));
            pa_page_raw(page, "</li>\n");
        }
        pa_page_raw(page, "</ul></section>\n");
    }
    if (portfolio->refusal_count == 0)
        return;
    pa_page_raw(page, "<section><h2>Refused, and counted nowhere</h2><ul class=\"findings\">\n");
    for (uint32_t i = 0; i < portfolio->refusal_count; i++) {
        pa_page_raw(page, "<li><span class=\"sev critical\"></span><b>");
        pa_page_text(page, portfolio->refusals[i].file);
        pa_page_raw(page, "</b>: ");
        pa_page_text(page, portfolio->refusals[i].reason);
        pa_page_raw(page, "</li>\n");
    }
    pa_page_raw(page, "</ul></section>\n");
}

int pa_portfolio_html(const struct pa_portfolio *portfolio, struct pa_buffer *out,
                      struct pa_error *error) {
    struct pa_page page = {.out = out};
    pa_page_raw(&page, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                       "<title>Portfolio of computing centres</title>\n<style>\n");
    pa_page_raw(&page, pa_style_sheet);
    pa_page_raw(&page, more_style);
    pa_page_raw(&page, "</style></head><body><main class=\"wide\"><div class=\"sheet\">\n"
                       "<header><b>petaudit portfolio</b><span>claimed, proven, entitled and "
                       "granted</span></header>\n");
    put_sums(&page, portfolio);
    put_regions(&page, portfolio);
    put_rows(&page, portfolio);
    put_remarks(&page, portfolio);
    pa_page_raw(&page,
                "<footer>Every certificate was verified: form, signature, key id. Who signed is "
                "for the reader to compare. A gap is what was granted beyond what is proven; where "
                "there is no certificate, all of the grant. A site that appears twice counts "
                "once, by its newest certificate. No certificate tells a utilization "
                "yet.</footer>\n</div></main></body></html>\n");
    return out->failed ? pa_fail(error, PA_EMEMORY, "writing a portfolio: out of memory") : PA_OK;
}
