/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0: hands out requests, takes answers, and notices who is no longer heard. */
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "fleet/fleet_sides.h"
#include "fleet/fleet_wire.h"
#include "fleet/hub_file.h"
#include "link/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t ms = UINT64_C(1000000);
static const uint64_t default_heartbeat_ns = UINT64_C(10000000000);
static const uint64_t goodbye_ns = UINT64_C(3000000000);
static const uint64_t body_ns = UINT64_C(120000000000);

/* The system closes the sockets of a process that ends, at once. One that lives and lost its
 * connection comes back with its next request; this is how long that may take. */
static const uint64_t return_ns = UINT64_C(1000000000);

enum { IDLE_S = 60, CAUSE_BYTES = 160, CONNECTIONS_A_PEER = 4 };

enum presence { ABSENT, ALIVE, DEAD };
enum exchange { IDLE, POSTED, ANSWERED };

struct peer {
    enum presence presence;
    uint8_t id[PA_FLEET_ID_BYTES];
    char host[64];
    char cause[CAUSE_BYTES]; /* of death */
    uint64_t heard_ns;
    /* Connections over which it spoke and that are open; 0 is a free place. */
    uint64_t connections[CONNECTIONS_A_PEER];
    uint64_t parted_ns; /* when the last of them ended; 0: there is one */
    bool has_goodbye;
    enum exchange exchange;
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
    pthread_cond_t changed; /* someone joined, answered, or was told goodbye */
    pthread_cond_t posted;  /* for polls that wait: there is a request, or it is over */
    bool is_closing;
    bool is_complete; /* who is absent by now does not come in any more */
    struct peer peers[];
};

/* ---- what workers ask; each on a thread of link/ ---- */

static unsigned say(struct pa_buffer *reply, unsigned status, const char *text) {
    pa_buffer_text(reply, text);
    return status;
}

/* Locked: the peer is heard, over this handler's connection. */
static void hear(struct peer *peer) {
    uint64_t connection = pa_link_server_connection();
    int at = 0;
    for (int i = 0; i < CONNECTIONS_A_PEER; i++) {
        if (peer->connections[i] == connection)
            at = i;
        else if (peer->connections[i] == 0 && peer->connections[at] != connection)
            at = i;
    }
    peer->connections[at] = connection;
    peer->parted_ns = 0;
    peer->heard_ns = pa_clock_raw_ns();
}

static bool is_connected(const struct peer *peer) {
    for (int i = 0; i < CONNECTIONS_A_PEER; i++)
        if (peer->connections[i] != 0)
            return true;
    return false;
}

static void on_closed(void *context, uint64_t connection) {
    struct pa_hub *hub = context;
    pthread_mutex_lock(&hub->lock);
    for (int rank = 1; rank < hub->place.size; rank++) {
        struct peer *peer = &hub->peers[rank];
        bool was_there = false;
        for (int i = 0; i < CONNECTIONS_A_PEER; i++) {
            was_there |= peer->connections[i] == connection;
            if (peer->connections[i] == connection)
                peer->connections[i] = 0;
        }
        if (!was_there)
            continue;
        if (!is_connected(peer))
            peer->parted_ns = pa_clock_raw_ns();
        pthread_cond_broadcast(&hub->changed);
        break;
    }
    pthread_mutex_unlock(&hub->lock);
}

static unsigned on_join(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    struct pa_hub *hub = context;
    struct pa_wire_join join;
    if (!pa_wire_get_join(body, size, &join))
        return say(reply, 400, "not an introduction of this version of petaudit");
    bool job_differs =
        join.job[0] != '\0' && hub->place.job[0] != '\0' && strcmp(join.job, hub->place.job) != 0;
    if (job_differs || join.size != (uint32_t)hub->place.size || join.rank < 1 ||
        join.rank >= (uint32_t)hub->place.size) {
        pa_buffer_format(reply, "this is the hub of job \"%s\" with ranks 0 to %d", hub->place.job,
                         hub->place.size - 1);
        return PA_FLEET_OTHER;
    }
    unsigned status = 200;
    pthread_mutex_lock(&hub->lock);
    struct peer *peer = &hub->peers[join.rank];
    bool is_same = memcmp(peer->id, join.id, sizeof peer->id) == 0;
    if (peer->presence == ALIVE && !is_same) {
        pa_buffer_format(reply, "rank %u is taken by a process on %s", join.rank, peer->host);
        status = PA_FLEET_TAKEN;
    } else if (peer->presence == DEAD || (peer->presence == ABSENT && hub->is_complete)) {
        pa_buffer_format(reply, "the hub goes on without rank %u: %s", join.rank, peer->cause);
        status = PA_FLEET_DEAD;
    } else {
        peer->presence = ALIVE;
        memcpy(peer->id, join.id, sizeof peer->id);
        snprintf(peer->host, sizeof peer->host, "%s", join.host);
        hear(peer);
        pa_buffer_u64(reply, hub->heartbeat_ns);
        pthread_cond_broadcast(&hub->changed);
    }
    pthread_mutex_unlock(&hub->lock);
    return status;
}

/* The peer that speaks, or NULL and why not. Locked. */
static struct peer *find_peer(struct pa_hub *hub, uint32_t rank, const uint8_t *id,
                              struct pa_buffer *reply, unsigned *status) {
    struct peer *peer = rank >= 1 && rank < (uint32_t)hub->place.size ? &hub->peers[rank] : NULL;
    if (peer == NULL || memcmp(peer->id, id, sizeof peer->id) != 0 || peer->presence == ABSENT) {
        *status = say(reply, 403, "this process has not joined");
        return NULL;
    }
    if (peer->presence == DEAD) {
        pa_buffer_format(reply, "the hub goes on without rank %u: %s", rank, peer->cause);
        *status = PA_FLEET_DEAD;
        return NULL;
    }
    hear(peer);
    return peer;
}

static unsigned on_alive(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    struct pa_hub *hub = context;
    struct pa_wire_poll poll;
    unsigned status = 200;
    if (!pa_wire_get_poll(body, size, &poll))
        return say(reply, 400, "not a sign of life");
    pthread_mutex_lock(&hub->lock);
    find_peer(hub, poll.rank, poll.id, reply, &status);
    pthread_mutex_unlock(&hub->lock);
    return status;
}

static void take_answer(struct pa_hub *hub, struct peer *peer, const struct pa_wire_poll *poll) {
    if (peer->exchange != POSTED || poll->answered != peer->number)
        return; /* the same answer once more: its reply had been lost */
    pa_buffer_clear(&peer->answer);
    pa_buffer_bytes(&peer->answer, poll->payload, poll->payload_size);
    peer->code = poll->code;
    snprintf(peer->text, sizeof peer->text, "%s", poll->text);
    peer->exchange = ANSWERED;
    pthread_cond_broadcast(&hub->changed);
}

/* A request that this worker has not answered is for it, also if it was sent before. */
static bool has_request(const struct peer *peer, const struct pa_wire_poll *poll) {
    return peer->presence == ALIVE && peer->exchange == POSTED && peer->number > poll->answered;
}

static void give_order(struct pa_hub *hub, struct peer *peer, const struct pa_wire_poll *poll,
                       struct pa_buffer *reply) {
    struct pa_wire_order order = {.kind = PA_WIRE_NOTHING};
    if (has_request(peer, poll)) {
        order = (struct pa_wire_order){.kind = PA_WIRE_REQUEST,
                                       .number = peer->number,
                                       .payload = peer->request.data,
                                       .payload_size = peer->request.size};
    } else if (hub->is_closing) {
        order.kind = PA_WIRE_GOODBYE;
        peer->has_goodbye = true;
        pthread_cond_broadcast(&hub->changed);
    }
    pa_wire_put_order(reply, &order);
}

static unsigned on_poll(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    struct pa_hub *hub = context;
    struct pa_wire_poll poll;
    unsigned status = 200;
    if (!pa_wire_get_poll(body, size, &poll))
        return say(reply, 400, "not an answer");
    uint64_t until = pa_clock_raw_ns() + PA_FLEET_HOLD_MS * ms;
    pthread_mutex_lock(&hub->lock);
    struct peer *peer = find_peer(hub, poll.rank, poll.id, reply, &status);
    if (peer != NULL) {
        take_answer(hub, peer, &poll);
        while (!hub->is_closing && peer->presence == ALIVE && !has_request(peer, &poll) &&
               pa_clock_raw_ns() < until)
            pa_fleet_wait_until(&hub->posted, &hub->lock, until);
        give_order(hub, peer, &poll, reply);
    }
    pthread_mutex_unlock(&hub->lock);
    return status;
}

static const struct pa_link_route routes[] = {
    {"POST", "/v1/join", PA_FLEET_MOST_ENVELOPE, on_join},
    {"POST", "/v1/poll", PA_FLEET_MOST_PAYLOAD + PA_FLEET_MOST_ENVELOPE, on_poll},
    {"POST", "/v1/alive", PA_FLEET_MOST_ENVELOPE, on_alive},
};

/* ---- what the hub's own process asks ---- */

static void bury(struct pa_hub *hub, struct peer *peer, const char *cause) {
    peer->presence = DEAD;
    snprintf(peer->cause, sizeof peer->cause, "%s", cause);
    pa_buffer_free(&peer->request);
    pa_buffer_free(&peer->answer);
    pthread_cond_broadcast(&hub->posted);
}

/* Locked: bury a peer that was not heard for too long, or whose connections ended. */
static bool is_alive(struct pa_hub *hub, struct peer *peer) {
    uint64_t now = pa_clock_raw_ns();
    if (peer->presence == ALIVE && peer->parted_ns != 0 && now > peer->parted_ns + return_ns) {
        bury(hub, peer, "its connections ended: the process, or its host, is gone");
    } else if (peer->presence == ALIVE && now > peer->heard_ns &&
               now - peer->heard_ns > hub->heartbeat_ns) {
        char cause[CAUSE_BYTES];
        snprintf(cause, sizeof cause, "nothing heard from it for %.1f s",
                 (double)(now - peer->heard_ns) / 1e9);
        bury(hub, peer, cause);
    }
    return peer->presence == ALIVE;
}

static int find_heartbeat(uint64_t *out, struct pa_error *error) {
    const char *text = getenv("PETAUDIT_HEARTBEAT");
    *out = default_heartbeat_ns;
    if (text == NULL || text[0] == '\0')
        return PA_OK;
    if (pa_duration_parse(text, out, error) != PA_OK || *out < 100 * ms) {
        pa_fail(error, PA_EUSAGE,
                "the environment variable PETAUDIT_HEARTBEAT: \"%s\" is no duration of 100ms or "
                "more, as in 10s",
                text);
        return PA_EUSAGE;
    }
    return PA_OK;
}

static int start_server(struct pa_hub *hub, const char *listen, struct pa_error *error) {
    struct pa_key *key = NULL;
    uint8_t public_key[PA_PUBLIC_KEY_BYTES];
    PA_TRY(pa_link_token_draw(hub->address.token, error));
    PA_TRY(pa_key_generate(&key, error));
    pa_key_public(key, public_key);
    pa_link_pin(public_key, &hub->address.pin);
    unsigned connections = 2 * (unsigned)hub->place.size + 64;
    const struct pa_link_server_options options = {
        .listen = listen,
        .key = key,
        .common_name = "petaudit hub",
        .token = hub->address.token,
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .context = hub,
        .most_connections = connections,
        /* Signs of life come four times in a heartbeat: no connection of a living worker idles. */
        .idle_s = IDLE_S + (unsigned)(hub->heartbeat_ns / (1000 * ms)),
        .body_ns = body_ns,
        .closed = on_closed,
    };
    int code = pa_link_server_start(&options, &hub->server, error);
    pa_key_free(key); /* the server has its copy */
    PA_TRY(code);
    snprintf(hub->address.job, sizeof hub->address.job, "%s", hub->place.job);
    hub->address.size = hub->place.size;
    PA_TRY(pa_hub_urls_find(listen, pa_link_server_port(hub->server), &hub->address, error));
    return pa_hub_file_write(hub->folder, &hub->address, error);
}

/* Wait for everybody; names who is missing. */
static int gather(struct pa_hub *hub, uint64_t deadline_ns, struct pa_error *error) {
    struct pa_buffer missing = {0};
    int absent = 0;
    pthread_mutex_lock(&hub->lock);
    for (;;) {
        absent = 0;
        for (int rank = 1; rank < hub->place.size; rank++)
            absent += hub->peers[rank].presence == ABSENT;
        if (absent == 0 || pa_clock_raw_ns() >= deadline_ns)
            break;
        pa_fleet_wait_until(&hub->changed, &hub->lock, deadline_ns);
    }
    hub->is_complete = true;
    for (int rank = 1; rank < hub->place.size; rank++) {
        if (hub->peers[rank].presence != ABSENT)
            continue;
        pa_buffer_format(&missing, "%s%d", missing.size > 0 ? ", " : "", rank);
        bury(hub, &hub->peers[rank], "it did not join in time");
    }
    pthread_mutex_unlock(&hub->lock);
    if (absent > 0)
        pa_fail(error, PA_ETIMEOUT, "waiting for the workers: %d of %d did not join: rank %.*s",
                absent, hub->place.size - 1, missing.size < 600 ? (int)missing.size : 600,
                (const char *)missing.data);
    pa_buffer_free(&missing);
    return absent > 0 ? PA_ETIMEOUT : PA_OK;
}

int pa_fleet_lead(const struct pa_place *place, const char *listen, const char *folder,
                  uint64_t deadline_ns, struct pa_fleet **out, struct pa_error *error) {
    *out = NULL;
    if (place->size > PA_FLEET_MOST_RANKS)
        return pa_fail(error, PA_EUNSUPPORTED,
                       "leading %d processes: %d are possible; start one for each node, it drives "
                       "all devices there",
                       place->size, PA_FLEET_MOST_RANKS);
    struct pa_fleet *fleet = calloc(1, sizeof *fleet);
    if (fleet == NULL)
        return pa_fail(error, PA_EMEMORY, "leading a fleet: out of memory");
    fleet->place = *place;
    if (place->size == 1) {
        *out = fleet;
        return PA_OK;
    }
    struct pa_hub *hub = calloc(1, sizeof *hub + (size_t)place->size * sizeof hub->peers[0]);
    if (hub == NULL) {
        free(fleet);
        return pa_fail(error, PA_EMEMORY, "leading a fleet: out of memory");
    }
    fleet->hub = hub;
    hub->place = *place;
    snprintf(hub->folder, sizeof hub->folder, "%s", folder);
    snprintf(hub->peers[0].host, sizeof hub->peers[0].host, "%s", place->host);
    pthread_mutex_init(&hub->lock, NULL);
    pa_fleet_condition_init(&hub->changed);
    pa_fleet_condition_init(&hub->posted);
    int code = find_heartbeat(&hub->heartbeat_ns, error);
    if (code == PA_OK)
        code = start_server(hub, listen, error);
    if (code != PA_OK) {
        pa_fleet_close(fleet);
        return code;
    }
    *out = fleet;
    return gather(hub, deadline_ns, error);
}

static struct peer *peer_of(const struct pa_fleet *fleet, int rank) {
    return fleet->hub != NULL && rank >= 1 && rank < fleet->place.size ? &fleet->hub->peers[rank]
                                                                       : NULL;
}

/* Locked. */
static int say_dead(const struct peer *peer, int rank, struct pa_error *error) {
    return pa_fail(error, PA_EHUB, "rank %d on %s is lost: %s", rank,
                   peer->host[0] != '\0' ? peer->host : "an unknown host", peer->cause);
}

int pa_fleet_post(struct pa_fleet *fleet, int rank, const void *request, size_t size,
                  struct pa_error *error) {
    struct peer *peer = peer_of(fleet, rank);
    if (peer == NULL || size > PA_FLEET_MOST_PAYLOAD)
        return pa_fail(error, PA_EINTERNAL, "asking rank %d: no such worker, or too long", rank);
    struct pa_hub *hub = fleet->hub;
    int code = PA_OK;
    pthread_mutex_lock(&hub->lock);
    if (!is_alive(hub, peer)) {
        code = say_dead(peer, rank, error);
    } else if (peer->exchange != IDLE) {
        code = pa_fail(error, PA_EINTERNAL, "asking rank %d: it has a request already", rank);
    } else {
        pa_buffer_clear(&peer->request);
        pa_buffer_bytes(&peer->request, request, size);
        if (peer->request.failed) {
            code = pa_fail(error, PA_EMEMORY, "asking rank %d: out of memory", rank);
        } else {
            peer->number++;
            peer->exchange = POSTED;
            pthread_cond_broadcast(&hub->posted);
        }
    }
    pthread_mutex_unlock(&hub->lock);
    return code;
}

/* Locked: the answer is there. */
static int hand_over(struct peer *peer, int rank, struct pa_buffer *answer,
                     struct pa_error *error) {
    peer->exchange = IDLE;
    if (peer->code != PA_OK)
        return pa_fail(error, peer->code, "rank %d on %s: %s", rank, peer->host, peer->text);
    if (peer->answer.failed)
        return pa_fail(error, PA_EMEMORY, "the answer of rank %d on %s: out of memory", rank,
                       peer->host);
    pa_buffer_bytes(answer, peer->answer.data, peer->answer.size);
    return answer->failed ? pa_fail(error, PA_EMEMORY, "the answer of rank %d: out of memory", rank)
                          : PA_OK;
}

int pa_fleet_collect(struct pa_fleet *fleet, int rank, uint64_t deadline_ns,
                     struct pa_buffer *answer, struct pa_error *error) {
    struct peer *peer = peer_of(fleet, rank);
    if (peer == NULL)
        return pa_fail(error, PA_EINTERNAL, "waiting for rank %d: no such worker", rank);
    struct pa_hub *hub = fleet->hub;
    int code;
    pthread_mutex_lock(&hub->lock);
    for (;;) {
        if (peer->presence == ALIVE && peer->exchange == ANSWERED) {
            code = hand_over(peer, rank, answer, error);
            break;
        }
        if (!is_alive(hub, peer)) {
            code = say_dead(peer, rank, error);
            break;
        }
        if (peer->exchange == IDLE) {
            code = pa_fail(error, PA_EINTERNAL, "waiting for rank %d: nothing was asked", rank);
            break;
        }
        if (pa_clock_raw_ns() >= deadline_ns) {
            bury(hub, peer, "it did not answer in time");
            say_dead(peer, rank, error);
            if (error != NULL)
                error->code = PA_ETIMEOUT;
            code = PA_ETIMEOUT;
            break;
        }
        uint64_t silent_ns = peer->parted_ns != 0 ? peer->parted_ns + return_ns + ms
                                                  : peer->heard_ns + hub->heartbeat_ns + ms;
        pa_fleet_wait_until(&hub->changed, &hub->lock,
                            silent_ns < deadline_ns ? silent_ns : deadline_ns);
    }
    pthread_mutex_unlock(&hub->lock);
    return code;
}

bool pa_fleet_is_alive(struct pa_fleet *fleet, int rank) {
    struct peer *peer = peer_of(fleet, rank);
    if (peer == NULL)
        return rank == fleet->place.rank;
    pthread_mutex_lock(&fleet->hub->lock);
    bool alive = is_alive(fleet->hub, peer);
    pthread_mutex_unlock(&fleet->hub->lock);
    return alive;
}

const char *pa_fleet_host(const struct pa_fleet *fleet, int rank) {
    if (rank == fleet->place.rank)
        return fleet->place.host;
    /* Written once, before the worker counts as alive. */
    const struct peer *peer = peer_of(fleet, rank);
    return peer != NULL && peer->host[0] != '\0' ? peer->host : "an unknown host";
}

void pa_hub_close(struct pa_hub *hub) {
    if (hub == NULL)
        return;
    uint64_t until = pa_clock_raw_ns() + goodbye_ns;
    pthread_mutex_lock(&hub->lock);
    hub->is_closing = true;
    pthread_cond_broadcast(&hub->posted);
    for (;;) {
        int waiting = 0;
        /* A goodbye has arrived when the worker hangs up: stopping the server earlier cuts it off.
         */
        for (int rank = 1; rank < hub->place.size; rank++)
            waiting += is_alive(hub, &hub->peers[rank]) &&
                       (!hub->peers[rank].has_goodbye || is_connected(&hub->peers[rank]));
        if (waiting == 0 || pa_clock_raw_ns() >= until)
            break;
        pa_fleet_wait_until(&hub->changed, &hub->lock, until);
    }
    pthread_mutex_unlock(&hub->lock);
    pa_hub_file_remove(hub->folder, &hub->address);
    pa_link_server_stop(hub->server);
    for (int rank = 1; rank < hub->place.size; rank++) {
        pa_buffer_free(&hub->peers[rank].request);
        pa_buffer_free(&hub->peers[rank].answer);
    }
    pthread_cond_destroy(&hub->changed);
    pthread_cond_destroy(&hub->posted);
    pthread_mutex_destroy(&hub->lock);
    explicit_bzero(&hub->address, sizeof hub->address);
    free(hub);
}
