/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>
#include <stdlib.h>

/* Half way around the Earth: a radius that is larger excludes no place on it. */
static const double farthest_km = 20015;

struct decades {
    double least, most; /* powers of ten */
};

static double x_of(const struct decades *scale, double km) {
    return PA_PLOT_LEFT + PA_PLOT_WIDTH * (log10(km) - scale->least) / (scale->most - scale->least);
}

static void distance_axis(struct pa_page *page, const struct decades *scale) {
    const struct pa_medium *medium = page->medium;
    const double bottom = PA_PLOT_TOP + PA_PLOT_HEIGHT;
    char text[PA_FIGURE_BYTES];
    for (int i = (int)scale->least; i <= (int)scale->most; i++) {
        double x = x_of(scale, pow(10, i));
        pa_fixed_text(text, pow(10, i), i < 0 ? -i : 0);
        medium->line(page, PA_INK_AXIS, x, bottom, x, bottom + 4);
        medium->words(page, PA_WORDS_SMALL | PA_WORDS_DIM, PA_ANCHOR_MIDDLE, x, bottom + 16, text);
    }
    medium->line(page, PA_INK_AXIS, PA_PLOT_LEFT, bottom, PA_PLOT_LEFT + PA_PLOT_WIDTH, bottom);
    medium->words(page, PA_WORDS_SMALL | PA_WORDS_DIM, PA_ANCHOR_MIDDLE,
                  PA_PLOT_LEFT + PA_PLOT_WIDTH / 2.0, bottom + 33,
                  page->strings[PA_STRING_RADIUS_AXIS]);
    if (log10(farthest_km) <= scale->least || log10(farthest_km) >= scale->most)
        return;
    double x = x_of(scale, farthest_km);
    medium->line(page, PA_INK_GAP_LINE, x, PA_PLOT_TOP, x, bottom);
    medium->words(page, PA_WORDS_SMALL | PA_WORDS_HALO, PA_ANCHOR_END, x - 5, bottom - 8,
                  page->strings[PA_STRING_FARTHEST_PLACE]);
}

/* One figure of every point that has a radius, from the longest epochs to the shortest. */
static void curve(struct pa_page *page, const struct pa_plot *plot, const struct decades *scale,
                  const json_t *points, const char *member, enum pa_ink ink) {
    size_t count = json_array_size(points), drawn = 0;
    double *xy = calloc(count, 2 * sizeof *xy);
    if (xy == NULL) {
        page->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *point = json_array_get(points, i);
        double km = pa_page_number_of(point, "radius_km");
        if (!(km > 0))
            continue;
        xy[2 * drawn] = x_of(scale, km);
        xy[2 * drawn + 1] = pa_plot_y(plot, pa_page_number_of(point, member));
        page->medium->line(page, ink, xy[2 * drawn] - 3, xy[2 * drawn + 1], xy[2 * drawn] + 3,
                           xy[2 * drawn + 1]);
        drawn++;
    }
    if (drawn > 1)
        page->medium->curve(page, ink, xy, drawn);
    free(xy);
}

static void key(struct pa_page *page, enum pa_ink ink, double x, enum pa_string label) {
    page->medium->line(page, ink, x, 8, x + 24, 8);
    page->medium->words(page, PA_WORDS_SMALL, PA_ANCHOR_START, x + 30, 12, page->strings[label]);
}

void pa_chart_radius(struct pa_page *page) {
    const json_t *points = pa_page_part_of(page, "radius");
    struct decades scale = {12, -6};
    struct pa_plot plot = {1, 0};
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        double km = pa_page_number_of(point, "radius_km");
        if (!(km > 0))
            continue;
        scale.least = fmin(scale.least, floor(log10(km)));
        scale.most = fmax(scale.most, ceil(log10(km)));
        plot.most_y = fmax(plot.most_y, pa_page_number_of(point, "rate_pflops"));
    }
    if (scale.least >= scale.most)
        return; /* no epoch was closed */
    char unit[16];
    double factor = pa_page_rate_unit(page, plot.most_y, unit);
    plot.most_y = plot.most_y > 0 ? plot.most_y * 1.08 : 1;
    page->medium->drawing(page, PA_PLOT_TOP + PA_PLOT_HEIGHT + 40, page->strings[PA_STRING_RADIUS]);
    pa_plot_y_axis(page, &plot, factor, unit);
    distance_axis(page, &scale);
    curve(page, &plot, &scale, points, "rate_pflops", PA_INK_ALGBW);
    curve(page, &plot, &scale, points, "verified_pflops", PA_INK_BUSBW);
    key(page, PA_INK_BUSBW, PA_PLOT_LEFT + 80, PA_STRING_RATE_AT_LEAST);
    key(page, PA_INK_ALGBW, PA_PLOT_LEFT + 300, PA_STRING_RATE);
    page->medium->drawing_end(page);
}
