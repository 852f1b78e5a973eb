/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_room.h"

#include <stdlib.h>
#include <string.h>

void pa_link_room_init(struct pa_link_room *room, size_t most, size_t most_from_one) {
    *room = (struct pa_link_room){.most = most, .most_from_one = most_from_one};
    pthread_mutex_init(&room->lock, NULL);
}

void pa_link_room_free(struct pa_link_room *room) {
    free(room->shares);
    pthread_mutex_destroy(&room->lock);
}

/* The share of an address, a new one of nothing where it has none; NULL without memory. There are
 * no more than connections. */
static struct pa_link_share *share_of(struct pa_link_room *room,
                                      const uint8_t peer[PA_LINK_PEER_BYTES]) {
    for (size_t i = 0; i < room->count; i++)
        if (memcmp(room->shares[i].peer, peer, PA_LINK_PEER_BYTES) == 0)
            return &room->shares[i];
    if (room->count == room->capacity) {
        size_t capacity = room->capacity == 0 ? 16 : 2 * room->capacity;
        struct pa_link_share *grown = realloc(room->shares, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        room->shares = grown;
        room->capacity = capacity;
    }
    struct pa_link_share *share = &room->shares[room->count++];
    *share = (struct pa_link_share){.bytes = 0};
    memcpy(share->peer, peer, PA_LINK_PEER_BYTES);
    return share;
}

static void drop_if_empty(struct pa_link_room *room, struct pa_link_share *share) {
    if (share != NULL && share->bytes == 0)
        *share = room->shares[--room->count];
}

bool pa_link_room_take(struct pa_link_room *room, const uint8_t peer[PA_LINK_PEER_BYTES],
                       size_t bytes) {
    pthread_mutex_lock(&room->lock);
    struct pa_link_share *share = share_of(room, peer);
    /* Never more than the limit is taken: no difference is negative. */
    bool has_room = share != NULL && (room->most == 0 || bytes <= room->most - room->taken) &&
                    (room->most_from_one == 0 || bytes <= room->most_from_one - share->bytes);
    if (has_room) {
        room->taken += bytes;
        share->bytes += bytes;
    }
    drop_if_empty(room, share);
    pthread_mutex_unlock(&room->lock);
    return has_room;
}

void pa_link_room_give(struct pa_link_room *room, const uint8_t peer[PA_LINK_PEER_BYTES],
                       size_t bytes) {
    if (bytes == 0)
        return;
    pthread_mutex_lock(&room->lock);
    struct pa_link_share *share = share_of(room, peer);
    if (share != NULL && share->bytes >= bytes) {
        share->bytes -= bytes;
        room->taken -= bytes;
    }
    drop_if_empty(room, share);
    pthread_mutex_unlock(&room->lock);
}
