/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/hub_desk.h"

#include "base/clock.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

static const uint64_t ms = UINT64_C(1000000);
static const uint64_t body_ns = UINT64_C(120000000000);

enum {
    IDLE_S = 60,
    OTHER_FILES = 1024,      /* devices, vendors' libraries, evidence: wanted beside connections */
    LEAST_OTHER_FILES = 128, /* .. and too few below this */
};

static unsigned say(struct pa_buffer *reply, unsigned status, const char *text) {
    pa_buffer_text(reply, text);
    return status;
}

/* Locked: the peer is heard, over this handler's connection. */
static void hear(struct pa_hub_peer *peer, uint32_t rank) {
    uint64_t connection = pa_link_server_connection();
    int at = 0;
    for (int i = 0; i < PA_HUB_CONNECTIONS_A_PEER; i++) {
        if (peer->connections[i] == connection)
            at = i;
        else if (peer->connections[i] == 0 && peer->connections[at] != connection)
            at = i;
    }
    peer->connections[at] = connection;
    pa_link_server_tag((uint64_t)rank);
    peer->parted_ns = 0;
    peer->heard_ns = pa_clock_raw_ns();
}

bool pa_hub_is_connected(const struct pa_hub_peer *peer) {
    for (int i = 0; i < PA_HUB_CONNECTIONS_A_PEER; i++)
        if (peer->connections[i] != 0)
            return true;
    return false;
}

void pa_hub_wake(struct pa_hub *hub, struct pa_hub_peer *peer) {
    if (peer->waiting != NULL)
        pa_link_server_wake(hub->server, peer->waiting);
    peer->waiting = NULL;
}

static void on_closed(void *context, uint64_t connection, uint64_t rank) {
    struct pa_hub *hub = context;
    if (rank == 0)
        return; /* nobody has spoken over it */
    pthread_mutex_lock(&hub->lock);
    struct pa_hub_peer *peer = &hub->peers[rank];
    for (int i = 0; i < PA_HUB_CONNECTIONS_A_PEER; i++)
        if (peer->connections[i] == connection)
            peer->connections[i] = 0;
    if (peer->waiting_over == connection)
        peer->waiting = NULL;
    if (!pa_hub_is_connected(peer) && peer->parted_ns == 0)
        peer->parted_ns = pa_clock_raw_ns();
    pthread_cond_broadcast(&hub->changed);
    pthread_mutex_unlock(&hub->lock);
}

static bool work_differs(const struct pa_wire_join *join, const struct pa_place *place) {
    static const uint8_t unsaid[PA_PLACE_WORK_BYTES];
    return memcmp(join->work, unsaid, sizeof unsaid) != 0 &&
           memcmp(place->work, unsaid, sizeof unsaid) != 0 &&
           memcmp(join->work, place->work, sizeof unsaid) != 0;
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
    if (work_differs(&join, &hub->place)) {
        pa_buffer_format(reply,
                         "rank %u was started with another claim than the hub, rank 0 on %s: give "
                         "all processes the same file",
                         join.rank, hub->place.host);
        return PA_FLEET_WORK;
    }
    unsigned status = 200;
    pthread_mutex_lock(&hub->lock);
    struct pa_hub_peer *peer = &hub->peers[join.rank];
    bool is_same = memcmp(peer->id, join.id, sizeof peer->id) == 0;
    if (peer->presence == PA_ALIVE && !is_same) {
        pa_buffer_format(reply, "rank %u is taken by a process on %s", join.rank, peer->host);
        status = PA_FLEET_TAKEN;
    } else if (peer->presence == PA_DEAD || (peer->presence == PA_ABSENT && hub->is_complete)) {
        pa_buffer_format(reply, "the hub goes on without rank %u: %s", join.rank, peer->cause);
        status = PA_FLEET_DEAD;
    } else {
        hub->absent -= peer->presence == PA_ABSENT;
        peer->presence = PA_ALIVE;
        memcpy(peer->id, join.id, sizeof peer->id);
        snprintf(peer->host, sizeof peer->host, "%s", join.host);
        hear(peer, join.rank);
        pa_buffer_u64(reply, hub->heartbeat_ns);
        pthread_cond_broadcast(&hub->changed);
    }
    pthread_mutex_unlock(&hub->lock);
    return status;
}

/* The peer that speaks, or NULL and why not. Locked. */
static struct pa_hub_peer *find_peer(struct pa_hub *hub, uint32_t rank, const uint8_t *id,
                                     struct pa_buffer *reply, unsigned *status) {
    struct pa_hub_peer *peer =
        rank >= 1 && rank < (uint32_t)hub->place.size ? &hub->peers[rank] : NULL;
    if (peer == NULL || memcmp(peer->id, id, sizeof peer->id) != 0 || peer->presence == PA_ABSENT) {
        *status = say(reply, 403, "this process has not joined");
        return NULL;
    }
    if (peer->presence == PA_DEAD) {
        pa_buffer_format(reply, "the hub goes on without rank %u: %s", rank, peer->cause);
        *status = PA_FLEET_DEAD;
        return NULL;
    }
    /* A request that was held is no new sign of life. */
    if (!pa_link_server_was_held())
        hear(peer, rank);
    peer->knows = true;
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

static void take_answer(struct pa_hub *hub, struct pa_hub_peer *peer,
                        const struct pa_wire_poll *poll) {
    if (peer->exchange != PA_POSTED || poll->answered != peer->number)
        return; /* the same answer once more: its reply had been lost */
    pa_buffer_clear(&peer->answer);
    pa_buffer_bytes(&peer->answer, poll->payload, poll->payload_size);
    peer->code = poll->code;
    snprintf(peer->text, sizeof peer->text, "%s", poll->text);
    peer->exchange = PA_ANSWERED;
    pthread_cond_broadcast(&hub->changed);
}

/* A request that this worker has not answered is for it, also if it was sent before. */
static bool has_request(const struct pa_hub_peer *peer, const struct pa_wire_poll *poll) {
    return peer->presence == PA_ALIVE && peer->exchange == PA_POSTED &&
           peer->number > poll->answered;
}

static void give_order(struct pa_hub *hub, struct pa_hub_peer *peer,
                       const struct pa_wire_poll *poll, struct pa_buffer *reply) {
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
    pthread_mutex_lock(&hub->lock);
    struct pa_hub_peer *peer = find_peer(hub, poll.rank, poll.id, reply, &status);
    bool was_held = pa_link_server_was_held();
    if (peer != NULL) {
        take_answer(hub, peer, &poll);
        struct pa_link_visit *held = NULL;
        if (!was_held && !hub->is_closing && !has_request(peer, &poll)) {
            pa_hub_wake(hub, peer); /* an older one, whose connection was lost */
            held = pa_link_server_hold(pa_clock_raw_ns() + hub->heartbeat_ns / PA_FLEET_HOLDS);
            peer->waiting = held;
            peer->waiting_over = pa_link_server_connection();
        } else if (peer->waiting_over == pa_link_server_connection()) {
            peer->waiting = NULL;
        }
        if (held != NULL)
            status = PA_LINK_LATER;
        else
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

/* One connection for each worker, a third more for those that connect anew and for strangers, who
 * are cut off when they take too many; and files for all of these. */
static int find_connections(const struct pa_hub *hub, unsigned *out, struct pa_error *error) {
    unsigned connections = (unsigned)hub->place.size + (unsigned)hub->place.size / 3 + 128;
    uint64_t files = pa_files_allow(connections + OTHER_FILES);
    *out = connections;
    if (files < connections + LEAST_OTHER_FILES)
        return pa_fail(error, PA_EUNSUPPORTED,
                       "leading %d processes takes %u open files, and the system allows this "
                       "process %llu: raise the hard limit (ulimit -Hn, LimitNOFILE=)",
                       hub->place.size, connections + LEAST_OTHER_FILES, (unsigned long long)files);
    return PA_OK;
}

int pa_hub_desk_open(struct pa_hub *hub, const char *listen, const struct pa_key *key,
                     struct pa_error *error) {
    unsigned connections;
    PA_TRY(find_connections(hub, &connections, error));
    const struct pa_link_server_options options = {
        .listen = listen,
        .key = key,
        .common_name = "petaudit hub",
        .token = hub->address.token,
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .context = hub,
        .has_one_thread = true,
        .most_connections = connections,
        /* Signs of life come four times in a heartbeat: no connection of a living worker idles. */
        .idle_s = IDLE_S + (unsigned)(hub->heartbeat_ns / (1000 * ms)),
        .body_ns = body_ns,
        .closed = on_closed,
    };
    return pa_link_server_start(&options, &hub->server, error);
}
