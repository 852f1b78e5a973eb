/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated_gpu/emulated_session.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

struct emulated_api emulated;

static void load(const char *folder) {
    char path[4096];
    void *library;
    void *found;
#define LOAD(required, returns, name, arguments)                                                   \
    found = dlsym(library, #name);                                                                 \
    EXPECT(found != NULL);                                                                         \
    memcpy(&emulated.name, &found, sizeof found);
#define OPEN(name)                                                                                 \
    snprintf(path, sizeof path, "%s/%s", folder, name);                                            \
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);                                                 \
    if (library == NULL) {                                                                         \
        fprintf(stderr, "%s\n", dlerror());                                                        \
        _exit(1);                                                                                  \
    }
    OPEN("libcuda.so.1")
    PA_CUDA_FUNCTIONS(LOAD)
    OPEN("libcublasLt.so.13")
    PA_CUBLASLT_FUNCTIONS(LOAD)
    OPEN("libnccl.so.2")
    PA_NCCL_FUNCTIONS(LOAD)
    OPEN("libnvidia-ml.so.1")
    PA_NVML_FUNCTIONS(LOAD)
#undef OPEN
#undef LOAD
}

static int lines_of(const char *path) {
    FILE *file = fopen(path, "re");
    int lines = 0;
    for (int c; file != NULL && (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    if (file != NULL)
        fclose(file);
    return lines;
}

bool emulated_run(const char *folder, const char *orders, int reports, void (*body)(void)) {
    char report[] = "/tmp/emulated-report-XXXXXX";
    int file = mkstemp(report), status = -1;
    close(file);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setenv("PETAUDIT_EMULATED_GPU", orders, 1);
        setenv("PETAUDIT_EMULATED_REPORT", report, 1);
        alarm(60);
        load(folder);
        body();
        _exit(0);
    }
    waitpid(child, &status, 0);
    int reported = lines_of(report);
    unlink(report);
    if (status != 0)
        fprintf(stderr, "orders \"%s\": wait status %d\n", orders, status);
    if (reported != reports)
        fprintf(stderr, "orders \"%s\": %d reports, expected %d\n", orders, reported, reports);
    return status == 0 && reported == reports;
}

CUstream emulated_open(int device) {
    CUcontext context;
    CUstream stream;
    EXPECT_IS(emulated.cuInit(0), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRetain(&context, device), 0);
    EXPECT_IS(emulated.cuCtxSetCurrent(context), 0);
    EXPECT_IS(emulated.cuStreamCreate(&stream, PA_CU_STREAM_NON_BLOCKING), 0);
    return stream;
}

CUresult emulated_wait(CUstream stream) {
    CUresult result;
    while ((result = emulated.cuStreamQuery(stream)) == CUDA_ERROR_NOT_READY)
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    return result;
}

CUdeviceptr emulated_upload(const void *data, size_t bytes, CUstream stream) {
    CUdeviceptr address;
    EXPECT_IS(emulated.cuMemAlloc_v2(&address, bytes), 0);
    if (data != NULL) {
        EXPECT_IS(emulated.cuMemcpyHtoDAsync_v2(address, data, bytes, stream), 0);
        EXPECT_IS(emulated_wait(stream), 0);
    }
    return address;
}

CUresult emulated_download(void *out, CUdeviceptr from, size_t bytes, CUstream stream) {
    CUresult result = emulated.cuMemcpyDtoHAsync_v2(out, from, bytes, stream);
    return result == CUDA_SUCCESS ? emulated_wait(stream) : result;
}
