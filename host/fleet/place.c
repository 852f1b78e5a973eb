/* SPDX-License-Identifier: Apache-2.0 */
/* Rank and size, out of what the launcher left in the environment. */
#include "base/file.h"
#include "base/number.h"
#include "fleet/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_RANKS = 1 << 20 };

/* The variables of one launcher; NULL where it has none. */
struct launcher {
    const char *name;
    const char *rank, *size, *local_rank, *local_size, *job, *nodes;
    const char *must_be_set; /* else the others do not mean what they seem to */
};

/* The first whose rank or size is set counts. Open MPI comes before Slurm: mpirun inside an
 * allocation starts its daemons by srun, whose variables then reach every process, all with the
 * daemon's rank. A batch script itself has SLURM_PROCID=0 and SLURM_NTASKS=n but is alone: only a
 * step has a step id. */
static const struct launcher launchers[] = {
    {"petaudit", "PETAUDIT_RANK", "PETAUDIT_SIZE", "PETAUDIT_LOCAL_RANK", "PETAUDIT_LOCAL_SIZE",
     "PETAUDIT_JOB", "PETAUDIT_NODES", NULL},
    {"openmpi", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE", "PMIX_NAMESPACE", "SLURM_JOB_NODELIST", NULL},
    {"slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", NULL, "SLURM_JOB_ID",
     "SLURM_STEP_NODELIST", "SLURM_STEP_ID"},
    {"pmi", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", "PMI_JOBID", NULL, NULL},
};

static const char *value_of(const char *name) {
    const char *value = name != NULL ? getenv(name) : NULL;
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int read_whole(const char *name, const char *value, uint64_t least, uint64_t most, int *out,
                      struct pa_error *error) {
    uint64_t number;
    if (pa_whole_parse(value, least, most, &number, error) != PA_OK) {
        pa_fail_in(error, "the environment variable %s", name);
        if (error != NULL)
            error->code = PA_EUSAGE;
        return PA_EUSAGE;
    }
    *out = (int)number;
    return PA_OK;
}

/* Tasks on node `node` of "2(x3),1": two on each of three nodes, then one. 0 when it does not say.
 */
static int tasks_on_node(const char *text, uint64_t node) {
    while (*text >= '0' && *text <= '9') {
        char *end;
        unsigned long tasks = strtoul(text, &end, 10), times = 1;
        if (strncmp(end, "(x", 2) == 0) {
            times = strtoul(end + 2, &end, 10);
            if (*end++ != ')')
                return 0;
        }
        if (node < times)
            return tasks <= MOST_RANKS ? (int)tasks : 0;
        node -= times;
        text = *end == ',' ? end + 1 : end;
    }
    return 0;
}

static void find_slurm_local_size(struct pa_place *out) {
    const char *tasks = value_of("SLURM_STEP_TASKS_PER_NODE"), *node = value_of("SLURM_NODEID");
    uint64_t number;
    if (tasks == NULL || node == NULL ||
        pa_whole_parse(node, 0, MOST_RANKS, &number, NULL) != PA_OK)
        return;
    int local = tasks_on_node(tasks, number);
    if (local > out->local_rank)
        out->local_size = local;
}

static int read_local(const struct launcher *launcher, struct pa_place *out,
                      struct pa_error *error) {
    const char *rank = value_of(launcher->local_rank), *size = value_of(launcher->local_size);
    if (rank != NULL)
        PA_TRY(read_whole(launcher->local_rank, rank, 0, MOST_RANKS, &out->local_rank, error));
    if (size != NULL)
        PA_TRY(read_whole(launcher->local_size, size, 1, MOST_RANKS, &out->local_size, error));
    else if (strcmp(launcher->name, "slurm") == 0)
        find_slurm_local_size(out);
    if (out->local_rank >= out->local_size) {
        if (rank != NULL && size != NULL)
            return pa_fail(error, PA_EUSAGE,
                           "%s=%s and %s=%s contradict each other: ranks count from 0",
                           launcher->local_rank, rank, launcher->local_size, size);
        out->local_size = out->local_rank + 1;
    }
    return PA_OK;
}

static int read_launcher(const struct launcher *launcher, struct pa_place *out,
                         struct pa_error *error) {
    const char *rank = value_of(launcher->rank), *size = value_of(launcher->size);
    if (rank == NULL || size == NULL)
        return pa_fail(error, PA_EUSAGE, "%s is set but %s is not: set both, or neither",
                       rank != NULL ? launcher->rank : launcher->size,
                       rank != NULL ? launcher->size : launcher->rank);
    PA_TRY(read_whole(launcher->rank, rank, 0, MOST_RANKS - 1, &out->rank, error));
    PA_TRY(read_whole(launcher->size, size, 1, MOST_RANKS, &out->size, error));
    if (out->rank >= out->size)
        return pa_fail(error, PA_EUSAGE,
                       "%s=%s and %s=%s contradict each other: ranks count from 0", launcher->rank,
                       rank, launcher->size, size);
    PA_TRY(read_local(launcher, out, error));
    snprintf(out->launcher, sizeof out->launcher, "%s", launcher->name);
    const char *job = value_of(launcher->job);
    if (job != NULL)
        snprintf(out->job, sizeof out->job, "%s", job);
    const char *nodes = value_of(launcher->nodes);
    if (nodes != NULL)
        pa_printable(out->nodes, sizeof out->nodes, nodes);
    return PA_OK;
}

int pa_place_find(struct pa_place *out, struct pa_error *error) {
    *out = (struct pa_place){.size = 1, .local_size = 1, .launcher = "none"};
    if (gethostname(out->host, sizeof out->host - 1) != 0 || out->host[0] == '\0')
        snprintf(out->host, sizeof out->host, "localhost");
    for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++) {
        const struct launcher *launcher = &launchers[i];
        if (launcher->must_be_set != NULL && value_of(launcher->must_be_set) == NULL)
            continue;
        if (value_of(launcher->rank) != NULL || value_of(launcher->size) != NULL)
            return read_launcher(launcher, out, error);
    }
    if (value_of("PMIX_RANK") != NULL)
        return pa_fail(error, PA_EUSAGE,
                       "PMIX_RANK is set, but nothing tells how many processes there are: set "
                       "PETAUDIT_RANK and PETAUDIT_SIZE for each");
    return PA_OK;
}
