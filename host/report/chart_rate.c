/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>

/* Words of an epoch's state stand in it when it is at least so wide. */
enum { WORD_WIDTH = 40 };

static void draw_epochs(struct pa_page *page, const struct pa_plot *plot, const json_t *epochs) {
    const struct pa_medium *medium = page->medium;
    const double bottom = PA_PLOT_TOP + PA_PLOT_HEIGHT;
    double at = 0;
    for (size_t i = 0; i < json_array_size(epochs); i++) {
        const json_t *epoch = json_array_get(epochs, i);
        double seconds = pa_page_number_of(epoch, "seconds"),
               rate = pa_page_number_of(epoch, "pflops");
        double x = pa_plot_x(plot, at), width = PA_PLOT_WIDTH * seconds / plot->most_x;
        double gap = width > 4 ? 1.2 : width * 0.15; /* so that epochs can be counted */
        at += seconds;
        if (pa_page_is(epoch, "state", "aborted")) {
            medium->rect(page, PA_INK_OVER, x, PA_PLOT_TOP, width - gap, PA_PLOT_HEIGHT);
            if (width > WORD_WIDTH)
                medium->words(page, PA_WORDS_SMALL | PA_WORDS_CLAIM, PA_ANCHOR_MIDDLE,
                              x + width / 2, PA_PLOT_TOP + 14, page->strings[PA_STRING_ABORTED]);
            continue;
        }
        double y = pa_plot_y(plot, rate);
        medium->rect(page, PA_INK_EPOCH, x, y, width - gap, bottom - y);
        if (pa_page_number_of(epoch, "gap_s") > 0)
            medium->line(page, PA_INK_GAP_LINE, x, PA_PLOT_TOP, x, bottom);
    }
}

void pa_chart_rate(struct pa_page *page) {
    const struct pa_medium *medium = page->medium;
    const json_t *epochs = pa_page_part_of(page, "epochs");
    double verified = pa_page_number_of(pa_page_part_of(page, "verified"), "pflops");
    struct pa_plot plot = {0, verified};
    for (size_t i = 0; i < json_array_size(epochs); i++) {
        const json_t *epoch = json_array_get(epochs, i);
        plot.most_x += pa_page_number_of(epoch, "seconds");
        double rate = pa_page_number_of(epoch, "pflops");
        plot.most_y = rate > plot.most_y ? rate : plot.most_y;
    }
    if (!(plot.most_x > 0) || !isfinite(plot.most_x)) {
        pa_page_block_say(page, PA_BLOCK_PLAIN, PA_STRING_NO_EPOCHS);
        return;
    }
    char unit[16], line[PA_FIGURE_BYTES], text[3 * PA_FIGURE_BYTES];
    double factor = pa_page_rate_unit(page, plot.most_y, unit);
    plot.most_y = plot.most_y > 0 ? plot.most_y * 1.08 : 1;
    medium->drawing(page, PA_PLOT_TOP + PA_PLOT_HEIGHT + 40,
                    page->strings[PA_STRING_RATE_OVER_TIME]);
    pa_plot_y_axis(page, &plot, factor, unit);
    pa_plot_x_axis(page, &plot, PA_STRING_SECONDS_AXIS);
    draw_epochs(page, &plot, epochs);
    pa_page_rate_text(page, line, verified);
    pa_page_plain(page, text, sizeof text, PA_STRING_VERIFIED_LINE, line);
    double y = pa_plot_y(&plot, verified);
    medium->line(page, PA_INK_VERIFIED_LINE, PA_PLOT_LEFT, y, PA_PLOT_LEFT + PA_PLOT_WIDTH, y);
    medium->words(page, PA_WORDS_SMALL | PA_WORDS_HALO | PA_WORDS_STRONG, PA_ANCHOR_END,
                  PA_PLOT_LEFT + PA_PLOT_WIDTH - 4, y + 14, text);
    medium->drawing_end(page);
    pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_RATE_CAPTION);
}
