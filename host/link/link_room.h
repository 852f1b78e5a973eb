/* SPDX-License-Identifier: Apache-2.0 */
/* link_room.h - room for the bodies that a server waits for: taken before any of a body is read,
 * bounded for all together and for each address. Threads may call at the same time. */
#ifndef PA_LINK_LINK_ROOM_H
#define PA_LINK_LINK_ROOM_H

#include "link/link.h"

#include <pthread.h>

struct pa_link_share {
    uint8_t peer[PA_LINK_PEER_BYTES];
    size_t bytes;
};
struct pa_link_room {
    pthread_mutex_t lock;
    size_t most, most_from_one; /* 0: no limit */
    size_t taken;
    struct pa_link_share *shares; /* owned; of those that have any */
    size_t count, capacity;
};

void pa_link_room_init(struct pa_link_room *room, size_t most, size_t most_from_one);
void pa_link_room_free(struct pa_link_room *room);
/* False when there is no room for so many bytes, or for so many more of this address. */
bool pa_link_room_take(struct pa_link_room *room, const uint8_t peer[PA_LINK_PEER_BYTES],
                       size_t bytes);
/* What was taken comes back. */
void pa_link_room_give(struct pa_link_room *room, const uint8_t peer[PA_LINK_PEER_BYTES],
                       size_t bytes);

#endif
