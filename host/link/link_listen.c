/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server listens. */
#include "base/number.h"
#include "link/link_plain.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

/* Split "HOST:PORT" into its parts; an empty host means every interface. */
static int split_address(const char *listen, char *host, size_t host_size, char *port,
                         size_t port_size, struct pa_error *error) {
    const char *colon = strrchr(listen, ':');
    uint64_t number;
    if (colon == NULL || pa_whole_parse(colon + 1, 0, 65535, &number, NULL) != PA_OK)
        return pa_fail(
            error, PA_EUSAGE,
            "listening on \"%s\": expected ADDRESS:PORT with a port of 0 to 65535, as in "
            "0.0.0.0:7400 or [::]:7400",
            listen);
    size_t length = (size_t)(colon - listen);
    if (length >= 2 && listen[0] == '[' && listen[length - 1] == ']') {
        listen++;
        length -= 2;
    }
    if (length >= host_size)
        return pa_fail(error, PA_EUSAGE, "listening on \"%s\": the address is too long", listen);
    memcpy(host, listen, length);
    host[length] = '\0';
    snprintf(port, port_size, "%u", (unsigned)number);
    return PA_OK;
}

/* A listening socket on `at`, or -1 with errno. */
static int listen_at(const struct addrinfo *at) {
    int one = 1, zero = 0;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* inherited by connections */
    if (at->ai_family == AF_INET6)                              /* one socket for both families */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

int pa_link_listen(const char *listen, int *out, uint16_t *port, struct pa_error *error) {
    char host[256], service[8];
    PA_TRY(split_address(listen, host, sizeof host, service, sizeof service, error));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    int code = getaddrinfo(host[0] != '\0' ? host : NULL, service, &hints, &found);
    if (code != 0)
        return pa_fail(error, PA_EUSAGE, "listening on \"%s\": %s", listen, gai_strerror(code));
    int fd = -1;
    /* IPv6 first: its wildcard takes both. Where there is no IPv6, the next one serves. */
    for (int pass = 0; pass < 2 && fd < 0; pass++)
        for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next)
            if ((at->ai_family == AF_INET6) == (pass == 0))
                fd = listen_at(at);
    freeaddrinfo(found);
    if (fd < 0)
        return pa_fail(error, PA_EUSAGE, "listening on \"%s\": %s", listen, strerror(errno));
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } bound = {.any = {0}};
    socklen_t length = sizeof bound;
    if (getsockname(fd, &bound.any, &length) != 0) {
        code = pa_fail(error, PA_EINTERNAL, "listening on \"%s\": %s", listen, strerror(errno));
        close(fd);
        return code;
    }
    *port = ntohs(bound.any.sa_family == AF_INET6 ? bound.six.sin6_port : bound.four.sin_port);
    *out = fd;
    return PA_OK;
}
