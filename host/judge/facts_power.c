/* SPDX-License-Identifier: Apache-2.0 */
/* facts_power.c - meters and their readings, and the window that they are held against: from the
 * first nonce to the last root of each segment between two interruptions. */
#include "base/file.h"
#include "base/number.h"
#include "judge/facts_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RAW starts anew with the machine. A reading whose two clocks disagree by more than this with its
 * segment's was dated under another boot, and is placed by UTC. */
static const int64_t other_boot_ns = INT64_C(60000000000);

const char *pa_meter_role_name(enum pa_meter_role role) {
    static const char *const names[PA_METER_ROLES] = {"it", "facility", "pv", "wind"};
    return role < PA_METER_ROLES ? names[role] : "?";
}

static const char *const sources[] = {"csv", "modbus", "rapl", "nvml", NULL};

static bool take_text(const json_t *json, const char *key, bool is_required, char *out,
                      size_t size) {
    const json_t *value = json_object_get(json, key);
    if (value == NULL)
        return !is_required;
    if (!json_is_string(value))
        return false;
    pa_printable(out, size, json_string_value(value));
    return true;
}

static bool take_figure(const json_t *json, const char *key, double most, double *out) {
    const json_t *value = json_object_get(json, key);
    if (value == NULL)
        return true;
    return json_is_string(value) &&
           pa_decimal_parse(json_string_value(value), 0, most, out, NULL) == PA_OK;
}

static bool take_role(const json_t *json, enum pa_meter_role *out) {
    const char *name = json_string_value(json_object_get(json, "role"));
    for (int role = 0; name != NULL && role < PA_METER_ROLES; role++)
        if (strcmp(name, pa_meter_role_name((enum pa_meter_role)role)) == 0) {
            *out = (enum pa_meter_role)role;
            return true;
        }
    return false;
}

static bool take_source(const json_t *json, struct pa_fact_meter *out) {
    const char *name = json_string_value(json_object_get(json, "source"));
    for (int i = 0; name != NULL && sources[i] != NULL; i++)
        if (strcmp(name, sources[i]) == 0) {
            snprintf(out->source, sizeof out->source, "%s", name);
            out->is_component = strcmp(name, "rapl") == 0 || strcmp(name, "nvml") == 0;
            return true;
        }
    return false;
}

/* A meter that is noted again after an interruption must be the same one. */
static int add_meter(struct pa_replay *replay, uint64_t number, const struct pa_fact_meter *found,
                     char wrong[128], struct pa_error *error) {
    if (number < replay->meter_count) {
        const struct pa_fact_meter *known = &replay->meters[number].facts;
        if (known->role != found->role || strcmp(known->source, found->source) != 0 ||
            strcmp(known->name, found->name) != 0)
            return pa_note_should_be(wrong, "name",
                                     "that of the meter noted before under this number");
        return PA_OK;
    }
    if (number != replay->meter_count || number >= PA_POWER_MOST_METERS)
        return pa_note_should_be(wrong, "meter", "the next number from 0, below 64");
    struct pa_replay_meter *grown =
        realloc(replay->meters, (replay->meter_count + 1) * sizeof *grown);
    if (grown == NULL)
        return pa_fail(error, PA_EMEMORY, "reading a note: out of memory");
    replay->meters = grown;
    replay->meters[replay->meter_count++] = (struct pa_replay_meter){.facts = *found};
    return PA_OK;
}

static int read_meter(struct pa_replay *replay, uint64_t number, const json_t *json,
                      char wrong[128], struct pa_error *error) {
    struct pa_fact_meter found = {0};
    const json_t *random = json_object_get(json, "is_random");
    if (!take_role(json, &found.role))
        return pa_note_should_be(wrong, "role", "it, facility, pv or wind");
    if (!take_source(json, &found))
        return pa_note_should_be(wrong, "source", "csv, modbus, rapl or nvml");
    if (!take_text(json, "name", true, found.name, sizeof found.name))
        return pa_note_should_be(wrong, "name", "text");
    if (!take_text(json, "details", false, found.details, sizeof found.details))
        return pa_note_should_be(wrong, "details", "text");
    if (!take_figure(json, "class_percent", 100, &found.class_percent))
        return pa_note_should_be(wrong, "class_percent", "a decimal as text, at most 100");
    if (!take_figure(json, "resolution_w", 1e12, &found.resolution_w))
        return pa_note_should_be(wrong, "resolution_w", "a decimal as text");
    if (!take_figure(json, "share", 1, &found.share))
        return pa_note_should_be(wrong, "share", "a decimal as text, at most 1");
    if (random != NULL && !json_is_boolean(random))
        return pa_note_should_be(wrong, "is_random", "true or false");
    found.is_random = json_is_true(random);
    return add_meter(replay, number, &found, wrong, error);
}

static int read_meter_end(struct pa_replay *replay, uint64_t number, const json_t *json,
                          char wrong[128]) {
    const json_t *failures = json_object_get(json, "failures");
    if (number >= replay->meter_count)
        return pa_note_should_be(wrong, "meter", "the number of a meter");
    struct pa_fact_meter *meter = &replay->meters[number].facts;
    if (!json_is_integer(failures) || json_integer_value(failures) < 0)
        return pa_note_should_be(wrong, "failures", "a whole number");
    if (!take_text(json, "trouble", false, meter->trouble, sizeof meter->trouble))
        return pa_note_should_be(wrong, "trouble", "text");
    meter->failures += (uint64_t)json_integer_value(failures);
    return PA_OK;
}

int pa_replay_meter_note(struct pa_replay *replay, const char *kind, const json_t *json,
                         char wrong[128], struct pa_error *error) {
    const json_t *number = json_object_get(json, "meter");
    if (!json_is_integer(number) || json_integer_value(number) < 0)
        return pa_note_should_be(wrong, "meter", "a whole number");
    if (strcmp(kind, "meter") == 0)
        return read_meter(replay, (uint64_t)json_integer_value(number), json, wrong, error);
    return read_meter_end(replay, (uint64_t)json_integer_value(number), json, wrong);
}

static int reserve(struct pa_replay_meter *meter, size_t more, struct pa_error *error) {
    if (meter->count + more <= meter->capacity)
        return PA_OK;
    size_t capacity =
        2 * meter->capacity > meter->count + more ? 2 * meter->capacity : meter->count + more;
    struct pa_replay_reading *grown = realloc(meter->readings, capacity * sizeof *grown);
    if (grown == NULL)
        return pa_fail(error, PA_EMEMORY, "reading %zu readings of a meter: out of memory",
                       capacity);
    meter->readings = grown;
    meter->capacity = capacity;
    return PA_OK;
}

int pa_replay_power(struct pa_replay *replay, const struct pa_record *record,
                    struct pa_error *error) {
    struct pa_power_record power;
    PA_TRY(pa_record_power(record, &power, error));
    if (power.meter >= replay->meter_count)
        return pa_replay_broken(replay, "readings of meter %u, which no note describes",
                                power.meter);
    struct pa_replay_meter *meter = &replay->meters[power.meter];
    PA_TRY(reserve(meter, power.count, error));
    for (uint32_t i = 0; i < power.count; i++)
        meter->readings[meter->count++] = (struct pa_replay_reading){
            .sample = pa_power_sample_at(&power, i), .segment = replay->interruptions};
    return PA_OK;
}

/* A segment: the RAW and UTC of its first nonce, and its end. */
struct segment {
    uint32_t number;
    struct pa_instant base;
    uint64_t last_raw_ns;
};

/* On the segment's own line: its first nonce's UTC, carried on by RAW. A time is never negative and
 * below 2^63, so that two of them have a difference. */
static int64_t place(const struct segment *segment, struct pa_instant at) {
    int64_t by_utc = (int64_t)at.utc_ns, by_raw = 0, apart = 0;
    int64_t since = (int64_t)at.raw_ns - (int64_t)segment->base.raw_ns;
    if (at.raw_ns == 0 || __builtin_add_overflow((int64_t)segment->base.utc_ns, since, &by_raw) ||
        by_raw < 0)
        return by_utc;
    apart = by_raw > by_utc ? by_raw - by_utc : by_utc - by_raw;
    return apart > other_boot_ns ? by_utc : by_raw;
}

static uint32_t find_segments(const struct pa_replay *replay, struct segment *out) {
    uint32_t count = 0;
    for (uint32_t e = 0; e < replay->epoch_count; e++) {
        const struct pa_replay_epoch *epoch = &replay->epochs[e];
        if (!epoch->has_root)
            continue;
        if (count == 0 || out[count - 1].number != epoch->segment)
            out[count++] = (struct segment){.number = epoch->segment, .base = epoch->t0};
        if (epoch->t1.raw_ns > out[count - 1].last_raw_ns)
            out[count - 1].last_raw_ns = epoch->t1.raw_ns;
    }
    return count;
}

static const struct segment *segment_of(const struct segment *segments, uint32_t count,
                                        uint32_t number) {
    const struct segment *best = &segments[0];
    for (uint32_t s = 0; s < count; s++)
        if (segments[s].number <= number)
            best = &segments[s];
    return best;
}

static int compare_readings(const void *left, const void *right) {
    const struct pa_replay_reading *a = left, *b = right;
    if (a->at_ns != b->at_ns)
        return a->at_ns > b->at_ns ? 1 : -1;
    if (a->sample.milliwatts != b->sample.milliwatts)
        return a->sample.milliwatts > b->sample.milliwatts ? 1 : -1;
    return (a->sample.millijoules > b->sample.millijoules) -
           (a->sample.millijoules < b->sample.millijoules);
}

/* On one time line, in order, one reading at a time. */
static void order(struct pa_replay_meter *meter, const struct segment *segments, uint32_t count) {
    for (size_t i = 0; i < meter->count; i++) {
        struct pa_replay_reading *reading = &meter->readings[i];
        reading->at_ns = place(segment_of(segments, count, reading->segment), reading->sample.at);
    }
    if (meter->count > 1)
        qsort(meter->readings, meter->count, sizeof *meter->readings, compare_readings);
    size_t kept = 0;
    for (size_t i = 0; i < meter->count; i++)
        if (kept == 0 || meter->readings[i].at_ns > meter->readings[kept - 1].at_ns)
            meter->readings[kept++] = meter->readings[i];
    meter->count = kept;
}

static uint32_t count_hosts(const struct pa_facts *facts) {
    uint32_t hosts = 0;
    for (uint32_t d = 0; d < facts->device_count; d++) {
        bool is_new = true;
        /* Devices of one host follow one another: ranks are numbered host by host. */
        for (uint32_t b = d; is_new && b > 0 && b + 64 > d; b--)
            is_new = strcmp(facts->devices[b - 1].host, facts->devices[d].host) != 0;
        hosts += is_new;
    }
    return hosts;
}

static void make_windows(const struct pa_replay *replay, const struct segment *segments,
                         uint32_t count, struct pa_power_window *work,
                         struct pa_power_window *run) {
    for (uint32_t s = 0; s < count; s++) {
        const struct segment *segment = &segments[s];
        work[s].from_ns = place(segment, segment->base);
        int64_t length = segment->last_raw_ns > segment->base.raw_ns
                             ? (int64_t)(segment->last_raw_ns - segment->base.raw_ns)
                             : 0;
        if (__builtin_add_overflow(work[s].from_ns, length, &work[s].to_ns))
            work[s].to_ns = work[s].from_ns;
        run[s] = work[s];
    }
    int64_t declared = place(&segments[0], replay->declared_at);
    if (declared < run[0].from_ns)
        run[0].from_ns = declared;
    const struct segment *last = &segments[count - 1];
    int64_t measured = place(last, replay->measured_at);
    if (replay->measured_segment >= last->number && measured > run[count - 1].to_ns)
        run[count - 1].to_ns = measured;
}

static int figure(struct pa_replay *replay, struct segment *segments,
                  struct pa_power_window *windows, struct pa_error *error) {
    uint32_t count = find_segments(replay, segments);
    /* Evidence whose epochs contradict themselves has no window that anything could be held
     * against. */
    if (count == 0 || replay->facts->broken[0] != '\0')
        return PA_OK;
    make_windows(replay, segments, count, windows, windows + count);
    for (uint32_t m = 0; m < replay->meter_count; m++)
        order(&replay->meters[m], segments, count);
    for (uint32_t h = 0; h < replay->half_count; h++) {
        struct pa_replay_half *half = &replay->halves[h];
        half->at_ns = place(segment_of(segments, count, half->segment), half->at);
        half->is_placed = true;
    }
    const struct pa_power_windows all = {.work = windows, .run = windows + count, .count = count};
    PA_TRY(pa_power_figure(&replay->facts->power, replay->meters, &all, error));
    pa_power_level(&replay->facts->power, count_hosts(replay->facts));
    return PA_OK;
}

int pa_replay_power_finish(struct pa_replay *replay, struct pa_error *error) {
    struct pa_fact_power *power = &replay->facts->power;
    snprintf(power->source, sizeof power->source, "none");
    snprintf(power->level_reason, sizeof power->level_reason, "No meter was read.");
    PA_TRY(pa_replay_power_devices(replay, error));
    if (replay->meter_count == 0)
        return PA_OK;
    power->meters = calloc(replay->meter_count, sizeof *power->meters);
    struct segment *segments = calloc(replay->epoch_count + 1, sizeof *segments);
    struct pa_power_window *windows = calloc(2 * (size_t)replay->epoch_count + 2, sizeof *windows);
    int code = PA_OK;
    if (power->meters == NULL || segments == NULL || windows == NULL) {
        code = pa_fail(error, PA_EMEMORY, "reading the meters: out of memory");
    } else {
        power->meter_count = replay->meter_count;
        for (uint32_t m = 0; m < replay->meter_count; m++)
            power->meters[m] = replay->meters[m].facts;
        code = figure(replay, segments, windows, error);
    }
    free(segments);
    free(windows);
    return code;
}
