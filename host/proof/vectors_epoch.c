/* SPDX-License-Identifier: Apache-2.0 */
/* Whole epochs of vectors: chains computed again tile by tile, commitments, samples and openings.
 * How much is computed is bounded by the file: every tile computed has its digest in it. */
#include "base/bytes.h"
#include "proof/chain.h"
#include "proof/epoch.h"
#include "proof/fabric_proof.h"
#include "proof/opening.h"
#include "proof/tile.h"
#include "proof/tree.h"
#include "proof/vectors_run.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_DEVICES = 256,
    MOST_STEPS = 256,
    MOST_SAMPLES = 65536,
    MOST_LINES = 256,
    MOST_CHUNKS = 64, /* of a state, that are compared */
};

struct epoch_run {
    struct pa_vectors_run *run;
    size_t number;
    struct pa_epoch_parameters parameters;
    struct pa_hash key, nonce, root;
    uint32_t devices;
    struct pa_chain *chains;
    struct pa_shape *shapes;
    struct pa_tail *tails;
    struct pa_tile_bench *bench;
};

/* What a function of the protocol refused is a mismatch of the file with its own limits. */
static bool worked(struct pa_vectors_run *run, int code) {
    if (run->code == PA_OK && code != PA_OK)
        run->code = pa_fail_in(run->error, "vectors %s: %s", run->file, run->place);
    return run->code == PA_OK;
}

/* One element of C from the definition, for c_first and c_last. */
static int64_t element(const struct epoch_run *epoch, struct pa_seed a, struct pa_seed b,
                       uint32_t row, uint32_t column) {
    const struct pa_class_traits *traits = pa_class_traits(epoch->parameters.class_id);
    uint32_t width = (uint32_t)traits->slot_bits, bits = (uint32_t)traits->bits;
    uint32_t slots = 128 / width;
    int64_t sum = 0;
    for (uint32_t k = 0; k < epoch->parameters.k; k++) {
        pa_u32 x[4], y[4];
        pa_philox(a, k / slots, row, x);
        pa_philox(b, k / slots, column, y);
        sum += (int64_t)pa_slot_value(x, k % slots, width, bits) *
               pa_slot_value(y, k % slots, width, bits);
    }
    return sum;
}

/* The tiles of one step, computed and compared; false when the entry is malformed. */
static bool run_tiles(struct epoch_run *epoch, const json_t *step, struct pa_shape shape,
                      struct pa_seed a, struct pa_seed b, uint64_t *tiles) {
    struct pa_vectors_run *run = epoch->run;
    uint32_t rows = shape.m / PA_TILE, columns = shape.n / PA_TILE;
    const json_t *lines = pa_run_array(run, step, "tiles", MOST_LINES);
    if (json_array_size(lines) != rows)
        pa_run_fail(run, "tiles", "one line for each tile row");
    for (uint32_t i = 0; run->code == PA_OK && i < rows; i++) {
        const json_t *line = json_array_get(lines, i);
        if (!json_is_array(line) || json_array_size(line) != columns)
            pa_run_fail(run, "tiles", "one digest for each tile column");
        for (uint32_t j = 0; run->code == PA_OK && j < columns; j++) {
            uint64_t ours = pa_tile_digest(epoch->bench, epoch->parameters.class_id,
                                           epoch->parameters.k, &a, &b, i, j);
            tiles[i * columns + j] = ours;
            pa_run_same_word(run, "tiles", ours, pa_run_word_at(run, line, j));
        }
    }
    return run->code == PA_OK;
}

static void run_step(struct epoch_run *epoch, const json_t *step, struct pa_chain *chain,
                     uint32_t t, uint64_t *tiles) {
    struct pa_vectors_run *run = epoch->run;
    struct pa_shape shape = chain->shape;
    uint32_t rows = shape.m / PA_TILE, columns = shape.n / PA_TILE;
    pa_run_integer(run, step, "t", t, t);
    struct pa_hash b_hash, theirs = pa_run_hash(run, step, "b_seed");
    pa_step_b_hash(&b_hash, t > PA_LAG ? &chain->h[t - PA_LAG - 1] : &chain->start, t);
    pa_run_same_hash(run, "b_seed", &b_hash, &theirs);
    struct pa_seed a = pa_chain_a_seed(chain), b = pa_chain_b_seed(chain, t);
    if (!run_tiles(epoch, step, shape, a, b, tiles))
        return;
    const json_t *row_hashes = pa_run_array(run, step, "rows", MOST_LINES);
    for (uint32_t i = 0; run->code == PA_OK && i < rows; i++) {
        struct pa_hash row;
        pa_step_row(&row, tiles + (size_t)i * columns, columns);
        theirs = pa_run_hash_at(run, row_hashes, i);
        pa_run_same_hash(run, "rows", &row, &theirs);
    }
    pa_run_same_integer(run, "c_first", element(epoch, a, b, 0, 0),
                        pa_run_integer(run, step, "c_first", INT64_MIN, INT64_MAX));
    pa_run_same_integer(run, "c_last", element(epoch, a, b, shape.m - 1, shape.n - 1),
                        pa_run_integer(run, step, "c_last", INT64_MIN, INT64_MAX));
    if (!worked(run, run->code == PA_OK ? pa_chain_append(chain, tiles, run->error) : run->code))
        return;
    theirs = pa_run_hash(run, step, "step");
    pa_run_same_hash(run, "step", &chain->digest[t - 1], &theirs);
    theirs = pa_run_hash(run, step, "h");
    pa_run_same_hash(run, "h", &chain->h[t - 1], &theirs);
}

static void run_ends(struct epoch_run *epoch, const json_t *device, uint32_t d) {
    struct pa_vectors_run *run = epoch->run;
    struct pa_chain *chain = &epoch->chains[d];
    if (!worked(run, pa_chain_tail(chain, &epoch->tails[d], run->error)))
        return;
    struct pa_hash theirs = pa_run_hash(run, device, "h_T");
    pa_run_same_hash(run, "h_T", &epoch->tails[d].last, &theirs);
    theirs = pa_run_hash(run, device, "tree");
    pa_run_same_hash(run, "tree", &epoch->tails[d].tree, &theirs);
    const json_t *leaves = pa_run_array(run, device, "leaves", MOST_STEPS);
    const json_t *paths = pa_run_array(run, device, "paths", MOST_STEPS);
    for (uint32_t t = 1; run->code == PA_OK && t <= chain->steps; t++) {
        struct pa_hash leaf;
        pa_tree_leaf(&leaf, t, &chain->h[t - 1], &chain->digest[t - 1]);
        theirs = pa_run_hash_at(run, leaves, t - 1);
        pa_run_same_hash(run, "leaves", &leaf, &theirs);
        const json_t *path = json_array_get(paths, t - 1);
        struct pa_opening opening;
        if (!worked(run, pa_chain_open(chain, t, 0, &opening, run->error)))
            return;
        const struct pa_opened_step *last = &opening.steps[opening.step_count - 1];
        pa_run_same_integer(run, "paths", last->path_length, (int64_t)json_array_size(path));
        for (uint32_t i = 0; run->code == PA_OK && i < last->path_length; i++) {
            theirs = pa_run_hash_at(run, path, i);
            pa_run_same_hash(run, "paths", &last->path[i], &theirs);
        }
        pa_opening_free(&opening);
    }
}

/* Chunks of a device's state, spread over it, against the same by this program: the vectors have
 * the digests that lead to its operands. */
static void compare_state(struct epoch_run *epoch, const struct pa_vectors_chain *work,
                          uint32_t d) {
    struct pa_vectors_run *run = epoch->run;
    uint64_t chunks = work->words / PA_FABRIC_CHUNK;
    uint64_t stride = chunks / MOST_CHUNKS + 1;
    for (uint64_t c = 0; run->code == PA_OK && c < chunks; c += stride) {
        uint32_t own[PA_FABRIC_CHUNK];
        uint64_t ours, theirs;
        if (!worked(run,
                    pa_fabric_chunk(own, work->class_id, work->shape, work->start,
                                    epoch->chains[d].digest, work->steps, (uint32_t)c, run->error)))
            return;
        pa_fabric_digests(&ours, work->state + c * PA_FABRIC_CHUNK, PA_FABRIC_CHUNK, 0);
        pa_fabric_digests(&theirs, own, PA_FABRIC_CHUNK, 0);
        pa_run_same_word(run, "state", ours, theirs);
    }
}

static void compare_device_chain(struct epoch_run *epoch, const json_t *steps,
                                 const struct pa_vectors_chain *work, uint32_t d) {
    struct pa_vectors_run *run = epoch->run;
    pa_run_same_integer(run, "T", work->chain.steps, work->steps);
    for (uint32_t t = 1; run->code == PA_OK && t <= work->steps && t <= work->chain.steps; t++) {
        const json_t *step = json_array_get(steps, t - 1);
        struct pa_hash theirs = pa_run_hash(run, step, "step");
        pa_run_same_hash(run, "step", &work->chain.digest[t - 1], &theirs);
        theirs = pa_run_hash(run, step, "h");
        pa_run_same_hash(run, "h", &work->chain.h[t - 1], &theirs);
    }
    if (work->has_state)
        compare_state(epoch, work, d);
}

/* The same chain by the device, compared with the vectors step by step. */
static void run_device_chain(struct epoch_run *epoch, const json_t *steps, uint32_t d) {
    struct pa_vectors_run *run = epoch->run;
    struct pa_vectors_chain work = {
        .class_id = epoch->parameters.class_id,
        .shape = epoch->shapes[d],
        .start = &epoch->chains[d].start,
        .steps = (uint32_t)json_array_size(steps),
        .words = pa_fabric_words(epoch->parameters.class_id, &epoch->shapes[d], 1)};
    work.state = malloc((size_t)work.words * sizeof *work.state);
    if (work.state == NULL)
        pa_run_fail(run, "M", "less than all memory");
    else if (pa_run_device(run, run->device->chain(run->device->context, &work, run->error))) {
        run->is_on_device = true;
        compare_device_chain(epoch, steps, &work, d);
        run->is_on_device = false;
    }
    pa_chain_free(&work.chain);
    free(work.state);
}

static void run_device(struct epoch_run *epoch, const json_t *device, uint32_t d) {
    struct pa_vectors_run *run = epoch->run;
    pa_run_place(run, "epochs[%zu].devices[%u]", epoch->number, d);
    pa_run_integer(run, device, "d", d, d);
    uint32_t m = (uint32_t)pa_run_integer(run, device, "M", PA_TILE, MOST_LINES * PA_TILE);
    uint32_t n = (uint32_t)pa_run_integer(run, device, "N", PA_TILE, MOST_LINES * PA_TILE);
    struct pa_shape shape = {m, n, epoch->parameters.k};
    const json_t *steps = pa_run_array(run, device, "steps", MOST_STEPS);
    uint32_t count = (uint32_t)json_array_size(steps);
    pa_run_integer(run, device, "T", count, count);
    if (run->code == PA_OK && !pa_shape_is_sound(epoch->parameters.class_id, shape))
        pa_run_fail(run, "M", "a sound shape");
    if (run->code != PA_OK)
        return;
    epoch->shapes[d] = shape;
    struct pa_hash ours, theirs = pa_run_hash(run, device, "s_d");
    pa_epoch_device_start(&ours, &epoch->nonce, &epoch->parameters, d, m, n);
    pa_run_same_hash(run, "s_d", &ours, &theirs);
    if (!worked(run, pa_chain_begin(&epoch->chains[d], &ours, shape, count, run->error)))
        return;
    theirs = pa_run_hash(run, device, "a_seed");
    pa_step_a_hash(&ours, &epoch->chains[d].start);
    pa_run_same_hash(run, "a_seed", &ours, &theirs);
    uint64_t *tiles = calloc((size_t)pa_shape_tiles(shape), sizeof *tiles);
    if (tiles == NULL)
        pa_run_fail(run, "M", "less than all memory");
    for (uint32_t t = 1; tiles != NULL && run->code == PA_OK && t <= count; t++) {
        pa_run_place(run, "epochs[%zu].devices[%u].steps[%u]", epoch->number, d, t - 1);
        run_step(epoch, json_array_get(steps, t - 1), &epoch->chains[d], t, tiles);
    }
    free(tiles);
    pa_run_place(run, "epochs[%zu].devices[%u]", epoch->number, d);
    if (run->code == PA_OK)
        run_ends(epoch, device, d);
    if (run->code == PA_OK && run->device != NULL && count > 0)
        run_device_chain(epoch, steps, d);
}

static uint64_t index_of(const struct epoch_run *epoch, const struct pa_sample *sample) {
    uint64_t index = 0;
    for (uint32_t d = 0; d < sample->device; d++)
        index += epoch->tails[d].steps * pa_shape_tiles(epoch->shapes[d]);
    struct pa_shape shape = epoch->shapes[sample->device];
    return index + (sample->step - 1) * pa_shape_tiles(shape) +
           (uint64_t)sample->row * (shape.n / PA_TILE) + sample->column;
}

static void run_samples(struct epoch_run *epoch, const json_t *entry) {
    struct pa_vectors_run *run = epoch->run;
    pa_run_place(run, "epochs[%zu]", epoch->number);
    struct pa_hash theirs = pa_run_hash(run, entry, "q"), q;
    const struct pa_piece pieces[] = {{epoch->key.bytes, PA_HASH_BYTES},
                                      {epoch->root.bytes, PA_HASH_BYTES}};
    pa_hash_pieces(&q, "sample", pieces, 2);
    pa_run_same_hash(run, "q", &q, &theirs);
    uint64_t total = 0;
    pa_epoch_tiles(&total, epoch->shapes, epoch->tails, epoch->devices);
    pa_run_same_integer(run, "total_tiles", (int64_t)total,
                        pa_run_integer(run, entry, "total_tiles", 0, INT64_MAX));
    const json_t *samples = pa_run_array(run, entry, "samples", MOST_SAMPLES);
    uint32_t count = (uint32_t)json_array_size(samples);
    struct pa_sample *ours = calloc((size_t)count + 1, sizeof *ours);
    if (ours == NULL)
        pa_run_fail(run, "samples", "less than all memory");
    if (ours != NULL && run->code == PA_OK &&
        worked(run, pa_epoch_samples(ours, count, &epoch->key, &epoch->root, epoch->shapes,
                                     epoch->tails, epoch->devices, run->error)))
        for (uint32_t j = 0; j < count; j++) {
            const json_t *sample = json_array_get(samples, j);
            pa_run_place(run, "epochs[%zu].samples[%u]", epoch->number, j);
            pa_run_integer(run, sample, "j", j, j);
            const struct {
                const char *key;
                uint64_t value;
            } fields[] = {{"index", index_of(epoch, &ours[j])},
                          {"d", ours[j].device},
                          {"t", ours[j].step},
                          {"i", ours[j].row},
                          {"jcol", ours[j].column}};
            for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++)
                pa_run_same_integer(run, fields[f].key, (int64_t)fields[f].value,
                                    pa_run_integer(run, sample, fields[f].key, 0, INT64_MAX));
        }
    free(ours);
}

/* Our opening against the one of the vectors, part by part. */
static void compare_opening(struct pa_vectors_run *run, const json_t *entry,
                            const struct pa_opening *ours, uint32_t t) {
    const json_t *steps = pa_run_array(run, entry, "steps", PA_OPENED_STEPS);
    const json_t *rows = pa_run_array(run, entry, "rows", MOST_LINES);
    const json_t *tiles = pa_run_array(run, entry, "tiles", MOST_LINES);
    pa_run_same_integer(run, "steps", ours->step_count, (int64_t)json_array_size(steps));
    for (uint32_t i = 0; run->code == PA_OK && i < ours->step_count; i++) {
        const json_t *step = json_array_get(steps, i);
        const json_t *path = pa_run_array(run, step, "path", PA_MOST_PATH);
        uint32_t number = t - ours->step_count + i + 1;
        pa_run_integer(run, step, "t", number, number);
        struct pa_hash theirs = pa_run_hash(run, step, "h");
        pa_run_same_hash(run, "steps.h", &ours->steps[i].h, &theirs);
        theirs = pa_run_hash(run, step, "step");
        pa_run_same_hash(run, "steps.step", &ours->steps[i].digest, &theirs);
        pa_run_same_integer(run, "steps.path", ours->steps[i].path_length,
                            (int64_t)json_array_size(path));
        for (uint32_t p = 0; run->code == PA_OK && p < ours->steps[i].path_length; p++) {
            theirs = pa_run_hash_at(run, path, p);
            pa_run_same_hash(run, "steps.path", &ours->steps[i].path[p], &theirs);
        }
    }
    for (uint32_t i = 0; run->code == PA_OK && i < ours->row_count; i++) {
        struct pa_hash theirs = pa_run_hash_at(run, rows, i);
        pa_run_same_hash(run, "rows", &ours->rows[i], &theirs);
    }
    for (uint32_t i = 0; run->code == PA_OK && i < ours->tile_count; i++)
        pa_run_same_word(run, "tiles", ours->tiles[i], pa_run_word_at(run, tiles, i));
}

/* The witness's side of the same opening: encoded, read, checked, and its tile computed. */
static void check_opening(struct epoch_run *epoch, const struct pa_opening *ours,
                          const struct pa_sample *sample) {
    struct pa_vectors_run *run = epoch->run;
    const struct pa_chain *chain = &epoch->chains[sample->device];
    struct pa_buffer bytes = {0};
    pa_opening_write(ours, &bytes);
    struct pa_reader reader = pa_reader_over(bytes.data, bytes.size);
    struct pa_opening read;
    struct pa_seed a = pa_chain_a_seed(chain), b;
    uint64_t claimed = 0;
    if (worked(run,
               pa_opening_read(&read, &reader, sample, chain->shape, chain->steps, run->error))) {
        int code = pa_opening_check(&read, sample, chain->shape, &chain->start,
                                    &epoch->tails[sample->device], &b, &claimed, NULL);
        pa_run_same_integer(run, "check", code, PA_OK);
        if (code == PA_OK)
            pa_run_same_word(run, "claimed", claimed,
                             pa_tile_digest(epoch->bench, epoch->parameters.class_id,
                                            epoch->parameters.k, &a, &b, sample->row,
                                            sample->column));
        pa_opening_free(&read);
    }
    pa_buffer_free(&bytes);
}

static void run_opening(struct epoch_run *epoch, const json_t *entry, size_t number) {
    struct pa_vectors_run *run = epoch->run;
    pa_run_place(run, "epochs[%zu].openings[%zu]", epoch->number, number);
    uint32_t d = (uint32_t)pa_run_integer(run, entry, "d", 0, (int64_t)epoch->devices - 1);
    uint32_t t = (uint32_t)pa_run_integer(run, entry, "t", 1, MOST_STEPS);
    uint32_t row = (uint32_t)pa_run_integer(run, entry, "i", 0, MOST_LINES - 1);
    struct pa_opening opening;
    if (run->code != PA_OK ||
        !worked(run, pa_chain_open(&epoch->chains[d], t, row, &opening, run->error)))
        return;
    compare_opening(run, entry, &opening, t);
    struct pa_sample sample = {.device = d, .step = t, .row = row, .column = 0};
    if (run->code == PA_OK)
        check_opening(epoch, &opening, &sample);
    pa_opening_free(&opening);
}

static void run_parameters(struct epoch_run *epoch, const json_t *entry) {
    struct pa_vectors_run *run = epoch->run;
    struct pa_epoch_parameters *p = &epoch->parameters;
    p->class_id = pa_run_class(run, entry);
    p->k = (uint32_t)pa_run_integer(run, entry, "K", 1, PA_MOST_K);
    p->session = pa_run_hash(run, entry, "session");
    p->epoch = (uint64_t)pa_run_integer(run, entry, "epoch", 0, INT64_MAX);
    p->devices = epoch->devices;
    uint8_t ours[PA_EPOCH_PARAMETER_BYTES], theirs[PA_EPOCH_PARAMETER_BYTES] = {0};
    const char *text = pa_run_text(run, entry, "params");
    if (strlen(text) != 2 * sizeof theirs || !pa_unhex(theirs, sizeof theirs, text))
        pa_run_fail(run, "params", "56 bytes in hexadecimal");
    pa_epoch_parameter_bytes(ours, p);
    pa_run_same_integer(run, "params", memcmp(ours, theirs, sizeof ours) == 0, 1);
    epoch->key = pa_run_hash(run, entry, "key");
    pa_epoch_nonce(&epoch->nonce, &epoch->key);
    struct pa_hash nonce = pa_run_hash(run, entry, "nonce");
    pa_run_same_hash(run, "nonce", &epoch->nonce, &nonce);
}

static void run_commitment(struct epoch_run *epoch, const json_t *entry) {
    struct pa_vectors_run *run = epoch->run;
    const json_t *devices = pa_run_array(run, entry, "devices", MOST_DEVICES);
    for (uint32_t d = 0; run->code == PA_OK && d < epoch->devices; d++)
        run_device(epoch, json_array_get(devices, d), d);
    pa_run_place(run, "epochs[%zu]", epoch->number);
    if (run->code != PA_OK)
        return;
    struct pa_hash theirs = pa_run_hash(run, entry, "root");
    pa_epoch_root(&epoch->root, &epoch->nonce, epoch->tails, epoch->devices);
    pa_run_same_hash(run, "root", &epoch->root, &theirs);
    run_samples(epoch, entry);
    pa_run_place(run, "epochs[%zu]", epoch->number);
    const json_t *openings = pa_run_array(run, entry, "openings", MOST_SAMPLES);
    for (size_t i = 0; run->code == PA_OK && i < json_array_size(openings); i++)
        run_opening(epoch, json_array_get(openings, i), i);
}

void pa_run_epoch(struct pa_vectors_run *run, const json_t *entry, size_t number) {
    pa_run_place(run, "epochs[%zu]", number);
    struct epoch_run epoch = {.run = run, .number = number};
    epoch.devices = (uint32_t)json_array_size(pa_run_array(run, entry, "devices", MOST_DEVICES));
    if (epoch.devices == 0)
        pa_run_fail(run, "devices", "at least one device");
    run_parameters(&epoch, entry);
    epoch.chains = calloc((size_t)epoch.devices + 1, sizeof *epoch.chains);
    epoch.shapes = calloc((size_t)epoch.devices + 1, sizeof *epoch.shapes);
    epoch.tails = calloc((size_t)epoch.devices + 1, sizeof *epoch.tails);
    if (epoch.chains == NULL || epoch.shapes == NULL || epoch.tails == NULL)
        pa_run_fail(run, "devices", "less than all memory");
    if (run->code == PA_OK &&
        worked(run, pa_tile_bench_create(epoch.parameters.k, &epoch.bench, run->error)))
        run_commitment(&epoch, entry);
    for (uint32_t d = 0; epoch.chains != NULL && d < epoch.devices; d++)
        pa_chain_free(&epoch.chains[d]);
    pa_tile_bench_destroy(epoch.bench);
    free(epoch.chains);
    free(epoch.shapes);
    free(epoch.tails);
}
