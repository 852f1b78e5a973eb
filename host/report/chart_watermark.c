/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>

/* From the start of a half-bit to that of the next; the last one is as long as they all should be.
 */
static double end_of(const json_t *mark, size_t half) {
    const json_t *halves = json_object_get(mark, "halves");
    if (half + 1 < json_array_size(halves))
        return pa_page_number_of(json_array_get(halves, half + 1), "at_s");
    return pa_page_number_of(json_array_get(halves, half), "at_s") +
           pa_page_number_of(mark, "half_bit_s");
}

static bool measure(const json_t *mark, struct pa_plot *plot) {
    const json_t *halves = json_object_get(mark, "halves");
    size_t count = json_array_size(halves);
    for (size_t h = 0; h < count; h++)
        plot->most_y = fmax(plot->most_y, pa_page_number_of(json_array_get(halves, h), "watts"));
    if (count > 0)
        plot->most_x = end_of(mark, count - 1);
    return plot->most_x > 0 && isfinite(plot->most_x) && plot->most_y > 0;
}

/* What was told stands as shade over the whole height, what was read as a line across each half. */
static void draw(struct pa_page *page, const struct pa_plot *plot, const json_t *mark) {
    const struct pa_medium *medium = page->medium;
    const json_t *halves = json_object_get(mark, "halves");
    size_t count = json_array_size(halves);
    for (size_t h = 0; h < count; h++) {
        const json_t *half = json_array_get(halves, h);
        double x0 = pa_plot_x(plot, pa_page_number_of(half, "at_s"));
        double x1 = pa_plot_x(plot, end_of(mark, h));
        if (pa_page_truth_of(half, "is_on") && x1 > x0)
            medium->rect(page, PA_INK_EPOCH, x0, PA_PLOT_TOP, x1 - x0, PA_PLOT_HEIGHT);
    }
    for (size_t h = 0; h < count; h++) {
        const json_t *half = json_array_get(halves, h);
        double watts = pa_page_number_of(half, "watts");
        if (!isfinite(watts))
            continue;
        const double y = pa_plot_y(plot, watts < 0 ? 0 : watts);
        const double xy[] = {pa_plot_x(plot, pa_page_number_of(half, "at_s")), y,
                             pa_plot_x(plot, end_of(mark, h)), y};
        medium->curve(page, PA_INK_POWER, xy, 2);
    }
}

static double key(struct pa_page *page, double x, enum pa_string label, bool is_shade) {
    const char *words = page->strings[label];
    if (is_shade)
        page->medium->rect(page, PA_INK_EPOCH, x, 2, 24, 12);
    else
        page->medium->line(page, PA_INK_POWER, x, 8, x + 24, 8);
    page->medium->words(page, PA_WORDS_SMALL, PA_ANCHOR_START, x + 30, 12, words);
    return x + 54 + pa_words_width(words);
}

void pa_chart_watermark(struct pa_page *page) {
    const json_t *mark = pa_page_part_of(page, "watermark");
    struct pa_plot plot = {0, 0};
    if (!measure(mark, &plot))
        return;
    double scale = plot.most_y >= 1e6 ? 1e-6 : plot.most_y >= 1e3 ? 1e-3 : 1;
    plot.most_y *= 1.08;
    page->medium->drawing(page, PA_PLOT_TOP + PA_PLOT_HEIGHT + 40,
                          page->strings[PA_STRING_WATERMARK]);
    draw(page, &plot, mark);
    pa_plot_y_axis(page, &plot, scale, scale < 1e-4 ? "MW" : scale < 1 ? "kW" : "W");
    pa_plot_x_axis(page, &plot, PA_STRING_WATERMARK_AXIS);
    key(page, key(page, PA_PLOT_LEFT + 80, PA_STRING_WATERMARK_TOLD, true),
        PA_STRING_WATERMARK_READ, false);
    page->medium->drawing_end(page);
}
