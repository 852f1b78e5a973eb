/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated driver under its real names: what works, when it happens, and what each misuse is
 * answered with and reported as. */
#include "emulated_gpu/emulated_session.h"
#include "unit/cmocka_setup.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { WORDS = 256 };

static const char *folder;

/* store: out[i] = value; add: out[i] += in[i]; late: one word too far; endless. */
static const char kernels[] =
    ".version 7.0\n.target sm_75\n.address_size 64\n"
    ".visible .entry store(.param .u64 out, .param .u32 value) .maxntid 256, 1, 1 {\n"
    ".reg .b64 %d<4>; .reg .b32 %r<4>;\n"
    "ld.param.u64 %d1, [out]; ld.param.u32 %r1, [value]; mov.u32 %r2, %tid.x;\n"
    "mad.wide.u32 %d2, %r2, 4, %d1; st.global.u32 [%d2], %r1; ret; }\n"
    ".visible .entry add(.param .u64 out, .param .u64 in) {\n"
    ".reg .b64 %d<6>; .reg .b32 %r<6>;\n"
    "ld.param.u64 %d1, [out]; ld.param.u64 %d2, [in]; mov.u32 %r2, %tid.x;\n"
    "mad.wide.u32 %d3, %r2, 4, %d1; mad.wide.u32 %d4, %r2, 4, %d2;\n"
    "ld.global.u32 %r3, [%d3]; ld.global.u32 %r4, [%d4]; add.s32 %r3, %r3, %r4;\n"
    "st.global.u32 [%d3], %r3; ret; }\n"
    ".visible .entry late(.param .u64 out) {\n"
    ".reg .b64 %d<4>; .reg .b32 %r<4>;\n"
    "ld.param.u64 %d1, [out]; mov.u32 %r2, %tid.x; mad.wide.u32 %d2, %r2, 4, %d1;\n"
    "st.global.u32 [%d2+4], %r2; ret; }\n"
    ".visible .entry endless() {\nHERE: bra.uni HERE;\n}\n";

static CUfunction function_of(const char *name, CUmodule *module) {
    CUfunction function;
    EXPECT_IS(emulated.cuModuleLoadDataEx(module, kernels, 0, NULL, NULL), 0);
    EXPECT_IS(emulated.cuModuleGetFunction(&function, *module, name), 0);
    return function;
}

static CUresult launch(CUfunction function, CUstream stream, void **parameters) {
    return emulated.cuLaunchKernel(function, 1, 1, 1, WORDS, 1, 1, 0, stream, parameters, NULL);
}

/* End as a program should: everything given back. */
static void leave(CUstream stream, CUdeviceptr memory, CUmodule module) {
    EXPECT_IS(emulated.cuMemFree_v2(memory), 0);
    if (module != NULL)
        EXPECT_IS(emulated.cuModuleUnload(module), 0);
    EXPECT_IS(emulated.cuStreamDestroy_v2(stream), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
}

/* A function that is no part of petaudit's table, by name. */
static void *extra(const char *name) {
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    EXPECT(library != NULL);
    void *found = dlsym(library, name);
    if (found == NULL)
        fprintf(stderr, "no %s\n", name);
    EXPECT(found != NULL);
    return found;
}

static bool report_has(const char *text) {
    static char content[16384];
    FILE *file = fopen(getenv("PETAUDIT_EMULATED_REPORT"), "re");
    EXPECT(file != NULL);
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    if (strstr(content, text) == NULL)
        fprintf(stderr, "not \"%s\" but %s\n", text, content);
    return strstr(content, text) != NULL;
}

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
    EXPECT(report_has("attribute 9999 is not modelled"));
}

static void a_device_says_who_it_is(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=2,memory=8MiB,sm=120", 1, identity));
}

/* ---- when things happen ---- */

static void late_result(void) {
    CUmodule module;
    CUstream stream = emulated_open(0);
    CUfunction store = function_of("store", &module);
    CUdeviceptr out = emulated_upload(NULL, WORDS * sizeof(uint32_t), stream);
    uint32_t value = 42, *pinned;
    EXPECT_IS(emulated.cuMemHostAlloc((void **)&pinned, WORDS * sizeof *pinned, 0), 0);
    memset(pinned, 0, WORDS * sizeof *pinned);
    EXPECT_IS(launch(store, stream, (void *[]){&out, &value}), 0);
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
    leave(stream, out, module);
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
    CUfunction store = function_of("store", &module), add;
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
    EXPECT_IS(launch(store, first, (void *[]){&memory, &value}), 0);
    EXPECT_IS(emulated.cuEventRecord(untimed, first), 0);
    EXPECT_IS(emulated.cuStreamWaitEvent(second, untimed, 0), 0);
    EXPECT_IS(launch(add, second, (void *[]){&memory, &memory}), 0);
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
    leave(first, memory, module);
}

static void events_order_streams_and_tell_time(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "devices=1", 0, events));
}

static void blocking_calls(void) {
    CUresult (*synchronize)(CUstream), (*synchronize_all)(void), (*event_synchronize)(CUevent);
    CUresult (*fill)(CUdeviceptr, unsigned, size_t, CUstream);
    CUresult (*copy)(CUdeviceptr, CUdeviceptr, size_t, CUstream);
    void *found[] = {extra("cuStreamSynchronize"), extra("cuCtxSynchronize"),
                     extra("cuEventSynchronize"), extra("cuMemsetD32Async"),
                     extra("cuMemcpyDtoDAsync_v2")};
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
    leave(stream, memory, NULL);
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
    CUfunction store = function_of("store", &module), add;
    EXPECT_IS(emulated.cuModuleGetFunction(&add, module, "add"), 0);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t value = round, words[WORDS];
        CUdeviceptr out = emulated_upload(NULL, sizeof words, stream);
        EXPECT_IS(launch(store, stream, (void *[]){&out, &value}), 0);
        EXPECT_IS(launch(add, stream, (void *[]){&out, &out}), 0);
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
    EXPECT_IS(emulated.cuModuleLoadDataEx(&module, kernels, 0, NULL, NULL), 0);
    EXPECT_IS(emulated.cuModuleGetFunction(&function, module, "absent"), CUDA_ERROR_NOT_FOUND);
    EXPECT_IS(emulated.cuModuleGetFunction(&function, module, "store"), 0);
    CUresult (*attribute)(int *, int, CUfunction);
    void *found = extra("cuFuncGetAttribute");
    memcpy(&attribute, &found, sizeof attribute);
    int value;
    EXPECT_IS(attribute(&value, 0, function), 0);
    EXPECT_IS(value, 256);
    EXPECT_IS(emulated.cuModuleUnload(module), 0);
    leave(stream, 0, NULL);
}

static void text_is_loaded_or_refused_with_its_line(void **state) {
    (void)state;
    assert_true(emulated_run(folder, "driver=12000,sm=75", 2, modules));
}

/* ---- misuse ---- */

/* A context that died answers everything alike until it is released; others go on. */
static void dead_context(void) {
    CUmodule module;
    size_t bytes;
    CUstream stream = emulated_open(0);
    CUfunction late = function_of("late", &module);
    CUdeviceptr out = emulated_upload(NULL, WORDS * sizeof(uint32_t), stream), ignored;
    EXPECT_IS(launch(late, stream, (void *[]){&out}), 0);
    EXPECT_IS(emulated_wait(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT(report_has("GPU 0: late, PTX line 17, block (0,0,0), thread (255,0,0): writes 4 bytes"));
    EXPECT(report_has("0 bytes past the end of the allocation of 1024 bytes at 0xd00000000000"));
    EXPECT_IS(emulated.cuMemAlloc_v2(&ignored, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT_IS(emulated.cuMemFree_v2(out), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT_IS(emulated.cuStreamQuery(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT_IS(launch(late, stream, (void *[]){&out}), CUDA_ERROR_ILLEGAL_ADDRESS);
    CUstream other = emulated_open(1);
    EXPECT_IS(emulated.cuMemGetInfo_v2(&bytes, &bytes), 0);
    EXPECT_IS(emulated.cuStreamDestroy_v2(other), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(1), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
    stream = emulated_open(0);
    out = emulated_upload("again", 6, stream);
    leave(stream, out, NULL);
}

static void endless_kernel(void) {
    CUmodule module;
    CUstream stream = emulated_open(0);
    CUfunction endless = function_of("endless", &module);
    EXPECT_IS(emulated.cuLaunchKernel(endless, 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL), 0);
    EXPECT_IS(emulated_wait(stream), CUDA_ERROR_LAUNCH_TIMEOUT);
    EXPECT(report_has("endless, PTX line 19"));
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
    EXPECT(report_has("reads memory at 0xd0000000001e that was never written"));
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
}

static void freed_memory(void) {
    CUmodule module;
    CUstream stream = emulated_open(0);
    CUfunction store = function_of("store", &module);
    CUdeviceptr memory = emulated_upload(NULL, 1024, stream);
    uint32_t value = 1;
    EXPECT_IS(emulated.cuMemFree_v2(memory), 0);
    EXPECT_IS(emulated.cuMemFree_v2(memory), CUDA_ERROR_INVALID_VALUE);
    EXPECT(report_has("double free"));
    EXPECT_IS(emulated.cuMemFree_v2(12345), CUDA_ERROR_INVALID_VALUE);
    EXPECT(report_has("which was never allocated"));
    EXPECT_IS(emulated.cuMemcpyDtoHAsync_v2(&value, memory, 4, stream), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(launch(store, stream, (void *[]){&memory, &value}), 0);
    EXPECT_IS(emulated_wait(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT(report_has("use after free of the allocation of 1024 bytes"));
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
}

static void other_device(void) {
    CUmodule module;
    CUstream first = emulated_open(0);
    CUfunction store = function_of("store", &module);
    CUdeviceptr memory = emulated_upload(NULL, 1024, first);
    uint32_t value = 1;
    CUstream second = emulated_open(1);
    EXPECT_IS(launch(store, second, (void *[]){&memory, &value}), CUDA_ERROR_INVALID_HANDLE);
    EXPECT(report_has("is no function of GPU 1"));
    EXPECT_IS(emulated.cuMemsetD8Async(memory, 0, 4, first), CUDA_ERROR_INVALID_HANDLE);
    EXPECT(report_has("a stream of GPU 0 while GPU 1 is current"));
    EXPECT_IS(emulated.cuMemFree_v2(memory), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
    CUevent event;
    EXPECT_IS(emulated.cuEventCreate(&event, 0), 0);
    EXPECT_IS(emulated.cuEventRecord(event, first), CUDA_ERROR_INVALID_HANDLE);
    EXPECT(report_has("an event of GPU 1 in a stream of GPU 0"));
    store = function_of("store", &module);
    EXPECT_IS(launch(store, second, (void *[]){&memory, &value}), 0);
    EXPECT_IS(emulated_wait(second), CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT(report_has("which is memory of GPU 0, used on GPU 1"));
}

static void left_behind(void) {
    CUmodule module;
    CUstream stream = emulated_open(0);
    CUfunction store = function_of("store", &module);
    CUdeviceptr memory = emulated_upload(NULL, 1024, stream);
    uint32_t value = 1;
    EXPECT_IS(launch(store, stream, (void *[]){&memory, &value}), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
    EXPECT(report_has("the context ends with work that nobody waited for"));
    EXPECT(report_has("leak of 1 streams, 0 events, 1 modules"));
    EXPECT(report_has("leak of 1024 bytes at 0xd00000000000"));
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
    CUfunction store = function_of("store", &module);
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
    EXPECT_IS(launch(store, stream, NULL), CUDA_ERROR_INVALID_VALUE);
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
    void *found = extra("cuMemAlloc");
    memcpy(&old, &found, sizeof old);
    EXPECT_IS(old(), CUDA_ERROR_INVALID_VALUE);
    EXPECT(report_has("cuMemAlloc: called by its old name"));
    leave(stream, memory, module);
    /* What is refused without a report, because the caller cannot know before. */
    stream = emulated_open(0);
    EXPECT_IS(emulated.cuMemAlloc_v2(&memory, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_IS(emulated.cuMemAlloc_v2(&memory, UINT64_C(1) << 60), CUDA_ERROR_OUT_OF_MEMORY);
    leave(stream, 0, NULL);
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
    leave(stream, memory, NULL);
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
    leave(stream, 0, NULL);
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
        cmocka_unit_test(four_names_lead_to_one_library),
        cmocka_unit_test(the_platform_is_what_the_variable_says),
        cmocka_unit_test(a_device_says_who_it_is),
        cmocka_unit_test(work_runs_when_it_is_waited_for_or_at_once),
        cmocka_unit_test(events_order_streams_and_tell_time),
        cmocka_unit_test(calls_that_wait_come_back_when_it_is_done),
        cmocka_unit_test(threads_use_devices_side_by_side),
        cmocka_unit_test(text_is_loaded_or_refused_with_its_line),
        cmocka_unit_test(a_kernel_that_faults_ends_its_context),
        cmocka_unit_test(every_misuse_has_its_answer_and_its_report),
        cmocka_unit_test(device_memory_is_not_the_hosts_and_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
