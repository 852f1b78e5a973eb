/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct log_scale {
    double least, most; /* powers of two */
};

static double x_of(const struct log_scale *scale, double power) {
    double span = scale->most - scale->least;
    return span > 0 ? PA_PLOT_LEFT + PA_PLOT_WIDTH * (power - scale->least) / span
                    : PA_PLOT_LEFT + PA_PLOT_WIDTH / 2.0;
}

static double power_of(const json_t *run) {
    uint64_t bytes = pa_page_count_of(run, "bytes");
    return log2((double)(bytes > 0 ? bytes : 1));
}

/* 8 as "8 B", 1 << 20 as "1 MiB". */
static void size_text(char out[PA_FIGURE_BYTES], double bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++)
        bytes /= 1024;
    char number[PA_FIGURE_BYTES];
    pa_fixed_text(number, bytes, 0);
    snprintf(out, PA_FIGURE_BYTES, "%.40s %s", number, units[unit]);
}

static void size_axis(struct pa_page *page, const struct log_scale *scale) {
    const struct pa_medium *medium = page->medium;
    const double bottom = PA_PLOT_TOP + PA_PLOT_HEIGHT;
    char text[PA_FIGURE_BYTES];
    int jump = (int)ceil((scale->most - scale->least) / 9);
    for (int i = (int)scale->least; i <= (int)scale->most; i += jump < 1 ? 1 : jump) {
        double x = x_of(scale, i);
        size_text(text, ldexp(1, i));
        medium->line(page, PA_INK_AXIS, x, bottom, x, bottom + 4);
        medium->words(page, PA_WORDS_SMALL | PA_WORDS_DIM, PA_ANCHOR_MIDDLE, x, bottom + 16, text);
    }
    medium->line(page, PA_INK_AXIS, PA_PLOT_LEFT, bottom, PA_PLOT_LEFT + PA_PLOT_WIDTH, bottom);
}

static void curve(struct pa_page *page, const struct pa_plot *plot, const struct log_scale *scale,
                  const json_t *runs, const char *member, enum pa_ink ink) {
    size_t count = json_array_size(runs);
    double *xy = calloc(count, 2 * sizeof *xy);
    if (xy == NULL) {
        page->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *run = json_array_get(runs, i);
        xy[2 * i] = x_of(scale, power_of(run));
        xy[2 * i + 1] = pa_plot_y(plot, pa_page_number_of(run, member));
    }
    page->medium->curve(page, ink, xy, count);
    free(xy);
}

static void key(struct pa_page *page, enum pa_ink ink, double x, enum pa_string label) {
    page->medium->line(page, ink, x, 8, x + 24, 8);
    page->medium->words(page, PA_WORDS_SMALL, PA_ANCHOR_START, x + 30, 12, page->strings[label]);
}

void pa_chart_allreduce(struct pa_page *page) {
    const json_t *runs = pa_page_part_of(page, "allreduce");
    struct log_scale scale = {62, 0};
    struct pa_plot plot = {1, 0};
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        double bus = pa_page_number_of(run, "busbw_gbs"), alg = pa_page_number_of(run, "algbw_gbs");
        scale.least = fmin(scale.least, floor(power_of(run)));
        scale.most = fmax(scale.most, power_of(run));
        plot.most_y = fmax(plot.most_y, fmax(bus, alg));
    }
    plot.most_y = plot.most_y > 0 ? plot.most_y * 1.08 : 1;
    page->medium->drawing(page, PA_PLOT_TOP + PA_PLOT_HEIGHT + 24,
                          page->strings[PA_STRING_ALLREDUCE]);
    pa_plot_y_axis(page, &plot, 1, "GB/s");
    size_axis(page, &scale);
    curve(page, &plot, &scale, runs, "algbw_gbs", PA_INK_ALGBW);
    curve(page, &plot, &scale, runs, "busbw_gbs", PA_INK_BUSBW);
    key(page, PA_INK_BUSBW, PA_PLOT_LEFT + 80, PA_STRING_BUSBW);
    key(page, PA_INK_ALGBW, PA_PLOT_LEFT + 220, PA_STRING_ALGBW);
    page->medium->drawing_end(page);
}
