/* SPDX-License-Identifier: Apache-2.0 */
/* All-reduce by MPI: petaudit_mpi.so, found beside the binary and loaded when it is needed. */
#include "base/clock.h"
#include "base/team.h"
#include "device/cpu_communicator.h"
#include "device/mpi_module.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static const struct pa_mpi_module *module;
static char why_not[512] = "petaudit_mpi.so was not found beside the binary (it is built where "
                           "mpicc is found)";

/* Whose communicator is open; MPI knows one world only. */
struct mpi {
    int rank, size;
};

static void load_from(const char *path) {
    if (module != NULL || access(path, F_OK) != 0)
        return;
    /* Global: Open MPI's own plug-ins look for its symbols there. */
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        const char *cause = dlerror();
        snprintf(why_not, sizeof why_not, "%s", cause != NULL ? cause : "it cannot be loaded");
        return;
    }
    pa_mpi_module_entry entry;
    /* ISO C has no cast from an object to a function pointer; POSIX asks for this. */
    *(void **)&entry = dlsym(library, PA_MPI_MODULE_ENTRY);
    const struct pa_mpi_module *found = entry != NULL ? entry() : NULL;
    if (found == NULL || found->version != PA_MPI_MODULE_VERSION) {
        snprintf(why_not, sizeof why_not, "%.400s is of another version of petaudit", path);
        return;
    }
    module = found;
}

static void load_module(void) {
    static const char *const places[] = {
        "../lib/petaudit",    /* installed: bin/petaudit */
        "lib/petaudit",       /* petaudit in the build folder */
        "../../lib/petaudit", /* a program of the tests in the build folder */
        ".",
    };
    char folder[PATH_MAX / 2], path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    if (length <= 0)
        return;
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return;
    *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s/%s/petaudit_mpi.so", folder, places[i]);
        load_from(path);
    }
}

static int probe(struct pa_error *error) {
    pthread_once(&load_once, load_module);
    if (module == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "all-reduce by MPI: %s", why_not);
    return PA_OK;
}

/* Wait for what was started, where that did not fail. */
static int finish_started(const char *failure, uint64_t deadline_ns, struct pa_error *error) {
    int is_complete = 0;
    while (failure == NULL) {
        failure = module->test(&is_complete);
        if (is_complete && failure == NULL)
            return PA_OK;
        if (failure == NULL && pa_clock_raw_ns() >= deadline_ns) {
            module->forsake();
            return pa_fail(error, PA_ETIMEOUT,
                           "all-reduce by MPI: some rank did not take part in time");
        }
        sched_yield();
    }
    module->forsake();
    return pa_fail(error, PA_EDEVICE, "all-reduce by MPI: %s", failure);
}

static int finish(const uint32_t *in, uint32_t *out, size_t words, uint64_t deadline_ns,
                  struct pa_error *error) {
    return finish_started(module->start(in, out, words), deadline_ns, error);
}

static int barrier(void *state, uint64_t deadline_ns, struct pa_error *error) {
    (void)state;
    return finish(NULL, NULL, 0, deadline_ns, error);
}

static int sum(void *state, const uint32_t *in, uint32_t *out, size_t words, uint64_t deadline_ns,
               struct pa_error *error) {
    /* MPI counts in int. */
    const size_t most_words = (size_t)1 << 28;
    (void)state;
    for (size_t at = 0; at < words; at += most_words)
        PA_TRY(finish(in + at, out + at, words - at < most_words ? words - at : most_words,
                      deadline_ns, error));
    return PA_OK;
}

static int swap(void *state, int partner, const uint32_t *in, uint32_t *out, size_t words,
                uint64_t deadline_ns, struct pa_error *error) {
    const size_t most_words = (size_t)1 << 28;
    const struct mpi *mpi = state;
    for (size_t at = 0; at < words && partner != mpi->rank; at += most_words) {
        size_t block = words - at < most_words ? words - at : most_words;
        PA_TRY(finish_started(module->start_swap(partner, in + at, out + at, block), deadline_ns,
                              error));
    }
    /* Whoever sits out waits with the others. */
    return barrier(state, deadline_ns, error);
}

/* MPI starts with all processes of the launcher or not at all: without one of them it would wait
 * for ever. Those who started us may have said how many there are. */
static int check_world(int size, struct pa_error *error) {
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = getenv(names[i]);
        if (text == NULL)
            continue;
        if (strtol(text, NULL, 10) != size)
            return pa_fail(error, PA_EUNSUPPORTED,
                           "all-reduce by MPI: %d of the %.20s processes that were started take "
                           "part, and MPI cannot do without the others; each drives one device, "
                           "all of them alive",
                           size, text);
        return PA_OK;
    }
    return PA_OK;
}

/* MPI's own start knows no deadline, and a process that freezes at this moment holds up all of
 * them. It has a thread of its own, which is left to itself when it does not come back. */
struct start {
    struct mpi world;
    const char *failure;
    atomic_bool is_done;
};

static atomic_bool is_stuck;

static void *start_body(void *context) {
    struct start *start = context;
    start->failure = module->join(&start->world.rank, &start->world.size);
    atomic_store(&start->is_done, true);
    return NULL;
}

static int join_world(struct mpi *out, uint64_t deadline_ns, struct pa_error *error) {
    const uint64_t pause_ns = 1000000;
    pthread_t thread;
    if (atomic_load(&is_stuck))
        return pa_fail(error, PA_ETIMEOUT, "all-reduce by MPI: MPI did not start in time");
    struct start *start = calloc(1, sizeof *start);
    if (start == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a communicator: out of memory");
    int code = pa_thread_start(&thread, start_body, start, error);
    if (code != PA_OK) {
        free(start);
        return code;
    }
    while (!atomic_load(&start->is_done)) {
        if (pa_clock_raw_ns() >= deadline_ns) {
            atomic_store(&is_stuck, true);
            module->forsake();
            pthread_detach(thread);
            return pa_fail(error, PA_ETIMEOUT,
                           "all-reduce by MPI: MPI did not start in time, some rank is missing");
        }
        pa_clock_sleep(pause_ns);
    }
    pthread_join(thread, NULL);
    *out = start->world;
    if (start->failure != NULL)
        code = pa_fail(error, PA_EDEVICE, "all-reduce by MPI: %s", start->failure);
    free(start);
    return code;
}

static int open_mpi(const uint8_t *secret, int rank, int size, uint64_t deadline_ns, void **out,
                    struct pa_error *error) {
    (void)secret;
    PA_TRY(check_world(size, error));
    struct mpi *mpi = calloc(1, sizeof *mpi);
    if (mpi == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a communicator: out of memory");
    int code = join_world(mpi, deadline_ns, error);
    if (code != PA_OK) {
        free(mpi);
        return code;
    }
    if (mpi->rank != rank || mpi->size != size)
        code =
            pa_fail(error, PA_EUNSUPPORTED,
                    "all-reduce by MPI: this is rank %d of %d for us, but rank %d of %d for MPI; "
                    "start the processes with mpirun, one device each, all of them alive",
                    rank, size, mpi->rank, mpi->size);
    else
        code = barrier(mpi, deadline_ns, error);
    if (code != PA_OK) {
        free(mpi);
        return code;
    }
    *out = mpi;
    return PA_OK;
}

static void close_mpi(void *state) {
    free(state);
}

const struct pa_cpu_transport pa_cpu_mpi = {.name = "mpi",
                                            .probe = probe,
                                            .open = open_mpi,
                                            .barrier = barrier,
                                            .sum = sum,
                                            .swap = swap,
                                            .close = close_mpi};
