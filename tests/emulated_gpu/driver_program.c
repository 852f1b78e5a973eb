/* SPDX-License-Identifier: Apache-2.0 */
#include "emulated_gpu/driver_program.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* store: out[i] = value; add: out[i] += in[i]; late: one word too far; endless. */
const char driver_kernels[] =
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

CUfunction driver_function(const char *name, CUmodule *module) {
    CUfunction function;
    EXPECT_IS(emulated.cuModuleLoadDataEx(module, driver_kernels, 0, NULL, NULL), 0);
    EXPECT_IS(emulated.cuModuleGetFunction(&function, *module, name), 0);
    return function;
}

CUresult driver_launch(CUfunction function, CUstream stream, void **parameters) {
    return emulated.cuLaunchKernel(function, 1, 1, 1, WORDS, 1, 1, 0, stream, parameters, NULL);
}

/* End as a program should: everything given back. */
void driver_leave(CUstream stream, CUdeviceptr memory, CUmodule module) {
    EXPECT_IS(emulated.cuMemFree_v2(memory), 0);
    if (module != NULL)
        EXPECT_IS(emulated.cuModuleUnload(module), 0);
    EXPECT_IS(emulated.cuStreamDestroy_v2(stream), 0);
    EXPECT_IS(emulated.cuDevicePrimaryCtxRelease_v2(0), 0);
}

/* A function that is no part of petaudit's table, by name. */
void *driver_symbol(const char *name) {
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    EXPECT(library != NULL);
    void *found = dlsym(library, name);
    if (found == NULL)
        fprintf(stderr, "no %s\n", name);
    EXPECT(found != NULL);
    return found;
}

bool driver_report_has(const char *text) {
    static char content[16384];
    FILE *file = fopen(getenv("PETAUDIT_EMULATED_REPORT"), "re");
    EXPECT(file != NULL);
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    if (strstr(content, text) == NULL)
        fprintf(stderr, "not \"%s\" but %s\n", text, content);
    return strstr(content, text) != NULL;
}
