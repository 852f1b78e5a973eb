/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/live_page.h"

#include "base/file.h"
#include "embedded/pa_live_chart.h"
#include "embedded/pa_live_css.h"
#include "embedded/pa_live_html.h"
#include "embedded/pa_live_icon.h"
#include "embedded/pa_live_js.h"
#include "embedded/pa_live_map.h"

#include <string.h>
#include <unistd.h>

static unsigned open_stream(void *context, const struct pa_link_request *request, void **stream,
                            struct pa_buffer *refusal) {
    struct pa_live_viewer *viewer = NULL;
    struct pa_error error = {0};
    int code = pa_live_attach(context, pa_link_argument(request, "session"), &viewer, &error);
    *stream = viewer;
    if (code == PA_OK)
        return 200;
    pa_buffer_text(refusal, error.text);
    return code == PA_ENOINPUT ? 404 : 503;
}

static bool next_piece(void *stream, struct pa_buffer *out) {
    return pa_live_next(stream, out);
}

static void close_stream(void *stream) {
    pa_live_detach(stream);
}

static const struct pa_link_stream_kind events = {
    .type = "text/event-stream", .open = open_stream, .next = next_piece, .close = close_stream};

/* A zero byte follows each of them, which is not part of it. */
#define CONTENT(type, array)                                                                       \
    { type, array, sizeof(array) - 1 }
static const char script[] = "text/javascript; charset=utf-8";
static const struct pa_link_content html = CONTENT("text/html; charset=utf-8", pa_live_html);
static const struct pa_link_content css = CONTENT("text/css; charset=utf-8", pa_live_css);
static const struct pa_link_content page = CONTENT(script, pa_live_js);
static const struct pa_link_content chart = CONTENT(script, pa_live_chart);
static const struct pa_link_content map = CONTENT(script, pa_live_map);
static const struct pa_link_content icon = CONTENT("image/svg+xml", pa_live_icon);

const struct pa_link_page pa_live_pages[] = {
    {.path = "/", .content = &html},           {.path = "/live.css", .content = &css},
    {.path = "/live.js", .content = &page},    {.path = "/live_chart.js", .content = &chart},
    {.path = "/live_map.js", .content = &map}, {.path = "/live_icon.svg", .content = &icon},
    {.path = "/v1/live", .stream = &events},
};
const size_t pa_live_page_count = sizeof pa_live_pages / sizeof pa_live_pages[0];

const char *const pa_live_page_headers[] = {
    "Content-Security-Policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options",
    "nosniff",
    "Referrer-Policy",
    "no-referrer",
    "Cross-Origin-Resource-Policy",
    "same-origin",
    "Cross-Origin-Opener-Policy",
    "same-origin",
    NULL,
};

int pa_live_page_token(const char *folder, char out[PA_LINK_TOKEN_BYTES], struct pa_error *error) {
    char path[PATH_MAX];
    struct pa_buffer content = {0};
    uint8_t bytes[(PA_LINK_TOKEN_BYTES - 1) / 2];
    PA_TRY(pa_path_join(path, folder, "viewing", error));
    if (access(path, F_OK) != 0) {
        char line[PA_LINK_TOKEN_BYTES];
        PA_TRY(pa_link_token_draw(out, error));
        memcpy(line, out, PA_LINK_TOKEN_BYTES - 1);
        line[PA_LINK_TOKEN_BYTES - 1] = '\n';
        return pa_file_write(path, line, sizeof line, 0600, error);
    }
    PA_TRY(pa_file_read(path, PA_LINK_TOKEN_BYTES, &content, error));
    bool is_whole = content.size == PA_LINK_TOKEN_BYTES;
    if (is_whole)
        memcpy(out, content.data, PA_LINK_TOKEN_BYTES - 1);
    out[PA_LINK_TOKEN_BYTES - 1] = '\0';
    pa_buffer_free(&content);
    return is_whole && pa_unhex(bytes, sizeof bytes, out)
               ? PA_OK
               : pa_fail(error, PA_EINPUT,
                         "%s is damaged: remove it, and a new token for the live page is drawn",
                         path);
}
