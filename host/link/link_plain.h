/* SPDX-License-Identifier: Apache-2.0 */
/* link_plain.h - one page over plain HTTP, for what anybody may read: figures that a scraper takes.
 *
 * No TLS, no token, no body: a GET of one path is answered, everything else refused. Nothing that
 * steers a session goes this way.
 */
#ifndef PA_LINK_LINK_PLAIN_H
#define PA_LINK_LINK_PLAIN_H

#include "base/bytes.h"
#include "base/error.h"

struct pa_link_plain_options {
    const char *listen;       /* "ADDRESS:PORT", "[ADDRESS]:PORT", ":PORT" */
    const char *path;         /* "/metrics"; borrowed, as is all else */
    const char *content_type; /* of its answer */
    void (*fill)(void *context, struct pa_buffer *page); /* called on the server's own thread */
    void *context;
    unsigned most_connections;
    unsigned idle_s; /* a connection without a byte for so long is closed */
};

struct pa_link_plain;

/* PA_EUSAGE for an address that cannot be understood or taken. */
int pa_link_plain_start(const struct pa_link_plain_options *options, struct pa_link_plain **out,
                        struct pa_error *error);
uint16_t pa_link_plain_port(const struct pa_link_plain *server);
/* NULL is fine. */
void pa_link_plain_stop(struct pa_link_plain *server);

/* Of both servers: a listening socket at an address, and the port that it got. */
int pa_link_listen(const char *listen, int *out, uint16_t *port, struct pa_error *error);

#endif
