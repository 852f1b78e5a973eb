/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as PTX: refused with a line, or a module whose kernels run into nothing but what a
 * launch may report. */
#include "emulated_gpu/ptx.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = 300, MEMORY_BYTES = 4096, PARAMETERS_BYTES = 4096 };
#define ADDRESS UINT64_C(0x10000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[MEMORY_BYTES] __attribute__((aligned(16)));
static uint8_t written[MEMORY_BYTES / 4 + 1] __attribute__((aligned(8)));

static bool find(void *user, uint64_t address, uint64_t bytes, bool is_write, struct ptx_range *out,
                 char *why, size_t why_bytes) {
    (void)user;
    (void)is_write;
    (void)why;
    (void)why_bytes;
    *out = (struct ptx_range){ADDRESS, ADDRESS + MEMORY_BYTES, memory, written};
    return address >= ADDRESS && address < ADDRESS + MEMORY_BYTES &&
           bytes <= ADDRESS + MEMORY_BYTES - address;
}

/* Parameters that are pointers find memory; as numbers they are small. */
static void run(const struct ptx_kernel *kernel) {
    static uint64_t parameters[PARAMETERS_BYTES / sizeof(uint64_t)];
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        parameters[i] = ADDRESS;
    memset(written, 15, sizeof written / 2);
    memset(written + sizeof written / 2, 0, sizeof written / 2);
    uint32_t threads = ptx_threads_max(kernel) < 40 ? ptx_threads_max(kernel) : 40;
    struct ptx_launch launch = {.grid = {2, 1, 1},
                                .block = {threads, 1, 1},
                                .dynamic_shared_bytes = 64,
                                .parameters = parameters,
                                .globals_address = ADDRESS,
                                .find = find,
                                .step_limit = STEPS,
                                .seed = 3,
                                .threads = 1};
    enum ptx_status status = ptx_run(kernel, &launch);
    if ((status == PTX_OK) != (launch.failure.text[0] == '\0'))
        abort();
    if (status == PTX_ESYNTAX || status == PTX_EVERSION || status == PTX_ETARGET)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ptx_module *module;
    struct ptx_failure failure;
    const struct ptx_limits limits = {.version = 90, .target = 120};
    enum ptx_status status = ptx_load((const char *)data, size, &limits, &module, &failure);
    if ((status == PTX_OK) != (module != NULL))
        abort();
    if (status != PTX_OK && strncmp(failure.text, "PTX line ", 9) != 0)
        abort();
    const struct ptx_kernel *kernel;
    for (size_t i = 0; module != NULL && i < 4 && (kernel = ptx_kernel_at(module, i)) != NULL; i++)
        run(kernel);
    ptx_free(module);
    return 0;
}
