/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk of a state from the seeds alone: one row of A, and for every step the columns of B that
 * the chunk's words lie in. In integers, as tile.c, but a row and no tile. */
#include "kernels/fabric.h"
#include "proof/fabric_proof.h"

#include <stdlib.h>
#include <string.h>

/* Values of one vector: row v of A, or column v of B. */
static void generate(int32_t *out, const struct pa_class_traits *traits, struct pa_seed seed,
                     uint32_t v, uint32_t k) {
    uint32_t slots = 128 / (uint32_t)traits->slot_bits;
    for (uint32_t block = 0; block < k / slots; block++) {
        pa_u32 x[4];
        pa_philox(seed, block, v, x);
        for (uint32_t i = 0; i < slots; i++)
            out[block * slots + i] =
                pa_slot_value(x, i, (uint32_t)traits->slot_bits, (uint32_t)traits->bits);
    }
}

static int64_t product(const int32_t *a, const int32_t *b, uint32_t k) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < k; i++)
        sum += (int64_t)a[i] * b[i];
    return sum;
}

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
    int32_t *a = calloc(shape.k, sizeof *a), *b = calloc(shape.k, sizeof *b);
    if (a == NULL || b == NULL) {
        free(a);
        free(b);
        return pa_fail(error, PA_EMEMORY, "fabric proof: out of memory");
    }
    struct pa_hash seed, h[PA_LAG] = {*start, *start}; /* h_(t-2), h_(t-1) */
    pa_step_a_hash(&seed, start);
    generate(a, traits, pa_seed_from(&seed), row, shape.k);
    memset(out, 0, PA_FABRIC_CHUNK * sizeof *out);
    for (uint32_t t = 1; t <= steps; t++) {
        pa_step_b_hash(&seed, &h[0], t);
        for (uint32_t i = 0; i < count; i++) {
            generate(b, traits, pa_seed_from(&seed), column + i, shape.k);
            uint64_t words = words_of(traits->words, product(a, b, shape.k));
            for (uint32_t w = 0; w < width; w++)
                out[i * width + w] =
                    pa_fabric_fold_word(out[i * width + w], (uint32_t)(words >> (32 * w)));
        }
        h[0] = h[1];
        pa_step_link(&h[1], &h[0], t, &d[t - 1]);
    }
    free(a);
    free(b);
    return PA_OK;
}
