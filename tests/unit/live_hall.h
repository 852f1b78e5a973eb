/* SPDX-License-Identifier: Apache-2.0 */
/* live_hall.h - the transcript of a whole session, invented: records in the right order and form,
 * with hashes and signatures that nobody checks who only watches. */
#ifndef PA_TESTS_LIVE_HALL_H
#define PA_TESTS_LIVE_HALL_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct live_hall {
    uint32_t devices, epochs, closed; /* `closed` of the planned epochs, then one under work */
    uint32_t openings;                /* of each epoch; those of the closed ones come at the end */
    bool is_opened;                   /* they do come */
    bool is_failing;                  /* and three of those of epoch 1 fail */
    bool is_hostile;                  /* names and notes are markup and control characters */
    bool is_finished;
    uint64_t gap_ns; /* of an interruption before epoch 2, noted before its last 20 s; 0: none */
    uint64_t end_utc_ns; /* the time of the last record */
    uint64_t epoch_ns;
};

/* Appends the records. Of every 97 devices one is throttled, of every 211 one is slow, of every
 * 499 one is lost; eight are on a host. */
void live_hall_put(const struct live_hall *hall, struct pa_buffer *out);

#endif
