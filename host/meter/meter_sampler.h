/* SPDX-License-Identifier: Apache-2.0 */
/* meter_sampler.h - asks live meters beside the work, each on its own thread, so that a meter that
 * does not answer delays nobody. Readings wait until they are taken. */
#ifndef PA_METER_METER_SAMPLER_H
#define PA_METER_METER_SAMPLER_H

#include "meter/meter.h"

struct pa_meter_sampler;

enum {
    PA_SAMPLER_MOST_WAITING = 1 << 20
}; /* older readings are then lost, and counted as failed */

/* Begin to ask the live meters among `meters`, which are borrowed and belong to the sampler until
 * it is stopped. */
int pa_meter_sampler_start(struct pa_meter *const *meters, size_t count,
                           struct pa_meter_sampler **out, struct pa_error *error);

struct pa_meter_batch {
    struct pa_meter_reading *readings; /* owned by the caller */
    size_t count;
    uint64_t failures; /* since the last batch */
    char trouble[256]; /* of the last failure; empty when there was none */
};
/* Take what has come of meter `index` since the last call. PA_EMEMORY. */
int pa_meter_sampler_take(struct pa_meter_sampler *sampler, size_t index,
                          struct pa_meter_batch *out, struct pa_error *error);

/* Ask each meter once more, then end the threads; what came can still be taken. */
void pa_meter_sampler_stop(struct pa_meter_sampler *sampler);
void pa_meter_sampler_free(struct pa_meter_sampler *sampler);

#endif
