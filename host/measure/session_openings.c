/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_openings.h"

#include "measure/session_epoch.h"
#include "measure/session_roll_call.h"

#include <stdlib.h>

enum { OPENINGS_A_REQUEST = 64 };

static const uint64_t patience_ns = UINT64_C(600000000000);

/* One epoch's openings under work. */
struct opening_epoch {
    const struct pa_session_terms *terms;
    struct pa_ledger *ledger;
    struct pa_ledger_epoch *epoch;
    uint32_t openings; /* n_e */
    struct pa_sample *samples;
    int *holder;               /* by device: the rank that has its chain; -1 nobody */
    uint64_t done_before, all; /* openings, for progress */
};

static int draw(struct opening_epoch *work, struct pa_error *error) {
    const struct pa_declaration *declaration = &work->ledger->declaration;
    struct pa_shape *shapes = calloc(declaration->device_count, sizeof *shapes);
    if (shapes == NULL)
        return pa_fail(error, PA_EMEMORY, "opening tiles: out of memory");
    for (uint32_t d = 0; d < declaration->device_count; d++)
        shapes[d] = pa_declared_shape(declaration, work->epoch->kind, d);
    int code =
        pa_epoch_samples(work->samples, work->openings, &work->epoch->key, &work->epoch->root,
                         shapes, work->epoch->tails, declaration->device_count, error);
    free(shapes);
    return code;
}

/* Let a process compute the chain of `device` again. The result must be what was committed. */
static int recompute(struct opening_epoch *work, uint32_t device, int rank,
                     struct pa_error *error) {
    const struct pa_declaration *declaration = &work->ledger->declaration;
    const struct pa_tail *committed = &work->epoch->tails[device];
    struct pa_shape shape = pa_declared_shape(declaration, work->epoch->kind, device);
    struct pa_replay_request request = {
        .parameters = pa_session_parameters(work->ledger, work->epoch->number),
        .nonce = work->epoch->nonce,
        .device = device,
        .m = shape.m,
        .n = shape.n,
        .steps = (uint32_t)committed->steps};
    struct pa_buffer bytes = {0}, answer = {0};
    pa_observe(
        work->terms->observer,
        (struct pa_progress){.phase = PA_PHASE_RECOMPUTE, .done = work->epoch->number, .rate = 0});
    pa_buffer_u32(&bytes, PA_ASK_REPLAY);
    pa_put_replay_request(&bytes, &request);
    uint64_t deadline = pa_clock_raw_ns() + 4 * declaration->epoch_ns + patience_ns;
    int code = pa_site_ask_one(work->terms->site, rank, &bytes, deadline, &answer, error);
    struct pa_reader in = pa_reader_over(answer.data, answer.size);
    struct pa_tail tail;
    pa_get_tail(&in, &tail);
    if (code == PA_OK && (!pa_reader_done(&in) || !pa_hash_equal(&tail.last, &committed->last)))
        code = pa_fail(error, PA_EDEVICE,
                       "computing the chain of device %u again: it ends in another hash", device);
    pa_buffer_free(&bytes);
    pa_buffer_free(&answer);
    return code;
}

/* Ask `rank` for the openings of `samples` and pass them on to `out`, one buffer each. */
static int fetch(struct opening_epoch *work, int rank, uint32_t first, uint32_t count,
                 struct pa_buffer *answer, struct pa_error *error) {
    struct pa_buffer request = {0};
    pa_buffer_u32(&request, PA_ASK_OPEN);
    pa_buffer_u64(&request, work->epoch->number);
    pa_buffer_u32(&request, count);
    for (uint32_t j = first; j < first + count; j++)
        pa_put_sample(&request, &work->samples[j]);
    int code = pa_site_ask_one(work->terms->site, rank, &request, pa_clock_raw_ns() + patience_ns,
                               answer, error);
    pa_buffer_free(&request);
    return code;
}

/* A process that can compute the chain of a lost device: the first one with a device that is well.
 */
static int stand_in_rank(const struct pa_site *site) {
    for (uint32_t d = 0; d < site->device_count; d++)
        if (!site->devices[d].is_lost)
            return site->devices[d].rank;
    return 0;
}

static bool is_gone(const struct pa_site *site, int rank) {
    return rank != 0 && (rank >= site->place.size || !pa_fleet_is_alive(site->fleet, rank));
}

/* A process died with chains on its shelf: whoever has a sample there needs another holder. */
static void lose_holder(struct opening_epoch *work, int rank, const struct pa_error *cause) {
    struct pa_error unknown = {0};
    if (cause->code == PA_OK)
        pa_fail(&unknown, PA_EHUB, "rank %d is lost", rank);
    pa_site_lose_process(work->terms->site, rank, cause->code == PA_OK ? &unknown : cause);
    for (uint32_t d = 0; d < work->ledger->declaration.device_count; d++)
        if (work->holder[d] == rank)
            work->holder[d] = -1;
}

/* The rank that answers for a device: its own process while that lives and still has the chain,
 * which a device that is lost does not take along, else one that computes the chain again. */
static int find_holder(struct opening_epoch *work, uint32_t device, struct pa_error *error) {
    struct pa_site *site = work->terms->site;
    const struct pa_site_device *entry = &site->devices[device];
    struct pa_buffer probe = {0};
    struct pa_error cause = {0};
    if (work->holder[device] >= 0)
        return PA_OK;
    uint32_t j = 0;
    while (work->samples[j].device != device)
        j++;
    int rank = entry->rank;
    int code = is_gone(site, rank) ? PA_EDEVICE : fetch(work, rank, j, 1, &probe, &cause);
    pa_buffer_free(&probe);
    while (code != PA_OK) {
        if (is_gone(site, rank))
            lose_holder(work, rank, &cause);
        rank = entry->is_lost ? stand_in_rank(site) : entry->rank;
        code = recompute(work, device, rank, &cause);
        if (code != PA_OK && (!is_gone(site, rank) || pa_site_alive(site) == 0))
            return pa_fail(error, code, "%s", cause.text);
    }
    work->holder[device] = rank;
    return PA_OK;
}

/* Hand the openings of one answer to the witness. */
static int pass_on(struct opening_epoch *work, uint32_t first, uint32_t count,
                   const struct pa_buffer *answer, struct pa_error *error) {
    struct pa_witness *witness = work->terms->witness;
    struct pa_reader in = pa_reader_over(answer->data, answer->size);
    for (uint32_t j = first; j < first + count; j++) {
        uint32_t size = pa_read_u32(&in);
        const uint8_t *opening = pa_read_view(&in, size);
        if (opening == NULL)
            return pa_fail(error, PA_EINPUT, "opening tiles: the answer is cut short");
        PA_TRY(witness->kind->open(witness, work->epoch->number, j, opening, size, error));
    }
    return PA_OK;
}

/* Openings go to the witness in the order of j, as long as one process has the next ones. */
static int open_from(struct opening_epoch *work, uint32_t *next, struct pa_error *error) {
    uint32_t count = 0;
    PA_TRY(find_holder(work, work->samples[*next].device, error));
    int rank = work->holder[work->samples[*next].device];
    while (count < OPENINGS_A_REQUEST && *next + count < work->openings) {
        uint32_t device = work->samples[*next + count].device;
        PA_TRY(find_holder(work, device, error));
        if (work->holder[device] != rank)
            break;
        count++;
    }
    struct pa_buffer answer = {0};
    struct pa_error cause = {0};
    int code = fetch(work, rank, *next, count, &answer, &cause);
    if (code != PA_OK && is_gone(work->terms->site, rank) && pa_site_alive(work->terms->site) > 0) {
        pa_buffer_free(&answer);
        lose_holder(work, rank, &cause);
        return PA_OK; /* the same ones again, from somebody else */
    }
    if (code != PA_OK)
        code = pa_fail(error, code, "%s", cause.text);
    else
        code = pass_on(work, *next, count, &answer, error);
    pa_buffer_free(&answer);
    *next += code == PA_OK ? count : 0;
    return code;
}

static int open_samples(struct opening_epoch *work, struct pa_error *error) {
    const struct pa_session_terms *terms = work->terms;
    uint32_t next = work->epoch->opened;
    uint64_t begun = pa_clock_raw_ns();
    PA_TRY(draw(work, error));
    while (next < work->openings) {
        if (terms->stop != NULL && atomic_load(terms->stop))
            return pa_fail(error, PA_EINTERRUPTED, "stopped by the user; the evidence is kept");
        PA_TRY(open_from(work, &next, error));
        if (next == work->epoch->opened)
            continue;
        uint64_t each = (pa_clock_raw_ns() - begun) / (next - work->epoch->opened);
        pa_observe(
            terms->observer,
            (struct pa_progress){.phase = PA_PHASE_OPEN,
                                 .done = work->done_before + next,
                                 .all = work->all,
                                 .remaining_ns = (work->all - work->done_before - next) * each});
    }
    return PA_OK;
}

static bool has_work(const struct pa_ledger *ledger, const struct pa_ledger_epoch *epoch) {
    for (uint32_t d = 0; d < ledger->declaration.device_count; d++)
        if (epoch->tails[d].steps > 0)
            return true;
    return false;
}

/* Openings that a site with working devices does not give are missing: that is the witness's to
 * judge. Where no device is left, nothing is withheld: the audit can be resumed once one works. */
static int go_without(const struct opening_epoch *work, struct pa_error *error) {
    struct pa_error cause = *error;
    PA_TRY(pa_session_roll_call(work->terms, error));
    if (pa_site_alive(work->terms->site) == 0)
        return pa_fail(error, PA_EDEVICE,
                       "opening tiles: no device is left that could compute the chains of epoch "
                       "%llu again: %.600s. The evidence is kept; when a device works, go on with "
                       "audit --resume",
                       (unsigned long long)work->epoch->number, cause.text);
    pa_observe(work->terms->observer,
               (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = cause.text});
    return PA_OK;
}

static int open_epoch(struct opening_epoch *work, struct pa_error *error) {
    const struct pa_declaration *declaration = &work->ledger->declaration;
    uint32_t failed;
    work->openings = pa_declared_openings(declaration, work->epoch->kind);
    work->samples = calloc(work->openings, sizeof *work->samples);
    work->holder = malloc(declaration->device_count * sizeof *work->holder);
    int code = work->samples == NULL || work->holder == NULL
                   ? pa_fail(error, PA_EMEMORY, "opening tiles: out of memory")
                   : PA_OK;
    for (uint32_t d = 0; code == PA_OK && d < declaration->device_count; d++)
        work->holder[d] = -1;
    if (code == PA_OK && has_work(work->ledger, work->epoch))
        code = open_samples(work, error);
    free(work->samples);
    free(work->holder);
    if (code == PA_EDEVICE || code == PA_EHUB || code == PA_ETIMEOUT || code == PA_EINPUT)
        code = go_without(work, error);
    PA_TRY(code);
    return work->terms->witness->kind->settle(work->terms->witness, work->epoch->number, &failed,
                                              error);
}

int pa_session_open_all(const struct pa_session_terms *terms, struct pa_ledger *ledger,
                        struct pa_error *error) {
    struct opening_epoch work = {.terms = terms, .ledger = ledger};
    PA_TRY(pa_session_roll_call(terms, error));
    for (uint32_t i = 0; i < ledger->closed_count; i++)
        work.all += pa_declared_openings(&ledger->declaration, ledger->closed[i].kind);
    for (uint32_t i = 0; i < ledger->closed_count; i++) {
        struct pa_ledger_epoch *epoch = &ledger->closed[i];
        work.done_before += i == 0 ? 0 : pa_declared_openings(&ledger->declaration, epoch[-1].kind);
        work.epoch = epoch;
        if (epoch->is_settled)
            continue;
        PA_TRY(open_epoch(&work, error));
        struct pa_buffer request = {0};
        pa_buffer_u32(&request, PA_ASK_FORGET);
        pa_buffer_u64(&request, epoch->number);
        pa_site_tell(terms->site, &request, pa_clock_raw_ns() + patience_ns);
        pa_buffer_free(&request);
    }
    return pa_session_roll_call(terms, error);
}
