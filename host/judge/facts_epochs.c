/* SPDX-License-Identifier: Apache-2.0 */
/* facts_epochs.c - challenge, commitment, list and key of each epoch, and what they add up to. */
#include "base/file.h"
#include "judge/facts_inside.h"

#include <stdlib.h>
#include <string.h>

struct pa_replay_epoch *pa_replay_epoch_of(struct pa_replay *replay,
                                           const struct pa_record *record) {
    if (record->epoch < replay->epoch_count)
        return &replay->epochs[record->epoch];
    pa_replay_broken(replay, "a %s of epoch %llu, which never began",
                     pa_record_type_name(record->type), (unsigned long long)record->epoch);
    return NULL;
}

const struct pa_shape *pa_replay_shapes(const struct pa_replay *replay,
                                        const struct pa_replay_epoch *epoch) {
    return replay->shapes + (size_t)epoch->kind * replay->facts->device_count;
}

static struct pa_replay_epoch *epoch_add(struct pa_replay *replay, struct pa_error *error) {
    if (replay->epoch_count == replay->epoch_capacity) {
        uint32_t capacity = replay->epoch_capacity == 0 ? 16 : 2 * replay->epoch_capacity;
        struct pa_replay_epoch *grown = realloc(replay->epochs, capacity * sizeof *grown);
        if (grown == NULL) {
            pa_fail(error, PA_EMEMORY, "reading %u epochs: out of memory", capacity);
            return NULL;
        }
        replay->epochs = grown;
        replay->epoch_capacity = capacity;
    }
    struct pa_replay_epoch *epoch = &replay->epochs[replay->epoch_count++];
    memset(epoch, 0, sizeof *epoch);
    return epoch;
}

/* What an interruption is noted with is its length so far: a site that asks for one at once and
 * then takes its time must not have that time for nothing. RAW may have begun anew since. */
static uint64_t gap_until(const struct pa_replay *replay, const struct pa_instant *t0) {
    const struct pa_instant *noted = &replay->gap_noted;
    uint64_t more_ns = t0->raw_ns >= noted->raw_ns   ? t0->raw_ns - noted->raw_ns
                       : t0->utc_ns >= noted->utc_ns ? t0->utc_ns - noted->utc_ns
                                                     : 0;
    return replay->has_gap ? replay->gap_ns + more_ns : 0;
}

int pa_replay_nonce(struct pa_replay *replay, const struct pa_record *record,
                    struct pa_error *error) {
    struct pa_nonce_record nonce;
    PA_TRY(pa_record_nonce(record, &nonce, error));
    if (record->epoch != replay->epoch_count)
        return pa_replay_broken(replay, "epoch %llu begins where epoch %u is next",
                                (unsigned long long)record->epoch, replay->epoch_count);
    if (replay->facts->sample.count > 0 && replay->facts->sample.chosen == NULL)
        return pa_replay_broken(replay, "epoch %u begins before the devices are chosen",
                                replay->epoch_count);
    if (replay->epoch_count >= 2 * PA_MOST_EPOCHS)
        return pa_replay_broken(replay, "more than %d epochs", 2 * PA_MOST_EPOCHS);
    if (replay->epoch_count > 0 && !replay->epochs[replay->epoch_count - 1].has_root)
        replay->epochs[replay->epoch_count - 1].is_aborted = true;
    struct pa_replay_epoch *epoch = epoch_add(replay, error);
    if (epoch == NULL)
        return PA_EMEMORY;
    epoch->t0 = nonce.at;
    memcpy(epoch->nonce.bytes, nonce.nonce, sizeof nonce.nonce);
    epoch->kind = pa_schedule_draw(&replay->schedule, &epoch->nonce);
    epoch->after_gap = replay->has_gap;
    epoch->gap_ns = gap_until(replay, &nonce.at);
    epoch->segment = replay->interruptions;
    replay->has_gap = false;
    replay->gap_ns = 0;
    return PA_OK;
}

int pa_replay_root(struct pa_replay *replay, const struct pa_record *record,
                   struct pa_error *error) {
    struct pa_root_record root;
    PA_TRY(pa_record_root(record, &root, error));
    struct pa_replay_epoch *epoch = pa_replay_epoch_of(replay, record);
    if (epoch == NULL)
        return PA_OK;
    if (epoch->is_aborted || epoch->has_root)
        return pa_replay_broken(replay, "a root for epoch %llu, which %s",
                                (unsigned long long)record->epoch,
                                epoch->is_aborted ? "was aborted" : "has one");
    if (root.at.raw_ns <= epoch->t0.raw_ns)
        return pa_replay_broken(replay, "the root of epoch %llu is not later than its nonce",
                                (unsigned long long)record->epoch);
    struct pa_hash commitment, committed;
    memcpy(committed.bytes, root.root, sizeof root.root);
    pa_epoch_commit_hash(&commitment, &replay->facts->session, record->epoch, &committed);
    if (!pa_signature_is_valid(replay->facts->declaration.prover_key, &commitment,
                               root.prover.bytes, root.prover.length))
        return pa_replay_broken(replay, "the prover's signature of the root of epoch %llu is wrong",
                                (unsigned long long)record->epoch);
    epoch->has_root = true;
    epoch->t1 = root.at;
    epoch->root = committed;
    return PA_OK;
}

/* What the list claims, counted; false when it breaks a limit. */
static bool count_work(const struct pa_replay *replay, struct pa_replay_epoch *epoch) {
    uint32_t devices = replay->facts->device_count;
    const struct pa_shape *shapes = pa_replay_shapes(replay, epoch);
    if (!pa_epoch_tiles(&epoch->tiles, shapes, epoch->tails, devices))
        return false;
    for (uint32_t d = 0; d < devices; d++)
        epoch->operations += (double)epoch->tails[d].steps * (double)pa_shape_operations(shapes[d]);
    return true;
}

int pa_replay_list(struct pa_replay *replay, const struct pa_record *record,
                   struct pa_error *error) {
    struct pa_list_record list;
    PA_TRY(pa_record_list(record, &list, error));
    unsigned long long number = record->epoch;
    struct pa_replay_epoch *epoch = pa_replay_epoch_of(replay, record);
    if (epoch == NULL)
        return PA_OK;
    if (!epoch->has_root || epoch->has_list)
        return pa_replay_broken(replay, "a list for epoch %llu, which %s", number,
                                epoch->has_list ? "has one" : "has no root");
    if (list.count != replay->facts->device_count)
        return pa_replay_broken(replay, "the list of epoch %llu has %u entries for %u devices",
                                number, list.count, replay->facts->device_count);
    epoch->tails = calloc(list.count, sizeof *epoch->tails);
    if (epoch->tails == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a list of %u devices: out of memory",
                       list.count);
    for (uint32_t d = 0; d < list.count; d++) {
        struct pa_list_entry entry = pa_list_entry_at(&list, d);
        epoch->tails[d].steps = entry.steps;
        memcpy(epoch->tails[d].last.bytes, entry.last, sizeof entry.last);
        memcpy(epoch->tails[d].tree.bytes, entry.tree, sizeof entry.tree);
    }
    struct pa_hash root;
    pa_epoch_root(&root, &epoch->nonce, epoch->tails, list.count);
    if (!pa_hash_equal(&root, &epoch->root))
        return pa_replay_broken(replay, "the list of epoch %llu does not hash to its root", number);
    if (!count_work(replay, epoch))
        return pa_replay_broken(replay, "the list of epoch %llu goes beyond the protocol's limits",
                                number);
    epoch->has_list = true;
    pa_replay_sample_check(replay, epoch, record->epoch);
    return PA_OK;
}

int pa_replay_key(struct pa_replay *replay, const struct pa_record *record,
                  struct pa_error *error) {
    struct pa_key_record key;
    PA_TRY(pa_record_key(record, &key, error));
    unsigned long long number = record->epoch;
    struct pa_replay_epoch *epoch = pa_replay_epoch_of(replay, record);
    if (epoch == NULL)
        return PA_OK;
    /* A key that is known before the commitment would let the prover choose what is opened. */
    if (!epoch->has_list || epoch->has_key)
        return pa_replay_broken(replay, "the key of epoch %llu is revealed %s", number,
                                epoch->has_key ? "twice" : "before its list");
    struct pa_hash nonce;
    memcpy(epoch->key.bytes, key.key, sizeof key.key);
    pa_epoch_nonce(&nonce, &epoch->key);
    if (!pa_hash_equal(&nonce, &epoch->nonce))
        return pa_replay_broken(replay, "the key of epoch %llu does not give its nonce", number);
    epoch->has_key = true;
    return PA_OK;
}

int pa_replay_result(struct pa_replay *replay, const struct pa_record *record,
                     struct pa_error *error) {
    struct pa_result_record result;
    PA_TRY(pa_record_result(record, &result, error));
    unsigned long long number = record->epoch;
    struct pa_replay_epoch *epoch = pa_replay_epoch_of(replay, record);
    if (epoch == NULL)
        return PA_OK;
    if (!epoch->has_key || epoch->has_result)
        return pa_replay_broken(replay, "a result for epoch %llu, which %s", number,
                                epoch->has_result ? "has one" : "was never opened");
    char reason[sizeof epoch->result_reason];
    size_t kept = result.reason_bytes < sizeof reason ? result.reason_bytes : sizeof reason - 1;
    if (kept > 0)
        memcpy(reason, result.reason, kept);
    reason[kept] = '\0';
    pa_printable(epoch->result_reason, sizeof epoch->result_reason, reason);
    epoch->has_result = true;
    epoch->result_drawn = result.drawn;
    epoch->result_failed = result.failed;
    return PA_OK;
}

/* The witness said at the time what it found. With tiles computed again both must agree; without,
 * it is believed where it found more. */
static void compare_result(struct pa_replay *replay, uint32_t number, struct pa_fact_epoch *found) {
    const struct pa_replay_epoch *epoch = &replay->epochs[number];
    if (!epoch->has_result)
        return;
    if (epoch->result_drawn != found->drawn) {
        pa_replay_broken(replay, "the result of epoch %u speaks of %u openings, where %u are due",
                         number, epoch->result_drawn, found->drawn);
        return;
    }
    uint32_t bad = found->failed + found->missing;
    if (epoch->result_failed < bad ||
        (replay->recheck == PA_RECHECK_TILES && epoch->result_failed != bad)) {
        pa_replay_broken(replay, "the result of epoch %u speaks of %u failures, where there are %u",
                         number, epoch->result_failed, bad);
        return;
    }
    if (epoch->result_failed > bad) {
        found->failed += epoch->result_failed - bad;
        pa_replay_failure(replay, number, UINT32_MAX, "epoch %u: the witness's result says: %s",
                          number, epoch->result_reason);
    }
}

static void sum_epoch(struct pa_replay *replay, uint32_t number) {
    struct pa_facts *facts = replay->facts;
    struct pa_replay_epoch *epoch = &replay->epochs[number];
    struct pa_fact_epoch *found = &facts->epochs[number];
    const struct pa_shape *shapes = pa_replay_shapes(replay, epoch);
    *found = (struct pa_fact_epoch){.number = number,
                                    .kind = epoch->kind,
                                    .is_credited =
                                        pa_declared_is_credited(&facts->declaration, epoch->kind),
                                    .state = epoch->has_root ? PA_EPOCH_CLOSED : PA_EPOCH_ABORTED,
                                    .t0 = epoch->t0,
                                    .t1 = epoch->t1,
                                    .operations = epoch->operations,
                                    .failed = epoch->failed,
                                    .after_gap = epoch->after_gap,
                                    .gap_ns = epoch->gap_ns};
    if (!epoch->has_root)
        return;
    /* Without a list nobody knows how much work there was: all of its openings are owed. */
    bool has_work = !epoch->has_list || epoch->tiles > 0;
    found->drawn = has_work ? pa_declared_openings(&facts->declaration, epoch->kind) : 0;
    found->missing = found->drawn - epoch->received;
    compare_result(replay, number, found);
    facts->drawn += found->drawn;
    facts->failed += found->failed;
    facts->missing += found->missing;
    for (uint32_t d = 0; epoch->has_list && d < facts->device_count; d++) {
        if (epoch->kind == 0)
            facts->devices[d].steps += epoch->tails[d].steps;
        if (found->is_credited)
            facts->devices[d].operations +=
                (double)epoch->tails[d].steps * (double)pa_shape_operations(shapes[d]);
    }
}

static int compute_credit(struct pa_replay *replay, struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    const struct pa_declaration *declaration = &facts->declaration;
    /* Where devices were drawn, half of the error probability is the draw's. */
    double parts = declaration->sample_count > 0 ? 2 : 1;
    const struct pa_credit_terms terms = {.epoch_ns = declaration->epoch_ns,
                                          .openings = declaration->openings,
                                          .alpha = (double)declaration->alpha_ppm / 1e6 / parts,
                                          .serial = declaration->serial,
                                          .interruptions = declaration->interruptions,
                                          .longest_gap_ns = declaration->longest_gap_ns};
    struct pa_credited_epoch *credited = calloc(facts->epoch_count, sizeof *credited);
    if (credited == NULL)
        return pa_fail(error, PA_EMEMORY, "reading %u epochs: out of memory", facts->epoch_count);
    for (uint32_t e = 0; e < facts->epoch_count; e++) {
        const struct pa_fact_epoch *epoch = &facts->epochs[e];
        bool is_closed = epoch->state == PA_EPOCH_CLOSED;
        credited[e] = (struct pa_credited_epoch){
            .state = epoch->state,
            .t0_ns = epoch->t0.raw_ns,
            .t1_ns = is_closed ? epoch->t1.raw_ns : 0,
            .operations = epoch->is_credited ? epoch->operations : 0,
            .openings = pa_declared_openings(declaration, epoch->kind),
            .planned_ns = pa_declared_length_ns(declaration, epoch->kind),
            .after_gap = epoch->after_gap,
            .gap_ns = epoch->gap_ns};
    }
    struct pa_error cause = {0};
    if (pa_credit_compute(&facts->credit, credited, facts->epoch_count, &terms, &cause) != PA_OK) {
        memset(&facts->credit, 0, sizeof facts->credit);
        pa_replay_broken(replay, "%s", cause.text);
    }
    free(credited);
    return PA_OK;
}

static int compute_radius(struct pa_replay *replay, struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    if (facts->declaration.probe_count == 0)
        return PA_OK;
    struct pa_radius_epoch *epochs = calloc(facts->epoch_count, sizeof *epochs);
    if (epochs == NULL)
        return pa_fail(error, PA_EMEMORY, "reading %u epochs: out of memory", facts->epoch_count);
    for (uint32_t e = 0; e < facts->epoch_count; e++)
        epochs[e] = (struct pa_radius_epoch){.kind = facts->epochs[e].kind,
                                             .state = facts->epochs[e].state,
                                             .t0_ns = facts->epochs[e].t0.raw_ns,
                                             .t1_ns = facts->epochs[e].t1.raw_ns,
                                             .operations = facts->epochs[e].operations};
    pa_radius_compute(facts->radius, &facts->declaration, epochs, facts->epoch_count);
    facts->radius_count = 1 + facts->declaration.probe_count;
    free(epochs);
    return PA_OK;
}

int pa_replay_epochs_finish(struct pa_replay *replay, struct pa_error *error) {
    struct pa_facts *facts = replay->facts;
    if (replay->epoch_count == 0)
        return PA_OK;
    facts->epochs = calloc(replay->epoch_count, sizeof *facts->epochs);
    if (facts->epochs == NULL)
        return pa_fail(error, PA_EMEMORY, "reading %u epochs: out of memory", replay->epoch_count);
    facts->epoch_count = replay->epoch_count;
    uint32_t closed = 0;
    for (uint32_t e = 0; e < replay->epoch_count; e++) {
        sum_epoch(replay, e);
        closed += replay->epochs[e].has_root;
    }
    uint32_t declared = pa_declared_epochs_in_all(&facts->declaration);
    if (closed > declared)
        pa_replay_broken(replay, "%u epochs are closed, where %u were declared", closed, declared);
    if (replay->interruptions > facts->declaration.interruptions)
        pa_replay_broken(replay, "%u interruptions, where %u were declared", replay->interruptions,
                         facts->declaration.interruptions);
    PA_TRY(compute_radius(replay, error));
    return compute_credit(replay, error);
}
