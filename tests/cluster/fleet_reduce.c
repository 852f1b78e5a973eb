/* SPDX-License-Identifier: Apache-2.0 */
/* fleet_reduce.c - a fleet that does nothing but an all-reduce sweep: one process a rank, started
 * by a launcher.
 *
 *     mpirun -np 4 fleet_reduce FOLDER MOST_BYTES
 *
 * The hub prints one line, "TRANSPORT ROWS verified". Exit status: 0, or 1 with the cause. */
#include "base/clock.h"
#include "device/cpu_communicator.h"
#include "fleet/fleet.h"
#include "measure/allreduce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t second = UINT64_C(1000000000);

static const struct pa_backend backend = {.name = "cpu",
                                          .communicator_id = pa_cpu_communicator_id,
                                          .communicator_open = pa_cpu_communicator_open,
                                          .allreduce_fill = pa_cpu_allreduce_fill,
                                          .allreduce_run = pa_cpu_allreduce_run,
                                          .allreduce_digest = pa_cpu_allreduce_digest,
                                          .communicator_close = pa_cpu_communicator_close};

struct site {
    struct pa_fleet *fleet;
    struct pa_allreduce_station *own;
};

static int execute(void *context, const void *request, size_t size, struct pa_buffer *answer,
                   struct pa_error *error) {
    return pa_allreduce_execute(context, request, size, answer, error);
}

static int ask(void *context, const struct pa_buffer *requests, struct pa_buffer *answers,
               uint32_t ranks, uint64_t deadline_ns, struct pa_error *error) {
    struct site *site = context;
    int code = PA_OK;
    for (int rank = 1; rank < (int)ranks && code == PA_OK; rank++)
        code = pa_fleet_post(site->fleet, rank, requests[rank].data, requests[rank].size, error);
    if (code == PA_OK)
        code =
            pa_allreduce_execute(site->own, requests[0].data, requests[0].size, &answers[0], error);
    for (int rank = 1; rank < (int)ranks; rank++) {
        struct pa_error failure = {0};
        int other = pa_fleet_collect(site->fleet, rank, deadline_ns, &answers[rank], &failure);
        if (other != PA_OK && code == PA_OK)
            code = pa_fail(error, other, "%s", failure.text);
    }
    return code;
}

static int lead(struct pa_fleet *fleet, const struct pa_place *place,
                struct pa_allreduce_station *own, uint64_t most_bytes, struct pa_error *error) {
    struct site site = {fleet, own};
    struct pa_hash key = {{7}}, nonce;
    struct pa_allreduce_sweep sweep;
    bool is_one_host = true;
    for (int rank = 1; rank < place->size; rank++)
        is_one_host = is_one_host && strcmp(pa_fleet_host(fleet, rank), place->host) == 0;
    const struct pa_allreduce_plan plan = {.backend = &backend,
                                           .ranks = (uint32_t)place->size,
                                           .is_one_host = is_one_host,
                                           .most_bytes = most_bytes,
                                           .patience_ns = 60 * second};
    pa_hash_bytes(&nonce, "nonce", key.bytes, sizeof key.bytes);
    int code = pa_allreduce_sweep(&plan, &nonce, ask, &site, &sweep, error);
    bool is_right = code == PA_OK && pa_allreduce_verify(&sweep, &key);
    if (code == PA_OK) {
        printf("%s %u %s\n", sweep.transport, sweep.row_count, is_right ? "verified" : "WRONG");
        for (uint32_t i = 0; i < sweep.row_count; i++)
            fprintf(stderr, "%12llu B %12llu ns %8.3f GB/s bus\n",
                    (unsigned long long)sweep.rows[i].bytes,
                    (unsigned long long)sweep.rows[i].time_ns, sweep.rows[i].busbw_gbs);
    }
    pa_allreduce_free(&sweep);
    return code != PA_OK || is_right ? code : PA_EINVALID;
}

int main(int argc, char **argv) {
    struct pa_error error = {0};
    struct pa_place place;
    struct pa_fleet *fleet = NULL;
    struct pa_device device = {.backend = &backend};
    struct pa_allreduce_station station = {.device = &device};
    if (argc != 3)
        return 64;
    uint64_t deadline_ns = pa_clock_raw_ns() + 30 * second;
    int code = pa_place_find(&place, &error);
    if (code == PA_OK && place.rank == 0)
        code = pa_fleet_lead(&place, NULL, argv[1], deadline_ns, &fleet, &error);
    else if (code == PA_OK)
        code = pa_fleet_join(&place, NULL, argv[1], deadline_ns, &fleet, &error);
    if (code == PA_OK && place.rank == 0)
        code = lead(fleet, &place, &station, strtoull(argv[2], NULL, 10), &error);
    else if (code == PA_OK)
        code = pa_fleet_serve(fleet, execute, &station, &error);
    if (code != PA_OK)
        fprintf(stderr, "%s: %s\n", pa_status_name(code), error.text);
    pa_allreduce_leave(&station);
    pa_fleet_close(fleet);
    return code == PA_OK ? 0 : 1;
}
