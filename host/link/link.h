/* SPDX-License-Identifier: Apache-2.0 */
/* link.h - the door of host/link/: HTTPS between processes of petaudit that know each other's key.
 *
 * A server has a key of its own and no authority behind it: the client knows the SHA-256 of that
 * key beforehand (the pin) and talks to nobody else. A client shows a token that the server
 * compares in constant time; without it nothing of a request's body is read. Bodies are bounded on
 * both sides and every request has a deadline. libmicrohttpd and libcurl live here alone.
 */
#ifndef PA_LINK_LINK_H
#define PA_LINK_LINK_H

#include "base/bytes.h"
#include "base/error.h"
#include "proof/signature.h"

enum {
    PA_LINK_TOKEN_BYTES = 65,        /* 64 hexadecimal digits and the terminating zero */
    PA_LINK_URL_BYTES = 320,         /* of a base URL, with the terminating zero */
    PA_LINK_MOST_CONNECTIONS = 4096, /* with one thread for each */
    PA_LINK_MOST_SHARED = 1 << 17,   /* with one for all of them */
    PA_LINK_LATER = 0,               /* in place of a status: the request is held */
    PA_LINK_PEER_BYTES = 16,
};

/* 32 random bytes as hexadecimal. */
int pa_link_token_draw(char out[PA_LINK_TOKEN_BYTES], struct pa_error *error);
/* SHA-256 over the SubjectPublicKeyInfo of a public key: what both sides call the pin. */
void pa_link_pin(const uint8_t key[PA_PUBLIC_KEY_BYTES], struct pa_hash *out);

/* Answer one request: append to `reply` and return the HTTP status (200, 409, ..). Called on a
 * thread of its connection, several at a time; it may wait for some seconds, not longer, and not at
 * all where one thread serves all connections: there it may be held. A client that loses its
 * connection sends the same request again: handlers must bear that. */
typedef unsigned (*pa_link_handler)(void *context, const void *body, size_t size,
                                    struct pa_buffer *reply);

struct pa_link_route {
    const char *method; /* "GET", "POST" */
    const char *path;   /* "/v1/poll", compared whole */
    size_t most_bytes;  /* of the request's body */
    pa_link_handler handle;
};

/* A fixed answer for browsers, such as the parts of a page. */
struct pa_link_content {
    const char *type; /* "text/html; charset=utf-8" */
    const void *data; /* borrowed */
    size_t size;
};

struct pa_link_request; /* a request while it is answered */
/* The value of `name` in the query of the address, NULL when it is not there. */
const char *pa_link_argument(const struct pa_link_request *request, const char *name);

/* An answer without an end, piece by piece: one thread a stream asks for the next piece when the
 * last one is on its way, so no more than one is ever waiting for a slow reader. */
struct pa_link_stream_kind {
    const char *type; /* "text/event-stream" */
    /* 200 and `*stream`; else another status and the reason as text in `refusal`. */
    unsigned (*open)(void *context, const struct pa_link_request *request, void **stream,
                     struct pa_buffer *refusal);
    /* Append the next piece, waiting for it some seconds at most; one must come now and then, or a
     * reader that has gone is not noticed. False: the stream ends here. */
    bool (*next)(void *stream, struct pa_buffer *out);
    void (*close)(void *stream);
};

/* What a browser may GET: one of the two. */
struct pa_link_page {
    const char *path;                         /* compared whole */
    const struct pa_link_content *content;    /* anybody may have it, token or not */
    const struct pa_link_stream_kind *stream; /* its token may also be the argument "token": a
                                                 browser sends no header of ours */
};

struct pa_link_server_options {
    const char *listen; /* "ADDRESS:PORT", "[ADDRESS]:PORT", ":PORT"; NULL: any free port of every
                           interface. Port 0 is any free one. */
    const struct pa_key *key;
    const char *common_name; /* of the certificate; nobody checks it */
    const char *token;       /* NULL: everybody may ask */
    /* With it, how many bytes a request of this bearer (NULL: it has none) may have at most, asked
     * before any of them is read; NULL: as the route says. */
    size_t (*admit)(void *context, const char *bearer);
    size_t most_pending_bytes;    /* of all bodies together while they arrive and are answered; more
                                     gives 503, and the client tries again. 0: no limit */
    size_t most_pending_from_one; /* of these from one address; 0: all */
    const struct pa_link_route *routes; /* borrowed, as is `context` */
    size_t route_count;
    const struct pa_link_page *pages; /* borrowed */
    size_t page_count;
    void *context;
    bool has_one_thread;       /* for all connections, in place of one for each */
    unsigned most_connections; /* 1 .. PA_LINK_MOST_CONNECTIONS, or PA_LINK_MOST_SHARED. With a
                                  token those that have not shown it are cut off, the oldest first,
                                  as soon as three quarters are taken */
    unsigned most_from_one;    /* of these from one address; 0: all */
    unsigned idle_s;           /* a connection without a byte for so long is closed; above what a
                                  handler may wait */
    uint64_t body_ns;          /* a body that takes longer to arrive is not waited for */
    /* NULL, or called once when a connection has ended, whoever ended it, on that connection's
     * thread, with its tag; no handler of it runs any more. */
    void (*closed)(void *context, uint64_t connection, uint64_t tag);
    const char *const
        *headers;      /* "Name", "value", .., NULL: on every answer; NULL: none. Borrowed */
    uint64_t piece_ns; /* who has not taken a piece of a stream by then is cut off; 0: never */
};

struct pa_link_server;

/* PA_EUSAGE for an address that cannot be understood or taken. */
int pa_link_server_start(const struct pa_link_server_options *options, struct pa_link_server **out,
                         struct pa_error *error);
uint16_t pa_link_server_port(const struct pa_link_server *server);
/* Inside of a handler: the number of the connection that asks, the one that `closed` will name. */
uint64_t pa_link_server_connection(void);
/* Inside of a handler: what `closed` will say of this connection, 0 if nothing is. */
void pa_link_server_tag(uint64_t tag);

/* Inside of a handler of a server with one thread: it then returns PA_LINK_LATER and is asked
 * again, once, when pa_link_server_wake is called, `until_ns` (RAW) is over or the client has hung
 * up. No thread waits for that. The visit is there until `closed` has returned; NULL: answer at
 * once. */
struct pa_link_visit;
struct pa_link_visit *pa_link_server_hold(uint64_t until_ns);
/* Inside of a handler: this request was held already. */
bool pa_link_server_was_held(void);
/* Does nothing when the request is not held any more. */
void pa_link_server_wake(struct pa_link_server *server, struct pa_link_visit *visit);
/* Inside of a handler: where the one that asks is, an IPv6 address (or IPv4 as ::ffff:a.b.c.d) of
 * which the last 64 bits are left out: whoever has one has all of these. */
void pa_link_server_peer(uint8_t out[PA_LINK_PEER_BYTES]);
/* Close every connection and wait for handlers that run; none may hold its request any more. NULL
 * is fine. */
void pa_link_server_stop(struct pa_link_server *server);

struct pa_link_client_options {
    const char *url; /* "https://HOST:PORT" */
    struct pa_hash pin;
    const char *token; /* NULL: none */
    const char *peer;  /* for messages: "the hub", "the witness" */
    int failure; /* PA_EHUB or PA_EWITNESS: the code when the peer is unreachable or refuses */
    /* How long a peer that cannot even be connected to is tried again, where the deadline is later:
     * who works on an answer is connected to. 0: until the deadline. */
    uint64_t reach_ns;
};

struct pa_link_client;

/* Connects nowhere yet. One request at a time; a thread that wants its own makes its own client. */
int pa_link_client_open(const struct pa_link_client_options *options, struct pa_link_client **out,
                        struct pa_error *error);
/* Send one request and append the reply's body to `reply`. Connections that fail are tried again
 * with growing pauses until `deadline_ns` (RAW), or as `reach_ns` says; a key that is not the
 * pinned one, a refused token and any other answer than 200 are not. Returns the client's failure
 * code with the cause, PA_ETIMEOUT when a connected peer did not answer in time, PA_EINPUT for a
 * reply above `most_reply`. */
int pa_link_request(struct pa_link_client *client, const char *method, const char *path,
                    const void *body, size_t size, size_t most_reply, uint64_t deadline_ns,
                    struct pa_buffer *reply, struct pa_error *error);
/* The HTTP status of the last answer, 0 when there was none; -1 when the key was another one. */
int pa_link_client_status(const struct pa_link_client *client);
void pa_link_client_close(struct pa_link_client *client);

#endif
