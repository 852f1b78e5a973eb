/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_allreduce.h"

#include "base/clock.h"
#include "measure/allreduce.h"
#include "measure/session_notes.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint64_t patience_ns = UINT64_C(60000000000);
/* An accelerator moves this much in milliseconds, a processor's 256 MiB take longer. */
static const uint64_t most_accelerator_bytes = UINT64_C(1) << 32;
static const uint64_t most_cpu_bytes = UINT64_C(1) << 28;
static const uint64_t most_test_bytes = UINT64_C(1) << 16;

/* The devices that take part, as ranks 0 .. ranks-1, and the exchange under way. */
struct reducing {
    const struct pa_session_terms *terms;
    uint32_t *device_of; /* by rank */
    uint32_t *rank_of;   /* by device; UINT32_MAX for those that are lost */
    uint32_t ranks;
    const struct pa_buffer *requests;
    struct pa_buffer *answers;
    struct pa_error failure; /* the first rank's that failed */
    uint32_t answered;
};

static void build_request(void *context, const struct pa_site *site, int process, uint32_t first,
                          uint32_t count, struct pa_buffer *out) {
    struct reducing *reducing = context;
    (void)site;
    (void)process;
    pa_buffer_u32(out, PA_ASK_ALLREDUCE);
    for (uint32_t d = first; d < first + count; d++) {
        uint32_t rank = reducing->rank_of[d];
        const struct pa_buffer *request = rank < reducing->ranks ? &reducing->requests[rank] : NULL;
        pa_buffer_u32(out, request != NULL ? (uint32_t)request->size : 0);
        if (request != NULL)
            pa_buffer_bytes(out, request->data, request->size);
    }
}

/* The inner code keeps an all-reduce that fails apart from a device that fails. */
static int take_answer(void *context, struct pa_site *site, uint32_t device, struct pa_reader *in,
                       struct pa_error *error) {
    struct reducing *reducing = context;
    uint32_t rank = reducing->rank_of[device];
    struct pa_error failure = {0};
    (void)site;
    (void)error;
    int code = pa_crew_part(in, &failure);
    /* A rank that waited in vain knows less than the one that it waited for. */
    if (code != PA_OK && (reducing->failure.code == PA_OK ||
                          (reducing->failure.code == PA_ETIMEOUT && code != PA_ETIMEOUT)))
        reducing->failure = failure;
    if (code == PA_OK && rank < reducing->ranks) {
        pa_buffer_bytes(&reducing->answers[rank], in->next, in->left);
        reducing->answered++;
    }
    in->left = 0;
    return PA_OK;
}

static int ask(void *context, const struct pa_buffer *requests, struct pa_buffer *answers,
               uint32_t ranks, uint64_t deadline_ns, struct pa_error *error) {
    struct reducing *reducing = context;
    reducing->requests = requests;
    reducing->answers = answers;
    reducing->answered = 0;
    reducing->failure = (struct pa_error){0};
    PA_TRY(pa_site_ask(reducing->terms->site, build_request, take_answer, reducing, deadline_ns,
                       error));
    if (reducing->failure.code != PA_OK)
        return pa_fail(error, reducing->failure.code, "%s", reducing->failure.text);
    return reducing->answered == ranks
               ? PA_OK
               : pa_fail(error, PA_EDEVICE, "a device was lost during the all-reduce");
}

static bool is_one_host(const struct reducing *reducing) {
    const struct pa_site *site = reducing->terms->site;
    for (uint32_t rank = 1; rank < reducing->ranks; rank++)
        if (strcmp(site->devices[reducing->device_of[rank]].facts.identity.host,
                   site->devices[reducing->device_of[0]].facts.identity.host) != 0)
            return false;
    return true;
}

static int note_rows(const struct pa_session_terms *terms, const struct pa_allreduce_sweep *sweep,
                     struct pa_error *error) {
    for (uint32_t i = 0; i < sweep->row_count; i++) {
        const struct pa_allreduce_row *row = &sweep->rows[i];
        PA_TRY(pa_note_put(
            terms, PA_NO_EPOCH,
            json_pack("{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:b, s:s}", "kind", "allreduce", "bytes",
                      (json_int_t)row->bytes, "ranks", (json_int_t)sweep->ranks, "iterations",
                      (json_int_t)row->iterations, "time_ns", (json_int_t)row->time_ns, "algbw_gbs",
                      pa_note_figure(row->algbw_gbs), "busbw_gbs", pa_note_figure(row->busbw_gbs),
                      "verified", row->verified ? 1 : 0, "transport", sweep->transport),
            error));
    }
    return PA_OK;
}

static uint64_t host_memory_of_a_rank(const struct reducing *reducing) {
    long pages = sysconf(_SC_AVPHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes / reducing->ranks
                                       : 0;
}

/* What the workbench leaves on the device with the least; 0 where a device tells nothing. */
static uint64_t device_memory(const struct reducing *reducing) {
    uint64_t least = UINT64_MAX;
    for (uint32_t rank = 0; rank < reducing->ranks; rank++) {
        const struct pa_site_device *device =
            &reducing->terms->site->devices[reducing->device_of[rank]];
        uint64_t bytes = device->facts.identity.memory_bytes;
        uint64_t used = device->calibration.memory_bytes;
        bytes = bytes > used ? bytes - used : bytes > 0 ? 1 : 0;
        least = bytes < least ? bytes : least;
    }
    return least;
}

static int sweep_and_note(struct reducing *reducing, struct pa_error *error) {
    const struct pa_session_terms *terms = reducing->terms;
    const struct pa_site_device *first = &terms->site->devices[reducing->device_of[0]];
    bool is_test = terms->plan->k != PA_CERTIFIED_K;
    bool is_cpu = strcmp(first->facts.backend, "cpu") == 0;
    struct pa_allreduce_plan plan = {
        .backend = pa_backend_named(first->facts.backend),
        .ranks = reducing->ranks,
        .is_one_host = is_one_host(reducing),
        .most_bytes = is_test  ? most_test_bytes
                      : is_cpu ? most_cpu_bytes
                               : most_accelerator_bytes,
        .memory_bytes = is_cpu ? host_memory_of_a_rank(reducing) : device_memory(reducing),
        .patience_ns = pa_clock_patience_ns(patience_ns),
        .stop = terms->stop,
    };
    struct pa_hash key, nonce;
    if (plan.backend == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "all-reduce: the hub has no backend %s",
                       first->facts.backend);
    if (RAND_priv_bytes(key.bytes, sizeof key.bytes) != 1)
        return pa_fail(error, PA_EINTERNAL,
                       "all-reduce: the system's random numbers are not available");
    pa_epoch_nonce(&nonce, &key);
    struct pa_allreduce_sweep sweep = {0};
    struct pa_error cause = {0};
    int code = pa_allreduce_sweep(&plan, &nonce, ask, reducing, &sweep, &cause);
    pa_allreduce_verify(&sweep, &key);
    int noted = note_rows(terms, &sweep, error);
    pa_allreduce_free(&sweep);
    PA_TRY(noted);
    if (code == PA_OK)
        return PA_OK;
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = cause.text});
    return pa_note_put(terms, PA_NO_EPOCH,
                       json_pack("{s:s, s:s, s:s, s:s}", "kind", "finding", "code",
                                 "ALLREDUCE_FAILED", "severity", "warning", "text", cause.text),
                       error);
}

/* How many devices of a backend still work. */
static uint32_t count_of(const struct pa_site *site, const char *backend) {
    uint32_t count = 0;
    for (uint32_t d = 0; d < site->device_count; d++)
        count += !site->devices[d].is_lost && strcmp(site->devices[d].facts.backend, backend) == 0;
    return count;
}

/* Data travel between devices of one backend only: of the one with the most devices, and of two
 * that have as many, of the accelerators'. */
static const char *choose_backend(const struct pa_site *site) {
    const char *chosen = NULL;
    uint32_t most = 0;
    for (uint32_t d = 0; d < site->device_count; d++) {
        const char *backend = site->devices[d].facts.backend;
        uint32_t count = count_of(site, backend);
        if (count > most || (count == most && chosen != NULL && strcmp(chosen, "cpu") == 0)) {
            chosen = backend;
            most = count;
        }
    }
    return most >= 2 ? chosen : NULL;
}

static int note_partial(const struct pa_session_terms *terms, const char *backend, uint32_t ranks,
                        struct pa_error *error) {
    uint32_t left_out = pa_site_alive(terms->site) - ranks;
    char text[160];
    if (left_out == 0)
        return PA_OK;
    snprintf(text, sizeof text,
             "all-reduce ran among the %u %.15s devices; %u of other makes took no part", ranks,
             backend, left_out);
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
    return pa_note_put(terms, PA_NO_EPOCH,
                       json_pack("{s:s, s:s, s:s, s:s}", "kind", "finding", "code",
                                 "ALLREDUCE_PARTIAL", "severity", "info", "text", text),
                       error);
}

int pa_session_allreduce(const struct pa_session_terms *terms, struct pa_error *error) {
    struct pa_site *site = terms->site;
    struct reducing reducing = {.terms = terms};
    const char *backend = choose_backend(site);
    if (backend == NULL)
        return PA_OK;
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_ALLREDUCE});
    reducing.device_of = calloc(site->device_count, sizeof *reducing.device_of);
    reducing.rank_of = calloc(site->device_count, sizeof *reducing.rank_of);
    int code = PA_OK;
    if (reducing.device_of == NULL || reducing.rank_of == NULL)
        code = pa_fail(error, PA_EMEMORY, "all-reduce: out of memory");
    for (uint32_t d = 0; code == PA_OK && d < site->device_count; d++) {
        reducing.rank_of[d] = UINT32_MAX;
        if (site->devices[d].is_lost || strcmp(site->devices[d].facts.backend, backend) != 0)
            continue;
        reducing.rank_of[d] = reducing.ranks;
        reducing.device_of[reducing.ranks++] = d;
    }
    if (code == PA_OK)
        code = note_partial(terms, backend, reducing.ranks, error);
    if (code == PA_OK)
        code = sweep_and_note(&reducing, error);
    free(reducing.device_of);
    free(reducing.rank_of);
    return code == PA_OK ? pa_note_losses(terms, PA_NO_EPOCH, error) : code;
}
