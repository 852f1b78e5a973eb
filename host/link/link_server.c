/* SPDX-License-Identifier: Apache-2.0 */
/* The serving side, over libmicrohttpd: with one thread a connection, so that a handler may wait,
 * or with one thread for very many connections. */
#include "base/clock.h"
#include "base/number.h"
#include "link/link.h"
#include "link/link_plain.h"
#include "link/link_room.h"
#include "link/link_stream.h"
#include "link/link_visits.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CERTIFICATE_DAYS = 30,
    /* TLS and JSON-free handlers need little; a thousand connections are a thousand stacks. */
    STACK_BYTES = 512 * 1024,
    HEADER_MEMORY_BYTES = 32 * 1024,
};

struct pa_link_server {
    struct MHD_Daemon *daemon;
    struct pa_link_route *routes;
    size_t route_count;
    const struct pa_link_page *pages;
    size_t page_count;
    void *context;
    char token[PA_LINK_TOKEN_BYTES]; /* empty: none wanted */
    size_t (*admit)(void *context, const char *bearer);
    struct pa_link_room room;
    uint64_t body_ns;
    void (*closed)(void *context, uint64_t connection, uint64_t tag);
    struct pa_link_visits visits;
    const char *const *headers;
    struct pa_link_streams streams;
    uint16_t port;
};

struct pa_link_request {
    struct MHD_Connection *connection;
};

/* Of the connection whose handler runs on this thread. */
static _Thread_local struct pa_link_server *current_server;
static _Thread_local struct pa_link_visit *current_visit;
static _Thread_local bool current_was_held;
static _Thread_local uint8_t current_peer[PA_LINK_PEER_BYTES];

/* One request while it arrives. */
struct arrival {
    struct pa_link_server *server;
    const struct pa_link_route *route;
    const struct pa_link_page *page; /* in place of a route */
    size_t most_bytes, reserved_bytes;
    uint8_t peer[PA_LINK_PEER_BYTES];
    uint64_t begin_ns;
    bool was_held;
    struct pa_buffer body;
};

/* NULL when there was no memory for one. */
static struct pa_link_visit *visit_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

/* Queue and release `response`, which may be NULL. */
static enum MHD_Result send_response(const struct pa_link_server *server,
                                     struct MHD_Connection *connection, unsigned status,
                                     struct MHD_Response *response) {
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Cache-Control", "no-store");
    for (const char *const *header = server->headers; header != NULL && *header != NULL;
         header += 2)
        MHD_add_response_header(response, header[0], header[1]);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result reply_with(const struct pa_link_server *server,
                                  struct MHD_Connection *connection, unsigned status,
                                  struct pa_buffer *reply) {
    /* The buffer's memory goes to the response, which frees it once it is sent. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->size, reply->data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        pa_buffer_free(reply);
    *reply = (struct pa_buffer){0};
    return send_response(server, connection, status, response);
}

static enum MHD_Result refuse(const struct pa_link_server *server,
                              struct MHD_Connection *connection, unsigned status,
                              const char *text) {
    struct pa_buffer reply = {0};
    pa_buffer_text(&reply, text);
    return reply_with(server, connection, status, &reply);
}

static enum MHD_Result send_content(const struct pa_link_server *server,
                                    struct MHD_Connection *connection,
                                    const struct pa_link_content *content) {
    /* Nobody writes to memory that is persistent; the cast is libmicrohttpd's. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        content->size, (void *)(uintptr_t)content->data, MHD_RESPMEM_PERSISTENT);
    if (response != NULL)
        MHD_add_response_header(response, "Content-Type", content->type);
    return send_response(server, connection, MHD_HTTP_OK, response);
}

const char *pa_link_argument(const struct pa_link_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result send_stream(struct pa_link_server *server, struct MHD_Connection *connection,
                                   const struct pa_link_stream_kind *kind) {
    const struct pa_link_request request = {connection};
    struct pa_buffer refusal = {0};
    void *stream = NULL;
    unsigned status = kind->open(server->context, &request, &stream, &refusal);
    if (status != MHD_HTTP_OK)
        return reply_with(server, connection, status, &refusal);
    pa_buffer_free(&refusal);
    struct MHD_Response *response =
        pa_link_stream_respond(&server->streams, connection, kind, stream);
    if (response != NULL)
        MHD_add_response_header(response, "Content-Type", kind->type);
    return send_response(server, connection, MHD_HTTP_OK, response);
}

/* What stands behind "Bearer ", or NULL. */
static const char *bearer_of(struct MHD_Connection *connection) {
    static const char scheme[] = "Bearer ";
    const char *given = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    return given != NULL && strncmp(given, scheme, sizeof scheme - 1) == 0
               ? given + sizeof scheme - 1
               : NULL;
}

static bool token_is_right(const struct pa_link_server *server, const char *given) {
    if (server->token[0] == '\0')
        return true;
    if (given == NULL || strlen(given) != PA_LINK_TOKEN_BYTES - 1)
        return false;
    /* Every byte is looked at, so that the time says nothing about the first wrong one. */
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < PA_LINK_TOKEN_BYTES - 1; i++)
        difference = (unsigned char)(difference | (given[i] ^ server->token[i]));
    return difference == 0;
}

static const struct pa_link_route *find_route(const struct pa_link_server *server,
                                              const char *method, const char *path,
                                              bool *path_is_known) {
    *path_is_known = false;
    for (size_t i = 0; i < server->route_count; i++) {
        if (strcmp(server->routes[i].path, path) != 0)
            continue;
        *path_is_known = true;
        if (strcmp(server->routes[i].method, method) == 0)
            return &server->routes[i];
    }
    return NULL;
}

static const struct pa_link_page *find_page(const struct pa_link_server *server, const char *method,
                                            const char *path) {
    for (size_t i = 0; strcmp(method, "GET") == 0 && i < server->page_count; i++)
        if (strcmp(server->pages[i].path, path) == 0)
            return &server->pages[i];
    return NULL;
}

static void peer_of(struct MHD_Connection *connection, uint8_t out[PA_LINK_PEER_BYTES]) {
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    memset(out, 0, PA_LINK_PEER_BYTES);
    if (address != NULL && address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        memcpy(out, mapped, sizeof mapped);
        memcpy(out + sizeof mapped, &four.sin_addr, 4);
    } else if (address != NULL && address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof six);
        bool is_four = memcmp(&six.sin6_addr, mapped, sizeof mapped) == 0;
        memcpy(out, &six.sin6_addr, is_four ? 16 : 8);
    }
}

/* The headers are here, nothing of the body yet. A refusal at this point makes libmicrohttpd drop
 * the body and close the connection. */
static enum MHD_Result begin(struct pa_link_server *server, struct MHD_Connection *connection,
                             const char *path, const char *method, void **state) {
    const char *bearer = bearer_of(connection);
    const struct pa_link_page *page = find_page(server, method, path);
    if (bearer == NULL && page != NULL && page->stream != NULL)
        bearer = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "token");
    bool is_open = page != NULL && page->content != NULL;
    if (!is_open && !token_is_right(server, bearer))
        return refuse(server, connection, MHD_HTTP_UNAUTHORIZED, "the token is missing or wrong");
    struct pa_link_visit *visit = visit_of(connection);
    if (!is_open && visit != NULL)
        pa_link_visit_prove(&server->visits, visit);
    bool path_is_known = false;
    const struct pa_link_route *route =
        page != NULL ? NULL : find_route(server, method, path, &path_is_known);
    if (page == NULL && route == NULL)
        return path_is_known
                   ? refuse(server, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "no such method")
                   : refuse(server, connection, MHD_HTTP_NOT_FOUND, "no such path");
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    size_t most_bytes = route != NULL ? route->most_bytes : 0;
    if (server->admit != NULL && route != NULL) {
        size_t admitted = server->admit(server->context, bearer);
        most_bytes = admitted < most_bytes ? admitted : most_bytes;
    }
    uint64_t bytes = most_bytes;
    if (length != NULL && pa_whole_parse(length, 0, most_bytes, &bytes, NULL) != PA_OK)
        return refuse(server, connection, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
    uint8_t peer[PA_LINK_PEER_BYTES];
    peer_of(connection, peer);
    if (!pa_link_room_take(&server->room, peer, (size_t)bytes))
        return refuse(server, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                      "too much is under way: try again");
    struct arrival *arrival = calloc(1, sizeof *arrival);
    if (arrival == NULL) {
        pa_link_room_give(&server->room, peer, (size_t)bytes);
        return MHD_NO;
    }
    *arrival = (struct arrival){.server = server,
                                .route = route,
                                .page = page,
                                .most_bytes = most_bytes,
                                .reserved_bytes = (size_t)bytes,
                                .begin_ns = pa_clock_raw_ns()};
    memcpy(arrival->peer, peer, sizeof peer);
    *state = arrival;
    return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *size, void **state) {
    struct pa_link_server *server = context;
    struct arrival *arrival = *state;
    (void)version;
    if (arrival == NULL)
        return begin(server, connection, path, method, state);
    if (*size > 0) {
        /* A body without a length, or one that trickles in: MHD_NO closes the connection. */
        if (*size > arrival->most_bytes - arrival->body.size ||
            pa_clock_raw_ns() - arrival->begin_ns > server->body_ns)
            return MHD_NO;
        pa_buffer_bytes(&arrival->body, data, *size);
        *size = 0;
        return arrival->body.failed ? MHD_NO : MHD_YES;
    }
    if (arrival->page != NULL)
        return arrival->page->content != NULL
                   ? send_content(server, connection, arrival->page->content)
                   : send_stream(server, connection, arrival->page->stream);
    struct pa_buffer reply = {0};
    current_server = server;
    current_visit = visit_of(connection);
    current_was_held = arrival->was_held;
    memcpy(current_peer, arrival->peer, sizeof current_peer);
    unsigned status =
        arrival->route->handle(server->context, arrival->body.data, arrival->body.size, &reply);
    if (status == PA_LINK_LATER) {
        arrival->was_held = true;
        return MHD_YES;
    }
    if (reply.failed) {
        pa_buffer_free(&reply);
        return refuse(server, connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
    }
    return reply_with(server, connection, status, &reply);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code) {
    (void)context;
    (void)connection;
    (void)code;
    struct arrival *arrival = *state;
    if (arrival != NULL) {
        pa_link_room_give(&arrival->server->room, arrival->peer, arrival->reserved_bytes);
        pa_buffer_free(&arrival->body);
    }
    free(arrival);
    *state = NULL;
}

/* A connection begins and ends; its visit is the pointer that libmicrohttpd keeps for us. */
static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    struct pa_link_server *server = context;
    struct pa_link_visit *visit = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = pa_link_visit_begin(&server->visits, connection);
    } else if (visit != NULL) {
        pa_link_visit_end(&server->visits, visit);
        if (server->closed != NULL)
            server->closed(server->context, visit->number, visit->tag);
        free(visit);
        *socket_context = NULL;
    }
}

/* libmicrohttpd would print to stderr. What goes wrong on a connection is the client's to tell. */
static void on_log(void *context, const char *format, va_list arguments) {
    (void)context;
    (void)format;
    (void)arguments;
}

static int start_daemon(struct pa_link_server *server, const struct pa_link_server_options *options,
                        int fd, struct pa_error *error) {
    struct pa_buffer key = {0}, certificate = {0};
    int code = pa_key_to_pem(options->key, &key, error);
    if (code == PA_OK)
        code = pa_key_certificate_pem(options->key, options->common_name, CERTIFICATE_DAYS,
                                      &certificate, error);
    pa_buffer_bytes(&key, "", 1);
    pa_buffer_bytes(&certificate, "", 1);
    if (code == PA_OK && (key.failed || certificate.failed))
        code = pa_fail(error, PA_EMEMORY, "starting a TLS server: out of memory");
    if (code == PA_OK) {
        /* Its threads must not take Ctrl-C from the main thread, nor die of a closed socket. */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        unsigned manner = options->has_one_thread ? MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME
                                                  : MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
        server->daemon = MHD_start_daemon(
            manner | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS | MHD_USE_ERROR_LOG, 0, NULL,
            NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_KEY, (const char *)key.data,
            MHD_OPTION_HTTPS_MEM_CERT, (const char *)certificate.data, MHD_OPTION_HTTPS_PRIORITIES,
            "SECURE128:-VERS-ALL:+VERS-TLS1.3", MHD_OPTION_CONNECTION_LIMIT,
            options->most_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->most_from_one,
            MHD_OPTION_CONNECTION_TIMEOUT, options->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
            (size_t)HEADER_MEMORY_BYTES, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
            MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION,
            on_connection, server, MHD_OPTION_END);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (server->daemon == NULL)
            code = pa_fail(error, PA_EINTERNAL,
                           "starting a TLS server: libmicrohttpd %s refused (built without TLS, or "
                           "no thread to be had)",
                           MHD_get_version());
    }
    if (key.data != NULL)
        explicit_bzero(key.data, key.size);
    pa_buffer_free(&key);
    pa_buffer_free(&certificate);
    return code;
}

int pa_link_server_start(const struct pa_link_server_options *options, struct pa_link_server **out,
                         struct pa_error *error) {
    *out = NULL;
    unsigned most = options->has_one_thread ? PA_LINK_MOST_SHARED : PA_LINK_MOST_CONNECTIONS;
    if (options->most_connections < 1 || options->most_connections > most ||
        (options->token != NULL && strlen(options->token) != PA_LINK_TOKEN_BYTES - 1))
        return pa_fail(error, PA_EINTERNAL, "starting a server: bad limits or token");
    struct pa_link_server *server = calloc(1, sizeof *server);
    struct pa_link_route *routes = calloc(options->route_count + 1, sizeof *routes);
    if (server == NULL || routes == NULL) {
        free(server);
        free(routes);
        return pa_fail(error, PA_EMEMORY, "starting a server: out of memory");
    }
    if (options->route_count > 0)
        memcpy(routes, options->routes, options->route_count * sizeof *routes);
    server->routes = routes;
    server->route_count = options->route_count;
    server->pages = options->pages;
    server->page_count = options->page_count;
    server->context = options->context;
    server->body_ns = options->body_ns;
    server->admit = options->admit;
    server->closed = options->closed;
    pa_link_room_init(&server->room, options->most_pending_bytes, options->most_pending_from_one);
    server->headers = options->headers;
    pa_link_streams_init(&server->streams, options->piece_ns);
    pa_link_visits_init(&server->visits, options->token != NULL ? options->most_connections : 0);
    if (options->token != NULL)
        memcpy(server->token, options->token, sizeof server->token);
    int fd = -1;
    int code =
        pa_link_listen(options->listen != NULL ? options->listen : ":0", &fd, &server->port, error);
    if (code == PA_OK) {
        code = start_daemon(server, options, fd, error);
        if (code != PA_OK)
            close(fd);
    }
    if (code == PA_OK && options->has_one_thread)
        code = pa_link_visits_watch(&server->visits, error);
    if (code != PA_OK) {
        pa_link_server_stop(server);
        return code;
    }
    *out = server;
    return PA_OK;
}

uint64_t pa_link_server_connection(void) {
    return current_visit != NULL ? current_visit->number : 0;
}

void pa_link_server_tag(uint64_t tag) {
    if (current_visit != NULL)
        current_visit->tag = tag;
}

struct pa_link_visit *pa_link_server_hold(uint64_t until_ns) {
    if (current_visit != NULL)
        pa_link_visit_hold(&current_server->visits, current_visit, until_ns);
    return current_visit;
}

bool pa_link_server_was_held(void) {
    return current_was_held;
}

void pa_link_server_wake(struct pa_link_server *server, struct pa_link_visit *visit) {
    pa_link_visit_wake(&server->visits, visit);
}

void pa_link_server_peer(uint8_t out[PA_LINK_PEER_BYTES]) {
    memcpy(out, current_peer, PA_LINK_PEER_BYTES);
}

uint16_t pa_link_server_port(const struct pa_link_server *server) {
    return server->port;
}

void pa_link_server_stop(struct pa_link_server *server) {
    if (server == NULL)
        return;
    pa_link_visits_stop(&server->visits);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon); /* closes the listening socket, too */
    explicit_bzero(server->token, sizeof server->token);
    pa_link_streams_free(&server->streams);
    pa_link_room_free(&server->room);
    pa_link_visits_free(&server->visits);
    free(server->routes);
    free(server);
}
