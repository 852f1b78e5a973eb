/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/hub_file.h"

#include "base/file.h"
#include "base/number.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char schema[] = "petaudit.hub/1";

enum { MOST_FILE_BYTES = 64 * 1024, FINGERPRINT_DIGITS = 2 * PA_HASH_BYTES };

static void add_url(struct pa_hub_address *out, const char *host, uint16_t port) {
    if (out->url_count == PA_HUB_MOST_ADDRESSES)
        return;
    bool is_six = strchr(host, ':') != NULL;
    snprintf(out->urls[out->url_count++], PA_LINK_URL_BYTES, "https://%s%s%s:%u", is_six ? "[" : "",
             host, is_six ? "]" : "", (unsigned)port);
}

/* Addresses of interfaces that are up: IPv4 first, the loopback last (it serves workers on this
 * host, and where there is nothing else). Link-local IPv6 means nothing on another host. */
static void add_interfaces(const struct ifaddrs *all, bool is_loopback, int family, uint16_t port,
                           struct pa_hub_address *out) {
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        char text[INET6_ADDRSTRLEN];
        if (at->ifa_addr == NULL || at->ifa_addr->sa_family != family ||
            (at->ifa_flags & IFF_UP) == 0 || ((at->ifa_flags & IFF_LOOPBACK) != 0) != is_loopback)
            continue;
        const void *address = &((const struct sockaddr_in *)(const void *)at->ifa_addr)->sin_addr;
        if (family == AF_INET6) {
            const struct in6_addr *six =
                &((const struct sockaddr_in6 *)(const void *)at->ifa_addr)->sin6_addr;
            if (IN6_IS_ADDR_LINKLOCAL(six))
                continue;
            address = six;
        }
        if (inet_ntop(family, address, text, sizeof text) != NULL)
            add_url(out, text, port);
    }
}

int pa_hub_urls_find(const char *listen, uint16_t port, struct pa_hub_address *out,
                     struct pa_error *error) {
    out->url_count = 0;
    char host[128] = "";
    const char *colon = listen != NULL ? strrchr(listen, ':') : NULL;
    if (colon != NULL)
        snprintf(host, sizeof host, "%.*s", (int)(colon - listen), listen);
    size_t length = strlen(host);
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        memmove(host, host + 1, length - 1);
    }
    if (host[0] != '\0' && strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0) {
        add_url(out, host, port);
        return PA_OK;
    }
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) == 0) {
        add_interfaces(all, false, AF_INET, port, out);
        add_interfaces(all, false, AF_INET6, port, out);
        add_interfaces(all, true, AF_INET, port, out);
        freeifaddrs(all);
    }
    if (out->url_count == 0)
        return pa_fail(error, PA_EHUB, "leading a fleet: this host has no network interface");
    return PA_OK;
}

static int path_of(const char *folder, char out[PA_HUB_PATH_BYTES], struct pa_error *error) {
    if (snprintf(out, PA_HUB_PATH_BYTES, "%s/hub.json", folder) >= PA_HUB_PATH_BYTES)
        return pa_fail(error, PA_EUSAGE, "the path of hub.json in %.80s... is too long", folder);
    return PA_OK;
}

int pa_hub_file_write(const char *folder, const struct pa_hub_address *address,
                      struct pa_error *error) {
    char path[PA_HUB_PATH_BYTES], fingerprint[FINGERPRINT_DIGITS + 1];
    char hub[PA_LINK_URL_BYTES + FINGERPRINT_DIGITS + PA_LINK_TOKEN_BYTES + 8];
    PA_TRY(path_of(folder, path, error));
    pa_hex(fingerprint, address->pin.bytes, sizeof address->pin.bytes);
    snprintf(hub, sizeof hub, "%s/#%s.%s", address->urls[0], fingerprint, address->token);
    json_t *urls = json_array();
    for (int i = 0; i < address->url_count; i++)
        json_array_append_new(urls, json_string(address->urls[i]));
    json_t *root = json_pack("{s:s, s:s, s:i, s:o, s:s, s:s, s:s}", "schema", schema, "job",
                             address->job, "size", address->size, "urls", urls, "fingerprint",
                             fingerprint, "token", address->token, "hub", hub);
    char *text = root != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (text == NULL)
        return pa_fail(error, PA_EMEMORY, "writing %s: out of memory", path);
    int code = pa_file_write(path, text, strlen(text), 0600, error);
    free(text);
    return code;
}

/* Copy a string member that is shorter than `size`. */
static bool take_text(const json_t *root, const char *name, char *out, size_t size) {
    const char *text = json_string_value(json_object_get(root, name));
    if (text == NULL || strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool token_is_sound(const char *token) {
    uint8_t bytes[(PA_LINK_TOKEN_BYTES - 1) / 2];
    return pa_unhex(bytes, sizeof bytes, token);
}

static bool take_address(const json_t *root, struct pa_hub_address *out) {
    char word[32], fingerprint[FINGERPRINT_DIGITS + 1];
    const json_t *urls = json_object_get(root, "urls");
    json_int_t size = json_integer_value(json_object_get(root, "size"));
    if (!take_text(root, "schema", word, sizeof word) || strcmp(word, schema) != 0 ||
        !take_text(root, "job", out->job, sizeof out->job) ||
        !take_text(root, "token", out->token, sizeof out->token) || !token_is_sound(out->token) ||
        !take_text(root, "fingerprint", fingerprint, sizeof fingerprint) ||
        !pa_unhex(out->pin.bytes, sizeof out->pin.bytes, fingerprint) || size < 2 ||
        size > INT32_MAX || json_array_size(urls) < 1 ||
        json_array_size(urls) > PA_HUB_MOST_ADDRESSES)
        return false;
    out->size = (int)size;
    out->url_count = (int)json_array_size(urls);
    for (int i = 0; i < out->url_count; i++) {
        const char *url = json_string_value(json_array_get(urls, (size_t)i));
        if (url == NULL || strncmp(url, "https://", 8) != 0 || strlen(url) >= PA_LINK_URL_BYTES)
            return false;
        memcpy(out->urls[i], url, strlen(url) + 1);
    }
    return true;
}

int pa_hub_file_read(const char *folder, struct pa_hub_address *out, struct pa_error *error) {
    char path[PA_HUB_PATH_BYTES];
    struct pa_buffer content = {0};
    *out = (struct pa_hub_address){0};
    PA_TRY(path_of(folder, path, error));
    int code = pa_file_read(path, MOST_FILE_BYTES, &content, error);
    if (code == PA_OK) {
        json_t *root =
            json_loadb((const char *)content.data, content.size, JSON_REJECT_DUPLICATES, NULL);
        if (!take_address(root, out))
            code = pa_fail(error, PA_EINPUT, "%s is not the address of a hub", path);
        json_decref(root);
    }
    pa_buffer_free(&content);
    return code;
}

void pa_hub_file_remove(const char *folder, const struct pa_hub_address *address) {
    struct pa_hub_address there;
    char path[PA_HUB_PATH_BYTES];
    if (path_of(folder, path, NULL) == PA_OK && pa_hub_file_read(folder, &there, NULL) == PA_OK &&
        strcmp(there.token, address->token) == 0)
        unlink(path);
}

int pa_hub_address_parse(const char *text, struct pa_hub_address *out, struct pa_error *error) {
    *out = (struct pa_hub_address){.url_count = 1};
    const char *mark = strstr(text, "/#");
    size_t length = mark != NULL ? (size_t)(mark - text) : 0;
    char fingerprint[FINGERPRINT_DIGITS + 1] = "";
    if (mark != NULL && strlen(mark + 2) == FINGERPRINT_DIGITS + PA_LINK_TOKEN_BYTES)
        memcpy(fingerprint, mark + 2, FINGERPRINT_DIGITS);
    if (strncmp(text, "https://", 8) != 0 || length <= 8 || length >= PA_LINK_URL_BYTES ||
        fingerprint[0] == '\0' || mark[2 + FINGERPRINT_DIGITS] != '.' ||
        !pa_unhex(out->pin.bytes, sizeof out->pin.bytes, fingerprint) ||
        !token_is_sound(mark + 3 + FINGERPRINT_DIGITS))
        return pa_fail(error, PA_EUSAGE,
                       "the hub's address: expected https://HOST:PORT/#FINGERPRINT.TOKEN, as "
                       "\"hub\" in its hub.json says it");
    memcpy(out->urls[0], text, length);
    memcpy(out->token, mark + 3 + FINGERPRINT_DIGITS, PA_LINK_TOKEN_BYTES);
    return PA_OK;
}
