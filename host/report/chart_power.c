/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>
#include <stdlib.h>

static const struct series {
    const char *member;
    enum pa_ink ink;
    enum pa_string label;
} all_series[] = {{"facility_w", PA_INK_ALGBW, PA_STRING_POWER_FACILITY},
                  {"it_w", PA_INK_POWER, PA_STRING_POWER_IT},
                  {"generated_w", PA_INK_GREEN, PA_STRING_GENERATED}};

enum { SERIES = sizeof all_series / sizeof all_series[0] };

/* Runs of points that follow one another: where nobody measured, the line has a hole. */
static void draw(struct pa_page *page, const struct pa_plot *plot, const json_t *curve,
                 const struct series *series) {
    size_t count = json_array_size(curve), run = 0;
    double *xy = calloc(count + 1, 2 * sizeof *xy);
    if (xy == NULL) {
        page->failed = true;
        return;
    }
    for (size_t i = 0; i <= count; i++) {
        const json_t *point = json_array_get(curve, i);
        double watts = pa_page_number_of(point, series->member);
        if (isfinite(watts)) {
            xy[2 * run] = pa_plot_x(plot, pa_page_number_of(point, "at_s"));
            xy[2 * run + 1] = pa_plot_y(plot, watts < 0 ? 0 : watts);
            run++;
        } else if (run > 0) {
            page->medium->curve(page, series->ink, xy, run);
            run = 0;
        }
    }
    free(xy);
}

static bool measure(const json_t *curve, struct pa_plot *plot, bool has[SERIES]) {
    for (size_t i = 0; i < json_array_size(curve); i++) {
        const json_t *point = json_array_get(curve, i);
        plot->most_x = fmax(plot->most_x, pa_page_number_of(point, "at_s"));
        for (size_t s = 0; s < SERIES; s++) {
            double watts = pa_page_number_of(point, all_series[s].member);
            has[s] = has[s] || isfinite(watts);
            plot->most_y = fmax(plot->most_y, watts);
        }
    }
    return plot->most_x > 0 && plot->most_y > 0;
}

void pa_chart_power(struct pa_page *page) {
    const struct pa_medium *medium = page->medium;
    const json_t *curve = json_object_get(pa_page_part_of(page, "power"), "curve");
    struct pa_plot plot = {0, 0};
    bool has[SERIES] = {false};
    if (!measure(curve, &plot, has))
        return;
    double scale = plot.most_y >= 1e6 ? 1e-6 : plot.most_y >= 1e3 ? 1e-3 : 1;
    plot.most_y *= 1.08;
    medium->drawing(page, PA_PLOT_TOP + PA_PLOT_HEIGHT + 40,
                    page->strings[PA_STRING_POWER_OVER_TIME]);
    pa_plot_y_axis(page, &plot, scale, scale < 1e-4 ? "MW" : scale < 1 ? "kW" : "W");
    pa_plot_x_axis(page, &plot, PA_STRING_POWER_AXIS);
    double key = PA_PLOT_LEFT + 80;
    for (size_t s = 0; s < SERIES; s++) {
        if (!has[s])
            continue;
        const char *label = page->strings[all_series[s].label];
        draw(page, &plot, curve, &all_series[s]);
        medium->line(page, all_series[s].ink, key, 8, key + 24, 8);
        medium->words(page, PA_WORDS_SMALL, PA_ANCHOR_START, key + 30, 12, label);
        key += 54 + pa_words_width(label);
    }
    medium->drawing_end(page);
}
