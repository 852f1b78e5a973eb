/* SPDX-License-Identifier: Apache-2.0 */
/* hub_desk.h - the hub's side of the wire: who is there, and what each of them was asked.
 *
 * The desk answers workers on the one thread of link/; hub.c asks them, on the hub's own one. Both
 * do so under `lock`.
 */
#ifndef PA_FLEET_HUB_DESK_H
#define PA_FLEET_HUB_DESK_H

#include "fleet/fleet_sides.h"
#include "fleet/fleet_wire.h"
#include "fleet/hub_file.h"
#include "link/link.h"

enum { PA_HUB_CAUSE_BYTES = 160, PA_HUB_CONNECTIONS_A_PEER = 4 };

enum pa_hub_presence { PA_ABSENT, PA_ALIVE, PA_DEAD };
enum pa_hub_exchange { PA_IDLE, PA_POSTED, PA_ANSWERED };

struct pa_hub_peer {
    enum pa_hub_presence presence;
    uint8_t id[PA_FLEET_ID_BYTES];
    char host[64];
    bool knows;                     /* it has spoken since it joined: our welcome reached it */
    char cause[PA_HUB_CAUSE_BYTES]; /* of death */
    uint64_t heard_ns;
    /* Connections over which it spoke and that are open; 0 is a free place. */
    uint64_t connections[PA_HUB_CONNECTIONS_A_PEER];
    uint64_t parted_ns; /* when the last of them ended; 0: there is one */
    /* Its poll that waits for a request, and over which connection; NULL: none does. */
    struct pa_link_visit *waiting;
    uint64_t waiting_over;
    bool has_goodbye;
    enum pa_hub_exchange exchange;
    uint64_t number; /* of the request posted last; the first is 1 */
    struct pa_buffer request, answer;
    int code; /* of the answer */
    char text[PA_ERROR_TEXT_BYTES];
};

struct pa_hub {
    struct pa_place place;
    struct pa_link_server *server;
    struct pa_hub_address address;
    char folder[PA_HUB_PATH_BYTES];
    uint64_t heartbeat_ns;
    pthread_mutex_t lock;   /* everything below */
    pthread_cond_t changed; /* someone joined, answered, left, or was told goodbye */
    int absent;             /* how many of the peers are */
    bool is_closing;
    bool is_complete; /* who is absent by now does not come in any more */
    struct pa_hub_peer peers[];
};

/* Start to answer workers, at `listen` as in pa_fleet_lead. */
int pa_hub_desk_open(struct pa_hub *hub, const char *listen, const struct pa_key *key,
                     struct pa_error *error);
/* Locked: answer the poll of this peer that waits, if one does. */
void pa_hub_wake(struct pa_hub *hub, struct pa_hub_peer *peer);
bool pa_hub_is_connected(const struct pa_hub_peer *peer);

#endif
