/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - what a long run tells whoever watches it. Measuring never prints. */
#ifndef PA_MEASURE_PROGRESS_H
#define PA_MEASURE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

enum pa_phase {
    PA_PHASE_CALIBRATE,
    PA_PHASE_WARM_UP,
    PA_PHASE_RAW,
    PA_PHASE_EPOCH,
    PA_PHASE_OPEN,
    PA_PHASE_ALLREDUCE,
    PA_PHASE_COUPLED,   /* products with all-reduce between them */
    PA_PHASE_FABRIC,    /* pairs of devices exchange what they computed */
    PA_PHASE_MEMORY,    /* device memory is filled and read back */
    PA_PHASE_RECOMPUTE, /* chains that nobody kept, for their openings */
    PA_PHASE_NOTICE     /* something that the user should know: a lost device, an aborted epoch */
};

struct pa_progress {
    enum pa_phase phase;
    uint64_t done, all;    /* of this phase: epochs, openings, sizes; all = 0 where nobody knows */
    uint64_t remaining_ns; /* of the whole run, estimated */
    double rate;           /* operations a second of the last epoch; 0 where there is none */
    const char *text;      /* one line, or NULL */
};

/* Called on the hub's main thread. */
struct pa_observer {
    void (*see)(void *context, const struct pa_progress *progress);
    void *context;
};

static inline void pa_observe(const struct pa_observer *observer, struct pa_progress progress) {
    if (observer != NULL && observer->see != NULL)
        observer->see(observer->context, &progress);
}

#endif
