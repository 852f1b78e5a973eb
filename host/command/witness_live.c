/* SPDX-License-Identifier: Apache-2.0 */
#include "command/witness_live.h"

#include "command/terminal.h"

#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_PORT = 7412,
    /* Browsers hold some more than the one of their stream while they load the page. */
    MOST_CONNECTIONS = 3 * PA_LIVE_MOST_VIEWERS,
    IDLE_S = 2 * PA_LIVE_SECONDS_A_MESSAGE,
};

static int start_server(const char *listen, const struct pa_key *key, struct pa_witness_live *page,
                        struct pa_error *error) {
    const struct pa_link_server_options options = {.listen = listen,
                                                   .key = key,
                                                   .common_name = "petaudit witness",
                                                   .token = page->token,
                                                   .pages = pa_live_pages,
                                                   .page_count = pa_live_page_count,
                                                   .context = page->live,
                                                   .most_connections = MOST_CONNECTIONS,
                                                   .idle_s = IDLE_S,
                                                   .body_ns = UINT64_C(10000000000),
                                                   .headers = pa_live_page_headers,
                                                   .piece_ns = PA_LIVE_SECONDS_A_MESSAGE *
                                                               UINT64_C(1000000000)};
    PA_TRY(pa_link_server_start(&options, &page->server, error));
    const char *colon = strrchr(listen, ':');
    snprintf(page->listen, sizeof page->listen, "%.*s:%u", (int)(colon - listen), listen,
             (unsigned)pa_link_server_port(page->server));
    return PA_OK;
}

int pa_witness_live_start(const char *listen, const char *folder, const struct pa_key *key,
                          struct pa_witness_live *out, struct pa_error *error) {
    char standard[32];
    *out = (struct pa_witness_live){0};
    if (listen != NULL && strcmp(listen, "off") == 0)
        return PA_OK;
    snprintf(standard, sizeof standard, "127.0.0.1:%d", DEFAULT_PORT);
    PA_TRY(pa_live_page_token(folder, out->token, error));
    PA_TRY(pa_live_open(folder, &out->live, error));
    int code = start_server(listen != NULL ? listen : standard, key, out, error);
    if (code == PA_EUSAGE && listen == NULL) {
        code = start_server("127.0.0.1:0", key, out, error);
        if (code == PA_OK)
            pa_say("port %d of this machine is taken: the live page has another one, which will "
                   "change with a restart; --live ADDRESS:PORT chooses one",
                   DEFAULT_PORT);
    }
    if (code != PA_OK) {
        pa_witness_live_stop(out);
        return pa_fail_in(error, "the live page");
    }
    return PA_OK;
}

void pa_witness_live_stop(struct pa_witness_live *page) {
    pa_live_stop(page->live);
    pa_link_server_stop(page->server);
    pa_live_close(page->live);
    *page = (struct pa_witness_live){0};
}
