/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0: hands out requests, takes answers, and notices who is no longer heard. */
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "fleet/hub_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t ms = UINT64_C(1000000);
static const uint64_t default_heartbeat_ns = UINT64_C(10000000000);
static const uint64_t goodbye_ns = UINT64_C(3000000000);

/* The system closes the sockets of a process that ends, at once. One that lives and lost its
 * connection comes back with its next request; this is how long that may take. One that our welcome
 * came too late for begins anew, and gets as long as one that is silent. */
static const uint64_t return_ns = UINT64_C(1000000000);

static void bury(struct pa_hub *hub, struct pa_hub_peer *peer, const char *cause) {
    hub->absent -= peer->presence == PA_ABSENT;
    peer->presence = PA_DEAD;
    snprintf(peer->cause, sizeof peer->cause, "%s", cause);
    pa_buffer_free(&peer->request);
    pa_buffer_free(&peer->answer);
    pa_hub_wake(hub, peer);
}

/* Locked: when a peer that is not heard until then is lost. */
static uint64_t lost_at(const struct pa_hub *hub, const struct pa_hub_peer *peer) {
    if (peer->parted_ns != 0 && peer->knows)
        return peer->parted_ns + return_ns;
    return peer->heard_ns + hub->heartbeat_ns;
}

/* Locked: bury a peer that was not heard for too long, or whose connections ended. */
static bool is_alive(struct pa_hub *hub, struct pa_hub_peer *peer) {
    uint64_t now = pa_clock_raw_ns();
    if (peer->presence != PA_ALIVE || now <= lost_at(hub, peer))
        return peer->presence == PA_ALIVE;
    char cause[PA_HUB_CAUSE_BYTES] = "its connections ended: the process, or its host, is gone";
    if (peer->parted_ns == 0)
        snprintf(cause, sizeof cause, "nothing heard from it for %.1f s",
                 (double)(now - peer->heard_ns) / 1e9);
    bury(hub, peer, cause);
    return false;
}

static int find_heartbeat(int size, uint64_t *out, struct pa_error *error) {
    const char *text = getenv("PETAUDIT_HEARTBEAT");
    *out = default_heartbeat_ns;
    if (size > PA_FLEET_USUAL_RANKS)
        *out += (uint64_t)(size - PA_FLEET_USUAL_RANKS) * 2 * ms;
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
    int code = pa_hub_desk_open(hub, listen, key, error);
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
    pthread_mutex_lock(&hub->lock);
    while (hub->absent > 0 && pa_clock_raw_ns() < deadline_ns)
        pa_fleet_wait_until(&hub->changed, &hub->lock, deadline_ns);
    int absent = hub->absent;
    hub->is_complete = true;
    for (int rank = 1; rank < hub->place.size; rank++) {
        if (hub->peers[rank].presence != PA_ABSENT)
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
    hub->absent = place->size - 1;
    snprintf(hub->folder, sizeof hub->folder, "%s", folder);
    snprintf(hub->peers[0].host, sizeof hub->peers[0].host, "%s", place->host);
    pthread_mutex_init(&hub->lock, NULL);
    pa_fleet_condition_init(&hub->changed);
    int code = find_heartbeat(place->size, &hub->heartbeat_ns, error);
    if (code == PA_OK)
        code = start_server(hub, listen, error);
    if (code != PA_OK) {
        pa_fleet_close(fleet);
        return code;
    }
    *out = fleet;
    return gather(hub, deadline_ns, error);
}

static struct pa_hub_peer *peer_of(const struct pa_fleet *fleet, int rank) {
    return fleet->hub != NULL && rank >= 1 && rank < fleet->place.size ? &fleet->hub->peers[rank]
                                                                       : NULL;
}

/* Locked. */
static int say_dead(const struct pa_hub_peer *peer, int rank, struct pa_error *error) {
    return pa_fail(error, PA_EHUB, "rank %d on %s is lost: %s", rank,
                   peer->host[0] != '\0' ? peer->host : "an unknown host", peer->cause);
}

int pa_fleet_post(struct pa_fleet *fleet, int rank, const void *request, size_t size,
                  struct pa_error *error) {
    struct pa_hub_peer *peer = peer_of(fleet, rank);
    if (peer == NULL || size > PA_FLEET_MOST_PAYLOAD)
        return pa_fail(error, PA_EINTERNAL, "asking rank %d: no such worker, or too long", rank);
    struct pa_hub *hub = fleet->hub;
    int code = PA_OK;
    pthread_mutex_lock(&hub->lock);
    if (!is_alive(hub, peer)) {
        code = say_dead(peer, rank, error);
    } else if (peer->exchange != PA_IDLE) {
        code = pa_fail(error, PA_EINTERNAL, "asking rank %d: it has a request already", rank);
    } else {
        pa_buffer_clear(&peer->request);
        pa_buffer_bytes(&peer->request, request, size);
        if (peer->request.failed) {
            code = pa_fail(error, PA_EMEMORY, "asking rank %d: out of memory", rank);
        } else {
            peer->number++;
            peer->exchange = PA_POSTED;
            pa_hub_wake(hub, peer);
        }
    }
    pthread_mutex_unlock(&hub->lock);
    return code;
}

/* Locked: the answer is there. */
static int hand_over(struct pa_hub_peer *peer, int rank, struct pa_buffer *answer,
                     struct pa_error *error) {
    peer->exchange = PA_IDLE;
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
    struct pa_hub_peer *peer = peer_of(fleet, rank);
    if (peer == NULL)
        return pa_fail(error, PA_EINTERNAL, "waiting for rank %d: no such worker", rank);
    struct pa_hub *hub = fleet->hub;
    int code;
    pthread_mutex_lock(&hub->lock);
    for (;;) {
        if (peer->presence == PA_ALIVE && peer->exchange == PA_ANSWERED) {
            code = hand_over(peer, rank, answer, error);
            break;
        }
        if (!is_alive(hub, peer)) {
            code = say_dead(peer, rank, error);
            break;
        }
        if (peer->exchange == PA_IDLE) {
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
        uint64_t silent_ns = lost_at(hub, peer) + ms;
        pa_fleet_wait_until(&hub->changed, &hub->lock,
                            silent_ns < deadline_ns ? silent_ns : deadline_ns);
    }
    pthread_mutex_unlock(&hub->lock);
    return code;
}

bool pa_fleet_is_alive(struct pa_fleet *fleet, int rank) {
    struct pa_hub_peer *peer = peer_of(fleet, rank);
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
    const struct pa_hub_peer *peer = peer_of(fleet, rank);
    return peer != NULL && peer->host[0] != '\0' ? peer->host : "an unknown host";
}

void pa_hub_close(struct pa_hub *hub) {
    if (hub == NULL)
        return;
    uint64_t until = pa_clock_raw_ns() + goodbye_ns + (uint64_t)hub->place.size * ms;
    pthread_mutex_lock(&hub->lock);
    hub->is_closing = true;
    for (int rank = 1; rank < hub->place.size; rank++)
        pa_hub_wake(hub, &hub->peers[rank]);
    for (;;) {
        int waiting = 0;
        /* A goodbye has arrived when the worker hangs up: stopping the server earlier cuts it off.
         */
        for (int rank = 1; rank < hub->place.size; rank++)
            waiting += is_alive(hub, &hub->peers[rank]) &&
                       (!hub->peers[rank].has_goodbye || pa_hub_is_connected(&hub->peers[rank]));
        if (waiting == 0 || pa_clock_raw_ns() >= until)
            break;
        /* Not at every change: with thousands of peers each look at all of them takes a while. */
        pthread_mutex_unlock(&hub->lock);
        pa_clock_sleep(5 * ms);
        pthread_mutex_lock(&hub->lock);
    }
    pthread_mutex_unlock(&hub->lock);
    pa_hub_file_remove(hub->folder, &hub->address);
    pa_link_server_stop(hub->server);
    for (int rank = 1; rank < hub->place.size; rank++) {
        pa_buffer_free(&hub->peers[rank].request);
        pa_buffer_free(&hub->peers[rank].answer);
    }
    pthread_cond_destroy(&hub->changed);
    pthread_mutex_destroy(&hub->lock);
    explicit_bzero(&hub->address, sizeof hub->address);
    free(hub);
}
