/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/chain.h"

#include "base/bytes.h"
#include "proof/opening.h"
#include "proof/tree.h"

#include <stdlib.h>
#include <string.h>

/* Tile digests are hashed and sent as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the protocol's bytes are little endian");

void pa_step_row(struct pa_hash *out, const uint64_t *tiles, uint32_t count) {
    pa_hash_bytes(out, "row", tiles, count * sizeof *tiles);
}

void pa_step_digest(struct pa_hash *out, const struct pa_hash *rows, uint32_t count) {
    pa_hash_bytes(out, "step", rows, count * sizeof *rows);
}

void pa_step_link(struct pa_hash *out, const struct pa_hash *previous, uint32_t t,
                  const struct pa_hash *digest) {
    uint8_t number[4];
    pa_put_le32(number, t);
    const struct pa_piece pieces[] = {
        {previous->bytes, PA_HASH_BYTES}, {number, sizeof number}, {digest->bytes, PA_HASH_BYTES}};
    pa_hash_pieces(out, "chain", pieces, 3);
}

void pa_step_a_hash(struct pa_hash *out, const struct pa_hash *start) {
    pa_hash_bytes(out, "A", start->bytes, PA_HASH_BYTES);
}

void pa_step_b_hash(struct pa_hash *out, const struct pa_hash *h, uint32_t t) {
    uint8_t number[4];
    pa_put_le32(number, t);
    const struct pa_piece pieces[] = {{h->bytes, PA_HASH_BYTES}, {number, sizeof number}};
    pa_hash_pieces(out, "B", pieces, 2);
}

/* Resize one array of `count` elements; false when the size overflows or memory is out. */
static bool resize(void **array, size_t count, size_t element) {
    size_t size;
    if (!pa_mul_size(count, element, &size))
        return false;
    void *grown = realloc(*array, size > 0 ? size : 1);
    if (grown == NULL)
        return false;
    *array = grown;
    return true;
}

static int make_room(struct pa_chain *chain, uint32_t capacity, struct pa_error *error) {
    void *h = chain->h, *digest = chain->digest, *tiles = chain->tiles;
    size_t tile_count;
    bool is_enough = pa_mul_size(capacity, (size_t)pa_shape_tiles(chain->shape), &tile_count) &&
                     resize(&h, capacity, sizeof *chain->h) &&
                     resize(&digest, capacity, sizeof *chain->digest) &&
                     resize(&tiles, tile_count, sizeof *chain->tiles);
    /* What did move stays valid even when a later array could not. */
    chain->h = h;
    chain->digest = digest;
    chain->tiles = tiles;
    if (!is_enough)
        return pa_fail(error, PA_EMEMORY,
                       "keeping the proof of %u steps of a %u x %u product: out of memory; use "
                       "shorter epochs",
                       capacity, chain->shape.m, chain->shape.n);
    chain->capacity = capacity;
    return PA_OK;
}

int pa_chain_begin(struct pa_chain *chain, const struct pa_hash *start, struct pa_shape shape,
                   uint32_t capacity, struct pa_error *error) {
    *chain = (struct pa_chain){.shape = shape, .start = *start};
    if (shape.m == 0 || shape.m > PA_MOST_MN || shape.m % PA_TILE != 0 || shape.n == 0 ||
        shape.n > PA_MOST_MN || shape.n % PA_TILE != 0)
        return pa_fail(error, PA_EINTERNAL,
                       "starting a chain: %u x %u is not made of %d x %d tiles", shape.m, shape.n,
                       PA_TILE, PA_TILE);
    if (capacity > PA_MOST_STEPS)
        capacity = PA_MOST_STEPS;
    chain->rows = calloc(shape.m / PA_TILE, sizeof *chain->rows);
    if (chain->rows == NULL)
        return pa_fail(error, PA_EMEMORY, "starting a chain: out of memory");
    int code = make_room(chain, capacity, error);
    if (code != PA_OK)
        pa_chain_free(chain);
    return code;
}

/* h_t, where h_0 and h_-1 are the start. */
static const struct pa_hash *chain_h(const struct pa_chain *chain, int64_t t) {
    return t < 1 ? &chain->start : &chain->h[t - 1];
}

struct pa_seed pa_chain_a_seed(const struct pa_chain *chain) {
    struct pa_hash hash;
    pa_step_a_hash(&hash, &chain->start);
    return pa_seed_from(&hash);
}

struct pa_seed pa_chain_b_seed(const struct pa_chain *chain, uint32_t t) {
    struct pa_hash hash;
    pa_step_b_hash(&hash, chain_h(chain, (int64_t)t - PA_LAG), t);
    return pa_seed_from(&hash);
}

static void hash_rows(struct pa_hash *rows, struct pa_shape shape, const uint64_t *tiles) {
    uint32_t columns = shape.n / PA_TILE;
    for (uint32_t row = 0; row < shape.m / PA_TILE; row++)
        pa_step_row(&rows[row], tiles + (size_t)row * columns, columns);
}

int pa_chain_append(struct pa_chain *chain, const uint64_t *tiles, struct pa_error *error) {
    if (chain->steps == PA_MOST_STEPS)
        return pa_fail(error, PA_EINTERNAL, "a chain holds at most %d steps; end the epoch earlier",
                       PA_MOST_STEPS);
    if (chain->steps == chain->capacity) {
        uint32_t capacity = chain->capacity < 8 ? 16 : 2 * chain->capacity;
        PA_TRY(make_room(chain, capacity > PA_MOST_STEPS ? PA_MOST_STEPS : capacity, error));
    }
    uint32_t t = chain->steps + 1;
    size_t count = (size_t)pa_shape_tiles(chain->shape);
    memcpy(chain->tiles + chain->steps * count, tiles, count * sizeof *tiles);
    hash_rows(chain->rows, chain->shape, tiles);
    pa_step_digest(&chain->digest[t - 1], chain->rows, chain->shape.m / PA_TILE);
    pa_step_link(&chain->h[t - 1], chain_h(chain, (int64_t)t - 1), t, &chain->digest[t - 1]);
    chain->steps = t;
    return PA_OK;
}

static int make_leaves(const struct pa_chain *chain, struct pa_hash **out, struct pa_error *error) {
    *out = calloc(chain->steps > 0 ? chain->steps : 1, sizeof **out);
    if (*out == NULL)
        return pa_fail(error, PA_EMEMORY, "building the tree of %u steps: out of memory",
                       chain->steps);
    for (uint32_t t = 1; t <= chain->steps; t++)
        pa_tree_leaf(&(*out)[t - 1], t, &chain->h[t - 1], &chain->digest[t - 1]);
    return PA_OK;
}

int pa_chain_tail(const struct pa_chain *chain, struct pa_tail *out, struct pa_error *error) {
    struct pa_hash *leaves;
    PA_TRY(make_leaves(chain, &leaves, error));
    out->steps = chain->steps;
    out->last = *chain_h(chain, chain->steps);
    pa_tree_root(&out->tree, leaves, chain->steps);
    free(leaves);
    return PA_OK;
}

int pa_chain_open(const struct pa_chain *chain, uint32_t t, uint32_t row, struct pa_opening *out,
                  struct pa_error *error) {
    uint32_t rows = chain->shape.m / PA_TILE, columns = chain->shape.n / PA_TILE;
    *out = (struct pa_opening){.row_count = rows, .tile_count = columns};
    if (t < 1 || t > chain->steps || row >= rows)
        return pa_fail(error, PA_EINPUT,
                       "opening tile row %u of step %u: the chain has %u steps of %u rows", row, t,
                       chain->steps, rows);
    struct pa_hash *leaves;
    PA_TRY(make_leaves(chain, &leaves, error));
    out->rows = calloc(rows, sizeof *out->rows);
    out->tiles = calloc(columns, sizeof *out->tiles);
    if (out->rows == NULL || out->tiles == NULL) {
        free(leaves);
        pa_opening_free(out);
        return pa_fail(error, PA_EMEMORY, "opening step %u: out of memory", t);
    }
    out->step_count = t < PA_OPENED_STEPS ? t : PA_OPENED_STEPS;
    for (uint32_t i = 0; i < out->step_count; i++) {
        uint32_t index = t - out->step_count + i;
        struct pa_opened_step *step = &out->steps[i];
        step->h = chain->h[index];
        step->digest = chain->digest[index];
        step->path_length = pa_tree_path(step->path, leaves, chain->steps, index);
    }
    const uint64_t *tiles = chain->tiles + (t - 1) * (size_t)pa_shape_tiles(chain->shape);
    hash_rows(out->rows, chain->shape, tiles);
    memcpy(out->tiles, tiles + (size_t)row * columns, columns * sizeof *tiles);
    free(leaves);
    return PA_OK;
}

void pa_chain_free(struct pa_chain *chain) {
    free(chain->h);
    free(chain->digest);
    free(chain->tiles);
    free(chain->rows);
    *chain = (struct pa_chain){0};
}
