/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/memory_station.h"

#include "base/clock.h"

#include <stdlib.h>

enum stage { FILL = 1, READ = 2 };

/* As with an all-reduce, a device gives up a little before the hub does. */
static uint64_t deadline_after(uint64_t patience_ns) {
    return pa_clock_raw_ns() + patience_ns / 10 * 9;
}

void pa_memory_ask_fill(struct pa_buffer *out, const struct pa_memory_place *place,
                        uint64_t patience_ns) {
    pa_buffer_u32(out, FILL);
    pa_buffer_bytes(out, place->nonce.bytes, PA_HASH_BYTES);
    pa_buffer_u64(out, place->device);
    pa_buffer_u32(out, place->chunks);
    pa_buffer_u64(out, patience_ns);
}

void pa_memory_ask_read(struct pa_buffer *out, const struct pa_hash *challenge,
                        uint64_t patience_ns) {
    pa_buffer_u32(out, READ);
    pa_buffer_bytes(out, challenge->bytes, PA_HASH_BYTES);
    pa_buffer_u64(out, patience_ns);
}

static int damaged(struct pa_error *error) {
    return pa_fail(error, PA_EINPUT, "filling device memory: the hub's request is damaged");
}

static int fill(struct pa_memory_station *station, struct pa_reader *in, struct pa_buffer *answer,
                struct pa_error *error) {
    const struct pa_backend *backend = station->device->backend;
    struct pa_memory_place place;
    uint64_t ns = 0;
    pa_read_bytes(in, place.nonce.bytes, PA_HASH_BYTES);
    place.device = pa_read_u64(in);
    uint32_t wanted = pa_read_u32(in);
    uint64_t patience_ns = pa_read_u64(in);
    if (!pa_reader_done(in) || wanted < 1 || wanted > PA_MEMORY_MOST_CHUNKS)
        return damaged(error);
    if (backend->memory_open == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "the %s backend has no memory proof", backend->name);
    pa_memory_leave(station);
    PA_TRY(backend->memory_open(station->device, wanted, &station->memory, &place.chunks, error));
    station->place = place;
    struct pa_seed seed = pa_memory_seed(&place);
    PA_TRY(backend->memory_fill(station->memory, &seed, deadline_after(patience_ns), &ns, error));
    pa_buffer_u32(answer, place.chunks);
    pa_buffer_u64(answer, ns);
    return PA_OK;
}

static int read_back(struct pa_memory_station *station, const struct pa_hash *challenge,
                     uint64_t deadline_ns, struct pa_buffer *answer, struct pa_error *error) {
    uint32_t chunks = station->place.chunks;
    uint32_t *order = calloc(chunks, sizeof *order);
    uint64_t *answers = calloc(chunks, sizeof *answers), ns = 0;
    struct pa_hash q;
    int code = PA_OK;
    if (order == NULL || answers == NULL)
        code = pa_fail(error, PA_EMEMORY, "reading device memory back: out of memory");
    if (code == PA_OK) {
        pa_memory_q(&q, &station->place, challenge);
        pa_memory_order(order, chunks, &q);
        code = station->device->backend->memory_read(station->memory, order, pa_memory_s(&q),
                                                     deadline_ns, answers, &ns, error);
    }
    if (code == PA_OK) {
        pa_buffer_u64(answer, ns);
        for (uint32_t i = 0; i < chunks; i++)
            pa_buffer_u64(answer, answers[i]);
    }
    free(order);
    free(answers);
    return code;
}

int pa_memory_execute(struct pa_memory_station *station, const void *request, size_t size,
                      struct pa_buffer *answer, struct pa_error *error) {
    struct pa_reader in = pa_reader_over(request, size);
    struct pa_hash challenge;
    uint32_t stage = pa_read_u32(&in);
    if (stage == FILL) {
        int code = fill(station, &in, answer, error);
        if (code != PA_OK)
            pa_memory_leave(station);
        return code;
    }
    pa_read_bytes(&in, challenge.bytes, PA_HASH_BYTES);
    uint64_t patience_ns = pa_read_u64(&in);
    if (stage != READ || !pa_reader_done(&in))
        return damaged(error);
    if (station->memory == NULL)
        return pa_fail(error, PA_EINPUT, "reading device memory back: it was not filled");
    int code = read_back(station, &challenge, deadline_after(patience_ns), answer, error);
    pa_memory_leave(station);
    return code;
}

void pa_memory_leave(struct pa_memory_station *station) {
    if (station->memory != NULL)
        station->device->backend->memory_close(station->memory);
    station->memory = NULL;
}
