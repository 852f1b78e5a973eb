/* SPDX-License-Identifier: Apache-2.0 */
/* hub_file.h - hub.json: how workers find their hub, and the address that people hand on.
 *
 * The file holds the token, so it is 0600 and whoever can read it may join.
 */
#ifndef PA_FLEET_HUB_FILE_H
#define PA_FLEET_HUB_FILE_H

#include "fleet/fleet.h"
#include "link/link.h"

enum { PA_HUB_MOST_ADDRESSES = 16, PA_HUB_PATH_BYTES = 4096 };

struct pa_hub_address {
    char job[96];
    int size; /* of the fleet; 0 when the address was given by hand */
    struct pa_hash pin;
    char token[PA_LINK_TOKEN_BYTES];
    int url_count;
    char urls[PA_HUB_MOST_ADDRESSES][PA_LINK_URL_BYTES]; /* "https://HOST:PORT", best first */
};

/* The URLs under which `port` of this host can be reached; `listen` as in pa_fleet_lead. */
int pa_hub_urls_find(const char *listen, uint16_t port, struct pa_hub_address *out,
                     struct pa_error *error);
int pa_hub_file_write(const char *folder, const struct pa_hub_address *address,
                      struct pa_error *error);
/* PA_ENOINPUT when there is none; PA_EINPUT when it is no such file. */
int pa_hub_file_read(const char *folder, struct pa_hub_address *out, struct pa_error *error);
/* Remove the file if it is still the one that was written for `address`. */
void pa_hub_file_remove(const char *folder, const struct pa_hub_address *address);
/* "https://HOST:PORT/#FINGERPRINT.TOKEN". PA_EUSAGE. */
int pa_hub_address_parse(const char *text, struct pa_hub_address *out, struct pa_error *error);

#endif
