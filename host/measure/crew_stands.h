/* SPDX-License-Identifier: Apache-2.0 */
/* crew_stands.h - what one device works on: a workbench for whole epochs, and others for the short
 * ones where their shape differs (docs/protocol.md, radius). All zero: nothing is open. */
#ifndef PA_MEASURE_CREW_STANDS_H
#define PA_MEASURE_CREW_STANDS_H

#include "measure/messages.h"
#include "measure/sustain.h"

struct pa_crew_stands {
    struct pa_stand whole;
    struct pa_stand probes[PA_MOST_PROBE_KINDS]; /* of short epochs, where another shape suits */
    uint32_t probe_count;
};

/* Open workbenches for `count` kinds of short epochs beside the whole one, which is open, and learn
 * how long their steps take. What is open already is kept when it fails. */
int pa_crew_stands_add(struct pa_crew_stands *stands, struct pa_device *device,
                       const struct pa_step_shape *shapes, uint32_t count, uint64_t longest_ns,
                       const atomic_bool *stop, struct pa_error *error);

/* The stand for a kind of epochs, 0 for whole ones; one of a longer kind serves where the shape is
 * the same. NULL: not prepared. */
struct pa_stand *pa_crew_stand(struct pa_crew_stands *stands, uint32_t kind);

void pa_crew_stands_close(struct pa_crew_stands *stands);

#endif
