/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/opening.h"

#include "proof/tree.h"

#include <stdlib.h>
#include <string.h>

void pa_opening_write(const struct pa_opening *opening, struct pa_buffer *out) {
    for (uint32_t i = 0; i < opening->step_count; i++) {
        const struct pa_opened_step *step = &opening->steps[i];
        pa_buffer_bytes(out, step->h.bytes, PA_HASH_BYTES);
        pa_buffer_bytes(out, step->digest.bytes, PA_HASH_BYTES);
        pa_buffer_bytes(out, step->path, step->path_length * sizeof step->path[0]);
    }
    pa_buffer_bytes(out, opening->rows, opening->row_count * sizeof *opening->rows);
    for (uint32_t i = 0; i < opening->tile_count; i++)
        pa_buffer_u64(out, opening->tiles[i]);
}

static bool sample_is_inside(const struct pa_sample *sample, struct pa_shape shape,
                             uint64_t steps) {
    return shape.m <= PA_MOST_MN && shape.n <= PA_MOST_MN && steps <= PA_MOST_STEPS &&
           sample->step >= 1 && sample->step <= steps && sample->row < shape.m / PA_TILE &&
           sample->column < shape.n / PA_TILE;
}

static uint32_t opened_steps(uint32_t t) {
    return t < PA_OPENED_STEPS ? t : PA_OPENED_STEPS;
}

static size_t opening_size(const struct pa_sample *sample, struct pa_shape shape, uint64_t steps) {
    size_t hashes = shape.m / PA_TILE;
    uint32_t count = opened_steps(sample->step);
    for (uint32_t i = 0; i < count; i++)
        hashes += 2 + pa_tree_path_length(sample->step - count + i, (uint32_t)steps);
    return hashes * PA_HASH_BYTES + shape.n / PA_TILE * sizeof(uint64_t);
}

int pa_opening_read(struct pa_opening *out, struct pa_reader *reader,
                    const struct pa_sample *sample, struct pa_shape shape, uint64_t steps,
                    struct pa_error *error) {
    *out = (struct pa_opening){0};
    if (!sample_is_inside(sample, shape, steps))
        return pa_fail(error, PA_EINPUT,
                       "reading an opening: step %u, tile (%u, %u) is outside of the device's work",
                       sample->step, sample->row, sample->column);
    size_t size = opening_size(sample, shape, steps);
    if (reader->failed || reader->left != size)
        return pa_fail(error, PA_EINPUT,
                       "reading the opening of device %u, step %u: %zu bytes, and it has %zu",
                       sample->device, sample->step, reader->left, size);
    out->row_count = shape.m / PA_TILE;
    out->tile_count = shape.n / PA_TILE;
    out->rows = calloc(out->row_count, sizeof *out->rows);
    out->tiles = calloc(out->tile_count, sizeof *out->tiles);
    if (out->rows == NULL || out->tiles == NULL) {
        pa_opening_free(out);
        return pa_fail(error, PA_EMEMORY, "reading an opening: out of memory");
    }
    out->step_count = opened_steps(sample->step);
    for (uint32_t i = 0; i < out->step_count; i++) {
        struct pa_opened_step *step = &out->steps[i];
        step->path_length =
            pa_tree_path_length(sample->step - out->step_count + i, (uint32_t)steps);
        pa_read_bytes(reader, step->h.bytes, PA_HASH_BYTES);
        pa_read_bytes(reader, step->digest.bytes, PA_HASH_BYTES);
        pa_read_bytes(reader, step->path, step->path_length * sizeof step->path[0]);
    }
    pa_read_bytes(reader, out->rows, out->row_count * sizeof *out->rows);
    for (uint32_t i = 0; i < out->tile_count; i++)
        out->tiles[i] = pa_read_u64(reader);
    return PA_OK;
}

void pa_opening_free(struct pa_opening *opening) {
    free(opening->rows);
    free(opening->tiles);
    *opening = (struct pa_opening){0};
}

/* Every step opened is the leaf of its own number, in a tree of exactly T_d leaves. */
static int check_paths(const struct pa_opening *opening, uint32_t t, const struct pa_tail *tail,
                       struct pa_error *error) {
    for (uint32_t i = 0; i < opening->step_count; i++) {
        const struct pa_opened_step *step = &opening->steps[i];
        uint32_t number = t - opening->step_count + i + 1;
        struct pa_hash leaf;
        pa_tree_leaf(&leaf, number, &step->h, &step->digest);
        if (step->path_length > PA_MOST_PATH ||
            !pa_tree_verify(&leaf, number - 1, (uint32_t)tail->steps, step->path, step->path_length,
                            &tail->tree))
            return pa_fail(error, PA_EINVALID,
                           "the path of step %u does not lead to the committed tree", number);
        if (number == tail->steps && !pa_hash_equal(&step->h, &tail->last))
            return pa_fail(error, PA_EINVALID, "the last step is not the one of the list");
    }
    return PA_OK;
}

/* h_t from h_(t-1), h_(t-1) from h_(t-2), and step 1 from s_d as the witness knows it. */
static int check_links(const struct pa_opening *opening, uint32_t t, const struct pa_hash *start,
                       struct pa_error *error) {
    uint32_t first = t - opening->step_count + 1;
    for (uint32_t i = 0; i < opening->step_count; i++) {
        const struct pa_hash *previous = i > 0 ? &opening->steps[i - 1].h : start;
        if (i == 0 && first > 1)
            continue; /* h_(t-3) is not opened: the leaf alone binds h_(t-2) */
        struct pa_hash h;
        pa_step_link(&h, previous, first + i, &opening->steps[i].digest);
        if (!pa_hash_equal(&h, &opening->steps[i].h))
            return pa_fail(error, PA_EINVALID, "the chain is broken at step %u", first + i);
    }
    return PA_OK;
}

static int check_rows(const struct pa_opening *opening, const struct pa_sample *sample,
                      struct pa_error *error) {
    struct pa_hash hash;
    pa_step_digest(&hash, opening->rows, opening->row_count);
    if (!pa_hash_equal(&hash, &opening->steps[opening->step_count - 1].digest))
        return pa_fail(error, PA_EINVALID, "the rows of step %u do not hash to its digest",
                       sample->step);
    pa_step_row(&hash, opening->tiles, opening->tile_count);
    if (!pa_hash_equal(&hash, &opening->rows[sample->row]))
        return pa_fail(error, PA_EINVALID,
                       "the tile digests of row %u of step %u do not hash to the row", sample->row,
                       sample->step);
    return PA_OK;
}

int pa_opening_check(const struct pa_opening *opening, const struct pa_sample *sample,
                     struct pa_shape shape, const struct pa_hash *start, const struct pa_tail *tail,
                     struct pa_seed *b_seed, uint64_t *claimed, struct pa_error *error) {
    uint32_t t = sample->step;
    if (!sample_is_inside(sample, shape, tail->steps) || opening->step_count != opened_steps(t) ||
        opening->row_count != shape.m / PA_TILE || opening->tile_count != shape.n / PA_TILE)
        return pa_fail(error, PA_EINVALID, "the opening is not one of step %u, tile (%u, %u)", t,
                       sample->row, sample->column);
    PA_TRY(check_paths(opening, t, tail, error));
    PA_TRY(check_links(opening, t, start, error));
    PA_TRY(check_rows(opening, sample, error));
    struct pa_hash hash;
    pa_step_b_hash(&hash, t > PA_LAG ? &opening->steps[0].h : start, t);
    *b_seed = pa_seed_from(&hash);
    *claimed = opening->tiles[sample->column];
    return PA_OK;
}
