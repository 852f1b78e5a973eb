/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_plain.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER_BYTES = 16384 };

struct pa_link_plain {
    struct pa_link_plain_options options;
    struct MHD_Daemon *daemon;
    uint16_t port;
};

/* Takes the text over. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              const char *content_type, struct pa_buffer *text) {
    struct MHD_Response *response =
        text->failed
            ? NULL
            : MHD_create_response_from_buffer(text->size, text->data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        pa_buffer_free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", content_type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *size, void **state) {
    static int is_begun;
    struct pa_link_plain *server = context;
    struct pa_buffer text = {0};
    (void)version;
    (void)data;
    /* Called once with the headers; an answer then would close the connection. */
    if (*state == NULL) {
        *state = &is_begun;
        return MHD_YES;
    }
    if (*size > 0)
        return MHD_NO;
    if (strcmp(path, server->options.path) != 0) {
        pa_buffer_text(&text, "no such page\n");
        return answer(connection, MHD_HTTP_NOT_FOUND, "text/plain", &text);
    }
    if (strcmp(method, "GET") != 0) {
        pa_buffer_text(&text, "this page can only be read\n");
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", &text);
    }
    server->options.fill(server->options.context, &text);
    return answer(connection, MHD_HTTP_OK, server->options.content_type, &text);
}

static void on_log(void *context, const char *format, va_list arguments) {
    (void)context;
    (void)format;
    (void)arguments;
}

int pa_link_plain_start(const struct pa_link_plain_options *options, struct pa_link_plain **out,
                        struct pa_error *error) {
    struct pa_link_plain *server = calloc(1, sizeof *server);
    int fd = -1;
    *out = NULL;
    if (server == NULL)
        return pa_fail(error, PA_EMEMORY, "starting a server: out of memory");
    server->options = *options;
    int code = pa_link_listen(options->listen, &fd, &server->port, error);
    if (code != PA_OK) {
        free(server);
        return code;
    }
    /* Its thread must not take Ctrl-C from the main thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, options->most_connections, MHD_OPTION_CONNECTION_TIMEOUT,
        options->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (server->daemon == NULL) {
        close(fd);
        free(server);
        return pa_fail(error, PA_EINTERNAL, "starting a server: libmicrohttpd refused");
    }
    *out = server;
    return PA_OK;
}

uint16_t pa_link_plain_port(const struct pa_link_plain *server) {
    return server->port;
}

void pa_link_plain_stop(struct pa_link_plain *server) {
    if (server == NULL)
        return;
    MHD_stop_daemon(server->daemon);
    free(server);
}
