/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/team.h"
#include "link/link.h"
#include "link/link_room.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmocka_setup.h"

static const uint64_t ms = UINT64_C(1000000);

static unsigned echo(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    (void)context;
    pa_buffer_bytes(reply, body, size);
    return 200;
}

static unsigned doze(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    (void)context;
    (void)body;
    (void)size;
    pa_clock_sleep(1500 * ms);
    pa_buffer_text(reply, "late");
    return 200;
}

static unsigned flood(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    static const uint8_t zeros[4096];
    (void)context;
    (void)body;
    (void)size;
    for (int i = 0; i < 16; i++)
        pa_buffer_bytes(reply, zeros, sizeof zeros);
    return 200;
}

static unsigned conflict(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    (void)context;
    (void)body;
    (void)size;
    pa_buffer_text(reply, "taken\x1b[2J");
    return 409;
}

/* A stream of large pieces, and how many of them are open. */
static atomic_int streams_open, pieces_asked;

static unsigned open_stream(void *context, const struct pa_link_request *request, void **stream,
                            struct pa_buffer *refusal) {
    const char *name = pa_link_argument(request, "name");
    (void)context;
    if (name != NULL && strcmp(name, "nobody") == 0) {
        pa_buffer_text(refusal, "nobody is here");
        return 404;
    }
    *stream = &streams_open;
    atomic_fetch_add(&streams_open, 1);
    return 200;
}

static bool next_piece(void *stream, struct pa_buffer *out) {
    static const uint8_t piece[1 << 16] = {'.'};
    (void)stream;
    /* The first ones are small, so that a whole answer can be looked at. */
    if (atomic_fetch_add(&pieces_asked, 1) < 3) {
        pa_buffer_text(out, "piece ");
        return true;
    }
    for (int i = 0; i < 64; i++)
        pa_buffer_bytes(out, piece, sizeof piece);
    return true;
}

static bool three_pieces(void *stream, struct pa_buffer *out) {
    (void)stream;
    pa_buffer_text(out, "piece ");
    return atomic_fetch_add(&pieces_asked, 1) < 3;
}

static void close_stream(void *stream) {
    (void)stream;
    atomic_fetch_sub(&streams_open, 1);
}

static const struct pa_link_stream_kind endless = {"text/event-stream", open_stream, next_piece,
                                                   close_stream},
                                        short_one = {"text/event-stream", open_stream, three_pieces,
                                                     close_stream};
static const struct pa_link_content content = {"text/plain", "a page", 6};
static const struct pa_link_page pages[] = {
    {.path = "/page", .content = &content},
    {.path = "/endless", .stream = &endless},
    {.path = "/short", .stream = &short_one},
};

static unsigned where(void *context, const void *body, size_t size, struct pa_buffer *reply) {
    uint8_t peer[PA_LINK_PEER_BYTES];
    (void)context;
    (void)body;
    (void)size;
    pa_link_server_peer(peer);
    pa_buffer_bytes(reply, peer, sizeof peer);
    return 200;
}

static const struct pa_link_route routes[] = {
    {"GET", "/where", 0, where}, {"POST", "/echo", 100000, echo},      {"GET", "/doze", 0, doze},
    {"GET", "/flood", 0, flood}, {"POST", "/conflict", 100, conflict},
};

struct station {
    struct pa_link_server *server;
    struct pa_hash pin;
    char token[PA_LINK_TOKEN_BYTES];
    char url[PA_LINK_URL_BYTES];
};

static int open_station(void **state) {
    static struct station station;
    struct pa_error error = {0};
    struct pa_key *key = NULL;
    uint8_t point[PA_PUBLIC_KEY_BYTES];
    assert_int_equal(pa_link_token_draw(station.token, &error), PA_OK);
    assert_int_equal(pa_key_generate(&key, &error), PA_OK);
    pa_key_public(key, point);
    pa_link_pin(point, &station.pin);
    const struct pa_link_server_options options = {.listen = "127.0.0.1:0",
                                                   .key = key,
                                                   .common_name = "test",
                                                   .token = station.token,
                                                   .routes = routes,
                                                   .route_count = sizeof routes / sizeof routes[0],
                                                   .pages = pages,
                                                   .page_count = sizeof pages / sizeof pages[0],
                                                   .piece_ns = 300 * ms,
                                                   .most_connections = 16,
                                                   .idle_s = 600,
                                                   .body_ns = 1000 * ms};
    int code = pa_link_server_start(&options, &station.server, &error);
    if (code != PA_OK)
        fail_msg("%s", error.text);
    pa_key_free(key);
    snprintf(station.url, sizeof station.url, "https://127.0.0.1:%u",
             (unsigned)pa_link_server_port(station.server));
    *state = &station;
    return 0;
}

static int close_station(void **state) {
    pa_link_server_stop(((struct station *)*state)->server);
    return 0;
}

static struct pa_link_client *client_of(const char *url, struct pa_hash pin, const char *token) {
    struct pa_link_client *client = NULL;
    struct pa_error error = {0};
    const struct pa_link_client_options options = {
        .url = url, .pin = pin, .token = token, .peer = "the hub", .failure = PA_EHUB};
    if (pa_link_client_open(&options, &client, &error) != PA_OK)
        fail_msg("%s", error.text);
    return client;
}

/* One request with a deadline `wait_ms` from now; the whole must end within five seconds of it. */
static int ask(struct pa_link_client *client, const char *method, const char *path,
               const void *body, size_t size, size_t most, uint64_t wait_ms,
               struct pa_buffer *reply, struct pa_error *error) {
    uint64_t deadline = pa_clock_raw_ns() + wait_ms * ms;
    *error = (struct pa_error){0};
    int code = pa_link_request(client, method, path, body, size, most, deadline, reply, error);
    assert_true(pa_clock_raw_ns() < deadline + 5000 * ms);
    return code;
}

static void a_body_comes_back_as_it_was_sent(void **state) {
    struct station *station = *state;
    struct pa_link_client *client = client_of(station->url, station->pin, station->token);
    struct pa_error error;
    struct pa_buffer reply = {0};
    uint8_t body[100000];
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 7 + i / 256);
    for (int round = 0; round < 3; round++) {
        pa_buffer_clear(&reply);
        if (ask(client, "POST", "/echo", body, sizeof body, sizeof body, 5000, &reply, &error) != 0)
            fail_msg("%s", error.text);
        assert_int_equal(reply.size, sizeof body);
        assert_memory_equal(reply.data, body, sizeof body);
    }
    pa_buffer_clear(&reply);
    assert_int_equal(ask(client, "POST", "/echo", NULL, 0, 10, 5000, &reply, &error), PA_OK);
    assert_int_equal(reply.size, 0);
    pa_buffer_free(&reply);
    pa_link_client_close(client);
}

/* Bodies that are promised and never come: of one address, and of all. */
static void nobody_takes_all_the_room_for_bodies(void **state) {
    static const uint8_t one[PA_LINK_PEER_BYTES] = {1}, other[PA_LINK_PEER_BYTES] = {2},
                         third[PA_LINK_PEER_BYTES] = {3};
    struct pa_link_room room;
    (void)state;
    pa_link_room_init(&room, 100, 60);
    assert_true(pa_link_room_take(&room, one, 60));
    assert_false(pa_link_room_take(&room, one, 1));
    assert_true(pa_link_room_take(&room, one, 0));
    assert_true(pa_link_room_take(&room, other, 30));
    assert_false(pa_link_room_take(&room, third, 20));
    assert_false(pa_link_room_take(&room, third, SIZE_MAX));
    assert_true(pa_link_room_take(&room, third, 10));
    pa_link_room_give(&room, one, 60);
    assert_int_equal(room.taken, 40);
    assert_int_equal(room.count, 2);
    assert_true(pa_link_room_take(&room, third, 50));
    assert_false(pa_link_room_take(&room, third, 1));
    for (int i = 0; i < 100; i++) {
        uint8_t peer[PA_LINK_PEER_BYTES] = {9, (uint8_t)i};
        assert_true(pa_link_room_take(&room, peer, 0));
    }
    assert_int_equal(room.count, 2);
    pa_link_room_free(&room);
    pa_link_room_init(&room, 0, 0);
    assert_true(pa_link_room_take(&room, one, SIZE_MAX / 2));
    pa_link_room_free(&room);
}

static void a_handler_knows_where_the_client_is(void **state) {
    static const uint8_t here[PA_LINK_PEER_BYTES] = {[10] = 0xFF, 0xFF, 127, 0, 0, 1};
    struct station *station = *state;
    struct pa_link_client *client = client_of(station->url, station->pin, station->token);
    struct pa_error error;
    struct pa_buffer reply = {0};
    assert_int_equal(ask(client, "GET", "/where", NULL, 0, 100, 5000, &reply, &error), PA_OK);
    assert_int_equal(reply.size, sizeof here);
    assert_memory_equal(reply.data, here, sizeof here);
    pa_buffer_free(&reply);
    pa_link_client_close(client);
}

static void another_key_is_refused_at_once(void **state) {
    struct station *station = *state;
    struct pa_hash pin = station->pin;
    pin.bytes[31] ^= 1;
    struct pa_link_client *client = client_of(station->url, pin, station->token);
    struct pa_error error;
    struct pa_buffer reply = {0};
    uint64_t begin = pa_clock_raw_ns();
    assert_int_equal(ask(client, "POST", "/echo", "x", 1, 10, 60000, &reply, &error), PA_EHUB);
    assert_true(pa_clock_raw_ns() - begin < 30000 * ms);
    assert_non_null(strstr(error.text, "another key"));
    assert_int_equal(pa_link_client_status(client), -1);
    assert_int_equal(reply.size, 0);
    pa_link_client_close(client);
}

static void a_wrong_token_is_refused_at_once(void **state) {
    struct station *station = *state;
    char wrong[PA_LINK_TOKEN_BYTES];
    memcpy(wrong, station->token, sizeof wrong);
    wrong[63] = wrong[63] == '0' ? '1' : '0';
    const char *tokens[] = {wrong, "short", NULL};
    for (size_t i = 0; i < 3; i++) {
        struct pa_link_client *client = client_of(station->url, station->pin, tokens[i]);
        struct pa_error error;
        struct pa_buffer reply = {0};
        assert_int_equal(ask(client, "POST", "/echo", "x", 1, 10, 60000, &reply, &error), PA_EHUB);
        assert_non_null(strstr(error.text, "refuses our token"));
        assert_int_equal(pa_link_client_status(client), 401);
        pa_buffer_free(&reply);
        pa_link_client_close(client);
    }
}

static void bodies_are_bounded_on_both_sides(void **state) {
    struct station *station = *state;
    struct pa_link_client *client = client_of(station->url, station->pin, station->token);
    struct pa_error error;
    struct pa_buffer reply = {0};
    uint8_t body[101] = {0};
    assert_int_equal(
        ask(client, "POST", "/conflict", body, sizeof body, 1000, 5000, &reply, &error), PA_EHUB);
    assert_int_equal(pa_link_client_status(client), 413);
    assert_int_equal(ask(client, "GET", "/flood", NULL, 0, 65535, 5000, &reply, &error), PA_EINPUT);
    assert_non_null(strstr(error.text, "more than 65535 bytes"));
    assert_int_equal(reply.size, 0);
    assert_int_equal(ask(client, "GET", "/flood", NULL, 0, 65536, 5000, &reply, &error), PA_OK);
    assert_int_equal(reply.size, 65536);
    pa_buffer_free(&reply);
    pa_link_client_close(client);
}

static void refusals_carry_their_reason_and_no_control_bytes(void **state) {
    struct station *station = *state;
    struct pa_link_client *client = client_of(station->url, station->pin, station->token);
    struct pa_error error;
    struct pa_buffer reply = {0};
    assert_int_equal(ask(client, "POST", "/conflict", "x", 1, 1000, 5000, &reply, &error), PA_EHUB);
    assert_int_equal(pa_link_client_status(client), 409);
    assert_non_null(strstr(error.text, "taken?[2J"));
    assert_int_equal(ask(client, "POST", "/nowhere", "x", 1, 1000, 5000, &reply, &error), PA_EHUB);
    assert_int_equal(pa_link_client_status(client), 404);
    assert_int_equal(ask(client, "GET", "/echo", NULL, 0, 1000, 5000, &reply, &error), PA_EHUB);
    assert_int_equal(pa_link_client_status(client), 405);
    pa_buffer_free(&reply);
    pa_link_client_close(client);
}

static void a_slow_peer_is_a_timeout(void **state) {
    struct station *station = *state;
    struct pa_link_client *client = client_of(station->url, station->pin, station->token);
    struct pa_error error;
    struct pa_buffer reply = {0};
    assert_int_equal(ask(client, "GET", "/doze", NULL, 0, 100, 700, &reply, &error), PA_ETIMEOUT);
    assert_non_null(strstr(error.text, "did not answer in time"));
    assert_int_equal(ask(client, "GET", "/doze", NULL, 0, 100, 20000, &reply, &error), PA_OK);
    assert_memory_equal(reply.data, "late", 4);
    /* Over the connection of before, too. */
    assert_int_equal(ask(client, "GET", "/doze", NULL, 0, 100, 700, &reply, &error), PA_ETIMEOUT);
    assert_non_null(strstr(error.text, "did not answer in time"));
    pa_buffer_free(&reply);
    pa_link_client_close(client);
}

/* A peer that speaks no TLS: it accepts, and closes or keeps still. */
struct mute {
    int fd;
    bool closes;
    pthread_t thread;
};

static void *mute_body(void *context) {
    struct mute *mute = context;
    int held[64], count = 0;
    for (int fd; count < 64 && (fd = accept(mute->fd, NULL, NULL)) >= 0;) {
        if (mute->closes)
            close(fd);
        else
            held[count++] = fd;
    }
    while (count > 0)
        close(held[--count]);
    return NULL;
}

static uint16_t open_mute(struct mute *mute) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    mute->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(mute->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(mute->fd, 16), 0);
    assert_int_equal(getsockname(mute->fd, (struct sockaddr *)&at, &length), 0);
    assert_int_equal(pa_thread_start(&mute->thread, mute_body, mute, NULL), PA_OK);
    return ntohs(at.sin_port);
}

static void a_peer_that_closes_or_hangs_ends_at_the_deadline(void **state) {
    struct station *station = *state;
    for (int closes = 0; closes < 2; closes++) {
        struct mute mute = {.closes = closes == 1};
        char url[64];
        snprintf(url, sizeof url, "https://127.0.0.1:%u", (unsigned)open_mute(&mute));
        struct pa_link_client *client = client_of(url, station->pin, station->token);
        struct pa_error error;
        struct pa_buffer reply = {0};
        int code = ask(client, "POST", "/echo", "x", 1, 10, 800, &reply, &error);
        assert_true(code == PA_EHUB || code == PA_ETIMEOUT);
        assert_non_null(strstr(error.text, "the hub at https://127.0.0.1:"));
        pa_link_client_close(client);
        shutdown(mute.fd, SHUT_RDWR);
        pthread_join(mute.thread, NULL);
        close(mute.fd);
    }
}

static void nobody_there_is_tried_until_the_deadline(void **state) {
    struct station *station = *state;
    struct pa_link_client *client = client_of("https://127.0.0.1:1", station->pin, NULL);
    struct pa_error error;
    struct pa_buffer reply = {0};
    uint64_t begin = pa_clock_raw_ns();
    assert_int_equal(ask(client, "POST", "/echo", "x", 1, 10, 600, &reply, &error), PA_EHUB);
    assert_true(pa_clock_raw_ns() - begin >= 600 * ms);
    assert_non_null(strstr(error.text, "cannot reach the hub at https://127.0.0.1:1"));
    assert_non_null(strstr(error.text, "tries)"));
    pa_link_client_close(client);
}

static void garbage_does_not_stop_the_server(void **state) {
    struct station *station = *state;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(pa_link_server_port(station->server))};
    for (unsigned round = 0; round < 8; round++) {
        uint8_t noise[1000];
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)((i * 2654435761u + round * 97) >> 5);
        assert_true(send(fd, noise, sizeof noise, MSG_NOSIGNAL) > 0);
        close(fd);
    }
    a_body_comes_back_as_it_was_sent(state);
}

static void a_bad_address_is_a_usage_error(void **state) {
    struct station *station = *state;
    static const char *const bad[] = {"localhost", "127.0.0.1:99999", "127.0.0.1:x", "1.2.3.4:0"};
    struct pa_key *key = NULL;
    assert_int_equal(pa_key_generate(&key, NULL), PA_OK);
    for (size_t i = 0; i <= 4; i++) {
        char taken[64];
        snprintf(taken, sizeof taken, "127.0.0.1:%u",
                 (unsigned)pa_link_server_port(station->server));
        struct pa_link_server_options options = {.listen = i < 4 ? bad[i] : taken,
                                                 .key = key,
                                                 .common_name = "test",
                                                 .routes = routes,
                                                 .route_count = 1,
                                                 .most_connections = 1,
                                                 .idle_s = 1,
                                                 .body_ns = ms};
        struct pa_link_server *server = NULL;
        struct pa_error error = {0};
        assert_int_equal(pa_link_server_start(&options, &server, &error), PA_EUSAGE);
        assert_non_null(strstr(error.text, options.listen));
        assert_null(server);
    }
    pa_key_free(key);
    struct pa_link_client *client = NULL;
    const struct pa_link_client_options options = {
        .url = "http://127.0.0.1:1", .peer = "the hub", .failure = PA_EHUB};
    assert_int_equal(pa_link_client_open(&options, &client, NULL), PA_EUSAGE);
}

static void a_proxy_in_the_environment_is_not_used(void **state) {
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    a_body_comes_back_as_it_was_sent(state);
    unsetenv("https_proxy");
    unsetenv("ALL_PROXY");
}

static void a_page_is_for_anybody_and_a_stream_for_who_has_the_token(void **state) {
    struct station *station = *state;
    struct pa_link_client *stranger = client_of(station->url, station->pin, NULL);
    struct pa_error error;
    struct pa_buffer reply = {0};
    char path[128];
    assert_int_equal(ask(stranger, "GET", "/page", NULL, 0, 100, 20000, &reply, &error), PA_OK);
    assert_int_equal(reply.size, 6);
    assert_memory_equal(reply.data, "a page", 6);
    assert_int_equal(ask(stranger, "GET", "/short", NULL, 0, 100, 20000, &reply, &error), PA_EHUB);
    assert_int_equal(pa_link_client_status(stranger), 401);
    snprintf(path, sizeof path, "/short?token=%.63s%c", station->token,
             station->token[63] == '0' ? '1' : '0');
    assert_int_equal(ask(stranger, "GET", path, NULL, 0, 100, 20000, &reply, &error), PA_EHUB);
    assert_int_equal(pa_link_client_status(stranger), 401);
    /* The token in the address is for streams alone. */
    snprintf(path, sizeof path, "/flood?token=%s", station->token);
    assert_int_equal(ask(stranger, "GET", path, NULL, 0, 100, 20000, &reply, &error), PA_EHUB);
    assert_int_equal(pa_link_client_status(stranger), 401);
    atomic_store(&pieces_asked, 0);
    pa_buffer_clear(&reply);
    snprintf(path, sizeof path, "/short?token=%s", station->token);
    assert_int_equal(ask(stranger, "GET", path, NULL, 0, 100, 20000, &reply, &error), PA_OK);
    assert_int_equal(reply.size, 18);
    assert_memory_equal(reply.data, "piece piece piece ", 18);
    snprintf(path, sizeof path, "/short?name=nobody&token=%s", station->token);
    assert_int_equal(ask(stranger, "GET", path, NULL, 0, 100, 20000, &reply, &error), PA_EHUB);
    assert_int_equal(pa_link_client_status(stranger), 404);
    assert_non_null(strstr(error.text, "nobody is here"));
    pa_buffer_free(&reply);
    pa_link_client_close(stranger);
}

/* A reader of a stream that takes nothing after it has asked. */
struct stuck {
    SSL_CTX *context;
    SSL *link;
    int fd;
};

static void stuck_open(struct stuck *stuck, const struct station *station) {
    char request[256];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(pa_link_server_port(station->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    stuck->context = SSL_CTX_new(TLS_client_method());
    stuck->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(stuck->fd, (struct sockaddr *)&address, sizeof address), 0);
    stuck->link = SSL_new(stuck->context);
    SSL_set_fd(stuck->link, stuck->fd);
    assert_int_equal(SSL_connect(stuck->link), 1);
    int length = snprintf(request, sizeof request,
                          "GET /endless?token=%s HTTP/1.1\r\nHost: x\r\n\r\n", station->token);
    assert_int_equal(SSL_write(stuck->link, request, length), length);
}

static void stuck_close(struct stuck *stuck) {
    SSL_free(stuck->link);
    SSL_CTX_free(stuck->context);
    close(stuck->fd);
}

static bool comes_to(const atomic_int *counter, int value) {
    uint64_t until = pa_clock_raw_ns() + 60000 * ms;
    while (atomic_load(counter) != value && pa_clock_raw_ns() < until)
        pa_clock_sleep(20 * ms);
    return atomic_load(counter) == value;
}

static void a_reader_that_takes_nothing_gives_way_to_the_next(void **state) {
    struct station *station = *state;
    struct stuck stuck, next;
    assert_true(comes_to(&streams_open, 0));
    atomic_store(&pieces_asked, 100);
    stuck_open(&stuck, station);
    assert_true(comes_to(&streams_open, 1));
    /* It is given one piece and no other, however long it takes. */
    assert_true(comes_to(&pieces_asked, 101));
    pa_clock_sleep(1000 * ms);
    assert_int_equal(atomic_load(&pieces_asked), 101);
    stuck_open(&next, station);
    assert_true(comes_to(&pieces_asked, 102));
    assert_true(comes_to(&streams_open, 1));
    stuck_close(&stuck);
    stuck_close(&next);
    assert_true(comes_to(&streams_open, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_back_as_it_was_sent),
        cmocka_unit_test(nobody_takes_all_the_room_for_bodies),
        cmocka_unit_test(a_handler_knows_where_the_client_is),
        cmocka_unit_test(another_key_is_refused_at_once),
        cmocka_unit_test(a_wrong_token_is_refused_at_once),
        cmocka_unit_test(bodies_are_bounded_on_both_sides),
        cmocka_unit_test(refusals_carry_their_reason_and_no_control_bytes),
        cmocka_unit_test(a_slow_peer_is_a_timeout),
        cmocka_unit_test(a_peer_that_closes_or_hangs_ends_at_the_deadline),
        cmocka_unit_test(nobody_there_is_tried_until_the_deadline),
        cmocka_unit_test(garbage_does_not_stop_the_server),
        cmocka_unit_test(a_bad_address_is_a_usage_error),
        cmocka_unit_test(a_proxy_in_the_environment_is_not_used),
        cmocka_unit_test(a_page_is_for_anybody_and_a_stream_for_who_has_the_token),
        cmocka_unit_test(a_reader_that_takes_nothing_gives_way_to_the_next),
    };
    return cmocka_run_group_tests(tests, open_station, close_station);
}
