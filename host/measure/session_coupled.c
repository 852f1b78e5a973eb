/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_coupled.h"

#include "base/clock.h"
#include "measure/coupled.h"
#include "measure/reduce_ranks.h"
#include "measure/session_notes.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t patience_ns = UINT64_C(60000000000);
/* Steps and sums are estimated from what was measured before; on a busy host both take longer. */
enum { PATIENCE_FACTOR = 20, WORD_BYTES = 4 };

/* The exchange: one request and one answer each. */
struct coupling {
    const struct pa_session_terms *terms;
    struct pa_reduce_ranks ranks;
    struct pa_coupled_request request;
    struct pa_buffer *requests, *answers; /* by rank */
    double *step_operations;              /* by rank */
    double step_ns, reduce_ns;            /* of the slowest device, and of one sum */
    struct pa_hash key;
    struct pa_coupled_run run;
};

static int note_without(const struct pa_session_terms *terms, const char *state, const char *reason,
                        struct pa_error *error) {
    return pa_note_put(
        terms, PA_NO_EPOCH,
        json_pack("{s:s, s:s, s:s}", "kind", "coupled", "state", state, "reason", reason), error);
}

static int note_run(const struct coupling *coupling, struct pa_error *error) {
    const struct pa_coupled_request *request = &coupling->request;
    const struct pa_coupled_run *run = &coupling->run;
    char transport[16] = "";
    memcpy(transport, request->id, sizeof transport - 1);
    return pa_note_put(
        coupling->terms, PA_NO_EPOCH,
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:b, s:s}", "kind", "coupled",
                  "state", "measured", "ranks", (json_int_t)request->ranks, "hosts",
                  (json_int_t)pa_reduce_ranks_hosts(&coupling->ranks), "bytes",
                  (json_int_t)request->bytes, "steps", (json_int_t)request->steps, "time_ns",
                  (json_int_t)run->time_ns, "operations", pa_note_figure(run->operations),
                  "alone_per_second", pa_note_figure(run->alone_per_second), "verified",
                  run->verified ? 1 : 0, "transport", transport),
        error);
}

/* The gradient of B, K x N words of 32 bits, of the device with the largest N; no larger than what
 * the sweep could do. */
static uint64_t gradient_bytes(const struct coupling *coupling, uint64_t most_bytes) {
    uint64_t bytes = 0;
    for (uint32_t rank = 0; rank < coupling->ranks.ranks; rank++) {
        const struct pa_site_device *device = pa_reduce_ranks_device(&coupling->ranks, rank);
        uint64_t own =
            (uint64_t)coupling->terms->plan->k * device->calibration.chosen.n * WORD_BYTES;
        bytes = own > bytes ? own : bytes;
    }
    return bytes < most_bytes ? bytes : most_bytes;
}

static void estimate(struct coupling *coupling, const struct pa_allreduce_outcome *sweep) {
    for (uint32_t rank = 0; rank < coupling->ranks.ranks; rank++) {
        double step_ns = pa_reduce_ranks_step_ns(&coupling->ranks, rank, coupling->terms->plan->k,
                                                 &coupling->step_operations[rank]);
        coupling->step_ns = step_ns > coupling->step_ns ? step_ns : coupling->step_ns;
    }
    coupling->reduce_ns =
        (double)sweep->time_ns * (double)coupling->request.bytes / (double)sweep->bytes;
}

static int plan(struct coupling *coupling, const struct pa_allreduce_outcome *sweep,
                struct pa_error *error) {
    struct pa_coupled_request *request = &coupling->request;
    const struct pa_backend *backend = pa_backend_named(coupling->ranks.backend);
    if (RAND_priv_bytes(coupling->key.bytes, sizeof coupling->key.bytes) != 1)
        return pa_fail(error, PA_EINTERNAL,
                       "working as one system: the system's random numbers are not available");
    pa_epoch_nonce(&request->nonce, &coupling->key);
    request->ranks = coupling->ranks.ranks;
    request->bytes = gradient_bytes(coupling, sweep->bytes);
    estimate(coupling, sweep);
    request->steps =
        pa_coupled_steps(coupling->terms->plan->coupled_ns, coupling->step_ns, coupling->reduce_ns);
    double expected_ns = 2 * request->steps * (coupling->step_ns + coupling->reduce_ns);
    request->patience_ns =
        pa_clock_patience_ns(patience_ns) + (uint64_t)(PATIENCE_FACTOR * expected_ns);
    return backend->communicator_id(pa_reduce_ranks_hosts(&coupling->ranks) == 1, request->id,
                                    error);
}

static int ask(struct coupling *coupling, struct pa_error *error) {
    struct pa_coupled_request *request = &coupling->request;
    for (uint32_t rank = 0; rank < request->ranks; rank++) {
        request->rank = rank;
        pa_put_coupled_request(&coupling->requests[rank], request);
        if (coupling->requests[rank].failed)
            return pa_fail(error, PA_EMEMORY, "working as one system: out of memory");
    }
    coupling->ranks.operation = PA_ASK_COUPLED;
    PA_TRY(pa_reduce_ranks_ask(&coupling->ranks, coupling->requests, coupling->answers,
                               request->ranks, pa_clock_raw_ns() + request->patience_ns, error));
    return pa_coupled_combine(request, coupling->answers, coupling->step_operations, &coupling->key,
                              &coupling->run, error);
}

static int run_and_note(struct coupling *coupling, const struct pa_allreduce_outcome *sweep,
                        struct pa_error *error) {
    const struct pa_session_terms *terms = coupling->terms;
    struct pa_error cause = {0};
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_COUPLED});
    int code = plan(coupling, sweep, &cause);
    if (code == PA_OK)
        code = ask(coupling, &cause);
    if (code == PA_OK)
        return note_run(coupling, error);
    pa_observe(terms->observer, (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = cause.text});
    PA_TRY(note_without(terms, "lost", cause.text, error));
    return pa_note_losses(terms, PA_NO_EPOCH, error);
}

int pa_session_coupled(const struct pa_session_terms *terms,
                       const struct pa_allreduce_outcome *sweep, struct pa_error *error) {
    struct coupling coupling = {.terms = terms};
    if (terms->site->device_count < 2)
        return PA_OK;
    if (sweep->failure.code != PA_OK || sweep->bytes == 0)
        return note_without(terms, "not measured", sweep->failure.text, error);
    PA_TRY(pa_reduce_ranks_begin(&coupling.ranks, terms->site, error));
    uint32_t ranks = coupling.ranks.ranks;
    if (ranks == 0)
        return note_without(terms, "not measured", "No two devices of one make were left.", error);
    coupling.requests = pa_buffers_make(ranks);
    coupling.answers = pa_buffers_make(ranks);
    coupling.step_operations = calloc(ranks, sizeof *coupling.step_operations);
    int code = PA_OK;
    if (coupling.requests == NULL || coupling.answers == NULL || coupling.step_operations == NULL)
        code = pa_fail(error, PA_EMEMORY, "working as one system: out of memory");
    if (code == PA_OK)
        code = run_and_note(&coupling, sweep, error);
    pa_buffers_free(coupling.requests, ranks);
    pa_buffers_free(coupling.answers, ranks);
    free(coupling.step_operations);
    pa_reduce_ranks_end(&coupling.ranks);
    return code;
}
