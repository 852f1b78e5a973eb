/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Labels on the left, bars from 128, room for the figures. */
enum {
    LEFT = 128,
    BAR_WIDTH = 355,
    GRANT_WIDTH = 500,
    ROW = 32,
    BAR = 20,
    MOST_BARS = 6,
    LABEL_BYTES = 192
};

struct bar {
    enum pa_string label;
    enum pa_ink ink;
    double pflops, u;
    double mw; /* what the entitlement comes to; NaN in the other rows */
};

static double larger(double a, double b) {
    return b > a ? b : a; /* NaN stays out */
}

/* "78.3 ± 0.5 PFLOPS", and of the entitled ones for how many megawatts they count. */
static void put_figure(const struct pa_page *page, const struct bar *bar, char *out, size_t size) {
    char rate[PA_FIGURE_BYTES], mw[PA_FIGURE_BYTES];
    pa_page_rate_u_text(page, rate, bar->pflops, bar->u);
    if (!isfinite(bar->mw)) {
        snprintf(out, size, "%s", rate);
        return;
    }
    pa_megawatt_text(mw, bar->mw);
    snprintf(out, size, "%s (%s MW)", rate, mw);
}

static void draw_bar(struct pa_page *page, const struct bar *bar, double y, double scale) {
    const struct pa_medium *medium = page->medium;
    char text[LABEL_BYTES];
    bool is_known = isfinite(bar->pflops);
    unsigned strong = bar->ink == PA_INK_PROVEN ? PA_WORDS_STRONG : 0;
    double width = is_known ? bar->pflops * scale : 0;
    medium->words(page, strong, PA_ANCHOR_END, LEFT - 10, y + 14.5, page->strings[bar->label]);
    if (is_known)
        medium->rect(page, bar->ink, LEFT, y, larger(1.5, width), BAR);
    double end = LEFT + larger(1.5, width);
    if (is_known && bar->u > 0 && bar->u * scale >= 1) {
        double low = larger(LEFT, LEFT + (bar->pflops - bar->u) * scale);
        double high = LEFT + (bar->pflops + bar->u) * scale;
        medium->line(page, PA_INK_WHISKER, low, y + 10, high, y + 10);
        medium->line(page, PA_INK_WHISKER, low, y + 5, low, y + 15);
        medium->line(page, PA_INK_WHISKER, high, y + 5, high, y + 15);
        end = high;
    }
    put_figure(page, bar, text, sizeof text);
    medium->words(page, is_known ? strong | PA_WORDS_HALO : PA_WORDS_DIM, PA_ANCHOR_START, end + 9,
                  y + 14.5, text);
}

static int collect(const struct pa_page *page, struct bar bars[MOST_BARS]) {
    static const struct {
        const char *part, *member;
        enum pa_string label;
        enum pa_ink ink;
        bool is_optional;
    } rows[] = {{"claim", "pflops", PA_STRING_CLAIMED, PA_INK_CLAIMED, false},
                {"nominal", "pflops", PA_STRING_NOMINAL, PA_INK_NOMINAL, false},
                {"raw", "pflops", PA_STRING_LIBRARY_ALONE, PA_INK_RAW, false},
                {"verified", "pflops", PA_STRING_PROVEN, PA_INK_PROVEN, false},
                {"coupled", "pflops", PA_STRING_AS_ONE_SYSTEM, PA_INK_COUPLED, true},
                {"entitlement", "counted_pflops", PA_STRING_ENTITLED_BAR, PA_INK_ENTITLED, true}};
    int count = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const json_t *part = pa_page_part_of(page, rows[i].part);
        double pflops = pa_page_number_of(part, rows[i].member);
        if (rows[i].is_optional && !isfinite(pflops))
            continue;
        bool is_test =
            rows[i].ink == PA_INK_PROVEN && pa_page_is(page->predicate, "result", "TEST");
        bars[count++] = (struct bar){
            is_test ? PA_STRING_TEST_WORK : rows[i].label, rows[i].ink, pflops,
            rows[i].ink == PA_INK_PROVEN ? pa_page_number_of(part, "u") : 0,
            rows[i].ink == PA_INK_ENTITLED ? pa_page_number_of(part, "mw") : (double)NAN};
    }
    return count;
}

/* The chart in words, for those who cannot see it. */
static void tell(const struct pa_page *page, const struct bar *bars, int count, char *out,
                 size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < count && used < size; i++) {
        char text[LABEL_BYTES];
        struct bar bare = bars[i];
        bare.u = 0;
        put_figure(page, &bare, text, sizeof text);
        int length = snprintf(out + used, size - used, "%s%s %s", i == 0 ? "" : ", ",
                              page->strings[bars[i].label], text);
        used += length > 0 ? (size_t)length : 0;
    }
}

void pa_chart_capacity(struct pa_page *page) {
    const struct pa_medium *medium = page->medium;
    struct bar bars[MOST_BARS];
    char label[512];
    int count = collect(page, bars);
    double most = 0;
    for (int i = 0; i < count; i++)
        most = larger(most, bars[i].pflops + bars[i].u);
    double scale = most > 0 ? BAR_WIDTH / most : 0, bottom = 8 + ROW * count;
    tell(page, bars, count, label, sizeof label);
    medium->drawing(page, bottom + 16, label);
    double claim = LEFT + bars[0].pflops * scale;
    medium->line(page, PA_INK_CLAIM_LINE, claim, 2, claim, bottom);
    for (int i = 0; i < count; i++)
        draw_bar(page, &bars[i], 8 + ROW * i, scale);
    medium->words(page, PA_WORDS_CLAIM, PA_ANCHOR_MIDDLE, claim, bottom + 12,
                  page->strings[PA_STRING_CLAIM]);
    medium->drawing_end(page);
}

static void megawatts(const struct pa_page *page, char out[LABEL_BYTES], enum pa_string id,
                      double mw) {
    char figure[PA_FIGURE_BYTES];
    pa_megawatt_text(figure, mw);
    pa_page_plain(page, out, LABEL_BYTES, id, figure);
}

/* A segment with its words inside when they fit, else as a key below. */
static double segment(struct pa_page *page, enum pa_ink ink, unsigned style, double x, double width,
                      const char *text, double key_x) {
    const struct pa_medium *medium = page->medium;
    medium->rect(page, ink, x, 6, larger(1.5, width), 24);
    if (width >= pa_words_width(text) + 12) {
        medium->words(page, style, PA_ANCHOR_MIDDLE, x + width / 2, 22.5, text);
        return key_x;
    }
    medium->rect(page, ink, key_x, 40, 10, 10);
    medium->words(page, PA_WORDS_PLAIN, PA_ANCHOR_START, key_x + 15, 49, text);
    return key_x + 40 + pa_words_width(text);
}

static void draw_entitlement(struct pa_page *page, double granted, double entitled,
                             double overclaim) {
    const struct pa_medium *medium = page->medium;
    char granted_text[LABEL_BYTES], entitled_text[LABEL_BYTES], over_text[LABEL_BYTES];
    char label[4 * LABEL_BYTES];
    megawatts(page, entitled_text, PA_STRING_ENTITLED, entitled);
    megawatts(page, over_text, overclaim > 0 ? PA_STRING_OVERCLAIM : PA_STRING_NO_OVERCLAIM,
              overclaim);
    megawatts(page, granted_text, isfinite(granted) ? PA_STRING_GRANTED : PA_STRING_GRANTED_UNKNOWN,
              granted);
    snprintf(label, sizeof label, "%s, %s, %s", granted_text, entitled_text, over_text);
    medium->drawing(page, 56, label);
    double most = larger(larger(entitled, granted), 1e-12), scale = GRANT_WIDTH / most;
    medium->words(page, PA_WORDS_PLAIN, PA_ANCHOR_END, LEFT - 10, 22.5, granted_text);
    double key = segment(page, PA_INK_ENTITLED, PA_WORDS_ON_PROVEN, LEFT, entitled * scale,
                         entitled_text, LEFT);
    if (overclaim > 0)
        segment(page, PA_INK_OVER, PA_WORDS_CLAIM | PA_WORDS_STRONG,
                LEFT + larger(1.5, entitled * scale), overclaim * scale, over_text, key);
    else if (isfinite(granted))
        medium->line(page, PA_INK_CLAIM_LINE, LEFT + granted * scale, 2, LEFT + granted * scale,
                     34);
    medium->drawing_end(page);
}

void pa_chart_entitlement(struct pa_page *page) {
    const json_t *entitlement = pa_page_part_of(page, "entitlement");
    const json_t *policy = pa_page_part_of(page, "policy");
    double entitled = pa_page_number_of(entitlement, "mw");
    if (!isfinite(entitled))
        return;
    char per[PA_FIGURE_BYTES], mw[PA_FIGURE_BYTES];
    pa_figure_of(mw, pa_page_number_of(policy, "entitlement_mw"));
    pa_figure_of(per, pa_page_number_of(policy, "entitlement_per_pflops"));
    pa_page_say(page, PA_STRING_ENTITLES, mw, per);
    page->medium->begin(page, PA_PART_SECTION, pa_page_take(page));
    draw_entitlement(page, pa_page_number_of(entitlement, "granted_mw"), entitled,
                     pa_page_number_of(entitlement, "overclaim_mw"));
    if (pa_page_is(pa_page_part_of(page, "power"), "source", "none"))
        pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_POWER_NOT_METERED);
    pa_page_end(page, PA_PART_SECTION);
}
