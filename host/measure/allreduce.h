/* SPDX-License-Identifier: Apache-2.0 */
/* allreduce.h - all-reduce over the ranks of a site, size by size, as nccl-tests measures it.
 *
 * The hub leads a sweep through a function that takes one request to every rank at the same time
 * and brings the answers back; each rank has a station that executes them. Ranks, transport and
 * messages are of no concern to the caller:
 *
 *     hub    pa_allreduce_sweep(&plan, &nonce, ask, context, &sweep, error);
 *            pa_allreduce_verify(&sweep, &key);       // only now may anybody know the key
 *     rank   pa_allreduce_execute(&station, request, size, &answer, error);
 *
 * Time is that of the slowest rank; algbw = bytes / time, busbw = algbw * 2 (n-1) / n.
 */
#ifndef PA_MEASURE_ALLREDUCE_H
#define PA_MEASURE_ALLREDUCE_H

#include "base/bytes.h"
#include "device/device.h"
#include "proof/allreduce_sum.h"

#include <stdatomic.h>

enum {
    PA_ALLREDUCE_MOST_ROWS = 34, /* 8 B, 16 B, .. 64 GiB */
    PA_ALLREDUCE_SAMPLES = 16,   /* chunks recomputed of each size */
};

/* One rank's end: a device and what is open on it. Zero-initialise it and set the device. */
struct pa_allreduce_station {
    struct pa_device *device; /* borrowed */
    struct pa_communicator *communicator;
    uint64_t most_bytes;
};

/* Do what the hub asks: open, measure one size, or close. */
int pa_allreduce_execute(struct pa_allreduce_station *station, const void *request, size_t size,
                         struct pa_buffer *answer, struct pa_error *error);
/* Open a communicator of its own for something else than a sweep. */
int pa_allreduce_join(struct pa_allreduce_station *station,
                      const uint8_t id[PA_COMMUNICATOR_ID_BYTES], uint32_t rank, uint32_t ranks,
                      uint64_t most_bytes, uint64_t deadline_ns, struct pa_error *error);
/* Close what is open. */
void pa_allreduce_leave(struct pa_allreduce_station *station);

struct pa_allreduce_plan {
    const struct pa_backend *backend; /* of the devices that take part */
    uint32_t ranks;
    bool is_one_host;
    uint64_t most_bytes;     /* the sweep ends at the largest size that is not above it */
    uint64_t memory_bytes;   /* free memory of a rank, on the host or device with the least; 0
                                unknown. Input and output take half of it at most. */
    uint64_t patience_ns;    /* the longest that one size may take */
    const atomic_bool *stop; /* ends the sweep between two sizes; may be NULL */
};

struct pa_allreduce_row {
    uint64_t bytes;
    uint32_t iterations;
    uint64_t time_ns; /* of one operation, on the slowest rank, at least 1 */
    double algbw_gbs, busbw_gbs;
    bool is_agreed;   /* all ranks gave the same chunk digests */
    bool verified;    /* and the sampled chunks are what the seeds give */
    uint64_t *chunks; /* owned by the sweep: the digests of rank 0 */
};

struct pa_allreduce_sweep {
    uint32_t ranks;
    struct pa_hash nonce;
    char transport[16]; /* "shm", "mpi", "nccl" */
    uint32_t row_count;
    struct pa_allreduce_row rows[PA_ALLREDUCE_MOST_ROWS];
};

/* Take requests[i] to rank i, all at the same time, and append its answer to answers[i], until
 * `deadline_ns` (RAW). Fails when one rank fails; the others' answers do not matter then. */
typedef int (*pa_allreduce_ask)(void *context, const struct pa_buffer *requests,
                                struct pa_buffer *answers, uint32_t ranks, uint64_t deadline_ns,
                                struct pa_error *error);

/* The sizes of a sweep: 8 B, doubled up to `most_bytes`. Returns how many. */
uint32_t pa_allreduce_sizes(uint64_t most_bytes, uint64_t out[PA_ALLREDUCE_MOST_ROWS]);

/* Measure all sizes. On failure `out` holds the rows that were complete; pa_allreduce_free it in
 * either case. PA_EUNSUPPORTED when the backend has no all-reduce, or no way to do it here. */
int pa_allreduce_sweep(const struct pa_allreduce_plan *plan, const struct pa_hash *nonce,
                       pa_allreduce_ask ask, void *context, struct pa_allreduce_sweep *out,
                       struct pa_error *error);
/* A rank's answer about the sum: the hash of all chunk digests, by which ranks are compared, and
 * with `is_whole` the digests. They are half a megabyte of 4 GiB, so that rank 0 sends them and not
 * a hundred thousand. */
void pa_allreduce_put_digests(struct pa_buffer *answer, const uint64_t *digests, size_t chunks,
                              bool is_whole);
/* What every rank put so of row->bytes bytes, after `before` bytes of its answer: the digests of
 * rank 0 into `row`, and whether all have the same. */
int pa_allreduce_take_digests(const struct pa_buffer *answers, uint32_t ranks, size_t before,
                              struct pa_allreduce_row *row, struct pa_error *error);
/* Recompute the sampled chunks of every row over all ranks and set `verified`. `key` is what nonce
 * = H("nonce", key) was made of. True when every row is verified and there is one. */
bool pa_allreduce_verify(struct pa_allreduce_sweep *sweep, const struct pa_hash *key);
void pa_allreduce_free(struct pa_allreduce_sweep *sweep);

#endif
