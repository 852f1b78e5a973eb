/* SPDX-License-Identifier: Apache-2.0 */
#include "witness/live_state.h"

#include "base/file.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pa_live_state_find(struct pa_live_state *state, enum pa_live_severity severity,
                        const char *code, const char *format, ...) {
    char text[sizeof state->findings->text];
    va_list arguments;
    if (state->findings == NULL || state->finding_count == PA_LIVE_MOST_FINDINGS) {
        state->findings_left_out++;
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct pa_live_finding *finding = &state->findings[state->finding_count++];
    *finding = (struct pa_live_finding){
        .version = state->version, .utc_ns = state->last_utc_ns, .severity = severity};
    pa_printable(finding->code, sizeof finding->code, code);
    pa_printable(finding->text, sizeof finding->text, text);
}

static int begin_session(struct pa_live_state *state, const struct pa_record *record,
                         struct pa_error *error) {
    struct pa_session_record session;
    PA_TRY(pa_record_session(record, &session, error));
    PA_TRY(pa_declaration_read(&state->declaration, session.declaration, session.declaration_bytes,
                               error));
    pa_declaration_session(&state->session, session.declaration, session.declaration_bytes);
    pa_schedule_begin(&state->schedule, &state->declaration);
    state->told = state->declaration.device_count < PA_LIVE_MOST_DEVICES
                      ? state->declaration.device_count
                      : PA_LIVE_MOST_DEVICES;
    state->devices = calloc(state->told, sizeof *state->devices);
    state->findings = calloc(PA_LIVE_MOST_FINDINGS, sizeof *state->findings);
    state->meters = calloc(PA_LIVE_METERS, sizeof *state->meters);
    if (state->devices == NULL || state->findings == NULL || state->meters == NULL)
        return pa_fail(error, PA_EMEMORY, "watching a session: out of memory");
    for (uint32_t d = 0; d < state->told; d++) {
        struct pa_live_device *device = &state->devices[d];
        memcpy(device->name, state->declaration.devices[d].name, sizeof device->name);
        device->operations_per_step =
            pa_shape_operations(pa_declared_shape(&state->declaration, 0, d));
        device->described = device->worked = state->version;
        device->temperature_c = -1;
    }
    state->is_declared = true;
    state->begun_utc_ns = session.at.utc_ns;
    state->session_version = state->device_version = state->opening_version = state->version;
    return PA_OK;
}

/* NULL for an epoch that never began. */
static struct pa_live_epoch *epoch_of(struct pa_live_state *state, const struct pa_record *record) {
    return record->epoch < state->epoch_count ? &state->epochs[record->epoch] : NULL;
}

/* As the judge counts it: what was noted is its length so far. */
static uint64_t gap_until(const struct pa_live_state *state, const struct pa_instant *t0) {
    const struct pa_instant *noted = &state->gap_noted;
    uint64_t more_ns = t0->raw_ns >= noted->raw_ns   ? t0->raw_ns - noted->raw_ns
                       : t0->utc_ns >= noted->utc_ns ? t0->utc_ns - noted->utc_ns
                                                     : 0;
    return state->has_gap ? state->gap_ns + more_ns : 0;
}

static int begin_epoch(struct pa_live_state *state, const struct pa_record *record,
                       struct pa_error *error) {
    struct pa_nonce_record nonce;
    PA_TRY(pa_record_nonce(record, &nonce, error));
    if (record->epoch != state->epoch_count || state->epoch_count >= 2 * PA_MOST_EPOCHS)
        return PA_OK;
    if (state->epoch_count == state->epoch_capacity) {
        uint32_t capacity = state->epoch_capacity == 0 ? 64 : 2 * state->epoch_capacity;
        struct pa_live_epoch *grown = realloc(state->epochs, capacity * sizeof *grown);
        if (grown == NULL)
            return pa_fail(error, PA_EMEMORY, "watching %u epochs: out of memory", capacity);
        state->epochs = grown;
        state->epoch_capacity = capacity;
    }
    if (state->epoch_count > 0 && !state->epochs[state->epoch_count - 1].has_root) {
        state->epochs[state->epoch_count - 1].is_aborted = true;
        state->epochs[state->epoch_count - 1].version = state->version;
    }
    struct pa_hash drawn;
    memcpy(drawn.bytes, nonce.nonce, sizeof drawn.bytes);
    state->epochs[state->epoch_count++] =
        (struct pa_live_epoch){.version = state->version,
                               .number = record->epoch,
                               .kind = pa_schedule_draw(&state->schedule, &drawn),
                               .t0 = nonce.at,
                               .after_gap = state->has_gap,
                               .gap_ns = gap_until(state, &nonce.at),
                               .first_failed = UINT32_MAX};
    state->has_gap = false;
    state->gap_ns = 0;
    return PA_OK;
}

static int take_root(struct pa_live_state *state, const struct pa_record *record,
                     struct pa_error *error) {
    struct pa_root_record root;
    struct pa_live_epoch *epoch = epoch_of(state, record);
    PA_TRY(pa_record_root(record, &root, error));
    if (epoch == NULL || epoch->has_root || root.at.raw_ns <= epoch->t0.raw_ns)
        return PA_OK;
    epoch->t1 = root.at;
    epoch->has_root = true;
    epoch->version = state->version;
    memcpy(epoch->root.bytes, root.root, sizeof epoch->root.bytes);
    return PA_OK;
}

static int take_list(struct pa_live_state *state, const struct pa_record *record,
                     struct pa_error *error) {
    struct pa_list_record list;
    struct pa_live_epoch *epoch = epoch_of(state, record);
    PA_TRY(pa_record_list(record, &list, error));
    if (epoch == NULL || !epoch->has_root || epoch->steps != NULL || epoch->is_closed ||
        list.count != state->declaration.device_count)
        return PA_OK;
    epoch->steps = calloc(list.count, sizeof *epoch->steps);
    if (epoch->steps == NULL)
        return pa_fail(error, PA_EMEMORY, "watching %u devices: out of memory", list.count);
    for (uint32_t d = 0; d < list.count; d++) {
        uint64_t steps = pa_list_entry_at(&list, d).steps;
        epoch->steps[d] = steps > PA_MOST_STEPS ? 0 : (uint32_t)steps;
        epoch->operations +=
            (double)epoch->steps[d] *
            (double)pa_shape_operations(pa_declared_shape(&state->declaration, epoch->kind, d));
    }
    return PA_OK;
}

/* Shapes and list of an epoch, as the functions of the proof take them; the caller frees both. */
static int list_of(const struct pa_live_state *state, const struct pa_live_epoch *epoch,
                   struct pa_shape **shapes, struct pa_tail **tails, struct pa_error *error) {
    uint32_t devices = state->declaration.device_count;
    *shapes = calloc(devices, sizeof **shapes);
    *tails = calloc(devices, sizeof **tails);
    if (*shapes == NULL || *tails == NULL)
        return pa_fail(error, PA_EMEMORY, "watching %u devices: out of memory", devices);
    for (uint32_t d = 0; d < devices; d++) {
        (*shapes)[d] = pa_declared_shape(&state->declaration, epoch->kind, d);
        (*tails)[d].steps = epoch->steps[d];
    }
    return PA_OK;
}

/* How many openings are due: none of an epoch without work. */
static int count_drawn(const struct pa_live_state *state, struct pa_live_epoch *epoch,
                       struct pa_error *error) {
    struct pa_shape *shapes;
    struct pa_tail *tails;
    uint64_t tiles = 0;
    int code = list_of(state, epoch, &shapes, &tails, error);
    if (code == PA_OK && pa_epoch_tiles(&tiles, shapes, tails, state->declaration.device_count) &&
        tiles > 0)
        epoch->drawn = pa_declared_openings(&state->declaration, epoch->kind);
    free(shapes);
    free(tails);
    return code;
}

/* Which tiles are opened, by key and root. They are drawn when the first comes, for one epoch at a
 * time: a site chooses how many there are. */
static int draw_samples(struct pa_live_state *state, const struct pa_live_epoch *epoch,
                        struct pa_error *error) {
    struct pa_shape *shapes;
    struct pa_tail *tails;
    free(state->samples);
    state->samples = calloc(epoch->drawn, sizeof *state->samples);
    state->sampled_epoch = epoch->number;
    if (state->samples == NULL)
        return pa_fail(error, PA_EMEMORY, "watching %u openings: out of memory", epoch->drawn);
    int code = list_of(state, epoch, &shapes, &tails, error);
    if (code == PA_OK)
        code = pa_epoch_samples(state->samples, epoch->drawn, &epoch->key, &epoch->root, shapes,
                                tails, state->declaration.device_count, error);
    free(shapes);
    free(tails);
    return code;
}

int pa_live_state_credit(const struct pa_live_state *state, struct pa_credit *out,
                         struct pa_error *error) {
    const struct pa_declaration *declaration = &state->declaration;
    const struct pa_credit_terms terms = {.epoch_ns = declaration->epoch_ns,
                                          .openings = declaration->openings,
                                          .alpha = (double)declaration->alpha_ppm / 1e6,
                                          .serial = declaration->serial,
                                          .interruptions = declaration->interruptions,
                                          .longest_gap_ns = declaration->longest_gap_ns};
    struct pa_credited_epoch *epochs = calloc((size_t)state->epoch_count + 1, sizeof *epochs);
    uint32_t count = 0;
    if (epochs == NULL)
        return pa_fail(error, PA_EMEMORY, "watching %u epochs: out of memory", state->epoch_count);
    for (uint32_t e = 0; e < state->epoch_count; e++) {
        const struct pa_live_epoch *epoch = &state->epochs[e];
        if (!epoch->is_closed && !epoch->is_aborted)
            continue;
        epochs[count++] = (struct pa_credited_epoch){
            .state = epoch->is_closed ? PA_EPOCH_CLOSED : PA_EPOCH_ABORTED,
            .t0_ns = epoch->t0.raw_ns,
            .t1_ns = epoch->is_closed ? epoch->t1.raw_ns : 0,
            .operations = pa_declared_is_credited(declaration, epoch->kind) ? epoch->operations : 0,
            .openings = pa_declared_openings(declaration, epoch->kind),
            .planned_ns = pa_declared_length_ns(declaration, epoch->kind),
            .after_gap = epoch->after_gap,
            .gap_ns = epoch->gap_ns};
    }
    int code = pa_credit_compute(out, epochs, count, &terms, error);
    free(epochs);
    return code;
}

/* Where the session stands after this epoch. It takes all earlier ones, so that a session of very
 * many epochs is not shown so. */
static void note_standing(struct pa_live_state *state, struct pa_live_epoch *epoch) {
    struct pa_credit credit;
    epoch->mean_rate = epoch->lower_rate = NAN;
    if (state->epoch_count > PA_LIVE_MOST_EPOCHS ||
        pa_live_state_credit(state, &credit, NULL) != PA_OK)
        return;
    epoch->mean_rate = credit.rate;
    epoch->lower_rate = credit.verified_rate;
}

static int close_epoch(struct pa_live_state *state, const struct pa_record *record,
                       struct pa_error *error) {
    struct pa_key_record revealed;
    struct pa_live_epoch *epoch = epoch_of(state, record);
    PA_TRY(pa_record_key(record, &revealed, error));
    if (epoch == NULL || epoch->steps == NULL || epoch->is_closed)
        return PA_OK;
    memcpy(epoch->key.bytes, revealed.key, sizeof epoch->key.bytes);
    PA_TRY(count_drawn(state, epoch, error));
    double seconds = (double)(epoch->t1.raw_ns - epoch->t0.raw_ns) / 1e9;
    for (uint32_t d = 0; d < state->told; d++) {
        struct pa_live_device *device = &state->devices[d];
        device->last_steps = epoch->steps[d];
        device->steps += epoch->kind == 0 ? epoch->steps[d] : 0;
        device->last_rate =
            (double)epoch->steps[d] *
            (double)pa_shape_operations(pa_declared_shape(&state->declaration, epoch->kind, d)) /
            seconds;
        device->worked = state->version;
    }
    epoch->is_closed = true;
    epoch->version = state->opening_version = state->device_version = state->version;
    state->closed_count++;
    state->drawn += epoch->drawn;
    note_standing(state, epoch);
    return PA_OK;
}

static int take_opening(struct pa_live_state *state, const struct pa_record *record,
                        struct pa_error *error) {
    struct pa_opening_record opening;
    struct pa_live_epoch *epoch = epoch_of(state, record);
    PA_TRY(pa_record_opening(record, &opening, error));
    if (epoch == NULL || epoch->steps == NULL || opening.j != epoch->opened ||
        opening.j >= epoch->drawn)
        return PA_OK;
    if (state->samples == NULL || state->sampled_epoch != epoch->number)
        PA_TRY(draw_samples(state, epoch, error));
    epoch->opened++;
    epoch->version = state->opening_version = state->version;
    state->recent[state->received++ % PA_LIVE_RECENT] =
        (struct pa_live_opening){record->epoch, opening.j, state->samples[opening.j]};
    return PA_OK;
}

static int take_result(struct pa_live_state *state, const struct pa_record *record,
                       struct pa_error *error) {
    struct pa_result_record result;
    struct pa_live_epoch *epoch = epoch_of(state, record);
    PA_TRY(pa_record_result(record, &result, error));
    if (epoch == NULL || !epoch->is_closed || epoch->is_settled)
        return PA_OK;
    epoch->is_settled = true;
    epoch->failed = result.failed;
    epoch->first_failed = result.first_failed;
    epoch->version = state->opening_version = state->version;
    state->checked += epoch->drawn;
    state->failed += result.failed;
    free(epoch->steps);
    epoch->steps = NULL;
    if (result.failed == 0)
        return PA_OK;
    epoch->reason = calloc(1, (size_t)result.reason_bytes + 1);
    if (epoch->reason == NULL)
        return pa_fail(error, PA_EMEMORY, "watching a session: out of memory");
    memcpy(epoch->reason, result.reason, result.reason_bytes);
    pa_live_state_find(state, PA_LIVE_CRITICAL, "OPENINGS_FAILED",
                       "%u of %u openings of epoch %llu failed. The first: %s", result.failed,
                       epoch->drawn, (unsigned long long)record->epoch, epoch->reason);
    return PA_OK;
}

struct pace {
    const char *model;
    double rate;
};

static int by_model_and_rate(const void *a, const void *b) {
    const struct pace *left = a, *right = b;
    int order = strcmp(left->model, right->model);
    return order != 0 ? order : (left->rate > right->rate) - (left->rate < right->rate);
}

/* The median of those of this model that did work; `paces` is in order. */
static double median_of(const struct pace *paces, uint32_t count, const char *model) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(paces[middle].model, model) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t first = low;
    for (high = count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(paces[middle].model, model) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return first < low ? paces[first + (low - first) / 2].rate : 0;
}

static enum pa_live_condition condition_of(const struct pa_live_device *device, double median,
                                           uint64_t last_closed) {
    if (device->is_lost)
        return PA_LIVE_LOST;
    if (device->last_steps == 0)
        return PA_LIVE_IDLE;
    /* What it tells of an epoch comes after that epoch, or with the next. */
    if (device->throttled_in > 0 && device->throttled_in >= last_closed)
        return PA_LIVE_THROTTLED;
    return device->last_rate < PA_LIVE_SLOW_SHARE * median ? PA_LIVE_SLOW : PA_LIVE_WORKING;
}

int pa_live_state_compare(struct pa_live_state *state, struct pa_error *error) {
    if (state->compared_version >= state->device_version)
        return PA_OK;
    struct pace *paces = calloc((size_t)state->told + 1, sizeof *paces);
    uint32_t count = 0;
    uint64_t last_closed = 0;
    if (paces == NULL)
        return pa_fail(error, PA_EMEMORY, "comparing %u devices: out of memory", state->told);
    for (uint32_t d = 0; d < state->told; d++)
        if (state->devices[d].last_steps > 0)
            paces[count++] = (struct pace){state->devices[d].model, state->devices[d].last_rate};
    qsort(paces, count, sizeof *paces, by_model_and_rate);
    for (uint32_t e = 0; e < state->epoch_count; e++)
        if (state->epochs[e].is_closed)
            last_closed = e;
    memset(state->counts, 0, sizeof state->counts);
    for (uint32_t d = 0; d < state->told; d++) {
        struct pa_live_device *device = &state->devices[d];
        enum pa_live_condition condition =
            state->closed_count == 0 && !device->is_lost
                ? PA_LIVE_WAITING
                : condition_of(device, median_of(paces, count, device->model), last_closed);
        if (condition != device->condition)
            device->worked = state->version;
        device->condition = condition;
        state->counts[condition]++;
    }
    free(paces);
    state->compared_version = state->version;
    return PA_OK;
}

int pa_live_state_apply(struct pa_live_state *state, const struct pa_record *record,
                        struct pa_error *error) {
    struct pa_instant at;
    PA_TRY(pa_record_check(record, &at, error));
    if (state->is_declared == (record->type == PA_RECORD_SESSION))
        return PA_OK;
    state->version++;
    if (at.utc_ns != 0)
        state->last_utc_ns = at.utc_ns;
    switch (record->type) {
    case PA_RECORD_SESSION:
        return begin_session(state, record, error);
    case PA_RECORD_NONCE:
        return begin_epoch(state, record, error);
    case PA_RECORD_ROOT:
        return take_root(state, record, error);
    case PA_RECORD_LIST:
        return take_list(state, record, error);
    case PA_RECORD_KEY:
        return close_epoch(state, record, error);
    case PA_RECORD_OPENING:
        return take_opening(state, record, error);
    case PA_RECORD_RESULT:
        return take_result(state, record, error);
    case PA_RECORD_POWER:
        return pa_live_state_power(state, record, error);
    case PA_RECORD_NOTE:
        return pa_live_state_note(state, record, error);
    case PA_RECORD_SIGNATURE:
        state->is_finished = true;
        return PA_OK;
    default:
        return PA_OK;
    }
}

void pa_live_state_free(struct pa_live_state *state) {
    for (uint32_t i = 0; i < state->epoch_count; i++) {
        free(state->epochs[i].steps);
        free(state->epochs[i].reason);
    }
    free(state->epochs);
    free(state->samples);
    free(state->devices);
    free(state->findings);
    free(state->meters);
    pa_declaration_free(&state->declaration);
    *state = (struct pa_live_state){0};
}
