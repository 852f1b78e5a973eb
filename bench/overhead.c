/* SPDX-License-Identifier: Apache-2.0 */
/* overhead.c - what the proof costs: the proven rate over the rate of the library alone.
 *
 *     overhead [--backend cpu] [--device 0] [--class dense16] [--format fp32] [--variant 0]
 *              [--shape 16384x2048x8192] [--threads 0] [--epoch 30s] [--rounds 10]
 *
 * Rounds alternate an epoch of the chain with the library alone (its own pool, the faster of its
 * ways to take B) for as long, so that a slow minute of the machine hits both. An epoch is what a
 * session has: from before A is generated to the hash of the last step, W/Dt, before the sampling
 * bound. Prints one line a round, then median and spread of the ratio.
 */
#include "base/base.h"
#include "device/device.h"
#include "proof/chain.h"
#include "proof/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROUNDS = 1000, MOST_THREADS = 4096 };

struct settings {
    const struct pa_backend *backend;
    uint64_t device; /* which of the backend's */
    struct pa_workload work;
    int threads; /* of a processor */
    uint64_t epoch_ns;
    uint64_t rounds;
};

struct round {
    double proven, bare; /* operations a second */
    uint32_t steps;
    struct pa_step_costs costs;
    uint64_t took_ns, hash_ns; /* of the epoch; in it, of the thread that keeps the chain */
};

static int usage(const char *what) {
    fprintf(stderr,
            "overhead: %s\nusage: overhead [--backend cpu|cuda] [--device I] [--class C] [--format "
            "F] [--variant I] [--shape MxNxK] "
            "[--threads T] [--epoch 30s] [--rounds R]\n",
            what);
    return 64;
}

static bool read_option(struct settings *set, const char *name, const char *value) {
    uint64_t number = 0;
    unsigned m, n, k;
    char end;
    if (strcmp(name, "--backend") == 0)
        return (set->backend = pa_backend_named(value)) != NULL;
    if (strcmp(name, "--device") == 0)
        return pa_whole_parse(value, 0, MOST_THREADS, &set->device, NULL) == PA_OK;
    if (strcmp(name, "--class") == 0)
        return (set->work.class_id = pa_class_named(value)) != PA_CLASS_NONE;
    if (strcmp(name, "--format") == 0)
        return (set->work.format = pa_format_named(value)) != 0;
    if (strcmp(name, "--epoch") == 0)
        return pa_duration_parse(value, &set->epoch_ns, NULL) == PA_OK;
    if (strcmp(name, "--rounds") == 0)
        return pa_whole_parse(value, 1, MOST_ROUNDS, &set->rounds, NULL) == PA_OK;
    if (strcmp(name, "--shape") == 0) {
        if (sscanf(value, "%ux%ux%u%c", &m, &n, &k, &end) != 3)
            return false;
        set->work.m = m;
        set->work.n = n;
        set->work.k = k;
        return true;
    }
    if (pa_whole_parse(value, 0, MOST_THREADS, &number, NULL) != PA_OK)
        return false;
    if (strcmp(name, "--variant") == 0)
        set->work.variant = (uint32_t)number;
    else if (strcmp(name, "--threads") == 0)
        set->threads = (int)number;
    else
        return false;
    return true;
}

static double operations(const struct pa_workload *work) {
    return 2.0 * work->m * work->n * work->k;
}

/* One epoch of about `epoch_ns`. The steps that would end after it are not queued, so that nothing
 * is left over to be dropped. */
static int run_epoch(struct pa_workbench *bench, const struct pa_backend *backend,
                     const struct settings *set, uint64_t step_ns, uint64_t number,
                     struct round *out, struct pa_error *error) {
    struct pa_chain chain;
    struct pa_hash start;
    struct pa_shape shape = {set->work.m, set->work.n, set->work.k};
    uint32_t wanted = (uint32_t)(set->epoch_ns / step_ns);
    wanted = wanted < 3 ? 3 : wanted;
    pa_hash_bytes(&start, "bench", &number, sizeof number);
    PA_TRY(pa_chain_begin(&chain, &start, shape, wanted, error));
    uint64_t *tiles = malloc(pa_shape_tiles(shape) * sizeof *tiles);
    uint64_t begin = pa_clock_raw_ns();
    struct pa_seed seed = pa_chain_a_seed(&chain);
    int result = tiles == NULL ? pa_fail(error, PA_EMEMORY, "out of memory")
                               : backend->load_a(bench, &seed, error);
    for (uint32_t t = 1; t <= 2 && result == PA_OK; t++) {
        seed = pa_chain_b_seed(&chain, t);
        result = backend->step_enqueue(bench, &seed, error);
    }
    for (uint32_t t = 1; t <= wanted && result == PA_OK; t++) {
        result = backend->step_collect(bench, tiles, UINT64_MAX, error);
        uint64_t hashing = pa_clock_raw_ns();
        if (result == PA_OK)
            result = pa_chain_append(&chain, tiles, error);
        if (result == PA_OK && t + 2 <= wanted)
            seed = pa_chain_b_seed(&chain, t + 2);
        out->hash_ns += pa_clock_raw_ns() - hashing;
        if (result == PA_OK && t + 2 <= wanted)
            result = backend->step_enqueue(bench, &seed, error);
    }
    struct pa_tail tail;
    uint64_t hashing = pa_clock_raw_ns();
    if (result == PA_OK)
        pa_chain_tail(&chain, &tail, error);
    uint64_t end = pa_clock_raw_ns();
    out->hash_ns += end - hashing;
    out->took_ns = end - begin;
    out->steps = chain.steps;
    out->proven = chain.steps * operations(&set->work) * 1e9 / (double)out->took_ns;
    backend->costs(bench, &out->costs);
    free(tiles);
    pa_chain_free(&chain);
    return result;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_round(size_t i, const struct round *round) {
    const struct pa_step_costs *costs = &round->costs;
    double all = (double)(costs->generate_ns + costs->gemm_ns + costs->digest_ns + costs->idle_ns);
    printf("round %zu: bare %.1f G/s, proven %.1f G/s (%u steps), ratio %.4f; of the threads' "
           "time: GEMM %.2f %%, generation %.2f %%, digests %.2f %%, waiting %.2f %%; hashing "
           "%.3f %% of the epoch, beside them\n",
           i + 1, round->bare / 1e9, round->proven / 1e9, round->steps, round->proven / round->bare,
           100 * (double)costs->gemm_ns / all, 100 * (double)costs->generate_ns / all,
           100 * (double)costs->digest_ns / all, 100 * (double)costs->idle_ns / all,
           100 * (double)round->hash_ns / (double)round->took_ns);
    fflush(stdout);
}

static void print_summary(const struct round *rounds, size_t count) {
    double ratios[MOST_ROUNDS], bare[MOST_ROUNDS], proven[MOST_ROUNDS];
    for (size_t i = 0; i < count; i++) {
        ratios[i] = rounds[i].proven / rounds[i].bare;
        bare[i] = rounds[i].bare;
        proven[i] = rounds[i].proven;
    }
    qsort(ratios, count, sizeof ratios[0], compare);
    qsort(bare, count, sizeof bare[0], compare);
    qsort(proven, count, sizeof proven[0], compare);
    printf("median of %zu rounds: bare %.1f G/s, proven %.1f G/s\n", count, bare[count / 2] / 1e9,
           proven[count / 2] / 1e9);
    printf("ratio: median %.4f, least %.4f, quartiles %.4f and %.4f, most %.4f\n",
           ratios[count / 2], ratios[0], ratios[count / 4], ratios[count - 1 - count / 4],
           ratios[count - 1]);
}

static int run_rounds(struct pa_device *device, const struct settings *set,
                      struct pa_error *error) {
    const struct pa_backend *backend = device->backend;
    static struct round rounds[MOST_ROUNDS];
    struct pa_workbench *bench;
    struct round warm = {0};
    uint64_t once = 0;
    PA_TRY(backend->workbench_open(device, &set->work, &bench, error));
    int result = backend->multiply_bare(bench, 1, &once, error);
    if (result == PA_OK)
        result = run_epoch(bench, backend, set, set->epoch_ns, 0, &warm, error);
    for (size_t i = 0; i < set->rounds && result == PA_OK; i++) {
        uint64_t ns = 0;
        uint32_t times = (uint32_t)(set->epoch_ns / once);
        times = times < 3 ? 3 : times;
        result = backend->multiply_bare(bench, times, &ns, error);
        if (result != PA_OK)
            break;
        once = ns / times;
        rounds[i].bare = times * operations(&set->work) * 1e9 / (double)ns;
        backend->costs(bench, &warm.costs); /* what the threads waited during the bare run */
        result = run_epoch(bench, backend, set, once, i + 1, &rounds[i], error);
        if (result == PA_OK)
            print_round(i, &rounds[i]);
    }
    if (result == PA_OK)
        print_summary(rounds, set->rounds);
    backend->workbench_close(bench);
    return result;
}

static int open_device(const struct settings *set, struct pa_device **out, struct pa_error *error) {
    static int processors[MOST_THREADS];
    int count = 0;
    PA_TRY(set->backend->count(&count, error));
    if (set->device >= (uint64_t)count)
        return pa_fail(error, PA_EUSAGE, "--device: only %d are there", count);
    int allowed = pa_processors_allowed(processors, MOST_THREADS);
    if (set->threads > allowed)
        return pa_fail(error, PA_EUSAGE, "--threads: only %d processors are there", allowed);
    struct pa_device_options options = {processors, set->threads};
    return set->backend->open((int)set->device, set->threads > 0 ? &options : NULL, out, error);
}

static int run(const struct settings *set, struct pa_error *error) {
    const struct pa_backend *backend = set->backend;
    struct pa_device *device;
    PA_TRY(open_device(set, &device, error));
    struct pa_format_facts facts;
    char names[8][48];
    backend->format(device, set->work.format, &facts);
    int ways = backend->variants(device, &set->work, names, 8);
    printf("machine: %s%s; %s\n", device->identity.is_emulated ? "EMULATED: " : "",
           device->identity.name, device->identity.details);
    printf("compiler: %s; commit %s\n", PETAUDIT_BENCH_COMPILER, PETAUDIT_BENCH_COMMIT);
    printf("%s in %s, %u x %u x %u, %s, %s, epochs of %.0f s\n",
           pa_class_traits((enum pa_class)set->work.class_id)->name,
           pa_format_name(set->work.format), set->work.m, set->work.n, set->work.k,
           facts.runs ? facts.library : facts.why_not,
           (int)set->work.variant < ways ? names[set->work.variant] : "no such way",
           (double)set->epoch_ns / 1e9);
    fflush(stdout);
    int result = run_rounds(device, set, error);
    backend->close(device);
    return result;
}

int main(int count, char **words) {
    struct settings set = {.backend = pa_backend_named("cpu"),
                           .work = {PA_DENSE16, PA_FP32, 16384, 2048, 8192, 0},
                           .epoch_ns = UINT64_C(30000000000),
                           .rounds = 10};
    for (int i = 1; i < count; i += 2)
        if (i + 1 >= count || !read_option(&set, words[i], words[i + 1]))
            return usage(words[i]);
    struct pa_error error = {0};
    if (run(&set, &error) == PA_OK)
        return 0;
    fprintf(stderr, "overhead: %s\n", error.text);
    return 1;
}
