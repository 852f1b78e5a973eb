/* SPDX-License-Identifier: Apache-2.0 */
/* petaudit_mpi.so: all-reduce by MPI. Non-blocking calls, so that the caller keeps its deadlines.
 *
 * Where several hosts have several ranks, a sum goes in layers: inside of each host to its first
 * rank, among the first ranks of all hosts, and back into each host. Every word crosses the network
 * once a host then, and not once a rank. */
#include "device/mpi_module.h"

#include <limits.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdlib.h>

static MPI_Comm ours;
static MPI_Request request = MPI_REQUEST_NULL;
static MPI_Request sending = MPI_REQUEST_NULL; /* of a swap */
static bool has_joined, is_forsaken;
static char text[MPI_MAX_ERROR_STRING + 1];

static MPI_Comm host = MPI_COMM_NULL;  /* the ranks of this host */
static MPI_Comm heads = MPI_COMM_NULL; /* the first rank of each host, where this is one */
static bool is_layered;

/* Where the sum under way is. */
enum layer { FLAT, INTO_HEAD, AMONG_HEADS, FROM_HEAD };
static enum layer layer;
static uint32_t *result;
static int result_words;

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

/* Which ranks share a host; collective, once. */
static const char *find_hosts(void) {
    int rank, host_rank, host_size;
    MPI_Comm_rank(ours, &rank);
    const char *failure =
        text_of(MPI_Comm_split_type(ours, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &host));
    if (failure != NULL)
        return failure;
    MPI_Comm_rank(host, &host_rank);
    MPI_Comm_size(host, &host_size);
    failure = text_of(MPI_Comm_split(ours, host_rank == 0 ? 0 : MPI_UNDEFINED, rank, &heads));
    if (failure != NULL)
        return failure;
    int mine[2] = {host_rank == 0 ? 1 : 0, host_size > 1 ? 1 : 0}, all[2];
    failure = text_of(MPI_Allreduce(mine, all, 2, MPI_INT, MPI_SUM, ours));
    is_layered = failure == NULL && all[0] > 1 && all[1] > 0;
    return failure;
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
        failure = find_hosts();
        if (failure != NULL)
            return failure;
        has_joined = true;
    }
    const char *failure = text_of(MPI_Comm_rank(ours, rank));
    return failure != NULL ? failure : text_of(MPI_Comm_size(ours, size));
}

static const char *start(const uint32_t *in, uint32_t *out, size_t words) {
    layer = FLAT;
    if (in == NULL)
        return text_of(MPI_Ibarrier(ours, &request));
    if (words > INT_MAX)
        return "more words than one MPI call takes";
    if (is_layered) {
        layer = INTO_HEAD;
        result = out;
        result_words = (int)words;
        return text_of(MPI_Ireduce(in, out, result_words, MPI_INT32_T, MPI_SUM, 0, host, &request));
    }
    return text_of(MPI_Iallreduce(in, out, (int)words, MPI_INT32_T, MPI_SUM, ours, &request));
}

static const char *start_swap(int partner, const uint32_t *in, uint32_t *out, size_t words) {
    layer = FLAT;
    if (words > INT_MAX)
        return "more words than one MPI call takes";
    const char *failure =
        text_of(MPI_Irecv(out, (int)words, MPI_INT32_T, partner, 0, ours, &request));
    /* `test` asks for the one request, then for the other. */
    return failure != NULL
               ? failure
               : text_of(MPI_Isend(in, (int)words, MPI_INT32_T, partner, 0, ours, &sending));
}

/* One layer is through: start the next. */
static const char *go_on(void) {
    if (layer == INTO_HEAD && heads != MPI_COMM_NULL) {
        layer = AMONG_HEADS;
        return text_of(MPI_Iallreduce(MPI_IN_PLACE, result, result_words, MPI_INT32_T, MPI_SUM,
                                      heads, &request));
    }
    layer = FROM_HEAD;
    return text_of(MPI_Ibcast(result, result_words, MPI_INT32_T, 0, host, &request));
}

static const char *test(int *is_complete) {
    if (sending != MPI_REQUEST_NULL) {
        const char *sent = text_of(MPI_Test(&sending, is_complete, MPI_STATUS_IGNORE));
        if (sent != NULL || !*is_complete)
            return sent;
    }
    const char *failure = text_of(MPI_Test(&request, is_complete, MPI_STATUS_IGNORE));
    if (failure != NULL || !*is_complete || layer == FLAT || layer == FROM_HEAD)
        return failure;
    *is_complete = 0;
    return go_on();
}

static void forsake(void) {
    is_forsaken = true;
}

static const struct pa_mpi_module module = {.version = PA_MPI_MODULE_VERSION,
                                            .join = join,
                                            .start = start,
                                            .start_swap = start_swap,
                                            .test = test,
                                            .forsake = forsake};

__attribute__((visibility("default"))) const struct pa_mpi_module *pa_mpi_module(void);

const struct pa_mpi_module *pa_mpi_module(void) {
    return &module;
}
