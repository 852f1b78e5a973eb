/* SPDX-License-Identifier: Apache-2.0 */
/* link_stream.h - answers without an end: one piece at a time, to readers that are fast enough. */
#ifndef PA_LINK_LINK_STREAM_H
#define PA_LINK_LINK_STREAM_H

#include "link/link.h"

#include <microhttpd.h>
#include <pthread.h>

/* The streams of one server. */
struct pa_link_streams {
    pthread_mutex_t lock;
    struct pa_link_stream *first;
    uint64_t piece_ns;
};

void pa_link_streams_init(struct pa_link_streams *streams, uint64_t piece_ns);
/* When none is left. */
void pa_link_streams_free(struct pa_link_streams *streams);

/* The response that asks `kind` for pieces until one side ends it, or NULL; it owns `stream` then,
 * and closes it at once where there is no response. Readers that have been stuck in a piece for
 * too long are cut off first: they must not keep others out. */
struct MHD_Response *pa_link_stream_respond(struct pa_link_streams *streams,
                                            struct MHD_Connection *connection,
                                            const struct pa_link_stream_kind *kind, void *stream);

#endif
