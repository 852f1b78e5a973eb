/* SPDX-License-Identifier: Apache-2.0 */
#include "link/link_stream.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What libmicrohttpd asks for at a time. */
enum { BLOCK_BYTES = 16 * 1024 };

struct pa_link_stream {
    struct pa_link_streams *all;
    struct pa_link_stream *before, *after;
    const struct pa_link_stream_kind *kind;
    void *stream;
    struct pa_buffer piece;
    size_t sent;       /* of the piece */
    uint64_t begun_ns; /* when the piece began to leave; 0 while there is none. Under the lock */
    int fd;
};

void pa_link_streams_init(struct pa_link_streams *streams, uint64_t piece_ns) {
    pthread_mutex_init(&streams->lock, NULL);
    streams->first = NULL;
    streams->piece_ns = piece_ns;
}

void pa_link_streams_free(struct pa_link_streams *streams) {
    pthread_mutex_destroy(&streams->lock);
}

static bool is_late(const struct pa_link_stream *stream, uint64_t now) {
    return stream->all->piece_ns != 0 && stream->begun_ns != 0 &&
           now - stream->begun_ns > stream->all->piece_ns;
}

/* A reader that takes a byte now and then never lets libmicrohttpd's own timeout pass. Its thread
 * sees the closed socket and ends. */
static void cut_off_late(struct pa_link_streams *streams) {
    uint64_t now = pa_clock_raw_ns();
    pthread_mutex_lock(&streams->lock);
    for (struct pa_link_stream *each = streams->first; each != NULL; each = each->after)
        if (is_late(each, now))
            shutdown(each->fd, SHUT_RDWR);
    pthread_mutex_unlock(&streams->lock);
}

static void set_begun(struct pa_link_stream *stream, uint64_t begun_ns) {
    pthread_mutex_lock(&stream->all->lock);
    stream->begun_ns = begun_ns;
    pthread_mutex_unlock(&stream->all->lock);
}

static ssize_t on_more(void *context, uint64_t position, char *out, size_t room) {
    struct pa_link_stream *stream = context;
    (void)position;
    if (stream->sent < stream->piece.size && is_late(stream, pa_clock_raw_ns()))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    /* Returning nothing would make libmicrohttpd ask again at once. */
    while (stream->sent == stream->piece.size) {
        pa_buffer_clear(&stream->piece);
        stream->sent = 0;
        set_begun(stream, 0);
        if (!stream->kind->next(stream->stream, &stream->piece))
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (stream->piece.failed)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        set_begun(stream, pa_clock_raw_ns());
    }
    size_t left = stream->piece.size - stream->sent;
    size_t bytes = left < room ? left : room;
    memcpy(out, stream->piece.data + stream->sent, bytes);
    stream->sent += bytes;
    return (ssize_t)bytes;
}

static void on_end(void *context) {
    struct pa_link_stream *stream = context;
    pthread_mutex_lock(&stream->all->lock);
    if (stream->before != NULL)
        stream->before->after = stream->after;
    else
        stream->all->first = stream->after;
    if (stream->after != NULL)
        stream->after->before = stream->before;
    pthread_mutex_unlock(&stream->all->lock);
    stream->kind->close(stream->stream);
    pa_buffer_free(&stream->piece);
    free(stream);
}

struct MHD_Response *pa_link_stream_respond(struct pa_link_streams *streams,
                                            struct MHD_Connection *connection,
                                            const struct pa_link_stream_kind *kind, void *stream) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pa_link_stream *entry = calloc(1, sizeof *entry);
    if (entry == NULL || info == NULL) {
        kind->close(stream);
        free(entry);
        return NULL;
    }
    cut_off_late(streams);
    *entry = (struct pa_link_stream){
        .all = streams, .kind = kind, .stream = stream, .fd = info->connect_fd};
    pthread_mutex_lock(&streams->lock);
    entry->after = streams->first;
    if (entry->after != NULL)
        entry->after->before = entry;
    streams->first = entry;
    pthread_mutex_unlock(&streams->lock);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_more, entry, on_end);
    if (response == NULL)
        on_end(entry);
    return response;
}
