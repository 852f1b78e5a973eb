/* SPDX-License-Identifier: Apache-2.0 */
/* Power over the very window of the work, and what it is worth: the load, its level, PUE, green. */
#include "report/chart.h"
#include "report/phrase.h"
#include "report/sections.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "12.3 ± 0.4 kW"; nothing for NaN. */
static void watt_text(char out[2 * PA_FIGURE_BYTES], double watts, double u) {
    static const struct {
        const char *unit;
        double least;
    } units[] = {{"MW", 1e6}, {"kW", 1e3}, {"W", 0}};
    char value[PA_FIGURE_BYTES], spread[PA_FIGURE_BYTES];
    size_t i = 0;
    while (i < 2 && !(fabs(watts) >= units[i].least))
        i++;
    double scale = i < 2 ? units[i].least : 1;
    out[0] = '\0';
    if (!isfinite(watts))
        return;
    if (u > 0 && isfinite(u)) {
        int decimals = pa_decimals_for(u / scale, 2);
        pa_fixed_text(value, watts / scale, decimals);
        pa_fixed_text(spread, u / scale, decimals);
        snprintf(out, 2 * PA_FIGURE_BYTES, "%.30s \xc2\xb1 %.30s %s", value, spread, units[i].unit);
    } else {
        pa_figure_of(value, watts / scale);
        snprintf(out, 2 * PA_FIGURE_BYTES, "%.40s %s", value, units[i].unit);
    }
}

static void put_row(struct pa_page *page, enum pa_string label, const char *text) {
    if (text[0] == '\0')
        return;
    pa_page_say(page, label);
    pa_page_cell(page);
    pa_page_cell_text(page, text);
    pa_page_row_end(page);
}

static void put_watts(struct pa_page *page, enum pa_string label, const json_t *power,
                      const char *name, const char *u_name) {
    char text[2 * PA_FIGURE_BYTES];
    watt_text(text, pa_page_number_of(power, name),
              u_name == NULL ? 0 : pa_page_number_of(power, u_name));
    put_row(page, label, text);
}

static void put_figure(struct pa_page *page, enum pa_string label, double value, const char *unit) {
    char figure[PA_FIGURE_BYTES], text[2 * PA_FIGURE_BYTES];
    if (!isfinite(value))
        return;
    pa_figure_of(figure, value);
    snprintf(text, sizeof text, "%s%s", figure, unit);
    put_row(page, label, text);
}

/* The level that the data supports, and why not a better one. */
static void put_level(struct pa_page *page, const json_t *power) {
    const char *level = pa_page_text_of(power, "level");
    pa_page_say(page, PA_STRING_POWER_LEVEL);
    pa_page_cell(page);
    pa_page_mark(page, "<b>");
    if (strcmp(level, "none") == 0)
        pa_page_say(page, PA_STRING_POWER_NO_LEVEL);
    else
        pa_page_say(page, PA_STRING_POWER_LEVEL_N, level);
    pa_page_mark(page, "</b>");
    if (pa_page_text_of(power, "level_reason")[0] != '\0') {
        pa_page_mark(page, "\n");
        pa_page_phrase(page, pa_page_text_of(power, "level_reason"));
    }
    pa_page_cell(page);
    pa_page_row_end(page);
}

static void put_pue(struct pa_page *page, const json_t *power) {
    double pue = pa_page_number_of(power, "pue"), u = pa_page_number_of(power, "pue_u");
    char value[PA_FIGURE_BYTES], spread[PA_FIGURE_BYTES], text[3 * PA_FIGURE_BYTES];
    if (!isfinite(pue))
        return;
    pa_fixed_text(value, pue, 3);
    pa_fixed_text(spread, u, 3);
    snprintf(text, sizeof text, isfinite(u) ? "%s \xc2\xb1 %s" : "%s", value, spread);
    put_row(page, PA_STRING_PUE, text);
}

static void put_figures(struct pa_page *page, const json_t *power) {
    static const struct pa_column columns[] = {{PA_STRING_QUANTITY, false},
                                               {PA_STRING_VALUE, false}};
    char text[PA_FIGURE_BYTES];
    pa_page_table(page, columns, 2);
    put_watts(page,
              pa_page_is(power, "scope", "facility") ? PA_STRING_POWER_FACILITY
                                                     : PA_STRING_POWER_IT,
              power, "watts", "watts_u");
    put_figure(page, PA_STRING_ENERGY, pa_page_number_of(power, "energy_kwh"), " kWh");
    put_figure(page, PA_STRING_PFLOPS_PER_MW, pa_page_number_of(power, "pflops_per_mw"), "");
    put_level(page, power);
    put_pue(page, power);
    put_watts(page, PA_STRING_POWER_PV, power, "pv_w", NULL);
    put_watts(page, PA_STRING_POWER_WIND, power, "wind_w", NULL);
    pa_share_text(text, pa_page_number_of(power, "green_share"));
    put_row(page, PA_STRING_GREEN_SHARE,
            isfinite(pa_page_number_of(power, "green_share")) ? text : "");
    pa_page_table_end(page);
}

/* Granted, generated, and the load that both are meant for: one beside the other. */
static void put_green(struct pa_page *page, const json_t *power) {
    static const struct pa_column columns[] = {
        {PA_STRING_GRANTED_MW, true}, {PA_STRING_GENERATED_MW, true}, {PA_STRING_LOAD_MW, true}};
    double figures[] = {pa_page_number_of(pa_page_part_of(page, "entitlement"), "granted_mw") * 1e6,
                        pa_page_number_of(power, "generated_w"),
                        pa_page_number_of(power, "load_w")};
    if (!isfinite(figures[1]))
        return;
    pa_page_block_say(page, PA_BLOCK_SUBHEAD, PA_STRING_GREEN);
    pa_page_table(page, columns, 3);
    for (size_t i = 0; i < 3; i++) {
        char text[2 * PA_FIGURE_BYTES];
        watt_text(text, figures[i],
                  i == 1 ? pa_page_number_of(power, "generated_w_u") : (double)NAN);
        pa_page_cell_text(page, text[0] == '\0' ? page->strings[PA_STRING_NOT_KNOWN] : text);
    }
    pa_page_row_end(page);
    pa_page_table_end(page);
}

static void put_meter(struct pa_page *page, const json_t *meter) {
    char text[2 * PA_FIGURE_BYTES], number[PA_FIGURE_BYTES];
    double class_percent = pa_page_number_of(meter, "class_percent");
    pa_page_phrase(page, pa_page_text_of(meter, "role"));
    pa_page_cell(page);
    pa_page_text(page, pa_page_text_of(meter, "source"));
    pa_page_mark(page, " ");
    pa_page_text_cut(page, pa_page_text_of(meter, "name"), PA_NAME_MOST);
    if (pa_page_text_of(meter, "trouble")[0] != '\0') {
        pa_page_mark(page, "\n<b>!</b> ");
        pa_page_phrase(page, pa_page_text_of(meter, "trouble"));
    }
    pa_page_cell(page);
    pa_figure_of(number, class_percent);
    pa_page_text(page, isfinite(class_percent) ? number : page->strings[PA_STRING_NOT_KNOWN]);
    pa_page_cell(page);
    pa_page_cell_count(page, pa_page_count_of(meter, "readings"));
    pa_page_cell_count(page, pa_page_count_of(meter, "failures"));
    pa_page_cell_figure(page, pa_page_number_of(meter, "interval_s"));
    pa_page_cell_figure(page, pa_page_number_of(meter, "covered_s"));
    pa_page_cell_figure(page, pa_page_number_of(meter, "longest_gap_s"));
    watt_text(text, pa_page_number_of(meter, "watts"), pa_page_number_of(meter, "watts_u"));
    pa_page_cell_text(page, text);
    pa_page_row_end(page);
}

static void put_meters(struct pa_page *page, const json_t *meters) {
    static const struct pa_column columns[] = {
        {PA_STRING_ROLE, false},    {PA_STRING_METER, false},      {PA_STRING_METER_CLASS, true},
        {PA_STRING_READINGS, true}, {PA_STRING_FAILURES, true},    {PA_STRING_INTERVAL, true},
        {PA_STRING_COVERED, true},  {PA_STRING_LONGEST_GAP, true}, {PA_STRING_MEAN, true}};
    size_t total = json_array_size(meters);
    if (total == 0)
        return;
    pa_page_block_say(page, PA_BLOCK_SUBHEAD, PA_STRING_METERS);
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < total && i < PA_LIST_MOST; i++)
        put_meter(page, json_array_get(meters, i));
    pa_page_table_end(page);
    pa_page_more_rows(page, total, PA_LIST_MOST);
}

void pa_section_power(struct pa_page *page) {
    const json_t *power = pa_page_part_of(page, "power");
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_POWER);
    if (pa_page_is(power, "source", "none")) {
        pa_page_block_say(page, PA_BLOCK_PLAIN, PA_STRING_POWER_NOT_METERED);
    } else {
        pa_chart_power(page);
        if (pa_page_truth_of(power, "is_component"))
            pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_POWER_IS_COMPONENT);
        put_figures(page, power);
        put_green(page, power);
        put_meters(page, json_object_get(power, "meters"));
    }
    pa_page_end(page, PA_PART_SECTION);
}
