/* SPDX-License-Identifier: Apache-2.0 */
/* facts_inside.h - the state of a replay, shared by the files that each know one noun; not part of
 * the door. */
#ifndef PA_JUDGE_FACTS_INSIDE_H
#define PA_JUDGE_FACTS_INSIDE_H

#include "judge/facts.h"

struct pa_replay_epoch {
    bool has_root, has_list, has_key, has_result, is_aborted, after_gap;
    uint64_t gap_ns;
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

struct pa_replay {
    struct pa_facts *facts;
    enum pa_recheck recheck;
    uint64_t k; /* the record at hand */
    struct pa_shape *shapes;
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
    bool has_base; /* the records whose UTC and RAW clocks are compared */
    struct pa_instant base;
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
/* Sum up epochs, devices and openings, and compute the credit. */
int pa_replay_epochs_finish(struct pa_replay *replay, struct pa_error *error);
/* facts_openings.c */
int pa_replay_opening(struct pa_replay *replay, const struct pa_record *record,
                      struct pa_error *error);
/* Compute the tiles again, on all processors. */
int pa_replay_tiles(struct pa_replay *replay, struct pa_error *error);
/* facts_notes.c */
int pa_replay_note(struct pa_replay *replay, const struct pa_record *record,
                   struct pa_error *error);

#endif
