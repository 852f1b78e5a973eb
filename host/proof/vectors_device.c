/* SPDX-License-Identifier: Apache-2.0 */
/* What a device computes of the vectors, compared beside what this program computed. */
#include "kernels/digest.h"
#include "proof/vectors_run.h"

#include <stdlib.h>

bool pa_run_device(struct pa_vectors_run *run, int code) {
    if (code == PA_EUNSUPPORTED || run->code != PA_OK)
        return false;
    if (code != PA_OK)
        run->code = pa_fail_in(run->error, "vectors %s: %s on the device", run->file, run->place);
    return code == PA_OK;
}

/* The same values as the device makes them. */
void pa_run_device_operands(struct pa_vectors_run *run, enum pa_class class_id,
                            const struct pa_seed *seed, uint32_t v, uint32_t first,
                            const json_t *values, int64_t wanted_sum) {
    uint32_t slots = 128 / (uint32_t)pa_class_traits(class_id)->slot_bits;
    uint32_t count = (first + 256 + slots - 1) / slots * slots;
    int32_t *ours = calloc(count, sizeof *ours);
    if (ours == NULL)
        pa_run_fail(run, "first_k", "less than all memory");
    else if (pa_run_device(run, run->device->values(run->device->context, class_id, seed, v, count,
                                                    ours, run->error))) {
        int64_t sum = 0;
        run->is_on_device = true;
        for (uint32_t i = 0; i < 256; i++) {
            sum += ours[first + i];
            if (i < json_array_size(values))
                pa_run_same_integer(run, "values", ours[first + i],
                                    pa_run_integer_at(run, values, i, INT32_MIN, INT32_MAX));
        }
        pa_run_same_integer(run, "sum_256", sum, wanted_sum);
        run->is_on_device = false;
    }
    free(ours);
}

/* A device digests whole tiles: words that the vectors do not give are made equal to their weights
 * and add nothing. (A weight of 0x80000000 would be taken for minus zero in a tile of floats, but
 * the word beside it makes the product zero all the same.) */
void pa_run_device_digest(struct pa_vectors_run *run, enum pa_word_kind kind, const json_t *words,
                          uint32_t s, uint64_t wanted) {
    size_t count = (kind == PA_WORD_F64 ? 2 : 1) * PA_TILE * PA_TILE;
    uint32_t *tile = calloc(count, sizeof *tile);
    uint64_t ours = 0;
    if (tile == NULL || json_array_size(words) > count) {
        pa_run_fail(run, "words", "no more than a tile");
        free(tile);
        return;
    }
    for (size_t e = 0; run->code == PA_OK && e < count; e++)
        tile[e] = e < json_array_size(words)
                      ? (uint32_t)pa_run_integer_at(run, words, e, 0, UINT32_MAX)
                      : pa_digest_weight(s, (pa_u32)e);
    if (run->code == PA_OK && pa_run_device(run, run->device->digest(run->device->context, kind,
                                                                     tile, s, &ours, run->error))) {
        run->is_on_device = true;
        pa_run_same_word(run, "digest", ours, wanted);
        run->is_on_device = false;
    }
    free(tile);
}
