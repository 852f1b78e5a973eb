/* SPDX-License-Identifier: Apache-2.0 */
/* witness_live.h - the live page of `petaudit witness`: a server beside the one that sites talk to,
 * with connections of its own, so that those who watch take none from an audit. */
#ifndef PA_COMMAND_WITNESS_LIVE_H
#define PA_COMMAND_WITNESS_LIVE_H

#include "witness/live_page.h"

struct pa_witness_live {
    struct pa_live *live; /* NULL: no live page */
    struct pa_link_server *server;
    char token[PA_LINK_TOKEN_BYTES];
    char listen[256]; /* address and port as they are */
};

/* `listen`: ADDRESS:PORT, or "off"; NULL is port 7412 of this machine alone or, where that is
 * taken, any free one of it. `folder` is the witness's store, which is there already. */
int pa_witness_live_start(const char *listen, const char *folder, const struct pa_key *key,
                          struct pa_witness_live *out, struct pa_error *error);
void pa_witness_live_stop(struct pa_witness_live *page);

#endif
