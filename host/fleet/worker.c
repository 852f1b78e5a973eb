/* SPDX-License-Identifier: Apache-2.0 */
/* Rank > 0: finds the hub, asks it for work, and shows that it lives. */
#include "base/clock.h"
#include "base/team.h"
#include "fleet/fleet_sides.h"
#include "fleet/fleet_wire.h"
#include "fleet/hub_file.h"
#include "link/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const uint64_t ms = UINT64_C(1000000);

enum { TRY_MS = 2000 /* for one address while joining */, PAUSE_MS = 200, HOLD_MS = 2000 };

struct pa_worker {
    uint32_t rank;
    uint8_t id[PA_FLEET_ID_BYTES];
    uint64_t heartbeat_ns;    /* the hub wants to hear us this often */
    pthread_mutex_t speaking; /* one connection for both threads, a request at a time */
    struct pa_link_client *client;
    pthread_t pulse;
    bool has_pulse;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_ending;
};

/* A thread that says "alive" four times in a heartbeat while the main thread works. One that asks
 * the hub for work is heard anyway: the hub answers it within a quarter of the heartbeat. Failures
 * are for the main thread to find. */
static void *pulse_body(void *context) {
    struct pa_worker *worker = context;
    struct pa_buffer message = {0}, reply = {0};
    struct pa_wire_poll poll = {.rank = worker->rank};
    memcpy(poll.id, worker->id, sizeof poll.id);
    pa_wire_put_poll(&message, &poll);
    pthread_mutex_lock(&worker->lock);
    while (!worker->is_ending && !message.failed) {
        pa_fleet_wait_until(&worker->ended, &worker->lock,
                            pa_clock_raw_ns() + worker->heartbeat_ns / 4);
        if (worker->is_ending)
            break;
        pthread_mutex_unlock(&worker->lock);
        if (pthread_mutex_trylock(&worker->speaking) == 0) {
            pa_buffer_clear(&reply);
            pa_link_request(worker->client, "POST", "/v1/alive", message.data, message.size,
                            PA_FLEET_MOST_ENVELOPE, pa_clock_raw_ns() + worker->heartbeat_ns / 2,
                            &reply, NULL);
            pthread_mutex_unlock(&worker->speaking);
        }
        pthread_mutex_lock(&worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
    pa_buffer_free(&message);
    pa_buffer_free(&reply);
    return NULL;
}

static int open_client(const struct pa_hub_address *address, int url, struct pa_link_client **out,
                       struct pa_error *error) {
    const struct pa_link_client_options options = {.url = address->urls[url],
                                                   .pin = address->pin,
                                                   .token = address->token,
                                                   .peer = "the hub",
                                                   .failure = PA_EHUB};
    return pa_link_client_open(&options, out, error);
}

/* Introduce ourselves at one URL. `*is_final` when trying again would not help. */
static int join_at(struct pa_worker *worker, const struct pa_place *place,
                   const struct pa_hub_address *address, int url, uint64_t deadline_ns,
                   bool *is_final, struct pa_error *error) {
    struct pa_wire_join join = {.rank = (uint32_t)place->rank, .size = (uint32_t)place->size};
    struct pa_buffer message = {0}, reply = {0};
    memcpy(join.id, worker->id, sizeof join.id);
    memcpy(join.work, place->work, sizeof join.work);
    snprintf(join.job, sizeof join.job, "%s", place->job);
    snprintf(join.host, sizeof join.host, "%s", place->host);
    pa_wire_put_join(&message, &join);
    struct pa_link_client *client = NULL;
    int code = open_client(address, url, &client, error);
    *is_final = code != PA_OK;
    if (code == PA_OK) {
        uint64_t until = pa_clock_raw_ns() + TRY_MS * ms;
        code = pa_link_request(client, "POST", "/v1/join", message.data, message.size,
                               PA_FLEET_MOST_ENVELOPE, until < deadline_ns ? until : deadline_ns,
                               &reply, error);
        int status = pa_link_client_status(client);
        *is_final = status == PA_FLEET_TAKEN || status == PA_FLEET_DEAD ||
                    status == PA_FLEET_WORK || status == 400;
        /* By hand one gives the address of one hub; hub.json may be an older one's. */
        if (address->size == 0)
            *is_final |= status == -1 || status == 401 || status == PA_FLEET_OTHER;
    }
    struct pa_reader in = pa_reader_over(reply.data, reply.size);
    if (code == PA_OK) {
        worker->heartbeat_ns = pa_read_u64(&in);
        if (!pa_reader_done(&in) || worker->heartbeat_ns < 10 * ms)
            code = pa_fail(error, PA_EHUB, "the hub's welcome is not one");
    }
    if (code == PA_OK)
        worker->client = client;
    else
        pa_link_client_close(client);
    pa_buffer_free(&message);
    pa_buffer_free(&reply);
    return code;
}

/* What to join now: what was given by hand, or what hub.json says at this moment. */
static int find_address(const struct pa_place *place, const char *hub, const char *folder,
                        struct pa_hub_address *out, struct pa_error *error) {
    if (hub != NULL)
        return pa_hub_address_parse(hub, out, error);
    PA_TRY(pa_hub_file_read(folder, out, error));
    if (out->size != place->size || strcmp(out->job, place->job) != 0)
        return pa_fail(error, PA_EHUB, "%s/hub.json is of another job: \"%s\" with %d processes",
                       folder, out->job, out->size);
    return PA_OK;
}

/* Try every address until one lets us in. */
static int join(struct pa_worker *worker, const struct pa_place *place, const char *hub,
                const char *folder, uint64_t deadline_ns, struct pa_error *error) {
    struct pa_hub_address address;
    bool is_final = false;
    int code;
    do {
        code = find_address(place, hub, folder, &address, error);
        if (code == PA_EUSAGE || code == PA_EMEMORY)
            break;
        for (int url = 0; code == PA_OK && url < address.url_count; url++) {
            code = join_at(worker, place, &address, url, deadline_ns, &is_final, error);
            if (code != PA_OK && !is_final && url + 1 < address.url_count)
                code = PA_OK; /* on to the next */
            if (worker->client != NULL || is_final)
                break;
        }
        if (worker->client != NULL || is_final)
            break;
        pa_clock_sleep(PAUSE_MS * ms);
    } while (pa_clock_raw_ns() < deadline_ns);
    explicit_bzero(&address, sizeof address);
    if (code != PA_OK && code != PA_EUSAGE && code != PA_EMEMORY) {
        pa_fail_in(error, "rank %d on %s cannot join its hub", place->rank, place->host);
        if (error != NULL)
            error->code = PA_EHUB;
        return PA_EHUB;
    }
    return code;
}

int pa_fleet_join(const struct pa_place *place, const char *hub, const char *folder,
                  uint64_t deadline_ns, struct pa_fleet **out, struct pa_error *error) {
    *out = NULL;
    struct pa_fleet *fleet = calloc(1, sizeof *fleet);
    struct pa_worker *worker = calloc(1, sizeof *worker);
    if (fleet == NULL || worker == NULL) {
        free(fleet);
        free(worker);
        return pa_fail(error, PA_EMEMORY, "joining a fleet: out of memory");
    }
    fleet->place = *place;
    fleet->worker = worker;
    worker->rank = (uint32_t)place->rank;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_mutex_init(&worker->speaking, NULL);
    pa_fleet_condition_init(&worker->ended);
    int code = PA_OK;
    if (getrandom(worker->id, sizeof worker->id, 0) != (ssize_t)sizeof worker->id)
        code =
            pa_fail(error, PA_EINTERNAL, "joining a fleet: no random numbers: %s", strerror(errno));
    if (code == PA_OK)
        code = join(worker, place, hub, folder, deadline_ns, error);
    if (code == PA_OK) {
        code = pa_thread_start(&worker->pulse, pulse_body, worker, error);
        worker->has_pulse = code == PA_OK;
    }
    if (code != PA_OK) {
        pa_fleet_close(fleet);
        return code;
    }
    *out = fleet;
    return PA_OK;
}

/* Execute one request and make the answer of it. */
static void answer_request(struct pa_wire_poll *poll, const struct pa_wire_order *order,
                           pa_fleet_execute execute, void *context, struct pa_buffer *answer) {
    struct pa_error failure = {0};
    pa_buffer_clear(answer);
    int code = execute(context, order->payload, order->payload_size, answer, &failure);
    if (code == PA_OK && answer->failed)
        code = pa_fail(&failure, PA_EMEMORY, "answering the hub: out of memory");
    if (code == PA_OK && answer->size > PA_FLEET_MOST_PAYLOAD)
        code = pa_fail(&failure, PA_EINTERNAL, "answering the hub: %zu bytes are too many",
                       answer->size);
    poll->answered = order->number;
    poll->code = code;
    snprintf(poll->text, sizeof poll->text, "%s", code == PA_OK ? "" : failure.text);
    poll->payload = code == PA_OK ? answer->data : NULL;
    poll->payload_size = code == PA_OK ? answer->size : 0;
}

int pa_fleet_serve(struct pa_fleet *fleet, pa_fleet_execute execute, void *context,
                   struct pa_error *error) {
    struct pa_worker *worker = fleet->worker;
    if (worker == NULL)
        return pa_fail(error, PA_EINTERNAL, "serving a hub: this process is no worker");
    struct pa_wire_poll poll = {.rank = worker->rank};
    memcpy(poll.id, worker->id, sizeof poll.id);
    struct pa_buffer message = {0}, reply = {0}, answer = {0};
    struct pa_wire_order order = {0};
    int code = PA_OK;
    while (code == PA_OK) {
        pa_buffer_clear(&message);
        pa_buffer_clear(&reply);
        pa_wire_put_poll(&message, &poll);
        if (message.failed) {
            code = pa_fail(error, PA_EMEMORY, "answering the hub: out of memory");
            break;
        }
        pthread_mutex_lock(&worker->speaking);
        code =
            pa_link_request(worker->client, "POST", "/v1/poll", message.data, message.size,
                            PA_FLEET_MOST_PAYLOAD + PA_FLEET_MOST_ENVELOPE,
                            pa_clock_raw_ns() + HOLD_MS * ms + worker->heartbeat_ns, &reply, error);
        pthread_mutex_unlock(&worker->speaking);
        if (code != PA_OK) {
            /* Whatever the way in which it is gone, it is the hub that is gone. */
            pa_fail_in(error, "rank %u lost its hub", worker->rank);
            code = PA_EHUB;
            if (error != NULL)
                error->code = code;
        } else if (!pa_wire_get_order(reply.data, reply.size, &order)) {
            code = pa_fail(error, PA_EHUB, "the hub sent no order");
        } else if (order.kind == PA_WIRE_GOODBYE) {
            break;
        } else if (order.kind == PA_WIRE_NOTHING) {
            poll.payload_size = 0; /* the hub has the answer; its number is enough from now on */
            poll.text[0] = '\0';
        } else if (order.kind == PA_WIRE_REQUEST) {
            answer_request(&poll, &order, execute, context, &answer);
        }
    }
    pa_buffer_free(&message);
    pa_buffer_free(&reply);
    pa_buffer_free(&answer);
    return code;
}

void pa_worker_close(struct pa_worker *worker) {
    if (worker == NULL)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->is_ending = true;
    pthread_cond_broadcast(&worker->ended);
    pthread_mutex_unlock(&worker->lock);
    if (worker->has_pulse)
        pthread_join(worker->pulse, NULL);
    pa_link_client_close(worker->client);
    pthread_cond_destroy(&worker->ended);
    pthread_mutex_destroy(&worker->lock);
    pthread_mutex_destroy(&worker->speaking);
    free(worker);
}
