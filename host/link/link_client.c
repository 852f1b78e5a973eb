/* SPDX-License-Identifier: Apache-2.0 */
/* The asking side, over libcurl. */
#include "base/clock.h"
#include "base/file.h"
#include "link/link.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t ms = UINT64_C(1000000);

enum {
    CONNECT_MS = 5000, /* for one try; what is further away than that is as good as gone */
    FIRST_PAUSE_MS = 50,
    LONGEST_PAUSE_MS = 1000,
    MOST_ERROR_TEXT = 512, /* of a refusal's body */
    BUSY = 503,            /* the peer has too much under way: a later try may go through */
};

struct pa_link_client {
    CURL *curl;
    struct curl_slist *headers;
    char url[PA_LINK_URL_BYTES];
    char peer[64];
    int failure;
    uint64_t reach_ns;
    int status;
    char curl_text[CURL_ERROR_SIZE];
};

/* Where a reply goes while it arrives. */
struct intake {
    CURL *curl;
    struct pa_buffer *reply;
    size_t left, text_left;
    bool is_too_long;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_state;

static void start_curl(void) {
    curl_state = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t on_data(char *data, size_t size, size_t count, void *context) {
    struct intake *intake = context;
    size_t bytes = size * count, kept = bytes;
    long status = 0;
    curl_easy_getinfo(intake->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        /* A refusal is text for a message: its beginning is enough. */
        if (kept > intake->text_left)
            kept = intake->text_left;
        intake->text_left -= kept;
    } else if (bytes > intake->left) {
        intake->is_too_long = true;
        return 0;
    } else {
        intake->left -= bytes;
    }
    pa_buffer_bytes(intake->reply, data, kept);
    return intake->reply->failed ? 0 : bytes;
}

/* "sha256//" and base64 of the pin, as CURLOPT_PINNEDPUBLICKEY wants it. */
static void pin_text(char out[64], const struct pa_hash *pin) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[33] = {0};
    memcpy(bytes, pin->bytes, sizeof pin->bytes);
    char *at = stpcpy(out, "sha256//");
    for (size_t i = 0; i < sizeof bytes; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *at++ = digits[three >> shift & 63];
    }
    at[-1] = '='; /* 32 bytes fill all but the last of 44 digits */
    *at = '\0';
}

static bool add_header(struct pa_link_client *client, const char *header) {
    struct curl_slist *longer = curl_slist_append(client->headers, header);
    if (longer != NULL)
        client->headers = longer;
    return longer != NULL;
}

static bool set_options(struct pa_link_client *client,
                        const struct pa_link_client_options *options) {
    char pin[64], authorization[PA_LINK_TOKEN_BYTES + 32];
    CURL *curl = client->curl;
    pin_text(pin, &options->pin);
    /* "Expect:" and nothing after it: bodies go out without asking first. */
    bool ok = add_header(client, "Expect:") &&
              add_header(client, "Content-Type: application/octet-stream");
    if (options->token != NULL) {
        snprintf(authorization, sizeof authorization, "Authorization: Bearer %s", options->token);
        ok = ok && add_header(client, authorization);
        explicit_bzero(authorization, sizeof authorization);
    }
    /* The pin replaces the authorities: no chain is verified and no name compared. */
    return ok && curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pin) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->curl_text) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK;
}

int pa_link_client_open(const struct pa_link_client_options *options, struct pa_link_client **out,
                        struct pa_error *error) {
    *out = NULL;
    if (strncmp(options->url, "https://", 8) != 0 || strlen(options->url) >= PA_LINK_URL_BYTES)
        return pa_fail(error, PA_EUSAGE, "the address of %s: expected https://HOST:PORT",
                       options->peer);
    pthread_once(&curl_once, start_curl);
    struct pa_link_client *client = calloc(1, sizeof *client);
    if (client == NULL || curl_state != CURLE_OK || (client->curl = curl_easy_init()) == NULL) {
        free(client);
        return pa_fail(error, PA_EMEMORY, "preparing to talk to %s: out of memory", options->peer);
    }
    snprintf(client->url, sizeof client->url, "%s", options->url);
    snprintf(client->peer, sizeof client->peer, "%s", options->peer);
    client->failure = options->failure;
    client->reach_ns = options->reach_ns > 0 ? options->reach_ns : UINT64_MAX;
    if (!set_options(client, options)) {
        pa_link_client_close(client);
        return pa_fail(error, PA_EUNSUPPORTED,
                       "preparing to talk to %s: this libcurl (%s) cannot pin keys over TLS 1.3",
                       options->peer, curl_version());
    }
    *out = client;
    return PA_OK;
}

static uint64_t ms_until(uint64_t deadline_ns) {
    uint64_t now = pa_clock_raw_ns();
    return now < deadline_ns ? (deadline_ns - now + ms - 1) / ms : 0;
}

/* One try. */
static CURLcode perform(struct pa_link_client *client, const char *method, const char *path,
                        const void *body, size_t size, uint64_t left_ms, struct intake *intake) {
    char url[PA_LINK_URL_BYTES + 128];
    CURL *curl = client->curl;
    bool is_get = strcmp(method, "GET") == 0;
    snprintf(url, sizeof url, "%s%s", client->url, path);
    client->curl_text[0] = '\0';
    client->status = 0;
    long timeout = left_ms > INT32_MAX ? INT32_MAX : (long)left_ms;
    uint64_t reach_ms = client->reach_ns / ms + 1;
    long connect = reach_ms < CONNECT_MS ? (long)reach_ms : CONNECT_MS;
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, timeout < connect ? timeout : connect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, intake);
    if (is_get) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, size > 0 ? body : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    }
    CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);
    if (code == CURLE_OK)
        code = curl_easy_perform(curl);
    long status = 0;
    if (code == CURLE_OK && curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
        client->status = (int)status;
    else if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        client->status = -1;
    return code;
}

/* Failures of the way to the peer, which may heal; a try that ran out of its own time counts. */
static bool may_heal(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return true;
    default:
        return false;
    }
}

/* Whether the try before `deadline_ns` ended without a connection. A connected try has all the time
 * that is left: one that ran out of time earlier was still connecting. */
static bool is_unreached(CURLcode code, uint64_t deadline_ns) {
    return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
           code == CURLE_SSL_CONNECT_ERROR ||
           (code == CURLE_OPERATION_TIMEDOUT && ms_until(deadline_ns) > 0);
}

/* An answer came; say what it means. */
static int judge_status(const struct pa_link_client *client, struct pa_buffer *refusal,
                        struct pa_error *error) {
    if (client->status == 401)
        return pa_fail(error, client->failure, "%s at %s refuses our token", client->peer,
                       client->url);
    char raw[MOST_ERROR_TEXT + 1], text[MOST_ERROR_TEXT + 1];
    size_t size = refusal->size < MOST_ERROR_TEXT ? refusal->size : MOST_ERROR_TEXT;
    if (size > 0 && refusal->data != NULL)
        memcpy(raw, refusal->data, size);
    raw[size] = '\0';
    pa_printable(text, sizeof text, raw);
    return pa_fail(error, client->failure, "%s at %s answered %d: %s", client->peer, client->url,
                   client->status, text[0] != '\0' ? text : "nothing more");
}

static int judge_failure(const struct pa_link_client *client, CURLcode code,
                         const struct intake *intake, size_t most_reply, struct pa_error *error) {
    if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        return pa_fail(error, client->failure,
                       "%s at %s has another key than the one we were told: somebody else answers "
                       "there, or it was started anew; get its current address",
                       client->peer, client->url);
    if (intake->is_too_long)
        return pa_fail(error, PA_EINPUT, "%s at %s answered more than %zu bytes", client->peer,
                       client->url, most_reply);
    if (intake->reply->failed || code == CURLE_OUT_OF_MEMORY)
        return pa_fail(error, PA_EMEMORY, "talking to %s at %s: out of memory", client->peer,
                       client->url);
    return pa_fail(error, client->failure, "talking to %s at %s: %s", client->peer, client->url,
                   client->curl_text[0] != '\0' ? client->curl_text : curl_easy_strerror(code));
}

/* The deadline has passed; `code` is how the last try ended. */
static int judge_deadline(const struct pa_link_client *client, CURLcode code, int tries,
                          struct pa_error *error) {
    /* A connection that was there before takes no time to connect, but something to be chosen. */
    curl_off_t connected_us = 0, ready_us = 0;
    curl_easy_getinfo(client->curl, CURLINFO_CONNECT_TIME_T, &connected_us);
    curl_easy_getinfo(client->curl, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    if (code == CURLE_OPERATION_TIMEDOUT && (connected_us > 0 || ready_us > 0))
        return pa_fail(error, PA_ETIMEOUT, "%s at %s did not answer in time", client->peer,
                       client->url);
    if (code == CURLE_OK)
        return pa_fail(error, PA_ETIMEOUT, "%s at %s is busy and took nothing in time",
                       client->peer, client->url);
    return pa_fail(error, client->failure, "cannot reach %s at %s: %s (%d %s)", client->peer,
                   client->url,
                   client->curl_text[0] != '\0' ? client->curl_text : curl_easy_strerror(code),
                   tries, tries == 1 ? "try" : "tries");
}

int pa_link_request(struct pa_link_client *client, const char *method, const char *path,
                    const void *body, size_t size, size_t most_reply, uint64_t deadline_ns,
                    struct pa_buffer *reply, struct pa_error *error) {
    size_t kept = reply->size;
    CURLcode code = CURLE_OPERATION_TIMEDOUT;
    uint64_t pause_ms = FIRST_PAUSE_MS, unreached_ns = 0; /* since when it is out of reach */
    int tries = 0;
    for (;;) {
        uint64_t left_ms = ms_until(deadline_ns);
        if (left_ms == 0)
            return judge_deadline(client, code, tries, error);
        struct intake intake = {
            .curl = client->curl, .reply = reply, .left = most_reply, .text_left = MOST_ERROR_TEXT};
        uint64_t tried_ns = pa_clock_raw_ns();
        code = perform(client, method, path, body, size, left_ms, &intake);
        tries++;
        if (!is_unreached(code, deadline_ns))
            unreached_ns = 0;
        else if (unreached_ns == 0)
            unreached_ns = tried_ns;
        if (code == CURLE_OK && client->status == 200)
            return PA_OK;
        int result = PA_OK;
        if (code == CURLE_OK && client->status != BUSY) {
            struct pa_buffer refusal = {.data = reply->data != NULL ? reply->data + kept : NULL,
                                        .size = reply->size - kept};
            result = judge_status(client, &refusal, error);
        } else if (code != CURLE_OK && !may_heal(code)) {
            result = judge_failure(client, code, &intake, most_reply, error);
        }
        reply->size = kept;
        if (result != PA_OK)
            return result;
        if (unreached_ns != 0 && pa_clock_raw_ns() - unreached_ns >= client->reach_ns)
            return judge_deadline(client, code, tries, error);
        left_ms = ms_until(deadline_ns);
        if (left_ms > 0)
            pa_clock_sleep((pause_ms < left_ms ? pause_ms : left_ms) * ms);
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
}

int pa_link_client_status(const struct pa_link_client *client) {
    return client->status;
}

void pa_link_client_close(struct pa_link_client *client) {
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    free(client);
}
