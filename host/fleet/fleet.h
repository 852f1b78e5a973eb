/* SPDX-License-Identifier: Apache-2.0 */
/* fleet.h - the door of host/fleet/: many processes as one site.
 *
 * Slurm, mpirun, Kubernetes or ssh start the processes; rank and size come from the launcher's
 * environment. Rank 0 is the hub, the others are workers that find it by --hub or by hub.json in
 * the shared output folder. A fleet only carries requests and answers (bytes that host/measure/
 * understands) and knows who is alive: a dead worker is a closed connection or a passed deadline,
 * named by rank and host, and not the end of the job.
 *
 * Every `deadline_ns` is an instant of pa_clock_raw_ns, not a length of time.
 */
#ifndef PA_FLEET_FLEET_H
#define PA_FLEET_FLEET_H

#include "base/bytes.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { PA_PLACE_WORK_BYTES = 32 };

/* Where this process stands, by PETAUDIT_RANK/SIZE, Slurm, Open MPI, PMI or PMIx variables. */
struct pa_place {
    int rank, size;             /* 0 and 1 for a process alone */
    int local_rank, local_size; /* among the processes on this host */
    char launcher[16];          /* "none", "slurm", "openmpi", "pmi", "petaudit" */
    char job[96];               /* the launcher's job id; empty when alone */
    char nodes[512];            /* its list of hosts, as it writes it; cut off at the end */
    char host[64];
    /* What all of them have to have in common, such as the hash of a claim; the caller sets it.
     * Zeros: this one does not say. */
    uint8_t work[PA_PLACE_WORK_BYTES];
};

/* PA_EUSAGE when the variables contradict each other (rank >= size, half of a pair missing, no
 * number). */
int pa_place_find(struct pa_place *out, struct pa_error *error);

struct pa_fleet;

/* Rank 0: listen (on `listen`, "ADDRESS:PORT", or any free port of every interface when NULL),
 * write `folder`/hub.json for the workers (address, port, TLS fingerprint, token, job; mode 0600),
 * and wait until all size-1 workers are there or `deadline_ns` has passed: PA_ETIMEOUT names the
 * missing ranks; they are dead from then on and the fleet (`*out` is set) is usable with the
 * others. A fleet of one opens no socket. */
int pa_fleet_lead(const struct pa_place *place, const char *listen, const char *folder,
                  uint64_t deadline_ns, struct pa_fleet **out, struct pa_error *error);
/* Rank > 0: join the hub at `hub` ("https://HOST:PORT/#FINGERPRINT.TOKEN", as the hub's messages
 * print it) or, when NULL, at what `folder`/hub.json says, waiting for it until `deadline_ns`.
 * PA_EHUB. */
int pa_fleet_join(const struct pa_place *place, const char *hub, const char *folder,
                  uint64_t deadline_ns, struct pa_fleet **out, struct pa_error *error);

/* Hub: give `rank` (1 .. size-1) a request; it gets one at a time. Never blocks on the worker.
 * PA_EHUB when it is dead. */
int pa_fleet_post(struct pa_fleet *fleet, int rank, const void *request, size_t size,
                  struct pa_error *error);
/* Hub: wait for the answer to the posted request. PA_EHUB or PA_ETIMEOUT with rank, host and cause;
 * the worker counts as dead from then on. A worker that answered with a failure gives that
 * failure's code and text, prefixed by its rank and host, and stays alive. */
int pa_fleet_collect(struct pa_fleet *fleet, int rank, uint64_t deadline_ns,
                     struct pa_buffer *answer, struct pa_error *error);
/* True as long as the worker answers; hosts as the workers told them. */
bool pa_fleet_is_alive(struct pa_fleet *fleet, int rank);
const char *pa_fleet_host(const struct pa_fleet *fleet, int rank);

/* Worker: answer requests until the hub says goodbye (PA_OK) or is gone (PA_EHUB). `execute` runs
 * on the calling thread; its failure goes back to the hub as code and text. */
typedef int (*pa_fleet_execute)(void *context, const void *request, size_t size,
                                struct pa_buffer *answer, struct pa_error *error);
int pa_fleet_serve(struct pa_fleet *fleet, pa_fleet_execute execute, void *context,
                   struct pa_error *error);

/* Hub: say goodbye to the workers and stop listening; hub.json is removed. Worker: close. NULL is
 * fine. */
void pa_fleet_close(struct pa_fleet *fleet);

#endif
