/* SPDX-License-Identifier: Apache-2.0 */
/* crew.h - the devices of one process, one thread each, doing what the hub asks (messages.h).
 *
 * The hub's own devices and those of a worker on another machine are driven by the same requests. A
 * part of an answer starts with an i32 code: PA_OK and the payload, or an error's code and its
 * text, so that one failing device does not take the others' answers with it. A device whose
 * library does not come back from a call is given up with its thread: from then on its part is that
 * error.
 */
#ifndef PA_MEASURE_CREW_H
#define PA_MEASURE_CREW_H

#include "base/team.h"
#include "measure/messages.h"

#include <stdatomic.h>

struct pa_crew;

struct pa_crew_options {
    const char *backend;        /* "cpu", "cuda"; "all": every one that is there; NULL: the first of
                                   pa_backends that is there, so that the processor does not work beside
                                   the accelerators that it feeds */
    int local_rank, local_size; /* processors and accelerators of the host are divided among the
                                   processes on it */
    const atomic_bool *stop;    /* set from a signal handler: calibration and warm-up end early */
};

/* Open the devices. PA_EDEVICE when there is none, with the reason of each backend. */
int pa_crew_open(const struct pa_crew_options *options, struct pa_crew **out,
                 struct pa_error *error);
uint32_t pa_crew_devices(const struct pa_crew *crew);
struct pa_device *pa_crew_device(struct pa_crew *crew, uint32_t index);

/* Run `work` on the thread of a device, as member 0 of 1. PA_ETIMEOUT when it was given up: neither
 * goes on, but what `context` points to may have been written to. */
int pa_crew_lend(struct pa_crew *crew, uint32_t index, pa_team_work work, void *context,
                 struct pa_error *error);

/* Do one request. `answer` gets one part a device (REPLAY and OPEN: one part in all). Its signature
 * is that of pa_fleet_execute; `context` is the crew. */
int pa_crew_execute(void *context, const void *request, size_t size, struct pa_buffer *answer,
                    struct pa_error *error);

/* Read the start of a part: PA_OK when a payload follows, else the failure that was sent. */
int pa_crew_part(struct pa_reader *in, struct pa_error *error);

/* False when a call into a vendor's library holds one of its threads: that one and what it works
 * with are left, and the process should end by _exit, as the library may hold its end, too. NULL is
 * fine. */
bool pa_crew_close(struct pa_crew *crew);

#endif
