/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/watermark.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double most_t = 1e6; /* of differences that are all the same */

static int64_t size_of(int64_t value) {
    return value < 0 ? -value : value;
}

static int64_t bounded(int64_t value, int64_t most) {
    return value > most ? most : value < -most ? -most : value;
}

static int compare_sizes(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The (lower) median of the sizes of the usable differences; it is the same whatever the signs are,
 * which keeps the re-randomisation exact. */
static int64_t median_size(const struct pa_watermark_bit *bits, uint32_t count, int64_t *scratch) {
    uint32_t usable = 0;
    for (uint32_t i = 0; i < count; i++)
        if (bits[i].is_usable)
            scratch[usable++] = size_of(bounded(bits[i].difference_mw, PA_WATERMARK_MOST_MW));
    if (usable == 0)
        return 0;
    qsort(scratch, usable, sizeof *scratch, compare_sizes);
    return scratch[(usable - 1) / 2];
}

void pa_watermark_signed(const struct pa_watermark_bit *bits, uint32_t count, int64_t *z) {
    int64_t median = median_size(bits, count, z);
    for (uint32_t i = 0; i < count; i++) {
        int64_t cut = bounded(bounded(bits[i].difference_mw, PA_WATERMARK_MOST_MW),
                              PA_WATERMARK_CLIP * median);
        z[i] = !bits[i].is_usable ? -median : bits[i].is_on_first ? cut : -cut;
    }
}

static int64_t sum_of(const int64_t *z, uint32_t count) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += z[i];
    return sum;
}

double pa_watermark_t(const int64_t *z, uint32_t count) {
    double squares = 0;
    if (count < 2)
        return 0;
    double mean = (double)sum_of(z, count) / count;
    for (uint32_t i = 0; i < count; i++)
        squares += ((double)z[i] - mean) * ((double)z[i] - mean);
    if (squares <= 0)
        return mean > 0 ? most_t : 0;
    double t = mean / sqrt(squares / (count - 1) / count);
    return t > most_t ? most_t : t;
}

static void hash_block(struct pa_hash *out, const struct pa_hash *session, uint32_t draw,
                       uint32_t block) {
    uint8_t numbers[8];
    for (unsigned i = 0; i < 4; i++) {
        numbers[i] = (uint8_t)(draw >> 8 * i);
        numbers[4 + i] = (uint8_t)(block >> 8 * i);
    }
    const struct pa_piece pieces[] = {{session->bytes, PA_HASH_BYTES}, {numbers, sizeof numbers}};
    pa_hash_pieces(out, "watermark", pieces, 2);
}

double pa_watermark_p(const int64_t *z, uint32_t count, const struct pa_hash *session) {
    int64_t seen = sum_of(z, count);
    uint32_t reached = 0;
    for (uint32_t draw = 0; draw < PA_WATERMARK_DRAWS; draw++) {
        struct pa_hash signs = {{0}};
        int64_t sum = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t at = i % 256;
            if (at == 0)
                hash_block(&signs, session, draw, i / 256);
            bool is_plus = (signs.bytes[at / 8] >> (at % 8) & 1) != 0;
            sum += is_plus ? size_of(z[i]) : -size_of(z[i]);
        }
        reached += sum >= seen;
    }
    return (1.0 + reached) / (1.0 + PA_WATERMARK_DRAWS);
}

int pa_watermark_judge(const struct pa_watermark_bit *bits, uint32_t count,
                       const struct pa_hash *session, struct pa_watermark_test *out,
                       struct pa_error *error) {
    *out = (struct pa_watermark_test){.bits = count, .p = 1};
    if (count == 0)
        return PA_OK;
    int64_t *z = calloc(count, sizeof *z);
    if (z == NULL)
        return pa_fail(error, PA_EMEMORY, "looking for the watermark: out of memory");
    pa_watermark_signed(bits, count, z);
    for (uint32_t i = 0; i < count; i++)
        out->usable += bits[i].is_usable;
    out->mean_mw = sum_of(z, count) / (int64_t)count / 2;
    out->t = pa_watermark_t(z, count);
    out->p = pa_watermark_p(z, count, session);
    out->is_found = out->t > PA_WATERMARK_LEAST_T && out->p <= PA_WATERMARK_MOST_P;
    free(z);
    return PA_OK;
}
