/* SPDX-License-Identifier: Apache-2.0 */
/* The other sections: rate, all-reduce, epochs, uncertainty, findings, rule. */
#include "report/chart.h"
#include "report/sections.h"

#include <stdio.h>
#include <string.h>

enum { MOST_EPOCH_ROWS = 200 };

static void begin(struct pa_page *page, enum pa_string heading) {
    pa_page_raw(page, "<section>");
    pa_page_heading(page, heading);
}

static void end(struct pa_page *page) {
    pa_page_raw(page, "</section>\n");
}

static void open_table(struct pa_page *page, const enum pa_string *heads, size_t count) {
    pa_page_raw(page, "<div class=\"scroll\"><table>");
    pa_page_row_head(page, heads, count);
}

static void close_table(struct pa_page *page) {
    pa_page_raw(page, "</tbody></table></div>\n");
}

static void put_figure_cell(struct pa_page *page, double value) {
    char text[PA_FIGURE_BYTES];
    pa_page_figure_text(text, value);
    pa_page_cell(page, text, true);
}

static void put_count_cell(struct pa_page *page, uint64_t value) {
    char text[PA_FIGURE_BYTES];
    pa_page_count_text(text, value);
    pa_page_cell(page, text, true);
}

void pa_section_rate(struct pa_page *page) {
    begin(page, PA_STRING_RATE_OVER_TIME);
    pa_chart_rate(page);
    end(page);
}

void pa_section_allreduce(struct pa_page *page) {
    static const enum pa_string heads[] = {PA_STRING_BYTES, PA_STRING_RANKS, PA_STRING_ALGBW,
                                           PA_STRING_BUSBW, PA_STRING_RESULT};
    const json_t *runs = pa_page_part_of(page, "allreduce");
    begin(page, PA_STRING_ALLREDUCE);
    if (json_array_size(runs) == 0) {
        pa_page_raw(page, "<p>");
        pa_page_say(page, PA_STRING_NO_ALLREDUCE);
        pa_page_raw(page, "</p>");
        end(page);
        return;
    }
    pa_chart_allreduce(page);
    pa_page_raw(page, "<p class=\"caption\">");
    pa_page_say(page, PA_STRING_ALLREDUCE_CAPTION);
    pa_page_raw(page, "</p>");
    open_table(page, heads, sizeof heads / sizeof heads[0]);
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        bool is_right = pa_page_truth_of(run, "verified");
        pa_page_raw(page, "<tr>");
        put_count_cell(page, pa_page_count_of(run, "bytes"));
        put_count_cell(page, pa_page_count_of(run, "ranks"));
        put_figure_cell(page, pa_page_number_of(run, "algbw_gbs"));
        put_figure_cell(page, pa_page_number_of(run, "busbw_gbs"));
        pa_page_raw(page, is_right ? "<td>" : "<td class=\"bad\">");
        pa_page_say(page, is_right ? PA_STRING_RESULT_RIGHT : PA_STRING_RESULT_WRONG);
        pa_page_raw(page, "</td></tr>\n");
    }
    close_table(page);
    end(page);
}

static void put_alarm(struct pa_page *page, enum pa_string id, const char *text) {
    if (text[0] == '\0')
        return;
    pa_page_raw(page, "<p class=\"alarm\">");
    pa_page_say(page, id, text);
    pa_page_raw(page, "</p>\n");
}

static void put_epoch(struct pa_page *page, const json_t *epoch) {
    char text[PA_FIGURE_BYTES];
    pa_page_raw(page, "<tr>");
    put_count_cell(page, pa_page_count_of(epoch, "number"));
    pa_page_cell(page, pa_page_text_of(epoch, "state"), false);
    pa_page_cell(page, pa_page_text_of(epoch, "t0_utc"), true);
    put_figure_cell(page, pa_page_number_of(epoch, "seconds"));
    pa_page_rate_text(page, text, pa_page_number_of(epoch, "pflops"));
    pa_page_cell(page, text, true);
    put_count_cell(page, pa_page_count_of(epoch, "drawn"));
    put_count_cell(page, pa_page_count_of(epoch, "failed"));
    put_count_cell(page, pa_page_count_of(epoch, "missing"));
    put_figure_cell(page, pa_page_number_of(epoch, "gap_s"));
    pa_page_raw(page, "</tr>\n");
}

void pa_section_epochs(struct pa_page *page) {
    static const enum pa_string heads[] = {
        PA_STRING_NUMBER, PA_STRING_STATE,  PA_STRING_BEGAN,   PA_STRING_SECONDS,   PA_STRING_RATE,
        PA_STRING_DRAWN,  PA_STRING_FAILED, PA_STRING_MISSING, PA_STRING_GAP_BEFORE};
    const json_t *epochs = pa_page_part_of(page, "epochs");
    begin(page, PA_STRING_EPOCHS);
    put_alarm(page, PA_STRING_BROKEN, pa_page_text_of(pa_page_part_of(page, "session"), "broken"));
    put_alarm(page, PA_STRING_FIRST_FAILURE,
              pa_page_text_of(pa_page_part_of(page, "openings"), "first_failure"));
    put_alarm(page, PA_STRING_TEST_BUILD,
              pa_page_text_of(pa_page_part_of(page, "session"), "test_build"));
    open_table(page, heads, sizeof heads / sizeof heads[0]);
    for (size_t i = 0; i < json_array_size(epochs) && i < MOST_EPOCH_ROWS; i++)
        put_epoch(page, json_array_get(epochs, i));
    close_table(page);
    uint64_t total = pa_page_count_of(page->predicate, "epoch_count");
    if (total > MOST_EPOCH_ROWS) {
        char more[PA_FIGURE_BYTES];
        pa_page_count_text(more, total - MOST_EPOCH_ROWS);
        pa_page_raw(page, "<p class=\"caption\">");
        pa_page_say(page, PA_STRING_MORE_ROWS, more);
        pa_page_raw(page, "</p>");
    }
    end(page);
}

static void put_quantity(struct pa_page *page, enum pa_string id, const char *text) {
    pa_page_raw(page, "<tr><td>");
    pa_page_say(page, id);
    pa_page_raw(page, "</td>");
    pa_page_cell(page, text, true);
    pa_page_raw(page, "</tr>\n");
}

static void put_quantity_figure(struct pa_page *page, enum pa_string id, double value) {
    char text[PA_FIGURE_BYTES];
    pa_page_figure_text(text, value);
    put_quantity(page, id, text);
}

static void put_quantity_rate(struct pa_page *page, enum pa_string id, double value, double u) {
    char text[PA_FIGURE_BYTES];
    pa_page_rate_u_text(page, text, value, u);
    put_quantity(page, id, text);
}

void pa_section_uncertainty(struct pa_page *page) {
    static const enum pa_string heads[] = {PA_STRING_QUANTITY, PA_STRING_VALUE};
    const json_t *verified = pa_page_part_of(page, "verified"),
                 *judged = pa_page_part_of(page, "judged");
    char text[2 * PA_FIGURE_BYTES], gap[PA_FIGURE_BYTES];
    begin(page, PA_STRING_UNCERTAINTY);
    pa_page_raw(page, "<p>");
    pa_page_say(page, PA_STRING_UNCERTAINTY_TEXT);
    pa_page_raw(page, "</p>");
    open_table(page, heads, 2);
    put_quantity_figure(page, PA_STRING_Q_OPERATIONS, pa_page_number_of(verified, "operations"));
    put_quantity_figure(page, PA_STRING_Q_SECONDS, pa_page_number_of(verified, "seconds"));
    put_quantity_rate(page, PA_STRING_Q_RATE, pa_page_number_of(verified, "rate_pflops"), 0);
    put_quantity_figure(page, PA_STRING_Q_N_EFFECTIVE, pa_page_number_of(verified, "n_effective"));
    put_quantity_figure(page, PA_STRING_Q_ALPHA, pa_page_number_of(verified, "alpha_r"));
    pa_page_share_text(text, pa_page_number_of(verified, "honest_fraction_lower"));
    put_quantity(page, PA_STRING_Q_HONEST, text);
    put_quantity(page, PA_STRING_CONFIDENCE, pa_page_text_of(verified, "confidence_text"));
    put_quantity_rate(page, PA_STRING_Q_VERIFIED, pa_page_number_of(verified, "pflops"), 0);
    put_quantity_rate(page, PA_STRING_Q_U, pa_page_number_of(verified, "u"), 0);
    put_quantity_rate(page, PA_STRING_Q_JUDGED, pa_page_number_of(judged, "pflops"),
                      pa_page_number_of(judged, "u"));
    put_quantity_figure(page, PA_STRING_SUBSTITUTION,
                        pa_page_number_of(verified, "substitution_bound"));
    pa_page_fixed_text(gap, pa_page_number_of(verified, "gap_s"), 1);
    snprintf(text, sizeof text, "%llu, %s", (unsigned long long)pa_page_count_of(verified, "gaps"),
             gap);
    put_quantity(page, PA_STRING_Q_GAPS, text);
    put_quantity_figure(page, PA_STRING_Q_CLOCK_STEP,
                        pa_page_number_of(pa_page_part_of(page, "session"), "clock_step_s"));
    close_table(page);
    end(page);
}

void pa_section_findings(struct pa_page *page) {
    static const enum pa_string heads[] = {PA_STRING_SEVERITY, PA_STRING_CODE, PA_STRING_TEXT};
    const json_t *findings = pa_page_part_of(page, "findings");
    begin(page, PA_STRING_FINDINGS);
    if (json_array_size(findings) == 0) {
        pa_page_raw(page, "<p>");
        pa_page_say(page, PA_STRING_NO_FINDINGS);
        pa_page_raw(page, "</p>");
        end(page);
        return;
    }
    open_table(page, heads, 3);
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        pa_page_raw(page, "<tr><td><span class=\"sev ");
        pa_page_text(page, pa_page_text_of(finding, "severity"));
        pa_page_raw(page, "\"></span>");
        pa_page_text(page, pa_page_text_of(finding, "severity"));
        pa_page_raw(page, "</td>");
        pa_page_cell(page, pa_page_text_of(finding, "code"), false);
        pa_page_cell(page, pa_page_text_of(finding, "text"), false);
        pa_page_raw(page, "</tr>\n");
    }
    close_table(page);
    end(page);
}

/* One row for each plain member of `part`: their names are those of the signed statement. */
static void put_members(struct pa_page *page, const char *part, const char *const *names) {
    for (; *names != NULL; names++) {
        const json_t *value = json_object_get(pa_page_part_of(page, part), *names);
        char number[PA_FIGURE_BYTES];
        const char *text = json_string_value(value);
        if (json_is_integer(value)) {
            pa_page_count_text(number, pa_page_count_of(pa_page_part_of(page, part), *names));
            text = number;
        }
        if (text == NULL)
            text = json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "";
        pa_page_raw(page, "<tr><td>");
        pa_page_text(page, part);
        pa_page_raw(page, ".");
        pa_page_text(page, *names);
        pa_page_raw(page, "</td>");
        pa_page_cell(page, text, false);
        pa_page_raw(page, "</tr>\n");
    }
}

void pa_section_rule(struct pa_page *page) {
    static const enum pa_string heads[] = {PA_STRING_PARAMETER, PA_STRING_VALUE};
    static const char *const policy[] = {"name",
                                         "title",
                                         "source",
                                         "basis",
                                         "acceptance",
                                         "k",
                                         "entitlement_mw",
                                         "entitlement_per_pflops",
                                         "rounding",
                                         "window_s",
                                         "epoch_s",
                                         "alpha",
                                         "openings",
                                         "interruptions",
                                         "longest_gap_s",
                                         "inflation",
                                         "assurance",
                                         "sha256",
                                         NULL};
    static const char *const claim[] = {"value", "unit", "precision", "basis", "text_sha256", NULL};
    static const char *const session[] = {
        "hash",           "serial",        "class",       "k",         "epochs",
        "openings",       "records",       "is_finished", "begun_utc", "ended_utc",
        "witness_key_id", "prover_key_id", NULL};
    static const char *const tool[] = {"version", "commit", "sha256", NULL};
    begin(page, PA_STRING_RULE);
    if (!pa_page_truth_of(pa_page_part_of(page, "claim"), "is_declared") ||
        !pa_page_truth_of(pa_page_part_of(page, "policy"), "is_declared")) {
        pa_page_raw(page, "<p class=\"alarm\">");
        pa_page_say(page, PA_STRING_RULE_REJUDGED);
        pa_page_raw(page, "</p>");
    }
    open_table(page, heads, 2);
    put_members(page, "claim", claim);
    put_members(page, "policy", policy);
    close_table(page);
    end(page);
    begin(page, PA_STRING_EVIDENCE);
    open_table(page, heads, 2);
    put_members(page, "session", session);
    put_members(page, "tool", tool);
    close_table(page);
    end(page);
}
