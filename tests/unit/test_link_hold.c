/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for their answer without a thread. */
#include "base/clock.h"
#include "base/team.h"
#include "link/link.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "cmocka_setup.h"

static const uint64_t ms = UINT64_C(1000000);

struct held_scene {
    pthread_mutex_t lock;
    struct pa_link_server *server;
    struct pa_link_visit *visit;
    uint64_t until_ms;
    int times_held, times_asked;
    uint64_t closed_tag;
};

static unsigned hold(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    struct held_scene *scene = context;
    unsigned status = 200;
    pthread_mutex_lock(&scene->lock);
    scene->times_asked++;
    if (!pa_link_server_was_held()) {
        pa_link_server_tag(77);
        scene->visit = pa_link_server_hold(pa_clock_raw_ns() + scene->until_ms * ms);
        scene->times_held++;
        status = PA_LINK_LATER;
    } else {
        pa_buffer_bytes(reply, body, size);
    }
    pthread_mutex_unlock(&scene->lock);
    return status;
}

static void note_closed(void *context, uint64_t connection, uint64_t tag) {
    struct held_scene *scene = context;
    (void)connection;
    pthread_mutex_lock(&scene->lock);
    scene->closed_tag = tag;
    pthread_mutex_unlock(&scene->lock);
}

static void *wake_soon(void *context) {
    struct held_scene *scene = context;
    bool was_held = false;
    for (int i = 0; i < 600 && !was_held; i++) {
        pa_clock_sleep(100 * ms);
        pthread_mutex_lock(&scene->lock);
        was_held = scene->times_held > 0;
        if (was_held)
            pa_link_server_wake(scene->server, scene->visit);
        pthread_mutex_unlock(&scene->lock);
    }
    return NULL;
}

static void a_request_is_held_until_it_is_woken_over_or_hung_up(void **state) {
    (void)state;
    static const struct pa_link_route routes[] = {{"POST", "/hold", 64, hold}};
    struct pa_error error = {0};
    struct pa_key *key = NULL;
    uint8_t point[PA_PUBLIC_KEY_BYTES];
    struct pa_hash pin;
    assert_int_equal(pa_key_generate(&key, &error), PA_OK);
    pa_key_public(key, point);
    pa_link_pin(point, &pin);
    struct held_scene scene = {.lock = PTHREAD_MUTEX_INITIALIZER, .until_ms = 600000};
    const struct pa_link_server_options options = {.listen = "127.0.0.1:0",
                                                   .key = key,
                                                   .common_name = "petaudit test",
                                                   .routes = routes,
                                                   .route_count = 1,
                                                   .context = &scene,
                                                   .has_one_thread = true,
                                                   .most_connections = 16,
                                                   .idle_s = 600,
                                                   .body_ns = 60000 * ms,
                                                   .closed = note_closed};
    if (pa_link_server_start(&options, &scene.server, &error) != PA_OK)
        fail_msg("%s", error.text);
    pa_key_free(key);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u", pa_link_server_port(scene.server));
    const struct pa_link_client_options asks = {
        .url = url, .pin = pin, .peer = "the peer", .failure = PA_EHUB};
    struct pa_link_client *client = NULL;
    assert_int_equal(pa_link_client_open(&asks, &client, &error), PA_OK);
    struct pa_buffer reply = {0};
    pthread_t waker;
    assert_int_equal(pa_thread_start(&waker, wake_soon, &scene, &error), PA_OK);
    if (pa_link_request(client, "POST", "/hold", "woken", 5, 64, pa_clock_raw_ns() + 60000 * ms,
                        &reply, &error) != PA_OK)
        fail_msg("%s", error.text);
    pthread_join(waker, NULL);
    scene.until_ms = 300;
    if (pa_link_request(client, "POST", "/hold", "over", 4, 64, pa_clock_raw_ns() + 60000 * ms,
                        &reply, &error) != PA_OK)
        fail_msg("%s", error.text);
    assert_int_equal(reply.size, 9);
    assert_memory_equal(reply.data, "wokenover", 9);
    assert_int_equal(scene.times_held, 2);
    assert_int_equal(scene.times_asked, 4);
    scene.until_ms = 600000;
    assert_int_not_equal(pa_link_request(client, "POST", "/hold", "gone", 4, 64,
                                         pa_clock_raw_ns() + 1500 * ms, &reply, &error),
                         PA_OK);
    pa_link_client_close(client);
    uint64_t tag = 0;
    for (int i = 0; i < 600 && tag == 0; i++) {
        pa_clock_sleep(100 * ms);
        pthread_mutex_lock(&scene.lock);
        tag = scene.closed_tag;
        pthread_mutex_unlock(&scene.lock);
    }
    assert_int_equal(tag, 77);
    pa_link_server_stop(scene.server);
    pa_buffer_free(&reply);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_held_until_it_is_woken_over_or_hung_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
