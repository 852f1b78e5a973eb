/* SPDX-License-Identifier: Apache-2.0 */
/* What the emulated driver answers to each misuse, and how it is reported. */
#include "emulated_gpu/driver_program.h"
#include "unit/cmocka_setup.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char *folder;

/* A context that died answers everything alike until it is released; others go on. */
static void dead_context(void) {
    CUmodule module;
    size_t bytes;
    CUstream stream = emulated_open(0);
    CUfunction late = driver_function("late", &module);
    CUdeviceptr out = emulated_upload(NULL, WORDS * sizeof(uint32_t), stream), ignored;
    EXPECT_IS(driver_launch(late, stream, (void *[]){&out}), 0);
    EXPECT_IS(emulated_wait(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT(driver_report_has(
        "GPU 0: late, PTX line 17, block (0,0,0), thread (255,0,0): writes 4 bytes"));
    EXPECT(driver_report_has(
        "0 bytes past the end of the allocation of 1024 bytes at 0xd00000000000"));
    EXPECT_IS(emulated.cuMemAlloc_v2(&ignored, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT_IS(emulated.cuMemFree_v2(out), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT_IS(emulated.cuStreamQuery(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT_IS(driver_launch(late, stream, (void *[]){&out}), CUDA_ERROR_ILLEGAL_ADDRESS);
    CUstream other = emulated_open(1);
    EXPECT_IS(emulated.cuMemGetInfo_v2(&bytes, &bytes), 0);
    EXPECT_IS(emulated.cuStreamDestroy_v2(other), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(1), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
    stream = emulated_open(0);
    out = emulated_upload("again", 6, stream);
    driver_leave(stream, out, NULL);
}

static void endless_kernel(void) {
    CUmodule module;
    CUstream stream = emulated_open(0);
    CUfunction endless = driver_function("endless", &module);
    EXPECT_IS(emulated.cuLaunchKernel(endless, 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL), 0);
    EXPECT_IS(emulated_wait(stream), CUDA_ERROR_LAUNCH_TIMEOUT);
    EXPECT(driver_report_has("endless, PTX line 19"));
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
}

static void a_kernel_that_faults_ends_its_context(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2", 1, dead_context));
    assert_true(emulated_run(folder, "steps=1000", 1, endless_kernel));
}

static void unwritten_memory(void) {
    uint32_t word;
    CUstream stream = emulated_open(0);
    CUdeviceptr memory = emulated_upload(NULL, 64, stream);
    EXPECT_IS(emulated.cuMemsetD8Async(memory, 1, 30, stream), 0);
    EXPECT_IS(emulated_download(&word, memory + 24, 4, stream), 0);
    EXPECT_IS(emulated_download(&word, memory + 28, 4, stream), CUDA_ERROR_LAUNCH_FAILED);
    EXPECT(driver_report_has("reads memory at 0xd0000000001e that was never written"));
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
}

static void freed_memory(void) {
    CUmodule module;
    CUstream stream = emulated_open(0);
    CUfunction store = driver_function("store", &module);
    CUdeviceptr memory = emulated_upload(NULL, 1024, stream);
    uint32_t value = 1;
    EXPECT_IS(emulated.cuMemFree_v2(memory), 0);
    EXPECT_IS(emulated.cuMemFree_v2(memory), CUDA_ERROR_INVALID_VALUE);
    EXPECT(driver_report_has("double free"));
    EXPECT_IS(emulated.cuMemFree_v2(12345), CUDA_ERROR_INVALID_VALUE);
    EXPECT(driver_report_has("which was never allocated"));
    EXPECT_IS(emulated.cuMemcpyDtoHAsync_v2(&value, memory, 4, stream), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(driver_launch(store, stream, (void *[]){&memory, &value}), 0);
    EXPECT_IS(emulated_wait(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT(driver_report_has("use after free of the allocation of 1024 bytes"));
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
}

static void other_device(void) {
    CUmodule module;
    CUstream first = emulated_open(0);
    CUfunction store = driver_function("store", &module);
    CUdeviceptr memory = emulated_upload(NULL, 1024, first);
    uint32_t value = 1;
    CUstream second = emulated_open(1);
    EXPECT_IS(driver_launch(store, second, (void *[]){&memory, &value}), CUDA_ERROR_INVALID_HANDLE);
    EXPECT(driver_report_has("is no function of GPU 1"));
    EXPECT_IS(emulated.cuMemsetD8Async(memory, 0, 4, first), CUDA_ERROR_INVALID_HANDLE);
    EXPECT(driver_report_has("a stream of GPU 0 while GPU 1 is current"));
    EXPECT_IS(emulated.cuMemFree_v2(memory), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
    CUevent event;
    EXPECT_IS(emulated.cuEventCreate(&event, 0), 0);
    EXPECT_IS(emulated.cuEventRecord(event, first), CUDA_ERROR_INVALID_HANDLE);
    EXPECT(driver_report_has("an event of GPU 1 in a stream of GPU 0"));
    store = driver_function("store", &module);
    EXPECT_IS(driver_launch(store, second, (void *[]){&memory, &value}), 0);
    EXPECT_IS(emulated_wait(second), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT(driver_report_has("which is memory of GPU 0, used on GPU 1"));
}

static void left_behind(void) {
    CUmodule module;
    CUstream stream = emulated_open(0);
    CUfunction store = driver_function("store", &module);
    CUdeviceptr memory = emulated_upload(NULL, 1024, stream);
    uint32_t value = 1;
    EXPECT_IS(driver_launch(store, stream, (void *[]){&memory, &value}), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
    EXPECT(driver_report_has("the context ends with work that nobody waited for"));
    EXPECT(driver_report_has("leak of 1 streams, 0 events, 1 modules"));
    EXPECT(driver_report_has("leak of 1024 bytes at 0xd00000000000"));
    EXPECT_IS(emulated.cuStreamQuery(stream), CUDA_ERROR_CONTEXT_IS_DESTROYED);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), CUDA_ERROR_INVALID_CONTEXT);
    EXPECT_IS(emulated.cuCtxSetCurrent((CUcontext)&value), CUDA_ERROR_INVALID_CONTEXT);
    EXPECT_IS(emulated.cuCtxSetCurrent(NULL), 0);
    EXPECT_IS(emulated.cuMemAlloc_v2(&memory, 4), CUDA_ERROR_INVALID_CONTEXT);
}

static void not_released(void) {
    emulated_open(0);
    void *pinned;
    EXPECT_IS(emulated.cuMemHostAlloc(&pinned, 100, 0), 0);
    exit(0); /* with destructors */
}

static void wrong_arguments(void) {
    CUmodule module;
    CUstream stream = emulated_open(0), blocking;
    CUfunction store = driver_function("store", &module);
    CUdeviceptr memory = emulated_upload(NULL, 1024, stream);
    CUevent event;
    uint32_t value = 1;
    void *parameters[] = {&memory, &value};
    static const unsigned shapes[][7] = {
        {0, 1, 1, 32, 1, 1, 0},  {1, 65536, 1, 32, 1, 1, 0}, {1, 1, 1, 257, 1, 1, 0},
        {1, 1, 1, 16, 16, 2, 0}, {1, 1, 1, 1, 1, 65, 0},     {1, 1, 1, 32, 1, 1, 50000},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        EXPECT_IS(emulated.cuLaunchKernel(store, shapes[i][0], shapes[i][1], shapes[i][2],
                                          shapes[i][3], shapes[i][4], shapes[i][5], shapes[i][6],
                                          stream, parameters, NULL),
                  CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(driver_launch(store, stream, NULL), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuLaunchKernel(store, 1, 1, 1, 1, 1, 1, 0, stream, NULL, parameters),
              CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuMemcpyHtoDAsync_v2(memory + 1000, shapes, 25, stream),
              CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuStreamCreate(&blocking, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuMemFreeHost(&value), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuEventCreate(&event, 0), 0);
    EXPECT_IS(emulated.cuEventDestroy_v2(event), 0);
    EXPECT_IS(emulated.cuEventDestroy_v2(event), CUDA_ERROR_INVALID_HANDLE);
    CUresult (*old)(void);
    void *found = driver_symbol("cuMemAlloc");
    memcpy(&old, &found, sizeof old);
    EXPECT_IS(old(), CUDA_ERROR_INVALID_VALUE);
    EXPECT(driver_report_has("cuMemAlloc: called by its old name"));
    driver_leave(stream, memory, module);
    /* What is refused without a report, because the caller cannot know before. */
    stream = emulated_open(0);
    EXPECT_IS(emulated.cuMemAlloc_v2(&memory, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuMemAlloc_v2(&memory, UINT64_C(1) << 60), CUDA_ERROR_OUT_OF_MEMORY);
    driver_leave(stream, 0, NULL);
}

static void every_misuse_has_its_answer_and_its_report(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 1, unwritten_memory));
    assert_true(emulated_run(folder, "devices=1", 4, freed_memory));
    assert_true(emulated_run(folder, "devices=2", 6, other_device));
    assert_true(emulated_run(folder, "devices=1", 7, left_behind));
    assert_true(emulated_run(folder, "devices=1", 2, not_released));
    assert_true(emulated_run(folder, "devices=1", 13, wrong_arguments));
}

static void host_access(void) {
    CUstream stream = emulated_open(0);
    CUdeviceptr memory = emulated_upload("device", 7, stream);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); /* past the handlers of cmocka and the sanitizers */
        signal(SIGBUS, SIG_DFL);
        volatile const char *host = (volatile const char *)(uintptr_t)memory;
        _exit(*host);
    }
    int status;
    EXPECT_IS(waitpid(child, &status, 0), child);
    EXPECT(WIFSIGNALED(status));
    driver_leave(stream, memory, NULL);
}

static void memory_full(void) {
    size_t free_bytes, total;
    CUdeviceptr pieces[64];
    unsigned count = 0;
    CUstream stream = emulated_open(0);
    while (emulated.cuMemAlloc_v2(&pieces[count], 64 << 10) == CUDA_SUCCESS)
        count++;
    EXPECT_IS(emulated.cuMemGetInfo_v2(&free_bytes, &total), 0);
    EXPECT_IS(total, 1 << 20);
    EXPECT(free_bytes < 64 << 10);
    EXPECT_IS(count, 15);
    while (count > 0)
        EXPECT_IS(emulated.cuMemFree_v2(pieces[--count]), 0);
    EXPECT_IS(emulated.cuMemGetInfo_v2(&total, &free_bytes), 0);
    EXPECT(total > 15 * (64 << 10));
    driver_leave(stream, 0, NULL);
}

static void device_memory_is_not_the_hosts_and_has_an_end(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, host_access));
    assert_true(emulated_run(folder, "memory=1MiB", 0, memory_full));
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 64;
    folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_that_faults_ends_its_context),
        cmocka_unit_test(every_misuse_has_its_answer_and_its_report),
        cmocka_unit_test(device_memory_is_not_the_hosts_and_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
