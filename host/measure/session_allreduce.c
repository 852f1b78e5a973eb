/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_allreduce.h"

#include "base/clock.h"
#include "measure/reduce_ranks.h"
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

static int note_rows(const struct pa_session_terms *terms, const struct pa_allreduce_sweep *sweep,
                     struct pa_error *error) {
    for (uint32_t i = 0; i < sweep->row_count; i++) {
        const struct pa_allreduce_row *row = &sweep->rows[i];
        PA_TRY(pa_note_put_later(
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

static uint64_t host_memory_of_a_rank(const struct pa_reduce_ranks *ranks) {
    long pages = sysconf(_SC_AVPHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes / ranks->ranks : 0;
}

/* What the workbench leaves on the device with the least; 0 where a device tells nothing. */
static uint64_t device_memory(const struct pa_reduce_ranks *ranks) {
    uint64_t least = UINT64_MAX;
    for (uint32_t rank = 0; rank < ranks->ranks; rank++) {
        const struct pa_site_device *device = pa_reduce_ranks_device(ranks, rank);
        uint64_t bytes = device->facts.identity.memory_bytes;
        uint64_t used = device->calibration.memory_bytes;
        bytes = bytes > used ? bytes - used : bytes > 0 ? 1 : 0;
        least = bytes < least ? bytes : least;
    }
    return least;
}

/* What is measured together with products is of a size that was reduced rightly here. */
static void keep_largest(const struct pa_allreduce_sweep *sweep,
                         struct pa_allreduce_outcome *outcome) {
    for (uint32_t i = 0; i < sweep->row_count; i++)
        if (sweep->rows[i].verified) {
            outcome->bytes = sweep->rows[i].bytes;
            outcome->time_ns = sweep->rows[i].time_ns;
        }
}

static int sweep_and_note(const struct pa_session_terms *terms, struct pa_reduce_ranks *ranks,
                          struct pa_allreduce_outcome *outcome, struct pa_error *error) {
    bool is_test = terms->plan->k != PA_CERTIFIED_K;
    bool is_cpu = strcmp(ranks->backend, "cpu") == 0;
    struct pa_allreduce_plan plan = {
        .backend = pa_backend_named(ranks->backend),
        .ranks = ranks->ranks,
        .is_one_host = pa_reduce_ranks_hosts(ranks) == 1,
        .most_bytes = is_test  ? most_test_bytes
                      : is_cpu ? most_cpu_bytes
                               : most_accelerator_bytes,
        .memory_bytes = is_cpu ? host_memory_of_a_rank(ranks) : device_memory(ranks),
        .patience_ns = pa_clock_patience_ns(patience_ns),
        .stop = terms->stop,
    };
    struct pa_hash key, nonce;
    if (plan.backend == NULL)
        return pa_fail(error, PA_EUNSUPPORTED, "all-reduce: the hub has no backend %s",
                       ranks->backend);
    if (RAND_priv_bytes(key.bytes, sizeof key.bytes) != 1)
        return pa_fail(error, PA_EINTERNAL,
                       "all-reduce: the system's random numbers are not available");
    pa_epoch_nonce(&nonce, &key);
    struct pa_allreduce_sweep sweep = {0};
    int code =
        pa_allreduce_sweep(&plan, &nonce, pa_reduce_ranks_ask, ranks, &sweep, &outcome->failure);
    bool is_right = pa_allreduce_verify(&sweep, &key);
    if (code == PA_OK && !is_right)
        pa_fail(&outcome->failure, PA_EDEVICE, "All-reduce gave a wrong result.");
    keep_largest(&sweep, outcome);
    int noted = note_rows(terms, &sweep, error);
    pa_allreduce_free(&sweep);
    PA_TRY(noted);
    if (code == PA_OK)
        return PA_OK;
    const char *text = outcome->failure.text;
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
    return pa_note_put_later(terms, PA_NO_EPOCH,
                             json_pack("{s:s, s:s, s:s, s:s}", "kind", "finding", "code",
                                       "ALLREDUCE_FAILED", "severity", "warning", "text", text),
                             error);
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
    return pa_note_put_later(terms, PA_NO_EPOCH,
                             json_pack("{s:s, s:s, s:s, s:s}", "kind", "finding", "code",
                                       "ALLREDUCE_PARTIAL", "severity", "info", "text", text),
                             error);
}

/* What an earlier process noted: whoever may measure twice may choose. */
static void remember(const struct pa_session_past *past, struct pa_allreduce_outcome *outcome) {
    outcome->bytes = past->allreduce_bytes;
    outcome->time_ns = past->allreduce_ns;
    if (past->allreduce_trouble[0] != '\0')
        pa_fail(&outcome->failure, PA_EDEVICE, "%s", past->allreduce_trouble);
}

int pa_session_allreduce(const struct pa_session_terms *terms, const struct pa_session_past *past,
                         struct pa_allreduce_outcome *outcome, struct pa_error *error) {
    struct pa_reduce_ranks ranks;
    *outcome = (struct pa_allreduce_outcome){0};
    if (past != NULL && past->has_allreduce) {
        remember(past, outcome);
        return PA_OK;
    }
    PA_TRY(pa_reduce_ranks_begin(&ranks, terms->site, error));
    ranks.operation = PA_ASK_ALLREDUCE;
    if (ranks.backend == NULL) {
        pa_fail(&outcome->failure, PA_EUNSUPPORTED,
                "No two devices of one make were there to reduce with each other.");
        return PA_OK;
    }
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_ALLREDUCE});
    /* All of it is noted at once, so that a session that was cut off has it or has it not. */
    int code = note_partial(terms, ranks.backend, ranks.ranks, error);
    if (code == PA_OK)
        code = sweep_and_note(terms, &ranks, outcome, error);
    if (code == PA_OK)
        code = pa_note_sync(terms, error);
    pa_reduce_ranks_end(&ranks);
    return code == PA_OK ? pa_note_losses(terms, PA_NO_EPOCH, error) : code;
}
