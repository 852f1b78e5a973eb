/* SPDX-License-Identifier: Apache-2.0 */
/* witness_cost.c - what one opening costs the witness, on one core of this machine.
 *
 *     build/release/bench/witness_cost [REPETITIONS]      (200 unless told)
 *
 * For each class and each code path that runs here: reading and checking an opening of a device
 * with M = 32768, N = 8192, K = 8192 and 400 steps, and computing its tile; median and the 5th and
 * 95th percentile of single openings. The code paths take turns, so that a slow second hits them
 * all. Then one chunk of a fabric proof's state: a row of each of its 64 steps. */
#include "bench_machine.h"

#include "proof/fabric_proof.h"
#include "proof/proof.h"
#include "proof/tile_code.h"

enum { CLASSES = 4, MOST_PATHS = 3, STEPS = 400, LEAST_REPETITIONS = 200 };

static const enum pa_class classes[CLASSES] = {PA_DENSE16, PA_DENSE8, PA_CLASS_FP8, PA_DENSE64};

static int by_value(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_row(const char *what, const char *path, uint64_t *ns, size_t count) {
    qsort(ns, count, sizeof *ns, by_value);
    printf("%-14s %9s: %8.3f  %8.3f  %8.3f\n", what, path, (double)ns[count / 2] / 1e6,
           (double)ns[count / 20] / 1e6, (double)ns[count - 1 - count / 20] / 1e6);
}

/* An opening with sound hashes; what was multiplied does not matter to its check. */
static int make_opening(struct pa_chain *chain, struct pa_tail *tail, struct pa_buffer *bytes,
                        const struct pa_sample *sample, struct pa_error *error) {
    struct pa_shape shape = {32768, 8192, 8192};
    struct pa_hash start;
    pa_sha256(&start, "witness_cost", 12);
    PA_TRY(pa_chain_begin(chain, &start, shape, STEPS, error));
    size_t count = (size_t)pa_shape_tiles(shape);
    uint64_t *tiles = calloc(count, sizeof *tiles);
    if (tiles == NULL)
        return pa_fail(error, PA_EMEMORY, "out of memory");
    int code = PA_OK;
    for (uint32_t t = 0; code == PA_OK && t < STEPS; t++) {
        tiles[t % count] = t;
        code = pa_chain_append(chain, tiles, error);
    }
    free(tiles);
    PA_TRY(code);
    PA_TRY(pa_chain_tail(chain, tail, error));
    struct pa_opening opening;
    PA_TRY(pa_chain_open(chain, sample->step, sample->row, &opening, error));
    pa_opening_write(&opening, bytes);
    pa_opening_free(&opening);
    return PA_OK;
}

static int measure_check(const struct pa_chain *chain, const struct pa_tail *tail,
                         const struct pa_buffer *bytes, const struct pa_sample *sample,
                         uint64_t *ns, size_t repetitions, struct pa_error *error) {
    for (size_t i = 0; i < repetitions; i++) {
        struct pa_reader reader = pa_reader_over(bytes->data, bytes->size);
        struct pa_opening opening;
        struct pa_seed seed;
        uint64_t claimed, t0 = pa_clock_raw_ns();
        PA_TRY(pa_opening_read(&opening, &reader, sample, chain->shape, tail->steps, error));
        int code = pa_opening_check(&opening, sample, chain->shape, &chain->start, tail, &seed,
                                    &claimed, error);
        pa_opening_free(&opening);
        ns[i] = pa_clock_raw_ns() - t0;
        PA_TRY(code);
    }
    return PA_OK;
}

static int measure_tiles(uint64_t *ns[MOST_PATHS], size_t repetitions, struct pa_error *error) {
    const struct pa_tile_code *all[] = {pa_tile_avx512(), pa_tile_avx2(), &pa_tile_portable};
    struct pa_tile_bench *bench;
    PA_TRY(pa_tile_bench_create(PA_CERTIFIED_K, &bench, error));
    struct pa_hash hash;
    pa_sha256(&hash, "seed", 4);
    struct pa_seed a = pa_seed_from(&hash), b = a;
    uint64_t sum = 0;
    for (int c = 0; c < CLASSES; c++) {
        for (size_t i = 0; i < repetitions; i++)
            for (int p = 0; p < MOST_PATHS; p++) {
                if (all[p] == NULL)
                    continue;
                b.c2 = (uint32_t)i;
                uint64_t t0 = pa_clock_raw_ns();
                sum += pa_tile_digest_with(all[p], bench, classes[c], PA_CERTIFIED_K, &a, &b, 7, 9);
                ns[p][i] = pa_clock_raw_ns() - t0;
            }
        for (int p = 0; p < MOST_PATHS; p++)
            if (all[p] != NULL)
                print_row(pa_class_traits(classes[c])->name, all[p]->name, ns[p], repetitions);
    }
    printf("checksum of all digests: %016llx\n", (unsigned long long)sum);
    pa_tile_bench_destroy(bench);
    return PA_OK;
}

static int measure_fabric(uint64_t *ns, size_t repetitions, struct pa_error *error) {
    const struct pa_shape shape = {32768, 8192, PA_CERTIFIED_K};
    struct pa_hash start, d[PA_FABRIC_STEPS];
    pa_sha256(&start, "fabric", 6);
    for (int t = 0; t < PA_FABRIC_STEPS; t++)
        d[t] = start;
    for (int c = 0; c < CLASSES; c++) {
        for (size_t i = 0; i < repetitions; i++) {
            uint32_t words[PA_FABRIC_CHUNK];
            uint64_t t0 = pa_clock_raw_ns();
            PA_TRY(pa_fabric_chunk(words, classes[c], shape, &start, d, PA_FABRIC_STEPS,
                                   (uint32_t)i, error));
            ns[i] = pa_clock_raw_ns() - t0;
        }
        char what[24];
        snprintf(what, sizeof what, "fabric-%s", pa_class_traits(classes[c])->name);
        print_row(what, pa_tile_code_path(), ns, repetitions);
    }
    return PA_OK;
}

static int measure(size_t repetitions, struct pa_error *error) {
    struct pa_chain chain = {0};
    struct pa_tail tail;
    struct pa_buffer bytes = {0};
    struct pa_sample sample = {.step = 321, .row = 77, .column = 9};
    uint64_t *ns[MOST_PATHS] = {0};
    int code = PA_OK;
    for (int p = 0; p < MOST_PATHS; p++) {
        ns[p] = calloc(repetitions, sizeof *ns[p]);
        if (ns[p] == NULL)
            code = pa_fail(error, PA_EMEMORY, "out of memory");
    }
    if (code == PA_OK)
        code = make_opening(&chain, &tail, &bytes, &sample, error);
    if (code == PA_OK)
        code = measure_check(&chain, &tail, &bytes, &sample, ns[0], repetitions, error);
    if (code == PA_OK) {
        printf("an opening is %zu bytes; milliseconds for one, %zu repetitions\n", bytes.size,
               repetitions);
        printf("%-14s %-9s %8s  %8s  %8s\n", "", "path", "median", "5 %", "95 %");
        print_row("check", "alone", ns[0], repetitions);
        code = measure_tiles(ns, repetitions, error);
    }
    if (code == PA_OK)
        code = measure_fabric(ns[0], repetitions, error);
    for (int p = 0; p < MOST_PATHS; p++)
        free(ns[p]);
    pa_buffer_free(&bytes);
    pa_chain_free(&chain);
    return code;
}

int main(int argc, char **argv) {
    struct pa_error error = {0};
    uint64_t repetitions = LEAST_REPETITIONS;
    if (argc > 2 || (argc == 2 && pa_whole_parse(argv[1], LEAST_REPETITIONS, 1000000, &repetitions,
                                                 &error) != PA_OK)) {
        fprintf(stderr, "witness_cost [REPETITIONS, at least %d]\n", LEAST_REPETITIONS);
        return 64;
    }
    bench_print_machine();
    if (measure((size_t)repetitions, &error) != PA_OK) {
        fprintf(stderr, "witness_cost: %s\n", error.text);
        return 70;
    }
    return 0;
}
