/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The drawing is 660 units wide: labels on the left, bars from 128, room for the figures. */
enum { LEFT = 128, BAR_WIDTH = 385, ROW = 32, BAR = 20 };

struct bar {
    enum pa_string label;
    const char *class;
    double pflops, u;
};

static double larger(double a, double b) {
    return b > a ? b : a; /* NaN stays out */
}

static void draw_bar(struct pa_page *page, const struct bar *bar, double y, double scale) {
    char text[PA_FIGURE_BYTES];
    bool is_known = isfinite(bar->pflops);
    double width = is_known ? bar->pflops * scale : 0;
    pa_svg_text(page, strcmp(bar->class, "proven") == 0 ? "strong" : "", "end", LEFT - 10, y + 14.5,
                page->strings[bar->label]);
    if (is_known)
        pa_svg_rect(page, bar->class, LEFT, y, larger(1.5, width), BAR);
    double end = LEFT + larger(1.5, width);
    if (is_known && bar->u > 0 && bar->u * scale >= 1) {
        double low = larger(LEFT, LEFT + (bar->pflops - bar->u) * scale);
        double high = LEFT + (bar->pflops + bar->u) * scale;
        pa_svg_line(page, "whisker", low, y + 10, high, y + 10);
        pa_svg_line(page, "whisker", low, y + 5, low, y + 15);
        pa_svg_line(page, "whisker", high, y + 5, high, y + 15);
        end = high;
    }
    pa_page_rate_u_text(page, text, bar->pflops, bar->u);
    pa_svg_text(page,
                strcmp(bar->class, "proven") == 0 ? "halo strong"
                : is_known                        ? "halo"
                                                  : "dim",
                "start", end + 9, y + 14.5, text);
}

void pa_chart_capacity(struct pa_page *page) {
    const json_t *verified = pa_page_part_of(page, "verified");
    bool is_test = strcmp(pa_page_text_of(page->predicate, "result"), "TEST") == 0;
    const struct bar bars[] = {
        {PA_STRING_CLAIMED, "claimed", pa_page_number_of(pa_page_part_of(page, "claim"), "pflops"),
         0},
        {PA_STRING_NOMINAL, "nominal",
         pa_page_number_of(pa_page_part_of(page, "nominal"), "pflops"), 0},
        {PA_STRING_LIBRARY_ALONE, "raw", pa_page_number_of(pa_page_part_of(page, "raw"), "pflops"),
         0},
        {is_test ? PA_STRING_TEST_WORK : PA_STRING_PROVEN, "proven",
         pa_page_number_of(verified, "pflops"), pa_page_number_of(verified, "u")},
    };
    enum { COUNT = sizeof bars / sizeof bars[0] };
    double most = 0;
    for (int i = 0; i < COUNT; i++)
        most = larger(most, bars[i].pflops);
    double scale = most > 0 ? BAR_WIDTH / most : 0;
    pa_page_raw(page, "<svg viewBox=\"0 0 660 152\" width=\"100%\" role=\"img\" aria-label=\"");
    for (int i = 0; i < COUNT; i++) {
        char text[PA_FIGURE_BYTES];
        pa_page_rate_text(page, text, bars[i].pflops);
        pa_page_text(page, page->strings[bars[i].label]);
        pa_page_raw(page, " ");
        pa_page_text(page, text);
        pa_page_raw(page, i + 1 < COUNT ? ", " : "\">\n");
    }
    double claim = LEFT + bars[0].pflops * scale;
    pa_svg_line(page, "claimline", claim, 2, claim, 136);
    for (int i = 0; i < COUNT; i++)
        draw_bar(page, &bars[i], 8 + ROW * i, scale);
    pa_svg_text(page, "claimword", "middle", claim, 148, page->strings[PA_STRING_CLAIM]);
    pa_page_raw(page, "</svg>\n");
}

/* One sentence of the catalogue with one figure, as plain text. */
static void megawatts(struct pa_page *page, char out[128], enum pa_string id, double mw) {
    char figure[PA_FIGURE_BYTES];
    const char *form = page->strings[id], *place = strstr(form, "{0}");
    if (mw > 0 && mw < 1e-6)
        snprintf(figure, sizeof figure, "< 0.000001");
    else if (fabs(mw - round(mw)) < 1e-9 && mw < 1e9)
        pa_page_fixed_text(figure, mw, 0);
    else
        pa_page_fixed_text(figure, mw, mw >= 1000 ? 0 : mw >= 1 ? 1 : mw >= 0.01 ? 3 : 6);
    if (place == NULL)
        snprintf(out, 128, "%s", form);
    else
        snprintf(out, 128, "%.*s%s%s", (int)(place - form), form, figure, place + 3);
}

/* A segment with its words inside when they fit, else as a key below. */
static double segment(struct pa_page *page, const char *class, const char *word_class, double x,
                      double width, const char *text, double key_x) {
    pa_svg_rect(page, class, x, 6, larger(1.5, width), 24);
    if (width >= 7.0 * (double)strlen(text) + 12) {
        pa_svg_text(page, word_class, "middle", x + width / 2, 22.5, text);
        return key_x;
    }
    pa_svg_rect(page, class, key_x, 40, 10, 10);
    pa_svg_text(page, "", "start", key_x + 15, 49, text);
    return key_x + 40 + 7.0 * (double)strlen(text);
}

void pa_chart_entitlement(struct pa_page *page) {
    const json_t *entitlement = pa_page_part_of(page, "entitlement");
    double granted = pa_page_number_of(entitlement, "granted_mw");
    double entitled = pa_page_number_of(entitlement, "mw");
    double overclaim = pa_page_number_of(entitlement, "overclaim_mw");
    if (!isfinite(entitled))
        return;
    char granted_text[128], entitled_text[128], over_text[128], per[PA_FIGURE_BYTES];
    char mw[PA_FIGURE_BYTES];
    pa_page_figure_text(mw, pa_page_number_of(pa_page_part_of(page, "policy"), "entitlement_mw"));
    pa_page_figure_text(
        per, pa_page_number_of(pa_page_part_of(page, "policy"), "entitlement_per_pflops"));
    pa_page_raw(page, "<section><h2>");
    pa_page_say(page, PA_STRING_ENTITLES, mw, per);
    megawatts(page, entitled_text, PA_STRING_ENTITLED, entitled);
    megawatts(page, over_text, overclaim > 0 ? PA_STRING_OVERCLAIM : PA_STRING_NO_OVERCLAIM,
              overclaim);
    if (isfinite(granted))
        megawatts(page, granted_text, PA_STRING_GRANTED, granted);
    else
        snprintf(granted_text, sizeof granted_text, "%s", page->strings[PA_STRING_GRANTED_UNKNOWN]);
    pa_page_raw(page, "</h2><svg viewBox=\"0 0 660 56\" width=\"100%\" role=\"img\" aria-label=\"");
    pa_page_text(page, granted_text);
    pa_page_raw(page, ", ");
    pa_page_text(page, entitled_text);
    pa_page_raw(page, ", ");
    pa_page_text(page, over_text);
    pa_page_raw(page, "\">\n");
    double most = larger(larger(entitled, granted), 1e-12), scale = BAR_WIDTH / most;
    pa_svg_text(page, "", "end", LEFT - 10, 22.5, granted_text);
    double key = segment(page, "proven", "onproven", LEFT, entitled * scale, entitled_text, LEFT);
    if (overclaim > 0)
        segment(page, "over", "claimword strong", LEFT + larger(1.5, entitled * scale),
                overclaim * scale, over_text, key);
    else if (isfinite(granted))
        pa_svg_line(page, "claimline", LEFT + granted * scale, 2, LEFT + granted * scale, 34);
    pa_page_raw(page, "</svg>\n");
    if (strcmp(pa_page_text_of(pa_page_part_of(page, "power"), "source"), "none") == 0) {
        pa_page_raw(page, "<p class=\"caption\">");
        pa_page_say(page, PA_STRING_POWER_NOT_METERED);
        pa_page_raw(page, "</p>");
    }
    pa_page_raw(page, "</section>\n");
}
