/* SPDX-License-Identifier: Apache-2.0 */
/* cuModule*, cuFunc*, cuLaunchKernel: PTX text becomes kernels, and launches become work. */
#include "emulated_gpu/driver_exports.h"
#include "emulated_gpu/driver_state.h"
#include "emulated_gpu/emulated_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    JIT_ERROR_LOG = 5,
    JIT_ERROR_LOG_BYTES = 6,
    GRID_YZ_MAX = 65535,
    BLOCK_Z_MAX = 64,
    THREADS_MAX = 1024,
    SHARED_MAX = 49152
};

/* ---- modules ---- */

/* The buffer for the messages of the compiler that the options name, if they do. */
struct log {
    char *text;
    void **size_value; /* in: bytes of the buffer; out: bytes written */
    size_t size;
};

static struct log log_of(unsigned count, const CUjit_option *names, void **values) {
    struct log log = {0};
    for (unsigned i = 0; i < count; i++) {
        if ((int)names[i] == JIT_ERROR_LOG)
            log.text = values[i];
        else if ((int)names[i] == JIT_ERROR_LOG_BYTES) {
            log.size_value = &values[i];
            log.size = (size_t)(uintptr_t)values[i];
        }
    }
    return log;
}

static void log_write(const struct log *log, const char *text) {
    size_t written = 0;
    if (log->text != NULL && log->size > 0) {
        snprintf(log->text, log->size, "%s", text);
        written = text[0] == '\0' ? 0 : strlen(log->text) + 1;
    }
    if (log->size_value != NULL)
        *log->size_value = (void *)(uintptr_t)written;
}

static CUresult code_of_load(enum ptx_status status) {
    switch (status) {
    case PTX_OK:
        return CUDA_SUCCESS;
    case PTX_EVERSION:
        return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
    case PTX_EMEMORY:
        return CUDA_ERROR_OUT_OF_MEMORY;
    default:
        return CUDA_ERROR_INVALID_PTX;
    }
}

/* Put the module's variables into memory of the device. */
static CUresult place_globals(struct CUmod_st *module) {
    size_t bytes = ptx_globals_bytes(module->ptx);
    if (bytes == 0)
        return CUDA_SUCCESS;
    CUresult result =
        (CUresult)emulated_memory_allocate(module->device, bytes, &module->globals_address);
    void *host;
    if (result == CUDA_SUCCESS)
        result = (CUresult)emulated_memory_write(module->device, module->globals_address, bytes,
                                                 "cuModuleLoadData", &host);
    if (result == CUDA_SUCCESS)
        memcpy(host, ptx_globals(module->ptx), bytes);
    return result;
}

static void module_free(struct CUmod_st *module) {
    while (module->functions != NULL) {
        struct CUfunc_st *next = module->functions->next;
        free(module->functions);
        module->functions = next;
    }
    if (module->globals_address != 0)
        emulated_memory_free(module->device, module->globals_address);
    ptx_free(module->ptx);
    free(module);
}

static CUresult load(const struct call *call, CUmodule *out, const char *image,
                     const struct log *log) {
    /* A future GPU has no code in today's binaries either: the same way back to PTX is taken. */
    if (strncmp(image, "\177ELF", 4) == 0)
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
    const struct emulated_platform *platform = emulated_platform();
    const struct emulated_device *device = &platform->devices[call->device];
    const struct ptx_limits limits = {.version = platform->ptx_version,
                                      .target = device->sm_major * 10 + device->sm_minor};
    struct CUmod_st *module = calloc(1, sizeof *module);
    if (module == NULL)
        return CUDA_ERROR_OUT_OF_MEMORY;
    module->device = call->device;
    struct ptx_failure failure = {.text = ""};
    CUresult result = code_of_load(ptx_load(image, strlen(image), &limits, &module->ptx, &failure));
    log_write(log, failure.text);
    if (result == CUDA_ERROR_INVALID_PTX)
        call_misuse(call, result, "%s", failure.text);
    if (result == CUDA_SUCCESS)
        result = place_globals(module);
    if (result != CUDA_SUCCESS) {
        module_free(module);
        return result;
    }
    module->next = call->context->modules;
    call->context->modules = module;
    *out = module;
    return CUDA_SUCCESS;
}

EMULATED_API CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned int options,
                                         CUjit_option *names, void **values) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    if (module == NULL || image == NULL || (options != 0 && (names == NULL || values == NULL)))
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    const struct log log = log_of(options, names, values);
    return call_end(&call, load(&call, module, image, &log));
}

EMULATED_API CUresult cuModuleLoadData(CUmodule *module, const void *image) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    if (module == NULL || image == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    const struct log log = {0};
    return call_end(&call, load(&call, module, image, &log));
}

static struct CUmod_st *module_of(const struct call *call, CUmodule handle) {
    for (struct CUmod_st *module = call->context->modules; module != NULL; module = module->next)
        if (module == handle)
            return module;
    call_misuse(call, CUDA_ERROR_INVALID_HANDLE, "%p is no module of GPU %d", (void *)handle,
                call->device);
    return NULL;
}

static void module_unlink(struct CUctx_st *context, struct CUmod_st *module) {
    struct CUmod_st **link = &context->modules;
    while (*link != module)
        link = &(*link)->next;
    *link = module->next;
    module_free(module);
}

unsigned modules_release(struct CUctx_st *context) {
    unsigned count = 0;
    for (; context->modules != NULL; count++)
        module_unlink(context, context->modules);
    return count;
}

EMULATED_API CUresult cuModuleUnload(CUmodule handle) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    struct CUmod_st *module = module_of(&call, handle);
    CUresult result = module == NULL ? CUDA_ERROR_INVALID_HANDLE : device_wait(call.context);
    if (result == CUDA_SUCCESS)
        module_unlink(call.context, module);
    return call_end(&call, result);
}

EMULATED_API CUresult cuModuleGetFunction(CUfunction *function, CUmodule handle, const char *name) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    if (function == NULL || name == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_VALUE);
    struct CUmod_st *module = module_of(&call, handle);
    if (module == NULL)
        return call_end(&call, CUDA_ERROR_INVALID_HANDLE);
    const struct ptx_kernel *kernel = ptx_kernel_named(module->ptx, name);
    if (kernel == NULL)
        return call_end(&call, CUDA_ERROR_NOT_FOUND);
    struct CUfunc_st *found = module->functions;
    while (found != NULL && found->kernel != kernel)
        found = found->next;
    if (found == NULL && (found = malloc(sizeof *found)) != NULL) {
        *found = (struct CUfunc_st){module->functions, module, kernel};
        module->functions = found;
    }
    *function = found;
    return call_end(&call, found == NULL ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS);
}

static struct CUfunc_st *function_of(const struct call *call, CUfunction handle) {
    for (struct CUmod_st *module = call->context->modules; module != NULL; module = module->next)
        for (struct CUfunc_st *function = module->functions; function != NULL;
             function = function->next)
            if (function == handle)
                return function;
    call_misuse(call, CUDA_ERROR_INVALID_HANDLE, "%p is no function of GPU %d", (void *)handle,
                call->device);
    return NULL;
}

EMULATED_API CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction handle) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT, -1))
        return call.result;
    const struct CUfunc_st *function = value == NULL ? NULL : function_of(&call, handle);
    if (function == NULL)
        return call_end(&call,
                        value == NULL ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE);
    switch (attribute) {
    case 0:
        *value = (int)ptx_threads_max(function->kernel);
        break;
    case 1:
        *value = (int)ptx_static_shared_bytes(function->kernel);
        break;
    case 3:
        *value = (int)ptx_local_bytes(function->kernel);
        break;
    default:
        return call_end(&call, call_misuse(&call, CUDA_ERROR_INVALID_VALUE,
                                           "attribute %d is not modelled", attribute));
    }
    return call_end(&call, CUDA_SUCCESS);
}

/* ---- launches ---- */

struct launch {
    const struct ptx_kernel *kernel;
    struct ptx_launch run;
    int device; /* the user of run.find */
    struct emulated_fault fault;
    uint8_t parameters[];
};

static int code_of_run(enum ptx_status status) {
    switch (status) {
    case PTX_OK:
        return CUDA_SUCCESS;
    case PTX_EMEMORY:
        return CUDA_ERROR_OUT_OF_MEMORY;
    case PTX_EADDRESS:
        return CUDA_ERROR_ILLEGAL_ADDRESS;
    case PTX_EALIGNMENT:
        return CUDA_ERROR_MISALIGNED_ADDRESS;
    case PTX_ESTEPS:
        return CUDA_ERROR_LAUNCH_TIMEOUT;
    default:
        return CUDA_ERROR_LAUNCH_FAILED;
    }
}

/* One bit of what a parameter points to. */
static void make_wrong(const struct launch *launch) {
    if (launch->fault.parameter >= ptx_parameter_count(launch->kernel))
        return;
    size_t offset, bytes = ptx_parameter_bytes(launch->kernel, launch->fault.parameter, &offset);
    uint64_t address;
    if (bytes != sizeof address)
        return;
    memcpy(&address, launch->parameters + offset, sizeof address);
    emulated_memory_flip(launch->device, address + launch->fault.offset);
}

static int launch_work(void *context, int device) {
    struct launch *launch = context;
    launch->device = device;
    enum ptx_status status = ptx_run(launch->kernel, &launch->run);
    if (status != PTX_OK)
        emulated_report("GPU %d: %s", device, launch->run.failure.text);
    else if (launch->fault.kind == EMULATED_FAULT_WRONG)
        make_wrong(launch);
    return code_of_run(status);
}

static const char *shape_problem(const struct ptx_kernel *kernel, const uint32_t grid[3],
                                 const uint32_t block[3], unsigned shared_bytes) {
    for (int i = 0; i < 3; i++)
        if (grid[i] == 0 || block[i] == 0)
            return "a grid or a block of no size";
    if (grid[0] > INT32_MAX || grid[1] > GRID_YZ_MAX || grid[2] > GRID_YZ_MAX)
        return "a grid that is too large";
    if (block[0] > THREADS_MAX || block[1] > THREADS_MAX || block[2] > BLOCK_Z_MAX ||
        (uint64_t)block[0] * block[1] * block[2] > ptx_threads_max(kernel))
        return "more threads than the kernel's launch bounds";
    if (shared_bytes > SHARED_MAX || ptx_static_shared_bytes(kernel) + shared_bytes > SHARED_MAX)
        return "more than 48 KiB of shared memory";
    return NULL;
}

static CUresult launch_enqueue(struct call *call, CUfunction handle, CUstream stream_handle,
                               const struct ptx_launch *shape, void **parameters) {
    const struct CUfunc_st *function = function_of(call, handle);
    struct CUstream_st *stream = function == NULL ? NULL : stream_of(call, stream_handle);
    if (stream == NULL)
        return CUDA_ERROR_INVALID_HANDLE;
    if (stream->device != call->device)
        return call_misuse(call, CUDA_ERROR_INVALID_HANDLE,
                           "a stream of GPU %d while GPU %d is current", stream->device,
                           call->device);
    const struct ptx_kernel *kernel = function->kernel;
    const char *problem =
        shape_problem(kernel, shape->grid, shape->block, shape->dynamic_shared_bytes);
    size_t count = ptx_parameter_count(kernel);
    if (problem == NULL && count > 0 && parameters == NULL)
        problem = "no parameters";
    if (problem != NULL)
        return call_misuse(call, CUDA_ERROR_INVALID_VALUE, "%s: %s", ptx_kernel_name(kernel),
                           problem);
    const struct emulated_platform *platform = emulated_platform();
    struct launch *launch = calloc(1, sizeof *launch + ptx_parameters_bytes(kernel));
    if (launch == NULL)
        return CUDA_ERROR_OUT_OF_MEMORY;
    launch->kernel = kernel;
    launch->fault = call->fault;
    launch->run = *shape;
    launch->run.parameters = launch->parameters;
    launch->run.globals_address = function->module->globals_address;
    launch->run.find = emulated_memory_find;
    launch->run.user = &launch->device;
    launch->run.step_limit = platform->step_limit;
    launch->run.seed = platform->seed;
    launch->run.threads = platform->threads;
    /* Taken now: the caller's variables may be gone when the kernel runs. */
    for (size_t i = 0; i < count; i++) {
        size_t offset, bytes = ptx_parameter_bytes(kernel, i, &offset);
        memcpy(launch->parameters + offset, parameters[i], bytes);
    }
    return stream_append(call, stream, ptx_kernel_name(kernel), launch_work, launch, free);
}

EMULATED_API CUresult cuLaunchKernel(CUfunction function, unsigned int grid_x, unsigned int grid_y,
                                     unsigned int grid_z, unsigned int block_x,
                                     unsigned int block_y, unsigned int block_z,
                                     unsigned int shared_bytes, CUstream stream, void **parameters,
                                     void **extra) {
    struct call call;
    if (!call_begin(&call, __func__, CALL_NEEDS_CONTEXT | CALL_ENQUEUES, -1))
        return call.result;
    if (extra != NULL)
        return call_end(&call, call_misuse(&call, CUDA_ERROR_INVALID_VALUE,
                                           "parameters in one buffer are not modelled"));
    const struct ptx_launch shape = {.grid = {grid_x, grid_y, grid_z},
                                     .block = {block_x, block_y, block_z},
                                     .dynamic_shared_bytes = shared_bytes};
    return call_end(&call, launch_enqueue(&call, function, stream, &shape, parameters));
}
