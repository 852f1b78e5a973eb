/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>
#include <string.h>

/* The plot area inside a drawing of 660 x 230. */
enum { LEFT = 62, TOP = 22, WIDTH = 580, HEIGHT = 160 };

struct scale {
    double seconds, most; /* of the axes */
};

static double x_of(const struct scale *scale, double seconds) {
    return LEFT + WIDTH * seconds / scale->seconds;
}

static double y_of(const struct scale *scale, double value) {
    return TOP + HEIGHT * (1 - value / scale->most);
}

static void axes(struct pa_page *page, const struct scale *scale, double factor, const char *unit) {
    char text[PA_FIGURE_BYTES];
    double step = pa_tick_step(scale->most * factor, 5);
    for (int i = 0; i * step <= scale->most * factor * 1.0001 && i < 12; i++) {
        double y = y_of(scale, i * step / factor);
        pa_svg_line(page, "grid", LEFT, y, LEFT + WIDTH, y);
        pa_page_fixed_text(text, i * step, step < 0.01 ? 4 : step < 0.1 ? 2 : step < 1 ? 1 : 0);
        pa_svg_text(page, "small dim", "end", LEFT - 7, y + 3.5, text);
    }
    pa_svg_text(page, "small dim", "start", LEFT, 12, unit);
    double seconds = pa_tick_step(scale->seconds, 8);
    for (int i = 0; i * seconds <= scale->seconds * 1.0001 && i < 14; i++) {
        double x = x_of(scale, i * seconds);
        pa_svg_line(page, "axis", x, TOP + HEIGHT, x, TOP + HEIGHT + 4);
        pa_page_fixed_text(text, i * seconds, seconds < 1 ? 1 : 0);
        pa_svg_text(page, "small dim", "middle", x, TOP + HEIGHT + 16, text);
    }
    pa_svg_line(page, "axis", LEFT, TOP + HEIGHT, LEFT + WIDTH, TOP + HEIGHT);
    pa_svg_text(page, "small dim", "middle", LEFT + WIDTH / 2.0, TOP + HEIGHT + 34,
                page->strings[PA_STRING_SECONDS_AXIS]);
}

static void draw_epochs(struct pa_page *page, const struct scale *scale, const json_t *epochs) {
    double at = 0;
    for (size_t i = 0; i < json_array_size(epochs); i++) {
        const json_t *epoch = json_array_get(epochs, i);
        double seconds = pa_page_number_of(epoch, "seconds"),
               rate = pa_page_number_of(epoch, "pflops");
        double x = x_of(scale, at), width = WIDTH * seconds / scale->seconds;
        double gap = width > 4 ? 1.2 : width * 0.15; /* so that epochs can be counted */
        at += seconds;
        if (strcmp(pa_page_text_of(epoch, "state"), "aborted") == 0) {
            pa_svg_rect(page, "over", x, TOP, width - gap, HEIGHT);
            if (width > 40)
                pa_svg_text(page, "small claimword", "middle", x + width / 2, TOP + 14,
                            page->strings[PA_STRING_ABORTED]);
            continue;
        }
        double y = y_of(scale, rate);
        pa_svg_rect(page, "epoch", x, y, width - gap, TOP + HEIGHT - y);
        if (pa_page_number_of(epoch, "gap_s") > 0)
            pa_svg_line(page, "gapline", x, TOP, x, TOP + HEIGHT);
    }
}

void pa_chart_rate(struct pa_page *page) {
    const json_t *epochs = pa_page_part_of(page, "epochs");
    double verified = pa_page_number_of(pa_page_part_of(page, "verified"), "pflops");
    struct scale scale = {0, verified};
    for (size_t i = 0; i < json_array_size(epochs); i++) {
        const json_t *epoch = json_array_get(epochs, i);
        scale.seconds += pa_page_number_of(epoch, "seconds");
        double rate = pa_page_number_of(epoch, "pflops");
        scale.most = rate > scale.most ? rate : scale.most;
    }
    if (!(scale.seconds > 0) || !isfinite(scale.seconds)) {
        pa_page_raw(page, "<p>");
        pa_page_say(page, PA_STRING_NO_EPOCHS);
        pa_page_raw(page, "</p>");
        return;
    }
    char unit[16], line[PA_FIGURE_BYTES], text[2 * PA_FIGURE_BYTES];
    double factor = pa_page_rate_unit(page, scale.most, unit);
    scale.most = scale.most > 0 ? scale.most * 1.08 : 1;
    pa_page_raw(page, "<svg viewBox=\"0 0 660 222\" width=\"100%\" role=\"img\" aria-label=\"");
    pa_page_raw(page, page->strings[PA_STRING_RATE_OVER_TIME]);
    pa_page_raw(page, "\">\n");
    axes(page, &scale, factor, unit);
    draw_epochs(page, &scale, epochs);
    pa_page_rate_text(page, line, verified);
    const char *form = page->strings[PA_STRING_VERIFIED_LINE], *place = strstr(form, "{0}");
    size_t before = place == NULL ? strlen(form) : (size_t)(place - form);
    text[0] = '\0';
    strncat(text, form, before < PA_FIGURE_BYTES ? before : PA_FIGURE_BYTES - 1);
    strcat(text, line);
    double y = y_of(&scale, verified);
    pa_svg_line(page, "verifiedline", LEFT, y, LEFT + WIDTH, y);
    pa_svg_text(page, "small halo strong", "end", LEFT + WIDTH - 4, y + 14, text);
    pa_page_raw(page, "</svg>\n<p class=\"caption\">");
    pa_page_say(page, PA_STRING_RATE_CAPTION);
    pa_page_raw(page, "</p>\n");
}
