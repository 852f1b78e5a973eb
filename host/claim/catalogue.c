/* SPDX-License-Identifier: Apache-2.0 */
/* The nominal peaks of accelerators, from the embedded accelerators.csv. It is parsed once, by
 * whoever asks first; rows live as long as the process. */
#include "base/number.h"
#include "claim/catalogue_parse.h"
#include "embedded/pa_accelerators_csv.h"
#include "proof/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    VENDOR,
    MODEL,
    FORM,
    MATCHES,
    MEMORY_GIB,
    MEM_BW_GBS,
    TDP_W,
    FP64,
    FP64_TENSOR,
    FP32,
    TF32,
    BF16,
    FP16,
    FP8,
    INT8,
    FP6,
    FP4,
    INT4,
    VISIBLE,
    CONFIDENCE,
    SOURCE,
    COLUMNS
};

static const char *const headings[COLUMNS] = {
    "vendor",          "model",       "form",
    "matches",         "memory_gib",  "mem_bw_gbs",
    "tdp_w",           "fp64_tflops", "fp64_tensor_tflops",
    "fp32_tflops",     "tf32_tflops", "bf16_tflops",
    "fp16_tflops",     "fp8_tflops",  "int8_tops",
    "fp6_tflops",      "fp4_tflops",  "int4_tops",
    "visible_devices", "confidence",  "source"};

const char *pa_confidence_name(enum pa_confidence confidence) {
    return confidence == PA_CONFIDENCE_HIGH     ? "high"
           : confidence == PA_CONFIDENCE_MEDIUM ? "medium"
                                                : "low";
}

static int refuse(const struct pa_csv *csv, const char *what, const char *found,
                  struct pa_error *error) {
    return pa_fail(error, PA_EINPUT, "accelerators.csv:%zu: %s%s%.100s",
                   csv->row > 0 ? csv->row : 1, what, found[0] != '\0' ? ": " : "", found);
}

static int read_figure(const struct pa_csv *csv, const char *text, double scale, double *out,
                       struct pa_error *error) {
    struct pa_error why;
    *out = 0;
    if (text[0] == '\0')
        return PA_OK;
    if (pa_decimal_parse(text, 1e-3, 1e6, out, &why) != PA_OK)
        return refuse(csv, "not a figure", text, error);
    *out *= scale;
    return PA_OK;
}

/* A rate that the table may not know (empty: 0) or know not to exist ("none": negative). */
static int read_narrow(const struct pa_csv *csv, const char *text, double *out,
                       struct pa_error *error) {
    if (strcmp(text, "none") == 0) {
        *out = PA_NO_SUCH_UNIT;
        return PA_OK;
    }
    return read_figure(csv, text, 1e12, out, error);
}

/* Figures are those of a package; a driver may show it as several devices, each a part of it. */
static int share_package(const struct pa_csv *csv, const char *text, struct pa_catalogue_row *row,
                         struct pa_error *error) {
    double visible = 1;
    if (text[0] != '\0')
        PA_TRY(read_figure(csv, text, 1, &visible, error));
    if (visible != 1 && visible != 2 && visible != 4)
        return refuse(csv, "visible_devices must be 1, 2 or 4", text, error);
    row->memory_gib /= visible;
    row->tdp_w /= visible;
    for (int p = PA_PRECISION_FP64; p <= PA_PRECISION_INT8; p++)
        row->peak_per_second[p] /= visible;
    double *narrow[] = {&row->fp6_per_second, &row->fp4_per_second, &row->int4_per_second};
    for (int i = 0; i < 3; i++)
        if (*narrow[i] > 0)
            *narrow[i] /= visible;
    return PA_OK;
}

static int read_row(const struct pa_csv *csv, char **fields, struct pa_catalogue_entry *out,
                    struct pa_error *error) {
    static const int column_of[] = {
        [PA_PRECISION_FP32] = FP32, [PA_PRECISION_TF32] = TF32, [PA_PRECISION_BF16] = BF16,
        [PA_PRECISION_FP16] = FP16, [PA_PRECISION_FP8] = FP8,   [PA_PRECISION_INT8] = INT8};
    struct pa_catalogue_row *row = &out->row;
    double vector, tensor;
    out->matches = fields[MATCHES];
    row->vendor = fields[VENDOR];
    row->model = fields[MODEL];
    row->source = fields[SOURCE];
    if (row->vendor[0] == '\0' || row->model[0] == '\0' || out->matches[0] == '\0')
        return refuse(csv, "vendor, model and matches must not be empty", "", error);
    if (row->source[0] == '\0')
        return refuse(csv, "no source", row->model, error);
    PA_TRY(read_figure(csv, fields[MEMORY_GIB], 1, &row->memory_gib, error));
    PA_TRY(read_figure(csv, fields[TDP_W], 1, &row->tdp_w, error));
    for (int p = PA_PRECISION_FP32; p <= PA_PRECISION_INT8; p++)
        PA_TRY(read_figure(csv, fields[column_of[p]], 1e12, &row->peak_per_second[p], error));
    /* A GEMM may use either unit; the faster one is the physical peak. */
    PA_TRY(read_figure(csv, fields[FP64], 1e12, &vector, error));
    PA_TRY(read_figure(csv, fields[FP64_TENSOR], 1e12, &tensor, error));
    row->peak_per_second[PA_PRECISION_FP64] = vector > tensor ? vector : tensor;
    PA_TRY(read_narrow(csv, fields[FP6], &row->fp6_per_second, error));
    PA_TRY(read_narrow(csv, fields[FP4], &row->fp4_per_second, error));
    PA_TRY(read_narrow(csv, fields[INT4], &row->int4_per_second, error));
    PA_TRY(share_package(csv, fields[VISIBLE], row, error));
    for (int i = 0; i < 3; i++)
        if (strcmp(fields[CONFIDENCE], pa_confidence_name((enum pa_confidence)i)) == 0) {
            row->confidence = (enum pa_confidence)i;
            return PA_OK;
        }
    return refuse(csv, "confidence must be low, medium or high", fields[CONFIDENCE], error);
}

static bool lists(const char *matches, const char *name, size_t length) {
    for (const char *p = matches;; p++) {
        size_t piece = strcspn(p, "|");
        if (piece == length && memcmp(p, name, length) == 0)
            return true;
        p += piece;
        if (*p == '\0')
            return false;
    }
}

/* Each name once in the whole table: otherwise the order of rows would decide a peak. */
static int check_names(const struct pa_csv *csv, const struct pa_catalogue_table *table,
                       struct pa_error *error) {
    const char *p = table->entries[table->count].matches;
    for (;; p++) {
        size_t length = strcspn(p, "|");
        if (length == 0)
            return refuse(csv, "an empty name among the matches", "", error);
        for (uint32_t i = 0; i < table->count; i++)
            if (lists(table->entries[i].matches, p, length))
                return refuse(csv, "a name that an earlier row has", p, error);
        p += length;
        if (*p == '\0')
            return PA_OK;
        if (lists(p + 1, p - length, length))
            return refuse(csv, "a name twice in one row", p - length, error);
    }
}

static int read_rows(struct pa_csv *csv, struct pa_catalogue_table *table, struct pa_error *error) {
    char *fields[COLUMNS];
    if (!pa_csv_row(csv, fields, COLUMNS))
        return refuse(csv, csv->problem != NULL ? csv->problem : "empty", "", error);
    for (int i = 0; i < COLUMNS; i++)
        if (strcmp(fields[i], headings[i]) != 0)
            return refuse(csv, "unexpected heading", fields[i], error);
    while (pa_csv_row(csv, fields, COLUMNS)) {
        if (table->count == PA_CATALOGUE_MOST_ROWS)
            return refuse(csv, "more rows than PA_CATALOGUE_MOST_ROWS", "", error);
        PA_TRY(read_row(csv, fields, &table->entries[table->count], error));
        PA_TRY(check_names(csv, table, error));
        table->count++;
    }
    return csv->problem == NULL ? PA_OK : refuse(csv, csv->problem, "", error);
}

int pa_catalogue_parse(const void *data, size_t size, struct pa_catalogue_table *out,
                       struct pa_error *error) {
    *out = (struct pa_catalogue_table){0};
    out->text = malloc(size + 1);
    if (out->text == NULL)
        return pa_fail(error, PA_EMEMORY, "reading accelerators.csv: out of memory");
    memcpy(out->text, data, size);
    struct pa_csv csv = pa_csv_over(out->text, size);
    int code = read_rows(&csv, out, error);
    if (code != PA_OK)
        pa_catalogue_release(out);
    return code;
}

void pa_catalogue_release(struct pa_catalogue_table *table) {
    free(table->text);
    *table = (struct pa_catalogue_table){0};
}

static struct pa_catalogue_table embedded;
static pthread_once_t parsed = PTHREAD_ONCE_INIT;

/* Every name of the embedded table, sorted: a judgement asks for the row of each device several
 * times, and there may be a hundred thousand of them. */
struct known_name {
    const char *name; /* not terminated */
    size_t length;
    const struct pa_catalogue_row *row;
};
static struct known_name *known_names;
static size_t known_count;

static int compare_names(const void *left, const void *right) {
    const struct known_name *a = left, *b = right;
    int order = memcmp(a->name, b->name, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static void index_row(const struct pa_catalogue_row *row, const char *matches) {
    for (const char *p = matches; p != NULL && *p != '\0'; p += *p == '|') {
        size_t length = strcspn(p, "|");
        known_names[known_count++] = (struct known_name){p, length, row};
        p += length;
    }
}

static void index_names(void) {
    size_t room = embedded.count;
    for (uint32_t i = 0; i < embedded.count; i++)
        for (const char *p = embedded.entries[i].matches; p != NULL && *p != '\0'; p++)
            room += *p == '|';
    known_names = calloc(room + 1, sizeof *known_names);
    if (known_names == NULL)
        return;
    for (uint32_t i = 0; i < embedded.count; i++)
        index_row(&embedded.entries[i].row, embedded.entries[i].matches);
    qsort(known_names, known_count, sizeof *known_names, compare_names);
}

/* The embedded table is fixed at build time and a test parses it; if memory runs out it is empty,
 * and every device is unknown rather than wrong. */
static void parse_embedded(void) {
    if (pa_catalogue_parse(pa_accelerators_csv, pa_accelerators_csv_size, &embedded, NULL) == PA_OK)
        index_names();
}

const struct pa_catalogue_row *pa_catalogue_find(const char *device_name) {
    pthread_once(&parsed, parse_embedded);
    const struct known_name wanted = {device_name, strlen(device_name), NULL};
    if (known_count == 0 || wanted.length == 0)
        return NULL;
    const struct known_name *found =
        bsearch(&wanted, known_names, known_count, sizeof *known_names, compare_names);
    return found == NULL ? NULL : found->row;
}

uint32_t pa_catalogue_rows(void) {
    pthread_once(&parsed, parse_embedded);
    return embedded.count;
}

const struct pa_catalogue_row *pa_catalogue_row_at(uint32_t index) {
    pthread_once(&parsed, parse_embedded);
    return index < embedded.count ? &embedded.entries[index].row : NULL;
}

void pa_catalogue_sha256(uint8_t out[32]) {
    struct pa_hash hash;
    pa_sha256(&hash, pa_accelerators_csv, pa_accelerators_csv_size);
    memcpy(out, hash.bytes, sizeof hash.bytes);
}
