/* SPDX-License-Identifier: Apache-2.0 */
/* site.h - all devices of the audit as the hub sees them: its own crew and the workers of the
 * fleet.
 *
 * Devices are numbered by rank, then by their order in the process: that number is the d of the
 * protocol. A device that fails, or whose process is gone, is marked lost with the reason and the
 * others go on.
 */
#ifndef PA_MEASURE_SITE_H
#define PA_MEASURE_SITE_H

#include "fleet/fleet.h"
#include "measure/crew.h"

struct pa_site_device {
    int rank;
    uint32_t seat; /* its place in its process */
    struct pa_device_facts facts;
    struct pa_calibration calibration;
    struct pa_step_shape probes[PA_MOST_PROBE_KINDS]; /* of short epochs, as the plan has them */
    struct pa_warmup warmup;
    uint64_t ramp_ns;      /* when it may start, and stop, after the first (ramp.h) */
    uint64_t ramped_ns;    /* when it did, last time, by its own clock */
    double raw_operations; /* of the library alone, summed over its windows */
    uint64_t raw_ns;
    bool is_idle; /* the witness chose others: it is asked for nothing */
    bool is_lost;
    bool is_loss_noted;    /* the transcript has it */
    bool is_silence_noted; /* and why the device tells nothing of itself */
    char lost_text[512];
};

/* Vendors' libraries that the processes of a host loaded; another set of the same host is another
 * entry. */
struct pa_site_libraries {
    int rank; /* the first process that has them */
    char host[64];
    uint32_t count;
    struct pa_library_facts libraries[PA_MOST_LIBRARIES_A_PROCESS];
};

/* The devices of one process stand side by side. */
struct pa_site_share {
    uint32_t first, count;
};

struct pa_site {
    struct pa_place place;
    struct pa_crew *crew;
    struct pa_fleet *fleet;
    bool *is_absent; /* by rank: the process did not come, or did not tell its devices */
    uint32_t absent_count;
    int64_t *ahead_s; /* by rank: its UTC less the hub's, as it came in; 0 of an absent one */
    struct pa_site_device *devices;
    uint32_t device_count;
    struct pa_site_share *shares; /* owned, by rank */
    struct pa_site_libraries *library_sets;
    uint32_t library_set_count;
};

/* Bring everybody together: ask each process for its devices. `crew` and `fleet` stay the caller's.
 * Processes that do not answer are absent and have no devices; PA_EDEVICE when nobody has one. */
int pa_site_gather(struct pa_site *site, const struct pa_place *place, struct pa_crew *crew,
                   struct pa_fleet *fleet, uint64_t deadline_ns, struct pa_error *error);
void pa_site_free(struct pa_site *site);

/* The request for one process; `first` is the number of its first device, `count` how many it has.
 */
typedef void (*pa_site_build)(void *context, const struct pa_site *site, int rank, uint32_t first,
                              uint32_t count, struct pa_buffer *out);
/* Take one device's payload. A failure (PA_EINPUT) marks the device lost. */
typedef int (*pa_site_take)(void *context, struct pa_site *site, uint32_t device,
                            struct pa_reader *in, struct pa_error *error);

/* Ask all processes at once, take the answers of all devices that are not lost. `deadline_ns` is on
 * the RAW clock. PA_EDEVICE when no device is left; the message has the last reason. */
int pa_site_ask(struct pa_site *site, pa_site_build build, pa_site_take take, void *context,
                uint64_t deadline_ns, struct pa_error *error);

/* Ask one process something that has one part as its answer (REPLAY, OPEN); `answer` is the
 * payload. */
int pa_site_ask_one(struct pa_site *site, int rank, const struct pa_buffer *request,
                    uint64_t deadline_ns, struct pa_buffer *answer, struct pa_error *error);

/* Tell all processes something without an answer of interest (FORGET). */
void pa_site_tell(struct pa_site *site, const struct pa_buffer *request, uint64_t deadline_ns);

/* Mark the devices of a process that does not answer any more as lost. */
void pa_site_lose_process(struct pa_site *site, int rank, const struct pa_error *cause);

/* Devices that still work: neither lost nor left to rest. */
bool pa_site_works(const struct pa_site_device *device);
/* How long a step takes by the last rate that was measured, and its operations; 0 where there is no
 * rate. */
double pa_site_step_ns(const struct pa_site_device *device, uint32_t k, double *operations);
uint32_t pa_site_alive(const struct pa_site *site);

#endif
