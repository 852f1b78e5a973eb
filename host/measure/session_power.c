/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/session_power.h"

#include "measure/session_notes.h"
#include "meter/meter_sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t second_ns = UINT64_C(1000000000);
/* At most so much of the readings is lost with a process that is killed. */
static const uint64_t pass_on_ns = UINT64_C(30000000000);

/* A remote witness has a clock of its own, by which its window is another by so much at most. */
static const uint64_t margin_ns = UINT64_C(60000000000);

struct pa_power_watch {
    const struct pa_session_terms *terms;
    struct pa_meter_sampler *sampler;
    uint32_t *numbers;    /* owned: of each meter in the transcript */
    uint64_t *failures;   /* owned */
    char (*trouble)[256]; /* owned: of the last failure */
    uint64_t passed_on_ns;
    uint64_t begun_utc_ns, ended_utc_ns; /* of the session; ended is 0 while it is measured */
};

static int number_meters(struct pa_power_watch *watch, const struct pa_session_past *past,
                         struct pa_error *error) {
    for (uint32_t i = 0; i < watch->terms->meter_count; i++) {
        const struct pa_meter_facts *facts = &watch->terms->meters[i]->facts;
        watch->numbers[i] = i;
        if (past == NULL)
            continue;
        uint32_t number = 0;
        while (number < past->meter_count && (strcmp(past->meters[number].role, facts->role) != 0 ||
                                              strcmp(past->meters[number].name, facts->name) != 0))
            number++;
        if (number == past->meter_count)
            return pa_fail(error, PA_EUSAGE,
                           "resuming: the session was not begun with the meter %s=%.100s",
                           facts->role, facts->name);
        watch->numbers[i] = number;
    }
    return PA_OK;
}

int pa_power_watch_begin(const struct pa_session_terms *terms, const struct pa_session_past *past,
                         struct pa_power_watch **out, struct pa_error *error) {
    size_t count = terms->meter_count;
    *out = NULL;
    if (count == 0)
        return PA_OK;
    struct pa_power_watch *watch = calloc(1, sizeof *watch);
    if (watch != NULL) {
        watch->terms = terms;
        watch->numbers = calloc(count, sizeof *watch->numbers);
        watch->failures = calloc(count, sizeof *watch->failures);
        watch->trouble = calloc(count, sizeof *watch->trouble);
    }
    int code = PA_OK;
    if (watch == NULL || watch->numbers == NULL || watch->failures == NULL ||
        watch->trouble == NULL)
        code = pa_fail(error, PA_EMEMORY, "watching meters: out of memory");
    if (code == PA_OK)
        code = number_meters(watch, past, error);
    bool is_measured =
        past != NULL && past->has_raw &&
        (past->has_coupled || past->ledger.declaration.device_count < 2) &&
        past->ledger.next_epoch >= pa_declared_epochs_in_all(&past->ledger.declaration) &&
        past->ledger.watermark_told >= 2 * terms->policy->watermark_bits;
    if (code == PA_OK) {
        watch->begun_utc_ns = past != NULL ? past->begun_utc_ns : pa_clock_utc_ns();
        watch->ended_utc_ns = is_measured ? past->measured_utc_ns : 0;
    }
    if (code == PA_OK && !is_measured)
        code = pa_meter_sampler_start(terms->meters, count, &watch->sampler, error);
    if (code != PA_OK) {
        pa_power_watch_free(watch);
        return code;
    }
    *out = watch;
    return PA_OK;
}

static void put_figure(json_t *note, const char *key, double value) {
    if (value > 0)
        json_object_set_new(note, key, pa_note_figure(value));
}

int pa_power_watch_note(struct pa_power_watch *watch, struct pa_error *error) {
    for (uint32_t i = 0; watch != NULL && i < watch->terms->meter_count; i++) {
        const struct pa_meter_facts *facts = &watch->terms->meters[i]->facts;
        json_t *note = json_pack("{s:s, s:I, s:s, s:s, s:s, s:s}", "kind", "meter", "meter",
                                 (json_int_t)watch->numbers[i], "role", facts->role, "source",
                                 facts->source, "name", facts->name, "details", facts->details);
        put_figure(note, "class_percent", facts->class_percent);
        put_figure(note, "resolution_w", facts->resolution_w);
        put_figure(note, "share", facts->share);
        if (facts->is_random)
            json_object_set_new(note, "is_random", json_true());
        PA_TRY(pa_note_put(watch->terms, PA_NO_EPOCH, note, error));
    }
    return PA_OK;
}

/* The samples of one record, in order and within what a record may hold. */
static int put_readings(struct pa_power_watch *watch, uint32_t index,
                        const struct pa_meter_reading *readings, size_t count,
                        struct pa_error *error) {
    struct pa_witness *witness = watch->terms->witness;
    for (size_t at = 0; at < count;) {
        uint32_t part =
            count - at < PA_POWER_MOST_SAMPLES ? (uint32_t)(count - at) : PA_POWER_MOST_SAMPLES;
        struct pa_power_sample *samples = calloc(part, sizeof *samples);
        if (samples == NULL)
            return pa_fail(error, PA_EMEMORY, "writing readings: out of memory");
        for (uint32_t i = 0; i < part; i++)
            samples[i] = (struct pa_power_sample){.at = readings[at + i].at,
                                                  .milliwatts = readings[at + i].milliwatts,
                                                  .millijoules = readings[at + i].millijoules};
        int code = witness->kind->power(witness, watch->numbers[index], samples, part, error);
        free(samples);
        PA_TRY(code);
        at += part;
    }
    return PA_OK;
}

static int take_all(struct pa_power_watch *watch, struct pa_error *error) {
    for (uint32_t i = 0; i < watch->terms->meter_count; i++) {
        struct pa_meter_batch batch;
        PA_TRY(pa_meter_sampler_take(watch->sampler, i, &batch, error));
        watch->failures[i] += batch.failures;
        if (batch.trouble[0] != '\0')
            memcpy(watch->trouble[i], batch.trouble, sizeof batch.trouble);
        int code = put_readings(watch, i, batch.readings, batch.count, error);
        free(batch.readings);
        PA_TRY(code);
    }
    watch->passed_on_ns = pa_clock_raw_ns();
    return PA_OK;
}

int pa_power_watch_pass_on(struct pa_power_watch *watch, struct pa_error *error) {
    if (watch == NULL || watch->sampler == NULL ||
        pa_clock_raw_ns() - watch->passed_on_ns < pass_on_ns)
        return PA_OK;
    return take_all(watch, error);
}

static int note_end(struct pa_power_watch *watch, uint32_t index, json_t *more,
                    struct pa_error *error) {
    json_t *note = json_pack("{s:s, s:I, s:I}", "kind", "meter_end", "meter",
                             (json_int_t)watch->numbers[index], "failures",
                             (json_int_t)watch->failures[index]);
    if (watch->trouble[index][0] != '\0')
        json_object_set_new(note, "trouble", json_string(watch->trouble[index]));
    if (more != NULL)
        json_object_update(note, more);
    json_decref(more);
    return pa_note_put(watch->terms, PA_NO_EPOCH, note, error);
}

int pa_power_watch_stop(struct pa_power_watch *watch, struct pa_error *error) {
    if (watch == NULL || watch->sampler == NULL)
        return PA_OK;
    pa_meter_sampler_stop(watch->sampler);
    PA_TRY(take_all(watch, error));
    pa_meter_sampler_free(watch->sampler);
    watch->sampler = NULL;
    watch->ended_utc_ns = pa_clock_utc_ns();
    for (uint32_t i = 0; i < watch->terms->meter_count; i++)
        if (watch->terms->meters[i]->kind->read != NULL)
            PA_TRY(note_end(watch, i, NULL, error));
    return PA_OK;
}

static bool is_stopped(const struct pa_session_terms *terms) {
    return terms->stop != NULL && atomic_load(terms->stop);
}

/* Read a file, again and again for as long as its meter says, until it reaches the session's end.
 */
static int await_file(struct pa_power_watch *watch, uint32_t index, struct pa_meter_delivery *out,
                      struct pa_error *error) {
    struct pa_meter *meter = watch->terms->meters[index];
    uint64_t until = pa_clock_raw_ns() + meter->facts.wait_ns;
    for (;;) {
        int code = meter->kind->deliver(meter, watch->begun_utc_ns - margin_ns,
                                        watch->ended_utc_ns + margin_ns, out, error);
        bool is_whole = code == PA_OK && out->last_utc_ns >= watch->ended_utc_ns;
        bool may_come = code == PA_OK || code == PA_ENOINPUT;
        if (is_whole || !may_come || pa_clock_raw_ns() >= until)
            return code;
        if (is_stopped(watch->terms))
            return pa_fail(error, PA_EINTERRUPTED, "stopped by the user; the evidence is kept");
        pa_meter_delivery_free(out);
        char text[320];
        snprintf(text, sizeof text, "waiting for %.250s to reach the end of the work",
                 meter->facts.name);
        pa_observe(watch->terms->observer,
                   (struct pa_progress){.phase = PA_PHASE_NOTICE, .text = text});
        pa_clock_sleep(2 * second_ns);
    }
}

/* Nothing of the session is in the file: most often its zone is another. */
static int check_delivery(const struct pa_power_watch *watch, uint32_t index,
                          const struct pa_meter_delivery *delivery, struct pa_error *error) {
    char first[PA_UTC_TEXT_BYTES], last[PA_UTC_TEXT_BYTES], begun[PA_UTC_TEXT_BYTES],
        ended[PA_UTC_TEXT_BYTES];
    if (delivery->first_utc_ns <= watch->ended_utc_ns &&
        delivery->last_utc_ns >= watch->begun_utc_ns && delivery->count > 0)
        return PA_OK;
    pa_utc_text(first, delivery->first_utc_ns);
    pa_utc_text(last, delivery->last_utc_ns);
    pa_utc_text(begun, watch->begun_utc_ns);
    pa_utc_text(ended, watch->ended_utc_ns);
    return pa_fail(error, PA_ENOINPUT,
                   "%.200s has %llu rows from %s to %s, and the work went from %s to %s: is zone= "
                   "right?",
                   watch->terms->meters[index]->facts.name, (unsigned long long)delivery->rows,
                   first, last, begun, ended);
}

static int deliver(struct pa_power_watch *watch, uint32_t index,
                   const struct pa_meter_delivery *delivery, struct pa_error *error) {
    char hash[2 * sizeof delivery->sha256 + 1];
    PA_TRY(check_delivery(watch, index, delivery, error));
    pa_hex(hash, delivery->sha256, sizeof delivery->sha256);
    watch->failures[index] = delivery->missing;
    if (delivery->missing > 0)
        snprintf(watch->trouble[index], sizeof watch->trouble[index],
                 "%llu rows of the session are without a value",
                 (unsigned long long)delivery->missing);
    PA_TRY(put_readings(watch, index, delivery->readings, delivery->count, error));
    return note_end(watch, index,
                    json_pack("{s:s, s:I, s:I}", "sha256", hash, "rows", (json_int_t)delivery->rows,
                              "duplicates", (json_int_t)delivery->duplicates),
                    error);
}

int pa_power_watch_deliver(struct pa_power_watch *watch, struct pa_error *error) {
    for (uint32_t i = 0; watch != NULL && i < watch->terms->meter_count; i++) {
        struct pa_meter_delivery delivery = {0};
        if (watch->terms->meters[i]->kind->deliver == NULL)
            continue;
        int code = await_file(watch, i, &delivery, error);
        if (code == PA_OK)
            code = deliver(watch, i, &delivery, error);
        pa_meter_delivery_free(&delivery);
        if (code == PA_EINPUT || code == PA_ENOINPUT)
            return pa_fail_in(error,
                              "reading the meters (what was measured is kept; go on with --resume "
                              "DIR and --meter, or without that meter)");
        PA_TRY(code);
    }
    return PA_OK;
}

void pa_power_watch_free(struct pa_power_watch *watch) {
    if (watch == NULL)
        return;
    pa_meter_sampler_free(watch->sampler);
    free(watch->numbers);
    free(watch->failures);
    free(watch->trouble);
    free(watch);
}
