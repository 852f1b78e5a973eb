/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk of a state from the seeds alone: one row of A, and for every step the columns of B that
 * the chunk's words lie in. */
#include "kernels/fabric.h"
#include "proof/fabric_proof.h"
#include "proof/tile.h"

#include <string.h>

/* An element of C as its words: one, or low and high. A sum of integers is never minus zero. */
static uint64_t words_of(enum pa_word_kind kind, int64_t element) {
    if (kind == PA_WORD_I32)
        return (uint32_t)(int32_t)element;
    if (kind == PA_WORD_F32) {
        float single = (float)element;
        uint32_t word;
        memcpy(&word, &single, sizeof word);
        return word;
    }
    double twice = (double)element;
    uint64_t word;
    memcpy(&word, &twice, sizeof word);
    return word;
}

int pa_fabric_chunk(uint32_t out[PA_FABRIC_CHUNK], enum pa_class class_id, struct pa_shape shape,
                    const struct pa_hash *start, const struct pa_hash *d, uint32_t steps,
                    uint32_t chunk, struct pa_error *error) {
    const struct pa_class_traits *traits = pa_class_traits(class_id);
    uint32_t width = traits->words == PA_WORD_F64 ? 2 : 1, count = PA_FABRIC_CHUNK / width;
    uint64_t element = (uint64_t)chunk * count;
    uint32_t row = (uint32_t)(element / shape.n), column = (uint32_t)(element % shape.n);
    struct pa_tile_bench *bench = NULL;
    PA_TRY(pa_tile_bench_create(shape.k, &bench, error));
    struct pa_hash hash, h[PA_LAG] = {*start, *start}; /* h_(t-2), h_(t-1) */
    pa_step_a_hash(&hash, start);
    struct pa_seed a_seed = pa_seed_from(&hash);
    memset(out, 0, PA_FABRIC_CHUNK * sizeof *out);
    for (uint32_t t = 1; t <= steps; t++) {
        int64_t elements[PA_TILE];
        pa_step_b_hash(&hash, &h[0], t);
        struct pa_seed b_seed = pa_seed_from(&hash);
        pa_tile_row(bench, class_id, shape.k, &a_seed, &b_seed, row, column, elements);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t words = words_of(traits->words, elements[i]);
            for (uint32_t w = 0; w < width; w++)
                out[i * width + w] =
                    pa_fabric_fold_word(out[i * width + w], (uint32_t)(words >> (32 * w)));
        }
        h[0] = h[1];
        pa_step_link(&h[1], &h[0], t, &d[t - 1]);
    }
    pa_tile_bench_destroy(bench);
    return PA_OK;
}
