/* SPDX-License-Identifier: Apache-2.0 */
#include "device/cpu_communicator.h"

#include "base/clock.h"
#include "device/host_exchange.h"
#include "kernels/digest.h"
#include "kernels/philox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    NAME_BYTES = 16,
    SECRET_BYTES = 16,
    BLOCK_WORDS = 16, /* 8-bit slots of one Philox block */
    CHUNK_WORDS = 16384,
    ALIGNMENT = 64,
};

struct pa_communicator {
    const struct pa_cpu_transport *transport;
    void *state;
    int rank, size;
    uint64_t most_bytes;
    uint32_t *input, *output;
};

static const struct pa_cpu_transport *const transports[] = {&pa_cpu_shm, &pa_cpu_mpi};

static const struct pa_cpu_transport *transport_named(const char *name) {
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++)
        if (strncmp(transports[i]->name, name, NAME_BYTES) == 0)
            return transports[i];
    return NULL;
}

int pa_cpu_communicator_id(bool is_one_host, uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                           struct pa_error *error) {
    const char *wish = getenv("PETAUDIT_ALLREDUCE");
    const struct pa_cpu_transport *transport = is_one_host ? &pa_cpu_shm : &pa_cpu_mpi;
    if (wish != NULL && pa_exchange_is_forced())
        transport = transport_named(wish);
    if (transport == NULL)
        return pa_fail(error, PA_EUSAGE,
                       "the environment variable PETAUDIT_ALLREDUCE: \"%s\" is neither shm nor mpi",
                       wish);
    if (transport == &pa_cpu_shm && !is_one_host)
        return pa_fail(error, PA_EUNSUPPORTED,
                       "all-reduce through shared memory: the processes are on several hosts; use "
                       "mpirun and PETAUDIT_ALLREDUCE=mpi");
    PA_TRY(transport->probe(error));
    memset(id, 0, PA_COMMUNICATOR_ID_BYTES);
    memcpy(id, transport->name, strlen(transport->name));
    if (getrandom(id + NAME_BYTES, SECRET_BYTES, 0) != SECRET_BYTES)
        return pa_fail(error, PA_EINTERNAL, "naming a communicator: %s", strerror(errno));
    return PA_OK;
}

int pa_cpu_communicator_open(struct pa_device *device, const uint8_t id[PA_COMMUNICATOR_ID_BYTES],
                             int rank, int size, uint64_t most_bytes, uint64_t deadline_ns,
                             struct pa_communicator **out, struct pa_error *error) {
    (void)device; /* sums are memory-bound: one thread a rank, whichever processors it has */
    *out = NULL;
    char name[NAME_BYTES];
    memcpy(name, id, sizeof name);
    const struct pa_cpu_transport *transport =
        name[NAME_BYTES - 1] == '\0' ? transport_named(name) : NULL;
    if (transport == NULL || size < 1 || rank < 0 || rank >= size ||
        most_bytes > SIZE_MAX - ALIGNMENT)
        return pa_fail(error, PA_EINPUT, "opening a communicator: no such id, rank or size");
    PA_TRY(transport->probe(error));
    struct pa_communicator *communicator = calloc(1, sizeof *communicator);
    if (communicator == NULL)
        return pa_fail(error, PA_EMEMORY, "opening a communicator: out of memory");
    size_t room = ((size_t)most_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    room = room > 0 ? room : ALIGNMENT;
    communicator->transport = transport;
    communicator->rank = rank;
    communicator->size = size;
    communicator->most_bytes = most_bytes;
    communicator->input = aligned_alloc(ALIGNMENT, room);
    communicator->output = aligned_alloc(ALIGNMENT, room);
    int code = PA_OK;
    if (communicator->input == NULL || communicator->output == NULL)
        code = pa_fail(error, PA_EMEMORY, "opening a communicator: no memory for twice %zu bytes",
                       room);
    if (code == PA_OK)
        code =
            transport->open(id + NAME_BYTES, rank, size, deadline_ns, &communicator->state, error);
    if (code != PA_OK) {
        pa_cpu_communicator_close(communicator);
        return code;
    }
    *out = communicator;
    return PA_OK;
}

static int check_size(const struct pa_communicator *communicator, uint64_t bytes,
                      struct pa_error *error) {
    if (bytes == 0 || bytes % sizeof(uint32_t) != 0 || bytes > communicator->most_bytes)
        return pa_fail(error, PA_EINTERNAL, "an all-reduce of %llu bytes: up to %llu are possible",
                       (unsigned long long)bytes, (unsigned long long)communicator->most_bytes);
    return PA_OK;
}

int pa_cpu_allreduce_fill(struct pa_communicator *communicator, uint64_t bytes,
                          const struct pa_seed *seed, struct pa_error *error) {
    PA_TRY(check_size(communicator, bytes, error));
    size_t words = (size_t)bytes / sizeof(uint32_t);
    for (size_t first = 0; first < words; first += BLOCK_WORDS) {
        uint32_t x[4];
        pa_philox(*seed, (uint32_t)(first / BLOCK_WORDS), (uint32_t)communicator->rank, x);
        for (uint32_t i = 0; i < BLOCK_WORDS && first + i < words; i++)
            communicator->input[first + i] = (uint32_t)pa_slot_dense8(x, i);
    }
    /* What an earlier size left there must not pass for a result. */
    memset(communicator->output, 0, (size_t)bytes);
    return PA_OK;
}

int pa_cpu_allreduce_run(struct pa_communicator *communicator, uint64_t bytes, uint32_t times,
                         uint64_t deadline_ns, uint64_t *out_ns, struct pa_error *error) {
    const struct pa_cpu_transport *transport = communicator->transport;
    PA_TRY(check_size(communicator, bytes, error));
    /* Nobody's clock runs while it waits for a rank that is still filling its input. */
    PA_TRY(transport->barrier(communicator->state, deadline_ns, error));
    uint64_t begin_ns = pa_clock_raw_ns();
    for (uint32_t i = 0; i < times; i++)
        PA_TRY(transport->sum(communicator->state, communicator->input, communicator->output,
                              (size_t)bytes / sizeof(uint32_t), deadline_ns, error));
    *out_ns = pa_clock_raw_ns() - begin_ns;
    return PA_OK;
}

int pa_cpu_allreduce_digest(struct pa_communicator *communicator, uint64_t bytes,
                            const struct pa_seed *seed, uint64_t *chunks, struct pa_error *error) {
    PA_TRY(check_size(communicator, bytes, error));
    size_t words = (size_t)bytes / sizeof(uint32_t);
    for (size_t first = 0; first < words; first += CHUNK_WORDS) {
        size_t left = words - first < CHUNK_WORDS ? words - first : CHUNK_WORDS;
        const uint32_t *chunk = communicator->output + first;
        uint64_t sum = 0;
        for (uint32_t e = 0; e < left; e += 2)
            sum += pa_digest_pair(chunk[e], e + 1 < left ? chunk[e + 1] : 0, seed->s, e);
        chunks[first / CHUNK_WORDS] = sum;
    }
    return PA_OK;
}

void pa_cpu_communicator_close(struct pa_communicator *communicator) {
    if (communicator == NULL)
        return;
    if (communicator->state != NULL)
        communicator->transport->close(communicator->state);
    free(communicator->input);
    free(communicator->output);
    free(communicator);
}

int pa_exchange_id(bool is_one_host, uint8_t id[PA_COMMUNICATOR_ID_BYTES], struct pa_error *error) {
    return pa_cpu_communicator_id(is_one_host, id, error);
}

bool pa_exchange_knows(const uint8_t id[PA_COMMUNICATOR_ID_BYTES]) {
    char name[NAME_BYTES + 1] = "";
    memcpy(name, id, NAME_BYTES);
    return transport_named(name) != NULL;
}

bool pa_exchange_is_forced(void) {
    const char *wish = getenv("PETAUDIT_ALLREDUCE");
    return wish != NULL && wish[0] != '\0';
}

int pa_exchange_open(const uint8_t id[PA_COMMUNICATOR_ID_BYTES], int rank, int size,
                     uint64_t deadline_ns, struct pa_communicator **out, struct pa_error *error) {
    return pa_cpu_communicator_open(NULL, id, rank, size, 0, deadline_ns, out, error);
}

int pa_exchange_swap(struct pa_communicator *exchange, int partner, const uint32_t *in,
                     uint32_t *out, size_t words, uint64_t deadline_ns, struct pa_error *error) {
    if (partner < 0 || partner >= exchange->size)
        return pa_fail(error, PA_EINPUT, "exchanging with rank %d of %d", partner, exchange->size);
    return exchange->transport->swap(exchange->state, partner, in, out, words, deadline_ns, error);
}

void pa_exchange_close(struct pa_communicator *exchange) {
    pa_cpu_communicator_close(exchange);
}
