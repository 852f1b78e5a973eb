/* SPDX-License-Identifier: Apache-2.0 */
/* The run itself: rate over time, all-reduce, epochs. */
#include "report/chart.h"
#include "report/phrase.h"
#include "report/sections.h"

#include <string.h>

enum { MOST_EPOCH_ROWS = 200, MOST_ALLREDUCE_ROWS = 100 };

void pa_section_rate(struct pa_page *page) {
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_RATE_OVER_TIME);
    pa_chart_rate(page);
    pa_page_end(page, PA_PART_SECTION);
}

static void put_allreduce(struct pa_page *page, const json_t *runs) {
    static const struct pa_column columns[] = {{PA_STRING_BYTES, true},
                                               {PA_STRING_RANKS, true},
                                               {PA_STRING_ALGBW, true},
                                               {PA_STRING_BUSBW, true},
                                               {PA_STRING_RESULT, false}};
    size_t total = json_array_size(runs);
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < total && i < MOST_ALLREDUCE_ROWS; i++) {
        const json_t *run = json_array_get(runs, i);
        bool is_right = pa_page_truth_of(run, "verified");
        pa_page_cell_count(page, pa_page_count_of(run, "bytes"));
        pa_page_cell_count(page, pa_page_count_of(run, "ranks"));
        pa_page_cell_figure(page, pa_page_number_of(run, "algbw_gbs"));
        pa_page_cell_figure(page, pa_page_number_of(run, "busbw_gbs"));
        pa_page_say(page, is_right ? PA_STRING_RESULT_RIGHT : PA_STRING_RESULT_WRONG);
        if (is_right)
            pa_page_cell(page);
        else
            pa_page_cell_bad(page);
        pa_page_row_end(page);
    }
    pa_page_table_end(page);
    pa_page_more_rows(page, total, MOST_ALLREDUCE_ROWS);
}

/* The devices as one system. Certificates before it was measured only say that it was not. */
static void put_together(struct pa_page *page) {
    const json_t *coupled = pa_page_part_of(page, "coupled");
    char rate[PA_FIGURE_BYTES], sum[PA_FIGURE_BYTES], loss[PA_FIGURE_BYTES];
    char counts[4][PA_FIGURE_BYTES];
    static const char *const counted[] = {"ranks", "hosts", "bytes", "steps"};
    const char *reason = json_string_value(json_object_get(coupled, "reason"));
    if (reason == NULL)
        return;
    if (!pa_page_is(coupled, "state", "measured")) {
        pa_page_say(page, PA_STRING_NOT_TOGETHER);
        pa_page_phrase(page, reason);
        pa_page_block(page, PA_BLOCK_PLAIN);
        return;
    }
    for (int i = 0; i < 4; i++)
        pa_count_text(counts[i], pa_page_count_of(coupled, counted[i]));
    pa_page_rate_text(page, rate, pa_page_number_of(coupled, "pflops"));
    pa_page_rate_text(page, sum, pa_page_number_of(coupled, "sum_pflops"));
    pa_fixed_text(loss, 100 * pa_page_number_of(coupled, "loss"), 1);
    pa_page_say(page, PA_STRING_TOGETHER, counts[0], counts[1], rate, counts[2], counts[3], loss,
                sum);
    pa_page_block(page, PA_BLOCK_PLAIN);
}

void pa_section_allreduce(struct pa_page *page) {
    const json_t *runs = pa_page_part_of(page, "allreduce");
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_ALLREDUCE);
    if (json_array_size(runs) == 0) {
        pa_page_block_say(page, PA_BLOCK_PLAIN, PA_STRING_NO_ALLREDUCE);
    } else {
        pa_chart_allreduce(page);
        pa_page_block_say(page, PA_BLOCK_CAPTION, PA_STRING_ALLREDUCE_CAPTION);
        put_allreduce(page, runs);
    }
    put_together(page);
    pa_page_end(page, PA_PART_SECTION);
}

static void put_alarm(struct pa_page *page, enum pa_string id, const char *text) {
    if (text[0] == '\0')
        return;
    pa_page_say(page, id);
    pa_page_phrase(page, text);
    pa_page_block(page, PA_BLOCK_ALARM);
}

static void put_epoch(struct pa_page *page, const json_t *epoch) {
    pa_page_cell_count(page, pa_page_count_of(epoch, "number"));
    pa_page_phrase(page, pa_page_text_of(epoch, "state"));
    pa_page_cell(page);
    pa_page_cell_text(page, pa_page_text_of(epoch, "t0_utc"));
    pa_page_cell_figure(page, pa_page_number_of(epoch, "seconds"));
    pa_page_cell_rate(page, pa_page_number_of(epoch, "pflops"));
    pa_page_cell_count(page, pa_page_count_of(epoch, "drawn"));
    pa_page_cell_count(page, pa_page_count_of(epoch, "failed"));
    pa_page_cell_count(page, pa_page_count_of(epoch, "missing"));
    pa_page_cell_figure(page, pa_page_number_of(epoch, "gap_s"));
    pa_page_row_end(page);
}

void pa_section_epochs(struct pa_page *page) {
    static const struct pa_column columns[] = {
        {PA_STRING_NUMBER, true},  {PA_STRING_STATE, false},  {PA_STRING_BEGAN, true},
        {PA_STRING_SECONDS, true}, {PA_STRING_RATE, true},    {PA_STRING_DRAWN, true},
        {PA_STRING_FAILED, true},  {PA_STRING_MISSING, true}, {PA_STRING_GAP_BEFORE, true},
    };
    const json_t *epochs = pa_page_part_of(page, "epochs");
    const json_t *session = pa_page_part_of(page, "session");
    pa_page_begin(page, PA_PART_SECTION, PA_STRING_EPOCHS);
    put_alarm(page, PA_STRING_BROKEN, pa_page_text_of(session, "broken"));
    put_alarm(page, PA_STRING_FIRST_FAILURE,
              pa_page_text_of(pa_page_part_of(page, "openings"), "first_failure"));
    put_alarm(page, PA_STRING_TEST_BUILD, pa_page_text_of(session, "test_build"));
    pa_page_table(page, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < json_array_size(epochs) && i < MOST_EPOCH_ROWS; i++)
        put_epoch(page, json_array_get(epochs, i));
    pa_page_table_end(page);
    pa_page_more_rows(page, pa_page_count_of(page->predicate, "epoch_count"), MOST_EPOCH_ROWS);
    pa_page_end(page, PA_PART_SECTION);
}
