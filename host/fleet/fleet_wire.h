/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_wire.h - what hub and workers say to each other over link/.
 *
 * POST /v1/join    a worker introduces itself > how often it has to be heard
 * POST /v1/poll    the last answer, if there is one > a request, nothing yet, or goodbye
 * POST /v1/alive   a sign of life while a request is executed
 *
 * Each request has a number, so that one whose reply was lost can be sent again.
 */
#ifndef PA_FLEET_FLEET_WIRE_H
#define PA_FLEET_FLEET_WIRE_H

#include "base/bytes.h"
#include "base/error.h"
#include "fleet/fleet.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PA_FLEET_WIRE_VERSION = 2,
    PA_FLEET_ID_BYTES = 16,
    PA_FLEET_MOST_RANKS = 16384,
    PA_FLEET_USUAL_RANKS = 2000, /* above, the usual heartbeat is longer by 2 ms a process */
    PA_FLEET_MOST_PAYLOAD = 256 << 20,
    PA_FLEET_MOST_ENVELOPE = 4096, /* what a message takes besides its payload */
    /* A poll is answered within this part of a heartbeat even if there is nothing to do. */
    PA_FLEET_HOLDS = 4,
};

/* HTTP statuses with a meaning of their own here. */
enum {
    PA_FLEET_TAKEN = 409, /* another process has this rank */
    PA_FLEET_DEAD = 410,  /* the hub goes on without this rank */
    PA_FLEET_OTHER = 412, /* the hub of another job */
    PA_FLEET_WORK = 422,  /* this process was started for other work */
};

struct pa_wire_join {
    uint32_t rank, size;
    uint8_t id[PA_FLEET_ID_BYTES]; /* random: tells a second process from a second try */
    uint8_t work[PA_PLACE_WORK_BYTES];
    char job[96], host[64];
};

struct pa_wire_poll {
    uint32_t rank;
    uint8_t id[PA_FLEET_ID_BYTES];
    uint64_t answered; /* number of the request that this answers; 0 none */
    int32_t code;
    char text[PA_ERROR_TEXT_BYTES];
    const uint8_t *payload; /* borrowed from what was read */
    size_t payload_size;
};

enum pa_wire_kind { PA_WIRE_NOTHING = 0, PA_WIRE_REQUEST = 1, PA_WIRE_GOODBYE = 2 };

struct pa_wire_order {
    enum pa_wire_kind kind;
    uint64_t number;
    const uint8_t *payload;
    size_t payload_size;
};

void pa_wire_put_join(struct pa_buffer *out, const struct pa_wire_join *join);
bool pa_wire_get_join(const void *data, size_t size, struct pa_wire_join *out);
void pa_wire_put_poll(struct pa_buffer *out, const struct pa_wire_poll *poll);
bool pa_wire_get_poll(const void *data, size_t size, struct pa_wire_poll *out);
void pa_wire_put_order(struct pa_buffer *out, const struct pa_wire_order *order);
bool pa_wire_get_order(const void *data, size_t size, struct pa_wire_order *out);

#endif
