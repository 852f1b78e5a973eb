/* SPDX-License-Identifier: Apache-2.0 */
/* The table of accelerators: what is in it can be trusted to be dense, unique and sourced. */
#include "claim/catalogue_parse.h"
#include "cmocka_setup.h"

#include <math.h>
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

/* The table's dense figures once more, in 1e12 a second of a device as the driver shows it. A pin
 * shows that a figure was changed, and has to be changed with it; it does not show that the table's
 * source was right. The 16-bit figures stand for the whole row, whose others the ratios below hold
 * to them. Where a row breaks such a ratio for a known reason (GeForce parts halve fp32
 * accumulation, MLU370 has 8/3, Blackwell Ultra gave int8 up for fp4, CDNA 1 and 2 and TPU v4 gain
 * nothing from 8 bits, MI100 is slow in bf16) or has no 16-bit figure, the figure itself is here,
 * too. 0: left to the ratios. */
static const struct pin {
    const char *model;
    double bf16, fp16, fp8, int8, fp4;
} pins[] = {
    {"V100 PCIe", 0, 112, 0, 0, 0},
    {"V100S PCIe", 0, 130, 0, 0, 0},
    {"V100 SXM2", 0, 125, 0, 0, 0},
    {"T4", 0, 65, 0, 0, 0},
    {"A10", 125, 125, 0, 0, 0},
    {"A30", 165, 165, 0, 0, 0},
    {"A40", 149.7, 149.7, 0, 0, 0},
    {"A100 PCIe 40GB", 312, 312, 0, 0, 0},
    {"A100 PCIe 80GB", 312, 312, 0, 0, 0},
    {"A100 SXM4 40GB", 312, 312, 0, 0, 0},
    {"A100 SXM4 80GB", 312, 312, 0, 0, 0},
    {"A800 PCIe 80GB", 312, 312, 0, 0, 0},
    {"A800 SXM4 80GB", 312, 312, 0, 0, 0},
    {"A800 40GB Active", 312, 312, 0, 0, 0},
    {"H100 PCIe", 756, 756, 0, 0, 0},
    {"H100 SXM5", 989.4, 989.4, 0, 0, 0},
    {"H100 NVL", 835.5, 835.5, 0, 0, 0},
    {"H800 PCIe", 756, 756, 0, 0, 0},
    {"H800 SXM5", 989.4, 989.4, 0, 0, 0},
    {"H20", 148, 148, 0, 0, 0},
    {"H20-3e 141GB", 148, 148, 0, 0, 0},
    {"H200 SXM", 989.4, 989.4, 0, 0, 0},
    {"H200 NVL", 835.5, 835.5, 0, 0, 0},
    {"GH200 96GB", 989.4, 989.4, 0, 0, 0},
    {"GH200 144GB", 989.4, 989.4, 0, 0, 0},
    {"L4", 121, 121, 0, 0, 0},
    {"L20", 119.5, 119.5, 0, 0, 0},
    {"L40", 181, 181, 0, 0, 0},
    {"L40S", 362, 362, 0, 0, 0},
    {"B100", 1750, 1750, 0, 0, 0},
    {"B200 SXM", 2250, 2250, 0, 0, 0},
    {"GB200 (per GPU)", 2500, 2500, 0, 0, 0},
    {"B300 SXM", 2250, 2250, 0, 150, 14000},
    {"GB300 (per GPU)", 2500, 2500, 0, 0, 15000},
    {"RTX 3090", 71, 71, 0, 284, 0},
    {"RTX 3090 Ti", 80, 80, 0, 320, 0},
    {"RTX 4090", 165.2, 165.2, 0, 660.6, 0},
    {"RTX 4090 D", 147, 147, 0, 588, 0},
    {"RTX 5090", 209.5, 209.5, 0, 838, 1676},
    {"RTX 6000 Ada", 364, 364, 0, 0, 0},
    {"RTX A6000", 154.8, 154.8, 0, 0, 0},
    {"RTX PRO 6000 WS", 503.8, 503.8, 0, 0, 0},
    {"RTX PRO 6000 Max-Q", 440, 440, 0, 0, 0},
    {"Instinct MI100", 92.3, 184.6, 0, 184.6, 0},
    {"Instinct MI210", 181, 181, 0, 181, 0},
    {"Instinct MI250", 181.05, 181.05, 0, 181.05, 0},
    {"Instinct MI250X", 191.5, 191.5, 0, 191.5, 0},
    {"Instinct MI300A", 980.6, 980.6, 0, 0, 0},
    {"Instinct MI300X", 1307.4, 1307.4, 0, 0, 0},
    {"Instinct MI325X", 1307.4, 1307.4, 0, 0, 0},
    {"Instinct MI350X", 2306.9, 2306.9, 0, 0, 0},
    {"Instinct MI355X", 2516.6, 2516.6, 0, 0, 0},
    {"Gaudi 2", 432, 0, 0, 0, 0},
    {"Data Center GPU Max 1550", 419.5, 419.5, 0, 0, 0},
    {"Ascend 310P (Atlas 300I Pro)", 0, 70, 0, 0, 0},
    {"Atlas 300I Duo (2 x 310P)", 0, 140, 0, 0, 0},
    {"Ascend 910A", 0, 256, 0, 0, 0},
    {"Ascend 910B (variant unknown)", 320, 320, 0, 0, 0},
    {"Ascend 910B2", 353.9, 353.9, 0, 0, 0},
    {"Ascend 910C", 353.9, 353.9, 0, 0, 0},
    {"DCU K100", 0, 100, 0, 0, 0},
    {"DCU K100_AI", 196, 196, 0, 0, 0},
    {"DCU BW1000 / BW200", 480, 480, 0, 0, 0},
    {"MLU370-S4", 72, 72, 0, 192, 0},
    {"MLU370-X4", 96, 96, 0, 256, 0},
    {"MLU370-X8", 96, 96, 0, 256, 0},
    {"MTT S4000", 98, 98, 0, 0, 0},
    {"MTT S5000", 0, 0, 1024, 0, 0},
    {"BR100", 1024, 0, 0, 0, 0},
    {"BR104", 512, 0, 0, 0, 0},
    {"BI-V100", 147, 147, 0, 0, 0},
    {"MR-V100", 0, 96, 0, 0, 0},
    {"C500 PCIe", 240, 240, 0, 0, 0},
    {"C500 OAM", 280, 280, 0, 0, 0},
    {"TPU v4", 275, 0, 0, 275, 0},
    {"TPU v5e", 197, 0, 0, 0, 0},
    {"TPU v5p", 459, 0, 0, 0, 0},
    {"TPU v6e", 918, 0, 0, 0, 0},
    {"TPU v7x", 2307, 0, 0, 0, 0},
};

static const struct pin *pin_of(const struct pa_catalogue_row *row) {
    for (size_t i = 0; i < sizeof pins / sizeof pins[0]; i++)
        if (strcmp(pins[i].model, row->model) == 0)
            return &pins[i];
    return NULL;
}

static bool is_off(double per_second, double pinned_tera) {
    return pinned_tera > 0 && fabs(per_second - pinned_tera * 1e12) > 1e-3 * per_second;
}

/* More than `factor` times the other, where both are known. */
static bool exceeds(double per_second, double factor, double other) {
    return per_second > 0 && other > 0 && per_second > factor * other;
}

/* What about a row looks sparse; NULL when nothing does. */
static const char *looks_sparse(const struct pa_catalogue_row *row) {
    double tf32 = row->peak_per_second[PA_PRECISION_TF32];
    double bf16 = row->peak_per_second[PA_PRECISION_BF16];
    double fp16 = row->peak_per_second[PA_PRECISION_FP16];
    double fp8 = row->peak_per_second[PA_PRECISION_FP8];
    double int8 = row->peak_per_second[PA_PRECISION_INT8];
    double sixteen = fp16 > 0 ? fp16 : bf16;
    const struct pin *pin = pin_of(row);
    if (pin == NULL)
        return "no figure of it is pinned";
    if (is_off(bf16, pin->bf16) || is_off(fp16, pin->fp16) || is_off(fp8, pin->fp8) ||
        is_off(int8, pin->int8) || is_off(row->fp4_per_second, pin->fp4))
        return "a figure is not the pinned one";
    if (exceeds(bf16, 2.2, tf32) || exceeds(tf32, 0.55, sixteen))
        return "tf32 is not half of 16 bits";
    if (exceeds(bf16, 1.1, fp16) || (pin->bf16 == pin->fp16 && exceeds(fp16, 1.1, bf16)))
        return "bf16 and fp16 differ";
    if (exceeds(fp8, 2.2, sixteen))
        return "fp8 is more than twice 16 bits";
    if (pin->int8 == 0 && exceeds(int8, 2.2, sixteen))
        return "int8 is more than twice 16 bits";
    if (exceeds(row->int4_per_second, 2.2, int8))
        return "int4 is more than twice int8";
    if (pin->fp4 == 0 && exceeds(row->fp4_per_second, 2.2, fp8))
        return "fp4 is more than twice fp8";
    return NULL;
}

/* A row that contradicts itself may stand there with low confidence, but nobody may use it. */
static void no_peak_looks_like_a_sparse_one(void **state) {
    (void)state;
    for (uint32_t i = 0; i < pa_catalogue_rows(); i++) {
        const struct pa_catalogue_row *row = pa_catalogue_row_at(i);
        for (int p = PA_PRECISION_FP64; p <= PA_PRECISION_INT8; p++)
            assert_true(row->peak_per_second[p] < 2e16);
        if (row->confidence != PA_CONFIDENCE_LOW && looks_sparse(row) != NULL)
            fail_msg("%s: %s", row->model, looks_sparse(row));
    }
}

/* fp32 and fp64 are not told sparse by anybody, and fp6 is as fast as fp8 or fp4. */
static void a_single_figure_that_is_doubled_is_refused_in_every_row(void **state) {
    (void)state;
    for (uint32_t i = 0; i < pa_catalogue_rows(); i++) {
        struct pa_catalogue_row row = *pa_catalogue_row_at(i);
        double *figures[] = {&row.peak_per_second[PA_PRECISION_TF32],
                             &row.peak_per_second[PA_PRECISION_BF16],
                             &row.peak_per_second[PA_PRECISION_FP16],
                             &row.peak_per_second[PA_PRECISION_FP8],
                             &row.peak_per_second[PA_PRECISION_INT8],
                             &row.int4_per_second,
                             &row.fp4_per_second};
        for (size_t f = 0; f < sizeof figures / sizeof figures[0]; f++) {
            double dense = *figures[f];
            *figures[f] = 2 * dense;
            if (row.confidence != PA_CONFIDENCE_LOW && dense > 0 && looks_sparse(&row) == NULL)
                fail_msg("%s: figure %zu could be a sparse one and nobody would see it", row.model,
                         f);
            *figures[f] = dense;
        }
    }
}

/* Ratios do not see it when every figure of a row is sparse. */
static void a_row_that_is_doubled_as_a_whole_is_refused(void **state) {
    (void)state;
    for (uint32_t i = 0; i < pa_catalogue_rows(); i++) {
        struct pa_catalogue_row row = *pa_catalogue_row_at(i);
        if (row.confidence == PA_CONFIDENCE_LOW)
            continue;
        for (int p = PA_PRECISION_TF32; p <= PA_PRECISION_INT8; p++)
            row.peak_per_second[p] *= 2;
        row.int4_per_second *= 2;
        row.fp4_per_second *= 2;
        if (looks_sparse(&row) == NULL)
            fail_msg("%s could be sparse as a whole and nobody would see it", row.model);
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
        cmocka_unit_test(a_single_figure_that_is_doubled_is_refused_in_every_row),
        cmocka_unit_test(a_row_that_is_doubled_as_a_whole_is_refused),
        cmocka_unit_test(doubtful_rows_are_marked_and_parts_of_packages_are_halved),
        cmocka_unit_test(a_doubtful_table_is_refused_with_its_line),
        cmocka_unit_test(quotes_and_line_ends_are_read_as_rfc_4180_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
