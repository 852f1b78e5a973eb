/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated driver under its real names: what works, and when it happens. */
#include "emulated_gpu/driver_program.h"
#include "unit/cmocka_setup.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

/* ---- the library ---- */

static void one_library(void) {
    static const char *const names[] = {"libcuda.so.1", "libcublasLt.so.13", "libnccl.so.2",
                                        "libnvidia-ml.so.1"};
    void *first = dlopen(names[0], RTLD_NOW | RTLD_LOCAL);
    EXPECT(first != NULL);
    for (unsigned i = 0; i < 4; i++) {
        void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        EXPECT(handle == first);
        int (*recognised)(void);
        void *symbol = dlsym(handle, "petaudit_emulated_gpu");
        EXPECT(symbol != NULL);
        memcpy(&recognised, &symbol, sizeof recognised);
        EXPECT_IS(recognised(), 1);
    }
}

static void four_names_lead_to_one_library(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, one_library));
}

static void nothing_before_init(void) {
    int count;
    size_t bytes;
    EXPECT_IS(emulated.cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
    EXPECT_IS(emulated.cuMemGetInfo_v2(&bytes, &bytes), CUDA_ERROR_NOT_INITIALIZED);
    EXPECT_IS(emulated.cuDriverGetVersion(&count), 0);
    EXPECT_IS(count, 12040);
    EXPECT_IS(emulated.cuInit(1), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuInit(0), 0);
    EXPECT_IS(emulated.cuDeviceGetCount(&count), 0);
    EXPECT_IS(count, 3);
    EXPECT_IS(emulated.cuDeviceGetCount(NULL), CUDA_ERROR_INVALID_VALUE);
}

static void no_platform(void) {
    EXPECT_IS(emulated.cuInit(0), CUDA_ERROR_UNKNOWN);
}

static void no_device(void) {
    EXPECT_IS(emulated.cuInit(0), CUDA_ERROR_NO_DEVICE);
}

static void the_platform_is_what_the_variable_says(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "devices",     "devices=17", "devices=2,devices=2", "memory=5", "memory=5MB",
        "memory=0KiB", "gpus=2",     "order=later",         "sm=74",    "devices=2,",
        "devices=02",  "seed=-1",
    };
    assert_true(emulated_run(folder, "devices=3,driver=12040", 0, nothing_before_init));
    assert_true(emulated_run(folder, "devices=0", 0, no_device));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_true(emulated_run(folder, wrong[i], 1, no_platform));
}

static void identity(void) {
    CUdevice device;
    char name[64], bus[16];
    CUuuid first, second;
    size_t bytes;
    int value;
    EXPECT_IS(emulated.cuInit(0), 0);
    EXPECT_IS(emulated.cuDeviceGet(&device, 1), 0);
    EXPECT_IS(emulated.cuDeviceGet(&device, 2), CUDA_ERROR_INVALID_DEVICE);
    EXPECT_IS(emulated.cuDeviceGetName(name, sizeof name, 1), 0);
    EXPECT(strcmp(name, "Emulated GPU 1") == 0);
    EXPECT_IS(emulated.cuDeviceTotalMem_v2(&bytes, 1), 0);
    EXPECT_IS(bytes, 8 << 20);
    EXPECT_IS(emulated.cuDeviceGetUuid_v2(&first, 0), 0);
    EXPECT_IS(emulated.cuDeviceGetUuid_v2(&second, 1), 0);
    EXPECT(memcmp(&first, &second, sizeof first) != 0);
    EXPECT_IS(emulated.cuDeviceGetPCIBusId(bus, sizeof bus, 1), 0);
    EXPECT(strcmp(bus, "0000:11:00.0") == 0);
    EXPECT_IS(emulated.cuDeviceGetPCIBusId(bus, 12, 1), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(
        emulated.cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, -1),
        CUDA_ERROR_INVALID_DEVICE);
    EXPECT_IS(
        emulated.cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0), 0);
    EXPECT_IS(value, 12);
    const char *text;
    EXPECT_IS(emulated.cuGetErrorName(CUDA_ERROR_ILLEGAL_ADDRESS, &text), 0);
    EXPECT(strcmp(text, "CUDA_ERROR_ILLEGAL_ADDRESS") == 0);
    EXPECT_IS(emulated.cuGetErrorName((CUresult)12345, &text), CUDA_ERROR_INVALID_VALUE);
    /* Not told as zero: refused, and said. */
    EXPECT_IS(emulated.cuDeviceGetAttribute(&value, (CUdevice_attribute)9999, 0),
              CUDA_ERROR_INVALID_VALUE);
    EXPECT(driver_report_has("attribute 9999 is not modelled"));
}

static void a_device_says_who_it_is(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,memory=8MiB,sm=120", 1, identity));
}

/* ---- when things happen ---- */

static void late_result(void) {
    CUmodule module;
    CUstream stream = emulated_open(0);
    CUfunction store = driver_function("store", &module);
    CUdeviceptr out = emulated_upload(NULL, WORDS * sizeof(uint32_t), stream);
    uint32_t value = 42, *pinned;
    EXPECT_IS(emulated.cuMemHostAlloc((void **)&pinned, WORDS * sizeof *pinned, 0), 0);
    memset(pinned, 0, WORDS * sizeof *pinned);
    EXPECT_IS(driver_launch(store, stream, (void *[]){&out, &value}), 0);
    value = 7; /* the parameter was taken by the launch */
    EXPECT_IS(emulated.cuMemcpyDtoHAsync_v2(pinned, out, WORDS * sizeof *pinned, stream), 0);
    bool is_eager = strstr(getenv("PETAUDIT_EMULATED_GPU"), "eager") != NULL;
    EXPECT_IS(pinned[WORDS - 1], is_eager ? 42 : 0);
    EXPECT_IS(emulated.cuStreamQuery(stream), is_eager ? 0 : CUDA_ERROR_NOT_READY);
    EXPECT_IS(emulated_wait(stream), 0);
    EXPECT_IS(pinned[WORDS - 1], 42);
    /* Overwritten before it was copied: seen by the one order, hidden by the other. */
    pinned[0] = 1;
    EXPECT_IS(emulated.cuMemcpyHtoDAsync_v2(out, pinned, sizeof *pinned, stream), 0);
    pinned[0] = 2;
    EXPECT_IS(emulated.cuMemcpyDtoHAsync_v2(pinned + 1, out, sizeof *pinned, stream), 0);
    EXPECT_IS(emulated_wait(stream), 0);
    EXPECT_IS(pinned[1], is_eager ? 1 : 2);
    /* From pageable memory it was copied by the call; to pageable memory the call waits. */
    uint32_t pageable = 3;
    EXPECT_IS(emulated.cuMemcpyHtoDAsync_v2(out, &pageable, sizeof pageable, stream), 0);
    pageable = 4;
    EXPECT_IS(emulated.cuMemcpyDtoHAsync_v2(&pageable, out, sizeof pageable, stream), 0);
    EXPECT_IS(pageable, 3);
    EXPECT_IS(emulated.cuMemFreeHost(pinned), 0);
    driver_leave(stream, out, module);
}

static void work_runs_when_it_is_waited_for_or_at_once(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "order=lazy", 0, late_result));
    assert_true(emulated_run(folder, "order=eager", 0, late_result));
    assert_true(emulated_run(folder, "seed=5,threads=4", 0, late_result));
}

static void events(void) {
    CUmodule module;
    CUstream first = emulated_open(0), second;
    EXPECT_IS(emulated.cuStreamCreateWithPriority(&second, PA_CU_STREAM_NON_BLOCKING, -1), 0);
    CUfunction store = driver_function("store", &module), add;
    EXPECT_IS(emulated.cuModuleGetFunction(&add, module, "add"), 0);
    CUdeviceptr memory = emulated_upload(NULL, WORDS * sizeof(uint32_t), first);
    CUevent begin, end, untimed, never;
    EXPECT_IS(emulated.cuEventCreate(&begin, PA_CU_EVENT_DEFAULT), 0);
    EXPECT_IS(emulated.cuEventCreate(&end, PA_CU_EVENT_DEFAULT), 0);
    EXPECT_IS(emulated.cuEventCreate(&untimed, PA_CU_EVENT_DISABLE_TIMING), 0);
    EXPECT_IS(emulated.cuEventCreate(&never, PA_CU_EVENT_DEFAULT), 0);
    uint32_t value = 21, result = 0;
    float ms;
    EXPECT_IS(emulated.cuEventRecord(begin, first), 0);
    EXPECT_IS(driver_launch(store, first, (void *[]){&memory, &value}), 0);
    EXPECT_IS(emulated.cuEventRecord(untimed, first), 0);
    EXPECT_IS(emulated.cuStreamWaitEvent(second, untimed, 0), 0);
    EXPECT_IS(driver_launch(add, second, (void *[]){&memory, &memory}), 0);
    EXPECT_IS(emulated.cuEventRecord(end, second), 0);
    EXPECT_IS(emulated.cuEventElapsedTime(&ms, begin, end), CUDA_ERROR_NOT_READY);
    /* Only the second stream is waited for; it brings the first along. */
    EXPECT_IS(emulated_wait(second), 0);
    EXPECT_IS(emulated.cuEventQuery(end), 0);
    EXPECT_IS(emulated.cuEventQuery(begin), 0);
    EXPECT_IS(emulated.cuEventQuery(never), 0);
    EXPECT_IS(emulated.cuEventElapsedTime(&ms, begin, end), 0);
    EXPECT(ms > 0 && ms < 60000);
    EXPECT_IS(emulated.cuEventElapsedTime(&ms, begin, untimed), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_IS(emulated.cuEventElapsedTime(&ms, begin, never), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_IS(emulated_download(&result, memory, sizeof result, second), 0);
    EXPECT_IS(result, 42);
    /* An event that is given up while something waits for it is waited for all the same. */
    EXPECT_IS(emulated.cuEventRecord(untimed, first), 0);
    EXPECT_IS(emulated.cuStreamWaitEvent(second, untimed, 0), 0);
    EXPECT_IS(emulated.cuEventDestroy_v2(untimed), 0);
    EXPECT_IS(emulated_wait(second), 0);
    EXPECT_IS(emulated.cuEventDestroy_v2(begin), 0);
    EXPECT_IS(emulated.cuEventDestroy_v2(end), 0);
    EXPECT_IS(emulated.cuEventDestroy_v2(never), 0);
    EXPECT_IS(emulated.cuStreamDestroy_v2(second), 0);
    driver_leave(first, memory, module);
}

static void events_order_streams_and_tell_time(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, events));
}

static void blocking_calls(void) {
    CUresult (*synchronize)(CUstream), (*synchronize_all)(void), (*event_synchronize)(CUevent);
    CUresult (*fill)(CUdeviceptr, unsigned, size_t, CUstream);
    CUresult (*copy)(CUdeviceptr, CUdeviceptr, size_t, CUstream);
    void *found[] = {driver_symbol("cuStreamSynchronize"), driver_symbol("cuCtxSynchronize"),
                     driver_symbol("cuEventSynchronize"), driver_symbol("cuMemsetD32Async"),
                     driver_symbol("cuMemcpyDtoDAsync_v2")};
    memcpy(&synchronize, &found[0], sizeof synchronize);
    memcpy(&synchronize_all, &found[1], sizeof synchronize_all);
    memcpy(&event_synchronize, &found[2], sizeof event_synchronize);
    memcpy(&fill, &found[3], sizeof fill);
    memcpy(&copy, &found[4], sizeof copy);
    CUstream stream = emulated_open(0);
    CUdeviceptr memory = emulated_upload(NULL, 64, stream);
    CUevent event;
    uint32_t *pinned;
    EXPECT_IS(emulated.cuMemHostAlloc((void **)&pinned, 64, 0), 0);
    EXPECT_IS(emulated.cuEventCreate(&event, 0), 0);
    EXPECT_IS(fill(memory, 0x01020304, 8, stream), 0);
    EXPECT_IS(fill(memory + 2, 0, 8, stream), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuMemsetD8Async(memory + 4, 9, 1, stream), 0);
    EXPECT_IS(copy(memory + 32, memory, 32, stream), 0);
    EXPECT_IS(emulated.cuMemcpyDtoHAsync_v2(pinned, memory, 64, stream), 0);
    EXPECT_IS(emulated.cuEventRecord(event, stream), 0);
    EXPECT_IS(event_synchronize(event), 0);
    EXPECT_IS(pinned[9], 0x01020309);
    EXPECT_IS(pinned[15], 0x01020304);
    EXPECT_IS(emulated.cuMemsetD8Async(memory, 1, 64, stream), 0);
    EXPECT_IS(synchronize(stream), 0);
    EXPECT_IS(synchronize(NULL), 0);
    EXPECT_IS(synchronize_all(), 0);
    EXPECT_IS(emulated.cuEventDestroy_v2(event), 0);
    EXPECT_IS(emulated.cuMemFreeHost(pinned), 0);
    driver_leave(stream, memory, NULL);
}

static void calls_that_wait_come_back_when_it_is_done(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, blocking_calls));
}

/* ---- several threads ---- */

enum { ROUNDS = 40, HOSTS = 4 };

/* Two threads for each of two devices, each with its own stream and memory in a shared context. */
static void *work_on_device(void *argument) {
    int number = *(const int *)argument;
    CUmodule module;
    CUstream stream = emulated_open(number % 2);
    CUfunction store = driver_function("store", &module), add;
    EXPECT_IS(emulated.cuModuleGetFunction(&add, module, "add"), 0);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t value = round, words[WORDS];
        CUdeviceptr out = emulated_upload(NULL, sizeof words, stream);
        EXPECT_IS(driver_launch(store, stream, (void *[]){&out, &value}), 0);
        EXPECT_IS(driver_launch(add, stream, (void *[]){&out, &out}), 0);
        EXPECT_IS(emulated_download(words, out, sizeof words, stream), 0);
        EXPECT_IS(words[WORDS - 1], 2 * round);
        EXPECT_IS(emulated.cuMemFree_v2(out), 0);
    }
    EXPECT_IS(emulated.cuModuleUnload(module), 0);
    EXPECT_IS(emulated.cuStreamDestroy_v2(stream), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(number % 2), 0);
    return NULL;
}

static void several_threads(void) {
    pthread_t threads[HOSTS];
    int numbers[HOSTS];
    for (int i = 0; i < HOSTS; i++) {
        numbers[i] = i;
        EXPECT_IS(pthread_create(&threads[i], NULL, work_on_device, &numbers[i]), 0);
    }
    for (int i = 0; i < HOSTS; i++)
        EXPECT_IS(pthread_join(threads[i], NULL), 0);
}

static void threads_use_devices_side_by_side(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,seed=9", 0, several_threads));
    assert_true(emulated_run(folder, "devices=2,order=eager", 0, several_threads));
}

/* ---- modules ---- */

static void modules(void) {
    CUstream stream = emulated_open(0);
    CUmodule module;
    CUfunction function;
    char log[200];
    CUjit_option names[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void *values[] = {log, (void *)(uintptr_t)sizeof log};
    EXPECT_IS(emulated.cuModuleLoadDataEx(&module, "\177ELF and more", 0, NULL, NULL),
              CUDA_ERROR_NO_BINARY_FOR_GPU);
    EXPECT_IS(emulated.cuModuleLoadDataEx(&module, ".version 8.1\n", 2, names, values),
              CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
    EXPECT(strstr(log, "PTX line 1: the text is of version 8.1, this driver reads up to 8.0") ==
           log);
    values[1] = (void *)(uintptr_t)sizeof log;
    EXPECT_IS(emulated.cuModuleLoadDataEx(&module,
                                          ".version 7.0\n.target sm_75\n.address_size 64\n"
                                          ".entry k() {\nsqrt.rn.f32 %f1, %f2;\n}\n",
                                          2, names, values),
              CUDA_ERROR_INVALID_PTX);
    EXPECT(strcmp(log, "PTX line 5: unsupported opcode: sqrt.rn.f32") == 0);
    EXPECT_IS((uintptr_t)values[1], strlen(log) + 1);
    EXPECT_IS(emulated.cuModuleLoadDataEx(&module, ".version 7.0\n.target sm_90\n", 0, NULL, NULL),
              CUDA_ERROR_INVALID_PTX);
    EXPECT_IS(emulated.cuModuleLoadDataEx(&module, driver_kernels, 0, NULL, NULL), 0);
    EXPECT_IS(emulated.cuModuleGetFunction(&function, module, "absent"), CUDA_ERROR_NOT_FOUND);
    EXPECT_IS(emulated.cuModuleGetFunction(&function, module, "store"), 0);
    CUresult (*attribute)(int *, int, CUfunction);
    void *found = driver_symbol("cuFuncGetAttribute");
    memcpy(&attribute, &found, sizeof attribute);
    int value;
    EXPECT_IS(attribute(&value, 0, function), 0);
    EXPECT_IS(value, 256);
    EXPECT_IS(emulated.cuModuleUnload(module), 0);
    driver_leave(stream, 0, NULL);
}

static void text_is_loaded_or_refused_with_its_line(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "driver=12000,sm=75", 2, modules));
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 64;
    folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_names_lead_to_one_library),
        cmocka_unit_test(the_platform_is_what_the_variable_says),
        cmocka_unit_test(a_device_says_who_it_is),
        cmocka_unit_test(work_runs_when_it_is_waited_for_or_at_once),
        cmocka_unit_test(events_order_streams_and_tell_time),
        cmocka_unit_test(calls_that_wait_come_back_when_it_is_done),
        cmocka_unit_test(threads_use_devices_side_by_side),
        cmocka_unit_test(text_is_loaded_or_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
