/* SPDX-License-Identifier: Apache-2.0 */
/* facts_inside.h - the state of a replay, shared by the files that each know one noun; not part of
 * the door. */
#ifndef PA_JUDGE_FACTS_INSIDE_H
#define PA_JUDGE_FACTS_INSIDE_H

#include "judge/facts.h"

struct pa_replay_epoch {
    uint32_t kind;
    bool has_root, has_list, has_key, has_result, is_aborted, after_gap;
    uint64_t gap_ns;
    uint64_t asleep_ns; /* of it, that was found */
    uint32_t segment;   /* how many interruptions were noted before it */
    struct pa_instant t0, t1;
    struct pa_hash nonce, root, key;
    struct pa_tail *tails; /* owned; G of them once the list is there */
    uint64_t tiles;        /* of all devices and steps */
    double operations;
    struct pa_sample *samples; /* owned; n_e of them once the first opening comes */
    bool *has_opening;         /* owned; of each sample */
    uint32_t received, failed;
    uint32_t result_drawn, result_failed;
    char result_reason[256];
};

/* An opened tile whose digest remains to be computed. */
struct pa_tile_job {
    uint32_t epoch, j;
    struct pa_sample sample;
    struct pa_seed a_seed, b_seed;
    uint64_t claimed;
    bool is_equal;
};

/* A reading, and what it is called once all segments are known: nanoseconds of UTC as the
 * segment's first nonce dated it, carried on by RAW. */
struct pa_replay_reading {
    struct pa_power_sample sample;
    uint32_t segment;
    int64_t at_ns;
};
struct pa_replay_meter {
    struct pa_fact_meter facts;
    struct pa_replay_reading *readings; /* owned */
    size_t count, capacity;
};

/* A half-bit as it was told, placed as readings are where there is a window. */
struct pa_replay_half {
    struct pa_instant at;
    uint32_t segment;
    bool is_on, is_placed;
    int64_t at_ns;
};

/* What one device told of its power in one epoch; a figure that it did not tell is negative. */
struct pa_replay_told {
    uint32_t epoch, device;
    double mean_mw, energy_mj, energy_ns;
};

struct pa_replay {
    struct pa_facts *facts;
    enum pa_recheck recheck;
    uint64_t k;              /* the record at hand */
    struct pa_shape *shapes; /* of each kind of epoch, G of them */
    struct pa_schedule schedule;
    struct pa_replay_epoch *epochs;
    uint32_t epoch_count, epoch_capacity;
    uint64_t sample_total;
    struct pa_tile_job *jobs;
    size_t job_count, job_capacity;
    uint32_t first_epoch, first_j; /* of the first failure in (epoch, j) order */
    bool has_failure;
    char failure[400];
    uint32_t interruptions;
    bool has_gap; /* an interruption was noted and the next nonce has not come */
    uint64_t gap_ns;
    struct pa_instant gap_noted; /* when; the gap lasts until that nonce */
    bool has_base;               /* the records whose UTC and RAW clocks are compared */
    struct pa_instant base;
    struct pa_replay_meter *meters; /* owned */
    uint32_t meter_count;
    struct pa_replay_half *halves; /* owned */
    uint32_t half_count;
    struct pa_replay_told *told; /* owned */
    size_t told_count, told_capacity;
    struct pa_fabric_run fabric;
    struct pa_instant fabric_at[PA_FABRIC_STAGES_END]; /* of each stage, the last of its kind */
    struct pa_instant declared_at, measured_at; /* the session, and the last figure noted in it */
    uint32_t measured_segment;
};

/* Evidence contradicts itself: keep the first sentence, "record k: ...", and go on with the notes
 * only. Always PA_OK, so that a visitor can return it. */
int pa_replay_broken(struct pa_replay *replay, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Openings fail one by one; the first in the order of epoch and j is named. */
void pa_replay_failure(struct pa_replay *replay, uint32_t epoch, uint32_t j, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));

/* facts_session.c */
int pa_replay_session(struct pa_replay *replay, const struct pa_record *record,
                      struct pa_error *error);
int pa_replay_signature(struct pa_replay *replay, const struct pa_record *record,
                        const uint8_t before[PA_RECORD_HASH_BYTES], struct pa_error *error);
/* facts_epochs.c */
int pa_replay_nonce(struct pa_replay *replay, const struct pa_record *record,
                    struct pa_error *error);
int pa_replay_root(struct pa_replay *replay, const struct pa_record *record,
                   struct pa_error *error);
int pa_replay_list(struct pa_replay *replay, const struct pa_record *record,
                   struct pa_error *error);
int pa_replay_key(struct pa_replay *replay, const struct pa_record *record, struct pa_error *error);
int pa_replay_result(struct pa_replay *replay, const struct pa_record *record,
                     struct pa_error *error);
/* The epoch that a record belongs to, or NULL after noting that there is none. */
struct pa_replay_epoch *pa_replay_epoch_of(struct pa_replay *replay,
                                           const struct pa_record *record);
/* The shapes of an epoch, by device. */
const struct pa_shape *pa_replay_shapes(const struct pa_replay *replay,
                                        const struct pa_replay_epoch *epoch);
/* Sum up epochs, devices and openings, and compute the credit. */
int pa_replay_epochs_finish(struct pa_replay *replay, struct pa_error *error);
/* facts_openings.c */
int pa_replay_opening(struct pa_replay *replay, const struct pa_record *record,
                      struct pa_error *error);
/* Compute the tiles again, on all processors. */
int pa_replay_tiles(struct pa_replay *replay, struct pa_error *error);
/* facts_notes.c. `wrong` says what is wrong with a note, empty when nothing is. */
enum { PA_NOTE_WRONG_BYTES = 128 };
/* The first thing wrong is kept. Always PA_OK: a note that is wrong is a result. */
int pa_note_should_be(char wrong[PA_NOTE_WRONG_BYTES], const char *key, const char *expected);
/* Whether the member is a whole number from `least` to `most`. */
bool pa_note_whole(const json_t *note, const char *key, uint64_t least, uint64_t most,
                   uint64_t *out);
/* facts_vitals.c */
void pa_replay_telemetry_note(struct pa_fact_device *device, const json_t *note,
                              char wrong[PA_NOTE_WRONG_BYTES]);
int pa_replay_memory_note(struct pa_replay *replay, uint32_t device, const json_t *note,
                          char wrong[PA_NOTE_WRONG_BYTES], struct pa_error *error);
/* facts_coupled.c */
int pa_replay_coupled_note(struct pa_replay *replay, const json_t *json,
                           char wrong[PA_NOTE_WRONG_BYTES]);
/* facts_attestation.c */
int pa_replay_attestation_note(struct pa_replay *replay, struct pa_fact_device *device,
                               const json_t *note, uint64_t epoch, char wrong[PA_NOTE_WRONG_BYTES],
                               struct pa_error *error);
/* After the last record: whether all devices are attested, each as itself. */
void pa_replay_attestation_finish(struct pa_replay *replay);
/* facts_clock.c: notes "suspend" and "boottime". */
int pa_replay_suspend_note(struct pa_replay *replay, const struct pa_record *record,
                           const json_t *note, char wrong[PA_NOTE_WRONG_BYTES]);
int pa_replay_boottime_note(struct pa_replay *replay, const struct pa_record *record,
                            const json_t *note, char wrong[PA_NOTE_WRONG_BYTES]);
/* facts_sample.c */
int pa_replay_sample_note(struct pa_replay *replay, const json_t *note,
                          char wrong[PA_NOTE_WRONG_BYTES], struct pa_error *error);
/* Nobody works who was not chosen. */
void pa_replay_sample_check(struct pa_replay *replay, const struct pa_replay_epoch *epoch,
                            uint64_t number);
/* After the credit. */
int pa_replay_sample_finish(struct pa_replay *replay, struct pa_error *error);
/* facts_fabric.c */
int pa_replay_fabric(struct pa_replay *replay, const struct pa_record *record,
                     struct pa_error *error);
/* After the credit. */
void pa_replay_fabric_finish(struct pa_replay *replay);
/* facts_watermark.c */
int pa_replay_watermark_note(struct pa_replay *replay, const json_t *json, struct pa_instant at,
                             char wrong[PA_NOTE_WRONG_BYTES], struct pa_error *error);
/* After the meters. */
int pa_replay_watermark_finish(struct pa_replay *replay, struct pa_error *error);
/* facts_notes.c */
int pa_replay_note(struct pa_replay *replay, const struct pa_record *record,
                   struct pa_error *error);
/* facts_power.c. A note of the kind "meter" or "meter_end"; `wrong` (128 bytes) says what is wrong
 * with it, empty when nothing is. */
int pa_replay_meter_note(struct pa_replay *replay, const char *kind, const json_t *json,
                         char wrong[128], struct pa_error *error);
int pa_replay_power(struct pa_replay *replay, const struct pa_record *record,
                    struct pa_error *error);
/* Place all readings on one time line and move the meters into the facts. After the epochs. */
int pa_replay_power_finish(struct pa_replay *replay, struct pa_error *error);
/* power_devices.c: keep what a note `telemetry` of `epoch` says of power, and, once all are in,
 * make one more meter of it, where there is any. */
int pa_replay_told_note(struct pa_replay *replay, uint64_t epoch, const json_t *note,
                        struct pa_error *error);
int pa_replay_power_devices(struct pa_replay *replay, struct pa_error *error);
/* power_meter.c: the figures of one meter over the windows. power_figures.c: of all together. */
struct pa_power_window {
    int64_t from_ns, to_ns;
};
struct pa_power_windows {
    const struct pa_power_window *work, *run; /* the same number of each, in order */
    uint32_t count;
};
int pa_power_meter(struct pa_fact_meter *meter, const struct pa_replay_meter *readings,
                   const struct pa_power_windows *windows, struct pa_error *error);
/* Power at a moment, between two readings that are near enough to one another; NAN elsewhere. */
double pa_power_at(const struct pa_fact_meter *meter, const struct pa_replay_meter *readings,
                   int64_t at_ns);
/* Mean of the readings of power in [from, to), else by the energy counter between its first and
 * last reading there; NAN without any. */
double pa_power_mean(const struct pa_replay_meter *readings, int64_t from_ns, int64_t to_ns);
/* power_figures.c: the part of the load that a role's meters see together, 1 unless they tell. */
double pa_power_share(const struct pa_fact_power *power, enum pa_meter_role role);
int pa_power_figure(struct pa_fact_power *power, const struct pa_replay_meter *meters,
                    const struct pa_power_windows *windows, struct pa_error *error);
/* power_level.c: the level of the EE HPC WG methodology that the figures support, and why. */
void pa_power_level(struct pa_fact_power *power, uint32_t hosts);

#endif
