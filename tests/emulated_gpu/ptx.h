/* SPDX-License-Identifier: Apache-2.0 */
/* ptx.h - the interpreter of PTX: text in, kernels that run on the host's processors out.
 *
 * It knows the integer subset that the kernels of petaudit are compiled to (docs/emulated-gpu.md)
 * and refuses the rest when the text is loaded, with its line. What a launch does wrong ends it
 * with kernel, line and reason: addresses, alignment, memory read before it was written, races in
 * shared memory, barriers and shuffles that part of a warp does not reach, loops that do not end.
 * It knows nothing of devices and streams: memory is what `find` says.
 */
#ifndef PA_TESTS_PTX_H
#define PA_TESTS_PTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ptx_module;
struct ptx_kernel;

enum ptx_status {
    PTX_OK,
    PTX_ESYNTAX,        /* load: not PTX, or outside the subset */
    PTX_EVERSION,       /* load: .version is newer than the caller allows */
    PTX_ETARGET,        /* load: .target is newer than the caller allows */
    PTX_EMEMORY,        /* the host is out of memory */
    PTX_EADDRESS,       /* outside what may be accessed */
    PTX_EALIGNMENT,     /* not a multiple of the access's size */
    PTX_EUNINITIALISED, /* read before it was written */
    PTX_ERACE,          /* shared memory, two warps, no barrier between */
    PTX_EDIVERGENCE,    /* a barrier or shuffle that not every lane reaches */
    PTX_ESTEPS,         /* the step limit */
    PTX_ETRAP,          /* trap, or a result that PTX leaves open */
};

enum { PTX_FAILURE_BYTES = 400 };
struct ptx_failure {
    char text[PTX_FAILURE_BYTES]; /* "fill_bf16, PTX line 41: ..." */
};

/* What the platform can run. */
struct ptx_limits {
    int version; /* major * 10 + minor */
    int target;  /* 90 for sm_90 */
};

/* Parse `length` bytes of text; nothing of it is kept by reference. PTX_OK, or PTX_ESYNTAX,
 * PTX_EVERSION, PTX_ETARGET, PTX_EMEMORY with the reason. Free with ptx_free. */
enum ptx_status ptx_load(const char *text, size_t length, const struct ptx_limits *limits,
                         struct ptx_module **out, struct ptx_failure *failure);
void ptx_free(struct ptx_module *module);

/* The kernel (.entry) of that name, or NULL; it lives as long as the module. */
const struct ptx_kernel *ptx_kernel_named(const struct ptx_module *module, const char *name);
/* Kernel 0, 1, .. in the order of the text; NULL past the last. */
const struct ptx_kernel *ptx_kernel_at(const struct ptx_module *module, size_t index);
const char *ptx_kernel_name(const struct ptx_kernel *kernel);

/* Parameters: how many, where each lies in the packed block, and the size of that block. */
size_t ptx_parameter_count(const struct ptx_kernel *kernel);
size_t ptx_parameter_bytes(const struct ptx_kernel *kernel, size_t index, size_t *offset);
size_t ptx_parameters_bytes(const struct ptx_kernel *kernel);
uint32_t ptx_static_shared_bytes(const struct ptx_kernel *kernel);
uint32_t ptx_local_bytes(const struct ptx_kernel *kernel);
/* The most threads of a block: .maxntid or .reqntid, or 1024. */
uint32_t ptx_threads_max(const struct ptx_kernel *kernel);

/* The .global variables of a module as one block: its size and what is in it at load. Whoever
 * launches puts it into memory that `find` knows. */
size_t ptx_globals_bytes(const struct ptx_module *module);
const void *ptx_globals(const struct ptx_module *module);

/* A piece of memory: addresses low .. high - 1 are host[0 ..]. `written` (may be NULL) has one
 * byte for every 4 bytes, one bit each, set where something was written (ptx_written.h); `low` is
 * a multiple of 16. */
struct ptx_range {
    uint64_t low, high;
    uint8_t *host;
    uint8_t *written;
};

/* The range that holds all of address .. address + bytes - 1. False, with the reason in `why`, when
 * there is none. Called from several threads at once. */
typedef bool (*ptx_find_range)(void *user, uint64_t address, uint64_t bytes, bool is_write,
                               struct ptx_range *out, char *why, size_t why_bytes);

struct ptx_launch {
    uint32_t grid[3], block[3];
    uint32_t dynamic_shared_bytes;
    const void *parameters;   /* ptx_parameters_bytes() long */
    uint64_t globals_address; /* where the module's .global variables are */
    ptx_find_range find;
    void *user;
    uint64_t step_limit; /* instructions of one warp in one block; 0 is none */
    uint64_t seed;       /* order of blocks and warps; 0 is the plain one */
    unsigned threads;    /* of the host that run blocks; 0 is 1 */
    /* What is filled by ptx_run. */
    uint64_t warp_instructions, thread_instructions;
    struct ptx_failure failure;
};

/* Run every block. PTX_OK, or the first failure; then memory is in any state. */
enum ptx_status ptx_run(const struct ptx_kernel *kernel, struct ptx_launch *launch);

#endif
