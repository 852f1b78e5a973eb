/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/reduce_ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many devices of a backend still work. */
static uint32_t count_of(const struct pa_site *site, const char *backend) {
    uint32_t count = 0;
    for (uint32_t d = 0; d < site->device_count; d++)
        count += pa_site_works(&site->devices[d]) &&
                 strcmp(site->devices[d].facts.backend, backend) == 0;
    return count;
}

static const char *choose_backend(const struct pa_site *site) {
    const char *chosen = NULL, *before = "";
    uint32_t most = 0;
    for (uint32_t d = 0; d < site->device_count; d++) {
        const char *backend = site->devices[d].facts.backend;
        if (strcmp(backend, before) == 0)
            continue;
        uint32_t count = count_of(site, backend);
        before = backend;
        if (count > most || (count == most && chosen != NULL && strcmp(chosen, "cpu") == 0)) {
            chosen = backend;
            most = count;
        }
    }
    return most >= 2 ? chosen : NULL;
}

int pa_reduce_ranks_begin(struct pa_reduce_ranks *ranks, struct pa_site *site,
                          struct pa_error *error) {
    *ranks = (struct pa_reduce_ranks){.site = site, .backend = choose_backend(site)};
    if (ranks->backend == NULL)
        return PA_OK;
    ranks->device_of = calloc(site->device_count, sizeof *ranks->device_of);
    ranks->rank_of = calloc(site->device_count, sizeof *ranks->rank_of);
    if (ranks->device_of == NULL || ranks->rank_of == NULL) {
        pa_reduce_ranks_end(ranks);
        return pa_fail(error, PA_EMEMORY, "all-reduce: out of memory");
    }
    for (uint32_t d = 0; d < site->device_count; d++) {
        ranks->rank_of[d] = UINT32_MAX;
        if (!pa_site_works(&site->devices[d]) ||
            strcmp(site->devices[d].facts.backend, ranks->backend) != 0)
            continue;
        ranks->rank_of[d] = ranks->ranks;
        ranks->device_of[ranks->ranks++] = d;
    }
    return PA_OK;
}

void pa_reduce_ranks_end(struct pa_reduce_ranks *ranks) {
    free(ranks->device_of);
    free(ranks->rank_of);
    *ranks = (struct pa_reduce_ranks){0};
}

const struct pa_site_device *pa_reduce_ranks_device(const struct pa_reduce_ranks *ranks,
                                                    uint32_t rank) {
    return &ranks->site->devices[ranks->device_of[rank]];
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

double pa_reduce_ranks_step_ns(const struct pa_reduce_ranks *ranks, uint32_t rank, uint32_t k,
                               double *operations) {
    return pa_site_step_ns(pa_reduce_ranks_device(ranks, rank), k, operations);
}

uint32_t pa_reduce_ranks_hosts(const struct pa_reduce_ranks *ranks) {
    const char **hosts = calloc(ranks->ranks, sizeof *hosts);
    uint32_t count = hosts != NULL && ranks->ranks > 0 ? 1 : 0;
    for (uint32_t rank = 0; rank < ranks->ranks && hosts != NULL; rank++)
        hosts[rank] = pa_reduce_ranks_device(ranks, rank)->facts.identity.host;
    if (count > 0)
        qsort(hosts, ranks->ranks, sizeof *hosts, compare_texts);
    for (uint32_t rank = 1; rank < ranks->ranks && count > 0; rank++)
        count += strcmp(hosts[rank - 1], hosts[rank]) != 0;
    free(hosts);
    return count;
}

static void build_request(void *context, const struct pa_site *site, int process, uint32_t first,
                          uint32_t count, struct pa_buffer *out) {
    struct pa_reduce_ranks *ranks = context;
    (void)site;
    (void)process;
    pa_buffer_u32(out, (uint32_t)ranks->operation);
    for (uint32_t d = first; d < first + count; d++) {
        uint32_t rank = ranks->rank_of[d];
        const struct pa_buffer *request = rank < ranks->ranks ? &ranks->requests[rank] : NULL;
        pa_buffer_u32(out, request != NULL ? (uint32_t)request->size : 0);
        if (request != NULL)
            pa_buffer_bytes(out, request->data, request->size);
    }
}

/* The inner code keeps an all-reduce that fails apart from a device that fails. */
static int take_answer(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                       struct pa_error *error) {
    struct pa_reduce_ranks *ranks = context;
    const struct pa_site_device *from = &site->devices[device];
    uint32_t rank = ranks->rank_of[device];
    struct pa_error failure = {0};
    (void)error;
    int code = pa_crew_part(in, &failure);
    /* A rank that waited in vain knows less than the one that it waited for. */
    if (code != PA_OK && (ranks->failure.code == PA_OK ||
                          (ranks->failure.code == PA_ETIMEOUT && code != PA_ETIMEOUT)))
        pa_fail(&ranks->failure, code, "device %u, rank %d on %.63s: %.800s", device, from->rank,
                from->facts.identity.host, failure.text);
    if (code == PA_OK && rank < ranks->ranks) {
        pa_buffer_bytes(&ranks->answers[rank], in->next, in->left);
        ranks->answered++;
    }
    in->left = 0;
    return PA_OK;
}

/* The others only notice that somebody is gone; the hub knows who. */
static int check_lost(const struct pa_reduce_ranks *ranks, struct pa_error *error) {
    for (uint32_t rank = 0; rank < ranks->ranks; rank++) {
        const struct pa_site_device *device = pa_reduce_ranks_device(ranks, rank);
        if (!device->is_lost)
            continue;
        /* A lost process is named in its text already. */
        if (strncmp(device->lost_text, "rank ", 5) == 0)
            return pa_fail(error, PA_EDEVICE, "%s", device->lost_text);
        return pa_fail(error, PA_EDEVICE, "device %u, rank %d on %.63s: %s", ranks->device_of[rank],
                       device->rank, device->facts.identity.host, device->lost_text);
    }
    return PA_OK;
}

int pa_reduce_ranks_ask(void *context, const struct pa_buffer *requests, struct pa_buffer *answers,
                        uint32_t count, uint64_t deadline_ns, struct pa_error *error) {
    struct pa_reduce_ranks *ranks = context;
    ranks->requests = requests;
    ranks->answers = answers;
    ranks->answered = 0;
    ranks->failure = (struct pa_error){0};
    PA_TRY(pa_site_ask(ranks->site, build_request, take_answer, ranks, deadline_ns, error));
    PA_TRY(check_lost(ranks, error));
    if (ranks->failure.code != PA_OK)
        return pa_fail(error, ranks->failure.code, "%s", ranks->failure.text);
    return ranks->answered == count
               ? PA_OK
               : pa_fail(error, PA_EDEVICE, "a device was lost during the all-reduce");
}
