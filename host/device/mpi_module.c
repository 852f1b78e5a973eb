/* SPDX-License-Identifier: Apache-2.0 */
/* petaudit_mpi.so: all-reduce by MPI. Non-blocking calls, so that the caller keeps its deadlines.
 */
#include "device/mpi_module.h"

#include <limits.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdlib.h>

static MPI_Comm ours;
static MPI_Request request = MPI_REQUEST_NULL;
static bool has_joined, is_forsaken;
static char text[MPI_MAX_ERROR_STRING + 1];

static const char *text_of(int code) {
    int length = 0;
    if (code == MPI_SUCCESS)
        return NULL;
    if (MPI_Error_string(code, text, &length) != MPI_SUCCESS)
        return "an unknown MPI error";
    text[length] = '\0';
    return text;
}

/* mpirun takes a process that ends without this for one that failed. */
static void leave(void) {
    if (!is_forsaken)
        MPI_Finalize();
}

static const char *join(int *rank, int *size) {
    if (!has_joined) {
        int provided = 0, is_initialized = 0;
        MPI_Initialized(&is_initialized);
        if (!is_initialized) {
            const char *failure =
                text_of(MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided));
            if (failure != NULL)
                return failure;
            if (atexit(leave) != 0)
                return "no room for an exit handler";
            if (provided < MPI_THREAD_SERIALIZED)
                return "this MPI cannot be called from more than one thread";
        }
        const char *failure = text_of(MPI_Comm_dup(MPI_COMM_WORLD, &ours));
        if (failure != NULL)
            return failure;
        MPI_Comm_set_errhandler(ours, MPI_ERRORS_RETURN);
        has_joined = true;
    }
    const char *failure = text_of(MPI_Comm_rank(ours, rank));
    return failure != NULL ? failure : text_of(MPI_Comm_size(ours, size));
}

static const char *start(const uint32_t *in, uint32_t *out, size_t words) {
    if (in == NULL)
        return text_of(MPI_Ibarrier(ours, &request));
    if (words > INT_MAX)
        return "more words than one MPI call takes";
    return text_of(MPI_Iallreduce(in, out, (int)words, MPI_INT32_T, MPI_SUM, ours, &request));
}

static const char *test(int *is_complete) {
    return text_of(MPI_Test(&request, is_complete, MPI_STATUS_IGNORE));
}

static void forsake(void) {
    is_forsaken = true;
}

static const struct pa_mpi_module module = {.version = PA_MPI_MODULE_VERSION,
                                            .join = join,
                                            .start = start,
                                            .test = test,
                                            .forsake = forsake};

__attribute__((visibility("default"))) const struct pa_mpi_module *pa_mpi_module(void);

const struct pa_mpi_module *pa_mpi_module(void) {
    return &module;
}
