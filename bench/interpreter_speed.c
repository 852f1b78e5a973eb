/* SPDX-License-Identifier: Apache-2.0 */
/* How fast the emulated driver's interpreter runs petaudit's kernels: thread instructions a second
 * on one core of the host, for each PTX text that is named.
 *
 *     interpreter_speed FILE.ptx ..
 */
#include "bench_machine.h"

#include "base/base.h"
#include "emulated_gpu/ptx_memory.h"
#include "kernels/digest.h"
#include "kernels/launch.h"

#include <time.h>

enum { VECTORS = 512, BLOCKS = 256, SIDE = 1024, REPETITIONS = 5 };

static const struct pa_seed seed = {0x01234567, 0x89abcdef, 0xfedcba98, 0x76543210, 0xdeadbeef};

/* What a fill takes, in the order of its parameters (kernels/launch.h). */
struct fill_parameters {
    uint64_t out;
    uint32_t blocks, first, count, k0, k1, c2, c3;
};
struct digest_parameters {
    uint64_t in;
    uint32_t ld, s;
    uint64_t digests;
};

/* Of this thread alone: what else the machine does is not counted. */
static uint64_t processor_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void run(const struct ptx_module *module, const char *name, struct ptx_memory *memory,
                const void *parameters, struct pa_grid grid) {
    const struct ptx_kernel *kernel = ptx_kernel_named(module, name);
    if (kernel == NULL) {
        fprintf(stderr, "no kernel %s\n", name);
        exit(1);
    }
    double best = 0;
    struct ptx_launch launch = ptx_memory_launch(memory, grid.x, PA_KERNEL_THREADS, parameters);
    launch.grid[1] = grid.y;
    for (int i = 0; i < REPETITIONS; i++) {
        uint64_t start = processor_ns();
        if (ptx_run(kernel, &launch) != PTX_OK) {
            fprintf(stderr, "%s\n", launch.failure.text);
            exit(1);
        }
        double seconds = (double)(processor_ns() - start) / 1e9;
        double rate = (double)launch.thread_instructions / seconds;
        best = rate > best ? rate : best;
    }
    printf("%22s: %8.3f %12.1f\n", name, best / 1e9, (double)launch.thread_instructions / 1e6);
}

static void run_fill(const struct ptx_module *module, const char *name, enum pa_kernel kernel) {
    struct ptx_memory memory = {.count = 0};
    struct fill_parameters parameters = {.blocks = BLOCKS,
                                         .count = VECTORS,
                                         .k0 = seed.k0,
                                         .k1 = seed.k1,
                                         .c2 = seed.c2,
                                         .c3 = seed.c3};
    parameters.out =
        ptx_memory_add(&memory, NULL, (uint64_t)VECTORS * BLOCKS * pa_fill_bytes(kernel));
    run(module, name, &memory, &parameters, pa_grid_fill(VECTORS, BLOCKS));
    ptx_memory_free(&memory);
}

static void run_digest(const struct ptx_module *module) {
    static float c[SIDE * SIDE];
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++)
        c[i] = (float)(i % 1013) - 500.0f;
    struct ptx_memory memory = {.count = 0};
    struct digest_parameters parameters = {.ld = SIDE, .s = seed.s};
    size_t tiles = (SIDE / PA_DIGEST_TILE) * (SIDE / PA_DIGEST_TILE);
    parameters.in = ptx_memory_add(&memory, c, sizeof c);
    parameters.digests = ptx_memory_add(&memory, NULL, tiles * sizeof(uint64_t));
    run(module, "pa_digest_f32", &memory, &parameters, pa_grid_digest(SIDE, SIDE));
    uint64_t digest;
    memcpy(&digest, ptx_memory_host(&memory, parameters.digests), sizeof digest);
    if (digest != pa_digest_tile_f32(c, SIDE, seed.s)) {
        fprintf(stderr, "the digest is wrong\n");
        exit(1);
    }
    ptx_memory_free(&memory);
}

int main(int argc, char **argv) {
    struct pa_error error;
    if (argc < 2) {
        fprintf(stderr, "usage: interpreter_speed FILE.ptx ...\n");
        return 64;
    }
    bench_print_machine();
    printf("thread instructions a second of processor time, one thread, best of %d\n", REPETITIONS);
    printf("%22s  %8s %12s\n", "kernel", "1e9/s", "millions");
    for (int i = 1; i < argc; i++) {
        struct pa_buffer text = {0};
        if (pa_file_read(argv[i], 16u << 20, &text, &error) != PA_OK) {
            fprintf(stderr, "%s\n", error.text);
            return 1;
        }
        struct ptx_module *module;
        struct ptx_failure failure;
        const struct ptx_limits limits = {.version = 99, .target = 120};
        if (ptx_load((const char *)text.data, text.size, &limits, &module, &failure) != PTX_OK) {
            fprintf(stderr, "%s: %s\n", argv[i], failure.text);
            return 1;
        }
        const char *slash = strrchr(argv[i], '/');
        printf("%s\n", slash == NULL ? argv[i] : slash + 1);
        run_fill(module, "pa_fill_dense16_bf16", PA_KERNEL_FILL_DENSE16_BF16);
        run_fill(module, "pa_fill_dense8_int8", PA_KERNEL_FILL_DENSE8_INT8);
        run_digest(module);
        ptx_free(module);
        pa_buffer_free(&text);
    }
    return 0;
}
