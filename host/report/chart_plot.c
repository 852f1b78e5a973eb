/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>

double pa_plot_x(const struct pa_plot *plot, double x) {
    return PA_PLOT_LEFT + PA_PLOT_WIDTH * x / plot->most_x;
}

double pa_plot_y(const struct pa_plot *plot, double y) {
    return PA_PLOT_TOP + PA_PLOT_HEIGHT * (1 - y / plot->most_y);
}

double pa_tick_step(double most, int ticks) {
    static const double steps[] = {1, 2, 5, 10};
    if (!(most > 0) || !isfinite(most))
        return 1;
    double least = most / ticks, power = pow(10, floor(log10(least)));
    for (int i = 0; i < 4; i++)
        if (steps[i] * power >= least * 0.999999)
            return steps[i] * power;
    return 10 * power;
}

double pa_words_width(const char *text) {
    double width = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
        width += *p >= 0xe0                ? 12.5 /* a Chinese character and its kind */
                 : *p >= 0xc0 || *p < 0x80 ? 7.0
                                           : 0;
    return width;
}

void pa_plot_y_axis(struct pa_page *page, const struct pa_plot *plot, double factor,
                    const char *unit) {
    const struct pa_medium *medium = page->medium;
    char text[PA_FIGURE_BYTES];
    double most = plot->most_y * factor, step = pa_tick_step(most, 5);
    for (int i = 0; i * step <= most * 1.0001 && i < 12; i++) {
        double y = pa_plot_y(plot, i * step / factor);
        medium->line(page, PA_INK_GRID, PA_PLOT_LEFT, y, PA_PLOT_LEFT + PA_PLOT_WIDTH, y);
        pa_fixed_text(text, i * step, step < 0.01 ? 4 : step < 0.1 ? 2 : step < 1 ? 1 : 0);
        medium->words(page, PA_WORDS_SMALL | PA_WORDS_DIM, PA_ANCHOR_END, PA_PLOT_LEFT - 7, y + 3.5,
                      text);
    }
    medium->words(page, PA_WORDS_SMALL | PA_WORDS_DIM, PA_ANCHOR_START, PA_PLOT_LEFT, 12, unit);
}

void pa_plot_x_axis(struct pa_page *page, const struct pa_plot *plot, enum pa_string label) {
    const struct pa_medium *medium = page->medium;
    const double bottom = PA_PLOT_TOP + PA_PLOT_HEIGHT;
    char text[PA_FIGURE_BYTES];
    double step = pa_tick_step(plot->most_x, 8);
    for (int i = 0; i * step <= plot->most_x * 1.0001 && i < 14; i++) {
        double x = pa_plot_x(plot, i * step);
        medium->line(page, PA_INK_AXIS, x, bottom, x, bottom + 4);
        pa_fixed_text(text, i * step, step < 1 ? 1 : 0);
        medium->words(page, PA_WORDS_SMALL | PA_WORDS_DIM, PA_ANCHOR_MIDDLE, x, bottom + 16, text);
    }
    medium->line(page, PA_INK_AXIS, PA_PLOT_LEFT, bottom, PA_PLOT_LEFT + PA_PLOT_WIDTH, bottom);
    medium->words(page, PA_WORDS_SMALL | PA_WORDS_DIM, PA_ANCHOR_MIDDLE,
                  PA_PLOT_LEFT + PA_PLOT_WIDTH / 2.0, bottom + 33, page->strings[label]);
}
