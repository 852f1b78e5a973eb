/* SPDX-License-Identifier: Apache-2.0 */
/* The table of accelerators: what is in it can be trusted to be dense, unique and sourced. */
#include "claim/catalogue_parse.h"
#include "cmocka_setup.h"

#include <string.h>

#define HEADING                                                                                    \
    "vendor,model,form,matches,memory_gib,mem_bw_gbs,tdp_w,fp64_tflops,fp64_tensor_tflops,"        \
    "fp32_tflops,tf32_tflops,bf16_tflops,fp16_tflops,fp8_tflops,int8_tops,fp6_tflops,fp4_tflops,"  \
    "int4_tops,visible_devices,confidence,source\n"
#define ROW(matches) "V,M,F," matches ",80,,,1,2,3,,4,5,6,7,,none,,,high,S\n"

static void a_device_is_found_by_its_whole_name_only(void **state) {
    (void)state;
    const struct pa_catalogue_row *row = pa_catalogue_find("NVIDIA H100 80GB HBM3");
    assert_non_null(row);
    assert_string_equal(row->model, "H100 SXM5");
    assert_true(row->peak_per_second[PA_PRECISION_FP16] == 989.4e12);
    assert_true(row->peak_per_second[PA_PRECISION_FP64] == 67e12);
    assert_null(pa_catalogue_find("NVIDIA H100 80GB HBM"));
    assert_null(pa_catalogue_find("NVIDIA H100 80GB HBM33"));
    assert_null(pa_catalogue_find("nvidia h100 80gb hbm3"));
    assert_null(pa_catalogue_find("Tesla T4|NVIDIA T4"));
    assert_null(pa_catalogue_find(""));
}

static void every_row_has_a_source_and_a_word_of_confidence(void **state) {
    (void)state;
    assert_true(pa_catalogue_rows() >= 90);
    for (uint32_t i = 0; i < pa_catalogue_rows(); i++) {
        const struct pa_catalogue_row *row = pa_catalogue_row_at(i);
        assert_true(strlen(row->source) > 10);
        assert_true(row->confidence <= PA_CONFIDENCE_HIGH);
    }
    assert_null(pa_catalogue_row_at(pa_catalogue_rows()));
}

/* A sparse figure among dense ones shows as a ratio of 4 where 2 is usual. The rows that break the
 * rule for a known reason are named. */
static void no_peak_looks_like_a_sparse_one(void **state) {
    (void)state;
    for (uint32_t i = 0; i < pa_catalogue_rows(); i++) {
        const struct pa_catalogue_row *row = pa_catalogue_row_at(i);
        double tf32 = row->peak_per_second[PA_PRECISION_TF32];
        double bf16 = row->peak_per_second[PA_PRECISION_BF16];
        double fp16 = row->peak_per_second[PA_PRECISION_FP16];
        double fp8 = row->peak_per_second[PA_PRECISION_FP8];
        /* A row that contradicts itself may stand there, but nobody may use it. */
        bool is_doubtful = row->confidence == PA_CONFIDENCE_LOW;
        if (tf32 > 0 && bf16 > 2.2 * tf32 && !is_doubtful)
            fail_msg("%s: bf16 is %.2f times tf32", row->model, bf16 / tf32);
        if (fp16 > 0 && fp8 > 2.2 * fp16 && !is_doubtful)
            fail_msg("%s: fp8 is %.2f times fp16", row->model, fp8 / fp16);
        if (fp16 > 0 && bf16 > 1.1 * fp16 && !is_doubtful)
            fail_msg("%s: bf16 is %.2f times fp16", row->model, bf16 / fp16);
        /* 8 bits are twice 16 bits, on parts that halve fp32 accumulation four times. */
        double int8 = row->peak_per_second[PA_PRECISION_INT8];
        if (fp16 > 0 && int8 > 4.1 * fp16 && !is_doubtful)
            fail_msg("%s: int8 is %.2f times fp16", row->model, int8 / fp16);
        if (int8 > 0 && row->int4_per_second > 2.2 * int8 && !is_doubtful)
            fail_msg("%s: int4 is %.2f times int8", row->model, row->int4_per_second / int8);
        if (fp8 > 0 && row->fp4_per_second > 4.1 * fp8 && !is_doubtful)
            fail_msg("%s: fp4 is %.2f times fp8", row->model, row->fp4_per_second / fp8);
        for (int p = PA_PRECISION_FP64; p <= PA_PRECISION_INT8; p++)
            assert_true(row->peak_per_second[p] < 2e16);
    }
}

static void a_doubtful_table_is_refused_with_its_line(void **state) {
    (void)state;
    static struct pa_catalogue_table table;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "csv:1: empty"},
        {"vendor,model\n", "csv:1: too few fields"},
        {HEADING ROW("A|B") ROW("C|B"), "csv:3: a name that an earlier row has: B"},
        {HEADING ROW("A|A"), "a name twice in one row: A"},
        {HEADING ROW("A|"), "an empty name"},
        {HEADING ROW(""), "must not be empty"},
        {HEADING "V,M,F,A,80,,,1,2,3,,4,5,6,7,,,,,high,\n", "no source"},
        {HEADING "V,M,F,A,80,,,1,2,3,,4,5,6,7,,,,,sure,S\n", "low, medium or high: sure"},
        {HEADING "V,M,F,A,80,,,1,2,3,,4,1e3,6,7,,,,,high,S\n", "not a figure: 1e3"},
        {HEADING "V,M,F,A,80,,,1,2,3,,4,0,6,7,,,,,high,S\n", "not a figure: 0"},
        {HEADING "V,M,F,A,80,,,1,2,3,,4,5,6,7,,,,,high,S,more\n", "too many fields"},
        {HEADING "V,M,F,A,80,,,1,2,3,,4,5,6,7,no,,,,high,S\n", "not a figure: no"},
        {HEADING "V,M,F,A,80,,,1,2,3,,4,5,6,7,,,,3,high,S\n", "must be 1, 2 or 4: 3"},
        {HEADING "V,M,F,A\n", "too few fields"},
        {HEADING "V,M,F,\"A,80,,,1\n", "a quoted field has no end"},
        {HEADING "V,M,F,\"A\"B,80,,,1,2,3,,4,5,6,7,high,S\n", "text after a quoted field"},
        {HEADING "V,M,F,A\"B,80,,,1,2,3,,4,5,6,7,high,S\n", "a quote inside a field"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pa_error error = {0};
        int code = pa_catalogue_parse(cases[i].text, strlen(cases[i].text), &table, &error);
        if (code != PA_EINPUT || strstr(error.text, cases[i].expected) == NULL)
            fail_msg("expected \"%s\", got %d \"%s\"", cases[i].expected, code, error.text);
        assert_null(table.text);
    }
}

static void quotes_and_line_ends_are_read_as_rfc_4180_says(void **state) {
    (void)state;
    static struct pa_catalogue_table table;
    static const char text[] =
        HEADING "V,\"a \"\"b\"\", c\",F,A,,,,1,2,3,,4,5,6,7,,,8,2,low,\"S\"\r\n"
                "V,M,F,B,,,,,,,,,,,,,,,,low,S";
    assert_int_equal(pa_catalogue_parse(text, sizeof text - 1, &table, NULL), PA_OK);
    assert_int_equal(table.count, 2);
    assert_string_equal(table.entries[0].row.model, "a \"b\", c");
    assert_string_equal(table.entries[0].row.source, "S");
    assert_true(table.entries[0].row.peak_per_second[PA_PRECISION_FP64] == 1e12); /* one of two */
    assert_true(table.entries[0].row.int4_per_second == 4e12);
    assert_true(table.entries[0].row.fp4_per_second == 0);
    assert_true(table.entries[1].row.peak_per_second[PA_PRECISION_FP64] == 0);
    pa_catalogue_release(&table);
}

static void doubtful_rows_are_marked_and_parts_of_packages_are_halved(void **state) {
    (void)state;
    assert_int_equal(pa_catalogue_find("HL-325")->confidence, PA_CONFIDENCE_LOW);
    const struct pa_catalogue_row *h800 = pa_catalogue_find("NVIDIA H800 80GB HBM3");
    assert_ptr_equal(h800, pa_catalogue_find("NVIDIA H800"));
    assert_true(h800->int4_per_second == PA_NO_SUCH_UNIT);
    const struct pa_catalogue_row *part = pa_catalogue_find("AMD Instinct MI250X");
    assert_true(part->peak_per_second[PA_PRECISION_FP16] == 383e12 / 2 && part->memory_gib == 64);
    assert_true(pa_catalogue_find("Tesla V100S-PCIE-32GB")->fp4_per_second == PA_NO_SUCH_UNIT);
    assert_true(pa_catalogue_find("NVIDIA L4")->int4_per_second == 0); /* nobody told */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_found_by_its_whole_name_only),
        cmocka_unit_test(every_row_has_a_source_and_a_word_of_confidence),
        cmocka_unit_test(no_peak_looks_like_a_sparse_one),
        cmocka_unit_test(doubtful_rows_are_marked_and_parts_of_packages_are_halved),
        cmocka_unit_test(a_doubtful_table_is_refused_with_its_line),
        cmocka_unit_test(quotes_and_line_ends_are_read_as_rfc_4180_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
