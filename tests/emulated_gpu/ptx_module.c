/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of a loaded module. */
#include "emulated_gpu/ptx_inside.h"

#include <stdlib.h>
#include <string.h>

void ptx_free(struct ptx_module *module) {
    if (module == NULL)
        return;
    for (size_t i = 0; i < module->kernel_count; i++) {
        struct ptx_kernel *kernel = module->kernels[i];
        free(kernel->name);
        free(kernel->code);
        free(kernel->rows);
        free(kernel->parameters);
        free(kernel);
    }
    free(module->kernels);
    free(module->symbols);
    free(module->globals);
    free(module->constants);
    free(module->text);
    free(module);
}

const struct ptx_kernel *ptx_kernel_named(const struct ptx_module *module, const char *name) {
    for (size_t i = 0; i < module->kernel_count; i++)
        if (strcmp(module->kernels[i]->name, name) == 0)
            return module->kernels[i];
    return NULL;
}

const struct ptx_kernel *ptx_kernel_at(const struct ptx_module *module, size_t index) {
    return index < module->kernel_count ? module->kernels[index] : NULL;
}

const char *ptx_kernel_name(const struct ptx_kernel *kernel) {
    return kernel->name;
}

size_t ptx_parameter_count(const struct ptx_kernel *kernel) {
    return kernel->parameter_count;
}

size_t ptx_parameter_bytes(const struct ptx_kernel *kernel, size_t index, size_t *offset) {
    *offset = kernel->parameters[index].offset;
    return kernel->parameters[index].bytes;
}

size_t ptx_parameters_bytes(const struct ptx_kernel *kernel) {
    return kernel->parameters_bytes;
}

uint32_t ptx_static_shared_bytes(const struct ptx_kernel *kernel) {
    return kernel->shared_bytes;
}

uint32_t ptx_local_bytes(const struct ptx_kernel *kernel) {
    return kernel->local_bytes;
}

uint32_t ptx_threads_max(const struct ptx_kernel *kernel) {
    return kernel->threads_max;
}

size_t ptx_globals_bytes(const struct ptx_module *module) {
    return module->globals_bytes;
}

const void *ptx_globals(const struct ptx_module *module) {
    return module->globals;
}
