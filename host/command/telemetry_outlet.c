/* SPDX-License-Identifier: Apache-2.0 */
#include "command/telemetry_outlet.h"

#include "base/base.h"
#include "command/terminal.h"
#include "link/link_plain.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SCRAPERS = 16, IDLE_S = 60 };

#define CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct pa_telemetry_outlet {
    char path[PATH_MAX]; /* empty: it listens */
    bool has_complained;
    struct pa_link_plain *server;
    pthread_mutex_t lock; /* of `text` */
    struct pa_buffer text;
};

/* A port behind the last colon, and no folder in it. */
static bool is_address(const char *named) {
    const char *colon = strrchr(named, ':');
    return colon != NULL && colon[1] != '\0' &&
           colon[strspn(colon + 1, "0123456789") + 1] == '\0' && strchr(named, '/') == NULL;
}

static void fill(void *context, struct pa_buffer *page) {
    struct pa_telemetry_outlet *outlet = context;
    pthread_mutex_lock(&outlet->lock);
    pa_buffer_bytes(page, outlet->text.data, outlet->text.size);
    pthread_mutex_unlock(&outlet->lock);
    if (page->size == 0)
        pa_buffer_text(page, "# EOF\n");
}

static int serve(struct pa_telemetry_outlet *outlet, const char *named, struct pa_error *error) {
    const struct pa_link_plain_options options = {.listen = named,
                                                  .path = "/metrics",
                                                  .content_type = CONTENT_TYPE,
                                                  .fill = fill,
                                                  .context = outlet,
                                                  .most_connections = MOST_SCRAPERS,
                                                  .idle_s = IDLE_S};
    if (pa_link_plain_start(&options, &outlet->server, error) != PA_OK)
        return pa_fail_in(error, "--telemetry");
    pa_say("telemetry: http, port %u, /metrics", pa_link_plain_port(outlet->server));
    return PA_OK;
}

static int start_file(struct pa_telemetry_outlet *outlet, const char *named,
                      struct pa_error *error) {
    if ((size_t)snprintf(outlet->path, sizeof outlet->path, "%s", named) >= sizeof outlet->path)
        return pa_fail(error, PA_EUSAGE, "--telemetry: the path is too long");
    if (pa_file_write(outlet->path, "# EOF\n", 6, 0644, error) != PA_OK)
        return pa_fail_in(error, "--telemetry");
    return PA_OK;
}

int pa_telemetry_outlet_open(const char *named, struct pa_telemetry_outlet **out,
                             struct pa_error *error) {
    struct pa_telemetry_outlet *outlet = calloc(1, sizeof *outlet);
    if (outlet == NULL)
        return pa_fail(error, PA_EMEMORY, "telemetry: out of memory");
    pthread_mutex_init(&outlet->lock, NULL);
    int code = is_address(named) ? serve(outlet, named, error) : start_file(outlet, named, error);
    if (code != PA_OK) {
        pa_telemetry_outlet_close(outlet);
        return code;
    }
    *out = outlet;
    return PA_OK;
}

void pa_telemetry_outlet_publish(void *context, const void *text, size_t size) {
    struct pa_telemetry_outlet *outlet = context;
    struct pa_error error = {0};
    if (outlet->path[0] != '\0') {
        if (pa_file_write(outlet->path, text, size, 0644, &error) != PA_OK &&
            !outlet->has_complained) {
            outlet->has_complained = true;
            pa_say("telemetry: %.400s; the audit goes on", error.text);
        }
        return;
    }
    pthread_mutex_lock(&outlet->lock);
    pa_buffer_clear(&outlet->text);
    pa_buffer_bytes(&outlet->text, text, size);
    pthread_mutex_unlock(&outlet->lock);
}

void pa_telemetry_outlet_close(struct pa_telemetry_outlet *outlet) {
    if (outlet == NULL)
        return;
    pa_link_plain_stop(outlet->server);
    pthread_mutex_destroy(&outlet->lock);
    pa_buffer_free(&outlet->text);
    free(outlet);
}
