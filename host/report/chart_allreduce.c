/* SPDX-License-Identifier: Apache-2.0 */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

enum { LEFT = 62, TOP = 22, WIDTH = 560, HEIGHT = 150 };

struct scale {
    double least_log2, most_log2, most;
};

static double x_of(const struct scale *scale, uint64_t bytes) {
    double span = scale->most_log2 - scale->least_log2;
    double position = log2((double)(bytes > 0 ? bytes : 1)) - scale->least_log2;
    return span > 0 ? LEFT + WIDTH * position / span : LEFT + WIDTH / 2.0;
}

static double y_of(const struct scale *scale, double value) {
    return TOP + HEIGHT * (1 - value / scale->most);
}

/* 8 as "8 B", 1 << 20 as "1 MiB". */
static void size_text(char out[PA_FIGURE_BYTES], double bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    int unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++)
        bytes /= 1024;
    char number[PA_FIGURE_BYTES];
    pa_page_fixed_text(number, bytes, 0);
    snprintf(out, PA_FIGURE_BYTES, "%.40s %s", number, units[unit]);
}

static void axes(struct pa_page *page, const struct scale *scale) {
    char text[PA_FIGURE_BYTES];
    double step = pa_tick_step(scale->most, 5);
    for (int i = 0; i * step <= scale->most * 1.0001 && i < 12; i++) {
        double y = y_of(scale, i * step);
        pa_svg_line(page, "grid", LEFT, y, LEFT + WIDTH, y);
        pa_page_fixed_text(text, i * step, step < 0.01 ? 4 : step < 0.1 ? 2 : step < 1 ? 1 : 0);
        pa_svg_text(page, "small dim", "end", LEFT - 7, y + 3.5, text);
    }
    pa_svg_text(page, "small dim", "start", LEFT, 12, "GB/s");
    int jump = (int)ceil((scale->most_log2 - scale->least_log2) / 9);
    for (int i = (int)scale->least_log2; i <= (int)scale->most_log2; i += jump < 1 ? 1 : jump) {
        double x = x_of(scale, UINT64_C(1) << i);
        size_text(text, ldexp(1, i));
        pa_svg_line(page, "axis", x, TOP + HEIGHT, x, TOP + HEIGHT + 4);
        pa_svg_text(page, "small dim", "middle", x, TOP + HEIGHT + 16, text);
    }
    pa_svg_line(page, "axis", LEFT, TOP + HEIGHT, LEFT + WIDTH, TOP + HEIGHT);
}

static void curve(struct pa_page *page, const struct scale *scale, const json_t *runs,
                  const char *member, const char *class) {
    pa_page_raw(page, "<polyline class=\"");
    pa_page_raw(page, class);
    pa_page_raw(page, "\" points=\"");
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        pa_page_fixed(page, x_of(scale, pa_page_count_of(run, "bytes")), 1);
        pa_page_raw(page, ",");
        pa_page_fixed(page, y_of(scale, pa_page_number_of(run, member)), 1);
        pa_page_raw(page, " ");
    }
    pa_page_raw(page, "\"/>\n");
}

void pa_chart_allreduce(struct pa_page *page) {
    const json_t *runs = pa_page_part_of(page, "allreduce");
    struct scale scale = {64, 0, 0};
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        double size = log2(fmax(1, (double)pa_page_count_of(run, "bytes")));
        double bus = pa_page_number_of(run, "busbw_gbs"), alg = pa_page_number_of(run, "algbw_gbs");
        scale.least_log2 = fmin(scale.least_log2, floor(size));
        scale.most_log2 = fmax(scale.most_log2, size > 60 ? 60 : size);
        scale.most = fmax(scale.most, fmax(bus, alg));
    }
    if (!(scale.most > 0))
        scale.most = 1;
    scale.most *= 1.08;
    pa_page_raw(page, "<svg viewBox=\"0 0 660 196\" width=\"100%\" role=\"img\" aria-label=\"");
    pa_page_raw(page, page->strings[PA_STRING_ALLREDUCE]);
    pa_page_raw(page, "\">\n");
    axes(page, &scale);
    curve(page, &scale, runs, "algbw_gbs", "algbw");
    curve(page, &scale, runs, "busbw_gbs", "busbw");
    pa_svg_line(page, "busbw", LEFT + 80, 8, LEFT + 104, 8);
    pa_svg_text(page, "small", "start", LEFT + 110, 12, page->strings[PA_STRING_BUSBW]);
    pa_svg_line(page, "algbw", LEFT + 220, 8, LEFT + 244, 8);
    pa_svg_text(page, "small", "start", LEFT + 250, 12, page->strings[PA_STRING_ALGBW]);
    pa_page_raw(page, "</svg>\n");
}
